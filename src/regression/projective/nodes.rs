//! Factors as small directed graphs over the products of powers of a view. Building blocks keep their values on the
//! probe rows; a factor is one more node over them, whose values are made when needed.

use super::view::{K, Lane, View, log};
use crate::base::Number;
use crate::expression::{Expr, Function, Symbol};
use crate::numeric::vector::{Elementary, Level};
use crate::regression::candidate::Parameter;
use crate::regression::options::Plan;
use crate::units::Dimension;

/// A constant in a factor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Constant {
    /// A ratio.
    Exact(i16, i16),
    /// To be fitted, from this start.
    Free(f64),
}

/// The constant 1.
pub const ONE: Constant = Constant::Exact(1, 1);
/// The constant -1.
pub const MINUS: Constant = Constant::Exact(-1, 1);

impl Constant {
    /// As a float.
    pub fn value(self) -> f64 {
        match self {
            Constant::Exact(p, q) => f64::from(p) / f64::from(q),
            Constant::Free(c) => c,
        }
    }
}

/// A node; numbers are places of blocks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Node {
    /// A product of powers.
    Monomial(u32),
    /// a*b
    Times(u32, u32),
    /// c1 + c2*a
    Affine(Constant, Constant, u32),
    /// c1*a + c2*b
    Add(Constant, u32, Constant, u32),
    /// 1 + c1*a + c2*b
    Both(Constant, u32, Constant, u32),
    /// u(c*a)
    Apply(u8, Constant, u32),
    /// a^(h/2)
    Raise(i8, u32),
    /// exp(a), whose logarithm is a itself.
    Exponential(u32),
    /// a^b
    Power(u32, u32),
}

/// How a function behaves under a change of sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parity {
    /// u(-x) = -u(x) or u(x): nothing new modulo constants.
    Some,
    /// u(-x) is another function.
    None,
}

/// A function of one dimensionless argument, with the general reason why laws hold it.
pub struct Unary {
    /// Its name.
    pub name: &'static str,
    /// Operators that a law needs for it, any one of the lists.
    needs: &'static [&'static [&'static str]],
    apply: fn(Level, &Lane, &mut Lane),
    value: fn(f64) -> f64,
    expr: fn(Expr) -> Expr,
    /// Its price beside an argument.
    pub cost: f64,
    /// What a change of the argument's sign does.
    pub parity: Parity,
}

macro_rules! elementary {
    ($name:literal, $function:ident, $method:ident, $needs:expr, $cost:literal, $parity:ident) => {
        Unary {
            name: $name,
            needs: $needs,
            apply: |level, x, out| Elementary::$function.apply(level, x, out),
            value: |x| x.$method(),
            expr: |e| Expr::call(Function::$function, vec![e]),
            cost: $cost,
            parity: Parity::$parity,
        }
    };
}

/// The functions, commonest first.
pub const UNARY: &[Unary] = &[
    // Waves, projections, phases.
    elementary!("sin", Sin, sin, &[&["sin"]], 1.0, Some),
    elementary!("cos", Cos, cos, &[&["cos"]], 1.0, Some),
    // exp(x) - 1 and exp(x) + 1: relaxation to a limit, occupation numbers, saturation.
    Unary {
        name: "exp-1",
        needs: &[&["exp"]],
        apply: |level, x, out| {
            Elementary::Exp.apply(level, x, out);
            // Near 0 the difference loses its digits.
            out.iter_mut().zip(x).for_each(|(o, x)| *o = if x.abs() < 0.5 { x.exp_m1() } else { *o - 1.0 });
        },
        value: f64::exp_m1,
        expr: |e| Expr::call(Function::Exp, vec![e]) - Expr::one(),
        cost: 1.2,
        parity: Parity::None,
    },
    Unary {
        name: "exp+1",
        needs: &[&["exp"]],
        apply: |level, x, out| {
            Elementary::Exp.apply(level, x, out);
            out.iter_mut().for_each(|o| *o += 1.0);
        },
        value: |x| x.exp() + 1.0,
        expr: |e| Expr::call(Function::Exp, vec![e]) + Expr::one(),
        cost: 1.4,
        parity: Parity::None,
    },
    // Entropies, potentials of lines, slow growth.
    elementary!("log", Log, ln, &[&["log"]], 1.2, None),
    Unary {
        name: "log1p",
        needs: &[&["log"]],
        apply: |level, x, out| {
            let mut shifted = [0.0; K];
            shifted.iter_mut().zip(x).for_each(|(s, x)| *s = 1.0 + x);
            Elementary::Log.apply(level, &shifted, out);
            out.iter_mut().zip(x).for_each(|(o, x)| {
                if x.abs() < 0.5 {
                    *o = x.ln_1p();
                }
            });
        },
        value: f64::ln_1p,
        expr: |e| Expr::call(Function::Log, vec![e + Expr::one()]),
        cost: 1.6,
        parity: Parity::None,
    },
    elementary!("tan", Tan, tan, &[&["tan"], &["sin", "cos"]], 1.4, Some),
    // Two states, solitons, hanging chains.
    elementary!("tanh", Tanh, tanh, &[&["tanh"], &["exp"]], 1.5, Some),
    elementary!("sinh", Sinh, sinh, &[&["sinh"], &["exp"]], 1.7, Some),
    elementary!("cosh", Cosh, cosh, &[&["cosh"], &["exp"]], 1.7, Some),
    // Angles from ratios.
    elementary!("atan", Atan, atan, &[&["atan"]], 1.6, Some),
    elementary!("asin", Asin, asin, &[&["asin"]], 1.6, Some),
    elementary!("acos", Acos, acos, &[&["acos"]], 1.7, None),
];

/// The places of the functions that a plan allows.
pub fn allowed(plan: &Plan) -> Vec<u8> {
    let can = |u: &Unary| u.needs.iter().any(|all| all.iter().all(|n| plan.allows(n)));
    (0..UNARY.len()).filter(|&k| can(&UNARY[k])).map(|k| k as u8).collect()
}

/// A building block.
#[derive(Clone, Debug)]
pub struct Block {
    /// What it is.
    pub node: Node,
    /// Its price.
    pub cost: f64,
    /// Its values on the probe rows.
    pub lane: Lane,
}

/// Blocks over a view.
#[derive(Clone, Debug, Default)]
pub struct Arena {
    /// Exponents of the products, in halves.
    pub monomials: Vec<Vec<i8>>,
    /// The blocks.
    pub blocks: Vec<Block>,
}

fn each(a: &Lane, f: impl Fn(f64) -> f64) -> Lane {
    std::array::from_fn(|k| f(a[k]))
}

fn with(a: &Lane, b: &Lane, f: impl Fn(f64, f64) -> f64) -> Lane {
    std::array::from_fn(|k| f(a[k], b[k]))
}

impl Arena {
    fn lane(&self, block: u32) -> &Lane {
        &self.blocks[block as usize].lane
    }

    /// The values of a node on the probe rows.
    pub fn values(&self, view: &View, node: Node) -> Lane {
        match node {
            Node::Monomial(m) => view.monomial(&self.monomials[m as usize]),
            Node::Times(a, b) => with(self.lane(a), self.lane(b), |a, b| a * b),
            Node::Affine(one, c, a) => {
                let (one, c) = (one.value(), c.value());
                each(self.lane(a), |a| one + c * a)
            }
            Node::Add(c, a, d, b) => {
                let (c, d) = (c.value(), d.value());
                with(self.lane(a), self.lane(b), |a, b| c * a + d * b)
            }
            Node::Both(c, a, d, b) => {
                let (c, d) = (c.value(), d.value());
                with(self.lane(a), self.lane(b), |a, b| 1.0 + c * a + d * b)
            }
            Node::Apply(u, c, a) => {
                let c = c.value();
                let argument = if c == 1.0 { *self.lane(a) } else { each(self.lane(a), |a| c * a) };
                let mut out = [0.0; K];
                (UNARY[u as usize].apply)(view.level, &argument, &mut out);
                out
            }
            Node::Raise(h, a) => each(self.lane(a), |a| raise(a, h)),
            Node::Power(a, b) => with(self.lane(a), self.lane(b), f64::powf),
            Node::Exponential(a) => {
                let mut out = [0.0; K];
                Elementary::Exp.apply(view.level, self.lane(a), &mut out);
                out
            }
        }
    }

    /// ln |node| on the probe rows.
    pub fn logs(&self, view: &View, node: Node) -> Lane {
        match node {
            Node::Exponential(a) => *self.lane(a),
            _ => log(view.level, &self.values(view, node)),
        }
    }

    /// The values of a node on other rows.
    pub fn values_on(&self, view: &View, node: Node, rows: &[usize]) -> Vec<f64> {
        let of = |block: u32| self.values_on(view, self.blocks[block as usize].node, rows);
        let one = |block: u32, f: &dyn Fn(f64) -> f64| of(block).into_iter().map(f).collect::<Vec<f64>>();
        let two = |a: u32, b: u32, f: &dyn Fn(f64, f64) -> f64| {
            of(a).into_iter().zip(of(b)).map(|(a, b)| f(a, b)).collect::<Vec<f64>>()
        };
        match node {
            Node::Monomial(m) => view.monomial_on(&self.monomials[m as usize], rows),
            Node::Times(a, b) => two(a, b, &|a, b| a * b),
            Node::Affine(x, c, a) => one(a, &|a| x.value() + c.value() * a),
            Node::Add(c, a, d, b) => two(a, b, &|a, b| c.value() * a + d.value() * b),
            Node::Both(c, a, d, b) => two(a, b, &|a, b| 1.0 + c.value() * a + d.value() * b),
            Node::Apply(u, c, a) => one(a, &|a| (UNARY[u as usize].value)(c.value() * a)),
            Node::Raise(h, a) => one(a, &|a| raise(a, h)),
            Node::Exponential(a) => one(a, &f64::exp),
            Node::Power(a, b) => two(a, b, &f64::powf),
        }
    }

    /// ln |node| on other rows.
    pub fn logs_on(&self, view: &View, node: Node, rows: &[usize]) -> Vec<f64> {
        match node {
            Node::Exponential(a) => self.values_on(view, self.blocks[a as usize].node, rows),
            _ => self.values_on(view, node, rows).into_iter().map(|x| x.abs().ln()).collect(),
        }
    }

    /// The dimension of a block, where it has one.
    pub fn dimension(&self, view: &View, node: Node) -> Option<Dimension> {
        let of = |block: u32| self.dimension(view, self.blocks[block as usize].node);
        match node {
            Node::Monomial(m) => {
                let powers = self.monomials[m as usize].iter().zip(&view.dimensions);
                powers
                    .filter(|(h, _)| **h != 0)
                    .try_fold(Dimension::NONE, |d, (h, v)| d.mul(v.pow(&Number::ratio(i64::from(*h), 2)?)?))
            }
            Node::Times(a, b) => of(a)?.mul(of(b)?),
            Node::Raise(h, a) => of(a)?.pow(&Number::ratio(i64::from(h), 2)?),
            Node::Add(_, a, _, b) => of(a).filter(|d| of(b) == Some(*d)),
            _ => Some(Dimension::NONE),
        }
    }

    /// The node as an expression; free constants become parameters that give their terms the dimension they need. `None`
    /// where dimensions do not fit.
    pub fn expr(&self, view: &View, node: Node, parameters: &mut Vec<Parameter>) -> Option<Expr> {
        let block = |a: u32| self.blocks[a as usize].node;
        match node {
            Node::Monomial(m) => {
                let factors =
                    self.monomials[m as usize].iter().zip(&view.variables).filter(|(h, _)| **h != 0);
                let powers = factors.map(|(h, v)| {
                    Some(Expr::power(v.expr.clone(), Expr::number(Number::ratio(i64::from(*h), 2)?)))
                });
                Some(Expr::product(powers.collect::<Option<Vec<_>>>()?))
            }
            Node::Times(a, b) => {
                Some(self.expr(view, block(a), parameters)? * self.expr(view, block(b), parameters)?)
            }
            Node::Affine(one, c, a) => {
                let one = constant(one, Dimension::NONE, Dimension::NONE, parameters)?;
                Some(one + self.scaled(view, c, a, parameters)?)
            }
            Node::Add(c, a, d, b) => {
                let (x, y) = (self.dimension(view, block(a))?, self.dimension(view, block(b))?);
                if x != y {
                    return None;
                }
                let (c, d) = (constant(c, x, x, parameters)?, constant(d, x, x, parameters)?);
                Some(c * self.expr(view, block(a), parameters)? + d * self.expr(view, block(b), parameters)?)
            }
            Node::Both(c, a, d, b) => Some(
                Expr::one() + self.scaled(view, c, a, parameters)? + self.scaled(view, d, b, parameters)?,
            ),
            Node::Apply(u, c, a) => Some((UNARY[u as usize].expr)(self.scaled(view, c, a, parameters)?)),
            Node::Raise(h, a) => Some(Expr::power(
                self.expr(view, block(a), parameters)?,
                Expr::number(Number::ratio(i64::from(h), 2)?),
            )),
            Node::Power(a, b) => {
                let one = |k: u32| self.dimension(view, block(k)).filter(|d| d.is_none());
                one(a).and(one(b))?;
                Some(Expr::power(
                    self.expr(view, block(a), parameters)?,
                    self.expr(view, block(b), parameters)?,
                ))
            }
            Node::Exponential(a) => {
                Some(Expr::call(Function::Exp, vec![self.scaled(view, ONE, a, parameters)?]))
            }
        }
    }

    /// The terms of a sum: constant, product of powers in halves, and what else it holds.
    fn summands(&self, view: &View, node: Node) -> Option<Vec<(Constant, Vec<i8>, Option<u32>)>> {
        let nothing = vec![0i8; view.variables.len()];
        let term = |c: Constant, block: u32| match self.blocks[block as usize].node {
            Node::Monomial(m) => (c, self.monomials[m as usize].clone(), None),
            Node::Times(d, u) => match self.blocks[d as usize].node {
                Node::Monomial(m) => (c, self.monomials[m as usize].clone(), Some(u)),
                _ => (c, nothing.clone(), Some(block)),
            },
            _ => (c, nothing.clone(), Some(block)),
        };
        match node {
            Node::Affine(one, c, a) => Some(vec![(one, nothing.clone(), None), term(c, a)]),
            Node::Both(c, a, d, b) => Some(vec![(ONE, nothing.clone(), None), term(c, a), term(d, b)]),
            _ => None,
        }
    }

    /// Products of powers by which a sum may be multiplied for a shorter spelling: one that makes a term 1, or one that
    /// clears all denominators. The first is 1.
    pub fn spellings(&self, view: &View, node: Node) -> Vec<Vec<i8>> {
        let n = view.variables.len();
        let mut all = vec![vec![0i8; n]];
        let Some(terms) = self.summands(view, node) else { return all };
        let inverse = terms.iter().map(|t| t.1.iter().map(|h| -h).collect::<Vec<i8>>());
        let clearing: Vec<i8> =
            (0..n).map(|k| -terms.iter().map(|t| t.1[k]).min().unwrap_or(0).min(0)).collect();
        // What all terms have in common goes out of the sum.
        let common: Vec<i8> = (0..n).map(|k| -terms.iter().map(|t| t.1[k]).min().unwrap_or(0)).collect();
        for m in inverse.chain([clearing, common]) {
            if !all.contains(&m) {
                all.push(m);
            }
        }
        all
    }

    /// A sum multiplied by a product of powers, term by term.
    pub fn multiplied(
        &self,
        view: &View,
        node: Node,
        by: &[i8],
        parameters: &mut Vec<Parameter>,
    ) -> Option<Expr> {
        if by.iter().all(|h| *h == 0) {
            return self.expr(view, node, parameters);
        }
        let mut sum = Vec::new();
        for (c, halves, rest) in self.summands(view, node)? {
            let mut dimension = Dimension::NONE;
            let mut factors = Vec::new();
            for (k, v) in view.variables.iter().enumerate() {
                if halves[k] != 0 {
                    dimension = dimension.mul(v.dimension.pow(&Number::ratio(i64::from(halves[k]), 2)?)?)?;
                }
                let h = halves[k] + by[k];
                if h != 0 {
                    factors.push(Expr::power(v.expr.clone(), Expr::number(Number::ratio(i64::from(h), 2)?)));
                }
            }
            if let Some(rest) = rest {
                let rest = self.blocks[rest as usize].node;
                dimension = dimension.mul(self.dimension(view, rest)?)?;
                factors.push(self.expr(view, rest, parameters)?);
            }
            factors.push(constant(c, dimension, Dimension::NONE, parameters)?);
            sum.push(Expr::product(factors));
        }
        Some(Expr::sum(sum))
    }

    /// c times a block, without dimension.
    pub fn scaled(
        &self,
        view: &View,
        c: Constant,
        block: u32,
        parameters: &mut Vec<Parameter>,
    ) -> Option<Expr> {
        let node = self.blocks[block as usize].node;
        let dimension = self.dimension(view, node)?;
        let c = constant(c, dimension, Dimension::NONE, parameters)?;
        Some(c * self.expr(view, node, parameters)?)
    }

    /// Adds a block; `None` where its values are not finite or all equal.
    pub fn push(&mut self, view: &View, node: Node, cost: f64) -> Option<u32> {
        let lane = self.values(view, node);
        let varies = lane.iter().any(|x| *x != lane[0]);
        if !varies || !lane.iter().all(|x| x.is_finite()) {
            return None;
        }
        self.blocks.push(Block { node, cost, lane });
        Some(self.blocks.len() as u32 - 1)
    }

    /// Adds a product of powers.
    pub fn push_monomial(&mut self, view: &View, halves: Vec<i8>, cost: f64) -> Option<u32> {
        self.monomials.push(halves);
        let added = self.push(view, Node::Monomial(self.monomials.len() as u32 - 1), cost);
        if added.is_none() {
            self.monomials.pop();
        }
        added
    }
}

fn raise(a: f64, h: i8) -> f64 {
    match h {
        1 => a.sqrt(),
        -1 => 1.0 / a.sqrt(),
        2 => a,
        -2 => 1.0 / a,
        4 => a * a,
        h => a.powf(f64::from(h) / 2.0),
    }
}

/// A constant that brings a term of dimension `from` to `to`: a parameter where it is free.
fn constant(c: Constant, from: Dimension, to: Dimension, parameters: &mut Vec<Parameter>) -> Option<Expr> {
    match c {
        Constant::Exact(p, q) => (from == to || p == 0).then(|| Expr::ratio(i64::from(p), i64::from(q))),
        Constant::Free(start) => {
            let symbol: Symbol = Parameter::symbol(parameters.len());
            parameters.push(Parameter { symbol: symbol.clone(), start, dimension: to.div(from)? });
            Some(Expr::symbol(symbol))
        }
    }
}
