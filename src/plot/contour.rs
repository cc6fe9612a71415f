//! Lines of equal value on a grid: marching squares (Maple, GMAG 2003), linear between the corners, the centre
//! deciding where a cell is a saddle; segments are joined to lines through the edges they share.

use std::collections::BTreeMap;

use super::axis::Projection;
use super::ticks;

/// An edge of the grid: row, column, and whether it stands upright.
type Edge = (usize, usize, bool);

/// The lines on which values at the corners of a grid are `level`, joined by NaN. `values` row by row, the first row
/// at `ys[0]`; both coordinate lists ascend or descend.
pub fn contour(xs: &[f64], ys: &[f64], values: &[f64], level: f64) -> Vec<(f64, f64)> {
    let width = xs.len();
    if width < 2 || ys.len() < 2 || values.len() < width * ys.len() {
        return Vec::new();
    }
    let at = |i: usize, j: usize| values[i * width + j] - level;
    let crossing = |(i, j, upright): Edge| -> (f64, f64) {
        let (k, l) = if upright { (i + 1, j) } else { (i, j + 1) };
        let (a, b) = (at(i, j), at(k, l));
        let t = if a == b { 0.5 } else { a / (a - b) };
        (xs[j] + t * (xs[l] - xs[j]), ys[i] + t * (ys[k] - ys[i]))
    };
    let mut links: BTreeMap<Edge, Vec<Edge>> = BTreeMap::new();
    for i in 0..ys.len() - 1 {
        for j in 0..width - 1 {
            let corners = [at(i, j), at(i, j + 1), at(i + 1, j + 1), at(i + 1, j)];
            if corners.iter().any(|v| !v.is_finite()) {
                continue;
            }
            let above: Vec<bool> = corners.iter().map(|v| *v > 0.0).collect();
            let edges: [Edge; 4] = [(i, j, false), (i, j + 1, true), (i + 1, j, false), (i, j, true)];
            let crossed: Vec<usize> = (0..4).filter(|k| above[*k] != above[(k + 1) % 4]).collect();
            let pairs: Vec<(usize, usize)> = match crossed.as_slice() {
                [a, b] => vec![(*a, *b)],
                [_, _, _, _] => {
                    let centre = corners.iter().sum::<f64>() > 0.0;
                    // The corners that differ from the centre are cut off.
                    if centre == above[0] { vec![(0, 1), (2, 3)] } else { vec![(3, 0), (1, 2)] }
                }
                _ => continue,
            };
            for (a, b) in pairs {
                links.entry(edges[a]).or_default().push(edges[b]);
                links.entry(edges[b]).or_default().push(edges[a]);
            }
        }
    }
    let mut line = Vec::new();
    // Open lines begin where an edge has one neighbour; what is left is closed.
    let ends: Vec<Edge> = links.iter().filter(|(_, l)| l.len() == 1).map(|(e, _)| *e).collect();
    let all: Vec<Edge> = links.keys().copied().collect();
    for start in ends.into_iter().chain(all) {
        let mut here = start;
        let mut begun = false;
        while let Some(next) = links.get_mut(&here).and_then(Vec::pop) {
            if !begun {
                if !line.is_empty() {
                    line.push((f64::NAN, f64::NAN));
                }
                line.push(crossing(here));
                begun = true;
            }
            if let Some(back) = links.get_mut(&next)
                && let Some(k) = back.iter().position(|e| *e == here)
            {
                back.swap_remove(k);
            }
            line.push(crossing(next));
            here = next;
        }
    }
    line
}

/// Nice values between the ends of an axis, about `count` of them.
pub fn levels(axis: &Projection, count: usize) -> Vec<f64> {
    let (low, high) = axis.ends();
    ticks::ticks(axis, count + 1).major.into_iter().filter(|v| *v > low && *v < high).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contours_of_a_paraboloid_are_circles() {
        let xs: Vec<f64> = (0..=80).map(|k| -2.0 + f64::from(k) / 20.0).collect();
        let values: Vec<f64> = xs.iter().flat_map(|y| xs.iter().map(move |x| x * x + y * y)).collect();
        let line = contour(&xs, &xs, &values, 1.0);
        assert!(line.len() > 100 && line.iter().all(|p| !p.0.is_nan()), "one closed line");
        assert!(line.iter().all(|(x, y)| (x.hypot(*y) - 1.0).abs() < 2e-3));
        assert_eq!(line.first(), line.last());
        assert!(contour(&xs, &xs, &values, 100.0).is_empty());
    }

    #[test]
    fn a_saddle_and_holes_break_nothing() {
        let xs = [0.0, 1.0, 2.0];
        let values = [1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0, f64::NAN, 1.0];
        let line = contour(&xs, &xs, &values, 0.0);
        assert!(!line.is_empty());
        assert!(contour(&xs[..1], &xs, &values, 0.0).is_empty());
    }
}
