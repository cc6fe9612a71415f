//! Convolutions of images `[n, c, h, w]` and sequences `[n, c, l]`, and their transposes.
//! Replaces candle's, whose backward is slow and in one dimension wrong. All of stride, padding,
//! dilation and groups. Second derivatives: yes, of any order (each backward is made of these
//! operations).

use candle_core::{Result, Shape, Tensor, WithDType};

use super::conv_kernel::{self as kernel, Sizes};
use super::custom::{Gradients, View, apply, shape_error, wants};
use super::real::by_type;
use super::reduce::channel_sum;

/// How a convolution moves. Pairs are (vertical, horizontal).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Conv {
    /// Pixels between two results.
    pub stride: (usize, usize),
    /// Zeros added on each side.
    pub padding: (usize, usize),
    /// Pixels between two taps of the kernel.
    pub dilation: (usize, usize),
    /// Groups of channels that do not see each other.
    pub groups: usize,
}

impl Default for Conv {
    fn default() -> Conv {
        Conv { stride: (1, 1), padding: (0, 0), dilation: (1, 1), groups: 1 }
    }
}

impl Conv {
    /// Stride 1 with this padding.
    pub fn padded(padding: usize) -> Conv {
        Conv { padding: (padding, padding), ..Conv::default() }
    }
    /// With this stride both ways.
    pub fn stride(self, stride: usize) -> Conv {
        Conv { stride: (stride, stride), ..self }
    }
    /// With this dilation both ways.
    pub fn dilation(self, dilation: usize) -> Conv {
        Conv { dilation: (dilation, dilation), ..self }
    }
    /// With these groups.
    pub fn groups(self, groups: usize) -> Conv {
        Conv { groups, ..self }
    }
    fn flat(self) -> Conv {
        Conv {
            stride: (1, self.stride.1),
            padding: (0, self.padding.1),
            dilation: (1, self.dilation.1),
            ..self
        }
    }
    /// Length of the result along one axis: floor((n + 2 p - d (k - 1) - 1) / s) + 1.
    /// `None` if the kernel is longer than the padded image.
    pub fn extent(n: usize, kernel: usize, stride: usize, padding: usize, dilation: usize) -> Option<usize> {
        (n + 2 * padding).checked_sub(dilation * (kernel - 1) + 1).map(|m| m / stride + 1)
    }
}

fn sizes(name: &'static str, image: &[usize], kernel: &[usize], conv: &Conv) -> Result<Sizes> {
    let (&[n, ci, h, w], &[co, in_group, kh, kw]) = (image, kernel) else {
        return Err(shape_error(name, "an image [n, c, h, w] and a kernel [out, in / groups, h, w]", image));
    };
    let Conv { stride: s, padding: p, dilation: d, groups } = *conv;
    if s.0 * s.1 * d.0 * d.1 * groups * kh * kw * co * in_group == 0 {
        return Err(shape_error(name, "stride, dilation, groups and kernel of at least 1", kernel));
    }
    if ci != in_group * groups || co % groups != 0 {
        return Err(shape_error(
            name,
            format!("a kernel [multiple of {groups}, {ci} / {groups}, ..]"),
            kernel,
        ));
    }
    match (Conv::extent(h, kh, s.0, p.0, d.0), Conv::extent(w, kw, s.1, p.1, d.1)) {
        (Some(oh), Some(ow)) => Ok(Sizes {
            n,
            ci,
            co,
            image: [h, w],
            kernel: [kh, kw],
            out: [oh, ow],
            stride: [s.0, s.1],
            padding: [p.0, p.1],
            dilation: [d.0, d.1],
            groups,
        }),
        _ => Err(shape_error(name, format!("an image not smaller than the kernel {kh} x {kw}"), image)),
    }
}

fn with_bias<'a>(a: &'a Tensor, b: &'a Tensor, bias: Option<&'a Tensor>) -> Vec<&'a Tensor> {
    let mut all = vec![a, b];
    all.extend(bias);
    all
}

/// x `[n, in, h, w]`, kernel `[out, in / groups, kh, kw]`, bias `[out]` -> `[n, out, oh, ow]` with
/// oh = floor((h + 2 p - d (kh - 1) - 1) / s) + 1: a correlation (the kernel is not turned).
pub fn conv2d(x: &Tensor, kernel: &Tensor, bias: Option<&Tensor>, conv: &Conv) -> Result<Tensor> {
    let d = sizes("conv2d", x.dims(), kernel.dims(), conv)?;
    check_bias("conv2d", bias, d.co)?;
    forward(x, kernel, bias, d)
}

/// x `[n, in, l]`, kernel `[out, in / groups, k]`, bias `[out]` -> `[n, out, ol]`. Of `conv` the
/// horizontal numbers count.
pub fn conv1d(x: &Tensor, kernel: &Tensor, bias: Option<&Tensor>, conv: &Conv) -> Result<Tensor> {
    let (Ok(_), Ok(_)) = (x.dims3(), kernel.dims3()) else {
        return Err(shape_error("conv1d", "x [n, c, l] and a kernel [out, in / groups, l]", x.dims()));
    };
    conv2d(&x.unsqueeze(2)?, &kernel.unsqueeze(2)?, bias, &conv.flat())?.squeeze(2)
}

/// x `[n, in, h, w]`, kernel `[in, out / groups, kh, kw]`, bias `[out]` -> `[n, out, oh, ow]` with
/// oh = (h - 1) s - 2 p + d (kh - 1) + 1 + extra: the transpose of [`conv2d`] with these numbers.
pub fn conv_transpose2d(
    x: &Tensor,
    kernel: &Tensor,
    bias: Option<&Tensor>,
    conv: &Conv,
    extra: (usize, usize),
) -> Result<Tensor> {
    const NAME: &str = "conv_transpose2d";
    let (&[n, ci, h, w], &[_, out_group, kh, kw]) = (x.dims(), kernel.dims()) else {
        return Err(shape_error(NAME, "x [n, c, h, w] and a kernel [in, out / groups, h, w]", x.dims()));
    };
    let length = |n: usize, k: usize, s: usize, p: usize, d: usize, extra: usize| {
        if extra >= s.max(d) {
            return None;
        }
        (n.checked_sub(1)? * s + d * k.checked_sub(1)? + 1 + extra).checked_sub(2 * p).filter(|l| *l > 0)
    };
    let Conv { stride: s, padding: p, dilation: dil, groups } = *conv;
    let (Some(oh), Some(ow)) =
        (length(h, kh, s.0, p.0, dil.0, extra.0), length(w, kw, s.1, p.1, dil.1, extra.1))
    else {
        return Err(shape_error(
            NAME,
            "a result of at least one pixel and an extra below the stride",
            x.dims(),
        ));
    };
    let mut d = sizes(NAME, &[n, out_group * groups, oh, ow], kernel.dims(), conv)?;
    if d.co != ci {
        return Err(shape_error(NAME, format!("a kernel [{ci}, ..]"), kernel.dims()));
    }
    d.out = [h, w];
    check_bias(NAME, bias, d.ci)?;
    backward_input(x, kernel, bias, d)
}

fn check_bias(name: &'static str, bias: Option<&Tensor>, channels: usize) -> Result<()> {
    match bias {
        Some(b) if b.dims() != [channels] => Err(shape_error(name, format!("a bias [{channels}]"), b.dims())),
        _ => Ok(()),
    }
}

fn forward(x: &Tensor, k: &Tensor, bias: Option<&Tensor>, d: Sizes) -> Result<Tensor> {
    let dtype = x.dtype();
    apply(
        "conv2d",
        &with_bias(x, k, bias),
        move |v: &[View]| {
            by_type!(dtype, "conv2d", T => {
                let bias = v.get(2).map(|b| b.slice::<T>()).transpose()?;
                let y = kernel::forward::<T>(v[0].slice()?, v[1].slice()?, bias, &d);
                Ok((T::to_cpu_storage_owned(y), Shape::from((d.n, d.co, d.out[0], d.out[1]))))
            })
        },
        move |inputs, _, g| -> Gradients {
            let (x, k) = (inputs[0], inputs[1]);
            Ok(vec![
                if wants(x) { Some(backward_input(g, k, None, d)?) } else { None },
                if wants(k) { Some(backward_kernel(x, g, d)?) } else { None },
                if inputs.len() > 2 { Some(channel_sum(g)?) } else { None },
            ])
        },
    )
}

fn backward_input(g: &Tensor, k: &Tensor, bias: Option<&Tensor>, d: Sizes) -> Result<Tensor> {
    let dtype = g.dtype();
    apply(
        "conv_transpose2d",
        &with_bias(g, k, bias),
        move |v: &[View]| {
            by_type!(dtype, "conv_transpose2d", T => {
                let bias = v.get(2).map(|b| b.slice::<T>()).transpose()?;
                let x = kernel::input::<T>(v[0].slice()?, v[1].slice()?, bias, &d);
                Ok((T::to_cpu_storage_owned(x), Shape::from((d.n, d.ci, d.image[0], d.image[1]))))
            })
        },
        move |inputs, _, h| -> Gradients {
            let (g, k) = (inputs[0], inputs[1]);
            Ok(vec![
                if wants(g) { Some(forward(h, k, None, d)?) } else { None },
                if wants(k) { Some(backward_kernel(h, g, d)?) } else { None },
                if inputs.len() > 2 { Some(channel_sum(h)?) } else { None },
            ])
        },
    )
}

fn backward_kernel(x: &Tensor, g: &Tensor, d: Sizes) -> Result<Tensor> {
    let dtype = x.dtype();
    apply(
        "gradient of a convolution's kernel",
        &[x, g],
        move |v: &[View]| {
            by_type!(dtype, "conv2d", T => {
                let k = kernel::kernel::<T>(v[0].slice()?, v[1].slice()?, &d);
                Ok((T::to_cpu_storage_owned(k), Shape::from((d.co, d.ci / d.groups, d.kernel[0], d.kernel[1]))))
            })
        },
        move |inputs, _, h| -> Gradients {
            let (x, g) = (inputs[0], inputs[1]);
            Ok(vec![
                if wants(x) { Some(backward_input(g, h, None, d)?) } else { None },
                if wants(g) { Some(forward(x, h, None, d)?) } else { None },
            ])
        },
    )
}
