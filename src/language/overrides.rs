//! `--set name.option=value`: an option of the call whose result is bound to `name`. The value is read as phys and
//! takes its place in the tree before anything is checked, so that its type, its unit and its name are checked like
//! what the script itself says. A positional argument of that name is replaced.

use std::sync::Arc;

use super::context::Context;
use super::error::{Error, fault_hint};
use crate::base::{Source, Span, suggest};
use crate::syntax::tree::{Arg, ExprId, ExprKind, Ident, Name, Statement, StatementKind, Tree};

/// An option to set.
#[derive(Clone, Debug)]
pub struct Override {
    name: Ident,
    option: Ident,
    tree: Arc<Tree>,
    value: ExprId,
}

const HINT: &str = "--set found.time=\"20 [s]\"";

/// Reads `name.option=value`; the text becomes a source of the context.
///
/// # Errors
/// It is not of that form, or the value is no expression.
pub fn read(context: &mut Context, text: &str) -> Result<Override, Error> {
    let source = context.add_source("--set", text);
    let whole = Span::new(source.id, 0, text.len() as u32);
    let malformed = |found: &str| {
        let message = format!("expected name.option=value after `--set`, found {found}");
        fault_hint(6301, whole, message, HINT)
    };
    let (path, value) = text.split_once('=').ok_or_else(|| malformed(&format!("`{text}`")))?;
    let (name, option) = path.split_once('.').ok_or_else(|| malformed(&format!("no `.` in `{path}`")))?;
    let ident = |word: &str, at: usize| -> Result<Ident, Error> {
        let lead = word.len() - word.trim_start().len();
        let trimmed = word.trim();
        let start = (at + lead) as u32;
        let source = Source::new(source.id, "--set", trimmed);
        let parsed = crate::syntax::parse(&source);
        // A word that stands for itself: a name, or one that is reserved elsewhere (`in`).
        let plain = !trimmed.is_empty()
            && trimmed.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '\'')
            && !trimmed.starts_with(|c: char| c.is_ascii_digit());
        let name = match parsed.tree.statements.as_slice() {
            [Statement { kind: StatementKind::Expr { value, .. }, .. }] => match parsed.tree.expr(*value) {
                ExprKind::Name(name) => Some(name.clone()),
                _ => None,
            },
            _ => None,
        };
        let name = name.or_else(|| plain.then(|| Name::from(trimmed)));
        let span = Span::new(source.id, start, start + trimmed.len() as u32);
        name.map(|name| Ident { name, span }).ok_or_else(|| malformed(&format!("`{trimmed}` as a name")))
    };
    let name = ident(name, 0)?;
    let option = ident(option, path.find('.').map_or(0, |k| k + 1))?;
    if value.trim().is_empty() {
        return Err(malformed("no value"));
    }
    // Blanks in place of what stands before keep the places right.
    let padded = format!("{}{value}", " ".repeat(path.len() + 1));
    let parsed = crate::syntax::parse(&Source::new(source.id, "--set", &padded));
    if let Some(d) = parsed.diagnostics.into_iter().find(crate::base::Diagnostic::is_error) {
        return Err(Box::new(d));
    }
    let value = match parsed.tree.statements.as_slice() {
        [Statement { kind: StatementKind::Expr { value, wheres }, .. }] if wheres.is_empty() => *value,
        _ => return Err(malformed("a statement as value")),
    };
    Ok(Override { name, option, tree: Arc::new(parsed.tree), value })
}

/// Puts options into the calls of a tree.
///
/// # Errors
/// A name that the script does not bind to a call.
pub fn apply(context: &Context, tree: &mut Tree, overrides: &[Override]) -> Result<(), Error> {
    for o in overrides {
        let mut bound: Vec<(Name, ExprId)> = Vec::new();
        bindings(&tree.statements, &mut |name, value| bound.push((name.clone(), *value)));
        let calls = |id: ExprId| matches!(tree.expr(id), ExprKind::Call { .. } | ExprKind::Pipe(..));
        let found: Vec<ExprId> =
            bound.iter().filter(|(n, id)| *n == o.name.name && calls(*id)).map(|(_, id)| *id).collect();
        if found.is_empty() {
            let mut known: Vec<&str> = bound.iter().filter(|(_, id)| calls(*id)).map(|(n, _)| &**n).collect();
            known.sort_unstable();
            known.dedup();
            let hint = match suggest::nearest(&o.name.name, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}.{}`?", o.option.name),
                None if known.is_empty() => "the script binds no name to a call".into(),
                None => format!("the script binds calls to {}", known.join(", ")),
            };
            let message = format!("expected a name that is bound to a call, found `{}`", o.name.name);
            return Err(fault_hint(6302, o.name.span, message, hint));
        }
        let grafted = tree.graft(&o.tree, o.value);
        for old in found {
            let new = with_option(context, tree, old, 0, &o.option, grafted);
            bindings_mut(&mut tree.statements, &mut |value| {
                if *value == old {
                    *value = new;
                }
            });
        }
    }
    Ok(())
}

/// Every binding of one name, those in bodies included.
fn bindings<'a>(statements: &'a [Statement], visit: &mut impl FnMut(&'a Name, &'a ExprId)) {
    for s in statements {
        match &s.kind {
            StatementKind::Bind { names, value, .. } => {
                if let [only] = names.as_slice() {
                    visit(&only.name, value);
                }
            }
            StatementKind::For { body, .. } => bindings(body, visit),
            StatementKind::If { branches, otherwise } => {
                branches.iter().for_each(|(_, body)| bindings(body, visit));
                if let Some(body) = otherwise {
                    bindings(body, visit);
                }
            }
            _ => {}
        }
    }
}

fn bindings_mut(statements: &mut [Statement], visit: &mut impl FnMut(&mut ExprId)) {
    for s in statements {
        match &mut s.kind {
            StatementKind::Bind { value, .. } => visit(value),
            StatementKind::For { body, .. } => bindings_mut(body, visit),
            StatementKind::If { branches, otherwise } => {
                branches.iter_mut().for_each(|(_, body)| bindings_mut(body, visit));
                if let Some(body) = otherwise {
                    bindings_mut(body, visit);
                }
            }
            _ => {}
        }
    }
}

/// A call with one argument more, or another one; `piped` arguments come from the left of a `|>`.
fn with_option(
    context: &Context,
    tree: &mut Tree,
    id: ExprId,
    piped: usize,
    option: &Ident,
    value: ExprId,
) -> ExprId {
    let span = tree.span(id);
    match tree.expr(id).clone() {
        ExprKind::Pipe(left, right) => {
            let right = match tree.expr(right) {
                ExprKind::Call { .. } => with_option(context, tree, right, 1, option, value),
                _ => {
                    let args = vec![Arg { name: Some(option.clone()), value }];
                    tree.add(ExprKind::Call { callee: right, args, block: None }, span)
                }
            };
            tree.add(ExprKind::Pipe(left, right), span)
        }
        ExprKind::Call { callee, mut args, block } => {
            let place = position(context, tree, callee, &option.name).and_then(|k| k.checked_sub(piped));
            let named = args.iter().position(|a| a.name.as_ref().is_some_and(|n| n.name == option.name));
            let by_place = place.filter(|k| args.get(*k).is_some_and(|a| a.name.is_none()));
            let mut block = block;
            match named.or(by_place) {
                Some(k) => args[k].value = value,
                None => {
                    args.push(Arg { name: Some(option.clone()), value });
                    block = block.map(|n| n + 1);
                }
            }
            tree.add(ExprKind::Call { callee, args, block }, span)
        }
        _ => id,
    }
}

/// The place of a parameter of what is called.
fn position(context: &Context, tree: &Tree, callee: ExprId, option: &str) -> Option<usize> {
    let ExprKind::Name(name) = tree.expr(callee) else { return None };
    let own = tree.statements.iter().rev().find_map(|s| match &s.kind {
        StatementKind::Define { name: n, params, .. } if n.name == *name => {
            Some(params.iter().position(|p| &*p.name.name == option))
        }
        _ => None,
    });
    if let Some(place) = own {
        return place;
    }
    context.library.signatures(name)?.iter().find_map(|s| s.param(option).map(|(k, _)| k))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{CancelToken, EventSink};
    use crate::language::Library;
    use crate::syntax::print_expr;

    fn set(script: &str, options: &[&str]) -> Result<Vec<String>, String> {
        let library = Library::load(None).unwrap();
        let mut context = Context::new(library, EventSink::none(), CancelToken::new());
        let source = context.add_source("a.phys", script);
        let mut tree = crate::syntax::parse(&source).tree;
        let told = |e: Error| format!("P{:04} {} ({})", e.code.0, e.message, e.hint.unwrap_or_default());
        let read: Result<Vec<Override>, Error> = options.iter().map(|o| read(&mut context, o)).collect();
        apply(&context, &mut tree, &read.map_err(told)?).map_err(told)?;
        let mut lines = Vec::new();
        bindings(&tree.statements, &mut |_, id| lines.push(print_expr(&tree, *id)));
        Ok(lines)
    }

    #[test]
    fn options_take_their_places() {
        let script = "d = sample(x, 100)\nfound = regress(d) { time: 3 [s] }\ng = d |> regress\n";
        let found = set(script, &["d.points=7", "found.time=20 [s]", "found.seed = 2", "g.work=9"]).unwrap();
        assert_eq!(found, ["sample(x, 7)", "regress(d) { time: 20 [s], seed: 2 }", "d |> regress(work: 9)"]);
        let script = "f(x, n) = x\nfor k in 1..2 { y = f(1, 2) }\n";
        assert_eq!(set(script, &["y.n=5", "y.x=k"]).unwrap(), ["f(k, 5)"]);
        let operators = set("a = regress(d)\n", &["a.operators=[+, -, sqrt]"]).unwrap();
        assert_eq!(operators, ["regress(d, operators: [+, -, sqrt])"]);
    }

    #[test]
    fn what_is_malformed_or_unknown_is_named() {
        let script = "found = regress(d)\nx = 3\n";
        for (text, words) in [
            ("found", "P6301"),
            ("found=3", "no `.`"),
            ("found.time=", "no value"),
            ("found.time=(", "P1"),
            ("found.ti me=3", "as a name"),
            ("found.time=a = b", "P"),
            ("fuond.time=3", "did you mean `found.time`?"),
            ("x.time=3", "calls to found"),
            ("", "P6301"),
            ("=.", "P6301"),
        ] {
            let told = set(script, &[text]).unwrap_err();
            assert!(told.contains(words), "{text}: {told}");
        }
    }
}
