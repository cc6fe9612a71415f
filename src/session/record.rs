//! What a session has done, so that it can be done again: the lines that ran, without those that failed. `ans` and
//! `out[n]` exist at the prompt only; a saved script gives the values they stand for names of their own.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::Source;
use crate::syntax::tree::{StatementKind, Tree};
use crate::syntax::{TokenClass, tokens};

/// A line that ran.
#[derive(Clone, Debug)]
pub struct Entry {
    /// As it was typed.
    pub text: String,
    /// The number of its first value in `out`.
    pub first: usize,
}

/// A replacement of the bytes `start..end`.
type Edit = (usize, usize, String);

/// The lines as a script that runs again.
pub fn script(entries: &[Entry]) -> String {
    let parsed: Vec<(Tree, &Entry)> =
        entries.iter().map(|e| (crate::syntax::parse(&Source::new(0, "", &e.text)).tree, e)).collect();
    let own = |name: &str| {
        parsed.iter().any(|(tree, _)| super::complete::bound_by(tree).iter().any(|(n, ..)| n == name))
    };
    let (ans, out) = (!own("ans"), !own("out"));
    let mut wanted: BTreeSet<usize> = BTreeSet::new();
    let edits: Vec<Vec<Edit>> = parsed
        .iter()
        .map(|(_, e)| {
            let (edits, used) = uses(&e.text, e.first, ans, out);
            wanted.extend(used);
            edits
        })
        .collect();
    let names: BTreeMap<usize, String> = wanted
        .iter()
        .map(|&n| {
            let mut name = format!("out{n}");
            while entries.iter().any(|e| e.text.contains(&name)) {
                name.push('_');
            }
            (n, name)
        })
        .collect();
    let mut script = String::new();
    for ((tree, e), edits) in parsed.iter().zip(edits) {
        let mut edits: Vec<Edit> = edits
            .into_iter()
            .map(|(start, end, number)| {
                let name = number.parse().ok().and_then(|n: usize| names.get(&n)).cloned();
                (start, end, name.unwrap_or(number))
            })
            .collect();
        let mut number = e.first;
        for s in &tree.statements {
            if !matches!(s.kind, StatementKind::Expr { .. }) {
                continue;
            }
            if let Some(name) = names.get(&number) {
                let (start, end) = (s.span.start as usize, s.span.end as usize);
                edits.push((start, start, format!("{name} = ")));
                if !s.quiet {
                    edits.push((end, end, format!("; {name}")));
                }
            }
            number += 1;
        }
        edits.sort_by_key(|(start, end, _)| (*start, *end));
        let mut text = e.text.clone();
        for (start, end, new) in edits.into_iter().rev() {
            if text.get(start..end).is_some() {
                text.replace_range(start..end, &new);
            }
        }
        script.push_str(text.trim_end());
        script.push('\n');
    }
    script
}

/// Where `ans` and `out[n]` stand, with the numbers of the values they mean.
fn uses(text: &str, count: usize, ans: bool, out: bool) -> (Vec<Edit>, Vec<usize>) {
    let all: Vec<(TokenClass, usize, usize)> =
        tokens(text).into_iter().map(|(c, s)| (c, s.start as usize, s.end as usize)).collect();
    let word = |k: usize| all.get(k).and_then(|t| text.get(t.1..t.2)).unwrap_or("");
    let (mut edits, mut used) = (Vec::new(), Vec::new());
    for k in 0..all.len() {
        let (class, start, end) = all[k];
        if class != TokenClass::Name || k > 0 && word(k - 1) == "." || word(k + 1) == ":" {
            continue;
        }
        match word(k) {
            "ans" if ans && count > 0 => {
                edits.push((start, end, (count - 1).to_string()));
                used.push(count - 1);
            }
            "out" if out && word(k + 1) == "[" => {
                let negative = word(k + 2) == "-";
                let digits = word(if negative { k + 3 } else { k + 2 });
                let close = if negative { k + 4 } else { k + 3 };
                let number = digits.parse::<usize>().ok().and_then(|n| match negative {
                    true => count.checked_sub(n),
                    false => Some(n),
                });
                if let Some(n) = number.filter(|n| *n < count && word(close) == "]") {
                    edits.push((start, all[close].2, n.to_string()));
                    used.push(n);
                }
            }
            _ => {}
        }
    }
    (edits, used)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ans_and_out_stand_for_gets_a_name() {
        let entries = [("x = 3", 0), ("x + 1", 0), ("ans*2;", 1), ("out[0] + out[-1]", 2), ("y.ans", 3)];
        let entries: Vec<Entry> =
            entries.iter().map(|(text, first)| Entry { text: text.to_string(), first: *first }).collect();
        assert_eq!(script(&entries), "x = 3\nout0 = x + 1; out0\nout1 = out0*2;\nout0 + out1\ny.ans\n");
    }

    #[test]
    fn a_name_of_the_user_is_left_alone() {
        let entries: Vec<Entry> = [("1 + 1", 0), ("ans = 3", 1), ("ans", 1)]
            .iter()
            .map(|(text, first)| Entry { text: text.to_string(), first: *first })
            .collect();
        assert_eq!(script(&entries), "1 + 1\nans = 3\nans\n");
    }
}
