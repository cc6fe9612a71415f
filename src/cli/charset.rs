//! Text for terminals that cannot show Unicode: signs become their other spelling, which the language reads as well,
//! frames become ASCII, and what has no such spelling a question mark. Files and pipes always get UTF-8.

use std::borrow::Cow;

/// Whether the locale says that the terminal shows UTF-8. Where it says nothing, it does.
pub fn is_unicode() -> bool {
    let set = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty());
    match set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG")) {
        Some(locale) => {
            let locale = locale.to_ascii_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        }
        None => true,
    }
}

/// The text in ASCII.
pub fn ascii(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    let mut raised = false;
    for c in text.chars() {
        let superscript = "⁰¹²³⁴⁵⁶⁷⁸⁹".chars().position(|s| s == c);
        if let Some(digit) = superscript {
            if !raised {
                out.push('^');
            }
            out.push(char::from(b'0' + digit as u8));
            raised = true;
            continue;
        }
        if c == '⁻' {
            out.push_str("^-");
            raised = true;
            continue;
        }
        raised = false;
        if c.is_ascii() {
            out.push(c);
            continue;
        }
        if let Some(digit) = "₀₁₂₃₄₅₆₇₈₉".chars().position(|s| s == c) {
            out.push(char::from(b'0' + digit as u8));
            continue;
        }
        let spelled = match c {
            '±' => "+/-",
            '·' | '×' | '⋅' => "*",
            '÷' => "/",
            '−' | '─' | '━' | '┄' | '–' | '—' => "-",
            '≤' => "<=",
            '≥' => ">=",
            '≠' => "!=",
            '→' => "->",
            '⇒' => "=>",
            '∈' => "in",
            '√' => "sqrt",
            '∞' => "inf",
            '′' | '’' => "'",
            '∂' => "d",
            'µ' | 'μ' => "u",
            'Ω' | '\u{2126}' => "ohm",
            'Å' => "angstrom",
            '°' => "deg",
            '‰' => "permil",
            'ħ' => "hbar",
            '│' | '┃' | '┆' | '┊' => "|",
            '╭' | '┌' | '╮' | '┐' => ",",
            '╰' | '└' | '╯' | '┘' => "`",
            '├' | '┤' | '┬' | '┴' | '┼' => "+",
            '…' => "...",
            '“' | '”' => "\"",
            other => {
                let name = crate::syntax::normalise_name(&other.to_string());
                out.push_str(if name.is_ascii() { &name } else { "?" });
                continue;
            }
        };
        out.push_str(spelled);
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::ascii;

    #[test]
    fn signs_get_their_other_spelling() {
        assert_eq!(ascii("9.81 ± 0.02 [m/s²]"), "9.81 +/- 0.02 [m/s^2]");
        assert_eq!(ascii("θ₁ → 3 μm·x⁻²"), "theta1 -> 3 um*x^-2");
        assert_eq!(ascii("╭─[ a ]\n│ 日"), ",-[ a ]\n| ?");
        assert_eq!(ascii("plain"), "plain");
    }
}
