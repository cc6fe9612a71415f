//! The network that is trained: a copy of a trained one, or new weights for the layers that were declared, between layers
//! that normalise.

use super::*;

/// Whether a law stands in the network.
fn holds_law(layer: &Layer) -> bool {
    layer.kind().name == "formula" || layer.inner().iter().any(holds_law)
}

/// The network with its first weights.
pub(super) fn begun(args: &Args, start: &Start, task: &Task, d: &Dataset, streams: Streams) -> Result<Model> {
    let at = args.span_of("network");
    if let Some(m) = &start.before {
        return m.trained.model.copy().map_err(|e| lift(&e, at));
    }
    let laws = holds_law(&start.own);
    if laws && args.is_given("normalise") && args.boolean("normalise")? {
        let message = "expected physical numbers for a law in the network, found `normalise: true`";
        let hint = "normalise: false, and normalise(mean, deviation) before other layers";
        return Err(fault_hint(6006, args.span_of("normalise"), message, hint));
    }
    let whole = if args.boolean("normalise")? && !laws {
        normalised(&start.own, d, task, args.span_of("data"))?
    } else {
        start.own.clone()
    };
    let precision = if &*args.word("precision")? == "double" { Precision::F64 } else { Precision::F32 };
    let shapes: Vec<Shape> = task.reads.iter().map(|r| Shape::new(&r.sizes)).collect();
    Model::new(&whole, &shapes, precision, streams).map_err(|e| lift(&e, at))
}

/// Mean and deviation of every feature of rows of these sizes: of a channel of images, of a column of numbers. A
/// deviation that is nothing but rounding counts as 1.
fn moments(array: &Array, sizes: &[usize]) -> (Vec<f64>, Vec<f64>) {
    let shape = Shape::new(sizes);
    let features = shape.features().max(1);
    // From one number of a feature to the next feature.
    let step: usize = sizes.get(shape.feature_axis() + 1..).unwrap_or(&[]).iter().product();
    let sums = |number: &dyn Fn(usize, f64) -> f64| {
        let mut sums = vec![0.0; features];
        let (mut feature, mut left) = (0, step);
        for x in array.numbers() {
            if left == 0 {
                (feature, left) = ((feature + 1) % features, step);
            }
            sums[feature] += number(feature, x);
            left -= 1;
        }
        sums
    };
    let count = (array.numbers().len() / features).max(1) as f64;
    let means: Vec<f64> = sums(&|_, x| x).iter().map(|s| s / count).collect();
    let squares = sums(&|f, x| (x - means[f]).powi(2));
    let of = |f: usize| {
        let deviation = (squares[f] / (count - 1.0).max(1.0)).sqrt();
        let whole = deviation > 1e-12 * means[f].abs() && deviation.is_finite();
        if whole { deviation } else { 1.0 }
    };
    let deviations = (0..features).map(of).collect();
    (means, deviations)
}

/// The network between layers that take off means and divide by deviations of the training rows, and give them back.
fn normalised(own: &Layer, d: &Dataset, task: &Task, at: Span) -> Result<Layer> {
    let Task { reads, gives, loss, .. } = task;
    let make = |name: &str, options: &[(&str, Setting)]| {
        Layer::new(name, options, Vec::new()).map_err(|e| lift(&e, at))
    };
    let mut layers = Vec::new();
    match reads.first() {
        // A layer that normalises takes up to three axes.
        Some(r) if !r.tokens && r.sizes.len() <= 3 => {
            let (means, deviations) = moments(&array(d, r, at)?, &r.sizes);
            let list = |x: Vec<f64>| if x.len() == 1 { Setting::Real(x[0]) } else { Setting::List(x) };
            layers.push(make("normalise", &[("mean", list(means)), ("deviation", list(deviations))])?);
        }
        _ => {}
    }
    layers.push(own.clone());
    let scaled =
        matches!(gives, Gives::Columns(_) | Gives::Arrays(..)) && loss.kind().target == TargetKind::Values;
    if scaled
        && !matches!(gives, Gives::Arrays(_, sizes) if sizes.len() > 3)
        && loss.kind().name != "poisson_nll"
        && let Some(numbers) = target(d, gives, loss, at)?
    {
        let (means, deviations) = moments(&numbers, numbers.sizes());
        let list = |x: Vec<f64>| if x.len() == 1 { Setting::Real(x[0]) } else { Setting::List(x) };
        layers.push(make("scale", &[("factor", list(deviations)), ("shift", list(means))])?);
    }
    if layers.len() == 1 { Ok(layers.swap_remove(0)) } else { Layer::chain(layers).map_err(|e| lift(&e, at)) }
}
