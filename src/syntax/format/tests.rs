//! Laws of the formatter: its output parses to the same tree, formats to itself and keeps every comment; printed
//! expressions read back. Checked on every program of the repository, on random trees, and on programs with comments
//! and line ends thrown in.

use super::format;
use crate::base::{Number, Source, Span};
use crate::syntax::print::print_expr;
use crate::syntax::tree::*;
use crate::syntax::{Parsed, parse, same_tree};
use proptest::prelude::*;

fn read(text: &str) -> (Source, Parsed) {
    let source = Source::new(0, "test", text);
    let parsed = parse(&source);
    (source, parsed)
}

fn formatted(text: &str) -> String {
    let (source, parsed) = read(text);
    format(&source, &parsed)
}

fn comments(source: &Source, parsed: &Parsed) -> Vec<String> {
    parsed
        .tree
        .comments
        .iter()
        .map(|c| source.slice(c.span).trim_start_matches('#').trim().to_owned())
        .collect()
}

/// What breaks a law of the formatter on a text, if it is faultless.
fn complaint(text: &str) -> Option<String> {
    let (source, parsed) = read(text);
    if parsed.has_errors() {
        return None;
    }
    let once = format(&source, &parsed);
    let (second, again) = read(&once);
    if again.has_errors() {
        return Some(format!("no longer parses: {:?}\n--- from\n{text}\n--- to\n{once}", again.diagnostics));
    }
    if !same_tree(&parsed.tree, &again.tree) {
        return Some(format!("another tree\n--- from\n{text}\n--- to\n{once}"));
    }
    if comments(&source, &parsed) != comments(&second, &again) {
        return Some(format!("comments lost\n--- from\n{text}\n--- to\n{once}"));
    }
    let twice = format(&second, &again);
    (twice != once).then(|| format!("formats on\n--- from\n{text}\n--- once\n{once}\n--- twice\n{twice}"))
}

/// Every program of the repository, with its path.
fn corpus() -> &'static [(String, String)] {
    static FILES: std::sync::OnceLock<Vec<(String, String)>> = std::sync::OnceLock::new();
    FILES.get_or_init(read_corpus)
}

fn read_corpus() -> Vec<(String, String)> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders: Vec<_> = ["stdlib", "tests/spec", "examples"].iter().map(|f| root.join(f)).collect();
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "phys") {
                files.push((path.display().to_string(), std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    files.sort();
    files
}

#[test]
fn every_program_keeps_its_tree_and_its_comments() {
    let complaints: Vec<String> =
        corpus().iter().filter_map(|(name, text)| complaint(text).map(|c| format!("{name}: {c}"))).collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn the_standard_layout() {
    for (text, want) in [
        ("x=1", "x = 1\n"),
        ("a   +b*  c / d", "a + b*c/d\n"),
        ("f( a,b , key :1, )", "f(a, b, key: 1)\n"),
        ("f{a:1;b:2}", "f { a: 1, b: 2 }\n"),
        ("r={a:1,b:2}", "r = {a: 1, b: 2}\n"),
        ("f(x){a:1}", "f(x) { a: 1 }\n"),
        ("f {\n}", "f {}\n"),
        ("1 .. n + 1", "1..n+1\n"),
        ("xs[ 1 ]", "xs[1]\n"),
        ("9.81[ m / s^2 ]*3[s]->[km/h]", "9.81 [m/s^2] * 3 [s] -> [km/h]\n"),
        ("a±b", "a ± b\n"),
        ("((a))+((b*c))", "a + b*c\n"),
        ("(a+b)*c", "(a + b)*c\n"),
        ("π*x² + 1_000", "π*x² + 1_000\n"),
        ("a ≤ b", "a <= b\n"),
        ("2x", "2x\n"),
        ("x  # note", "x  # note\n"),
        ("\n\n# a\n\n\n\nx\n\n\n", "# a\n\nx\n"),
        ("if a{b=1}else{c=2}", "if a { b = 1 } else { c = 2 }\n"),
        (
            "for x in xs{\nprint(x)\n\n\ny=1;z=2\n}",
            "for x in xs {\n    print(x)\n\n    y = 1;\n    z = 2\n}\n",
        ),
        ("for x in (f{a:1}) { }", "for x in (f { a: 1 }) { }\n"),
        ("if (f {a:1}).b > 2 { x = 1 }", "if (f { a: 1 }).b > 2 { x = 1 }\n"),
        ("(if a then b else c)+1", "(if a then b else c) + 1\n"),
        ("f(x,n:integer=3)=x^n where k=2,g(y)=y", "f(x, n: integer = 3) = x^n where k = 2, g(y) = y\n"),
        (
            "f(x)->quantity[ m/s ]=x\ng(y) -> list[real]?=[y]",
            "f(x) -> quantity[m/s] = x\ng(y) -> list[real]? = [y]\n",
        ),
        ("y = a\n where a=1,\n b=2", "y = a\n    where a = 1,\n        b = 2\n"),
        ("var r,s[m]real>0 in 1..5", "var r, s [m] real > 0 in 1..5\n"),
        ("unit metre,m,%", "unit metre, m, %\n"),
        (
            "extern f(x:real,y:list[real]?=3,z:any...)->quantity[ m ]",
            "extern f(x: real, y: list[real]? = 3, z: any...) -> quantity[m]\n",
        ),
        ("use a . b:x,y", "use a.b: x, y\n"),
        ("rule a=>b when c", "rule a => b when c\n"),
        ("f {\n  a: 1  # one\n  # two\n\n  b: 2\n}", "f {\n    a: 1  # one\n    # two\n\n    b: 2\n}\n"),
        ("f {\n  a:    1\n  long: 2\n}", "f {\n    a:    1\n    long: 2\n}\n"),
        ("f {\n  a: 1\n  long: 2\n}", "f {\n    a: 1\n    long: 2\n}\n"),
        ("a  = 1\nbc = 2", "a  = 1\nbc = 2\n"),
        ("a = 1\nbc = 2", "a = 1\nbc = 2\n"),
        ("[\n1, 2]", "[\n    1,\n    2\n]\n"),
        ("x = a + # why\n b", "x = a + b  # why\n"),
        ("x = a +\n ## why\n b\ny = 1", "x = a + b\n# why\ny = 1\n"),
        ("x |> f |> g(a)", "x |> f |> g(a)\n"),
        ("\"{ x :4}\"", "\"{ x :4}\"\n"),
        // Not the number 3e-1.
        ("1e- 0 .. 3e - b", "1e - 0..3e - b\n"),
        ("x ± 2E+ 1 .. b*3e- 1", "x ± 2E + 1..b*3e - 1\n"),
        ("1 .. e - 1", "1..e-1\n"),
        // A block behind what is no name.
        ("([1])\n {a: 1}", "([1]) { a: 1 }\n"),
        ("({a: 1}){a: 1}", "({a: 1}) { a: 1 }\n"),
        ("([k for k in x])(a: 1){a: 1}", "([k for k in x])(a: 1) { a: 1 }\n"),
        ("(a + b){a: 1}", "(a + b) { a: 1 }\n"),
        // The blanks of the language are more than white space.
        ("## a\n\n\u{FEFF} b", "## a\n\nb\n"),
        // A number with its unit is one value.
        ("d/(10 [pc])", "d/10 [pc]\n"),
        ("(d/10) [pc]", "(d/10) [pc]\n"),
        ("", ""),
        ("# only", "# only\n"),
    ] {
        assert_eq!(formatted(text), want, "{text}");
        assert_eq!(complaint(text), None);
    }
}

#[test]
fn long_lines_are_wrapped() {
    let call = format!("x = f({})", vec!["argument"; 20].join(", "));
    let sum = format!("x = {}", vec!["a*b^2"; 40].join(" + "));
    let list = format!("x = [{}]", (0..200).map(|i| i.to_string()).collect::<Vec<_>>().join(", "));
    let block =
        format!("x = f {{ {} }}", (0..20).map(|i| format!("option{i}: {i}")).collect::<Vec<_>>().join(", "));
    let nested = format!("check g({}) == h(a)", ["f(alpha, beta, [1, 2, 3])"; 12].join(", "));
    let pipe = format!("x |> {}", ["function(argument)"; 12].join(" |> "));
    let choice = format!("y = if {} then {} else {}", "c".repeat(50), "d".repeat(50), "e".repeat(50));
    for text in [call, sum, list, block, nested, pipe, choice] {
        let out = formatted(&text);
        assert!(out.lines().all(|l| l.chars().count() <= 100), "{out}");
        assert!(out.lines().count() > 1, "{out}");
        assert_eq!(complaint(&text), None);
    }
}

#[test]
fn deep_texts_are_formatted_without_overflow() {
    for text in [
        format!("x = {}1{}", "[".repeat(990), "]".repeat(990)),
        format!("x = {}1{}", "f(".repeat(900), ")".repeat(900)),
        format!("x = {}1", "-".repeat(990)),
        format!("{}x = 1{}", "if a {\n".repeat(900), "\n}".repeat(900)),
        format!("x = {}1{}", "f { a: ".repeat(900), " }".repeat(900)),
    ] {
        assert_eq!(complaint(&text), None);
    }
}

#[test]
fn broken_texts_stay_as_they_are() {
    assert_eq!(formatted("x  = )"), "x  = )");
}

/// Builds random expressions from bytes.
struct Grower<'b> {
    bytes: std::slice::Iter<'b, u8>,
    tree: Tree,
}

impl Grower<'_> {
    fn pick(&mut self, n: u8) -> u8 {
        self.bytes.next().copied().unwrap_or(0) % n
    }

    fn push(&mut self, kind: ExprKind) -> ExprId {
        self.tree.exprs.push(ExprNode { kind, span: Span::default() });
        ExprId(self.tree.exprs.len() as u32 - 1)
    }

    fn word(&mut self) -> &'static str {
        const WORDS: [&str; 16] = [
            "x", "y", "e5", "E1", "x1F", "_1", "sin", "theta'", "Δx", "r", "omega0", "b1", "e", "f''", "inf",
            "été",
        ];
        WORDS[self.pick(16) as usize]
    }

    fn ident(&mut self) -> Ident {
        let word = ["a", "in", "n1", "if", "x'", "unit"][self.pick(6) as usize];
        Ident { name: word.into(), span: Span::default() }
    }

    fn unit(&mut self) -> UnitExpr {
        let mut factors = Vec::new();
        for _ in 0..self.pick(4) {
            let symbol = ["m", "kg", "Ω", "%", "μs"][self.pick(5) as usize].into();
            let power =
                Number::ratio(self.pick(9) as i64 - 4, 1 + self.pick(3) as i64).unwrap_or(Number::ONE);
            factors.push(UnitFactor { symbol, power, span: Span::default() });
        }
        UnitExpr { factors, span: Span::default() }
    }

    fn number(&mut self) -> ExprId {
        let kind = match self.pick(6) {
            0 => ExprKind::Float(1.5),
            1 => ExprKind::Float(1e-7),
            2 => ExprKind::Float(3e200),
            3 => ExprKind::Integer(Number::ZERO),
            4 => ExprKind::Integer(Number::int(7).pow(40).unwrap_or(Number::ONE)),
            n => ExprKind::Integer(Number::int(n as i64)),
        };
        self.push(kind)
    }

    fn many(&mut self, least: u8, depth: u8) -> Vec<ExprId> {
        (0..least + self.pick(3)).map(|_| self.expr(depth)).collect()
    }

    fn element(&mut self, depth: u8) -> ExprId {
        match self.pick(8) {
            0 => self.push(ExprKind::Operator(Operator::Mul)),
            1 => self.push(ExprKind::Operator(Operator::Sub)),
            _ => self.expr(depth),
        }
    }

    fn entries(&mut self, depth: u8) -> Vec<Arg> {
        (0..self.pick(3))
            .map(|_| {
                let name = match self.pick(6) {
                    0 => Ident { name: "orbital \"{period}\\".into(), span: Span::default() },
                    _ => self.ident(),
                };
                Arg { name: Some(name), value: self.element(depth) }
            })
            .collect()
    }

    /// Something that may be called with any arguments.
    fn callee(&mut self, depth: u8) -> ExprId {
        let name = ["f", "sin", "model", "Δx"][self.pick(4) as usize];
        let f = self.push(ExprKind::Name(name.into()));
        match self.pick(4) {
            0 => {
                let name = self.ident();
                self.push(ExprKind::Member(f, name))
            }
            1 => {
                let i = self.expr(depth);
                self.push(ExprKind::Index(f, i))
            }
            _ => f,
        }
    }

    fn call(&mut self, depth: u8) -> ExprId {
        let named_only = self.pick(4) == 0;
        let callee = if named_only { self.expr(depth) } else { self.callee(depth) };
        let plain = matches!(
            self.tree.expr(callee),
            ExprKind::Name(_) | ExprKind::Member(..) | ExprKind::Index(..) | ExprKind::Call { .. }
        );
        // A primed name is never called.
        let primed = matches!(self.tree.expr(callee), ExprKind::Name(n) if n.ends_with('\''));
        if primed {
            return callee;
        }
        let mut args: Vec<Arg> = Vec::new();
        if !named_only {
            for _ in 0..self.pick(3) {
                args.push(Arg { name: None, value: self.element(depth) });
            }
        }
        args.extend(self.entries(depth));
        let mut block = None;
        if plain && self.pick(3) == 0 {
            let entries = self.entries(depth);
            block = Some(entries.len() as u32);
            args.extend(entries);
        }
        self.push(ExprKind::Call { callee, args, block })
    }

    fn expr(&mut self, depth: u8) -> ExprId {
        if depth == 0 {
            return match self.pick(3) {
                0 => self.number(),
                _ => {
                    let word = self.word();
                    self.push(ExprKind::Name(word.into()))
                }
            };
        }
        let d = depth - 1;
        let kind = match self.pick(26) {
            0 => return self.number(),
            1 => {
                let word = self.word();
                ExprKind::Name(word.into())
            }
            2 => ExprKind::Neg(self.expr(d)),
            3 => ExprKind::Pos(self.expr(d)),
            4 => ExprKind::Root(self.expr(d)),
            5 => ExprKind::Not(self.expr(d)),
            6 | 7 => {
                let terms = self.many(2, d);
                ExprKind::Sum(
                    terms
                        .into_iter()
                        .enumerate()
                        .map(|(i, x)| (if i > 0 && self.pick(2) == 0 { Sign::Minus } else { Sign::Plus }, x))
                        .collect(),
                )
            }
            8 | 9 => {
                let factors = self.many(2, d);
                let ops = [MulOp::Times, MulOp::Divide, MulOp::Dot, MulOp::Cross];
                ExprKind::Product(
                    factors
                        .into_iter()
                        .enumerate()
                        .map(|(i, x)| (if i > 0 { ops[self.pick(4) as usize] } else { MulOp::Times }, x))
                        .collect(),
                )
            }
            10 => {
                let number = self.number();
                ExprKind::Juxtaposed(number, self.expr(d))
            }
            11 | 12 => ExprKind::Power(self.expr(d), self.expr(d)),
            13 => {
                let first = self.expr(d);
                let rest = match self.pick(4) {
                    0 => vec![(CompareOp::Lt, self.expr(d)), (CompareOp::Le, self.expr(d))],
                    1 => vec![(CompareOp::In, self.expr(d))],
                    2 => vec![(CompareOp::Ne, self.expr(d))],
                    _ => vec![(CompareOp::Eq, self.expr(d))],
                };
                ExprKind::Compare(first, rest)
            }
            14 => ExprKind::And(self.many(2, d)),
            15 => ExprKind::Or(self.many(2, d)),
            16 => ExprKind::Range(self.expr(d), self.expr(d)),
            17 => ExprKind::PlusMinus(self.expr(d), self.expr(d)),
            18 => {
                let x = self.expr(d);
                ExprKind::WithUnit(x, self.unit())
            }
            19 => {
                let x = self.expr(d);
                ExprKind::Convert(x, self.unit())
            }
            20 => ExprKind::If { condition: self.expr(d), then: self.expr(d), otherwise: self.expr(d) },
            21 => return self.call(d),
            22 => match self.pick(3) {
                0 => ExprKind::Index(self.expr(d), self.expr(d)),
                1 => {
                    let x = self.expr(d);
                    ExprKind::Member(x, self.ident())
                }
                _ => {
                    let x = self.expr(d);
                    let f = if self.pick(2) == 0 { self.call(d) } else { self.callee(d) };
                    let allowed = matches!(
                        self.tree.expr(f),
                        ExprKind::Name(_) | ExprKind::Call { .. } | ExprKind::Member(..)
                    );
                    if !allowed {
                        return x;
                    }
                    ExprKind::Pipe(x, f)
                }
            },
            23 => {
                let n = self.pick(4);
                ExprKind::List((0..n).map(|_| self.element(d)).collect())
            }
            24 => {
                let body = self.expr(d);
                let clauses = (0..1 + self.pick(2))
                    .map(|_| {
                        let names = (0..1 + self.pick(2))
                            .map(|_| Ident { name: "k".into(), span: Span::default() })
                            .collect();
                        ForClause { names, source: self.expr(d) }
                    })
                    .collect();
                let condition = (self.pick(2) == 0).then(|| self.expr(d));
                ExprKind::Comprehension { body, clauses, condition }
            }
            _ => match self.pick(4) {
                0 => ExprKind::Record(self.entries(d)),
                1 => ExprKind::Str { parts: vec![StrPart::Text(r"\alpha {x}".to_owned())], raw: true },
                2 => {
                    let expr = self.expr(d);
                    let digits = (self.pick(2) == 0).then_some(4);
                    ExprKind::Str {
                        parts: vec![
                            StrPart::Text("a{\"\\\n}é".to_owned()),
                            StrPart::Interpolation { expr, digits },
                            StrPart::Text(" ".to_owned()),
                        ],
                        raw: false,
                    }
                }
                _ => ExprKind::Bool(self.pick(2) == 0),
            },
        };
        self.push(kind)
    }
}

fn cases() -> ProptestConfig {
    let cases = std::env::var("PHYS_CASES").ok().and_then(|c| c.parse().ok()).unwrap_or(256);
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn printed_expressions_read_back(bytes in proptest::collection::vec(any::<u8>(), 1..200)) {
        let mut grower = Grower { bytes: bytes.iter(), tree: Tree::default() };
        let value = grower.expr(4);
        let names = vec![Ident { name: "value".into(), span: Span::default() }];
        let mut tree = grower.tree;
        let kind = StatementKind::Bind { names, value, wheres: Vec::new() };
        tree.statements.push(Statement { doc: None, kind, span: Span::default(), quiet: false });
        let text = format!("value = {}", print_expr(&tree, value));
        let (_, parsed) = read(&text);
        prop_assert!(!parsed.has_errors(), "{text}\n{:?}", parsed.diagnostics);
        prop_assert!(same_tree(&tree, &parsed.tree), "{text}\n{:?}", parsed.tree.exprs);
        prop_assert_eq!(complaint(&text), None);
        for head in ["for k in HERE { print(k) }", "if HERE { y = 1 } else { z = 2 }", "check HERE", "rule HERE => x", "f(x) = HERE where a = HERE"] {
            let mut condition = print_expr(&tree, value);
            if head.contains('{') {
                condition = format!("({condition})");
            }
            prop_assert_eq!(complaint(&head.replace("HERE", &condition)), None);
        }
    }

    #[test]
    fn comments_and_line_ends_anywhere(file in any::<prop::sample::Index>(), cuts in proptest::collection::vec((any::<prop::sample::Index>(), 0usize..6), 1..6)) {
        let files = corpus();
        let text = &files[file.index(files.len())].1;
        let mut text: String = text.chars().take(1500).collect();
        for (at, what) in cuts {
            let blanks: Vec<usize> = text.char_indices().filter(|(_, c)| matches!(c, ' ' | '\n' | ',' | '(')).map(|(i, c)| i + c.len_utf8()).collect();
            if blanks.is_empty() {
                continue;
            }
            let insert = [" # note\n", "\n", "\n\n\n", "\n  # own\n", "\n## doc\n", "  "][what];
            text.insert_str(blanks[at.index(blanks.len())], insert);
        }
        if let Some(complaint) = complaint(&text) {
            prop_assert!(false, "{}", complaint);
        }
    }
}
