//! Prefix tokens, separated by blanks, without loss: `* 1/2 * m ^ v 2`. Sums and products are written with binary `+`
//! and `*`; other operators of any arity say how many operands follow.
//!
//! | token | stands for |
//! | --- | --- |
//! | `3`, `-1/2`, `1.5` | numbers; a point, an exponent or `nan` makes a float |
//! | `x`, `$gamma` | symbols; `$` where the bare name means something else |
//! | `pi` `e` `i` `inf` `true` `false` | constants |
//! | `[m/s]` | a unit |
//! | `±7:9.81:0.02` | an uncertain number: identity, value, standard uncertainty |
//! | `+` `*` `^` `==` `<` ... `not` | operators |
//! | `sin`, `min:3` | functions, with the number of arguments where it is not fixed |
//! | `u@2`, `u%1,0` | an undefined function of two arguments, its derivative by the first |
//! | `and:2`, `or:3`, `if:1` | connectives; `if:n` is n pairs of condition and value, and the last value |

use crate::base::{Code, Fault, Number};
use crate::expression::function::Function;
use crate::expression::node::{Expr, Kind, Relation};
use crate::expression::symbol::{Constant, Symbol};
use crate::expression::uncertain::Uncertain;
use crate::units::Unit;

/// Why tokens are no expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrefixError {
    /// A token that stands for nothing.
    #[error("expected a prefix token, found `{found}`")]
    Token {
        /// The token.
        found: String,
    },
    /// An operator without all its operands.
    #[error("expected {expected} operands of `{operator}`, found {found}")]
    Operands {
        /// The operator.
        operator: String,
        /// How many it takes.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// No expression, or more than one.
    #[error("expected one expression, found {found}")]
    Count {
        /// How many there are.
        found: usize,
    },
}

impl Fault for PrefixError {
    fn code(&self) -> Code {
        Code(1205)
    }

    fn hint(&self) -> Option<String> {
        Some("+ ^ x 2 1".into())
    }
}

impl Expr {
    /// Prefix tokens, separated by blanks, from which [`Expr::from_prefix`] makes the same expression again. Only the
    /// covariance of uncertain numbers measured together is not in them.
    pub fn prefix(&self) -> String {
        let mut out: Vec<String> = Vec::new();
        // A stack, as shared trees may be deep.
        let mut stack: Vec<Item> = vec![Item::Expr(self)];
        while let Some(item) = stack.pop() {
            match item {
                Item::Word(word) => out.push(word.to_owned()),
                Item::Expr(e) => {
                    let start = stack.len();
                    out.extend(token(e));
                    match e.kind() {
                        Kind::Sum(items) | Kind::Product(items) => {
                            let word = if matches!(e.kind(), Kind::Sum(_)) { "+" } else { "*" };
                            for (i, item) in items.iter().enumerate() {
                                if i + 1 < items.len() {
                                    stack.push(Item::Word(word));
                                }
                                stack.push(Item::Expr(item));
                            }
                        }
                        _ => stack.extend(e.children().into_iter().map(Item::Expr)),
                    }
                    stack[start..].reverse();
                }
            }
        }
        out.join(" ")
    }

    /// The expression that prefix tokens spell; see [`Expr::prefix`]. Units cannot be read without a catalogue: use
    /// [`Expr::from_prefix_with`].
    ///
    /// # Errors
    /// Where a token stands for nothing, or operands are missing or left over.
    pub fn from_prefix(text: &str) -> Result<Expr, PrefixError> {
        Expr::from_prefix_with(text, &|_| None)
    }

    /// As [`Expr::from_prefix`]; `units` reads what stands between the brackets of a unit.
    ///
    /// # Errors
    /// Where a token stands for nothing, or operands are missing or left over.
    pub fn from_prefix_with(text: &str, units: &dyn Fn(&str) -> Option<Unit>) -> Result<Expr, PrefixError> {
        let mut stack: Vec<Expr> = Vec::new();
        let words: Vec<&str> = text.split_whitespace().collect();
        // From the right, an operator finds its operands on the stack, the first on top.
        for word in words.iter().rev() {
            let mut take = |n: usize| -> Result<Vec<Expr>, PrefixError> {
                if stack.len() < n {
                    return Err(PrefixError::Operands {
                        operator: (*word).to_owned(),
                        expected: n,
                        found: stack.len(),
                    });
                }
                let mut taken = stack.split_off(stack.len() - n);
                taken.reverse();
                Ok(taken)
            };
            let made = match *word {
                "+" | "*" => {
                    let two = take(2)?;
                    if *word == "+" { Expr::sum(two) } else { Expr::product(two) }
                }
                _ => build(word, &mut take, units)?,
            };
            stack.push(made);
        }
        match stack.len() {
            1 => Ok(stack.remove(0)),
            found => Err(PrefixError::Count { found }),
        }
    }
}

enum Item<'a> {
    Expr(&'a Expr),
    Word(&'static str),
}

/// The token of the node itself; a sum or product has none of its own.
fn token(e: &Expr) -> Option<String> {
    Some(match e.kind() {
        Kind::Number(n) => n.to_string(),
        Kind::Float(x) if x.is_nan() => "nan".into(),
        Kind::Float(x) => format!("{x:?}"),
        Kind::Uncertain(u) => format!("±{}:{:?}:{:?}", u.id(), u.value(), u.sigma()),
        Kind::Unit(u) => format!("[{u}]"),
        Kind::Constant(c) => c.name().into(),
        Kind::Symbol(s) if means_something(s.name()) => format!("${}", s.name()),
        Kind::Symbol(s) => s.name().into(),
        Kind::Sum(_) | Kind::Product(_) => return None,
        Kind::Power(..) => "^".into(),
        Kind::Call(f, args) => {
            let (least, most) = f.row().arity;
            if least == most { f.name().into() } else { format!("{}:{}", f.name(), args.len()) }
        }
        Kind::Apply(f, args) => format!("{}@{}", f.name(), args.len()),
        Kind::Derivative(d) => {
            let orders: Vec<String> = d.orders.iter().map(u32::to_string).collect();
            format!("{}%{}", d.function.name(), orders.join(","))
        }
        Kind::Relation(op, _, _) => op.sign().into(),
        Kind::Not(_) => "not".into(),
        Kind::And(items) => format!("and:{}", items.len()),
        Kind::Or(items) => format!("or:{}", items.len()),
        Kind::Bool(b) => b.to_string(),
        Kind::Piecewise(branches, _) => format!("if:{}", branches.len()),
    })
}

fn means_something(name: &str) -> bool {
    matches!(name, "true" | "false" | "not" | "nan")
        || Constant::from_name(name).is_some()
        || Function::from_name(name).is_some()
        || !name.starts_with(|c: char| c.is_alphabetic() || c == '_')
        || name.contains([':', '@', '%'])
}

type Take<'a> = dyn FnMut(usize) -> Result<Vec<Expr>, PrefixError> + 'a;

fn build(word: &str, take: &mut Take<'_>, units: &dyn Fn(&str) -> Option<Unit>) -> Result<Expr, PrefixError> {
    let unknown = || PrefixError::Token { found: word.to_owned() };
    let pair = |take: &mut Take<'_>| -> Result<(Expr, Expr), PrefixError> {
        let mut two = take(2)?.into_iter();
        match (two.next(), two.next()) {
            (Some(a), Some(b)) => Ok((a, b)),
            _ => Err(PrefixError::Token { found: word.to_owned() }),
        }
    };
    let relation = [Relation::Eq, Relation::Ne, Relation::Lt, Relation::Le, Relation::Gt, Relation::Ge]
        .into_iter()
        .find(|r| r.sign() == word);
    if let Some(op) = relation {
        let (a, b) = pair(take)?;
        return Ok(Expr::relation(op, a, b));
    }
    match word {
        "^" => {
            let (b, x) = pair(take)?;
            return Ok(Expr::power(b, x));
        }
        "not" => return Ok(Expr::not(take(1)?.remove(0))),
        "true" | "false" => return Ok(Expr::boolean(word == "true")),
        "nan" => return Ok(Expr::float(f64::NAN)),
        _ => {}
    }
    if let Some(name) = word.strip_prefix('$') {
        return Ok(Expr::symbol(name));
    }
    if let Some(unit) = word.strip_prefix('[').and_then(|w| w.strip_suffix(']')) {
        return units(unit).map(Expr::unit).ok_or_else(unknown);
    }
    if let Some(rest) = word.strip_prefix('±') {
        let mut parts = rest.split(':');
        let mut next = || parts.next().ok_or_else(unknown);
        let id = next()?.parse().map_err(|_| unknown())?;
        let value = next()?.parse().map_err(|_| unknown())?;
        let sigma = next()?.parse().map_err(|_| unknown())?;
        return Ok(Expr::uncertain(Uncertain::new(id, value, sigma)));
    }
    if let Some((name, count)) = word.split_once('@') {
        let n = count.parse().map_err(|_| unknown())?;
        return Ok(Expr::apply(Symbol::new(name), take(n)?));
    }
    if let Some((name, orders)) = word.split_once('%') {
        let orders: Vec<u32> =
            orders.split(',').map(str::parse).collect::<Result<_, _>>().map_err(|_| unknown())?;
        let args = take(orders.len())?;
        return Ok(Expr::derivative(Symbol::new(name), orders, args));
    }
    if let Some((name, count)) = word.split_once(':') {
        let n: usize = count.parse().map_err(|_| unknown())?;
        return match name {
            "and" => Ok(Expr::and(take(n)?)),
            "or" => Ok(Expr::or(take(n)?)),
            "if" => {
                let mut items = take(n.checked_mul(2).and_then(|k| k.checked_add(1)).ok_or_else(unknown)?)?;
                let otherwise = items.pop().ok_or_else(unknown)?;
                let branches = items.chunks(2).map(|p| (p[0].clone(), p[1].clone())).collect();
                Ok(Expr::piecewise(branches, otherwise))
            }
            _ => {
                let f = Function::from_name(name).ok_or_else(unknown)?;
                let (least, most) = f.row().arity;
                if !(least..=most).contains(&n) {
                    return Err(unknown());
                }
                Ok(Expr::call(f, take(n)?))
            }
        };
    }
    if let Some(c) = Constant::from_name(word) {
        return Ok(Expr::constant(c));
    }
    if let Some(f) = Function::from_name(word) {
        return Ok(Expr::call(f, take(f.row().arity.0)?));
    }
    if word.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
        return number(word).ok_or_else(unknown);
    }
    if means_something(word) { Err(unknown()) } else { Ok(Expr::symbol(word)) }
}

fn number(word: &str) -> Option<Expr> {
    if word.contains(['.', 'e']) {
        return word.parse().ok().map(Expr::float);
    }
    match word.split_once('/') {
        Some((num, den)) => {
            Number::parse_integer(num)?.checked_div(&Number::parse_integer(den)?).map(Expr::number)
        }
        None => Number::parse_integer(word).map(Expr::number),
    }
}
