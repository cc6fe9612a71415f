//! Tests of reading: the programs that define the look of the language, every lexical rule, every fault with
//! its hint, and that nothing makes the parser panic.

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

/// Asserts one fault with this code, whose hint holds this text.
fn fault(text: &str, code: u16, hint: &str) {
    let parsed = read(text);
    match parsed.diagnostics.as_slice() {
        [d] => {
            assert_eq!(d.code.0, code, "{text}: {}", d.message);
            assert!(d.hint.as_deref().unwrap_or("").contains(hint), "{text}: {:?}", d.hint);
            assert!(
                d.message.starts_with(|c: char| !c.is_uppercase()) && !d.message.ends_with('.'),
                "{}",
                d.message
            );
        }
        other => panic!("{text}: {other:#?}"),
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
