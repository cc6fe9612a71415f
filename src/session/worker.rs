//! A thread with a large stack: the evaluator recurses with the depth of expressions and calls. The pages are taken
//! from the system only when they are touched.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// Stack sizes in bytes, tried in order: a limit on address space may forbid the first.
const STACKS: [usize; 3] = [512 << 20, 64 << 20, 8 << 20];

/// Work on its own thread.
pub struct Work<T>(Receiver<Result<T, String>>);

impl<T> Work<T> {
    /// What came of it, waiting so long at most; `None` where it goes on.
    pub fn wait(&self, most: Duration) -> Option<Result<T, String>> {
        match self.0.recv_timeout(most) {
            Ok(done) => Some(done),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Err("the thread is gone".into())),
        }
    }
}

/// Starts `work` on a thread with a large stack. Nobody need wait for it: work that is dropped goes on unheard.
///
/// # Errors
/// The system's reason where no thread can be started.
pub fn start<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<Work<T>, String> {
    // The closure moves into the thread that starts, so it waits in a cell that a failed start does not consume.
    let cell = std::sync::Arc::new(std::sync::Mutex::new(Some(work)));
    let mut reason = String::new();
    for size in STACKS {
        let cell = cell.clone();
        let (done, answer) = mpsc::channel();
        let started = thread::Builder::new().name("phys".into()).stack_size(size).spawn(move || {
            let Some(work) = cell.lock().ok().and_then(|mut cell| cell.take()) else { return };
            let result = catch_unwind(AssertUnwindSafe(work)).map_err(|payload| {
                let words = payload.downcast_ref::<&str>().map(|s| s.to_string());
                let words = words.or_else(|| payload.downcast_ref::<String>().cloned());
                words.unwrap_or_else(|| "no message".into())
            });
            // Where nobody waits any more there is nobody to tell.
            let _ = done.send(result);
        });
        match started {
            Ok(_) => return Ok(Work(answer)),
            Err(e) => reason = e.to_string(),
        }
    }
    Err(format!("no thread can be started: {reason}"))
}

/// Does `work` on a thread with a large stack and waits for it.
///
/// # Errors
/// What the work panicked with, or the system's reason where no thread can be started.
pub fn on_worker<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, String> {
    match start(work)?.0.recv() {
        Ok(done) => done,
        Err(_) => Err("the thread is gone".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::on_worker;

    #[test]
    fn the_answer_or_the_panic_comes_back() {
        assert_eq!(on_worker(|| 2 + 2), Ok(4));
        assert_eq!(on_worker(|| -> i32 { std::panic::panic_any("oh") }), Err("oh".into()));
    }

    #[test]
    fn the_stack_is_deep() {
        #[inline(never)]
        fn depth(n: u64) -> u64 {
            let page = std::hint::black_box([n; 64]);
            if n == 0 { 0 } else { depth(n - 1) + page[0] / page[63] }
        }
        assert_eq!(on_worker(|| depth(50_000)), Ok(50_000));
    }
}
