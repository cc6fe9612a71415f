//! What the checker knows of a value before it exists: its kind, and of numbers their dimension. `Unknown` fits
//! everything and is never a fault by itself.

use std::sync::Arc;

use crate::expression::Declarations;
use crate::language::dimension;
use crate::language::value::{Function, Value};
use crate::syntax::tree::{ExprId, Name, Param, Tree, WhereItem};
use crate::units::{Dimension, Unit};

/// A kind.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Anything.
    Unknown,
    /// A number, quantity or expression; `None`: of unknown dimension.
    Number(Option<Dimension>),
    /// An exact integer or ratio written out, for exponents and indices.
    Exact(crate::base::Number),
    /// Zero, which fits any unit.
    Zero,
    /// An equation, inequality or truth value.
    Condition,
    /// A text.
    Text,
    /// A list; its elements where they are of one kind.
    List(Box<Kind>),
    /// A record.
    Record(Vec<(Name, Kind)>),
    /// A range.
    Range(Option<Dimension>),
    /// A function.
    Function(Callable),
    /// A law with its symbols and their dimensions.
    Law(Vec<(Name, Option<Dimension>)>, Option<Dimension>),
    /// A field and how many variables it has.
    Field(usize),
    /// A dataset with its columns, where they are known; a label has no dimension.
    Dataset(Option<Vec<(Name, Column)>>),
    /// A column.
    Column(Column),
    /// What `fit` returns.
    Fit,
    /// What `regress` returns.
    Front,
    /// A module.
    Module(String, Vec<(Name, Kind)>),
    /// Nothing.
    Nothing,
}

/// What is known of a column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Column {
    /// Numbers; `None`: of unknown dimension.
    Numbers(Option<Dimension>),
    /// Texts.
    Labels,
}

/// Something that can be called.
#[derive(Clone, Debug)]
pub enum Callable {
    /// Declared in the library.
    Builtin(Name),
    /// Defined in phys.
    User(Arc<UserKind>),
    /// An operator.
    Operator,
}

/// A function of phys.
#[derive(Debug)]
pub struct UserKind {
    /// Its name.
    pub name: Name,
    /// Its parameters.
    pub params: Vec<Param>,
    /// Its body.
    pub body: ExprId,
    /// Local names.
    pub wheres: Vec<WhereItem>,
    /// The tree of the body.
    pub tree: Arc<Tree>,
}

impl Kind {
    /// A pure number.
    pub fn pure() -> Kind {
        Kind::Number(Some(Dimension::NONE))
    }

    /// Its dimension: `None` where it is no number or unknown or fits any.
    pub fn dimension(&self) -> Option<Dimension> {
        match self {
            Kind::Number(d) | Kind::Range(d) | Kind::Law(_, d) | Kind::Column(Column::Numbers(d)) => *d,
            Kind::Exact(_) => Some(Dimension::NONE),
            Kind::List(inner) => inner.dimension(),
            _ => None,
        }
    }

    /// Whether it may stand in arithmetic.
    pub fn is_numeric(&self) -> bool {
        matches!(
            self,
            Kind::Unknown
                | Kind::Number(_)
                | Kind::Exact(_)
                | Kind::Zero
                | Kind::List(_)
                | Kind::Column(_)
                | Kind::Law(..)
                | Kind::Field(_)
                | Kind::Condition
        )
    }

    /// In words.
    pub fn name(&self) -> &'static str {
        match self {
            Kind::Unknown => "value",
            Kind::Number(_) | Kind::Zero => "number",
            Kind::Exact(n) if n.is_integer() => "integer",
            Kind::Exact(_) => "number",
            Kind::Condition => "condition",
            Kind::Text => "string",
            Kind::List(_) => "list",
            Kind::Record(_) => "record",
            Kind::Range(_) => "range",
            Kind::Function(_) => "function",
            Kind::Law(..) => "law",
            Kind::Field(_) => "field",
            Kind::Dataset(_) => "dataset",
            Kind::Column(_) => "column",
            Kind::Fit => "fit",
            Kind::Front => "front",
            Kind::Module(..) => "module",
            Kind::Nothing => "nothing",
        }
    }

    /// The kind of a value that a session has bound.
    pub fn of(value: &Value, declarations: &Declarations) -> Kind {
        let dims = |e: &crate::expression::Expr, d: &Declarations| dimension::of(e, d).ok().flatten();
        match value.plain() {
            Value::Expr(e) if e.flags().has(crate::expression::Flags::LOGIC) => match e.kind() {
                crate::expression::Kind::Piecewise(..) => Kind::Number(dims(e, declarations)),
                _ => Kind::Condition,
            },
            Value::Expr(e) if e.is_zero() => Kind::Zero,
            Value::Expr(e) => match e.as_number() {
                Some(n) => Kind::Exact(n.clone()),
                None => Kind::Number(dims(e, declarations)),
            },
            Value::Text(_) => Kind::Text,
            Value::List(items) => {
                let mut kinds = items.iter().take(100).map(|v| Kind::of(v, declarations));
                let first = kinds.next().unwrap_or(Kind::Unknown);
                let d = first.dimension();
                let uniform =
                    matches!(first, Kind::Number(_) | Kind::Exact(_)) && kinds.all(|k| k.dimension() == d);
                Kind::List(Box::new(if uniform { Kind::Number(d) } else { Kind::Unknown }))
            }
            Value::Record(r) => {
                Kind::Record(r.entries.iter().map(|(n, v)| (n.clone(), Kind::of(v, declarations))).collect())
            }
            Value::Range(low, _) => Kind::Range(dims(low, declarations)),
            Value::Function(Function::Builtin(n)) => Kind::Function(Callable::Builtin(n.clone())),
            Value::Function(Function::User(f)) => Kind::Function(Callable::User(Arc::new(UserKind {
                name: f.name.clone(),
                params: f.params.clone(),
                body: f.body,
                wheres: f.wheres.clone(),
                tree: f.tree.clone(),
            }))),
            Value::Function(Function::Operator(_)) => Kind::Function(Callable::Operator),
            Value::Law(l) => Kind::Law(
                l.order
                    .iter()
                    .map(|s| {
                        let d = l.declarations.get(s).and_then(|d| d.unit.as_ref()).map(Unit::dimension);
                        (Name::from(s.name()), d)
                    })
                    .collect(),
                l.unit.as_ref().map(Unit::dimension),
            ),
            Value::Field(f) => Kind::Field(f.variables.len()),
            Value::Dataset(d) => {
                Kind::Dataset(Some(d.columns().iter().map(|c| (Name::from(&*c.name), column(c))).collect()))
            }
            Value::Column(c) => Kind::Column(column(c)),
            Value::Fit(_) => Kind::Fit,
            Value::Front(_) => Kind::Front,
            Value::Module(m) => Kind::Module(
                m.name.clone(),
                m.record.entries.iter().map(|(n, v)| (n.clone(), Kind::of(v, &m.declarations))).collect(),
            ),
            Value::Nothing => Kind::Nothing,
            Value::Answer(_) => Kind::Unknown,
        }
    }
}

fn column(c: &crate::data::Column) -> Column {
    match c.values {
        crate::data::Values::Label(_) => Column::Labels,
        _ => Column::Numbers(Some(c.unit.as_ref().map_or(Dimension::NONE, Unit::dimension))),
    }
}
