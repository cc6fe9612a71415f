//! Functions near the target: each is measured by the share of its variation that a factor and an offset leave apart
//! from the target (1 - r^2). The nearest get one constant more inside, added to or multiplied with one of their parts,
//! found on a grid and by golden section, factor and offset eliminated (variable projection; G. Golub, V. Pereyra, SIAM
//! J. Numer. Anal. 10, 413 (1973)).

use std::ops::Range;

use rayon::prelude::*;

use super::grammar::Op;
use super::key::{ROWS, Values};
use super::meet::Target;
use super::table::Table;
use crate::base::CancelToken;
use crate::expression::{Expr, Function};
use crate::regression::candidate::{Model, Parameter};
use crate::units::Dimension;

/// A function and how far it is from the target, 0 to 1.
#[derive(Clone, Copy, Debug)]
pub struct Near {
    /// 1 - r^2.
    pub distance: f64,
    /// The function.
    pub id: u32,
}

/// Functions a thread takes at once.
const CHUNK: usize = 1 << 10;
/// Steps of golden section.
const GOLDEN: usize = 40;
/// Values of a constant that are tried on each side of 0, per decade, and decades on each side of 1.
const PER_DECADE: i32 = 4;
const DECADES: i32 = 2;

/// The target, centred and of length 1; `None` where it does not vary on the rows.
pub fn centred(y: &Values) -> Option<Values> {
    let largest = y.iter().fold(0.0f64, |m, y| m.max(y.abs()));
    let y = y.map(|y| y / largest);
    let mean = y.iter().sum::<f64>() / ROWS as f64;
    let y = y.map(|y| y - mean);
    let length = y.iter().map(|y| y * y).sum::<f64>().sqrt();
    (length > 0.0).then(|| y.map(|y| y / length))
}

/// 1 - r^2 of values and the centred target.
pub fn distance(values: &Values, target: &Values) -> f64 {
    let largest = values.iter().fold(0.0f64, |m, v| m.max(v.abs()));
    let mean = values.iter().map(|v| v / largest).sum::<f64>() / ROWS as f64;
    let v = values.map(|v| v / largest - mean);
    let length: f64 = v.iter().map(|v| v * v).sum();
    let along: f64 = v.iter().zip(target).map(|(v, t)| v * t).sum();
    let apart: f64 = v.iter().zip(target).map(|(v, t)| (v - along * t).powi(2)).sum();
    if length > 1e-22 * mean * mean && (apart / length).is_finite() { apart / length } else { 1.0 }
}

/// The `most` nearest functions in a range, the nearest first, and all closer than `close`.
pub fn nearest(
    table: &Table,
    target: &Values,
    range: Range<u32>,
    most: usize,
    close: f64,
) -> (Vec<Near>, Vec<u32>) {
    let ids: Vec<u32> = range.collect();
    let keep = |near: &mut Vec<Near>| {
        near.sort_by(|a, b| a.distance.total_cmp(&b.distance).then(a.id.cmp(&b.id)));
        near.truncate(most);
    };
    let parts: Vec<(Vec<Near>, Vec<u32>)> = ids
        .par_chunks(CHUNK)
        .map(|chunk| {
            let (mut near, mut hits) = (Vec::new(), Vec::new());
            let mut buffer = [0.0; ROWS];
            for &id in chunk.iter().filter(|id| !table.entry(**id).constant) {
                let distance = distance(table.values(id, &mut buffer), target);
                if distance <= close {
                    hits.push(id);
                }
                near.push(Near { distance, id });
            }
            keep(&mut near);
            (near, hits)
        })
        .collect();
    let (near, hits): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
    let mut near: Vec<Near> = near.into_iter().flatten().collect();
    keep(&mut near);
    (near, hits.into_iter().flatten().collect())
}

/// A place in an expression where a constant may be, by the number of the part in depth-first order.
#[derive(Clone, Copy, Debug)]
struct Place {
    part: usize,
    id: u32,
    factor: bool,
}

/// The places where a constant is neither the factor nor the offset of the whole.
fn places(table: &Table, id: u32) -> Vec<Place> {
    let mut places = Vec::new();
    let mut next = 0;
    visit(table, id, None, &mut next, &mut places);
    places
}

fn visit(table: &Table, id: u32, parent: Option<Op>, next: &mut usize, places: &mut Vec<Place>) {
    let part = *next;
    *next += 1;
    if let Some(parent) = parent {
        let carried = matches!(parent, Op::Multiply | Op::Divide | Op::Square | Op::Root(_));
        // A factor of an argument that is a logarithm's is an offset.
        if !carried && !matches!(parent, Op::Call(Function::Log, _)) {
            places.push(Place { part, id, factor: true });
        }
        // An offset of an exponential's argument is a factor.
        if !matches!(parent, Op::Add | Op::Subtract | Op::Call(Function::Exp, _)) {
            places.push(Place { part, id, factor: false });
        }
    }
    let (op, entry) = (table.op(id), table.entry(id));
    if op != Op::Leaf {
        visit(table, entry.a, Some(op), next, places);
        if op.is_binary() {
            visit(table, entry.b, Some(op), next, places);
        }
    }
}

/// The values with a constant at a place.
fn with(table: &Table, id: u32, place: Place, constant: f64, part: &mut usize, out: &mut Values) {
    let own = *part;
    *part += 1;
    let (op, entry) = (table.op(id), table.entry(id));
    if op == Op::Leaf {
        *out = *table.grammar.leaves[entry.a as usize].values;
    } else {
        let (mut a, mut b) = ([0.0; ROWS], [0.0; ROWS]);
        with(table, entry.a, place, constant, part, &mut a);
        if op.is_binary() {
            with(table, entry.b, place, constant, part, &mut b);
        }
        op.apply(table.projection.level, &a, &b, out);
    }
    if own == place.part {
        out.iter_mut().for_each(|v| *v = if place.factor { *v * constant } else { *v + constant });
    }
}

/// The expression with a symbol at a place.
fn expr_with(table: &Table, id: u32, place: Place, symbol: &Expr, part: &mut usize) -> Expr {
    let own = *part;
    *part += 1;
    let (op, entry) = (table.op(id), table.entry(id));
    let e = if op == Op::Leaf {
        table.grammar.leaves[entry.a as usize].expr.clone()
    } else {
        let a = expr_with(table, entry.a, place, symbol, part);
        let b = if op.is_binary() { expr_with(table, entry.b, place, symbol, part) } else { Expr::one() };
        op.expr(a, b)
    };
    match (own == place.part, place.factor) {
        (true, true) => e * symbol.clone(),
        (true, false) => e + symbol.clone(),
        _ => e,
    }
}

/// A function with a constant inside.
#[derive(Clone, Copy, Debug)]
pub struct Inner {
    /// 1 - r^2.
    pub distance: f64,
    id: u32,
    place: Place,
    constant: f64,
}

/// The nearest functions with a constant in the best places, the nearest first; `None` where somebody asked to stop.
pub fn inner(table: &Table, target: &Values, near: &[Near], cancel: &CancelToken) -> Option<Vec<Inner>> {
    let found: Vec<Option<Vec<Inner>>> = near
        .par_iter()
        .map(|n| {
            if cancel.stop().is_some() {
                return None;
            }
            Some(places(table, n.id).into_iter().filter_map(|p| fit(table, target, n.id, p)).collect())
        })
        .collect();
    let mut found: Vec<Inner> =
        found.into_iter().collect::<Option<Vec<_>>>()?.into_iter().flatten().collect();
    found.sort_by(|a, b| {
        a.distance.total_cmp(&b.distance).then((a.id, a.place.part, a.place.factor).cmp(&(
            b.id,
            b.place.part,
            b.place.factor,
        )))
    });
    Some(found)
}

/// The best constant at a place.
fn fit(table: &Table, target: &Values, id: u32, place: Place) -> Option<Inner> {
    let mut values = [0.0; ROWS];
    let scale = if place.factor {
        1.0
    } else {
        let mut buffer = [0.0; ROWS];
        let part = table.values(place.id, &mut buffer);
        (part.iter().map(|v| v * v).sum::<f64>() / ROWS as f64).sqrt()
    };
    let mut at = |constant: f64| {
        with(table, id, place, constant, &mut 0, &mut values);
        distance(&values, target)
    };
    let grid: Vec<f64> = (-PER_DECADE * DECADES..=PER_DECADE * DECADES)
        .map(|k| scale * 10f64.powf(f64::from(k) / f64::from(PER_DECADE)))
        .collect();
    let side = |sign: f64, at: &mut dyn FnMut(f64) -> f64| {
        let best = grid.iter().map(|c| at(sign * c)).enumerate().min_by(|a, b| a.1.total_cmp(&b.1));
        best.map(|(k, d)| (d, sign, k))
    };
    let (least, sign, k) =
        [side(1.0, &mut at)?, side(-1.0, &mut at)?].into_iter().min_by(|a, b| a.0.total_cmp(&b.0))?;
    let (mut low, mut high) = (grid[k.saturating_sub(1)], grid[(k + 1).min(grid.len() - 1)]);
    const SHARE: f64 = 0.618_033_988_749_894_9;
    let (mut x, mut y) = (high - SHARE * (high - low), low + SHARE * (high - low));
    let (mut dx, mut dy) = (at(sign * x), at(sign * y));
    for _ in 0..GOLDEN {
        if dx <= dy {
            (high, y, dy) = (y, x, dx);
            x = high - SHARE * (high - low);
            dx = at(sign * x);
        } else {
            (low, x, dx) = (x, y, dy);
            y = low + SHARE * (high - low);
            dy = at(sign * y);
        }
    }
    let found = [(least, grid[k]), (dx, x), (dy, y)].into_iter().min_by(|a, b| a.0.total_cmp(&b.0))?;
    (found.0 < 1.0).then_some(Inner { distance: found.0, id, place, constant: sign * found.1 })
}

/// Factor and offset that bring values closest to the target.
fn affine(values: &Values, y: &Values) -> (f64, f64) {
    let mean = |v: &Values| v.iter().sum::<f64>() / ROWS as f64;
    let (mv, my) = (mean(values), mean(y));
    let (mut cross, mut square) = (0.0, 0.0);
    for (v, y) in values.iter().zip(y) {
        cross += (v - mv) * (y - my);
        square += (v - mv).powi(2);
    }
    (cross / square, my - cross / square * mv)
}

/// The laws factor*e and factor*e + offset of a function without a constant inside.
pub fn laws(table: &Table, target: &Target, id: u32) -> Vec<Model> {
    let mut values = [0.0; ROWS];
    let w = *table.values(id, &mut values);
    let e = table.expr(id);
    models(&w, target, table.dimension(id), &mut |_| e.clone(), None)
}

impl Inner {
    /// The laws factor*e and factor*e + offset; the one without offset alone where it agrees with the target.
    pub fn laws(&self, table: &Table, target: &Target) -> Vec<Model> {
        let mut values = [0.0; ROWS];
        with(table, self.id, self.place, self.constant, &mut 0, &mut values);
        let dimension = if self.place.factor { Dimension::NONE } else { table.dimension(self.place.id) };
        let mut e = |symbol: &Expr| expr_with(table, self.id, self.place, symbol, &mut 0);
        models(&values, target, table.dimension(self.id), &mut e, Some((self.constant, dimension)))
    }
}

fn models(
    w: &Values,
    target: &Target,
    dimension: Dimension,
    e: &mut dyn FnMut(&Expr) -> Expr,
    constant: Option<(f64, Dimension)>,
) -> Vec<Model> {
    let Some(whole) = target.dimension.div(dimension) else { return Vec::new() };
    let y = &target.values;
    let along = |p: &Values, q: &Values| p.iter().zip(q).map(|(p, q)| p * q).sum::<f64>();
    let plain = along(y, w) / along(w, w);
    let (factor, offset) = affine(w, y);
    let agrees = w.iter().zip(y).all(|(w, y)| (plain * w - y).abs() <= target.tolerance);
    let parameter = |k, start, dimension| Parameter { symbol: Parameter::symbol(k), start, dimension };
    let mut first = vec![parameter(0, plain, whole)];
    let inside = Expr::symbol(Parameter::symbol(1));
    first.extend(constant.map(|(c, d)| parameter(1, c, d)));
    let body = Expr::symbol(Parameter::symbol(0)) * e(&inside);
    let k = first.len();
    let mut second = first.clone();
    second[0].start = factor;
    second.push(parameter(k, offset, target.dimension));
    let with_offset = body.clone() + Expr::symbol(Parameter::symbol(k));
    let mut models = vec![Model { template: body, parameters: first, engine: super::NAME }];
    if !agrees {
        models.push(Model { template: with_offset, parameters: second, engine: super::NAME });
    }
    models.retain(|m| !m.template.is_undefined() && m.parameters.iter().all(|p| p.start.is_finite()));
    models
}
