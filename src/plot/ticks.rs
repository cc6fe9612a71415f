//! Ticks at nice numbers (1, 2, 2.5 or 5 times a power of ten; Heckbert, Graphics Gems 1990) and their labels. A power
//! of ten that all labels of a linear axis share is left to the axis' label.

use super::axis::{Axis, Projection};
use super::typeset;

/// The ticks of an axis.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ticks {
    /// Values with a label, in rising order.
    pub major: Vec<f64>,
    /// Their labels.
    pub labels: Vec<String>,
    /// Values without one.
    pub minor: Vec<f64>,
    /// The power of ten by which labels are to be multiplied.
    pub exponent: i32,
}

/// Ticks for an axis with room for about `count` labels.
pub fn ticks(axis: &Projection, count: usize) -> Ticks {
    let (low, high) = axis.ends();
    if axis.log { logarithmic(low, high, count.max(2)) } else { linear(low, high, count.max(2)) }
}

/// Ticks of an axis.
pub fn marked(of: &Axis, axis: &Projection, count: usize) -> Ticks {
    if of.whole { whole(axis, count) } else { ticks(axis, count) }
}

/// Ticks at whole numbers only.
fn whole(axis: &Projection, count: usize) -> Ticks {
    if axis.log {
        return ticks(axis, count);
    }
    let (low, high) = axis.ends();
    // With room for fewer labels than there are numbers the steps are whole by themselves, but for 2.5.
    let mut count = count.min((high - low).floor().max(1.0) as usize);
    loop {
        let mut found = linear(low, high, count.max(1));
        let is_whole = found.major.iter().all(|v| (v - v.round()).abs() < 1e-6);
        if is_whole || count <= 1 {
            found.minor.retain(|v| (v - v.round()).abs() < 1e-6);
            return found;
        }
        count -= 1;
    }
}

/// The nice step that gives at most `count` intervals, with the number of parts that minor ticks cut it into.
fn step(size: f64, count: usize) -> (f64, i32, u32) {
    let raw = size / count as f64;
    let mut power = raw.log10().floor() as i32;
    // (mantissa in tenths, decimals it needs beyond the power, parts)
    for (tenths, extra, parts) in [(10, 0, 5), (20, 0, 4), (25, 1, 5), (50, 0, 5)] {
        let nice = f64::from(tenths) / 10.0 * 10f64.powi(power);
        if nice >= raw * (1.0 - 1e-9) {
            return (nice, power - extra, parts);
        }
    }
    power += 1;
    (10f64.powi(power), power, 5)
}

fn linear(low: f64, high: f64, count: usize) -> Ticks {
    let (step, last_digit, parts) = step(high - low, count);
    let slack = 1e-9 * (high - low);
    let multiples = |step: f64| -> Vec<f64> {
        let first = ((low - slack) / step).ceil();
        (0..10_000)
            .map(|k| (first + f64::from(k)) * step)
            .take_while(|v| *v <= high + slack)
            .map(|v| if v.abs() < step * 1e-6 { 0.0 } else { v })
            .collect()
    };
    let major = multiples(step);
    let minor = multiples(step / f64::from(parts))
        .into_iter()
        .filter(|v| major.iter().all(|m| (m - v).abs() > 1e-3 * step))
        .collect();
    let largest = major.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
    let size = if largest > 0.0 { largest.log10().floor() as i32 } else { 0 };
    // Labels of more than six digits share a power of ten.
    let exponent = if size >= 5 || size <= -4 { size } else { 0 };
    let decimals = (exponent - last_digit).clamp(0, 17) as usize;
    let labels = major.iter().map(|v| number(scaled(*v, exponent), decimals)).collect();
    Ticks { major, labels, minor, exponent }
}

/// `v/10^exponent`, in two steps where the power is no float.
fn scaled(v: f64, exponent: i32) -> f64 {
    let half = exponent / 2;
    v / 10f64.powi(half) / 10f64.powi(exponent - half)
}

fn number(v: f64, decimals: usize) -> String {
    let text = format!("{v:.decimals$}");
    let text = if text.trim_start_matches('-').chars().all(|c| c == '0' || c == '.') {
        text.trim_start_matches('-').to_string()
    } else {
        text
    };
    text.replace('-', "−")
}

fn logarithmic(low: f64, high: f64, count: usize) -> Ticks {
    let (first, last) = (low.log10(), high.log10());
    let decades = last - first;
    if decades < 0.9 {
        // Less than a decade reads as a linear axis does.
        let found = linear(low, high, count.min(5));
        if found.exponent == 0 {
            return found;
        }
    }
    let slack = 1e-9;
    let powers: Vec<i32> = ((first - slack).ceil() as i32..=(last + slack).floor() as i32).collect();
    let inside = |v: &f64| *v >= low * (1.0 - 1e-9) && *v <= high * (1.0 + 1e-9);
    let every = powers.len().div_ceil(count).max(1);
    let mantissas: &[i32] = match powers.len() * 3 {
        n if n <= count && decades < 2.0 => &[1, 2, 5],
        _ => &[1],
    };
    let mut marks: Vec<(i32, i32)> = Vec::new();
    for p in first.floor() as i32..=last.ceil() as i32 {
        if p.rem_euclid(every as i32) == 0 {
            marks.extend(mantissas.iter().map(|m| (*m, p)));
        }
    }
    let value = |(m, p): (i32, i32)| f64::from(m) * 10f64.powi(p);
    marks.retain(|m| inside(&value(*m)));
    let plain = marks.iter().all(|(_, p)| (-2..=3).contains(p));
    let label = |(m, p): (i32, i32)| match plain {
        true => number(value((m, p)), usize::try_from(-p).unwrap_or(0)),
        false if m == 1 => format!("10{}", typeset::superscript(p)),
        false => format!("{m}×10{}", typeset::superscript(p)),
    };
    let labels = marks.iter().map(|m| label(*m)).collect();
    let major: Vec<f64> = marks.iter().map(|m| value(*m)).collect();
    let minor: Vec<f64> = if every == 1 {
        let all = (first.floor() as i32..=last.ceil() as i32).flat_map(|p| (1..10).map(move |m| (m, p)));
        all.map(value).filter(inside).filter(|v| !major.iter().any(|m| (m / v - 1.0).abs() < 1e-6)).collect()
    } else {
        powers.iter().map(|p| 10f64.powi(*p)).filter(|v| !major.contains(v)).collect()
    };
    Ticks { major, labels, minor, exponent: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cases() -> ProptestConfig {
        let n = std::env::var("PHYS_CASES").ok().and_then(|n| n.parse().ok());
        ProptestConfig::with_cases(n.unwrap_or(256))
    }

    fn read(label: &str) -> f64 {
        label.replace('−', "-").parse().unwrap()
    }

    proptest! {
        #![proptest_config(cases())]

        #[test]
        fn linear_ticks_are_nice_cover_the_range_and_say_their_values(
            low in -1e6..1e6f64, size in -6..9i32, mantissa in 1.0..10.0f64, count in 3..10usize,
        ) {
            let size = mantissa * 10f64.powi(size);
            prop_assume!(size > low.abs() * 1e-6);
            let axis = Projection { low, high: low + size, log: false };
            let t = ticks(&axis, count);
            prop_assert!(t.major.len() >= 2 || count < 4, "{t:?}");
            prop_assert!(t.major.len() <= count + 1);
            let step = (size / count as f64).max(t.major.windows(2).map(|w| w[1] - w[0]).fold(0.0, f64::max));
            let mantissa = step / 10f64.powf(step.log10().floor());
            if t.major.len() > 1 {
                prop_assert!([1.0, 2.0, 2.5, 5.0, 10.0].iter().any(|n| (n - mantissa).abs() < 1e-4), "{mantissa}");
                prop_assert!(t.major[0] - low < step * 1.001 && low + size - t.major[t.major.len() - 1] < step * 1.001);
            }
            for (v, label) in t.major.iter().zip(&t.labels) {
                let said = read(label) * 10f64.powi(t.exponent);
                prop_assert!((said - v).abs() <= 1e-6 * step, "{label} for {v}");
            }
            prop_assert!(t.minor.iter().all(|v| *v >= low - 1e-6 * size && *v <= low + size * (1.0 + 1e-6)));
        }

        #[test]
        fn a_place_has_its_value(low in 1e-3..1e3f64, ratio in 1.5..1e6f64, at in 0.0..1.0f64, log: bool, back: bool) {
            let (low, high) = if back { (low * ratio, low) } else { (low, low * ratio) };
            let axis = Projection { low, high, log };
            prop_assert!((axis.place(axis.value(at)) - at).abs() < 1e-9);
        }

        #[test]
        fn logarithmic_ticks_lie_inside(first in -200.0..200.0f64, decades in 0.95..80.0f64, count in 3..10usize) {
            let axis = Projection { low: 10f64.powf(first), high: 10f64.powf(first + decades), log: true };
            let t = ticks(&axis, count);
            prop_assert!(!t.major.is_empty() || decades < 1.1 , "{t:?}");
            prop_assert!(t.major.len() <= 2 * count + 1);
            let (low, high) = axis.ends();
            for v in t.major.iter().chain(&t.minor) {
                prop_assert!(*v >= low * (1.0 - 1e-6) && *v <= high * (1.0 + 1e-6));
            }
        }
    }

    #[test]
    fn labels_read_as_in_a_journal() {
        let t = |low, high, log, n| ticks(&Projection { low, high, log }, n).labels;
        assert_eq!(t(0.0, 10.0, false, 5), ["0", "2", "4", "6", "8", "10"]);
        assert_eq!(t(-1.0, 1.0, false, 4), ["−1.0", "−0.5", "0.0", "0.5", "1.0"]);
        assert_eq!(t(0.5, 2e3, true, 6), ["1", "10", "100", "1000"]);
        assert_eq!(t(1e-6, 1.0, true, 8), ["10⁻⁶", "10⁻⁵", "10⁻⁴", "10⁻³", "10⁻²", "10⁻¹", "10⁰"]);
        let t = ticks(&Projection { low: 0.0, high: 3e-9, log: false }, 4);
        assert_eq!((t.labels.join(" ").as_str(), t.exponent), ("0 1 2 3", -9));
    }
}
