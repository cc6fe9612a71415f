//! What is known of systems and of the numeric searches before they run: the states of a system with their dimensions,
//! the columns of its path, the unit of an integral, the entries of a minimum.

use std::sync::Arc;

use super::arguments::Bound;
use super::{Cells, Checker, Columns, Condition, Dim, Inferred, Items, Quantity, Symbols, SystemKind};
use crate::base::{Number, Span, suggest};
use crate::language::error::fault_hint;
use crate::language::system::base_name;
use crate::language::types::Signature;
use crate::syntax::tree::{ExprId, ExprKind, Name, Tree};

fn place(tree: &Tree, places: &[Vec<ExprId>], k: usize) -> Span {
    places.get(k).and_then(|ids| ids.first()).map(|id| tree.span(*id)).unwrap_or_default()
}

/// The expressions of a list as it is written.
fn elements(tree: &Tree, places: &[Vec<ExprId>], k: usize) -> Vec<ExprId> {
    match places.get(k).and_then(|ids| ids.first()).map(|id| (id, tree.expr(*id))) {
        Some((_, ExprKind::List(items))) => items.clone(),
        _ => Vec::new(),
    }
}

impl Checker {
    /// `system { equations: [...], initial: {...} }`.
    pub(super) fn system(
        &mut self,
        signature: &Signature,
        tree: &Arc<Tree>,
        places: &[Vec<ExprId>],
        bound: &Bound,
    ) -> Inferred {
        let of = |name: &str| signature.param(name).map_or(usize::MAX, |(k, _)| k);
        let over: Name = match bound.get(of("over")) {
            Inferred::Text(Some(name)) => name.clone(),
            _ => "t".into(),
        };
        let unknown = Inferred::System(None);
        let items = match bound.get(of("equations")) {
            Inferred::List(Items::Known(items)) => items.to_vec(),
            Inferred::Condition(c) => vec![Inferred::Condition(c.clone())],
            other if other.is_open() || matches!(other, Inferred::List(_)) => return unknown,
            other => {
                let message = format!("expected equations, found a {}", other.name());
                let at = place(tree, places, of("equations"));
                return self.report(fault_hint(6401, at, message, "equations: [x' == -x]"));
            }
        };
        let written = elements(tree, places, of("equations"));
        let whole = place(tree, places, of("equations"));
        let at = |k: usize| written.get(k).map_or(whole, |id| tree.span(*id));
        let mut equations: Vec<(Symbols, Span)> = Vec::new();
        for (k, item) in items.iter().enumerate() {
            match item {
                Inferred::Condition(Condition { symbols: Some(symbols), .. }) => {
                    equations.push((symbols.clone(), at(k)));
                }
                other if other.is_open() || matches!(other, Inferred::Condition(_)) => return unknown,
                other => {
                    let message = format!("expected an equation, found a {}", other.name());
                    return self.report(fault_hint(6401, at(k), message, "equations: [x' == -x]"));
                }
            }
        }
        let over_dim = self.symbol_dim(&over);
        let before = self.diagnostics.len();
        // The unknown functions with the order of their highest derivatives.
        let mut orders: Vec<(Name, usize)> = Vec::new();
        for (symbols, span) in &equations {
            for (name, dim) in symbols {
                let base = base_name(name);
                let primes = name.len() - base.len();
                if primes == 0 {
                    continue;
                }
                let base = Name::from(base);
                match orders.iter_mut().find(|(known, _)| *known == base) {
                    Some((_, order)) => *order = (*order).max(primes),
                    None => orders.push((base.clone(), primes)),
                }
                self.rate(name, dim, &base, primes, &over_dim, *span);
            }
        }
        if orders.is_empty() {
            let message = "expected equations with rates such as `x'`, found none";
            return self.report(fault_hint(6401, whole, message, "equations: [x' == -x]"));
        }
        let mut states: Vec<(Name, Dim)> = Vec::new();
        for (base, order) in &orders {
            for k in 0..*order {
                let name = Name::from(format!("{base}{}", "'".repeat(k)).as_str());
                let dim = self.symbol_dim(&name);
                if k > 0 {
                    self.rate(&name, &dim, base, k, &over_dim, whole);
                }
                states.push((name, dim));
            }
        }
        let mut told: Vec<&Name> = Vec::new();
        for (symbols, span) in &equations {
            for name in symbols.keys() {
                let state = states.iter().any(|(s, _)| s == name) || base_name(name).len() < name.len();
                if state || *name == over || self.declared.contains_key(name) || told.contains(&name) {
                    continue;
                }
                told.push(name);
                let hint = match suggest::nearest(name, states.iter().map(|(s, _)| &**s)) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("give it a value before the system: {name} = 1, or param {name} = 1"),
                };
                let message = format!("expected a state or a symbol with a value, found `{name}`");
                self.report(fault_hint(6403, *span, message, hint));
            }
        }
        // What follows from a fault is no further fault.
        if self.is_faulty_since(before) {
            return unknown;
        }
        let k = of("initial");
        self.initial(tree, places, k, bound.get(k), &states);
        let states = states.into_iter().map(|(n, d)| (n, self.units.resolve(&d))).collect();
        let over_dim = self.units.resolve(&over_dim);
        Inferred::System(Some(Arc::new(SystemKind { over, over_dim, states })))
    }

    /// The unit of a rate follows from that of its state.
    fn rate(&mut self, name: &Name, dim: &Dim, base: &Name, primes: usize, over: &Dim, at: Span) {
        let steps = over.power(&Number::int(primes as i64));
        let expected = self.symbol_dim(base).over(&steps);
        if !self.units.unify(dim, &expected) {
            let (found, expected) = (self.shown(dim), self.shown(&expected));
            let message = format!("`{name}` is the rate of `{base}` in [{expected}], found [{found}]");
            let hint = format!("{name} == 1 [{expected}]");
            self.report(fault_hint(6021, at, message, hint));
        }
    }

    /// Starting values: one for each state, in its unit.
    fn initial(
        &mut self,
        tree: &Tree,
        places: &[Vec<ExprId>],
        k: usize,
        found: &Inferred,
        states: &[(Name, Dim)],
    ) {
        let whole = place(tree, places, k);
        let Inferred::Record(Some(entries)) = found else {
            if !found.is_open() && !matches!(found, Inferred::Record(_)) {
                let message =
                    format!("`initial` expects a record of starting values, found a {}", found.name());
                self.report(fault_hint(6006, whole, message, "initial: {x: 1, v: 0}"));
            }
            return;
        };
        let spans = |name: &Name, label: bool| -> Span {
            match places.get(k).and_then(|ids| ids.first()).map(|id| tree.expr(*id)) {
                Some(ExprKind::Record(written)) => written
                    .iter()
                    .find(|e| e.name.as_ref().is_some_and(|n| n.name == *name))
                    .map_or(whole, |e| match &e.name {
                        Some(own) if label => own.span,
                        _ => tree.span(e.value),
                    }),
                _ => whole,
            }
        };
        let before = self.diagnostics.len();
        for (name, value) in entries.iter() {
            let Some((_, dim)) = states.iter().find(|(s, _)| s == name) else {
                let known: Vec<&str> = states.iter().map(|(s, _)| &**s).collect();
                let hint = match suggest::nearest(name, known.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("its states are {}", known.join(", ")),
                };
                self.report(fault_hint(
                    6402,
                    spans(name, true),
                    format!("expected a state, found `{name}`"),
                    hint,
                ));
                continue;
            };
            if let Some(q) = value.quantity() {
                let given = q.dim.clone();
                if !self.units.unify(dim, &given) {
                    let (own, given) = (self.shown(dim), self.shown(&given));
                    let message = format!("`{name}` is in [{own}], found a starting value in [{given}]");
                    self.report(fault_hint(6021, spans(name, false), message, format!("{name}: 1 [{own}]")));
                }
            }
        }
        if !self.is_faulty_since(before)
            && let Some((missing, _)) = states.iter().find(|(s, _)| entries.iter().all(|(n, _)| n != s))
        {
            let message = format!("expected a starting value of `{missing}`, found none");
            self.report(fault_hint(6402, whole, message, format!("initial: {{{missing}: 0}}")));
        }
    }

    /// The path of a system: its variable and its states.
    pub(super) fn integrate(&mut self, system: &Inferred) -> Inferred {
        let Inferred::System(Some(s)) = system else { return Inferred::Dataset(None) };
        let mut columns = vec![(s.over.clone(), Cells::Numbers(s.over_dim.clone()))];
        columns.extend(s.states.iter().map(|(n, d)| (n.clone(), Cells::Numbers(d.clone()))));
        Inferred::Dataset(Some(Arc::new(Columns { columns, open: false })))
    }

    /// One root, or a record of several.
    pub(super) fn nsolve(&mut self, bound: &Bound, all: usize) -> Inferred {
        if !matches!(bound.get(all), Inferred::Nothing) {
            return Inferred::Unknown;
        }
        match bound.get(1) {
            Inferred::List(Items::Known(items)) => {
                let mut entries = Vec::new();
                for item in items.iter() {
                    let Some(q) = item.quantity() else { return Inferred::Record(None) };
                    let Some(name) = q.symbols.as_ref().and_then(|s| s.keys().next()) else {
                        return Inferred::Record(None);
                    };
                    entries.push((name.clone(), Inferred::Quantity(Quantity::of(q.dim.clone()))));
                }
                Inferred::Record(Some(Arc::new(entries)))
            }
            other => match other.quantity() {
                Some(q) => Inferred::Quantity(Quantity::of(q.dim.clone())),
                None => Inferred::Unknown,
            },
        }
    }

    /// The unit of the integrand times that of the variable.
    pub(super) fn nintegrate(&mut self, tree: &Tree, places: &[Vec<ExprId>], bound: &Bound) -> Inferred {
        let (Some(f), Some(x)) = (bound.get(0).quantity(), bound.get(1).quantity()) else {
            return Inferred::Unknown;
        };
        let (f, x) = (f.dim.clone(), x.dim.clone());
        match bound.get(2) {
            Inferred::Range(q) => {
                let range = q.dim.clone();
                let (variable, at) = (place(tree, places, 1), place(tree, places, 2));
                if !self.same(&x, variable, &range, at) {
                    return Inferred::Unknown;
                }
            }
            other if other.is_open() => {}
            other => {
                let message = format!("`range` expects a range, found a {}", other.name());
                return self.report(fault_hint(6006, place(tree, places, 2), message, "0..1"));
            }
        }
        Inferred::Quantity(Quantity::of(f.times(&x)))
    }

    /// `{value, point, stopped, evaluations}`.
    pub(super) fn minimize(&mut self, bound: &Bound) -> Inferred {
        let Some(f) = bound.get(0).quantity().cloned() else { return Inferred::Record(None) };
        let mut point = Vec::new();
        for unknown in bound.of(1) {
            if let Some(q) = unknown.quantity()
                && let Some(name) = q.symbols.as_ref().and_then(|s| s.keys().next())
            {
                point.push((name.clone(), Inferred::Quantity(Quantity::of(q.dim.clone()))));
            }
        }
        let point = (!point.is_empty() && point.len() == bound.of(1).len()).then(|| Arc::new(point));
        Inferred::Record(Some(Arc::new(vec![
            ("value".into(), Inferred::Quantity(Quantity::of(f.dim))),
            ("point".into(), Inferred::Record(point)),
            ("stopped".into(), Inferred::Text(None)),
            ("evaluations".into(), Inferred::Quantity(Quantity::of(Dim::none()))),
        ])))
    }

    /// Members of a system.
    pub(super) fn system_member(&mut self, s: &SystemKind, name: &str) -> Option<Inferred> {
        let states = || {
            let symbol = |(n, d): &(Name, Dim)| Inferred::Quantity(Quantity::symbol(n, d.clone()));
            s.states.iter().map(symbol).collect()
        };
        Some(match name {
            "states" => Inferred::list(states()),
            "initial" => {
                let start = |(n, d): &(Name, Dim)| (n.clone(), Inferred::Quantity(Quantity::of(d.clone())));
                Inferred::Record(Some(Arc::new(s.states.iter().map(start).collect())))
            }
            "equations" | "parameters" => Inferred::each(Inferred::Unknown),
            "over" => Inferred::Quantity(Quantity::symbol(&s.over, s.over_dim.clone())),
            _ => return None,
        })
    }

    /// The fault of an integration by another variable than the system's.
    pub(super) fn over(&mut self, tree: &Tree, places: &[Vec<ExprId>], bound: &Bound) {
        if let (Inferred::System(Some(s)), Inferred::Text(Some(over))) = (bound.get(0), bound.get(1))
            && *over != s.over
        {
            let message = format!("the system goes on with `{}`, found `{over}`", s.over);
            let hint = format!("system {{ over: {over} }}");
            self.report(fault_hint(6401, place(tree, places, 1), message, hint));
        }
    }

    /// `{edges, counts}`.
    pub(super) fn counts(&mut self, xs: &Inferred) -> Inferred {
        let edges = self.elements_of(xs).unwrap_or(Inferred::Unknown);
        let edges = match edges.quantity() {
            Some(q) => Inferred::each(Inferred::Quantity(Quantity::of(q.dim.clone()))),
            None => Inferred::Unknown,
        };
        let counts = Inferred::each(Inferred::Quantity(Quantity::of(Dim::none())));
        Inferred::Record(Some(Arc::new(vec![("edges".into(), edges), ("counts".into(), counts)])))
    }
}
