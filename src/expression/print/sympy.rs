//! What SymPy spells otherwise. The text is for `sympify`, which reads `1/2` as an exact ratio; symbols are plain
//! names, so a name that `sympify` would take for something of its own (`lambda`, `beta`, `I`, `E`) gets a trailing
//! `_`. SymPy is documented at <https://docs.sympy.org/latest/modules/core.html#sympify>.

use super::line::{Binding, Writer, number_binding};
use super::number;
use crate::expression::function::Function;
use crate::expression::node::{Expr, Kind, Relation};
use crate::expression::symbol::Constant;

/// Python's keywords, and names that `from sympy import *` binds and that a physicist uses as symbols.
const TAKEN: &[&str] = &[
    "False",
    "None",
    "True",
    "and",
    "as",
    "assert",
    "async",
    "await",
    "break",
    "class",
    "continue",
    "def",
    "del",
    "elif",
    "else",
    "except",
    "finally",
    "for",
    "from",
    "global",
    "if",
    "import",
    "in",
    "is",
    "lambda",
    "nonlocal",
    "not",
    "or",
    "pass",
    "raise",
    "return",
    "try",
    "while",
    "with",
    "yield",
    "match",
    "case",
    "type",
    "print",
    "eval",
    "exec",
    "abs",
    "all",
    "any",
    "bool",
    "complex",
    "dict",
    "dir",
    "divmod",
    "filter",
    "float",
    "format",
    "hash",
    "hex",
    "id",
    "input",
    "int",
    "iter",
    "len",
    "list",
    "map",
    "max",
    "min",
    "next",
    "object",
    "oct",
    "open",
    "ord",
    "pow",
    "range",
    "repr",
    "round",
    "set",
    "slice",
    "sorted",
    "str",
    "sum",
    "super",
    "tuple",
    "vars",
    "zip",
    "C",
    "CC",
    "E",
    "EX",
    "FF",
    "GF",
    "I",
    "N",
    "O",
    "Q",
    "QQ",
    "RR",
    "S",
    "ZZ",
    "Chi",
    "Ci",
    "Eijk",
    "Ei",
    "Eq",
    "Ge",
    "Gt",
    "Id",
    "Le",
    "Li",
    "Lt",
    "Ne",
    "Not",
    "Or",
    "And",
    "Xor",
    "Abs",
    "Add",
    "Mul",
    "Pow",
    "Mod",
    "Max",
    "Min",
    "Rel",
    "Sum",
    "Product",
    "Integral",
    "Derivative",
    "Function",
    "Symbol",
    "Symbols",
    "Matrix",
    "Rational",
    "Integer",
    "Float",
    "Number",
    "Range",
    "Set",
    "Interval",
    "Union",
    "Lambda",
    "Limit",
    "Order",
    "Piecewise",
    "Poly",
    "Pi",
    "Shi",
    "Si",
    "Subs",
    "Trace",
    "Tr",
    "Tuple",
    "Wild",
    "Dummy",
    "Basic",
    "Expr",
    "Atom",
    "Contains",
    "Dict",
    "Domain",
    "Point",
    "Line",
    "Plane",
    "Ray",
    "Circle",
    "Curve",
    "Ellipse",
    "Polygon",
    "Segment",
    "Triangle",
    "Heaviside",
    "DiracDelta",
    "KroneckerDelta",
    "LeviCivita",
    "Identity",
    "Inverse",
    "Transpose",
    "Adjoint",
    "Determinant",
    "Array",
    "Beta",
    "Gamma",
    "Zeta",
    "Eta",
    "Znm",
    "Ynm",
    "acos",
    "acosh",
    "acot",
    "acoth",
    "acsc",
    "acsch",
    "adjoint",
    "apart",
    "arg",
    "asec",
    "asech",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "bell",
    "beta",
    "binomial",
    "cancel",
    "cbrt",
    "ceiling",
    "chi",
    "collect",
    "comp",
    "conjugate",
    "cos",
    "cosh",
    "cot",
    "coth",
    "count",
    "cse",
    "csc",
    "csch",
    "degree",
    "det",
    "diag",
    "diff",
    "digamma",
    "div",
    "divisors",
    "erf",
    "erfc",
    "erfi",
    "euler",
    "exp",
    "expand",
    "eye",
    "factor",
    "factorial",
    "ff",
    "fibonacci",
    "field",
    "floor",
    "frac",
    "gamma",
    "gcd",
    "genocchi",
    "harmonic",
    "hyper",
    "im",
    "integrate",
    "interpolate",
    "jn",
    "lcm",
    "lerchphi",
    "limit",
    "li",
    "ln",
    "log",
    "loggamma",
    "lucas",
    "mobius",
    "motzkin",
    "nan",
    "ones",
    "oo",
    "periodic_argument",
    "pi",
    "plot",
    "polygamma",
    "polylog",
    "posify",
    "prime",
    "primepi",
    "prod",
    "product",
    "pprint",
    "radsimp",
    "re",
    "reduced",
    "refine",
    "residue",
    "resultant",
    "rf",
    "ring",
    "root",
    "roots",
    "rot",
    "sec",
    "sech",
    "series",
    "sign",
    "signsimp",
    "simplify",
    "sin",
    "sinc",
    "sinh",
    "solve",
    "source",
    "sqrt",
    "stieltjes",
    "subsets",
    "symbols",
    "symmetrize",
    "take",
    "tan",
    "tanh",
    "test",
    "together",
    "totient",
    "trace",
    "transpose",
    "trigamma",
    "trunc",
    "uppergamma",
    "var",
    "vfield",
    "vring",
    "xfield",
    "xring",
    "xthreaded",
    "yn",
    "zeros",
    "zeta",
    "zoo",
    "i",
    "e",
    "inf",
];

/// The name under which a symbol goes in SymPy: letters, digits and `_`; a prime is `_prime`; what SymPy or Python take
/// for something of their own gets a trailing `_`.
pub fn sympy_name(name: &str) -> String {
    let plain = name.replace('\'', "_prime");
    if TAKEN.contains(&plain.as_str()) { format!("{plain}_") } else { plain }
}

impl Writer<'_> {
    /// What SymPy writes in another way than phys.
    pub(super) fn sympy_form(&self, e: &Expr, out: &mut String) -> Option<Binding> {
        let word = |text: &str, out: &mut String| {
            out.push_str(text);
            Some(Binding::Atom)
        };
        match e.kind() {
            Kind::Symbol(s) => word(&sympy_name(s.name()), out),
            Kind::Constant(c) => word(
                match c {
                    Constant::Pi => "pi",
                    Constant::E => "E",
                    Constant::I => "I",
                    Constant::Infinity => "oo",
                },
                out,
            ),
            Kind::Bool(b) => word(if *b { "True" } else { "False" }, out),
            Kind::Float(x) if x.is_nan() => word("nan", out),
            Kind::Uncertain(u) => {
                out.push_str(&number::float(u.value(), self.style));
                Some(if u.value() < 0.0 { Binding::Sign } else { Binding::Atom })
            }
            Kind::Unit(u) => {
                let factor = Expr::scale_factor(u.scale());
                self.expr(&factor, Binding::If, out);
                Some(match factor.as_number() {
                    Some(n) => number_binding(n),
                    None => Binding::Product,
                })
            }
            Kind::Product(items) if items.iter().any(|f| matches!(f.kind(), Kind::Unit(_))) => {
                let si = Expr::product(items.iter().map(|f| match f.kind() {
                    Kind::Unit(u) => Expr::scale_factor(u.scale()),
                    _ => f.clone(),
                }));
                let start = out.len();
                self.expr(&si, Binding::If, out);
                Some(if out[start..].starts_with('-') || !matches!(si.kind(), Kind::Symbol(_)) {
                    Binding::Product
                } else {
                    Binding::Atom
                })
            }
            Kind::Apply(f, args) => {
                Some(self.called(&format!("Function('{}')", sympy_name(f.name())), args, out))
            }
            Kind::Relation(op, a, b) => {
                let name = match op {
                    Relation::Eq => "Eq",
                    Relation::Ne => "Ne",
                    Relation::Lt => "Lt",
                    Relation::Le => "Le",
                    Relation::Gt => "Gt",
                    Relation::Ge => "Ge",
                };
                Some(self.called(name, &[a.clone(), b.clone()], out))
            }
            Kind::Not(a) => Some(self.called("Not", std::slice::from_ref(a), out)),
            Kind::And(items) => Some(self.called("And", items, out)),
            Kind::Or(items) => Some(self.called("Or", items, out)),
            Kind::Piecewise(branches, otherwise) => {
                out.push_str("Piecewise(");
                for (condition, value) in branches {
                    out.push('(');
                    self.expr(value, Binding::If, out);
                    out.push_str(", ");
                    self.expr(condition, Binding::If, out);
                    out.push_str("), ");
                }
                out.push('(');
                self.expr(otherwise, Binding::If, out);
                out.push_str(", True))");
                Some(Binding::Atom)
            }
            Kind::Call(f, args) => Some(self.sympy_call(*f, args, out)),
            _ => None,
        }
    }

    fn sympy_call(&self, f: Function, args: &[Expr], out: &mut String) -> Binding {
        use Function::*;
        let name = match f {
            Abs => "Abs",
            Ceil => "ceiling",
            Mod => "Mod",
            Min => "Min",
            Max => "Max",
            Step => "Heaviside",
            Conj => "conjugate",
            Log10 | Log2 => {
                self.called("log", args, out);
                out.push_str(if f == Log10 { "/log(10)" } else { "/log(2)" });
                return Binding::Product;
            }
            // SymPy rounds half to even and only numbers; half away from zero is this.
            Round => {
                out.push_str("sign(");
                self.expr(&args[0], Binding::If, out);
                out.push_str(")*floor(Abs(");
                self.expr(&args[0], Binding::If, out);
                out.push_str(") + 1/2)");
                return Binding::Product;
            }
            // With one argument it is 0 at 0 in old versions of SymPy and 1/2 in new ones.
            other => other.name(),
        };
        self.called(name, args, out)
    }
}
