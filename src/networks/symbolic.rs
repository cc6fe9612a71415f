//! Networks as expressions: a network of layers that are closed formulas, with the weights it has, written out for symbols
//! (or anything else) in the places of its inputs. What comes out is simplified, differentiated and printed like any other
//! expression; its derivative is that of the network.

use super::error::NetworkError;
use super::layer::plan::Node;
use super::model::Model;
use super::objective::numbers;
use crate::expression::{Expr, Function};

/// Numbers of one shape as expressions, row by row.
#[derive(Clone)]
struct Flow {
    sizes: Vec<usize>,
    values: Vec<Expr>,
}

impl Flow {
    fn map(&self, f: impl Fn(&Expr) -> Expr) -> Flow {
        Flow { sizes: self.sizes.clone(), values: self.values.iter().map(f).collect() }
    }

    /// How many numbers the feature axis has (the first of images, else the last), and how far apart they stand.
    fn features(&self) -> (usize, usize) {
        match self.sizes.as_slice() {
            [channels, rest @ ..] if rest.len() >= 2 => (*channels, rest.iter().product()),
            [.., last] => (*last, 1),
            [] => (1, 1),
        }
    }

    /// The feature of the number at a place.
    fn feature(&self, place: usize) -> usize {
        let (count, stride) = self.features();
        place / stride % count
    }
}

/// The outputs of a model, row by row, for these expressions in the places of the numbers of its inputs.
///
/// # Errors
/// A layer is no closed formula (a convolution, a normalisation by statistics, attention ...), or the number of
/// expressions is not that of the inputs.
pub fn symbolic(model: &Model, inputs: &[Vec<Expr>]) -> Result<Vec<Expr>, NetworkError> {
    if model.inputs.iter().any(|s| s.varies().is_some()) {
        let path = format!("{} of rows of different lengths", model.network.short());
        return Err(NetworkError::NotAnalytic { path });
    }
    let mut flows = Vec::new();
    for (shape, values) in model.inputs.iter().zip(inputs) {
        if values.len() != shape.count() {
            return Err(NetworkError::Count { expected: shape.count(), found: values.len() });
        }
        flows.push(Flow { sizes: shape.sizes().to_vec(), values: values.clone() });
    }
    if inputs.len() != model.inputs.len() {
        return Err(NetworkError::Count { expected: model.inputs.len(), found: inputs.len() });
    }
    Ok(written(model, model.root(), &flows)?.values)
}

fn call(f: Function, x: &Expr) -> Expr {
    Expr::call(f, vec![x.clone()])
}

fn float(x: f64) -> Expr {
    Expr::float(x)
}

/// 1/(1 + exp(-x)).
fn sigmoid(x: &Expr) -> Expr {
    (Expr::one() + call(Function::Exp, &x.negate())).recip()
}

fn greatest(x: &Expr) -> Expr {
    Expr::call(Function::Max, vec![x.clone(), Expr::zero()])
}

fn least(x: &Expr) -> Expr {
    Expr::call(Function::Min, vec![x.clone(), Expr::zero()])
}

/// x above 0, alpha (exp(x) - 1) below.
fn elu(x: &Expr, alpha: f64) -> Expr {
    greatest(x) + float(alpha) * (call(Function::Exp, &least(x)) - Expr::one())
}

/// The scale and the alpha of selu (Klambauer et al. 2017).
const SELU: (f64, f64) = (1.050_700_987_355_480_5, 1.673_263_242_354_377_2);

/// A layer that acts on every number by itself.
fn pointwise(node: &Node, x: &Expr) -> Option<Expr> {
    let real = |name: &str| node.layer.real(name);
    Some(match node.layer.kind().name {
        "identity" | "dropout" => x.clone(),
        "relu" => greatest(x),
        "leaky_relu" => greatest(x) + float(real("slope")) * least(x),
        "elu" => elu(x, real("alpha")),
        "selu" => float(SELU.0) * elu(x, SELU.1),
        "gelu" => {
            let share = call(Function::Erf, &(x.clone() * float(std::f64::consts::FRAC_1_SQRT_2)));
            float(0.5) * x.clone() * (Expr::one() + share)
        }
        "silu" => x.clone() * sigmoid(x),
        "tanh" => call(Function::Tanh, x),
        "sigmoid" => sigmoid(x),
        "softplus" => call(Function::Log, &(Expr::one() + call(Function::Exp, x))),
        "softsign" => x.clone() * (Expr::one() + call(Function::Abs, x)).recip(),
        "sin" => call(Function::Sin, x),
        "sine" => call(Function::Sin, &(float(real("frequency")) * x.clone())),
        _ => return None,
    })
}

/// The layer of a node, written out.
fn written(model: &Model, node: &Node, inputs: &[Flow]) -> Result<Flow, NetworkError> {
    let refuse = || NetworkError::NotAnalytic { path: node.path.clone() };
    let x = inputs.first().ok_or_else(refuse)?;
    let output = node.output.sizes().to_vec();
    let weight = |name: &str| -> Option<Result<Vec<f64>, NetworkError>> {
        let spec = node.parameters.iter().find(|p| p.name.rsplit('.').next() == Some(name))?;
        Some(numbers(model.parameters.get(&spec.name)?))
    };
    let name = node.layer.kind().name;
    if pointwise(node, &Expr::one()).is_some() {
        return Ok(x.map(|x| pointwise(node, x).unwrap_or_else(|| x.clone())));
    }
    Ok(match name {
        "dense" => {
            let w = weight("weight").ok_or_else(refuse)??;
            let bias = weight("bias").transpose()?;
            let (features, _) = x.features();
            let units = w.len() / features;
            let position = |row: &[Expr]| -> Vec<Expr> {
                let unit = |u: usize| {
                    let products =
                        row.iter().enumerate().map(|(k, x)| float(w[u * features + k]) * x.clone());
                    let own = bias.as_ref().map(|b| float(b[u]));
                    Expr::sum(products.chain(own))
                };
                (0..units).map(unit).collect()
            };
            Flow { sizes: output, values: x.values.chunks(features).flat_map(position).collect() }
        }
        "normalise" | "scale" => {
            let (first, second) = if name == "scale" { ("factor", "shift") } else { ("mean", "deviation") };
            let (first, second) = (node.layer.reals(first), node.layer.reals(second));
            let of = |list: &[f64], k: usize| if list.len() == 1 { list[0] } else { list[k] };
            let value = |(place, x): (usize, &Expr)| {
                let k = x_feature(inputs, place);
                let (a, b) = (of(&first, k), of(&second, k));
                match name {
                    "scale" => float(a) * x.clone() + float(b),
                    _ => (x.clone() + float(-a)) * float(1.0 / b),
                }
            };
            Flow { sizes: output, values: x.values.iter().enumerate().map(value).collect() }
        }
        "softmax" | "log_softmax" => {
            let (count, stride) = x.features();
            let mut values = x.values.clone();
            for start in (0..x.values.len()).filter(|p| x.feature(*p) == 0) {
                let places: Vec<usize> = (0..count).map(|k| start + k * stride).collect();
                let total = Expr::sum(places.iter().map(|p| call(Function::Exp, &x.values[*p])));
                for p in places {
                    values[p] = if name == "softmax" {
                        call(Function::Exp, &x.values[p]) * total.recip()
                    } else {
                        x.values[p].clone() - call(Function::Log, &total)
                    };
                }
            }
            Flow { sizes: output, values }
        }
        "flatten" | "reshape" => Flow { sizes: output, values: x.values.clone() },
        "time_embedding" | "fourier" => {
            let (numbers, features) = if name == "fourier" {
                let spec = node.buffers.first().ok_or_else(refuse)?;
                let var = model.buffers.get(&spec.name).ok_or_else(refuse)?;
                (numbers(var)?, x.features().0)
            } else {
                let table = node.constants.first().ok_or_else(refuse)?;
                (table.reals().ok_or_else(refuse)?.to_vec(), 1)
            };
            let position = |row: &[Expr]| -> Vec<Expr> {
                let angle = |w: &[f64]| Expr::sum(w.iter().zip(row).map(|(w, x)| float(*w) * x.clone()));
                let angles: Vec<Expr> = numbers.chunks(features).map(angle).collect();
                let both = [Function::Sin, Function::Cos];
                both.iter().flat_map(|f| angles.iter().map(|a| call(*f, a))).collect()
            };
            Flow { sizes: output, values: x.values.chunks(features).flat_map(position).collect() }
        }
        "chain" => {
            let mut flow = inputs.to_vec();
            for child in &node.children {
                flow[0] = written(model, child, &flow)?;
            }
            flow.swap_remove(0)
        }
        "residual" => {
            let inner = written(model, &node.children[0], inputs)?;
            let beside = match node.children.get(1) {
                Some(projection) => written(model, projection, inputs)?,
                None => x.clone(),
            };
            merged("add", &[beside, inner], output)
        }
        "parallel" => {
            let branches: Vec<Flow> =
                node.children.iter().map(|c| written(model, c, inputs)).collect::<Result<_, _>>()?;
            merged(node.layer.word("merge"), &branches, output)
        }
        "skip" => {
            let inner = written(model, &node.children[0], inputs)?;
            merged(node.layer.word("merge"), &[x.clone(), inner], output)
        }
        "conditioned" => {
            let mut flow = inputs.to_vec();
            flow[1] = written(model, &node.children[0], &inputs[1..])?;
            written(model, &node.children[1], &flow)?
        }
        "input" => inputs.get(node.layer.size_or("index", 0)).cloned().ok_or_else(refuse)?,
        "formula" => {
            let law = super::layer::formula::law(&node.layer).ok_or_else(refuse)?;
            let own = weight("constants").transpose()?.unwrap_or_default();
            let (features, _) = x.features();
            let position = |row: &[Expr]| {
                let inputs =
                    row.iter().enumerate().map(|(k, x)| (super::layer::formula::input(k), x.clone()));
                let constants =
                    own.iter().enumerate().map(|(k, c)| (super::layer::formula::constant(k), float(*c)));
                law.substitute(&inputs.chain(constants).collect::<Vec<_>>())
            };
            Flow { sizes: output, values: x.values.chunks(features).map(position).collect() }
        }
        "each" => {
            let inner = &node.children[0];
            let sizes = x.sizes[1..].to_vec();
            let count: usize = sizes.iter().product();
            let mut values = Vec::new();
            for element in x.values.chunks(count) {
                let element = Flow { sizes: sizes.clone(), values: element.to_vec() };
                values.extend(written(model, inner, &[element])?.values);
            }
            Flow { sizes: output, values }
        }
        _ => return Err(refuse()),
    })
}

/// The feature of a place of the first input.
fn x_feature(inputs: &[Flow], place: usize) -> usize {
    inputs.first().map_or(0, |x| x.feature(place))
}

/// Branches put together as their layer says.
fn merged(how: &str, branches: &[Flow], sizes: Vec<usize>) -> Flow {
    let values = match how {
        "add" => (0..branches[0].values.len())
            .map(|k| Expr::sum(branches.iter().map(|b| b.values[k].clone())))
            .collect(),
        "multiply" => (0..branches[0].values.len())
            .map(|k| Expr::product(branches.iter().map(|b| b.values[k].clone())))
            .collect(),
        // Images have their channels first, all else the features last.
        _ if sizes.len() >= 3 => branches.iter().flat_map(|b| b.values.iter().cloned()).collect(),
        _ => {
            let widths: Vec<usize> = branches.iter().map(|b| b.features().0).collect();
            let rows = branches[0].values.len() / widths[0];
            let row = |r: usize| {
                branches
                    .iter()
                    .zip(&widths)
                    .flat_map(move |(b, w)| b.values[r * w..(r + 1) * w].iter().cloned())
            };
            (0..rows).flat_map(row).collect()
        }
    };
    Flow { sizes, values }
}

#[cfg(test)]
mod tests {
    use super::super::layer::{KINDS, Layer};
    use super::super::model::Pass;
    use super::super::parameters::Precision;
    use super::super::shape::Shape;
    use super::*;
    use crate::base::random::Streams;
    use crate::expression::Symbol;
    use candle_core::{Device, Tensor};

    /// Every layer that says it is a formula is one, and has the values of its formula.
    #[test]
    fn formulas_have_the_values_of_their_layers() {
        for kind in KINDS.iter().filter(|k| k.traits.analytic) {
            for sample in kind.samples {
                let layer: Layer = sample.layer.parse().unwrap();
                let shapes: Vec<Shape> = sample.inputs.iter().map(|s| Shape::new(s)).collect();
                let model = Model::new(&layer, &shapes, Precision::F64, Streams::new(3)).unwrap();
                let mut symbols = Vec::new();
                let mut values = Vec::new();
                let mut tensors = Vec::new();
                for (i, shape) in shapes.iter().enumerate() {
                    let own: Vec<f64> =
                        (0..shape.count()).map(|k| ((7 * k + 3 * i) as f64 * 0.37).sin() * 1.3).collect();
                    symbols.push(
                        (0..shape.count()).map(|k| Expr::symbol(format!("x{i}_{k}").as_str())).collect(),
                    );
                    tensors.push(Tensor::from_slice(&own, shape.batched(1), &Device::Cpu).unwrap());
                    values.push(own);
                }
                let found = match symbolic(&model, &symbols) {
                    Ok(found) => found,
                    Err(NetworkError::NotAnalytic { .. }) if !layer.analytic() => continue,
                    // A shortcut of an image is a convolution.
                    Err(NetworkError::NotAnalytic { .. }) if sample.layer.starts_with("residual") => continue,
                    Err(e) => panic!("{}: {e}", sample.layer),
                };
                let expected = numbers(&model.forward(&tensors, &mut Pass::inference()).unwrap()).unwrap();
                assert_eq!(found.len(), expected.len(), "{}", sample.layer);
                for (e, y) in found.iter().zip(&expected) {
                    let at = |s: &Symbol| {
                        let (i, k) = s.name()[1..].split_once('_')?;
                        Some(values[i.parse::<usize>().ok()?][k.parse::<usize>().ok()?])
                    };
                    let own = e.evaluate(&at).unwrap();
                    assert!((own - y).abs() < 1e-12 * y.abs().max(1.0), "{}: {own} {y}", sample.layer);
                }
            }
        }
    }

    /// The derivative of a trained network's expression is the derivative that is carried back through the network.
    #[test]
    fn slopes_are_those_of_the_network() {
        use super::super::data::{Array, Arrays, Values};
        use super::super::loss::Loss;
        use super::super::objective::Supervised;
        use super::super::ops;
        use super::super::optimise::Optimiser;
        use super::super::train::{Data, Length, Plan, Watch, train};
        use crate::base::{CancelToken, EventSink};
        use candle_core::Var;

        let layer: Layer = "chain(dense(16), tanh, dense(16), tanh, dense(1))".parse().unwrap();
        let model = Model::new(&layer, &[Shape::new(&[2])], Precision::F64, Streams::new(5)).unwrap();
        let x: Vec<f64> = (0..120).map(|k| (f64::from(k) * 0.7).sin() * 1.5).collect();
        let y: Vec<f64> = x.chunks(2).map(|p| (p[0] * p[1]).sin() + p[0]).collect();
        let inputs = Array::new("x", &[2], Values::F64(x));
        let data = Arrays::new(vec![inputs], Some(Array::new("y", &[1], Values::F64(y)))).unwrap();
        let objective = Supervised::new(Loss::new("mse", &[]).unwrap(), Vec::new()).unwrap();
        let plan = Plan::new(Optimiser::new("lbfgs", &[]).unwrap(), Length::Steps(30));
        let (events, cancel) = (EventSink::none(), CancelToken::new());
        let watch = Watch { events: &events, name: None, checkpoints: None, cancel: &cancel };
        let data = Data { train: &data, validation: None };
        let model = train(model, &objective, data, &plan, watch).unwrap().model;

        let symbols = [Symbol::new("a"), Symbol::new("b")];
        let law =
            symbolic(&model, &[symbols.iter().cloned().map(Expr::symbol).collect()]).unwrap().swap_remove(0);
        for k in 0..20 {
            let point = [(f64::from(k) * 0.9).cos(), (f64::from(k) * 0.4).sin() * 2.0];
            let input = Var::from_slice(&point, (1, 2), &Device::Cpu).unwrap();
            let output = model.forward(&[input.as_tensor().clone()], &mut Pass::evaluation()).unwrap();
            let slopes = ops::gradients(&output.sum_all().unwrap(), &[input]).unwrap();
            for (symbol, own) in symbols.iter().zip(numbers(&slopes[0]).unwrap()) {
                let at = |s: &Symbol| symbols.iter().position(|t| t == s).map(|i| point[i]);
                let slope = law.diff(symbol).evaluate(&at).unwrap();
                assert!((slope - own).abs() < 1e-10, "{slope} {own}");
            }
        }
    }
}
