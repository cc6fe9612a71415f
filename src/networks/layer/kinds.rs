//! The table of layers: one row a kind.

use super::super::ops::{Activation, activate, log_softmax, softmax};
use super::attention::{Attention, Block};
use super::combine::{Chain, Conditioned, Each, Input, Parallel, Residual, Skip};
use super::conv::{Convolution, Transposed};
use super::dense::Dense;
use super::embed::{ClassToken, Embedding, Film, Fourier, Position, TimeEmbedding};
use super::equivariant::{GroupPool, Turned};
use super::formula::Formula;
use super::graph::MessagePassing;
use super::norm::Norm;
use super::pointwise::{Affine, AlongFeatures, Dropout, Fixed, Pointwise, sine};
use super::pool::{GlobalPool, Pool, Upsample};
use super::recurrent::Recurrent;
use super::reshape::{Mean, Patches, Reshape, Select};
use super::sets::{DeepSet, SetDense};
use super::{Behaviour, Inner, Kind, OptionRow, OptionType, Preset, Sample, Traits, Varying};

const fn option(name: &'static str, kind: OptionType, preset: Preset, docs: &'static str) -> OptionRow {
    OptionRow { name, kind, preset, docs }
}

const fn size(name: &'static str, docs: &'static str) -> OptionRow {
    option(name, OptionType::Size, Preset::Required, docs)
}

const fn flag(name: &'static str, preset: bool, docs: &'static str) -> OptionRow {
    option(name, OptionType::Boolean, Preset::Boolean(preset), docs)
}

const fn word(
    name: &'static str,
    words: &'static [&'static str],
    preset: &'static str,
    docs: &'static str,
) -> OptionRow {
    option(name, OptionType::Word(words), Preset::Word(preset), docs)
}

const BIAS: OptionRow = flag("bias", true, "Adds a trained number to every feature.");
const INIT: OptionRow = word(
    "init",
    &["auto", "he", "glorot", "lecun", "orthogonal", "zeros"],
    "auto",
    "First weights; auto goes by the activation that follows.",
);
const EPSILON: OptionRow =
    option("epsilon", OptionType::Positive, Preset::Real(1e-5), "Added to the variance.");
const AFFINE: OptionRow = flag("affine", true, "Scales and shifts every feature by trained numbers.");
const PADDING: OptionRow = option(
    "padding",
    OptionType::WordOrCount(&["same", "valid", "circular"]),
    Preset::Word("same"),
    "Numbers added at every edge: zeros so that stride 1 keeps the size (same), none (valid), the other side (circular), or so many zeros.",
);
const KERNEL: OptionRow =
    option("kernel", OptionType::Sizes, Preset::Required, "Size of the kernel, one number or one an axis.");
const CHANNELS: OptionRow = size("channels", "How many channels come out.");
const UNITS: OptionRow = size("units", "How many features come out.");
const HEADS: OptionRow = size("heads", "How many attentions side by side; divides the features.");
const CAUSAL: OptionRow = flag("causal", false, "Every position sees itself and those before it only.");
const SEQUENCE: OptionRow = flag("sequence", true, "Gives the state at every step, not the last one alone.");
const REVERSE: OptionRow = flag("reverse", false, "Goes from the last step to the first.");
const POOL: OptionRow = word("pool", &["mean", "sum", "max"], "mean", "How many elements become one.");
const MERGE: OptionRow = word(
    "merge",
    &["concat", "add", "multiply"],
    "concat",
    "Side by side along the features, or number by number.",
);

/// A closed formula; gradients of gradients are right.
const FORMULA: Traits = Traits { analytic: true, second: true, tokens: false };
/// No closed formula; gradients of gradients are right.
const SMOOTH: Traits = Traits { analytic: false, second: true, tokens: false };
/// Takes tokens.
const TOKENS: Traits = Traits { analytic: false, second: true, tokens: true };

/// A sample: the layer's source and the shapes of its inputs.
macro_rules! samples {
    ($($layer:literal: $([$($size:literal),*]),+;)*) => {
        &[$(Sample { layer: $layer, inputs: &[$(&[$($size),*]),+] }),*]
    };
}

const fn row(
    name: &'static str,
    docs: &'static str,
    options: &'static [OptionRow],
    traits: Traits,
    samples: &'static [Sample],
    behaviour: &'static dyn Behaviour,
) -> Kind {
    let varying = Varying::Refused(POOLED);
    Kind { name, docs, options, inner: Inner::None, inputs: (1, 1), traits, varying, samples, behaviour }
}

/// A kind without options that acts on every number by itself.
const fn activation(
    name: &'static str,
    docs: &'static str,
    samples: &'static [Sample],
    behaviour: &'static dyn Behaviour,
) -> Kind {
    numbers(row(name, docs, &[], FORMULA, samples, behaviour))
}

/// What makes rows of one length of rows that differ.
const POOLED: &str = "global_pool, attention_pool or deep_set before it";

/// Acting on every number by itself.
const fn numbers(kind: Kind) -> Kind {
    Kind { varying: Varying::Numbers, ..kind }
}

/// Acting on every position by itself.
const fn positions(kind: Kind) -> Kind {
    Kind { varying: Varying::Positions, ..kind }
}

/// Knowing which elements are there.
const fn elements(kind: Kind) -> Kind {
    Kind { varying: Varying::Elements, ..kind }
}

/// With layers inside, to which all inputs are passed on.
const fn around(inner: Inner, kind: Kind) -> Kind {
    Kind { inner, inputs: (1, usize::MAX), varying: Varying::Elements, ..kind }
}

/// With layers inside, which see one input.
const fn around_one(inner: Inner, kind: Kind) -> Kind {
    Kind { inner, varying: Varying::Elements, ..kind }
}

/// With another number of inputs.
const fn taking(least: usize, most: usize, kind: Kind) -> Kind {
    Kind { inputs: (least, most), ..kind }
}

/// All kinds of layers.
#[rustfmt::skip]
pub static KINDS: &[Kind] = &[
    // dense and convolutions
    positions(row("dense", "W x + b along the features, at every position.",
        &[UNITS, BIAS, INIT], FORMULA,
        samples!["dense(3)": [4]; "dense(3, bias: false, init: orthogonal)": [5, 4]; "dense(5, init: orthogonal)": [2];],
        &Dense)),
    elements(row("conv", "A correlation of a sequence or an image with trained kernels.",
        &[CHANNELS, KERNEL,
            option("stride", OptionType::Sizes, Preset::Integer(1), "Positions from one place of the kernel to the next."),
            PADDING,
            option("dilation", OptionType::Sizes, Preset::Integer(1), "Positions from one number of the kernel to the next."),
            option("groups", OptionType::Size, Preset::Integer(1), "Groups of channels that do not mix."),
            BIAS, INIT],
        SMOOTH,
        samples![
            "conv(3, 3)": [2, 5, 4]; "conv(4, 3, stride: 2, bias: false)": [2, 5, 6]; "conv(2, [2, 3], padding: valid)": [3, 4, 5];
            "conv(2, 3, padding: circular, dilation: 2)": [2, 5, 6]; "conv(4, 2, padding: 1, groups: 2)": [2, 4, 3];
            "conv(3, 4, stride: 2, padding: circular)": [1, 6, 6]; "conv(3, 3)": [7, 2]; "conv(4, 4, stride: 3, groups: 2)": [8, 2];
            "conv(3, 3, padding: circular)": [5, 2]; "conv(2, 3, stride: [1, 2], padding: valid, dilation: 2)": [1, 6, 7];],
        &Convolution)),
    row("conv_transpose", "The transpose of a convolution: a stride s makes s times as many positions.",
        &[CHANNELS, KERNEL,
            option("stride", OptionType::Sizes, Preset::Integer(2), "Positions that one becomes."),
            option("padding", OptionType::WordOrCount(&["same", "valid"]), Preset::Word("same"),
                "What is cut off: all beyond s times the size (same), nothing (valid), or so many numbers at every edge."),
            BIAS, INIT],
        SMOOTH,
        samples!["conv_transpose(3, 2)": [2, 3, 4]; "conv_transpose(2, 4)": [3, 3, 2]; "conv_transpose(2, 3, stride: 1, padding: valid, bias: false)": [2, 3, 3];
            "conv_transpose(3, 3, padding: 1)": [4, 2]; "conv_transpose(2, 3)": [5, 2];],
        &Transposed),
    positions(row("formula", "A law of the features x0, x1, ... at every position; its constants c0, c1, ... are trained from these.",
        &[option("law", OptionType::Text, Preset::Required, "The law."),
            option("constants", OptionType::Reals, Preset::Absent, "The first values of its constants."),
            option("inputs", OptionType::Text, Preset::Absent, "The names of its features, with their units: `x [m], t [s]`."),
            option("params", OptionType::Text, Preset::Absent, "The names of its constants, with their units."),
            option("gives", OptionType::Text, Preset::Absent, "The unit of its value.")],
        FORMULA,
        samples![r#"formula("c0*exp(-c1*x0)*cos(x1)", constants: [1.5, 0.3])"#: [2]; r#"formula("x0^2/(1 + x1^2)")"#: [3, 2]; r#"formula("c0*x0 + tanh(c0*x1)", constants: 0.7)"#: [2];
            r#"formula("c0*x1 + x0", constants: 1.5, inputs: "x [m], t [s]", params: "v [m/s]", gives: "m")"#: [2];],
        &Formula)),
    // resolution
    row("upsample", "More positions: every number repeated, or straight lines between neighbours.",
        &[option("factor", OptionType::Sizes, Preset::Required, "How many positions one becomes."),
            word("mode", &["nearest", "linear"], "nearest", "Repeats, or interpolates.")],
        SMOOTH,
        samples!["upsample(2)": [2, 3, 4]; "upsample(3, mode: linear)": [1, 3, 2]; "upsample([1, 2])": [2, 2, 3]; "upsample(2)": [3, 2]; "upsample(2, mode: linear)": [4, 2];],
        &Upsample),
    row("pool", "The greatest number or the mean of windows.",
        &[option("size", OptionType::Sizes, Preset::Required, "Size of a window; divides the input unless a stride is given."),
            option("stride", OptionType::Sizes, Preset::Absent, "From one window to the next; the size unless given. What no whole window covers is left out."),
            word("kind", &["max", "mean"], "max", "What a window becomes.")],
        SMOOTH,
        samples!["pool(2)": [2, 4, 6]; "pool(3, kind: mean)": [2, 3, 6]; "pool(3, stride: 2)": [2, 7, 6]; "pool([1, 2], kind: mean)": [2, 3, 4]; "pool(2)": [6, 3]; "pool(3, stride: 1, kind: mean)": [5, 2];],
        &Pool),
    elements(row("global_pool", "One number a feature from all positions; their order does not matter.",
        &[word("kind", &["mean", "max", "sum"], "mean", "What the positions become.")],
        SMOOTH,
        samples!["global_pool": [3, 4, 5]; "global_pool(kind: max)": [2, 3, 3]; "global_pool(kind: sum)": [5, 3]; "global_pool(kind: max)": [4, 2];],
        &GlobalPool)),
    // normalisation
    elements(row("batch_norm", "Every feature with mean 0 and variance 1 over the batch and all positions; evaluated with running means.",
        &[option("momentum", OptionType::Fraction, Preset::Real(0.1), "Share of the batch in the running means."), EPSILON, AFFINE],
        SMOOTH,
        samples!["batch_norm": [3]; "batch_norm(affine: false)": [4, 3]; "batch_norm": [2, 3, 4];],
        &Norm::Batch)),
    positions(row("layer_norm", "All features of a position with mean 0 and variance 1.",
        &[EPSILON, AFFINE], SMOOTH,
        samples!["layer_norm": [4]; "layer_norm(affine: false)": [3, 5]; "layer_norm": [4, 2, 3];],
        &Norm::Layer)),
    elements(row("group_norm", "The features of a group, at all positions, with mean 0 and variance 1.",
        &[size("groups", "How many groups; divides the features."), EPSILON, AFFINE], SMOOTH,
        samples!["group_norm(2)": [4, 3, 2]; "group_norm(1)": [3, 4]; "group_norm(2, affine: false)": [6];],
        &Norm::Group)),
    positions(row("rms_norm", "All features of a position over the root of their mean square.",
        &[EPSILON, AFFINE], SMOOTH,
        samples!["rms_norm": [4]; "rms_norm": [3, 4]; "rms_norm(affine: false)": [3, 2, 2];],
        &Norm::Rms)),
    numbers(row("normalise", "(x - mean)/deviation with fixed numbers, one or one a feature.",
        &[option("mean", OptionType::Reals, Preset::Required, "Taken off."), option("deviation", OptionType::Reals, Preset::Required, "Divided by; above 0.")],
        FORMULA,
        samples!["normalise(0.5, 2.0)": [3]; "normalise([1, 2], [0.5, 3])": [2, 3, 2];],
        &Affine::Normalise)),
    numbers(row("scale", "factor x + shift with fixed numbers, one or one a feature.",
        &[option("factor", OptionType::Reals, Preset::Required, "Multiplied by."), option("shift", OptionType::Reals, Preset::Real(0.0), "Added.")],
        FORMULA,
        samples!["scale(3.0)": [3]; "scale([1, 2], shift: 0.5)": [4, 2];],
        &Affine::Scale)),
    // activations
    activation("identity", "x as it is.", samples!["identity": [3];], &Pointwise(|x, _| Ok(x.clone()))),
    activation("relu", "max(x, 0).", samples!["relu": [5]; "relu": [2, 2, 3];], &Fixed(Activation::Relu)),
    numbers(row("leaky_relu", "x above 0, slope x below.",
        &[option("slope", OptionType::Real, Preset::Real(0.01), "Slope below 0.")],
        FORMULA, samples!["leaky_relu": [5]; "leaky_relu(slope: 0.2)": [2, 3];],
        &Pointwise(|x, layer| activate(x, Activation::LeakyRelu(layer.real("slope")))))),
    numbers(row("elu", "x above 0, alpha (exp(x) - 1) below.",
        &[option("alpha", OptionType::Positive, Preset::Real(1.0), "Its limit is -alpha.")],
        FORMULA, samples!["elu": [5]; "elu(alpha: 0.5)": [2, 3];],
        &Pointwise(|x, layer| activate(x, Activation::Elu(layer.real("alpha")))))),
    activation("selu", "A scaled elu that keeps mean 0 and variance 1 (Klambauer et al. 2017).", samples!["selu": [5];], &Fixed(Activation::Selu)),
    activation("gelu", "x times the normal distribution's share below x (Hendrycks & Gimpel 2016).", samples!["gelu": [5]; "gelu": [2, 3];], &Fixed(Activation::Gelu)),
    activation("silu", "x/(1 + exp(-x)).", samples!["silu": [5];], &Fixed(Activation::Silu)),
    activation("tanh", "The hyperbolic tangent.", samples!["tanh": [5]; "tanh": [2, 3];], &Fixed(Activation::Tanh)),
    activation("sigmoid", "1/(1 + exp(-x)).", samples!["sigmoid": [5];], &Fixed(Activation::Sigmoid)),
    activation("softplus", "log(1 + exp(x)).", samples!["softplus": [5];], &Fixed(Activation::Softplus)),
    activation("softsign", "x/(1 + |x|).", samples!["softsign": [5];], &Fixed(Activation::Softsign)),
    activation("sin", "The sine.", samples!["sin": [5]; "sin": [2, 3];], &Fixed(Activation::Sin)),
    numbers(row("sine", "sin(frequency x) (Sitzmann et al. 2020).",
        &[option("frequency", OptionType::Real, Preset::Real(30.0), "Multiplies x.")],
        FORMULA, samples!["sine": [5]; "sine(frequency: 3.0)": [2, 3];], &Pointwise(sine))),
    positions(activation("softmax", "exp(x) over its sum along the features.", samples!["softmax": [4]; "softmax": [3, 2]; "softmax": [3, 2, 2];], &AlongFeatures(softmax))),
    positions(activation("log_softmax", "x - log(sum of exp(x)) along the features.", samples!["log_softmax": [4]; "log_softmax": [3, 2]; "log_softmax": [3, 2, 2];], &AlongFeatures(log_softmax))),
    numbers(row("dropout", "In training drops numbers at random and divides those kept by their share; else x as it is.",
        &[option("rate", OptionType::Fraction, Preset::Required, "Share that is dropped.")],
        FORMULA, samples!["dropout(0.3)": [8]; "dropout(0.5)": [2, 3, 3];], &Dropout)),
    // rearranging
    row("flatten", "All numbers along one axis.", &[], FORMULA, samples!["flatten": [2, 3, 2]; "flatten": [4];], &Reshape::Flat),
    row("reshape", "The same numbers in another shape.",
        &[option("shape", OptionType::Sizes, Preset::Required, "The sizes, without the batch.")],
        FORMULA, samples!["reshape([2, 6])": [3, 4]; "reshape([3, 2, 2])": [12];], &Reshape::Given),
    row("patches", "An image as a sequence of square patches.",
        &[size("size", "Pixels along the side of a patch.")],
        SMOOTH, samples!["patches(2)": [3, 4, 6]; "patches(1)": [2, 2, 2];], &Patches),
    elements(row("average", "The mean along an axis, which goes.",
        &[option("axis", OptionType::Count, Preset::Integer(0), "Which axis, from 0, the batch not counted.")],
        SMOOTH, samples!["average": [4, 3]; "average(axis: 1)": [2, 4, 3];], &Mean)),
    elements(row("element", "One element along the first axis.",
        &[option("index", OptionType::Integer, Preset::Required, "From 0; a negative one counts from the end.")],
        SMOOTH, samples!["element(0)": [4, 3]; "element(-1)": [3, 2, 2];], &Select)),
    // places, times, tokens
    elements(row("embedding", "A trained row of numbers for every token.",
        &[size("vocabulary", "How many tokens there are."), size("width", "Numbers a token.")],
        TOKENS, samples!["embedding(5, 3)": [6];], &Embedding)),
    elements(row("position", "Adds a row of numbers of its own to every position.",
        &[word("kind", &["learned", "sinusoidal"], "learned", "Trained, or sines and cosines.")],
        SMOOTH, samples!["position": [4, 3]; "position(kind: sinusoidal)": [5, 4];], &Position)),
    elements(row("class_token", "Puts a trained row before a sequence.", &[], SMOOTH, samples!["class_token": [3, 4];], &ClassToken)),
    row("time_embedding", "Sines and cosines of a time, at geometric wave numbers.",
        &[size("width", "How many numbers come out; even."),
            option("period", OptionType::Positive, Preset::Real(10_000.0), "The longest wave over 2 pi.")],
        FORMULA, samples!["time_embedding(6)": [1]; "time_embedding(2, period: 10.0)": [1];], &TimeEmbedding),
    positions(row("fourier", "Sines and cosines of fixed random directions.",
        &[size("waves", "How many directions; twice as many numbers come out."),
            option("scale", OptionType::Positive, Preset::Real(1.0), "Standard deviation of the wave numbers over 2 pi.")],
        FORMULA, samples!["fourier(3)": [2]; "fourier(2, scale: 0.3)": [3, 2];], &Fourier)),
    taking(2, 2, positions(row("film", "Scales and shifts every feature by dense functions of the second input; the identity at first.",
        &[], SMOOTH,
        samples!["film": [3], [2]; "film": [4, 3], [2]; "film": [2, 3, 3], [4];],
        &Film))),
    // sequences
    elements(row("attention", "Every position of a sequence looks at all others.",
        &[HEADS, CAUSAL], SMOOTH,
        samples!["attention(2)": [3, 4]; "attention(1, causal: true)": [4, 3];], &Attention::Own)),
    taking(2, 2, elements(row("cross_attention", "Every position of a sequence looks at those of the second input.",
        &[HEADS], SMOOTH,
        samples!["cross_attention(2)": [3, 4], [5, 6]; "cross_attention(1)": [2, 3], [1, 3];], &Attention::Cross))),
    elements(row("attention_pool", "Trained queries look at all elements: so many rows from any number of them.",
        &[HEADS, option("seeds", OptionType::Size, Preset::Integer(1), "How many queries.")], SMOOTH,
        samples!["attention_pool(2)": [3, 4]; "attention_pool(1, seeds: 3)": [5, 2];], &Attention::Pool)),
    taking(1, 2, elements(row("transformer_block", "Attention and two dense layers, each in a residual with a normalisation.",
        &[HEADS,
            option("hidden", OptionType::Size, Preset::Absent, "Features between the dense layers; four times the width unless given."),
            CAUSAL,
            flag("cross", false, "Looks at the second input, too."),
            word("norm", &["before", "after"], "before", "Where the normalisation stands."),
            word("activation", &["gelu", "relu", "silu", "tanh"], "gelu", "Between the dense layers."),
            option("dropout", OptionType::Fraction, Preset::Real(0.0), "Share dropped at the end of every residual.")],
        SMOOTH,
        samples!["transformer_block(2)": [3, 4]; "transformer_block(1, hidden: 3, causal: true, norm: after)": [3, 2];
            "transformer_block(2, hidden: 5, cross: true, dropout: 0.2)": [3, 4], [2, 6];], &Block))),
    elements(row("gru", "A gated recurrent unit along a sequence.",
        &[UNITS, SEQUENCE, REVERSE], SMOOTH,
        samples!["gru(3)": [4, 2]; "gru(2, sequence: false)": [3, 3]; "gru(2, reverse: true)": [3, 2];], &Recurrent::Gru)),
    elements(row("lstm", "Long short-term memory along a sequence. In its weights the gates stand as i, f, o, g (those of PyTorch as i, f, g, o).",
        &[UNITS, SEQUENCE, REVERSE], SMOOTH,
        samples!["lstm(3)": [4, 2]; "lstm(2, sequence: false)": [3, 3]; "lstm(2, reverse: true)": [3, 2];], &Recurrent::Lstm)),
    // sets and graphs
    around_one(Inner::Named(&["element", "readout"]), row("deep_set", "A network of every element, pooled, then a network of the pool.",
        &[POOL], SMOOTH,
        samples!["deep_set(chain(dense(4), tanh), dense(2))": [3, 2]; "deep_set(chain(dense(3), silu), identity, pool: max)": [4, 2];
            "deep_set(dense(2), tanh, pool: sum)": [3, 3];], &DeepSet)),
    elements(row("set_dense", "W x_i + V pool(x) + b: a dense layer of a set's elements that see each other through a pool.",
        &[UNITS, POOL, INIT], SMOOTH,
        samples!["set_dense(3)": [4, 2]; "set_dense(2, pool: max)": [3, 2]; "set_dense(2, pool: sum)": [1, 2];], &SetDense)),
    taking(1, 2, elements(row("message_passing", "Every node hears from its nearest nodes; the second input is the points, else the first.",
        &[UNITS,
            option("neighbours", OptionType::Size, Preset::Integer(8), "How many nearest nodes are heard."),
            option("hidden", OptionType::Size, Preset::Absent, "Features of messages; the units unless given."),
            option("box", OptionType::Reals, Preset::Absent, "Lengths of the periodic box, one or one a dimension."),
            word("edges", &["displacement", "distance"], "displacement",
                "Messages see displacement and distance, or the distance alone: then turning the points changes nothing."),
            POOL],
        SMOOTH,
        samples!["message_passing(3, neighbours: 2)": [4, 2], [4, 3]; "message_passing(2, neighbours: 2, hidden: 4, box: 1.5, pool: sum)": [5, 2];
            "message_passing(2, neighbours: 3, box: [2, 3], edges: distance, pool: max)": [5, 1], [5, 2];], &MessagePassing))),
    // symmetric under turns and reflections of the square
    row("d4_lift", "A convolution of an image with the eight turned and mirrored copies of every kernel.",
        &[size("channels", "Kernels; eight times as many channels come out."), size("kernel", "Pixels along the side of a kernel."), PADDING, BIAS, INIT],
        SMOOTH,
        samples!["d4_lift(2, 3)": [2, 4, 4]; "d4_lift(1, 2, padding: valid, bias: false)": [1, 3, 4]; "d4_lift(1, 3, padding: circular)": [1, 3, 3];],
        &Turned::Lift),
    row("d4_conv", "A convolution of channels in eights that turns as they do.",
        &[size("channels", "Kernels; eight times as many channels come out."), size("kernel", "Pixels along the side of a kernel."), PADDING, BIAS, INIT],
        SMOOTH,
        samples!["d4_conv(1, 3)": [8, 3, 3]; "d4_conv(2, 1)": [16, 2, 2]; "d4_conv(1, 3, padding: circular, bias: false)": [8, 4, 3];],
        &Turned::Conv),
    row("d4_norm", "A batch_norm whose numbers the eight copies share.",
        &[option("momentum", OptionType::Fraction, Preset::Real(0.1), "Share of the batch in the running means."), EPSILON, AFFINE],
        SMOOTH, samples!["d4_norm": [8, 2, 2]; "d4_norm(affine: false)": [16, 2, 1];], &Norm::Turned),
    row("d4_pool", "One channel of every eight.",
        &[word("kind", &["max", "mean"], "max", "What the copies become.")],
        SMOOTH, samples!["d4_pool": [16, 2, 2]; "d4_pool(kind: mean)": [8, 3, 2]; "d4_pool": [16];], &GroupPool),
    // combinations
    around(Inner::Some, row("chain", "Layers one after the other.",
        &[], FORMULA,
        samples!["chain(dense(3), tanh, dense(2))": [4]; "chain(conv(2, 3), batch_norm, relu, pool(2), flatten, dense(3))": [1, 4, 4];
            "chain(dense(4), cross_attention(2), element(0))": [3, 2], [2, 3];], &Chain)),
    around(Inner::Named(&["inner"]), row("residual", "x plus what the layer inside makes of it, projected where the shapes differ.",
        &[], FORMULA,
        samples!["residual(chain(dense(4), tanh, dense(3)))": [3]; "residual(dense(2))": [4, 3]; "residual(chain(conv(4, 3, stride: 2), batch_norm, relu))": [2, 5, 4];
            "residual(conv(2, 3))": [2, 3, 3]; "residual(d4_conv(2, 3))": [8, 3, 3];], &Residual)),
    around(Inner::Some, row("parallel", "Layers side by side on the same inputs, merged.",
        &[MERGE], FORMULA,
        samples!["parallel(dense(2), chain(dense(3), tanh))": [3]; "parallel(conv(2, 1), conv(2, 3), merge: add)": [2, 3, 3];
            "parallel(dense(3), chain(dense(3), sigmoid), merge: multiply)": [2, 3]; "parallel(chain(input(0), dense(2)), chain(input(1), dense(3)))": [3], [2];], &Parallel)),
    around(Inner::Named(&["inner"]), row("skip", "The input merged with what the layer inside makes of it.",
        &[MERGE], FORMULA,
        samples!["skip(dense(2))": [3]; "skip(chain(pool(2), conv(3, 3), upsample(2)))": [2, 4, 4]; "skip(dense(3), merge: multiply)": [2, 3];], &Skip)),
    taking(2, usize::MAX, around_one(Inner::Named(&["context", "network"]), row("conditioned",
        "The second input goes through the first layer inside, then both into the second: an encoder and its decoder, a time and its network.",
        &[], FORMULA,
        samples!["conditioned(chain(time_embedding(4), dense(3), silu), chain(dense(4), film, dense(2)))": [3], [1];
            "conditioned(dense(3), cross_attention(1))": [2, 4], [3, 2];], &Conditioned))),
    taking(1, usize::MAX, elements(row("input", "One of several inputs.",
        &[option("index", OptionType::Count, Preset::Required, "Which, from 0.")],
        FORMULA, samples!["input(0)": [3]; "input(1)": [2], [3];], &Input))),
    around_one(Inner::Named(&["inner"]), row("each", "The layer inside at every element along the first axis.",
        &[], FORMULA, samples!["each(chain(dense(3), tanh))": [4, 2]; "each(chain(conv(2, 3), global_pool))": [2, 4, 2]; "each(chain(conv(2, 3), tanh, global_pool))": [3, 1, 3, 2];], &Each)),
];
