//! Names, expressions and units as they are drawn: Greek letters for their names, superscripts for integer powers, a
//! dot for the product; and back to ASCII for terminals that know nothing else.

use crate::units::Unit;

const GREEK: &[(&str, char)] = &[
    ("alpha", 'α'),
    ("beta", 'β'),
    ("gamma", 'γ'),
    ("delta", 'δ'),
    ("epsilon", 'ε'),
    ("zeta", 'ζ'),
    ("eta", 'η'),
    ("theta", 'θ'),
    ("iota", 'ι'),
    ("kappa", 'κ'),
    ("lambda", 'λ'),
    ("mu", 'μ'),
    ("nu", 'ν'),
    ("xi", 'ξ'),
    ("pi", 'π'),
    ("rho", 'ρ'),
    ("sigma", 'σ'),
    ("tau", 'τ'),
    ("upsilon", 'υ'),
    ("phi", 'φ'),
    ("chi", 'χ'),
    ("psi", 'ψ'),
    ("omega", 'ω'),
    ("Gamma", 'Γ'),
    ("Delta", 'Δ'),
    ("Theta", 'Θ'),
    ("Lambda", 'Λ'),
    ("Xi", 'Ξ'),
    ("Pi", 'Π'),
    ("Sigma", 'Σ'),
    ("Phi", 'Φ'),
    ("Psi", 'Ψ'),
    ("Omega", 'Ω'),
];

const SUPERSCRIPTS: &str = "⁰¹²³⁴⁵⁶⁷⁸⁹";
const SUBSCRIPTS: &str = "₀₁₂₃₄₅₆₇₈₉";

/// An integer as superscript.
pub fn superscript(n: i32) -> String {
    let digit = |c: char| match c.to_digit(10) {
        Some(d) => SUPERSCRIPTS.chars().nth(d as usize).unwrap_or(c),
        None => '⁻',
    };
    n.to_string().chars().map(digit).collect()
}

/// A name: the Greek letter, an index of digits below.
pub fn name(full: &str) -> String {
    let primes = full.chars().rev().take_while(|c| *c == '\'').count();
    let rest = &full[..full.len() - primes];
    let digits = rest.chars().rev().take_while(char::is_ascii_digit).count();
    let (stem, index) = rest.split_at(rest.len() - digits);
    let bare = stem.strip_suffix('_').filter(|_| digits > 0).unwrap_or(stem);
    let (first, tail) = bare.split_once('_').map_or((bare, None), |(a, b)| (a, Some(b)));
    let letter = |text: &str| match GREEK.iter().find(|(n, _)| *n == text) {
        Some((_, c)) => c.to_string(),
        None => text.to_string(),
    };
    let mut text = letter(first);
    if let Some(tail) = tail {
        text.push('_');
        text.push_str(&letter(tail));
    }
    // Digits that belong to a word of several letters stay (`run12`).
    if text.chars().count() == 1 {
        text.extend(index.chars().filter_map(|c| SUBSCRIPTS.chars().nth(c.to_digit(10)? as usize)));
    } else {
        text.push_str(&rest[bare.len()..]);
    }
    text.extend(std::iter::repeat_n('′', primes));
    text
}

/// An expression in one line of phys as it is drawn.
pub fn expression(text: &str) -> String {
    formula(text, true)
}

/// A unit as it is drawn, `kg·m²/s²` or `s⁻¹`; empty for `[1]`.
pub fn unit(unit: &Unit) -> String {
    let text = unit.to_string();
    if unit.is_one() {
        return String::new();
    }
    if text.starts_with("1/") {
        let parts: Option<Vec<String>> = unit
            .parts()
            .map(|(u, power)| Some(format!("{u}{}", superscript(i32::try_from(power.to_i64()?).ok()?))))
            .collect();
        if let Some(parts) = parts {
            return parts.join("·");
        }
    }
    formula(&text, false)
}

fn formula(text: &str, names: bool) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::new();
    let mut i = 0;
    while i < chars.len() {
        let c = chars[i];
        let word = |c: char| c.is_alphanumeric() || c == '_' || c == '\'';
        if c.is_alphabetic() {
            let end = (i..chars.len()).find(|k| !word(chars[*k])).unwrap_or(chars.len());
            let part: String = chars[i..end].iter().collect();
            out.push_str(&if names && chars.get(end) != Some(&'(') { name(&part) } else { part });
            i = end;
        } else if c == '^' {
            let sign = usize::from(chars.get(i + 1) == Some(&'-'));
            let start = i + 1 + sign;
            let end = (start..chars.len()).find(|k| !chars[*k].is_ascii_digit()).unwrap_or(chars.len());
            let whole: String = chars[i + 1..end].iter().collect();
            let point = chars.get(end).is_some_and(|c| *c == '.' || c.is_alphabetic());
            match whole.parse::<i32>() {
                Ok(n) if !point => {
                    out.push_str(&superscript(n));
                    i = end;
                }
                _ => {
                    out.push('^');
                    i += 1;
                }
            }
        } else if c == '*' {
            out.push('·');
            i += 1;
        } else if c == '-' && chars.get(i + 1).is_some_and(|c| *c == ' ' || c.is_alphanumeric()) {
            out.push('−');
            i += 1;
        } else {
            out.push(c);
            i += 1;
        }
    }
    out
}

/// In ASCII: names for Greek letters, `^2` for superscripts; `?` for what has no spelling.
pub fn ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut raised = false;
    for c in text.chars() {
        let digit = SUPERSCRIPTS.chars().position(|s| s == c);
        if let Some(d) = digit {
            if !raised {
                out.push('^');
            }
            out.push_str(&d.to_string());
            raised = true;
            continue;
        }
        if c == '⁻' {
            out.push_str(if raised { "-" } else { "^-" });
            raised = true;
            continue;
        }
        raised = false;
        if let Some(d) = SUBSCRIPTS.chars().position(|s| s == c) {
            out.push_str(&d.to_string());
            continue;
        }
        match c {
            ' '..='~' => out.push(c),
            '·' | '×' => out.push('*'),
            '−' | '–' | '—' => out.push('-'),
            '′' => out.push('\''),
            'µ' => out.push('u'),
            '°' => out.push_str("deg"),
            '√' => out.push_str("sqrt"),
            '±' => out.push_str("+/-"),
            '≤' => out.push_str("<="),
            '≥' => out.push_str(">="),
            'ħ' | 'ℏ' => out.push_str("hbar"),
            'Å' | '\u{212B}' => out.push('A'),
            '☉' => out.push_str("sun"),
            _ => match GREEK.iter().find(|(_, g)| *g == c) {
                Some((name, _)) => out.push_str(name),
                None => out.push('?'),
            },
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_powers_are_drawn_as_in_print() {
        assert_eq!(name("theta"), "θ");
        assert_eq!(name("omega_0"), "ω₀");
        assert_eq!(name("x1"), "x₁");
        assert_eq!(name("run12"), "run12");
        assert_eq!(name("v_max"), "v_max");
        assert_eq!(name("theta'"), "θ′");
        assert_eq!(expression("a*x^2 - exp(-lambda*t)/2"), "a·x² − exp(−λ·t)/2");
        assert_eq!(expression("x^n + x^-2 + x^0.5"), "x^n + x⁻² + x^0.5");
        assert_eq!(superscript(-12), "⁻¹²");
    }

    #[test]
    fn ascii_is_ascii() {
        for text in ["θ₀ [kg·m²/s²]", "10⁻³ λ", "日本", "a − b ± √2"] {
            assert!(ascii(text).is_ascii());
        }
        assert_eq!(ascii("θ₀ [10⁻³ m/s²]"), "theta0 [10^-3 m/s^2]");
    }
}
