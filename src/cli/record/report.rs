//! `report.html`: a run to read, in one file without links to others: what was found, the figures, what was printed,
//! the data, warnings, the script, and how long it took on what.

use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::Value as Json;

use crate::base::Finding;
use crate::base::markup::escape;
use crate::cli::progress::duration;
use crate::language::builtins::report::STYLE as PARTS;

/// What is reported.
pub struct Summary<'a> {
    /// The name of the script.
    pub name: &'a str,
    /// Its text.
    pub script: &'a str,
    /// The manifest.
    pub manifest: Json,
    /// What was found.
    pub findings: &'a [Arc<Finding>],
    /// Titles and SVG documents of the figures.
    pub drawings: &'a [(String, String)],
}

const STYLE: &str = "\
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: 0; } h2 { font-size: 1.2rem; margin-top: 2rem; }
pre, code, td.law { font-family: ui-monospace, monospace; font-size: 0.9rem; }
pre { overflow-x: auto; padding: 0.8rem; border: 1px solid #8884; border-radius: 4px; }
table { border-collapse: collapse; } th, td { text-align: left; padding: 0.15rem 0.9rem 0.15rem 0; vertical-align: top; }
th { border-bottom: 1px solid #8888; } td.n { text-align: right; font-variant-numeric: tabular-nums; }
tr.chosen { font-weight: 600; } .muted { opacity: 0.7; }
figure { margin: 1rem 0; } figure svg, figure img { max-width: 100%; height: auto; background: white; }";

fn text(value: &Json) -> String {
    match value {
        Json::Null => "none".into(),
        Json::String(s) => escape(s),
        other => escape(&other.to_string()),
    }
}

fn list(value: &Json) -> impl Iterator<Item = &Json> {
    value.as_array().into_iter().flatten()
}

/// The document.
pub fn html(s: &Summary<'_>) -> String {
    let m = &s.manifest;
    let mut out = String::new();
    let title = escape(s.name);
    // Writing to a string cannot fail.
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>{title}</title>\n\
         <style>\n{STYLE}\n{PARTS}\n</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
    );
    let seconds = m["timing"]["seconds"].as_f64().unwrap_or_default();
    let _ = writeln!(
        out,
        "<p class=\"muted\">{}: {}, {} · seed {}{} · phys {}</p>",
        text(&m["status"]),
        text(&m["timing"]["start"]),
        duration(seconds),
        text(&m["seed"]),
        if m["smoke"] == true { " · smoke" } else { "" },
        text(&m["phys"]["version"]),
    );
    let set: Vec<String> = list(&m["set"]).map(text).collect();
    if !set.is_empty() {
        let _ = writeln!(out, "<p>Options set: <code>{}</code></p>", set.join("</code>, <code>"));
    }
    for (k, f) in s.findings.iter().enumerate() {
        finding(&mut out, f, k);
    }
    if !s.drawings.is_empty() {
        out.push_str("<h2>Figures</h2>\n");
    }
    for (title, svg) in s.drawings {
        // An image of its own keeps the names inside one figure from meeting those of another.
        let _ = writeln!(
            out,
            "<figure><img alt=\"{0}\" src=\"data:image/svg+xml;base64,{1}\"><figcaption>{0}</figcaption></figure>",
            escape(title),
            base64(svg.as_bytes())
        );
    }
    section(&mut out, "Output", list(&m["values"]).map(|v| text(&v["text"])));
    let warned: Vec<&Json> = list(&m["diagnostics"]).collect();
    if !warned.is_empty() {
        out.push_str("<h2>Warnings and notices</h2>\n<ul>\n");
        for d in warned {
            let line = d["line"].as_u64().map_or_else(String::new, |l| format!(" (line {l})"));
            let hint = d["hint"].as_str().map_or_else(String::new, |h| format!("; {}", escape(h)));
            let _ = writeln!(
                out,
                "<li>{} {}: {}{line}{hint}</li>",
                text(&d["severity"]),
                text(&d["code"]),
                text(&d["message"])
            );
        }
        out.push_str("</ul>\n");
    }
    if list(&m["data"]).next().is_some() {
        out.push_str("<h2>Data</h2>\n<table>\n<tr><th>file</th><th>holds</th><th>SHA-256</th></tr>\n");
        for d in list(&m["data"]) {
            let hash = text(&d["sha256"]);
            let _ = writeln!(
                out,
                "<tr><td>{}</td><td>{}</td><td><code title=\"{hash}\">{}</code></td></tr>",
                text(&d["path"]),
                text(&d["summary"]),
                hash.get(..12).unwrap_or(&hash)
            );
        }
        out.push_str("</table>\n");
    }
    let _ = writeln!(out, "<h2>Script</h2>\n<pre>{}</pre>", escape(s.script));
    let host = &m["host"];
    let _ = writeln!(
        out,
        "<h2>Time</h2>\n<p>{} on the clock, {} of processor time, {} threads; {} {}, {}</p>",
        duration(seconds),
        duration(m["timing"]["cpu_seconds"].as_f64().unwrap_or_default()),
        text(&host["threads"]),
        text(&host["os"]),
        text(&host["arch"]),
        text(&host["cpu"]),
    );
    out.push_str("</body>\n</html>\n");
    out
}

fn finding(out: &mut String, f: &Finding, place: usize) {
    let name = f.name.as_ref().map_or_else(String::new, |n| format!(" <code>{}</code>", escape(n)));
    let stopped = f.stopped.map_or_else(String::new, |r| format!(", stopped: {r}"));
    let _ = writeln!(
        out,
        "<h2>{}{name}</h2>\n<p class=\"muted\">{}, seed {}{stopped}{}</p>",
        escape(&f.task),
        escape(&f.target),
        f.seed,
        if f.resumed { ", from a checkpoint" } else { "" }
    );
    let part = f.part.as_ref().map_or_else(String::new, |p| p.html(&format!("f{place}-")));
    if !part.is_empty() {
        out.push_str(&part);
        return;
    }
    if f.laws.is_empty() {
        let _ = writeln!(out, "<pre>{}</pre>", escape(&f.text));
        return;
    }
    out.push_str("<table>\n<tr><th></th><th>size</th><th>loss</th><th>R²</th><th>law</th></tr>\n");
    for law in &f.laws {
        let _ = writeln!(
            out,
            "<tr{}><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{:.4e}</td><td class=\"n\">{:.6}</td>\
             <td class=\"law\" title=\"{}\">{}</td></tr>",
            if law.chosen { " class=\"chosen\"" } else { "" },
            if law.chosen { "★" } else { "" },
            law.size,
            law.loss,
            law.r2,
            escape(&law.latex),
            escape(&law.expression)
        );
    }
    out.push_str("</table>\n");
    let _ = writeln!(out, "<pre>{}</pre>", escape(&f.text));
}

fn section(out: &mut String, title: &str, lines: impl Iterator<Item = String>) {
    let lines: Vec<String> = lines.collect();
    if !lines.is_empty() {
        let _ = writeln!(out, "<h2>{title}</h2>\n<pre>{}</pre>", lines.join("\n"));
    }
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().enumerate().fold(0u32, |w, (k, b)| w | u32::from(*b) << (16 - 8 * k));
        for k in 0..4 {
            text.push(if k <= chunk.len() {
                LETTERS[(word >> (18 - 6 * k)) as usize & 63] as char
            } else {
                '='
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_standard() {
        for (plain, coded) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }

    #[test]
    fn a_part_stands_in_place_of_the_table() {
        let of = |html: &'static str| Finding {
            text: "as text".into(),
            part: Some(crate::base::Part::new(move |word| html.replace('#', word))),
            ..Finding::default()
        };
        let findings = [Arc::new(of("<p>#</p>")), Arc::new(of("")), Arc::new(of("<b>#</b>"))];
        let manifest = serde_json::json!({});
        let page = html(&Summary { name: "s", script: "", manifest, findings: &findings, drawings: &[] });
        assert!(page.contains("<p>f0-</p>") && page.contains("<b>f2-</b>"));
        assert_eq!(page.matches("as text").count(), 1);
    }

    #[test]
    fn nothing_of_a_script_is_markup() {
        let s = Summary {
            name: "a<b",
            script: "x = \"</pre><script>\"",
            manifest: serde_json::json!({"values": [{"text": "1 < 2 & 3"}], "status": "done"}),
            findings: &[],
            drawings: &[("t\"<".into(), "<svg/>".into())],
        };
        let page = html(&s);
        assert!(!page.contains("<script>") && page.contains("1 &lt; 2 &amp; 3") && page.contains("a&lt;b"));
        assert_eq!(page.matches("</pre>").count(), 2);
    }
}
