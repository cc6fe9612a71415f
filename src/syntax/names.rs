//! Names: which characters they hold, and the one spelling under which they are compared. NFKC is applied to
//! each name (so `x₁` is `x1` and `µ` is `μ`), then a Greek letter that is a whole name, or stands before
//! a digit, `_` or a prime, becomes its spelled name (`ω0` is `omega0`; `Δx` stays itself).

use unicode_normalization::{UnicodeNormalization, is_nfkc};

use super::tree::Name;

/// Whether a name may begin with this character.
pub fn is_start(c: char) -> bool {
    c == '_' || (c.is_alphabetic() && !is_superscript(c))
}

/// Letters written as superscripts; a superscript is a power, never part of a name.
fn is_superscript(c: char) -> bool {
    matches!(c, 'ª' | 'º' | 'ⁱ' | 'ⁿ' | '\u{2B0}'..='\u{2B8}' | '\u{1D2C}'..='\u{1D61}' | '\u{1D78}' | '\u{1D9B}'..='\u{1DBF}')
}

/// Whether a name may go on with this character (primes apart).
fn is_part(c: char) -> bool {
    match c {
        '\u{B7}' | '\u{387}' => false,
        '₀'..='₉' | '\u{300}'..='\u{36F}' | '\u{20D0}'..='\u{20F0}' => true,
        '_' => true,
        c if c.is_alphabetic() => !is_superscript(c),
        c => c.is_ascii_digit() || is_decimal(c),
    }
}

/// Decimal digits of other scripts that NFKC turns into ASCII ones (full width, mathematical).
fn is_decimal(c: char) -> bool {
    matches!(c, '０'..='９' | '\u{1D7CE}'..='\u{1D7FF}')
}

fn is_prime(c: char) -> bool {
    matches!(c, '\'' | '′' | '″' | '‴')
}

/// How many bytes at the start of `rest` continue a name: letters, digits, marks, then primes.
pub fn continued(rest: &str) -> usize {
    let mut chars = rest.char_indices().peekable();
    while chars.next_if(|&(_, c)| is_part(c)).is_some() {}
    while chars.next_if(|&(_, c)| is_prime(c)).is_some() {}
    chars.peek().map_or(rest.len(), |&(i, _)| i)
}

/// Whether the text is one whole name as it could be typed, a reserved word included.
pub fn is_name(text: &str) -> bool {
    match text.chars().next() {
        Some(c) if is_start(c) => continued(&text[c.len_utf8()..]) == text.len() - c.len_utf8(),
        _ => false,
    }
}

/// The spelling under which a name is compared: NFKC, primes as `'`, Greek letters by the rule above.
pub fn normalise_name(text: &str) -> Name {
    if text.is_ascii() {
        return text.into();
    }
    match text {
        "∞" => return "inf".into(),
        "∂" => return "diff".into(),
        _ => {}
    }
    let plain = normalise_unit(text);
    let mut out = String::with_capacity(plain.len() + 8);
    let mut chars = plain.chars().peekable();
    let mut first = true;
    while let Some(c) = chars.next() {
        let next = chars.peek().copied();
        let whole = first && next.is_none();
        let before_mark = next.is_some_and(|n| n.is_ascii_digit() || n == '_' || n == '\'');
        match greek(c) {
            Some(word) if whole || before_mark => out.push_str(word),
            _ => out.push(c),
        }
        first = false;
    }
    out.into()
}

/// The spelling of a unit: NFKC alone, so that `Ω` stays the ohm and `µm` becomes `μm`.
pub fn normalise_unit(text: &str) -> Name {
    if text.is_ascii() {
        return text.into();
    }
    let plain: String = if is_nfkc(text) { text.to_owned() } else { text.nfkc().collect() };
    if plain.contains('′') { plain.replace('′', "'").into() } else { plain.into() }
}

/// The spelled name of a Greek letter.
fn greek(c: char) -> Option<&'static str> {
    const LOWER: [&str; 25] = [
        "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda",
        "mu", "nu", "xi", "omicron", "pi", "rho", "sigma", "sigma", "tau", "upsilon", "phi", "chi", "psi",
        "omega",
    ];
    const UPPER: [&str; 25] = [
        "Alpha", "Beta", "Gamma", "Delta", "Epsilon", "Zeta", "Eta", "Theta", "Iota", "Kappa", "Lambda",
        "Mu", "Nu", "Xi", "Omicron", "Pi", "Rho", "", "Sigma", "Tau", "Upsilon", "Phi", "Chi", "Psi",
        "Omega",
    ];
    match c {
        'α'..='ω' => LOWER.get(c as usize - 'α' as usize).copied(),
        'Α'..='Ω' if c != '\u{3A2}' => UPPER.get(c as usize - 'Α' as usize).copied(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn greek_letters_and_compatibility_forms_have_one_spelling() {
        for (typed, name) in [
            ("π", "pi"),
            ("ω0", "omega0"),
            ("ω₀", "omega0"),
            ("Δx", "Δx"),
            ("Δ_x", "Delta_x"),
            ("x₁", "x1"),
            ("\u{B5}", "mu"),
            ("μ", "mu"),
            ("θ'", "theta'"),
            ("θ′′", "theta''"),
            ("θ″", "theta''"),
            ("Ω", "Omega"),
            ("\u{2126}", "Omega"),
            ("ħ", "ħ"),
            ("ε_0", "epsilon_0"),
            ("ϵ", "epsilon"),
            ("𝜋", "pi"),
            ("σ", "sigma"),
            ("ς", "sigma"),
            ("Σ", "Sigma"),
            ("ω", "omega"),
            ("λ", "lambda"),
            ("∞", "inf"),
            ("∂", "diff"),
            ("v̂", "v̂"),
            ("plain_1'", "plain_1'"),
        ] {
            assert_eq!(&*normalise_name(typed), name, "{typed}");
        }
    }

    #[test]
    fn normalising_twice_changes_nothing() {
        for text in ["ω₀", "Δx", "x₁", "θ″", "𝜋", "ﬁ", "Å", "αβ1"] {
            let once = normalise_name(text);
            assert_eq!(normalise_name(&once), once);
        }
    }

    #[test]
    fn middle_dots_and_superscripts_are_no_letters() {
        for text in ["a·b", "a\u{387}b", "x²", "xⁿ", "1x", "", "a b", "x'y"] {
            assert!(!is_name(text), "{text}");
        }
        for text in ["x", "_", "x''", "été", "x₁", "β_1", "if", "v̂"] {
            assert!(is_name(text), "{text}");
        }
    }

    #[test]
    fn units_keep_their_greek() {
        assert_eq!(&*normalise_unit("Ω"), "Ω");
        assert_eq!(&*normalise_unit("\u{2126}"), "Ω");
        assert_eq!(&*normalise_unit("\u{B5}m"), "μm");
    }
}
