//! Derivatives: the rules of calculus on the canonical form, each shared node once. A derivative of an undefined
//! function raises the order of its argument's slot (chain rule); what jumps (`floor`, `step`, `sign`) has the
//! derivative 0, its value off the jumps. `gamma` and its kin have no derivative among the known functions: theirs is
//! held as a derivative node of the function's name.

use std::collections::HashMap;

use super::function::Function;
use super::node::{Derivative, Expr, Kind, Relation};
use super::symbol::Symbol;
use super::uncertain::Uncertain;

/// By what is differentiated.
enum Variable<'a> {
    Symbol(&'a Symbol),
    Uncertain(&'a Uncertain),
}

struct Derivation<'a> {
    variable: Variable<'a>,
    done: HashMap<*const super::node::Node, Expr>,
}

impl Expr {
    /// The derivative by a symbol. Of an equation: both sides.
    pub fn diff(&self, symbol: &Symbol) -> Expr {
        Derivation { variable: Variable::Symbol(symbol), done: HashMap::new() }.of(self)
    }

    /// The n-th derivative by a symbol.
    pub fn diff_n(&self, symbol: &Symbol, n: u32) -> Expr {
        (0..n).fold(self.clone(), |e, _| e.diff(symbol))
    }

    /// The derivative by one uncertain number, all its occurrences together.
    pub(super) fn diff_uncertain(&self, leaf: &Uncertain) -> Expr {
        Derivation { variable: Variable::Uncertain(leaf), done: HashMap::new() }.of(self)
    }
}

impl Derivation<'_> {
    fn of(&mut self, e: &Expr) -> Expr {
        match (&self.variable, e.kind()) {
            (Variable::Symbol(s), Kind::Symbol(own)) if *s == own => return Expr::one(),
            (Variable::Uncertain(u), Kind::Uncertain(own)) if u.id() == own.id() => return Expr::one(),
            _ => {}
        }
        if e.depth() == 1 {
            return Expr::zero();
        }
        let at = std::sync::Arc::as_ptr(&e.0);
        if let Some(known) = self.done.get(&at) {
            return known.clone();
        }
        let result = self.rule(e);
        self.done.insert(at, result.clone());
        result
    }

    fn rule(&mut self, e: &Expr) -> Expr {
        match e.kind() {
            Kind::Number(_)
            | Kind::Float(_)
            | Kind::Uncertain(_)
            | Kind::Unit(_)
            | Kind::Constant(_)
            | Kind::Symbol(_)
            | Kind::Bool(_) => Expr::zero(),
            Kind::Sum(items) => Expr::sum(items.iter().map(|t| self.of(t)).filter(|t| !t.is_zero())),
            Kind::Product(items) => {
                let mut terms = Vec::new();
                for (i, f) in items.iter().enumerate() {
                    let slope = self.of(f);
                    if !slope.is_zero() {
                        let others =
                            items.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, f)| f.clone());
                        terms.push(Expr::product(others.chain([slope])));
                    }
                }
                Expr::sum(terms)
            }
            Kind::Power(b, x) => self.power(e, b, x),
            Kind::Call(f, args) => self.call(e, *f, args),
            Kind::Apply(f, args) => {
                let orders = vec![0; args.len()];
                self.undefined(f, &orders, args)
            }
            Kind::Derivative(d) => {
                let Derivative { function, orders, args } = &**d;
                self.undefined(function, orders, args)
            }
            Kind::Relation(Relation::Eq, a, b) => {
                let (a, b) = (self.of(a), self.of(b));
                Expr::equation(a, b)
            }
            Kind::Relation(..) | Kind::Not(_) | Kind::And(_) | Kind::Or(_) => Expr::zero(),
            Kind::Piecewise(branches, otherwise) => {
                let branches = branches.iter().map(|(c, v)| (c.clone(), self.of(v))).collect();
                let otherwise = self.of(otherwise);
                Expr::piecewise(branches, otherwise)
            }
        }
    }

    /// `(b^x)' = b^x * (x' log(b) + x b'/b)`.
    fn power(&mut self, e: &Expr, b: &Expr, x: &Expr) -> Expr {
        let (db, dx) = (self.of(b), self.of(x));
        let mut terms = Vec::new();
        if !db.is_zero() {
            let lowered = Expr::power(b.clone(), Expr::sum([x.clone(), Expr::int(-1)]));
            terms.push(Expr::product([x.clone(), lowered, db]));
        }
        if !dx.is_zero() {
            terms.push(Expr::product([e.clone(), Expr::call(Function::Log, vec![b.clone()]), dx]));
        }
        Expr::sum(terms)
    }

    fn undefined(&mut self, f: &Symbol, orders: &[u32], args: &[Expr]) -> Expr {
        let mut terms = Vec::new();
        for (slot, arg) in args.iter().enumerate() {
            let slope = self.of(arg);
            if !slope.is_zero() {
                let mut raised = orders.to_vec();
                raised[slot] += 1;
                terms.push(slope * Expr::derivative(f.clone(), raised, args.to_vec()));
            }
        }
        Expr::sum(terms)
    }

    fn call(&mut self, e: &Expr, f: Function, args: &[Expr]) -> Expr {
        use Function::*;
        match f {
            Sign | Step | Floor | Ceil | Round => return Expr::zero(),
            Atan2 => {
                let (y, x) = (&args[0], &args[1]);
                let (dy, dx) = (self.of(y), self.of(x));
                if dy.is_zero() && dx.is_zero() {
                    return Expr::zero();
                }
                return (x * &dy - y * &dx) / (y.powi(2) + x.powi(2));
            }
            // a - b*floor(a/b)
            Mod => {
                let (da, db) = (self.of(&args[0]), self.of(&args[1]));
                if db.is_zero() {
                    return da;
                }
                return da - Expr::call(Floor, vec![&args[0] / &args[1]]) * db;
            }
            Min | Max => return self.extremum(f, args),
            Order => {
                let slope = self.of(&args[0]);
                let (_, rest) = slope.split_coefficient();
                return if slope.is_zero() { slope } else { Expr::call(Order, vec![rest]) };
            }
            _ => {}
        }
        let x = &args[0];
        let dx = self.of(x);
        if dx.is_zero() {
            return dx;
        }
        let one = Expr::one;
        let of = |g: Function| Expr::call(g, vec![x.clone()]);
        let square = || x.powi(2);
        let outer = match f {
            Exp => e.clone(),
            Log => x.recip(),
            Log10 => (x * &Expr::call(Log, vec![Expr::int(10)])).recip(),
            Log2 => (x * &Expr::call(Log, vec![Expr::int(2)])).recip(),
            Sin => of(Cos),
            Cos => of(Sin).negate(),
            Tan => one() + e.powi(2),
            Asin => (one() - square()).sqrt().recip(),
            Acos => (one() - square()).sqrt().recip().negate(),
            Atan => (one() + square()).recip(),
            Sinh => of(Cosh),
            Cosh => of(Sinh),
            Tanh => one() - e.powi(2),
            Asinh => (one() + square()).sqrt().recip(),
            // sqrt(x^2 - 1) would be on the wrong branch for complex x.
            Acosh => ((x - &one()).sqrt() * (x + &one()).sqrt()).recip(),
            Atanh => (one() - square()).recip(),
            Abs => of(Sign),
            Erf | Erfc => {
                let bell = Expr::call(Exp, vec![square().negate()]) / Expr::pi().sqrt();
                bell * Expr::int(if f == Erf { 2 } else { -2 })
            }
            Factorial | Gamma | LogGamma => Expr::derivative(Symbol::new(f.name()), vec![1], vec![x.clone()]),
            // Linear over the reals: the variable is real.
            Re | Im | Conj => return Expr::call(f, vec![dx]),
            Arg => return Expr::call(Im, vec![dx / x]),
            Sign | Step | Floor | Ceil | Round | Atan2 | Mod | Min | Max | Order => Expr::zero(),
        };
        Expr::product([outer, dx])
    }

    /// The slope of the argument that is the least (greatest).
    fn extremum(&mut self, f: Function, args: &[Expr]) -> Expr {
        let op = if f == Function::Min { Relation::Le } else { Relation::Ge };
        let slopes: Vec<Expr> = args.iter().map(|a| self.of(a)).collect();
        let Some((last, first)) = slopes.split_last() else { return Expr::zero() };
        let branches = first
            .iter()
            .enumerate()
            .map(|(i, slope)| {
                let others = args.iter().enumerate().filter(|(j, _)| *j != i);
                let wins =
                    Expr::and(others.map(|(_, other)| Expr::relation(op, args[i].clone(), other.clone())));
                (wins, slope.clone())
            })
            .collect();
        Expr::piecewise(branches, last.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::arbitrary;
    use crate::expression::read::parse;

    fn d(text: &str, n: u32) -> String {
        parse(text).diff_n(&Symbol::new("x"), n).to_string()
    }

    #[test]
    fn known_derivatives() {
        for (text, result) in [
            ("x^3/3", "x^2"),
            ("x*sin(x)", "x*cos(x) + sin(x)"),
            ("x^2*y^3", "2*x*y^3"),
            ("log(x)", "1/x"),
            ("sqrt(x)", "1/(2*sqrt(x))"),
            ("a^x", "a^x*log(a)"),
            ("5", "0"),
            ("tan(x)", "tan(x)^2 + 1"),
            ("x^n", "n*x^(n - 1)"),
            ("exp(-x^2/2)", "-x*exp(-x^2/2)"),
            ("abs(x)", "sign(x)"),
            ("floor(x) + step(x) + sign(x)", "0"),
            ("u(x, t)", "diff(u(x, t), x)"),
            ("u(x^2, x)", "2*x*diff(u(x1, x), x1)(x1: x^2) + diff(u(x^2, t), t)(t: x)"),
            ("x*u(x, t)", "x*diff(u(x, t), x) + u(x, t)"),
            ("diff(u(x, t), t)", "diff(diff(u(x, t), x), t)"),
            ("if x > 0 then x^2 else -x", "if x > 0 then 2*x else -1"),
            ("min(x, 2)", "if x <= 2 then 1 else 0"),
            ("mod(x, 3)", "1"),
            ("gamma(x)", "diff(gamma(x), x)"),
            ("O(x^4)", "O(x^3)"),
            ("x^2 == y", "2*x == 0"),
        ] {
            assert_eq!(d(text, 1), result, "{text}");
        }
        assert_eq!(d("exp(2*x)", 3), "8*exp(2*x)");
        assert_eq!(d("u(x, t)", 2), "diff(u(x, t), x, 2)");
    }

    #[test]
    fn shared_nodes_are_differentiated_once() {
        let mut e = Expr::symbol("x");
        for _ in 0..60 {
            e = Expr::call(Function::Sin, vec![&e * &e.clone().sqrt()]);
        }
        assert!(e.diff(&Symbol::new("x")).node_count() > 1000);
    }

    /// f'(x) = Im f(x + ih)/h for analytic f (Squire and Trapp 1998).
    #[test]
    fn derivatives_agree_with_the_complex_step() {
        let symbols = ["x", "y"].map(Symbol::new);
        let mut compared = 0;
        for case in 0..arbitrary::cases() as u64 {
            let mut rng = crate::base::random::Streams::new(case).stream("diff");
            let e = arbitrary::random_analytic(&mut rng, 14, &symbols);
            let slope = e.diff(&symbols[0]);
            for (x, y) in [(0.7, 1.3), (1.9, 0.4)] {
                // Not smaller: the inverse functions add it to 1.
                let h = 1e-7;
                let step = |h: f64| {
                    let at = |s: &Symbol| Some(if *s == symbols[0] { (x, h) } else { (y, 0.0) });
                    e.evaluate_complex(&at).map(|(_, im)| im / h)
                };
                let real = |s: &Symbol| Some(if *s == symbols[0] { x } else { y });
                // On a branch cut a step off the real axis lands on either side.
                let mut on_the_reals = true;
                e.visit(&mut |part| on_the_reals &= part.evaluate(&real).is_some());
                if !on_the_reals {
                    continue;
                }
                let (Some(numeric), Some(coarse), Some(exact)) =
                    (step(h), step(8.0 * h), slope.evaluate(&real))
                else {
                    continue;
                };
                let allowed = 1e-6 * (1.0 + exact.abs());
                // Near a singularity the steps are too long.
                if (numeric - coarse).abs() > allowed
                    || exact.abs() > 1e4
                    || e.evaluate(&real).is_none_or(|v| v.abs() > 1e6)
                {
                    continue;
                }
                compared += 1;
                assert!(
                    (numeric - exact).abs() <= allowed,
                    "{e} by x at {x}, {y}: {numeric} {exact} = {slope}"
                );
            }
        }
        assert!(compared > arbitrary::cases() / 4);
    }
}
