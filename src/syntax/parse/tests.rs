//! Tests of reading: the programs that define the look of the language and every lexical rule; faults stand in
//! `mistakes.rs`, what nobody writes on purpose in `limits.rs`.

mod limits;
mod mistakes;

use super::*;
use crate::base::Severity;
use crate::syntax::tree::*;

fn read(text: &str) -> Parsed {
    parse(&Source::new(0, "test", text))
}

/// The tree of a faultless text.
fn tree(text: &str) -> Tree {
    let parsed = read(text);
    assert!(parsed.diagnostics.is_empty(), "{text}\n{:#?}", parsed.diagnostics);
    parsed.tree
}

/// A compact form of an expression, for comparisons in tests only.
fn sketch(tree: &Tree, id: ExprId) -> String {
    let s = |id: &ExprId| sketch(tree, *id);
    let args = |args: &[Arg]| {
        let list: Vec<String> = args
            .iter()
            .map(|a| match &a.name {
                Some(n) => format!("{}:{}", n.name, s(&a.value)),
                None => s(&a.value),
            })
            .collect();
        list.join(" ")
    };
    let unit = |u: &UnitExpr| {
        let list: Vec<String> = u.factors.iter().map(|f| format!("{}^{}", f.symbol, f.power)).collect();
        list.join("*")
    };
    match tree.expr(id) {
        ExprKind::Integer(n) => n.to_string(),
        ExprKind::Float(x) => format!("{x:?}"),
        ExprKind::Name(n) => n.to_string(),
        ExprKind::Str { parts, raw } => {
            let list: Vec<String> = parts
                .iter()
                .map(|p| match p {
                    StrPart::Text(t) => format!("{t:?}"),
                    StrPart::Interpolation { expr, digits } => {
                        format!("{{{}{}}}", s(expr), digits.map_or(String::new(), |d| format!(":{d}")))
                    }
                })
                .collect();
            format!("(str{} {})", if *raw { "r" } else { "" }, list.join(" "))
        }
        ExprKind::Bool(b) => b.to_string(),
        ExprKind::Operator(o) => format!("{o:?}"),
        ExprKind::Neg(x) => format!("(neg {})", s(x)),
        ExprKind::Pos(x) => format!("(pos {})", s(x)),
        ExprKind::Root(x) => format!("(root {})", s(x)),
        ExprKind::Not(x) => format!("(not {})", s(x)),
        ExprKind::Sum(v) => {
            let list: Vec<String> = v
                .iter()
                .map(|(g, x)| format!("{}{}", if *g == Sign::Plus { '+' } else { '-' }, s(x)))
                .collect();
            format!("(sum {})", list.join(" "))
        }
        ExprKind::Product(v) => {
            let list: Vec<String> = v
                .iter()
                .map(|(op, x)| {
                    let op = match op {
                        MulOp::Times => "*",
                        MulOp::Divide => "/",
                        MulOp::Dot => "·",
                        MulOp::Cross => "×",
                    };
                    format!("{op}{}", s(x))
                })
                .collect();
            format!("(prod {})", list.join(" "))
        }
        ExprKind::Juxtaposed(a, b) => format!("(juxt {} {})", s(a), s(b)),
        ExprKind::Power(a, b) => format!("(pow {} {})", s(a), s(b)),
        ExprKind::Compare(a, rest) => {
            let list: Vec<String> = rest.iter().map(|(op, x)| format!("{} {}", op.sign(), s(x))).collect();
            format!("(cmp {} {})", s(a), list.join(" "))
        }
        ExprKind::And(v) => format!("(and {})", v.iter().map(s).collect::<Vec<_>>().join(" ")),
        ExprKind::Or(v) => format!("(or {})", v.iter().map(s).collect::<Vec<_>>().join(" ")),
        ExprKind::Range(a, b) => format!("(range {} {})", s(a), s(b)),
        ExprKind::PlusMinus(a, b) => format!("(pm {} {})", s(a), s(b)),
        ExprKind::WithUnit(a, u) => format!("(unit {} {})", s(a), unit(u)),
        ExprKind::Convert(a, u) => format!("(conv {} {})", s(a), unit(u)),
        ExprKind::If { condition, then, otherwise } => {
            format!("(if {} {} {})", s(condition), s(then), s(otherwise))
        }
        ExprKind::Call { callee, args: a, block } => match block {
            Some(n) => format!("(call{{{n}}} {} {})", s(callee), args(a)),
            None => format!("(call {} {})", s(callee), args(a)),
        },
        ExprKind::Index(a, b) => format!("(index {} {})", s(a), s(b)),
        ExprKind::Member(a, n) => format!("(member {} {})", s(a), n.name),
        ExprKind::List(v) => format!("[{}]", v.iter().map(s).collect::<Vec<_>>().join(" ")),
        ExprKind::Comprehension { body, clauses, condition } => {
            let list: Vec<String> = clauses
                .iter()
                .map(|c| {
                    let names: Vec<&str> = c.names.iter().map(|n| &*n.name).collect();
                    format!("for {} in {}", names.join(","), s(&c.source))
                })
                .collect();
            format!(
                "(comp {} {}{})",
                s(body),
                list.join(" "),
                condition.map_or(String::new(), |c| format!(" if {}", s(&c)))
            )
        }
        ExprKind::Record(v) => format!("{{{}}}", args(v)),
        ExprKind::Pipe(a, b) => format!("(pipe {} {})", s(a), s(b)),
        ExprKind::Error => "ERROR".to_owned(),
    }
}

/// The sketch of a text that is one expression.
fn expr(text: &str) -> String {
    let tree = tree(text);
    match tree.statements.as_slice() {
        [Statement { kind: StatementKind::Expr { value, .. }, .. }] => sketch(&tree, *value),
        other => panic!("{text}: {other:#?}"),
    }
}

/// Codes and hints of a faulty text.
fn faults(text: &str) -> Vec<(u16, String)> {
    read(text).diagnostics.into_iter().map(|d| (d.code.0, d.hint.unwrap_or_default())).collect()
}

/// What is wrong with the faults of a text that should have one, with this code and a hint that holds this text.
fn complaint(text: &str, code: u16, hint: &str) -> Option<String> {
    let parsed = read(text);
    let ok = match parsed.diagnostics.as_slice() {
        [d] => {
            d.code.0 == code
                && d.hint.as_deref().unwrap_or("").contains(hint)
                && d.message.starts_with(|c: char| !c.is_uppercase())
                && !d.message.ends_with('.')
        }
        _ => false,
    };
    let shown: Vec<String> = parsed
        .diagnostics
        .iter()
        .map(|d| format!("{} {} | {:?} @ {:?}", d.code, d.message, d.hint, d.span))
        .collect();
    (!ok).then(|| format!("{text:.60}: wanted {code} {hint:?}, got\n    {}", shown.join("\n    ")))
}

/// Asserts one fault with this code, whose hint holds this text.
fn fault(text: &str, code: u16, hint: &str) {
    if let Some(complaint) = complaint(text, code, hint) {
        panic!("{complaint}");
    }
}

const PROGRAMS: [&str; 5] = [
    r#"# coulomb.phys
var q1, q2  [C]            in 1..5
var r       [m]            in 1..5
var epsilon [C^2/(N*m^2)]  in 1..5

F = q1*q2 / (4*pi*epsilon*r^2)        # unit inferred: [N]

data  = sample(F, points: 1000, noise: 0.01, seed: 7)   # sigma
found = regress(data) {
    time:      20 [s]
    operators: [+, -, *, /, sqrt, exp]
}

found                                  # the Pareto front
plot(found)                            # complexity against loss
check found.best == F                  # same structure
"#,
    "simplify(sin(x)^2 + cos(x)^2 + (x^2 - 1)/(x - 1))
diff(exp(-x^2/2), x, 2)
integrate(1/(1 + x^2), x)
solve(a*x^2 + b*x + c == 0, x)
series(sin(x)/x, x, 0, 6)
L = 1/2*m*v^2 - 1/2*k*x^2
euler_lagrange(L, x, v, t)
latex(diff(x^3/3, x))
9.81 [m/s^2] * 3 [s] -> [km/h]
",
    r#"var t [s] in 0..20
pendulum = system {
    equations: [theta' == omega, omega' == -9.81 [1/s^2]*sin(theta) - 0.1 [1/s]*omega]
    initial:   {theta: 1.2, omega: 0}                     # 0 fits any unit
}
path = integrate(pendulum, t, points: 400)
plot(path.t, path.theta)
seen = observe(path, noise: 0.02, seed: 1)
law  = discover(seen) { method: sindy }                   # or genetic
"#,
    r#"var x in -1..1
var t in 0..1
u = field(x, t)

burgers = pinn {
    equation:   diff(u, t) + u*diff(u, x) == 0.01/pi*diff(u, x, 2)
    conditions: [u(x, 0) == -sin(pi*x), u(-1, t) == 0, u(1, t) == 0]
    network:    mlp(width: 32, depth: 3, activation: tanh)
}
solution = train(burgers) { optimizer: natural_gradient, steps: 300, seed: 1 }
plot(solution)
"#,
    r#"images = galaxies(count: 9000, size: 48, seed: 1)
for net in [cnn(classes: 5), resnet(classes: 5), vit(classes: 5)] {
    model = train(net, images) {
        loss:      cross_entropy
        optimizer: adam(rate: 1e-3)
        epochs:    10
        batch:     64
        patience:  3
    }
    print(evaluate(model, images.test))
    plot(saliency(model, images.test[0]))
}
"#,
];

#[test]
fn the_five_programs_parse() {
    for program in PROGRAMS {
        tree(program);
    }
    let five = tree(PROGRAMS[4]);
    match &five.statements[1].kind {
        StatementKind::For { clause, body } => {
            assert_eq!(&*clause.names[0].name, "net");
            assert_eq!(body.len(), 3);
        }
        other => panic!("{other:#?}"),
    }
}

#[test]
fn precedence_is_that_of_the_table() {
    for (text, want) in [
        ("-x^2", "(neg (pow x 2))"),
        ("2^-1", "(pow 2 (neg 1))"),
        ("2^3^2", "(pow 2 (pow 3 2))"),
        ("√x^2", "(root (pow x 2))"),
        ("2^√x", "(pow 2 (root x))"),
        ("2√x", "(juxt 2 (root x))"),
        ("2x^2", "(juxt 2 (pow x 2))"),
        ("-2x", "(neg (juxt 2 x))"),
        ("3(a+b)", "(juxt 3 (sum +a +b))"),
        ("2f(x)", "(juxt 2 (call f x))"),
        ("x²", "(pow x 2)"),
        ("x⁻¹", "(pow x (neg 1))"),
        ("x²^3", "(pow (pow x 2) 3)"),
        ("x^2²", "(pow x (pow 2 2))"),
        ("2^3 [m]", "(unit (pow 2 3) m^1)"),
        ("-5 [degC]", "(unit (neg 5) degC^1)"),
        ("9.81[m/s^2]", "(unit 9.81 m^1*s^-2)"),
        ("9.81 ± 0.02 [m/s^2]", "(pm 9.81 (unit 0.02 m^1*s^-2))"),
        ("9.81 +/- 0.02", "(pm 9.81 0.02)"),
        ("2*a ± b*3", "(prod *2 *(pm a b) *3)"),
        ("a*b/c*d", "(prod *a *b /c *d)"),
        ("a·b×c", "(prod *a ·b ×c)"),
        ("a+b-c", "(sum +a +b -c)"),
        ("(a+b)+c", "(sum +(sum +a +b) +c)"),
        ("1..n+1", "(range 1 (sum +n +1))"),
        ("0..20 [s]", "(range 0 (unit 20 s^1))"),
        ("1..5", "(range 1 5)"),
        ("1.0..5.0", "(range 1.0 5.0)"),
        ("a + b -> [m]", "(conv (sum +a +b) m^1)"),
        ("a -> [m] -> [km]", "(conv (conv a m^1) km^1)"),
        ("a + b == c", "(cmp (sum +a +b) == c)"),
        ("a < b <= c", "(cmp a < b <= c)"),
        ("a > b >= c", "(cmp a > b >= c)"),
        ("x in 1..5", "(cmp x in (range 1 5))"),
        ("x ∈ xs", "(cmp x in xs)"),
        ("not a == b", "(not (cmp a == b))"),
        ("not a and b or c", "(or (and (not a) b) c)"),
        ("a and b and c", "(and a b c)"),
        ("x |> f(a) |> g", "(pipe (pipe x (call f a)) g)"),
        ("a or b |> f", "(pipe (or a b) f)"),
        ("if a then b else c + d", "(if a b (sum +c +d))"),
        ("if a then b else if c then d else e", "(if a b (if c d e))"),
        ("f(x)[1].a", "(member (index (call f x) 1) a)"),
        ("xs[-1]", "(index xs (neg 1))"),
        ("d[0..10]", "(index d (range 0 10))"),
        ("d[\"orbital period\"]", "(index d (str \"orbital period\"))"),
        ("[1, 2,]", "[1 2]"),
        ("[]", "[]"),
        ("[+, -, *, /, ^, sqrt]", "[Add Sub Mul Div Pow sqrt]"),
        ("[-x, +y]", "[(neg x) (pos y)]"),
        ("f(+, op: *)", "(call f Add op:Mul)"),
        ("[x^2 for x in xs for y in ys if x < y]", "(comp (pow x 2) for x in xs for y in ys if (cmp x < y))"),
        ("[a for a, b in pairs]", "(comp a for a,b in pairs)"),
        ("f(a, key: 1,)", "(call f a key:1)"),
        ("f { a: 1, b: 2 }", "(call{2} f a:1 b:2)"),
        ("f(x) { a: 1 }", "(call{1} f x a:1)"),
        ("f {}", "(call{0} f )"),
        ("m.f { a: 1 }", "(call{1} (member m f) a:1)"),
        ("fs[0] { a: 1 }", "(call{1} (index fs 0) a:1)"),
        ("diff(u, x)(x: 0) == 0", "(cmp (call (call diff u x) x:0) == 0)"),
        ("{theta: 1.2, omega: 0}", "{theta:1.2 omega:0}"),
        ("{\"a b\": 1}", "{a b:1}"),
        ("∂(u, t)", "(call diff u t)"),
        ("∞", "inf"),
        ("a − b ÷ c", "(sum +a -(prod *b /c))"),
        ("a ≤ b", "(cmp a <= b)"),
        ("a ≠ b", "(cmp a != b)"),
        ("v → [m]", "(conv v m^1)"),
        ("x′", "x'"),
        ("1_000_000", "1000000"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ("1e-3", "0.001"),
        ("1_0.5e2", "1050.0"),
        ("true and false", "(and true false)"),
        ("x₁ + ω₀", "(sum +x1 +omega0)"),
        ("--x", "(neg (neg x))"),
        ("a - -b", "(sum +a -(neg b))"),
        ("2e", "(juxt 2 e)"),
        ("data.in.for", "(member (member data in) for)"),
        ("f(in: 1, unit: 2)", "(call f in:1 unit:2)"),
        ("x   [ m / s ]", "(unit x m^1*s^-1)"),
        ("f(x) [m]", "(unit (call f x) m^1)"),
        ("[1 [m], 2 [m]]", "[(unit 1 m^1) (unit 2 m^1)]"),
        ("(3 [m])^2", "(pow (unit 3 m^1) 2)"),
        ("[[1, 2], [3, 4]]", "[[1 2] [3 4]]"),
        ("f'' + f'", "(sum +f'' +f')"),
        ("0x", "(juxt 0 x)"),
        ("1.234((5))", "(juxt 1.234 5)"),
    ] {
        assert_eq!(expr(text), want, "{text}");
    }
}

#[test]
fn strings_interpolate() {
    for (text, want) in [
        (r#""plain""#, r#"(str "plain")"#),
        (r#""""#, "(str )"),
        (r#""a {x} b""#, r#"(str "a " {x} " b")"#),
        (r#""{x:4}""#, "(str {x:4})"),
        (r#""{x}{y}""#, "(str {x} {y})"),
        (r#""{f(a: 4)}""#, "(str {(call f a:4)})"),
        (r#""{d["b"]}""#, r#"(str {(index d (str "b"))})"#),
        (r#""{"{x}"}""#, "(str {(str {x})})"),
        (r#""{{a: 1}}""#, "(str {{a:1}})"),
        (r#""\{\"\n\\\}""#, r#"(str "{\"\n\\}")"#),
        (r#""} ok""#, r#"(str "} ok")"#),
        (r#"r"\alpha {x}""#, r#"(strr "\\alpha {x}")"#),
        (r#""é\\""#, r#"(str "é\\")"#),
        ("\"# no comment\"", r##"(str "# no comment")"##),
        (r#""{if a then b else c}""#, "(str {(if a b c)})"),
    ] {
        assert_eq!(expr(text), want, "{text}");
    }
}

/// How many statements a text has, and their sketches where they are expressions.
fn lines(text: &str) -> Vec<String> {
    let tree = tree(text);
    tree.statements
        .iter()
        .map(|s| match &s.kind {
            StatementKind::Expr { value, .. } => sketch(&tree, *value),
            StatementKind::Bind { names, value, .. } => {
                let names: Vec<&str> = names.iter().map(|n| &*n.name).collect();
                format!("{} = {}", names.join(","), sketch(&tree, *value))
            }
            other => format!("{other:?}").split([' ', '{']).next().unwrap_or("").to_owned(),
        })
        .collect()
}

#[test]
fn newlines_end_statements_where_they_can() {
    for (text, want) in [
        ("a\nb", vec!["a", "b"]),
        ("a +\nb", vec!["(sum +a +b)"]),
        ("(a\n+ b)", vec!["(sum +a +b)"]),
        ("[1,\n2\n]", vec!["[1 2]"]),
        ("x =\n  3", vec!["x = 3"]),
        ("x\n* 3", vec!["(prod *x *3)"]),
        ("x\n|> f\n|> g", vec!["(pipe (pipe x f) g)"]),
        ("x\n.a", vec!["(member x a)"]),
        ("a\nand b\nor c", vec!["(or (and a b) c)"]),
        ("a\n== b", vec!["(cmp a == b)"]),
        ("if a\nthen b\nelse c", vec!["(if a b c)"]),
        ("a\n[1]", vec!["a", "[1]"]),
        ("a\n(b)", vec!["a", "b"]),
        ("a; b;\nc", vec!["a", "b", "c"]),
        ("f\n{\n a: 1\n b: 2\n}", vec!["(call{2} f a:1 b:2)"]),
        ("f(x: {a: 1\n b: 2})", vec!["(call f x:{a:1 b:2})"]),
        ("f {\n a: 1 +\n 2,\n b: 3; c: 4\n\n}", vec!["(call{3} f a:(sum +1 +2) b:3 c:4)"]),
        ("f {\n op: +\n b: *\n}", vec!["(call{2} f op:Add b:Mul)"]),
        ("f {\n in: 1\n then: 2\n}", vec!["(call{2} f in:1 then:2)"]),
        ("a\n\n\n# note\nb", vec!["a", "b"]),
        ("a # note\n# more\n + 0", vec![]),
        ("", vec![]),
        ("\n\n;;\n", vec![]),
        ("a\r\nb\r\n", vec!["a", "b"]),
        ("\u{FEFF}a", vec!["a"]),
        ("f(\n  a,\n  b\n)\nc", vec!["(call f a b)", "c"]),
    ] {
        if want.is_empty() && text.contains('+') {
            fault(text, 1012, "end the line above with +");
            continue;
        }
        assert_eq!(lines(text), want, "{text}");
    }
}

#[test]
fn statements_of_every_kind() {
    let source = r#"
## The mass.
## In kilograms.
var m, M [kg] real > 0 != 0 in 1..5
var z complex
var r[m] in 1..5
var n integer in [1, 2, 3]
param a [m] = 1 in 0..10
param b = 2
const G = 6.67430e-11 ± 0.00015e-11 [m^3/(kg*s^2)]
unit furlong = 201.168 [m]
unit metre, m, Ω, %
unit newton, N = 1 [kg*m/s^2]
f(x, n: integer = 3) = x^n where k = 2, g(y) = y + k
a, b = pair
y = g(a) + b
    where a = 1,
          g(t) = t^2
check f(2) == 8
check close(a, b, rel: 1e-6) where a = 1
for i, x in xs { print(i) }
for i in 1..3 {
    if i > 1 { y = i } else if i == 0 {
        y = 2
    }
    else {
        y = 3
    }
    z = 1; w = 2
}
if a > b { c = 1 }
if a then b else c
rule sqrt(x^2) => x when x >= 0
rule sin(x)^2 + cos(x)^2 ⇒ 1
extern regress(data: dataset,
               target: name = last,
               method: one_of(auto, closed) = auto,
               operators: list[function] = [+, -, *, /],
               time: quantity[s] = 60 [s],
               size: integer?,
               in: record{a: real, b: list[quantity[m/s]]},
               items: any...) -> front
extern sqrt(x: quantity[u]) -> quantity[u^(1/2)]
extern split(d: dataset) -> record{test: dataset, train: dataset}
extern none() -> list[real]?
use module
use a.b as b
use a.b: x, y
use "file.phys"
use physics.constants: c, hbar
print("{x:4}");
"#;
    let tree = tree(source);
    let kinds: Vec<String> = tree
        .statements
        .iter()
        .map(|s| format!("{:?}", s.kind).split([' ', '{']).next().unwrap_or("").to_owned())
        .collect();
    assert_eq!(
        kinds.join(" "),
        "Var Var Var Var Param Param Const Unit Unit Unit Define Bind Bind Check Check For For If Expr Rule Rule \
         Extern Extern Extern Extern Use Use Use Use Use Expr"
    );
    assert_eq!(tree.statements[0].doc.as_deref(), Some("The mass.\nIn kilograms."));
    assert!(tree.statements.last().unwrap().quiet && !tree.statements[0].quiet);
    match &tree.statements[0].kind {
        StatementKind::Var { names, unit, assumptions, domain } => {
            assert_eq!(names.len(), 2);
            assert_eq!(unit.as_ref().unwrap().factors[0].symbol.as_ref(), "kg");
            let kinds: Vec<AssumptionKind> = assumptions.iter().map(|a| a.kind).collect();
            assert_eq!(
                kinds,
                [
                    AssumptionKind::Real,
                    AssumptionKind::Sign(CompareOp::Gt),
                    AssumptionKind::Sign(CompareOp::Ne)
                ]
            );
            assert_eq!(sketch(&tree, domain.unwrap()), "(range 1 5)");
        }
        other => panic!("{other:?}"),
    }
    match &tree.statements[8].kind {
        StatementKind::Unit { names, value: None } => {
            let names: Vec<&str> = names.iter().map(|n| &*n.name).collect();
            assert_eq!(names, ["metre", "m", "Ω", "%"]);
        }
        other => panic!("{other:?}"),
    }
    match &tree.statements[10].kind {
        StatementKind::Define { params, wheres, .. } => {
            assert_eq!((params.len(), wheres.len()), (2, 2));
            assert!(wheres[1].params.is_some());
        }
        other => panic!("{other:?}"),
    }
    match &tree.statements[21].kind {
        StatementKind::Extern { params, result, .. } => {
            assert_eq!(params.len(), 8);
            assert!(params[7].variadic && params[4].default.is_some());
            assert!(matches!(params[5].ty, Some(TypeExpr::Optional(_))));
            assert!(matches!(result, TypeExpr::Named(i) if &*i.name == "front"));
        }
        other => panic!("{other:?}"),
    }
    match &tree.statements[17].kind {
        StatementKind::If { branches, otherwise } => {
            assert_eq!((branches.len(), otherwise.is_some()), (1, false))
        }
        other => panic!("{other:?}"),
    }
    match &tree.statements[16].kind {
        StatementKind::For { body, .. } => {
            assert_eq!(body.len(), 3);
            assert!(
                matches!(&body[0].kind, StatementKind::If { branches, otherwise } if branches.len() == 2 && otherwise.is_some())
            );
            assert!(body[1].quiet);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_prompt_learns_whether_more_must_come() {
    for text in [
        "f(",
        "x = 1 +",
        "x =",
        "for x in xs {",
        "for x in xs",
        "f {\n a: 1",
        "[1,",
        "if a then b else",
        "if a then",
        "x |>",
        "(a\n+ b",
        "not",
        "f(x) where",
        "var x in",
        "x ±",
    ] {
        assert!(read(text).incomplete, "{text}");
    }
    for text in ["f(x)", "x = 1", ") + (", "2 m (", "\"abc", "", "# note", "for x in xs { }", "a b"] {
        assert!(!read(text).incomplete, "{text}");
    }
}

#[test]
fn spans_are_exact() {
    let text = "## doc\nx  = (a + b)*2 [m]  where a = 1 # c\n\nf(α, k: 1) { c: 3 }\n";
    let source = Source::new(3, "t", text);
    let parsed = parse(&source);
    assert!(parsed.diagnostics.is_empty());
    let t = &parsed.tree;
    assert_eq!(source.slice(t.statements[0].span), "x  = (a + b)*2 [m]  where a = 1");
    assert_eq!(source.slice(t.statements[1].span), "f(α, k: 1) { c: 3 }");
    let mut texts: Vec<&str> = t.exprs.iter().map(|e| source.slice(e.span)).collect();
    texts.sort_unstable();
    for want in ["a", "b", "a + b", "2", "2 [m]", "(a + b)*2 [m]", "α", "f(α, k: 1) { c: 3 }"] {
        assert!(texts.contains(&want), "{want}: {texts:?}");
    }
    assert!(t.exprs.iter().all(|e| e.span.source == 3));
    assert_eq!(source.slice(t.comments[1].span), "# c");
    assert!(t.comments[0].doc && t.comments[0].own_line && !t.comments[1].own_line);
}

#[test]
fn documentation_belongs_to_the_line_below() {
    let tree = tree(
        "## one\n## two\nx = 1\n\n## far\n\ny = 2\n## z\n# note\nz = 3\nw = 4 ## trailing\nv = 5\nfor i in xs {\n  ## inner\n  u = 1\n}\n",
    );
    let docs: Vec<Option<&str>> = tree.statements.iter().map(|s| s.doc.as_deref()).collect();
    assert_eq!(docs, [Some("one\ntwo"), None, None, None, None, None]);
    match &tree.statements[5].kind {
        StatementKind::For { body, .. } => assert_eq!(body[0].doc.as_deref(), Some("inner")),
        other => panic!("{other:?}"),
    }
}

/// A definition says what it returns, and a conversion stays one.
#[test]
fn results_of_definitions_have_types() {
    let result = |text: &str| {
        let tree = tree(text);
        match &tree.statements[0].kind {
            StatementKind::Define { result, .. } => {
                format!("{result:?}").split('(').take(2).collect::<Vec<_>>().join("(")
            }
            other => format!("{other:?}").split([' ', '{']).next().unwrap_or("").to_owned(),
        }
    };
    assert_eq!(result("f(x) = x"), "None");
    assert_eq!(result("f(x) -> real = x"), "Some(Named");
    assert_eq!(result("f(x, n: integer = 3) -> quantity[m^2/s] = x"), "Some(Quantity");
    assert_eq!(result("f(x)\n    -> list[list[real]]? = [[x]]"), "Some(Optional");
    assert_eq!(result("f(x) -> one_of(a, b) = x"), "Some(OneOf");
    assert_eq!(result("f(x) -> record{a: real} = {a: x}"), "Some(Record");
    assert_eq!(result("f(x) -> [km]"), "Expr");
    assert_eq!(result("f(x) -> [km] == 3 [km]"), "Expr");
}
