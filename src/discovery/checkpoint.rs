//! A system that was found as bytes, and back without loss; and the hash of all that decides what is found.

use serde_json::{Value as Json, json};

use super::{Discovered, Noise, Paths, Plan, Rate};
use crate::base::{StopReason, hash};
use crate::regression::Constants;
use crate::regression::checkpoint::{self, Kept};
use crate::regression::spelling::{Reader, Writer, bits, floats, from_bits, from_floats, texts};
use crate::units::{Catalogue, Unit};

/// A hash of all that decides what is found.
pub fn fingerprint(paths: &Paths, plan: &Plan) -> u64 {
    let mut words = format!("{} {:?}\n", paths.over, paths.over_dimension);
    for (name, unit) in paths.names.iter().zip(&paths.units) {
        words += &format!("{name} [{}]\n", unit.as_ref().map_or_else(String::new, Unit::to_string));
    }
    words += &format!(
        "{} {:?} {:?} {} {} {} {}\n",
        paths.dimensions.is_some(),
        plan.method,
        plan.operators,
        plan.work,
        plan.seed,
        plan.identity,
        plan.forced
    );
    match &plan.constants {
        Constants::Named(named) => {
            named.iter().for_each(|(name, value, _)| words += &format!("{name} {}\n", value.prefix()));
        }
        other => words += &format!("{other:?}\n"),
    }
    let mut total = hash::of_str(&words);
    let points = paths.paths.iter().flat_map(|p| std::iter::once(&p.times).chain(&p.states));
    for list in points.chain(paths.sigma.iter().flatten().flatten()) {
        total = hash::combine(total, list.len() as u64);
        total = list.iter().fold(total, |h, x| hash::combine(h, x.to_bits()));
    }
    total
}

fn rates(rates: &[Rate], w: &mut Writer<'_>) -> Json {
    let one = |r: &Rate| json!([w.law(&r.expr), r.size, bits(r.description_length), r.engine]);
    rates.iter().map(one).collect::<Vec<_>>().into()
}

fn from_rates(value: &Json, r: &Reader<'_>) -> Option<Vec<Rate>> {
    let one = |v: &Json| {
        Some(Rate {
            expr: r.law(&v[0])?,
            size: usize::try_from(v[1].as_u64()?).ok()?,
            description_length: from_bits(&v[2])?,
            engine: v[3].as_str()?.into(),
        })
    };
    value.as_array()?.iter().map(one).collect()
}

/// A system that was found as bytes; `None` where a law of it has no lossless spelling.
pub fn encode(found: &Discovered, catalogue: &Catalogue) -> Option<Vec<u8>> {
    let noise = |n: &Noise| match n {
        Noise::Absolute(x) => json!(["absolute", bits(*x)]),
        Noise::Relative(x) => json!(["relative", bits(*x)]),
    };
    checkpoint::finished(catalogue, |w| {
        json!({
            "rates": rates(&found.rates, w),
            "others": found.others.iter().map(|own| rates(own, w)).collect::<Vec<_>>(),
            "noise": found.noise.iter().map(noise).collect::<Vec<_>>(),
            "starts": found.starts.iter().map(|s| floats(s)).collect::<Vec<_>>(),
            "r2": floats(&found.r2),
            "stopped": found.stopped.word(),
            "work": found.work,
            "notes": found.notes,
        })
    })
}

/// The system that bytes tell of; `None` where they are none of this form.
pub fn decode(bytes: &[u8], catalogue: &Catalogue) -> Option<Kept<Discovered>> {
    let noise = |n: &Json| match n[0].as_str()? {
        "absolute" => Some(Noise::Absolute(from_bits(&n[1])?)),
        "relative" => Some(Noise::Relative(from_bits(&n[1])?)),
        _ => None,
    };
    checkpoint::kept(bytes, catalogue, |v, r| {
        Some(Discovered {
            rates: from_rates(&v["rates"], r)?,
            others: v["others"].as_array()?.iter().map(|o| from_rates(o, r)).collect::<Option<_>>()?,
            noise: v["noise"].as_array()?.iter().map(noise).collect::<Option<_>>()?,
            starts: v["starts"].as_array()?.iter().map(from_floats).collect::<Option<_>>()?,
            r2: from_floats(&v["r2"])?,
            stopped: StopReason::from_word(v["stopped"].as_str()?)?,
            work: v["work"].as_u64()?,
            notes: texts(&v["notes"])?,
        })
    })
}
