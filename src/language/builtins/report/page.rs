//! The page: HTML that is also XML, with everything inside it, set to be printed on one sheet.

use std::fmt::Write as _;

use super::extrapolate::{Check, Outcome, Scale};
use super::figures;
use super::measure::{Kind as How, Measured};
use crate::base::markup::escape;
use crate::expression::print::{self, Style};
use crate::expression::{Expr, Kind, Symbol};
use crate::language::builtins::explain;
use crate::language::render;
use crate::numeric::statistics;
use crate::plot::typeset;
use crate::regression::{Candidate, ConstantInfo};
use crate::units::Unit;

/// The style of the parts.
pub const STYLE: &str = "\
.phys { --line: #8886; } .phys h3 { font-size: 1rem; margin: 0.9rem 0 0.3rem; } .phys p { margin: 0.3rem 0; }
.phys pre.law { font: 1.05rem/1.25 ui-monospace, monospace; overflow-x: auto; margin: 0.4rem 0; padding: 0.5rem 0.8rem; border: 1px solid var(--line); border-radius: 4px; }
.phys table { border-collapse: collapse; font-size: 0.85rem; } .phys th, .phys td { text-align: left; padding: 0.1rem 0.8rem 0.1rem 0; vertical-align: top; }
.phys th { border-bottom: 1px solid var(--line); font-weight: 600; } .phys .n { text-align: right; font-variant-numeric: tabular-nums; }
.phys tr.chosen { font-weight: 600; } .phys .muted { opacity: 0.7; font-size: 0.8rem; } .phys td.code { font-family: ui-monospace, monospace; }
.phys .figures { display: flex; flex-wrap: wrap; gap: 0.5rem; } .phys figure { margin: 0; width: 32.5%; } .phys figure.small { width: 24%; }
.phys figure svg { width: 100%; height: auto; background: white; } .phys figcaption { font-size: 0.75rem; opacity: 0.7; }
.phys .side { display: flex; flex-wrap: wrap; gap: 0 2rem; }
@media print { .phys { font-size: 8.5pt; } .phys figure, .phys table { break-inside: avoid; } }";

/// The style of a page of its own.
const SHEET: &str = "\
:root { color-scheme: light dark; } @page { size: A4; margin: 10mm; }
body { font: 15px/1.4 system-ui, sans-serif; max-width: 62rem; margin: 1.2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; margin: 0 0 0.3rem; }
@media print { body { font-size: 8.5pt; margin: 0; padding: 0; max-width: none; } }";

/// Digits of figures in tables.
const DIGITS: usize = 5;
/// Columns of a formula in two dimensions.
const WIDTH: usize = 110;

/// The whole page.
pub(super) fn document(m: &Measured<'_>, checks: &[Check], style: &Style) -> String {
    let title = format!("A law for {}", typeset::name(&m.target.name));
    let title = escape(&title);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n<title>{title}</title>\n\
         <style>\n{SHEET}\n{STYLE}\n</style>\n</head>\n<body>\n<h1>{title}</h1>\n{}<p class=\"muted\">phys {}</p>\n\
         </body>\n</html>\n",
        blocks(m, checks, style, "f"),
        env!("CARGO_PKG_VERSION"),
    )
}

/// The blocks of a page; `word` begins their identifiers.
pub(super) fn blocks(m: &Measured<'_>, checks: &[Check], style: &Style, word: &str) -> String {
    let mut out = String::from("<div class=\"phys\">\n");
    law(&mut out, m, style);
    beside(&mut out, m, style);
    constants(&mut out, &m.law().constants, style);
    out.push_str("<div class=\"side\">\n<div>\n");
    numbers(&mut out, m);
    out.push_str("</div>\n<div>\n");
    outside(&mut out, checks, m);
    out.push_str("</div>\n</div>\n");
    front(&mut out, m, style);
    drawings(&mut out, m, word);
    how(&mut out, m, style);
    out.push_str("</div>\n");
    out
}

/// A number as tables show it.
fn number(x: f64) -> String {
    print::float(x, &Style { digits: Some(DIGITS), ..Style::default() })
}

/// A number with its unit.
fn quantity(x: f64, unit: &Unit) -> String {
    match typeset::unit(unit) {
        u if u.is_empty() => number(x),
        u => format!("{} {u}", number(x)),
    }
}

/// A table: its head and its rows, all texts. Columns whose head begins with `#` hold numbers.
fn table(out: &mut String, head: &[&str], rows: &[(bool, Vec<String>)]) {
    let class = |k: usize| if head[k].starts_with('#') { " class=\"n\"" } else { "" };
    let cells = |tag: &str, row: &[String]| -> String {
        let cell = |(k, text): (usize, &String)| format!("<{tag}{}>{}</{tag}>", class(k), escape(text));
        row.iter().enumerate().map(cell).collect()
    };
    let names: Vec<String> = head.iter().map(|h| h.trim_start_matches('#').to_string()).collect();
    out.push_str("<table>\n");
    // Writing to a string cannot fail.
    if names.iter().any(|n| !n.is_empty()) {
        let _ = writeln!(out, "<tr>{}</tr>", cells("th", &names));
    }
    for (chosen, row) in rows {
        let mark = if *chosen { " class=\"chosen\"" } else { "" };
        let _ = writeln!(out, "<tr{mark}>{}</tr>", cells("td", row));
    }
    out.push_str("</table>\n");
}

fn law(out: &mut String, m: &Measured<'_>, style: &Style) {
    let expr = &m.law().expr;
    if let Some(words) = m.front.words.get(m.place) {
        let _ = writeln!(out, "<pre class=\"law\">{} = {}</pre>", escape(&m.target.name), escape(words));
    }
    if m.kind == How::Vector {
        return;
    }
    let equation = Expr::equation(Expr::symbol(Symbol::new(&m.target.name)), expr.clone());
    let rows = match rendered(&equation, style) {
        Some(rows) => rows.join("\n"),
        None => format!("{} = {}", m.target.name, render::expr(expr, style)),
    };
    let _ = writeln!(out, "<pre class=\"law\">{}</pre>", escape(&rows));
    let latex = format!("{} = {}", Expr::symbol(Symbol::new(&m.target.name)).latex(), expr.latex());
    let _ = writeln!(out, "<p class=\"muted\">LaTeX: <code>{}</code></p>", escape(&latex));
}

/// The laws of the law's parts, and its constants in each group.
fn beside(out: &mut String, m: &Measured<'_>, style: &Style) {
    let beside = explain::beside(m.front, Some(m.place), style);
    if !beside.parts.is_empty() {
        out.push_str("<h3>Parts</h3>\n");
        let rows = beside.parts.into_iter().map(|(name, law)| (false, vec![name, law]));
        table(out, &["part", "law"], &rows.collect::<Vec<_>>());
    }
    let Some(groups) = m.front.groups.as_ref().filter(|_| !beside.groups.is_empty()) else { return };
    out.push_str("<h3>Constants of each group</h3>\n");
    let mut head: Vec<&str> = vec![&groups.column];
    head.extend(beside.groups.iter().map(|(name, _)| name.as_str()));
    let rows = groups.names.iter().enumerate().map(|(k, name)| {
        let values = beside.groups.iter().map(|(_, values)| values[k].1.clone());
        (false, std::iter::once(name.clone()).chain(values).collect())
    });
    table(out, &head, &rows.collect::<Vec<_>>());
}

/// The law in two dimensions, where it fits.
fn rendered(equation: &Expr, style: &Style) -> Option<Vec<String>> {
    let plain = equation.transform(&mut |e| match e.kind() {
        Kind::Uncertain(u) => Expr::float(u.value()),
        _ => e,
    });
    plain.pretty_within(style, WIDTH)
}

fn constants(out: &mut String, constants: &[ConstantInfo], style: &Style) {
    if constants.is_empty() {
        return;
    }
    out.push_str("<h3>Constants</h3>\n");
    let rows = constants.iter().map(|c| {
        let (value, error) = c.fitted;
        let unit = if c.unit.is_one() { String::new() } else { format!("[{}]", c.unit) };
        let (form, gained) = match &c.exact {
            Some(form) => (render::expr(form, style), number(c.gained)),
            None => (String::new(), String::new()),
        };
        let error = if error.is_finite() { number(error) } else { "not known".into() };
        (false, vec![print::float(value, style), error, unit, form, gained])
    });
    let head = ["#fitted value", "#standard error", "unit", "exact form", "#nats saved by it"];
    table(out, &head, &rows.collect::<Vec<_>>());
}

fn numbers(out: &mut String, m: &Measured<'_>) {
    out.push_str("<h3>On the data</h3>\n");
    let (all, missing) = m.all;
    let used = m.rows.len();
    let mut rows = vec![("rows", used.to_string())];
    if missing > 0 {
        rows.push(("rows with a missing value", format!("{missing} of {all}, left out")));
    }
    if used + missing < all {
        rows.push(("rows used", format!("{used} of {}, evenly spaced", all - missing)));
    }
    let finite = m.finite();
    if finite.len() < used {
        rows.push(("rows where the law has no value", (used - finite.len()).to_string()));
    }
    let r2 = m.r2();
    rows.push(("R²", print::float(r2, &Style { digits: Some(8), ..Style::default() })));
    let searched = m.law().r2;
    let same = (r2 - searched).abs() <= 1e-6 * (1.0 - searched).abs().max(1e-6);
    if !same {
        rows.push(("R² in the search", number(searched)));
    }
    rows.push(("RMS of residuals", quantity(statistics::rms(&finite), &m.difference)));
    if let Some(k) = m.largest() {
        let text = format!("{}, row {}", quantity(m.residuals[k], &m.difference), m.rows[k]);
        rows.push(("largest residual", text));
    }
    rows.push(("description length", format!("{} nats", number(m.law().description_length))));
    let rows: Vec<_> = rows.into_iter().map(|(name, text)| (false, vec![name.into(), text])).collect();
    table(out, &["", ""], &rows);
}

fn outside(out: &mut String, checks: &[Check], m: &Measured<'_>) {
    out.push_str("<h3>Beyond the fitted range</h3>\n");
    let shown = |x: f64, o: &Outcome| match o.scale {
        Scale::Unit => quantity(x, &m.difference),
        Scale::Share => format!("{} %", number(100.0 * x)),
        Scale::Errors => format!("{} σ", number(x)),
    };
    let rows = checks.iter().map(|c| {
        let unit = c.column.unit.clone().unwrap_or_else(Unit::one);
        let range = format!("{} to {}", number(c.inner.0), quantity(c.inner.1, &unit));
        let counts = format!("{} / {}", c.rows.0, c.rows.1);
        let mut row = vec![typeset::name(&c.column.name), range, counts];
        match &c.outcome {
            Ok(o) => row.extend([
                shown(o.inside, o),
                shown(o.outside, o),
                number(o.ratio),
                number(o.limit),
                if o.holds() { "holds".into() } else { "does not hold".into() },
            ]),
            Err(why) => {
                row.extend((0..4).map(|_| String::new()));
                row.push(format!("not checked: {why}"));
            }
        }
        (false, row)
    });
    let head =
        ["along", "fitted inside", "rows in / out", "#RMS inside", "#RMS outside", "#ratio", "#at most", ""];
    let rows: Vec<_> = rows.collect();
    match rows.is_empty() {
        true => out.push_str("<p>No column varies.</p>\n"),
        false => table(out, &head, &rows),
    }
    out.push_str(
        "<p class=\"muted\">The constants are fitted again to the inner 70 % of the rows along a column, the structure held. \
         Outside, twice the residual that is expected there (with the errors of the constants) is allowed.</p>\n",
    );
}

fn front(out: &mut String, m: &Measured<'_>, style: &Style) {
    out.push_str("<h3>Front</h3>\n");
    let unit = typeset::unit(&m.difference);
    let rms = if unit.is_empty() { "#RMS".to_string() } else { format!("#RMS [{unit}]") };
    let head = ["", "#size", "#loss", &rms, "#R²", "#description length", "law"];
    let row = |(k, c): (usize, &Candidate)| {
        let chosen = k == m.place;
        let mark = if chosen { "★" } else { "" };
        let row = vec![
            mark.into(),
            c.size.to_string(),
            number(c.loss),
            number(m.rms_of(k)),
            print::float(c.r2, &Style { digits: Some(6), ..Style::default() }),
            number(c.description_length),
            m.front.words.get(k).cloned().unwrap_or_else(|| render::expr(&c.expr, style)),
        ];
        (chosen, row)
    };
    let rows: Vec<_> = m.front.found.front.candidates().iter().enumerate().map(row).collect();
    table(out, &head, &rows);
    out.push_str(
        "<p class=\"muted\">Loss: mean squared residual in SI, over the squared standard errors where the search knew them. \
         Description length in nats.</p>\n",
    );
}

fn drawings(out: &mut String, m: &Measured<'_>, word: &str) {
    out.push_str("<h3>Figures</h3>\n<div class=\"figures\">\n");
    for d in figures::all(m, word) {
        let class = if d.small { " class=\"small\"" } else { "" };
        let _ = writeln!(
            out,
            "<figure{class}>{}<figcaption>{}</figcaption></figure>",
            d.svg.trim_end(),
            escape(&d.words)
        );
    }
    out.push_str("</div>\n");
    for note in figures::left_out(m) {
        let _ = writeln!(out, "<p class=\"muted\">{}</p>", escape(&note));
    }
}

fn how(out: &mut String, m: &Measured<'_>, style: &Style) {
    out.push_str("<h3>How it was found</h3>\n");
    let mut rows = explain::rows(m.front, Some(m.place), style);
    rows.push(("seed", m.front.seed.to_string()));
    if m.front.resumed {
        rows.push(("resumed", "the answer was taken from a checkpoint".into()));
    }
    let columns = m.features.iter().map(|c| c.header()).collect::<Vec<String>>().join(", ");
    rows.push(("data", format!("{} from {columns}; {}", m.target.header(), m.data.source)));
    let rows: Vec<_> = rows.into_iter().map(|(name, text)| (false, vec![name.into(), text])).collect();
    table(out, &["", ""], &rows);
}
