//! Trees as flat lists in postfix order: operands before their operator, so that a subtree is one piece of the list. A
//! tree is brought into a normal form before it is counted or compared: numbers joined, operands that may be exchanged in
//! one order, factors and offsets that a linear coefficient would repeat left out.

use crate::base::{Number, hash};
use crate::expression::{Expr, Function, Kind, Symbol};
use crate::regression::candidate::Parameter;
use crate::regression::exhaustive::grammar::{Grammar, Op};
use crate::regression::exhaustive::table::Table;
use crate::regression::options::OwnOperator;
use crate::units::Dimension;

/// A node.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Node {
    /// A leaf of the grammar: a column, an exact number, a named constant.
    Leaf(u16),
    /// A constant to be fitted, at its present value.
    Constant(f64),
    /// -a.
    Negate,
    /// a to the power h/2.
    Raise(i8),
    /// A function of one argument.
    Call(Function),
    /// A function of two arguments: the greater, the less, the remainder, the angle.
    Pair(Function),
    /// An operator of the user of one argument, by its place in the plan.
    Own(u8),
    /// One of two arguments.
    OwnPair(u8),
    /// a + b.
    Add,
    /// a - b.
    Subtract,
    /// a*b.
    Multiply,
    /// a/b.
    Divide,
    /// a^b.
    Power,
}

impl Node {
    /// Its number of operands.
    pub fn arity(self) -> usize {
        match self {
            Node::Leaf(_) | Node::Constant(_) => 0,
            Node::Negate | Node::Raise(_) | Node::Call(_) | Node::Own(_) => 1,
            _ => 2,
        }
    }

    /// Whether its operands may be exchanged.
    fn commutes(self) -> bool {
        matches!(self, Node::Add | Node::Multiply | Node::Pair(Function::Min | Function::Max))
    }

    /// What it is, whatever the value of a constant.
    pub fn code(self) -> u64 {
        match self {
            Node::Leaf(k) => 16 + u64::from(k),
            Node::Constant(_) => 1,
            Node::Negate => 2,
            Node::Raise(h) => (1 << 20) + (i64::from(h) + 128) as u64,
            Node::Call(f) => (2 << 20) + f as u64,
            Node::Pair(f) => (3 << 20) + f as u64,
            Node::Own(k) => (4 << 20) + u64::from(k),
            Node::OwnPair(k) => (5 << 20) + u64::from(k),
            Node::Add => 3,
            Node::Subtract => 4,
            Node::Multiply => 5,
            Node::Divide => 6,
            Node::Power => 7,
        }
    }
}

/// A tree in postfix order.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Tree {
    /// The nodes.
    pub nodes: Vec<Node>,
}

/// A dimension, `None` where a constant decides it.
pub type Ty = Option<Dimension>;

/// Whether two dimensions may be those of one thing, and which it is.
fn unify(a: Ty, b: Ty) -> Option<Ty> {
    match (a, b) {
        (None, d) | (d, None) => Some(d),
        (Some(x), Some(y)) => (x == y).then_some(a),
    }
}

/// The dimensions of leaves and constants.
pub struct Typing<'a> {
    /// Those of the leaves.
    pub grammar: &'a Grammar,
    /// That of a constant: `None` where it may have any.
    pub constant: Ty,
    /// The operators of the user.
    pub own: &'a [OwnOperator],
}

impl Tree {
    /// A tree of one node.
    pub fn leaf(node: Node) -> Tree {
        Tree { nodes: vec![node] }
    }

    /// The number of its nodes.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Where the subtree that ends at a node begins.
    pub fn start(&self, end: usize) -> usize {
        let mut open = 1;
        let mut k = end + 1;
        while open > 0 {
            k -= 1;
            open = open - 1 + self.nodes[k].arity();
        }
        k
    }

    /// The subtree that ends at a node.
    pub fn subtree(&self, end: usize) -> Tree {
        Tree { nodes: self.nodes[self.start(end)..=end].to_vec() }
    }

    /// The tree with another in the place of the subtree that ends at a node.
    pub fn replaced(&self, end: usize, with: &Tree) -> Tree {
        let start = self.start(end);
        let mut nodes = Vec::with_capacity(self.len() + with.len());
        nodes.extend_from_slice(&self.nodes[..start]);
        nodes.extend_from_slice(&with.nodes);
        nodes.extend_from_slice(&self.nodes[end + 1..]);
        Tree { nodes }
    }

    /// The tree under an operator of one operand.
    pub fn under(mut self, node: Node) -> Tree {
        self.nodes.push(node);
        self
    }

    /// Two trees under an operator of two operands.
    pub fn join(mut self, other: &Tree, node: Node) -> Tree {
        self.nodes.extend_from_slice(&other.nodes);
        self.nodes.push(node);
        self
    }

    /// Whether it calls a function.
    pub fn calls(&self) -> bool {
        self.nodes
            .iter()
            .any(|n| matches!(n, Node::Call(_) | Node::Pair(_) | Node::Own(_) | Node::OwnPair(_)))
    }

    /// The places of its constants.
    pub fn constants(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.len()).filter(|&k| matches!(self.nodes[k], Node::Constant(_)))
    }

    /// The operands of the node at a place, by where they end: the first of two is the deeper one.
    pub fn operands(&self, k: usize) -> (usize, usize) {
        let second = k.wrapping_sub(1);
        match self.nodes[k].arity() {
            2 => (self.start(second) - 1, second),
            _ => (second, second),
        }
    }

    /// Hash of its structure, whatever the values of its constants.
    pub fn structure(&self) -> u64 {
        self.nodes.iter().fold(self.len() as u64, |h, n| hash::combine(h, n.code()))
    }

    /// The function of an entry of the table of small functions.
    pub fn of_entry(table: &Table, id: u32) -> Tree {
        let mut tree = Tree::default();
        tree.push_entry(table, id);
        tree
    }

    fn push_entry(&mut self, table: &Table, id: u32) {
        let entry = table.entry(id);
        let op = table.op(id);
        if op == Op::Leaf {
            self.nodes.push(Node::Leaf(entry.a as u16));
            return;
        }
        self.push_entry(table, entry.a);
        if let Op::Power(negated, turned) = op {
            let halves = table.expr(entry.b).as_number().and_then(|n| (n.clone() * Number::TWO).to_i64());
            if let Some(h) = halves.filter(|h| !negated && (1..=12).contains(&h.abs())) {
                self.nodes.push(Node::Raise(if turned { -h } else { h } as i8));
                return;
            }
            if negated {
                self.nodes.push(Node::Negate);
            }
            self.push_entry(table, entry.b);
            if turned {
                self.nodes.push(Node::Negate);
            }
            self.nodes.push(Node::Power);
            return;
        }
        if op.is_binary() {
            self.push_entry(table, entry.b);
        }
        match op {
            Op::Add => self.nodes.push(Node::Add),
            Op::Subtract => self.nodes.push(Node::Subtract),
            Op::Multiply => self.nodes.push(Node::Multiply),
            Op::Divide => self.nodes.push(Node::Divide),
            Op::Square => self.nodes.push(Node::Raise(4)),
            Op::Root(negated) => {
                if negated {
                    self.nodes.push(Node::Negate);
                }
                self.nodes.push(Node::Raise(1));
            }
            Op::Call(f, negated) => {
                if negated {
                    self.nodes.push(Node::Negate);
                }
                self.nodes.push(Node::Call(f));
            }
            Op::Leaf | Op::Power(..) => {}
        }
    }

    /// The tree of a law; `leaf` tells what its symbols are, whatever else has no symbols becomes a constant.
    pub fn of_law(e: &Expr, leaf: &dyn Fn(&Symbol) -> Option<Node>) -> Option<Tree> {
        let of = |e: &Expr| Tree::of_law(e, leaf);
        if let Some(s) = e.as_symbol() {
            return Some(Tree::leaf(leaf(s)?));
        }
        if e.symbols().is_empty() {
            return e.to_f64().filter(|x| x.is_finite()).map(|x| Tree::leaf(Node::Constant(x)));
        }
        let all = |items: &[Expr], node: Node| {
            let mut trees = items.iter().map(of);
            let first = trees.next()??;
            trees.try_fold(first, |sum, t| Some(sum.join(&t?, node)))
        };
        match e.kind() {
            Kind::Sum(items) => all(items, Node::Add),
            Kind::Product(items) => {
                let below = |e: &Expr| e.base_exponent().1.is_negated();
                let (under, over): (Vec<Expr>, Vec<Expr>) = items.iter().cloned().partition(below);
                let under: Vec<Expr> = under.iter().map(|e| Expr::power(e.clone(), Expr::int(-1))).collect();
                match (over.is_empty(), under.is_empty()) {
                    (_, true) => all(&over, Node::Multiply),
                    (true, _) => Some(all(&under, Node::Multiply)?.under(Node::Raise(-2))),
                    _ => Some(all(&over, Node::Multiply)?.join(&all(&under, Node::Multiply)?, Node::Divide)),
                }
            }
            Kind::Power(base, exponent) => {
                let halves = exponent.as_number().and_then(|n| (n.clone() * Number::TWO).to_i64());
                match halves.filter(|h| (1..=12).contains(&h.abs())) {
                    Some(h) => Some(of(base)?.under(Node::Raise(h as i8))),
                    None => Some(of(base)?.join(&of(exponent)?, Node::Power)),
                }
            }
            Kind::Call(f, args) => match args.as_ref() {
                [a] => Some(of(a)?.under(Node::Call(*f))),
                [_, _] if [Function::Min, Function::Max, Function::Atan2, Function::Mod].contains(f) => {
                    all(args, Node::Pair(*f))
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// The dimensions of all its subtrees, by where they end; `None` where units forbid it.
    pub fn dimensions(&self, typing: &Typing<'_>) -> Option<Vec<Ty>> {
        let mut all: Vec<Ty> = Vec::with_capacity(self.len());
        let mut stack: Vec<Ty> = Vec::new();
        for node in &self.nodes {
            let ty = match *node {
                Node::Leaf(k) => Some(typing.grammar.leaves[usize::from(k)].dimension),
                Node::Constant(_) => typing.constant,
                Node::Negate => stack.pop()?,
                Node::Call(Function::Abs) => stack.pop()?,
                Node::Raise(h) => match stack.pop()? {
                    None => None,
                    Some(d) => Some(d.pow(&Number::ratio(i64::from(h), 2)?)?),
                },
                Node::Call(_) | Node::Own(_) => unify(stack.pop()?, Some(Dimension::NONE))?,
                Node::Add | Node::Subtract | Node::Pair(Function::Min | Function::Max | Function::Mod) => {
                    let b = stack.pop()?;
                    unify(stack.pop()?, b)?
                }
                Node::Pair(_) => {
                    let b = stack.pop()?;
                    unify(stack.pop()?, b)?;
                    Some(Dimension::NONE)
                }
                Node::Multiply => match (stack.pop()?, stack.pop()?) {
                    (Some(b), Some(a)) => Some(a.mul(b)?),
                    _ => None,
                },
                Node::Divide => match (stack.pop()?, stack.pop()?) {
                    (Some(b), Some(a)) => Some(a.div(b)?),
                    _ => None,
                },
                Node::Power | Node::OwnPair(_) => {
                    let exponent = stack.pop()?;
                    unify(exponent, Some(Dimension::NONE))?;
                    unify(stack.pop()?, Some(Dimension::NONE))?
                }
            };
            stack.push(ty);
            all.push(ty);
        }
        Some(all)
    }

    /// The expression with its constants as parameters, appended to `parameters` with the dimension that each must have
    /// for the tree to have the dimension `goal`; `None` where no dimensions do.
    pub fn expr(
        &self,
        typing: &Typing<'_>,
        goal: Dimension,
        parameters: &mut Vec<Parameter>,
    ) -> Option<Expr> {
        let types = self.dimensions(typing)?;
        self.expr_at(self.len() - 1, &types, typing, goal, parameters)
    }

    fn expr_at(
        &self,
        k: usize,
        types: &[Ty],
        typing: &Typing<'_>,
        goal: Dimension,
        parameters: &mut Vec<Parameter>,
    ) -> Option<Expr> {
        unify(types[k], Some(goal))?;
        let (a, b) = self.operands(k);
        let none = Dimension::NONE;
        let mut at = |place, goal| self.expr_at(place, types, typing, goal, parameters);
        Some(match self.nodes[k] {
            Node::Leaf(l) => typing.grammar.leaves[usize::from(l)].expr.clone(),
            Node::Constant(start) => {
                let symbol = Parameter::symbol(parameters.len());
                parameters.push(Parameter { symbol: symbol.clone(), start, dimension: goal });
                Expr::symbol(symbol)
            }
            Node::Negate => at(a, goal)?.negate(),
            Node::Call(Function::Abs) => Expr::call(Function::Abs, vec![at(a, goal)?]),
            Node::Call(f) => Expr::call(f, vec![at(a, none)?]),
            Node::Raise(h) => {
                let inverse = Number::ratio(2, i64::from(h))?;
                Expr::power(at(a, goal.pow(&inverse)?)?, Expr::ratio(i64::from(h), 2))
            }
            Node::Add => at(a, goal)? + at(b, goal)?,
            Node::Subtract => at(a, goal)? - at(b, goal)?,
            Node::Pair(f @ (Function::Min | Function::Max | Function::Mod)) => {
                let first = at(a, goal)?;
                Expr::call(f, vec![first, at(b, goal)?])
            }
            Node::Pair(f) => {
                let d = unify(types[a], types[b])?.unwrap_or(none);
                let first = at(a, d)?;
                Expr::call(f, vec![first, at(b, d)?])
            }
            Node::Multiply => {
                let (x, y) = match (types[a], types[b]) {
                    (Some(x), Some(y)) => (x, y),
                    (Some(x), None) => (x, goal.div(x)?),
                    (None, Some(y)) => (goal.div(y)?, y),
                    (None, None) => (none, goal),
                };
                at(a, x)? * at(b, y)?
            }
            Node::Divide => {
                let (x, y) = match (types[a], types[b]) {
                    (Some(x), Some(y)) => (x, y),
                    (Some(x), None) => (x, x.div(goal)?),
                    (None, Some(y)) => (goal.mul(y)?, y),
                    (None, None) => (goal, none),
                };
                at(a, x)? / at(b, y)?
            }
            Node::Power => Expr::power(at(a, none)?, at(b, none)?),
            Node::Own(o) => {
                let own = typing.own.get(usize::from(o))?;
                own.body.substitute(&[(own.arguments.first()?.clone(), at(a, none)?)])
            }
            Node::OwnPair(o) => {
                let own = typing.own.get(usize::from(o))?;
                let first = at(a, none)?;
                let pairs = own.arguments.iter().cloned().zip([first, at(b, none)?]);
                own.body.substitute(&pairs.collect::<Vec<_>>())
            }
        })
    }

    /// The normal form. `free`: a factor and an offset of the whole tree are left out, since a coefficient and an
    /// intercept stand beside it.
    pub fn normal(&self, free: (bool, bool)) -> Tree {
        let mut parts: Vec<Tree> = Vec::new();
        for &node in &self.nodes {
            let tree = match node.arity() {
                0 => Tree::leaf(node),
                1 => match parts.pop() {
                    Some(a) => unary(a, node),
                    None => Tree::leaf(node),
                },
                _ => match (parts.pop(), parts.pop()) {
                    (Some(b), Some(a)) => binary(a, b, node),
                    _ => Tree::leaf(node),
                },
            };
            parts.push(tree);
        }
        let mut tree = parts.pop().unwrap_or_default();
        loop {
            let k = tree.len() - 1;
            let (a, b) = tree.operands(k);
            let number = |place: usize| matches!(tree.nodes[place], Node::Constant(_));
            let keep = match tree.nodes[k] {
                Node::Negate if free.0 => a,
                Node::Multiply if free.0 && number(a) => b,
                Node::Multiply | Node::Divide if free.0 && number(b) => a,
                Node::Add | Node::Subtract if free.1 && number(b) => a,
                Node::Add if free.1 && number(a) => b,
                Node::Subtract if free.0 && free.1 && number(a) => b,
                _ => return tree,
            };
            tree = tree.subtree(keep);
        }
    }

    /// A tree in words that [`Tree::parse`] reads; constants by their bits.
    pub fn spell(&self) -> String {
        let word = |n: &Node| match n {
            Node::Leaf(k) => format!("l{k}"),
            Node::Constant(c) => format!("c{:x}", c.to_bits()),
            Node::Negate => "n".into(),
            Node::Raise(h) => format!("r{h}"),
            Node::Call(f) => format!("f{}", f.name()),
            Node::Pair(f) => format!("g{}", f.name()),
            Node::Own(k) => format!("o{k}"),
            Node::OwnPair(k) => format!("p{k}"),
            Node::Add => "+".into(),
            Node::Subtract => "-".into(),
            Node::Multiply => "*".into(),
            Node::Divide => "/".into(),
            Node::Power => "^".into(),
        };
        self.nodes.iter().map(word).collect::<Vec<String>>().join(" ")
    }

    /// Reads what [`Tree::spell`] wrote, with leaves up to `leaves`.
    pub fn parse(text: &str, leaves: usize) -> Option<Tree> {
        let mut nodes = Vec::new();
        let mut depth = 0usize;
        for word in text.split(' ') {
            let rest = word.get(1..).unwrap_or_default();
            let node = match word.as_bytes().first()? {
                b'l' => Node::Leaf(rest.parse().ok().filter(|k| usize::from(*k) < leaves)?),
                b'c' => Node::Constant(f64::from_bits(u64::from_str_radix(rest, 16).ok()?)),
                b'n' => Node::Negate,
                b'r' => Node::Raise(rest.parse().ok()?),
                b'f' => Node::Call(Function::from_name(rest)?),
                b'g' => Node::Pair(Function::from_name(rest)?),
                b'o' => Node::Own(rest.parse().ok()?),
                b'p' => Node::OwnPair(rest.parse().ok()?),
                b'+' => Node::Add,
                b'-' => Node::Subtract,
                b'*' => Node::Multiply,
                b'/' => Node::Divide,
                b'^' => Node::Power,
                _ => return None,
            };
            depth = (depth + 1).checked_sub(node.arity()).filter(|d| *d > 0)?;
            nodes.push(node);
        }
        (depth == 1).then_some(Tree { nodes })
    }
}

/// An operator on a tree in normal form.
fn unary(a: Tree, node: Node) -> Tree {
    let last = a.nodes[a.len() - 1];
    match (node, last) {
        (Node::Negate, Node::Constant(c)) => return Tree::leaf(Node::Constant(-c)),
        (Node::Negate, Node::Negate) => return a.subtree(a.len() - 2),
        (Node::Call(Function::Abs), Node::Negate) => return a.subtree(a.len() - 2).under(node),
        (Node::Call(f), Node::Negate) if f.is_even() => return a.subtree(a.len() - 2).under(node),
        (Node::Call(f), Node::Negate) if f.is_odd() => {
            return a.subtree(a.len() - 2).under(node).under(Node::Negate);
        }
        (Node::Raise(h), Node::Negate) if h % 4 == 0 => return a.subtree(a.len() - 2).under(node),
        (Node::Raise(2), _) => return a,
        // (a^(g/2))^(h/2), where no sign is lost: not under even powers.
        (Node::Raise(h), Node::Raise(g)) if g % 4 != 0 => {
            let product = i32::from(h) * i32::from(g);
            if product % 2 == 0 && (1..=12).contains(&(product / 2).abs()) {
                return unary(a.subtree(a.len() - 2), Node::Raise((product / 2) as i8));
            }
        }
        (Node::Call(Function::Exp), Node::Call(Function::Log)) => return a.subtree(a.len() - 2),
        (Node::Call(Function::Log), Node::Call(Function::Exp)) => return a.subtree(a.len() - 2),
        (_, Node::Constant(c)) => {
            let value = match node {
                Node::Raise(h) => c.powf(f64::from(h) / 2.0),
                Node::Call(f) => (f.row().value)(&[c]),
                _ => f64::NAN,
            };
            if value.is_finite() {
                return Tree::leaf(Node::Constant(value));
            }
        }
        _ => {}
    }
    a.under(node)
}

/// An operator on two trees in normal form.
fn binary(a: Tree, b: Tree, node: Node) -> Tree {
    let number = |t: &Tree| match t.nodes[..] {
        [Node::Constant(c)] => Some(c),
        _ => None,
    };
    if let (Some(x), Some(y)) = (number(&a), number(&b)) {
        let value = match node {
            Node::Add => x + y,
            Node::Subtract => x - y,
            Node::Multiply => x * y,
            Node::Divide => x / y,
            Node::Power => x.powf(y),
            Node::Pair(f) => (f.row().value)(&[x, y]),
            _ => f64::NAN,
        };
        if value.is_finite() {
            return Tree::leaf(Node::Constant(value));
        }
    }
    // A difference or quotient with a number is a sum or product with another.
    match (node, number(&b)) {
        (Node::Subtract, Some(c)) => return binary(a, Tree::leaf(Node::Constant(-c)), Node::Add),
        (Node::Divide, Some(c)) if c != 0.0 => {
            return binary(a, Tree::leaf(Node::Constant(1.0 / c)), Node::Multiply);
        }
        _ => {}
    }
    if a == b {
        match node {
            Node::Multiply => return unary(a, Node::Raise(4)),
            Node::Pair(Function::Min | Function::Max) => return a,
            _ => {}
        }
    }
    // Signs go out.
    let negated = |t: &Tree| t.nodes[t.len() - 1] == Node::Negate;
    let bare = |t: &Tree| t.subtree(t.len() - 2);
    match node {
        Node::Add if negated(&b) => return binary(a, bare(&b), Node::Subtract),
        Node::Add if negated(&a) => return binary(b, bare(&a), Node::Subtract),
        Node::Subtract if negated(&b) => return binary(a, bare(&b), Node::Add),
        Node::Multiply | Node::Divide if negated(&a) => {
            return unary(binary(bare(&a), b, node), Node::Negate);
        }
        Node::Multiply | Node::Divide if negated(&b) => {
            return unary(binary(a, bare(&b), node), Node::Negate);
        }
        _ => {}
    }
    if node.commutes() {
        // Numbers come last, where they join numbers of the same kind further in.
        let key = |t: &Tree| (number(t).is_some(), t.len(), t.structure());
        let (a, b) = if key(&a) <= key(&b) { (a, b) } else { (b, a) };
        if let Some(y) = number(&b)
            && a.nodes[a.len() - 1] == node
            && let Node::Constant(x) = a.nodes[a.len() - 2]
        {
            let inner = a.subtree(a.operands(a.len() - 1).0);
            let value = if node == Node::Add { x + y } else { x * y };
            if matches!(node, Node::Add | Node::Multiply) && value.is_finite() {
                return inner.join(&Tree::leaf(Node::Constant(value)), node);
            }
        }
        return a.join(&b, node);
    }
    a.join(&b, node)
}
