//! The network that is trained: a copy of a trained one, or new weights for the layers that were declared, between layers
//! that normalise.

use super::*;
use crate::networks::scaling::is_scaled;

/// A mean of so many deviations leaves single precision three digits of what varies.
const COARSE: f64 = 1e4;

/// Whether a law stands in the network.
fn holds_law(layer: &Layer) -> bool {
    layer.kind().name == "formula" || layer.inner().iter().any(holds_law)
}

/// The network with its first weights, and the scaling of its target.
pub(super) fn begun(
    context: &Context,
    args: &Args,
    start: &Start,
    task: &Task,
    rows: &Arrays,
    streams: Streams,
) -> Result<(Model, Option<Scaling>)> {
    let at = args.span_of("network");
    if let Some(m) = &start.before {
        // Its layers keep what they take off and give back.
        let own = start.unless(args, "target").and_then(|m| m.scaling.clone());
        return Ok((m.trained.model.copy().map_err(|e| lift(&e, at))?, own));
    }
    let laws = holds_law(&start.own);
    if laws && args.is_given("normalise") && args.boolean("normalise")? {
        let message = "expected physical numbers for a law in the network, found `normalise: true`";
        let hint = "normalise: false, and normalise(mean, deviation) before other layers";
        return Err(fault_hint(6006, args.span_of("normalise"), message, hint));
    }
    let double = &*args.word("precision")? == "double";
    let normalise = args.boolean("normalise")?;
    let scaling = if normalise { scaling(task, rows) } else { None };
    let whole = if normalise && !laws {
        normalised(context, &start.own, task, rows, scaling.as_ref(), double, args.span_of("data"))?
    } else {
        start.own.clone()
    };
    let precision = if double { Precision::F64 } else { Precision::F32 };
    let shapes: Vec<Shape> = task.reads.iter().map(|r| r.sizes.clone()).collect();
    Ok((Model::new(&whole, &shapes, precision, streams).map_err(|e| lift(&e, at))?, scaling))
}

/// Mean and deviation of every feature of rows of this shape: of a channel of images, of a column of numbers; of all numbers
/// where their first size varies and they are no sequence. A deviation that is nothing but rounding counts as 1.
fn moments<I: Iterator<Item = f64>>(numbers: impl Fn() -> I, shape: &Shape) -> (Vec<f64>, Vec<f64>) {
    let together = shape.varies().is_some() && shape.rank() != 2;
    let features = if together { 1 } else { shape.features().max(1) };
    // From one number of a feature to the next feature.
    let step: usize = shape.sizes().get(shape.feature_axis() + 1..).unwrap_or(&[]).iter().product();
    let sums = |number: &dyn Fn(usize, f64) -> f64| {
        let mut sums = vec![0.0; features];
        let (mut feature, mut left, mut count) = (0, step, 0_u64);
        for x in numbers() {
            if left == 0 {
                (feature, left) = ((feature + 1) % features, step);
            }
            sums[feature] += number(feature, x);
            left -= 1;
            count += 1;
        }
        (sums, (count as f64 / features as f64).max(1.0))
    };
    let (totals, count) = sums(&|_, x| x);
    let means: Vec<f64> = totals.iter().map(|s| s / count).collect();
    // Squares of numbers as small as 1e-200 would be 0.
    let (sizes, _) = sums(&|f, x| (x - means[f]).abs());
    let unit: Vec<f64> =
        sizes.iter().map(|s| if *s > 0.0 && s.is_finite() { s / count } else { 1.0 }).collect();
    let (squares, _) = sums(&|f, x| ((x - means[f]) / unit[f]).powi(2));
    let of = |f: usize| {
        let deviation = unit[f] * (squares[f] / (count - 1.0).max(1.0)).sqrt();
        let whole = deviation > 1e-12 * means[f].abs() && deviation.is_finite();
        if whole { deviation } else { 1.0 }
    };
    let deviations = (0..features).map(of).collect();
    (means, deviations)
}

/// Means and deviations of a target of numbers.
fn scaling(task: &Task, rows: &Arrays) -> Option<Scaling> {
    let shape = rows
        .target()
        .filter(|_| matches!(task.gives, Gives::Columns(_) | Gives::Arrays(..)) && is_scaled(&task.loss))?;
    let (shift, factor) = moments(|| rows.targets(), &shape);
    Some(Scaling { shift, factor })
}

/// The network between layers that take off means and divide by deviations of the training rows, and give them back.
fn normalised(
    context: &Context,
    own: &Layer,
    task: &Task,
    rows: &Arrays,
    scaling: Option<&Scaling>,
    double: bool,
    at: Span,
) -> Result<Layer> {
    let Task { reads, gives, loss, .. } = task;
    let list = |x: Vec<f64>| if x.len() == 1 { Setting::Real(x[0]) } else { Setting::List(x) };
    let make = |name: &str, options: &[(&str, Setting)]| {
        Layer::new(name, options, Vec::new()).map_err(|e| lift(&e, at))
    };
    let mut layers = Vec::new();
    match reads.first() {
        // A layer that normalises takes up to three axes.
        Some(r) if !r.tokens && r.sizes.rank() <= 3 => {
            let (means, deviations) = moments(|| rows.numbers_of(0), &r.sizes);
            let far = means.iter().zip(&deviations).position(|(m, d)| m.abs() > COARSE * d);
            if let Some(k) = far.filter(|_| !double) {
                let field = r.columns.get(k).or(r.columns.first());
                let name = field.map_or("the input", |f| &*f.name);
                let message = format!(
                    "`{name}` varies by {:.2e} about {:.6e}, of which single precision keeps few digits; precision: double keeps them",
                    deviations[k], means[k]
                );
                context.notify(Diagnostic::warning(Code(4258), at, message));
            }
            layers.push(make("normalise", &[("mean", list(means)), ("deviation", list(deviations))])?);
        }
        _ => {}
    }
    layers.push(own.clone());
    if let Some(scaling) = scaling.filter(|_| !matches!(gives, Gives::Arrays(_, shape) if shape.rank() > 3)) {
        let Scaling { shift, factor } = scaling.of_outputs(loss);
        layers.push(make("scale", &[("factor", list(factor)), ("shift", list(shift))])?);
    }
    if layers.len() == 1 { Ok(layers.swap_remove(0)) } else { Layer::chain(layers).map_err(|e| lift(&e, at)) }
}
