//! States of long work in the folder `checkpoints/` of a run, one file a key. A file begins with one line that says how
//! long the state is and what its SHA-256 is, so that one that was cut short is known as such.

use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};

use crate::base::{Checkpoints, Code, Diagnostic, Event, EventSink};
use crate::data;

const MARK: &str = "phys checkpoint 1";

/// SHA-256 in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

/// SHA-256 and length of a file, however large.
pub fn sha256_of(path: &Path) -> Option<(String, u64)> {
    let mut file = std::fs::File::open(path).ok()?;
    let (mut hash, mut block, mut length) = (Sha256::new(), vec![0; 1 << 16], 0);
    loop {
        match file.read(&mut block).ok()? {
            0 => return Some((hash.finalize().iter().map(|b| format!("{b:02x}")).collect(), length)),
            n => {
                hash.update(&block[..n]);
                length += n as u64;
            }
        }
    }
}

/// The store of a run.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    events: EventSink,
    /// Whether states of an earlier run are used.
    resume: bool,
    /// The states of a run of another text of the script, of which those are taken over that the key says are the same.
    earlier: Option<PathBuf>,
    turns: Mutex<HashMap<String, u64>>,
    told: Mutex<bool>,
}

impl Store {
    /// The store in a folder that exists.
    pub fn new(folder: &Path, resume: bool, events: EventSink) -> Store {
        let (folder, turns) = (folder.into(), Mutex::default());
        Store { folder, events, resume, earlier: None, turns, told: Mutex::new(false) }
    }

    /// With the states of a run whose script has changed since.
    pub fn after(self, earlier: &Path) -> Store {
        Store { earlier: Some(earlier.into()), ..self }
    }

    fn path(&self, key: &str) -> PathBuf {
        self.folder.join(format!("{key}.state"))
    }
}

impl Checkpoints for Store {
    fn load(&self, key: &str) -> Option<Vec<u8>> {
        if !self.resume {
            return None;
        }
        let Some(earlier) = &self.earlier else {
            let bytes = std::fs::read(self.path(key)).ok()?;
            return unwrap(&bytes).map(<[u8]>::to_vec);
        };
        let Ok(bytes) = std::fs::read(earlier.join(format!("{key}.state"))) else {
            let task = key.split('-').next().unwrap_or_default();
            let message =
                format!("a `{task}` begins anew: its call, or its data, are not those of the earlier run");
            self.events.send(Event::Diagnostic(Diagnostic::notice(Code(8012), None, message)));
            return None;
        };
        let state = unwrap(&bytes)?.to_vec();
        self.save(key, &state);
        Some(state)
    }

    fn save(&self, key: &str, state: &[u8]) {
        write(&self.path(key), state, &self.events, &self.told);
    }

    fn turn(&self, name: &str) -> u64 {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        let next = turns.entry(name.to_string()).or_default();
        *next += 1;
        *next - 1
    }

    fn refuse(&self, key: &str, reason: &str) {
        refused(&self.events, key, reason);
    }
}

/// Writes a state; the first time that this fails the user is told.
fn write(path: &Path, state: &[u8], events: &EventSink, told: &Mutex<bool>) {
    let mut bytes = format!("{MARK} {} {}\n", state.len(), sha256(state)).into_bytes();
    bytes.extend_from_slice(state);
    if let Err(e) = data::write_atomic(path, &bytes) {
        let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
        if !std::mem::replace(&mut *told, true) {
            let d = Diagnostic::from_fault(&e, None);
            let message = format!("the checkpoint is not kept: {}", d.message);
            events.send(Event::Diagnostic(Diagnostic::warning(Code(8010), None, message)));
        }
    }
}

/// One file with the state of one piece of work: the key on the first line of the state says of which.
#[derive(Debug)]
pub struct Single {
    path: PathBuf,
    events: EventSink,
    /// The key and the state that the file held at first.
    kept: Option<(String, Vec<u8>)>,
    told: Mutex<bool>,
}

impl Single {
    /// The store in a file that may be there already.
    ///
    /// # Errors
    /// The file is no whole checkpoint, and might be something else.
    pub fn open(path: &Path, events: EventSink) -> Result<Single, Box<Diagnostic>> {
        let shown = path.display();
        let fault = |message: String, hint: String| {
            Err(Box::new(Diagnostic::error(Code(8009), None, message).hint(hint)))
        };
        let kept = match std::fs::read(path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => None,
            Err(e) => {
                let reason = super::words(&e);
                return fault(format!("expected to read `{shown}`: {reason}"), "--checkpoint FILE".into());
            }
            Ok(bytes) => {
                let state = unwrap(&bytes).and_then(|state| {
                    let end = state.iter().position(|b| *b == b'\n')?;
                    Some((std::str::from_utf8(&state[..end]).ok()?.to_string(), state[end + 1..].to_vec()))
                });
                if state.is_none() {
                    return fault(
                        format!("expected a whole checkpoint, found another file, `{shown}`"),
                        format!("rm {shown}   (the search then begins anew)"),
                    );
                }
                state
            }
        };
        Ok(Single { path: path.into(), events, kept, told: Mutex::new(false) })
    }

    /// Whether the file is that of another search.
    fn foreign(&self, key: &str) -> bool {
        self.kept.as_ref().is_some_and(|(own, _)| own != key)
    }
}

impl Checkpoints for Single {
    fn load(&self, key: &str) -> Option<Vec<u8>> {
        if self.foreign(key) {
            let shown = self.path.display();
            let message = format!(
                "the checkpoint `{shown}` is of a search of other data or options; it is left as it is, and nothing is kept"
            );
            self.events.send(Event::Diagnostic(Diagnostic::warning(Code(8009), None, message)));
            return None;
        }
        self.kept.as_ref().map(|(_, state)| state.clone())
    }

    fn save(&self, key: &str, state: &[u8]) {
        if !self.foreign(key) {
            let whole = [key.as_bytes(), b"\n", state].concat();
            write(&self.path, &whole, &self.events, &self.told);
        }
    }

    fn turn(&self, _: &str) -> u64 {
        0
    }

    fn refuse(&self, key: &str, reason: &str) {
        refused(&self.events, key, reason);
    }
}

fn refused(events: &EventSink, key: &str, reason: &str) {
    let message = format!("the checkpoint `{key}` cannot be used and its work is done again: {reason}");
    events.send(Event::Diagnostic(Diagnostic::warning(Code(8009), None, message)));
}

/// The state in the bytes of a file, where they are whole.
fn unwrap(bytes: &[u8]) -> Option<&[u8]> {
    let end = bytes.iter().position(|b| *b == b'\n')?;
    let line = std::str::from_utf8(&bytes[..end]).ok()?.strip_prefix(MARK)?;
    let state = &bytes[end + 1..];
    let mut words = line.split_whitespace();
    let length: usize = words.next()?.parse().ok()?;
    (state.len() == length && words.next()? == sha256(state)).then_some(state)
}

/// Looks at every checkpoint of a folder before work begins.
///
/// # Errors
/// One of them is not whole.
pub fn verify(folder: &Path) -> Result<(), Box<Diagnostic>> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(()) };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|e| e.path()).collect();
    paths.sort();
    for path in paths.iter().filter(|p| p.extension().is_some_and(|e| e == "state")) {
        let whole = std::fs::read(path).is_ok_and(|bytes| unwrap(&bytes).is_some());
        if !whole {
            let shown = path.display();
            let message =
                format!("expected a whole checkpoint, found `{shown}`, which is cut short or changed");
            let d = Diagnostic::error(Code(8009), None, message);
            return Err(Box::new(d.hint(format!("rm {shown}   (its work is then done again)"))));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_come_back_whole_or_not_at_all() {
        assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        let folder = tempfile::tempdir().unwrap();
        let store = |resume| Store::new(folder.path(), resume, EventSink::none());
        store(false).save("a-0", b"state\n");
        assert_eq!(store(false).load("a-0"), None);
        assert_eq!(store(true).load("a-0").as_deref(), Some(&b"state\n"[..]));
        assert_eq!(store(true).load("b-0"), None);
        assert!(verify(folder.path()).is_ok());
        std::fs::write(folder.path().join("abc"), "abc").unwrap();
        assert_eq!(sha256_of(&folder.path().join("abc")), Some((sha256(b"abc"), 3)));
        let path = folder.path().join("a-0.state");
        let whole = std::fs::read(&path).unwrap();
        for end in 0..whole.len() {
            std::fs::write(&path, &whole[..end]).unwrap();
            assert!(verify(folder.path()).is_err() && store(true).load("a-0").is_none());
        }
        let again = store(true);
        assert_eq!((again.turn("a"), again.turn("a"), again.turn("b")), (0, 1, 0));
    }
}
