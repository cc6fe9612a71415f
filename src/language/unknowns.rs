//! Units of the parameters of an equation, by the checker's method: each is an unknown vector of exponents over the base
//! units, and what must be equal (terms, sides) or a pure number (arguments of functions, exponents) is a linear equation,
//! solved exactly (`check::Unifier`).

use std::collections::BTreeMap;

use super::check::{Dim, Unifier};
use super::dimension::Mismatch;
use crate::base::Number;
use crate::expression::{Constant, Declarations, Expr, Function, Kind, Symbol};
use crate::units::Dimension;

/// Passes over the equation: what a power with an open exponent is depends on whether its base is known by then.
const PASSES: usize = 2;

/// The dimensions that `lhs == rhs` gives `parameters`, `None` for those it leaves open. Symbols that are neither declared
/// nor parameters are unknown as well.
///
/// # Errors
/// Two terms or sides that no dimensions of the parameters make equal, or an argument that none makes a pure number.
pub fn solve(
    lhs: &Expr,
    rhs: &Expr,
    parameters: &[Symbol],
    known: &Declarations,
) -> Result<BTreeMap<Symbol, Option<Dimension>>, Mismatch> {
    let mut system = Dimensions::new(known);
    for _ in 0..PASSES {
        let (left, right) = (system.of(lhs)?, system.of(rhs)?);
        system.equal((lhs, &left), (rhs, &right))?;
    }
    let found = |s: &Symbol| {
        let own = system.symbols.get(s).cloned();
        let declared = || known.get(s).and_then(|d| d.unit.as_ref()).map(Dim::of_unit);
        own.or_else(declared).and_then(|d| system.units.resolve(&d).constant())
    };
    Ok(parameters.iter().map(|s| (s.clone(), found(s))).collect())
}

/// Dimensions of expressions; those of undeclared symbols are unknown until something decides them.
pub struct Dimensions<'a> {
    /// What has been decided.
    pub units: Unifier,
    /// The unknown ones.
    symbols: BTreeMap<Symbol, Dim>,
    known: &'a Declarations,
}

impl<'a> Dimensions<'a> {
    /// Nothing known but what is declared.
    pub fn new(known: &'a Declarations) -> Dimensions<'a> {
        Dimensions { units: Unifier::default(), symbols: BTreeMap::new(), known }
    }

    /// The dimension of a symbol.
    pub fn symbol(&mut self, s: &Symbol) -> Dim {
        if let Some(unit) = self.known.get(s).and_then(|d| d.unit.as_ref()) {
            return Dim::of_unit(unit);
        }
        let units = &mut self.units;
        self.symbols.entry(s.clone()).or_insert_with(|| units.fresh()).clone()
    }

    /// As messages show it, without brackets.
    pub fn shown(&self, dim: &Dim) -> String {
        self.units.resolve(dim).shown()
    }

    /// The dimension, where it is decided.
    pub fn decided(&self, dim: &Dim) -> Option<Dimension> {
        self.units.resolve(dim).constant()
    }

    fn equal(&mut self, a: (&Expr, &Dim), b: (&Expr, &Dim)) -> Result<(), Mismatch> {
        if self.units.unify(a.1, b.1) {
            return Ok(());
        }
        let (x, y) = (self.units.resolve(a.1), self.units.resolve(b.1));
        Err(match (x.constant(), y.constant()) {
            (Some(x), Some(y)) => Mismatch::Terms(a.0.clone(), x, b.0.clone(), y),
            _ => Mismatch::Open(a.0.clone(), x.shown(), b.0.clone(), y.shown()),
        })
    }

    fn pure(&mut self, e: &Expr) -> Result<(), Mismatch> {
        let d = self.of(e)?;
        if self.units.unify(&d, &Dim::none()) {
            return Ok(());
        }
        let d = self.units.resolve(&d);
        Err(match d.constant() {
            Some(d) => Mismatch::NotPure(e.clone(), d),
            None => Mismatch::Open(e.clone(), d.shown(), Expr::one(), "1".into()),
        })
    }

    /// The one dimension of all of them.
    fn same<'e>(&mut self, items: impl Iterator<Item = &'e Expr>) -> Result<Dim, Mismatch> {
        let mut first: Option<(&Expr, Dim)> = None;
        for item in items {
            let d = self.of(item)?;
            match &first {
                // Zero fits any unit: it says nothing about the others.
                None => first = Some((item, d)),
                Some((e, known)) => {
                    let (e, known) = (*e, known.clone());
                    self.equal((e, &known), (item, &d))?;
                }
            }
        }
        Ok(first.map_or_else(|| self.units.fresh(), |(_, d)| d))
    }

    /// The dimension of an expression; what it decides is kept.
    ///
    /// # Errors
    /// Terms or sides that cannot have one dimension, and arguments that cannot be pure numbers.
    pub fn of(&mut self, e: &Expr) -> Result<Dim, Mismatch> {
        use Function::*;
        Ok(match e.kind() {
            Kind::Number(n) if n.is_zero() => self.units.fresh(),
            Kind::Float(0.0) | Kind::Constant(Constant::Infinity) => self.units.fresh(),
            Kind::Number(_) | Kind::Float(_) | Kind::Uncertain(_) | Kind::Bool(_) | Kind::Constant(_) => {
                Dim::none()
            }
            Kind::Unit(u) => Dim::of_unit(u),
            Kind::Symbol(s) => self.symbol(s),
            Kind::Sum(items) => self.same(items.iter())?,
            Kind::Product(items) => {
                let mut total = Dim::none();
                for item in items {
                    total = total.times(&self.of(item)?);
                }
                total
            }
            Kind::Power(base, exponent) => {
                self.pure(exponent)?;
                let d = self.of(base)?;
                let d = self.units.resolve(&d);
                let number = match exponent.kind() {
                    Kind::Number(n) => Some(n.clone()),
                    Kind::Float(x) => Number::from_f64_decimal(*x),
                    _ => None,
                };
                match number.filter(|n| n.digits() < 9) {
                    _ if d.is_none() => d,
                    Some(n) => d.power(&n),
                    None => self.units.fresh(),
                }
            }
            Kind::Call(f, args) => match f {
                Abs | Re | Im | Conj | Floor | Ceil | Round | Order if !args.is_empty() => {
                    self.of(&args[0])?
                }
                Min | Max | Mod => self.same(args.iter())?,
                Atan2 => {
                    self.same(args.iter())?;
                    Dim::none()
                }
                Sign | Step | Arg if !args.is_empty() => {
                    self.of(&args[0])?;
                    Dim::none()
                }
                _ => {
                    for arg in args {
                        self.pure(arg)?;
                    }
                    Dim::none()
                }
            },
            Kind::Apply(..) | Kind::Derivative(_) => self.units.fresh(),
            Kind::Relation(_, a, b) => {
                self.same([a, b].into_iter())?;
                Dim::none()
            }
            Kind::Not(a) => {
                self.of(a)?;
                Dim::none()
            }
            Kind::And(items) | Kind::Or(items) => {
                for item in items {
                    self.of(item)?;
                }
                Dim::none()
            }
            Kind::Piecewise(branches, otherwise) => {
                for (condition, _) in branches {
                    self.of(condition)?;
                }
                self.same(branches.iter().map(|(_, v)| v).chain([otherwise]))?
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, OnceLock};

    use super::*;
    use crate::base::random::{Rng, Streams};
    use crate::base::{CancelToken, Diagnostic, EventSink};
    use crate::expression::Declaration;
    use crate::language::check::{check, predict};
    use crate::language::context::Context;
    use crate::language::library::Library;
    use crate::units::Unit;
    use rand::RngExt;

    fn context() -> Context {
        static LIBRARY: OnceLock<Library> = OnceLock::new();
        let library = LIBRARY.get_or_init(|| match Library::load(None) {
            Ok(library) => library,
            Err(fault) => panic!("{}: {:?}", fault.1.name, fault.0),
        });
        Context::new(library.clone(), EventSink::none(), CancelToken::default())
    }

    fn tree(context: &mut Context, text: &str) -> Arc<crate::syntax::tree::Tree> {
        let source = context.add_source("test", text);
        let parsed = crate::syntax::parse(&source);
        assert!(!parsed.diagnostics.iter().any(Diagnostic::is_error), "{text}: {:?}", parsed.diagnostics);
        Arc::new(parsed.tree)
    }

    /// Columns x [m], t [s], u (pure), y [kg].
    fn columns() -> Declarations {
        let mut d = Declarations::new();
        let units = [
            ("x", Some(Dimension::LENGTH)),
            ("t", Some(Dimension::TIME)),
            ("u", None),
            ("y", Some(Dimension::MASS)),
        ];
        for (name, dimension) in units {
            let unit = Some(dimension.map_or_else(Unit::one, Unit::coherent));
            d.insert(Symbol::new(name), Declaration { unit, ..Declaration::default() });
        }
        d
    }

    const DATA: &str = "var x [m] in 1..2\nvar t [s] in 1..2\nvar u in 1..2\n\
        data = sample(3 [kg/(m*s)]*x*t*u, points: 9, name: \"y\")\n";

    /// A right side over columns and the parameters A, B, C.
    fn random(rng: &mut Rng, depth: usize) -> String {
        if depth == 0 {
            let leaves = ["A", "A", "B", "B", "C", "x", "t", "u", "2", "1/2", "1.5", "3 [m]", "7"];
            return leaves[rng.random_range(0..leaves.len())].into();
        }
        let mut part = || random(rng, depth - 1);
        let (a, b) = (part(), part());
        match rng.random_range(0..14) {
            0..=3 => format!("({a})*({b})"),
            4 | 5 => format!("({a})/({b})"),
            6 | 7 => format!("({a}) + ({b})"),
            8 => format!("sin({a})"),
            9 => format!("exp(-({a}))"),
            10 => format!("({a})^2"),
            11 => format!("sqrt(abs({a}))"),
            12 => format!("max(({a}), ({b}))"),
            _ => format!("(({a}) + 1)"),
        }
    }

    #[test]
    fn checker_and_evaluator_agree_on_parameters() {
        let cases: u64 = std::env::var("PHYS_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(256);
        let (mut known, mut refused) = (0, 0);
        for case in 0..4 * cases {
            let mut rng = Streams::new(case).stream("unknowns");
            let depth = rng.random_range(1..4);
            let text = if rng.random() {
                format!("A*({})", random(&mut rng, depth))
            } else {
                random(&mut rng, depth)
            };
            let mut own = context();
            let t = tree(&mut own, &format!("e = {text}\ne"));
            let mut value = None;
            if own.run_values(&t, &mut |v| value = v.as_expr()).is_err() {
                continue;
            }
            let Some(e) = value.filter(|e| !e.is_undefined()) else { continue };
            let names: Vec<Symbol> =
                ["A", "B", "C"].into_iter().map(Symbol::new).filter(|s| e.contains_symbol(s)).collect();
            // What cancels in the canonical form takes its part of the system with it.
            let mut bare = text.clone();
            for function in ["sin", "exp", "sqrt", "abs", "max"] {
                bare = bare.replace(function, "");
            }
            let written = bare.chars().filter(|c| "ABCxtu".contains(*c)).count();
            let mut held = 0;
            e.visit(&mut |x| held += usize::from(x.as_symbol().is_some()));
            if held < written || names.is_empty() {
                continue;
            }
            let y = Expr::symbol("y");
            let found = solve(&y, &e, &names, &columns());
            let mut inferred = Vec::new();
            let mut faulty = false;
            for name in &names {
                let mut own = context();
                let t = tree(&mut own, &format!("{DATA}f = fit(data, y == {text})\nf.{name}"));
                faulty = check(&own, &t).iter().any(|d| [6021, 6022].contains(&d.code.0));
                inferred.push(predict(&own, &t));
            }
            match found {
                Err(m) => {
                    refused += 1;
                    assert!(faulty, "{text}: only the evaluator refuses: {}", m.message());
                }
                Ok(found) => {
                    assert!(!faulty, "{text}: only the checker refuses");
                    for (name, checked) in names.iter().zip(inferred) {
                        known += usize::from(checked.is_some());
                        assert_eq!(found[name], checked, "{name} in {text}");
                    }
                }
            }
        }
        assert!(known as u64 > cases / 4 && refused as u64 > cases / 8, "{known} {refused}");
    }

    #[test]
    fn arguments_decide_their_parameters() {
        let s = |n: &str| Expr::symbol(n);
        let call = |f: Function, e: Expr| Expr::call(f, vec![e]);
        let wave = s("A") * call(Function::Sin, s("B") * s("t") + s("C"));
        let found = solve(&s("y"), &wave, &["A".into(), "B".into(), "C".into()], &columns()).unwrap();
        assert_eq!(found[&"A".into()], Some(Dimension::MASS));
        assert_eq!(found[&"B".into()], Some(Dimension::TIME.recip()));
        assert_eq!(found[&"C".into()], Some(Dimension::NONE));
        // A length to a power that is itself fitted leaves the factor open.
        let power = s("A") * Expr::power(s("x"), s("n"));
        let found = solve(&s("y"), &power, &["A".into(), "n".into()], &columns()).unwrap();
        assert_eq!((found[&"A".into()], found[&"n".into()]), (None, Some(Dimension::NONE)));
        // No unit of B makes both of these sums.
        let both = call(Function::Exp, s("B") * s("t")) * s("A") + s("B") * s("y") * s("t") * s("x");
        assert!(solve(&s("y"), &both, &["A".into(), "B".into()], &columns()).is_err());
    }
}
