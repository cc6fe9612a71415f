//! The integrators on four known problems, each compiled to a tape as the language does it. Prints one line a run: case,
//! method, error, steps, evaluations, and the median of the seconds of some repetitions. `benches/peers/integrators_scipy.py`
//! prints the same for SciPy beside it.

use phys::base::{CancelToken, Source};
use phys::expression::{Expr, Symbol, read};
use phys::numeric::ode::{Method, Options, Path, TapeRates, integrate, symplectic};
use phys::syntax::parse;
use phys::syntax::tree::StatementKind;
use std::f64::consts::PI;
use std::time::Instant;

fn expression(text: &str) -> Option<Expr> {
    let parsed = parse(&Source::new(0, "rate", text));
    let Some(StatementKind::Expr { value, .. }) = parsed.tree.statements.first().map(|s| &s.kind) else {
        return None;
    };
    read::expr(&parsed.tree, *value, &|_| None).ok()
}

fn rates(texts: &[&str], states: &[&str]) -> Option<TapeRates> {
    let rates = texts.iter().map(|t| expression(t)).collect::<Option<Vec<Expr>>>()?;
    let states: Vec<Symbol> = states.iter().map(|s| Symbol::new(s)).collect();
    TapeRates::new(&rates, &Symbol::new("t"), &states, &[]).ok()
}

fn times(end: f64, count: usize) -> Vec<f64> {
    (0..count).map(|k| end * k as f64 / (count - 1) as f64).collect()
}

/// Lorenz' equations by their Taylor series of order 30.
fn lorenz_by_taylor(end: f64, steps: usize) -> [f64; 3] {
    let h = end / steps as f64;
    let mut at = [1.0; 3];
    for _ in 0..steps {
        let (mut x, mut y, mut z) = (vec![at[0]], vec![at[1]], vec![at[2]]);
        for n in 0..30 {
            let product = |a: &[f64], b: &[f64]| (0..=n).map(|k| a[k] * b[n - k]).sum::<f64>();
            let (xz, xy, m) = (product(&x, &z), product(&x, &y), (n + 1) as f64);
            let next = [10.0 * (y[n] - x[n]) / m, (28.0 * x[n] - xz - y[n]) / m, (xy - 8.0 / 3.0 * z[n]) / m];
            x.push(next[0]);
            y.push(next[1]);
            z.push(next[2]);
        }
        let sum = |c: &[f64]| c.iter().rev().fold(0.0, |s, c| s * h + c);
        at = [sum(&x), sum(&y), sum(&z)];
    }
    at
}

fn last(path: &Path) -> Vec<f64> {
    path.states.iter().map(|s| s[s.len() - 1]).collect()
}

fn distance(found: &[f64], expected: &[f64]) -> f64 {
    found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

fn report(case: &str, method: &str, mut run: impl FnMut() -> Option<Path>, error: impl Fn(&Path) -> f64) {
    let Some(path) = run() else {
        println!("{case},{method},failed");
        return;
    };
    let mut seconds: Vec<f64> = (0..7)
        .map(|_| {
            let start = Instant::now();
            std::hint::black_box(run());
            start.elapsed().as_secs_f64()
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    let work = path.work;
    println!("{case},{method},{:.1e},{},{},{:.2e}", error(&path), work.steps, work.evaluations, seconds[3]);
}

fn main() {
    // Cargo passes `--bench`; `cargo test --benches` must not measure.
    if !std::env::args().any(|a| a == "--bench") {
        return;
    }
    let cancel = CancelToken::new();
    println!("case,method,error,steps,evaluations,seconds");
    let options = |relative| Options { relative, ..Options::default() };

    let grid = times(2.0 * PI * 1e4, 1001);
    let energy = |path: &Path| {
        let of = |k: usize| 0.5 * (path.states[0][k].powi(2) + path.states[1][k].powi(2));
        (0..path.times.len()).map(|k| (of(k) / 0.5 - 1.0).abs()).fold(0.0, f64::max)
    };
    let halves: (&[f64], &[f64]) = (&[1.0], &[0.0]);
    let run = || {
        let (mut drift, mut kick) = (rates(&["v"], &["v"])?, rates(&["-x"], &["x"])?);
        symplectic(&mut drift, &mut kick, halves, &grid, &options(1e-10), &cancel).ok()
    };
    report("oscillator", "symplectic", run, energy);
    let run = || {
        let mut f = rates(&["v", "-x"], &["x", "v"])?;
        integrate(&mut f, &[1.0, 0.0], &grid, Method::Explicit, &options(1e-10), &cancel).ok()
    };
    report("oscillator", "explicit", run, energy);

    let e: f64 = 0.6;
    let start = [1.0 - e, 0.0, 0.0, ((1.0 + e) / (1.0 - e)).sqrt()];
    let grid = times(20.0 * PI, 201);
    let run = || {
        let texts = ["u", "v", "-x/(x^2 + y^2)^(3/2)", "-y/(x^2 + y^2)^(3/2)"];
        let mut f = rates(&texts, &["x", "y", "u", "v"])?;
        integrate(&mut f, &start, &grid, Method::Explicit, &options(1e-12), &cancel).ok()
    };
    report("kepler", "explicit", run, |path| distance(&last(path), &start));
    let run = || {
        let mut drift = rates(&["u", "v"], &["u", "v"])?;
        let mut kick = rates(&["-x/(x^2 + y^2)^(3/2)", "-y/(x^2 + y^2)^(3/2)"], &["x", "y"])?;
        symplectic(&mut drift, &mut kick, (&start[..2], &start[2..]), &grid, &options(1e-12), &cancel).ok()
    };
    report("kepler", "symplectic", run, |path| distance(&last(path), &start));

    let reference = lorenz_by_taylor(10.0, 4000);
    let grid = times(10.0, 101);
    let run = || {
        let texts = ["10*(y - x)", "x*(28 - z) - y", "x*y - 8/3*z"];
        let mut f = rates(&texts, &["x", "y", "z"])?;
        integrate(&mut f, &[1.0; 3], &grid, Method::Auto, &options(1e-10), &cancel).ok()
    };
    report("lorenz", "auto", run, |path| distance(&last(path), &reference));

    let published = [0.208_334_014_970_125_5e-7, 0.833_336_077_033_471_3e-13, 0.999_999_979_166_505];
    let relative =
        |path: &Path| last(path).iter().zip(published).map(|(a, b)| (a / b - 1.0).abs()).fold(0.0, f64::max);
    for (name, method) in [("stiff", Method::Stiff), ("auto", Method::Auto)] {
        let run = || {
            let texts = ["-0.04*a + 1e4*b*c", "0.04*a - 1e4*b*c - 3e7*b^2", "3e7*b^2"];
            let mut f = rates(&texts, &["a", "b", "c"])?;
            integrate(&mut f, &[1.0, 0.0, 0.0], &[0.0, 1e11], method, &options(1e-8), &cancel).ok()
        };
        report("robertson", name, run, relative);
    }
}
