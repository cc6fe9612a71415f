//! The two streams. Results go to standard output and words to standard error; with `--json -` standard output holds
//! the JSON alone. A reader that went away ends the process without a word; a full disk ends it with one.

use std::borrow::Cow;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::charset;
use super::progress::Live;
use super::render::Renderer;
use crate::base::{Canvas, Code, Diagnostic, Event, EventSink};
use crate::data;
use crate::session::Sources;

/// Where text, diagnostics and JSON go.
pub struct Terminal {
    /// Whether standard output is kept for the JSON.
    json: bool,
    renderer: Mutex<Renderer>,
    live: Live,
    /// What is still to do where nobody reads standard output any more.
    leaving: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

impl Terminal {
    /// A terminal for a command that was given `--json PATH`, or not.
    pub fn new(json: Option<&str>, sources: Sources) -> Arc<Terminal> {
        Terminal::with(json, sources, false)
    }

    /// The same, without the progress of long work where `quiet`.
    pub fn with(json: Option<&str>, sources: Sources, quiet: bool) -> Arc<Terminal> {
        let colour = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
        Arc::new(Terminal {
            json: json == Some("-"),
            renderer: Mutex::new(Renderer::new(sources, colour)),
            live: Live::new(quiet),
            leaving: OnceLock::new(),
        })
    }

    /// Sets what is done before the process ends because standard output cannot be written; the first counts.
    pub fn before_leaving(&self, last: impl Fn() + Send + Sync + 'static) {
        let _ = self.leaving.set(Box::new(last));
    }

    /// Erases the line of progress: work is over.
    pub fn clear(&self) {
        self.live.hold().end();
    }

    /// A line of text, or several.
    pub fn text(&self, text: &str) {
        let mut line = self.live.hold();
        line.clear();
        if self.json {
            complain(text);
        } else if let Err(e) = written(text) {
            self.leaving.get().iter().for_each(|last| last());
            leave(&e);
        }
    }

    /// A diagnostic, rendered.
    pub fn diagnostic(&self, diagnostic: &Diagnostic) {
        let text = self.renderer.lock().unwrap_or_else(PoisonError::into_inner).render(diagnostic);
        let mut line = self.live.hold();
        line.clear();
        complain(&text);
    }

    /// The listener of a session.
    pub fn sink(self: &Arc<Terminal>) -> EventSink {
        let terminal = self.clone();
        EventSink::new(move |event| terminal.event(&event))
    }

    /// Shows what happened.
    pub fn event(&self, event: &Event) {
        match event {
            Event::Text(text) => self.text(text),
            Event::Diagnostic(d) => self.diagnostic(d),
            Event::Figure(figure) => self.text(&figure.terminal(&canvas())),
            Event::Progress(p) => self.live.report(p),
            Event::Metric { .. } | Event::Read(_) | Event::Finding(_) => {}
        }
    }
}

/// How standard output draws: as its terminal can; a file or a pipe gets the plain form of 80 columns.
fn canvas() -> Canvas {
    let out = io::stdout();
    if !out.is_terminal() {
        return Canvas::default();
    }
    let set = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty());
    let (width, height) = terminal_size::terminal_size_of(&out)
        .map_or((80, 24), |(width, height)| (usize::from(width.0), usize::from(height.0)));
    Canvas {
        width: width.saturating_sub(1).max(10),
        height: (height * 2 / 3).clamp(8, 30),
        colour: set("NO_COLOR").is_none() && set("TERM").is_none_or(|t| t != "dumb"),
        unicode: charset::is_unicode(),
    }
}

/// Looks, before anything runs, whether JSON can be written there.
///
/// # Errors
/// The place is a folder, or lies in none.
pub fn writable(json: Option<&str>) -> Result<(), Box<Diagnostic>> {
    let Some(path) = json.filter(|p| *p != "-") else { return Ok(()) };
    let place = Path::new(path);
    let folder = place.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let message = if place.is_dir() {
        format!("expected a file to write to, found the folder `{path}`")
    } else if !folder.is_dir() {
        format!("expected a folder for `{path}`, found nothing at `{}`", folder.display())
    } else {
        return Ok(());
    };
    Err(Box::new(Diagnostic::error(Code(8003), None, message).hint("--json out.json")))
}

/// Writes JSON where `--json` says, whole or not at all.
///
/// # Errors
/// The file cannot be written; an old one is as it was.
pub fn write_json(json: Option<&str>, value: &serde_json::Value) -> Result<(), Box<Diagnostic>> {
    let text = format!("{value:#}");
    match json {
        None => Ok(()),
        Some("-") => {
            say(&text);
            Ok(())
        }
        Some(path) => data::write_atomic(Path::new(path), (text + "\n").as_bytes())
            .map_err(|e| Box::new(Diagnostic::from_fault(&e, None))),
    }
}

/// A line on standard output.
pub fn say(text: &str) {
    if let Err(e) = written(text) {
        leave(&e);
    }
}

fn written(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let text = readable(text, out.is_terminal());
    out.write_all(text.as_bytes())?;
    out.write_all(b"\n")?;
    out.flush()
}

/// Ends the process: standard output cannot be written.
fn leave(e: &io::Error) -> ! {
    if e.kind() != ErrorKind::BrokenPipe {
        complain(&format!("phys: standard output cannot be written: {e}"));
    }
    std::process::exit(if e.kind() == ErrorKind::BrokenPipe { 0 } else { 1 });
}

/// A text as the terminal can show it.
fn readable(text: &str, terminal: bool) -> Cow<'_, str> {
    if !terminal || text.is_ascii() || charset::is_unicode() {
        Cow::Borrowed(text)
    } else {
        charset::ascii(text)
    }
}

/// A line on standard error; where that is closed there is nobody to tell.
pub fn complain(text: &str) {
    let mut out = io::stderr().lock();
    let text = readable(text, out.is_terminal());
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.write_all(b"\n"));
}
