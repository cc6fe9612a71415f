//! How it is trained: figures of merit, optimizer, schedule, length and bounds.

use super::*;

/// Epochs of a training where nothing is said.
const EPOCHS: u64 = 20;
/// Steps of one by a method that searches along a line or among dampings.
const STEPS: u64 = 200;
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
        let metric = metric(name).map_err(|e| lift(&e, at))?;
        if metric.two && !is_of_two(gives) {
            let message = format!("expected two classes for `{name}`, found another target");
            return Err(fault_hint(6006, at, message, "metrics: [balanced_accuracy]"));
        }
        found.push(metric);
    }
    Ok(found)
}

/// The plan of the training of these rows.
pub(super) fn plan(context: &Context, args: &Args, seed: u64, rows: &Rows, model: &Model) -> Result<Plan> {
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
        (Some(n), None) => Length::Epochs(n),
        _ if args.get("work").is_some() || args.get("time").is_some() => Length::Bounded,
        _ if optimiser.kind().needs == Needs::Gradient => Length::Epochs(EPOCHS),
        _ => Length::Steps(STEPS),
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
    tell_changing(context, args, &plan, rows, model);
    Ok(plan)
}

/// Tells of a method that learns from step to step of one function, where each step sees another: by its batch, or by what
/// dropout leaves out.
fn tell_changing(context: &Context, args: &Args, plan: &Plan, rows: &Rows, model: &Model) {
    let name = plan.optimiser.kind().name;
    if !matches!(name, "lbfgs" | "levenberg_marquardt") {
        return;
    }
    let parts = rows.made.is_some() || plan.batch.is_some_and(|n| n < rows.train.len());
    let (option, why, hint) = match (parts, model.network.drops()) {
        (true, _) => ("batch", "each step sees other rows", "leave `batch` out, or optimizer: adam"),
        (false, true) => ("network", "dropout makes another network of each step", "optimizer: adam"),
        (false, false) => return,
    };
    let message = format!("{name} compares the losses of its steps, and {why}");
    context.notify(Diagnostic::notice(Code(4259), args.span_of(option), message).hint(hint));
}
