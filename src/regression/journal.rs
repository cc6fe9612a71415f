//! What work made of many searches keeps: the answer of each search that ended, what came of other steps worth keeping, and
//! the state of the search under way, all as one state. Taken up again, the work begins anew and is told what it had come
//! to; what it does with that costs little, and it ends with the same bytes as if it had never stopped.
//!
//! A search goes by the hash of its data and options, a step by its name, each with a number that counts equal ones.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value as Json, json};

use super::checkpoint::{self, SCHEMA};
use super::engine::{Keeping, Report, regress, regress_kept};
use super::error::RegressError;
use super::front::Found;
use super::options::Plan;
use super::problem::Problem;
use super::spelling::{Reader, Writer, read, written};
use crate::base::{CancelToken, StopReason};
use crate::units::Catalogue;

/// Takes states: whether this is the last one, and what writes it out.
pub type KeepState<'a> = dyn Fn(bool, &dyn Fn() -> Option<Vec<u8>>) + Sync + 'a;

/// Where work goes on, and where it leaves its states; as [`Keeping`], for any thread.
#[derive(Clone, Copy)]
pub struct Keeper<'a> {
    /// Reads the units of what was kept.
    pub catalogue: &'a Catalogue,
    /// The state to go on from.
    pub from: Option<&'a [u8]>,
    /// Takes states; see [`super::Keep`].
    pub keep: &'a KeepState<'a>,
    /// Is told that `from` is no state of this work, which then begins anew.
    pub refuse: &'a (dyn Fn() + Sync),
}

impl<'a> Keeper<'a> {
    /// The same for a single search.
    pub fn keeping(&self) -> Keeping<'a> {
        Keeping { catalogue: self.catalogue, from: self.from, keep: self.keep, refuse: self.refuse }
    }
}

#[derive(Default)]
struct Pages {
    /// What ended, by key.
    ended: Map<String, Json>,
    /// The search under way and its state.
    under: Option<(String, String)>,
    /// Equal pieces so far.
    turns: HashMap<String, u64>,
    /// Something could not be written: what follows from it is not kept either.
    closed: bool,
}

/// The journal of one piece of work.
pub struct Journal<'a> {
    keeper: Option<Keeper<'a>>,
    /// The hash of all that decides what the work comes to.
    work: u64,
    pages: Mutex<Pages>,
}

impl<'a> Journal<'a> {
    /// One that keeps nothing.
    pub fn none() -> Journal<'a> {
        Journal { keeper: None, work: 0, pages: Mutex::default() }
    }

    /// That of work with this hash, as far as it was kept.
    pub fn new(keeper: Keeper<'a>, work: u64) -> Journal<'a> {
        let mut pages = Pages::default();
        if let Some(bytes) = keeper.from {
            match opened(bytes, work) {
                Some((ended, under)) => (pages.ended, pages.under) = (ended, under),
                None => (keeper.refuse)(),
            }
        }
        Journal { keeper: Some(keeper), work, pages: Mutex::new(pages) }
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn key(&self, name: String) -> String {
        let mut pages = self.pages();
        let turn = pages.turns.entry(name.clone()).or_default();
        *turn += 1;
        format!("{name}-{}", *turn - 1)
    }

    /// All of it, with the state of the search under way.
    fn bytes(&self, under: Option<(&str, &str)>) -> Option<Vec<u8>> {
        let pages = self.pages();
        let value = json!({
            "schema": SCHEMA,
            "finished": false,
            "work": format!("{:016x}", self.work),
            "ended": pages.ended,
            "under": under.map(|(key, state)| json!([key, state])),
        });
        Some(value.to_string().into_bytes())
    }

    fn enter(&self, keeper: &Keeper<'_>, key: &str, entry: Option<Json>) {
        let mut pages = self.pages();
        pages.under = None;
        match entry {
            Some(entry) if !pages.closed => pages.ended.insert(key.into(), entry),
            _ => {
                pages.closed = true;
                return;
            }
        };
        drop(pages);
        (keeper.keep)(false, &|| self.bytes(None));
    }

    /// The search of [`regress`], or what it came to before.
    ///
    /// # Errors
    /// Those of [`regress`].
    pub fn regress(
        &self,
        problem: &Problem,
        plan: &Plan,
        cancel: &CancelToken,
        progress: &dyn Fn(&Report<'_>),
    ) -> Result<Found, RegressError> {
        // A search that is cut before it begins leaves the state of the one that was cut on its way.
        let Some(keeper) = self.keeper.as_ref().filter(|_| cancel.stop().is_none()) else {
            return regress(problem, plan, cancel, progress);
        };
        let key = self.key(format!("search-{:016x}", checkpoint::fingerprint(problem, plan)));
        let entry = self.pages().ended.get(&key).cloned();
        let known = entry.and_then(|e| {
            let body = |v: &Json, r: &Reader<'_>| Some((r.found(&v[0])?, checkpoint::from_gains(&v[1])?));
            read(&e, keeper.catalogue, body)
        });
        if let Some((found, gains)) = known {
            progress(&Report { share: 1.0, work: found.work, front: &found.front, gains: &gains });
            return Ok(found);
        }
        let from = self.pages().under.take().filter(|u| u.0 == key).map(|u| u.1.into_bytes());
        let gains = RefCell::new(Vec::new());
        let told = |r: &Report<'_>| {
            if r.gains.len() > gains.borrow().len() {
                *gains.borrow_mut() = r.gains.to_vec();
            }
            progress(r);
        };
        let keep = |last: bool, state: &dyn Fn() -> Option<Vec<u8>>| {
            let closed = self.pages().closed;
            (keeper.keep)(last, &|| {
                let state = state().filter(|_| !closed).and_then(|s| String::from_utf8(s).ok());
                self.bytes(state.as_deref().map(|s| (key.as_str(), s)))
            });
        };
        let keeping = Keeping {
            catalogue: keeper.catalogue,
            from: from.as_deref(),
            keep: &keep,
            refuse: keeper.refuse,
        };
        let found = regress_kept(problem, plan, cancel, &told, Some(&keeping))?;
        if found.stopped != StopReason::Cancelled {
            let entry =
                written(keeper.catalogue, |w| json!([w.found(&found), checkpoint::gains(&gains.borrow())]));
            self.enter(keeper, &key, entry);
        }
        Ok(found)
    }

    /// What a step that is worth keeping comes to, or came to before. It is kept where nothing cut it short.
    pub fn step<T>(
        &self,
        name: &str,
        cancel: &CancelToken,
        step: impl FnOnce() -> T,
        write: impl FnOnce(&T, &mut Writer<'_>) -> Json,
        body: impl FnOnce(&Json, &Reader<'_>) -> Option<T>,
    ) -> T {
        let Some(keeper) = &self.keeper else { return step() };
        let key = self.key(name.into());
        let entry = self.pages().ended.get(&key).cloned();
        if let Some(known) = entry.and_then(|e| read(&e, keeper.catalogue, body)) {
            return known;
        }
        let made = step();
        if cancel.stop().is_none() {
            self.enter(keeper, &key, written(keeper.catalogue, |w| write(&made, w)));
        }
        made
    }
}

/// The entries of a journal, and the name and state of the search under way.
type Opened = (Map<String, Json>, Option<(String, String)>);

/// The pages that bytes hold; `None` where they are none of this work.
fn opened(bytes: &[u8], work: u64) -> Option<Opened> {
    let mut value: Json = serde_json::from_slice(bytes).ok()?;
    let own = format!("{work:016x}");
    if value["schema"].as_u64() != Some(SCHEMA) || value["finished"] != false || value["work"] != own.as_str()
    {
        return None;
    }
    let under = match &value["under"] {
        Json::Null => None,
        u => Some((u[0].as_str()?.to_string(), u[1].as_str()?.to_string())),
    };
    match value["ended"].take() {
        Json::Object(ended) => Some((ended, under)),
        _ => None,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::regression::Method;
    use crate::regression::tests::{NONE, plan, sample};

    fn catalogue() -> Catalogue {
        Catalogue::load(&[("test", "unit metre, m\nunit second, s\n")]).unwrap()
    }

    /// What work comes to that is cut at every `every`-th state, taken up again each time; how many times it was cut, and the
    /// states in which it was. `run` says `None` where it was cut.
    pub(crate) fn in_pieces<T>(
        every: usize,
        run: impl Fn(&Journal<'_>, &CancelToken) -> Option<T>,
    ) -> (T, Vec<Vec<u8>>) {
        let catalogue = catalogue();
        let mut states: Vec<Vec<u8>> = Vec::new();
        for _ in 0..300 {
            let (cancel, last, count) = (CancelToken::new(), Mutex::new(None), AtomicUsize::new(0));
            let keep = |_: bool, state: &dyn Fn() -> Option<Vec<u8>>| {
                *last.lock().unwrap() = Some(state().unwrap());
                if count.fetch_add(1, Ordering::Relaxed) + 1 == every {
                    cancel.cancel();
                }
            };
            let from = states.last().map(Vec::as_slice);
            let refuse = || panic!("refused");
            let keeper = Keeper { catalogue: &catalogue, from, keep: &keep, refuse: &refuse };
            if let Some(done) = run(&Journal::new(keeper, 7), &cancel) {
                return (done, states);
            }
            states.extend(last.into_inner().unwrap());
        }
        panic!("it does not end");
    }

    #[test]
    fn a_state_of_other_work_or_cut_short_is_refused() {
        let features = [("x", NONE, 1.0, 4.0), ("z", NONE, 1.0, 4.0)];
        let law = |x: &[f64]| 2.3 * x[0] / (1.0 + 0.7 * x[1]) + x[0].sin();
        let problem = sample(&features, NONE, law, 40, 0.01, 3);
        let plan = Plan { method: Method::Auto, work: Some(4_000_000), ..plan() };
        let search = |journal: &Journal<'_>, cancel: &CancelToken| {
            let found = journal.regress(&problem, &plan, cancel, &|_| {}).unwrap();
            (found.stopped != StopReason::Cancelled).then_some(found.work)
        };
        let whole = search(&Journal::none(), &CancelToken::new()).unwrap();
        let (work, states) = in_pieces(1, search);
        assert_eq!(work, whole);
        assert!(!states.is_empty());
        let (catalogue, refused) = (catalogue(), AtomicUsize::new(0));
        let refuse = || {
            refused.fetch_add(1, Ordering::Relaxed);
        };
        let state = &states[0];
        let own = String::from_utf8(state.clone()).unwrap();
        let inner = own.replace(&format!("{:016x}", checkpoint::fingerprint(&problem, &plan)), "0");
        // The last is a journal of this work whose search under way is another: what is in it is not used.
        let cases: [(&[u8], u64, usize); 5] = [
            (state, 7, 0),
            (state, 8, 1),
            (&state[..state.len() / 2], 7, 1),
            (b"{\"schema\":3,\"finished\":false}", 7, 1),
            (inner.as_bytes(), 7, 0),
        ];
        for (bytes, hash, times) in cases {
            refused.store(0, Ordering::Relaxed);
            let keeper =
                Keeper { catalogue: &catalogue, from: Some(bytes), keep: &|_, _| {}, refuse: &refuse };
            let work = search(&Journal::new(keeper, hash), &CancelToken::new());
            assert_eq!((work, refused.load(Ordering::Relaxed)), (Some(whole), times));
        }
    }
}
