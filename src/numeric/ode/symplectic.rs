//! Separable problems q' = a(p, t), p' = b(q, t), such as x'' = a(x): symmetric compositions of Störmer-Verlet steps, of
//! order 8 with 17 of them (Kahan & Li, Math. Comp. 66 (1997) 1089; Hairer, Lubich & Wanner, sect. V.3.2). The step is
//! constant, so that the flow stays symplectic where the problem is Hamiltonian, and reversible anyway; the energy then
//! oscillates and does not drift. The step is chosen from the local error, against two half steps, on a stretch at the
//! start, and watched at every sixteenth step. Sums are compensated (Kahan), so that rounding does not add up.

use super::{End, Method, Options, Path, Progress, Rates, Work};
use crate::base::CancelToken;
use crate::numeric::error::NumericError;

/// The weights of the composition, the first nine of a palindrome of 17.
#[rustfmt::skip]
const GAMMA: [f64; 9] = [
    0.130_202_483_088_890_08, 0.561_162_981_775_108_4, -0.389_474_962_644_847_3,
    0.158_841_906_555_155_6, -0.395_903_894_133_237_6, 0.184_539_640_978_315_7,
    0.258_374_387_686_322_05, 0.295_011_723_609_310_3, -0.605_508_533_830_034_5,
];
/// Number of Störmer-Verlet steps in a step.
const LENGTH: usize = 17;
/// Steps on which a step size is tried.
const TRIAL: u64 = 64;
/// A step in so many is watched.
const WATCHED: u64 = 16;

/// The two halves of a separable problem.
pub(super) struct Split<'a> {
    pub drift: &'a mut dyn Rates,
    pub kick: &'a mut dyn Rates,
    pub evaluations: u64,
}

/// Positions and momenta with what rounding has lost of them, and a time for each half.
#[derive(Clone)]
pub(super) struct Point {
    pub q: Vec<f64>,
    pub p: Vec<f64>,
    q_lost: Vec<f64>,
    p_lost: Vec<f64>,
    /// The time that drifts move, which kicks see.
    pub t: f64,
    /// The time that kicks move, which drifts see.
    s: f64,
    rates: Vec<f64>,
}

impl Point {
    pub fn new(t: f64, q: &[f64], p: &[f64]) -> Point {
        Point {
            q: q.to_vec(),
            p: p.to_vec(),
            q_lost: vec![0.0; q.len()],
            p_lost: vec![0.0; p.len()],
            t,
            s: t,
            rates: vec![0.0; q.len().max(p.len())],
        }
    }

    fn all(&self) -> impl Iterator<Item = f64> + '_ {
        self.q.iter().chain(&self.p).copied()
    }
}

fn add(x: &mut [f64], lost: &mut [f64], h: f64, rates: &[f64]) {
    for ((x, lost), rate) in x.iter_mut().zip(lost).zip(rates) {
        let term = h * rate + *lost;
        let sum = *x + term;
        *lost = term - (sum - *x);
        *x = sum;
    }
}

impl Split<'_> {
    fn drift(&mut self, at: &mut Point, h: f64) {
        let n = at.q.len();
        self.drift.rates(at.s, &at.p, &mut at.rates[..n]);
        add(&mut at.q, &mut at.q_lost, h, &at.rates[..n]);
        at.t += h;
    }

    fn kick(&mut self, at: &mut Point, h: f64) {
        let n = at.p.len();
        self.kick.rates(at.t, &at.q, &mut at.rates[..n]);
        add(&mut at.p, &mut at.p_lost, h, &at.rates[..n]);
        at.s += h;
    }

    /// One step of order 8; half drifts that meet are one drift.
    pub fn step(&mut self, at: &mut Point, h: f64) {
        let (t, gamma) = (at.t, |k: usize| GAMMA[k.min(LENGTH - 1 - k)] * h);
        self.drift(at, 0.5 * gamma(0));
        for k in 0..LENGTH {
            self.kick(at, gamma(k));
            let next = if k + 1 < LENGTH { gamma(k + 1) } else { 0.0 };
            self.drift(at, 0.5 * (gamma(k) + next));
        }
        // The weights add up to 1: the times are set, not summed.
        (at.t, at.s) = (t + h, t + h);
        self.evaluations += LENGTH as u64;
    }
}

/// Solves q' = drift(p, t), p' = kick(q, t) from `q` and `p` at `times[0]`; the states of the path are those of `q`, then
/// those of `p`.
///
/// # Errors
/// As [`super::integrate`].
pub fn symplectic(
    drift: &mut dyn Rates,
    kick: &mut dyn Rates,
    (q, p): (&[f64], &[f64]),
    times: &[f64],
    options: &Options,
    cancel: &CancelToken,
) -> Result<Path, NumericError> {
    let start: Vec<f64> = q.iter().chain(p).copied().collect();
    let mut progress = Progress::new(&start, times, options, cancel)?;
    let mut split = Split { drift, kick, evaluations: 0 };
    let first = Point::new(times[0], q, p);
    rates_at(&mut split, &first, &mut progress.f);
    if let Some(row) = progress.f.iter().position(|f| !f.is_finite()) {
        return Err(NumericError::NotFinite { row: row + 1, value: progress.f[row] });
    }
    let gap = times.windows(2).map(|w| w[1] - w[0]).fold(f64::INFINITY, f64::min);
    let mut h = gap.min(rough_step(&progress, gap));
    let mut rejected = 0;
    let end = loop {
        match attempt(&mut split, &mut progress, &first, h) {
            Attempt::End(end) => break end,
            Attempt::Smaller(factor) => {
                rejected += progress.work.steps;
                h *= factor;
                progress.work.steps = 0;
                progress.samples.next = 1;
                progress.samples.states.iter_mut().for_each(|list| list.truncate(1));
            }
        }
    };
    if let End::Singular { t, .. } = end {
        progress.samples.drop_near(t);
    }
    let work =
        Work { steps: progress.work.steps, rejected, evaluations: split.evaluations, ..Work::default() };
    Ok(Path {
        times: times[..progress.samples.next].to_vec(),
        states: progress.samples.states,
        end,
        method: Method::Symplectic,
        stiff_from: None,
        work,
    })
}

fn rates_at(split: &mut Split<'_>, at: &Point, out: &mut [f64]) {
    let (first, second) = out.split_at_mut(at.q.len());
    split.drift.rates(at.s, &at.p, first);
    split.kick.rates(at.t, &at.q, second);
}

/// A step that is certainly of the right order or too large: the sizes of the states over their rates.
fn rough_step(p: &Progress<'_>, gap: f64) -> f64 {
    let times = p.y.iter().zip(&p.f).filter(|(y, f)| **y != 0.0 && **f != 0.0).map(|(y, f)| (y / f).abs());
    let least = times.fold(f64::INFINITY, f64::min);
    if least.is_finite() { 4.0 * least } else { gap }
}

enum Attempt {
    End(End),
    /// The step must be smaller by this factor.
    Smaller(f64),
}

/// Runs with a constant step (the nearest below `h` that divides the time between two samples).
fn attempt(split: &mut Split<'_>, progress: &mut Progress<'_>, first: &Point, h: f64) -> Attempt {
    let mut at = first.clone();
    let mut largest: Vec<f64> = first.all().map(f64::abs).collect();
    let mut count = 0u64;
    for k in 1..progress.samples.times.len() {
        let (from, to) = (progress.samples.times[k - 1], progress.samples.times[k]);
        let parts = ((to - from) / h).ceil().max(1.0);
        if parts > progress.options.max_steps as f64 {
            let reason = crate::base::StopReason::Work;
            return Attempt::End(End::Stopped { t: at.t, reason });
        }
        let own = (to - from) / parts;
        for part in 0..parts as u64 {
            progress.t = at.t;
            if let Some(end) = progress.stop() {
                return Attempt::End(end);
            }
            let before = (count < TRIAL || count.is_multiple_of(WATCHED)).then(|| at.clone());
            split.step(&mut at, own);
            // The time is that of the samples, without the rounding of a sum.
            let t = if part + 1 == parts as u64 { to } else { from + (part + 1) as f64 * own };
            (at.t, at.s) = (t, t);
            count += 1;
            let mut error = 0.0f64;
            if let Some(mut halves) = before {
                split.step(&mut halves, 0.5 * own);
                split.step(&mut halves, 0.5 * own);
                largest.iter_mut().zip(halves.all()).for_each(|(m, x)| *m = m.max(x.abs()));
                let square = |((a, b), size): ((f64, f64), &f64)| {
                    if a == b { 0.0 } else { ((a - b) / (progress.options.relative * size)).powi(2) }
                };
                let pairs = at.all().zip(halves.all());
                error = (pairs.zip(&largest).map(square).sum::<f64>() / largest.len().max(1) as f64).sqrt();
            }
            if error.is_nan() || at.all().any(|x| !x.is_finite()) {
                error = f64::INFINITY;
            }
            // Along the way a step may err a little more than at the start: it stays constant.
            if error > if count <= TRIAL { 1.0 } else { 10.0 } {
                let factor = (0.9 * error.powf(-1.0 / 9.0)).clamp(0.05, 0.7);
                let smaller = own * factor;
                if progress.is_too_small(smaller) || smaller * 1e12 < to - from {
                    let reached: Vec<f64> =
                        at.all().zip(&progress.y).map(|(x, y)| if x.is_finite() { x } else { *y }).collect();
                    progress.y = reached;
                    return Attempt::End(progress.singular());
                }
                return Attempt::Smaller(smaller / h);
            }
            progress.work.steps += 1;
        }
        let states = &at;
        progress.samples.record(to, &mut |_, y| y.iter_mut().zip(states.all()).for_each(|(y, x)| *y = x));
    }
    Attempt::End(End::Complete)
}
