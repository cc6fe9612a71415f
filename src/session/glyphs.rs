//! Signs that are typed as a backslash and a name, `\alpha` and Tab: the Greek letters, the other spellings of operators
//! that the language knows, superscripts and subscripts. The names are those of LaTeX where it has one.

/// Name and sign, sorted by nothing but kind.
pub const GLYPHS: &[(&str, &str)] = &[
    ("alpha", "α"),
    ("beta", "β"),
    ("gamma", "γ"),
    ("delta", "δ"),
    ("epsilon", "ε"),
    ("varepsilon", "ε"),
    ("zeta", "ζ"),
    ("eta", "η"),
    ("theta", "θ"),
    ("iota", "ι"),
    ("kappa", "κ"),
    ("lambda", "λ"),
    ("mu", "μ"),
    ("nu", "ν"),
    ("xi", "ξ"),
    ("omicron", "ο"),
    ("pi", "π"),
    ("rho", "ρ"),
    ("sigma", "σ"),
    ("tau", "τ"),
    ("upsilon", "υ"),
    ("phi", "φ"),
    ("varphi", "φ"),
    ("chi", "χ"),
    ("psi", "ψ"),
    ("omega", "ω"),
    ("Alpha", "Α"),
    ("Beta", "Β"),
    ("Gamma", "Γ"),
    ("Delta", "Δ"),
    ("Epsilon", "Ε"),
    ("Theta", "Θ"),
    ("Lambda", "Λ"),
    ("Xi", "Ξ"),
    ("Pi", "Π"),
    ("Sigma", "Σ"),
    ("Upsilon", "Υ"),
    ("Phi", "Φ"),
    ("Psi", "Ψ"),
    ("Omega", "Ω"),
    ("hbar", "ħ"),
    ("ell", "ℓ"),
    ("ohm", "Ω"),
    ("angstrom", "Å"),
    ("degree", "°"),
    ("permil", "‰"),
    ("cdot", "·"),
    ("times", "×"),
    ("div", "÷"),
    ("pm", "±"),
    ("le", "≤"),
    ("leq", "≤"),
    ("ge", "≥"),
    ("geq", "≥"),
    ("ne", "≠"),
    ("neq", "≠"),
    ("to", "→"),
    ("rightarrow", "→"),
    ("Rightarrow", "⇒"),
    ("in", "∈"),
    ("sqrt", "√"),
    ("infty", "∞"),
    ("inf", "∞"),
    ("partial", "∂"),
    ("prime", "′"),
    ("^0", "⁰"),
    ("^1", "¹"),
    ("^2", "²"),
    ("^3", "³"),
    ("^4", "⁴"),
    ("^5", "⁵"),
    ("^6", "⁶"),
    ("^7", "⁷"),
    ("^8", "⁸"),
    ("^9", "⁹"),
    ("^-", "⁻"),
    ("^-1", "⁻¹"),
    ("^-2", "⁻²"),
    ("_0", "₀"),
    ("_1", "₁"),
    ("_2", "₂"),
    ("_3", "₃"),
    ("_4", "₄"),
    ("_5", "₅"),
    ("_6", "₆"),
    ("_7", "₇"),
    ("_8", "₈"),
    ("_9", "₉"),
];

/// The signs whose names begin so; the sign alone where the name is whole.
pub fn beginning(word: &str) -> Vec<(&'static str, &'static str)> {
    if let Some(whole) = GLYPHS.iter().find(|(name, _)| *name == word) {
        return vec![*whole];
    }
    GLYPHS.iter().filter(|(name, _)| name.starts_with(word)).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::{GLYPHS, beginning};
    use crate::base::Source;

    #[test]
    fn every_name_gives_one_sign() {
        for (name, sign) in GLYPHS {
            assert_eq!(beginning(name), [(*name, *sign)]);
        }
        assert_eq!(beginning("alp"), [("alpha", "α")]);
        assert!(beginning("zzz").is_empty());
    }

    #[test]
    fn the_language_reads_every_sign() {
        for (name, sign) in GLYPHS {
            let text = match *name {
                _ if name.starts_with('_') => format!("x{sign}"),
                "^-" => "x⁻¹".into(),
                _ if name.starts_with('^') => format!("x{sign}"),
                "degree" | "permil" | "ohm" | "angstrom" => format!("1 [{sign}]").replace("[°]", "[°C]"),
                "cdot" | "times" | "div" | "pm" | "le" | "leq" | "ge" | "geq" | "ne" | "neq" => {
                    format!("x {sign} y")
                }
                "to" | "rightarrow" => format!("x {sign} [m]"),
                "Rightarrow" => format!("rule x {sign} y"),
                "in" => format!("for k {sign} 1..2 {{ k }}"),
                "sqrt" => "√x".into(),
                "partial" => "∂(x, x)".into(),
                "prime" => format!("x{sign}"),
                _ => (*sign).into(),
            };
            let parsed = crate::syntax::parse(&Source::new(0, "", &text));
            assert!(!parsed.has_errors(), "{name}: {text}: {:?}", parsed.diagnostics);
        }
    }
}
