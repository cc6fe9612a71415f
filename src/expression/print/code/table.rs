//! The words of the languages: one row a function, one column a language, and what else differs between them. Helper
//! functions are written into a file where its formula calls them.

use super::Target;
use crate::expression::function::Function;

/// What a language writes in its own way.
pub(super) struct Dialect {
    pub(super) word: &'static str,
    pub(super) title: &'static str,
    pub(super) extension: &'static str,
    /// The column of [`ROWS`].
    column: usize,
    pub(super) pi: &'static str,
    pub(super) e: &'static str,
    pub(super) infinity: &'static str,
    pub(super) nan: &'static str,
    pub(super) truth: (&'static str, &'static str),
    pub(super) negation: &'static str,
    pub(super) sqrt: &'static str,
    /// The cube root; of numbers that are not negative, since powers are principal values.
    pub(super) cbrt: Option<&'static str>,
    pub(super) power: &'static str,
    /// Name and text of helper functions.
    pub(super) helpers: &'static [(&'static str, &'static str)],
    /// What no variable may be called.
    pub(super) reserved: &'static [&'static str],
}

impl Dialect {
    /// How a function is called: `{0}` is its first argument, `{0@}` the same where it must be an atom. `None` where
    /// the language lacks it.
    pub(super) fn function(&self, f: Function) -> Option<&'static str> {
        let row = ROWS.iter().find(|(own, _)| *own == f)?;
        Some(row.1[self.column]).filter(|t| !t.is_empty())
    }
}

impl Target {
    /// Its words.
    pub(super) fn dialect(self) -> &'static Dialect {
        match self {
            Target::C => &C,
            Target::Rust => &RUST,
            Target::Numpy => &NUMPY,
            Target::Pytorch => &PYTORCH,
            Target::Jax => &JAX,
        }
    }
}

macro_rules! rows {
    ($($function:ident $c:literal, $rust:literal, $numpy:literal, $pytorch:literal, $jax:literal;)*) => {
        /// All functions in C, Rust, NumPy, PyTorch and JAX; empty where a language has none.
        const ROWS: &[(Function, [&str; 5])] =
            &[$((Function::$function, [$c, $rust, $numpy, $pytorch, $jax])),*];
    };
}

#[rustfmt::skip]
rows! {
    Exp       "exp({0})",           "{0@}.exp()",         "np.exp({0})",               "torch.exp({0})",               "jnp.exp({0})";
    Log       "log({0})",           "{0@}.ln()",          "np.log({0})",               "torch.log({0})",               "jnp.log({0})";
    Log10     "log10({0})",         "{0@}.log10()",       "np.log10({0})",             "torch.log10({0})",             "jnp.log10({0})";
    Log2      "log2({0})",          "{0@}.log2()",        "np.log2({0})",              "torch.log2({0})",              "jnp.log2({0})";
    Sin       "sin({0})",           "{0@}.sin()",         "np.sin({0})",               "torch.sin({0})",               "jnp.sin({0})";
    Cos       "cos({0})",           "{0@}.cos()",         "np.cos({0})",               "torch.cos({0})",               "jnp.cos({0})";
    Tan       "tan({0})",           "{0@}.tan()",         "np.tan({0})",               "torch.tan({0})",               "jnp.tan({0})";
    Asin      "asin({0})",          "{0@}.asin()",        "np.arcsin({0})",            "torch.asin({0})",              "jnp.arcsin({0})";
    Acos      "acos({0})",          "{0@}.acos()",        "np.arccos({0})",            "torch.acos({0})",              "jnp.arccos({0})";
    Atan      "atan({0})",          "{0@}.atan()",        "np.arctan({0})",            "torch.atan({0})",              "jnp.arctan({0})";
    Atan2     "atan2({0}, {1})",    "{0@}.atan2({1})",    "np.arctan2({0}, {1})",      "torch.atan2(*both({0}, {1}))", "jnp.arctan2({0}, {1})";
    Sinh      "sinh({0})",          "{0@}.sinh()",        "np.sinh({0})",              "torch.sinh({0})",              "jnp.sinh({0})";
    Cosh      "cosh({0})",          "{0@}.cosh()",        "np.cosh({0})",              "torch.cosh({0})",              "jnp.cosh({0})";
    Tanh      "tanh({0})",          "{0@}.tanh()",        "np.tanh({0})",              "torch.tanh({0})",              "jnp.tanh({0})";
    Asinh     "asinh({0})",         "{0@}.asinh()",       "np.arcsinh({0})",           "torch.asinh({0})",             "jnp.arcsinh({0})";
    Acosh     "acosh({0})",         "{0@}.acosh()",       "np.arccosh({0})",           "torch.acosh({0})",             "jnp.arccosh({0})";
    Atanh     "atanh({0})",         "{0@}.atanh()",       "np.arctanh({0})",           "torch.atanh({0})",             "jnp.arctanh({0})";
    Abs       "fabs({0})",          "{0@}.abs()",         "np.abs({0})",               "torch.abs({0})",               "jnp.abs({0})";
    Sign      "sign({0})",          "sign({0})",          "np.sign({0})",              "torch.sign({0})",              "jnp.sign({0})";
    Step      "step({0})",          "step({0})",          "np.heaviside({0}, 0.5)",    "step({0})",                    "jnp.heaviside({0}, 0.5)";
    Floor     "floor({0})",         "{0@}.floor()",       "np.floor({0})",             "torch.floor({0})",             "jnp.floor({0})";
    Ceil      "ceil({0})",          "{0@}.ceil()",        "np.ceil({0})",              "torch.ceil({0})",              "jnp.ceil({0})";
    Round     "round({0})",         "{0@}.round()",       "round_away({0})",           "round_away({0})",              "round_away({0})";
    Mod       "modulo({0}, {1})",   "modulo({0}, {1})",   "modulo({0}, {1})",          "modulo({0}, {1})",             "modulo({0}, {1})";
    Min       "fmin({0}, {1})",     "{0@}.min({1})",      "np.fmin({0}, {1})",         "torch.fmin(*both({0}, {1}))",  "jnp.fmin({0}, {1})";
    Max       "fmax({0}, {1})",     "{0@}.max({1})",      "np.fmax({0}, {1})",         "torch.fmax(*both({0}, {1}))",  "jnp.fmax({0}, {1})";
    Factorial "tgamma(1.0 + {0@})", "",                   "special.gamma(1.0 + {0@})", "gamma_function(1.0 + {0@})",   "special.gamma(1.0 + {0@})";
    Gamma     "tgamma({0})",        "",                   "special.gamma({0})",        "gamma_function({0})",          "special.gamma({0})";
    LogGamma  "lgamma({0})",        "",                   "special.gammaln({0})",      "torch.lgamma({0})",            "special.gammaln({0})";
    Erf       "erf({0})",           "",                   "special.erf({0})",          "torch.erf({0})",               "special.erf({0})";
    Erfc      "erfc({0})",          "",                   "special.erfc({0})",         "torch.erfc({0})",              "special.erfc({0})";
    Re        "{0@}",               "{0@}",               "{0@}",                      "{0@}",                         "{0@}";
    Im        "(0.0*{0@})",         "(0.0*{0@})",         "(0.0*{0@})",                "(0.0*{0@})",                   "(0.0*{0@})";
    Conj      "{0@}",               "{0@}",               "{0@}",                      "{0@}",                         "{0@}";
    Arg       "atan2(0.0, {0})",    "0.0_f64.atan2({0})", "np.arctan2(0.0, {0})",      "torch.atan2(*both(0.0, {0}))", "jnp.arctan2(0.0, {0})";
    Order     "",                   "",                   "",                          "",                             "";
}

/// Of C and Rust, the functions of the file's own.
const OWN: &str = "law sign step modulo";

const C: Dialect = Dialect {
    word: "c",
    title: "C",
    extension: "c",
    column: 0,
    pi: "3.141592653589793",
    e: "2.718281828459045",
    infinity: "INFINITY",
    nan: "NAN",
    truth: ("1", "0"),
    negation: "!",
    sqrt: "sqrt({0})",
    cbrt: Some("cbrt({0})"),
    power: "pow({0}, {1})",
    helpers: &[
        (
            "sign",
            "static double sign(double x) {\n    return x > 0.0 ? 1.0 : x < 0.0 ? -1.0 : 0.0*x;\n}\n",
        ),
        (
            "step",
            "static double step(double x) {\n    return x > 0.0 ? 1.0 : x < 0.0 ? 0.0 : 0.5 + 0.0*x;\n}\n",
        ),
        ("modulo", "static double modulo(double a, double b) {\n    return a - b*floor(a/b);\n}\n"),
    ],
    reserved: &[
        OWN,
        "auto break case char const continue default do double else enum extern float for goto if inline int long
         register restrict return short signed sizeof static struct switch typedef union unsigned void volatile
         while alignas alignof bool complex imaginary noreturn static_assert thread_local true false nullptr constexpr
         typeof asm fortran main errno signgam I",
        "acos acosh asin asinh atan atan2 atanh cbrt ceil copysign cos cosh erf erfc exp exp2 exp10 expm1 fabs fdim
         floor fma fmax fmin fmod frexp gamma hypot ilogb j0 j1 jn ldexp lgamma llrint llround log log10 log1p log2
         logb lrint lround modf nan nearbyint nextafter nexttoward pow remainder remquo rint round roundeven scalb
         scalbln scalbn significand sin sincos sinh sqrt tan tanh tgamma trunc y0 y1 yn drem finite isinf isnan
         signbit isfinite isnormal fpclassify isgreater isless isunordered abs div labs NAN INFINITY HUGE_VAL
         double_t float_t",
    ],
};

const RUST: Dialect = Dialect {
    word: "rust",
    title: "Rust",
    extension: "rs",
    column: 1,
    pi: "std::f64::consts::PI",
    e: "std::f64::consts::E",
    infinity: "f64::INFINITY",
    nan: "f64::NAN",
    truth: ("true", "false"),
    negation: "!",
    sqrt: "{0@}.sqrt()",
    cbrt: Some("{0@}.cbrt()"),
    power: "{0@}.powf({1})",
    helpers: &[
        (
            "sign",
            "fn sign(x: f64) -> f64 {\n    if x > 0.0 {\n        1.0\n    } else if x < 0.0 {\n        -1.0\n    } else {\n        \
             0.0*x\n    }\n}\n",
        ),
        (
            "step",
            "fn step(x: f64) -> f64 {\n    if x > 0.0 {\n        1.0\n    } else if x < 0.0 {\n        0.0\n    } else {\n        \
             0.5 + 0.0*x\n    }\n}\n",
        ),
        ("modulo", "fn modulo(a: f64, b: f64) -> f64 {\n    a - b*(a/b).floor()\n}\n"),
    ],
    reserved: &[
        OWN,
        "as async await break const continue crate dyn else enum extern false fn for gen if impl in let loop match
         mod move mut pub ref return self Self static struct super trait true type union unsafe use where while
         abstract become box do final macro override priv try typeof unsized virtual yield macro_rules raw safe
         f64 std core main",
    ],
};

const PYTHON: &str = "False None True and as assert async await break class continue def del elif else except finally
                      for from global if import in is lambda nonlocal not or pass raise return try while with yield
                      match case type constants CONSTANTS law Law special modulo round_away float tuple super dict";

const NUMPY: Dialect = Dialect {
    word: "numpy",
    title: "NumPy",
    extension: "py",
    column: 2,
    pi: "np.pi",
    e: "np.e",
    infinity: "np.inf",
    nan: "np.nan",
    truth: ("True", "False"),
    negation: "np.logical_not",
    sqrt: "np.sqrt({0})",
    cbrt: Some("np.cbrt({0})"),
    power: "np.power({0}, {1})",
    helpers: &[
        ("modulo", "def modulo(a, b):\n    return a - b*np.floor(a/b)\n"),
        (
            "round_away",
            "def round_away(x):\n    \"\"\"The nearest integer; a half goes away from zero.\"\"\"\n    whole = np.trunc(x)\n    \
             return whole + np.sign(x)*(np.abs(x - whole) >= 0.5)\n",
        ),
    ],
    reserved: &[PYTHON, "np"],
};

const PYTORCH: Dialect = Dialect {
    word: "pytorch",
    title: "PyTorch",
    extension: "py",
    column: 3,
    pi: "torch.pi",
    e: "torch.e",
    infinity: "torch.inf",
    nan: "torch.nan",
    truth: ("True", "False"),
    negation: "torch.logical_not",
    sqrt: "torch.sqrt({0})",
    cbrt: None,
    power: "{0@}**{1@}",
    helpers: &[
        (
            "both",
            "def both(a, b):\n    \"\"\"Two operands as tensors.\"\"\"\n    \
             like = next((v for v in (a, b) if torch.is_tensor(v)), torch.zeros((), dtype=torch.float64))\n    \
             return tuple(v if torch.is_tensor(v) else torch.as_tensor(v, dtype=like.dtype, device=like.device) \
             for v in (a, b))\n",
        ),
        ("step", "def step(x):\n    return 0.5*(torch.sign(x) + 1.0)\n"),
        ("modulo", "def modulo(a, b):\n    a, b = both(a, b)\n    return a - b*torch.floor(a/b)\n"),
        (
            "round_away",
            "def round_away(x):\n    \"\"\"The nearest integer; a half goes away from zero.\"\"\"\n    \
             whole = torch.trunc(x)\n    return whole + torch.sign(x)*(torch.abs(x - whole) >= 0.5)\n",
        ),
        (
            "gamma_function",
            "def gamma_function(x):\n    sign = torch.where(x > 0.0, 1.0, 1.0 - 2.0*torch.remainder(torch.floor(x), 2.0))\n    \
             return sign*torch.exp(torch.lgamma(x))\n",
        ),
    ],
    reserved: &[
        PYTHON,
        "torch both step gamma_function",
        "T_destination add_module apply bfloat16 buffers call_super_init children compile cpu cuda double dump_patches
         eval extra_repr float forward get_buffer get_extra_state get_parameter get_submodule half ipu
         load_state_dict modules mtia named_buffers named_children named_modules named_parameters parameters
         register_backward_hook register_buffer register_forward_hook register_forward_pre_hook
         register_full_backward_hook register_full_backward_pre_hook register_load_state_dict_post_hook
         register_load_state_dict_pre_hook register_module register_parameter register_state_dict_post_hook
         register_state_dict_pre_hook requires_grad_ set_extra_state set_submodule share_memory state_dict to
         to_empty train training type xpu zero_grad self",
    ],
};

const JAX: Dialect = Dialect {
    word: "jax",
    title: "JAX",
    extension: "py",
    column: 4,
    pi: "jnp.pi",
    e: "jnp.e",
    infinity: "jnp.inf",
    nan: "jnp.nan",
    truth: ("True", "False"),
    negation: "jnp.logical_not",
    sqrt: "jnp.sqrt({0})",
    cbrt: Some("jnp.cbrt({0})"),
    power: "jnp.power({0}, {1})",
    helpers: &[
        ("modulo", "def modulo(a, b):\n    return a - b*jnp.floor(a/b)\n"),
        (
            "round_away",
            "def round_away(x):\n    \"\"\"The nearest integer; a half goes away from zero.\"\"\"\n    whole = jnp.trunc(x)\n    \
             return whole + jnp.sign(x)*(jnp.abs(x - whole) >= 0.5)\n",
        ),
    ],
    reserved: &[PYTHON, "jnp jax"],
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::function::FUNCTIONS;

    #[test]
    fn every_function_has_its_row_and_every_helper_is_called() {
        for row in FUNCTIONS {
            assert_eq!(ROWS.iter().filter(|(f, _)| *f == row.function).count(), 1, "{}", row.name);
        }
        for target in Target::ALL {
            let dialect = target.dialect();
            assert_eq!(Target::from_word(dialect.word), Some(target));
            for (name, text) in dialect.helpers {
                let called = |t: &str| t.contains(&format!("{name}("));
                let used = ROWS.iter().any(|(_, words)| called(words[dialect.column]));
                assert!(used, "{name} of {}", dialect.title);
                assert!(text.contains(&format!("{name}(")));
                assert!(dialect.reserved.iter().any(|w| w.split_whitespace().any(|w| w == *name)), "{name}");
            }
        }
    }
}
