//! Picking and summing rows by index: embeddings, and the gather and scatter of graph networks.
//! Sums run in the order of the index, so they are the same on any number of threads.
//! Second derivatives: yes.

use candle_core::{DType, Result, Shape, Tensor, WithDType};

use super::custom::{Made, View, apply, shape_error};
use super::real::{Real, by_type, chunks, rows_per_chunk, unset};

/// Indices of any integer type, checked against a length.
fn checked(name: &'static str, index: &Tensor, below: usize) -> Result<Vec<u32>> {
    let index = index.flatten_all()?;
    let all: Vec<u32> = match index.dtype() {
        DType::U32 => index.to_vec1()?,
        DType::U8 => index.to_vec1::<u8>()?.into_iter().map(u32::from).collect(),
        DType::I64 => {
            index.to_vec1::<i64>()?.into_iter().map(|i| u32::try_from(i).unwrap_or(u32::MAX)).collect()
        }
        other => return Err(candle_core::Error::UnsupportedDTypeForOp(other, name)),
    };
    match all.iter().find(|i| **i as usize >= below) {
        Some(i) => Err(candle_core::Error::Msg(format!("{name}: expected indices below {below}, found {i}"))),
        None => Ok(all),
    }
}

/// x `[n, ..]`, index of any shape `[..i]` -> `[..i, ..]`: the rows `x[index]`.
pub fn gather_rows(x: &Tensor, index: &Tensor) -> Result<Tensor> {
    let name = "gather_rows";
    let Some(&n) = x.dims().first() else { return Err(shape_error(name, "x [n, ..]", x.dims())) };
    let mut dims = index.dims().to_vec();
    dims.extend(&x.dims()[1..]);
    gather(x, checked(name, index, n)?.into(), Shape::from(dims))
}

/// Token numbers of any shape, table `[vocabulary, d]` -> `[.., d]`.
pub fn embedding(tokens: &Tensor, table: &Tensor) -> Result<Tensor> {
    if table.rank() != 2 {
        return Err(shape_error("embedding", "a table [vocabulary, d]", table.dims()));
    }
    gather_rows(table, tokens)
}

/// x `[m, ..]`, index `[m]` -> `[n, ..]`: row i is the sum of the `x[j]` with `index[j] = i`, in the
/// order of j; zero where there is none.
pub fn scatter_add(x: &Tensor, index: &Tensor, n: usize) -> Result<Tensor> {
    let name = "scatter_add";
    if x.rank() == 0 || index.dims() != [x.dims()[0]] {
        return Err(shape_error(name, format!("an index for each row of {:?}", x.dims()), index.dims()));
    }
    let mut dims = x.dims().to_vec();
    dims[0] = n;
    scatter(x, checked(name, index, n)?.into(), Shape::from(dims))
}

/// As [`scatter_add`], each sum divided by the number of its rows (zero where there is none).
pub fn segment_mean(x: &Tensor, index: &Tensor, n: usize) -> Result<Tensor> {
    let sums = scatter_add(x, index, n)?;
    let mut counts = vec![0f64; n];
    for i in checked("segment_mean", index, n)? {
        counts[i as usize] += 1.0;
    }
    let inverse: Vec<f64> = counts.into_iter().map(|c| if c > 0.0 { 1.0 / c } else { 0.0 }).collect();
    let mut dims = vec![1; x.rank()];
    dims[0] = n;
    sums.broadcast_mul(&Tensor::from_vec(inverse, dims, x.device())?.to_dtype(x.dtype())?)
}

type Index = std::sync::Arc<[u32]>;

fn gather(x: &Tensor, index: Index, shape: Shape) -> Result<Tensor> {
    let dtype = x.dtype();
    let (to, from) = (shape.clone(), x.shape().clone());
    let row: usize = x.dims()[1..].iter().product();
    let back = index.clone();
    apply(
        "gather_rows",
        &[x],
        move |v: &[View]| -> Made {
            by_type!(dtype, "gather_rows", T => {
                let x = v[0].slice::<T>()?;
                let mut y = unset::<T>(index.len() * row);
                let some = rows_per_chunk(row);
                chunks(&mut y, some * row, |i, y| {
                    for (y, at) in y.chunks_exact_mut(row).zip(&index[i * some..]) {
                        y.copy_from_slice(&x[*at as usize * row..][..row]);
                    }
                });
                Ok((T::to_cpu_storage_owned(y), to.clone()))
            })
        },
        move |_, _, g| Ok(vec![Some(scatter(&g.reshape((back.len(), row))?, back.clone(), from.clone())?)]),
    )
}

fn scatter(x: &Tensor, index: Index, shape: Shape) -> Result<Tensor> {
    let dtype = x.dtype();
    let from = x.shape().clone();
    let rows = shape.dims()[0];
    let row = shape.elem_count() / rows.max(1);
    let back = index.clone();
    apply(
        "scatter_add",
        &[x],
        move |v: &[View]| -> Made {
            by_type!(dtype, "scatter_add", T => {
                let x = v[0].slice::<T>()?;
                let mut y = vec![T::ZERO; rows * row];
                for (x, at) in x.chunks_exact(row.max(1)).zip(index.iter()) {
                    for (y, x) in y[*at as usize * row..][..row].iter_mut().zip(x) {
                        *y += *x;
                    }
                }
                Ok((T::to_cpu_storage_owned(y), shape.clone()))
            })
        },
        move |_, _, g| Ok(vec![Some(gather(g, back.clone(), from.clone())?)]),
    )
}

/// x `[.., n]`, index `[..]` -> `[..]`: one number of each row (the logarithm of a class, say).
pub fn pick(x: &Tensor, index: &Tensor) -> Result<Tensor> {
    let name = "pick";
    let Some((&n, lead)) = x.dims().split_last() else {
        return Err(shape_error(name, "x [.., n]", x.dims()));
    };
    if index.dims() != lead {
        return Err(shape_error(name, format!("an index for each row of {:?}", x.dims()), index.dims()));
    }
    let at: Vec<u32> =
        checked(name, index, n)?.into_iter().enumerate().map(|(r, i)| (r * n) as u32 + i).collect();
    gather(&super::layout::contiguous(x)?.reshape((x.elem_count(), 1))?, at.into(), Shape::from(lead))
}
