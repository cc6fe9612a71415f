//! Shows a dataset: one line, or the first and last rows as a table with units. Widths are those of the
//! terminal (`unicode-width`); numbers are set right, texts left.

use super::column::{Cell, Column};
use super::dataset::Dataset;
use super::stack::Stack;
use std::fmt;
use unicode_width::UnicodeWidthStr;

/// Significant digits in a table.
const DIGITS: usize = 6;

impl Dataset {
    /// The first rows as a table with units, and how many more there are. Ends without a newline.
    pub fn preview(&self, rows: usize) -> String {
        let shown = rows.min(self.rows());
        let columns: Vec<Vec<String>> = self
            .columns()
            .iter()
            .map(|c| std::iter::once(c.shown_header()).chain((0..shown).map(|i| cell_text(c, i))).collect())
            .collect();
        let widths: Vec<usize> =
            columns.iter().map(|c| c.iter().map(|s| s.width()).max().unwrap_or(0)).collect();
        let mut lines = Vec::with_capacity(shown + 2);
        for line in 0..=shown {
            let mut text = String::new();
            for (k, column) in columns.iter().enumerate() {
                let cell = &column[line];
                let blank = " ".repeat(widths[k] - cell.width());
                if k > 0 {
                    text.push_str("  ");
                }
                if self.columns()[k].is_numeric() {
                    text.push_str(&blank);
                    text.push_str(cell);
                } else {
                    text.push_str(cell);
                    text.push_str(&blank);
                }
            }
            lines.push(text.trim_end().to_string());
        }
        if self.rows() > shown {
            lines.push(format!("... {} more rows", self.rows() - shown));
        }
        lines.join("\n")
    }
}

impl fmt::Display for Dataset {
    /// `dataset of 10 rows: name, a [AU], T [day]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.rows() == 1 { "" } else { "s" };
        let headers: Vec<String> = self.columns().iter().map(|c| c.shown_header()).collect();
        write!(f, "dataset of {} row{plural}: {}", self.rows(), headers.join(", "))
    }
}

fn cell_text(column: &Column, row: usize) -> String {
    let plain = match column.cell(row) {
        None | Some(Cell::Missing) => return String::new(),
        Some(Cell::F64(x)) => significant(x, DIGITS),
        Some(Cell::Integer(n)) => n.to_string(),
        Some(Cell::Label(text)) => text.to_string(),
        Some(Cell::Complex(re, im)) => {
            let sign = if im < 0.0 { '-' } else { '+' };
            format!("{} {sign} {}*i", significant(re, DIGITS), significant(im.abs(), DIGITS))
        }
        Some(Cell::Array(stack)) => stack.text(0),
    };
    match column.errors.as_ref().and_then(|e| e.get(row)) {
        Some(error) => format!("{plain} ± {}", significant(*error, 2)),
        None => plain,
    }
}

impl Stack {
    /// An array in a table: its numbers where they are few, else the least and the greatest.
    pub fn text(&self, row: usize) -> String {
        /// So many numbers are shown.
        const MOST: usize = 4;
        if self.sizes().len() == 1 && self.length(row) <= MOST {
            let all: Vec<String> = self.row(row).map(|x| significant(x, DIGITS)).collect();
            return format!("[{}]", all.join(", "));
        }
        let (low, high) = self.extremes(row);
        format!("[{} .. {}]", significant(low, DIGITS), significant(high, DIGITS))
    }
}

/// A float with so many significant digits, trailing zeros dropped: `0.387098`, `1.5e-19`.
pub(super) fn significant(x: f64, digits: usize) -> String {
    if x == 0.0 || !x.is_finite() {
        return format!("{}", x + 0.0);
    }
    let rounded = format!("{:.*e}", digits.max(1) - 1, x);
    let (mantissa, exponent) = rounded.split_once('e').unwrap_or((&rounded, "0"));
    let power: i32 = exponent.parse().unwrap_or(0);
    let trim = |s: &str| {
        if s.contains('.') {
            s.trim_end_matches('0').trim_end_matches('.').to_string()
        } else {
            s.to_string()
        }
    };
    if (-5..digits.max(1) as i32).contains(&power) {
        let decimals = (digits.max(1) as i32 - 1 - power).max(0) as usize;
        trim(&format!("{x:.decimals$}"))
    } else {
        format!("{}e{power}", trim(mantissa))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Stack, Values};

    #[test]
    fn numbers_have_six_digits() {
        for (x, text) in [
            (0.38709927, "0.387099"),
            (90560.0, "90560"),
            (1.5e-19, "1.5e-19"),
            (999999.6, "1e6"),
            (-0.0, "0"),
            (2.0, "2"),
        ] {
            assert_eq!(significant(x, 6), text);
        }
    }

    #[test]
    fn arrays_are_shown_by_shape_and_extremes() {
        let columns = vec![
            Column::new("v", None, Values::Array(Stack::new(&[2], vec![1.5, -2.0]).unwrap())),
            Column::new(
                "image",
                None,
                Values::Array(Stack::new(&[1, 2, 3], vec![0u8, 7, 1, 2, 3, 4]).unwrap()),
            ),
        ];
        let data = Dataset::new("test", columns).unwrap();
        assert_eq!(data.to_string(), "dataset of 1 row: v [2], image [1, 2, 3]");
        assert_eq!(data.preview(10), "v [2]      image [1, 2, 3]\n[1.5, -2]  [0 .. 7]");
    }

    #[test]
    fn tables_are_set_by_width() {
        let names = vec!["α".into(), "日本".into()];
        let data = Dataset::new(
            "test",
            vec![Column::new("name", None, Values::Label(names)), Column::floats("x", None, vec![1.5, 22.0])],
        )
        .unwrap();
        assert_eq!(data.preview(10), "name    x\nα     1.5\n日本   22");
        assert_eq!(data.preview(1), "name    x\nα     1.5\n... 1 more rows");
        assert_eq!(data.to_string(), "dataset of 2 rows: name, x");
    }
}
