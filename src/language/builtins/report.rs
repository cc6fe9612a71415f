//! `report(found, data, path)`: the chosen law of a search beside its data, on one page. `measure.rs` evaluates the laws
//! on the rows, `extrapolate.rs` fits the chosen one again inside and judges it outside, `figures.rs` draws and
//! `page.rs` writes the HTML.

mod extrapolate;
mod figures;
mod measure;
mod page;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::Body;
use crate::base::{CancelToken, Part};
use crate::data::{self, Dataset};
use crate::expression::print::Style;
use crate::language::calls::Args;
use crate::language::context::Context;
use crate::language::error::{Result, fault_hint, lift};
use crate::language::value::{FrontValue, Value};

pub use page::STYLE;

/// The table.
pub const TABLE: &[(&str, Body)] = &[("report", report)];

/// Rows at most; evenly spaced ones where there are more.
const ROWS: usize = 20_000;

fn report(context: &mut Context, args: &Args) -> Result<Value> {
    let value = args.value("found")?;
    let Value::Front(front) = value.plain() else {
        return Err(args.wrong("found", "what `regress` found", value));
    };
    let d = args.dataset("data")?;
    let name = args.word("path")?;
    let path = context.path(&name);
    let at = args.span_of("path");
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or("").to_lowercase();
    if !matches!(extension.as_str(), "html" | "htm") {
        let message = format!("expected a file of a page, found `{name}`");
        return Err(fault_hint(6040, at, message, "report(found, data, \"law.html\")"));
    }
    let measured = measure::measure(front, &d, (args.span_of("found"), args.span_of("data")))?;
    let checks = extrapolate::checks(&measured, &context.cancel);
    context.poll(args.span)?;
    let html = page::document(&measured, &checks, &context.style);
    data::write_atomic(&path, html.as_bytes()).map_err(|e| lift(&e, at))?;
    Ok(Value::Nothing)
}

/// The same as a part of the report of a run.
pub fn part(front: &Arc<FrontValue>, d: &Arc<Dataset>, style: &Style) -> Part {
    let (front, d, style) = (front.clone(), d.clone(), style.clone());
    Part::new(move |word| match measure::measure(&front, &d, Default::default()) {
        Ok(measured) => {
            let checks = extrapolate::checks(&measured, &CancelToken::new());
            page::blocks(&measured, &checks, &style, word)
        }
        Err(_) => String::new(),
    })
}
