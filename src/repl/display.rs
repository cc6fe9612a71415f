//! What the prompt shows: values on one line or as formulas in two dimensions, each with its number in `out`; words
//! wrapped to the terminal; figures. Everything to the terminal's width and character set.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use unicode_width::UnicodeWidthStr;

use super::running::Heard;
use crate::base::{Canvas, Event, EventSink};
use crate::cli::charset;
use crate::cli::terminal::Terminal;
use crate::expression::print::Style;
use crate::language::{Value, render};
use crate::session::Piece;

/// The prompt's side of the terminal.
pub struct Display {
    /// The two streams.
    pub terminal: Arc<Terminal>,
    /// Whether colour escapes may be written.
    pub colour: bool,
    /// Whether somebody looks: standard output is a terminal.
    pub watched: bool,
    /// Whether formulas may take several rows.
    pub pretty: AtomicBool,
    unicode: bool,
    width: AtomicUsize,
    height: AtomicUsize,
}

impl Display {
    /// A display on this terminal.
    pub fn new(terminal: Arc<Terminal>) -> Display {
        let watched = std::io::stdout().is_terminal();
        let dumb = std::env::var("TERM").is_ok_and(|t| t == "dumb");
        let plain = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
        Display {
            terminal,
            colour: watched && !dumb && !plain,
            watched,
            pretty: AtomicBool::new(watched),
            unicode: charset::is_unicode(),
            width: AtomicUsize::new(80),
            height: AtomicUsize::new(24),
        }
    }

    /// Takes note of the terminal's size.
    pub fn resize(&self, columns: usize, rows: usize) {
        self.width.store(columns.max(1), Ordering::Relaxed);
        self.height.store(rows.max(1), Ordering::Relaxed);
    }

    /// Columns of the terminal.
    pub fn width(&self) -> usize {
        self.width.load(Ordering::Relaxed)
    }

    /// The listener of a session, until it is heard no more.
    pub fn sink(self: &Arc<Display>, heard: Heard) -> EventSink {
        let display = self.clone();
        let inner = self.terminal.sink();
        EventSink::new(move |event| {
            if !heard.load(Ordering::SeqCst) {
                return;
            }
            match event {
                Event::Figure(figure) => {
                    let canvas = Canvas {
                        width: display.width().saturating_sub(1).max(10),
                        height: (display.height.load(Ordering::Relaxed) * 2 / 3).clamp(8, 30),
                        colour: display.colour,
                        unicode: display.unicode,
                    };
                    display.text(&figure.terminal(&canvas));
                }
                other => inner.send(other),
            }
        })
    }

    /// A line of text, or several.
    pub fn text(&self, text: &str) {
        self.terminal.text(text);
    }

    /// A remark beside the results.
    pub fn remark(&self, text: &str) {
        self.text(&self.dim(text));
    }

    /// A text as a remark looks.
    fn dim(&self, text: &str) -> String {
        if self.colour { format!("\x1b[2m{text}\x1b[0m") } else { text.to_string() }
    }

    /// A value, with its number in `out`. A figure has been drawn already, as an event.
    pub fn value(&self, value: &Value, style: &Style, number: Option<usize>) {
        if matches!(value.plain(), Value::Figure(_)) {
            return;
        }
        let width = self.width();
        let formula = (self.pretty.load(Ordering::Relaxed) && self.unicode)
            .then(|| render::formula(value, style, width.saturating_sub(1)))
            .flatten();
        let text = formula.map_or_else(|| render::line(value, style), |rows| rows.join("\n"));
        let Some(number) = number.filter(|_| self.colour) else { return self.text(&text) };
        // The number stands at the right end of the first row, where there is room.
        let label = format!("out[{number}]");
        let (first, rest) = text.split_once('\n').map_or((text.as_str(), None), |(f, r)| (f, Some(r)));
        let used = first.width() + label.len() + 2;
        if used > width.saturating_sub(1) {
            return self.text(&text);
        }
        let space = " ".repeat(width - 1 - first.width() - label.len());
        let head = format!("{first}{space}{}", self.dim(&label));
        self.text(&rest.map_or_else(|| head.clone(), |rest| format!("{head}\n{rest}")));
    }

    /// What is known of something.
    pub fn pieces(&self, pieces: &[Piece]) {
        let width = self.width().saturating_sub(1).max(10);
        let column = pieces
            .iter()
            .filter_map(|p| if let Piece::Row(name, _) = p { Some(name.width()) } else { None })
            .max()
            .unwrap_or(0)
            .min(width / 2);
        let mut lines = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Code(code) => lines.push(code.clone()),
                Piece::Words(words) => lines.extend(wrapped(words, width)),
                Piece::Row(name, what) => lines.extend(row(name, what, column, width)),
            }
        }
        self.text(&lines.join("\n"));
    }
}

/// Words broken at blanks to at most so many columns; a longer word stands alone. Line ends stay.
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            if !line.is_empty() && line.width() + 1 + word.width() > width {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines
}

/// A name in a column with what it is beside it, or below it where the terminal is narrow.
pub fn row(name: &str, what: &str, column: usize, width: usize) -> Vec<String> {
    let room = width.saturating_sub(column + 2);
    if room < 16 {
        let below = wrapped(what, width.saturating_sub(2).max(8)).into_iter().map(|l| format!("  {l}"));
        return std::iter::once(name.to_string()).chain(below).collect();
    }
    let mut lines = Vec::new();
    let mut head = format!("{name}{}", " ".repeat(column.saturating_sub(name.width())));
    if name.width() > column {
        lines.push(name.to_string());
        head = " ".repeat(column);
    }
    for (k, line) in wrapped(what, room).into_iter().enumerate() {
        let left = if k == 0 { head.clone() } else { " ".repeat(column) };
        lines.push(format!("{left}  {line}").trim_end().to_string());
    }
    if what.is_empty() {
        lines.push(head.trim_end().to_string());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_wrapped() {
        assert_eq!(wrapped("a bc def\n\nx", 4), ["a bc", "def", "", "x"]);
        assert_eq!(wrapped("abcdefgh i", 4), ["abcdefgh", "i"]);
        assert_eq!(row("x", "a value of some kind", 3, 22), ["x    a value of some", "     kind"]);
        assert_eq!(row("x", "some kind", 3, 12), ["x", "  some kind"]);
    }
}
