//! Mutation fuzzing of the readers on stable Rust. An input is made from the corpus by a few random changes (bits,
//! bytes, extreme numbers, words of the grammar or format, pieces deleted, doubled, exchanged between files); what
//! must hold of every input is the target's law. Input `i` depends on the seed and `i` alone, so a failure is found
//! again from the two numbers.
//!
//! `PHYS_FUZZ_INPUTS` sets the number of inputs of each target (1500 without it), `PHYS_FUZZ_SECONDS` a time in place
//! of it, `PHYS_FUZZ_SEED` and `PHYS_FUZZ_FIRST` where it begins. A failing input is written to `target/fuzz/`. Memory
//! is bounded from outside (`ulimit -v`), and from inside by the sizes of what is produced.

use crate::support::{files, root};
use phys::base::Source;
use phys::base::random::{Rng, Streams};
use phys::data::{
    Column, DataError, Dataset, Missing, ReadOptions, Stack, Values, csv_text, npy_bytes, npz_bytes,
    read_csv_text, read_npy_bytes, read_npz_bytes,
};
use phys::language::Library;
use phys::syntax;
use phys::units::{Catalogue, Unit};
use rand::RngExt;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Inputs are at most this long.
const MAX_INPUT: usize = 1 << 15;
/// An input that takes longer hangs.
const HANG: Duration = Duration::from_secs(5);

struct Target {
    name: &'static str,
    /// Folders and endings of the corpus beside `tests/fuzz/corpus/NAME`.
    seeds: &'static [(&'static str, &'static str)],
    words: &'static [&'static [u8]],
    /// The law; what breaks it is returned in words.
    law: fn(&[u8], &Catalogue) -> Result<(), String>,
}

const SYNTAX: Target = Target {
    name: "syntax",
    seeds: &[("tests/spec", "phys"), ("tests/errors", "phys"), ("examples", "phys"), ("stdlib", "phys")],
    words: &[
        b"var ",
        b"param ",
        b"const ",
        b"unit ",
        b"check ",
        b"use ",
        b"extern ",
        b"rule ",
        b" => ",
        b" when ",
        b"if ",
        b" then ",
        b" else ",
        b"for ",
        b" in ",
        b" where ",
        b" and ",
        b" or ",
        b"not ",
        b"{",
        b"}",
        b"(",
        b")",
        b"[",
        b"]",
        b"[m/s^2]",
        b" [kg]",
        b"..",
        b"|>",
        b"->",
        b"==",
        b"!=",
        b"<=",
        b"=",
        b"^",
        b"\xc2\xb1",
        b"+/-",
        b"\xe2\x88\x9a",
        b"\xc2\xb2",
        b"\xe2\x81\xbb\xc2\xb9",
        b"\xce\xbb",
        b"\xc2\xb5",
        b"\xe2\x88\x9e",
        b"'",
        b"\"",
        b"\"{x:4}\"",
        b"r\"",
        b"\\",
        b"\n",
        b"\r\n",
        b"\n+ ",
        b"\n- ",
        b"#",
        b"## ",
        b";",
        b",",
        b":",
        b".",
        b"x'",
        b"1e308",
        b"0.5",
        b"1..5",
        b"9999999999999999999999",
        b"1/2",
        b"2x",
        b"f(x) = ",
        b"x [m] in 1..5",
        b"\0",
        b"\xef\xbb\xbf",
        b"\xf0\x9f\x98\x80",
        b"\xcc\x88",
        b"((((((((((((((((",
        b"----------------",
        b"[[[[[[[[[[[[[[[[",
        b"if a then if b then ",
        b"{a: {a: {a: ",
    ],
    law: syntax_law,
};

const CSV: Target = Target {
    name: "csv",
    seeds: &[("tests/spec/data", "csv"), ("tests/errors/data/data", "csv"), ("examples", "csv")],
    words: &[
        b",",
        b"\n",
        b"\r\n",
        b"\r",
        b"\"",
        b"\"\"",
        b"\"a\nb\"",
        b"\xef\xbb\xbf",
        b"\xc2\xb1 ",
        b"\xc2\xb1 v [km/s]",
        b" [m]",
        b" [degC]",
        b" [dB]",
        b"[",
        b"]",
        b"nan",
        b"inf",
        b"-inf",
        b"NA",
        b"null",
        b"-",
        b"1e308",
        b"1e-320",
        b"1e999",
        b"-0.0",
        b"0",
        b"9223372036854775807",
        b"9223372036854775808",
        b"0.1",
        b"1,5",
        b";",
        b"\t",
        b"x,x\n",
        b"1,2,3\n",
        b"\n\n",
        b"\xce\xbb",
        b"\0",
        b"\xe2\x80\x8b",
        b"'",
        b"1_000",
        b"+1",
        b".5",
        b"5.",
        b"1e-300000",
        b"0x1F",
        b"true",
        b"v [km/s],",
        b"e2147483647",
        b"e-2147483648",
    ],
    law: csv_law,
};

const NPY: Target = Target {
    name: "npy",
    seeds: &[],
    words: &[
        b"\x93NUMPY\x01\x00",
        b"\x93NUMPY\x02\x00",
        b"\x93NUMPY\x03\x00",
        b"PK\x03\x04",
        b"PK\x01\x02",
        b"PK\x05\x06",
        b"'descr': ",
        b"'fortran_order': ",
        b"'shape': ",
        b"True",
        b"False",
        b"(3,)",
        b"(2, 3)",
        b"()",
        b"(0,)",
        b"(18446744073709551615,)",
        b"(9223372036854775807, 2)",
        b"(1000000000, 1000000000)",
        b"(-1,)",
        b"'<f8'",
        b"'>f8'",
        b"'|b1'",
        b"'|O'",
        b"'<U3'",
        b"'<U1073741823'",
        b"'|S1'",
        b"'<M8[s]'",
        b"'|V8'",
        b"'<c16'",
        b"'<i1'",
        b"'>i8'",
        b"'<u8'",
        b"'<f2'",
        b"[('x', '<f8')]",
        b"[('x', '<f8', (2, 2))]",
        b"('x [m]', '<f8'), ",
        b"('\xc2\xb1 x [m]', '<f8'), ",
        b"'\\u03bb'",
        b"[[[[[[[[[[[[[[[[[[",
        b"((((((((((((((((((",
        b"{{{{",
        b"\xff\xff",
        b"\0\0\0\0\0\0\xf0\x7f",
        b"\0\0\0\0\0\0\xf8\x7f",
        b"\xff\xff\xff\xff\xff\xff\xff\x7f",
        b"\0\0\0\0\0\0\0\0",
        b"L",
        b"}",
        b"\n",
    ],
    law: npy_law,
};

#[test]
fn syntax_holds_on_mutated_programs() {
    fuzz(&SYNTAX);
}

#[test]
fn csv_holds_on_mutated_tables() {
    fuzz(&CSV);
}

#[test]
fn npy_holds_on_mutated_arrays() {
    fuzz(&NPY);
}

/// Parsing and colouring never panic, places lie in the text; what parses is formatted to a text that parses to the same
/// tree and formats to itself.
fn syntax_law(bytes: &[u8], _: &Catalogue) -> Result<(), String> {
    let text = String::from_utf8_lossy(bytes);
    let source = Source::new(0, "fuzz", &text);
    let parsed = syntax::parse(&source);
    let inside = |span: phys::base::Span| {
        let (start, end) = (span.start as usize, span.end as usize);
        start <= end && end <= text.len() && text.is_char_boundary(start) && text.is_char_boundary(end)
    };
    if let Some(d) = parsed.diagnostics.iter().find(|d| d.span.is_some_and(|s| !inside(s))) {
        return Err(format!("a place outside of the text: {} {:?}", d.message, d.span));
    }
    if parsed.diagnostics.len() > 2 * text.len() + 8 {
        return Err(format!("{} diagnostics for {} bytes", parsed.diagnostics.len(), text.len()));
    }
    let tokens = syntax::tokens(&text);
    if let Some((_, s)) = tokens.iter().find(|(_, s)| !inside(*s)) {
        return Err(format!("a token outside of the text: {s:?}"));
    }
    if let Some(w) = tokens.windows(2).find(|w| w[0].1.end > w[1].1.start) {
        return Err(format!("tokens that overlap: {:?} and {:?}", w[0], w[1]));
    }
    let formatted = syntax::format(&source, &parsed);
    if parsed.has_errors() {
        return Ok(());
    }
    if formatted.len() > 64 * (text.len() + 64) * 64 {
        return Err(format!("{} bytes formatted from {}", formatted.len(), text.len()));
    }
    let again_source = Source::new(0, "fuzz", &formatted);
    let again = syntax::parse(&again_source);
    if let Some(d) = again.diagnostics.iter().find(|d| d.is_error()) {
        return Err(format!("the formatted text does not parse: {}\n{formatted}", d.message));
    }
    if !syntax::same_tree(&parsed.tree, &again.tree) {
        return Err(format!("the formatted text says something else:\n{formatted}"));
    }
    let twice = syntax::format(&again_source, &again);
    if twice != formatted {
        return Err(format!("formatting twice differs:\n{formatted}\n---\n{twice}"));
    }
    Ok(())
}

/// Whether two datasets hold the same; the unit 1 is none, and NaN equals NaN.
fn same(a: &Dataset, b: &Dataset) -> Result<(), String> {
    let unit = |c: &Column| c.unit.clone().filter(|u| !u.is_one()).map(|u: Unit| u.to_string());
    let bits = |v: &[f64]| {
        v.iter().map(|x| if x.is_nan() { u64::MAX } else { (x + 0.0).to_bits() }).collect::<Vec<_>>()
    };
    if !a.names().eq(b.names()) {
        let names = |d: &Dataset| d.names().map(str::to_string).collect::<Vec<_>>();
        return Err(format!("other names: {:?} and {:?}", names(a), names(b)));
    }
    for (p, q) in a.columns().iter().zip(b.columns()) {
        // Under a missing value anything may stand.
        let there = |c: &Column, v: Vec<f64>| {
            bits(
                &v.into_iter()
                    .enumerate()
                    .filter(|(i, _)| !c.is_missing(*i))
                    .map(|(_, x)| x)
                    .collect::<Vec<_>>(),
            )
        };
        let parts = |z: &[(f64, f64)]| z.iter().flat_map(|z| [z.0, z.1]).collect::<Vec<f64>>();
        let values = match (&p.values, &q.values) {
            (Values::F64(_) | Values::Integer(_), Values::F64(_) | Values::Integer(_)) => {
                there(p, p.floats_in_unit()) == there(q, q.floats_in_unit())
            }
            (Values::Complex(x), Values::Complex(y)) => bits(&parts(x)) == bits(&parts(y)),
            (Values::Array(x), Values::Array(y)) => {
                let present = |s: &Stack| {
                    (0..s.len()).filter(|i| !p.is_missing(*i)).flat_map(|i| s.row(i)).collect::<Vec<f64>>()
                };
                x.sizes() == y.sizes() && bits(&present(x)) == bits(&present(y))
            }
            (x, y) => x == y,
        };
        let missing = (0..p.len().max(q.len())).all(|i| p.is_missing(i) == q.is_missing(i));
        let present = |c: &Column| {
            c.errors.as_ref().map(|e| {
                let kept = e.iter().enumerate().filter(|(i, _)| !c.is_missing(*i));
                bits(&kept.map(|(_, e)| *e).collect::<Vec<_>>())
            })
        };
        if !values || unit(p) != unit(q) || !missing || present(p) != present(q) {
            return Err(format!("the column `{}` came back as another:\n{p:?}\n{q:?}", p.name));
        }
    }
    Ok(())
}

fn options(bytes: &[u8]) -> ReadOptions {
    ReadOptions::missing([Missing::Keep, Missing::Fault, Missing::Drop][bytes.len() % 3])
}

/// What is read has columns of one length, no more cells than bytes, and comes back from the file it is written to.
fn csv_law(bytes: &[u8], units: &Catalogue) -> Result<(), String> {
    let text = String::from_utf8_lossy(bytes);
    let options = options(bytes);
    let d = match read_csv_text("fuzz.csv", &text, units, &options) {
        Ok(d) => d,
        Err(e) => return message(&e, bytes),
    };
    sizes(&d, bytes.len() + 1)?;
    // Which columns are labels was decided on rows that are gone.
    if options.missing == Missing::Drop {
        return Ok(());
    }
    let written = csv_text(&d).map_err(|e| e.to_string())?;
    let keep = ReadOptions::missing(Missing::Keep);
    let again = read_csv_text("fuzz.csv", &written, units, &keep);
    same(&d, &again.map_err(|e| format!("what was written is not read: {e}\n{written}"))?)
        .map_err(|e| format!("{e}\n{written}"))
}

/// The same for arrays, which an archive may have packed a thousand times.
fn npy_law(bytes: &[u8], units: &Catalogue) -> Result<(), String> {
    let options = options(bytes);
    let packed = bytes.starts_with(b"PK");
    let read = if packed { read_npz_bytes } else { read_npy_bytes };
    let d = match read("fuzz", bytes, units, &options) {
        Ok(d) => d,
        Err(e) => return message(&e, bytes),
    };
    sizes(&d, if packed { bytes.len() * 1040 } else { bytes.len() })?;
    let keep = ReadOptions::missing(Missing::Keep);
    let npy = read_npy_bytes("fuzz", &npy_bytes(&d).expect("arrays of one shape"), units, &keep);
    same(&d, &npy.map_err(|e| format!("what was written is not read: {e}"))?)?;
    let npz = npz_bytes(&d).map_err(|e| e.to_string())?;
    let npz = read_npz_bytes("fuzz", &npz, units, &keep);
    same(&d, &npz.map_err(|e| format!("what was written as NPZ is not read: {e}"))?)
}

fn sizes(d: &Dataset, most: usize) -> Result<(), String> {
    if d.columns().iter().any(|c| c.len() != d.rows()) {
        return Err("columns of different lengths".into());
    }
    let cells = d.rows() * d.columns().len();
    if cells > most {
        return Err(format!("{cells} cells of {most} bytes"));
    }
    Ok(())
}

/// A fault has a code of its layer, and a message no longer than what it is about.
fn message(e: &DataError, bytes: &[u8]) -> Result<(), String> {
    use phys::base::Fault;
    let text = format!("{e} {}", e.hint().unwrap_or_default());
    if e.code().0 / 1000 > 3 || text.len() > 8 * bytes.len() + 4096 {
        return Err(format!("{} bytes of message: {:.200}", text.len(), text));
    }
    Ok(())
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn corpus(target: &Target) -> Vec<Vec<u8>> {
    let own = root().join("tests/fuzz/corpus").join(target.name);
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(&own).into_iter().flatten().flatten().map(|e| e.path()).collect();
    for (folder, ending) in target.seeds {
        paths.extend(files(&root().join(folder), ending, &[]));
    }
    paths.sort();
    let texts: Vec<Vec<u8>> = paths.iter().filter_map(|p| std::fs::read(p).ok()).collect();
    assert!(!texts.is_empty());
    texts
}

/// An input: a file of the corpus with one to six changes.
fn mutate(rng: &mut Rng, corpus: &[Vec<u8>], words: &[&[u8]]) -> Vec<u8> {
    let mut bytes = corpus[rng.random_range(0..corpus.len())].clone();
    bytes.truncate(MAX_INPUT);
    // Long files hide what short ones show.
    if bytes.len() > 400 && rng.random_range(0..3) > 0 {
        let from = rng.random_range(0..bytes.len() - 100);
        let to = (from + rng.random_range(1..400)).min(bytes.len());
        bytes = bytes[from..to].to_vec();
    }
    for _ in 0..rng.random_range(1..=6) {
        let length = bytes.len();
        let at = rng.random_range(0..=length);
        let piece = |rng: &mut Rng| {
            let from = rng.random_range(0..=length);
            let most = if rng.random_range(0..8) == 0 { length } else { 16 };
            from..(from + rng.random_range(0..=most)).min(length)
        };
        match rng.random_range(0..10) {
            0 if at < length => bytes[at] ^= 1 << rng.random_range(0..8),
            1 if at < length => {
                bytes[at] = [0, 1, 0x7F, 0x80, 0xFF, b'0', b'9', b' '][rng.random_range(0..8)]
            }
            2 => {
                bytes.drain(piece(rng));
            }
            3 => {
                let copy = bytes[piece(rng)].to_vec();
                bytes.splice(at..at, copy);
            }
            4 => {
                let other = &corpus[rng.random_range(0..corpus.len())];
                let from = rng.random_range(0..=other.len());
                let to = (from + rng.random_range(0..64)).min(other.len());
                bytes.splice(at..at, other[from..to].iter().copied());
            }
            5 => {
                // A number becomes an extreme one.
                let digits = bytes.iter().skip(at).position(u8::is_ascii_digit).map(|k| at + k);
                if let Some(from) = digits {
                    let to =
                        bytes[from..].iter().position(|b| !b.is_ascii_digit()).map_or(length, |k| from + k);
                    let extremes: [&[u8]; 8] = [
                        b"0",
                        b"1",
                        b"255",
                        b"65536",
                        b"2147483648",
                        b"9223372036854775807",
                        b"18446744073709551616",
                        b"99999999999999999999999999999999999999999999",
                    ];
                    bytes.splice(from..to, extremes[rng.random_range(0..8)].iter().copied());
                }
            }
            6 => {
                let copy = bytes[piece(rng)].to_vec();
                let times = rng.random_range(2..40);
                bytes.splice(at..at, copy.repeat(times));
            }
            7 => {
                let (a, b) = (rng.random_range(0..=length), rng.random_range(0..=length));
                bytes[a.min(b)..a.max(b)].rotate_left((a.max(b) - a.min(b)) / 2);
            }
            8 if length > 4 => {
                let at = rng.random_range(0..length - 4);
                let word = [0u32, 1, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF][rng.random_range(0..6)];
                bytes[at..at + 4].copy_from_slice(&word.to_le_bytes());
            }
            _ => {
                let word = words[rng.random_range(0..words.len())];
                bytes.splice(at..at, word.iter().copied());
            }
        }
        bytes.truncate(MAX_INPUT);
    }
    bytes
}

fn fuzz(target: &'static Target) {
    let corpus = corpus(target);
    let units =
        Library::load(None).map(|l| l.catalogue().clone()).unwrap_or_else(|_| panic!("the library loads"));
    let seed = variable("PHYS_FUZZ_SEED").unwrap_or(1);
    let first = variable("PHYS_FUZZ_FIRST").unwrap_or(0);
    let inputs = variable("PHYS_FUZZ_INPUTS").unwrap_or(1500);
    let until = variable("PHYS_FUZZ_SECONDS").map(|s| Instant::now() + Duration::from_secs(s));
    let folder = root().join("target/fuzz");
    // The input that is tried, for the watch.
    let (tell, told) = mpsc::channel::<Option<(u64, Vec<u8>)>>();
    let keep = {
        let folder = folder.clone();
        move |number: u64, bytes: &[u8]| {
            let path = folder.join(format!("{}-{seed}-{number}", target.name));
            let written = std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&path, bytes));
            format!("{} ({written:?}); PHYS_FUZZ_SEED={seed} PHYS_FUZZ_FIRST={number}", path.display())
        }
    };
    let watch = {
        let keep = keep.clone();
        std::thread::spawn(move || {
            let mut current: Option<(u64, Vec<u8>)> = None;
            loop {
                match told.recv_timeout(HANG) {
                    Ok(Some(next)) => current = Some(next),
                    Ok(None) | Err(mpsc::RecvTimeoutError::Disconnected) => return,
                    Err(mpsc::RecvTimeoutError::Timeout) => {
                        if let Some((number, bytes)) = &current {
                            eprintln!(
                                "{}: an input takes more than {HANG:?}: {}",
                                target.name,
                                keep(*number, bytes)
                            );
                            std::process::abort();
                        }
                    }
                }
            }
        })
    };
    let run = std::thread::Builder::new().name(target.name.into()).stack_size(8 << 20).spawn(move || {
        for bytes in &corpus {
            // The corpus holds what failed before.
            let _ = tell.send(Some((u64::MAX, bytes.clone())));
            if bytes.len() <= MAX_INPUT
                && let Err(fault) = (target.law)(bytes, &units)
            {
                panic!("{}: a file of the corpus breaks the law: {fault}", target.name);
            }
        }
        let mut number = first;
        let mut faults = Vec::new();
        while until.map_or(number - first < inputs, |t| Instant::now() < t) {
            let mut rng = Streams::new(seed).block(target.name, number);
            let bytes = mutate(&mut rng, &corpus, target.words);
            let _ = tell.send(Some((number, bytes.clone())));
            let found = std::panic::catch_unwind(AssertUnwindSafe(|| (target.law)(&bytes, &units)));
            let fault = match found {
                Ok(Ok(())) => None,
                Ok(Err(fault)) => Some(fault),
                Err(_) => Some("a panic".to_string()),
            };
            if let Some(fault) = fault {
                faults.push(format!("{fault}\n    {}", keep(number, &bytes)));
                if faults.len() >= 5 {
                    break;
                }
            }
            number += 1;
        }
        let _ = tell.send(None);
        (number - first, faults)
    });
    let (count, faults) = run.expect("a thread").join().expect("the corpus holds");
    let _ = watch.join();
    println!("{}: {count} inputs, {} faults", target.name, faults.len());
    assert!(faults.is_empty(), "{}:\n{}", target.name, faults.join("\n"));
}
