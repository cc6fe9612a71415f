//! The largest error of each vector function over its whole range, in units in the last place, at every level that
//! the processor has: arguments of every exponent, of the region where the function bends, and beside multiples
//! of pi/2, against values to some hundred bits. Single precision against double precision.
//!
//! `cargo bench --bench tape_ulp`, or with a number of arguments a function: `-- 10000000`.

#[path = "../src/numeric/vector/reference.rs"]
#[allow(dead_code)]
mod reference;

use phys::numeric::vector::{Elementary, Level, pow, pow_f32};
use reference::{Scaled, Sequence, argument, ulps, value};

const CHUNK: usize = 4096;

/// Units in the last place of single precision.
fn ulps_single(found: f32, known: f64) -> f64 {
    let rounded = known as f32;
    if rounded.is_infinite() || known.is_nan() {
        return if found == rounded || (found.is_nan() && known.is_nan()) { 0.0 } else { f64::INFINITY };
    }
    let last = ((((known.to_bits() >> 52) & 0x7ff) as i32) - 1023 - 23).max(-149);
    (f64::from(found) - known).abs() * 2f64.powi(-last)
}

fn main() {
    let count: usize = std::env::args().skip(1).find_map(|s| s.parse().ok()).unwrap_or(1_000_000);
    let levels = Level::available();
    println!("largest error in ulp of {count} arguments; levels: {levels:?}");
    println!("| function | double | at | single | at |");
    println!("| --- | --- | --- | --- | --- |");
    let functions = Elementary::ALL.iter().map(|f| (f.name(), Some(*f))).chain([("pow", None)]);
    for (name, f) in functions {
        let mut sequence = Sequence(1);
        let mut double = vec![(0.0, 0.0, 0.0); levels.len()];
        let mut single = vec![(0.0, 0.0, 0.0); levels.len()];
        let (mut found, mut found_single) = (vec![0.0; CHUNK], vec![0f32; CHUNK]);
        for _ in 0..count.div_ceil(CHUNK) {
            let (x, y): (Vec<f64>, Vec<f64>) = (0..CHUNK).map(|_| argument(name, &mut sequence)).unzip();
            let known: Vec<Scaled> = x.iter().zip(&y).map(|(x, y)| value(name, *x, *y)).collect();
            for (level, worst) in levels.iter().zip(&mut double) {
                match f {
                    Some(f) => f.apply(*level, &x, &mut found),
                    None => pow(*level, &x, &y, &mut found),
                }
                for i in 0..CHUNK {
                    let error = ulps(found[i], known[i]);
                    if error > worst.0 || error.is_nan() {
                        *worst = (error, x[i], y[i]);
                    }
                }
            }
            let (x, y): (Vec<f32>, Vec<f32>) = x.iter().zip(&y).map(|(x, y)| (*x as f32, *y as f32)).unzip();
            let exact = |list: &[f32]| list.iter().map(|x| f64::from(*x)).collect::<Vec<f64>>();
            match f {
                Some(f) => f.apply(Level::detect(), &exact(&x), &mut found),
                None => pow(Level::detect(), &exact(&x), &exact(&y), &mut found),
            }
            for (level, worst) in levels.iter().zip(&mut single) {
                match f {
                    Some(f) => f.apply_f32(*level, &x, &mut found_single),
                    None => pow_f32(*level, &x, &y, &mut found_single),
                }
                for i in 0..CHUNK {
                    let error = ulps_single(found_single[i], found[i]);
                    if error > worst.0 || error.is_nan() {
                        *worst = (error, f64::from(x[i]), f64::from(y[i]));
                    }
                }
            }
        }
        let cell = |rows: &[(f64, f64, f64)]| {
            let errors: Vec<String> = rows.iter().map(|row| format!("{:.3}", row.0)).collect();
            let (_, x, y) = rows.iter().copied().fold((0.0, 0.0, 0.0), |a, b| if b.0 > a.0 { b } else { a });
            let at = if y == 0.0 { format!("{x:e}") } else { format!("{x:e}, {y:e}") };
            format!("{} | {at}", errors.join(" / "))
        };
        println!("| {name} | {} | {} |", cell(&double), cell(&single));
    }
}
