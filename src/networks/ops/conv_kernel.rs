//! Convolution without unfolding: its three products (result, gradient of the input, gradient of
//! the kernel) as matrix products whose one factor is a set of windows of the padded image.
//!
//! A padded plane of pitch W holds the pixel (y, x) at y W + x, so a tap (ky, kx) of the kernel is
//! one offset and a whole plane of results one long vector; the columns between the rows are
//! computed in vain and dropped. A stride s splits the plane into s^2 planes of every s-th pixel,
//! each tap reading one of them; the gradient of the input has one such product for every residue
//! of the pixel modulo the stride.

use super::lanes::{Dots, SLACK};
use super::real::{Real, Shared, each, unset};

/// Sizes of one convolution `[n, ci, h, w] * [co, ci / groups, kh, kw] -> [n, co, oh, ow]`.
/// Pairs are (vertical, horizontal).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    pub n: usize,
    pub ci: usize,
    pub co: usize,
    pub image: [usize; 2],
    pub kernel: [usize; 2],
    pub out: [usize; 2],
    pub stride: [usize; 2],
    pub padding: [usize; 2],
    pub dilation: [usize; 2],
    pub groups: usize,
}

impl Sizes {
    fn in_group(&self) -> usize {
        self.ci / self.groups
    }
    fn out_group(&self) -> usize {
        self.co / self.groups
    }
    fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }
    pub(crate) fn x_len(&self) -> usize {
        self.ci * self.image[0] * self.image[1]
    }
    pub(crate) fn y_len(&self) -> usize {
        self.co * self.out[0] * self.out[1]
    }
    pub(crate) fn k_len(&self) -> usize {
        self.co * self.in_group() * self.taps()
    }
}

/// Samples one job takes, so that its padded buffer is cleared once for several.
const SAMPLES: usize = 4;
/// Numbers of padded samples kept together while a kernel's gradient is summed: half of a usual
/// second-level cache.
const CHUNK: usize = 128 * 1024;

/// The left factor packed for *tile*: blocks of rows, in each the rows of one tap together.
struct Packed<T> {
    data: Vec<T>,
    /// (first row, offset in `data`, whether a large block)
    blocks: Vec<(usize, usize, bool)>,
    rows: usize,
}

fn pack<T: Real>(rows: usize, taps: usize, value: impl Fn(usize, usize) -> T) -> Packed<T> {
    let k = T::kernels();
    let mut blocks = Vec::new();
    let mut data = Vec::with_capacity((rows + k.rows) * taps);
    let mut row = 0;
    while row < rows {
        let large = rows - row > k.rows_small;
        let size = if large { k.rows } else { k.rows_small };
        blocks.push((row, data.len(), large));
        for t in 0..taps {
            for i in row..row + size {
                data.push(if i < rows { value(i, t) } else { T::ZERO });
            }
        }
        row += size;
    }
    Packed { data, blocks, rows }
}

/// Multiplies the packed rows with the windows and hands each row of results to `emit`.
fn multiply<T: Real>(
    a: &Packed<T>,
    s: &[T],
    offsets: &[usize],
    columns: usize,
    scratch: &mut [T],
    mut emit: impl FnMut(usize, &[T]),
) {
    let k = T::kernels();
    let pitch = columns.next_multiple_of(SLACK);
    for &(row, at, large) in &a.blocks {
        let (tile, size) = if large { (k.tile, k.rows) } else { (k.tile_small, k.rows_small) };
        // SAFETY: `s` is readable at every offset for `columns` rounded up to SLACK (its layout ends
        // with that much room), `scratch` holds k.rows rows of `pitch`.
        debug_assert!(offsets.iter().all(|o| o + pitch <= s.len()) && scratch.len() >= size * pitch);
        unsafe { tile(a.data[at..].as_ptr(), s.as_ptr(), offsets, scratch.as_mut_ptr(), pitch, columns) };
        for i in 0..size.min(a.rows - row) {
            emit(row + i, &scratch[i * pitch..][..columns]);
        }
    }
}

/// The padded and split image of one sample.
struct Windows {
    /// Residues of the stride that some tap reads.
    phases: Vec<[usize; 2]>,
    rows: usize,
    pitch: usize,
    /// For each tap of one channel: offset within the channel's planes.
    taps: Vec<usize>,
    len: usize,
}

impl Windows {
    fn new(d: &Sizes) -> Windows {
        let size = |i: usize| (d.image[i] + 2 * d.padding[i]).div_ceil(d.stride[i]);
        let (rows, pitch) = (size(0), size(1));
        let mut phases: Vec<[usize; 2]> = Vec::new();
        let mut taps = Vec::new();
        for ky in 0..d.kernel[0] {
            for kx in 0..d.kernel[1] {
                let (oy, ox) = (ky * d.dilation[0], kx * d.dilation[1]);
                let phase = [oy % d.stride[0], ox % d.stride[1]];
                let p = phases.iter().position(|q| *q == phase).unwrap_or_else(|| {
                    phases.push(phase);
                    phases.len() - 1
                });
                taps.push(p * rows * pitch + oy / d.stride[0] * pitch + ox / d.stride[1]);
            }
        }
        let len = d.ci * phases.len() * rows * pitch + pitch + 2 * SLACK;
        Windows { phases, rows, pitch, taps, len }
    }

    /// Offsets of all taps of the channels of one group.
    fn offsets(&self, d: &Sizes, group: usize) -> Vec<usize> {
        let plane = self.phases.len() * self.rows * self.pitch;
        (0..d.in_group())
            .flat_map(|c| self.taps.iter().map(move |t| (group * d.in_group() + c) * plane + t))
            .collect()
    }

    /// Copies a sample into the buffer, whose other numbers are zero and stay so.
    fn fill<T: Real>(&self, d: &Sizes, x: &[T], s: &mut [T]) {
        let [h, w] = d.image;
        let [sy, sx] = d.stride;
        let mut planes = s.chunks_exact_mut(self.rows * self.pitch);
        for image in x.chunks_exact(h * w) {
            for &[ry, rx] in &self.phases {
                let Some(plane) = planes.next() else { return };
                // first padded index of this residue that lies in the image
                let first = |r: usize, p: usize, s: usize| if p > r { (p - r).div_ceil(s) } else { 0 };
                let (i0, j0) = (first(ry, d.padding[0], sy), first(rx, d.padding[1], sx));
                for i in i0..self.rows {
                    let y = i * sy + ry - d.padding[0];
                    if y >= h {
                        break;
                    }
                    let line = &image[y * w..][..w];
                    let from = j0 * sx + rx - d.padding[1];
                    let to = &mut plane[i * self.pitch + j0..(i + 1) * self.pitch];
                    if sx == 1 {
                        to[..w - from].copy_from_slice(&line[from..]);
                    } else if from < w {
                        for (o, v) in to.iter_mut().zip(line[from..].iter().step_by(sx)) {
                            *o = *v;
                        }
                    }
                }
            }
        }
    }
}

/// `[n, co, oh, ow]`: the correlation of the image with the kernel, plus the bias of each channel.
pub(crate) fn forward<T: Real>(x: &[T], k: &[T], bias: Option<&[T]>, d: &Sizes) -> Vec<T> {
    let mut y = unset::<T>(d.n * d.y_len());
    let win = Windows::new(d);
    let taps = d.in_group() * d.taps();
    let [oh, ow] = d.out;
    let groups: Vec<(Packed<T>, Vec<usize>)> = (0..d.groups)
        .map(|g| {
            let k = &k[g * d.out_group() * taps..];
            (pack(d.out_group(), taps, |r, t| k[r * taps + t]), win.offsets(d, g))
        })
        .collect();
    let columns = oh * win.pitch;
    let shared = Shared::new(&mut y);
    each(d.n.div_ceil(SAMPLES), d.n * d.y_len() * taps / 8, |job| {
        let mut s = vec![T::ZERO; win.len];
        let mut scratch = unset::<T>(T::kernels().rows * columns.next_multiple_of(SLACK));
        for n in job * SAMPLES..((job + 1) * SAMPLES).min(d.n) {
            win.fill(d, &x[n * d.x_len()..][..d.x_len()], &mut s);
            // SAFETY: every sample is written by one job.
            let y = unsafe { shared.part(n * d.y_len(), d.y_len()) };
            for (g, (a, offsets)) in groups.iter().enumerate() {
                multiply(a, &s, offsets, columns, &mut scratch, |row, values| {
                    let channel = g * d.out_group() + row;
                    let b = bias.map_or(T::ZERO, |b| b[channel]);
                    let plane = &mut y[channel * oh * ow..][..oh * ow];
                    for (to, from) in plane.chunks_exact_mut(ow).zip(values.chunks_exact(win.pitch)) {
                        for (t, f) in to.iter_mut().zip(from) {
                            *t = *f + b;
                        }
                    }
                });
            }
        }
    });
    y
}

/// One residue of the stride along one axis in the gradient of the input: the taps that reach its
/// pixels with their shifts, the first and the number of positions, and the first pixel.
struct Residue {
    taps: Vec<(usize, usize)>,
    first: usize,
    count: usize,
    pixel: usize,
}

fn residues(d: &Sizes, axis: usize) -> Vec<Residue> {
    let (s, p, h) = (d.stride[axis], d.padding[axis], d.image[axis]);
    (0..s)
        .map(|a| {
            let taps = (0..d.kernel[axis])
                .filter(|k| k * d.dilation[axis] % s == a)
                .map(|k| (k, k * d.dilation[axis] / s))
                .collect();
            let first = if p > a { (p - a).div_ceil(s) } else { 0 };
            // pixels s u + a - p < h
            let end = if h + p > a { (h + p - a).div_ceil(s) } else { 0 };
            Residue { taps, first, count: end.saturating_sub(first), pixel: (s * first + a).wrapping_sub(p) }
        })
        .collect()
}

/// `[n, ci, h, w]`: the gradient of the input, which is also the transposed convolution.
pub(crate) fn input<T: Real>(g: &[T], k: &[T], bias: Option<&[T]>, d: &Sizes) -> Vec<T> {
    let mut x = unset::<T>(d.n * d.x_len());
    let [h, w] = d.image;
    let [oh, ow] = d.out;
    let axes = [residues(d, 0), residues(d, 1)];
    let margin = [0, 1].map(|i| (d.kernel[i] - 1) * d.dilation[i] / d.stride[i]);
    let extent =
        |i: usize| axes[i].iter().map(|r| r.first + r.count).max().unwrap_or(0).max(d.out[i]) + margin[i];
    let (rows, pitch) = (extent(0), extent(1));
    let plane = rows * pitch;
    let len = d.co * plane + pitch + 2 * SLACK;
    struct Part<'a, T> {
        group: usize,
        a: Packed<T>,
        offsets: Vec<usize>,
        y: &'a Residue,
        x: &'a Residue,
    }
    let mut parts = Vec::new();
    for group in 0..d.groups {
        for y in &axes[0] {
            for x in &axes[1] {
                if y.count == 0 || x.count == 0 {
                    continue;
                }
                let mut taps = Vec::new();
                let mut offsets = Vec::new();
                for o in 0..d.out_group() {
                    let channel = group * d.out_group() + o;
                    for &(ky, shift_y) in &y.taps {
                        for &(kx, shift_x) in &x.taps {
                            taps.push(channel * d.in_group() * d.taps() + ky * d.kernel[1] + kx);
                            offsets.push(
                                channel * plane
                                    + (y.first + margin[0] - shift_y) * pitch
                                    + x.first
                                    + margin[1]
                                    - shift_x,
                            );
                        }
                    }
                }
                let a = pack(d.in_group(), taps.len(), |c, t| k[taps[t] + c * d.taps()]);
                parts.push(Part { group, a, offsets, y, x });
            }
        }
    }
    let most = parts.iter().map(|p| p.y.count).max().unwrap_or(0) * pitch;
    let shared = Shared::new(&mut x);
    each(d.n.div_ceil(SAMPLES), d.n * d.y_len() * d.taps() * d.in_group() / 8, |job| {
        let mut s = vec![T::ZERO; len];
        let mut scratch = unset::<T>(T::kernels().rows * most.next_multiple_of(SLACK));
        for n in job * SAMPLES..((job + 1) * SAMPLES).min(d.n) {
            for (to, from) in
                s.chunks_exact_mut(plane).zip(g[n * d.y_len()..][..d.y_len()].chunks_exact(oh * ow))
            {
                for (y, line) in from.chunks_exact(ow).enumerate() {
                    to[(y + margin[0]) * pitch + margin[1]..][..ow].copy_from_slice(line);
                }
            }
            // SAFETY: every sample is written by one job.
            let x = unsafe { shared.part(n * d.x_len(), d.x_len()) };
            for p in &parts {
                multiply(&p.a, &s, &p.offsets, p.y.count * pitch, &mut scratch, |row, values| {
                    let channel = p.group * d.in_group() + row;
                    let b = bias.map_or(T::ZERO, |b| b[channel]);
                    let image = &mut x[channel * h * w..][..h * w];
                    for (i, from) in values.chunks_exact(pitch).enumerate() {
                        let line = &mut image[(p.y.pixel + i * d.stride[0]) * w..][..w];
                        if d.stride[1] == 1 {
                            for (t, f) in line[p.x.pixel..].iter_mut().zip(&from[..p.x.count]) {
                                *t = *f + b;
                            }
                        } else {
                            for (t, f) in
                                line[p.x.pixel..].iter_mut().step_by(d.stride[1]).zip(&from[..p.x.count])
                            {
                                *t = *f + b;
                            }
                        }
                    }
                });
            }
        }
    });
    x
}

/// `[co, ci / groups, kh, kw]`: the gradient of the kernel.
pub(crate) fn kernel<T: Real>(x: &[T], g: &[T], d: &Sizes) -> Vec<T> {
    let mut k = vec![T::ZERO; d.k_len()];
    let win = Windows::new(d);
    let [oh, ow] = d.out;
    let pitch = (oh * win.pitch).next_multiple_of(SLACK);
    let d_sample = d.co * pitch;
    let set = T::kernels();
    let samples = (CHUNK / (win.len + d_sample)).clamp(1, d.n.max(1));
    let mut s = vec![T::ZERO; samples * win.len];
    let mut rows = vec![T::ZERO; samples * d_sample + set.dot_rows * pitch];
    let offsets: Vec<Vec<usize>> = (0..d.groups).map(|g| win.offsets(d, g)).collect();
    let taps = d.in_group() * d.taps();
    // Blocks of rows, none over the border of a group: (group, first row).
    let blocks: Vec<(usize, usize)> = (0..d.groups)
        .flat_map(|g| (0..d.out_group()).step_by(set.dot_rows).map(move |r| (g, g * d.out_group() + r)))
        .collect();
    let mut first = 0;
    while first < d.n {
        let now = samples.min(d.n - first);
        {
            let (s, rows) = (Shared::new(&mut s), Shared::new(&mut rows));
            each(now, now * d_sample, |i| {
                let n = first + i;
                // SAFETY: one sample of each buffer a job.
                let (s, rows) = unsafe { (s.part(i * win.len, win.len), rows.part(i * d_sample, d_sample)) };
                win.fill(d, &x[n * d.x_len()..][..d.x_len()], s);
                for (to, from) in
                    rows.chunks_exact_mut(pitch).zip(g[n * d.y_len()..][..d.y_len()].chunks_exact(oh * ow))
                {
                    for (y, line) in from.chunks_exact(ow).enumerate() {
                        to[y * win.pitch..][..ow].copy_from_slice(line);
                    }
                }
            });
        }
        let sums = Shared::new(&mut k);
        let (s, rows) = (&s, &rows);
        each(blocks.len(), now * d.y_len() * taps / 8, |b| {
            let (group, row) = blocks[b];
            // SAFETY: the whole of `k`, of which this job writes the rows of its block only.
            let k = unsafe { sums.part(0, d.k_len()) }.as_mut_ptr();
            let job = Dots {
                d: rows.as_ptr(),
                d_sample,
                pitch,
                s: s.as_ptr(),
                s_sample: win.len,
                samples: now,
                offsets: &offsets[group],
                k,
                taps,
            };
            // SAFETY: buffers are sized for it above.
            unsafe { (set.dots)(&job, row, (row + set.dot_rows).min((group + 1) * d.out_group())) };
        });
        first += now;
    }
    k
}
