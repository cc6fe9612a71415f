//! How it is trained: figures of merit, optimizer, schedule, length and bounds.

use super::*;

/// Epochs of a training where nothing is said.
const EPOCHS: u64 = 20;
/// Rows of a batch where nothing is said, for methods that step along gradients.
const BATCH: usize = 32;

/// What a model is judged by, beside its loss.
pub(super) fn metrics(args: &Args, gives: &Gives, loss: &Loss) -> Result<Vec<&'static Metric>> {
    let at = args.span_of("metrics");
    if args.get("metrics").is_none() {
        let names: &[&str] = match gives {
            Gives::Nothing => &[],
            _ if is_of_classes(gives, loss) => &["accuracy"],
            _ => &["rmse", "r2"],
        };
        return Ok(METRICS.iter().filter(|m| names.contains(&m.name)).collect());
    }
    let mut found = Vec::new();
    for v in args.list("metrics")?.iter() {
        let Value::Text(name) = v.plain() else { return Err(args.wrong("metrics", "names of metrics", v)) };
        found.push(metric(name).map_err(|e| lift(&e, at))?);
    }
    Ok(found)
}

/// The plan of the training of these rows.
pub(super) fn plan(args: &Args, seed: u64, rows: &Rows) -> Result<Plan> {
    let optimiser: Optimiser = match networks::part_of(args.value("optimizer")?, args.span_of("optimizer"))? {
        Part::Optimiser(o) => o,
        other => {
            let message = format!("`optimizer` expects an optimizer, found a {}", other.kind_name());
            return Err(fault_hint(6006, args.span_of("optimizer"), message, "optimizer: adam"));
        }
    };
    let schedule: Schedule = match networks::part_of(args.value("schedule")?, args.span_of("schedule"))? {
        Part::Schedule(s) => s,
        other => {
            let message = format!("`schedule` expects a schedule, found an {}", other.kind_name());
            return Err(fault_hint(6006, args.span_of("schedule"), message, "schedule: cosine"));
        }
    };
    let (epochs, steps) = (count(args, "epochs")?, count(args, "steps")?);
    let length = match (epochs, steps) {
        (Some(_), Some(_)) => {
            let message = "expected `epochs` or `steps`, found both";
            return Err(fault_hint(6006, args.span_of("steps"), message, "leave one out"));
        }
        (_, Some(n)) => Length::Steps(n),
        (n, None) => Length::Epochs(n.unwrap_or(EPOCHS)),
    };
    let by_gradient = optimiser.kind().needs == Needs::Gradient;
    let mut plan = Plan::new(optimiser, length);
    plan.schedule = schedule;
    plan.batch = match count(args, "batch")? {
        Some(n) => Some(n as usize),
        // The batch that nobody asked for is no larger than the data.
        None if rows.made.is_none() => by_gradient.then_some(BATCH.min(rows.train.len())),
        None => by_gradient.then_some(BATCH),
    };
    plan.patience = count(args, "patience")?;
    plan.goal = number(args, "goal")?;
    plan.clip = number(args, "clip")?;
    plan.average = match (number(args, "average")?, count(args, "average_from")?) {
        (Some(decay), None) => Average::Exponential { decay },
        (None, Some(from)) => Average::Stochastic { from },
        (None, None) => Average::None,
        (Some(_), Some(_)) => {
            let message = "expected `average` or `average_from`, found both";
            return Err(fault_hint(6006, args.span_of("average_from"), message, "leave one out"));
        }
    };
    plan.seed = seed;
    plan.work = count(args, "work")?;
    plan.time = number(args, "time")?;
    Ok(plan)
}
