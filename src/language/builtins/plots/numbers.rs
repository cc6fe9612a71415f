//! Numbers that a figure is made of: columns and lists, in SI, with what their axis says of them.

use super::*;

/// Numbers in SI with what their axis says of them.
#[derive(Clone)]
pub(super) struct Numbers {
    pub(super) name: String,
    pub(super) values: Vec<f64>,
    pub(super) errors: Option<Vec<f64>>,
    pub(super) unit: Option<Unit>,
    pub(super) dimension: Dimension,
    /// The name of a column, as a symbol would be called.
    pub(super) raw: Option<String>,
}

impl Numbers {
    pub(super) fn in_unit(&self, unit: &Unit) -> Vec<f64> {
        self.values.iter().map(|v| unit.from_si(*v)).collect()
    }

    pub(super) fn errors_in_unit(&self, unit: &Unit) -> Option<Vec<f64>> {
        let errors = self.errors.as_ref()?;
        let from = |v: f64| unit.from_si(v);
        Some(self.values.iter().zip(errors).map(|(v, e)| 0.5 * (from(v + e) - from(v - e)).abs()).collect())
    }
}

pub(super) fn of_column(c: &Column, at: Span) -> Result<Numbers> {
    if !c.is_numeric() {
        let what = if matches!(c.values, Values::Label(_)) { "labels" } else { c.kind() };
        return Err(lift(&PlotError::Kind { found: format!("column of {what}") }, at));
    }
    Ok(Numbers {
        name: typeset::name(&c.name),
        values: c.si_values(),
        errors: c.si_errors().filter(|e| e.iter().any(|e| *e > 0.0)),
        unit: c.unit.clone(),
        dimension: c.unit.as_ref().map_or(Dimension::NONE, Unit::dimension),
        raw: Some(c.name.to_string()),
    })
}

/// A list of numbers; all of one dimension.
pub(super) fn of_list(
    context: &Context,
    items: &[Value],
    name: String,
    axis: &'static str,
    at: Span,
) -> Result<Numbers> {
    let mut numbers = Numbers {
        name,
        values: Vec::with_capacity(items.len()),
        errors: None,
        unit: None,
        dimension: Dimension::NONE,
        raw: None,
    };
    let mut errors = Vec::with_capacity(items.len());
    let mut first: Option<(Dimension, String)> = None;
    for item in items {
        let Some(e) = item.as_expr() else {
            let found = match item.plain() {
                Value::Text(_) => "list of texts".into(),
                other => format!("list with a {}", other.kind_name()),
            };
            return Err(lift(&PlotError::Kind { found }, at));
        };
        let e = op::settle(&e);
        if e.is_symbolic() {
            let symbols: Vec<String> = e.symbols().iter().map(|s| s.to_string()).collect();
            let fault = PlotError::Unbound { expr: shown(context, &e), open: symbols.clone(), symbols };
            return Err(lift(&fault, at));
        }
        let (value, sigma) = match e.uncertain_leaves().is_empty() {
            true => (e.evaluate(&|_| None).unwrap_or(f64::NAN), 0.0),
            false => e.uncertainty().unwrap_or((f64::NAN, 0.0)),
        };
        let own = dimension::of(&e, &Declarations::new()).map_err(|m| op::unit_fault(&m, at))?;
        if let Some(own) = own {
            match &first {
                None => {
                    numbers.unit = render::in_unit(&e, value, 0.0).0;
                    numbers.dimension = own;
                    first = Some((own, shown(context, &e)));
                }
                Some((known, text)) if *known != own => {
                    let fault = PlotError::Units {
                        axis,
                        first: text.clone(),
                        expected: Box::new(numbers.unit.clone().unwrap_or(Unit::coherent(*known))),
                        second: shown(context, &e),
                        found: Box::new(render::in_unit(&e, value, 0.0).0.unwrap_or(Unit::coherent(own))),
                    };
                    return Err(lift(&fault, at));
                }
                _ => {}
            }
        }
        numbers.values.push(value);
        errors.push(sigma);
    }
    if errors.iter().any(|e| *e > 0.0) {
        numbers.errors = Some(errors);
    }
    Ok(numbers)
}

/// A value as numbers, where it is a list or column of them.
pub(super) fn numbers(
    context: &Context,
    value: &Value,
    axis: &'static str,
    at: Span,
) -> Result<Option<Numbers>> {
    Ok(match value.plain() {
        Value::Column(c) => Some(of_column(c, at)?),
        Value::List(items) => {
            let name = bound(context, value).map(|n| typeset::name(&n)).unwrap_or_default();
            Some(of_list(context, items, name, axis, at)?)
        }
        _ => None,
    })
}

pub(super) fn shown(context: &Context, e: &Expr) -> String {
    render::expr(e, &Style { digits: Some(4), ..context.style.clone() })
}

/// The name a value is bound to.
pub(super) fn bound(context: &Context, value: &Value) -> Option<String> {
    let same = |other: &Value| match (value.plain(), other.plain()) {
        (Value::List(a), Value::List(b)) => Arc::ptr_eq(a, b),
        (Value::Dataset(a), Value::Dataset(b)) => Arc::ptr_eq(a, b),
        (Value::Expr(a), Value::Expr(b)) => a.is_symbolic() && a.as_symbol().is_none() && a == b,
        _ => false,
    };
    context.globals.iter().filter(|(n, v)| &***n != "ans" && same(v)).map(|(n, _)| n.to_string()).min()
}
