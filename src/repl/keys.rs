//! Keys with a meaning of their own. Up and Down search the history for lines that begin with what was typed, and go
//! through all of it where nothing was. A bracketed paste is collected and put in whole: prompts copied with it are taken
//! off, and one that is too long is dropped without ever being drawn, since a terminal editor draws a text of many rows
//! again and again.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rustyline::{
    Cmd, ConditionalEventHandler, Event, EventContext, KeyCode, KeyEvent, Modifiers, RepeatCount,
};

/// Bytes that a line may hold.
pub const MAX_BYTES: usize = 200_000;
/// Bytes that may be typed, or pasted without brackets, into one line.
pub const MAX_TYPED: usize = 20_000;
/// Line ends that a line may hold.
pub const MAX_LINES: usize = 5_000;

#[derive(Default)]
struct State {
    /// The paste that is going on: its text, and whether it is longer than a line may be.
    paste: Option<(String, bool)>,
    /// Line ends of the paste.
    lines: usize,
    /// Whether the last key went through the whole history.
    browsing: bool,
}

/// The handler of every key.
pub struct Keys {
    state: Mutex<State>,
    /// Set where something was dropped.
    overflow: Arc<AtomicBool>,
}

impl Keys {
    /// A handler that sets `overflow` where it drops something.
    pub fn new(overflow: Arc<AtomicBool>) -> Keys {
        Keys { state: Mutex::default(), overflow }
    }
}

impl ConditionalEventHandler for Keys {
    fn handle(&self, event: &Event, _: RepeatCount, _: bool, context: &EventContext) -> Option<Cmd> {
        let KeyEvent(code, modifiers) = *event.get(0)?;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((text, long)) = &mut state.paste {
            let typed = match (code, modifiers) {
                (KeyCode::BracketedPasteEnd, _) => {
                    let (text, long) = (std::mem::take(text), *long);
                    state.paste = None;
                    if long {
                        self.overflow.store(true, Ordering::SeqCst);
                        return Some(Cmd::Interrupt);
                    }
                    return Some(Cmd::Insert(1, tidy(&text)));
                }
                (KeyCode::Char('J'), Modifiers::CTRL) | (KeyCode::Enter, _) => "\n",
                (KeyCode::Tab, _) => "    ",
                (KeyCode::Char(c), Modifiers::NONE) => {
                    if text.len() < MAX_BYTES {
                        text.push(c);
                    } else {
                        *long = true;
                    }
                    return Some(Cmd::Noop);
                }
                _ => "",
            };
            state.lines += usize::from(typed == "\n");
            let room = state.lines <= MAX_LINES;
            let Some((text, long)) = &mut state.paste else { return Some(Cmd::Noop) };
            if text.len() + typed.len() <= MAX_BYTES && room {
                text.push_str(typed);
            } else {
                *long = true;
            }
            return Some(Cmd::Noop);
        }
        let browsing = std::mem::take(&mut state.browsing);
        match (code, modifiers) {
            (KeyCode::BracketedPasteStart, _) => {
                state.paste = Some((String::new(), false));
                state.lines = 0;
                Some(Cmd::Noop)
            }
            (KeyCode::Up | KeyCode::Down, Modifiers::NONE) if !context.line().contains('\n') || browsing => {
                let up = code == KeyCode::Up;
                if browsing || context.line().is_empty() {
                    state.browsing = true;
                    return Some(if up { Cmd::PreviousHistory } else { Cmd::NextHistory });
                }
                Some(if up { Cmd::HistorySearchBackward } else { Cmd::HistorySearchForward })
            }
            // What was cut off is not run.
            (KeyCode::Enter, _) if self.overflow.load(Ordering::SeqCst) => Some(Cmd::Interrupt),
            (KeyCode::Char(_), Modifiers::NONE) if context.line().len() >= MAX_TYPED => {
                self.overflow.store(true, Ordering::SeqCst);
                Some(Cmd::Noop)
            }
            _ => None,
        }
    }
}

/// A pasted text without the prompts it was copied with, one newline for each line end, none at its end.
fn tidy(text: &str) -> String {
    let text = text.trim_end();
    let prompted = text.lines().next().is_some_and(|l| l.starts_with("> "));
    if !prompted {
        return text.to_string();
    }
    let lines: Vec<&str> =
        text.lines().filter_map(|l| l.strip_prefix("> ").or_else(|| l.strip_prefix("| "))).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::tidy;

    #[test]
    fn prompts_are_taken_off() {
        assert_eq!(tidy("> x = 3\n> x + 1\n4\n"), "x = 3\nx + 1");
        assert_eq!(tidy("x = 3\ny > 2\n\n"), "x = 3\ny > 2");
    }
}
