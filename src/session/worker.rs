//! A thread with a large stack: the evaluator recurses with the depth of expressions and calls. The pages are taken
//! from the system only when they are touched.

use std::thread;

/// Stack sizes in bytes, tried in order: a limit on address space may forbid the first.
const STACKS: [usize; 3] = [512 << 20, 64 << 20, 8 << 20];

/// Does `work` on a thread with a large stack and waits for it.
///
/// # Errors
/// What the work panicked with, or the system's reason where no thread can be started.
pub fn on_worker<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, String> {
    // The closure moves into the thread that starts, so it waits in a cell that a failed start does not consume.
    let cell = std::sync::Arc::new(std::sync::Mutex::new(Some(work)));
    let mut reason = String::new();
    for size in STACKS {
        let cell = cell.clone();
        let started = thread::Builder::new().name("phys".into()).stack_size(size).spawn(move || {
            let work = cell.lock().ok().and_then(|mut cell| cell.take());
            work.map(|work| work())
        });
        match started.map(thread::JoinHandle::join) {
            Ok(Ok(Some(value))) => return Ok(value),
            Ok(Ok(None)) => return Err("the work was taken twice".into()),
            Ok(Err(payload)) => {
                let words = payload.downcast_ref::<&str>().map(|s| s.to_string());
                let words = words.or_else(|| payload.downcast_ref::<String>().cloned());
                return Err(words.unwrap_or_else(|| "no message".into()));
            }
            Err(e) => reason = e.to_string(),
        }
    }
    Err(format!("no thread can be started: {reason}"))
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
