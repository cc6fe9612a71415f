//! The syntax tree: what was typed, in the order it was typed, with the place of every node.
//! Expressions live in one arena a source and are named by [`ExprId`]; sums, products, `and` and `or` are
//! n-ary, so that a long line is not a deep tree. There are no nodes for brackets: the
//! formatter puts back those that are needed. A faulty piece is an `Error` node, and the parse goes on.

use crate::base::{Number, Span};
use std::sync::Arc;

/// A name after NFKC, with the Greek rule applied (`ω0` is `omega0`), primes included.
pub type Name = Arc<str>;

/// A name and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Ident {
    /// The name.
    pub name: Name,
    /// Its place.
    pub span: Span,
}

/// The number of an expression in its [`Tree`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct ExprId(pub u32);

/// A parsed source.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// All expressions; children come before their parents.
    pub exprs: Vec<ExprNode>,
    /// The statements in order.
    pub statements: Vec<Statement>,
    /// Every comment (`#` and `##`), in order, for the formatter.
    pub comments: Vec<Comment>,
}

impl Tree {
    /// The expression with this number.
    pub fn expr(&self, id: ExprId) -> &ExprKind {
        &self.exprs[id.0 as usize].kind
    }

    /// Its place.
    pub fn span(&self, id: ExprId) -> Span {
        self.exprs[id.0 as usize].span
    }

    /// Adds an expression whose children are there.
    pub fn add(&mut self, kind: ExprKind, span: Span) -> ExprId {
        self.exprs.push(ExprNode { kind, span });
        ExprId(self.exprs.len() as u32 - 1)
    }

    /// Adds all expressions of another tree; that with number `id` there comes back with its number here.
    pub fn graft(&mut self, other: &Tree, id: ExprId) -> ExprId {
        let by = self.exprs.len() as u32;
        self.exprs.extend(other.exprs.iter().cloned().map(|mut node| {
            node.kind.each_child_mut(|child| child.0 += by);
            node
        }));
        ExprId(id.0 + by)
    }
}

/// An expression and its place.
#[derive(Clone, Debug)]
pub struct ExprNode {
    /// What it is.
    pub kind: ExprKind,
    /// Where it is.
    pub span: Span,
}

/// A comment.
#[derive(Clone, Debug, PartialEq)]
pub struct Comment {
    /// Its place, from `#` to before the newline.
    pub span: Span,
    /// Whether it is `##` on a line of its own.
    pub doc: bool,
    /// Whether it stands alone on its line.
    pub own_line: bool,
}

/// Signs of a sum's terms.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sign {
    /// `+ term` (the first term has this).
    Plus,
    /// `- term`.
    Minus,
}

/// How a factor joins a product.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MulOp {
    /// `*` (the first factor has this).
    Times,
    /// `/`.
    Divide,
    /// `·` (dot product of vectors, else `*`).
    Dot,
    /// `×` (cross product of vectors, else `*`).
    Cross,
}

/// Comparisons.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum CompareOp {
    /// `==`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `in`
    In,
}

/// A bare operator used as a value: `[+, -, *, /, ^]`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Operator {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `^`
    Pow,
}

/// A piece of a string.
#[derive(Clone, Debug, PartialEq)]
pub enum StrPart {
    /// Text with its escapes resolved.
    Text(String),
    /// `{expr}` or `{expr:4}` (significant digits).
    Interpolation {
        /// The expression.
        expr: ExprId,
        /// Significant digits.
        digits: Option<u32>,
    },
}

/// An argument of a call, or an entry of a block or record.
#[derive(Clone, Debug, PartialEq)]
pub struct Arg {
    /// `name:` before the value; always there in blocks and records. A name may be written as a string in records.
    pub name: Option<Ident>,
    /// The value.
    pub value: ExprId,
}

/// `for a, b in source` of a comprehension or a `for` statement.
#[derive(Clone, Debug, PartialEq)]
pub struct ForClause {
    /// The names bound.
    pub names: Vec<Ident>,
    /// What is gone through.
    pub source: ExprId,
}

/// A unit as written: `kg*m^2/s²`. The empty list is `[1]`.
#[derive(Clone, Debug, PartialEq)]
pub struct UnitExpr {
    /// Factors in the order written; division has become a negative power.
    pub factors: Vec<UnitFactor>,
    /// From `[` to `]`.
    pub span: Span,
}

/// One factor of a unit.
#[derive(Clone, Debug, PartialEq)]
pub struct UnitFactor {
    /// The unit as spelled after NFKC, with prefix (`km`, `µm` is `μm`, `Ω`, `%`).
    pub symbol: Name,
    /// Its power.
    pub power: Number,
    /// Its place.
    pub span: Span,
}

/// Expressions.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// `12`: an exact integer.
    Integer(Number),
    /// `1.5e3`: a float.
    Float(f64),
    /// A name.
    Name(Name),
    /// A string; one `Text` part or none for a plain one.
    Str {
        /// The pieces.
        parts: Vec<StrPart>,
        /// `r"..."`.
        raw: bool,
    },
    /// `true`, `false`.
    Bool(bool),
    /// A bare operator.
    Operator(Operator),
    /// `-x`.
    Neg(ExprId),
    /// `+x`.
    Pos(ExprId),
    /// `√x` written as a prefix sign.
    Root(ExprId),
    /// `not x`.
    Not(ExprId),
    /// `a + b - c`: at least two terms; the first is `Plus`.
    Sum(Vec<(Sign, ExprId)>),
    /// `a*b/c`: at least two factors; the first is `Times`.
    Product(Vec<(MulOp, ExprId)>),
    /// `2x`, `3(a+b)`, `2√x`: a number touching what it multiplies.
    Juxtaposed(ExprId, ExprId),
    /// `a^b`, also `x²`.
    Power(ExprId, ExprId),
    /// `a < b <= c`: the first operand and the others with their comparisons.
    Compare(ExprId, Vec<(CompareOp, ExprId)>),
    /// `a and b and c`.
    And(Vec<ExprId>),
    /// `a or b or c`.
    Or(Vec<ExprId>),
    /// `a..b`.
    Range(ExprId, ExprId),
    /// `a ± b`.
    PlusMinus(ExprId, ExprId),
    /// `x [unit]`.
    WithUnit(ExprId, UnitExpr),
    /// `x -> [unit]`.
    Convert(ExprId, UnitExpr),
    /// `if c then a else b`.
    If {
        /// The condition.
        condition: ExprId,
        /// Value where it holds.
        then: ExprId,
        /// Value elsewhere.
        otherwise: ExprId,
    },
    /// `f(a, n: b) { c: d }` or `f { c: d }`: arguments in brackets first, then those of the block.
    Call {
        /// What is called.
        callee: ExprId,
        /// All arguments.
        args: Vec<Arg>,
        /// How many of them stood in the block, if there was one (formatter only).
        block: Option<u32>,
    },
    /// `xs[i]`.
    Index(ExprId, ExprId),
    /// `a.b`.
    Member(ExprId, Ident),
    /// `[a, b]`.
    List(Vec<ExprId>),
    /// `[body for n in xs for m in ys if c]`.
    Comprehension {
        /// The element.
        body: ExprId,
        /// The loops, outermost first.
        clauses: Vec<ForClause>,
        /// The filter.
        condition: Option<ExprId>,
    },
    /// `{a: 1, b: 2}`.
    Record(Vec<Arg>),
    /// `x |> f(a)`; the right side is a name or a call.
    Pipe(ExprId, ExprId),
    /// What could not be read; its fault has been reported.
    Error,
}

impl ExprKind {
    /// Calls `visit` with every expression directly inside, in the order of the text.
    pub fn each_child(&self, mut visit: impl FnMut(ExprId)) {
        match self {
            ExprKind::Integer(_)
            | ExprKind::Float(_)
            | ExprKind::Name(_)
            | ExprKind::Bool(_)
            | ExprKind::Operator(_)
            | ExprKind::Error => {}
            ExprKind::Str { parts, .. } => {
                for part in parts {
                    if let StrPart::Interpolation { expr, .. } = part {
                        visit(*expr);
                    }
                }
            }
            ExprKind::Neg(x)
            | ExprKind::Pos(x)
            | ExprKind::Root(x)
            | ExprKind::Not(x)
            | ExprKind::WithUnit(x, _)
            | ExprKind::Convert(x, _)
            | ExprKind::Member(x, _) => visit(*x),
            ExprKind::Juxtaposed(x, y)
            | ExprKind::Power(x, y)
            | ExprKind::Range(x, y)
            | ExprKind::PlusMinus(x, y)
            | ExprKind::Index(x, y)
            | ExprKind::Pipe(x, y) => {
                visit(*x);
                visit(*y);
            }
            ExprKind::Sum(terms) => terms.iter().for_each(|t| visit(t.1)),
            ExprKind::Product(factors) => factors.iter().for_each(|f| visit(f.1)),
            ExprKind::Compare(first, rest) => {
                visit(*first);
                rest.iter().for_each(|r| visit(r.1));
            }
            ExprKind::And(xs) | ExprKind::Or(xs) | ExprKind::List(xs) => xs.iter().for_each(|x| visit(*x)),
            ExprKind::If { condition, then, otherwise } => {
                visit(*condition);
                visit(*then);
                visit(*otherwise);
            }
            ExprKind::Call { callee, args, .. } => {
                visit(*callee);
                args.iter().for_each(|a| visit(a.value));
            }
            ExprKind::Comprehension { body, clauses, condition } => {
                visit(*body);
                clauses.iter().for_each(|c| visit(c.source));
                if let Some(c) = condition {
                    visit(*c);
                }
            }
            ExprKind::Record(entries) => entries.iter().for_each(|e| visit(e.value)),
        }
    }

    /// As [`ExprKind::each_child`], for changes.
    pub fn each_child_mut(&mut self, mut visit: impl FnMut(&mut ExprId)) {
        match self {
            ExprKind::Integer(_)
            | ExprKind::Float(_)
            | ExprKind::Name(_)
            | ExprKind::Bool(_)
            | ExprKind::Operator(_)
            | ExprKind::Error => {}
            ExprKind::Str { parts, .. } => {
                for part in parts {
                    if let StrPart::Interpolation { expr, .. } = part {
                        visit(expr);
                    }
                }
            }
            ExprKind::Neg(x)
            | ExprKind::Pos(x)
            | ExprKind::Root(x)
            | ExprKind::Not(x)
            | ExprKind::WithUnit(x, _)
            | ExprKind::Convert(x, _)
            | ExprKind::Member(x, _) => visit(x),
            ExprKind::Juxtaposed(x, y)
            | ExprKind::Power(x, y)
            | ExprKind::Range(x, y)
            | ExprKind::PlusMinus(x, y)
            | ExprKind::Index(x, y)
            | ExprKind::Pipe(x, y) => {
                visit(x);
                visit(y);
            }
            ExprKind::Sum(terms) => terms.iter_mut().for_each(|t| visit(&mut t.1)),
            ExprKind::Product(factors) => factors.iter_mut().for_each(|f| visit(&mut f.1)),
            ExprKind::Compare(first, rest) => {
                visit(first);
                rest.iter_mut().for_each(|r| visit(&mut r.1));
            }
            ExprKind::And(xs) | ExprKind::Or(xs) | ExprKind::List(xs) => xs.iter_mut().for_each(visit),
            ExprKind::If { condition, then, otherwise } => {
                visit(condition);
                visit(then);
                visit(otherwise);
            }
            ExprKind::Call { callee, args, .. } => {
                visit(callee);
                args.iter_mut().for_each(|a| visit(&mut a.value));
            }
            ExprKind::Comprehension { body, clauses, condition } => {
                visit(body);
                clauses.iter_mut().for_each(|c| visit(&mut c.source));
                if let Some(c) = condition {
                    visit(c);
                }
            }
            ExprKind::Record(entries) => entries.iter_mut().for_each(|e| visit(&mut e.value)),
        }
    }
}

impl CompareOp {
    /// As typed.
    pub fn sign(self) -> &'static str {
        match self {
            CompareOp::Eq => "==",
            CompareOp::Ne => "!=",
            CompareOp::Lt => "<",
            CompareOp::Le => "<=",
            CompareOp::Gt => ">",
            CompareOp::Ge => ">=",
            CompareOp::In => "in",
        }
    }
}

/// Types, as written in `extern` declarations and parameters.
#[derive(Clone, Debug, PartialEq)]
pub enum TypeExpr {
    /// `real`, `integer`, `boolean`, `string`, `name`, `expression`, `equation`, `function`, `dataset`, `any`, `front`, ...
    Named(Ident),
    /// `quantity[m/s]`, `quantity[u^(1/2)]`: unit variables are single names that are no unit known to the catalogue.
    Quantity(UnitExpr),
    /// `list[T]`.
    List(Box<TypeExpr>),
    /// `record{a: T, b: T}`.
    Record(Vec<(Ident, TypeExpr)>),
    /// `one_of(a, b)`.
    OneOf(Vec<Ident>),
    /// `T?`.
    Optional(Box<TypeExpr>),
}

/// A parameter of a definition or an `extern`.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    /// Its name.
    pub name: Ident,
    /// Its type, where written.
    pub ty: Option<TypeExpr>,
    /// `T...`: takes all further positional arguments.
    pub variadic: bool,
    /// Its default.
    pub default: Option<ExprId>,
}

/// What a `var` line says of its symbols between name and domain.
#[derive(Clone, Debug, PartialEq)]
pub struct Assumption {
    /// `real`, `complex`, `integer`, or a comparison with 0 written `> 0`, `>= 0`, `< 0`, `<= 0`, `!= 0`.
    pub kind: AssumptionKind,
    /// Its place.
    pub span: Span,
}

/// Kinds of assumptions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AssumptionKind {
    /// `real`
    Real,
    /// `complex`
    Complex,
    /// `integer`
    Integer,
    /// A comparison with zero.
    Sign(CompareOp),
}

/// A local binding of `where`: `a = expr` or `g(y) = expr`.
#[derive(Clone, Debug, PartialEq)]
pub struct WhereItem {
    /// The name.
    pub name: Ident,
    /// Parameters; `None` for a plain binding.
    pub params: Option<Vec<Param>>,
    /// The value.
    pub value: ExprId,
}

/// A statement with its documentation and place.
#[derive(Clone, Debug)]
pub struct Statement {
    /// The `##` lines above it, without the marks, joined by newlines.
    pub doc: Option<String>,
    /// What it is.
    pub kind: StatementKind,
    /// From its first to its last token.
    pub span: Span,
    /// Whether it ended with `;` (the prompt hides such a result).
    pub quiet: bool,
}

/// Statements.
#[derive(Clone, Debug)]
pub enum StatementKind {
    /// `a, b = expr where ...`
    Bind {
        /// The names.
        names: Vec<Ident>,
        /// The value.
        value: ExprId,
        /// Local names.
        wheres: Vec<WhereItem>,
    },
    /// `f(x, n: integer = 3) -> type = expr where ...`
    Define {
        /// The function's name.
        name: Ident,
        /// Its parameters.
        params: Vec<Param>,
        /// What it returns, where that is said.
        result: Option<TypeExpr>,
        /// Its body.
        body: ExprId,
        /// Local names.
        wheres: Vec<WhereItem>,
    },
    /// `var q1, q2 [C] real > 0 in 1..5`
    Var {
        /// The symbols.
        names: Vec<Ident>,
        /// Their unit.
        unit: Option<UnitExpr>,
        /// What is assumed.
        assumptions: Vec<Assumption>,
        /// A range or a list.
        domain: Option<ExprId>,
    },
    /// `param a [m] = 1 in 0..10`
    Param {
        /// The symbol.
        name: Ident,
        /// Its unit.
        unit: Option<UnitExpr>,
        /// Its starting value.
        start: ExprId,
        /// Its bounds.
        domain: Option<ExprId>,
    },
    /// `const G = ...`
    Const {
        /// The name.
        name: Ident,
        /// The value.
        value: ExprId,
    },
    /// `unit furlong = 201.168 [m]`; base units have no value: `unit metre`. Options follow in a block of the value's
    /// call form, see stdlib/units.
    Unit {
        /// Name, then further spellings: `unit metre, m = ...`.
        names: Vec<Ident>,
        /// The definition; `None` for a base unit.
        value: Option<ExprId>,
    },
    /// `check expr where ...`
    Check {
        /// What must hold.
        value: ExprId,
        /// Local names.
        wheres: Vec<WhereItem>,
    },
    /// `for a, b in expr { ... }`
    For {
        /// Names and source.
        clause: ForClause,
        /// The body.
        body: Vec<Statement>,
    },
    /// `if c { ... } else { ... }`
    If {
        /// Conditions with their bodies, in order.
        branches: Vec<(ExprId, Vec<Statement>)>,
        /// The last `else`.
        otherwise: Option<Vec<Statement>>,
    },
    /// `rule a => b when c`
    Rule {
        /// Pattern.
        from: ExprId,
        /// Replacement.
        to: ExprId,
        /// Conditions.
        condition: Option<ExprId>,
    },
    /// `extern f(name: type = default) -> type`
    Extern {
        /// The function.
        name: Ident,
        /// Its parameters.
        params: Vec<Param>,
        /// What it returns.
        result: TypeExpr,
    },
    /// `use module`, `use a.b as b`, `use a.b: x, y`, `use "file.phys"`
    Use {
        /// `a.b`, or the path of a file.
        module: UsePath,
        /// `as b`.
        alias: Option<Ident>,
        /// `: x, y`; `None` brings in the module as a value.
        names: Option<Vec<Ident>>,
    },
    /// A bare expression, with `where`.
    Expr {
        /// The expression.
        value: ExprId,
        /// Local names.
        wheres: Vec<WhereItem>,
    },
    /// What could not be read; its fault has been reported.
    Error,
}

/// What `use` names.
#[derive(Clone, Debug, PartialEq)]
pub enum UsePath {
    /// `physics.constants`
    Module(Vec<Ident>),
    /// `"file.phys"`
    File(String, Span),
}
