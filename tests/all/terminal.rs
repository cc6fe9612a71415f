//! A pseudo-terminal with the prompt behind it. What the program writes goes through a terminal emulator, so that a test
//! sees the screen and not escape codes. Every wait is for something on the screen; the prompt is back when the program
//! has asked for bracketed paste once more (it does before each line) and the cursor stands behind `> `.

use rustix::process::{ioctl_tiocsctty, setsid};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// How long anything is waited for: only a fault takes so long.
const LIMIT: Duration = Duration::from_secs(60);

/// Written before each line that is read.
const ASKING: &[u8] = b"\x1b[?2004h";

struct Seen {
    parser: vt100::Parser,
    /// How often a line was asked for.
    asked: usize,
    /// The last bytes, in case a sequence is cut.
    tail: Vec<u8>,
    closed: bool,
}

/// A terminal with a running program.
pub struct Terminal {
    master: File,
    child: Child,
    seen: Arc<(Mutex<Seen>, Condvar)>,
    /// How often a line had been asked for when the last one was sent.
    before: usize,
    /// The row of the prompt at which the last line was typed.
    pub row: u16,
}

/// The screen as a test sees it.
pub struct Screen {
    /// Its rows, blanks at their ends dropped.
    pub rows: Vec<String>,
    /// Row and column of the cursor.
    pub cursor: (u16, u16),
}

impl Screen {
    /// All of it.
    pub fn text(&self) -> String {
        self.rows.join("\n").trim_end().to_string()
    }

    /// The row of the cursor.
    pub fn line(&self) -> &str {
        &self.rows[usize::from(self.cursor.0)]
    }
}

/// A command of the binary for a terminal, in a folder that is also its home.
pub fn command(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_phys"));
    command.current_dir(home).env("HOME", home).env("TERM", "xterm-256color").env("LC_ALL", "C.UTF-8");
    for name in [
        "NO_COLOR",
        "XDG_STATE_HOME",
        "XDG_CONFIG_HOME",
        "PHYS_PATH",
        "PHYS_HISTORY",
        "PHYS_STARTUP",
        "RUST_BACKTRACE",
        "COLUMNS",
        "LINES",
    ] {
        command.env_remove(name);
    }
    command
}

impl Terminal {
    /// Starts a command on a terminal of this size.
    pub fn start(mut command: Command, columns: u16, rows: u16) -> Terminal {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pseudo-terminal");
        grantpt(&master).expect("a pseudo-terminal");
        unlockpt(&master).expect("a pseudo-terminal");
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&master, size).expect("a size");
        let name = ptsname(&master, Vec::new()).expect("the name of the other end");
        let path = Path::new(std::ffi::OsStr::from_bytes(name.to_bytes()));
        let slave = || {
            let file = File::options().read(true).write(true).open(path).expect("the other end");
            Stdio::from(file)
        };
        command.stdin(slave()).stdout(slave()).stderr(slave());
        // SAFETY: between fork and exec only these two system calls are made; they make the terminal the one that Ctrl-C
        // of which reaches the child.
        unsafe {
            command.pre_exec(|| {
                setsid()?;
                ioctl_tiocsctty(rustix::stdio::stdin())?;
                Ok(())
            });
        }
        let child = command.spawn().expect("the binary starts");
        drop(command);
        let master = File::from(master);
        let seen =
            Seen { parser: vt100::Parser::new(rows, columns, 0), asked: 0, tail: Vec::new(), closed: false };
        let seen = Arc::new((Mutex::new(seen), Condvar::new()));
        let mut reader = master.try_clone().expect("a second handle");
        let shared = seen.clone();
        std::thread::spawn(move || {
            let mut buffer = [0u8; 65_536];
            loop {
                // The end of the child shows as an error.
                let count = reader.read(&mut buffer).unwrap_or(0);
                let (state, changed) = &*shared;
                let mut state = state.lock().expect("no test panics while it holds it");
                if count == 0 {
                    state.closed = true;
                    changed.notify_all();
                    return;
                }
                state.parser.process(&buffer[..count]);
                let mut text = std::mem::take(&mut state.tail);
                text.extend_from_slice(&buffer[..count]);
                state.asked += text.windows(ASKING.len()).filter(|w| *w == ASKING).count();
                state.tail = text[text.len().saturating_sub(ASKING.len() - 1)..].to_vec();
                changed.notify_all();
            }
        });
        Terminal { master, child, seen, before: 0, row: 0 }
    }

    /// Starts the prompt in a folder and waits for its first line.
    pub fn prompt(home: &Path) -> Terminal {
        let mut terminal = Terminal::start(command(home), 100, 120);
        terminal.ready();
        terminal
    }

    fn look(state: &Seen) -> Screen {
        let screen = state.parser.screen();
        let (_, columns) = screen.size();
        let rows = screen.rows(0, columns).map(|r| r.trim_end().to_string()).collect();
        Screen { rows, cursor: screen.cursor_position() }
    }

    /// Waits until the screen is as wanted.
    pub fn wait(&self, what: &str, wanted: impl Fn(&Screen) -> bool) -> Screen {
        self.until(what, |state| Some(Terminal::look(state)).filter(|s| wanted(s)))
    }

    fn until<T>(&self, what: &str, wanted: impl Fn(&Seen) -> Option<T>) -> T {
        let (state, changed) = &*self.seen;
        let mut state = state.lock().expect("the reader does not panic");
        let end = Instant::now() + LIMIT;
        loop {
            if let Some(found) = wanted(&state) {
                return found;
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() || state.closed {
                let shown = Terminal::look(&state);
                drop(state);
                panic!(
                    "waited for {what}; cursor {:?}; the screen is\n{}",
                    shown.cursor,
                    shown
                        .rows
                        .iter()
                        .filter(|r| !r.is_empty())
                        .map(|r| format!("| {r}\n"))
                        .collect::<String>()
                );
            }
            state = changed.wait_timeout(state, left).expect("the reader does not panic").0;
        }
    }

    /// Sends keys.
    pub fn send(&mut self, keys: &str) {
        self.master.write_all(keys.as_bytes()).expect("the terminal takes keys");
    }

    /// Waits until the next line is asked for, and takes note of where.
    pub fn ready(&mut self) -> Screen {
        let before = self.before;
        let (screen, asked) = self.until("the prompt", |state| {
            let screen = Terminal::look(state);
            let back = state.asked > before && screen.line().starts_with('>') && screen.cursor.1 == 2;
            back.then_some((screen, state.asked))
        });
        self.before = asked;
        self.row = screen.cursor.0;
        screen
    }

    /// A clean screen, where the prompt stands low.
    fn room(&mut self) {
        if self.row > 60 {
            self.send("\x0c");
            self.wait("a clean screen", |s| s.cursor == (0, 2));
            self.row = 0;
        }
    }

    /// Types a line and Enter; what is shown until the next prompt.
    pub fn ask(&mut self, line: &str) -> String {
        self.room();
        self.send(line);
        self.enter()
    }

    /// Presses Enter; what is shown until the next prompt.
    pub fn enter(&mut self) -> String {
        let from = usize::from(self.row);
        self.send("\r");
        let screen = self.ready();
        screen.rows[(from + 1).min(screen.rows.len())..usize::from(screen.cursor.0)].join("\n")
    }

    /// Types keys and waits until the line being typed is as wanted; it is then dropped with Ctrl-C.
    pub fn typed(&mut self, keys: &str, wanted: &str) {
        self.room();
        self.send(keys);
        self.wait(&format!("`{wanted}` after {keys:?}"), |s| s.line().contains(wanted));
        self.drop_line();
    }

    /// Waits until every key sent so far has been read.
    pub fn settle(&mut self) {
        self.send("settled_here");
        self.before = self.until("what was typed", |state| {
            Terminal::look(state).line().starts_with("> settled_here").then_some(state.asked)
        });
        self.drop_line();
    }

    /// Drops the line being typed.
    pub fn drop_line(&mut self) {
        self.send("\x03");
        self.ready();
    }

    /// Pastes a text in brackets, as terminals do.
    pub fn paste(&mut self, text: &str) {
        self.room();
        self.send(&format!("\x1b[200~{text}\x1b[201~"));
    }

    /// Whether the bytes of the screen's cell at this text are coloured: the foreground of its first letter is not the
    /// default.
    pub fn is_coloured(&self, text: &str) -> bool {
        let (state, _) = &*self.seen;
        let state = state.lock().expect("the reader does not panic");
        let shown = Terminal::look(&state);
        let screen = state.parser.screen();
        shown.rows.iter().enumerate().any(|(row, line)| {
            line.match_indices(text).any(|(at, _)| {
                let column = line[..at].chars().count() as u16;
                screen.cell(row as u16, column).is_some_and(|c| c.fgcolor() != vt100::Color::Default)
            })
        })
    }

    /// Waits for the end of the program; its exit status.
    pub fn end(mut self) -> Option<i32> {
        self.until("the end", |state| state.closed.then_some(()));
        self.child.wait().expect("the child can be waited for").code()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
