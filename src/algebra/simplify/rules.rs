//! Rewrite rules: read from the texts of `stdlib/rules`, or stated by the user. A rule is used where its condition is
//! proved from the declarations and the result is smaller. In the library's own rules a condition
//! `... != 0` that is neither proved nor refuted names a removable singularity: it is listed with the answer.
//! Which functions a rule needs, and how many different calls of each, is found once, so that most rules
//! are passed over without a look.

use std::sync::OnceLock;

use super::egraph::Compiled;
use super::matching::{self, Bindings};
use crate::algebra::error::AlgebraError;
use crate::algebra::facts::Knowledge;
use crate::algebra::size::size;
use crate::base::diagnostic::Fault;
use crate::base::{Diagnostic, Source};
use crate::expression::{Expr, Function, Kind, Relation, read};
use crate::syntax::parse;
use crate::syntax::tree::StatementKind;

/// One rule: `left => right when condition`.
#[derive(Clone, Debug)]
pub struct Rule {
    /// What is looked for; every symbol in it stands for anything.
    pub left: Expr,
    /// What it becomes.
    pub right: Expr,
    /// What must be proved.
    pub when: Option<Expr>,
    /// Whether a removable singularity may be listed instead of proved away.
    pub library: bool,
    calls: Vec<(Function, usize)>,
}

/// How many different calls of each function occur.
pub(super) fn count_calls(e: &Expr) -> Vec<(Function, usize)> {
    fn go<'a>(e: &'a Expr, seen: &mut Vec<&'a Expr>) {
        if e.depth() < 2 || seen.len() > 64 {
            return;
        }
        match e.kind() {
            Kind::Sum(items) | Kind::Product(items) => items.iter().for_each(|c| go(c, seen)),
            Kind::Power(b, x) => {
                go(b, seen);
                go(x, seen);
            }
            Kind::Call(_, items) => {
                if !seen.contains(&e) {
                    seen.push(e);
                    items.iter().for_each(|c| go(c, seen));
                }
            }
            _ => e.children().into_iter().for_each(|c| go(c, seen)),
        }
    }
    let mut seen = Vec::new();
    go(e, &mut seen);
    let mut counts: Vec<(Function, usize)> = Vec::new();
    for call in seen {
        let Kind::Call(f, _) = call.kind() else { continue };
        match counts.iter_mut().find(|(g, _)| g == f) {
            Some(count) => count.1 += 1,
            None => counts.push((*f, 1)),
        }
    }
    counts
}

impl Rule {
    /// A rule of the user.
    pub fn new(left: Expr, right: Expr, when: Option<Expr>) -> Rule {
        let calls = count_calls(&left);
        Rule { left, right, when, library: false, calls }
    }

    /// Whether it can match where these calls occur.
    pub(super) fn fits(&self, counts: &[(Function, usize)]) -> bool {
        self.calls.iter().all(|(f, n)| counts.iter().any(|(g, m)| f == g && m >= n))
    }

    /// Whether it names no function, so that only the shape of powers decides.
    pub(super) fn is_algebraic(&self) -> bool {
        self.calls.is_empty()
    }

    /// Decides the condition. `None`: the rule must not be used; else what is to be listed.
    pub(super) fn allowed(&self, bindings: &Bindings, know: &Knowledge) -> Option<Vec<Expr>> {
        let Some(when) = &self.when else { return Some(Vec::new()) };
        let condition = matching::instantiate(when, bindings)?;
        if know.prove(&condition) == Some(true) {
            return Some(Vec::new());
        }
        if !self.library {
            return None;
        }
        let parts = match condition.kind() {
            Kind::And(items) => items.to_vec(),
            _ => vec![condition],
        };
        let mut listed = Vec::new();
        for part in parts {
            match (know.prove(&part), part.kind()) {
                (Some(true), _) => {}
                (None, Kind::Relation(Relation::Ne, a, b)) => listed.push(a - b),
                _ => return None,
            }
        }
        Some(listed)
    }

    /// Uses the rule at the top of `e` where it makes it smaller.
    pub(super) fn apply(&self, e: &Expr, know: &Knowledge) -> Option<(Expr, Vec<Expr>)> {
        let mut listed = Vec::new();
        let mut before = None;
        let mut accept = |bindings: &Bindings, whole: &Expr| {
            let before = *before.get_or_insert_with(|| (size(e), e.node_count()));
            if (size(whole), whole.node_count()) >= before {
                return false;
            }
            match self.allowed(bindings, know) {
                Some(conditions) => {
                    listed = conditions;
                    true
                }
                None => false,
            }
        };
        let result = match (self.left.kind(), e.kind()) {
            (Kind::Sum(pattern), Kind::Sum(terms)) => {
                matching::rewrite_sum(pattern, &self.right, terms, &mut accept)
            }
            (Kind::Product(_), Kind::Product(_)) => {
                matching::rewrite_product(&self.left, &self.right, e, &mut accept)
            }
            (Kind::Sum(_) | Kind::Product(_), _) => None,
            _ => matching::rewrite_whole(&self.left, &self.right, e, &mut accept),
        };
        result.map(|e| (e, listed))
    }
}

/// A set of rules.
#[derive(Debug, Default)]
pub struct Rules {
    list: Vec<Rule>,
    compiled: OnceLock<Vec<Compiled>>,
}

impl Clone for Rules {
    fn clone(&self) -> Rules {
        Rules { list: self.list.clone(), compiled: OnceLock::new() }
    }
}

impl Rules {
    /// None.
    pub fn new() -> Rules {
        Rules::default()
    }

    /// Reads the rules of some texts, each with its name. Anything but rules in them is passed over.
    ///
    /// # Errors
    /// The first fault of the texts.
    pub fn load(files: &[(&str, &str)]) -> Result<Rules, Diagnostic> {
        let mut rules = Rules::new();
        for (number, (name, text)) in files.iter().enumerate() {
            let parsed = parse(&Source::new(number as u32, name, text));
            if let Some(fault) = parsed.diagnostics.into_iter().find(Diagnostic::is_error) {
                return Err(fault);
            }
            for statement in &parsed.tree.statements {
                if !matches!(statement.kind, StatementKind::Rule { .. }) {
                    continue;
                }
                let located =
                    |fault: &dyn Fault, span| Diagnostic::error(fault.code(), span, fault.to_string());
                let rule = read::rule(&parsed.tree, statement, &|_| None)
                    .map_err(|fault| located(&fault, fault.span()))?;
                rules.add(rule).map_err(|fault| located(&fault, statement.span))?;
                if let Some(last) = rules.list.last_mut() {
                    last.library = true;
                }
            }
        }
        Ok(rules)
    }

    /// Adds a rule of the user as it was written.
    ///
    /// # Errors
    /// Where a name of the right side or the condition does not stand in the left side.
    pub fn add(&mut self, rule: read::Rule) -> Result<(), AlgebraError> {
        let known = rule.lhs.symbols();
        let others = rule.conditions.iter().chain([&rule.rhs]).flat_map(Expr::symbols);
        if let Some(symbol) = others.into_iter().find(|s| !known.contains(s)) {
            return Err(AlgebraError::UnboundInRule { symbol: symbol.to_string() });
        }
        let when = (!rule.conditions.is_empty()).then(|| Expr::and(rule.conditions));
        self.push(Rule::new(rule.lhs, rule.rhs, when));
        Ok(())
    }

    /// Adds a rule after the others.
    pub fn push(&mut self, rule: Rule) {
        self.list.push(rule);
        self.compiled = OnceLock::new();
    }

    /// The rules in order.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.list.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The rules as rewrites of an e-graph, made when first needed; in the order of the rules.
    pub(super) fn compiled(&self) -> &[Compiled] {
        self.compiled.get_or_init(|| self.list.iter().map(Compiled::new).collect())
    }
}
