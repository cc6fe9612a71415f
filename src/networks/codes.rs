//! What the codes of the layer mean.

/// Code, title, explanation.
pub const CODES: &[(u16, &str, &str)] = &[
    (
        4201,
        "unknown layer",
        "No layer has this name. The layers are listed in the reference of `networks.layers`.",
    ),
    (4202, "unknown option of a layer", "The layer has no such option; the message lists those it has."),
    (
        4203,
        "missing option of a layer",
        "An option without a default must be given: `dense(32)`, `conv(16, 3)`.",
    ),
    (
        4204,
        "value of a layer's option",
        "The value is not of the option's type or out of its range. The message says what is allowed.",
    ),
    (
        4205,
        "layers inside a layer",
        "Some layers hold others: `residual` one, `deep_set` two, `chain` and `parallel` one or more. Here their number is wrong.",
    ),
    (
        4206,
        "text of a network",
        "A stored network is read back from its text; this text is not that of a network.",
    ),
    (
        4207,
        "shapes do not fit",
        "A layer cannot take what the one before gives. Sizes are told without the rows: `[features]`, `[length, features]`, \
         `[channels, height, width]`. The message names the layer by its place in the network.",
    ),
    (
        4208,
        "sizes do not divide",
        "Pooling, patches, groups and heads divide a size into equal parts; here a rest is left. Choose another size, or give \
         `pool` a stride, which leaves out what no whole window covers.",
    ),
    (
        4209,
        "number of inputs",
        "The network takes another number of inputs than it was given (`second:` is the second one).",
    ),
    (4210, "shape of an input", "The rows do not have the sizes for which the model was built."),
    (
        4211,
        "tokens",
        "A network that begins with `embedding` takes whole numbers from 0 to below its vocabulary.",
    ),
    (4212, "number of values", "Weights were put in that are more or fewer than the network has."),
    (
        4213,
        "another architecture",
        "The weights belong to a network with other layers or sizes; the message names the first difference.",
    ),
    (
        4214,
        "file of weights",
        "The file is no safetensors file, is cut short, or holds other variables than the network.",
    ),
    (
        4215,
        "tensor operation",
        "An operation on tensors failed although shapes had been checked. This is a fault of phys: please report it.",
    ),
    (
        4216,
        "no closed formula",
        "`symbolic` writes networks of dense layers, activations and their combinations as expressions. A convolution, a \
         normalisation by statistics or attention has no such form here; the message names the layer by its place.",
    ),
    (
        4217,
        "rows of different lengths",
        "The first axis of this input has another size in every row (`[..40, 3]`: up to 40), and the layer needs one size: \
         `flatten`, `reshape`, `pool` and their like have no meaning for it, and features do not vary. Layers that act on \
         every position, attention, recurrent layers and those of sets take such rows; `global_pool`, `attention_pool`, \
         `deep_set` and `average` make rows of one size of them.",
    ),
    (
        4218,
        "length of a row",
        "A row has fewer elements than the layer needs (a kernel without padding, an element by its index), more than \
         positions were trained, or another number than the same row of the input beside it.",
    ),
    (
        4240,
        "unknown name",
        "No optimizer, schedule, loss, metric or augmentation has this name; the message lists them.",
    ),
    (
        4241,
        "unknown setting",
        "An optimizer, schedule, loss or augmentation has no such setting; the message lists those it has.",
    ),
    (4242, "value of a setting", "A setting is out of its range; the message says what is allowed."),
    (
        4243,
        "not a finite number",
        "A cell of the data is NaN or infinite. The message names column and row; leave such rows out with `filter`.",
    ),
    (4244, "no rows", "Training needs at least one row."),
    (4245, "different lengths", "Inputs, target and weights must have the same number of rows."),
    (4246, "batch larger than the data", "A batch cannot have more rows than there are to train on."),
    (
        4247,
        "a class without rows",
        "The loss counts more classes than the rows to train on have. A network cannot learn a class that it never sees.",
    ),
    (
        4248,
        "class out of range",
        "A label is not below the number of outputs. Give the network one output for each class.",
    ),
    (
        4249,
        "loss and network do not fit",
        "The loss takes another target, or another number of outputs. `gaussian_nll` and `moments` take two outputs for each target.",
    ),
    (
        4250,
        "optimizer and objective do not fit",
        "Levenberg-Marquardt and the natural gradient need a loss that is a mean of squares; methods that find their own step \
         take no schedule and no clipping.",
    ),
    (
        4251,
        "option of a training",
        "An option of `train` is out of its range; the message says what is allowed.",
    ),
    (
        4252,
        "generator",
        "The simulator or the function that gives rows failed; the message has its words. After the first step it ends the \
         training, and what was learned is kept.",
    ),
    (
        4253,
        "stopped",
        "A long computation was stopped; a training takes its last step back and keeps its state.",
    ),
    (
        4257,
        "the loss diverged",
        "The loss became infinite, NaN, or very much larger than at the start. The message names the batch; the last good \
         weights are kept. A smaller rate, `clip: 1`, or a look at the rows that are named helps.",
    ),
    (
        4258,
        "single precision is coarse for a column",
        "A column varies by less than a ten-thousandth of its mean: dates, absolute temperatures, wavelengths of a line. Single \
         precision has seven digits in all. `precision: double` has sixteen; subtracting a round number from the column helps, too.",
    ),
    (
        4259,
        "a function that changes from step to step",
        "`lbfgs` and `levenberg_marquardt` compare losses and slopes of several steps. With a batch smaller than the data, or with \
         dropout, each step sees another function, and what they learn of the last is wrong for the next.",
    ),
    (
        4260,
        "errors that do not count",
        "The target has standard errors, and a training counts every row alike. `weights: w` gives each row a weight: with \
         w = 1/error^2 a mean of squares becomes a chi square.",
    ),
];
