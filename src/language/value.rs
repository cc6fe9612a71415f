//! Values. Everything that is a number, a quantity or an expression is one [`Expr`]; the other kinds are
//! containers and things that were computed.

use std::sync::Arc;

use super::system::System;
use crate::base::StopReason;
use crate::data::{Column, Dataset, FitResult};
use crate::expression::{Declarations, Expr, Symbol};
use crate::plot::Figure;
use crate::regression::{Candidate, Found, OwnConstant};
use crate::syntax::tree::{ExprId, Name, Operator, Param, Tree, TypeExpr, WhereItem};
use crate::units::Unit;

/// A value of the language.
#[derive(Clone, Debug)]
pub enum Value {
    /// Number, quantity, uncertain number, expression, equation, condition.
    Expr(Expr),
    /// A text.
    Text(Arc<str>),
    /// A list; a list of equally long lists is a matrix.
    List(Arc<Vec<Value>>),
    /// A record.
    Record(Arc<Record>),
    /// `low..high`.
    Range(Expr, Expr),
    /// Something that can be called.
    Function(Function),
    /// A named law.
    Law(Arc<Law>),
    /// An undefined function of its variables.
    Field(Arc<Field>),
    /// A dataset.
    Dataset(Arc<Dataset>),
    /// A column of a dataset.
    Column(Arc<Column>),
    /// What `fit` found.
    Fit(Arc<Fit>),
    /// What `regress` found.
    Front(Arc<FrontValue>),
    /// A figure.
    Figure(Arc<Figure>),
    /// A system of differential equations.
    System(Arc<System>),
    /// A layer, or a network of layers, without weights.
    #[cfg(feature = "networks")]
    Network(Arc<crate::networks::Layer>),
    /// Something that a training is asked for: an optimizer, a schedule, a loss, an augmentation.
    #[cfg(feature = "networks")]
    Part(Arc<super::builtins::networks::Part>),
    /// A trained network.
    #[cfg(feature = "networks")]
    Model(Arc<super::builtins::training::ModelValue>),
    /// The names of a module.
    Module(Arc<ModuleValue>),
    /// An answer that holds under conditions, with why the search for it stopped.
    Answer(Arc<Answer>),
    /// Nothing (`print` returns it).
    Nothing,
}

/// Names with values, in order.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// The entries.
    pub entries: Vec<(Name, Value)>,
}

impl Record {
    /// The value of an entry.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.entries.iter().find(|(n, _)| &**n == name).map(|(_, v)| v)
    }
}

/// Something that can be called.
#[derive(Clone, Debug)]
pub enum Function {
    /// A function declared in the library.
    Builtin(Name),
    /// A function of phys.
    User(Arc<UserFunction>),
    /// A bare operator.
    Operator(Operator),
}

/// `f(x, n: integer = 3) = body where ...`, with the bindings its free names had.
#[derive(Debug)]
pub struct UserFunction {
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
    /// The tree these live in.
    pub tree: Arc<Tree>,
    /// What its free names were bound to when it was defined.
    pub captured: Vec<(Name, Value)>,
}

/// A law: a formula with its own declarations.
#[derive(Debug, Clone, PartialEq)]
pub struct Law {
    /// The name it was bound to first; `y` where none.
    pub name: Option<Name>,
    /// The formula.
    pub formula: Expr,
    /// Its variables.
    pub declarations: Declarations,
    /// The order in which the variables were listed.
    pub order: Vec<Symbol>,
    /// The unit of its value.
    pub unit: Option<Unit>,
    /// Where it is from.
    pub source: Option<Arc<str>>,
}

/// `field(x, t)`: an undefined function of these variables.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Its name, that of its binding.
    pub name: Symbol,
    /// Its variables.
    pub variables: Vec<Symbol>,
}

/// A fit with what it was a fit of.
#[derive(Debug)]
pub struct Fit {
    /// Numbers.
    pub result: FitResult,
    /// Left and right side, parameters as symbols.
    pub equation: (Expr, Expr),
    /// Units in which the parameters are shown.
    pub units: Vec<(Symbol, Unit)>,
    /// The columns with the units and ranges of the data.
    pub columns: Declarations,
}

impl Fit {
    /// The parameters as uncertain quantities, by name.
    pub fn parameter(&self, name: &str) -> Option<Expr> {
        let (symbol, value) = self.result.parameters.iter().find(|(s, _)| s.name() == name)?;
        Some(self.quantity(symbol, Expr::uncertain(value.clone())))
    }

    /// An SI number in the unit in which a parameter is shown.
    pub fn quantity(&self, symbol: &Symbol, si: Expr) -> Expr {
        match self.units.iter().find(|(s, _)| s == symbol) {
            Some((_, unit)) if !unit.is_one() => {
                Expr::product([si, Expr::scale_factor(&unit.scale().recip()), Expr::unit(unit.clone())])
            }
            _ => si,
        }
    }

    /// The right side with the parameters found.
    pub fn law(&self) -> Expr {
        let found: Vec<(Symbol, Expr)> = self
            .result
            .parameters
            .iter()
            .map(|(s, v)| (s.clone(), self.quantity(s, Expr::uncertain(v.clone()))))
            .collect();
        self.equation.1.substitute(&found)
    }
}

/// Which law of a front is its answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Select {
    /// The one with the shortest description.
    #[default]
    Best,
    /// The one with the least loss.
    Accuracy,
    /// The one at which the logarithm of the loss falls most for its size.
    Score,
}

impl Select {
    /// What a word of the option means.
    pub fn from_word(word: &str) -> Select {
        match word {
            "accuracy" => Select::Accuracy,
            "score" => Select::Score,
            _ => Select::Best,
        }
    }
}

/// How a law does on rows that it was not fitted to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// Share of the variance that it explains there.
    pub r2: f64,
    /// Root mean square of the residuals, in SI.
    pub rms: f64,
}

/// The constants that groups of rows have for themselves.
#[derive(Debug)]
pub struct Groups {
    /// The column that tells the group of a row.
    pub column: Name,
    /// The groups.
    pub names: Vec<String>,
    /// The constants of each law of the front.
    pub own: Vec<Vec<OwnConstant>>,
}

impl Groups {
    /// The constants of a law as columns, one value for each of the groups that rows are of.
    ///
    /// # Errors
    /// The row, and its group, that was none of the search.
    pub fn columns(&self, law: usize, rows: &[String]) -> Result<Vec<Column>, (usize, String)> {
        let place = |(row, word): (usize, &String)| {
            self.names.iter().position(|n| n == word).ok_or_else(|| (row, word.clone()))
        };
        let of: Vec<usize> = rows.iter().enumerate().map(place).collect::<Result<_, _>>()?;
        let own = self.own.get(law).map_or(&[][..], Vec::as_slice);
        let column = |c: &OwnConstant| {
            let unit = (!c.unit.is_one()).then(|| c.unit.clone());
            Column::floats(c.symbol.name(), unit, of.iter().map(|k| c.values[*k].value()).collect())
        };
        Ok(own.iter().map(column).collect())
    }

    /// A row for each group with the constants of a law.
    pub fn table(&self, law: usize) -> Option<Dataset> {
        let names = self.names.iter().map(|n| n.as_str().into()).collect();
        let mut columns = vec![Column::new(&self.column, None, crate::data::Values::Label(names))];
        for c in self.own.get(law)? {
            let unit = (!c.unit.is_one()).then(|| c.unit.clone());
            let values = c.values.iter().map(|u| u.value()).collect();
            let errors = c.values.iter().map(|u| u.sigma()).collect();
            columns.push(Column { errors: Some(errors), ..Column::floats(c.symbol.name(), unit, values) });
        }
        Dataset::new("groups", columns).ok()
    }
}

/// A front with what is needed to show and use it.
#[derive(Debug)]
pub struct FrontValue {
    /// Which law is its answer.
    pub select: Select,
    /// How each law does on the rows that were set apart, where some were.
    pub holdout: Option<Vec<Score>>,
    /// What each law puts into the form that was asked for: the laws of its holes and its constants, by name.
    pub parts: Vec<Vec<(Name, Expr)>>,
    /// The constants that differ between groups of rows, where these were asked for.
    pub groups: Option<Groups>,
    /// The laws in words, where they are of vectors.
    pub words: Vec<String>,
    /// What the search returned.
    pub found: Found,
    /// The name of the target.
    pub target: Name,
    /// The unit the target had in the data.
    pub target_unit: Option<Unit>,
    /// The variables with the units and ranges of the data, for checks on the found law.
    pub declarations: Declarations,
    /// Wall-clock seconds (shown apart, never part of a compared value).
    pub seconds: f64,
    /// The seed.
    pub seed: u64,
    /// Whether it was taken from a checkpoint.
    pub resumed: bool,
}

impl FrontValue {
    /// The law that is the answer.
    pub fn chosen(&self) -> Option<&Candidate> {
        match self.select {
            Select::Best => self.found.front.best(),
            Select::Accuracy => self.found.front.accurate(),
            Select::Score => self.found.front.steepest(),
        }
    }

    /// Its place in the front.
    pub fn chosen_index(&self) -> Option<usize> {
        let chosen = self.chosen()?;
        self.found.front.candidates().iter().position(|c| std::ptr::eq(c, chosen))
    }
}

/// The names of a module.
#[derive(Debug)]
pub struct ModuleValue {
    /// Its name.
    pub name: String,
    /// Its bindings.
    pub record: Record,
    /// Its declarations.
    pub declarations: Declarations,
}

/// A value under conditions.
#[derive(Debug)]
pub struct Answer {
    /// The value.
    pub value: Value,
    /// What must hold.
    pub conditions: Vec<Expr>,
    /// A remark in words (`true`, `holds for every x`).
    pub remark: Option<String>,
    /// What is shown in place of the value (`proved`; the comparison as it was written).
    pub shown: Option<String>,
    /// Why the search stopped, where it was bounded.
    pub stopped: Option<StopReason>,
}

impl Value {
    /// A list.
    pub fn list(items: Vec<Value>) -> Value {
        Value::List(Arc::new(items))
    }

    /// A text.
    pub fn text(text: impl AsRef<str>) -> Value {
        Value::Text(text.as_ref().into())
    }

    /// An integer.
    pub fn int(n: i64) -> Value {
        Value::Expr(Expr::int(n))
    }

    /// A truth value.
    pub fn boolean(b: bool) -> Value {
        Value::Expr(Expr::boolean(b))
    }

    /// A record.
    pub fn record(entries: Vec<(&str, Value)>) -> Value {
        Value::Record(Arc::new(Record { entries: entries.into_iter().map(|(n, v)| (n.into(), v)).collect() }))
    }

    /// The value without the conditions of an answer.
    pub fn plain(&self) -> &Value {
        match self {
            Value::Answer(answer) => answer.value.plain(),
            other => other,
        }
    }

    /// As an expression, where a value stands for one: expressions, laws (their formula), fields (applied to
    /// their variables), answers, the best law of a front, the law of a fit.
    pub fn as_expr(&self) -> Option<Expr> {
        match self.plain() {
            Value::Expr(e) => Some(e.clone()),
            Value::Law(law) => Some(law.formula.clone()),
            Value::Field(field) => Some(Expr::apply(
                field.name.clone(),
                field.variables.iter().cloned().map(Expr::symbol).collect(),
            )),
            _ => None,
        }
    }

    /// What kind of value it is, in words of the language.
    pub fn kind_name(&self) -> &'static str {
        match self {
            Value::Expr(e) => expression_kind(e),
            Value::Text(_) => "string",
            Value::List(items) if is_matrix(items) => "matrix",
            Value::List(_) => "list",
            Value::Record(_) => "record",
            Value::Range(..) => "range",
            Value::Function(_) => "function",
            Value::Law(_) => "law",
            Value::Field(_) => "field",
            Value::Dataset(_) => "dataset",
            Value::Column(_) => "column",
            Value::Fit(_) => "fit",
            Value::Front(_) => "front",
            Value::Figure(_) => "figure",
            Value::System(_) => "system",
            #[cfg(feature = "networks")]
            Value::Network(_) => "network",
            #[cfg(feature = "networks")]
            Value::Part(part) => part.kind_name(),
            #[cfg(feature = "networks")]
            Value::Model(_) => "model",
            Value::Module(_) => "module",
            Value::Answer(answer) => answer.value.kind_name(),
            Value::Nothing => "nothing",
        }
    }
}

fn expression_kind(e: &Expr) -> &'static str {
    use crate::expression::{Flags, Kind, Relation};
    match e.kind() {
        Kind::Number(n) if n.is_integer() => "integer",
        Kind::Number(_) => "exact number",
        Kind::Float(_) => "float",
        Kind::Bool(_) => "boolean",
        Kind::Relation(Relation::Eq, ..) => "equation",
        Kind::Relation(..) => "inequality",
        Kind::And(_) | Kind::Or(_) | Kind::Not(_) => "condition",
        _ if e.is_symbolic() => "expression",
        _ if e.flags().has(Flags::UNCERTAIN) => "uncertain number",
        _ if e.flags().has(Flags::UNIT) => "quantity",
        _ => "number",
    }
}

/// Whether a list holds at least one row and all are lists of one length.
pub fn is_matrix(items: &[Value]) -> bool {
    let width = |v: &Value| match v {
        Value::List(row) => Some(row.len()),
        _ => None,
    };
    match items.first().and_then(width) {
        Some(n) => n > 0 && items.iter().all(|row| width(row) == Some(n)),
        None => false,
    }
}
