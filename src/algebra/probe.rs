//! Numbers at random points of the declared domains: the last guard of `simplify`, and the evidence of
//! `equivalent`. Eight points are evaluated at once; a second evaluator follows rounding errors to first order, so
//! that a difference made by cancellation is told from a real one. Undefined functions get a fixed smooth function
//! that depends on their name.

use rand::RngExt;

use crate::base::hash;
use crate::base::random::{Rng, Streams};
use crate::expression::{Declarations, Domain, Expr, Kind, Symbol};

/// Points evaluated at once.
pub(super) const LANES: usize = 8;

/// Values at [`LANES`] points.
pub(super) type Lanes = [f64; LANES];

/// Random points: for each symbol one value a lane.
#[derive(Clone, Debug)]
pub(super) struct Points {
    symbols: Vec<(Symbol, Lanes)>,
}

fn value(rng: &mut Rng, symbol: &Symbol, declarations: &Declarations) -> f64 {
    let unit = |rng: &mut Rng| -> f64 { rng.random::<f64>() };
    let declared = declarations.get(symbol);
    match declared.and_then(|d| d.domain.as_ref()) {
        Some(Domain::Interval { low, high }) if low.is_finite() && high.is_finite() => {
            let x = low + (high - low) * unit(rng);
            return if declared.is_some_and(|d| d.assumptions.integer) {
                x.round().clamp(low.ceil(), high.floor().max(low.ceil()))
            } else {
                x
            };
        }
        Some(Domain::Values(values)) if !values.is_empty() => {
            return values[(unit(rng) * values.len() as f64) as usize % values.len()];
        }
        _ => {}
    }
    let assumptions = declared.map(|d| d.assumptions).unwrap_or_default();
    let (low, high) =
        declared.and_then(|d| d.domain.as_ref()).map_or((f64::NEG_INFINITY, f64::INFINITY), Domain::bounds);
    // Mostly of order 1, sometimes small or large.
    let mut size = match (unit(rng) * 8.0) as u32 {
        0 => 0.01 + 0.3 * unit(rng),
        1 => 3.0 + 9.0 * unit(rng),
        _ => 0.2 + 2.8 * unit(rng),
    };
    if assumptions.integer {
        size = size.ceil();
    }
    if low.is_finite() {
        return low + size;
    }
    if high.is_finite() {
        return high - size;
    }
    if assumptions.positive || assumptions.nonnegative {
        size
    } else if assumptions.negative || assumptions.nonpositive || rng.random::<f64>() < 0.5 {
        -size
    } else {
        size
    }
}

impl Points {
    /// Points for these symbols in the declared domains; a symbol without one takes both signs.
    pub(super) fn draw(symbols: &[Symbol], declarations: &Declarations, rng: &mut Rng) -> Points {
        let symbols = symbols
            .iter()
            .map(|s| {
                let mut lanes = [0.0; LANES];
                for lane in &mut lanes {
                    *lane = value(rng, s, declarations);
                }
                (s.clone(), lanes)
            })
            .collect();
        Points { symbols }
    }

    fn get(&self, symbol: &Symbol) -> Option<&Lanes> {
        self.symbols.iter().find(|(s, _)| s == symbol).map(|(_, v)| v)
    }

    /// The point of one lane.
    pub(super) fn point(&self, lane: usize) -> Vec<(Symbol, f64)> {
        self.symbols.iter().map(|(s, v)| (s.clone(), v[lane])).collect()
    }
}

/// Values of an expression at all points; NaN where it has no real one.
pub(super) fn lanes(e: &Expr, points: &Points) -> Lanes {
    let each = |f: &dyn Fn(usize) -> f64| -> Lanes { std::array::from_fn(f) };
    match e.kind() {
        Kind::Number(n) => [n.to_f64(); LANES],
        Kind::Float(x) => [*x; LANES],
        Kind::Uncertain(u) => [u.value(); LANES],
        Kind::Unit(u) => [u.scale().to_f64(); LANES],
        Kind::Constant(c) => [c.to_f64().unwrap_or(f64::NAN); LANES],
        Kind::Symbol(s) => points.get(s).copied().unwrap_or([f64::NAN; LANES]),
        Kind::Sum(items) => items.iter().fold([0.0; LANES], |sum, t| {
            let t = lanes(t, points);
            each(&|i| sum[i] + t[i])
        }),
        Kind::Product(items) => items.iter().fold([1.0; LANES], |product, f| {
            let f = lanes(f, points);
            each(&|i| product[i] * f[i])
        }),
        Kind::Power(b, x) => {
            let base = lanes(b, points);
            match x.as_i64().and_then(|n| i32::try_from(n).ok()) {
                Some(n) => each(&|i| power_int(base[i], n)),
                None if x.as_number() == Some(&crate::base::Number::HALF) => each(&|i| base[i].sqrt()),
                None => {
                    let exponent = lanes(x, points);
                    each(&|i| base[i].powf(exponent[i]))
                }
            }
        }
        Kind::Call(f, args) => {
            let value = f.row().value;
            if let [x] = args.as_ref() {
                let x = lanes(x, points);
                return each(&|i| finite_or_nan(value(&[x[i]])));
            }
            let args: Vec<Lanes> = args.iter().map(|a| lanes(a, points)).collect();
            each(&|i| value(&args.iter().map(|a| a[i]).collect::<Vec<f64>>()))
        }
        Kind::Apply(name, args) => {
            let args: Vec<Lanes> = args.iter().map(|a| lanes(a, points)).collect();
            each(&|i| stand_in(name.stable_hash(), args.iter().map(|a| a[i])))
        }
        Kind::Derivative(d) => {
            let tag = d.orders.iter().fold(d.function.stable_hash(), |h, n| hash::combine(h, *n as u64));
            let args: Vec<Lanes> = d.args.iter().map(|a| lanes(a, points)).collect();
            each(&|i| stand_in(tag, args.iter().map(|a| a[i])))
        }
        Kind::Piecewise(branches, last) => {
            let mut result = lanes(last, points);
            for (condition, v) in branches.iter().rev() {
                let (holds, v) = (lanes(condition, points), lanes(v, points));
                for i in 0..LANES {
                    if holds[i].is_nan() {
                        result[i] = f64::NAN;
                    } else if holds[i] != 0.0 {
                        result[i] = v[i];
                    }
                }
            }
            result
        }
        Kind::Relation(op, a, b) => {
            let (a, b) = (lanes(a, points), lanes(b, points));
            each(&|i| {
                if a[i].is_nan() || b[i].is_nan() { f64::NAN } else { f64::from(op.holds(a[i], b[i])) }
            })
        }
        Kind::Not(a) => {
            let a = lanes(a, points);
            each(&|i| 1.0 - a[i])
        }
        Kind::And(items) => items.iter().fold([1.0; LANES], |all, c| {
            let c = lanes(c, points);
            each(&|i| all[i] * c[i])
        }),
        Kind::Or(items) => items.iter().fold([0.0; LANES], |any, c| {
            let c = lanes(c, points);
            each(&|i| if any[i].is_nan() || c[i].is_nan() { f64::NAN } else { any[i].max(c[i]) })
        }),
        Kind::Bool(b) => [f64::from(*b); LANES],
    }
}

fn power_int(x: f64, n: i32) -> f64 {
    match n {
        -1 => 1.0 / x,
        2 => x * x,
        _ => x.powi(n),
    }
}

fn finite_or_nan(x: f64) -> f64 {
    if x.is_finite() { x } else { f64::NAN }
}

fn stand_in(tag: u64, args: impl Iterator<Item = f64>) -> f64 {
    let mut h = hash::mix(tag);
    let phase = args.fold((h % 1000) as f64 / 300.0, |sum, a| {
        h = hash::mix(h.wrapping_add(1));
        sum + a * (0.3 + (h % 1000) as f64 / 900.0)
    });
    1.5 + phase.sin()
}

/// Value and a bound of its rounding error at one lane.
pub(super) fn value_and_error(e: &Expr, points: &Points, lane: usize) -> (f64, f64) {
    const EPS: f64 = f64::EPSILON;
    let go = |x: &Expr| value_and_error(x, points, lane);
    match e.kind() {
        Kind::Sum(items) => {
            let (mut sum, mut error) = (0.0, 0.0);
            for (v, d) in items.iter().map(go) {
                sum += v;
                error += d + EPS * f64::abs(sum);
            }
            (sum, error)
        }
        Kind::Product(items) => {
            let (mut product, mut error) = (1.0, 0.0);
            for (v, d) in items.iter().map(go) {
                error = error * f64::abs(v) + f64::abs(product) * d;
                product *= v;
                error += EPS * f64::abs(product);
            }
            (product, error)
        }
        Kind::Power(b, x) => {
            let ((b, db), (x, dx)) = (go(b), go(x));
            let f =
                |b: f64, x: f64| if x.fract() == 0.0 && x.abs() < 1e9 { b.powi(x as i32) } else { b.powf(x) };
            let v = f(b, x);
            let mut error = 4.0 * EPS * v.abs();
            for (p, q) in [(b + db, x), (b - db, x), (b, x + dx), (b, x - dx)] {
                let d = (f(p, q) - v).abs();
                if d.is_finite() {
                    error += d;
                } else if db > 0.0 {
                    error += v.abs();
                }
            }
            (v, error)
        }
        Kind::Call(f, args) => {
            let parts: Vec<(f64, f64)> = args.iter().map(go).collect();
            let at: Vec<f64> = parts.iter().map(|p| p.0).collect();
            let value = f.row().value;
            let v = value(&at);
            let mut error = 8.0 * EPS * v.abs();
            for (i, (_, d)) in parts.iter().enumerate() {
                for step in [*d, -*d] {
                    let mut moved = at.clone();
                    moved[i] += step;
                    let change = (value(&moved) - v).abs();
                    error += if change.is_finite() { change } else { v.abs() };
                }
            }
            (finite_or_nan(v), error)
        }
        _ => {
            let v = lanes(e, points)[lane];
            let exact = matches!(e.kind(), Kind::Symbol(_)) || e.as_i64().is_some();
            (v, if exact { 0.0 } else { EPS * v.abs() })
        }
    }
}

/// How two expressions compare at some points.
#[derive(Clone, Debug)]
pub(super) struct Comparison {
    /// Points where both have a value and these agree.
    pub(super) agree: usize,
    /// A lane where both have a value and these differ.
    pub(super) differ: Option<usize>,
    /// A lane where only the first has a value.
    pub(super) only_first: Option<usize>,
}

/// Compares two expressions at [`LANES`] points, rounding errors allowed for.
pub(super) fn compare(a: &Expr, b: &Expr, points: &Points) -> Comparison {
    let (x, y) = (lanes(a, points), lanes(b, points));
    let mut out = Comparison { agree: 0, differ: None, only_first: None };
    for i in 0..LANES {
        if !x[i].is_finite() || !y[i].is_finite() {
            if x[i].is_finite() {
                // A pole or the edge of a domain may be missed or met by rounding.
                let (value, error) = value_and_error(a, points, i);
                if error <= 1e-6 * value.abs() {
                    out.only_first.get_or_insert(i);
                }
            }
            continue;
        }
        if (x[i] - y[i]).abs() <= 1e-12 * x[i].abs().max(y[i].abs()) {
            out.agree += 1;
            continue;
        }
        let ((x, dx), (y, dy)) = (value_and_error(a, points, i), value_and_error(b, points, i));
        let allowed = 16.0 * (dx + dy) + 1e-14 * x.abs().max(y.abs());
        if (x - y).abs() <= allowed {
            // Drowned in rounding errors, it says nothing.
            out.agree += usize::from(allowed <= 1e-3 * x.abs().max(y.abs()) || x == y || allowed < 1e-9);
        } else {
            out.differ.get_or_insert(i);
        }
    }
    out
}

/// The stream of a purpose, the same for the same expressions.
pub(super) fn stream(seed: u64, purpose: &str) -> Rng {
    Streams::new(seed).stream(purpose)
}

#[cfg(test)]
impl Points {
    /// Changes the values of a symbol.
    pub(super) fn map(&mut self, symbol: &Symbol, f: fn(f64) -> f64) {
        for (_, values) in self.symbols.iter_mut().filter(|(s, _)| s == symbol) {
            values.iter_mut().for_each(|v| *v = f(*v));
        }
    }
}
