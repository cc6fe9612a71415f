//! Layers as values. A [`Layer`] is plain data: a row of the table of kinds, its settings, and the layers inside it; a
//! network is a layer. It prints as the source that makes it: `chain(conv(32, 3), relu, dense(3))`.
//!
//! Adding a kind is one row of [`KINDS`]: its name, options and samples, and a `Behaviour` that plans (checks the
//! shapes, names the variables) and computes. Checker, documentation, summary and gradient tests read the table.

mod kinds;
mod names;
mod options;
pub(crate) mod plan;
pub(super) mod text;
mod varying;

mod attention;
mod combine;
mod conv;
mod dense;
mod embed;
mod equivariant;
pub mod formula;
mod graph;
mod norm;
mod pointwise;
mod pool;
mod recurrent;
mod reshape;
mod sets;
#[cfg(test)]
pub(super) mod tests;

use std::fmt;

pub use kinds::KINDS;
pub use names::{elsewhere, meant};
pub use options::{OptionRow, OptionType, Preset, Setting};
pub(crate) use plan::{Node, Plan, Run, Site};
pub use varying::Varying;

use super::error::NetworkError;
use super::shape::Shape;
use crate::base::suggest;

/// Which layers stand inside a kind of layer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Inner {
    /// None.
    None,
    /// These, by name.
    Named(&'static [&'static str]),
    /// One or more.
    Some,
}

impl Inner {
    fn fits(self, count: usize) -> bool {
        match self {
            Inner::None => count == 0,
            Inner::Named(names) => count == names.len(),
            Inner::Some => count > 0,
        }
    }

    fn in_words(self) -> &'static str {
        match self {
            Inner::None => "no layer",
            Inner::Named([_]) => "one layer",
            Inner::Named(_) => "two layers",
            Inner::Some => "at least one layer",
        }
    }
}

/// An example of a layer on which its gradients are checked.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// The layer's source.
    pub layer: &'static str,
    /// The shapes of its inputs, without the batch axis.
    pub inputs: &'static [&'static [usize]],
}

/// A kind of layer: one row of the table.
pub struct Kind {
    /// The name in the language.
    pub name: &'static str,
    /// One line of documentation.
    pub docs: &'static str,
    /// The options, those without a default first.
    pub options: &'static [OptionRow],
    /// The layers inside.
    pub inner: Inner,
    /// The least and the greatest number of inputs. Further inputs of a chain pass by.
    pub inputs: (usize, usize),
    /// What is promised of it.
    pub traits: Traits,
    /// What it makes of rows of different lengths.
    pub varying: Varying,
    /// Examples for the checks of shapes and gradients.
    pub samples: &'static [Sample],
    /// What it does.
    pub(crate) behaviour: &'static dyn Behaviour,
}

/// What is promised of a kind of layer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Traits {
    /// It is a closed formula of its inputs: a network of such layers is an expression.
    pub analytic: bool,
    /// Gradients of its gradients are right.
    pub second: bool,
    /// Its first input is tokens (whole numbers), through which no gradient flows.
    pub tokens: bool,
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kind({})", self.name)
    }
}

impl PartialEq for Kind {
    fn eq(&self, other: &Kind) -> bool {
        self.name == other.name
    }
}

/// What a kind of layer does.
pub(crate) trait Behaviour: Send + Sync {
    /// Checks the shapes of the inputs, and says what comes out and which variables are needed.
    fn plan(&self, site: &Site, inputs: &[Shape]) -> Result<Plan, NetworkError>;
    /// The output for inputs with the batch axis in front, of the shapes that were planned.
    fn forward(
        &self,
        node: &Node,
        inputs: &[candle_core::Tensor],
        run: &mut Run,
    ) -> Result<candle_core::Tensor, NetworkError>;
}

/// The kind with a name.
pub fn kind(name: &str) -> Result<&'static Kind, NetworkError> {
    KINDS.iter().find(|k| k.name == name).ok_or_else(|| NetworkError::UnknownLayer {
        found: name.to_string(),
        nearest: meant(name).map(str::to_string),
    })
}

/// A layer, or a network made of layers.
#[derive(Clone, PartialEq, Debug)]
pub struct Layer {
    kind: &'static Kind,
    /// One setting for every option of the kind, in its order.
    settings: Vec<Setting>,
    inner: Vec<Layer>,
}

impl Layer {
    /// A layer by the name of its kind, with the options that differ from their defaults and the layers inside.
    pub fn new(name: &str, options: &[(&str, Setting)], inner: Vec<Layer>) -> Result<Layer, NetworkError> {
        let kind = kind(name)?;
        let mut settings = vec![None; kind.options.len()];
        for (option, value) in options {
            let Some(at) = kind.options.iter().position(|o| o.name == *option) else {
                return Err(kind.unknown_option(option));
            };
            settings[at] = Some(kind.options[at].accept(kind.name, value)?);
        }
        if !kind.inner.fits(inner.len()) {
            let (layer, expected) = (kind.name, kind.inner.in_words());
            return Err(NetworkError::InnerLayers { layer, expected, found: inner.len() });
        }
        let settings = kind.options.iter().zip(settings).map(|(row, given)| match given {
            Some(value) => Ok(value),
            None => row.preset.setting().ok_or_else(|| NetworkError::MissingOption {
                layer: kind.name,
                option: row.name,
                example: format!("{}({}: {})", kind.name, row.name, row.kind.example()),
            }),
        });
        Ok(Layer { kind, settings: settings.collect::<Result<_, _>>()?, inner })
    }

    /// A layer from arguments as they are written in a call: those without a name take the options in order.
    pub fn call(
        name: &str,
        positional: Vec<Setting>,
        named: Vec<(String, Setting)>,
        inner: Vec<Layer>,
    ) -> Result<Layer, NetworkError> {
        let kind = kind(name)?;
        let mut options: Vec<(&str, Setting)> = Vec::new();
        for (i, value) in positional.into_iter().enumerate() {
            let Some(row) = kind.options.get(i) else {
                return Err(kind.unknown_option(&value.to_string()));
            };
            options.push((row.name, value));
        }
        options.extend(named.iter().map(|(name, value)| (name.as_str(), value.clone())));
        Layer::new(name, &options, inner)
    }

    /// A network of layers one after the other.
    pub fn chain(layers: Vec<Layer>) -> Result<Layer, NetworkError> {
        Layer::new("chain", &[], layers)
    }

    /// The row of the table.
    pub fn kind(&self) -> &'static Kind {
        self.kind
    }

    /// The layers inside.
    pub fn inner(&self) -> &[Layer] {
        &self.inner
    }

    /// The settings beside their options.
    pub fn settings(&self) -> impl Iterator<Item = (&'static OptionRow, &Setting)> {
        self.kind.options.iter().zip(&self.settings)
    }

    /// The setting of an option.
    pub fn setting(&self, option: &str) -> &Setting {
        let at = self.kind.options.iter().position(|o| o.name == option);
        at.and_then(|i| self.settings.get(i)).unwrap_or(&Setting::Absent)
    }

    /// The setting of an option that is a size; `None` where it is absent.
    pub(crate) fn size(&self, option: &str) -> Option<usize> {
        self.setting(option).number().map(|x| x.max(0.0) as usize)
    }

    /// The setting of an option that is a size and has one.
    pub(crate) fn size_or(&self, option: &str, other: usize) -> usize {
        self.size(option).unwrap_or(other)
    }

    /// The setting of an option that is one size for all axes, or a list with one size an axis.
    pub(crate) fn sizes(&self, option: &str, axes: usize) -> Option<Vec<usize>> {
        match self.setting(option) {
            Setting::List(list) => Some(list.iter().map(|x| x.max(0.0) as usize).collect()),
            other => other.number().map(|x| vec![x.max(0.0) as usize; axes]),
        }
    }

    /// The setting of an option that is a number; 0 where it is absent.
    pub(crate) fn real(&self, option: &str) -> f64 {
        self.setting(option).number().unwrap_or(0.0)
    }

    /// The setting of an option that is a list of numbers, or one number for all.
    pub(crate) fn reals(&self, option: &str) -> Vec<f64> {
        match self.setting(option) {
            Setting::List(list) => list.clone(),
            other => other.number().into_iter().collect(),
        }
    }

    /// The setting of an option that is true or false.
    pub(crate) fn flag(&self, option: &str) -> bool {
        matches!(self.setting(option), Setting::Boolean(true))
    }

    /// The setting of an option that is a word; empty where it is none.
    pub(crate) fn word(&self, option: &str) -> &str {
        match self.setting(option) {
            Setting::Word(word) => word,
            _ => "",
        }
    }

    /// The setting of an option that is a text; empty where it is none.
    pub(crate) fn text(&self, option: &str) -> &str {
        match self.setting(option) {
            Setting::Text(text) => text,
            _ => "",
        }
    }

    /// How many inputs it looks at: the most that it or a layer inside takes.
    pub fn takes(&self) -> usize {
        let inside = self.inner.iter().map(Layer::takes);
        match (self.kind.name, self.kind.inputs.1) {
            ("input", _) => self.size_or("index", 0) + 1,
            ("transformer_block", most) => {
                if self.flag("cross") {
                    most
                } else {
                    1
                }
            }
            // its first layer sees the inputs from the second on
            ("conditioned", _) => {
                inside.enumerate().map(|(i, n)| if i == 0 { n + 1 } else { n }).max().unwrap_or(2)
            }
            (_, usize::MAX) => inside.max().unwrap_or(1),
            (_, most) => most,
        }
    }

    /// Whether it leaves numbers out at random in training.
    pub fn drops(&self) -> bool {
        let own = self.kind.name == "dropout" || self.real("dropout") > 0.0;
        own || self.inner.iter().any(Layer::drops)
    }

    /// How many layers stand inside each other, itself counted.
    pub(crate) fn depth(&self) -> usize {
        let (mut deepest, mut open) = (0, vec![(self, 1)]);
        while let Some((layer, depth)) = open.pop() {
            deepest = deepest.max(depth);
            open.extend(layer.inner.iter().map(|l| (l, depth + 1)));
        }
        deepest
    }

    /// Whether every layer is a closed formula, so that the network is an expression.
    pub fn analytic(&self) -> bool {
        self.kind.traits.analytic && self.inner.iter().all(Layer::analytic)
    }

    /// Whether gradients of gradients are right in every layer.
    pub fn second_derivatives(&self) -> bool {
        self.kind.traits.second && self.inner.iter().all(Layer::second_derivatives)
    }

    /// The first place where another network differs, in words; `None` where it is the same.
    pub fn difference(&self, other: &Layer) -> Option<String> {
        if self == other {
            return None;
        }
        let same_outside = self.kind == other.kind && self.settings == other.settings;
        if !same_outside || self.inner.len() != other.inner.len() {
            let count = |l: &Layer| {
                if same_outside { format!("{} of {} layers", l.kind.name, l.inner.len()) } else { l.short() }
            };
            return Some(format!("{} here, {} there", count(self), count(other)));
        }
        let inside = self.inner.iter().zip(&other.inner).enumerate();
        inside
            .filter_map(|(i, (a, b))| a.difference(b).map(|d| format!("{}[{i}] {d}", self.kind.name)))
            .next()
    }

    /// The layer in a few words for messages: what stands inside is left out.
    pub fn short(&self) -> String {
        if self.inner.is_empty() { self.to_string() } else { format!("{}(...)", self.kind.name) }
    }
}

impl Kind {
    /// The declaration of the kind in the language's library.
    pub fn declaration(&self) -> String {
        let mut entries: Vec<String> = match self.inner {
            Inner::None => Vec::new(),
            Inner::Named(names) => names.iter().map(|n| format!("{n}: network")).collect(),
            Inner::Some => vec!["layers: network...".into()],
        };
        entries.extend(self.options.iter().map(OptionRow::declaration));
        let options = self.options.iter().map(|o| format!("## {}: {}\n", o.name, o.docs));
        format!(
            "## {}\n{}extern {}({}) -> network",
            self.docs,
            options.collect::<String>(),
            self.name,
            entries.join(", ")
        )
    }

    fn unknown_option(&self, found: &str) -> NetworkError {
        let names: Vec<_> = self.options.iter().map(|o| o.name).collect();
        NetworkError::UnknownOption {
            layer: self.name,
            options: if names.is_empty() { "it has none".into() } else { names.join(", ") },
            found: found.to_string(),
            nearest: suggest::nearest(found, names).map(str::to_string),
        }
    }
}
