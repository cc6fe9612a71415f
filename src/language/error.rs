//! Faults of the language: what is wrong with a program, in data, with its place. Codes P60xx to P69xx.

use crate::base::{Code, Diagnostic, Fault, Span};

/// A fault with its place, ready to be shown; boxed, since it is rare and large.
pub type Error = Box<Diagnostic>;

/// The result of everything that evaluates.
pub type Result<T> = std::result::Result<T, Error>;

/// A fault at a place.
pub fn fault(code: u16, span: Span, message: impl Into<String>) -> Error {
    Box::new(Diagnostic::error(Code(code), span, articles(message.into())))
}

/// A fault at a place with a hint.
pub fn fault_hint(code: u16, span: Span, message: impl Into<String>, hint: impl Into<String>) -> Error {
    Box::new(Diagnostic::error(Code(code), span, articles(message.into())).hint(articles(hint.into())))
}

/// `a` before the name of a kind of value that begins with a vowel is `an`.
fn articles(message: String) -> String {
    let mut message = message;
    for kind in ["integer", "expression", "equation", "inequality", "exact number", "uncertain number"] {
        let wrong = format!("a {kind}");
        if message.starts_with(&wrong) || message.contains(&format!(" {wrong}")) {
            message = message.replace(&wrong, &format!("an {kind}"));
        }
    }
    message
}

/// A lower layer's fault at a place.
pub fn lift(error: &dyn Fault, span: Span) -> Error {
    Box::new(Diagnostic::from_fault(error, span))
}

/// What the codes of this layer mean (`phys explain`).
pub const CODES: &[(u16, &str, &str)] = &[
    (
        6001,
        "unknown name called",
        "A name that is called must be a function, a law, a field or a network. `v(a + b)` with a number `v` is written `v*(a + b)`.",
    ),
    (
        6002,
        "unknown member",
        "The value before the `.` has no member of that name. A record has its entries, a dataset its columns, a module its names.",
    ),
    (6003, "unknown option", "The function has no parameter of that name. The message lists those it has."),
    (6004, "missing argument", "A parameter without a default got no value."),
    (6005, "too many arguments", "More positional arguments were given than the function has parameters."),
    (6006, "wrong type", "The argument is not of the type that the function declares."),
    (6007, "argument given twice", "A parameter was given by position and by name, or twice by name."),
    (
        6008,
        "positional after named",
        "Positional arguments come first, then named ones: `f(a, b, key: value)`.",
    ),
    (
        6010,
        "not a truth value",
        "`check`, `if`, `when`, `and`, `or` and `not` need something that can be decided. An equation between symbols can hold for some values only.",
    ),
    (
        6011,
        "check failed",
        "The statement after `check` does not hold. The message shows both sides and, where there is one, a point at which they differ.",
    ),
    (
        6012,
        "division by zero",
        "The expression divides by an exact zero or has no value (for example log(0)).",
    ),
    (6013, "index out of range", "Indices start at 0; `xs[-1]` is the last element."),
    (6014, "lengths differ", "Element-wise operations need lists and columns of equal length."),
    (
        6015,
        "name cannot be bound",
        "A symbol declared by `var` or `param`, or a constant, keeps its meaning; choose another name.",
    ),
    (6016, "operation not defined", "The operation does not exist for values of these kinds."),
    (6017, "too deep", "Expressions may be nested 10 000 levels deep."),
    (6018, "wrong number of names", "`a, b = value` needs a list with as many elements as names."),
    (6019, "recursion too deep", "A function called itself more than 1 000 levels deep."),
    (6020, "unit on a value that has one", "A unit attaches to what has none; `->` converts."),
    (6021, "units do not match", "Both sides of a sum, comparison or conversion need the same dimension."),
    (
        6022,
        "unit where none can be",
        "Functions such as sin, exp and log, and exponents, need a pure number.",
    ),
    (6023, "no unit known", "The dimension of the expression is not known: a symbol in it is not declared."),
    (
        6024,
        "number too large",
        "The exact number has too many digits to be written. A float holds its size: `10.0^300`; a symbol in the exponent keeps the power as it is.",
    ),
    (
        6025,
        "unit left open",
        "The equation of a fit does not decide the unit of a parameter, as that of `A` in `y == A*x^n` with a fitted `n` and `x` in m. Its number is for all quantities in coherent SI units; `y == A*(x/(1 [m]))^n` gives it the unit of `y`.",
    ),
    (
        6026,
        "scatter that grows",
        "No errors are given, and the residuals of a fit grow with its left side. The parameters are those of least squares; their errors are for noise in proportion to the left side. `sigma:` gives each row an error of its own, and with it a weight.",
    ),
    (6030, "no domain", "A symbol that is sampled needs a domain: `var x [m] in 1..5`."),
    (6031, "nothing to sample", "The formula has no symbols, or the number of points is not positive."),
    (
        6040,
        "file cannot be used",
        "The file does not exist, is a folder, or cannot be read or written. The message says which.",
    ),
    (6050, "interrupted", "Ctrl-C stopped the evaluation; what was bound before is kept."),
    (6051, "time limit", "The time that was set is over."),
    (
        6101,
        "unknown module",
        "`use` names a module of the standard library or, in quotes, a file beside the script.",
    ),
    (6102, "unknown name in module", "The module defines no such name."),
    (
        6103,
        "modules use each other in a circle",
        "A file that is being read is used again by a file that it uses.",
    ),
    (6104, "unknown unit", "The unit is not in the catalogue. The message names the nearest one."),
    (6105, "unknown name", "A name in a place where a symbol makes no sense."),
    (
        6106,
        "rule that cannot be used",
        "A rewrite rule needs an operation or a function of the library on its left and something else on its right. `rule x => 0` would change everything, `rule a + b => b + a` nothing, and a function of the program never stands in a formula: it is put in where it is called.",
    ),
    (
        6201,
        "possible misspelling",
        "A name that is bound to nothing is a symbol; a bound name is very near to it.",
    ),
    (
        6202,
        "name shadowed",
        "A symbol, a column or a binding hides what the name meant before: a name of the prelude, such as `e` after `e = 1.6e-19 [C]`, or a binding that a declaration replaces.",
    ),
    (
        6203,
        "built with the old value",
        "Names are looked up when an expression is built: what was built before keeps the old value. Call it with `F(m: 3)` to put in another one.",
    ),
    (
        6301,
        "--set cannot be read",
        "`phys run script.phys --set name.option=value` sets an option of the call whose result is bound to `name`; the value is written as in a script: `--set found.time=\"20 [s]\"`.",
    ),
    (
        6302,
        "--set names no call",
        "The script does not bind that name to the result of a call, so there is no option to set. The message lists the names it binds.",
    ),
    (
        6401,
        "equations that determine no motion",
        "A system has one equation for each of its highest derivatives, `x'` or `x''`, in the variable that `over` names. Write `system { equations: [x' == v, v' == -x], initial: {x: 1, v: 0} }`.",
    ),
    (
        6402,
        "starting values that do not fit",
        "Every state of a system needs a finite number at the start, at which all rates have values; a second-order equation in x has the states `x` and `x'`. Write `initial: {x: 1, x': 0}`.",
    ),
    (
        6403,
        "a symbol without a value in a computation",
        "Numbers can only be computed from symbols that have values: states, bindings, and parameters with a starting value. Bind the symbol first, `k = 2`, or declare `param k = 2`.",
    ),
    (
        6404,
        "an integration that ended early",
        "The solution has a pole, or the work was bounded. The message says at which time and in which state; the rows before are returned.",
    ),
    (
        6405,
        "data without an independent variable",
        "`observe` never adds noise to the independent variable, so it must know which column that is. Paths of `integrate` say so; of other data tell it: `observe(data, noise: 0.02, over: t)`.",
    ),
    (
        6406,
        "no root found",
        "No sign change and no minimum at 0 was found in the range, or Newton's method ended where the equations do not hold. Give another range or a start: `nsolve(cos(x) == x, x, start: 1)`.",
    ),
    (
        6407,
        "several roots",
        "More than one root lies in the range and one is returned. `all: true` returns all of them; `in: 2..4` narrows the range.",
    ),
    (
        6408,
        "an integral that did not converge",
        "The estimated error is larger than was asked for: the integral may diverge, or oscillate without end. The value is returned with its error.",
    ),
    (
        6409,
        "a search that ended early",
        "The work was bounded before a minimum was certain. The best point so far is returned with the reason.",
    ),
];
