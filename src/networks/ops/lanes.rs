//! The two inner loops of convolution, written once over vector registers and compiled for AVX-512,
//! AVX2 with fused multiply-add, and the base instruction set; chosen at run time.
//!
//! - *tile*: `c[i][q] = sum_t a[t][i] * s[offset_t + q]` for a block of rows i and columns q: a
//!   matrix product whose second factor's rows are windows of one buffer, so that nothing is
//!   unfolded. Each sum runs in the order of t: with fused multiply-add the result is the same for
//!   every vector width.
//! - *dots*: `k[i][t] += sum_q d[i][q] * s[offset_t + q]` over several samples; lanes are summed at
//!   the end, so the rounding depends on the vector width (not on threads).

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

use super::registers::Lanes;

/// One register block of *tile*: `ROWS` by `VECTORS` accumulators.
#[inline(always)]
unsafe fn tile_block<V: Lanes, const ROWS: usize, const VECTORS: usize>(
    a: *const V::T,
    s: *const V::T,
    offsets: &[usize],
    c: *mut V::T,
    pitch: usize,
) {
    // SAFETY: see `tile`.
    unsafe {
        let mut acc = [[V::zero(); VECTORS]; ROWS];
        let mut a = a;
        for &o in offsets {
            let p = s.add(o);
            let mut b = [V::zero(); VECTORS];
            for (j, b) in b.iter_mut().enumerate() {
                *b = V::load(p.add(j * V::WIDTH));
            }
            for (i, row) in acc.iter_mut().enumerate() {
                let x = V::splat(*a.add(i));
                // By index: `zip` is not always inlined, and then no sum stays in a register.
                for (j, y) in row.iter_mut().enumerate() {
                    *y = x.fma(b[j], *y);
                }
            }
            a = a.add(ROWS);
        }
        for (i, row) in acc.iter().enumerate() {
            for (j, y) in row.iter().enumerate() {
                y.store(c.add(i * pitch + j * V::WIDTH));
            }
        }
    }
}

/// All columns of one block of rows.
#[inline(always)]
unsafe fn tile<V: Lanes, const ROWS: usize, const VECTORS: usize>(
    a: *const V::T,
    s: *const V::T,
    offsets: &[usize],
    c: *mut V::T,
    pitch: usize,
    columns: usize,
) {
    let mut q = 0;
    let mut left = columns.div_ceil(V::WIDTH);
    // SAFETY: the caller promises that s is readable at offset + columns rounded up to whole
    // vectors, and c writable for ROWS rows of that length.
    unsafe {
        // Two equal blocks of fewer vectors run better than a full one and a rest of one.
        while left >= VECTORS && !(VECTORS == 3 && left == 4) {
            tile_block::<V, ROWS, VECTORS>(a, s.add(q), offsets, c.add(q), pitch);
            q += VECTORS * V::WIDTH;
            left -= VECTORS;
        }
        while left >= 2 {
            tile_block::<V, ROWS, 2>(a, s.add(q), offsets, c.add(q), pitch);
            q += 2 * V::WIDTH;
            left -= 2;
        }
        if left == 1 {
            tile_block::<V, ROWS, 1>(a, s.add(q), offsets, c.add(q), pitch);
        }
    }
}

/// One register block of *dots*.
#[inline(always)]
unsafe fn dots_block<V: Lanes, const ROWS: usize, const TAPS: usize>(
    job: &Dots<V::T>,
    row: usize,
    tap: usize,
    rows: usize,
) where
    V::T: std::ops::AddAssign,
{
    // SAFETY: see `Dots`.
    unsafe {
        let mut acc = [[V::zero(); TAPS]; ROWS];
        let mut at = [0usize; TAPS];
        at.copy_from_slice(&job.offsets[tap..tap + TAPS]);
        for n in 0..job.samples {
            let d = job.d.add(n * job.d_sample + row * job.pitch);
            let s = job.s.add(n * job.s_sample);
            let mut q = 0;
            while q < job.pitch {
                let mut x = [V::zero(); ROWS];
                for (i, x) in x.iter_mut().enumerate() {
                    *x = V::load(d.add(i * job.pitch + q));
                }
                for (j, &o) in at.iter().enumerate() {
                    let b = V::load(s.add(o + q));
                    for (i, x) in x.iter().enumerate() {
                        acc[i][j] = x.fma(b, acc[i][j]);
                    }
                }
                q += V::WIDTH;
            }
        }
        for (i, sums) in acc.iter().enumerate() {
            if row + i < rows {
                for (j, y) in sums.iter().enumerate() {
                    *job.k.add((row + i) * job.taps + tap + j) += y.sum();
                }
            }
        }
    }
}

/// Operands of *dots*. `d`: rows of `pitch` numbers (a multiple of the widest vector), zero where
/// there is no result, and readable for one block of rows beyond the last; `s` readable at every
/// offset for `pitch` numbers; `k`: the sums, `taps` a row.
pub(crate) struct Dots<'a, T> {
    pub d: *const T,
    pub d_sample: usize,
    pub pitch: usize,
    pub s: *const T,
    pub s_sample: usize,
    pub samples: usize,
    pub offsets: &'a [usize],
    pub k: *mut T,
    pub taps: usize,
}

#[inline(always)]
unsafe fn dots<V: Lanes, const ROWS: usize, const TAPS: usize>(job: &Dots<V::T>, row: usize, rows: usize)
where
    V::T: std::ops::AddAssign,
{
    let mut tap = 0;
    // SAFETY: passed on.
    unsafe {
        while tap + TAPS <= job.taps {
            dots_block::<V, ROWS, TAPS>(job, row, tap, rows);
            tap += TAPS;
        }
        while tap + 3 <= job.taps {
            dots_block::<V, ROWS, 3>(job, row, tap, rows);
            tap += 3;
        }
        while tap < job.taps {
            dots_block::<V, ROWS, 1>(job, row, tap, rows);
            tap += 1;
        }
    }
}

type Tile<T> = unsafe fn(*const T, *const T, &[usize], *mut T, usize, usize);
type DotRows<T> = unsafe fn(&Dots<T>, usize, usize);

/// The kernels of one instruction set.
pub(crate) struct Kernels<T: 'static> {
    /// Rows of the large and the small block of *tile*.
    pub rows: usize,
    pub rows_small: usize,
    pub tile: Tile<T>,
    pub tile_small: Tile<T>,
    /// Rows of a block of *dots*.
    pub dot_rows: usize,
    pub dots: DotRows<T>,
}

/// Numbers beyond the end that kernels may read or write: the widest vector.
pub(crate) const SLACK: usize = 16;

macro_rules! kernel_set {
    ($name:ident, $t:ident, $v:ty, $([$feature:literal])?, $rows:literal, $small:literal, $vectors:literal, $dot_rows:literal, $dot_taps:literal) => {
        mod $name {
            use super::*;
            // SAFETY of all: the contracts of `tile` and `Dots`, passed on.
            $(#[target_feature(enable = $feature)])?
            unsafe fn tile_large(a: *const $t, s: *const $t, o: &[usize], c: *mut $t, pitch: usize, columns: usize) {
                unsafe { tile::<$v, $rows, $vectors>(a, s, o, c, pitch, columns) }
            }
            $(#[target_feature(enable = $feature)])?
            unsafe fn tile_small(a: *const $t, s: *const $t, o: &[usize], c: *mut $t, pitch: usize, columns: usize) {
                unsafe { tile::<$v, $small, $vectors>(a, s, o, c, pitch, columns) }
            }
            $(#[target_feature(enable = $feature)])?
            unsafe fn dot_rows(job: &Dots<$t>, row: usize, rows: usize) {
                unsafe { dots::<$v, $dot_rows, $dot_taps>(job, row, rows) }
            }
            pub(super) static KERNELS: Kernels<$t> = Kernels {
                rows: $rows,
                rows_small: $small,
                tile: tile_large,
                tile_small,
                dot_rows: $dot_rows,
                dots: dot_rows,
            };
        }
    };
}
#[cfg(target_arch = "x86_64")]
kernel_set!(wide_f32, f32, __m512, ["avx512f"], 8, 4, 3, 4, 6);
#[cfg(target_arch = "x86_64")]
kernel_set!(wide_f64, f64, __m512d, ["avx512f"], 8, 4, 3, 4, 6);
#[cfg(target_arch = "x86_64")]
kernel_set!(fma_f32, f32, __m256, ["avx2,fma"], 4, 2, 3, 3, 3);
#[cfg(target_arch = "x86_64")]
kernel_set!(fma_f64, f64, __m256d, ["avx2,fma"], 4, 2, 3, 3, 3);
kernel_set!(base_f32, f32, [f32; 4], , 4, 2, 2, 2, 3);
kernel_set!(base_f64, f64, [f64; 4], , 4, 2, 2, 2, 3);

macro_rules! choose {
    ($name:ident, $t:ident, $wide:ident, $fma:ident, $base:ident) => {
        pub(crate) fn $name() -> &'static Kernels<$t> {
            #[cfg(target_arch = "x86_64")]
            {
                if std::arch::is_x86_feature_detected!("avx512f") {
                    return &$wide::KERNELS;
                }
                if super::real::has_fma() {
                    return &$fma::KERNELS;
                }
            }
            &$base::KERNELS
        }
    };
}
choose!(kernels_f32, f32, wide_f32, fma_f32, base_f32);
choose!(kernels_f64, f64, wide_f64, fma_f64, base_f64);

#[cfg(test)]
mod tests {
    use super::*;

    /// Every set this processor can run.
    fn sets() -> Vec<&'static Kernels<f32>> {
        let mut all = vec![&base_f32::KERNELS];
        #[cfg(target_arch = "x86_64")]
        {
            if super::super::real::has_fma() {
                all.push(&fma_f32::KERNELS);
            }
            if std::arch::is_x86_feature_detected!("avx512f") {
                all.push(&wide_f32::KERNELS);
            }
        }
        all
    }

    fn numbers(n: usize) -> Vec<f32> {
        (0..n).map(|i| ((i * 37 % 101) as f32 - 50.0) / 16.0).collect()
    }

    #[test]
    fn every_instruction_set_gives_the_sums() {
        let s = numbers(4096);
        let offsets: Vec<usize> = (0..11).map(|t| t * 17 % 90).collect();
        for k in sets() {
            for columns in [1, 15, 16, 33, 64, 80, 200] {
                let pitch = usize::next_multiple_of(columns, SLACK);
                for (tile, rows) in [(k.tile, k.rows), (k.tile_small, k.rows_small)] {
                    let a = numbers(rows * offsets.len());
                    let mut c = vec![0f32; rows * pitch];
                    // SAFETY: sizes as the contract asks.
                    unsafe { tile(a.as_ptr(), s.as_ptr(), &offsets, c.as_mut_ptr(), pitch, columns) };
                    for i in 0..rows {
                        for q in 0..columns {
                            let exact: f32 =
                                offsets.iter().enumerate().map(|(t, o)| a[t * rows + i] * s[o + q]).sum();
                            assert!((c[i * pitch + q] - exact).abs() < 1e-3);
                        }
                    }
                }
                let (rows, samples) = (k.dot_rows + 1, 3);
                let d_sample = rows * pitch;
                let d = numbers(samples * d_sample + k.dot_rows * pitch);
                let mut sums = vec![1f32; rows * offsets.len()];
                for row in (0..rows).step_by(k.dot_rows) {
                    let job = Dots {
                        d: d.as_ptr(),
                        d_sample,
                        pitch,
                        s: s.as_ptr(),
                        s_sample: 500,
                        samples,
                        offsets: &offsets,
                        k: sums.as_mut_ptr(),
                        taps: offsets.len(),
                    };
                    // SAFETY: as above.
                    unsafe { (k.dots)(&job, row, rows) };
                }
                for i in 0..rows {
                    for (t, o) in offsets.iter().enumerate() {
                        let product =
                            |(n, q): (usize, usize)| d[n * d_sample + i * pitch + q] * s[n * 500 + o + q];
                        let exact = 1.0
                            + (0..samples)
                                .flat_map(|n| (0..pitch).map(move |q| (n, q)))
                                .map(product)
                                .sum::<f32>();
                        assert!(
                            (sums[i * offsets.len() + t] - exact).abs() < 0.02,
                            "{} {exact}",
                            sums[i * offsets.len() + t]
                        );
                    }
                }
            }
        }
    }
}
