//! Laws as source files of other languages: C, Rust, NumPy, PyTorch and JAX. `constants.rs` gives the numbers of a law
//! names, `names.rs` makes names safe for the language, `table.rs` holds its functions and words, `writer.rs` writes
//! the formula, `frame.rs` the file around it.
//!
//! All numbers of a file are in coherent SI units. Its function takes the variables of the formula, real numbers, and
//! agrees with [`Expr::evaluate`] up to rounding where that is a real number without complex steps between.

mod constants;
mod frame;
mod names;
mod table;
mod writer;

pub use constants::named;

use crate::base::{Code, Fault};
use crate::expression::node::Expr;
use crate::expression::symbol::Symbol;
use crate::units::Unit;

/// A language that laws are written in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Target {
    /// C99 with its mathematical library.
    C,
    /// Rust without any crate.
    Rust,
    /// Python with NumPy; SciPy where the law has erf, gamma and their kin.
    Numpy,
    /// Python with PyTorch.
    Pytorch,
    /// Python with JAX.
    Jax,
}

impl Target {
    /// All of them.
    pub const ALL: [Target; 5] = [Target::C, Target::Rust, Target::Numpy, Target::Pytorch, Target::Jax];

    /// Its word in `export(law, path, as: word)`.
    pub fn word(self) -> &'static str {
        self.dialect().word
    }

    /// Its name for people.
    pub fn title(self) -> &'static str {
        self.dialect().title
    }

    /// The ending of its files.
    pub fn extension(self) -> &'static str {
        self.dialect().extension
    }

    /// The language of this word.
    pub fn from_word(word: &str) -> Option<Target> {
        Target::ALL.into_iter().find(|t| t.word() == word)
    }
}

/// A law to be written.
#[derive(Clone, Debug)]
pub struct Law {
    /// What it is the law of (`F`), where it has a name.
    pub name: Option<String>,
    /// Where it is from.
    pub source: Option<String>,
    /// The formula over variables and constants.
    pub formula: Expr,
    /// The arguments of the function, in their order.
    pub variables: Vec<Variable>,
    /// The named constants.
    pub constants: Vec<Constant>,
    /// The unit of the value, coherent; `None` where it is not known.
    pub unit: Option<Unit>,
}

/// A variable of a law.
#[derive(Clone, Debug)]
pub struct Variable {
    /// Its symbol.
    pub symbol: Symbol,
    /// Its coherent unit; `None` where it is not known.
    pub unit: Option<Unit>,
    /// Where its values lie, in SI.
    pub bounds: Option<(f64, f64)>,
}

/// A constant of a law.
#[derive(Clone, Debug)]
pub struct Constant {
    /// Its symbol in the formula.
    pub symbol: Symbol,
    /// Its value in SI.
    pub value: f64,
    /// Its standard error in SI, where it has one.
    pub sigma: Option<f64>,
    /// Its coherent unit; `None` where it is not known.
    pub unit: Option<Unit>,
    /// Whether it was fitted or measured, so that it may be trained further; exact ones may not.
    pub fitted: bool,
}

/// Why a law cannot be written in a language.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CodeError {
    /// A function that the language lacks.
    #[error("expected functions of {target}, found `{function}`, which it lacks")]
    Function {
        /// The language.
        target: &'static str,
        /// The function.
        function: &'static str,
        /// The words of languages that have it.
        others: Vec<&'static str>,
    },
    /// What has no value that is a real number.
    #[error("expected a formula of real numbers, found {found}")]
    NotReal {
        /// What it is.
        found: String,
    },
    /// Too many nodes or levels.
    #[error("expected a formula of at most {most} nodes, found {found}")]
    TooLarge {
        /// Nodes of the formula.
        found: u32,
        /// Nodes that are written.
        most: u32,
    },
}

impl Fault for CodeError {
    fn code(&self) -> Code {
        match self {
            CodeError::Function { .. } => Code(1210),
            CodeError::NotReal { .. } => Code(1211),
            CodeError::TooLarge { .. } => Code(1212),
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            CodeError::Function { others, .. } => match others.first() {
                Some(_) => format!("as: {}", others.join(", as: ")),
                None => "export(law, \"law.phys\")".into(),
            },
            CodeError::NotReal { .. } => {
                "export(law, \"law.phys\") and \"law.py\" (SymPy) take any formula".into()
            }
            CodeError::TooLarge { .. } => "simplify(law)".into(),
        })
    }
}

/// The text of a file with the function `law`.
///
/// # Errors
/// Where the formula holds what the language cannot say, and where it is too large.
pub fn file(law: &Law, target: Target) -> Result<String, CodeError> {
    let most = super::MAX_NODES;
    let found = law.formula.node_count();
    if found > most || law.formula.depth() > super::MAX_DEPTH {
        return Err(CodeError::TooLarge { found, most });
    }
    frame::file(law, target)
}
