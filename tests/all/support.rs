//! What the modules share: walking folders, running the binary under a time limit, snapshots with a diff, and
//! Rust sources without their comments and strings.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// The repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Whether snapshots are to be rewritten.
pub fn bless() -> bool {
    std::env::var_os("PHYS_BLESS").is_some_and(|v| v == "1")
}

/// All files below `folder` with this extension, sorted; folders named `skip` are left out.
pub fn files(folder: &Path, extension: &str, skip: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for path in entries.flatten().map(|e| e.path()) {
            if path.is_dir() {
                if !path.file_name().is_some_and(|n| skip.iter().any(|s| n == *s)) {
                    open.push(path);
                }
            } else if path.extension().is_some_and(|e| e == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// What a run of the binary gave.
pub struct Ran {
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// Exit status; `None` where a signal or the time limit ended it.
    pub status: Option<i32>,
    /// Wall-clock seconds.
    pub seconds: f64,
}

/// A command of the binary, without colour and without the user's files.
pub fn phys() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_phys"));
    command
        .env("NO_COLOR", "1")
        .env("HOME", std::env::temp_dir())
        .env_remove("PHYS_PATH")
        // Tests of run folders say where these go; the others leave none.
        .env("PHYS_RUNS", "none")
        .env_remove("RUST_BACKTRACE")
        .stdin(Stdio::null());
    command
}

/// Runs it with `input` on standard input, for at most `limit`.
pub fn run_with(mut command: Command, input: Option<&str>, limit: Duration) -> Ran {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let (out, err) = (folder.path().join("out"), folder.path().join("err"));
    command
        .stdout(fs::File::create(&out).expect("a scratch file"))
        .stderr(fs::File::create(&err).expect("a scratch file"));
    if input.is_some() {
        command.stdin(Stdio::piped());
    }
    let start = Instant::now();
    let mut child = command.spawn().expect("the binary starts");
    if let (Some(text), Some(mut pipe)) = (input, child.stdin.take()) {
        // A child that stops reading early is no fault of the test.
        let _ = pipe.write_all(text.as_bytes());
    }
    let status = loop {
        match child.try_wait().expect("the child can be waited for") {
            Some(status) => break status.code(),
            None if start.elapsed() > limit => {
                let _ = child.kill();
                let _ = child.wait();
                break None;
            }
            None => std::thread::sleep(Duration::from_millis(2)),
        }
    };
    let read = |path: &Path| String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned();
    Ran { stdout: read(&out), stderr: read(&err), status, seconds: start.elapsed().as_secs_f64() }
}

/// Runs `phys` with these arguments, half a minute at most.
pub fn run(args: &[&str]) -> Ran {
    let mut command = phys();
    command.args(args);
    run_with(command, None, Duration::from_secs(30))
}

/// Runs `phys` with these arguments and this standard input, half a minute at most.
pub fn run_input(args: &[&str], input: &str) -> Ran {
    let mut command = phys();
    command.args(args);
    run_with(command, Some(input), Duration::from_secs(30))
}

/// The status a program expects: `# exit: N` on its first line.
pub fn expected_status(source: &str) -> Option<i32> {
    source.lines().next()?.strip_prefix("# exit: ")?.trim().parse().ok()
}

/// Compares with the snapshot at `path`, or writes it when blessing; a difference is returned, line by line.
pub fn snapshot(path: &Path, found: &str) -> Option<String> {
    if bless() {
        if found.is_empty() && !path.exists() {
            return None;
        }
        return fs::write(path, found).err().map(|e| e.to_string());
    }
    let expected = fs::read_to_string(path).unwrap_or_default().replace("\r\n", "\n");
    (expected != found).then(|| difference(&expected, found))
}

/// The lines that differ: `-` expected, `+` found, by the longest common subsequence.
pub fn difference(expected: &str, found: &str) -> String {
    let a: Vec<&str> = expected.lines().collect();
    let b: Vec<&str> = found.lines().collect();
    let mut common = vec![vec![0u32; b.len() + 1]; a.len() + 1];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            common[i][j] =
                if a[i] == b[j] { common[i + 1][j + 1] + 1 } else { common[i + 1][j].max(common[i][j + 1]) };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut text = String::new();
    while i < a.len() || j < b.len() {
        if i < a.len() && j < b.len() && a[i] == b[j] {
            (i, j) = (i + 1, j + 1);
        } else if i < a.len() && (j == b.len() || common[i + 1][j] >= common[i][j + 1]) {
            text += &format!("    {} - {}\n", i + 1, a[i]);
            i += 1;
        } else {
            text += &format!("    {} + {}\n", j + 1, b[j]);
            j += 1;
        }
    }
    if text.is_empty() { "    (differs in its line ends only)\n".into() } else { text }
}

/// Does `work` on every item on all cores, and fails once with everything that went wrong.
pub fn all<T: Sync>(items: &[T], what: &str, work: impl Fn(&T) -> Option<String> + Sync) {
    let next = AtomicUsize::new(0);
    let faults = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(2, |n| n.get()).min(8);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(at) else { break };
                    if let Some(fault) = work(item) {
                        faults.lock().expect("no thread panics while it holds it").push((at, fault));
                    }
                }
            });
        }
    });
    let mut faults = faults.into_inner().expect("all threads have ended");
    faults.sort();
    let text: String = faults.iter().map(|(_, f)| format!("{f}\n")).collect();
    assert!(faults.is_empty(), "{} of {} {what} failed:\n\n{text}", faults.len(), items.len());
}

/// A path as shown in messages: from the repository's root, with `/`.
pub fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string().replace('\\', "/")
}

/// A Rust source in which comments and the insides of strings and characters are blanks, lines kept.
pub fn code_only(text: &str) -> String {
    let bytes: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let blank = |c: char| if c == '\n' { '\n' } else { ' ' };
    let mut i = 0;
    while i < bytes.len() {
        let (c, next) = (bytes[i], bytes.get(i + 1).copied().unwrap_or(' '));
        let word_before = i > 0 && (bytes[i - 1].is_alphanumeric() || bytes[i - 1] == '_');
        if c == '/' && next == '/' {
            while i < bytes.len() && bytes[i] != '\n' {
                out.push(' ');
                i += 1;
            }
        } else if c == '/' && next == '*' {
            let mut depth = 0;
            while i < bytes.len() {
                let pair = (bytes[i], bytes.get(i + 1).copied().unwrap_or(' '));
                if pair == ('/', '*') || pair == ('*', '/') {
                    depth += if pair.0 == '/' { 1 } else { -1 };
                    out.push_str("  ");
                    i += 2;
                    if depth == 0 {
                        break;
                    }
                } else {
                    out.push(blank(bytes[i]));
                    i += 1;
                }
            }
        } else if (c == 'r' && !word_before || c == 'b' && next == 'r' && !word_before)
            && raw_string(&bytes, i).is_some()
        {
            let end = raw_string(&bytes, i).unwrap_or(i + 1).min(bytes.len());
            out.extend(bytes[i..end].iter().map(|c| blank(*c)));
            i = end;
        } else if c == '"' {
            out.push('"');
            i += 1;
            while i < bytes.len() && bytes[i] != '"' {
                if bytes[i] == '\\' {
                    out.push(' ');
                    i += 1;
                }
                if i < bytes.len() {
                    out.push(blank(bytes[i]));
                    i += 1;
                }
            }
            out.push('"');
            i += 1;
        } else if c == '\'' && (next == '\\' || bytes.get(i + 2) == Some(&'\'')) {
            // A character, not a lifetime.
            let mut end = if next == '\\' { i + 3 } else { i + 2 };
            while end < bytes.len() && bytes[end] != '\'' {
                end += 1;
            }
            let end = (end + 1).min(bytes.len());
            out.extend(bytes[i..end].iter().map(|c| blank(*c)));
            i = end;
        } else {
            out.push(c);
            i += 1;
        }
    }
    out
}

/// The end of the raw string that begins at `i`, if one does.
fn raw_string(chars: &[char], i: usize) -> Option<usize> {
    let mut at = i + if chars[i] == 'b' { 2 } else { 1 };
    let hashes = chars[at..].iter().take_while(|c| **c == '#').count();
    at += hashes;
    if chars.get(at) != Some(&'"') {
        return None;
    }
    at += 1;
    while at < chars.len() {
        if chars[at] == '"' && chars[at + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes {
            return Some(at + 1 + hashes);
        }
        at += 1;
    }
    Some(at)
}

#[test]
fn comments_and_strings_are_blanked() {
    let text = "a // x\nlet s = \"crate::b\\\"\"; 'c'; r#\"d\"\"# /* e /* f */ g */ &'h i";
    assert_eq!(
        code_only(text).split_whitespace().collect::<Vec<_>>(),
        ["a", "let", "s", "=", "\"", "\";", ";", "&'h", "i"]
    );
    assert_eq!(difference("a\nb\n", "a\nc\n"), "    2 - b\n    2 + c\n");
}
