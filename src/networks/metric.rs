//! Figures of merit, one row of [`METRICS`] each. A metric collects sums batch by batch, in the order of the rows, and
//! turns them into its value at the end, so that the size of a batch does not matter. With n rows, r = o - t:
//!
//! ```text
//! accuracy           share of rows whose greatest logit is the label's
//! balanced_accuracy  mean over classes of the share of their rows that are found
//! f1                 mean over classes of 2 TP / (2 TP + FP + FN)
//! auc                of two classes: the share of pairs of a row of each in which that of the second has the greater
//!                    logit, ties by half (Mann & Whitney 1947)
//! rmse, mae          (mean r^2)^(1/2), mean |r|
//! r2                 1 - sum r^2 / sum (t - mean t)^2, each output by itself, then their mean
//! max_error          max |r|
//! ```
//!
//! Where outputs are twice the targets (a location and a spread), r is taken of the locations.

use super::error::NetworkError;
use crate::base::suggest;

/// Outputs and targets of a batch as plain numbers, row by row.
#[derive(Debug)]
pub struct Measured<'a> {
    /// Rows, or places where every place has a class.
    pub rows: usize,
    /// The outputs, `width` for each row.
    pub output: &'a [f64],
    /// How many.
    pub width: usize,
    /// Classes (one a row), or numbers (`width` a row, or half of it).
    pub target: &'a [f64],
    /// Whether targets are classes.
    pub classes: bool,
}

impl Measured<'_> {
    /// For each row the greatest logit and the label; one logit alone is yes where it is positive.
    fn answers(&self) -> impl Iterator<Item = (usize, usize)> {
        self.output.chunks(self.width.max(1)).zip(self.target).map(|(logits, label)| {
            let best = match logits {
                [one] => usize::from(*one > 0.0),
                _ => (1..logits.len()).fold(0, |b, k| if logits[k] > logits[b] { k } else { b }),
            };
            (best, *label as usize)
        })
    }

    /// How many numbers a row of the target has.
    fn targets(&self) -> usize {
        self.target.len().checked_div(self.rows).unwrap_or(0)
    }

    /// For each row and component its place, output and target.
    fn pairs(&self) -> impl Iterator<Item = (usize, f64, f64)> {
        let k = self.targets();
        let rows = self.output.chunks(self.width.max(1)).zip(self.target.chunks(k.max(1)));
        rows.flat_map(|(o, t)| o.iter().zip(t).enumerate().map(|(j, (o, t))| (j, *o, *t)))
    }
}

/// A row of the table of metrics.
#[derive(Debug)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// One line.
    pub docs: &'static str,
    /// Whether it is of classes; the others are of numbers.
    pub classes: bool,
    /// Whether it is of two classes alone.
    pub two: bool,
    /// Adds a batch to the sums, which begin empty.
    add: fn(&mut Vec<f64>, &Measured<'_>),
    /// The value of the sums.
    value: fn(&[f64]) -> f64,
}

fn at_least(sums: &mut Vec<f64>, n: usize) {
    if sums.len() < n {
        sums.resize(n, 0.0);
    }
}

/// Adds to a square table of counts, label by answer, row by row. It is as wide as there are classes.
fn confusion(sums: &mut Vec<f64>, m: &Measured<'_>) {
    let k = m.width.max(2);
    at_least(sums, k * k);
    m.answers().filter(|(_, label)| *label < k).for_each(|(best, label)| sums[label * k + best] += 1.0);
}

/// For each class: found rows, its rows, rows that were taken for it.
fn per_class(sums: &[f64]) -> Vec<(f64, f64, f64)> {
    let k = sums.len().isqrt();
    let count = |i: usize| {
        let rows: f64 = (0..k).map(|j| sums[i * k + j]).sum();
        let taken: f64 = (0..k).map(|j| sums[j * k + i]).sum();
        (sums[i * k + i], rows, taken)
    };
    (0..k).map(count).filter(|(_, rows, _)| *rows > 0.0).collect()
}

/// The share of pairs in which the row of class 1 lies above that of class 0; NaN where there is none of one of them.
fn ranked(scores: &[f64]) -> f64 {
    let mut rows: Vec<(f64, bool)> = scores.chunks(2).map(|r| (r[0], r[1] > 0.5)).collect();
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut below, mut pairs) = (0.0, 0.0);
    for equal in rows.chunk_by(|a, b| a.0 == b.0) {
        let yes = equal.iter().filter(|r| r.1).count() as f64;
        let no = equal.len() as f64 - yes;
        pairs += yes * (below + 0.5 * no);
        below += no;
    }
    pairs / (below * (rows.len() as f64 - below))
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = values.len() as f64;
    values.sum::<f64>() / n
}

/// Every metric.
pub const METRICS: &[Metric] = &[
    Metric {
        name: "accuracy",
        docs: "share of the rows whose class is found",
        classes: true,
        two: false,
        add: |sums, m| {
            at_least(sums, 2);
            m.answers().for_each(|(best, label)| sums[0] += f64::from(best == label));
            sums[1] += m.rows as f64;
        },
        value: |s| s[0] / s[1],
    },
    Metric {
        name: "balanced_accuracy",
        docs: "mean over classes of the share of their rows that are found",
        classes: true,
        two: false,
        add: confusion,
        value: |s| mean(per_class(s).into_iter().map(|(found, rows, _)| found / rows)),
    },
    Metric {
        name: "f1",
        docs: "mean over classes of the harmonic mean of precision and recall",
        classes: true,
        two: false,
        add: confusion,
        value: |s| mean(per_class(s).into_iter().map(|(found, rows, taken)| 2.0 * found / (rows + taken))),
    },
    Metric {
        name: "auc",
        docs: "of two classes: how often a row of the second has the greater logit than one of the first",
        classes: true,
        two: true,
        // For each row how much its outputs speak for the second class, and its class.
        add: |sums, m| {
            let rows = m.output.chunks(m.width.max(1)).zip(m.target);
            rows.for_each(|(logits, label)| match logits {
                [one] => sums.extend([*one, *label]),
                [first, second] => sums.extend([second - first, *label]),
                _ => {}
            });
        },
        value: ranked,
    },
    Metric {
        name: "rmse",
        docs: "root of the mean squared error",
        classes: false,
        two: false,
        add: |sums, m| {
            at_least(sums, 2);
            m.pairs().for_each(|(_, o, t)| sums[0] += (o - t) * (o - t));
            sums[1] += m.target.len() as f64;
        },
        value: |s| (s[0] / s[1]).sqrt(),
    },
    Metric {
        name: "mae",
        docs: "mean absolute error",
        classes: false,
        two: false,
        add: |sums, m| {
            at_least(sums, 2);
            m.pairs().for_each(|(_, o, t)| sums[0] += (o - t).abs());
            sums[1] += m.target.len() as f64;
        },
        value: |s| s[0] / s[1],
    },
    Metric {
        name: "r2",
        docs: "share of the targets' variance explained, the mean over outputs",
        classes: false,
        two: false,
        // For each output: rows, mean, squared deviations (both as of Welford 1962), squared residuals.
        add: |sums, m| {
            at_least(sums, 4 * m.targets());
            m.pairs().for_each(|(j, o, t)| {
                let s = &mut sums[4 * j..4 * j + 4];
                s[0] += 1.0;
                let off = t - s[1];
                s[1] += off / s[0];
                s[2] += off * (t - s[1]);
                s[3] += (o - t) * (o - t);
            });
        },
        value: |s| mean(s.chunks(4).map(|s| 1.0 - s[3] / s[2])),
    },
    Metric {
        name: "max_error",
        docs: "greatest absolute error",
        classes: false,
        two: false,
        add: |sums, m| {
            at_least(sums, 1);
            m.pairs().for_each(|(_, o, t)| {
                sums[0] = if (o - t).abs() > sums[0] { (o - t).abs() } else { sums[0] }
            });
        },
        value: |s| s[0],
    },
];

/// The metric of a name.
///
/// # Errors
/// There is none.
pub fn metric(name: &str) -> Result<&'static Metric, NetworkError> {
    let names = || METRICS.iter().map(|m| m.name);
    METRICS.iter().find(|m| m.name == name).ok_or_else(|| NetworkError::UnknownName {
        what: "a metric",
        name: name.into(),
        names: names().collect::<Vec<_>>().join(", "),
        nearest: suggest::nearest(name, names()).map(str::to_string),
    })
}

impl Metric {
    /// Adds a batch.
    pub fn add(&self, sums: &mut Vec<f64>, batch: &Measured<'_>) {
        (self.add)(sums, batch);
    }

    /// The value of all that was added; NaN where that is nothing.
    pub fn value(&self, sums: &[f64]) -> f64 {
        if sums.is_empty() { f64::NAN } else { (self.value)(sums) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(name: &str, width: usize, output: &[f64], target: &[f64], batch: usize) -> f64 {
        let metric = metric(name).unwrap();
        let (mut sums, k) = (Vec::new(), target.len() / (output.len() / width));
        for (o, t) in output.chunks(batch * width).zip(target.chunks(batch * k)) {
            let rows = o.len() / width;
            metric.add(&mut sums, &Measured { rows, output: o, width, target: t, classes: metric.classes });
        }
        metric.value(&sums)
    }

    #[test]
    fn metrics_are_their_definitions_for_any_batch() {
        // Labels 0 0 0 1 1 2, answers 0 0 1 1 0 2.
        let logits = [2., 1., 0., 3., 1., 2., 0., 1., 0.5, 0., 2., 1., 5., 1., 1., 0., 0., 1.];
        let labels = [0., 0., 0., 1., 1., 2.];
        let (o, t) = ([1.0, 2.0, 3.0, 5.0], [1.5, 2.0, 2.0, 5.0]);
        for batch in [1, 2, 4, 6] {
            let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-14, "{a} {b}");
            close(value("accuracy", 3, &logits, &labels, batch), 4.0 / 6.0);
            close(value("balanced_accuracy", 3, &logits, &labels, batch), (2.0 / 3.0 + 0.5 + 1.0) / 3.0);
            close(value("f1", 3, &logits, &labels, batch), (4.0 / 6.0 + 2.0 / 4.0 + 1.0) / 3.0);
            close(value("rmse", 1, &o, &t, batch), (1.25f64 / 4.0).sqrt());
            close(value("mae", 1, &o, &t, batch), 1.5 / 4.0);
            close(value("max_error", 1, &o, &t, batch), 1.0);
            let mean = 10.5 / 4.0;
            let spread: f64 = t.iter().map(|t| (t - mean) * (t - mean)).sum();
            close(value("r2", 1, &o, &t, batch), 1.0 - 1.25 / spread);
        }
        // A location and a spread: the spread is left out.
        assert_eq!(value("rmse", 2, &[1.0, 9.0, 2.0, 9.0], &[1.0, 2.0], 2), 0.0);
        // Scores 1 -1 3 -0.5 of the classes 1 0 0 1: of four pairs two are in order.
        for batch in [1, 2, 4] {
            assert_eq!(value("auc", 1, &[1.0, -1.0, 3.0, -0.5], &[1.0, 0.0, 0.0, 1.0], batch), 0.5);
            assert_eq!(value("auc", 2, &[0.0, 1.0, 0.0, 1.0, 2.0, 0.0], &[1.0, 0.0, 0.0], 1), 0.75);
        }
        assert!(value("auc", 1, &[1.0, 2.0], &[1.0, 1.0], 2).is_nan());
        // One logit: yes where it is positive.
        assert_eq!(value("accuracy", 1, &[1.0, -1.0, 3.0, -0.5], &[1.0, 0.0, 0.0, 0.0], 3), 0.75);
        assert!(metric("acuracy").unwrap_err().to_string().contains("found `acuracy`"));
    }
}
