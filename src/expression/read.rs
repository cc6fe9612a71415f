//! From the syntax tree to an expression, without evaluation and bindings: names are symbols, `pi`, `e`, `i` and `inf`
//! constants, known functions calls, unknown ones undefined functions. Used by rewrite rules and wherever text
//! is read back: `parse(print(e)) = e`.

use super::function::Function;
use super::node::{Expr, Kind, Relation};
use super::symbol::{Constant, Symbol};
use super::uncertain::Uncertain;
use crate::base::{Code, Fault, Span, hash};
use crate::syntax::tree::{
    Arg, CompareOp, ExprId, ExprKind, MulOp, Sign, Statement, StatementKind, Tree, UnitExpr,
};
use crate::units::Unit;

/// Why a syntax tree is no expression.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ReadError {
    /// Something that has no place in a formula: a list, a string, a record.
    #[error("expected a formula, found {found}")]
    NotAFormula {
        /// What it is.
        found: &'static str,
        /// Its place.
        span: Span,
    },
    /// A wrong number of arguments.
    #[error("expected {expected} of `{function}`, found {found}")]
    Arity {
        /// The function.
        function: String,
        /// "1 argument", "at least 1 argument".
        expected: String,
        /// How many there are.
        found: usize,
        /// The place of the call.
        span: Span,
    },
    /// A unit nobody knows.
    #[error("expected a known unit, found one that is not")]
    Unit {
        /// Its place.
        span: Span,
    },
    /// A statement that is no rule.
    #[error("expected a rule, found another statement")]
    NotARule {
        /// Its place.
        span: Span,
    },
    /// Something that can be no argument of `diff`.
    #[error("expected a symbol to differentiate by, found something else")]
    NotAVariable {
        /// Its place.
        span: Span,
    },
}

impl ReadError {
    /// The place.
    pub fn span(&self) -> Span {
        match self {
            ReadError::NotAFormula { span, .. }
            | ReadError::Arity { span, .. }
            | ReadError::Unit { span }
            | ReadError::NotARule { span }
            | ReadError::NotAVariable { span } => *span,
        }
    }
}

impl Fault for ReadError {
    fn code(&self) -> Code {
        match self {
            ReadError::NotAFormula { .. } => Code(1200),
            ReadError::Arity { .. } => Code(1201),
            ReadError::Unit { .. } => Code(1202),
            ReadError::NotARule { .. } => Code(1203),
            ReadError::NotAVariable { .. } => Code(1204),
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            ReadError::NotAFormula { .. } => "write numbers, names, operators and functions only".into(),
            ReadError::Arity { function, .. } => format!("{function}(x)"),
            ReadError::Unit { .. } => "[m/s^2]".into(),
            ReadError::NotARule { .. } => "rule sin(x)^2 + cos(x)^2 => 1".into(),
            ReadError::NotAVariable { .. } => "diff(u(x, t), x)".into(),
        })
    }
}

/// The codes of this module with their explanation.
pub const CODES: &[(u16, &str, &str)] = &[
    (
        1200,
        "not a formula",
        "Rules and formulas are made of numbers, names, operators and functions. A list, a string or a record \
         has no place in them: `rule [a, b] => a` is an error.",
    ),
    (
        1201,
        "wrong number of arguments",
        "A known function was given more or fewer arguments than it takes. `atan2(y, x)` takes two, `sin(x)` one: \
         `sin(x, y)` is an error.",
    ),
    (
        1202,
        "unknown unit in a formula",
        "Between square brackets after a value stands a unit of the catalogue or one declared with `unit`. \
         For example `9.81 [m/s^2]`.",
    ),
    (
        1203,
        "not a rule",
        "A file of rules holds `rule` statements, such as `rule sqrt(x^2) => x when x >= 0`, and comments.",
    ),
    (
        1204,
        "not a variable",
        "What a derivative is taken by must be a symbol, followed by the order where it is not 1: \
         `diff(u(x, t), x, 2)`.",
    ),
    (
        1205,
        "not a prefix form",
        "The prefix form of an expression puts every operator before its operands, separated by blanks: \
         `+ ^ x 2 1` is x^2 + 1. A token was unknown, or operands were missing or left over.",
    ),
    (
        1206,
        "not a formula of SymPy",
        "`from_sympy` reads what `str(e)` and `srepr(e)` give in SymPy: `x**2 + sin(x)/2`, \
         `Add(Symbol('x'), Integer(1))`. The message says which character is wrong. A function that phys has not \
         (`besselj`) is none of its expressions.",
    ),
    (
        1207,
        "not a formula in LaTeX",
        "`from_latex` reads LaTeX in the form in which `latex` writes it: `\\frac{x^{2}}{2}`, \
         `\\sin\\left(x\\right)`, without units. The message says which character is wrong.",
    ),
    (
        1210,
        "function that a language lacks",
        "A law is exported to a language that has no such function: Rust's standard library has no erf, erfc, gamma, \
         loggamma and factorial, and no language the remainder `O(x^n)` of a series. The hint names a language that \
         has it.",
    ),
    (
        1211,
        "formula without a real value",
        "A law that is exported as code is a formula between real numbers: no equation within it, no `i`, no \
         undefined function such as `u(x)`, no derivative of one, no unit with an offset beside a symbol.",
    ),
    (1212, "formula too large", "Formulas of up to 200 000 nodes are exported as code."),
];

/// A rewrite rule as written: its names are patterns.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// What is looked for.
    pub lhs: Expr,
    /// What it becomes.
    pub rhs: Expr,
    /// What must be proved first, one condition each.
    pub conditions: Vec<Expr>,
}

/// Looks units up.
pub type Units<'a> = &'a dyn Fn(&UnitExpr) -> Option<Unit>;

/// The expression with this number in the tree.
///
/// # Errors
/// Where the tree holds something that has no place in a formula.
pub fn expr(tree: &Tree, id: ExprId, units: Units<'_>) -> Result<Expr, ReadError> {
    Reader { tree, units }.expr(id)
}

/// The rule a statement states.
///
/// # Errors
/// Where it states none, or one of its sides is no formula.
pub fn rule(tree: &Tree, statement: &Statement, units: Units<'_>) -> Result<Rule, ReadError> {
    let StatementKind::Rule { from, to, condition } = &statement.kind else {
        return Err(ReadError::NotARule { span: statement.span });
    };
    let reader = Reader { tree, units };
    let conditions = match condition {
        None => Vec::new(),
        Some(id) => {
            let all = reader.expr(*id)?;
            match all.kind() {
                Kind::And(items) => items.to_vec(),
                _ => vec![all],
            }
        }
    };
    Ok(Rule { lhs: reader.expr(*from)?, rhs: reader.expr(*to)?, conditions })
}

struct Reader<'a> {
    tree: &'a Tree,
    units: Units<'a>,
}

impl Reader<'_> {
    fn no(&self, id: ExprId, found: &'static str) -> Result<Expr, ReadError> {
        Err(ReadError::NotAFormula { found, span: self.tree.span(id) })
    }

    fn all(&self, ids: &[ExprId]) -> Result<Vec<Expr>, ReadError> {
        ids.iter().map(|id| self.expr(*id)).collect()
    }

    fn expr(&self, id: ExprId) -> Result<Expr, ReadError> {
        Ok(match self.tree.expr(id) {
            ExprKind::Integer(n) => Expr::number(n.clone()),
            ExprKind::Float(x) => Expr::float(*x),
            ExprKind::Name(name) => match Constant::from_name(name) {
                Some(c) => Expr::constant(c),
                None => Expr::symbol(name.clone()),
            },
            ExprKind::Bool(b) => Expr::boolean(*b),
            ExprKind::Neg(x) => self.expr(*x)?.negate(),
            ExprKind::Pos(x) => self.expr(*x)?,
            ExprKind::Root(x) => self.expr(*x)?.sqrt(),
            ExprKind::Not(x) => Expr::not(self.expr(*x)?),
            ExprKind::Sum(terms) => {
                let mut items = Vec::with_capacity(terms.len());
                for (sign, term) in terms {
                    let term = self.expr(*term)?;
                    items.push(if *sign == Sign::Minus { term.negate() } else { term });
                }
                Expr::sum(items)
            }
            ExprKind::Product(factors) => {
                let mut items = Vec::with_capacity(factors.len());
                for (op, factor) in factors {
                    let factor = self.expr(*factor)?;
                    items.push(if *op == MulOp::Divide { factor.recip() } else { factor });
                }
                Expr::product(items)
            }
            ExprKind::Juxtaposed(a, b) => Expr::product([self.expr(*a)?, self.expr(*b)?]),
            ExprKind::Power(b, x) => Expr::power(self.expr(*b)?, self.expr(*x)?),
            ExprKind::Compare(first, rest) => {
                let mut left = self.expr(*first)?;
                let mut conditions = Vec::with_capacity(rest.len());
                for (op, right) in rest {
                    let span = self.tree.span(*right);
                    let right = self.expr(*right)?;
                    let op = match op {
                        CompareOp::Eq => Relation::Eq,
                        CompareOp::Ne => Relation::Ne,
                        CompareOp::Lt => Relation::Lt,
                        CompareOp::Le => Relation::Le,
                        CompareOp::Gt => Relation::Gt,
                        CompareOp::Ge => Relation::Ge,
                        CompareOp::In => return Err(ReadError::NotAFormula { found: "`in`", span }),
                    };
                    conditions.push(Expr::relation(op, left, right.clone()));
                    left = right;
                }
                Expr::and(conditions)
            }
            ExprKind::And(items) => Expr::and(self.all(items)?),
            ExprKind::Or(items) => Expr::or(self.all(items)?),
            ExprKind::PlusMinus(value, sigma) => self.uncertain(id, *value, *sigma)?,
            ExprKind::WithUnit(x, unit) => {
                let found = (self.units)(unit).ok_or(ReadError::Unit { span: unit.span })?;
                if let ExprKind::PlusMinus(value, sigma) = self.tree.expr(*x) {
                    return Ok(self.uncertain(id, *value, *sigma)? * Expr::unit(found));
                }
                self.expr(*x)? * Expr::unit(found)
            }
            ExprKind::If { condition, then, otherwise } => {
                Expr::piecewise(vec![(self.expr(*condition)?, self.expr(*then)?)], self.expr(*otherwise)?)
            }
            ExprKind::Call { callee, args, .. } => self.call(id, *callee, args)?,
            ExprKind::Str { .. } => return self.no(id, "a string"),
            ExprKind::Operator(_) => return self.no(id, "a bare operator"),
            ExprKind::Range(..) => return self.no(id, "a range"),
            ExprKind::Convert(..) => return self.no(id, "a conversion"),
            ExprKind::Index(..) => return self.no(id, "an index"),
            ExprKind::Member(..) => return self.no(id, "a member"),
            ExprKind::List(_) => return self.no(id, "a list"),
            ExprKind::Comprehension { .. } => return self.no(id, "a comprehension"),
            ExprKind::Record(_) => return self.no(id, "a record"),
            ExprKind::Pipe(..) => return self.no(id, "a pipe"),
            ExprKind::Error => return self.no(id, "a fault"),
        })
    }

    /// `a ± b`: the identity of the number is its place in the text. A unit at one end is that of both.
    fn uncertain(&self, id: ExprId, value: ExprId, sigma: ExprId) -> Result<Expr, ReadError> {
        let (value, value_unit) = self.expr(value)?.split_unit();
        let (sigma, sigma_unit) = self.expr(sigma)?.split_unit();
        let (Some(mut v), Some(mut s)) = (value.to_f64(), sigma.to_f64()) else {
            return self.no(id, "an uncertain number without a numeric value");
        };
        if let (Some(a), Some(b)) = (&value_unit, &sigma_unit)
            && a != b
        {
            v = a.to_si(v);
            s = b.scale().apply(s);
            let span = self.tree.span(id);
            let identity = hash::combine(u64::from(span.source), u64::from(span.start));
            let si = Expr::unit(Unit::coherent(a.dimension()));
            return Ok(Expr::uncertain(Uncertain::new(identity, v, s)) * si);
        }
        let span = self.tree.span(id);
        let identity = hash::combine(u64::from(span.source), u64::from(span.start));
        let number = Expr::uncertain(Uncertain::new(identity, v, s));
        Ok(match value_unit.or(sigma_unit) {
            Some(unit) => number * Expr::unit(unit),
            None => number,
        })
    }

    fn call(&self, id: ExprId, callee: ExprId, args: &[Arg]) -> Result<Expr, ReadError> {
        let span = self.tree.span(id);
        let ExprKind::Name(name) = self.tree.expr(callee) else {
            // `diff(u(x, t), x)(x: 0)`: named arguments are put in.
            if args.is_empty() || args.iter().any(|a| a.name.is_none()) {
                return self.no(id, "a call of what is no function");
            }
            let mut pairs = Vec::with_capacity(args.len());
            for a in args {
                if let Some(name) = &a.name {
                    pairs.push((Symbol::from(name.name.clone()), self.expr(a.value)?));
                }
            }
            return Ok(self.expr(callee)?.substitute(&pairs));
        };
        if args.iter().any(|a| a.name.is_some()) {
            return self.no(id, "a named argument");
        }
        if &**name == "diff" {
            return self.diff(span, args);
        }
        let values: Vec<Expr> = args.iter().map(|a| self.expr(a.value)).collect::<Result<_, _>>()?;
        let wrong = |expected: &str| ReadError::Arity {
            function: name.to_string(),
            expected: expected.into(),
            found: values.len(),
            span,
        };
        match (&**name, values.as_slice()) {
            ("sqrt", [x]) => return Ok(x.clone().sqrt()),
            ("cbrt", [x]) => return Ok(Expr::power(x.clone(), Expr::ratio(1, 3))),
            ("ln", [x]) => return Ok(Expr::call(Function::Log, vec![x.clone()])),
            ("sqrt" | "cbrt" | "ln", _) => return Err(wrong("1 argument")),
            _ => {}
        }
        let Some(function) = Function::from_name(name) else {
            return Ok(Expr::apply(Symbol::from(name.clone()), values));
        };
        let (least, most) = function.row().arity;
        if !(least..=most).contains(&values.len()) {
            return Err(wrong(&match (least, most) {
                (1, 1) => "1 argument".to_owned(),
                (n, m) if n == m => format!("{n} arguments"),
                (n, _) => format!("at least {n} arguments"),
            }));
        }
        Ok(Expr::call(function, values))
    }

    /// `diff(f, x, 2, y)`: symbols, each with its order where that is not 1.
    fn diff(&self, span: Span, args: &[Arg]) -> Result<Expr, ReadError> {
        let Some((first, rest)) = args.split_first().filter(|(_, rest)| !rest.is_empty()) else {
            let expected = "at least 2 arguments".to_owned();
            return Err(ReadError::Arity { function: "diff".into(), expected, found: args.len(), span });
        };
        let mut result = self.expr(first.value)?;
        let mut last: Option<Symbol> = None;
        for arg in rest {
            let value = self.expr(arg.value)?;
            match (value.kind(), &last) {
                (Kind::Symbol(s), _) => {
                    result = result.diff(s);
                    last = Some(s.clone());
                }
                (Kind::Number(n), Some(s)) if n.to_i64().is_some_and(|n| (1..1000).contains(&n)) => {
                    result = result.diff_n(s, n.to_i64().unwrap_or(1) as u32 - 1);
                    last = None;
                }
                _ => return Err(ReadError::NotAVariable { span: self.tree.span(arg.value) }),
            }
        }
        Ok(result)
    }
}

/// The expression a line of phys spells, for tests.
#[cfg(test)]
pub(crate) fn parse(text: &str) -> Expr {
    parse_with(text, &|_| None)
}

/// As [`parse`], with units.
#[cfg(test)]
pub(crate) fn parse_with(text: &str, units: Units<'_>) -> Expr {
    let parsed = crate::syntax::parse(&crate::base::Source::new(0, "test", text));
    assert!(!parsed.has_errors(), "{text}: {:?}", parsed.diagnostics);
    match parsed.tree.statements.first().map(|s| &s.kind) {
        Some(StatementKind::Expr { value, .. }) => {
            expr(&parsed.tree, *value, units).unwrap_or_else(|e| panic!("{text}: {e}"))
        }
        other => panic!("{text}: {other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_without_bindings() {
        assert_eq!(parse("x^2 + y - 3/2*sin(x)").to_string(), "x^2 + y - 3*sin(x)/2");
        assert_eq!(parse("e^x"), parse("exp(x)"));
        assert_eq!(parse("2√x"), Expr::int(2) * Expr::symbol("x").sqrt());
        assert_eq!(parse("a < b <= c").to_string(), "a < b and b <= c");
        assert_eq!(parse("ln(x)"), parse("log(x)"));
        assert_eq!(parse("diff(f(x, y), x, 2, y)"), parse("diff(diff(f(x, y), y), x, 2)"));
    }

    #[test]
    fn rules_keep_their_conditions_apart() {
        let source = crate::base::Source::new(0, "test", "rule sqrt(x^2) => x when x >= 0 and y != 0\nx = 3");
        let parsed = crate::syntax::parse(&source);
        let found = rule(&parsed.tree, &parsed.tree.statements[0], &|_| None).unwrap();
        assert_eq!(found.lhs, parse("sqrt(x^2)"));
        assert_eq!(found.rhs, parse("x"));
        assert_eq!(found.conditions, [parse("x >= 0"), parse("y != 0")]);
        let other = rule(&parsed.tree, &parsed.tree.statements[1], &|_| None);
        assert!(matches!(other, Err(ReadError::NotARule { .. })));
    }

    #[test]
    fn faults_have_places() {
        for (text, code) in [
            ("[1, 2]", 1200),
            ("sin(x, y)", 1201),
            ("3 [m]", 1202),
            ("diff(x^2, 3)", 1204),
            ("diff(x)", 1201),
        ] {
            let parsed = crate::syntax::parse(&crate::base::Source::new(0, "test", text));
            let Some(StatementKind::Expr { value, .. }) = parsed.tree.statements.first().map(|s| &s.kind)
            else {
                panic!("{text}")
            };
            let fault = expr(&parsed.tree, *value, &|_| None).unwrap_err();
            assert_eq!(fault.code(), Code(code), "{text}");
            assert!(fault.span().end > 0 && fault.hint().is_some());
        }
    }
}
