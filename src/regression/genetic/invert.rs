//! Semantic back-propagation: the values that a subtree would have to have for the whole to meet the target, found by
//! undoing the operators on the way from the root (K. Krawiec, T. Pawlak 2013).

use super::kernel::Sweep;
use super::library::{ROWS, Values};
use super::tree::{Node, Tree};
use crate::expression::Function;

/// Share of the rows on which the way must be open.
const OPEN: f64 = 0.75;
/// The largest weight, in units of the median.
const HEAVIEST: f64 = 1e3;

/// The values that the subtree ending at `place` would need for the tree to have the values `wanted`, with the weight of a
/// deviation on each row: what it makes of the whole. Rows that no value meets have weight 0. The tree was evaluated on
/// the probe rows before.
pub fn wanted_at(tree: &Tree, sweep: &Sweep, wanted: &Values, place: usize) -> Option<(Values, Values)> {
    let mut node = tree.len() - 1;
    let mut values = *wanted;
    while node != place {
        let (a, b) = tree.operands(node);
        let first = tree.nodes[node].arity() == 1 || place <= a;
        let child = if first { a } else { b };
        let (x, y) = (sweep.values(a), sweep.values(b));
        let present = sweep.values(child);
        for k in 0..ROWS {
            values[k] = undone(tree.nodes[node], first, values[k], x[k], y[k], present[k]);
        }
        node = child;
    }
    let (whole, present) = (sweep.values(tree.len() - 1), sweep.values(place));
    let mut weights: Values = std::array::from_fn(|k| {
        let slope = ((wanted[k] - whole[k]) / (values[k] - present[k])).abs();
        if values[k].is_finite() && slope.is_finite() { slope } else { 0.0 }
    });
    let mut sorted: Vec<f64> = weights.iter().copied().filter(|w| *w > 0.0).collect();
    if (sorted.len() as f64) < OPEN * ROWS as f64 {
        return None;
    }
    sorted.sort_by(f64::total_cmp);
    let most = HEAVIEST * sorted[sorted.len() / 2];
    weights.iter_mut().for_each(|w| *w = w.min(most));
    for k in 0..ROWS {
        if weights[k] == 0.0 {
            values[k] = 0.0;
        }
    }
    Some((values, weights))
}

/// The value of an operand for which the result is `z`: the first operand or the second, whose values are x and y; of
/// several the one next to the present value. NaN where there is none.
pub fn undone(node: Node, first: bool, z: f64, x: f64, y: f64, present: f64) -> f64 {
    match node {
        Node::Negate => -z,
        Node::Add => z - if first { y } else { x },
        Node::Subtract => {
            if first {
                z + y
            } else {
                x - z
            }
        }
        Node::Multiply => z / if first { y } else { x },
        Node::Divide => {
            if first {
                z * y
            } else {
                x / z
            }
        }
        Node::Power => {
            if first {
                z.powf(1.0 / y)
            } else {
                z.ln() / x.ln()
            }
        }
        Node::Raise(h) => {
            let root = z.abs().powf(2.0 / f64::from(h));
            match h % 4 {
                0 if z >= 0.0 => root.copysign(present),
                0 => f64::NAN,
                2 | -2 => root.copysign(z),
                _ if z >= 0.0 => root,
                _ => f64::NAN,
            }
        }
        Node::Pair(Function::Max) => {
            if z >= if first { y } else { x } {
                z
            } else {
                f64::NAN
            }
        }
        Node::Pair(Function::Min) => {
            if z <= if first { y } else { x } {
                z
            } else {
                f64::NAN
            }
        }
        Node::Call(f) => inverse(f, z, present),
        Node::Pair(_) | Node::Own(_) | Node::OwnPair(_) | Node::Leaf(_) | Node::Constant(_) => f64::NAN,
    }
}

/// The argument of a function for a value, of several the one next to the present argument.
fn inverse(f: Function, z: f64, present: f64) -> f64 {
    use std::f64::consts::{PI, TAU};
    let near = |x: f64, period: f64| x + ((present - x) / period).round() * period;
    match f {
        Function::Exp => z.ln(),
        Function::Log => z.exp(),
        Function::Log2 => z.exp2(),
        Function::Log10 => 10f64.powf(z),
        Function::Sin | Function::Cos => {
            let (x, other) =
                if f == Function::Sin { (z.asin(), PI - z.asin()) } else { (z.acos(), -z.acos()) };
            let (x, other) = (near(x, TAU), near(other, TAU));
            if (x - present).abs() <= (other - present).abs() { x } else { other }
        }
        Function::Tan => near(z.atan(), PI),
        Function::Asin if z.abs() <= PI / 2.0 => z.sin(),
        Function::Acos if (0.0..=PI).contains(&z) => z.cos(),
        Function::Atan => {
            if z.abs() < PI / 2.0 {
                z.tan()
            } else {
                f64::NAN
            }
        }
        Function::Sinh => z.asinh(),
        Function::Cosh => z.acosh().copysign(present),
        Function::Tanh => z.atanh(),
        Function::Asinh => z.sinh(),
        Function::Acosh => z.cosh(),
        Function::Atanh => z.tanh(),
        Function::Abs => {
            if z >= 0.0 {
                z.copysign(present)
            } else {
                f64::NAN
            }
        }
        _ => f64::NAN,
    }
}
