//! Arguments without jumps. Rows are visited along the shortest tree through the features (Prim's algorithm, each feature
//! in units of its standard deviation), from the row where the features are smallest, and each argument is taken within pi
//! of that of the row it hangs on. Where neighbours differ by more than that, nothing can say so.

use std::f64::consts::TAU;

use crate::numeric::statistics;

/// Rows that form the tree; others hang on their nearest row in it.
const TREE: usize = 3000;

/// The arguments, each plus a multiple of 2 pi.
pub fn unwrapped(columns: &[Vec<f64>], args: &[f64]) -> Vec<f64> {
    let n = args.len();
    let scaled: Vec<Vec<f64>> = columns
        .iter()
        .map(|c| (c, statistics::standard_deviation(c)))
        .filter(|(_, s)| *s > 0.0 && s.is_finite())
        .map(|(c, s)| c.iter().map(|x| x / s).collect())
        .collect();
    if scaled.is_empty() || n == 0 {
        return args.to_vec();
    }
    let distance = |a: usize, b: usize| scaled.iter().map(|c| (c[a] - c[b]).powi(2)).sum::<f64>();
    let size = |a: usize| scaled.iter().map(|c| c[a].abs()).sum::<f64>();
    let root = (0..n).min_by(|&a, &b| size(a).total_cmp(&size(b))).unwrap_or(0);
    let step = n.div_ceil(TREE);
    let chosen: Vec<usize> = (0..n).filter(|k| k % step == 0 || *k == root).collect();
    let mut found = args.to_vec();
    let near = |arg: f64, to: f64| arg + TAU * ((to - arg) / TAU).round();
    // Of each row of the tree that is not reached yet the nearest one that is, and its distance.
    let mut open: Vec<(usize, usize, f64)> =
        chosen.iter().filter(|k| **k != root).map(|&k| (k, root, distance(k, root))).collect();
    while let Some(next) = (0..open.len()).min_by(|&a, &b| open[a].2.total_cmp(&open[b].2)) {
        let (row, parent, _) = open.swap_remove(next);
        found[row] = near(args[row], found[parent]);
        for (other, nearest, least) in &mut open {
            let d = distance(*other, row);
            if d < *least {
                (*nearest, *least) = (row, d);
            }
        }
    }
    for row in (0..n).filter(|k| k % step != 0 && *k != root) {
        let nearest = chosen.iter().copied().min_by(|&a, &b| distance(a, row).total_cmp(&distance(b, row)));
        if let Some(nearest) = nearest {
            found[row] = near(args[row], found[nearest]);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phase_that_grows_has_no_jumps() {
        // Not in order.
        let t: Vec<f64> = (0..50).map(|k| f64::from((k * 17) % 50) * 0.2).collect();
        let args: Vec<f64> = t.iter().map(|t| (3.0 * t).sin().atan2((3.0 * t).cos())).collect();
        let found = unwrapped(std::slice::from_ref(&t), &args);
        assert!(t.iter().zip(&found).all(|(t, a)| (3.0 * t - a).abs() < 1e-9));
        let many: Vec<f64> = (0..7000).map(|k| f64::from(k) * 1e-3).collect();
        let args: Vec<f64> = many.iter().map(|t| (5.0 * t).sin().atan2((5.0 * t).cos())).collect();
        let found = unwrapped(&[many.clone(), vec![1.0; 7000]], &args);
        assert!(many.iter().zip(&found).all(|(t, a)| (5.0 * t - a).abs() < 1e-9));
        assert_eq!(unwrapped(&[], &[1.0, -1.0]), [1.0, -1.0]);
    }
}
