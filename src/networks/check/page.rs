//! The page of the documentation on gradients: one row a kind of layer, a loss, an operation, with its
//! samples and the greatest errors over them. `PHYS_BLESS=1` measures and writes it; otherwise rows and
//! samples must be those of the tables. The errors themselves are bounded by the tests of each table; their
//! digits differ between processors.

use std::path::{Path, PathBuf};

use super::{Gap, Subject, keeping_graphs};
use crate::networks::{layer, loss, ops};

/// What a column tells: a heading, whether in training, and the order of the gradient.
type Column = (&'static str, bool, usize);

struct Section {
    title: &'static str,
    subjects: Vec<Subject>,
    columns: &'static [Column],
}

fn sections() -> [Section; 3] {
    [
        Section {
            title: "Layers",
            subjects: layer::tests::registry::subjects(),
            columns: &[
                ("evaluation", false, 1),
                ("training", true, 1),
                ("second", false, 2),
                ("second, training", true, 2),
            ],
        },
        Section {
            title: "Losses",
            subjects: loss::tests::subjects(),
            columns: &[("first", true, 1), ("second", true, 2)],
        },
        Section {
            title: "Operations",
            subjects: ops::tests::table::subjects(),
            columns: &[("first", false, 1), ("second", false, 2)],
        },
    ]
}

const HEAD: &str = "\
# Gradients, checked

Every kind of layer, every loss and every operation on tensors has samples on which its gradients are compared with finite differences in double
precision: five points, (8 (f(h) - f(-h)) - (f(2h) - f(-2h))) / 12 h, of a random projection of the output, by every parameter and every input through
which a gradient flows. Second gradients are those of a random projection of all first gradients of the square of the output. An error is relative to the
number itself or, where that is less, to a thousandth of the greatest number in all gradients of the sample; the greatest of all samples stands here, to
one digit. Most of what is left is the rounding of the differences. The tests fail above 1e-6, and where a kind, a loss or an operation has no samples.

The page is written by `PHYS_BLESS=1 cargo test --lib the_page_of_gradients`; the tests fail where its rows or samples are not those of the tables.
What the operations are and what candle has in their place is told [on a page of its own](../candle.md).
";

fn about(title: &str) -> &'static str {
    match title {
        "Layers" => "Samples: a layer, and the sizes of its inputs without the batch, which has 2 rows.",
        "Losses" => "Each for outputs `[5, 4]` and `[3, 2, 4]`, with and without weights of rows.",
        _ => "In evaluation and training alike.",
    }
}

/// The cells of a row that tell what is checked: its name, and its samples once each.
fn row(subject: &Subject) -> String {
    let mut texts: Vec<&str> = subject.samples.iter().map(|s| s.text.as_str()).collect();
    texts.dedup();
    format!("| `{}` | {} |", subject.name, texts.join("; "))
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/src/engines/gradients.md")
}

/// One digit: `3e-11`, and 0 for what does not differ at all.
fn rounded(error: f64) -> String {
    if error == 0.0 { "0".into() } else { format!("{error:.0e}") }
}

#[test]
fn the_page_of_gradients_is_that_of_the_tables() {
    const NAME: &str = "networks::check::page::the_page_of_gradients_is_that_of_the_tables";
    if std::env::var_os("PHYS_BLESS").is_some_and(|v| v == "1") {
        return write(keeping_graphs(NAME));
    }
    let page = std::fs::read_to_string(path()).unwrap();
    let found: Vec<&str> = page.lines().filter(|l| l.starts_with("| `")).collect();
    let wanted: Vec<String> = sections().iter().flat_map(|s| s.subjects.iter().map(row)).collect();
    let hint = "PHYS_BLESS=1 cargo test --lib the_page_of_gradients writes the page anew";
    for (found, wanted) in found.iter().zip(&wanted) {
        assert!(found.starts_with(wanted.as_str()), "expected {wanted}\nfound    {found}\n{hint}");
    }
    assert_eq!(found.len(), wanted.len(), "{hint}");
}

/// Writes the page from first gradients measured here and further ones that another process said; in that
/// process says them.
fn write(said: Option<String>) {
    let mark = |section: &Section, subject: &Subject, column: &Column| {
        format!("error of {} {} {}: ", section.title, subject.name, column.0)
    };
    let measured = |subject: &Subject, column: &Column| {
        let Gap { number, .. } = subject.gap(column.1, column.2);
        assert!(number <= 1e-6, "{} {}: {number:e}", subject.name, column.0);
        number
    };
    let mut page = HEAD.to_string();
    for section in sections() {
        let heads: Vec<&str> = section.columns.iter().map(|c| c.0).collect();
        page += &format!("\n## {}\n\n{}\n\n", section.title, about(section.title));
        page += &format!("| name | samples | {} |\n", heads.join(" | "));
        page += &format!("| --- | --- |{}\n", " --- |".repeat(heads.len()));
        for subject in &section.subjects {
            page += &row(subject);
            for column in section.columns {
                let mark = mark(&section, subject, column);
                let error = match &said {
                    Some(_) if column.2 == 1 => measured(subject, column),
                    Some(said) => {
                        let line = said.lines().find_map(|l| l.strip_prefix(&mark));
                        line.unwrap().parse().unwrap()
                    }
                    None => {
                        if column.2 > 1 {
                            println!("\n{mark}{:e}", measured(subject, column));
                        }
                        continue;
                    }
                };
                page += &format!(" {} |", rounded(error));
            }
            page += "\n";
        }
    }
    if said.is_some() {
        std::fs::write(path(), page).unwrap();
    }
}
