//! One line of text, in phys or in SymPy's syntax: the same layout, other spellings of powers, functions, relations
//! and names (`sympy.rs`). Brackets are those the grammar needs, no more.

use super::order::{self, Layout};
use super::{Style, number};
use crate::base::Number;
use crate::expression::node::{Derivative, Expr, Kind};
use crate::expression::symbol::Symbol;

/// How tightly a text binds; an operand that binds less tightly than its place asks for gets brackets.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Binding {
    If,
    Or,
    And,
    Not,
    Compare,
    Sum,
    Product,
    PlusMinus,
    Sign,
    Power,
    Atom,
}

/// Writes one line.
pub(super) struct Writer<'s> {
    pub(super) style: &'s Style,
    pub(super) sympy: bool,
}

impl<'s> Writer<'s> {
    pub(super) fn phys(style: &'s Style) -> Writer<'s> {
        Writer { style, sympy: false }
    }

    pub(super) fn sympy(style: &'s Style) -> Writer<'s> {
        Writer { style, sympy: true }
    }

    pub(super) fn text(&self, e: &Expr) -> String {
        let mut out = String::new();
        self.expr(e, Binding::If, &mut out);
        out
    }

    /// Writes `e` where at least `place` is needed.
    pub(super) fn expr(&self, e: &Expr, place: Binding, out: &mut String) {
        let start = out.len();
        let own = self.bare(e, out);
        if own < place {
            out.insert(start, '(');
            out.push(')');
        }
    }

    fn list(&self, items: &[Expr], out: &mut String) {
        for (i, item) in items.iter().enumerate() {
            if i > 0 {
                out.push_str(", ");
            }
            self.expr(item, Binding::If, out);
        }
    }

    pub(super) fn called(&self, name: &str, args: &[Expr], out: &mut String) -> Binding {
        out.push_str(name);
        out.push('(');
        self.list(args, out);
        out.push(')');
        Binding::Atom
    }

    fn bare(&self, e: &Expr, out: &mut String) -> Binding {
        if self.sympy
            && let Some(binding) = self.sympy_form(e, out)
        {
            return binding;
        }
        match e.kind() {
            Kind::Number(n) => {
                out.push_str(&n.to_string());
                number_binding(n)
            }
            Kind::Float(x) => {
                out.push_str(&number::float(*x, self.style));
                if *x < 0.0 { Binding::Sign } else { Binding::Atom }
            }
            Kind::Uncertain(u) => {
                out.push_str(&number::uncertain(u.value(), u.sigma()));
                Binding::PlusMinus
            }
            Kind::Constant(c) => {
                out.push_str(c.name());
                Binding::Atom
            }
            Kind::Symbol(s) => {
                out.push_str(s.name());
                Binding::Atom
            }
            Kind::Sum(items) => self.sum(items, out),
            Kind::Product(_) | Kind::Unit(_) => self.product(e, out),
            Kind::Power(b, x) => {
                if x.as_f64().is_some_and(|v| v < 0.0) {
                    return self.product(e, out);
                }
                self.power(b, x, out)
            }
            Kind::Call(f, args) => self.called(f.name(), args, out),
            Kind::Apply(f, args) => self.called(f.name(), args, out),
            Kind::Derivative(d) => self.derivative(d, out),
            Kind::Relation(op, a, b) => {
                self.expr(a, Binding::Sum, out);
                out.push(' ');
                out.push_str(op.sign());
                out.push(' ');
                self.expr(b, Binding::Sum, out);
                Binding::Compare
            }
            Kind::Not(a) => {
                out.push_str("not ");
                self.expr(a, Binding::Not, out);
                Binding::Not
            }
            Kind::And(items) => self.joined(items, " and ", Binding::And, out),
            Kind::Or(items) => self.joined(items, " or ", Binding::Or, out),
            Kind::Bool(b) => {
                out.push_str(if *b { "true" } else { "false" });
                Binding::Atom
            }
            Kind::Piecewise(branches, otherwise) => {
                for (condition, value) in branches {
                    out.push_str("if ");
                    self.expr(condition, Binding::Or, out);
                    out.push_str(" then ");
                    self.expr(value, Binding::Or, out);
                    out.push_str(" else ");
                }
                self.expr(otherwise, Binding::Or, out);
                Binding::If
            }
        }
    }

    fn joined(&self, items: &[Expr], word: &str, own: Binding, out: &mut String) -> Binding {
        let inner = if own == Binding::And { Binding::Not } else { Binding::And };
        for (i, item) in items.iter().enumerate() {
            if i > 0 {
                out.push_str(word);
            }
            self.expr(item, inner, out);
        }
        own
    }

    fn sum(&self, items: &[Expr], out: &mut String) -> Binding {
        for (i, term) in order::terms(items).iter().enumerate() {
            let start = out.len();
            self.expr(term, Binding::Product, out);
            if i == 0 {
                continue;
            }
            if out[start..].starts_with('-') {
                out.replace_range(start..start + 1, " - ");
            } else {
                out.insert_str(start, " + ");
            }
        }
        Binding::Sum
    }

    /// `b ^ x`, `x` no negative number.
    fn power(&self, b: &Expr, x: &Expr, out: &mut String) -> Binding {
        if x.as_number().is_some_and(|n| *n == Number::HALF) {
            return self.called("sqrt", std::slice::from_ref(b), out);
        }
        self.expr(b, Binding::Atom, out);
        out.push_str(if self.sympy { "**" } else { "^" });
        let place = if x.is_plain_number() { Binding::Atom } else { Binding::Power };
        self.expr(x, place, out);
        Binding::Power
    }

    fn product(&self, e: &Expr, out: &mut String) -> Binding {
        let layout = Layout::of(e);
        if !layout.units.is_empty() {
            return self.quantity(e, &layout, out);
        }
        self.fraction(&layout, out)
    }

    /// A product without units.
    fn fraction(&self, layout: &Layout, out: &mut String) -> Binding {
        if layout.negative {
            out.push('-');
        }
        let mut above: Vec<String> = Vec::new();
        let mut alone = Binding::Atom;
        if let Some(x) = layout.float {
            let text = number::float(x, self.style);
            // For people, 1.0*x is x.
            if text != "1" || (layout.above.is_empty() && layout.below.is_empty()) {
                above.push(text);
            }
        }
        if let Some(n) = layout.ratio.as_ref().or(layout.above_number.as_ref()) {
            above.push(n.to_string());
        }
        let single = above.is_empty() && layout.above.len() == 1 && !layout.has_below();
        for f in &layout.above {
            let mut text = String::new();
            if single {
                // A lone factor after a sign, or alone.
                alone = self.bare(f, &mut text);
                if layout.negative && alone < Binding::Power {
                    text = format!("({text})");
                    alone = Binding::Sign;
                }
            } else {
                self.expr(f, Binding::Power, &mut text);
            }
            above.push(text);
        }
        if above.is_empty() {
            above.push("1".into());
        }
        let plain = above.len() == 1 && layout.ratio.is_none() && !layout.has_below();
        out.push_str(&above.join("*"));
        if layout.has_below() {
            out.push('/');
            let mut below: Vec<String> = layout.below_number.iter().map(Number::to_string).collect();
            let one = below.len() + layout.below.len() == 1;
            for f in &layout.below {
                let mut text = String::new();
                self.expr(f, Binding::Power, &mut text);
                below.push(text);
            }
            if one {
                out.push_str(&below[0]);
            } else {
                out.push('(');
                out.push_str(&below.join("*"));
                out.push(')');
            }
        }
        match plain {
            true if layout.negative => Binding::Sign.min(alone),
            true => alone,
            // `-x*y` is (-x)*y, the same.
            false => Binding::Product,
        }
    }

    /// A product with units: the number or product, then the unit in its bracket.
    fn quantity(&self, e: &Expr, layout: &Layout, out: &mut String) -> Binding {
        let start = out.len();
        let bare = layout.above.is_empty() && layout.below.is_empty();
        let mut own = Binding::Sign;
        let decimal = self.style.digits.is_some() && !e.is_symbolic();
        let value = || {
            let factors = e.factors().iter().filter(|f| !matches!(f.kind(), Kind::Unit(_))).cloned();
            Expr::product(factors).evaluate(&|_| None)
        };
        match (decimal && (!bare || layout.below_number.is_some())).then(value).flatten() {
            Some(x) if !e.flags().has(crate::expression::node::Flags::UNCERTAIN) => {
                out.push_str(&number::float(x, self.style));
            }
            _ => {
                let mut text = String::new();
                let binding = match (layout.above.as_slice(), layout.has_below()) {
                    // `9.81 ± 0.02 [m]`
                    ([only], false)
                        if matches!(only.kind(), Kind::Uncertain(_))
                            && !layout.negative
                            && layout.float.is_none()
                            && layout.above_number.is_none() =>
                    {
                        own = Binding::PlusMinus;
                        self.bare(only, &mut text);
                        Binding::Atom
                    }
                    _ => self.fraction(layout, &mut text),
                };
                // The unit binds to the last factor of a product; below a bar, or behind a ratio, it would go wrong.
                let product = binding == Binding::Product && !layout.has_below() && !layout.above.is_empty();
                if product {
                    own = Binding::Product;
                }
                if product || binding >= Binding::Sign {
                    out.push_str(&text);
                } else {
                    out.push('(');
                    out.push_str(&text);
                    out.push(')');
                }
            }
        }
        let mut units = layout.units.iter();
        if let Some(unit) = units.next() {
            out.push_str(&format!(" [{unit}]"));
        }
        for unit in units {
            out.push_str(&format!("*1 [{unit}]"));
            own = Binding::Product;
        }
        if out[start..].starts_with('-') { own.min(Binding::Sign) } else { own }
    }

    /// Nested `diff` calls, one a variable; where an argument is no symbol of its own, a variable stands there and the
    /// argument is put in by a call: `diff(u(x, t), x)(x: 0)`.
    fn derivative(&self, d: &Derivative, out: &mut String) -> Binding {
        let (args, put_in) = derivative_arguments(d);
        let diff = if self.sympy { "Derivative" } else { "diff" };
        let variables: Vec<(usize, u32)> =
            d.orders.iter().enumerate().filter(|(_, n)| **n > 0).map(|(i, n)| (i, *n)).collect();
        if self.sympy && !put_in.is_empty() {
            out.push_str("Subs(");
        }
        let outer = if self.sympy { 1 } else { variables.len() };
        for _ in 0..outer {
            out.push_str(diff);
            out.push('(');
        }
        let name = if self.sympy {
            format!("Function('{}')", super::sympy_name(d.function.name()))
        } else {
            d.function.name().to_owned()
        };
        self.called(&name, &args, out);
        for (slot, n) in variables {
            out.push_str(", ");
            self.expr(&args[slot], Binding::If, out);
            if n > 1 {
                out.push_str(&format!(", {n}"));
            }
            if !self.sympy {
                out.push(')');
            }
        }
        if self.sympy {
            out.push(')');
        }
        if !put_in.is_empty() {
            if self.sympy {
                let (names, values): (Vec<Expr>, Vec<Expr>) =
                    put_in.into_iter().map(|(s, v)| (Expr::symbol(s), v)).unzip();
                out.push_str(", (");
                self.list(&names, out);
                out.push_str(",), (");
                self.list(&values, out);
                out.push_str(",))");
            } else {
                out.push('(');
                for (i, (symbol, value)) in put_in.iter().enumerate() {
                    if i > 0 {
                        out.push_str(", ");
                    }
                    out.push_str(&format!("{symbol}: "));
                    self.expr(value, Binding::If, out);
                }
                out.push(')');
            }
        }
        Binding::Atom
    }
}

/// The arguments with a variable in every slot that is differentiated and holds no symbol of its own, and what is put
/// in for these variables afterwards.
pub(super) fn derivative_arguments(d: &Derivative) -> (Vec<Expr>, Vec<(Symbol, Expr)>) {
    let mut args = d.args.to_vec();
    let mut put_in = Vec::new();
    let usual: &[&str] = match args.len() {
        1 => &["x"],
        2 => &["x", "t"],
        3 => &["x", "y", "t"],
        _ => &["x", "y", "z", "t"],
    };
    for slot in 0..args.len() {
        let own = args[slot].as_symbol().is_some_and(|s| {
            d.args.iter().enumerate().all(|(other, a)| other == slot || !a.contains_symbol(s))
        });
        if d.orders[slot] == 0 || own {
            continue;
        }
        let taken = |name: &str, args: &[Expr]| {
            let s = Symbol::new(name);
            d.args.iter().chain(args).any(|a| a.contains_symbol(&s)) || d.function.name() == name
        };
        let numbered = (1..).map(|n| format!("x{n}"));
        let name = usual
            .get(slot)
            .map(|n| (*n).to_owned())
            .into_iter()
            .chain(numbered)
            .find(|n| !taken(n, &args))
            .unwrap_or_default();
        let symbol = Symbol::new(&name);
        let value = std::mem::replace(&mut args[slot], Expr::symbol(symbol.clone()));
        put_in.push((symbol, value));
    }
    (args, put_in)
}

pub(super) fn number_binding(n: &Number) -> Binding {
    match (n.is_integer(), n.is_negative()) {
        (false, _) => Binding::Product,
        (true, true) => Binding::Sign,
        (true, false) => Binding::Atom,
    }
}
