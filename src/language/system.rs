//! Systems of differential equations as values: equations in the highest derivatives (`x'`, `x''`), solved for them where
//! they stand mixed, reduced to first order, with the unit of every state. Units follow from declarations, starting
//! values and the equations together, by unification; what stays open is a pure number.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::check::Dim;
use super::context::Context;
use super::error::{Result, fault, fault_hint, lift};
use super::operations as op;
use super::unknowns::Dimensions;
use super::value::Record;
use crate::algebra;
use crate::base::{Span, suggest};
use crate::discovery::Discovered;
use crate::expression::{Expr, Kind, Relation, Symbol};
use crate::units::{Dimension, Unit};

/// A state of a system: one unknown function of the independent variable.
#[derive(Clone, Debug)]
pub struct State {
    /// Its symbol; derivatives that are states keep their primes (`x'`).
    pub symbol: Symbol,
    /// The unit it is shown in.
    pub unit: Unit,
    /// Its value at the start, in SI.
    pub initial: f64,
    /// Its rate.
    pub rate: Expr,
}

/// A system of first order.
#[derive(Clone, Debug)]
pub struct System {
    /// The independent variable.
    pub over: Symbol,
    /// Its unit.
    pub over_unit: Unit,
    /// The equations as they were given.
    pub equations: Vec<Expr>,
    /// The states, in the order of the equations.
    pub states: Vec<State>,
    /// Parameters.
    pub parameters: Vec<Parameter>,
    /// How it was found, where it was found in data.
    pub found: Option<Arc<Discovered>>,
}

/// A symbol of a system that keeps its value.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// The symbol.
    pub symbol: Symbol,
    /// Its value in SI.
    pub value: f64,
    /// The unit it is shown in.
    pub unit: Unit,
}

/// The name without its primes.
pub fn base_name(name: &str) -> &str {
    name.trim_end_matches('\'')
}

/// The name with so many primes.
pub fn primed(base: &str, primes: usize) -> Symbol {
    Symbol::new(&format!("{base}{}", "'".repeat(primes)))
}

/// What a system is made of, with places for messages.
pub struct Parts<'a> {
    /// Equations.
    pub equations: &'a [Expr],
    /// Their place.
    pub at: Span,
    /// Starting values.
    pub initial: &'a Record,
    /// Their place.
    pub initial_at: Span,
    /// The independent variable.
    pub over: Symbol,
}

impl System {
    /// Builds a system.
    ///
    /// # Errors
    /// Equations that do not determine the highest derivatives, symbols without a value, states without a starting
    /// value, units that do not match.
    pub fn build(context: &Context, parts: &Parts<'_>) -> Result<System> {
        let equations: Vec<Expr> = parts.equations.iter().map(settled).collect();
        let orders = orders(&equations, parts)?;
        let unknowns: Vec<Symbol> = orders.iter().map(|(base, order)| primed(base, *order)).collect();
        let rates = solved(context, &equations, &unknowns, parts)?;
        let mut states: Vec<(Symbol, Expr)> = Vec::new();
        for ((base, order), rate) in orders.iter().zip(rates) {
            for k in 1..*order {
                states.push((primed(base, k - 1), Expr::symbol(primed(base, k))));
            }
            states.push((primed(base, order - 1), rate));
        }
        let parameters = parameters(context, &states, parts)?;
        let initial = starts(&states, &parameters, parts)?;
        let (units, over_unit) = units(context, &equations, &states, &initial, parts)?;
        let states = states
            .into_iter()
            .zip(units)
            .zip(initial)
            .map(|(((symbol, rate), unit), (_, initial))| State { symbol, unit, initial, rate })
            .collect();
        let equations = parts.equations.to_vec();
        let unit = |s: &Symbol| context.declarations.get(s).and_then(|d| d.unit.clone());
        let parameters = parameters
            .into_iter()
            .map(|(symbol, value)| Parameter { unit: unit(&symbol).unwrap_or_else(Unit::one), symbol, value })
            .collect();
        Ok(System { over: parts.over.clone(), over_unit, equations, states, parameters, found: None })
    }

    /// The states as positions and momenta, where the rates of each depend on the other (and on time) only.
    pub fn halves(&self) -> Option<(Vec<usize>, Vec<usize>)> {
        let n = self.states.len();
        let depends: Vec<Vec<bool>> = self
            .states
            .iter()
            .map(|s| self.states.iter().map(|other| s.rate.contains_symbol(&other.symbol)).collect())
            .collect();
        let mut side: Vec<Option<bool>> = vec![None; n];
        for first in 0..n {
            if side[first].is_some() {
                continue;
            }
            side[first] = Some(false);
            let mut open = vec![first];
            while let Some(i) = open.pop() {
                for j in (0..n).filter(|j| depends[i][*j] || depends[*j][i]) {
                    match side[j] {
                        None => {
                            side[j] = side[i].map(|s| !s);
                            open.push(j);
                        }
                        known if known == side[i] => return None,
                        _ => {}
                    }
                }
            }
        }
        let half = |wanted| (0..n).filter(|i| side[*i] == Some(wanted)).collect();
        Some((half(false), half(true)))
    }
}

fn settled(equation: &Expr) -> Expr {
    match equation.kind() {
        Kind::Relation(Relation::Eq, a, b) => Expr::relation(Relation::Eq, op::settle(a), op::settle(b)),
        _ => equation.clone(),
    }
}

/// The unknown functions with the order of their highest derivatives, in the order of the equations.
fn orders(equations: &[Expr], parts: &Parts<'_>) -> Result<Vec<(String, usize)>> {
    let mut found: Vec<(String, usize)> = Vec::new();
    for equation in equations {
        let Kind::Relation(Relation::Eq, left, right) = equation.kind() else {
            let message = format!("expected an equation, found `{equation}`");
            return Err(fault_hint(6401, parts.at, message, "equations: [x' == -x]"));
        };
        for symbol in left.symbols().into_iter().chain(right.symbols()) {
            let primes = symbol.primes();
            if primes == 0 {
                continue;
            }
            let base = base_name(symbol.name());
            match found.iter_mut().find(|(known, _)| known == base) {
                Some((_, order)) => *order = (*order).max(primes),
                None => found.push((base.to_string(), primes)),
            }
        }
    }
    if found.is_empty() {
        let message = "expected equations with rates such as `x'`, found none";
        return Err(fault_hint(6401, parts.at, message, "equations: [x' == -x]"));
    }
    if let Some((base, _)) = found.iter().find(|(base, _)| base == parts.over.name()) {
        let message = format!("expected rates of states, found that of the independent variable `{base}`");
        return Err(fault_hint(6401, parts.at, message, "over: s"));
    }
    if found.len() != equations.len() {
        let rates: Vec<String> = found.iter().map(|(b, n)| format!("`{}`", primed(b, *n))).collect();
        let message = format!(
            "expected one equation for each of {}, found {} equation{}",
            rates.join(", "),
            equations.len(),
            if equations.len() == 1 { "" } else { "s" }
        );
        return Err(fault_hint(6401, parts.at, message, "equations: [x' == v, v' == -x]"));
    }
    Ok(found)
}

/// The highest derivatives, from equations that may hold several of them.
fn solved(
    context: &Context,
    equations: &[Expr],
    unknowns: &[Symbol],
    parts: &Parts<'_>,
) -> Result<Vec<Expr>> {
    let mut values: Vec<Option<Expr>> = vec![None; unknowns.len()];
    let mut open: Vec<Expr> = equations.to_vec();
    // Equations that are solved already, and those that become so when they are put in.
    loop {
        let known: Vec<(Symbol, Expr)> =
            unknowns.iter().zip(&values).filter_map(|(u, v)| Some((u.clone(), v.clone()?))).collect();
        let before = open.len();
        let mut rest = Vec::new();
        for equation in open {
            let Kind::Relation(_, left, right) = equation.kind() else { continue };
            let mut taken = false;
            for (side, other) in [(left, right), (right, left)] {
                let place = side.as_symbol().and_then(|s| unknowns.iter().position(|u| u == s));
                let Some(k) = place.filter(|k| values[*k].is_none()) else { continue };
                let other = other.substitute(&known);
                if unknowns.iter().all(|u| !other.contains_symbol(u)) {
                    values[k] = Some(other);
                    taken = true;
                    break;
                }
            }
            if !taken {
                rest.push(equation);
            }
        }
        open = rest;
        if open.len() == before || open.is_empty() {
            let known: Vec<(Symbol, Expr)> =
                unknowns.iter().zip(&values).filter_map(|(u, v)| Some((u.clone(), v.clone()?))).collect();
            open = open.iter().map(|e| e.substitute(&known)).collect();
            break;
        }
    }
    let left: Vec<Symbol> =
        unknowns.iter().zip(&values).filter(|(_, v)| v.is_none()).map(|(u, _)| u.clone()).collect();
    if !left.is_empty() {
        let (found, _) = algebra::solve_linear_system(&open, &left, &context.declarations)
            .map_err(|e| lift(&e, parts.at))?;
        for (symbol, value) in left.iter().zip(found) {
            if left.iter().any(|u| value.contains_symbol(u)) {
                let message = format!("the equations do not determine `{symbol}`");
                return Err(fault_hint(6401, parts.at, message, format!("{symbol} == 1")));
            }
            if let Some(k) = unknowns.iter().position(|u| u == symbol) {
                values[k] = Some(value);
            }
        }
    }
    Ok(values.into_iter().map(|v| v.unwrap_or_else(Expr::zero)).collect())
}

/// The symbols that are no states: they need a value.
fn parameters(context: &Context, states: &[(Symbol, Expr)], parts: &Parts<'_>) -> Result<Vec<(Symbol, f64)>> {
    let mut found: BTreeMap<Symbol, f64> = BTreeMap::new();
    for (_, rate) in states {
        for symbol in rate.symbols() {
            if symbol == parts.over || states.iter().any(|(s, _)| *s == symbol) {
                continue;
            }
            match context.declarations.get(&symbol).and_then(|d| d.start) {
                Some(start) => {
                    found.insert(symbol, start);
                }
                None => {
                    let names = states.iter().map(|(s, _)| s.name());
                    let hint = match suggest::nearest(symbol.name(), names) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => {
                            format!("give it a value before the system: {symbol} = 1, or param {symbol} = 1")
                        }
                    };
                    let message = format!("expected a state or a symbol with a value, found `{symbol}`");
                    return Err(fault_hint(6403, parts.at, message, hint));
                }
            }
        }
    }
    Ok(found.into_iter().collect())
}

/// The starting values: as written, and in SI.
fn starts(
    states: &[(Symbol, Expr)],
    parameters: &[(Symbol, f64)],
    parts: &Parts<'_>,
) -> Result<Vec<(Expr, f64)>> {
    let at = parts.initial_at;
    let known: Vec<&str> = states.iter().map(|(s, _)| s.name()).collect();
    for (name, _) in &parts.initial.entries {
        if !known.contains(&&**name) {
            let hint = match suggest::nearest(name, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("its states are {}", known.join(", ")),
            };
            return Err(fault_hint(6402, at, format!("expected a state, found `{name}`"), hint));
        }
    }
    states
        .iter()
        .map(|(symbol, _)| {
            let Some(value) = parts.initial.get(symbol.name()) else {
                let message = format!("expected a starting value of `{symbol}`, found none");
                return Err(fault_hint(6402, at, message, format!("initial: {{{symbol}: 0}}")));
            };
            let written = op::expr_of(value, at)?;
            let start = |s: &Symbol| parameters.iter().find(|(p, _)| p == s).map(|(_, x)| *x);
            match op::settle(&written).evaluate(&start).filter(|x| x.is_finite()) {
                Some(x) => Ok((written, x)),
                None => {
                    let message = format!("expected a number as the start of `{symbol}`, found `{written}`");
                    Err(fault(6402, at, message))
                }
            }
        })
        .collect()
}

/// The units of the states, and of the independent variable.
fn units(
    context: &Context,
    equations: &[Expr],
    states: &[(Symbol, Expr)],
    initial: &[(Expr, f64)],
    parts: &Parts<'_>,
) -> Result<(Vec<Unit>, Unit)> {
    let mut search = Dimensions::new(&context.declarations);
    let over = search.symbol(&parts.over);
    for equation in equations {
        for symbol in equation.symbols().into_iter().filter(|s| s.primes() > 0) {
            rate(&mut search, &symbol, &over, parts.at)?;
        }
    }
    for (symbol, _) in states.iter().filter(|(s, _)| s.primes() > 0) {
        rate(&mut search, symbol, &over, parts.at)?;
    }
    // What is told comes first: a fault is then that of the equation.
    for ((symbol, _), (written, _)) in states.iter().zip(initial) {
        let own = search.symbol(symbol);
        let given = search.of(&op::settle(written)).map_err(|m| op::unit_fault(&m, parts.initial_at))?;
        if !search.units.unify(&own, &given) {
            let (own, given) = (search.shown(&own), search.shown(&given));
            let message = format!("`{symbol}` is in [{own}], found a starting value in [{given}]");
            return Err(fault_hint(6021, parts.initial_at, message, format!("{symbol}: 1 [{own}]")));
        }
    }
    for equation in equations {
        search.of(equation).map_err(|m| op::unit_fault(&m, parts.at))?;
    }
    let settle = |search: &mut Dimensions<'_>, dim: &Dim| -> Dimension {
        let open: Vec<Dim> = search.units.resolve(dim).variables().map(Dim::variable).collect();
        for variable in open {
            search.units.unify(&variable, &Dim::none());
        }
        search.units.resolve(dim).constant().unwrap_or(Dimension::NONE)
    };
    let over = settle(&mut search, &over);
    let declared = |s: &Symbol| context.declarations.get(s).and_then(|d| d.unit.clone());
    let over_unit = declared(&parts.over).unwrap_or_else(|| Unit::coherent(over));
    let mut found: Vec<Unit> = Vec::new();
    for ((symbol, _), (written, _)) in states.iter().zip(initial) {
        let own = search.symbol(symbol);
        let dimension = settle(&mut search, &own);
        let fits = |u: &Unit| u.dimension() == dimension;
        let unit = declared(symbol).filter(fits).or_else(|| written.split_unit().1.filter(fits));
        found.push(unit.unwrap_or_else(|| Unit::coherent(dimension)));
    }
    Ok((found, over_unit))
}

/// Ties the unit of `x'` to that of `x`.
fn rate(search: &mut Dimensions<'_>, symbol: &Symbol, over: &Dim, at: Span) -> Result<()> {
    let base = Symbol::new(base_name(symbol.name()));
    let steps = crate::base::Number::int(symbol.primes() as i64);
    let (own, expected) = (search.symbol(symbol), search.symbol(&base).over(&over.power(&steps)));
    if search.units.unify(&own, &expected) {
        return Ok(());
    }
    let (own, expected) = (search.shown(&own), search.shown(&expected));
    let message = format!("`{symbol}` is the rate of `{base}` in [{expected}], found [{own}]");
    Err(fault_hint(6021, at, message, format!("var {symbol} [{expected}]")))
}
