//! What calls of declared functions return: by their signatures, and more exactly for those whose results depend on
//! names (datasets, fits, laws) or keep what was put in (algebra).

use std::sync::Arc;

use super::arguments::Bound;
use super::{Cells, Checker, Columns, Condition, Dim, FitKind, Inferred, Items, Quantity, Symbols};
use crate::base::{Number, suggest};
use crate::data::DataError;
use crate::language::calls::names_in;
use crate::language::error::{fault, fault_hint, lift};
use crate::language::types::{Signature, Type};
use crate::syntax::tree::{ExprId, ExprKind, Name, StrPart, Tree};

impl Checker {
    /// What a call returns.
    pub(super) fn result(
        &mut self,
        signature: &Arc<Signature>,
        tree: &Arc<Tree>,
        places: &[Vec<ExprId>],
        bound: &Bound,
    ) -> Inferred {
        let of = |name: &str| signature.param(name).map_or(usize::MAX, |(k, _)| k);
        let first = bound.get(0).clone();
        match &*signature.name {
            "export" => {
                let [value, path, form] = ["value", "path", "as"].map(|n| first_of(places, of(n)));
                self.exported(tree, value, path, form.is_some());
                Inferred::Nothing
            }
            "read" => self.read(tree, places, ["headers", "member", "as"].map(|n| bound.get(of(n)))),
            "filter" | "observe" | "head" | "tail" | "drop_missing" => first,
            "sort" | "unique" | "concat" if matches!(first, Inferred::Dataset(_)) => first,
            "with" | "group" | "rename" | "drop" | "join" | "describe" => {
                self.table(signature, tree, places, bound)
            }
            "system" => self.system(signature, tree, places, bound),
            "discover" => Inferred::System(None),
            "integrate" => {
                self.over(tree, places, bound);
                self.integrate(&first)
            }
            "nsolve" => self.nsolve(bound, of("all")),
            "nintegrate" => self.nintegrate(tree, places, bound),
            "minimize" => self.minimize(bound),
            "histogram_counts" => self.counts(&first),
            "select" => select(tree, places, &first),
            "split" => {
                let sets = ["train", "validation", "test"].map(|n| (Name::from(n), first.clone()));
                Inferred::Record(Some(Arc::new(sets.to_vec())))
            }
            "dataset" => self.dataset(&first),
            "sample" => self.sample(tree, places, &first, bound.get(of("name"))),
            "fit" => {
                self.target_column(tree, places, of("equation"), &first);
                self.fit(&first, bound.get(of("equation")))
            }
            "regress" => {
                let units = bound.get(of("units"));
                self.regress(&first, bound.get(of("target")), matches!(units, Inferred::Nothing))
            }
            "law" => self.law(tree, places, of("unit"), bound.get(of("formula")), bound.get(of("unit"))),
            "field" => {
                let names = bound
                    .of(0)
                    .iter()
                    .filter_map(|v| v.quantity()?.symbols.as_ref()?.keys().next().cloned())
                    .collect();
                let symbols =
                    bound.of(0).iter().filter_map(|v| v.quantity()?.symbols.clone()).flatten().collect();
                let q = Quantity { symbols: Some(symbols), ..Quantity::of(self.units.fresh()) };
                Inferred::Field(Arc::new(names), q)
            }
            "diff" => self.diff(&first, bound.get(1), bound.get(2)),
            "simplify" | "expand" | "together" | "cancel" | "factor" | "collect" | "series" | "nominal"
            | "reverse" => keep(first),
            "left" | "right" => match first {
                Inferred::Condition(Condition { symbols, sides: Some(dim) }) => {
                    Inferred::Quantity(Quantity { symbols, ..Quantity::of(dim) })
                }
                _ => Inferred::Unknown,
            },
            "solve" => self.solve(tree, places, &first, bound.get(1)),
            "close" => {
                if let (Some(a), Some(b)) = (first.quantity(), bound.get(1).quantity()) {
                    let (a, b) = (a.dim.clone(), b.dim.clone());
                    let at = |k: usize| first_of(places, k).map(|id| tree.span(id)).unwrap_or_default();
                    self.same(&a, at(0), &b, at(1));
                }
                Inferred::Condition(Condition::UNKNOWN)
            }
            _ => self.by_signature(signature, bound),
        }
    }

    fn by_signature(&mut self, signature: &Signature, bound: &Bound) -> Inferred {
        // The symbols of all arguments may be in the result.
        let mut symbols = Some(Symbols::new());
        let mut soft = false;
        for value in bound.values.iter().flatten() {
            let (element, _) = self.innermost(value);
            match element.quantity() {
                Some(q) => {
                    soft |= q.soft;
                    symbols = symbols.zip(q.symbols.clone()).map(|(mut a, b)| {
                        a.extend(b);
                        a
                    });
                }
                None if matches!(element, Inferred::Text(_) | Inferred::Nothing) => {}
                None => {
                    symbols = None;
                    soft |= matches!(element, Inferred::Unknown);
                }
            }
        }
        let mut variables = bound.variables.clone();
        let symbols = match signature.result {
            Type::Integer => Some(Symbols::new()),
            _ => symbols,
        };
        let found = self.of_type(&signature.result, &mut variables, symbols);
        match found {
            Inferred::Quantity(q) if matches!(signature.result, Type::Real | Type::Quantity(_)) => {
                let q = Inferred::Quantity(Quantity { soft: q.soft || soft, ..q });
                if bound.list { Inferred::each(q) } else { q }
            }
            other => other,
        }
    }

    /// `read("file.csv")` with a literal path: the header tells the columns.
    fn read(
        &mut self,
        tree: &Arc<Tree>,
        places: &[Vec<ExprId>],
        [headers, member, form]: [&Inferred; 3],
    ) -> Inferred {
        let mut options = crate::data::ReadOptions::default();
        let text = |v: &Inferred| match v {
            Inferred::Text(Some(t)) => Some(t.to_string()),
            _ => None,
        };
        match text(form).as_deref() {
            Some("arrays") => options.whole = true,
            Some(_) => {}
            None if matches!(form, Inferred::Nothing) => {}
            None => return Inferred::Dataset(None),
        }
        if !matches!(member, Inferred::Nothing) {
            options.member = text(member);
            if options.member.is_none() {
                return Inferred::Dataset(None);
            }
        }
        if !matches!(headers, Inferred::Nothing) {
            options.headers =
                Checker::known_items(headers).and_then(|items| items.iter().map(text).collect());
            if options.headers.is_none() {
                return Inferred::Dataset(None);
            }
        }
        let Some(id) = first_of(places, 0) else { return Inferred::Dataset(None) };
        let ExprKind::Str { parts, .. } = tree.expr(id) else { return Inferred::Dataset(None) };
        let [StrPart::Text(path)] = parts.as_slice() else { return Inferred::Dataset(None) };
        match crate::data::read_header(&self.path(path), &self.catalogue, &options) {
            Ok(columns) => Inferred::Dataset(Some(Arc::new(Columns {
                columns: columns
                    .into_iter()
                    .map(|(n, u)| {
                        // Without a unit a column may hold labels: its cells tell.
                        (Name::from(&*n), u.map_or(Cells::Either, |u| Cells::Numbers(Dim::of_unit(&u))))
                    })
                    .collect(),
                open: false,
            }))),
            Err(e) => self.report(lift(&e, tree.span(id))),
        }
    }

    fn dataset(&mut self, columns: &Inferred) -> Inferred {
        let Inferred::Record(Some(entries)) = columns else { return Inferred::Dataset(None) };
        let columns = entries
            .iter()
            .map(|(n, v)| {
                let cells = match self.elements_of(v) {
                    Some(Inferred::Quantity(q)) if !q.soft => Cells::Numbers(q.dim),
                    Some(Inferred::Text(_)) => Cells::Labels,
                    Some(Inferred::List(_)) => Cells::Arrays,
                    _ => Cells::Numbers(self.units.fresh()),
                };
                (n.clone(), cells)
            })
            .collect();
        Inferred::Dataset(Some(Arc::new(Columns { columns, open: false })))
    }

    /// The columns of a sample are the symbols of its formula and its target, whose name may come from elsewhere.
    fn sample(
        &mut self,
        tree: &Tree,
        places: &[Vec<ExprId>],
        formula: &Inferred,
        name: &Inferred,
    ) -> Inferred {
        let Some(q) = formula.quantity().cloned() else {
            if !formula.is_open() && !matches!(formula, Inferred::Condition(_)) {
                let at = first_of(places, 0).map(|id| tree.span(id)).unwrap_or_default();
                let message = format!("expected a number or an expression, found a {}", formula.name());
                return self.report(fault(6016, at, message));
            }
            return Inferred::Dataset(None);
        };
        let Some(symbols) = q.symbols else { return Inferred::Dataset(None) };
        let mut columns: Vec<(Name, Cells)> =
            symbols.into_iter().map(|(n, d)| (n, Cells::Numbers(d))).collect();
        let (target, open) = match (name, formula) {
            (Inferred::Text(Some(t)), _) if !t.is_empty() => (t.clone(), false),
            (Inferred::Nothing, Inferred::Law(_, Some(n))) => (n.clone(), true),
            (Inferred::Nothing, _) => match first_of(places, 0).map(|id| tree.expr(id)) {
                Some(ExprKind::Name(n)) => (n.clone(), true),
                _ => ("y".into(), true),
            },
            _ => ("y".into(), true),
        };
        columns.retain(|(n, _)| *n != target);
        columns.push((target, Cells::Numbers(q.dim)));
        Inferred::Dataset(Some(Arc::new(Columns { columns, open })))
    }

    /// The left side of the equation of a fit holds a column.
    fn target_column(&mut self, tree: &Tree, places: &[Vec<ExprId>], at: usize, data: &Inferred) {
        let Inferred::Dataset(Some(data)) = data else { return };
        let Some(id) = first_of(places, at).filter(|_| !data.open) else { return };
        let ExprKind::Compare(left, _) = tree.expr(id) else { return };
        let (mut found, mut names) = (false, Vec::new());
        names_in(tree, *left, &mut |n| {
            // What is bound may hold columns.
            found |= self.is_bound(n) || data.columns.iter().any(|(c, _)| c == n);
            names.push(n.clone());
        });
        if found {
            return;
        }
        let columns: Vec<String> = data.columns.iter().map(|(n, _)| n.to_string()).collect();
        let nearest = names.iter().find_map(|n| {
            let near = suggest::nearest(n, columns.iter().map(String::as_str))?;
            Some((n.to_string(), near.to_string()))
        });
        self.report(lift(&DataError::NoColumn { columns, nearest }, tree.span(*left)));
    }

    /// Names in the equation that are no columns are the parameters of a fit.
    fn fit(&mut self, data: &Inferred, equation: &Inferred) -> Inferred {
        let (Inferred::Dataset(Some(data)), Inferred::Condition(c)) = (data, equation) else {
            return Inferred::Fit(None);
        };
        let (Some(symbols), Some(sides)) = (&c.symbols, &c.sides) else { return Inferred::Fit(None) };
        let is_column = |n: &Name| data.columns.iter().any(|(c, _)| c == n);
        let parameters =
            symbols.iter().filter(|(n, _)| !is_column(n)).map(|(n, d)| (n.clone(), d.clone())).collect();
        let left =
            symbols.iter().filter(|(n, _)| is_column(n)).map(|(n, d)| (n.clone(), d.clone())).collect();
        let law = Quantity { symbols: Some(left), ..Quantity::of(sides.clone()) };
        Inferred::Fit(Some(Arc::new(FitKind { parameters, law, open: false })))
    }

    /// The best law has the target's unit and the other columns as symbols.
    fn regress(&mut self, data: &Inferred, target: &Inferred, units: bool) -> Inferred {
        let unknown = Quantity::open(self.units.fresh());
        let targets = Checker::known_items(target);
        if let Some(targets) = targets.as_ref().filter(|t| t.len() > 1) {
            let fronts: Option<Vec<(Name, Inferred)>> = targets
                .iter()
                .map(|t| match t {
                    Inferred::Text(Some(name)) => Some((name.clone(), self.regress(data, t, units))),
                    _ => None,
                })
                .collect();
            return Inferred::Record(fronts.map(Arc::new));
        }
        let target = targets.as_ref().and_then(|t| t.first()).unwrap_or(target);
        let Inferred::Dataset(Some(data)) = data else { return Inferred::Front(unknown) };
        let target = match target {
            Inferred::Text(Some(t)) if &**t != "last" => data.columns.iter().find(|(n, _)| n == t),
            Inferred::Nothing | Inferred::Text(_) => data.columns.last(),
            _ => None,
        };
        let Some((target, cells)) = target else { return Inferred::Front(unknown) };
        let dim = match cells.element() {
            Inferred::Quantity(q) if units => q.dim,
            _ => self.units.fresh(),
        };
        let symbols = data
            .columns
            .iter()
            .filter(|(n, _)| n != target)
            .map(|(n, c)| {
                let dim = match c.element() {
                    Inferred::Quantity(q) if units => q.dim,
                    _ => self.units.fresh(),
                };
                (n.clone(), dim)
            })
            .collect();
        let symbols = (!data.open || !data.columns.is_empty()).then_some(symbols);
        Inferred::Front(Quantity { symbols, ..Quantity::of(dim) })
    }

    fn law(
        &mut self,
        tree: &Tree,
        places: &[Vec<ExprId>],
        at: usize,
        formula: &Inferred,
        unit: &Inferred,
    ) -> Inferred {
        let Some(q) = formula.quantity().cloned() else { return Inferred::Unknown };
        if let Some(u) = unit.quantity() {
            let dim = u.dim.clone();
            let place = |k: usize| first_of(places, k).map(|id| tree.span(id)).unwrap_or_default();
            if !self.units.unify(&q.dim, &dim) {
                let (e, f) = (self.shown(&q.dim), self.shown(&dim));
                let message = format!("expected the unit of the formula [{e}], found [{f}]");
                self.report(fault(6021, place(at), message));
                return Inferred::Unknown;
            }
        }
        Inferred::Law(Quantity { exact: None, bare: None, ..q }, None)
    }

    fn diff(&mut self, expr: &Inferred, symbol: &Inferred, order: &Inferred) -> Inferred {
        let order = match order {
            Inferred::Nothing => Some(Number::ONE),
            Inferred::Quantity(q) => q.exact.clone().filter(|n| n.digits() < 9),
            _ => None,
        };
        let Some(s) = symbol.quantity() else { return Inferred::Unknown };
        let step = order.map(|n| s.dim.power(&n));
        match expr {
            Inferred::Quantity(q) | Inferred::Law(q, _) | Inferred::Field(_, q) => {
                let dim = match step {
                    Some(step) => q.dim.over(&step),
                    None => self.units.fresh(),
                };
                Inferred::Quantity(Quantity { dim, exact: None, float: false, bare: None, ..q.clone() })
            }
            Inferred::Condition(c) => {
                let sides = c.sides.as_ref().zip(step).map(|(d, s)| d.over(&s));
                Inferred::Condition(Condition { sides, symbols: c.symbols.clone() })
            }
            _ => Inferred::Unknown,
        }
    }

    fn solve(
        &mut self,
        tree: &Tree,
        places: &[Vec<ExprId>],
        equation: &Inferred,
        unknown: &Inferred,
    ) -> Inferred {
        let place = first_of(places, 0);
        let written = place.is_some_and(|id| !matches!(tree.expr(id), ExprKind::Name(_)));
        let wrong = match equation {
            Inferred::Quantity(q) => !q.soft && written,
            other => {
                matches!(
                    other,
                    Inferred::Text(_) | Inferred::Record(_) | Inferred::Range(_) | Inferred::Function(_)
                )
            }
        };
        if wrong {
            let at = place.map(|id| tree.span(id)).unwrap_or_default();
            let message = format!("`equation` expects an equation, found a {}", equation.name());
            return self.report(fault_hint(6006, at, message, "solve(x^2 == 2, x)"));
        }
        match (equation, unknown.quantity()) {
            (Inferred::List(_), _) | (_, None) => Inferred::Unknown,
            (_, Some(q)) => Inferred::each(Inferred::Quantity(Quantity::open(q.dim.clone()))),
        }
    }
}

fn first_of(places: &[Vec<ExprId>], k: usize) -> Option<ExprId> {
    places.get(k)?.first().copied()
}

/// The same quantity, whose number may have changed its form.
fn keep(value: Inferred) -> Inferred {
    match value {
        Inferred::Quantity(q) => Inferred::Quantity(Quantity { exact: None, float: false, ..q }),
        Inferred::Law(q, _) | Inferred::Field(_, q) => Inferred::Quantity(q),
        Inferred::Condition(c) => Inferred::Condition(c),
        Inferred::List(items @ Items::Each(_)) => Inferred::List(items),
        Inferred::List(Items::Known(items)) => Inferred::list(items.iter().cloned().map(keep).collect()),
        Inferred::Column(c) => Inferred::each(c.element()),
        _ => Inferred::Unknown,
    }
}

fn select(tree: &Tree, places: &[Vec<ExprId>], data: &Inferred) -> Inferred {
    let Inferred::Dataset(Some(d)) = data else { return Inferred::Dataset(None) };
    let mut columns = Vec::new();
    for id in places.get(1).into_iter().flatten() {
        match tree.expr(*id) {
            ExprKind::Name(n) => {
                let cells = d.columns.iter().find(|(c, _)| c == n).map(|(_, cells)| cells.clone());
                match cells {
                    Some(cells) => columns.push((n.clone(), cells)),
                    None => return Inferred::Dataset(None),
                }
            }
            _ => return Inferred::Dataset(None),
        }
    }
    Inferred::Dataset(Some(Arc::new(Columns { columns, open: false })))
}
