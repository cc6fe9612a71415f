//! What a call of `plot` was given, sorted: curves, numbers, datasets, fronts, figures.

use super::*;

/// What stands in a call of `plot`.
#[derive(Default)]
pub(super) struct Parts {
    pub(super) figures: Vec<Figure>,
    pub(super) curves: Vec<Curve>,
    pub(super) data: Vec<Numbers>,
    pub(super) sets: Vec<Arc<Dataset>>,
    pub(super) fronts: Vec<Arc<FrontValue>>,
    pub(super) variable: Option<Variable>,
}

impl Parts {
    pub(super) fn read(context: &mut Context, items: &[Value], at: Span) -> Result<Parts> {
        let mut parts = Parts::default();
        for item in items {
            if let Some(v) = condition(item, at)? {
                if parts.variable.is_some() {
                    let fault = PlotError::Option {
                        option: "items",
                        expected: "one range".into(),
                        found: "two".into(),
                        hint: "plot(F, x in 0..10)",
                    };
                    return Err(lift(&fault, at));
                }
                parts.variable = Some(v);
            }
        }
        for item in items {
            parts.add(context, item, at)?;
        }
        Ok(parts)
    }

    pub(super) fn add(&mut self, context: &mut Context, item: &Value, at: Span) -> Result<()> {
        if condition(item, at)?.is_some() {
            return Ok(());
        }
        match item.plain() {
            Value::Figure(f) => self.figures.push((**f).clone()),
            Value::Dataset(d) => self.sets.push(d.clone()),
            Value::Front(f) => self.fronts.push(f.clone()),
            #[cfg(feature = "networks")]
            Value::Model(m) => {
                let panel = crate::language::builtins::training::history_panel(m, at)?;
                self.figures.push(Figure::new(panel));
            }
            Value::Column(c) => self.data.push(of_column(c, at)?),
            Value::List(items) if items.is_empty() => {
                return Err(lift(&PlotError::Nothing { found: "an empty list".into() }, at));
            }
            Value::List(items) if is_matrix(items) => {
                let pairs: Vec<Arc<Vec<Value>>> = items.iter().filter_map(op::as_list).collect();
                if pairs[0].len() != 2 || !pairs.iter().flat_map(|p| p.iter()).all(|v| v.as_expr().is_some())
                {
                    return Err(lift(&PlotError::Kind { found: "matrix: its form is image(m)".into() }, at));
                }
                for (k, axis) in [(0, "x"), (1, "y")] {
                    let column: Vec<Value> = pairs.iter().map(|p| p[k].clone()).collect();
                    self.data.push(of_list(context, &column, String::new(), axis, at)?);
                }
            }
            Value::List(items) => {
                let drawn = |v: &Value| match v.plain() {
                    Value::Expr(e) => e.is_symbolic(),
                    Value::Figure(_)
                    | Value::Law(_)
                    | Value::Column(_)
                    | Value::List(_)
                    | Value::Dataset(_) => true,
                    _ => false,
                };
                if items.iter().any(drawn) {
                    for item in items.iter() {
                        self.add(context, item, at)?;
                    }
                } else {
                    let axis = if self.data.is_empty() { "x" } else { "y" };
                    self.data.extend(numbers(context, item, axis, at)?);
                }
            }
            Value::Function(f) => {
                let curve = self.function(context, f, at)?;
                self.curves.push(curve);
            }
            Value::Law(law) => {
                let name = law.name.as_ref().map(|n| typeset::name(n)).unwrap_or_default();
                self.curves.push(Curve {
                    expr: law.formula.clone(),
                    declarations: law.declarations.or(&context.declarations),
                    unit: law.unit.clone(),
                    name,
                });
            }
            Value::Fit(f) => self.expression(context, &f.law(), None, at)?,
            Value::Expr(e) => {
                let name = bound(context, item);
                self.expression(context, &e.clone(), name, at)?;
            }
            other => return Err(lift(&PlotError::Kind { found: other.kind_name().into() }, at)),
        }
        Ok(())
    }

    pub(super) fn expression(
        &mut self,
        context: &mut Context,
        e: &Expr,
        name: Option<String>,
        at: Span,
    ) -> Result<()> {
        let e = op::settle(e);
        if let Kind::Relation(Relation::Eq, a, b) = e.kind() {
            // `y == f(x)` is the curve y.
            return match a.as_symbol() {
                Some(s) => self.expression(context, b, Some(s.name().to_string()), at),
                None => {
                    self.expression(context, a, None, at)?;
                    self.expression(context, b, None, at)
                }
            };
        }
        if let Some(s) = e.as_symbol()
            && context.library.signatures(s.name()).is_some()
            && context.declarations.get(s).is_none()
            && self.variable.as_ref().is_none_or(|v| v.symbol != *s)
        {
            let f = Function::Builtin(s.name().into());
            let curve = self.function(context, &f, at)?;
            self.curves.push(curve);
            return Ok(());
        }
        let name = match name {
            Some(n) => typeset::name(&n),
            None => typeset::expression(&shown(context, &e)),
        };
        let unit = e.split_unit().1;
        self.curves.push(Curve { expr: e, declarations: context.declarations.clone(), unit, name });
        Ok(())
    }

    /// A function is drawn through its value at a symbol.
    pub(super) fn function(&mut self, context: &mut Context, f: &Function, at: Span) -> Result<Curve> {
        let (own, name) = match f {
            Function::User(u) => (u.params.first().map(|p| p.name.name.to_string()), u.name.to_string()),
            Function::Builtin(n) => (None, n.to_string()),
            Function::Operator(_) => {
                return Err(lift(&PlotError::Kind { found: "operator".into() }, at));
            }
        };
        let symbol = match &self.variable {
            Some(v) => v.symbol.clone(),
            None => Symbol::new(&own.unwrap_or_else(|| "x".into())),
        };
        let value = context.apply(f, vec![Value::Expr(Expr::symbol(symbol))], at)?;
        let expr = op::settle(&op::expr_of(&value, at)?);
        let unit = expr.split_unit().1;
        Ok(Curve { expr, declarations: context.declarations.clone(), unit, name: typeset::name(&name) })
    }

    /// The variable that all curves are drawn over.
    pub(super) fn over(
        &self,
        context: &Context,
        x: &Option<Ends>,
        base: Option<&Panel>,
        at: Span,
    ) -> Result<Option<Variable>> {
        let mut free: Vec<Symbol> = self.curves.iter().flat_map(Curve::free).collect();
        free.sort();
        free.dedup();
        let column = self.data.first().filter(|_| self.data.len() > 1).and_then(|d| d.raw.clone());
        let known = |s: &Symbol| self.curves.iter().find_map(|c| declared(s, &c.declarations));
        let chosen = match &self.variable {
            Some(v) => v.symbol.clone(),
            None => match free.as_slice() {
                [] => {
                    // Numbers are lines across what else is there.
                    return Ok(x.as_ref().map(|r| Variable {
                        symbol: Symbol::new("x"),
                        low: r.low,
                        high: r.high,
                        unit: r.unit.clone(),
                        dimension: r.dimension,
                        values: None,
                    }));
                }
                [only] => only.clone(),
                several => several
                    .iter()
                    .find(|s| column.as_deref() == Some(s.name()))
                    .or_else(|| several.iter().find(|s| known(s).is_some()))
                    .unwrap_or(&several[several.len() - 1])
                    .clone(),
            },
        };
        for curve in &self.curves {
            let open: Vec<String> =
                curve.free().iter().filter(|s| **s != chosen).map(|s| s.to_string()).collect();
            if !open.is_empty() {
                let symbols = curve.free().iter().map(|s| s.to_string()).collect();
                let expr = bound(context, &Value::Expr(curve.expr.clone()));
                let expr = expr.unwrap_or_else(|| shown(context, &curve.expr));
                return Err(lift(&PlotError::Unbound { expr, symbols, open }, at));
            }
        }
        if let Some(v) = &self.variable {
            let own = known(&v.symbol).and_then(|k| k.unit);
            let dimension = own.as_ref().map_or(v.dimension, Unit::dimension);
            let unit = v.unit.clone().or(own);
            return Ok(Some(Variable { unit, dimension, ..v.clone() }));
        }
        let found = known(&chosen);
        if let Some(r) = x {
            let own =
                self.curves.iter().find_map(|c| c.declarations.get(&chosen).and_then(|d| d.unit.clone()));
            // Plain numbers are in the declared unit.
            let bare = r.dimension.is_none() && r.unit.is_none();
            let si = |v: f64| match &own {
                Some(u) if bare => u.to_si(v),
                _ => v,
            };
            let unit = r.unit.clone().or(own.clone());
            let dimension = unit.as_ref().map_or(r.dimension, Unit::dimension);
            return Ok(Some(Variable {
                symbol: chosen,
                low: si(r.low),
                high: si(r.high),
                unit,
                dimension,
                values: None,
            }));
        }
        if column.as_deref() == Some(chosen.name())
            && let Some(data) = self.data.first()
        {
            let finite = data.values.iter().copied().filter(|v| v.is_finite());
            let (low, high) =
                finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
            if low < high {
                return Ok(Some(Variable {
                    symbol: chosen,
                    low,
                    high,
                    unit: data.unit.clone(),
                    dimension: data.dimension,
                    values: None,
                }));
            }
        }
        if let Some(found) = found {
            return Ok(Some(found));
        }
        if let Some(base) = base {
            let unit = base.x.unit.clone();
            let (low, high) = base.x_projection().ends();
            let si = |v: f64| unit.as_ref().map_or(v, |u| u.to_si(v));
            let dimension = unit.as_ref().map_or(Dimension::NONE, Unit::dimension);
            return Ok(Some(Variable {
                symbol: chosen,
                low: si(low),
                high: si(high),
                unit,
                dimension,
                values: None,
            }));
        }
        Err(lift(&PlotError::NoRange { symbol: chosen.to_string() }, at))
    }
}
