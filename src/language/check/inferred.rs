//! What the checker knows of a value before it exists: its kind, the dimension and the symbols of numbers and
//! expressions, the names of columns and entries. `Unknown` fits everything and is never a fault by itself.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::unify::{Dim, Unifier};
use crate::base::Number;
use crate::expression::{Declarations, Expr, Flags, Kind, Relation};
use crate::language::dimension;
use crate::language::value::{Function, Law, Value};
use crate::syntax::tree::{ExprId, Name, Param, Tree, TypeExpr, WhereItem};

/// Symbols that an expression may hold, with their dimensions.
pub type Symbols = BTreeMap<Name, Dim>;

/// A number, quantity or expression.
#[derive(Clone, Debug)]
pub struct Quantity {
    /// Its dimension; zero has an unknown one, so that it fits any unit.
    pub dim: Dim,
    /// Its value where it is a number that was written out.
    pub exact: Option<Number>,
    /// Whether it is certainly a float.
    pub float: bool,
    /// Whether it may be something else than a number (a parameter without a type): then only units can be wrong.
    pub soft: bool,
    /// Every symbol that may occur in it; `None` where they are not known.
    pub symbols: Option<Symbols>,
    /// The symbol that it is, where it is nothing but one: it may be the name of a function.
    pub bare: Option<Name>,
}

impl Quantity {
    /// Of this dimension, without symbols.
    pub fn of(dim: Dim) -> Quantity {
        Quantity { dim, exact: None, float: false, soft: false, symbols: Some(Symbols::new()), bare: None }
    }

    /// A pure number.
    pub fn pure() -> Quantity {
        Quantity::of(Dim::none())
    }

    /// Of this dimension, with unknown symbols.
    pub fn open(dim: Dim) -> Quantity {
        Quantity { symbols: None, ..Quantity::of(dim) }
    }

    /// Of this dimension, with unknown symbols, and perhaps no number at all.
    pub fn soft(dim: Dim) -> Quantity {
        Quantity { soft: true, ..Quantity::open(dim) }
    }

    /// A symbol.
    pub fn symbol(name: &Name, dim: Dim) -> Quantity {
        Quantity {
            symbols: Some(Symbols::from([(name.clone(), dim.clone())])),
            bare: Some(name.clone()),
            ..Quantity::of(dim)
        }
    }

    /// Whether it certainly holds no symbols.
    pub fn is_number(&self) -> bool {
        !self.soft && self.symbols.as_ref().is_some_and(Symbols::is_empty)
    }

    /// Whether it is a zero that was written out.
    pub fn is_zero(&self) -> bool {
        self.exact.as_ref().is_some_and(Number::is_zero)
    }

    /// The symbols of both.
    pub fn all_symbols(&self, other: &Quantity) -> Option<Symbols> {
        let mut all = self.symbols.clone()?;
        all.extend(other.symbols.as_ref()?.iter().map(|(n, d)| (n.clone(), d.clone())));
        Some(all)
    }
}

/// Elements of a list.
#[derive(Clone, Debug)]
pub enum Items {
    /// Each of them.
    Known(Arc<Vec<Inferred>>),
    /// All of this kind, however many.
    Each(Box<Inferred>),
}

/// Cells of a column.
#[derive(Clone, Debug)]
pub enum Cells {
    /// Numbers.
    Numbers(Dim),
    /// Texts.
    Labels,
    /// Pure numbers, texts or arrays: a header without unit.
    Either,
    /// Arrays.
    Arrays,
}

/// The columns of a dataset.
#[derive(Clone, Debug)]
pub struct Columns {
    /// Names and cells.
    pub columns: Vec<(Name, Cells)>,
    /// Whether there may be others.
    pub open: bool,
}

/// An equation, inequality or truth value.
#[derive(Clone, Debug)]
pub struct Condition {
    /// Every symbol that may occur in it; `None` where they are not known.
    pub symbols: Option<Symbols>,
    /// The dimension of both sides, where it has sides.
    pub sides: Option<Dim>,
}

impl Condition {
    /// Of unknown contents.
    pub const UNKNOWN: Condition = Condition { symbols: None, sides: None };
}

/// What `fit` returns.
#[derive(Clone, Debug)]
pub struct FitKind {
    /// The parameters with their dimensions.
    pub parameters: Vec<(Name, Dim)>,
    /// Right side of the equation.
    pub law: Quantity,
    /// Whether there may be other parameters.
    pub open: bool,
}

/// A system of differential equations.
#[derive(Clone, Debug)]
pub struct SystemKind {
    /// The independent variable.
    pub over: Name,
    /// Its dimension.
    pub over_dim: Dim,
    /// The states with their dimensions.
    pub states: Vec<(Name, Dim)>,
}

/// A function of phys.
#[derive(Debug)]
pub struct UserKind {
    /// Its name.
    pub name: Name,
    /// Its parameters.
    pub params: Vec<Param>,
    /// What it returns, where that is said.
    pub result: Option<TypeExpr>,
    /// Its body.
    pub body: ExprId,
    /// Local names.
    pub wheres: Vec<WhereItem>,
    /// The tree of the body.
    pub tree: Arc<Tree>,
    /// What its free names were bound to.
    pub captured: HashMap<Name, Inferred>,
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

/// What is known of a value.
#[derive(Clone, Debug)]
pub enum Inferred {
    /// Anything.
    Unknown,
    /// A number, quantity or expression.
    Quantity(Quantity),
    /// An equation, inequality or truth value.
    Condition(Condition),
    /// A text, where known with its letters.
    Text(Option<Arc<str>>),
    /// A list.
    List(Items),
    /// A record, where known with its entries.
    Record(Option<Arc<Vec<(Name, Inferred)>>>),
    /// A range; the quantity is one of its ends.
    Range(Quantity),
    /// A function.
    Function(Callable),
    /// A law: its formula, its name.
    Law(Quantity, Option<Name>),
    /// A field: its variables, its value.
    Field(Arc<Vec<Name>>, Quantity),
    /// A dataset, where known with its columns.
    Dataset(Option<Arc<Columns>>),
    /// A column.
    Column(Cells),
    /// What `fit` returns.
    Fit(Option<Arc<FitKind>>),
    /// What `regress` returns; the quantity is its best law.
    Front(Quantity),
    /// A figure.
    Figure,
    /// A system of differential equations, where known with its states.
    System(Option<Arc<SystemKind>>),
    /// A module.
    Module(Arc<str>, Arc<Vec<(Name, Inferred)>>),
    /// Nothing.
    Nothing,
}

impl Inferred {
    /// A list of elements of one kind.
    pub fn each(element: Inferred) -> Inferred {
        Inferred::List(Items::Each(Box::new(element)))
    }

    /// A list of these elements.
    pub fn list(items: Vec<Inferred>) -> Inferred {
        Inferred::List(Items::Known(Arc::new(items)))
    }

    /// As a number or expression, where it is one.
    pub fn quantity(&self) -> Option<&Quantity> {
        match self {
            Inferred::Quantity(q) | Inferred::Law(q, _) | Inferred::Field(_, q) => Some(q),
            _ => None,
        }
    }

    /// Whether nothing can be said against it whatever it is used for.
    pub fn is_open(&self) -> bool {
        matches!(self, Inferred::Unknown | Inferred::Nothing)
            || matches!(self, Inferred::Quantity(q) if q.soft)
    }

    /// In words.
    pub fn name(&self) -> &'static str {
        match self {
            Inferred::Unknown => "value",
            Inferred::Quantity(q) if q.symbols.as_ref().is_none_or(|s| !s.is_empty()) => "expression",
            Inferred::Quantity(q) if q.exact.as_ref().is_some_and(Number::is_integer) && !q.float => {
                "integer"
            }
            Inferred::Quantity(_) => "number",
            Inferred::Condition(_) => "condition",
            Inferred::Text(_) => "string",
            Inferred::List(_) => "list",
            Inferred::Record(_) => "record",
            Inferred::Range(_) => "range",
            Inferred::Function(_) => "function",
            Inferred::Law(..) => "law",
            Inferred::Field(..) => "field",
            Inferred::Dataset(_) => "dataset",
            Inferred::Column(_) => "column",
            Inferred::Fit(_) => "fit",
            Inferred::Front(_) => "front",
            Inferred::Figure => "figure",
            Inferred::System(_) => "system",
            Inferred::Module(..) => "module",
            Inferred::Nothing => "nothing",
        }
    }

    /// With every dimension replaced.
    pub fn map(&self, f: &mut dyn FnMut(&Dim) -> Dim) -> Inferred {
        match self {
            Inferred::Quantity(q) => Inferred::Quantity(q.map(f)),
            Inferred::Range(q) => Inferred::Range(q.map(f)),
            Inferred::Law(q, name) => Inferred::Law(q.map(f), name.clone()),
            Inferred::Field(names, q) => Inferred::Field(names.clone(), q.map(f)),
            Inferred::Front(q) => Inferred::Front(q.map(f)),
            Inferred::Condition(c) => Inferred::Condition(Condition {
                symbols: c.symbols.as_ref().map(|s| map_symbols(s, f)),
                sides: c.sides.as_ref().map(&mut *f),
            }),
            Inferred::List(Items::Known(items)) => Inferred::list(items.iter().map(|i| i.map(f)).collect()),
            Inferred::List(Items::Each(element)) => Inferred::each(element.map(f)),
            Inferred::Record(Some(entries)) => Inferred::Record(Some(Arc::new(map_entries(entries, f)))),
            Inferred::Module(name, entries) => {
                Inferred::Module(name.clone(), Arc::new(map_entries(entries, f)))
            }
            Inferred::Dataset(Some(d)) => Inferred::Dataset(Some(Arc::new(Columns {
                columns: d.columns.iter().map(|(n, c)| (n.clone(), c.map(f))).collect(),
                open: d.open,
            }))),
            Inferred::Column(c) => Inferred::Column(c.map(f)),
            Inferred::System(Some(s)) => Inferred::System(Some(Arc::new(SystemKind {
                over: s.over.clone(),
                over_dim: f(&s.over_dim),
                states: s.states.iter().map(|(n, d)| (n.clone(), f(d))).collect(),
            }))),
            Inferred::Fit(Some(fit)) => Inferred::Fit(Some(Arc::new(FitKind {
                parameters: fit.parameters.iter().map(|(n, d)| (n.clone(), f(d))).collect(),
                law: fit.law.map(f),
                open: fit.open,
            }))),
            _ => self.clone(),
        }
    }

    /// What a session has bound.
    pub fn of(value: &Value, declarations: &Declarations, units: &mut Unifier) -> Inferred {
        match value.plain() {
            Value::Expr(e) => of_expr(e, declarations, units),
            Value::Text(t) => Inferred::Text(Some(t.clone())),
            Value::List(items) if items.len() <= 64 => {
                Inferred::list(items.iter().map(|v| Inferred::of(v, declarations, units)).collect())
            }
            Value::List(_) => Inferred::each(Inferred::Unknown),
            Value::Record(r) => Inferred::Record(Some(Arc::new(entries(&r.entries, declarations, units)))),
            Value::Range(low, _) => match of_expr(low, declarations, units) {
                Inferred::Quantity(q) => Inferred::Range(Quantity { exact: None, ..q }),
                _ => Inferred::Unknown,
            },
            Value::Function(Function::Builtin(n)) => Inferred::Function(Callable::Builtin(n.clone())),
            Value::Function(Function::User(f)) => Inferred::Function(Callable::User(Arc::new(UserKind {
                name: f.name.clone(),
                params: f.params.clone(),
                result: f.result.clone(),
                body: f.body,
                wheres: f.wheres.clone(),
                tree: f.tree.clone(),
                captured: entries(&f.captured, declarations, units).into_iter().collect(),
            }))),
            Value::Function(Function::Operator(_)) => Inferred::Function(Callable::Operator),
            Value::Law(l) => of_law(l, declarations, units),
            Value::Field(f) => {
                let names = f.variables.iter().map(|s| Name::from(s.name())).collect();
                Inferred::Field(Arc::new(names), Quantity::open(units.fresh()))
            }
            Value::Dataset(d) => Inferred::Dataset(Some(Arc::new(Columns {
                columns: d.columns().iter().map(|c| (Name::from(&*c.name), cells(c))).collect(),
                open: false,
            }))),
            Value::Column(c) => Inferred::Column(cells(c)),
            Value::Fit(_) => Inferred::Fit(None),
            Value::Front(f) => {
                let dim = match &f.target_unit {
                    Some(u) => Dim::of_unit(u),
                    None => units.fresh(),
                };
                Inferred::Front(Quantity::open(dim))
            }
            Value::Figure(_) => Inferred::Figure,
            Value::Module(m) => Inferred::Module(
                m.name.as_str().into(),
                Arc::new(entries(&m.record.entries, &m.declarations, units)),
            ),
            Value::System(s) if s.found.is_some() => Inferred::System(None),
            Value::System(s) => Inferred::System(Some(Arc::new(SystemKind {
                over: s.over.name().into(),
                over_dim: Dim::of_unit(&s.over_unit),
                states: s.states.iter().map(|s| (s.symbol.name().into(), Dim::of_unit(&s.unit))).collect(),
            }))),
            Value::Nothing => Inferred::Nothing,
            Value::Answer(_) => Inferred::Unknown,
            #[cfg(feature = "networks")]
            Value::Network(_) | Value::Part(_) | Value::Model(_) => Inferred::Unknown,
        }
    }
}

impl Quantity {
    /// With every dimension replaced.
    pub fn map(&self, f: &mut dyn FnMut(&Dim) -> Dim) -> Quantity {
        Quantity {
            dim: f(&self.dim),
            symbols: self.symbols.as_ref().map(|s| map_symbols(s, f)),
            ..self.clone()
        }
    }
}

impl Cells {
    fn map(&self, f: &mut dyn FnMut(&Dim) -> Dim) -> Cells {
        match self {
            Cells::Numbers(d) => Cells::Numbers(f(d)),
            other => other.clone(),
        }
    }

    /// One cell.
    pub fn element(&self) -> Inferred {
        match self {
            Cells::Numbers(d) => Inferred::Quantity(Quantity::of(d.clone())),
            Cells::Labels => Inferred::Text(None),
            Cells::Either => Inferred::Quantity(Quantity { soft: true, ..Quantity::pure() }),
            Cells::Arrays => Inferred::Unknown,
        }
    }

    /// The column's name in an expression over the data.
    pub fn symbol(&self, name: &Name) -> Inferred {
        match self {
            Cells::Numbers(d) => Inferred::Quantity(Quantity::symbol(name, d.clone())),
            Cells::Labels | Cells::Arrays => Inferred::Unknown,
            Cells::Either => {
                Inferred::Quantity(Quantity { soft: true, ..Quantity::symbol(name, Dim::none()) })
            }
        }
    }
}

fn map_symbols(symbols: &Symbols, f: &mut dyn FnMut(&Dim) -> Dim) -> Symbols {
    symbols.iter().map(|(n, d)| (n.clone(), f(d))).collect()
}

fn map_entries(entries: &[(Name, Inferred)], f: &mut dyn FnMut(&Dim) -> Dim) -> Vec<(Name, Inferred)> {
    entries.iter().map(|(n, i)| (n.clone(), i.map(f))).collect()
}

fn entries(all: &[(Name, Value)], declarations: &Declarations, units: &mut Unifier) -> Vec<(Name, Inferred)> {
    all.iter().map(|(n, v)| (n.clone(), Inferred::of(v, declarations, units))).collect()
}

fn symbols_of(e: &Expr, declarations: &Declarations, units: &mut Unifier) -> Symbols {
    let declared = |s| declarations.get(s).and_then(|d| d.unit.as_ref()).map(Dim::of_unit);
    e.symbols().iter().map(|s| (Name::from(s.name()), declared(s).unwrap_or_else(|| units.fresh()))).collect()
}

fn of_expr(e: &Expr, declarations: &Declarations, units: &mut Unifier) -> Inferred {
    let truth =
        matches!(e.kind(), Kind::Bool(_) | Kind::Relation(..) | Kind::And(_) | Kind::Or(_) | Kind::Not(_));
    let dim = |e: &Expr, units: &mut Unifier| match dimension::of(e, declarations) {
        Ok(Some(d)) => Dim::of(d),
        _ => units.fresh(),
    };
    if truth {
        let sides = match e.kind() {
            Kind::Relation(Relation::Eq, a, b) => match dimension::of(a, declarations) {
                Ok(Some(d)) => Some(Dim::of(d)),
                _ => Some(dim(b, units)),
            },
            _ => None,
        };
        return Inferred::Condition(Condition { symbols: Some(symbols_of(e, declarations, units)), sides });
    }
    Inferred::Quantity(Quantity {
        dim: dim(e, units),
        exact: e.as_number().cloned(),
        float: matches!(e.kind(), Kind::Float(_)),
        // A field applied in it hides what it may be a function of.
        soft: e.flags().has(Flags::LOGIC) && !matches!(e.kind(), Kind::Piecewise(..)),
        symbols: Some(symbols_of(e, declarations, units)),
        bare: match e.kind() {
            Kind::Symbol(s) => Some(Name::from(s.name())),
            _ => None,
        },
    })
}

fn of_law(l: &Law, declarations: &Declarations, units: &mut Unifier) -> Inferred {
    let declared = l.declarations.or(declarations);
    match of_expr(&l.formula, &declared, units) {
        Inferred::Quantity(q) => {
            let dim = l.unit.as_ref().map_or(q.dim, Dim::of_unit);
            Inferred::Law(Quantity { dim, bare: None, ..q }, l.name.clone())
        }
        _ => Inferred::Unknown,
    }
}

fn cells(c: &crate::data::Column) -> Cells {
    match c.values {
        crate::data::Values::Label(_) => Cells::Labels,
        crate::data::Values::Array(_) => Cells::Arrays,
        _ => Cells::Numbers(c.unit.as_ref().map_or_else(Dim::none, Dim::of_unit)),
    }
}
