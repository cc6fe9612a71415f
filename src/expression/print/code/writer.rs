//! A formula in another language: the layout of the other printers (`order.rs`), the words of `table.rs`. What occurs
//! more than once becomes a local name, so that the text grows with the nodes in memory and not with those on paper.

use super::names::Names;
use super::table::Dialect;
use super::{CodeError, Target};
use crate::base::Number;
use crate::expression::function::Function;
use crate::expression::node::{Expr, Flags, Kind, Relation};
use crate::expression::print::order::{self, Layout};
use crate::expression::symbol::{Constant, Symbol};
use std::collections::{HashMap, HashSet};

type Result<T> = std::result::Result<T, CodeError>;

/// How tightly a text binds. `Times` is a product without division, which may stand among factors as it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Binding {
    Choice,
    Or,
    And,
    Compare,
    Sum,
    Product,
    Times,
    Sign,
    Power,
    Atom,
}

/// Writes one formula.
pub(super) struct Writer<'a> {
    pub(super) dialect: &'a Dialect,
    pub(super) target: Target,
    /// The names of variables and constants.
    pub(super) symbols: HashMap<Symbol, String>,
    /// Variables that are never negative.
    pub(super) nonnegative: HashSet<Symbol>,
    pub(super) names: &'a mut Names,
    shared: HashSet<Expr>,
    done: HashMap<Expr, String>,
    /// Local names with their values, in order.
    pub(super) locals: Vec<(String, String)>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(
        target: Target,
        symbols: HashMap<Symbol, String>,
        nonnegative: HashSet<Symbol>,
        names: &'a mut Names,
    ) -> Writer<'a> {
        let dialect = target.dialect();
        let (shared, done) = (HashSet::new(), HashMap::new());
        Writer { dialect, target, symbols, nonnegative, names, shared, done, locals: Vec::new() }
    }

    /// The formula as one value, after its [`Writer::locals`].
    pub(super) fn formula(&mut self, e: &Expr) -> Result<String> {
        self.shared = repeated(e);
        self.at(e, Binding::Choice)
    }

    /// The text where at least `place` is needed.
    fn at(&mut self, e: &Expr, place: Binding) -> Result<String> {
        let (text, own) = self.write(e)?;
        Ok(if own < place { format!("({text})") } else { text })
    }

    fn write(&mut self, e: &Expr) -> Result<(String, Binding)> {
        if let Some(name) = self.done.get(e) {
            return Ok((name.clone(), Binding::Atom));
        }
        let (text, own) = self.bare(e)?;
        if !self.shared.contains(e) {
            return Ok((text, own));
        }
        let name = self.names.take(&format!("t{}", self.locals.len() + 1));
        self.locals.push((name.clone(), text));
        self.done.insert(e.clone(), name.clone());
        Ok((name, Binding::Atom))
    }

    fn bare(&mut self, e: &Expr) -> Result<(String, Binding)> {
        // PyTorch's functions take tensors only.
        if self.target == Target::Pytorch
            && !e.is_symbolic()
            && !e.is_plain_number()
            && !e.flags().has(Flags::LOGIC)
            && let Some(x) = e.evaluate(&|_| None)
        {
            return Ok(self.float(x));
        }
        let unreal = |found: &str| Err(CodeError::NotReal { found: found.to_owned() });
        Ok(match e.kind() {
            Kind::Number(n) => self.number(n),
            Kind::Float(x) => self.float(*x),
            Kind::Uncertain(u) => self.float(u.value()),
            Kind::Unit(u) => self.float(u.to_si(1.0)),
            Kind::Constant(c) => {
                let word = match c {
                    Constant::Pi => self.dialect.pi,
                    Constant::E => self.dialect.e,
                    Constant::Infinity => self.dialect.infinity,
                    Constant::I => return unreal("the imaginary unit"),
                };
                (word.to_owned(), Binding::Atom)
            }
            Kind::Symbol(s) => match self.symbols.get(s) {
                Some(name) => (name.clone(), Binding::Atom),
                None => return unreal(&format!("the unknown symbol `{s}`")),
            },
            Kind::Sum(items) => self.sum(items)?,
            Kind::Product(_) => self.product(e)?,
            Kind::Power(b, x) => match x.as_f64() {
                Some(v) if v < 0.0 => self.product(e)?,
                _ => self.power(b, x)?,
            },
            Kind::Call(f, args) => self.call(*f, args)?,
            Kind::Piecewise(branches, otherwise) => self.piecewise(branches, otherwise)?,
            Kind::Apply(f, _) => return unreal(&format!("the undefined function `{f}`")),
            Kind::Derivative(_) => return unreal("a derivative"),
            Kind::Relation(..) | Kind::Not(_) | Kind::And(_) | Kind::Or(_) | Kind::Bool(_) => {
                return unreal(&format!("the condition `{e}`"));
            }
        })
    }

    fn float(&self, x: f64) -> (String, Binding) {
        match x {
            _ if x.is_nan() => (self.dialect.nan.to_owned(), Binding::Atom),
            f64::INFINITY => (self.dialect.infinity.to_owned(), Binding::Atom),
            f64::NEG_INFINITY => (format!("-{}", self.dialect.infinity), Binding::Sign),
            _ => (format!("{:?}", x + 0.0), if x < 0.0 { Binding::Sign } else { Binding::Atom }),
        }
    }

    /// A ratio: as a decimal where it is one, else as a quotient of floats.
    fn number(&self, n: &Number) -> (String, Binding) {
        let x = n.to_f64();
        let decimal = format!("{x:?}");
        let (over, under) = (n.numerator().to_f64(), n.denominator().to_f64());
        let large = 9.0e15;
        if Number::parse_decimal(&decimal).is_some_and(|d| d == *n) || over.abs() > large || under > large {
            return self.float(x);
        }
        (format!("{over:?}/{under:?}"), Binding::Product)
    }

    fn sum(&mut self, items: &[Expr]) -> Result<(String, Binding)> {
        let mut out = String::new();
        for (i, term) in order::terms(items).iter().enumerate() {
            let text = self.at(term, Binding::Product)?;
            match text.strip_prefix('-') {
                Some(rest) if i > 0 => out.push_str(&format!(" - {rest}")),
                _ if i > 0 => out.push_str(&format!(" + {text}")),
                _ => out.push_str(&text),
            }
        }
        Ok((out, Binding::Sum))
    }

    fn product(&mut self, e: &Expr) -> Result<(String, Binding)> {
        let layout = Layout::of(e);
        let mut above: Vec<String> = Vec::new();
        let mut divided = layout.has_below();
        if let Some(x) = layout.float {
            above.push(self.float(x).0);
        }
        if let Some(n) = layout.ratio.as_ref().or(layout.above_number.as_ref()) {
            let (text, own) = self.number(n);
            divided |= own == Binding::Product;
            above.push(text);
        }
        for f in &layout.above {
            above.push(self.at(f, Binding::Times)?);
        }
        if above.is_empty() {
            above.push("1.0".into());
        }
        let mut out = if layout.negative { "-".to_owned() } else { String::new() };
        out.push_str(&above.join("*"));
        if layout.has_below() {
            let mut below: Vec<String> = layout.below_number.iter().map(|n| self.number(n).0).collect();
            let alone = below.len() + layout.below.len() == 1;
            for f in &layout.below {
                below.push(self.at(f, if alone { Binding::Sign } else { Binding::Times })?);
            }
            let below = below.join("*");
            out.push_str(&if alone { format!("/{below}") } else { format!("/({below})") });
        }
        Ok((out, if divided { Binding::Product } else { Binding::Times }))
    }

    /// `b` to the power `x`, which is no negative number.
    fn power(&mut self, b: &Expr, x: &Expr) -> Result<(String, Binding)> {
        if x.as_number().is_some_and(|n| *n == Number::HALF) {
            return self.fill(self.dialect.sqrt, std::slice::from_ref(b));
        }
        let third = Number::ratio(1, 3);
        if x.as_number() == third.as_ref()
            && self.is_nonnegative(b)
            && let Some(cbrt) = self.dialect.cbrt
        {
            return self.fill(cbrt, std::slice::from_ref(b));
        }
        match (self.target, x.as_i64().and_then(|n| i32::try_from(n).ok())) {
            (Target::C, Some(n @ 2..=3))
                if matches!(b.kind(), Kind::Symbol(_)) || self.shared.contains(b) =>
            {
                let base = self.at(b, Binding::Atom)?;
                Ok((vec![base; n as usize].join("*"), Binding::Times))
            }
            (Target::Rust, Some(n)) => {
                let base = self.at(b, Binding::Atom)?;
                Ok((format!("{}.powi({n})", receiver(base, b)), Binding::Atom))
            }
            (Target::Numpy | Target::Jax | Target::Pytorch, Some(n)) => {
                Ok((format!("{}**{n}", self.at(b, Binding::Atom)?), Binding::Power))
            }
            _ => self.fill(self.dialect.power, &[b.clone(), x.clone()]),
        }
    }

    fn call(&mut self, f: Function, args: &[Expr]) -> Result<(String, Binding)> {
        if let (Function::Re | Function::Conj, [x]) = (f, args) {
            return self.write(x);
        }
        let template = self.dialect.function(f).ok_or_else(|| CodeError::Function {
            target: self.dialect.title,
            function: f.name(),
            others: Target::ALL
                .into_iter()
                .filter(|t| t.dialect().function(f).is_some())
                .map(Target::word)
                .collect(),
        })?;
        match args {
            [first, rest @ ..] if matches!(f, Function::Min | Function::Max) => {
                let mut text = self.write(first)?;
                for x in rest {
                    let second = self.write(x)?;
                    text = (self.filled(template, &[(text, first), (second, x)]), Binding::Atom);
                }
                Ok(text)
            }
            _ => self.fill(template, args),
        }
    }

    /// A template of the table with its arguments: `{0}` stands where anything may stand, `{0@}` where an atom must.
    fn fill(&mut self, template: &str, args: &[Expr]) -> Result<(String, Binding)> {
        let mut texts = Vec::with_capacity(args.len());
        for a in args {
            texts.push((self.write(a)?, a));
        }
        let own = if template.contains("**") { Binding::Power } else { Binding::Atom };
        Ok((self.filled(template, &texts), own))
    }

    fn filled(&self, template: &str, args: &[((String, Binding), &Expr)]) -> String {
        let mut out = String::with_capacity(template.len() + 16);
        let mut rest = template;
        while let Some(start) = rest.find('{') {
            let Some(length) = rest[start..].find('}') else { break };
            out.push_str(&rest[..start]);
            let inside = &rest[start + 1..start + length];
            let place = inside.trim_end_matches('@').parse::<usize>().unwrap_or(0);
            if let Some(((text, own), e)) = args.get(place) {
                if !inside.ends_with('@') {
                    out.push_str(text);
                } else {
                    let atom = if *own < Binding::Atom { format!("({text})") } else { text.clone() };
                    out.push_str(&if self.target == Target::Rust { receiver(atom, e) } else { atom });
                }
            }
            rest = &rest[start + length + 1..];
        }
        out.push_str(rest);
        out
    }

    fn piecewise(&mut self, branches: &[(Expr, Expr)], otherwise: &Expr) -> Result<(String, Binding)> {
        let mut text = self.at(otherwise, Binding::Choice)?;
        for (condition, value) in branches.iter().rev() {
            let condition = self.condition(condition)?.0;
            let value = self.at(value, Binding::Or)?;
            text = match self.target {
                Target::C => format!("{condition} ? {value} : {text}"),
                Target::Rust => format!("if {condition} {{ {value} }} else {{ {text} }}"),
                Target::Pytorch => format!("torch.where({condition}, *both({value}, {text}))"),
                Target::Numpy => format!("np.where({condition}, {value}, {text})"),
                Target::Jax => format!("jnp.where({condition}, {value}, {text})"),
            };
        }
        let own =
            if matches!(self.target, Target::C | Target::Rust) { Binding::Choice } else { Binding::Atom };
        Ok((text, own))
    }

    /// A condition; in Python, where `&` binds tighter than `<`, its parts stand in brackets.
    fn condition(&mut self, e: &Expr) -> Result<(String, Binding)> {
        let python = self.dialect.extension == "py";
        Ok(match e.kind() {
            Kind::Bool(b) => {
                (if *b { self.dialect.truth.0 } else { self.dialect.truth.1 }.to_owned(), Binding::Atom)
            }
            Kind::Relation(op, a, b) => {
                let sign = match op {
                    Relation::Eq => "==",
                    Relation::Ne => "!=",
                    Relation::Lt => "<",
                    Relation::Le => "<=",
                    Relation::Gt => ">",
                    Relation::Ge => ">=",
                };
                (
                    format!("{} {sign} {}", self.at(a, Binding::Sum)?, self.at(b, Binding::Sum)?),
                    Binding::Compare,
                )
            }
            Kind::Not(a) => {
                let inner = self.condition(a)?.0;
                (format!("{}({inner})", self.dialect.negation), Binding::Atom)
            }
            Kind::And(items) | Kind::Or(items) => {
                let all = matches!(e.kind(), Kind::And(_));
                let (word, own) = match (python, all) {
                    (true, true) => (" & ", Binding::And),
                    (true, false) => (" | ", Binding::Or),
                    (false, true) => (" && ", Binding::And),
                    (false, false) => (" || ", Binding::Or),
                };
                let place = if python || !all { Binding::Atom } else { Binding::Compare };
                let mut parts = Vec::with_capacity(items.len());
                for item in items {
                    let (text, own) = self.condition(item)?;
                    parts.push(if own < place { format!("({text})") } else { text });
                }
                (parts.join(word), own)
            }
            _ => return Err(CodeError::NotReal { found: format!("`{e}` as a condition") }),
        })
    }

    /// Whether the value is never negative, as far as its form and the domains of the variables tell.
    fn is_nonnegative(&self, e: &Expr) -> bool {
        match e.kind() {
            Kind::Number(n) => !n.is_negative(),
            Kind::Float(x) => *x >= 0.0,
            Kind::Constant(c) => *c != Constant::I,
            Kind::Symbol(s) => self.nonnegative.contains(s),
            Kind::Sum(items) | Kind::Product(items) => items.iter().all(|i| self.is_nonnegative(i)),
            Kind::Power(b, x) => x.as_number().is_some_and(Number::is_even) || self.is_nonnegative(b),
            Kind::Call(f, _) => matches!(f, Function::Exp | Function::Cosh | Function::Abs | Function::Step),
            _ => false,
        }
    }
}

/// What a method of Rust is called on: a number needs its type there.
fn receiver(text: String, e: &Expr) -> String {
    if e.is_symbolic() || text.contains("f64") {
        return text;
    }
    match text.parse::<f64>() {
        Ok(_) => format!("{text}_f64"),
        Err(_) => format!("({text} as f64)"),
    }
}

/// The parts that occur more than once and are worth a name.
fn repeated(e: &Expr) -> HashSet<Expr> {
    let mut seen: HashMap<&Expr, usize> = HashMap::new();
    let mut stack = vec![e];
    while let Some(part) = stack.pop() {
        let count = seen.entry(part).or_insert(0);
        *count += 1;
        if *count == 1 {
            stack.extend(part.children());
        }
    }
    let worth = |e: &Expr| match e.kind() {
        Kind::Sum(_) | Kind::Call(..) | Kind::Piecewise(..) => true,
        Kind::Power(b, x) => {
            !x.as_f64().is_some_and(|v| v < 0.0) && (x.as_i64().is_none() || b.node_count() > 1)
        }
        _ => false,
    };
    seen.into_iter().filter(|(e, n)| *n > 1 && e.is_symbolic() && worth(e)).map(|(e, _)| e.clone()).collect()
}
