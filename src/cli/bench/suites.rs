//! The table of suites: one row each. A suite is a list of modules of the library and a protocol that says what data
//! its problems have.

use crate::base::{Code, Diagnostic, suggest};

/// How the data of a suite's problems come about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Points drawn from the domains of a law; `--rows` and `--noise` say how many and how exact.
    Drawn,
    /// The published protocol of SRBench: three quarters of the data, at most 10 000 rows, no units.
    Srbench,
    /// The rows that the problem itself states; operators of the literature and those of phys.
    Stated,
    /// Rates of change along computed paths of a system.
    Paths,
}

/// A suite.
#[derive(Clone, Copy, Debug)]
pub struct Suite {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is, with its source.
    pub about: &'static str,
    /// Its modules; a name that ends in `.` stands for all modules below it.
    pub modules: &'static [&'static str],
    /// How its data come about.
    pub protocol: Protocol,
    /// Problems of the modules that do not belong to it.
    pub left_out: &'static [&'static str],
}

const fn stated(name: &'static str, about: &'static str, modules: &'static [&'static str]) -> Suite {
    Suite { name, about, modules, protocol: Protocol::Stated, left_out: &[] }
}

/// The suites.
pub const SUITES: &[Suite] = &[
    Suite {
        name: "feynman",
        about: "the 120 laws of the AI Feynman benchmark (Udrescu and Tegmark 2020)",
        modules: &["physics.feynman"],
        protocol: Protocol::Drawn,
        left_out: &[],
    },
    Suite {
        name: "laws",
        about: "laws of physics, chemistry, engineering and biology beyond them",
        modules: &["physics.laws."],
        protocol: Protocol::Drawn,
        left_out: &[],
    },
];

/// The operators and functions that phys may use in every suite, unless `--operators` says otherwise: those of
/// `regress`.
pub const OPERATORS: &[&str] = &["+", "-", "*", "/", "^", "sqrt", "exp", "log", "sin", "cos"];

/// The suite of a name.
///
/// # Errors
/// There is none; the nearest name is the hint.
pub fn find(name: &str) -> Result<&'static Suite, Box<Diagnostic>> {
    if let Some(suite) = SUITES.iter().find(|s| s.name == name) {
        return Ok(suite);
    }
    let d = Diagnostic::error(Code(8030), None, format!("expected a suite, found `{name}`"));
    Err(Box::new(match suggest::nearest(name, SUITES.iter().map(|s| s.name)) {
        Some(near) => d.hint(format!("phys bench {near}")),
        None => d.hint(format!("one of {}", SUITES.iter().map(|s| s.name).collect::<Vec<_>>().join(", "))),
    }))
}

/// The half of the laws that a name belongs to: in the tuned one stand those whose hash is even.
pub fn is_tuned(name: &str) -> bool {
    crate::base::hash::of_str(name).is_multiple_of(2)
}
