//! Files that a script writes, as far as they are known before it runs: long work is not done for a file that cannot be
//! written.

use std::path::Path;
use std::sync::Arc;

use super::Checker;
use crate::data::DataError;
use crate::language::error::{fault_hint, lift};
use crate::syntax::tree::{ExprId, ExprKind, StrPart, Tree};

/// Functions whose result is a trained network.
const TRAINED: [&str; 2] = ["train", "load"];

impl Checker {
    /// Whether an expression is a trained network: the call that makes it, or a name that was bound to one.
    pub(super) fn is_trained(&self, tree: &Tree, id: ExprId) -> bool {
        match tree.expr(id) {
            ExprKind::Call { callee, .. } => {
                matches!(tree.expr(*callee), ExprKind::Name(n) if TRAINED.contains(&&**n) && !self.is_bound(n))
            }
            ExprKind::Name(name) => self.trained.contains(name),
            _ => false,
        }
    }

    /// `export(value, "path")`: the folder is there, and a trained network goes into a file of weights.
    pub(super) fn exported(
        &mut self,
        tree: &Arc<Tree>,
        value: Option<ExprId>,
        path: Option<ExprId>,
        form: bool,
    ) {
        let Some(path) = path else { return };
        let ExprKind::Str { parts, .. } = tree.expr(path) else { return };
        let [StrPart::Text(written)] = parts.as_slice() else { return };
        let (written, at) = (written.clone(), tree.span(path));
        let place = self.path(&written);
        if let Some(folder) = place.parent().filter(|f| !f.as_os_str().is_empty() && !f.is_dir()) {
            let reason = format!("no folder {}", folder.display());
            self.report(lift(&DataError::Write { path: place.display().to_string(), reason }, at));
            return;
        }
        let ending = Path::new(&*written).extension().and_then(|e| e.to_str()).unwrap_or_default();
        let trained = value.is_some_and(|v| self.is_trained(tree, v));
        if trained && !form && !ending.eq_ignore_ascii_case("safetensors") {
            let message = format!("expected a file of a model, found `.{ending}`");
            let hint = "export(m, \"m.safetensors\"), or export(symbolic(m), \"m.py\", as: pytorch)";
            self.report(fault_hint(6040, at, message, hint));
        }
    }
}
