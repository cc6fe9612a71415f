//! The table of suites: one row each. A suite is a list of modules of the library and a protocol that says what data
//! its problems have.

use crate::base::{Code, Diagnostic, suggest};

/// How the data of a suite's problems come about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Points drawn from the domains of a law; `--rows` and `--noise` say how many and how exact.
    Drawn,
    /// The published protocol of SRBench: three quarters of the data, at most 10 000 rows, no units; rows of systems are
    /// those of their paths.
    Srbench,
    /// The rows that the problem itself states; operators of the literature and those of phys.
    Stated,
    /// Whole systems, from the path of one start.
    Systems,
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
        about: "120 laws of the AI Feynman benchmark (Udrescu, Tegmark 2020)",
        modules: &["physics.feynman"],
        protocol: Protocol::Drawn,
        left_out: &[],
    },
    Suite {
        name: "laws",
        about: "laws of physics, chemistry, engineering, biology beyond them",
        modules: &["physics.laws."],
        protocol: Protocol::Drawn,
        left_out: &[],
    },
    Suite {
        name: "strogatz",
        about: "14 rates of change of systems of two states (La Cava et al. 2016)",
        modules: &["benchmarks.strogatz"],
        protocol: Protocol::Srbench,
        left_out: &[],
    },
    Suite {
        name: "odebench",
        about: "63 systems of differential equations, each from one path (d'Ascoli et al. 2024)",
        modules: &["benchmarks.odebench"],
        protocol: Protocol::Systems,
        left_out: &[],
    },
    // The arcs of sines and cosines were not in the published comparison, nor the one law PMLB lacks.
    Suite {
        name: "srbench",
        about: "130 laws by the protocol of SRBench (La Cava et al. 2021)",
        modules: &["physics.feynman", "benchmarks.strogatz"],
        protocol: Protocol::Srbench,
        left_out: &["I_26_2", "I_30_5", "test_10", "II_11_17"],
    },
    Suite {
        name: "classic",
        about: "all families below",
        modules: &[
            "benchmarks.koza",
            "benchmarks.keijzer",
            "benchmarks.vladislavleva",
            "benchmarks.nguyen",
            "benchmarks.korns",
            "benchmarks.pagie",
            "benchmarks.neat",
            "benchmarks.jin",
            "benchmarks.livermore",
            "benchmarks.livermore2",
            "benchmarks.constant",
            "benchmarks.const_test",
            "benchmarks.grammarvae",
            "benchmarks.meier",
            "benchmarks.nonic",
            "benchmarks.poly",
            "benchmarks.rational",
            "benchmarks.sine",
        ],
        protocol: Protocol::Stated,
        left_out: &[],
    },
    stated("koza", "Koza 1992", &["benchmarks.koza"]),
    stated("keijzer", "Keijzer 2003", &["benchmarks.keijzer"]),
    stated("vladislavleva", "Vladislavleva et al. 2009", &["benchmarks.vladislavleva"]),
    stated("nguyen", "Uy et al. 2011", &["benchmarks.nguyen"]),
    stated("korns", "Korns 2011", &["benchmarks.korns"]),
    stated("pagie", "Pagie, Hogeweg 1997", &["benchmarks.pagie"]),
    stated("neat", "Trujillo et al. 2016", &["benchmarks.neat"]),
    stated("jin", "Jin et al. 2019", &["benchmarks.jin"]),
    stated("livermore", "Mundhenk et al. 2021", &["benchmarks.livermore"]),
    stated("livermore2", "150 larger laws (Petersen et al. 2021)", &["benchmarks.livermore2"]),
    stated("constant", "laws of Nguyen with constants (Petersen et al. 2021)", &["benchmarks.constant"]),
    stated("const_test", "a constant to be found (Petersen et al. 2021)", &["benchmarks.const_test"]),
    stated("grammarvae", "Kusner et al. 2017", &["benchmarks.grammarvae"]),
    stated("meier", "Meier et al. 2013", &["benchmarks.meier"]),
    stated("nonic", "Krawiec, Pawlak 2013", &["benchmarks.nonic"]),
    stated("poly", "Petersen et al. 2021, Poli 2003", &["benchmarks.poly"]),
    stated("rational", "Krawiec, Pawlak 2013", &["benchmarks.rational"]),
    stated("sine", "Petersen et al. 2021", &["benchmarks.sine"]),
];

/// The suites in words, for the help.
pub fn list() -> String {
    let width = SUITES.iter().map(|s| s.name.len()).max().unwrap_or_default();
    let mut text = String::from("Suites:\n");
    for s in SUITES {
        text += &format!("  {:width$}  {}\n", s.name, s.about);
    }
    text
}

/// The operators and functions that phys may use in every suite, unless `--operators` says otherwise: those of
/// `regress`.
pub const OPERATORS: &[&str] = &[
    "+", "-", "*", "/", "^", "sqrt", "exp", "log", "sin", "cos", "tan", "asin", "acos", "atan", "sinh",
    "cosh", "tanh",
];

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
