//! How the learning rate changes while a training goes on: a factor of the base rate for each step. All but `plateau` are
//! closed forms of the position, so a resumed training needs no state of them. With k the step from 0, K the number of
//! steps, w those of the warm-up, e the epoch from 0 and t = (k - w) / (K - w):
//!
//! ```text
//! warm-up            (k + 1) / w  for k < w, before any of the others
//! constant_rate      1
//! cosine             floor + (1 - floor) (1 + cos(pi t)) / 2                   Loshchilov & Hutter 2017
//! step_decay         factor^floor(e / every)
//! exponential_decay  factor^e
//! one_cycle          cosine from start to 1 over the share `peak`, then to end   Smith & Topin 2018
//! plateau            factor^r, r the times that the loss had not fallen for `patience` epochs
//! ```

use std::f64::consts::PI;
use std::fmt;

use crate::base::suggest;
use crate::networks::bytes::{Reader, Writer};
use crate::networks::error::NetworkError;
use crate::networks::settings::{Range, Setting, Settings};

/// Where a training is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clock {
    /// Steps done before this one.
    pub step: u64,
    /// Steps in all.
    pub steps: u64,
    /// Epochs done before this one.
    pub epoch: u64,
}

/// A row of the table of schedules.
#[derive(Debug)]
pub struct ScheduleKind {
    /// Its name.
    pub name: &'static str,
    /// One line.
    pub docs: &'static str,
    /// What it is set by.
    pub settings: &'static [Setting],
    /// The factor after the warm-up; `t` runs from 0 to below 1.
    factor: fn(&Settings, t: f64, epoch: u64, fallen: u64) -> f64,
}

const WARMUP: Setting = Setting {
    name: "warmup",
    default: 0.0,
    range: Range::NotNegative,
    docs: "steps in which the rate rises linearly from near 0",
};
const FLOOR: Setting =
    Setting { name: "floor", default: 0.0, range: Range::Share, docs: "the least factor of the rate" };

/// Every schedule.
pub const SCHEDULES: &[ScheduleKind] = &[
    ScheduleKind {
        name: "constant_rate",
        docs: "the same rate throughout",
        settings: &[WARMUP],
        factor: |_, _, _, _| 1.0,
    },
    ScheduleKind {
        name: "cosine",
        docs: "half a cosine from the rate down to `floor` times it at the last step",
        settings: &[WARMUP, FLOOR],
        factor: |s, t, _, _| s.get("floor") + (1.0 - s.get("floor")) * (1.0 + (PI * t).cos()) / 2.0,
    },
    ScheduleKind {
        name: "step_decay",
        docs: "times `factor` after every `every` epochs",
        settings: &[
            WARMUP,
            Setting { name: "every", default: 30.0, range: Range::Count, docs: "epochs between two falls" },
            Setting {
                name: "factor",
                default: 0.1,
                range: Range::Factor,
                docs: "what each fall multiplies by",
            },
        ],
        factor: |s, _, epoch, _| s.get("factor").powf((epoch as f64 / s.get("every")).floor()),
    },
    ScheduleKind {
        name: "exponential_decay",
        docs: "times `factor` after every epoch",
        settings: &[
            WARMUP,
            Setting {
                name: "factor",
                default: 0.95,
                range: Range::Factor,
                docs: "what an epoch multiplies by",
            },
        ],
        factor: |s, _, epoch, _| s.get("factor").powf(epoch as f64),
    },
    ScheduleKind {
        name: "one_cycle",
        docs: "up from `start` to 1 over the share `peak` of the steps, then down to `end`, by half cosines",
        settings: &[
            WARMUP,
            Setting {
                name: "peak",
                default: 0.3,
                range: Range::Inside,
                docs: "share of the steps that rise",
            },
            Setting {
                name: "start",
                default: 0.04,
                range: Range::Factor,
                docs: "the factor at the first step",
            },
            Setting {
                name: "end",
                default: 4e-6,
                range: Range::Share,
                docs: "the factor after the last step",
            },
        ],
        factor: |s, t, _, _| {
            let peak = s.get("peak");
            let half = |from: f64, to: f64, t: f64| to + (from - to) * (1.0 + (PI * t).cos()) / 2.0;
            if t < peak {
                half(s.get("start"), 1.0, t / peak)
            } else {
                half(1.0, s.get("end"), (t - peak) / (1.0 - peak))
            }
        },
    },
    ScheduleKind {
        name: "plateau",
        docs: "times `factor` each time the loss has not fallen for `patience` epochs",
        settings: &[
            WARMUP,
            Setting {
                name: "factor",
                default: 0.1,
                range: Range::Factor,
                docs: "what each fall multiplies by",
            },
            Setting { name: "patience", default: 10.0, range: Range::Count, docs: "epochs without a gain" },
            Setting {
                name: "tolerance",
                default: 1e-4,
                range: Range::Share,
                docs: "share by which the loss must fall to count as a gain",
            },
            Setting { default: 1e-6, ..FLOOR },
        ],
        factor: |s, _, _, fallen| s.get("factor").powf(fallen as f64).max(s.get("floor")),
    },
];

/// A schedule with its settings.
#[derive(Clone, Debug)]
pub struct Schedule {
    kind: &'static ScheduleKind,
    settings: Settings,
}

impl PartialEq for Schedule {
    fn eq(&self, other: &Schedule) -> bool {
        self.kind.name == other.kind.name && self.settings == other.settings
    }
}

impl Default for Schedule {
    /// `constant_rate`.
    fn default() -> Schedule {
        let kind = &SCHEDULES[0];
        Schedule { kind, settings: Settings::defaults(kind.settings) }
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.kind.name, self.settings)
    }
}

impl Schedule {
    /// The schedule of a name: `Schedule::new("cosine", &[("warmup", 100.0)])`.
    ///
    /// # Errors
    /// No such schedule, no such setting, or a value out of its range.
    pub fn new(name: &str, given: &[(&str, f64)]) -> Result<Schedule, NetworkError> {
        let names = || SCHEDULES.iter().map(|k| k.name);
        let Some(kind) = SCHEDULES.iter().find(|k| k.name == name) else {
            return Err(NetworkError::UnknownName {
                what: "a schedule",
                name: name.into(),
                names: names().collect::<Vec<_>>().join(", "),
                nearest: suggest::nearest(name, names()).map(str::to_string),
            });
        };
        Ok(Schedule { kind, settings: Settings::new(name, kind.settings, given)? })
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.kind.name
    }

    /// Whether its factors depend on how long the training is.
    pub fn needs_length(&self) -> bool {
        matches!(self.kind.name, "cosine" | "one_cycle")
    }

    /// The factor of the base rate at a step. `plateau` is the state of a schedule that watches the loss.
    pub fn factor(&self, clock: Clock, plateau: &Plateau) -> f64 {
        let (k, warmup) = (clock.step as f64, self.settings.get("warmup"));
        if k < warmup {
            return (k + 1.0) / warmup.max(1.0);
        }
        let rest = (clock.steps as f64 - warmup).max(1.0);
        (self.kind.factor)(&self.settings, ((k - warmup) / rest).min(1.0), clock.epoch, plateau.fallen)
    }

    /// Tells the state of the loss of an epoch.
    pub fn observe(&self, plateau: &mut Plateau, loss: f64) {
        if self.kind.name != "plateau" {
            return;
        }
        let gain = plateau.best.is_none_or(|best| loss < best - self.settings.get("tolerance") * best.abs());
        if gain {
            (plateau.best, plateau.waited) = (Some(loss), 0);
        } else {
            plateau.waited += 1;
            if plateau.waited > self.settings.count("patience") as u64 {
                plateau.fallen += 1;
                plateau.waited = 0;
            }
        }
    }
}

/// What `plateau` remembers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Plateau {
    best: Option<f64>,
    waited: u64,
    fallen: u64,
}

impl Plateau {
    /// Writes it.
    pub(crate) fn save(&self, out: &mut Writer) {
        out.f64(self.best.unwrap_or(f64::NAN));
        out.u64(self.waited);
        out.u64(self.fallen);
    }

    /// Reads it.
    pub(crate) fn load(from: &mut Reader<'_>) -> Option<Plateau> {
        let best = from.f64()?;
        Some(Plateau { best: (!best.is_nan()).then_some(best), waited: from.u64()?, fallen: from.u64()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(schedule: &Schedule, step: u64, epoch: u64) -> f64 {
        schedule.factor(Clock { step, steps: 100, epoch }, &Plateau::default())
    }

    fn make(name: &str, given: &[(&str, f64)]) -> Schedule {
        Schedule::new(name, given).unwrap()
    }

    #[test]
    fn schedules_are_their_closed_forms() {
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-14, "{a} {b}");
        close(at(&make("constant_rate", &[]), 77, 3), 1.0);
        let warm = make("constant_rate", &[("warmup", 10.0)]);
        (0..10).for_each(|k| close(at(&warm, k, 0), (k as f64 + 1.0) / 10.0));
        close(at(&warm, 10, 0), 1.0);
        let cosine = make("cosine", &[("floor", 0.1)]);
        for (k, value) in [(0, 1.0), (50, 0.55), (25, 0.1 + 0.45 * (1.0 + 0.5f64.sqrt())), (100, 0.1)] {
            close(at(&cosine, k, 0), value);
        }
        // After a warm-up the cosine begins anew at 1.
        close(at(&make("cosine", &[("warmup", 20.0)]), 20, 0), 1.0);
        close(at(&make("cosine", &[("warmup", 20.0)]), 60, 0), 0.5);
        let step = make("step_decay", &[("every", 3.0), ("factor", 0.5)]);
        let falls: Vec<f64> = (0..7).map(|e| at(&step, 0, e)).collect();
        assert_eq!(falls, [1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.25]);
        close(at(&make("exponential_decay", &[("factor", 0.9)]), 0, 5), 0.9f64.powi(5));
        let cycle = make("one_cycle", &[("peak", 0.4), ("start", 0.1), ("end", 0.01)]);
        for (k, value) in [(0, 0.1), (20, 0.55), (40, 1.0), (70, 0.505), (100, 0.01)] {
            close(at(&cycle, k, 0), value);
        }
    }

    #[test]
    fn a_plateau_falls_after_its_patience() {
        let schedule = make("plateau", &[("patience", 2.0), ("factor", 0.5), ("floor", 0.3)]);
        let mut state = Plateau::default();
        let clock = Clock { step: 0, steps: 1, epoch: 0 };
        let seen: Vec<f64> = [1.0, 0.9, 0.9, 0.9, 0.9, 0.8, 0.8, 0.8, 0.8]
            .into_iter()
            .map(|loss| {
                schedule.observe(&mut state, loss);
                schedule.factor(clock, &state)
            })
            .collect();
        assert_eq!(seen, [1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.5, 0.3]);
        let mut out = Writer::default();
        state.save(&mut out);
        assert_eq!(Plateau::load(&mut Reader::new(&out.done())), Some(state));
    }

    #[test]
    fn a_misspelt_schedule_is_named() {
        let e = Schedule::new("cosin", &[]).unwrap_err();
        assert_eq!(
            e.to_string(),
            "expected a schedule (constant_rate, cosine, step_decay, exponential_decay, one_cycle, plateau), found `cosin`"
        );
        let e = Schedule::new("step_decay", &[("every", 0.5)]).unwrap_err();
        assert_eq!(e.to_string(), "expected a whole number >= 1 for step_decay(every), found 0.5");
        let e = Schedule::new("step_decay", &[("evry", 2.0)]).unwrap_err();
        assert_eq!(e.to_string(), "expected a setting of step_decay (warmup, every, factor), found `evry`");
    }
}
