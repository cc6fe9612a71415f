//! From a layer and the shapes of its inputs to a [`Node`]: everything known before a number is computed (shapes,
//! variables, tables, cost), found in one walk that checks as it goes; and the [`Run`] that computes with it.

use std::any::Any;
use std::sync::Arc;

use candle_core::{DType, Device, Tensor, Var};

use super::super::error::NetworkError;
use super::super::lengths::Lengths;
use super::super::model::Pass;
use super::super::parameters::{Init, ParameterSpec};
use super::super::shape::{MOST, Shape};
use super::{Kind, Layer};

/// What a layer made beforehand.
pub(crate) type Made = Arc<dyn Any + Send + Sync>;

/// A layer in its place, while it is planned.
pub(crate) struct Site<'a> {
    /// The layer.
    pub layer: &'a Layer,
    /// Its place for messages, without itself: `chain[3]`.
    place: String,
    /// Its place in the names of variables: `3.0`.
    prefix: String,
    /// The activation that its output goes through next, if known.
    after: Option<&'static str>,
}

impl<'a> Site<'a> {
    /// The layer as a whole network.
    pub fn top(layer: &'a Layer) -> Site<'a> {
        Site { layer, place: String::new(), prefix: String::new(), after: None }
    }

    /// The layer by its place: `chain[3] conv(32, 3)`.
    pub fn path(&self) -> String {
        let name = self.layer.short();
        if self.place.is_empty() { name } else { format!("{} {name}", self.place) }
    }

    /// Plans a layer that stands inside this one. `after` is the activation that its output goes through next.
    pub fn inside(
        &self,
        index: usize,
        layer: &Layer,
        inputs: &[Shape],
        after: Option<&'static str>,
    ) -> Result<Node, NetworkError> {
        let step = format!("{}[{index}]", self.layer.kind().name);
        let place = if self.place.is_empty() { step } else { format!("{} {step}", self.place) };
        let prefix =
            if self.prefix.is_empty() { index.to_string() } else { format!("{}.{index}", self.prefix) };
        Site { layer, place, prefix, after }.plan(inputs)
    }

    /// Plans the layer of this place as another one: what it stands for. Variables keep their place.
    pub fn as_other(&self, layer: &Layer, inputs: &[Shape]) -> Result<Node, NetworkError> {
        self.inside(0, layer, inputs, self.after)
    }

    /// The activation that this layer's output goes through next.
    pub fn after(&self) -> Option<&'static str> {
        self.after
    }

    /// Checks and plans the layer.
    pub fn plan(&self, inputs: &[Shape]) -> Result<Node, NetworkError> {
        let kind = self.layer.kind();
        let inputs = taken(kind, inputs).map_err(|found| NetworkError::Inputs {
            path: self.path(),
            expected: inputs_in_words(kind),
            found,
        })?;
        if let Some(empty) = inputs.iter().find(|s| s.count() == 0) {
            return Err(self.shape_error("sizes from 1", empty));
        }
        self.check_size("an input", inputs[0].count())?;
        inputs.iter().filter(|s| s.varies().is_some()).try_for_each(|s| self.check_varying(s))?;
        let plan = kind.behaviour.plan(self, inputs)?;
        self.check_size("an output", plan.output.count())?;
        for spec in plan.parameters.iter().chain(&plan.buffers) {
            self.check_size("a weight", spec.count())?;
        }
        let full = |specs: Vec<ParameterSpec>| -> Vec<ParameterSpec> {
            let name = |own: &str| {
                if self.prefix.is_empty() { own.to_string() } else { format!("{}.{own}", self.prefix) }
            };
            specs.into_iter().map(|s| ParameterSpec { name: name(&s.name), ..s }).collect()
        };
        let own = plan.parameters.iter().map(|s| s.name.clone()).collect();
        let own_buffers = plan.buffers.iter().map(|s| s.name.clone()).collect();
        Ok(Node {
            layer: self.layer.clone(),
            path: self.path(),
            inputs: inputs.to_vec(),
            output: plan.output,
            names: own,
            buffer_names: own_buffers,
            parameters: full(plan.parameters),
            buffers: full(plan.buffers),
            constants: plan.constants,
            cost: plan.cost,
            children: plan.children,
            made: plan.made,
            first: [0; 3],
        })
    }

    /// Refuses tensors of more numbers than any memory has.
    pub fn check_size(&self, what: &str, count: usize) -> Result<(), NetworkError> {
        if count <= MOST {
            return Ok(());
        }
        let (expected, found) = (format!("{what} of at most {MOST} numbers"), "more".to_string());
        Err(NetworkError::Shape { path: self.path(), expected, found, hint: None })
    }

    /// A fault: the layer takes another shape.
    pub fn shape_error(&self, expected: impl Into<String>, found: &Shape) -> NetworkError {
        NetworkError::shape(self.path(), expected, found)
    }

    /// A fault: a size does not divide another. The hint is the option with the nearest divisor.
    pub fn divide_error(&self, what: &'static str, option: &str, total: usize, found: usize) -> NetworkError {
        let near = (1..=total).filter(|d| total.is_multiple_of(*d)).min_by_key(|d| d.abs_diff(found));
        NetworkError::Divide {
            path: self.path(),
            what,
            total,
            found,
            hint: near.map(|d| format!("{option}: {d}")),
        }
    }

    /// A fault: an option does not fit the shape.
    pub fn option_error(
        &self,
        option: &'static str,
        expected: impl Into<String>,
        found: impl ToString,
    ) -> NetworkError {
        NetworkError::OptionValue {
            layer: self.layer.kind().name,
            option,
            expected: expected.into(),
            found: found.to_string(),
            hint: None,
        }
    }

    /// The input, which must have one of these ranks.
    pub fn ranked<'s>(&self, input: &'s Shape, ranks: &[usize]) -> Result<&'s Shape, NetworkError> {
        if ranks.contains(&input.rank()) {
            return Ok(input);
        }
        let names = [
            "a number",
            "[features]",
            "[length, features]",
            "[channels, height, width]",
            "a sequence of images",
        ];
        let wanted: Vec<_> = ranks.iter().filter_map(|r| names.get(*r).copied()).collect();
        let error = self.shape_error(wanted.join(" or "), input);
        let flat = input.rank() > 1 && ranks.contains(&1);
        Err(if flat { error.with_hint(format!("chain(flatten, {})", self.layer.short())) } else { error })
    }
}

fn inputs_in_words(kind: &Kind) -> String {
    match kind.inputs {
        (1, _) => "one input".into(),
        (least, _) => format!("{least} inputs"),
    }
}

/// The inputs that a kind looks at; the number of inputs where they are too few.
fn taken<'a, T>(kind: &Kind, inputs: &'a [T]) -> Result<&'a [T], usize> {
    if inputs.len() < kind.inputs.0 {
        return Err(inputs.len());
    }
    Ok(&inputs[..inputs.len().min(kind.inputs.1)])
}

/// Numbers that a layer needs and that are never trained, made once.
#[derive(Clone, Debug)]
pub(crate) struct Constant {
    /// The sizes.
    pub sizes: Vec<usize>,
    /// The numbers.
    pub table: Table,
}

/// The numbers of a constant.
#[derive(Clone, Debug)]
pub(crate) enum Table {
    /// Numbers in the model's precision.
    Reals(Vec<f64>),
    /// Places in a tensor.
    Places(Vec<u32>),
}

impl Constant {
    /// The numbers, where it is a table of numbers.
    pub fn reals(&self) -> Option<&[f64]> {
        match &self.table {
            Table::Reals(values) => Some(values),
            Table::Places(_) => None,
        }
    }

    pub fn tensor(&self, dtype: DType) -> Result<Tensor, NetworkError> {
        let sizes = self.sizes.as_slice();
        Ok(match &self.table {
            Table::Reals(values) => Tensor::from_slice(values, sizes, &Device::Cpu)?.to_dtype(dtype)?,
            Table::Places(places) => Tensor::from_slice(places, sizes, &Device::Cpu)?,
        })
    }
}

/// What a kind of layer says about itself for given inputs.
#[derive(Debug)]
pub(crate) struct Plan {
    output: Shape,
    parameters: Vec<ParameterSpec>,
    buffers: Vec<ParameterSpec>,
    constants: Vec<Constant>,
    children: Vec<Node>,
    cost: u64,
    made: Option<Made>,
}

impl Plan {
    /// A layer with this output and nothing of its own.
    pub fn new(output: Shape) -> Plan {
        Plan {
            output,
            parameters: vec![],
            buffers: vec![],
            constants: vec![],
            children: vec![],
            cost: 0,
            made: None,
        }
    }

    /// With a variable that is trained.
    pub fn parameter(mut self, name: &str, sizes: &[usize], init: Init) -> Plan {
        self.parameters.push(ParameterSpec { name: name.to_string(), sizes: sizes.to_vec(), init });
        self
    }

    /// With a variable that is not trained (running statistics).
    pub fn buffer(mut self, name: &str, sizes: &[usize], init: Init) -> Plan {
        self.buffers.push(ParameterSpec { name: name.to_string(), sizes: sizes.to_vec(), init });
        self
    }

    /// With a constant; they are numbered in this order.
    pub fn constant(mut self, sizes: &[usize], table: Table) -> Plan {
        self.constants.push(Constant { sizes: sizes.to_vec(), table });
        self
    }

    /// With layers inside.
    pub fn children(mut self, children: Vec<Node>) -> Plan {
        self.children = children;
        self
    }

    /// With something that the layer computes with.
    pub fn made(mut self, made: Made) -> Plan {
        self.made = Some(made);
        self
    }

    /// With so many multiply-adds an example, those of the layers inside not counted.
    pub fn cost(mut self, multiply_adds: usize) -> Plan {
        self.cost = multiply_adds as u64;
        self
    }
}

/// A planned layer with the layers inside it.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub layer: Layer,
    /// The place for messages, with the layer.
    pub path: String,
    pub inputs: Vec<Shape>,
    pub output: Shape,
    names: Vec<String>,
    buffer_names: Vec<String>,
    pub parameters: Vec<ParameterSpec>,
    pub buffers: Vec<ParameterSpec>,
    pub constants: Vec<Constant>,
    pub cost: u64,
    pub children: Vec<Node>,
    /// What the layer made beforehand for its computations.
    pub made: Option<Made>,
    /// Where its parameters, buffers and constants begin in those of the network.
    first: [usize; 3],
}

impl Node {
    /// Visits this node and those inside, each before those inside it; with the depth.
    pub fn visit<'a>(&'a self, depth: usize, see: &mut impl FnMut(&'a Node, usize)) {
        see(self, depth);
        for child in &self.children {
            child.visit(depth + 1, see);
        }
    }

    /// Numbers the variables and constants in the order of [`Node::visit`].
    pub fn number(&mut self, next: &mut [usize; 3]) {
        self.first = *next;
        next[0] += self.parameters.len();
        next[1] += self.buffers.len();
        next[2] += self.constants.len();
        for child in &mut self.children {
            child.number(next);
        }
    }

    /// The output for inputs with the batch axis in front.
    pub fn forward(&self, inputs: &[Tensor], run: &mut Run) -> Result<Tensor, NetworkError> {
        let kind = self.layer.kind();
        let inputs = taken(kind, inputs).map_err(|found| NetworkError::Inputs {
            path: self.path.clone(),
            expected: inputs_in_words(kind),
            found,
        })?;
        kind.behaviour.forward(self, inputs, run).map_err(|error| match error {
            // the innermost layer says its place first
            NetworkError::Tensor { place, message } if place.is_empty() => {
                NetworkError::Tensor { place: format!("{}: ", self.path), message }
            }
            other => other,
        })
    }
}

/// A forward computation under way.
pub(crate) struct Run<'a> {
    pub parameters: &'a [Tensor],
    pub buffers: &'a [Var],
    pub constants: &'a [Tensor],
    /// The lengths of the rows of the network's inputs, where they differ.
    pub lengths: &'a [Option<Lengths>],
    pub pass: &'a mut Pass,
}

impl Run<'_> {
    /// A variable of a layer by its name there.
    pub fn weight(&self, node: &Node, name: &str) -> Result<Tensor, NetworkError> {
        let at = node.names.iter().position(|n| n == name).map(|i| node.first[0] + i);
        at.and_then(|i| self.parameters.get(i)).cloned().ok_or_else(|| missing(node, name))
    }

    /// The bias of a layer, if it has one.
    pub fn bias(&self, node: &Node) -> Option<Tensor> {
        self.weight(node, "bias").ok()
    }

    /// A buffer of a layer by its name there.
    pub fn buffer(&self, node: &Node, name: &str) -> Result<&Var, NetworkError> {
        let at = node.buffer_names.iter().position(|n| n == name).map(|i| node.first[1] + i);
        at.and_then(|i| self.buffers.get(i)).ok_or_else(|| missing(node, name))
    }

    /// A constant of a layer by its number there.
    pub fn constant(&self, node: &Node, number: usize) -> Result<Tensor, NetworkError> {
        self.constants.get(node.first[2] + number).cloned().ok_or_else(|| missing(node, "constant"))
    }
}

fn missing(node: &Node, name: &str) -> NetworkError {
    NetworkError::Architecture { difference: format!("`{name}` of {} is missing", node.path) }
}
