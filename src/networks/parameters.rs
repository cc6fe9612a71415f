//! Named variables in a fixed order: the weights of a network, or its buffers (running statistics). First values are
//! drawn in f64 from the stream named after the variable and then rounded, so they depend neither on the precision
//! nor on other variables or threads. The bytes are a safetensors file.

use std::collections::HashMap;

use candle_core::{DType, Device, Tensor, Var};
use rand_distr::{Distribution, StandardNormal, StandardUniform};
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use sha2::{Digest, Sha256};

use crate::base::random::Streams;

use super::error::NetworkError;
use super::shape::product;

/// The numbers that a model computes with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Precision {
    /// 32 bits.
    #[default]
    F32,
    /// 64 bits.
    F64,
}

impl Precision {
    /// The tensor library's name for it.
    pub fn dtype(self) -> DType {
        match self {
            Precision::F32 => DType::F32,
            Precision::F64 => DType::F64,
        }
    }
}

/// How a variable gets its first values.
#[derive(Clone, PartialEq, Debug)]
pub enum Init {
    /// The same number everywhere.
    Constant(f64),
    /// Normal with mean 0 and this standard deviation.
    Normal(f64),
    /// Uniform in [-bound, bound].
    Uniform(f64),
    /// So many random orthogonal matrices below each other: in each the rows (the columns, where there are more rows)
    /// are orthogonal and of length 1 (Saxe, McClelland & Ganguli 2014). The first axis is the rows.
    Orthogonal(usize),
    /// These numbers.
    Values(Vec<f64>),
}

impl Init {
    /// Normal with variance 2/fan_in, for the relu family (He et al. 2015).
    pub fn he(fan_in: usize) -> Init {
        Init::Normal((2.0 / fan_in.max(1) as f64).sqrt())
    }

    /// Uniform with variance 2/(fan_in + fan_out), for tanh and linear outputs (Glorot & Bengio 2010).
    pub fn glorot(fan_in: usize, fan_out: usize) -> Init {
        Init::Uniform((6.0 / (fan_in as f64 + fan_out as f64).max(1.0)).sqrt())
    }

    /// Normal with variance 1/fan_in, for selu (LeCun et al. 1998; Klambauer et al. 2017).
    pub fn lecun(fan_in: usize) -> Init {
        Init::Normal((1.0 / fan_in.max(1) as f64).sqrt())
    }

    /// The first values of a variable with these sizes, from the stream named after it.
    fn draw(&self, name: &str, sizes: &[usize], streams: Streams) -> Vec<f64> {
        let count = sizes.iter().product();
        let mut rng = streams.stream(name);
        let mut normal = |n: usize| -> Vec<f64> { (0..n).map(|_| StandardNormal.sample(&mut rng)).collect() };
        match self {
            Init::Constant(value) => vec![*value; count],
            Init::Normal(deviation) => normal(count).into_iter().map(|z| z * deviation).collect(),
            Init::Uniform(bound) => {
                let mut rng = streams.stream(name);
                (0..count)
                    .map(|_| {
                        let u: f64 = StandardUniform.sample(&mut rng);
                        bound * (2.0 * u - 1.0)
                    })
                    .collect()
            }
            Init::Orthogonal(blocks) => {
                let rows = sizes.first().copied().unwrap_or(1) / blocks.max(&1);
                let columns = count.checked_div(rows * blocks).unwrap_or(0);
                (0..*blocks).flat_map(|_| orthogonal(rows, columns, &normal(rows * columns))).collect()
            }
            Init::Values(values) => values.iter().copied().cycle().take(count).collect(),
        }
    }
}

/// A matrix (row by row) whose rows, or columns where there are more rows, are orthogonal and of length 1: the Q of a
/// normal matrix, with the signs of R's diagonal so that it is uniform over the group (Mezzadri 2007).
fn orthogonal(rows: usize, columns: usize, normal: &[f64]) -> Vec<f64> {
    let (long, short) = (rows.max(columns), rows.min(columns));
    let qr = nalgebra::DMatrix::from_row_slice(long, short, normal).qr();
    let (q, r) = (qr.q(), qr.r());
    let at = |i: usize, j: usize| q[(i, j)] * if r[(j, j)] < 0.0 { -1.0 } else { 1.0 };
    let index = (0..rows).flat_map(|i| (0..columns).map(move |j| (i, j)));
    index.map(|(i, j)| if rows >= columns { at(i, j) } else { at(j, i) }).collect()
}

/// A variable that a layer needs.
#[derive(Clone, PartialEq, Debug)]
pub struct ParameterSpec {
    /// Its name: within the layer (`weight`), or from the top of the network (`3.0.weight`).
    pub name: String,
    /// Its sizes.
    pub sizes: Vec<usize>,
    /// Its first values.
    pub init: Init,
}

impl ParameterSpec {
    /// How many numbers it has.
    pub fn count(&self) -> usize {
        product(&self.sizes)
    }
}

/// A variable: its name, its sizes, and its numbers row by row.
pub type Variable = (String, Vec<usize>, Vec<f64>);

/// Named variables in a fixed order. A clone shares the variables; [`Parameters::copy`] does not.
#[derive(Clone, Debug)]
pub struct Parameters {
    names: Vec<String>,
    vars: Vec<Var>,
    dtype: DType,
}

impl Parameters {
    /// Variables with their first values; each is drawn from the stream with its name.
    pub fn new(
        specs: &[ParameterSpec],
        precision: Precision,
        streams: Streams,
    ) -> Result<Parameters, NetworkError> {
        let dtype = precision.dtype();
        let var = |spec: &ParameterSpec| -> Result<Var, NetworkError> {
            let values = spec.init.draw(&spec.name, &spec.sizes, streams);
            Ok(Var::from_tensor(
                &Tensor::from_vec(values, spec.sizes.as_slice(), &Device::Cpu)?.to_dtype(dtype)?,
            )?)
        };
        let vars = specs.iter().map(var).collect::<Result<_, _>>()?;
        Ok(Parameters { names: specs.iter().map(|s| s.name.clone()).collect(), vars, dtype })
    }

    /// The names, in order.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The variables, in the order of the names.
    pub fn vars(&self) -> &[Var] {
        &self.vars
    }

    /// The variables as tensors that are still part of the gradient's graph.
    pub fn tensors(&self) -> Vec<Tensor> {
        self.vars.iter().map(|v| v.as_tensor().clone()).collect()
    }

    /// The values as tensors without gradients. They share the variables' memory: they change when the variables do.
    pub fn frozen(&self) -> Vec<Tensor> {
        self.vars.iter().map(|v| v.as_detached_tensor()).collect()
    }

    /// The variable with a name.
    pub fn get(&self, name: &str) -> Option<&Var> {
        self.names.iter().position(|n| n == name).map(|i| &self.vars[i])
    }

    /// How many variables there are.
    pub fn len(&self) -> usize {
        self.vars.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.vars.is_empty()
    }

    /// How many numbers they hold together.
    pub fn count(&self) -> usize {
        self.vars.iter().map(|v| v.elem_count()).sum()
    }

    /// F32 or F64.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// The same names with variables of their own: a snapshot.
    pub fn copy(&self) -> Result<Parameters, NetworkError> {
        let vars = self.vars.iter().map(|v| Var::from_tensor(&v.as_detached_tensor().copy()?));
        let vars = vars.collect::<Result<_, candle_core::Error>>()?;
        Ok(Parameters { names: self.names.clone(), vars, dtype: self.dtype })
    }

    /// Takes over the values of others with the same names and sizes.
    pub fn set(&self, others: &Parameters) -> Result<(), NetworkError> {
        let found = others.names.iter().cloned().zip(others.vars.iter().map(|v| v.dims().to_vec()));
        self.same_names(found)?;
        for (var, other) in self.vars.iter().zip(&others.vars) {
            var.set(&other.as_detached_tensor().to_dtype(self.dtype)?.copy()?)?;
        }
        Ok(())
    }

    /// Every variable with its name, its sizes, and its numbers row by row.
    pub fn numbers(&self) -> Result<Vec<Variable>, NetworkError> {
        let one = |(name, var): (&String, &Var)| {
            let flat = var.as_detached_tensor().flatten_all()?.to_dtype(DType::F64)?;
            Ok((name.clone(), var.dims().to_vec(), flat.to_vec1::<f64>()?))
        };
        self.names.iter().zip(&self.vars).map(one).collect()
    }

    /// All numbers, variable after variable, row by row.
    pub fn flatten(&self) -> Result<Vec<f64>, NetworkError> {
        let mut all = Vec::with_capacity(self.count());
        for var in &self.vars {
            all.extend(var.as_detached_tensor().flatten_all()?.to_dtype(DType::F64)?.to_vec1::<f64>()?);
        }
        Ok(all)
    }

    /// Puts numbers in, in the order of [`Parameters::flatten`].
    pub fn assign(&self, values: &[f64]) -> Result<(), NetworkError> {
        if values.len() != self.count() {
            return Err(NetworkError::Count { expected: self.count(), found: values.len() });
        }
        let mut rest = values;
        for var in &self.vars {
            let (head, tail) = rest.split_at(var.elem_count());
            var.set(&Tensor::from_slice(head, var.dims(), &Device::Cpu)?.to_dtype(self.dtype)?)?;
            rest = tail;
        }
        Ok(())
    }

    /// The bytes of a safetensors file.
    pub fn to_bytes(&self) -> Result<Vec<u8>, NetworkError> {
        write(&[self], |_| None)
    }

    /// Puts the numbers of a safetensors file in. Its names and sizes must be these; its precision may be another.
    /// Nothing changes where one of them is not.
    pub fn read_bytes(&self, bytes: &[u8]) -> Result<(), NetworkError> {
        read(&[self], &open(bytes)?)
    }

    fn same_names(&self, found: impl Iterator<Item = (String, Vec<usize>)>) -> Result<(), NetworkError> {
        let found: Vec<_> = found.collect();
        if found.len() != self.names.len() {
            let (expected, found) = (self.names.len(), found.len());
            return Err(different(format!("{expected} variables here, {found} there")));
        }
        for ((name, var), (other, sizes)) in self.names.iter().zip(&self.vars).zip(&found) {
            if name != other {
                return Err(different(format!("`{name}` here, `{other}` there")));
            }
            self.same_sizes(name, var.dims(), sizes)?;
        }
        Ok(())
    }

    fn same_sizes(&self, name: &str, expected: &[usize], found: &[usize]) -> Result<(), NetworkError> {
        if expected == found {
            return Ok(());
        }
        Err(different(format!("`{name}` is {expected:?} here, {found:?} there")))
    }
}

/// SHA-256 of the bytes of variables in their order, in hexadecimal.
fn digest<'a>(all: impl Iterator<Item = &'a [u8]>) -> String {
    let mut hash = Sha256::new();
    all.for_each(|bytes| hash.update(bytes));
    hash.finalize().iter().map(|b| format!("{b:02x}")).collect()
}

/// The checksum of these variables as they stand in a file.
pub(crate) fn checksum(sets: &[&Parameters], file: &SafeTensors) -> Result<String, NetworkError> {
    let names = sets.iter().flat_map(|set| set.names.iter());
    let missing = |name: &str| different(format!("`{name}` is here and not there"));
    let views = names.map(|n| file.tensor(n).map_err(|_| missing(n)));
    let views = views.collect::<Result<Vec<_>, _>>()?;
    Ok(digest(views.iter().map(|v| v.data())))
}

/// The bytes of a safetensors file with the variables of all sets and a text in its header, which is told their checksum.
pub(crate) fn write(
    sets: &[&Parameters],
    text: impl FnOnce(&str) -> Option<String>,
) -> Result<Vec<u8>, NetworkError> {
    let mut data = Vec::new();
    for set in sets {
        for (name, var) in set.names.iter().zip(&set.vars) {
            let flat = var.as_detached_tensor().flatten_all()?;
            let (dtype, bytes): (_, Vec<u8>) = match set.dtype {
                DType::F64 => {
                    (Dtype::F64, flat.to_vec1::<f64>()?.iter().flat_map(|x| x.to_le_bytes()).collect())
                }
                _ => (Dtype::F32, flat.to_vec1::<f32>()?.iter().flat_map(|x| x.to_le_bytes()).collect()),
            };
            data.push((name, dtype, var.dims().to_vec(), bytes));
        }
    }
    let view = |(name, dtype, sizes, bytes)| -> Result<_, NetworkError> {
        Ok((name, TensorView::new(dtype, sizes, bytes).map_err(foreign)?))
    };
    let views = data.iter().map(|(n, d, s, b)| view((*n, *d, s.clone(), b.as_slice())));
    // one entry, for entries of a hash map have no order
    let text = text(&digest(data.iter().map(|(.., bytes)| bytes.as_slice())));
    let header = text.map(|text| HashMap::from([(HEADER.to_string(), text)]));
    safetensors::serialize(views.collect::<Result<Vec<_>, _>>()?, header).map_err(foreign)
}

/// The name of the text in the header.
const HEADER: &str = "phys";

/// A safetensors file.
pub(crate) fn open(bytes: &[u8]) -> Result<SafeTensors<'_>, NetworkError> {
    SafeTensors::deserialize(bytes).map_err(foreign)
}

/// The text in the header of a file.
pub(crate) fn header(bytes: &[u8]) -> Result<Option<String>, NetworkError> {
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(foreign)?;
    Ok(header.metadata().as_ref().and_then(|entries| entries.get(HEADER)).cloned())
}

/// Puts the numbers of a file in, if it holds these variables and no others, and all are finite.
pub(crate) fn read(sets: &[&Parameters], file: &SafeTensors) -> Result<(), NetworkError> {
    let known = |name: &str| sets.iter().any(|set| set.names.iter().any(|n| n == name));
    let mut foreign_names: Vec<_> = file.names().into_iter().filter(|n| !known(n)).collect();
    foreign_names.sort_unstable();
    if let Some(name) = foreign_names.first() {
        return Err(different(format!("`{name}` is there and not here")));
    }
    let mut values = Vec::new();
    for set in sets {
        for (name, var) in set.names.iter().zip(&set.vars) {
            let missing = |_| different(format!("`{name}` is here and not there"));
            let view = file.tensor(name).map_err(missing)?;
            set.same_sizes(name, var.dims(), view.shape())?;
            let tensor = match view.dtype() {
                Dtype::F32 => {
                    Tensor::from_vec(words(view.data(), f32::from_le_bytes), view.shape(), &Device::Cpu)?
                }
                Dtype::F64 => {
                    Tensor::from_vec(words(view.data(), f64::from_le_bytes), view.shape(), &Device::Cpu)?
                }
                other => return Err(NetworkError::Weights { found: format!("`{name}` as {other:?}") }),
            };
            let numbers = tensor.flatten_all()?.to_dtype(DType::F64)?.to_vec1::<f64>()?;
            if let Some(x) = numbers.into_iter().find(|x| !x.is_finite()) {
                return Err(NetworkError::Weights { found: format!("{x} in `{name}`") });
            }
            values.push((var, tensor.to_dtype(set.dtype)?));
        }
    }
    for (var, value) in values {
        var.set(&value)?;
    }
    Ok(())
}

fn different(difference: String) -> NetworkError {
    NetworkError::Architecture { difference }
}

fn foreign(error: safetensors::SafeTensorError) -> NetworkError {
    NetworkError::Weights { found: error.to_string() }
}

/// The numbers in little-endian bytes.
fn words<const N: usize, T>(bytes: &[u8], read: fn([u8; N]) -> T) -> Vec<T> {
    let word = |chunk: &[u8]| <[u8; N]>::try_from(chunk).ok().map(read);
    bytes.chunks_exact(N).filter_map(word).collect()
}
