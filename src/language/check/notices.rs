//! Notices: what is no fault and may still not be what was meant. They are told by the check alone, so that a program
//! that is only checked shows them too, and one that runs shows them once.

use super::{Checker, Inferred};
use crate::base::{Code, Diagnostic, Span, suggest};
use crate::expression::Constant;
use crate::language::calls::names_in;
use crate::syntax::tree::{ExprId, Ident, Name, Tree};

/// Shorter names are as near to each other by chance.
const MIN_LETTERS: usize = 4;

impl Checker {
    pub(super) fn notice(&mut self, code: u16, at: Span, message: String, hint: Option<String>) {
        let mut d = Diagnostic::notice(Code(code), at, message);
        d.hint = hint;
        self.diagnostics.push(d);
    }

    /// A name that is bound to nothing and very near to a bound one.
    pub(super) fn maybe_misspelt(&mut self, name: &Name, at: Span) {
        // A function may name what is bound below it.
        let later = !self.active.is_empty() && self.later.contains(name);
        if later || name.ends_with('\'') || name.chars().count() < MIN_LETTERS {
            return;
        }
        let Some(near) = suggest::nearest(name, self.globals.keys().map(|n| &**n)) else { return };
        let hint = format!("did you mean `{near}`?");
        let message = format!("`{name}` is bound to nothing and becomes a symbol");
        self.notice(6201, at, message, Some(hint));
    }

    /// Binds a name, with a notice where that hides a name of the prelude or comes too late for what was built before.
    pub(super) fn bind(&mut self, name: &Ident, value: Inferred) {
        self.hides_prelude(name);
        self.built_before(name);
        self.globals.insert(name.name.clone(), value);
    }

    pub(super) fn hides_prelude(&mut self, name: &Ident) {
        if !self.globals.contains_key(&name.name) && Constant::from_name(&name.name).is_some() {
            let message = format!("`{}` of the prelude is hidden by this binding", name.name);
            self.notice(6202, name.span, message, None);
        }
    }

    /// Columns that stand for themselves in an expression where the prelude has another meaning for the name.
    pub(super) fn columns_hide_prelude(&mut self, tree: &Tree, id: ExprId, columns: &[(Name, Inferred)]) {
        let mut hidden: Vec<Name> = Vec::new();
        if columns.iter().any(|(n, _)| Constant::from_name(n).is_some()) {
            names_in(tree, id, &mut |n| {
                let column = columns.iter().any(|(c, _)| c == n);
                if column && Constant::from_name(n).is_some() && !hidden.contains(n) {
                    hidden.push(n.clone());
                }
            });
        }
        for name in hidden {
            let message = format!("`{name}` of the prelude is hidden by the column");
            self.notice(6202, tree.span(id), message, None);
        }
    }

    /// A binding of what an earlier expression holds as a symbol.
    fn built_before(&mut self, name: &Ident) {
        if self.globals.contains_key(&name.name) {
            return;
        }
        let holds = |value: &Inferred| match value {
            Inferred::Quantity(q) | Inferred::Law(q, _) => {
                q.symbols.as_ref().is_some_and(|s| s.contains_key(&name.name))
            }
            Inferred::Condition(c) => c.symbols.as_ref().is_some_and(|s| s.contains_key(&name.name)),
            _ => false,
        };
        let Some(first) = self.globals.iter().filter(|(_, v)| holds(v)).map(|(n, _)| n.clone()).min() else {
            return;
        };
        let message = format!("`{first}` was built with the symbol `{}` and stays as it is", name.name);
        let hint = format!("put the value in: `{first}({0}: {0})`", name.name);
        self.notice(6203, name.span, message, Some(hint));
    }
}
