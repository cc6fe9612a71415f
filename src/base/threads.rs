//! Threads for work that is done in parallel.

/// As many threads as asked for.
#[derive(Debug)]
pub struct Threads(Option<rayon::ThreadPool>);

impl Threads {
    /// So many, all for 0. A caller that is itself in a pool of this size keeps its thread: its processor time is then that of
    /// the work; so does one for whom there are no threads.
    pub fn new(count: usize) -> Threads {
        let inside = rayon::current_thread_index().is_some() && rayon::current_num_threads() == count;
        Threads(match inside {
            true => None,
            false => rayon::ThreadPoolBuilder::new().num_threads(count).build().ok(),
        })
    }

    /// Does work on them.
    pub fn run<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        match &self.0 {
            Some(pool) => pool.install(work),
            None => work(),
        }
    }
}
