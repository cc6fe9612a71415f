//! Indices and members.

use std::sync::Arc;

use super::arithmetic::Placed;
use super::{Checker, Condition, Inferred, Items, Quantity};
use crate::base::{Number, Span, suggest};
use crate::language::error::{fault, fault_hint};

/// What a fit offers besides its parameters, as `builtins::data::fit_member` has it.
pub(super) const FIT: &[&str] =
    &["law", "best", "r2", "chi2", "dof", "rms", "residuals", "parameters", "covariance", "stopped"];

impl Checker {
    /// `target[index]`.
    pub(super) fn index(&mut self, target: &Placed, index: &Placed) -> Inferred {
        let (value, at) = (&target.0, index.1);
        if let Inferred::Quantity(q) = &index.0
            && matches!(
                value,
                Inferred::List(_) | Inferred::Column(_) | Inferred::Dataset(_) | Inferred::Text(_)
            )
        {
            let fraction = q.exact.as_ref().is_some_and(|n| !n.is_integer());
            let dim = self.units.resolve(&q.dim);
            if fraction || dim.is_known() && !dim.is_none() {
                let found = match &q.exact {
                    Some(n) => n.to_string(),
                    None => format!("a quantity in [{}]", dim.shown()),
                };
                return self.report(fault(6013, at, format!("expected an integer as index, found {found}")));
            }
        }
        match (value, &index.0) {
            (Inferred::Record(_) | Inferred::Dataset(_) | Inferred::Fit(_), Inferred::Text(Some(name))) => {
                self.member(value, name, at)
            }
            (Inferred::Record(_) | Inferred::Fit(_), _) => Inferred::Unknown,
            (Inferred::Dataset(_), Inferred::Range(_)) => value.clone(),
            (Inferred::Dataset(Some(d)), Inferred::Quantity(q)) if !q.soft => {
                if d.open {
                    return Inferred::Record(None);
                }
                let entries = d.columns.iter().map(|(n, c)| (n.clone(), c.element())).collect();
                Inferred::Record(Some(Arc::new(entries)))
            }
            (Inferred::Column(c), Inferred::Quantity(q)) if !q.soft => c.element(),
            (Inferred::Front(q), _) => Inferred::Quantity(q.clone()),
            (Inferred::Text(_), _) => Inferred::Text(None),
            (Inferred::List(_) | Inferred::Column(_), Inferred::Text(_)) => {
                self.report(fault(6013, at, "expected an integer as index, found a string"))
            }
            (Inferred::List(items), Inferred::Range(_)) => {
                let element = self.representative(items);
                Inferred::each(element)
            }
            (Inferred::List(Items::Known(items)), Inferred::Quantity(q)) if !q.soft => {
                let place = q
                    .exact
                    .as_ref()
                    .and_then(Number::to_i64)
                    .map(|n| if n < 0 { n + items.len() as i64 } else { n });
                match place {
                    // A place that is not there is told when it is looked up.
                    Some(n) => usize::try_from(n)
                        .ok()
                        .and_then(|n| items.get(n))
                        .cloned()
                        .unwrap_or(Inferred::Unknown),
                    None => {
                        let items = Items::Known(items.clone());
                        self.representative(&items)
                    }
                }
            }
            (Inferred::List(items), Inferred::Quantity(q)) if !q.soft => self.representative(items),
            (Inferred::Range(q), Inferred::Quantity(_)) => Inferred::Quantity(q.clone()),
            (Inferred::Quantity(q), _) if !q.soft => {
                let message = format!("expected a list, column or dataset, found a {}", value.name());
                self.report(fault(6016, target.1, message))
            }
            _ => Inferred::Unknown,
        }
    }

    /// `target.name`.
    pub(super) fn member(&mut self, target: &Inferred, name: &str, span: Span) -> Inferred {
        let known: Vec<String> = match target {
            Inferred::Record(Some(entries)) | Inferred::Module(_, entries) => {
                if let Some((_, found)) = entries.iter().find(|(n, _)| &**n == name) {
                    let found = found.clone();
                    // A module's names are of an earlier statement.
                    return match target {
                        Inferred::Module(..) => self.instance(&found),
                        _ => found,
                    };
                }
                entries.iter().map(|(n, _)| n.to_string()).collect()
            }
            Inferred::Dataset(Some(d)) => {
                if let Some((_, cells)) = d.columns.iter().find(|(n, _)| &**n == name) {
                    return Inferred::Column(cells.clone());
                }
                if d.open {
                    return Inferred::Unknown;
                }
                d.columns.iter().map(|(n, _)| n.to_string()).collect()
            }
            Inferred::Fit(Some(fit)) => {
                if let Some((_, dim)) = fit.parameters.iter().find(|(n, _)| &**n == name) {
                    return Inferred::Quantity(Quantity::of(dim.clone()));
                }
                if matches!(name, "law" | "best") {
                    return Inferred::Quantity(fit.law.clone());
                }
                if fit.open || FIT.contains(&name) {
                    return Inferred::Unknown;
                }
                let own = fit.parameters.iter().map(|(n, _)| n.to_string());
                own.chain(FIT.iter().map(|n| n.to_string())).collect()
            }
            Inferred::System(Some(s)) => {
                let s = s.clone();
                if let Some(found) = self.system_member(&s, name) {
                    return found;
                }
                ["states", "equations", "initial", "parameters", "over"].map(String::from).to_vec()
            }
            Inferred::Front(q) => {
                return match name {
                    "best" | "accurate" | "steepest" => Inferred::Quantity(q.clone()),
                    "laws" => Inferred::each(Inferred::Quantity(q.clone())),
                    _ => Inferred::Unknown,
                };
            }
            Inferred::Range(q) => {
                if matches!(name, "low" | "high") {
                    return Inferred::Quantity(q.clone());
                }
                vec!["low".into(), "high".into()]
            }
            Inferred::Condition(Condition { sides, symbols }) => {
                return match (name, sides) {
                    ("left" | "right", Some(dim)) => {
                        Inferred::Quantity(Quantity { symbols: symbols.clone(), ..Quantity::of(dim.clone()) })
                    }
                    _ => Inferred::Unknown,
                };
            }
            Inferred::Quantity(q) if !q.soft => Vec::new(),
            Inferred::Text(_) | Inferred::List(_) | Inferred::Figure => Vec::new(),
            _ => return Inferred::Unknown,
        };
        let message = format!("expected a member of the {}, found `{name}`", target.name());
        let hint = match suggest::nearest(name, known.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None if known.is_empty() => format!("a {} has no members", target.name()),
            None => format!("it has {}", known.join(", ")),
        };
        self.report(fault_hint(6002, span, message, hint))
    }
}
