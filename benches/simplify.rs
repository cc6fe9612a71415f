//! The simplifier: the laws of physics of `benches/peers`, random expressions, and reading the rules.

use criterion::{Criterion, criterion_group, criterion_main};
use phys::algebra::{Limits, Rules, simplify};
use phys::base::random::Streams;
use phys::base::{CancelToken, Source};
use phys::expression::arbitrary::random_expr;
use phys::expression::{Declaration, Declarations, Domain, Expr, Symbol, read};
use phys::syntax::parse;
use phys::syntax::tree::StatementKind;
use std::hint::black_box;

const FILES: &[(&str, &str)] = &[
    ("core", include_str!("../stdlib/rules/core.phys")),
    ("absolute", include_str!("../stdlib/rules/absolute.phys")),
    ("trigonometry", include_str!("../stdlib/rules/trigonometry.phys")),
    ("exponential", include_str!("../stdlib/rules/exponential.phys")),
    ("hyperbolic", include_str!("../stdlib/rules/hyperbolic.phys")),
];

fn laws() -> Vec<(Expr, Declarations)> {
    let lines = include_str!("peers/feynman100_expanded.txt").lines();
    let table = include_str!("peers/feynman100.csv").lines().skip(1);
    let mut out = Vec::new();
    for (line, row) in lines.zip(table) {
        let parsed = parse(&Source::new(0, "law", line));
        let Some(StatementKind::Expr { value, .. }) = parsed.tree.statements.first().map(|s| &s.kind) else {
            continue;
        };
        let Ok(e) = read::expr(&parsed.tree, *value, &|_| None) else { continue };
        let mut declared = Declarations::new();
        for item in row.rsplit(',').next().unwrap_or_default().split(';') {
            if let [name, low, high] = item.split(':').collect::<Vec<_>>().as_slice()
                && let (Ok(low), Ok(high)) = (low.parse(), high.parse())
            {
                let domain = Some(Domain::Interval { low, high });
                declared.insert(Symbol::new(name), Declaration { domain, ..Declaration::default() });
            }
        }
        out.push((e, declared));
    }
    out
}

fn benches(c: &mut Criterion) {
    c.bench_function("read the rules", |b| b.iter(|| Rules::load(black_box(FILES)).map(|r| r.len()).ok()));
    let Ok(rules) = Rules::load(FILES) else { return };
    let (limits, cancel) = (Limits::default(), CancelToken::new());
    let laws = laws();
    c.bench_function("a hundred laws of physics", |b| {
        b.iter(|| {
            laws.iter()
                .map(|(e, d)| simplify(black_box(e), d, &rules, &limits, &cancel).size.1)
                .sum::<usize>()
        })
    });
    let names: Vec<Symbol> = ["x", "y", "t"].into_iter().map(Symbol::new).collect();
    let none = Declarations::new();
    for nodes in [20, 40] {
        let random: Vec<Expr> = (0..100)
            .map(|i| random_expr(&mut Streams::new(i).stream("bench"), nodes, &names))
            .filter(|e| !e.is_undefined())
            .collect();
        c.bench_function(&format!("random expressions of {nodes} nodes"), |b| {
            b.iter(|| {
                random
                    .iter()
                    .map(|e| simplify(black_box(e), &none, &rules, &limits, &cancel).size.1)
                    .sum::<usize>()
            })
        });
    }
}

criterion_group!(group, benches);
criterion_main!(group);
