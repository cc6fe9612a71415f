//! What an unknown name of a layer may mean.

use super::KINDS;
use crate::base::suggest;

/// Layers by the names that users of PyTorch and Keras type.
const ELSEWHERE: &[(&str, &str)] = &[
    ("linear", "dense"),
    ("fully_connected", "dense"),
    ("fc", "dense"),
    ("conv1d", "conv"),
    ("conv2d", "conv"),
    ("convolution", "conv"),
    ("convtranspose2d", "conv_transpose"),
    ("maxpool", "pool"),
    ("maxpool1d", "pool"),
    ("maxpool2d", "pool"),
    ("max_pool", "pool"),
    ("avgpool", "pool"),
    ("avgpool2d", "pool"),
    ("avg_pool", "pool"),
    ("adaptiveavgpool2d", "global_pool"),
    ("swish", "silu"),
    ("leakyrelu", "leaky_relu"),
    ("batchnorm", "batch_norm"),
    ("batchnorm1d", "batch_norm"),
    ("batchnorm2d", "batch_norm"),
    ("layernorm", "layer_norm"),
    ("groupnorm", "group_norm"),
    ("rmsnorm", "rms_norm"),
    ("sequential", "chain"),
    ("multiheadattention", "attention"),
];

/// The layer that another library calls by this name.
pub fn elsewhere(name: &str) -> Option<&'static str> {
    let lower = name.to_lowercase();
    ELSEWHERE.iter().find(|(other, _)| *other == lower).map(|(_, own)| *own)
}

/// The layer that an unknown name may mean: that of another library, else the nearest name.
pub fn meant(name: &str) -> Option<&'static str> {
    elsewhere(name).or_else(|| suggest::nearest(name, KINDS.iter().map(|k| k.name)))
}
