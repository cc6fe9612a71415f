//! Names that a language takes: ASCII letters, digits and `_`, none of its words, each once.

use std::collections::HashSet;

/// Spellings of what is no ASCII letter.
const SPELLINGS: &[(char, &str)] = &[
    ('\'', "_prime"),
    ('α', "alpha"),
    ('β', "beta"),
    ('γ', "gamma"),
    ('δ', "delta"),
    ('ε', "epsilon"),
    ('ζ', "zeta"),
    ('η', "eta"),
    ('θ', "theta"),
    ('ι', "iota"),
    ('κ', "kappa"),
    ('λ', "lambda"),
    ('μ', "mu"),
    ('ν', "nu"),
    ('ξ', "xi"),
    ('ο', "omicron"),
    ('π', "pi"),
    ('ρ', "rho"),
    ('σ', "sigma"),
    ('ς', "sigma"),
    ('τ', "tau"),
    ('υ', "upsilon"),
    ('φ', "phi"),
    ('χ', "chi"),
    ('ψ', "psi"),
    ('ω', "omega"),
    ('Γ', "Gamma"),
    ('Δ', "Delta"),
    ('Θ', "Theta"),
    ('Λ', "Lambda"),
    ('Ξ', "Xi"),
    ('Π', "Pi"),
    ('Σ', "Sigma"),
    ('Υ', "Upsilon"),
    ('Φ', "Phi"),
    ('Ψ', "Psi"),
    ('Ω', "Omega"),
    ('ħ', "hbar"),
];

/// The names of one file.
pub(super) struct Names {
    taken: HashSet<String>,
}

impl Names {
    /// None but the words of the language, separated by blanks.
    pub(super) fn new(words: &[&str]) -> Names {
        Names { taken: words.iter().flat_map(|w| w.split_whitespace()).map(str::to_owned).collect() }
    }

    /// A name for this one: itself where it can be, else spelt in ASCII, with a trailing `_` where that is taken.
    pub(super) fn take(&mut self, name: &str) -> String {
        let mut safe = String::with_capacity(name.len());
        for c in name.chars() {
            match SPELLINGS.iter().find(|(own, _)| *own == c) {
                _ if c.is_ascii_alphanumeric() || c == '_' => safe.push(c),
                Some((_, spelt)) => safe.push_str(spelt),
                None => safe.push_str(&format!("u{:x}", u32::from(c))),
            }
        }
        if !safe.starts_with(|c: char| c.is_ascii_alphabetic()) {
            safe.insert(0, 'v');
        }
        while !self.taken.insert(safe.clone()) {
            safe.push('_');
        }
        safe
    }
}
