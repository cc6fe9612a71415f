//! Standard output and standard error. A reader that has gone away ends the program without words.

use std::io::{ErrorKind, Write};

/// One line on standard output.
pub fn line(text: &str) {
    write(&mut std::io::stdout().lock(), text);
}

/// One line on standard error.
pub fn error_line(text: &str) {
    write(&mut std::io::stderr().lock(), text);
}

fn write(out: &mut dyn Write, text: &str) {
    let done = out.write_all(text.as_bytes()).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush());
    if let Err(e) = done
        && e.kind() == ErrorKind::BrokenPipe
    {
        std::process::exit(0);
    }
}

/// Writes JSON to a file, or to standard output for `-`. The old file stays where writing fails.
pub fn json(path: &str, value: &serde_json::Value) -> Result<(), String> {
    let text = serde_json::to_string_pretty(value).map_err(|e| e.to_string())?;
    if path == "-" {
        line(&text);
        return Ok(());
    }
    crate::data::write_atomic(std::path::Path::new(path), (text + "\n").as_bytes()).map_err(|e| e.to_string())
}
