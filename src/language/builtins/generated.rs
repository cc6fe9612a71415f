//! Rows that a function makes: `f(k)` is the record of row k. A dataset takes the first of them; a training takes as many
//! new ones for every epoch, batch by batch, so that nothing is kept and nothing is seen twice. The function knows the
//! number of the row alone, from which it seeds what it draws: rows are the same in whatever order they are made, and
//! a training that resumes goes on with those that would have come.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::tables::rows_of;
use crate::base::{CancelToken, Span, hash};
use crate::data::Dataset;
use crate::language::context::Context;
use crate::language::error::Result;
use crate::language::render;
use crate::language::value::Function;
use crate::networks::NetworkError;
use crate::networks::data::{Arrays, Order, Place, Source};
use crate::networks::objective::Batch;

/// Rows from which the columns, their units, classes and means are known, where a function makes them.
const HEAD: usize = 1_000;

/// The first rows, which stand for all where columns are asked for.
pub fn head(context: &mut Context, f: &Function, epoch: usize, at: Span) -> Result<Dataset> {
    rows_of(context, f, 0..epoch.min(HEAD) as u64, at)
}

/// How rows become the inputs and the target of a network.
type Take = dyn Fn(&Dataset) -> Result<Arrays> + Send + Sync;

/// A function that makes the rows of a training.
pub struct Generated {
    context: Mutex<Context>,
    function: Function,
    /// Rows of an epoch.
    epoch: usize,
    at: Span,
    fingerprint: u64,
    inputs: Vec<Vec<usize>>,
    target: Option<Vec<usize>>,
    /// How many classes the network tells apart; 0 where none.
    classes: AtomicUsize,
    take: Box<Take>,
}

impl Generated {
    /// Of `epoch` rows an epoch; `first` are some of them as the network takes them.
    pub fn new(
        context: &Context,
        function: &Function,
        epoch: usize,
        at: Span,
        first: &Arrays,
        take: Box<Take>,
    ) -> Generated {
        let mut fingerprint = hash::combine(first.fingerprint(), epoch as u64);
        if let Function::User(user) = function {
            let body = user.tree.span(user.body);
            let source =
                context.sources.get(&body.source).map(|s| &s.text[body.start as usize..body.end as usize]);
            fingerprint = hash::combine(fingerprint, hash::of_str(source.unwrap_or_default()));
            for (name, value) in &user.captured {
                let words = format!("{name} {}", render::line(value, &context.style));
                fingerprint = hash::combine(fingerprint, hash::of_str(&words));
            }
        }
        Generated {
            // A training stops between two steps, not within a batch.
            context: Mutex::new(Context { cancel: CancelToken::new(), ..context.clone() }),
            function: function.clone(),
            epoch,
            at,
            fingerprint,
            inputs: first.inputs(),
            target: first.target(),
            classes: AtomicUsize::new(0),
            take,
        }
    }

    fn rows_at(&self, place: Place, order: &Order) -> std::ops::Range<u64> {
        let (epoch, size) = (self.epoch as u64, order.size.unwrap_or(self.epoch) as u64);
        let first = place.index.saturating_mul(size).min(epoch);
        let start = place.epoch.saturating_mul(epoch);
        start + first..start + (first + size).min(epoch)
    }
}

impl Source for Generated {
    fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    fn rows(&self) -> Option<usize> {
        None
    }

    fn batches(&self, size: Option<usize>) -> u64 {
        self.epoch.div_ceil(size.unwrap_or(self.epoch).max(1)) as u64
    }

    fn inputs(&self) -> Vec<Vec<usize>> {
        self.inputs.clone()
    }

    fn target(&self) -> Option<Vec<usize>> {
        self.target.clone()
    }

    fn check(&self) -> std::result::Result<(), NetworkError> {
        Ok(())
    }

    /// Rows are checked as they are made: nobody knows which classes will come.
    fn check_classes(&self, classes: usize, _: &'static str) -> std::result::Result<(), NetworkError> {
        self.classes.store(classes, Ordering::Relaxed);
        Ok(())
    }

    fn batch(&self, place: Place, order: &Order) -> std::result::Result<Batch, NetworkError> {
        let numbers = self.rows_at(place, order);
        let fault = |message: String| NetworkError::Generator {
            name: "rows of a function".into(),
            batch: place.index,
            message,
        };
        let mut context = self.context.lock().unwrap_or_else(PoisonError::into_inner);
        let made = rows_of(&mut context, &self.function, numbers, self.at).and_then(|d| (self.take)(&d));
        let arrays = made.map_err(|e| fault(e.message.clone()))?;
        arrays.check()?;
        if arrays.inputs() != self.inputs || arrays.target() != self.target {
            return Err(fault(format!("expected arrays {:?}, found {:?}", self.inputs, arrays.inputs())));
        }
        match self.classes.load(Ordering::Relaxed) {
            0 => {}
            classes => arrays.check_classes(classes, "batch").map_err(|e| fault(e.to_string()))?,
        }
        arrays.plain(0, &Order { size: None, ..*order })
    }

    fn plain(&self, index: u64, order: &Order) -> std::result::Result<Batch, NetworkError> {
        self.batch(Place { epoch: 0, index }, order)
    }

    fn rows_of(&self, place: Place, order: &Order) -> Vec<usize> {
        self.rows_at(place, order).map(|k| k as usize).collect()
    }

    fn fixed(&self, _: Option<usize>) -> bool {
        false
    }
}
