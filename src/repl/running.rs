//! Lines that can be stopped. Each runs on its own thread, on a session that moves there and comes back; a copy of before
//! stays here. Ctrl-C asks the line to stop, and it answers with what it has found. A line that does not answer is given
//! up at the second Ctrl-C, or two seconds past its time limit: the copy takes over, and what the lost thread still says
//! is not heard.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::base::CancelToken;
use crate::session::{Session, start};

/// How long past its limit a line is waited for.
const GRACE: Duration = Duration::from_secs(2);

/// How often Ctrl-C is looked for.
const BEAT: Duration = Duration::from_millis(40);

/// Ctrl-C as the prompt hears it.
#[derive(Clone, Default)]
pub struct Interrupt {
    presses: Arc<AtomicUsize>,
    token: Arc<Mutex<CancelToken>>,
}

impl Interrupt {
    /// Listens from now on.
    pub fn install() -> Interrupt {
        let interrupt = Interrupt::default();
        let heard = interrupt.clone();
        // Without a handler Ctrl-C ends the process as it always does.
        let _ = ctrlc::set_handler(move || {
            heard.presses.fetch_add(1, Ordering::SeqCst);
            heard.token.lock().unwrap_or_else(PoisonError::into_inner).cancel();
        });
        interrupt
    }

    /// A new token that Ctrl-C sets from now on.
    pub fn fresh(&self) -> CancelToken {
        let token = CancelToken::new();
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) = token.clone();
        self.presses.store(0, Ordering::SeqCst);
        token
    }
}

/// Whether what a session says is still heard.
pub type Heard = Arc<AtomicBool>;

/// Why there is no answer.
pub enum Lost {
    /// Ctrl-C twice.
    GivenUp,
    /// Its time limit is long over.
    TimedOut,
    /// A panic outside an evaluation, or no thread.
    Broken(String),
}

/// A session with the flag of its listener.
pub struct Voiced {
    /// The session.
    pub session: Session,
    /// Whether it is heard.
    pub heard: Heard,
}

/// Runs `work` on `current`; where it is lost, `copy` takes its place.
pub fn attend<T: Send + 'static>(
    current: &mut Voiced,
    copy: Voiced,
    interrupt: &Interrupt,
    limit: Option<Duration>,
    work: impl FnOnce(&mut Session) -> T + Send + 'static,
) -> Result<T, Lost> {
    let token = interrupt.fresh();
    let begun = Instant::now();
    let heard = current.heard.clone();
    let Voiced { mut session, .. } = std::mem::replace(current, copy);
    session.context.cancel = match limit {
        Some(limit) => token.with_deadline(begun + limit),
        None => token.clone(),
    };
    let answer = start(move || {
        let result = work(&mut session);
        (session, result)
    });
    let answer = answer.map_err(Lost::Broken)?;
    loop {
        match answer.wait(BEAT) {
            Some(Ok((session, result))) => {
                *current = Voiced { session, heard };
                return Ok(result);
            }
            Some(Err(words)) => return Err(Lost::Broken(words)),
            None => {}
        }
        let lost = if interrupt.presses.load(Ordering::SeqCst) >= 2 {
            Lost::GivenUp
        } else if limit.is_some_and(|limit| begun.elapsed() > limit + GRACE) {
            Lost::TimedOut
        } else {
            continue;
        };
        heard.store(false, Ordering::SeqCst);
        token.cancel();
        return Err(lost);
    }
}
