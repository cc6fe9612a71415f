//! `phys explain`: what an error code means. The tables stand beside the errors they explain.

use super::{FAULTY, output};
use crate::base::Code;

/// A row of a table of codes: code, title, explanation.
pub type Row = (u16, &'static str, &'static str);

/// Codes of the commands.
pub const CODES: &[Row] = &[
    (
        8001,
        "file cannot be written",
        "The file that a command was to write cannot be written; an old one is kept.",
    ),
    (8002, "usage", "The arguments of the command do not fit together; `--help` lists them."),
];

/// All tables, by layer.
pub fn tables() -> Vec<&'static [Row]> {
    vec![
        crate::syntax::CODES,
        crate::units::CODES,
        crate::expression::CODES,
        crate::numeric::CODES,
        crate::algebra::error::CODES,
        crate::data::CODES,
        crate::regression::CODES,
        crate::language::error::CODES,
        crate::session::CODES,
        CODES,
    ]
}

/// The explanations as a page of the book.
pub fn page() -> String {
    let mut rows: Vec<Row> = tables().into_iter().flatten().copied().collect();
    rows.sort_unstable();
    let mut text = String::from(
        "# Error codes\n\nA code is `P` and four digits, the first the layer. `phys explain P6021` shows one of these.\n",
    );
    for (code, title, words) in rows {
        text.push_str(&format!("\n## {}: {title}\n\n{words}\n", Code(code)));
    }
    text
}

/// Explains one code, or all.
pub fn explain(code: Option<&str>) -> u8 {
    let Some(code) = code else {
        output::line(page().trim_end());
        return 0;
    };
    let digits = code.trim().trim_start_matches(['P', 'p']);
    let row = digits.parse::<u16>().ok().and_then(|n| tables().into_iter().flatten().find(|r| r.0 == n));
    match row {
        Some((n, title, words)) => {
            output::line(&format!("{}: {title}\n\n{words}", Code(*n)));
            0
        }
        None => {
            output::error_line(&format!(
                "error[P8002]: expected an error code such as P6021, found `{code}`"
            ));
            FAULTY
        }
    }
}
