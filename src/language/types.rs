//! Types of the language, as `extern` declarations and parameters write them. The same types serve
//! argument binding (`call.rs`), the checker (`check/`) and the reference.

use crate::syntax::tree::{Name, Tree, TypeExpr, UnitExpr};

/// A type.
#[derive(Clone, Debug, PartialEq)]
pub enum Type {
    /// Anything.
    Any,
    /// A number or expression without unit.
    Real,
    /// An exact integer.
    Integer,
    /// `true`, `false` or a condition that can be decided.
    Boolean,
    /// A text.
    String,
    /// A bare word: the argument is a name and is not evaluated.
    Name,
    /// An expression; beside a dataset its names are the columns first.
    Expression,
    /// An equation or inequality.
    Equation,
    /// A function; the argument may be a bare function name or operator.
    Function,
    /// A number or expression with this unit; unit variables stand for any.
    Quantity(UnitExpr),
    /// A list of this type.
    List(Box<Type>),
    /// A record with these entries.
    Record(Vec<(Name, Type)>),
    /// A dataset.
    Dataset,
    /// One of these bare words.
    OneOf(Vec<Name>),
    /// A record of options of the same call, written in place: `smoke: {points: 100}`. Under `--smoke` they replace
    /// those of the call; elsewhere they are checked and play no part. A function that declares such a parameter is
    /// one that samples, generates, searches or trains.
    Options,
    /// An expression over the columns of the dataset before it; the columns are seen first and whole. A variadic
    /// parameter of this type takes arguments of any name: `with(d, v: x/t)`.
    Formula,
    /// A name, a text, or a list of these: columns of the dataset before it.
    Columns,
    /// A bare word, or any value: `padding: circular`, `padding: 2`.
    Word,
    /// The type, or nothing.
    Optional(Box<Type>),
    /// A kind of value with this name: `front`, `fit`, `law`, `record`, `column`, `field`, `range`.
    Other(Name),
}

impl Type {
    /// From what was written.
    pub fn of(written: &TypeExpr) -> Type {
        match written {
            TypeExpr::Named(ident) => match &*ident.name {
                "any" => Type::Any,
                "real" => Type::Real,
                "integer" => Type::Integer,
                "boolean" => Type::Boolean,
                "string" => Type::String,
                "name" => Type::Name,
                "expression" => Type::Expression,
                "equation" => Type::Equation,
                "function" => Type::Function,
                "dataset" => Type::Dataset,
                "options" => Type::Options,
                "formula" => Type::Formula,
                "columns" => Type::Columns,
                "word" => Type::Word,
                _ => Type::Other(ident.name.clone()),
            },
            TypeExpr::Quantity(unit) => Type::Quantity(unit.clone()),
            TypeExpr::List(inner) => Type::List(Box::new(Type::of(inner))),
            TypeExpr::Record(entries) => {
                Type::Record(entries.iter().map(|(n, t)| (n.name.clone(), Type::of(t))).collect())
            }
            TypeExpr::OneOf(words) => Type::OneOf(words.iter().map(|w| w.name.clone()).collect()),
            TypeExpr::Optional(inner) => Type::Optional(Box::new(Type::of(inner))),
        }
    }

    /// Without `?`.
    pub fn required(&self) -> &Type {
        match self {
            Type::Optional(inner) => inner.required(),
            other => other,
        }
    }

    /// In words, for messages: `an integer`, `a number or quantity`; composite types as they are declared.
    pub fn described(&self) -> String {
        match self {
            Type::Any => "a value".into(),
            Type::Real => "a number".into(),
            Type::Integer => "an integer".into(),
            Type::Boolean => "true or false".into(),
            Type::Expression => "an expression".into(),
            Type::Equation => "an equation".into(),
            Type::String | Type::Name | Type::Function | Type::Dataset => format!("a {self}"),
            Type::Quantity(unit) if unit.factors.iter().any(|f| is_unit_variable(&f.symbol)) => {
                "a number or quantity".into()
            }
            Type::Quantity(unit) => format!("a quantity in [{}]", unit_text(unit)),
            Type::Optional(inner) => inner.described(),
            Type::Options => "a record of options".into(),
            Type::Formula => "a formula over columns".into(),
            Type::Columns => "names of columns".into(),
            Type::Word => "a word or a value".into(),
            Type::Other(kind) if kind.starts_with(['a', 'o']) => format!("an {kind}"),
            Type::Other(kind) => format!("a {kind}"),
            Type::List(_) | Type::Record(_) | Type::OneOf(_) => format!("a value of type {self}"),
        }
    }
}

impl std::fmt::Display for Type {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Type::Any => f.write_str("any"),
            Type::Real => f.write_str("real"),
            Type::Integer => f.write_str("integer"),
            Type::Boolean => f.write_str("boolean"),
            Type::String => f.write_str("string"),
            Type::Name => f.write_str("name"),
            Type::Expression => f.write_str("expression"),
            Type::Equation => f.write_str("equation"),
            Type::Function => f.write_str("function"),
            Type::Dataset => f.write_str("dataset"),
            Type::Options => f.write_str("options"),
            Type::Formula => f.write_str("formula"),
            Type::Columns => f.write_str("columns"),
            Type::Word => f.write_str("word"),
            Type::Other(name) => f.write_str(name),
            Type::List(inner) => write!(f, "list[{inner}]"),
            Type::Optional(inner) => write!(f, "{inner}?"),
            Type::OneOf(words) => {
                write!(f, "one_of({})", words.iter().map(|w| &**w).collect::<Vec<_>>().join(", "))
            }
            Type::Record(entries) => {
                let entries: Vec<String> = entries.iter().map(|(n, t)| format!("{n}: {t}")).collect();
                write!(f, "record{{{}}}", entries.join(", "))
            }
            Type::Quantity(unit) => write!(f, "quantity[{}]", unit_text(unit)),
        }
    }
}

/// Whether a name in a declared unit is a variable that stands for any unit: `u`, `v` or `w`, digits may follow. (As
/// units these would be the dalton and none; signatures never mean it.)
pub fn is_unit_variable(symbol: &str) -> bool {
    symbol.strip_prefix(['u', 'v', 'w']).is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit()))
}

/// A written unit as messages show it, without the brackets: what divides stands together behind one `/`, where
/// `syntax::unit_text` keeps the order of the author.
pub fn unit_text(unit: &UnitExpr) -> String {
    if unit.factors.is_empty() {
        return "1".into();
    }
    let power = |n: &crate::base::Number| match n {
        n if n.is_one() => String::new(),
        n if n.is_integer() => format!("^{n}"),
        n => format!("^({n})"),
    };
    let above: Vec<String> = unit
        .factors
        .iter()
        .filter(|f| f.power.is_positive())
        .map(|f| format!("{}{}", f.symbol, power(&f.power)))
        .collect();
    let below: Vec<String> = unit
        .factors
        .iter()
        .filter(|f| f.power.is_negative())
        .map(|f| format!("{}{}", f.symbol, power(&-&f.power)))
        .collect();
    let top = if above.is_empty() { "1".to_string() } else { above.join("*") };
    match below.len() {
        0 => top,
        1 => format!("{top}/{}", below[0]),
        _ => format!("{top}/({})", below.join("*")),
    }
}

/// Types that are one word.
const NAMES: [&str; 32] = [
    "any",
    "real",
    "integer",
    "boolean",
    "string",
    "name",
    "expression",
    "equation",
    "function",
    "dataset",
    "options",
    "formula",
    "columns",
    "word",
    "list",
    "matrix",
    "record",
    "range",
    "law",
    "field",
    "column",
    "fit",
    "front",
    "figure",
    "system",
    "network",
    "model",
    "optimizer",
    "schedule",
    "loss",
    "augmentation",
    "nothing",
];

/// The types that are one word.
pub fn names() -> impl Iterator<Item = &'static str> {
    NAMES.into_iter()
}

/// Whether a word is a type.
pub fn is_name(word: &str) -> bool {
    NAMES.contains(&word)
}

/// Kinds of values that a bare name of the library stands for: `chain(dense(3), relu)`, `optimizer: adam`.
const NAMED: [&str; 5] = ["network", "optimizer", "schedule", "loss", "augmentation"];

impl Type {
    /// Whether a bare function name is a value of the type.
    pub fn is_named(&self) -> bool {
        matches!(self, Type::Other(kind) if NAMED.contains(&&**kind))
    }
}

/// A parameter of a declared function.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Its name.
    pub name: Name,
    /// Its type.
    pub ty: Type,
    /// Whether it takes all further positional arguments.
    pub variadic: bool,
    /// Its default, an expression of the declaring tree.
    pub default: Option<crate::syntax::tree::ExprId>,
}

impl Parameter {
    /// Whether a call may leave it out.
    pub fn is_optional(&self) -> bool {
        self.default.is_some() || self.variadic || matches!(self.ty, Type::Optional(_))
    }
}

/// One `extern` declaration.
#[derive(Clone, Debug)]
pub struct Signature {
    /// The function's name.
    pub name: Name,
    /// Its parameters in order.
    pub params: Vec<Parameter>,
    /// What it returns.
    pub result: Type,
    /// Its documentation (`##` lines).
    pub doc: String,
    /// What a script does that calls it, where it is work that a run folder keeps: the line `## run: search`.
    pub run: Option<String>,
    /// The module that declares it (`core.lists`).
    pub module: String,
    /// The tree its defaults live in.
    pub tree: std::sync::Arc<Tree>,
    /// Its body, where it is written in phys.
    pub body: Option<std::sync::Arc<super::value::UserFunction>>,
}

impl Signature {
    /// The parameter that takes arguments of any name.
    pub fn any_name(&self) -> Option<usize> {
        self.params.iter().position(|p| p.variadic && p.ty == Type::Formula)
    }

    /// The parameter with this name.
    pub fn param(&self, name: &str) -> Option<(usize, &Parameter)> {
        let any = self.any_name();
        self.params.iter().enumerate().find(|(k, p)| &*p.name == name && Some(*k) != any)
    }

    /// Its first line: `f(x: real, n: integer = ...) -> real`.
    pub fn headline(&self) -> String {
        let params: Vec<String> = self
            .params
            .iter()
            .map(|p| {
                format!(
                    "{}: {}{}{}",
                    p.name,
                    p.ty,
                    if p.variadic { "..." } else { "" },
                    if p.default.is_some() { " = ..." } else { "" }
                )
            })
            .collect();
        format!("{}({}) -> {}", self.name, params.join(", "), self.result)
    }

    /// The programs after `example:` in its documentation, with what they must print (after `# =>`), if said.
    pub fn examples(&self) -> Vec<(String, Option<String>)> {
        self.doc
            .lines()
            .filter_map(|line| line.trim().strip_prefix("example:"))
            .map(|line| match line.split_once("# =>") {
                Some((code, output)) => (code.trim().to_string(), Some(output.trim().to_string())),
                None => (line.trim().to_string(), None),
            })
            .collect()
    }
}
