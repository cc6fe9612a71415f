//! Cuts a file of `stdlib/units/` into its `unit` statements without parsing them: a session that uses
//! three units parses three definitions, and start-up costs a scan of the lines. Statements stand on one
//! line each; the `##` lines above one are its documentation and carry what the statement cannot say:
//!
//! ```text
//! ## The litre. SI Brochure, 9th edition (2019), table 8.
//! ## prefixes: metric            (or large, binary; none is the default)
//! ## symbols: L, l               (further spellings, where the statement could not write them: %, in, Ω)
//! ## latex: \Omega               (in roman, where it differs from the spelling)
//! ## offset: 273.15              (added before scaling: degC, degF)
//! ## logarithmic: 10             (the number is 10 times the decimal logarithm: dB)
//! ```

use super::prefix::Prefixes;
use super::unit::Kind;
use crate::base::{Code, Diagnostic, Number};
use crate::syntax::normalise_unit;
use std::sync::Arc;

/// What the documentation of a unit says about it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Notes {
    /// The words, without the lines below.
    pub doc: String,
    pub prefixes: Prefixes,
    /// Further spellings.
    pub symbols: Vec<Arc<str>>,
    pub latex: Option<String>,
    pub kind: Kind,
}

impl Notes {
    /// From `##` lines without their marks; the error is the line that could not be understood.
    pub fn read(doc: &str) -> Result<Notes, String> {
        let mut notes = Notes {
            doc: String::new(),
            prefixes: Prefixes::None,
            symbols: Vec::new(),
            latex: None,
            kind: Kind::Ordinary,
        };
        for line in doc.lines().map(str::trim) {
            let (key, value) = line.split_once(':').map_or((line, ""), |(k, v)| (k, v.trim()));
            let bad = || line.to_string();
            match key {
                "prefixes" => notes.prefixes = Prefixes::read(value).ok_or_else(bad)?,
                "symbols" => {
                    let spellings = value.split(',').map(|s| normalise_unit(s.trim()));
                    notes.symbols = spellings.filter(|s: &Arc<str>| !s.is_empty()).collect();
                }
                "latex" => notes.latex = Some(value.to_string()),
                "offset" => notes.kind = Kind::Affine(Number::parse_decimal(value).ok_or_else(bad)?),
                "logarithmic" => {
                    let factor = value.parse().ok().filter(|x: &f64| x.is_finite() && *x > 0.0);
                    notes.kind = Kind::Logarithmic(factor.ok_or_else(bad)?);
                }
                _ if notes.doc.is_empty() => notes.doc = line.to_string(),
                _ => {
                    notes.doc.push('\n');
                    notes.doc.push_str(line);
                }
            }
        }
        Ok(notes)
    }
}

/// One `unit` statement, not yet parsed.
#[derive(Debug)]
pub(super) struct Cut {
    /// The spellings that the statement lists.
    pub names: Vec<Arc<str>>,
    pub notes: Notes,
    /// The whole statement.
    pub text: Arc<str>,
    /// Whether it has a value; base units have none.
    pub defined: bool,
}

/// The statements of a file.
pub(super) fn cut(file: &str, text: &str) -> Result<Vec<Cut>, Diagnostic> {
    let mut cuts = Vec::new();
    let mut doc = String::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        let fault = |message: String| {
            let place = format!("{file} line {}", number + 1);
            Diagnostic::error(Code(1107), None, format!("{message} in {place}"))
                .hint("unit furlong = 201.168 [m]")
        };
        if let Some(words) = line.strip_prefix("##") {
            if !doc.is_empty() {
                doc.push('\n');
            }
            doc.push_str(words.trim());
        } else if let Some(statement) = line.strip_prefix("unit ") {
            let (heads, value) = statement.split_once('=').map_or((statement, None), |(h, v)| (h, Some(v)));
            let names: Vec<Arc<str>> = heads.split(',').map(|n| normalise_unit(n.trim())).collect();
            if names.iter().any(|n| n.is_empty()) {
                return Err(fault(format!("expected names of a unit, found `{}`", heads.trim())));
            }
            let notes =
                Notes::read(&doc).map_err(|bad| fault(format!("expected a known remark, found `{bad}`")))?;
            cuts.push(Cut { names, notes, text: line.into(), defined: value.is_some() });
            doc.clear();
        } else if line.is_empty() || line.starts_with('#') {
            doc.clear();
        } else {
            return Err(fault(format!("expected a `unit` statement, found `{line}`")));
        }
    }
    Ok(cuts)
}
