//! How a line was understood, where that is not obvious: products without a sign, what a unit or a sign in front of a
//! power belongs to, the order of stacked powers, names under another spelling. The reading is the line with a bracket
//! or a sign in every such place: `1/2x` reads `1/(2*x)`.

use std::collections::HashSet;

use crate::base::{Number, Source};
use crate::syntax::print_expr;
use crate::syntax::tree::{ExprId, ExprKind, ExprNode, MulOp, StatementKind, Tree};

/// Statements of longer texts are not read out.
const MAX_BYTES: usize = 400;

/// The reading of each statement of a text that needs one.
pub fn readings(text: &str) -> Vec<String> {
    if text.len() > MAX_BYTES {
        return Vec::new();
    }
    let source = Source::new(0, "", text);
    let parsed = crate::syntax::parse(&source);
    if parsed.has_errors() {
        return Vec::new();
    }
    let tree = parsed.tree;
    let mut found = Vec::new();
    for statement in &tree.statements {
        let (value, head) = match &statement.kind {
            StatementKind::Expr { value, .. } | StatementKind::Check { value, .. } => (*value, String::new()),
            StatementKind::Bind { names, value, .. } => {
                let names: Vec<&str> = names.iter().map(|n| &*n.name).collect();
                (*value, format!("{} = ", names.join(", ")))
            }
            StatementKind::Define { name, params, body, .. } => {
                let params: Vec<&str> = params.iter().map(|p| &*p.name.name).collect();
                (*body, format!("{}({}) = ", name.name, params.join(", ")))
            }
            _ => continue,
        };
        if let Some(reading) = reading(&tree, &source, value) {
            found.push(format!("{head}{reading}"));
        }
    }
    found
}

/// The reading of an expression; `None` where it is as it looks.
fn reading(tree: &Tree, source: &Source, root: ExprId) -> Option<String> {
    let mut inside = HashSet::new();
    let mut open = vec![root];
    while let Some(id) = open.pop() {
        if inside.insert(id) {
            tree.expr(id).each_child(|c| open.push(c));
        }
    }
    let mut plain = Tree { exprs: tree.exprs.clone(), ..Tree::default() };
    let mut told = false;
    // Children come before their parents, so that what is put into brackets is already read.
    for at in 0..plain.exprs.len() {
        let id = ExprId(at as u32);
        if !inside.contains(&id) {
            continue;
        }
        let typed = |id: ExprId| source.slice(tree.span(id)).starts_with('(');
        match plain.exprs[at].kind.clone() {
            ExprKind::Juxtaposed(a, b) => {
                plain.exprs[at].kind = ExprKind::Product(vec![(MulOp::Times, a), (MulOp::Times, b)]);
                told = true;
            }
            ExprKind::Name(name) => {
                let span = tree.span(id);
                let written = source.slice(span);
                told |= !written.is_ascii() && *written != *name;
            }
            // `2^3 [m]`, `-5 [degC]`, `1/2 [s]`: the power and the sign go first, the quotient does not.
            ExprKind::WithUnit(x, unit) if matches!(tree.expr(x), ExprKind::Power(..)) && !typed(x) => {
                let inner = bracketed(&mut plain, x);
                plain.exprs[at].kind = ExprKind::WithUnit(inner, unit);
                told = true;
            }
            // `-x^2` is -(x^2).
            ExprKind::Neg(x)
                if matches!(tree.expr(x), ExprKind::Power(b, _) if is_number(tree, *b)) && !typed(x) =>
            {
                let inner = bracketed(&mut plain, x);
                plain.exprs[at].kind = ExprKind::Neg(inner);
                told = true;
            }
            // `a^b^c` is a^(b^c).
            ExprKind::Power(b, x) if matches!(tree.expr(x), ExprKind::Power(..)) && !typed(x) => {
                let inner = bracketed(&mut plain, x);
                plain.exprs[at].kind = ExprKind::Power(b, inner);
                told = true;
            }
            // `not a == b` is not (a == b).
            ExprKind::Not(x) if matches!(tree.expr(x), ExprKind::Compare(..)) && !typed(x) => {
                let inner = bracketed(&mut plain, x);
                plain.exprs[at].kind = ExprKind::Not(inner);
                told = true;
            }
            // `1..n+1` is 1..(n+1).
            ExprKind::Range(a, b) if matches!(tree.expr(b), ExprKind::Sum(_)) && !typed(b) => {
                let inner = bracketed(&mut plain, b);
                plain.exprs[at].kind = ExprKind::Range(a, inner);
                told = true;
            }
            // `1/2 [s]` is 1/(2 [s]).
            ExprKind::Product(factors)
                if factors.iter().any(|(op, x)| {
                    *op == MulOp::Divide && matches!(tree.expr(*x), ExprKind::WithUnit(..)) && !typed(*x)
                }) =>
            {
                let factors = factors
                    .into_iter()
                    .map(|(op, x)| match tree.expr(x) {
                        ExprKind::WithUnit(..) if op == MulOp::Divide => (op, bracketed(&mut plain, x)),
                        _ => (op, x),
                    })
                    .collect();
                plain.exprs[at].kind = ExprKind::Product(factors);
                told = true;
            }
            _ => {}
        }
    }
    told.then(|| print_expr(&plain, root))
}

fn is_number(tree: &Tree, id: ExprId) -> bool {
    match tree.expr(id) {
        ExprKind::Integer(n) => *n != Number::ZERO,
        ExprKind::Float(_) => true,
        _ => false,
    }
}

/// The text of an expression in brackets, as a node that is printed as it is.
fn bracketed(tree: &mut Tree, id: ExprId) -> ExprId {
    let text = format!("({})", print_expr(tree, id));
    let span = tree.span(id);
    tree.exprs.push(ExprNode { kind: ExprKind::Name(text.into()), span });
    ExprId(tree.exprs.len() as u32 - 1)
}

#[cfg(test)]
mod tests {
    use super::readings;

    #[test]
    fn what_is_not_obvious_is_read_out() {
        for (typed, reading) in [
            ("1/2x", "1/(2*x)"),
            ("2x^2", "2*x^2"),
            ("3(a + b)", "3*(a + b)"),
            ("2^3 [m]", "(2^3) [m]"),
            ("-2^2", "-(2^2)"),
            ("a^b^c", "a^(b^c)"),
            ("not a == b", "not (a == b)"),
            ("1..n+1", "1..(n + 1)"),
            ("ω0*t", "omega0*t"),
            ("E = 1/2m*v^2", "E = 1/(2*m)*v^2"),
            ("f(t) = 2t", "f(t) = 2*t"),
        ] {
            assert_eq!(readings(typed), [reading], "{typed}");
        }
        for typed in ["1/2*x", "x^2", "-x^2", "9.81 [m/s^2]", "sin(x) + 2", "var r [m]", "x²", "x = ("] {
            assert!(readings(typed).is_empty(), "{typed}: {:?}", readings(typed));
        }
    }
}
