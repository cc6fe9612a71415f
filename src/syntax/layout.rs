//! Line breaking for the formatter, after Oppen (1980) and Wadler (1997): a document is a flat list of texts, possible
//! line ends and groups. A group stands on one line where it fits and holds no comment; else all its own lines
//! break (or, for `Fill`, those that must). A last pass pads columns that were aligned in the source, so that
//! tables of options and declarations stay tables.

/// The greatest width of a line, where the text allows.
pub const WIDTH: usize = 100;
const INDENT: usize = 4;

/// What may be padded to a common column in neighbouring lines. The order is that in which they stand in a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Column {
    /// The unit of a `var` line.
    Unit,
    /// `in` of a `var` line.
    Domain,
    /// `=` of a binding.
    Assign,
    /// The value of an entry.
    Value,
    /// A comment behind code.
    Comment,
}

const COLUMNS: [Column; 5] = [Column::Unit, Column::Domain, Column::Assign, Column::Value, Column::Comment];

/// One piece of a document.
#[derive(Clone, Debug)]
pub enum Op {
    /// Text without line ends.
    Text(String),
    /// Begins a group; `true` breaks it in any case.
    Open(bool),
    /// Ends it.
    Close,
    /// A line end if the group is broken, else this text.
    Line(&'static str),
    /// A line end if the group is broken and what follows would not fit, else this text.
    Fill(&'static str),
    /// A line end.
    Hard,
    /// An empty line, if it is followed by a line end.
    Blank,
    /// More indentation.
    Indent,
    /// Less.
    Dedent,
    /// A comment behind what stands in the line, with its column in the source.
    Trailing(String, u32),
    /// A comment on a line of its own.
    Comment(String),
    /// A place that may be aligned, with its column in the source.
    Stop(Column, u32),
}

/// A finished line and its places that may be aligned: (byte, what, column in the source).
#[derive(Default)]
struct Line {
    text: String,
    stops: Vec<(usize, Column, u32)>,
}

/// Sets a document.
pub fn set(ops: &[Op]) -> String {
    let forced = forced_groups(ops);
    let mut setter = Setter {
        ops,
        forced,
        lines: vec![Line::default()],
        modes: vec![false],
        indent: 0,
        line_indent: 0,
        blank: false,
        commented: false,
    };
    for i in 0..ops.len() {
        setter.op(i);
    }
    let mut lines = setter.lines;
    align(&mut lines);
    let mut out = String::new();
    for line in &lines {
        out.push_str(line.text.trim_end());
        out.push('\n');
    }
    out
}

/// For every `Open`, whether something inside breaks it in any case.
fn forced_groups(ops: &[Op]) -> Vec<bool> {
    let mut forced = vec![false; ops.len()];
    let mut open: Vec<usize> = Vec::new();
    for (i, op) in ops.iter().enumerate() {
        match op {
            Op::Open(force) => {
                forced[i] = *force;
                open.push(i);
            }
            Op::Close => {
                if let Some(group) = open.pop()
                    && forced[group]
                    && let Some(&outer) = open.last()
                {
                    forced[outer] = true;
                }
            }
            Op::Hard | Op::Trailing(..) | Op::Comment(_) => {
                if let Some(&group) = open.last() {
                    forced[group] = true;
                }
            }
            _ => {}
        }
    }
    forced
}

struct Setter<'o> {
    ops: &'o [Op],
    forced: Vec<bool>,
    lines: Vec<Line>,
    /// For every open group, whether it stands on one line.
    modes: Vec<bool>,
    indent: usize,
    /// The indentation of the line that is being set.
    line_indent: usize,
    blank: bool,
    /// The line ends with a comment.
    commented: bool,
}

impl Setter<'_> {
    fn line(&mut self) -> &mut Line {
        if self.lines.is_empty() {
            self.lines.push(Line::default());
        }
        let last = self.lines.len() - 1;
        &mut self.lines[last]
    }

    fn flat(&self) -> bool {
        self.modes.last().copied().unwrap_or(false)
    }

    fn width(&mut self) -> usize {
        let indent = self.line_indent;
        match self.line().text.chars().count() {
            0 => indent,
            n => n,
        }
    }

    fn text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        let indent = self.line_indent;
        let line = self.line();
        if line.text.is_empty() {
            line.text.extend(std::iter::repeat_n(' ', indent));
        }
        line.text.push_str(text);
    }

    fn newline(&mut self) {
        let commented = std::mem::take(&mut self.commented);
        self.line_indent = self.indent;
        // No empty line at the start of the text or behind an opening bracket; one in a comment is a word.
        let behind = self.line().text.chars().next_back().map(|c| if commented { '#' } else { c });
        if std::mem::take(&mut self.blank) && !matches!(behind, None | Some('{' | '(' | '[')) {
            self.lines.push(Line::default());
        }
        if self.lines.len() > 1 || self.lines.first().is_some_and(|l| !l.text.is_empty()) {
            self.lines.push(Line::default());
        }
    }

    fn op(&mut self, i: usize) {
        match &self.ops[i] {
            Op::Text(text) => self.text(text),
            Op::Open(_) => {
                let flat = self.flat() || (!self.forced[i] && self.fits(i, true));
                self.modes.push(flat);
            }
            Op::Close => {
                self.modes.pop();
            }
            Op::Line(flat) => {
                if self.flat() {
                    self.blank = false;
                    self.text(flat);
                } else {
                    self.newline();
                }
            }
            Op::Fill(flat) => {
                if self.flat() || (!self.commented && self.fits(i, false)) {
                    self.blank = false;
                    self.text(flat);
                } else {
                    self.newline();
                }
            }
            Op::Hard => self.newline(),
            Op::Blank => self.blank = true,
            Op::Indent => self.indent += INDENT,
            Op::Dedent => self.indent = self.indent.saturating_sub(INDENT),
            Op::Comment(comment) => {
                self.text(comment);
                self.commented = true;
            }
            Op::Trailing(comment, column) => {
                self.commented = true;
                let line = self.line();
                if line.text.is_empty() {
                    self.text(comment);
                } else {
                    line.text.push_str("  ");
                    let at = line.text.len();
                    line.stops.push((at, Column::Comment, *column));
                    line.text.push_str(comment);
                }
            }
            Op::Stop(column, source) => {
                let line = self.line();
                let at = line.text.len();
                if at > 0 {
                    line.stops.push((at, *column, *source));
                }
            }
        }
    }

    /// Whether the text from `i` fits into the line: a whole group with what stands right behind it, or what follows
    /// a `Fill` up to the next place where the line may end.
    fn fits(&mut self, i: usize, group: bool) -> bool {
        let mut used = self.width();
        let mut depth = 0usize;
        let mut closed = false;
        for (k, op) in self.ops[i..].iter().enumerate() {
            match op {
                Op::Text(text) => used += text.chars().count(),
                Op::Open(_) => depth += 1,
                Op::Close => {
                    if depth == 0 {
                        return used <= WIDTH;
                    }
                    depth -= 1;
                    closed |= depth == 0;
                }
                Op::Line(flat) | Op::Fill(flat) => {
                    let outside = if group { closed } else { depth == 0 && k > 0 };
                    if outside {
                        return used <= WIDTH;
                    }
                    used += flat.chars().count();
                }
                // A group behind a `Fill` counts as if it stood on one line, whatever breaks it: so the answer is the
                // same when the text is set again.
                Op::Hard | Op::Trailing(..) | Op::Comment(_) if group || depth == 0 => return used <= WIDTH,
                Op::Hard | Op::Trailing(..) | Op::Comment(_) => {}
                Op::Blank | Op::Indent | Op::Dedent | Op::Stop(..) => {}
            }
            if used > WIDTH {
                return false;
            }
        }
        true
    }
}

/// Pads stops of one kind in neighbouring lines to one column where they had one column in the source.
fn align(lines: &mut [Line]) {
    for kind in COLUMNS {
        let stop = |line: &Line| line.stops.iter().find(|s| s.1 == kind).map(|s| (s.0, s.2));
        let mut start = 0;
        while start < lines.len() {
            let Some((_, column)) = stop(&lines[start]) else {
                start += 1;
                continue;
            };
            let mut end = start + 1;
            while end < lines.len() && stop(&lines[end]).is_some_and(|(_, c)| c == column) {
                end += 1;
            }
            let width = |line: &Line| stop(line).map_or(0, |(at, _)| line.text[..at].chars().count());
            let target = lines[start..end].iter().map(width).max().unwrap_or(0);
            for line in &mut lines[start..end] {
                let Some((at, _)) = stop(line) else { continue };
                let pad = target - line.text[..at].chars().count();
                line.text.insert_str(at, &" ".repeat(pad));
                for s in &mut line.stops {
                    if s.0 > at || (s.0 == at && s.1 != kind) {
                        s.0 += pad;
                    }
                }
            }
            start = end;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(s: &str) -> Op {
        Op::Text(s.to_owned())
    }

    #[test]
    fn groups_break_as_a_whole_and_fills_where_they_must() {
        let list = |word: &str, n: usize, line: Op| {
            let mut ops = vec![text("["), Op::Open(false), Op::Indent, Op::Line("")];
            for i in 0..n {
                ops.push(text(word));
                if i + 1 < n {
                    ops.extend([text(","), line.clone()]);
                }
            }
            ops.extend([Op::Dedent, Op::Line(""), Op::Close, text("]")]);
            set(&ops)
        };
        assert_eq!(list("ab", 3, Op::Line(" ")), "[ab, ab, ab]\n");
        assert_eq!(list(&"x".repeat(60), 2, Op::Line(" ")).lines().count(), 4);
        let filled = list("abcd", 60, Op::Fill(" "));
        assert!(filled.lines().all(|l| l.len() <= WIDTH) && filled.lines().count() == 6, "{filled}");
    }

    #[test]
    fn aligned_columns_stay_aligned() {
        let entry = |name: &str, column: u32| {
            [text(name), text(": "), Op::Stop(Column::Value, column), text("1"), Op::Hard]
        };
        let ops: Vec<Op> = [entry("a", 9), entry("long", 9), entry("b", 3)].concat();
        assert_eq!(set(&ops[..ops.len() - 1]), "a:    1\nlong: 1\nb: 1\n");
    }
}
