//! Arithmetic and comparisons: kinds and units of sums, products, powers, ends of ranges, conversions.

use std::sync::Arc;

use super::{Checker, Condition, Dim, Inferred, Quantity};
use crate::base::{Fault, Number, Span};
use crate::language::error::{Error, fault, fault_hint};
use crate::syntax::tree::{CompareOp, ExprId, MulOp, Operator, Sign, Tree};
use crate::units::{Unit, UnitError};

/// A value and its place.
pub(super) type Placed = (Inferred, Span);

impl Checker {
    /// The fault of two dimensions that must be equal.
    pub(super) fn mismatch(&self, a: &Dim, first: Span, b: &Dim, at: Span) -> Error {
        let (a, b) = (self.units.resolve(a), self.units.resolve(b));
        let (e, f) = (a.shown(), b.shown());
        let mut error = fault(6021, at, format!("expected a term in [{e}], found one in [{f}]"));
        error.label = format!("[{f}]");
        error.related.push((first, format!("[{e}]")));
        error.hint = match (a.constant(), b.constant()) {
            (Some(expected), Some(found)) => {
                UnitError::Mismatch { expected: Unit::coherent(expected), found: Unit::coherent(found) }
                    .hint()
            }
            // What depends on a symbol differs by a factor all the same.
            _ => a.over(&b).constant().map(|d| format!("they differ by [{}]", Unit::coherent(d))),
        };
        error
    }

    /// The fault of something that is no number.
    fn no_number(&mut self, o: Operator, found: &Inferred, at: Span) -> Inferred {
        let word = match o {
            Operator::Add => "add",
            Operator::Sub => "subtract",
            Operator::Mul => "multiply",
            Operator::Div => "divide",
            Operator::Pow => "raise to a power",
        };
        let message = format!("expected numbers or expressions to {word}, found a {}", found.name());
        self.report(fault(6016, at, message))
    }

    /// `a op b`.
    pub(super) fn binary(&mut self, o: Operator, a: &Placed, b: &Placed) -> Inferred {
        let open = |v: &Inferred| matches!(v, Inferred::Unknown | Inferred::Condition(_));
        if open(&a.0) || open(&b.0) {
            return Inferred::Unknown;
        }
        if let (Some(x), Some(y)) = (a.0.quantity(), b.0.quantity()) {
            let found = self.scalar(o, &x.clone(), a.1, &y.clone(), b.1);
            return found.map_or(Inferred::Unknown, Inferred::Quantity);
        }
        if let (Some(x), Some(y)) = (Checker::known_items(&a.0), Checker::known_items(&b.0)) {
            let matrix = |items: &[Inferred]| items.iter().any(|i| matches!(i, Inferred::List(_)));
            if x.len() != y.len() || matrix(x) || matrix(y) {
                return Inferred::each(Inferred::Unknown);
            }
            let pairs: Vec<(Inferred, Inferred)> = x.iter().cloned().zip(y.iter().cloned()).collect();
            return Inferred::list(
                pairs.into_iter().map(|(x, y)| self.binary(o, &(x, a.1), &(y, b.1))).collect(),
            );
        }
        match (self.elements_of(&a.0), self.elements_of(&b.0)) {
            (None, None) => {
                if let (Inferred::Text(_), Inferred::Text(_), Operator::Add) = (&a.0, &b.0, o) {
                    return Inferred::Text(None);
                }
                let (wrong, at) = if a.0.quantity().is_none() { (&a.0, a.1) } else { (&b.0, b.1) };
                // A text beside a parameter that may be one.
                let other = if at == a.1 { &b.0 } else { &a.0 };
                if matches!(wrong, Inferred::Text(_)) && other.is_open() {
                    return Inferred::Unknown;
                }
                self.no_number(o, &wrong.clone(), at)
            }
            (x, y) => {
                let matrix = |v: &Option<Inferred>| matches!(v, Some(Inferred::List(_) | Inferred::Unknown));
                if x.is_some() && y.is_some() && (matrix(&x) || matrix(&y)) {
                    return Inferred::Unknown;
                }
                let (x, y) = (x.unwrap_or_else(|| a.0.clone()), y.unwrap_or_else(|| b.0.clone()));
                let element = self.binary(o, &(x, a.1), &(y, b.1));
                Inferred::each(element)
            }
        }
    }

    fn scalar(
        &mut self,
        o: Operator,
        x: &Quantity,
        at_x: Span,
        y: &Quantity,
        at_y: Span,
    ) -> Option<Quantity> {
        let exact = x.exact.as_ref().zip(y.exact.as_ref());
        let dim = match o {
            Operator::Add | Operator::Sub => {
                if !self.same(&x.dim, at_x, &y.dim, at_y) {
                    return None;
                }
                x.dim.clone()
            }
            Operator::Mul => x.dim.times(&y.dim),
            Operator::Div => x.dim.over(&y.dim),
            Operator::Pow => self.power(x, y, at_y)?,
        };
        let value = exact.and_then(|(p, q)| match o {
            Operator::Add => Some(p + q),
            Operator::Sub => Some(p - q),
            Operator::Mul => Some(p * q),
            Operator::Div => p.checked_div(q),
            Operator::Pow => small_power(p, q),
        });
        // Exact zero fits any unit, whatever it came from.
        let dim = if value.as_ref().is_some_and(Number::is_zero) { self.units.fresh() } else { dim };
        Some(Quantity {
            dim,
            exact: value,
            float: x.float || y.float,
            soft: x.soft || y.soft,
            symbols: x.all_symbols(y),
            bare: None,
        })
    }

    /// The dimension of a power. Exponents are pure numbers. Dimensions are vectors of numbers, so that a unit to a
    /// power which is not known before it runs (`x^n`) has one that is not known either; what is known of it is that
    /// the same unit to the same symbol is one dimension throughout a statement: `x^n + x^n*1 [s]` is a fault. Vectors
    /// over polynomials in `n` would tell more, and make every unit a question about integers.
    fn power(&mut self, base: &Quantity, exponent: &Quantity, at: Span) -> Option<Dim> {
        if !self.units.unify(&exponent.dim, &Dim::none()) {
            let message =
                format!("expected a pure number as exponent, found one in [{}]", self.shown(&exponent.dim));
            self.report(fault_hint(6022, at, message, "divide by a quantity of the same unit"));
            return None;
        }
        let dim = self.units.resolve(&base.dim);
        Some(match &exponent.exact {
            _ if dim.is_none() => dim,
            Some(n) if n.digits() < 9 => dim.power(n),
            _ => match &exponent.bare {
                Some(n) if dim.is_known() => {
                    let known = self.powers.iter().find(|(base, m, _)| *base == dim && m == n);
                    if let Some((_, _, power)) = known {
                        return Some(power.clone());
                    }
                    let power = self.units.fresh();
                    self.powers.push((dim, n.clone(), power.clone()));
                    power
                }
                _ => self.units.fresh(),
            },
        })
    }

    pub(super) fn negate(&mut self, a: &Inferred, at: Span) -> Inferred {
        match a {
            Inferred::Quantity(q) => {
                Inferred::Quantity(Quantity { exact: q.exact.as_ref().map(|n| -n), bare: None, ..q.clone() })
            }
            Inferred::Law(q, _) | Inferred::Field(_, q) => Inferred::Quantity(q.clone()),
            Inferred::Unknown | Inferred::Condition(_) => Inferred::Unknown,
            Inferred::List(super::Items::Known(items)) => {
                let items = items.to_vec();
                Inferred::list(items.iter().map(|i| self.negate(i, at)).collect())
            }
            Inferred::List(_) | Inferred::Column(_) => {
                let element = self.elements_of(a).unwrap_or(Inferred::Unknown);
                let element = self.negate(&element, at);
                Inferred::each(element)
            }
            other => self.no_number(Operator::Sub, &other.clone(), at),
        }
    }

    pub(super) fn sum(&mut self, tree: &Arc<Tree>, terms: &[(Sign, ExprId)]) -> Inferred {
        let mut total: Option<Placed> = None;
        for (sign, id) in terms {
            let term = (self.infer(tree, *id), tree.span(*id));
            total = Some(match total {
                None if *sign == Sign::Minus => (self.negate(&term.0, term.1), term.1),
                None => term,
                Some(sum) => {
                    let o = if *sign == Sign::Minus { Operator::Sub } else { Operator::Add };
                    let found = self.binary(o, &sum, &term);
                    // The place that a message points back to is that of a term which has a unit of its own.
                    let zero = sum.0.quantity().is_some_and(Quantity::is_zero);
                    (found, if zero { term.1 } else { sum.1 })
                }
            });
        }
        total.map_or(Inferred::Unknown, |t| t.0)
    }

    pub(super) fn product(&mut self, tree: &Arc<Tree>, factors: &[(MulOp, ExprId)]) -> Inferred {
        let mut total: Option<Placed> = None;
        for (o, id) in factors {
            let factor = (self.infer(tree, *id), tree.span(*id));
            total = Some(match total {
                None => factor,
                Some(product) => {
                    let span = product.1.to(factor.1);
                    let lists = self.elements_of(&product.0).zip(self.elements_of(&factor.0));
                    let found = match (o, lists) {
                        (MulOp::Dot, Some((x, y))) => {
                            match self.binary(Operator::Mul, &(x, product.1), &(y, factor.1)) {
                                Inferred::Quantity(q) => {
                                    Inferred::Quantity(Quantity { soft: true, exact: None, ..q })
                                }
                                _ => Inferred::Unknown,
                            }
                        }
                        (MulOp::Cross, Some((x, y))) => {
                            let element = self.binary(Operator::Mul, &(x, product.1), &(y, factor.1));
                            Inferred::each(element)
                        }
                        (MulOp::Divide, _) => self.binary(Operator::Div, &product, &factor),
                        _ => self.binary(Operator::Mul, &product, &factor),
                    };
                    (found, span)
                }
            });
        }
        total.map_or(Inferred::Unknown, |t| t.0)
    }

    /// One comparison: both sides have one unit.
    pub(super) fn comparison(&mut self, o: CompareOp, a: &Placed, b: &Placed) -> Condition {
        if o == CompareOp::In {
            return self.membership(a, b);
        }
        if let (Some(x), Some(y)) = (a.0.quantity(), b.0.quantity()) {
            let (x, y) = (x.clone(), y.clone());
            let sides = self.same(&x.dim, a.1, &y.dim, b.1).then(|| x.dim.clone());
            return Condition { symbols: x.all_symbols(&y), sides };
        }
        let ordered = !matches!(o, CompareOp::Eq | CompareOp::Ne);
        let text = |v: &Inferred| matches!(v, Inferred::Text(_));
        let number = |v: &Inferred| v.quantity().is_some_and(|q| !q.soft);
        if ordered && (text(&a.0) && number(&b.0) || number(&a.0) && text(&b.0)) {
            let message =
                format!("expected numbers or texts to compare, found a {} and a {}", a.0.name(), b.0.name());
            self.report(fault(6016, a.1.to(b.1), message));
        }
        Condition::UNKNOWN
    }

    fn membership(&mut self, a: &Placed, b: &Placed) -> Condition {
        match &b.0 {
            Inferred::Range(high) => {
                let Some(x) = a.0.quantity().cloned() else { return Condition::UNKNOWN };
                self.same(&high.dim, b.1, &x.dim, a.1);
                Condition { symbols: x.all_symbols(high), sides: None }
            }
            Inferred::Quantity(q) if !q.soft => {
                let message = format!("expected a range or a list after `in`, found a {}", b.0.name());
                self.report(fault_hint(6016, b.1, message, "x in 1..5"));
                Condition::UNKNOWN
            }
            _ => Condition::UNKNOWN,
        }
    }

    /// Both ends of a range, or a value and its error: they share one unit.
    pub(super) fn ends(&mut self, tree: &Arc<Tree>, a: ExprId, b: ExprId) -> Option<Quantity> {
        let (x, y) = (self.infer(tree, a), self.infer(tree, b));
        for (value, id) in [(&x, a), (&y, b)] {
            if value.quantity().is_none() && !value.is_open() && !matches!(value, Inferred::Condition(_)) {
                let message = format!("expected a number or an expression, found a {}", value.name());
                self.report(fault(6016, tree.span(id), message));
            }
        }
        let (x, y) = (x.quantity()?.clone(), y.quantity()?.clone());
        let (dx, dy) = (self.units.resolve(&x.dim), self.units.resolve(&y.dim));
        let bare = |q: &Quantity, d: &Dim| d.is_none() && q.is_number();
        let dim = if bare(&x, &dx) {
            dy.clone()
        } else if bare(&y, &dy) {
            dx.clone()
        } else {
            if !self.same(&dx, tree.span(a), &dy, tree.span(b)) {
                return None;
            }
            dx
        };
        let symbols = x.all_symbols(&y);
        Some(Quantity { soft: x.soft || y.soft, symbols, ..Quantity::of(dim) })
    }

    /// `value -> [unit]`.
    pub(super) fn convert(&mut self, value: &Inferred, unit: &Unit, span: Span) -> Inferred {
        let target = Dim::of_unit(unit);
        if let Some(q) = value.quantity() {
            let q = q.clone();
            if !self.units.unify(&q.dim, &target) {
                let found = self.units.resolve(&q.dim);
                let message = format!("expected a unit of [{}], found [{unit}]", found.shown());
                let mut error = fault(6021, span, message);
                error.label = format!("a quantity in [{}]", found.shown());
                error.hint = found.constant().and_then(|d| {
                    UnitError::Mismatch { expected: unit.clone(), found: Unit::coherent(d) }.hint()
                });
                return self.report(error);
            }
            return Inferred::Quantity(Quantity { dim: target, exact: None, bare: None, ..q });
        }
        match value {
            Inferred::List(_) | Inferred::Column(_) => {
                let element = self.elements_of(value).unwrap_or(Inferred::Unknown);
                let element = self.convert(&element, unit, span);
                Inferred::each(element)
            }
            Inferred::Unknown | Inferred::Condition(_) => Inferred::Unknown,
            other => {
                let message = format!("expected a number or an expression, found a {}", other.name());
                self.report(fault(6016, span, message))
            }
        }
    }
}

/// An exact power that is worth writing out.
fn small_power(base: &Number, exponent: &Number) -> Option<Number> {
    let k = i32::try_from(exponent.to_i64()?).ok().filter(|k| k.abs() <= 64)?;
    if base.digits() > 12 {
        return None;
    }
    base.pow(k)
}
