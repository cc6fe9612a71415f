//! The explicit method of Dormand & Prince of order 8(5,3) with PI step control and dense output of order 7 (Hairer,
//! Nørsett & Wanner I, sect. II.5, II.6, II.10), and the detection of stiffness (Hairer & Wanner II, sect. IV.2): where the
//! step times the dominant rate stays at the border of the region of stability, stability and not accuracy bounds the
//! step.

use super::dop853_table::{A, C, D, E3, E5, EXTRA, STAGES};
use super::{End, Progress, Rates};

/// Exponent of the previous error in the step control (HNW I, sect. IV.2 of volume II gives the stability it buys).
const BETA: f64 = 0.04;
/// Border of the region of stability on the negative real axis.
const BORDER: f64 = 6.1;

/// Integrates to the last time. `None` where the problem is stiff and somebody else is to go on (only with `detect`).
pub(super) fn run(rates: &mut dyn Rates, p: &mut Progress<'_>, detect: bool) -> Option<End> {
    let n = p.y.len();
    let mut k = vec![vec![0.0; n]; STAGES + 1 + EXTRA];
    let (mut y, mut stage) = (vec![0.0; n], vec![0.0; n]);
    let mut h = if p.h > 0.0 { p.h } else { p.first_step(rates, 8.0) };
    let (mut before, mut refused) = (1e-4f64, 0u32);
    let (mut suspicious, mut harmless) = (0u32, 0u32);
    loop {
        if let Some(end) = p.stop() {
            return Some(end);
        }
        let left = p.end() - p.t;
        if left <= 0.0 {
            return Some(End::Complete);
        }
        if p.is_too_small(h) {
            return Some(p.singular());
        }
        let last = h * (1.0 + 1e-12) >= left;
        if last {
            h = left;
        }
        k[0].copy_from_slice(&p.f);
        for s in 1..STAGES {
            combine(&mut stage, &p.y, h, A[s], &k);
            rates.rates(p.t + C[s] * h, &stage, &mut k[s]);
        }
        // `stage` keeps the last one, at the end of the step, for the detection of stiffness.
        combine(&mut y, &p.y, h, A[STAGES], &k);
        let t = if last { p.end() } else { p.t + h };
        rates.rates(t, &y, &mut k[STAGES]);
        p.work.evaluations += STAGES as u64;

        let mut error = estimate(p, h, &y, &k, None);
        if error > 1.0 && refused >= 2 && error.is_finite() {
            let noise = p.noise(rates, h);
            error = estimate(p, h, &y, &k, Some(&noise));
        }
        if !error.is_finite() || k[STAGES].iter().chain(&y).any(|x| !x.is_finite()) {
            h *= 0.1;
            refused += 1;
            p.work.rejected += 1;
            continue;
        }
        let exponent = 1.0 / 8.0 - 0.2 * BETA;
        if error > 1.0 {
            h *= (0.9 * error.powf(-exponent)).clamp(0.2, 0.9);
            refused += 1;
            p.work.rejected += 1;
            continue;
        }
        if detect && p.work.steps.is_multiple_of(16) || suspicious > 0 {
            let scale = |i: usize| p.scale(i, y[i]).max(f64::MIN_POSITIVE);
            let gap =
                |a: &[f64], b: &[f64]| (0..n).map(|i| ((a[i] - b[i]) / scale(i)).powi(2)).sum::<f64>().sqrt();
            let (slopes, places) = (gap(&k[STAGES], &k[STAGES - 1]), gap(&y, &stage));
            if places > 0.0 && h * slopes / places > BORDER {
                (suspicious, harmless) = (suspicious + 1, 0);
            } else {
                harmless += 1;
                if harmless >= 6 {
                    (suspicious, harmless) = (0, 0);
                }
            }
        }
        if p.samples.are_due(t) {
            record(rates, p, h, t, &y, &mut k);
        }
        p.accept(t, &y, &k[STAGES]);
        let factor = 0.9 * error.max(1e-10).powf(-exponent) * before.powf(BETA);
        // After a refusal the step does not grow at once.
        h *= factor.clamp(0.333, if refused > 0 { 1.0 } else { 6.0 });
        before = error.max(1e-4);
        refused = 0;
        p.h = h;
        if detect && suspicious >= 15 && !last {
            return None;
        }
    }
}

/// `out = y + h * sum of a_j k_j`
fn combine(out: &mut [f64], y: &[f64], h: f64, row: &[(usize, f64)], k: &[Vec<f64>]) {
    out.fill(0.0);
    for &(j, a) in row {
        out.iter_mut().zip(&k[j]).for_each(|(o, k)| *o += a * k);
    }
    out.iter_mut().zip(y).for_each(|(o, y)| *o = y + h * *o);
}

/// The error of both estimators together, in units of the tolerance.
fn estimate(p: &Progress<'_>, h: f64, y: &[f64], k: &[Vec<f64>], noise: Option<&[f64]>) -> f64 {
    let sum = |row: &[(usize, f64)], i: usize| row.iter().map(|&(j, e)| e * k[j][i]).sum::<f64>();
    let fifth = p.norm(y, noise, &|i| h * sum(E5, i));
    let third = p.norm(y, noise, &|i| h * sum(E3, i));
    if fifth == 0.0 && third == 0.0 {
        return 0.0;
    }
    fifth * fifth / (fifth * fifth + 0.01 * third * third).sqrt()
}

/// The states at the times within the step, by the interpolation of order 7.
fn record(rates: &mut dyn Rates, p: &mut Progress<'_>, h: f64, t: f64, y: &[f64], k: &mut [Vec<f64>]) {
    let n = y.len();
    let mut stage = vec![0.0; n];
    for s in STAGES + 1..=STAGES + EXTRA {
        combine(&mut stage, &p.y, h, A[s], k);
        rates.rates(p.t + C[s] * h, &stage, &mut k[s]);
    }
    p.work.evaluations += EXTRA as u64;
    // y(t + x h) = y0 + x (r1 + (1-x) (r2 + x (r3 + (1-x) (r4 + ...))))
    let rows: Vec<[f64; 7]> = (0..n)
        .map(|i| {
            let rise = y[i] - p.y[i];
            let upper = |row: &[(usize, f64)]| h * row.iter().map(|&(j, d)| d * k[j][i]).sum::<f64>();
            let (first, last) = (h * k[0][i], h * k[STAGES][i]);
            [
                rise,
                first - rise,
                2.0 * rise - last - first,
                upper(D[0]),
                upper(D[1]),
                upper(D[2]),
                upper(D[3]),
            ]
        })
        .collect();
    let (t0, y0) = (p.t, p.y.clone());
    p.samples.record(t, &mut |due, out| {
        if due == t {
            out.copy_from_slice(y);
            return;
        }
        let x = (due - t0) / h;
        for i in 0..n {
            let nested = rows[i]
                .iter()
                .enumerate()
                .rev()
                .fold(0.0, |sum, (place, r)| (sum + r) * if place % 2 == 0 { x } else { 1.0 - x });
            out[i] = y0[i] + nested;
        }
    });
}
