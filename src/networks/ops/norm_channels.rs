//! Normalisations over channels and further axes, by groups or by the batch, each one kernel forward and
//! one backward. Sums over long stretches are kept in f64, so single precision stays accurate. Second
//! derivatives: yes, through the formulas of `composed.rs`.

use candle_core::{Result, Shape, Tensor, WithDType};

use super::composed;
use super::custom::{Gradients, Made, View, apply, second_order, shape_error, slices, tensor, wants};
use super::layout::contiguous;
use super::norm::Kept;
use super::real::{Real, Shared, by_type, chunks, each, unset, vectorised};
use super::reduce::{LANES, channel_sum, fold};

vectorised! {
    fn deviations<T>(x: &[T], m: T) -> T {
        let mut acc = [T::ZERO; LANES];
        let (whole, rest) = x.as_chunks::<LANES>();
        for c in whole { for (a, v) in acc.iter_mut().zip(c) { let d = *v - m; *a = d.fma::<FMA>(d, *a); } }
        for (a, v) in acc.iter_mut().zip(rest) { let d = *v - m; *a = d.fma::<FMA>(d, *a); }
        fold(acc)
    }
}

vectorised! {
    /// Sums of g and of g (x - m).
    fn moments<T>(x: &[T], g: &[T], m: T) -> [T; 2] {
        let mut sum = [T::ZERO; LANES];
        let mut dot = [T::ZERO; LANES];
        let (xs, x_rest) = x.as_chunks::<LANES>();
        let (gs, g_rest) = g.as_chunks::<LANES>();
        for (x, g) in xs.iter().zip(gs) {
            for i in 0..LANES {
                sum[i] += g[i];
                dot[i] = g[i].fma::<FMA>(x[i] - m, dot[i]);
            }
        }
        for (i, (x, g)) in x_rest.iter().zip(g_rest).enumerate() {
            sum[i] += *g;
            dot[i] = g.fma::<FMA>(*x - m, dot[i]);
        }
        [fold(sum), fold(dot)]
    }
}

vectorised! {
    /// y = (x - m) a + b
    fn scale<T>(x: &[T], y: &mut [T], m: T, a: T, b: T) {
        for (y, x) in y.iter_mut().zip(x) {
            *y = (*x - m).fma::<FMA>(a, b);
        }
    }
}

vectorised! {
    /// dx = a g - b - c (x - m)
    fn combine<T>(x: &[T], g: &[T], dx: &mut [T], m: T, k: [T; 3]) {
        let [a, b, c] = k;
        for ((dx, x), g) in dx.iter_mut().zip(x).zip(g) {
            *dx = g.fma::<FMA>(a, -b) - c * (*x - m);
        }
    }
}

/// The stretches over which one mean is taken: starts and channels, all of one length.
#[derive(Clone, Copy)]
pub(super) struct Sets {
    n: usize,
    c: usize,
    inner: usize,
    /// Channels per group; `None`: over the batch, one set a channel.
    group: Option<usize>,
}

impl Sets {
    fn count(&self) -> usize {
        self.group.map_or(self.c, |g| self.n * (self.c / g))
    }
    /// (first element, channel) of each stretch of a set.
    fn stretches(&self, set: usize) -> impl Iterator<Item = (usize, usize)> + use<> {
        let Sets { n, c, inner, group } = *self;
        let len = group.unwrap_or(n);
        (0..len).map(move |i| match group {
            Some(g) => ((set * g + i) * inner, (set * g + i) % c),
            None => ((i * c + set) * inner, set),
        })
    }
    fn size(&self) -> f64 {
        (self.group.unwrap_or(self.n) * self.inner) as f64
    }
    /// x `[n, c, ..]` with the numbers of a set in a row.
    pub(super) fn rows(&self, x: &Tensor) -> Result<Tensor> {
        let Sets { n, c, inner, group } = *self;
        match group {
            Some(g) => x.reshape((n * (c / g), g * inner)),
            None => contiguous(&x.reshape((n, c, inner))?.transpose(0, 1)?)?.reshape((c, n * inner)),
        }
    }
    /// Back from [`Sets::rows`], to `[n, c, inner]`.
    pub(super) fn channels(&self, rows: &Tensor) -> Result<Tensor> {
        let Sets { n, c, inner, group } = *self;
        match group {
            Some(_) => rows.reshape((n, c, inner)),
            None => contiguous(&rows.reshape((c, n, inner))?.transpose(0, 1)?),
        }
    }
}

fn over_channels(
    name: &'static str,
    x: &Tensor,
    gamma: &Tensor,
    beta: &Tensor,
    eps: f64,
    sets: Sets,
    kept: Kept,
) -> Result<Tensor> {
    let dtype = x.dtype();
    let filled = kept.clone();
    let Sets { n, c, inner, .. } = sets;
    apply(
        name,
        &[x, gamma, beta],
        move |v: &[View]| -> Made {
            by_type!(dtype, "norm", T => {
                let (x, gamma, beta) = (v[0].slice::<T>()?, v[1].slice::<T>()?, v[2].slice::<T>()?);
                let mut y = unset::<T>(x.len());
                let mut stats = vec![[0.0; 2]; sets.count()];
                let shared = Shared::new(&mut y);
                chunks(&mut stats, 1, |set, kept| {
                    let mean = sets.stretches(set).map(|(at, _)| super::reduce::sum(&x[at..][..inner])).sum::<f64>() / sets.size();
                    let m = T::of(mean);
                    let var = sets.stretches(set).map(|(at, _)| deviations(&x[at..][..inner], m).wide()).sum::<f64>() / sets.size();
                    let r = 1.0 / (var + eps).sqrt();
                    kept[0] = [mean, r];
                    for (at, ch) in sets.stretches(set) {
                        // SAFETY: stretches are disjoint.
                        let y = unsafe { shared.part(at, inner) };
                        scale(&x[at..][..inner], y, m, T::of(r) * gamma[ch], beta[ch]);
                    }
                });
                // Already set only if the same closure ran before, with the same numbers.
                let _ = filled.set(stats);
                Ok((T::to_cpu_storage_owned(y), Shape::from(v[0].dims())))
            })
        },
        move |i, _, g| -> Gradients {
            if second_order() {
                return composed::channels(i, g, eps, &sets);
            }
            let kept = kept.get().map_or(&[][..], |k| k.as_slice());
            let (dx, dw, db) = by_type!(dtype, "norm", T => slices::<T, _>(&[i[0], i[1], g], |v| {
                let (x, gamma, g) = (v[0], v[1], v[2]);
                let mut dx = unset::<T>(x.len());
                // Sums of g and g hat of every stretch, in the order (sample, channel).
                let mut sums = vec![[0.0f64; 2]; n * c];
                let (shared, shared_sums) = (Shared::new(&mut dx), Shared::new(&mut sums));
                each(sets.count(), x.len(), |set| {
                    let [mean, r] = kept[set];
                    let m = T::of(mean);
                    let (mut s, mut d) = (0.0, 0.0);
                    for (at, ch) in sets.stretches(set) {
                        let [a, b] = moments(&x[at..][..inner], &g[at..][..inner], m);
                        let (a, b) = (a.wide(), b.wide() * r);
                        // SAFETY: stretches are disjoint.
                        let sums = unsafe { shared_sums.part(at / inner, 1) };
                        sums[0] = [a, b];
                        s += a * gamma[ch].wide();
                        d += b * gamma[ch].wide();
                    }
                    let (b, c) = (T::of(s * r / sets.size()), T::of(d * r * r / sets.size()));
                    for (at, ch) in sets.stretches(set) {
                        // SAFETY: as above.
                        let dx = unsafe { shared.part(at, inner) };
                        combine(&x[at..][..inner], &g[at..][..inner], dx, m, [T::of(r) * gamma[ch], b, c]);
                    }
                });
                let total = |k: usize| (0..c).map(|ch| T::of((0..n).map(|i| sums[i * c + ch][k]).sum())).collect::<Vec<T>>();
                (tensor(dx, i[0].shape()), tensor(total(1), c), tensor(total(0), c))
            }))?;
            Ok(vec![Some(dx), Some(dw), Some(db)])
        },
    )
}

fn channels(name: &'static str, x: &Tensor, weights: &[&Tensor]) -> Result<(usize, usize, usize)> {
    let &[n, c, ref rest @ ..] = x.dims() else { return Err(shape_error(name, "x [n, c, ..]", x.dims())) };
    let inner: usize = rest.iter().product();
    if n * c * inner == 0 {
        return Err(shape_error(name, "x [n, c, ..] with no empty axis", x.dims()));
    }
    match weights.iter().find(|w| w.dims() != [c]) {
        Some(w) => Err(shape_error(name, format!("weights [{c}]"), w.dims())),
        None => Ok((n, c, inner)),
    }
}

/// x `[n, c, ..]`, gamma and beta `[c]`: normalised over the channels of each of `groups` groups
/// and all further axes (Wu and He 2018). One group: over everything but the batch; c groups:
/// instance normalisation.
pub fn group_norm(x: &Tensor, gamma: &Tensor, beta: &Tensor, groups: usize, eps: f64) -> Result<Tensor> {
    let (n, c, inner) = channels("group_norm", x, &[gamma, beta])?;
    if groups == 0 || c % groups != 0 {
        return Err(shape_error(
            "group_norm",
            format!("channels that are a multiple of {groups} groups"),
            x.dims(),
        ));
    }
    over_channels(
        "group_norm",
        x,
        gamma,
        beta,
        eps,
        Sets { n, c, inner, group: Some(c / groups) },
        Kept::default(),
    )
}

/// The result of [`batch_norm`] with what it measured.
pub struct BatchNorm {
    /// The normalised tensor, in the graph.
    pub y: Tensor,
    /// Mean of each channel `[c]`, outside the graph.
    pub mean: Tensor,
    /// Variance of each channel `[c]` with the divisor count - 1 (count if it is 1), outside the graph.
    pub variance: Tensor,
}

/// Stretches shorter than this are joined by a transpose first.
const SHORT: usize = 16;

/// Training: x `[n, c, ..]` normalised with the mean and variance of each channel over the batch and
/// all further axes (Ioffe and Szegedy 2015). The caller keeps the running statistics.
pub fn batch_norm(x: &Tensor, gamma: &Tensor, beta: &Tensor, eps: f64) -> Result<BatchNorm> {
    let name = "batch_norm";
    let (n, c, inner) = channels(name, x, &[gamma, beta])?;
    let kept = Kept::default();
    let y = if inner < SHORT && n > 1 {
        let turned = contiguous(&x.reshape((n, c, inner))?.transpose(0, 1)?)?.reshape((1, c, n * inner))?;
        let y = over_channels(
            name,
            &turned,
            gamma,
            beta,
            eps,
            Sets { n: 1, c, inner: n * inner, group: None },
            kept.clone(),
        )?;
        contiguous(&y.reshape((c, n, inner))?.transpose(0, 1)?)?.reshape(x.shape())?
    } else {
        over_channels(name, x, gamma, beta, eps, Sets { n, c, inner, group: None }, kept.clone())?
    };
    let kept = kept.get().map_or(&[][..], |k| k.as_slice());
    let count = (n * inner) as f64;
    let unbiased = if count > 1.0 { count / (count - 1.0) } else { 1.0 };
    let (mean, variance) = by_type!(x.dtype(), name, T => Ok((
        tensor(kept.iter().map(|k| T::of(k[0])).collect::<Vec<T>>(), c),
        tensor(kept.iter().map(|k| T::of((1.0 / (k[1] * k[1]) - eps).max(0.0) * unbiased)).collect::<Vec<T>>(), c),
    )))?;
    Ok(BatchNorm { y, mean, variance })
}

/// Evaluation: x `[n, c, ..]` normalised with these statistics `[c]`.
pub fn batch_norm_with(
    x: &Tensor,
    gamma: &Tensor,
    beta: &Tensor,
    mean: &Tensor,
    variance: &Tensor,
    eps: f64,
) -> Result<Tensor> {
    channels("batch_norm", x, &[gamma, beta, mean, variance])?;
    let a = (gamma / (variance + eps)?.sqrt()?)?;
    let b = (beta - (mean * &a)?)?;
    channel_affine(x, &a, &b)
}

/// x `[n, c, ..]`, a and b `[c]`: a x + b in each channel.
pub fn channel_affine(x: &Tensor, a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let (_, c, inner) = channels("channel_affine", x, &[a, b])?;
    let dtype = x.dtype();
    apply(
        "channel_affine",
        &[x, a, b],
        move |v: &[View]| -> Made {
            by_type!(dtype, "channel_affine", T => {
                let (x, a, b) = (v[0].slice::<T>()?, v[1].slice::<T>()?, v[2].slice::<T>()?);
                let mut y = unset::<T>(x.len());
                chunks(&mut y, c * inner, |i, y| {
                    for (ch, y) in y.chunks_exact_mut(inner).enumerate() {
                        scale(&x[(i * c + ch) * inner..][..inner], y, T::ZERO, a[ch], b[ch]);
                    }
                });
                Ok((T::to_cpu_storage_owned(y), Shape::from(v[0].dims())))
            })
        },
        |i, _, g| {
            Ok(vec![
                if wants(i[0]) { Some(channel_affine(g, i[1], &i[2].zeros_like()?)?) } else { None },
                if wants(i[1]) { Some(channel_sum(&(g * i[0])?)?) } else { None },
                if wants(i[2]) { Some(channel_sum(g)?) } else { None },
            ])
        },
    )
}
