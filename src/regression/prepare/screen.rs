//! A short list of columns by orthogonal matching pursuit (Y. C. Pati, R. Rezaiifar, P. S. Krishnaprasad, 27th Asilomar Conf.
//! (1993) 40): the residual of the target is correlated with cosines of each column's rank, with products of two of them
//! and, where these say nothing, of three; the most likely term joins the model and its columns the list. A product of
//! columns of mean zero, of which no column alone says anything, is a term like any other. Terms of different kinds are
//! compared by the likelihood ratio less the logarithm of the number of the kind's terms.

use crate::base::CancelToken;
use rayon::prelude::*;
use std::f64::consts::PI;

/// Cosines of a column alone, in products of two among all columns, and in products with a column of the list.
const ORDERS: (usize, usize, usize) = (6, 2, 4);
/// Rows that products of three are looked for in, and most columns.
const THREES: (usize, usize) = (600, 128);
/// Nats above chance at which a term says something.
const SIGNIFICANT: f64 = 3.0;
/// Most terms of the model.
const TERMS: usize = 40;

/// A product of cosines: column and order of each.
type Term = Vec<(usize, usize)>;

/// Cosines of ranks, of mean 0 and length 1.
struct Library {
    /// One list a column of one list an order.
    cosines: Vec<Vec<Vec<f64>>>,
    rows: usize,
}

impl Library {
    fn new(columns: &[&[f64]]) -> Library {
        let cosines = columns
            .par_iter()
            .map(|c| {
                let ranks = ranks(c);
                let order = |m: usize| normalised(ranks.iter().map(|u| (PI * m as f64 * u).cos()).collect());
                (1..=ORDERS.0).map(order).collect()
            })
            .collect();
        Library { cosines, rows: columns.first().map_or(0, |c| c.len()) }
    }

    /// The values of a term, of mean 0 and length 1.
    fn values(&self, term: &Term) -> Vec<f64> {
        let factor = |&(k, m): &(usize, usize)| &self.cosines[k][m];
        normalised((0..self.rows).map(|i| term.iter().map(|t| factor(t)[i]).product()).collect())
    }
}

/// Ranks over their number, in (0, 1); equal values share their mean rank.
pub(super) fn ranks(list: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..list.len()).collect();
    order.sort_by(|&i, &j| list[i].total_cmp(&list[j]));
    let mut ranks = vec![0.0; list.len()];
    let mut at = 0;
    while at < order.len() {
        let same = order[at..].iter().take_while(|&&i| list[i] == list[order[at]]).count().max(1);
        let rank = (at as f64 + 0.5 * same as f64) / list.len() as f64;
        order[at..at + same].iter().for_each(|&i| ranks[i] = rank);
        at += same;
    }
    ranks
}

/// Less its mean, over its length; zeros where nothing is left.
fn normalised(mut list: Vec<f64>) -> Vec<f64> {
    let mean = list.iter().sum::<f64>() / list.len() as f64;
    let before = dot(&list, &list).sqrt();
    list.iter_mut().for_each(|x| *x -= mean);
    let length = dot(&list, &list).sqrt();
    let factor = if length > 1e-9 * before { 1.0 / length } else { 0.0 };
    list.iter_mut().for_each(|x| *x *= factor);
    list
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    // Four sums side by side: the additions need not wait for each other.
    let mut sums = [0.0; 4];
    let (a, b) = (a.chunks_exact(4), b.chunks_exact(4));
    let rest: f64 = a.remainder().iter().zip(b.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in a.zip(b) {
        (0..4).for_each(|k| sums[k] += x[k] * y[k]);
    }
    (sums[0] + sums[2]) + (sums[1] + sums[3]) + rest
}

/// Sum of products, of squares and of values of the last factor in x*y*z.
struct Moments {
    with: f64,
    square: f64,
    sum: f64,
}

fn moments(product: &[f64], last: &[f64], residual: &[f64]) -> Moments {
    // Lanes side by side, as in `dot`.
    const LANES: usize = 4;
    let (mut with, mut square, mut sum) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
    let whole = product.len() - product.len() % LANES;
    for ((p, c), r) in
        product[..whole].chunks_exact(LANES).zip(last.chunks_exact(LANES)).zip(residual.chunks_exact(LANES))
    {
        (0..LANES).for_each(|k| {
            let t = p[k] * c[k];
            with[k] += t * r[k];
            square[k] += t * t;
            sum[k] += t;
        });
    }
    for ((p, c), r) in product[whole..].iter().zip(&last[whole..]).zip(&residual[whole..]) {
        let t = p * c;
        with[0] += t * r;
        square[0] += t * t;
        sum[0] += t;
    }
    Moments { with: with.iter().sum(), square: square.iter().sum(), sum: sum.iter().sum() }
}

impl Moments {
    /// The squared correlation with a residual of mean 0 and length `length`, over `n` rows.
    fn correlation(&self, n: f64, length: f64) -> f64 {
        let spread = self.square - self.sum * self.sum / n;
        if spread > 1e-12 * self.square && length > 0.0 {
            self.with * self.with / (spread * length * length)
        } else {
            0.0
        }
    }
}

/// The first of the greatest.
fn best(found: Vec<(f64, Term)>) -> Option<(f64, Term)> {
    found.into_iter().reduce(|a, b| if b.0 > a.0 { b } else { a })
}

/// The list of at most `count` columns, the most telling first. `columns` and `target` of one length, the target of any unit.
pub(super) fn screen(columns: &[&[f64]], target: &[f64], count: usize, cancel: &CancelToken) -> Vec<usize> {
    let d = columns.len();
    let count = count.min(d);
    if count == 0 {
        return Vec::new();
    }
    let library = Library::new(columns);
    let mut residual = normalised(target.to_vec());
    let mut model: Vec<Vec<f64>> = Vec::new();
    let mut listed: Vec<usize> = Vec::new();
    let mut threes = d <= THREES.1;
    let most = TERMS.max(2 * count).min(target.len() / 3);
    while listed.len() < count && model.len() < most && cancel.stop().is_none() {
        let Some(mut found) = best(singles_and_pairs(&library, &residual, &listed)) else { break };
        if threes && found.0 < SIGNIFICANT {
            let three = best(triples(&library, &residual, cancel));
            threes = three.as_ref().is_some_and(|t| t.0 >= SIGNIFICANT);
            found = best(std::iter::once(found).chain(three).collect()).unwrap_or_default();
        }
        let mut direction = library.values(&found.1);
        // Twice: what the first pass leaves of nearly parallel terms goes with the second.
        for _ in 0..2 {
            for q in &model {
                let along = dot(q, &direction);
                direction.iter_mut().zip(q).for_each(|(x, q)| *x -= along * q);
            }
        }
        let length = dot(&direction, &direction).sqrt();
        for (k, _) in &found.1 {
            if !listed.contains(k) && listed.len() < count {
                listed.push(*k);
            }
        }
        if length < 1e-6 {
            break;
        }
        direction.iter_mut().for_each(|x| *x /= length);
        let along = dot(&residual, &direction);
        residual.iter_mut().zip(&direction).for_each(|(r, q)| *r -= along * q);
        model.push(direction);
        if dot(&residual, &residual) < 1e-16 {
            break;
        }
    }
    fill(&library, &normalised(target.to_vec()), &mut listed, count);
    listed
}

/// The best term of each column, and of each column with later ones.
fn singles_and_pairs(library: &Library, residual: &[f64], listed: &[usize]) -> Vec<(f64, Term)> {
    let (n, d) = (library.rows as f64, library.cosines.len());
    let length = dot(residual, residual).sqrt();
    let nats = |correlation: f64, terms: usize| {
        -0.5 * n * (1.0 - correlation.min(1.0 - 1e-15)).ln() - (terms.max(1) as f64).ln()
    };
    let (alone, some) = (d * ORDERS.0, d * (d - 1) / 2 * ORDERS.1 * ORDERS.1);
    let more = (listed.len() * d * ORDERS.2 * ORDERS.2).max(1);
    (0..d)
        .into_par_iter()
        .filter_map(|i| {
            let mut found: Vec<(f64, Term)> = Vec::new();
            for m in 0..ORDERS.0 {
                let correlation = dot(&library.cosines[i][m], residual) / length.max(f64::MIN_POSITIVE);
                found.push((nats(correlation * correlation, alone), vec![(i, m)]));
            }
            for j in i + 1..d {
                let known = listed.contains(&i) || listed.contains(&j);
                let orders = if known { ORDERS.2 } else { ORDERS.1 };
                for (a, b) in (0..orders).flat_map(|a| (0..orders).map(move |b| (a, b))) {
                    let c = moments(&library.cosines[i][a], &library.cosines[j][b], residual)
                        .correlation(n, length);
                    let terms = if a.max(b) < ORDERS.1 { some } else { more };
                    found.push((nats(c, terms), vec![(i, a), (j, b)]));
                }
            }
            best(found)
        })
        .collect()
}

/// The best product of three first cosines for each first column, on a part of the rows.
fn triples(library: &Library, residual: &[f64], cancel: &CancelToken) -> Vec<(f64, Term)> {
    let d = library.cosines.len();
    let rows = residual.len().min(THREES.0);
    // Rows at equal steps: the list is as the table, which may be sorted.
    let at: Vec<usize> = (0..rows).map(|i| i * residual.len() / rows).collect();
    let take = |list: &[f64]| -> Vec<f64> { at.iter().map(|&i| list[i]).collect() };
    let residual = normalised(take(residual));
    let first: Vec<Vec<f64>> = library.cosines.iter().map(|c| take(&c[0])).collect();
    let n = rows as f64;
    let terms = (d * (d - 1) * d.saturating_sub(2) / 6).max(1) as f64;
    (0..d)
        .into_par_iter()
        .filter_map(|i| {
            let mut found: Option<(f64, Term)> = None;
            for j in i + 1..d {
                if cancel.stop().is_some() {
                    break;
                }
                let pair: Vec<f64> = first[i].iter().zip(&first[j]).map(|(a, b)| a * b).collect();
                for (k, third) in first.iter().enumerate().take(d).skip(j + 1) {
                    let c = moments(&pair, third, &residual).correlation(n, 1.0);
                    let nats = -0.5 * n * (1.0 - c.min(1.0 - 1e-15)).ln() - terms.ln();
                    if found.as_ref().is_none_or(|f| nats > f.0) {
                        found = Some((nats, vec![(i, 0), (j, 0), (k, 0)]));
                    }
                }
            }
            found
        })
        .collect()
}

/// Fills the list by the columns' own best correlation with the target.
fn fill(library: &Library, target: &[f64], listed: &mut Vec<usize>, count: usize) {
    let mut left: Vec<(f64, usize)> = (0..library.cosines.len())
        .filter(|k| !listed.contains(k))
        .map(|k| (library.cosines[k].iter().map(|c| dot(c, target).abs()).fold(0.0, f64::max), k))
        .collect();
    left.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    listed.extend(left.iter().map(|l| l.1).take(count.saturating_sub(listed.len())));
}
