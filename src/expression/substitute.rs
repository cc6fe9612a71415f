//! Putting expressions in for symbols, all at once, and for subexpressions. Shared nodes are visited once; what does
//! not change stays the same node.

use std::collections::HashMap;
use std::sync::Arc;

use super::node::{Expr, Kind, Node};
use super::symbol::Symbol;

impl Expr {
    /// With each symbol replaced by its expression, simultaneously: `x + 2*y` with `x: y, y: x` is `y + 2*x`. Arguments
    /// of undefined functions and their derivatives are substituted too, names of functions are not.
    pub fn substitute(&self, pairs: &[(Symbol, Expr)]) -> Expr {
        if pairs.is_empty() || !self.is_symbolic() {
            return self.clone();
        }
        rebuild(self, &mut HashMap::new(), &|e| match e.kind() {
            Kind::Symbol(s) => {
                Some(pairs.iter().find(|(own, _)| own == s).map_or_else(|| e.clone(), |(_, v)| v.clone()))
            }
            _ => None,
        })
    }

    /// With every occurrence of the subexpression `from` replaced by `to`. Parts of sums and products are no
    /// subexpressions unless they stand as a node.
    pub fn replace(&self, from: &Expr, to: &Expr) -> Expr {
        rebuild(self, &mut HashMap::new(), &|e| {
            if e == from {
                Some(to.clone())
            } else if e.node_count() < from.node_count() {
                Some(e.clone())
            } else {
                None
            }
        })
    }
}

/// Rebuilds top-down: where `known` has an answer it stands, elsewhere the children are rebuilt.
fn rebuild(e: &Expr, done: &mut HashMap<*const Node, Expr>, known: &dyn Fn(&Expr) -> Option<Expr>) -> Expr {
    if let Some(answer) = known(e) {
        return answer;
    }
    if e.depth() == 1 && !matches!(e.kind(), Kind::Apply(..)) {
        return e.clone();
    }
    let at = Arc::as_ptr(&e.0);
    if let Some(answer) = done.get(&at) {
        return answer.clone();
    }
    let children = e.children();
    let rebuilt: Vec<Expr> = children.iter().map(|c| rebuild(c, done, known)).collect();
    let answer = if rebuilt.iter().zip(&children).all(|(new, old)| new.ptr_eq(old)) {
        e.clone()
    } else {
        // `map_children` goes through them in the order of `children`.
        let mut next = rebuilt.into_iter();
        e.map_children(|old| next.next().unwrap_or_else(|| old.clone()))
    };
    done.insert(at, answer.clone());
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::read::parse;

    fn put(text: &str, pairs: &[(&str, &str)]) -> String {
        let pairs: Vec<(Symbol, Expr)> = pairs.iter().map(|(s, v)| (Symbol::new(s), parse(v))).collect();
        parse(text).substitute(&pairs).to_string()
    }

    #[test]
    fn substitution_is_simultaneous() {
        assert_eq!(put("x + 2*y", &[("x", "y"), ("y", "x")]), "2*x + y");
        assert_eq!(put("x^2 + y", &[("x", "3")]), "y + 9");
        assert_eq!(put("u(x, t)*x", &[("x", "0"), ("t", "s + 1")]), "0");
        assert_eq!(put("u(x, t)", &[("x", "0"), ("t", "s + 1")]), "u(0, s + 1)");
        assert_eq!(put("diff(u(x, t), x)", &[("x", "0")]), "diff(u(x, t), x)(x: 0)");
        assert_eq!(put("if x > 0 then x else -x", &[("x", "y")]), "if y > 0 then y else -y");
        assert_eq!(put("x*x^-1", &[("x", "2")]), "1");
    }

    #[test]
    fn what_does_not_change_is_shared() {
        let e = parse("sin(y) + cos(y)^2");
        assert!(e.substitute(&[(Symbol::new("x"), Expr::one())]).ptr_eq(&e));
        assert_eq!(parse("sin(x)^2 + sin(x)").replace(&parse("sin(x)"), &parse("s")).to_string(), "s^2 + s");
    }
}
