//! Rebuilding expressions bottom-up. Small trees are walked without a table of visited nodes, and a node whose
//! children stay is kept as it is, so that nothing is brought into canonical form twice.

use crate::expression::{Expr, Kind};

/// Larger trees may share much; they are walked with a table.
const SMALL: u32 = 256;

/// The same expression with other children; itself where none changed.
pub(super) fn with_children(e: &Expr, f: &mut dyn FnMut(&Expr) -> Expr) -> Expr {
    let children: &[Expr] = match e.kind() {
        Kind::Sum(items) | Kind::Product(items) | Kind::Call(_, items) => items,
        Kind::Power(b, x) => {
            let (base, exponent) = (f(b), f(x));
            let same = base.ptr_eq(b) && exponent.ptr_eq(x);
            return if same { e.clone() } else { Expr::power(base, exponent) };
        }
        _ if e.depth() < 2 => return e.clone(),
        _ => return e.map_children(f),
    };
    let mut changed = false;
    let new: Vec<Expr> = children
        .iter()
        .map(|c| {
            let n = f(c);
            changed |= !n.ptr_eq(c);
            n
        })
        .collect();
    if !changed {
        return e.clone();
    }
    match e.kind() {
        Kind::Sum(_) => Expr::sum(new),
        Kind::Product(_) => Expr::product(new),
        Kind::Call(g, _) => Expr::call(*g, new),
        _ => e.clone(),
    }
}

/// Rebuilds bottom-up; `f` sees every node after its children.
pub(super) fn bottom_up(e: &Expr, f: &mut dyn FnMut(Expr) -> Expr) -> Expr {
    if e.node_count() > SMALL {
        return e.transform(&mut |node| f(node));
    }
    fn go(e: &Expr, f: &mut dyn FnMut(Expr) -> Expr) -> Expr {
        if e.depth() < 2 {
            return f(e.clone());
        }
        let rebuilt = with_children(e, &mut |child| go(child, f));
        f(rebuilt)
    }
    go(e, f)
}

/// Whether something holds of some node.
pub(super) fn any(e: &Expr, test: &dyn Fn(&Expr) -> bool) -> bool {
    if e.node_count() > SMALL {
        let mut found = false;
        e.visit(&mut |node| found |= test(node));
        return found;
    }
    if test(e) {
        return true;
    }
    match e.kind() {
        Kind::Sum(items) | Kind::Product(items) | Kind::Call(_, items) => items.iter().any(|c| any(c, test)),
        Kind::Power(b, x) => any(b, test) || any(x, test),
        _ if e.depth() < 2 => false,
        _ => e.children().into_iter().any(|c| any(c, test)),
    }
}
