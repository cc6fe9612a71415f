//! What expressions are made of: columns, a few exact numbers and named constants as leaves, operators with their values
//! on rows, their dimensions and their expressions. A function stands for itself and its negative, so that operators
//! that care about the sign come in both forms.

use super::key::Values;
use crate::base::Number;
use crate::expression::{Expr, Function};
use crate::numeric::vector::{self, Elementary, Level};
use crate::regression::options::{Constants, Plan};
use crate::regression::problem::Problem;
use crate::units::Dimension;

/// A leaf.
#[derive(Clone, Debug)]
pub struct Leaf {
    /// The leaf.
    pub expr: Expr,
    /// Its values on the rows.
    pub values: Box<Values>,
    /// Its dimension.
    pub dimension: Dimension,
}

/// An operation on one or two functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Op {
    /// The leaf whose number stands in the first operand.
    Leaf,
    /// a + b.
    Add,
    /// a - b.
    Subtract,
    /// a*b.
    Multiply,
    /// a/b.
    Divide,
    /// a^b, the base negated first where the first flag is set, the exponent where the second is.
    Power(bool, bool),
    /// a^2.
    Square,
    /// sqrt(a), of -a where the flag is set.
    Root(bool),
    /// A function of a, of -a where the flag is set.
    Call(Function, bool),
}

/// The operators and leaves of a search.
#[derive(Clone, Debug)]
pub struct Grammar {
    /// Leaves: columns, numbers, named constants.
    pub leaves: Vec<Leaf>,
    /// Operators of one operand with their size.
    pub unary: Vec<(Op, usize)>,
    /// Whether sums are allowed.
    pub add: bool,
    /// Whether differences are allowed.
    pub subtract: bool,
    /// Whether products are allowed.
    pub multiply: bool,
    /// Whether quotients are allowed.
    pub divide: bool,
    /// Whether powers are allowed.
    pub power: bool,
}

/// The exact numbers among the leaves.
pub fn numbers() -> [(Expr, f64); 3] {
    [(Expr::one(), 1.0), (Expr::int(2), 2.0), (Expr::pi(), std::f64::consts::PI)]
}

impl Grammar {
    /// Operators of the plan, columns of the problem on the chosen rows.
    pub fn new(problem: &Problem, plan: &Plan, rows: &[usize; super::key::ROWS]) -> Grammar {
        let mut leaves: Vec<Leaf> = problem
            .useful()
            .into_iter()
            .map(|k| Leaf {
                expr: Expr::symbol(problem.names[k].clone()),
                values: Box::new(rows.map(|r| problem.columns[k][r])),
                dimension: problem.dimension(k),
            })
            .collect();
        let mut push = |expr: Expr, value: f64, dimension: Dimension| {
            leaves.push(Leaf { expr, values: Box::new([value; super::key::ROWS]), dimension });
        };
        for (expr, value) in numbers() {
            push(expr, value, Dimension::NONE);
        }
        if let Constants::Named(named) = &plan.constants {
            for (_, expr, dimension) in named {
                let dimension = if problem.dimensions.is_some() { *dimension } else { Dimension::NONE };
                if let Some(value) = expr.evaluate(&|_| Some(1.0)) {
                    push(expr.clone(), value, dimension);
                }
            }
        }
        let mut unary = Vec::new();
        let (multiply, power) = (plan.allows("*"), plan.allows("^"));
        if multiply || power {
            unary.push((Op::Square, 2));
        }
        if plan.allows("sqrt") || power {
            unary.extend([(Op::Root(false), 1), (Op::Root(true), 1)]);
        }
        for name in &plan.operators {
            let name = if name == "ln" { "log" } else { name };
            let Some(f) = Function::from_name(name) else { continue };
            let held = [Function::Re, Function::Im, Function::Conj, Function::Arg, Function::Order];
            if f.row().arity != (1, 1) || held.contains(&f) || unary.contains(&(Op::Call(f, false), 1)) {
                continue;
            }
            unary.push((Op::Call(f, false), 1));
            if !f.is_odd() && !f.is_even() {
                unary.push((Op::Call(f, true), 1));
            }
        }
        Grammar {
            leaves,
            unary,
            add: plan.allows("+"),
            subtract: plan.allows("-"),
            multiply,
            divide: plan.allows("/"),
            power,
        }
    }

    /// Whether a function is allowed.
    pub fn calls(&self, f: Function) -> bool {
        self.unary.contains(&(Op::Call(f, false), 1))
    }

    /// Whether roots are allowed.
    pub fn roots(&self) -> bool {
        self.unary.contains(&(Op::Root(false), 1))
    }

    /// The numbers in words, for the statement of what was tried.
    pub fn numbers_in_words(&self) -> String {
        let plain: Vec<String> =
            self.leaves.iter().filter(|l| l.expr.as_symbol().is_none()).map(|l| l.expr.to_string()).collect();
        match plain.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
            None => String::new(),
        }
    }
}

impl Op {
    /// Whether it has two operands.
    pub fn is_binary(self) -> bool {
        matches!(self, Op::Add | Op::Subtract | Op::Multiply | Op::Divide | Op::Power(..))
    }

    /// The values of the result; not finite where there is none.
    #[inline]
    pub fn apply(self, level: Level, a: &Values, b: &Values, out: &mut Values) {
        let unary = |f: fn(f64) -> f64, out: &mut Values| {
            for (o, x) in out.iter_mut().zip(a) {
                *o = f(*x);
            }
        };
        let binary = |f: fn(f64, f64) -> f64, out: &mut Values| {
            for ((o, x), y) in out.iter_mut().zip(a).zip(b) {
                *o = f(*x, *y);
            }
        };
        match self {
            Op::Leaf => *out = *a,
            Op::Add => binary(|x, y| x + y, out),
            Op::Subtract => binary(|x, y| x - y, out),
            Op::Multiply => binary(|x, y| x * y, out),
            Op::Divide => binary(|x, y| x / y, out),
            Op::Power(base, exponent) => {
                let (x, y) = (a.map(|x| if base { -x } else { x }), b.map(|y| if exponent { -y } else { y }));
                vector::pow(level, &x, &y, out);
            }
            Op::Square => unary(|x| x * x, out),
            Op::Root(false) => unary(f64::sqrt, out),
            Op::Root(true) => unary(|x| (-x).sqrt(), out),
            Op::Call(f, negated) => {
                let x = if negated { a.map(|x| -x) } else { *a };
                match Elementary::of(f) {
                    Some(e) => e.apply(level, &x, out),
                    None => {
                        let value = f.row().value;
                        out.iter_mut().zip(x).for_each(|(o, x)| *o = value(&[x]));
                    }
                }
            }
        }
    }

    /// The dimension of the result, for operators whose operands' values do not matter.
    pub fn dimension(self, a: Dimension, b: Dimension) -> Option<Dimension> {
        match self {
            Op::Leaf => Some(a),
            Op::Add | Op::Subtract => (a == b).then_some(a),
            Op::Multiply => a.mul(b),
            Op::Divide => a.div(b),
            Op::Square => a.mul(a),
            Op::Root(_) => a.pow(&Number::HALF),
            Op::Call(Function::Abs, _) => Some(a),
            Op::Power(..) | Op::Call(..) => (a.is_none() && b.is_none()).then_some(Dimension::NONE),
        }
    }

    /// The expression of the result.
    pub fn expr(self, a: Expr, b: Expr) -> Expr {
        let signed = |e: Expr, negated: bool| if negated { e.negate() } else { e };
        match self {
            Op::Leaf => a,
            Op::Add => a + b,
            Op::Subtract => a - b,
            Op::Multiply => a * b,
            Op::Divide => a / b,
            Op::Power(base, exponent) => Expr::power(signed(a, base), signed(b, exponent)),
            Op::Square => a.powi(2),
            Op::Root(negated) => signed(a, negated).sqrt(),
            Op::Call(f, negated) => Expr::call(f, vec![signed(a, negated)]),
        }
    }
}
