//! Expressions to be drawn, and the variables they are drawn over.

use super::*;

/// An expression to be drawn.
pub(super) struct Curve {
    pub(super) expr: Expr,
    pub(super) declarations: Declarations,
    pub(super) unit: Option<Unit>,
    pub(super) name: String,
}

/// A variable with its range in SI.
#[derive(Clone)]
pub(super) struct Variable {
    pub(super) symbol: Symbol,
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) unit: Option<Unit>,
    pub(super) dimension: Dimension,
    /// The only values it takes, in SI.
    pub(super) values: Option<Vec<f64>>,
}

/// `x in 0..1`, as it comes out of an evaluation.
pub(super) fn condition(value: &Value, at: Span) -> Result<Option<Variable>> {
    let Value::Expr(e) = value.plain() else { return Ok(None) };
    let Kind::And(parts) = e.kind() else { return Ok(None) };
    let (mut low, mut high, mut symbol) = (None, None, None);
    for part in parts {
        let Kind::Relation(relation, a, b) = part.kind() else { return Ok(None) };
        let (s, bound, above) = match (a.as_symbol(), b.as_symbol(), relation) {
            (Some(s), None, Relation::Le | Relation::Lt) => (s, b, true),
            (Some(s), None, Relation::Ge | Relation::Gt) => (s, b, false),
            (None, Some(s), Relation::Le | Relation::Lt) => (s, a, false),
            (None, Some(s), Relation::Ge | Relation::Gt) => (s, a, true),
            _ => return Ok(None),
        };
        if symbol.get_or_insert_with(|| s.clone()) != s {
            return Ok(None);
        }
        *(if above { &mut high } else { &mut low }) = Some(bound.clone());
    }
    let (Some(low), Some(high), Some(symbol)) = (low, high, symbol) else { return Ok(None) };
    let ends = ends(&low, &high, "range", at)?;
    Ok(Some(Variable {
        symbol,
        low: ends.low,
        high: ends.high,
        unit: ends.unit,
        dimension: ends.dimension,
        values: None,
    }))
}

/// The variable over its declared domain.
pub(super) fn declared(symbol: &Symbol, declarations: &Declarations) -> Option<Variable> {
    let d = declarations.get(symbol)?;
    let domain = d.domain.as_ref()?;
    let (low, high) = domain.bounds();
    if !(low.is_finite() && high.is_finite() && low <= high) {
        return None;
    }
    let whole = (low.ceil() as i64..=high.floor() as i64).take(2001).map(|k| k as f64);
    let values = match domain {
        Domain::Values(v) => Some(v.clone()),
        _ if d.assumptions.integer && high - low < 2000.0 => Some(whole.collect()),
        _ => None,
    };
    let unit = d.unit.clone();
    let dimension = unit.as_ref().map_or(Dimension::NONE, Unit::dimension);
    Some(Variable { symbol: symbol.clone(), low, high, unit, dimension, values })
}

impl Curve {
    /// Its free symbols: those without a starting value.
    pub(super) fn free(&self) -> Vec<Symbol> {
        let fixed = |s: &Symbol| self.declarations.get(s).is_some_and(|d| d.start.is_some());
        self.expr.symbols().into_iter().filter(|s| !fixed(s)).collect()
    }

    /// The dimension of its values where the variables have these.
    pub(super) fn dimension(&self, variables: &[&Variable], at: Span) -> Result<Dimension> {
        let mut declarations = self.declarations.clone();
        for v in variables {
            let old = declarations.get(&v.symbol).cloned().unwrap_or_default();
            let unit = old.unit.clone().or(Some(Unit::coherent(v.dimension)));
            declarations.insert(v.symbol.clone(), Declaration { unit, ..old });
        }
        let found = dimension::of(&self.expr, &declarations).map_err(|m| op::unit_fault(&m, at))?;
        Ok(found.unwrap_or(Dimension::NONE))
    }

    /// The unit it was written in, where its symbols bring none.
    pub(super) fn unit_of(&self, own: Dimension) -> Option<Unit> {
        self.unit.clone().filter(|u| u.dimension() == own)
    }

    /// A program of the variables, parameters at their starting values.
    pub(super) fn tape(&self, variables: &[&Symbol], at: Span) -> Result<Tape> {
        let fixed: Vec<(Symbol, Expr)> = self
            .expr
            .symbols()
            .into_iter()
            .filter(|s| !variables.contains(&s))
            .filter_map(|s| Some((s.clone(), Expr::float(self.declarations.get(&s)?.start?))))
            .collect();
        let inputs: Vec<Symbol> = variables.iter().map(|s| (*s).clone()).collect();
        Tape::compile(&[self.expr.substitute(&fixed)], &inputs).map_err(|e| lift(&e, at))
    }
}
