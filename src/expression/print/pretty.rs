//! Two-dimensional formulas of Unicode characters. A [`Picture`] is a block of rows of one width with a baseline;
//! pictures are put side by side on their baselines, above each other with a bar, under a root, between brackets that
//! grow. Widths are columns of a terminal (unicode-width).

use super::order::{self, Layout};
use super::{Style, number};
use crate::base::Number;
use crate::expression::function::Function;
use crate::expression::node::{Expr, Kind, Relation};
use crate::expression::symbol::Constant;
use unicode_width::UnicodeWidthStr;

struct Picture {
    rows: Vec<String>,
    baseline: usize,
    width: usize,
    binding: Binding,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Binding {
    Logic,
    Sum,
    Sign,
    Product,
    Power,
    Atom,
}

/// The rows of an expression.
pub(super) fn rows(e: &Expr, style: &Style) -> Vec<String> {
    let picture = draw(e, style);
    picture.rows.iter().map(|r| r.trim_end().to_owned()).collect()
}

/// The rows of an expression within a width: a sum or relation that is too wide goes on in further blocks of rows, each
/// term whole. `None` where a part alone is too wide.
pub(super) fn rows_within(e: &Expr, style: &Style, width: usize) -> Option<Vec<String>> {
    let whole = draw(e, style);
    let trimmed = |p: &Picture| p.rows.iter().map(|r| r.trim_end().to_owned()).collect::<Vec<String>>();
    if whole.width <= width {
        return Some(trimmed(&whole));
    }
    let mut parts = Vec::new();
    match e.kind() {
        Kind::Sum(items) => parts = signed_terms(items, style),
        Kind::Relation(op, a, b) => {
            parts.push(at(a, Binding::Sum, style));
            let sign = Picture::line(relation_sign(*op), Binding::Atom);
            match b.kind() {
                Kind::Sum(items) => {
                    let mut terms = signed_terms(items, style);
                    if let Some(first) = terms.first_mut() {
                        let lead = Picture::beside(&[sign, replaced(first)], Binding::Atom);
                        *first = lead;
                    }
                    parts.extend(terms);
                }
                _ => parts.push(Picture::beside(&[sign, at(b, Binding::Sum, style)], Binding::Atom)),
            }
        }
        _ => return None,
    }
    let mut rows = Vec::new();
    let mut block: Vec<Picture> = Vec::new();
    for part in parts {
        let indent = if rows.is_empty() { 0 } else { 2 };
        let used: usize = block.iter().map(|p| p.width).sum::<usize>() + indent;
        if part.width + 2 > width {
            return None;
        }
        if !block.is_empty() && used + part.width > width {
            finish(&mut block, &mut rows);
        }
        block.push(part);
    }
    finish(&mut block, &mut rows);
    Some(rows)
}

/// Takes a picture out, leaving an empty one.
fn replaced(picture: &mut Picture) -> Picture {
    std::mem::replace(picture, Picture::line("", Binding::Atom))
}

/// Sets a block of a wrapped expression below the rows there are.
fn finish(block: &mut Vec<Picture>, rows: &mut Vec<String>) {
    let indent = if rows.is_empty() { "" } else { "  " };
    let set = Picture::beside(block, Binding::Atom);
    rows.extend(set.rows.iter().map(|r| format!("{indent}{r}").trim_end().to_owned()));
    block.clear();
}

/// The terms of a sum, each with its sign.
fn signed_terms(items: &[Expr], style: &Style) -> Vec<Picture> {
    let atom = |text: &str| Picture::line(text, Binding::Atom);
    let mut parts = Vec::new();
    for (i, term) in order::terms(items).iter().enumerate() {
        let turned = term.is_negated() || term.as_f64().is_some_and(|x| x < 0.0);
        let (sign, picture) = match (i, turned) {
            (0, _) => ("", at(term, Binding::Sign, style)),
            (_, true) => (" - ", at(&term.negate(), Binding::Product, style)),
            (_, false) => (" + ", at(term, Binding::Sign, style)),
        };
        parts.push(Picture::beside(&[atom(sign), picture], Binding::Atom));
    }
    parts
}

fn relation_sign(op: Relation) -> &'static str {
    match op {
        Relation::Eq => " = ",
        Relation::Ne => " ≠ ",
        Relation::Lt => " < ",
        Relation::Le => " ≤ ",
        Relation::Gt => " > ",
        Relation::Ge => " ≥ ",
    }
}

impl Picture {
    fn line(text: impl Into<String>, binding: Binding) -> Picture {
        let text = text.into();
        Picture { width: text.width(), rows: vec![text], baseline: 0, binding }
    }

    fn height(&self) -> usize {
        self.rows.len()
    }

    fn padded(&self, row: usize, width: usize) -> String {
        format!("{}{}", self.rows[row], " ".repeat(width - self.rows[row].width()))
    }

    /// Side by side, on one baseline.
    fn beside(parts: &[Picture], binding: Binding) -> Picture {
        let above = parts.iter().map(|p| p.baseline).max().unwrap_or(0);
        let below = parts.iter().map(|p| p.height() - p.baseline).max().unwrap_or(1);
        let rows = (0..above + below)
            .map(|row| {
                parts
                    .iter()
                    .map(|p| match (row + p.baseline).checked_sub(above).filter(|r| *r < p.height()) {
                        Some(own) => p.padded(own, p.width),
                        None => " ".repeat(p.width),
                    })
                    .collect::<String>()
            })
            .collect();
        Picture { rows, baseline: above, width: parts.iter().map(|p| p.width).sum(), binding }
    }

    fn fraction(above: Picture, below: Picture) -> Picture {
        let width = above.width.max(below.width);
        let centred = |p: &Picture| -> Vec<String> {
            let left = (width - p.width) / 2;
            (0..p.height()).map(|r| format!("{}{}", " ".repeat(left), p.padded(r, width - left))).collect()
        };
        let mut rows = centred(&above);
        let baseline = rows.len();
        rows.push("─".repeat(width));
        rows.extend(centred(&below));
        Picture { rows, baseline, width, binding: Binding::Product }
    }

    fn bracketed(self, open: char, close: char) -> Picture {
        let sides = |one: char| -> Vec<String> {
            let h = self.height();
            let (top, middle, bottom) = match one {
                '(' => ('⎛', '⎜', '⎝'),
                ')' => ('⎞', '⎟', '⎠'),
                '⌊' => ('⎢', '⎢', '⎣'),
                '⌋' => ('⎥', '⎥', '⎦'),
                '⌈' => ('⎡', '⎢', '⎢'),
                '⌉' => ('⎤', '⎥', '⎥'),
                other => (other, other, other),
            };
            (0..h)
                .map(|r| {
                    match r {
                        _ if h == 1 => one,
                        0 => top,
                        _ if r == h - 1 => bottom,
                        _ => middle,
                    }
                    .to_string()
                })
                .collect()
        };
        let (left, right) = (sides(open), sides(close));
        let rows = (0..self.height())
            .map(|r| format!("{}{}{}", left[r], self.padded(r, self.width), right[r]))
            .collect();
        Picture { rows, baseline: self.baseline, width: self.width + 2, binding: Binding::Atom }
    }

    /// Under a root sign with a bar over all of it.
    fn rooted(self, degree: Option<String>) -> Picture {
        let h = self.height();
        let index = degree.unwrap_or_default();
        let shift = index.width().saturating_sub(1);
        let mut rows = vec![format!("{}{}", " ".repeat(shift + h + 1), "_".repeat(self.width + 1))];
        for r in 0..h {
            let mut left: Vec<char> = vec![' '; shift + h + 1];
            left[shift + h - r] = '╱';
            if r == h - 1 {
                left[shift] = '╲';
            }
            rows.push(format!("{} {}", left.into_iter().collect::<String>(), self.padded(r, self.width)));
        }
        if !index.is_empty() {
            // The degree stands in the angle of the sign.
            let row = rows.len() - 2;
            let tail: String = rows[row].chars().skip(index.chars().count()).collect();
            rows[row] = format!("{index}{tail}");
        }
        Picture {
            baseline: self.baseline + 1,
            width: self.width + shift + h + 2,
            rows,
            binding: Binding::Atom,
        }
    }

    /// With an exponent at the upper right.
    fn raised(self, exponent: Picture) -> Picture {
        let lift = exponent.height();
        let mut rows: Vec<String> = (0..lift)
            .map(|r| format!("{}{}", " ".repeat(self.width), exponent.padded(r, exponent.width)))
            .collect();
        for r in 0..self.height() {
            rows.push(format!("{}{}", self.padded(r, self.width), " ".repeat(exponent.width)));
        }
        Picture {
            baseline: self.baseline + lift,
            width: self.width + exponent.width,
            rows,
            binding: Binding::Power,
        }
    }
}

fn at(e: &Expr, place: Binding, style: &Style) -> Picture {
    let picture = draw(e, style);
    if picture.binding < place { picture.bracketed('(', ')') } else { picture }
}

fn superscript(n: &str) -> Option<String> {
    n.chars().map(|c| "⁰¹²³⁴⁵⁶⁷⁸⁹".chars().nth(c.to_digit(10)? as usize)).collect()
}

/// The Greek letter of a name, an index of digits as subscript.
fn name(full: &str) -> String {
    const GREEK: &[(&str, &str)] = &[
        ("alpha", "α"),
        ("beta", "β"),
        ("gamma", "γ"),
        ("delta", "δ"),
        ("epsilon", "ε"),
        ("zeta", "ζ"),
        ("eta", "η"),
        ("theta", "θ"),
        ("iota", "ι"),
        ("kappa", "κ"),
        ("lambda", "λ"),
        ("mu", "μ"),
        ("nu", "ν"),
        ("xi", "ξ"),
        ("pi", "π"),
        ("rho", "ρ"),
        ("sigma", "σ"),
        ("tau", "τ"),
        ("upsilon", "υ"),
        ("phi", "φ"),
        ("chi", "χ"),
        ("psi", "ψ"),
        ("omega", "ω"),
        ("Gamma", "Γ"),
        ("Delta", "Δ"),
        ("Theta", "Θ"),
        ("Lambda", "Λ"),
        ("Xi", "Ξ"),
        ("Pi", "Π"),
        ("Sigma", "Σ"),
        ("Phi", "Φ"),
        ("Psi", "Ψ"),
        ("Omega", "Ω"),
        ("hbar", "ħ"),
    ];
    let plain = full.trim_end_matches('\'');
    let primes = "′".repeat(full.len() - plain.len());
    let stem = plain.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits: String = plain[stem.len()..]
        .chars()
        .filter_map(|c| "₀₁₂₃₄₅₆₇₈₉".chars().nth(c.to_digit(10)? as usize))
        .collect();
    let stem = if digits.is_empty() {
        stem
    } else {
        stem.strip_suffix('_').filter(|s| !s.is_empty()).unwrap_or(stem)
    };
    let stem = GREEK.iter().find(|(word, _)| *word == stem).map_or(stem, |(_, letter)| letter);
    format!("{stem}{digits}{primes}")
}

fn list(items: &[Expr], style: &Style) -> Picture {
    let mut parts = Vec::new();
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            parts.push(Picture::line(", ", Binding::Atom));
        }
        parts.push(draw(item, style));
    }
    Picture::beside(&parts, Binding::Atom)
}

fn called(name: &str, args: &[Expr], style: &Style) -> Picture {
    let inside = list(args, style).bracketed('(', ')');
    Picture::beside(&[Picture::line(name, Binding::Atom), inside], Binding::Atom)
}

fn joined(items: &[Expr], sign: &str, place: Binding, own: Binding, style: &Style) -> Picture {
    let mut parts = Vec::new();
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            parts.push(Picture::line(sign, Binding::Atom));
        }
        parts.push(at(item, place, style));
    }
    Picture::beside(&parts, own)
}

fn draw(e: &Expr, style: &Style) -> Picture {
    let atom = |text: &str| Picture::line(text, Binding::Atom);
    match e.kind() {
        Kind::Number(n) if n.is_integer() => {
            Picture::line(n.to_string(), if n.is_negative() { Binding::Sign } else { Binding::Atom })
        }
        Kind::Number(n) => {
            let bar =
                Picture::fraction(atom(&n.abs().numerator().to_string()), atom(&n.denominator().to_string()));
            if n.is_negative() { Picture::beside(&[atom("-"), bar], Binding::Sign) } else { bar }
        }
        Kind::Float(x) => {
            Picture::line(number::float(*x, style), if *x < 0.0 { Binding::Sign } else { Binding::Atom })
        }
        Kind::Uncertain(u) => Picture::line(number::uncertain(u.value(), u.sigma()), Binding::Sum),
        Kind::Constant(c) => atom(match c {
            Constant::Pi => "π",
            Constant::E => "e",
            Constant::I => "i",
            Constant::Infinity => "∞",
        }),
        Kind::Symbol(s) => atom(&name(s.name())),
        Kind::Sum(items) => Picture::beside(&signed_terms(items, style), Binding::Sum),
        Kind::Product(_) | Kind::Unit(_) => product(e, style),
        Kind::Power(b, x) => {
            if x.as_f64().is_some_and(|v| v < 0.0) {
                return product(e, style);
            }
            power(b, x, style)
        }
        Kind::Call(f, args) => match f {
            Function::Exp => atom("e").raised(draw(&args[0], style)),
            Function::Abs => draw(&args[0], style).bracketed('│', '│'),
            Function::Floor => draw(&args[0], style).bracketed('⌊', '⌋'),
            Function::Ceil => draw(&args[0], style).bracketed('⌈', '⌉'),
            Function::Factorial => {
                Picture::beside(&[at(&args[0], Binding::Atom, style), atom("!")], Binding::Power)
            }
            _ => called(f.name(), args, style),
        },
        Kind::Apply(f, args) => called(&name(f.name()), args, style),
        Kind::Derivative(d) => {
            let (args, put_in) = super::line::derivative_arguments(d);
            if !put_in.is_empty() {
                return atom(&e.display(style));
            }
            let letter = if args.len() == 1 { "d" } else { "∂" };
            let raised =
                |n: u32| if n > 1 { superscript(&n.to_string()).unwrap_or_default() } else { String::new() };
            let below: Vec<String> = d
                .orders
                .iter()
                .zip(&args)
                .filter(|(n, _)| **n > 0)
                .map(|(n, a)| {
                    format!(
                        "{letter}{}{}",
                        a.as_symbol().map_or(String::new(), |s| name(s.name())),
                        raised(*n)
                    )
                })
                .collect();
            let top = atom(&format!("{letter}{}", raised(d.orders.iter().sum())));
            let top = Picture::beside(&[top, called(&name(d.function.name()), &args, style)], Binding::Atom);
            Picture::fraction(top, atom(&below.join(" ")))
        }
        Kind::Relation(op, a, b) => {
            joined(&[a.clone(), b.clone()], relation_sign(*op), Binding::Sum, Binding::Logic, style)
        }
        Kind::Not(a) => Picture::beside(&[atom("¬"), at(a, Binding::Atom, style)], Binding::Logic),
        Kind::And(items) => joined(items, " ∧ ", Binding::Sum, Binding::Logic, style),
        Kind::Or(items) => joined(items, " ∨ ", Binding::Sum, Binding::Logic, style),
        Kind::Bool(b) => atom(if *b { "true" } else { "false" }),
        Kind::Piecewise(branches, otherwise) => piecewise(branches, otherwise, style),
    }
}

fn piecewise(branches: &[(Expr, Expr)], otherwise: &Expr, style: &Style) -> Picture {
    let atom = |text: &str| Picture::line(text, Binding::Atom);
    let mut lines: Vec<(Picture, Picture)> = branches
        .iter()
        .map(|(c, v)| (draw(v, style), Picture::beside(&[atom("  if "), draw(c, style)], Binding::Atom)))
        .collect();
    lines.push((draw(otherwise, style), atom("  otherwise")));
    let width = lines.iter().map(|(v, _)| v.width).max().unwrap_or(0);
    let mut rows: Vec<String> = Vec::new();
    for (value, condition) in lines {
        let pad = " ".repeat(width - value.width);
        rows.extend(Picture::beside(&[value, atom(&pad), condition], Binding::Atom).rows);
    }
    let (h, middle) = (rows.len(), rows.len() / 2);
    let rows: Vec<String> = rows
        .into_iter()
        .enumerate()
        .map(|(r, row)| {
            let brace = match r {
                0 => '⎧',
                _ if r == h - 1 => '⎩',
                _ if r == middle => '⎨',
                _ => '⎪',
            };
            format!("{brace} {row}")
        })
        .collect();
    let width = rows.iter().map(|r| r.width()).max().unwrap_or(0);
    Picture { rows, baseline: middle, width, binding: Binding::Logic }
}

fn power(b: &Expr, x: &Expr, style: &Style) -> Picture {
    if let Some(n) = x.as_number().filter(|n| n.numerator().is_one() && !n.is_integer()) {
        let degree = n.denominator();
        return draw(b, style).rooted((degree != Number::TWO).then(|| degree.to_string()));
    }
    let base = at(b, Binding::Atom, style);
    match x
        .as_number()
        .filter(|n| n.is_integer() && !n.is_negative())
        .and_then(|n| superscript(&n.to_string()))
    {
        Some(text) if base.height() == 1 => {
            Picture::beside(&[base, Picture::line(text, Binding::Atom)], Binding::Power)
        }
        _ => base.raised(draw(x, style)),
    }
}

fn product(e: &Expr, style: &Style) -> Picture {
    let layout = Layout::of(e);
    let atom = |text: &str| Picture::line(text, Binding::Atom);
    let mut numbers = Vec::new();
    if let Some(x) = layout.float.filter(|x| *x != 1.0 || layout.above.is_empty()) {
        numbers.push(atom(&number::float(x, style)));
    }
    if let Some(n) = &layout.ratio {
        numbers.push(Picture::fraction(atom(&n.numerator().to_string()), atom(&n.denominator().to_string())));
    }
    let above = factors(numbers, layout.above_number.as_ref(), &layout.above, !layout.has_below(), style);
    let mut body = if layout.has_below() {
        let below = factors(Vec::new(), layout.below_number.as_ref(), &layout.below, false, style);
        Picture::fraction(above, below)
    } else {
        above
    };
    for unit in &layout.units {
        body = Picture::beside(&[body, atom(&format!(" [{unit}]"))], Binding::Product);
    }
    if layout.negative {
        body = Picture::beside(&[atom("-"), body], Binding::Sign);
    }
    body
}

fn factors(
    mut parts: Vec<Picture>,
    number: Option<&Number>,
    items: &[Expr],
    open: bool,
    style: &Style,
) -> Picture {
    parts.extend(number.map(|n| Picture::line(n.to_string(), Binding::Atom)));
    let lone = parts.is_empty() && items.len() == 1;
    for item in items {
        parts.push(if lone && !open { draw(item, style) } else { at(item, Binding::Product, style) });
    }
    if parts.is_empty() {
        parts.push(Picture::line("1", Binding::Atom));
    }
    let mut spaced = Vec::new();
    for part in parts {
        if !spaced.is_empty() {
            spaced.push(Picture::line("·", Binding::Atom));
        }
        spaced.push(part);
    }
    if let [only] = spaced.as_slice() {
        let binding = if lone { only.binding } else { Binding::Product };
        return Picture { binding, ..spaced.remove(0) };
    }
    Picture::beside(&spaced, Binding::Product)
}
