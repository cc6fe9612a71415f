//! Equality saturation with egg (M. Willsey et al., POPL 2021). The canonical expression is encoded with binary sums
//! and products (the canonical order, left first); the rules are joined by commutativity but not by
//! associativity, whose cost grows as 3^n in the number of terms: identities whose halves are not neighbours are
//! found by the matching of `matching.rs`. Every class keeps one canonical expression, from which numbers and the facts that
//! conditions need follow. Two different numbers in one class mean an unsound rule: the graph is thrown away.

use egg::{
    Analysis, Applier, DidMerge, EGraph, ENodeOrVar, Id, Language, Pattern, RecExpr, Rewrite, Subst, Var,
};

use super::rules::Rule;
use crate::algebra::facts::Knowledge;
use crate::algebra::size::size;
use crate::base::{CancelToken, Number, StopReason};
use crate::expression::{Expr, Function, Kind};

/// A node of the e-graph.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Math {
    Number(Number),
    /// An expression of another kind, by its place in the table of leaves; in patterns never.
    Leaf(u32),
    /// A named constant, by its hash.
    Constant(u64),
    Add([Id; 2]),
    Mul([Id; 2]),
    Pow([Id; 2]),
    Call(Function, Box<[Id]>),
}

impl Language for Math {
    type Discriminant = (u8, u64);

    fn discriminant(&self) -> (u8, u64) {
        match self {
            Math::Number(n) => (0, n.stable_hash()),
            Math::Leaf(i) => (1, u64::from(*i)),
            Math::Constant(h) => (2, *h),
            Math::Add(_) => (3, 0),
            Math::Mul(_) => (4, 0),
            Math::Pow(_) => (5, 0),
            Math::Call(f, args) => (6, (*f as u64) << 8 | args.len() as u64),
        }
    }

    fn matches(&self, other: &Math) -> bool {
        match (self, other) {
            (Math::Number(a), Math::Number(b)) => a == b,
            (Math::Leaf(a), Math::Leaf(b)) => a == b,
            (Math::Constant(a), Math::Constant(b)) => a == b,
            _ => {
                self.discriminant() == other.discriminant() && self.children().len() == other.children().len()
            }
        }
    }

    fn children(&self) -> &[Id] {
        match self {
            Math::Number(_) | Math::Leaf(_) | Math::Constant(_) => &[],
            Math::Add(c) | Math::Mul(c) | Math::Pow(c) => c,
            Math::Call(_, c) => c,
        }
    }

    fn children_mut(&mut self) -> &mut [Id] {
        match self {
            Math::Number(_) | Math::Leaf(_) | Math::Constant(_) => &mut [],
            Math::Add(c) | Math::Mul(c) | Math::Pow(c) => c,
            Math::Call(_, c) => c,
        }
    }
}

/// What the classes know.
pub(super) struct Meaning {
    know: Knowledge<'static>,
    leaves: Vec<Expr>,
    constants: Vec<(u64, Expr)>,
    unsound: bool,
}

impl Analysis<Math> for Meaning {
    type Data = Expr;

    fn make(graph: &mut EGraph<Math, Meaning>, node: &Math, _: Id) -> Expr {
        let at = |id: &Id| graph[*id].data.clone();
        match node {
            Math::Number(n) => Expr::number(n.clone()),
            Math::Leaf(i) => graph.analysis.leaves[*i as usize].clone(),
            Math::Constant(h) => graph
                .analysis
                .constants
                .iter()
                .find(|(k, _)| k == h)
                .map_or_else(Expr::zero, |(_, e)| e.clone()),
            Math::Add([a, b]) => Expr::sum([at(a), at(b)]),
            Math::Mul([a, b]) => Expr::product([at(a), at(b)]),
            Math::Pow([a, b]) => Expr::power(at(a), at(b)),
            Math::Call(f, args) => Expr::call(*f, args.iter().map(at).collect()),
        }
    }

    fn merge(&mut self, a: &mut Expr, b: Expr) -> DidMerge {
        if let (Kind::Number(x), Kind::Number(y)) = (a.kind(), b.kind())
            && x != y
        {
            self.unsound = true;
        }
        // The smaller expression is the better witness; numbers win.
        let rank =
            |e: &Expr| (!matches!(e.kind(), Kind::Number(_)), size(e), e.node_count(), e.stable_hash());
        if *a == b {
            DidMerge(false, false)
        } else if rank(&b) < rank(a) {
            *a = b;
            DidMerge(true, false)
        } else {
            DidMerge(false, true)
        }
    }

    fn modify(graph: &mut EGraph<Math, Meaning>, id: Id) {
        if let Kind::Number(n) = graph[id].data.kind() {
            let number = graph.add(Math::Number(n.clone()));
            graph.union(id, number);
        }
    }
}

/// Something that gets the nodes of an encoding, children first.
trait Sink {
    fn node(&mut self, node: Math) -> Id;
    fn leaf(&mut self, e: &Expr) -> Id;
}

fn encode(e: &Expr, sink: &mut impl Sink) -> Id {
    match e.kind() {
        Kind::Number(n) => sink.node(Math::Number(n.clone())),
        Kind::Sum(items) | Kind::Product(items) => {
            let sum = matches!(e.kind(), Kind::Sum(_));
            let mut left = encode(&items[0], sink);
            for item in &items[1..] {
                let right = encode(item, sink);
                left = sink.node(if sum { Math::Add([left, right]) } else { Math::Mul([left, right]) });
            }
            left
        }
        Kind::Power(b, x) => {
            let ends = [encode(b, sink), encode(x, sink)];
            sink.node(Math::Pow(ends))
        }
        Kind::Call(f, args) => {
            let args = args.iter().map(|a| encode(a, sink)).collect();
            sink.node(Math::Call(*f, args))
        }
        _ => sink.leaf(e),
    }
}

impl Sink for EGraph<Math, Meaning> {
    fn node(&mut self, node: Math) -> Id {
        self.add(node)
    }

    fn leaf(&mut self, e: &Expr) -> Id {
        if let Kind::Constant(_) = e.kind() {
            let hash = e.stable_hash();
            if self.analysis.constants.iter().all(|(h, _)| *h != hash) {
                self.analysis.constants.push((hash, e.clone()));
            }
            return self.add(Math::Constant(hash));
        }
        let leaves = &mut self.analysis.leaves;
        let at = leaves.iter().position(|l| l == e).unwrap_or_else(|| {
            leaves.push(e.clone());
            leaves.len() - 1
        });
        self.add(Math::Leaf(at as u32))
    }
}

#[derive(Default)]
struct PatternSink(RecExpr<ENodeOrVar<Math>>);

fn variable(e: &Expr) -> Option<Var> {
    e.as_symbol().and_then(|s| format!("?{}", s.name()).parse().ok())
}

impl Sink for PatternSink {
    fn node(&mut self, node: Math) -> Id {
        self.0.add(ENodeOrVar::ENode(node))
    }

    fn leaf(&mut self, e: &Expr) -> Id {
        match variable(e) {
            Some(v) => self.0.add(ENodeOrVar::Var(v)),
            None => self.0.add(ENodeOrVar::ENode(Math::Constant(e.stable_hash()))),
        }
    }
}

fn pattern(e: &Expr) -> Pattern<Math> {
    let mut sink = PatternSink::default();
    encode(e, &mut sink);
    Pattern::new(sink.0)
}

/// The right side of a rule: built in the canonical form from what the symbols stand for.
struct Right {
    rule: Rule,
    symbols: Vec<(crate::expression::Symbol, Var)>,
}

impl Applier<Math, Meaning> for Right {
    fn apply_one(
        &self,
        graph: &mut EGraph<Math, Meaning>,
        class: Id,
        subst: &Subst,
        _: Option<&egg::PatternAst<Math>>,
        _: egg::Symbol,
    ) -> Vec<Id> {
        let mut bindings = Vec::with_capacity(self.symbols.len());
        for (symbol, var) in &self.symbols {
            let Some(id) = subst.get(*var) else { return Vec::new() };
            bindings.push((symbol.clone(), graph[*id].data.clone()));
        }
        // Conditions that would have to be listed do not count here.
        if self.rule.allowed(&bindings, &graph.analysis.know).is_none_or(|listed| !listed.is_empty()) {
            return Vec::new();
        }
        let Some(right) = super::matching::instantiate(&self.rule.right, &bindings) else {
            return Vec::new();
        };
        if right.is_undefined() {
            return Vec::new();
        }
        let id = encode(&right, graph);
        if graph.union(class, id) { vec![id] } else { Vec::new() }
    }
}

/// A rule as a rewrite; none where egg refuses it, which it does for unbound names on the right only.
pub(super) struct Compiled(Option<Rewrite<Math, Meaning>>);

impl std::fmt::Debug for Compiled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.0.as_ref().map(|rewrite| rewrite.name))
    }
}

impl Compiled {
    pub(super) fn new(rule: &Rule) -> Compiled {
        let symbols = rule
            .left
            .symbols()
            .into_iter()
            .filter_map(|s| Some((s.clone(), variable(&Expr::symbol(s))?)))
            .collect();
        let left = pattern(&rule.left);
        let right = Right { rule: rule.clone(), symbols };
        Compiled(Rewrite::new(format!("{:x}", rule.left.stable_hash()), left, right).ok())
    }
}

fn commutativity(node: fn([Id; 2]) -> Math, name: &str) -> Compiled {
    let side = |a: u32, b: u32| {
        let mut ast: RecExpr<ENodeOrVar<Math>> = RecExpr::default();
        let x = ast.add(ENodeOrVar::Var(Var::from_u32(a)));
        let y = ast.add(ENodeOrVar::Var(Var::from_u32(b)));
        ast.add(ENodeOrVar::ENode(node([x, y])));
        Pattern::new(ast)
    };
    // Both sides have the same two variables.
    Compiled(Rewrite::new(name, side(0, 1), side(1, 0)).ok())
}

/// Result of a saturation.
pub(super) struct Saturated {
    /// The smallest expression found; `None` where the graph was unsound.
    pub(super) expr: Option<Expr>,
    pub(super) stopped: StopReason,
}

/// Saturates `e` under the rules that fit.
pub(super) fn saturate(
    e: &Expr,
    rules: &[&Compiled],
    know: &Knowledge,
    nodes: usize,
    iterations: usize,
    cancel: &CancelToken,
) -> Saturated {
    // egg times its steps for its log. The clock it asks calibrates itself in a busy loop of up to 200 ms when it is
    // first read; the numbers go nowhere, so here it stands still.
    let (still, _) = quanta::Clock::mock();
    quanta::with_clock(&still, || bounded(e, rules, know, nodes, iterations, cancel))
}

fn bounded(
    e: &Expr,
    rules: &[&Compiled],
    know: &Knowledge,
    nodes: usize,
    iterations: usize,
    cancel: &CancelToken,
) -> Saturated {
    let meaning = Meaning {
        know: Knowledge::owned(know.declarations().clone()),
        leaves: Vec::new(),
        constants: Vec::new(),
        unsound: false,
    };
    let mut graph: EGraph<Math, Meaning> = EGraph::new(meaning);
    let root = encode(e, &mut graph);
    graph.rebuild();
    let swaps = [commutativity(Math::Add, "add"), commutativity(Math::Mul, "multiply")];
    let mut stopped = StopReason::Work;
    for _ in 0..iterations {
        if let Some(reason) = cancel.stop() {
            stopped = reason;
            break;
        }
        let all = swaps.iter().chain(rules.iter().copied()).filter_map(|rule| rule.0.as_ref());
        let found: Vec<_> = all.map(|rule| (rule, rule.search_with_limit(&graph, nodes))).collect();
        let mut changed = false;
        for (rule, matches) in &found {
            changed |= !rule.apply(&mut graph, matches).is_empty();
            if graph.total_number_of_nodes() > nodes {
                break;
            }
        }
        drop(found);
        graph.rebuild();
        if graph.analysis.unsound {
            return Saturated { expr: None, stopped: StopReason::Found };
        }
        if !changed {
            stopped = StopReason::Saturated;
            break;
        }
        if graph.total_number_of_nodes() > nodes {
            stopped = StopReason::Nodes;
            break;
        }
    }
    // Classes keep their smallest witness, but a sum of two classes may be smaller than any witness: extraction.
    let (_, best) = egg::Extractor::new(&graph, Size(&graph)).find_best(root);
    let extracted = decode(&best, &graph.analysis);
    let witness = graph[root].data.clone();
    let expr = if size(&witness) < size(&extracted) { witness } else { extracted };
    Saturated { expr: Some(expr), stopped }
}

struct Size<'a>(&'a EGraph<Math, Meaning>);

impl egg::CostFunction<Math> for Size<'_> {
    type Cost = usize;

    fn cost<C: FnMut(Id) -> usize>(&mut self, node: &Math, mut costs: C) -> usize {
        match node {
            Math::Number(_) | Math::Constant(_) => 1,
            Math::Leaf(i) => size(&self.0.analysis.leaves[*i as usize]),
            Math::Pow([b, x]) => match self.0[*x].data.as_number() {
                Some(n) if *n == Number::HALF => 1usize.saturating_add(costs(*b)),
                _ => costs(*b).saturating_add(costs(*x)).saturating_add(1),
            },
            _ => node.fold(1usize, |sum, id| sum.saturating_add(costs(id))),
        }
    }
}

fn decode(ast: &RecExpr<Math>, meaning: &Meaning) -> Expr {
    let mut built: Vec<Expr> = Vec::new();
    for (_, node) in ast.items() {
        let at = |id: &Id| built[usize::from(*id)].clone();
        let e = match node {
            Math::Number(n) => Expr::number(n.clone()),
            Math::Leaf(i) => meaning.leaves[*i as usize].clone(),
            Math::Constant(h) => {
                meaning.constants.iter().find(|(k, _)| k == h).map_or_else(Expr::zero, |(_, e)| e.clone())
            }
            Math::Add([a, b]) => Expr::sum([at(a), at(b)]),
            Math::Mul([a, b]) => Expr::product([at(a), at(b)]),
            Math::Pow([a, b]) => Expr::power(at(a), at(b)),
            Math::Call(f, args) => Expr::call(*f, args.iter().map(at).collect()),
        };
        built.push(e);
    }
    built.pop().unwrap_or_else(Expr::zero)
}
