//! The value of a `unit` statement: a positive constant with a unit, computed exactly. Decimals are the
//! decimals that were typed (201.168 is 201168/1000), pi stays pi, and one `±` makes a measured factor.

use super::dimension::Dimension;
use super::error::UnitError;
use super::scale::Scale;
use super::unit::Unit;
use crate::base::{Number, Span};
use crate::syntax::tree::{ExprId, ExprKind, MulOp, Sign, Tree, UnitExpr};

/// How a definition finds the units that it uses.
pub(super) type Resolve<'a> = &'a dyn Fn(&UnitExpr) -> Result<Unit, (UnitError, Span)>;

/// Definitions deeper than this are refused.
const DEEPEST: usize = 64;

/// A constant on its way: `exact * pi^pi * scale` of a dimension, with an uncertainty of `exact`.
struct Constant {
    exact: Number,
    pi: i32,
    sigma: Option<Number>,
    scale: Scale,
    dimension: Dimension,
    with_unit: bool,
}

impl Constant {
    fn number(exact: Number) -> Constant {
        Constant {
            exact,
            pi: 0,
            sigma: None,
            scale: Scale::ONE,
            dimension: Dimension::NONE,
            with_unit: false,
        }
    }
}

/// Evaluates the definition of the unit `name`.
pub(super) fn evaluate(
    name: &str,
    tree: &Tree,
    value: ExprId,
    resolve: Resolve<'_>,
) -> Result<(Dimension, Scale), (UnitError, Span)> {
    let reader = Reader { name, tree, resolve };
    let constant = reader.constant(value, 0)?;
    let fault = |expected, found: String| reader.fault(value, expected, found);
    if !constant.exact.is_positive() {
        return Err(fault("a positive value", constant.exact.to_string()));
    }
    let size = match &constant.sigma {
        None => Scale::from_number(constant.exact.clone()),
        Some(sigma) => {
            let relative = sigma.to_f64() / constant.exact.to_f64();
            Scale::measured(name, constant.exact.to_f64(), relative.abs())
        }
    };
    let size = size.ok_or_else(|| fault("a value within the range of floats", constant.exact.to_string()))?;
    Ok((constant.dimension, size.mul(&Scale::from_pi(constant.pi)).mul(&constant.scale)))
}

struct Reader<'a> {
    name: &'a str,
    tree: &'a Tree,
    resolve: Resolve<'a>,
}

type Read = Result<Constant, (UnitError, Span)>;

impl Reader<'_> {
    fn fault(&self, at: ExprId, expected: &'static str, found: impl Into<String>) -> (UnitError, Span) {
        let error = UnitError::Definition { name: self.name.into(), expected, found: found.into() };
        (error, self.tree.span(at))
    }

    fn constant(&self, id: ExprId, depth: usize) -> Read {
        const EXPECTED: &str = "a constant with a unit";
        if depth > DEEPEST {
            return Err(self.fault(id, EXPECTED, "too many nested terms"));
        }
        let read = |id: ExprId| self.constant(id, depth + 1);
        match self.tree.expr(id) {
            ExprKind::Integer(n) => Ok(Constant::number(n.clone())),
            ExprKind::Float(x) => Number::from_f64_decimal(*x)
                .map(Constant::number)
                .ok_or_else(|| self.fault(id, EXPECTED, x.to_string())),
            ExprKind::Name(name) if &**name == "pi" => {
                Ok(Constant { pi: 1, ..Constant::number(Number::ONE) })
            }
            ExprKind::Name(name) => Err(self.fault(id, EXPECTED, format!("the symbol `{name}`"))),
            ExprKind::Pos(inner) => read(*inner),
            ExprKind::Neg(inner) => {
                let inner = read(*inner)?;
                Ok(Constant { exact: -&inner.exact, ..inner })
            }
            ExprKind::Sum(terms) => self.sum(id, terms, depth),
            ExprKind::Product(factors) => {
                let mut result = Constant::number(Number::ONE);
                for (op, factor) in factors {
                    let factor_value = read(*factor)?;
                    let right =
                        if *op == MulOp::Divide { self.recip(*factor, factor_value)? } else { factor_value };
                    result = self.product(*factor, result, right)?;
                }
                Ok(result)
            }
            ExprKind::Juxtaposed(a, b) => self.product(id, read(*a)?, read(*b)?),
            ExprKind::Power(base, power) => {
                let exponent = read(*power)?;
                let exponent = exponent.exact.to_i64().filter(|_| exponent.pi == 0 && !exponent.with_unit);
                let exponent = exponent.and_then(|n| i32::try_from(n).ok());
                let exponent = exponent.ok_or_else(|| self.fault(*power, "an integer power", "another"))?;
                self.power(id, read(*base)?, exponent)
            }
            ExprKind::PlusMinus(value, sigma) => self.plus_minus(id, read(*value)?, read(*sigma)?),
            ExprKind::WithUnit(value, unit) => {
                let value = read(*value)?;
                if value.with_unit {
                    return Err(self.fault(id, EXPECTED, "two units"));
                }
                let resolved = (self.resolve)(unit)?;
                if !resolved.is_ordinary() {
                    return Err((UnitError::StandsAlone { unit: resolved }, unit.span));
                }
                let (scale, dimension) = (resolved.scale().clone(), resolved.dimension());
                Ok(Constant { scale, dimension, with_unit: true, ..value })
            }
            _ => Err(self.fault(id, EXPECTED, "another expression")),
        }
    }

    fn sum(&self, id: ExprId, terms: &[(Sign, ExprId)], depth: usize) -> Read {
        let mut total = Number::ZERO;
        for (sign, term) in terms {
            let value = self.constant(*term, depth + 1)?;
            if value.pi != 0 || value.with_unit || value.sigma.is_some() {
                return Err(self.fault(id, "plain numbers in a sum", "pi, a unit or `±`"));
            }
            total = if *sign == Sign::Minus { &total - &value.exact } else { &total + &value.exact };
        }
        Ok(Constant::number(total))
    }

    fn product(&self, at: ExprId, a: Constant, b: Constant) -> Read {
        let sigma = match (a.sigma, b.sigma) {
            (None, None) => None,
            (Some(s), None) => Some(&s * &b.exact),
            (None, Some(s)) => Some(&s * &a.exact),
            _ => return Err(self.fault(at, "one `±`", "several")),
        };
        let overflow = || (UnitError::PowerOverflow { unit: self.name.into() }, self.tree.span(at));
        Ok(Constant {
            exact: &a.exact * &b.exact,
            pi: a.pi.checked_add(b.pi).ok_or_else(overflow)?,
            sigma,
            scale: a.scale.mul(&b.scale),
            dimension: a.dimension.mul(b.dimension).ok_or_else(overflow)?,
            with_unit: a.with_unit || b.with_unit,
        })
    }

    fn recip(&self, at: ExprId, a: Constant) -> Read {
        self.power(at, a, -1)
    }

    fn power(&self, at: ExprId, a: Constant, n: i32) -> Read {
        let overflow = || (UnitError::PowerOverflow { unit: self.name.into() }, self.tree.span(at));
        if a.sigma.is_some() {
            return Err(self.fault(at, "`±` outside of powers and divisors", "it inside"));
        }
        let exact = a.exact.pow(n).ok_or_else(|| self.fault(at, "a finite value", "an impossible power"))?;
        let number = Number::int(n.into());
        Ok(Constant {
            exact,
            pi: a.pi.checked_mul(n).ok_or_else(overflow)?,
            sigma: None,
            scale: a.scale.pow(&number),
            dimension: a.dimension.pow(&number).ok_or_else(overflow)?,
            with_unit: a.with_unit,
        })
    }

    /// In `9.81 ± 0.02 [m]` the end without a unit takes the other's.
    fn plus_minus(&self, at: ExprId, value: Constant, sigma: Constant) -> Read {
        let simple = |c: &Constant| c.sigma.is_none() && c.pi == 0;
        if !simple(&value) || !simple(&sigma) {
            return Err(self.fault(at, "plain numbers around `±`", "pi or another `±`"));
        }
        let (scale, dimension) = match (value.with_unit, sigma.with_unit) {
            (false, _) => (sigma.scale, sigma.dimension),
            (true, false) => (value.scale, value.dimension),
            (true, true) if value.scale == sigma.scale && value.dimension == sigma.dimension => {
                (value.scale, value.dimension)
            }
            (true, true) => return Err(self.fault(at, "one unit around `±`", "two")),
        };
        Ok(Constant {
            exact: value.exact,
            pi: 0,
            sigma: Some(sigma.exact.abs()),
            scale,
            dimension,
            with_unit: value.with_unit || sigma.with_unit,
        })
    }
}
