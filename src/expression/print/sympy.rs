//! What SymPy spells otherwise. The text is for `sympify`, which reads `1/2` as an exact ratio; symbols are plain
//! names, so a name that `sympify` would take for something of its own (`lambda`, `beta`, `I`, `E`) gets a trailing
//! `_`. SymPy is documented at <https://docs.sympy.org/latest/modules/core.html#sympify>.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::line::{Binding, Writer, number_binding};
use super::number;
use crate::expression::function::{FUNCTIONS, Function};
use crate::expression::node::{Expr, Kind, Relation};
use crate::expression::symbol::Constant;

/// Python's keywords and built-ins, the names of up to twelve letters that `from sympy import *` binds (SymPy 1.14), and
/// phys' own constants.
static TAKEN: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    "
    Abs abs abundance AccumBounds acos acosh acot acoth acsc acsch Add Adjoint adjoint airyai airyaiprime
    airybi airybiprime aiter algebras all And and andre anext any apart appellf1 approximants arg arity
    Array as ascii asec asech asin asinh ask assert assuming assumptions async atan atan2 atanh Atom
    AtomicExpr await banded Basic bell bernoulli besseli besselj besselk besselsimp bessely Beta beta
    betainc bin binomial blockcut BlockMatrix bool break breakpoint BufferError bytearray bytes
    BytesWarning C cacheit calculus callable cancel capture carmichael cartes case casoratian Catalan
    catalan cbrt CC ccode ceiling centroid chebyshevt chebyshevu checkodesol checkpdesol checksol Chi chi
    chr Ci Circle class classmethod cofactors collect combsimp comp compile Complement complex Complexes
    ComplexField compose composite compositepi concrete ConditionSet conjugate Contains content continue
    convolution copyright cos cosh cot coth count credits CRootOf csc csch cse Curve cxxcode decompogen
    decompose def deg degree del delattr denom Derivative det Determinant diag DiagMatrix DiagonalOf Dict
    dict diff digamma diophantine dir DiracDelta discrete discriminant div divisors divmod doctest Domain
    DomainError dotprint DotProduct dsolve Dummy E e E1 Ei Eijk elif Ellipse Ellipsis else EmptySet
    enumerate EOFError EPath epath Eq Equality Equivalent erf erf2 erf2inv erfc erfcinv erfi erfinv Eta
    euler EulerGamma eval evalf evaluate EX except Exception exec exit exp expand expint Expr exptrigsimp
    exquo EXRAW external eye factor factorial factorial2 factorint factorrat False false fcode FF ff fft
    fibonacci field filldedent filter finally FiniteField FiniteSet FlagError flatten Float float floor for
    format fps frac fraction fresnelc fresnels from frozenset FU fu Function functions fwht Gamma gamma
    gammasimp gcd gcdex Ge gegenbauer genocchi geometry getattr GF gff global globals GoldenRatio
    GramSchmidt GreaterThan grevlex grlex groebner group gruntz Gt hankel1 hankel2 harmonic hasattr hash
    Heaviside help hermite hessian hex hn1 hn2 horner hyper hyperexpand hypersimilar hypersimp I i Id id
    Identity idiff Idx if ifft ifwht igcd igrevlex igrlex ilcm ilex im ImageSet imageset Implies import
    ImportError in Indexed IndexedBase IndexError inf input int Integer IntegerRing Integers Integral
    integrate interactive interpolate Intersection intersection Interval intervals intt Inverse invert
    IOError is isinstance isolate isprime issubclass ITE iter jacobi jn jscode KeyError KroneckerDelta
    laguerre Lambda lambda lambdify LambertW latex LC lcm Le legendre len lerchphi LessThan LeviCivita lex
    Li li license Limit limit Line Line2D Line3D linsolve list list2numpy LM ln locals log logcombine
    loggamma LookupError lowergamma LT Lt lucas map marcumq MatAdd match mathieuc mathieus mathml MatMul
    MatPow Matrix matrix2numpy MatrixBase MatrixExpr MatrixSlice MatrixSymbol Max max maximum meijerg
    MemoryError memoryview Min min minimum minpoly mobius Mod monic Monomial motzkin Mul multigamma
    multiplicity N NameError nan Nand Naturals Naturals0 NDimArray Ne next nextprime nfloat None
    nonlinsolve nonlocal Nor Not not NotAlgebraic npartitions nroots nsimplify nsolve ntheory ntt Number
    NumberSymbol numer O object oct OmegaPower OneMatrix ones oo open OptionError Options Or or ord ord0
    Order ordered Ordinal OSError Parabola parsing partition pass pdiv pdsolve per periodicity Permanent
    permutedims pexquo Pi pi Piecewise Plane plot plotting Point Point2D Point3D polarify PoleError Poly
    poly polygamma Polygon polylog polys POSform posify postfixes Pow pow powdenest PowerSet powsimp pprint
    pquo Predicate prefixes prem pretty preview prevprime prime primefactors primenu primeomega primepi
    primerange primitive primorial print printing prod Product product ProductSet property public PurePoly
    pycode python Q QQ Quaternion quit quo rad radsimp raise randMatrix randprime Range range Rational
    Rationals ratsimp Ray Ray2D Ray3D rcode rcollect re RealField RealNumber Reals reduced refine Rel
    release Rem rem repr reshape residue resultant return reversed rf ring root RootOf rootof roots RootSum
    rot rotations round RR rsolve RuntimeError S satisfiable sec sech Segment Segment2D Segment3D
    separatevars SeqAdd SeqFormula SeqMul SeqPer sequence series Set set setattr seterr sfield shape
    ShapeError Shi Si Sieve sieve sift sign signsimp simplify sin sinc sinh slice solve solveset SOPform
    sorted source SparseMatrix sqf sqrt sqrtdenest srepr sring sstr sstrrepr staticmethod stieltjes str
    strategies StrPrinter sturm subfactorial Subs subsets substitution Sum sum summation super symarray
    Symbol Symbols symbols symmetrize sympify SympifyError SyntaxError SystemError SystemExit TabError
    TableForm take tan tanh tensor test textplot threaded timed TimeoutError together totient Tr Trace
    trace trailing Transpose transpose Triangle tribonacci trigamma trigsimp True true trunc try Tuple
    tuple type TypeError Unequality unflatten UnicodeError Union UniversalSet unpolarify uppergamma use
    UserWarning utilities ValueError var variations vars vectorize vfield viete vring Warning while Wild
    WildFunction with wronskian xfield Xor xring xthreaded yield yn Ynm ZeroMatrix zeros Zeta zeta zip Znm
    zoo ZZ
"
    .split_whitespace()
    .collect()
});

/// The name under which a symbol goes in SymPy: letters, digits and `_`; a prime is `_prime`; what SymPy or Python take
/// for something of their own gets a trailing `_`.
pub fn sympy_name(name: &str) -> String {
    let plain = name.replace('\'', "_prime");
    if TAKEN.contains(plain.as_str()) { format!("{plain}_") } else { plain }
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
        match f {
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
            _ => {}
        }
        self.called(sympy_function_name(f).unwrap_or_else(|| f.name()), args, out)
    }
}

/// SymPy's name of a function; `None` where SymPy has only a spelling by others.
pub fn sympy_function_name(f: Function) -> Option<&'static str> {
    use Function::*;
    Some(match f {
        Abs => "Abs",
        Ceil => "ceiling",
        Mod => "Mod",
        Min => "Min",
        Max => "Max",
        Step => "Heaviside",
        Conj => "conjugate",
        Log10 | Log2 | Round => return None,
        other => other.name(),
    })
}

/// The function of this name in SymPy.
pub fn sympy_function(name: &str) -> Option<Function> {
    let row = FUNCTIONS.iter().find(|row| sympy_function_name(row.function) == Some(name));
    row.map(|row| row.function).or_else(|| (name == "Order").then_some(Function::Order))
}

/// Whether SymPy or Python take a name for something of their own.
pub fn is_taken_by_sympy(name: &str) -> bool {
    TAKEN.contains(name)
}
