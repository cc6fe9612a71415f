//! All numbers of a set of variables in one list of their precision: moments of an optimiser, averages and copies of
//! weights. The order is that of the parameters.

use std::cell::RefCell;

use candle_core::{CpuStorage, DType, InplaceOp1, Layout, Result as TensorResult};

use crate::networks::bytes::{Reader, Writer};
use crate::networks::error::NetworkError;
use crate::networks::parameters::Parameters;

/// A list of floats.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Numbers {
    /// Single precision.
    F32(Vec<f32>),
    /// Double precision.
    F64(Vec<f64>),
}

/// The floats that updates are computed in: the model's own.
pub(crate) trait Float:
    Copy + std::ops::Add<Output = Self> + std::ops::Sub<Output = Self> + std::ops::Mul<Output = Self>
{
    /// The nearest float.
    fn of(x: f64) -> Self;
    /// Whether it is neither infinite nor NaN.
    fn finite(self) -> bool;
}

impl Float for f32 {
    fn of(x: f64) -> f32 {
        x as f32
    }
    fn finite(self) -> bool {
        self.is_finite()
    }
}

impl Float for f64 {
    fn of(x: f64) -> f64 {
        x
    }
    fn finite(self) -> bool {
        self.is_finite()
    }
}

/// Something done to each variable: its numbers, and its part of a list.
pub(crate) trait Visit {
    /// `values` are the numbers of a variable, `part` those of the list beside it.
    fn visit<T: Float>(&self, values: &mut [T], part: &mut [T]);
}

/// The numbers of a variable.
fn slice<'a, T>(values: &'a mut [T], layout: &Layout) -> TensorResult<&'a mut [T]> {
    match layout.contiguous_offsets() {
        Some((from, to)) => Ok(&mut values[from..to]),
        None => candle_core::bail!("a variable is not contiguous"),
    }
}

struct One<'a, V> {
    visit: &'a V,
    part: RefCell<Part<'a>>,
}

enum Part<'a> {
    F32(&'a mut [f32]),
    F64(&'a mut [f64]),
}

impl<V: Visit> InplaceOp1 for One<'_, V> {
    fn name(&self) -> &'static str {
        "visit"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> TensorResult<()> {
        match (storage, &mut *self.part.borrow_mut()) {
            (CpuStorage::F32(values), Part::F32(part)) => {
                self.visit.visit(slice(values, layout)?, part);
            }
            (CpuStorage::F64(values), Part::F64(part)) => {
                self.visit.visit(slice(values, layout)?, part);
            }
            _ => candle_core::bail!("a variable of another precision"),
        }
        Ok(())
    }
}

impl Numbers {
    /// Zeros.
    pub fn zeros(parameters: &Parameters) -> Numbers {
        match parameters.dtype() {
            DType::F64 => Numbers::F64(vec![0.0; parameters.count()]),
            _ => Numbers::F32(vec![0.0; parameters.count()]),
        }
    }

    /// A copy of the parameters.
    pub fn of(parameters: &Parameters) -> Result<Numbers, NetworkError> {
        let mut all = Numbers::zeros(parameters);
        all.read(parameters)?;
        Ok(all)
    }

    /// How many.
    pub fn len(&self) -> usize {
        match self {
            Numbers::F32(x) => x.len(),
            Numbers::F64(x) => x.len(),
        }
    }

    /// Whether all are finite.
    pub fn finite(&self) -> bool {
        match self {
            Numbers::F32(x) => x.iter().all(|x| x.finite()),
            Numbers::F64(x) => x.iter().all(|x| x.finite()),
        }
    }

    /// Visits each variable together with its part of this list.
    pub fn each(&mut self, parameters: &Parameters, visit: &impl Visit) -> Result<(), NetworkError> {
        let mut at = 0;
        for var in parameters.vars() {
            let n = var.elem_count();
            let part = match self {
                Numbers::F32(x) => Part::F32(&mut x[at..at + n]),
                Numbers::F64(x) => Part::F64(&mut x[at..at + n]),
            };
            var.inplace_op1(&One { visit, part: RefCell::new(part) })?;
            at += n;
        }
        Ok(())
    }

    /// Takes over the numbers of the parameters.
    pub fn read(&mut self, parameters: &Parameters) -> Result<(), NetworkError> {
        struct Take;
        impl Visit for Take {
            fn visit<T: Float>(&self, values: &mut [T], part: &mut [T]) {
                part.copy_from_slice(values);
            }
        }
        self.each(parameters, &Take)
    }

    /// Puts the numbers into the parameters.
    pub fn write(&mut self, parameters: &Parameters) -> Result<(), NetworkError> {
        struct Put;
        impl Visit for Put {
            fn visit<T: Float>(&self, values: &mut [T], part: &mut [T]) {
                values.copy_from_slice(part);
            }
        }
        self.each(parameters, &Put)
    }

    /// Moves towards the parameters: `share` of the way.
    pub fn approach(&mut self, parameters: &Parameters, share: f64) -> Result<(), NetworkError> {
        struct Approach(f64);
        impl Visit for Approach {
            fn visit<T: Float>(&self, values: &mut [T], part: &mut [T]) {
                let share = T::of(self.0);
                part.iter_mut().zip(values.iter()).for_each(|(p, v)| *p = *p + share * (*v - *p));
            }
        }
        self.each(parameters, &Approach(share))
    }

    /// Writes them.
    pub fn save(&self, out: &mut Writer) {
        match self {
            Numbers::F32(x) => {
                out.u64(32);
                out.f32s(x);
            }
            Numbers::F64(x) => {
                out.u64(64);
                out.f64s(x);
            }
        }
    }

    /// Reads as many as the parameters have, of their precision.
    pub fn load(from: &mut Reader<'_>, parameters: &Parameters) -> Option<Numbers> {
        let all = match (from.u64()?, parameters.dtype()) {
            (32, DType::F32) => Numbers::F32(from.f32s()?),
            (64, DType::F64) => Numbers::F64(from.f64s()?),
            _ => return None,
        };
        (all.len() == parameters.count()).then_some(all)
    }
}
