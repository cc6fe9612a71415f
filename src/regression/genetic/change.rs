//! Mutations and crossovers, from one table of weights. All are typed: what units forbid is never made into a member, and new
//! subtrees come from the library by the dimension that their place wants.

mod obey;

use rand::RngExt;

use super::fit::Linear;
use super::invert::{undone, wanted_at};
use super::kernel::{Owns, Sweep};
use super::library::{Close, Library, ROWS, Values};
use super::tree::{Node, Tree, Ty, Typing};
use crate::base::Number;
use crate::base::random::Rng;
use crate::expression::Function;
use crate::numeric::normal::standard_normal;
use crate::regression::exhaustive::grammar::Op;
use crate::regression::options::{Constants, Criteria, Plan};
use crate::regression::problem::Problem;
use crate::units::Dimension;

/// Most terms of an individual, nodes of a term, and nodes of all.
const TERMS: usize = 6;
const NODES: usize = 24;
const ALL_NODES: usize = 32;
/// Functions of the library that a look-up goes through at least.
const FEWEST: f64 = 256.0;
/// Rows that each constant must have, and most constants.
const ROWS_EACH: usize = 3;
const PARAMETERS: usize = 12;

/// What is varied: terms, whose factors and intercept are always fitted.
#[derive(Clone, Debug, PartialEq)]
pub struct Genome {
    /// The terms.
    pub terms: Vec<Tree>,
    /// Whether an intercept stands beside them.
    pub intercept: bool,
    /// A function of all of it.
    pub link: Option<Node>,
}

impl Genome {
    /// Hash of the structure, whatever the order of the terms.
    pub fn hash(&self) -> u64 {
        let mut all: Vec<u64> = self.terms.iter().map(Tree::structure).collect();
        all.sort_unstable();
        let first = 2 * self.link.map_or(0, Node::code) + u64::from(self.intercept);
        all.iter().fold(first, |h, t| crate::base::hash::combine(h, *t))
    }

    /// Nodes of all terms.
    pub fn nodes(&self) -> usize {
        self.terms.iter().map(Tree::len).sum::<usize>() + usize::from(self.link.is_some())
    }
}

/// A change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// One constant is perturbed.
    Perturb,
    /// A leaf becomes another one.
    Leaf,
    /// An operator becomes another one.
    Operator,
    /// A node comes to stand under a function or beside a new subtree.
    Insert,
    /// An operand takes the place of its operator.
    Hoist,
    /// A subtree is replaced by one of the library.
    Subtree,
    /// A term is added.
    AddTerm,
    /// A term is dropped.
    DropTerm,
    /// A term is multiplied or divided by a power of a small function.
    Factor,
    /// An exponent goes up or down by 1/2.
    Exponent,
    /// A column becomes a difference or sum with another.
    Difference,
    /// A node gets a constant as factor or offset.
    Constant,
    /// A subtree is replaced by what the target asks for in its place.
    Wanted,
    /// A term is added that fits best what the others leave.
    WantedTerm,
    /// A subtree of another individual takes the place of one.
    Crossover,
    /// Terms of two individuals come together.
    Mix,
    /// Two terms become one whose parts keep their ratio, 1 or -1.
    Tie,
    /// A term that is a sum comes apart.
    Split,
    /// The outermost function becomes another one, or none.
    Link,
    /// A new individual.
    Random,
}

/// How often each change is made.
pub const CHANGES: [(Change, f64); 20] = [
    (Change::Perturb, 0.4),
    (Change::Leaf, 1.0),
    (Change::Operator, 1.0),
    (Change::Insert, 1.6),
    (Change::Hoist, 1.4),
    (Change::Subtree, 1.6),
    (Change::AddTerm, 0.6),
    (Change::DropTerm, 0.7),
    (Change::Factor, 1.0),
    (Change::Exponent, 0.6),
    (Change::Difference, 0.4),
    (Change::Constant, 1.2),
    (Change::Wanted, 1.2),
    (Change::WantedTerm, 0.5),
    (Change::Crossover, 1.6),
    (Change::Mix, 0.6),
    (Change::Tie, 0.6),
    (Change::Split, 0.4),
    (Change::Link, 0.3),
    (Change::Random, 0.1),
];

/// The value s for which g(s) = y; y itself without an outermost function. NaN where there is none.
pub fn behind(link: Option<Node>, y: f64) -> f64 {
    match link {
        None => y,
        Some(node) => undone(node, true, y, 0.0, 0.0, 0.0),
    }
}

/// g(s).
pub fn above(link: Node, s: f64) -> f64 {
    match link {
        Node::Raise(h) => s.powf(f64::from(h) / 2.0),
        Node::Call(f) => (f.row().value)(&[s]),
        _ => f64::NAN,
    }
}

/// Share of new individuals that stand under an outermost function.
const LINKED: f64 = 0.3;

/// Share of new subtrees whose dimension a constant must make up for, where constants may.
const FOREIGN: f64 = 0.15;

/// Makes new genomes.
pub struct Maker<'a> {
    /// Where subtrees come from.
    pub library: &'a Library,
    /// Dimensions of leaves and constants.
    pub typing: Typing<'a>,
    /// The target's dimension.
    goal: Dimension,
    /// The target on the probe rows behind each outermost function.
    targets: Vec<(Option<Node>, Values)>,
    /// Functions of one argument and of two, the user's own among them.
    functions: Vec<Node>,
    pairs: Vec<Node>,
    binary: Vec<Node>,
    /// Whether powers, squares and roots are allowed.
    powers: (bool, bool, bool),
    sweep: Sweep,
    own: Owns,
    problem: &'a Problem,
    criteria: &'a Criteria,
    parameters: usize,
    /// Node evaluations times rows.
    pub work: u64,
}

impl<'a> Maker<'a> {
    /// For a problem; `links` are the outermost functions that the target allows.
    pub fn new(
        problem: &'a Problem,
        plan: &'a Plan,
        library: &'a Library,
        links: &[Option<Node>],
        own: &Owns,
    ) -> Maker<'a> {
        let free = problem.dimensions.is_some() && plan.constants == Constants::Free;
        let g = &library.grammar;
        let arithmetic = [
            (Node::Add, g.add),
            (Node::Subtract, g.subtract),
            (Node::Multiply, g.multiply),
            (Node::Divide, g.divide),
        ];
        let call = |op: &(Op, usize)| match op.0 {
            Op::Call(f, false) => Some(Node::Call(f)),
            _ => None,
        };
        let owned = |arity: usize| {
            let places = (0..plan.own.len()).filter(move |&k| plan.own[k].arguments.len() == arity);
            places.filter(|&k| plan.allows(&plan.own[k].name)).map(|k| k as u8)
        };
        let targets = links
            .iter()
            .map(|link| (*link, library.rows.map(|r| behind(*link, problem.target[r]))))
            .collect();
        let two = [Function::Min, Function::Max, Function::Atan2, Function::Mod];
        Maker {
            library,
            typing: Typing { grammar: g, constant: (!free).then_some(Dimension::NONE), own: &plan.own },
            goal: problem.goal(),
            targets,
            functions: g.unary.iter().filter_map(call).chain(owned(1).map(Node::Own)).collect(),
            pairs: two
                .into_iter()
                .filter(|f| plan.allows(f.name()))
                .map(Node::Pair)
                .chain(owned(2).map(Node::OwnPair))
                .collect(),
            binary: arithmetic.into_iter().filter(|a| a.1).map(|a| a.0).collect(),
            powers: (g.power, g.power || g.multiply, g.roots()),
            sweep: Sweep::with(ROWS, own.clone()),
            own: own.clone(),
            problem,
            criteria: &plan.criteria,
            parameters: (problem.rows() / ROWS_EACH).clamp(2, PARAMETERS),
            work: 0,
        }
    }

    /// The dimension of what stands under an outermost function; `None` where there is none.
    pub fn goal(&self, link: Option<Node>) -> Option<Dimension> {
        match link {
            None => Some(self.goal),
            Some(Node::Raise(h)) => self.goal.pow(&Number::ratio(2, i64::from(h))?),
            Some(_) => self.goal.is_none().then_some(Dimension::NONE),
        }
    }

    /// Whether an intercept may stand under an outermost function.
    pub fn intercepts(&self, link: Option<Node>) -> bool {
        self.typing.constant.is_none() || self.goal(link).is_some_and(|d| d.is_none())
    }

    /// Whether an operator is one of those of the plan.
    fn knows(&self, node: Node) -> bool {
        match node {
            Node::Add | Node::Subtract | Node::Multiply | Node::Divide => self.binary.contains(&node),
            Node::Power => self.powers.0,
            _ => true,
        }
    }

    /// Whether units and operators allow it, and it is not too large.
    fn allows(&self, genome: &Genome) -> bool {
        let Some(goal) = self.goal(genome.link) else { return false };
        let fits = |t: &Tree| {
            let Some(types) = t.dimensions(&self.typing) else { return false };
            let whole = types[types.len() - 1];
            // A fitted factor brings any unit where constants may carry one.
            t.len() <= NODES
                && t.nodes.iter().all(|n| self.knows(*n))
                && (self.typing.constant.is_none() || whole == Some(goal))
        };
        let constants: usize = genome.terms.iter().map(|t| t.constants().count()).sum();
        (1..=TERMS).contains(&genome.terms.len())
            && constants + genome.terms.len() + usize::from(genome.intercept) <= self.parameters
            && genome.nodes() <= ALL_NODES
            && (!genome.intercept || self.intercepts(genome.link))
            && genome.terms.iter().all(fits)
    }

    /// The genome in normal form: numbers and equal terms go, an offset becomes the intercept; `None` where nothing is left, or
    /// units or the operators forbid it.
    pub fn normal(&self, genome: Genome) -> Option<Genome> {
        let mut terms: Vec<Tree> = Vec::new();
        let mut open: Vec<Tree> = genome.terms;
        let mut intercept = genome.intercept;
        let intercepts = self.intercepts(genome.link);
        while let Some(tree) = open.pop() {
            let tree = tree.normal((true, intercept));
            let k = tree.len() - 1;
            if matches!(tree.nodes[k], Node::Add | Node::Subtract) && intercepts {
                let (a, b) = tree.operands(k);
                if let Some(rest) =
                    [(a, b), (b, a)].iter().find(|(_, c)| matches!(tree.nodes[*c], Node::Constant(_)))
                {
                    open.push(tree.subtree(rest.0));
                    intercept = true;
                    continue;
                }
            }
            let varies = tree.nodes.iter().any(|n| {
                matches!(n, Node::Leaf(l) if self.library.grammar.leaves[usize::from(*l)].expr.as_symbol().is_some())
            });
            if !varies {
                intercept = intercept || intercepts;
                continue;
            }
            if !terms.iter().any(|t| t.structure() == tree.structure() && *t == tree) {
                terms.push(tree);
            }
        }
        terms.sort_by_key(|t| (t.len(), t.structure()));
        let genome = Genome { terms, intercept, link: genome.link };
        (self.allows(&genome) && self.has_form(&genome)).then_some(genome)
    }

    /// The dimension that a subtree in the place of another must have; `None` where any will do.
    fn wanted(&self, ty: Ty, rng: &mut Rng) -> Option<Dimension> {
        match ty {
            // Constants can make up for another dimension: now and then.
            Some(_) if self.typing.constant.is_none() && rng.random::<f64>() < FOREIGN => None,
            ty => ty,
        }
    }

    /// A new subtree, of a dimension where one is wanted.
    pub fn subtree(&self, wanted: Option<Dimension>, depth: usize, rng: &mut Rng) -> Option<Tree> {
        let u: f64 = rng.random();
        if depth == 0 || u < 0.6 {
            if let Some(place) = self.library.pick(wanted, rng) {
                return Some(self.library.trees[place].clone());
            }
            // A product of two functions of which the second makes up for the dimension of the first.
            let first = self.library.pick(None, rng)?;
            let rest = wanted?.div(self.library.dimensions[first])?;
            let second = self.library.pick(Some(rest), rng)?;
            let [a, b] = [first, second].map(|k| self.library.trees[k].clone());
            return self.binary.contains(&Node::Multiply).then(|| a.join(&b, Node::Multiply));
        }
        let none = Dimension::NONE;
        if u < 0.75 && wanted.is_none_or(|d| d.is_none()) && !self.functions.is_empty() {
            let inside = self.subtree(Some(none), depth - 1, rng)?;
            let inside = if rng.random::<f64>() < 0.5 { self.scaled(inside, rng) } else { inside };
            return Some(inside.under(self.functions[rng.random_range(0..self.functions.len())]));
        }
        let op = *self.binary.get(rng.random_range(0..self.binary.len().max(1)))?;
        let a = self.subtree(
            if matches!(op, Node::Add | Node::Subtract) { wanted } else { None },
            depth - 1,
            rng,
        )?;
        let own = a.dimensions(&self.typing)?[a.len() - 1];
        let other = match (op, own, wanted) {
            (Node::Add | Node::Subtract, own, _) => own,
            (Node::Multiply, Some(own), Some(w)) => Some(w.div(own)?),
            (Node::Divide, Some(own), Some(w)) => Some(own.div(w)?),
            _ => None,
        };
        let b = self.subtree(other, depth - 1, rng)?;
        Some(a.join(&b, op))
    }

    /// A new individual.
    pub fn random(&mut self, rng: &mut Rng) -> Option<Genome> {
        let link = if rng.random::<f64>() < LINKED {
            self.targets[rng.random_range(0..self.targets.len())].0
        } else {
            None
        };
        let goal = self.goal(link)?;
        let wanted = match self.typing.constant {
            Some(_) => Some(goal),
            None => self.wanted(Some(goal), rng),
        };
        let terms = 1 + usize::from(rng.random::<f64>() < 0.4) + usize::from(rng.random::<f64>() < 0.2);
        let intercept = self.intercepts(link) && rng.random::<f64>() < 0.5;
        let made: Vec<Tree> = (0..terms).filter_map(|_| self.subtree(wanted, 2, rng)).collect();
        self.normal(Genome { terms: made, intercept, link })
    }

    /// A new individual: what comes closest to the target behind an outermost function.
    pub fn peeled(&mut self, rng: &mut Rng) -> Option<Genome> {
        let (link, target) = self.targets[rng.random_range(0..self.targets.len())];
        let goal = self.wanted(self.goal(link), rng);
        let close = self.closest(&target, &[1.0; ROWS], goal, rng)?;
        let terms = vec![self.library.trees[close.place].clone()];
        self.normal(Genome { terms, intercept: self.intercepts(link), link })
    }

    /// The target on the probe rows as an outermost function undoes it.
    fn target(&self, link: Option<Node>) -> Option<Values> {
        self.targets.iter().find(|t| t.0 == link).map(|t| t.1)
    }

    fn outer(&self, rng: &mut Rng) -> Option<Node> {
        let powers = self.halves();
        let n = self.functions.len() + powers.len();
        let k = if n == 0 { return None } else { rng.random_range(0..n) };
        Some(if k < powers.len() { Node::Raise(powers[k]) } else { self.functions[k - powers.len()] })
    }

    /// The outermost functions that the operators allow.
    pub fn outermost(&self) -> Vec<Node> {
        let functions = self.functions.iter().copied().filter(|f| matches!(f, Node::Call(_)));
        self.halves().into_iter().map(Node::Raise).chain(functions).collect()
    }

    /// Exponents in halves that the operators allow.
    fn halves(&self) -> Vec<i8> {
        let (power, square, root) = self.powers;
        let divide = self.binary.contains(&Node::Divide);
        let mut all = Vec::new();
        all.extend(square.then_some(4));
        all.extend(power.then_some(6));
        all.extend(root.then_some(1));
        all.extend(divide.then_some(-2));
        all.extend((divide && root).then_some(-1));
        all.extend((divide && square).then_some(-4));
        all.extend((power && root).then_some(3));
        all
    }

    /// One of the functions that come closest of their size and closer than all smaller ones.
    fn closest(
        &mut self,
        wanted: &Values,
        weights: &Values,
        dimension: Option<Dimension>,
        rng: &mut Rng,
    ) -> Option<Close> {
        // Mostly among the smaller functions: from a few hundred to all, each order of size as often.
        let all = self.library.trees.len() as f64;
        let most = FEWEST * (all / FEWEST).max(1.0).powf(rng.random::<f64>());
        let n = dimension.map_or(self.library.trees.len(), |d| self.library.group(d).len());
        self.work += (3 * ROWS * n.min(most as usize)) as u64;
        let offset = self.typing.constant.is_none() || dimension.is_none_or(|d| d.is_none());
        let all = self.library.closest(wanted, weights, dimension, offset, most as usize);
        // Those that no smaller one equals.
        let mut least = f64::INFINITY;
        let mut kept: Vec<Close> = Vec::new();
        for close in all.into_iter().flatten() {
            if close.left < 0.9 * least {
                least = close.left;
                kept.push(close);
            }
        }
        kept.get(rng.random_range(0..kept.len().max(1))).copied()
    }

    /// offset + factor*function as a tree, numbers that are nothing left out. `size`: that of the values wanted.
    fn told(&self, close: &Close, size: f64) -> Tree {
        let mut tree = self.library.trees[close.place].clone();
        if (close.factor.abs() - 1.0).abs() > 1e-9 {
            tree = tree.join(&Tree::leaf(Node::Constant(close.factor)), Node::Multiply);
        } else if close.factor < 0.0 {
            tree = tree.under(Node::Negate);
        }
        if close.offset.abs() > 1e-9 * size {
            tree = tree.join(&Tree::leaf(Node::Constant(close.offset)), Node::Add);
        }
        tree
    }

    /// The tree times a constant that makes its values of the order 1.
    fn scaled(&self, tree: Tree, rng: &mut Rng) -> Tree {
        let size = self.size(&tree);
        let c = (0.8 * standard_normal(rng)).exp() / size;
        let c = if rng.random::<f64>() < 0.2 { -c } else { c };
        tree.join(&Tree::leaf(Node::Constant(c)), Node::Multiply)
    }

    /// Another threshold for a constant that is compared with something under a function that jumps or bends: there it has no
    /// slope, and every value between two neighbouring rows says the same.
    fn threshold(&mut self, tree: &Tree, k: usize, rng: &mut Rng) -> Option<f64> {
        use Function::{Abs, Ceil, Floor, Max, Min, Round, Sign, Step};
        let sharp = |n: Node| {
            matches!(n, Node::Call(Step | Sign | Floor | Ceil | Round | Abs) | Node::Pair(Min | Max))
        };
        let above = |of: usize| {
            (of + 1..tree.len()).find(|&p| {
                tree.nodes[p].arity() > 0 && {
                    let (a, b) = tree.operands(p);
                    a == of || b == of
                }
            })
        };
        let parent = above(k)?;
        let (a, b) = tree.operands(parent);
        let beside = if a == k { b } else { a };
        let compared = match tree.nodes[parent] {
            Node::Add | Node::Subtract => above(parent).is_some_and(|p| sharp(tree.nodes[p])),
            node => sharp(node) && node.arity() == 2,
        };
        if !compared || rng.random::<f64>() < 0.3 {
            return None;
        }
        self.work += (tree.len() * ROWS) as u64;
        self.sweep.forward(tree, &self.library.leaves).then_some(())?;
        let mut values = self.sweep.values(beside).to_vec();
        values.sort_by(f64::total_cmp);
        let i = rng.random_range(0..values.len() - 1);
        let middle = (values[i] + values[i + 1]) / 2.0;
        Some(if tree.nodes[parent] == Node::Add { -middle } else { middle })
    }

    /// The size of a tree's values on the probe rows, 1 where they have none.
    fn size(&self, tree: &Tree) -> f64 {
        let mut sweep = Sweep::with(ROWS, self.own.clone());
        if !sweep.forward(tree, &self.library.leaves) {
            return 1.0;
        }
        let values = sweep.values(tree.len() - 1);
        let size = (values.iter().map(|v| v * v).sum::<f64>() / ROWS as f64).sqrt();
        if size > 0.0 && size.is_finite() { size } else { 1.0 }
    }

    /// A change of a parent, with another one for crossovers; `None` where it cannot be made.
    pub fn change(
        &mut self,
        change: Change,
        parent: &Genome,
        fit: &Linear,
        other: &Genome,
        rng: &mut Rng,
    ) -> Option<Genome> {
        let mut genome = parent.clone();
        let t = rng.random_range(0..genome.terms.len());
        let tree = genome.terms[t].clone();
        let place = rng.random_range(0..tree.len());
        let types = tree.dimensions(&self.typing)?;
        match change {
            Change::Perturb => {
                let constants: Vec<usize> = tree.constants().collect();
                let &k = constants.get(rng.random_range(0..constants.len().max(1)))?;
                let Node::Constant(c) = tree.nodes[k] else { return None };
                if let Some(c) = self.threshold(&tree, k, rng) {
                    genome.terms[t].nodes[k] = Node::Constant(c);
                    return self.normal(genome);
                }
                let width = [0.01, 0.1, 1.0][rng.random_range(0..3)];
                let sign = if rng.random::<f64>() < 0.05 { -1.0 } else { 1.0 };
                genome.terms[t].nodes[k] = Node::Constant(sign * c * (width * standard_normal(rng)).exp());
            }
            Change::Leaf => {
                let leaves: Vec<usize> =
                    (0..tree.len()).filter(|&k| matches!(tree.nodes[k], Node::Leaf(_))).collect();
                let &k = leaves.get(rng.random_range(0..leaves.len().max(1)))?;
                let wanted = self.wanted(types[k], rng);
                let columns: Vec<u32> = self
                    .library
                    .columns
                    .iter()
                    .copied()
                    .filter(|c| wanted.is_none_or(|d| self.library.dimensions[*c as usize] == d))
                    .collect();
                let &c = columns.get(rng.random_range(0..columns.len().max(1)))?;
                genome.terms[t].nodes[k] = self.library.trees[c as usize].nodes[0];
            }
            Change::Operator => {
                let new = match tree.nodes[place] {
                    Node::Call(_) | Node::Own(_) | Node::Negate => {
                        *self.functions.get(rng.random_range(0..self.functions.len().max(1)))?
                    }
                    Node::Raise(_) => self.outer(rng)?,
                    Node::Leaf(_) | Node::Constant(_) => return None,
                    _ if !self.pairs.is_empty() && rng.random::<f64>() < 0.2 => {
                        self.pairs[rng.random_range(0..self.pairs.len())]
                    }
                    _ => *self.binary.get(rng.random_range(0..self.binary.len().max(1)))?,
                };
                genome.terms[t].nodes[place] = new;
            }
            Change::Insert => {
                let sub = tree.subtree(place);
                let new = if rng.random::<f64>() < 0.45 {
                    let node = self.outer(rng)?;
                    let dimensionless = types[place].is_none_or(|d| d.is_none());
                    let scaled = matches!(node, Node::Call(_) | Node::Own(_))
                        && (!dimensionless || rng.random::<f64>() < 0.4);
                    if scaled { self.scaled(sub, rng) } else { sub }.under(node)
                } else if !self.pairs.is_empty() && rng.random::<f64>() < 0.15 {
                    let with = self.subtree(types[place], 0, rng)?;
                    sub.join(&with, self.pairs[rng.random_range(0..self.pairs.len())])
                } else {
                    let op = *self.binary.get(rng.random_range(0..self.binary.len().max(1)))?;
                    let sum = matches!(op, Node::Add | Node::Subtract);
                    let none = (!types.iter().all(Option::is_none)).then_some(Dimension::NONE);
                    let wanted = if sum { types[place] } else { none };
                    let wanted = self.wanted(wanted, rng);
                    let with = self.subtree(wanted, 0, rng)?;
                    if rng.random::<f64>() < 0.5 { sub.join(&with, op) } else { with.join(&sub, op) }
                };
                genome.terms[t] = tree.replaced(place, &new);
            }
            Change::Hoist => {
                if tree.nodes[place].arity() == 0 {
                    return None;
                }
                let (a, b) = tree.operands(place);
                let keep = if rng.random::<f64>() < 0.5 { a } else { b };
                genome.terms[t] = tree.replaced(place, &tree.subtree(keep));
            }
            Change::Subtree => {
                let wanted = self.wanted(types[place], rng);
                let new = self.subtree(wanted, 1, rng)?;
                genome.terms[t] = tree.replaced(place, &new);
            }
            Change::AddTerm => {
                let goal = self.wanted(self.goal(genome.link), rng);
                genome.terms.push(self.subtree(goal, 1, rng)?);
            }
            Change::DropTerm => {
                if genome.terms.len() < 2 {
                    genome.intercept = !genome.intercept;
                } else {
                    genome.terms.remove(t);
                }
            }
            Change::Factor => {
                let none = self.wanted(Some(Dimension::NONE), rng);
                let factor = self.subtree(none, 0, rng)?;
                let halves = self.halves();
                let factor = match rng.random_range(0..halves.len() + 2) {
                    k if k < halves.len() => factor.under(Node::Raise(halves[k])),
                    _ => factor,
                };
                self.binary.contains(&Node::Multiply).then_some(())?;
                genome.terms[t] = tree.join(&factor, Node::Multiply);
            }
            Change::Exponent => {
                let places: Vec<usize> =
                    (0..tree.len()).filter(|&k| matches!(tree.nodes[k], Node::Raise(_))).collect();
                if places.is_empty() {
                    let halves = self.halves();
                    let &h = halves.get(rng.random_range(0..halves.len().max(1)))?;
                    genome.terms[t] = tree.replaced(place, &tree.subtree(place).under(Node::Raise(h)));
                } else {
                    let k = places[rng.random_range(0..places.len())];
                    let Node::Raise(h) = tree.nodes[k] else { return None };
                    let step = if self.powers.2 { 1 } else { 2 };
                    let h = if rng.random::<f64>() < 0.5 { h - step } else { h + step };
                    if h == 0 || h.abs() > 12 || (h < 0 && !self.binary.contains(&Node::Divide)) {
                        return None;
                    }
                    genome.terms[t].nodes[k] = Node::Raise(h);
                }
            }
            Change::Difference => {
                let leaves: Vec<usize> =
                    (0..tree.len()).filter(|&k| matches!(tree.nodes[k], Node::Leaf(_))).collect();
                let &k = leaves.get(rng.random_range(0..leaves.len().max(1)))?;
                let same: Vec<u32> = self
                    .library
                    .columns
                    .iter()
                    .copied()
                    .filter(|c| types[k].is_none_or(|d| self.library.dimensions[*c as usize] == d))
                    .collect();
                let &c = same.get(rng.random_range(0..same.len().max(1)))?;
                let op = if rng.random::<f64>() < 0.7 { Node::Subtract } else { Node::Add };
                self.binary.contains(&op).then_some(())?;
                let new = tree.subtree(k).join(&self.library.trees[c as usize], op);
                genome.terms[t] = tree.replaced(k, &new);
            }
            Change::Constant => {
                let sub = tree.subtree(place);
                let new = if rng.random::<f64>() < 0.5 {
                    self.scaled(sub, rng)
                } else {
                    let c = self.size(&sub) * standard_normal(rng);
                    sub.join(&Tree::leaf(Node::Constant(c)), Node::Add)
                };
                genome.terms[t] = tree.replaced(place, &new);
            }
            Change::Wanted => {
                let (values, weights) = self.asked(parent, fit, t, place)?;
                let dimension = self.wanted(types[place], rng);
                let close = self.closest(&values, &weights, dimension, rng)?;
                let size = (values.iter().map(|v| v * v).sum::<f64>() / ROWS as f64).sqrt();
                genome.terms[t] = tree.replaced(place, &self.told(&close, size));
            }
            Change::WantedTerm => {
                let left = self.left(parent, fit)?;
                let dimension = self.wanted(self.goal(genome.link), rng);
                let close = self.closest(&left, &[1.0; ROWS], dimension, rng)?;
                genome.terms.push(self.library.trees[close.place].clone());
            }
            Change::Crossover => {
                let from = &other.terms[rng.random_range(0..other.terms.len())];
                let theirs = from.dimensions(&self.typing)?;
                let wanted = self.wanted(types[place], rng);
                let fits: Vec<usize> = (0..from.len())
                    .filter(|&k| wanted.is_none() || theirs[k].is_none() || theirs[k] == wanted)
                    .collect();
                let &k = fits.get(rng.random_range(0..fits.len().max(1)))?;
                genome.terms[t] = tree.replaced(place, &from.subtree(k));
            }
            Change::Mix => {
                let take = &other.terms[rng.random_range(0..other.terms.len())];
                match rng.random_range(0..3) {
                    0 => genome.terms[t] = take.clone(),
                    1 => genome.terms.push(take.clone()),
                    _ => {
                        let op = if rng.random::<f64>() < 0.6 { Node::Multiply } else { Node::Divide };
                        self.binary.contains(&op).then_some(())?;
                        genome.terms[t] = tree.join(take, op);
                    }
                }
            }
            Change::Tie => {
                let u = rng.random_range(0..genome.terms.len());
                if u == t {
                    return None;
                }
                let same = fit.factors[t] * fit.factors[u] > 0.0;
                let op = if same { Node::Add } else { Node::Subtract };
                self.binary.contains(&op).then_some(())?;
                genome.terms[t] = tree.join(&genome.terms[u], op);
                genome.terms.remove(u);
            }
            Change::Split => {
                let k = tree.len() - 1;
                if !matches!(tree.nodes[k], Node::Add | Node::Subtract) {
                    return None;
                }
                let (a, b) = tree.operands(k);
                genome.terms[t] = tree.subtree(a);
                genome.terms.push(tree.subtree(b));
            }
            Change::Link => {
                let link = self.targets[rng.random_range(0..self.targets.len())].0;
                if link == genome.link {
                    return None;
                }
                genome.link = link;
            }
            Change::Random => return self.random(rng),
        }
        self.normal(genome)
    }

    /// What the target asks for at a place of a term, with weights.
    fn asked(&mut self, genome: &Genome, fit: &Linear, t: usize, place: usize) -> Option<(Values, Values)> {
        let mut rest = self.target(genome.link)?;
        rest.iter_mut().for_each(|y| *y -= fit.intercept);
        for (k, tree) in genome.terms.iter().enumerate().filter(|(k, _)| *k != t) {
            self.work += (tree.len() * ROWS) as u64;
            self.sweep.forward(tree, &self.library.leaves).then_some(())?;
            let values = self.sweep.values(tree.len() - 1);
            rest.iter_mut().zip(values).for_each(|(r, v)| *r -= fit.factors[k] * v);
        }
        let factor = fit.factors[t];
        rest.iter_mut().for_each(|r| *r /= factor);
        self.sweep.forward(&genome.terms[t], &self.library.leaves).then_some(())?;
        wanted_at(&genome.terms[t], &self.sweep, &rest, place)
    }

    /// What an individual leaves of the target on the probe rows.
    fn left(&mut self, genome: &Genome, fit: &Linear) -> Option<Values> {
        let mut rest = self.target(genome.link)?;
        rest.iter_mut().for_each(|y| *y -= fit.intercept);
        for (k, tree) in genome.terms.iter().enumerate() {
            self.work += (tree.len() * ROWS) as u64;
            self.sweep.forward(tree, &self.library.leaves).then_some(())?;
            let values = self.sweep.values(tree.len() - 1);
            rest.iter_mut().zip(values).for_each(|(r, v)| *r -= fit.factors[k] * v);
        }
        Some(rest)
    }
}
