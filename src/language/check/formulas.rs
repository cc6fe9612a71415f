//! Formulas over the columns of a dataset, and the columns of the datasets that come of them. Names of columns stand
//! for whole columns; conditions compare element by element.

use std::sync::Arc;

use super::arguments::Bound;
use super::{Cells, Checker, Columns, Condition, Dim, Inferred};
use crate::base::suggest;
use crate::expression::Constant;
use crate::language::error::fault_hint;
use crate::language::types::Signature;
use crate::syntax::tree::{ExprId, ExprKind, Name, StrPart, Tree};

/// The columns of `describe`.
const DESCRIBE: &[&str] = &["count", "missing", "mean", "std", "min", "q1", "median", "q3", "max"];

impl Checker {
    /// One formula of a call whose first argument is `data`; `before` are the formulas that stand before it.
    pub(super) fn formula_argument(
        &mut self,
        signature: &Signature,
        tree: &Arc<Tree>,
        id: ExprId,
        name: Option<&Name>,
        data: Inferred,
        before: &[(Name, Inferred)],
    ) -> Inferred {
        if &*signature.name == "rename" {
            return Inferred::Text(name.cloned());
        }
        let Inferred::Dataset(Some(data)) = data else {
            return Inferred::Unknown;
        };
        let mut columns = (*data).clone();
        if &*signature.name == "with" {
            for (name, value) in before {
                self.add(&mut columns, name, value);
            }
        }
        if columns.open {
            return Inferred::Unknown;
        }
        let count = self.diagnostics.len();
        self.known_names(tree, id, &columns);
        if self.is_faulty_since(count) {
            return Inferred::Unknown;
        }
        let names: Vec<(Name, Inferred)> =
            columns.columns.iter().map(|(n, c)| (n.clone(), Inferred::Column(c.clone()))).collect();
        self.columns_hide_prelude(tree, id, &names);
        let found = self.within(names.into_iter().collect(), |c| c.formula(tree, id));
        if &*signature.name == "filter" {
            let (element, _) = self.innermost(&found);
            return Inferred::Condition(self.truth(&element, tree.span(id)));
        }
        found
    }

    /// Bare names are columns, bound, declared or constants: a formula has no free symbols.
    fn known_names(&mut self, tree: &Tree, id: ExprId, columns: &Columns) {
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            match tree.expr(id) {
                ExprKind::Comprehension { .. } => continue,
                ExprKind::Name(name) => {
                    let known = columns.columns.iter().any(|(n, _)| n == name)
                        || self.is_bound(name)
                        || Constant::from_name(name).is_some()
                        || self.library.signatures(name).is_some()
                        || self.later.contains(name);
                    if !known {
                        let names: Vec<&str> = columns.columns.iter().map(|(n, _)| &**n).collect();
                        let hint = match suggest::nearest(name, names.iter().copied()) {
                            Some(near) => format!("did you mean `{near}`?"),
                            None => format!("it has {}", names.join(", ")),
                        };
                        let message = format!("expected a column of the dataset, found `{name}`");
                        self.report(fault_hint(6002, tree.span(id), message, hint));
                    }
                }
                ExprKind::Call { args, callee, .. } => {
                    open.extend(args.iter().map(|a| a.value));
                    // Which function it is, is told where the call is followed.
                    if !matches!(tree.expr(*callee), ExprKind::Name(_)) {
                        open.push(*callee);
                    }
                }
                other => other.each_child(&mut |child| open.push(child)),
            }
        }
    }

    /// A part of a formula: as any expression, but that conditions are taken element by element.
    fn formula(&mut self, tree: &Arc<Tree>, id: ExprId) -> Inferred {
        match tree.expr(id) {
            ExprKind::Compare(first, rest) => {
                let side = |c: &mut Checker, id: ExprId| {
                    let found = c.formula(tree, id);
                    (c.innermost(&found).0, tree.span(id))
                };
                let mut left = side(self, *first);
                for (o, id) in rest {
                    let right = match tree.expr(*id) {
                        ExprKind::List(_) | ExprKind::Range(..) => (self.infer(tree, *id), tree.span(*id)),
                        _ => side(self, *id),
                    };
                    self.comparison(*o, &left, &right);
                    left = right;
                }
                Inferred::each(Inferred::Condition(Condition::UNKNOWN))
            }
            ExprKind::And(items) | ExprKind::Or(items) => {
                for item in items {
                    self.formula_truth(tree, *item);
                }
                Inferred::each(Inferred::Condition(Condition::UNKNOWN))
            }
            ExprKind::Not(a) => {
                self.formula_truth(tree, *a);
                Inferred::each(Inferred::Condition(Condition::UNKNOWN))
            }
            ExprKind::If { condition, then, otherwise } => {
                self.formula_truth(tree, *condition);
                let (a, b) = (self.formula(tree, *then), self.formula(tree, *otherwise));
                let (a, b) = (self.innermost(&a).0, self.innermost(&b).0);
                if let (Some(x), Some(y)) = (a.quantity(), b.quantity())
                    && !x.soft
                    && !y.soft
                {
                    let (x, y) = (x.dim.clone(), y.dim.clone());
                    if !self.same(&x, tree.span(*then), &y, tree.span(*otherwise)) {
                        return Inferred::Unknown;
                    }
                }
                let joined = self.join(&a, &b);
                Inferred::each(joined)
            }
            _ => self.infer(tree, id),
        }
    }

    fn formula_truth(&mut self, tree: &Arc<Tree>, id: ExprId) {
        let found = self.formula(tree, id);
        let (element, _) = self.innermost(&found);
        self.truth(&element, tree.span(id));
    }

    /// The columns with one more; where nothing is known of it there may be others.
    fn add(&mut self, columns: &mut Columns, name: &Name, value: &Inferred) {
        let cells = match value {
            Inferred::Column(cells) => Some(cells.clone()),
            other => match self.innermost(other).0 {
                Inferred::Quantity(q) if q.soft => Some(Cells::Either),
                Inferred::Quantity(q) | Inferred::Law(q, _) => Some(Cells::Numbers(q.dim)),
                Inferred::Text(_) => Some(Cells::Labels),
                Inferred::Condition(_) => Some(Cells::Numbers(Dim::none())),
                _ => None,
            },
        };
        match cells {
            None => {
                columns.columns.retain(|(n, _)| n != name);
                columns.open = true;
            }
            Some(cells) => match columns.columns.iter_mut().find(|(n, _)| n == name) {
                Some(old) => old.1 = cells,
                None => columns.columns.push((name.clone(), cells)),
            },
        }
    }

    /// The columns of what `with`, `group`, `rename`, `drop`, `join` and `describe` return.
    pub(super) fn table(
        &mut self,
        signature: &Signature,
        tree: &Arc<Tree>,
        places: &[Vec<ExprId>],
        bound: &Bound,
    ) -> Inferred {
        let number = || Cells::Numbers(Dim::none());
        if &*signature.name == "describe" {
            let texts = ["column", "unit"].map(|n| (Name::from(n), Cells::Labels));
            let numbers = DESCRIBE.iter().map(|n| (Name::from(*n), number()));
            let columns = texts.into_iter().chain(numbers).collect();
            return Inferred::Dataset(Some(Arc::new(Columns { columns, open: false })));
        }
        let Inferred::Dataset(Some(data)) = bound.get(0) else { return Inferred::Dataset(None) };
        let mut columns = (**data).clone();
        let place = |name: &str| signature.param(name).and_then(|(k, _)| places.get(k));
        match &*signature.name {
            "with" => {
                for (name, value) in &bound.formulas {
                    self.add(&mut columns, name, value);
                }
            }
            "group" => {
                let Some(by) = place("by").and_then(|ids| names(tree, ids)) else {
                    return Inferred::Dataset(None);
                };
                if columns.open {
                    return Inferred::Dataset(None);
                }
                columns.columns.retain(|(n, _)| by.contains(n));
                columns.columns.sort_by_key(|(n, _)| by.iter().position(|b| b == n));
                for (name, value) in &bound.formulas {
                    self.add(&mut columns, name, value);
                }
                if bound.formulas.is_empty() {
                    columns.columns.push(("count".into(), number()));
                }
            }
            "drop" => {
                let Some(out) = place("columns").and_then(|ids| names(tree, ids)) else {
                    return Inferred::Dataset(None);
                };
                columns.columns.retain(|(n, _)| !out.contains(n));
            }
            "rename" => {
                let Some(ids) = signature.any_name().and_then(|k| places.get(k)) else {
                    return Inferred::Dataset(None);
                };
                for ((new, _), id) in bound.formulas.iter().zip(ids) {
                    let Some(old) = names(tree, &[*id]) else { return Inferred::Dataset(None) };
                    match data.columns.iter().position(|(n, _)| old.contains(n)) {
                        Some(at) => columns.columns[at].0 = new.clone(),
                        None => return Inferred::Dataset(None),
                    }
                }
            }
            _ => {
                let Inferred::Dataset(Some(right)) = bound.get(1) else { return Inferred::Dataset(None) };
                let Some(on) = place("on").and_then(|ids| names(tree, ids)) else {
                    return Inferred::Dataset(None);
                };
                columns.open |= right.open;
                for (name, cells) in &right.columns {
                    if on.contains(name) {
                        continue;
                    }
                    let taken = data.columns.iter().any(|(n, _)| n == name);
                    let name = if taken { Name::from(format!("{name}_right")) } else { name.clone() };
                    columns.columns.push((name, cells.clone()));
                }
            }
        }
        Inferred::Dataset(Some(Arc::new(columns)))
    }
}

/// Names and texts that are written out; `None` for anything else.
fn names(tree: &Tree, ids: &[ExprId]) -> Option<Vec<Name>> {
    let mut found = Vec::new();
    for id in ids {
        match tree.expr(*id) {
            ExprKind::Name(n) => found.push(n.clone()),
            ExprKind::Str { parts, .. } => match parts.as_slice() {
                [StrPart::Text(text)] => found.push(Name::from(text.as_str())),
                _ => return None,
            },
            ExprKind::List(items) => found.extend(names(tree, items)?),
            _ => return None,
        }
    }
    Some(found)
}
