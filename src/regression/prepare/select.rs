//! Selection of columns: a short list (`screen.rs`) of the target and of its ranks, then Gaussian processes with one length
//! scale a column (`process.rs`; "automatic relevance determination", Rasmussen & Williams 2006, ch. 5.1), of which the
//! worse half of the columns is left out until the wanted number is left. The worth of a column is its total effect on the
//! process's mean, by permutation (M. J. W. Jansen, Comput. Phys. Commun. 117 (1999) 35).

use super::process::{Conditioned, Fitted, Rows, condition, covariance, fit};
use super::screen::{ranks, screen};
use super::{Standard, relative_variances, sample_rows};
use crate::base::CancelToken;
use crate::base::random::Streams;
use crate::numeric::statistics;
use crate::regression::Problem;
use nalgebra::DVector;
use rand::seq::SliceRandom;
use rayon::prelude::*;

/// Rows of the short list.
const SCREENED: usize = 1500;
/// Rows of the processes: of the short list, and of at most half of it.
const ROWS: (usize, usize) = (220, 350);
/// Columns of the short list beyond the wanted ones: from the target and from its ranks.
const MORE: usize = 5;
/// Evaluations of a fit.
const WORK: u64 = 40;
/// Permutations of a column.
const PERMUTATIONS: usize = 4;
/// Nats of evidence, beyond those for the choice, that a column must bring to matter: 20 to 1.
const DECISIVE: f64 = 3.0;

/// Which columns matter.
#[derive(Clone, Debug, PartialEq)]
pub struct Selection {
    /// The chosen columns, in the order of the table: `k` of them, or as many as vary.
    pub chosen: Vec<usize>,
    /// The share of the target's variance that goes when a column's values are mixed up between rows (total effect); 0 for
    /// columns that are constant, repeated, or not on the short list. Shares of columns that act together overlap, so that
    /// their sum may exceed 1. Where one size of the target dwarfs the others, the shares are those of its ranks.
    pub scores: Vec<f64>,
    /// The chosen columns without which the rest explains the data decisively worse; the others are there only because
    /// `k` were asked for.
    pub matter: Vec<usize>,
}

/// Chooses the `k` columns that say most about the target. A stop asked for returns what is known so far.
pub fn features(problem: &Problem, k: usize, seed: u64, cancel: &CancelToken) -> Selection {
    let mut selection =
        Selection { chosen: Vec::new(), scores: vec![0.0; problem.columns.len()], matter: Vec::new() };
    let useful: Vec<usize> =
        problem.useful().into_iter().filter(|&c| problem.columns[c].iter().all(|x| x.is_finite())).collect();
    let finite = problem.target.iter().all(|y| y.is_finite());
    let Some(target) = Standard::of(&problem.target).filter(|_| finite && k > 0 && !useful.is_empty()) else {
        selection.chosen = useful.into_iter().take(k).collect();
        return selection;
    };
    let k = k.min(useful.len());
    let scores = rank_scores(&target.values);
    let listed = short_list(problem, &useful, [&target.values, &scores], k, seed, cancel);
    let columns: Vec<Vec<f64>> = listed
        .iter()
        .map(|&c| Standard::of(&problem.columns[c]).map_or(vec![0.0; problem.rows()], |s| s.values))
        .collect();
    let variances = relative_variances(problem.sigma.as_deref(), problem.rows());
    let rows = sample_rows(problem.rows(), ROWS.1, seed, "prepare/select");
    let sets =
        [(target.values, variances), (scores, vec![1.0; problem.rows()])].map(|(target, variances)| {
            Rows { columns: columns.clone(), target, variances, degree: 0 }.pick(&rows)
        });
    let Some((rows, fitted)) = first_fit(&sets, k, cancel) else {
        // Too few rows for a process: the order of the short list.
        selection.chosen = listed.into_iter().take(k).collect();
        selection.chosen.sort_unstable();
        return selection;
    };
    let left = eliminate(rows, fitted, k, seed, &listed, &mut selection.scores, cancel);
    selection.chosen = left.columns.iter().map(|&c| listed[c]).collect();
    selection.matter = decisive(&left, useful.len(), cancel).iter().map(|&c| listed[c]).collect();
    selection.chosen.sort_unstable();
    selection.matter.sort_unstable();
    selection
}

/// Deviates of a smooth distribution (the logistic) by the ranks: what is heavy in the target's tails becomes light.
fn rank_scores(list: &[f64]) -> Vec<f64> {
    let scores: Vec<f64> = ranks(list).iter().map(|u| (u / (1.0 - u)).ln()).collect();
    Standard::of(&scores).map_or(scores, |s| s.values)
}

/// The columns most telling of the target and of its ranks, in turns.
fn short_list(
    problem: &Problem,
    useful: &[usize],
    targets: [&Vec<f64>; 2],
    k: usize,
    seed: u64,
    cancel: &CancelToken,
) -> Vec<usize> {
    let rows = sample_rows(problem.rows(), SCREENED, seed, "prepare/screen");
    let take = |list: &[f64]| -> Vec<f64> { rows.iter().map(|&i| list[i]).collect() };
    let columns: Vec<Vec<f64>> = useful.iter().map(|&c| take(&problem.columns[c])).collect();
    let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    let lists = targets.map(|target| screen(&columns, &take(target), k + MORE, cancel));
    let mut listed: Vec<usize> = Vec::new();
    for at in 0..lists[0].len().max(lists[1].len()) {
        for list in &lists {
            listed.extend(list.get(at).map(|&c| useful[c]).filter(|c| !listed.contains(c)));
        }
    }
    listed.truncate(k + 2 * MORE);
    listed
}

/// The target or its ranks, whichever the process foretells better in rows left out, and its hyperparameters.
fn first_fit(sets: &[Rows; 2], k: usize, cancel: &CancelToken) -> Option<(Rows, Fitted)> {
    let d = sets[0].columns.len();
    let few = sample_rows(sets[0].count(), ROWS.0, 0, "prepare/select");
    let fewer = [0, 1].map(|set: usize| sets[set].pick(&few));
    // All columns alike, and those listed first before the others.
    let alike = vec![(d as f64).sqrt().ln(); d];
    let first = (1.5 * (k as f64).sqrt()).ln();
    let ordered: Vec<f64> = (0..d).map(|j| if j < k { first } else { first + 2.0 }).collect();
    let starts: [(usize, &Vec<f64>); 4] = [(0, &alike), (0, &ordered), (1, &alike), (1, &ordered)];
    let found: Vec<(usize, Fitted)> = starts
        .par_iter()
        .filter_map(|(set, lengths)| {
            let start: Vec<f64> = lengths.iter().copied().chain([0.1f64.ln()]).collect();
            Some((*set, fit(&fewer[*set], &start, WORK, cancel)?))
        })
        .collect();
    let best = |set: usize| {
        let of_set = found.iter().filter(|f| f.0 == set).map(|f| &f.1);
        of_set.reduce(|a, b| if b.evidence > a.evidence { b } else { a })
    };
    let told =
        [0, 1].map(|set| best(set).and_then(|f| left_out(&fewer[set], f)).unwrap_or(f64::NEG_INFINITY));
    let set = usize::from(told[1] > told[0]);
    Some((sets[set].clone(), best(set)?.clone()))
}

/// The share of the variance that is foretold in each row by the others: the error left out is (P y)_i/P_ii.
fn left_out(rows: &Rows, fitted: &Fitted) -> Option<f64> {
    let c = condition(rows, &fitted.point)?;
    let errors: Vec<f64> = (0..rows.count()).map(|i| c.alpha[i] / c.p[(i, i)]).collect();
    Some(statistics::r2(&rows.target, &errors))
}

/// The columns that are left (places in the short list), their rows and process.
struct Left {
    columns: Vec<usize>,
    rows: Rows,
    fitted: Fitted,
}

/// Leaves out the worse half of the columns until `k` are left; writes the scores.
fn eliminate(
    rows: Rows,
    fitted: Fitted,
    k: usize,
    seed: u64,
    listed: &[usize],
    scores: &mut [f64],
    cancel: &CancelToken,
) -> Left {
    let mut left = Left { columns: (0..listed.len()).collect(), rows, fitted };
    loop {
        let worth = effects(&left.rows, &left.fitted, seed);
        left.columns.iter().zip(&worth).for_each(|(&c, w)| scores[listed[c]] = *w);
        let now = left.columns.len();
        if now <= k {
            return left;
        }
        let mut order: Vec<usize> = (0..now).collect();
        order.sort_by(|&a, &b| worth[b].total_cmp(&worth[a]));
        order.truncate(k.max(now / 2));
        order.sort_unstable();
        left.columns = order.iter().map(|&i| left.columns[i]).collect();
        left.rows.columns = order.iter().map(|&i| left.rows.columns[i].clone()).collect();
        let kept: Vec<f64> = order.iter().chain([&now]).map(|&i| left.fitted.point[i]).collect();
        let fresh: Vec<f64> =
            order.iter().map(|_| (2.0 * (order.len() as f64).sqrt()).ln()).chain([-2.3]).collect();
        let found: Vec<Fitted> = [kept.clone(), fresh]
            .par_iter()
            .filter_map(|start| fit(&left.rows, start, WORK, cancel))
            .collect();
        let best = found.into_iter().reduce(|a, b| if b.evidence > a.evidence { b } else { a });
        left.fitted = best.unwrap_or(Fitted { point: kept, evidence: f64::NEG_INFINITY });
    }
}

/// The total effect of each column on the process's mean, as a share of the target's variance.
fn effects(rows: &Rows, fitted: &Fitted, seed: u64) -> Vec<f64> {
    let d = rows.columns.len();
    let Some(Conditioned { alpha, .. }) = condition(rows, &fitted.point) else { return vec![0.0; d] };
    let lengths = fitted.lengths();
    let mean =
        |columns: &[Vec<f64>]| -> DVector<f64> { covariance(columns, &rows.columns, &lengths) * &alpha };
    let plain = mean(&rows.columns);
    (0..d)
        .into_par_iter()
        .map(|k| {
            let mut rng = Streams::new(seed).block("prepare/permute", k as u64);
            let mut columns = rows.columns.clone();
            let squares = (0..PERMUTATIONS).map(|_| {
                columns[k].shuffle(&mut rng);
                (mean(&columns) - &plain).norm_squared()
            });
            squares.sum::<f64>() / (2 * PERMUTATIONS * rows.count()) as f64
        })
        .collect()
}

/// The columns without which the evidence falls decisively, for one that was chosen, alone and in products of two, among
/// `among`.
fn decisive(left: &Left, among: usize, cancel: &CancelToken) -> Vec<usize> {
    let needed = DECISIVE + 2.0 * (among as f64).ln();
    (0..left.columns.len())
        .into_par_iter()
        .filter(|&k| {
            let mut rows = left.rows.clone();
            rows.columns[k].fill(0.0);
            let without = fit(&rows, &left.fitted.point, WORK, cancel);
            without.is_none_or(|f| left.fitted.evidence - f.evidence > needed)
        })
        .map(|k| left.columns[k])
        .collect()
}
