//! Numbers as text: floats to a number of significant digits or as the shortest text that reads back, and values with
//! their standard uncertainty (two significant digits of it, as the Particle Data Group and JCGM 100:2008, 7.2.6
//! recommend).

use super::Style;

/// A float: significant digits of the style, zeros at the end dropped; an exponent below 1e-4 and where there would be
/// more digits before the point than the style shows. Without digits: the shortest text that reads back as this float.
pub fn float(x: f64, style: &Style) -> String {
    if x.is_nan() {
        return "nan".into();
    }
    if x.is_infinite() {
        return if x > 0.0 { "inf".into() } else { "-inf".into() };
    }
    let Some(digits) = style.digits.map(|d| d.clamp(1, 17)) else { return format!("{:?}", x + 0.0) };
    if x == 0.0 {
        return "0".into();
    }
    let scientific = format!("{x:.*e}", digits - 1);
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    let power: i32 = exponent.parse().unwrap_or(0);
    if (-4..digits.max(3) as i32).contains(&power) {
        let decimals = (digits as i32 - 1 - power).max(0) as usize;
        trim(&format!("{x:.decimals$}")).to_owned()
    } else {
        format!("{}e{power}", trim(mantissa))
    }
}

fn trim(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

/// A value with its standard uncertainty: `9.81 ± 0.02`, `424 ± 42`, `1.98841e30 ± 0.00004e30`. The uncertainty has two
/// significant digits, a zero at its end dropped; the value ends at the same place; a common power of ten stands on
/// both.
pub fn uncertain(value: f64, sigma: f64) -> String {
    let sigma = sigma.abs();
    let style = Style::default();
    if sigma == 0.0 || !sigma.is_finite() || !value.is_finite() {
        return format!("{} ± {}", float(value, &style), float(sigma, &style));
    }
    let (mut error, mut place) = rounded(sigma, exponent_of(sigma) - 1);
    // Rounding up (0.996) leaves three digits: 100 of 1e-2.
    while error.len() > 1 && error.ends_with('0') {
        error.pop();
        place += 1;
    }
    let (digits, _) = rounded(value.abs(), place);
    let top = exponent_of(value.abs().max(sigma));
    let common = if (-4..6).contains(&top) { 0 } else { top };
    let suffix = if common == 0 { String::new() } else { format!("e{common}") };
    let sign = if value < 0.0 && digits.bytes().any(|b| b != b'0') { "-" } else { "" };
    format!(
        "{sign}{}{suffix} ± {}{suffix}",
        shifted(&digits, place - common),
        shifted(&error, place - common)
    )
}

/// The decimal exponent of a positive number; 0 has the least.
fn exponent_of(x: f64) -> i32 {
    if x == 0.0 {
        return i32::MIN / 4;
    }
    format!("{x:e}").split_once('e').and_then(|(_, e)| e.parse().ok()).unwrap_or(0)
}

/// `x >= 0` in multiples of `10^place`, rounded: the digits of the multiple, and the place.
fn rounded(x: f64, place: i32) -> (String, i32) {
    let top = exponent_of(x);
    if top < place - 1 {
        return ("0".into(), place);
    }
    if top < place {
        // One place below: rounds to 0 or 1.
        let leading = format!("{x:.0e}");
        let up = leading.starts_with(|c: char| ('5'..='9').contains(&c))
            || exponent_of(x) < parse_exponent(&leading);
        return (if up { "1" } else { "0" }.into(), place);
    }
    let text = format!("{x:.*e}", (top - place) as usize);
    let bumped = parse_exponent(&text) > top;
    let mut digits: String =
        text.split('e').next().unwrap_or("").chars().filter(char::is_ascii_digit).collect();
    if bumped {
        digits.push('0');
    }
    (digits, place)
}

fn parse_exponent(text: &str) -> i32 {
    text.split_once('e').and_then(|(_, e)| e.parse().ok()).unwrap_or(0)
}

/// `digits * 10^place` written out.
fn shifted(digits: &str, place: i32) -> String {
    if place >= 0 {
        let zeros = if digits == "0" { 0 } else { place as usize };
        return format!("{digits}{}", "0".repeat(zeros));
    }
    let after = place.unsigned_abs() as usize;
    let padded = format!("{digits:0>width$}", width = after + 1);
    let (whole, fraction) = padded.split_at(padded.len() - after);
    format!("{whole}.{fraction}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_for_people() {
        for (x, text) in [
            (0.1 + 0.2, "0.3"),
            (2.0, "2"),
            (1e3, "1000"),
            (1e6, "1e6"),
            (123456.0, "123456"),
            (123456789.0, "1.23457e8"),
            (999999.7, "1e6"),
            (0.0001, "0.0001"),
            (0.00001, "1e-5"),
            (0.00012345678, "0.000123457"),
            (1.5e-12, "1.5e-12"),
            (105.948, "105.948"),
            (-0.0, "0"),
            (-2.5, "-2.5"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(float(x, &Style::default()), text);
        }
    }

    #[test]
    fn exact_floats_read_back_and_look_like_floats() {
        for x in [1.0, 0.1, -2.5, 1e300, 1.5e-12, 123456789.0, 1e16, 5e-324, f64::MAX, 0.0, -0.0] {
            let text = float(x, &Style::exact());
            assert_eq!(text.parse::<f64>().unwrap(), x);
            assert!(text.contains(['.', 'e']), "{text}");
            assert!(!text.starts_with("-0.0") || x != 0.0);
        }
    }

    #[test]
    fn values_with_uncertainty() {
        for (value, sigma, text) in [
            (9.81, 0.02, "9.81 ± 0.02"),
            (9.80665, 0.02, "9.81 ± 0.02"),
            (1.0, 0.02, "1.00 ± 0.02"),
            (1234.0, 56.0, "1234 ± 56"),
            (5.0, 1.0, "5 ± 1"),
            (424.0, 42.0, "424 ± 42"),
            (1.98841e30, 0.00004e30, "1.98841e30 ± 0.00004e30"),
            (6.67430e-11, 0.00015e-11, "6.67430e-11 ± 0.00015e-11"),
            (0.00012345, 0.00000067, "0.00012345 ± 0.00000067"),
            (12.0, 0.5, "12.0 ± 0.5"),
            (-1.0, 0.1414, "-1.00 ± 0.14"),
            (0.479425538, 0.00877582, "0.4794 ± 0.0088"),
            (0.0, 0.1, "0.0 ± 0.1"),
            (424.0, 40.0, "420 ± 40"),
            (9.999, 0.0996, "10.0 ± 0.1"),
            (0.004, 0.1, "0.0 ± 0.1"),
            (0.06, 0.1, "0.1 ± 0.1"),
            (-0.01, 0.1, "0.0 ± 0.1"),
        ] {
            assert_eq!(uncertain(value, sigma), text);
        }
    }
}
