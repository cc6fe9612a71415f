//! A network with shapes for its inputs and numbers for its weights.

use candle_core::{DType, Tensor};

use crate::base::random::{Rng, Streams};
use crate::base::{CancelToken, hash};

use super::error::NetworkError;
use super::layer::text::DEPTH;
use super::layer::{Layer, Node, Run, Site};
use super::lengths::{Lengths, Presence, Varies};
use super::parameters::{self, ParameterSpec, Parameters, Precision};
use super::shape::Shape;

/// How a forward computation is meant: what dropout, normalisation and gradients depend on.
#[derive(Clone, Debug)]
pub struct Pass {
    /// Whether the network is being trained: dropout drops, batch normalisation uses the batch and keeps its statistics.
    pub training: bool,
    /// Whether the weights are plain numbers in this pass: no graph is kept for their gradients.
    pub frozen: bool,
    /// Where masks are drawn from.
    pub(crate) rng: Rng,
    /// What long computations ask whether to stop.
    pub(crate) cancel: CancelToken,
}

impl Pass {
    /// A training step; its random numbers depend on the seed and the step only.
    pub fn training(streams: Streams, step: u64) -> Pass {
        let rng = streams.block("pass", step);
        Pass { training: true, frozen: false, rng, cancel: CancelToken::new() }
    }

    /// An evaluation whose gradients may be asked for, by weights and by inputs.
    pub fn evaluation() -> Pass {
        let rng = Streams::new(0).stream("pass");
        Pass { training: false, frozen: false, rng, cancel: CancelToken::new() }
    }

    /// The same with a token that long computations poll.
    pub fn with_cancel(self, cancel: &CancelToken) -> Pass {
        Pass { cancel: cancel.clone(), ..self }
    }

    /// An error where somebody asked to stop.
    pub(crate) fn go_on(&self) -> Result<(), NetworkError> {
        self.cancel.stop().map_or(Ok(()), |reason| Err(NetworkError::Stopped { reason }))
    }

    /// An evaluation without gradients by the weights (those by inputs remain).
    pub fn inference() -> Pass {
        Pass { frozen: true, ..Pass::evaluation() }
    }
}

/// The most weights of a network: a training keeps about ten copies of them.
const MOST_WEIGHTS: usize = 1 << 29;

/// A row of [`Model::summary`].
#[derive(Clone, PartialEq, Debug)]
pub struct SummaryRow {
    /// How deep the layer stands inside others.
    pub depth: usize,
    /// The layer as source; what stands inside it has rows of its own.
    pub layer: String,
    /// The shape of its output.
    pub output: Shape,
    /// How many numbers are trained in it and in the layers inside.
    pub parameters: usize,
    /// Multiplications with an addition for one example, in it and in the layers inside. Only products count
    /// (dense, convolution, attention ...), as usual.
    pub multiply_adds: u64,
}

/// A network with its weights. A clone shares them.
#[derive(Clone, Debug)]
pub struct Model {
    /// The network.
    pub network: Layer,
    /// The shapes of the inputs, without the batch axis.
    pub inputs: Vec<Shape>,
    /// The shape of the output, without the batch axis.
    pub output: Shape,
    /// What is trained.
    pub parameters: Parameters,
    /// What is kept beside: running statistics and fixed random numbers.
    pub buffers: Parameters,
    root: Node,
    constants: Vec<Tensor>,
}

/// The shape of a network's output, without building it. The error names the first layer that does not fit.
pub fn output_shape(network: &Layer, inputs: &[Shape]) -> Result<Shape, NetworkError> {
    Ok(plan(network, inputs)?.output)
}

/// The rows of [`Model::summary`], without building the model.
pub fn summary(network: &Layer, inputs: &[Shape]) -> Result<Vec<SummaryRow>, NetworkError> {
    Ok(rows(&plan(network, inputs)?))
}

fn rows(root: &Node) -> Vec<SummaryRow> {
    let mut rows = Vec::new();
    root.visit(0, &mut |node: &Node, depth| {
        let (mut parameters, mut multiply_adds) = (0, 0_u64);
        node.visit(0, &mut |inside: &Node, _| {
            parameters += inside.parameters.iter().map(ParameterSpec::count).sum::<usize>();
            multiply_adds = multiply_adds.saturating_add(inside.cost);
        });
        let layer = node.layer.short();
        rows.push(SummaryRow { depth, layer, output: node.output.clone(), parameters, multiply_adds });
    });
    rows
}

/// The shapes of inputs: one that varies does so with its own rows.
fn own_lengths(inputs: &[Shape]) -> Vec<Shape> {
    let own = |(k, s): (usize, &Shape)| s.clone().varying(s.varies().map(|_| Varies::with(k)));
    inputs.iter().enumerate().map(own).collect()
}

fn plan(network: &Layer, inputs: &[Shape]) -> Result<Node, NetworkError> {
    let takes = network.takes();
    if inputs.len() > takes {
        let expected = if takes == 1 { "one input".to_string() } else { format!("at most {takes} inputs") };
        return Err(NetworkError::Inputs { path: network.short(), expected, found: inputs.len() });
    }
    // A deeper one could not be read back from its file.
    let depth = network.depth();
    if depth > DEPTH {
        let expected = format!("layers at most {DEPTH} deep inside each other");
        return Err(NetworkError::Shape {
            path: network.kind().name.into(),
            expected,
            found: depth.to_string(),
            hint: Some("chain(a, b, c) in place of chain(a, chain(b, chain(c)))".into()),
        });
    }
    let mut root = Site::top(network).plan(&own_lengths(inputs))?;
    let mut weights: usize = 0;
    root.visit(0, &mut |node: &Node, _| {
        let own = node.parameters.iter().map(ParameterSpec::count);
        weights = own.fold(weights, usize::saturating_add);
    });
    if weights > MOST_WEIGHTS {
        let expected = format!("a network of at most {MOST_WEIGHTS} weights");
        let (path, found) = (network.short(), weights.to_string());
        return Err(NetworkError::Shape { path, expected, found, hint: None });
    }
    root.number(&mut [0; 3]);
    Ok(root)
}

impl Model {
    /// Plans the network for inputs of these shapes and draws its first weights.
    pub fn new(
        network: &Layer,
        inputs: &[Shape],
        precision: Precision,
        streams: Streams,
    ) -> Result<Model, NetworkError> {
        let root = plan(network, inputs)?;
        let (mut parameters, mut buffers, mut constants) = (Vec::new(), Vec::new(), Vec::new());
        root.visit(0, &mut |node: &Node, _| {
            parameters.extend(node.parameters.iter().cloned());
            buffers.extend(node.buffers.iter().cloned());
            constants.extend(node.constants.iter());
        });
        let constants =
            constants.into_iter().map(|c| c.tensor(precision.dtype())).collect::<Result<_, _>>()?;
        Ok(Model {
            network: network.clone(),
            inputs: own_lengths(inputs),
            output: root.output.clone(),
            parameters: Parameters::new(&parameters, precision, streams)?,
            buffers: Parameters::new(&buffers, precision, streams)?,
            constants,
            root,
        })
    }

    /// The same model with weights of its own.
    pub fn copy(&self) -> Result<Model, NetworkError> {
        let (parameters, buffers) = (self.parameters.copy()?, self.buffers.copy()?);
        Ok(Model { parameters, buffers, ..self.clone() })
    }

    /// The same network with other weights and buffers of the same names.
    pub fn with_weights(&self, parameters: &Parameters, buffers: &Parameters) -> Model {
        Model { parameters: parameters.clone(), buffers: buffers.clone(), ..self.clone() }
    }

    /// The plan of the network.
    pub(super) fn root(&self) -> &Node {
        &self.root
    }

    /// The output `[batch, ...output]` for inputs `[batch, ...]`. Inputs of another type of number are converted. Where rows
    /// vary in length, all of these are as long as the tensor.
    pub fn forward(&self, inputs: &[Tensor], pass: &mut Pass) -> Result<Tensor, NetworkError> {
        self.forward_rows(inputs, &[], pass)
    }

    /// The same with lengths of the rows of each input that varies. What stands in the tensors behind the last element of a
    /// row changes nothing; the output has numbers without meaning there where it varies.
    pub fn forward_rows(
        &self,
        inputs: &[Tensor],
        lengths: &[Option<Lengths>],
        pass: &mut Pass,
    ) -> Result<Tensor, NetworkError> {
        let weights = if pass.frozen { self.parameters.frozen() } else { self.parameters.tensors() };
        self.run(&weights, inputs, lengths, pass)
    }

    /// The output with other tensors in place of the parameters, in their order.
    pub fn forward_with(
        &self,
        weights: &[Tensor],
        inputs: &[Tensor],
        pass: &mut Pass,
    ) -> Result<Tensor, NetworkError> {
        self.run(weights, inputs, &[], pass)
    }

    fn run(
        &self,
        weights: &[Tensor],
        inputs: &[Tensor],
        lengths: &[Option<Lengths>],
        pass: &mut Pass,
    ) -> Result<Tensor, NetworkError> {
        if weights.len() != self.parameters.len() {
            return Err(NetworkError::Count { expected: self.parameters.len(), found: weights.len() });
        }
        let inputs = self.accept(inputs, lengths)?;
        let mut run = Run {
            parameters: weights,
            buffers: self.buffers.vars(),
            constants: &self.constants,
            lengths,
            pass,
        };
        self.root.forward(&inputs, &mut run)
    }

    /// Which elements of an output are there; `None` where all are.
    pub(super) fn present(
        &self,
        lengths: &[Option<Lengths>],
        output: &Tensor,
    ) -> Result<Option<Presence>, NetworkError> {
        let Some(varies) = self.output.varies() else { return Ok(None) };
        match lengths.get(varies.input).and_then(Option::as_ref) {
            Some(lengths) => Ok(Presence::new(lengths.through(varies), output.dim(1)?)),
            None => Ok(None),
        }
    }

    /// The inputs in the model's precision, if their shapes are right, with zeros where a row has no element.
    fn accept(&self, inputs: &[Tensor], lengths: &[Option<Lengths>]) -> Result<Vec<Tensor>, NetworkError> {
        if inputs.len() != self.inputs.len() {
            let expected = match self.inputs.len() {
                1 => "one input".to_string(),
                n => format!("{n} inputs"),
            };
            return Err(NetworkError::Inputs { path: self.network.short(), expected, found: inputs.len() });
        }
        let batch = inputs.first().and_then(|t| t.dims().first().copied()).unwrap_or(0);
        let mut accepted = Vec::with_capacity(inputs.len());
        for (index, (input, shape)) in inputs.iter().zip(&self.inputs).enumerate() {
            let fits = batch > 0 && input.dims()[0] == batch && shape.takes(&input.dims()[1..]);
            if !fits {
                return Err(NetworkError::InputShape {
                    index,
                    expected: shape.to_string().trim_matches(['[', ']']).to_string(),
                    found: format!("{:?}", input.dims()),
                });
            }
            let input = input.to_dtype(self.parameters.dtype())?;
            let own = lengths.get(index).and_then(Option::as_ref).filter(|_| shape.varies().is_some());
            let Some(own) = own else {
                accepted.push(input);
                continue;
            };
            let longest = input.dim(1)?;
            if own.rows().len() != batch {
                return Err(NetworkError::Count { expected: batch, found: own.rows().len() });
            }
            if let Some(row) = own.rows().iter().position(|n| !(1..=longest).contains(n)) {
                return Err(NetworkError::Length {
                    path: self.network.short(),
                    expected: format!("1 to {longest} elements"),
                    row,
                    found: own.rows()[row],
                });
            }
            accepted.push(match Presence::new(own.clone(), longest) {
                Some(presence) => presence.zeroed(&input)?,
                None => input,
            });
        }
        Ok(accepted)
    }

    /// One row a layer, each before those inside it.
    pub fn summary(&self) -> Vec<SummaryRow> {
        rows(&self.root)
    }

    /// A hash of the network, its inputs and its variables: equal for models that can share weights.
    pub fn architecture(&self) -> u64 {
        let mut hash = hash::of_str(&self.network.to_string());
        for shape in &self.inputs {
            hash = hash::combine(hash, hash::of_str(&shape.to_string()));
        }
        for set in [&self.parameters, &self.buffers] {
            for (name, var) in set.names().iter().zip(set.vars()) {
                hash = hash::combine(hash, hash::of_str(&format!("{name} {:?}", var.dims())));
            }
        }
        hash
    }

    /// The bytes of a safetensors file with weights and buffers that says which network they belong to.
    pub fn to_bytes(&self) -> Result<Vec<u8>, NetworkError> {
        self.to_bytes_about(&serde_json::Value::Null)
    }

    /// The same with something about the weights beside: what the inputs are.
    pub fn to_bytes_about(&self, about: &serde_json::Value) -> Result<Vec<u8>, NetworkError> {
        let sets = [&self.parameters, &self.buffers];
        parameters::write(&sets, |checksum| Some(self.header(about, checksum)))
    }

    /// What stands beside the weights of a file.
    pub fn about(bytes: &[u8]) -> Result<serde_json::Value, NetworkError> {
        let text = parameters::header(bytes)?.unwrap_or_default();
        let header: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        Ok(header["about"].clone())
    }

    /// The model of a file that [`Model::to_bytes`] made.
    pub fn from_bytes(bytes: &[u8]) -> Result<Model, NetworkError> {
        let Header { network, inputs, precision, .. } = Header::read(bytes)?;
        let model = Model::new(&network, &inputs, precision, Streams::new(0))?;
        model.read_bytes(bytes)?;
        Ok(model)
    }

    /// Takes over weights and buffers of a file that [`Model::to_bytes`] made of the same network.
    pub fn read_bytes(&self, bytes: &[u8]) -> Result<(), NetworkError> {
        let other = Header::read(bytes)?;
        if let Some(difference) = self.network.difference(&other.network) {
            return Err(NetworkError::Architecture { difference });
        }
        if self.inputs != other.inputs {
            let [here, there] = [&self.inputs, &other.inputs].map(|inputs| in_brackets(inputs));
            return Err(NetworkError::Architecture {
                difference: format!("inputs {here} here, {there} there"),
            });
        }
        let file = parameters::open(bytes)?;
        let sets = [&self.parameters, &self.buffers];
        if let Some(expected) = other.checksum
            && parameters::checksum(&sets, &file)? != expected
        {
            let found = "weights that have changed since they were written".to_string();
            return Err(NetworkError::Weights { found });
        }
        parameters::read(&sets, &file)
    }

    fn header(&self, about: &serde_json::Value, checksum: &str) -> String {
        let inputs: Vec<_> = self.inputs.iter().map(|s| s.sizes().to_vec()).collect();
        let precision = if self.dtype() == DType::F64 { 64 } else { 32 };
        let mut header = serde_json::json!({
            "network": self.network.to_string(),
            "inputs": inputs,
            "precision": precision,
            "sha256": checksum,
        });
        let varying: Vec<bool> = self.inputs.iter().map(|s| s.varies().is_some()).collect();
        if varying.contains(&true) {
            header["varying"] = varying.into();
        }
        if !about.is_null() {
            header["about"] = about.clone();
        }
        header.to_string()
    }

    /// The type of number that the model computes with.
    pub fn dtype(&self) -> DType {
        self.parameters.dtype()
    }
}

fn in_brackets(shapes: &[Shape]) -> String {
    let list: Vec<_> = shapes.iter().map(Shape::to_string).collect();
    format!("[{}]", list.join(", "))
}

/// What a file says about its weights.
struct Header {
    network: Layer,
    inputs: Vec<Shape>,
    precision: Precision,
    /// SHA-256 of the weights, where the file has one.
    checksum: Option<String>,
}

impl Header {
    fn read(bytes: &[u8]) -> Result<Header, NetworkError> {
        let unnamed = || NetworkError::Weights { found: "a file that does not name its network".into() };
        let text = parameters::header(bytes)?.ok_or_else(unnamed)?;
        let header: serde_json::Value = serde_json::from_str(&text).map_err(|_| unnamed())?;
        let sizes = |shape: &serde_json::Value| -> Option<Shape> {
            let size = |n: &serde_json::Value| n.as_u64().and_then(|n| usize::try_from(n).ok());
            Some(Shape::new(&shape.as_array()?.iter().map(size).collect::<Option<Vec<_>>>()?))
        };
        let inputs: Option<Vec<Shape>> =
            header["inputs"].as_array().and_then(|list| list.iter().map(sizes).collect());
        let varies = |k: usize| (header["varying"][k] == true).then(|| Varies::with(k));
        let inputs =
            inputs.map(|all| all.into_iter().enumerate().map(|(k, s)| s.varying(varies(k))).collect());
        let precision = match header["precision"].as_u64() {
            Some(64) => Precision::F64,
            _ => Precision::F32,
        };
        let network = header["network"].as_str().ok_or_else(unnamed)?.parse()?;
        let checksum = header["sha256"].as_str().map(str::to_string);
        Ok(Header { network, inputs: inputs.ok_or_else(unnamed)?, precision, checksum })
    }
}
