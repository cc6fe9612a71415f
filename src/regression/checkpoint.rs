//! The result of a search as bytes, and back without loss: what a checkpoint keeps. Floats are written by their bits,
//! laws as prefix tokens with the joint covariance of their constants beside them. The key of a search is a hash of
//! everything that decides its result: data, options and seed, not threads or clocks.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::candidate::{Candidate, ConstantInfo};
use super::front::{Found, Front};
use super::options::{Constants, Plan};
use super::problem::Problem;
use crate::base::{StopReason, hash};
use crate::expression::{Covariance, Expr, Kind, Uncertain};
use crate::units::{Catalogue, Unit};

/// The version of the form.
const SCHEMA: u64 = 1;

/// A hash of all that decides what a search finds.
pub fn fingerprint(problem: &Problem, plan: &Plan) -> u64 {
    let mut words = String::new();
    for (name, unit) in problem.names.iter().zip(&problem.units) {
        words += &format!("{name} [{}]\n", unit.as_ref().map_or_else(String::new, Unit::to_string));
    }
    let target = problem.target_unit.as_ref().map_or_else(String::new, Unit::to_string);
    words += &format!("{} [{target}] {}\n", problem.target_symbol, problem.dimensions.is_some());
    words += &format!(
        "{:?} {:?} {:?} {} {}\n",
        plan.method,
        (&plan.operators, &plan.without),
        plan.work,
        plan.seed,
        plan.identity
    );
    if let Constants::Named(named) = &plan.constants {
        named.iter().for_each(|(name, value, _)| words += &format!("{name} {}\n", value.prefix()));
    } else {
        words += &format!("{:?}\n", plan.constants);
    }
    let mut total = hash::of_str(&words);
    let columns = problem.columns.iter().chain([&problem.target]).chain(&problem.sigma);
    for column in columns {
        total = hash::combine(total, column.len() as u64);
        total = column.iter().fold(total, |h, x| hash::combine(h, x.to_bits()));
    }
    hash::combine(total, problem.resolution.map_or(0, f64::to_bits))
}

fn bits(x: f64) -> Json {
    Json::from(format!("{:016x}", x.to_bits()))
}

fn from_bits(value: &Json) -> Option<f64> {
    u64::from_str_radix(value.as_str()?, 16).ok().map(f64::from_bits)
}

fn law(e: &Expr) -> Json {
    let mut groups: Vec<Arc<Covariance>> = Vec::new();
    let mut members = Vec::new();
    for u in e.uncertain_leaves() {
        let Some((covariance, place)) = u.joint_covariance() else { continue };
        let group = groups.iter().position(|g| Arc::ptr_eq(g, covariance)).unwrap_or_else(|| {
            groups.push(covariance.clone());
            groups.len() - 1
        });
        members.push(json!([u.id(), group, place]));
    }
    let groups: Vec<Json> = groups
        .iter()
        .map(|g| json!({"size": g.size, "matrix": g.matrix.iter().map(|x| bits(*x)).collect::<Vec<_>>()}))
        .collect();
    json!({"prefix": e.prefix(), "covariances": groups, "members": members})
}

fn from_law(value: &Json, units: &dyn Fn(&str) -> Option<Unit>) -> Option<Expr> {
    let plain = Expr::from_prefix_with(value["prefix"].as_str()?, units).ok()?;
    let mut groups = Vec::new();
    for group in value["covariances"].as_array()? {
        let size = usize::try_from(group["size"].as_u64()?).ok()?;
        let matrix = group["matrix"].as_array()?.iter().map(from_bits).collect::<Option<Vec<f64>>>()?;
        if size.checked_mul(size)? != matrix.len() {
            return None;
        }
        groups.push(Arc::new(Covariance { size, matrix }));
    }
    let mut members = BTreeMap::new();
    for member in value["members"].as_array()? {
        let group = groups.get(usize::try_from(member[1].as_u64()?).ok()?)?;
        let place = usize::try_from(member[2].as_u64()?).ok().filter(|k| *k < group.size)?;
        members.insert(member[0].as_u64()?, (group.clone(), place));
    }
    Some(plain.transform(&mut |e| match e.kind() {
        Kind::Uncertain(u) => match members.get(&u.id()) {
            Some((group, place)) => {
                Expr::uncertain(Uncertain::member(u.id(), u.value(), group.clone(), *place))
            }
            None => e,
        },
        _ => e,
    }))
}

fn candidate(c: &Candidate) -> Json {
    let constants: Vec<Json> = c
        .constants
        .iter()
        .map(|k| {
            json!({
                "value": bits(k.value),
                "error": bits(k.error),
                "unit": k.unit.to_string(),
                "exact": k.exact.as_ref().map(Expr::prefix),
            })
        })
        .collect();
    json!({
        "law": law(&c.expr),
        "constants": constants,
        "loss": bits(c.loss),
        "r2": bits(c.r2),
        "description_length": bits(c.description_length),
        "size": c.size,
        "engine": &*c.engine,
    })
}

fn from_candidate(value: &Json, units: &dyn Fn(&str) -> Option<Unit>) -> Option<Candidate> {
    let mut constants = Vec::new();
    for k in value["constants"].as_array()? {
        let exact = match &k["exact"] {
            Json::Null => None,
            text => Some(Expr::from_prefix_with(text.as_str()?, units).ok()?),
        };
        let unit = units(k["unit"].as_str()?)?;
        constants.push(ConstantInfo {
            value: from_bits(&k["value"])?,
            error: from_bits(&k["error"])?,
            unit,
            exact,
        });
    }
    Some(Candidate {
        expr: from_law(&value["law"], units)?,
        constants,
        loss: from_bits(&value["loss"])?,
        r2: from_bits(&value["r2"])?,
        description_length: from_bits(&value["description_length"])?,
        size: usize::try_from(value["size"].as_u64()?).ok()?,
        engine: value["engine"].as_str()?.into(),
    })
}

fn spell(found: &Found) -> String {
    json!({
        "schema": SCHEMA,
        "finished": true,
        "stopped": found.stopped.word(),
        "work": found.work,
        "notes": found.notes,
        "floor": bits(found.front.floor()),
        "front": found.front.candidates().iter().map(candidate).collect::<Vec<_>>(),
    })
    .to_string()
}

/// A finished search as bytes; `None` where its laws hold something that has no lossless spelling (a column whose name
/// has blanks): such a search is done again.
pub fn encode(found: &Found, catalogue: &Catalogue) -> Option<Vec<u8>> {
    let text = spell(found);
    let again = decode(text.as_bytes(), catalogue)?;
    let same =
        |(a, b): (&Candidate, &Candidate)| a.expr == b.expr && a.expr.stable_hash() == b.expr.stable_hash();
    let laws = found.front.candidates().iter().zip(again.front.candidates());
    (laws.into_iter().all(same) && spell(&again) == text).then(|| text.into_bytes())
}

/// The search that bytes tell of; `None` where they are no finished search of this form.
pub fn decode(bytes: &[u8], catalogue: &Catalogue) -> Option<Found> {
    let value: Json = serde_json::from_slice(bytes).ok()?;
    if value["schema"].as_u64() != Some(SCHEMA) || value["finished"] != true {
        return None;
    }
    let units = |text: &str| -> Option<Unit> {
        if text == "1" { Some(Unit::one()) } else { catalogue.parse(text).ok() }
    };
    let candidates = value["front"].as_array()?.iter().map(|c| from_candidate(c, &units));
    let notes = value["notes"].as_array()?.iter().map(|n| n.as_str().map(String::from));
    Some(Found {
        front: Front::restore(candidates.collect::<Option<Vec<_>>>()?, from_bits(&value["floor"])?),
        stopped: StopReason::from_word(value["stopped"].as_str()?)?,
        work: value["work"].as_u64()?,
        notes: notes.collect::<Option<Vec<_>>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Laws with exact, fitted and correlated constants, with and without units.
    fn found() -> (Found, Catalogue) {
        let library = Catalogue::load(&[("test", "unit metre, m\nunit second, s\n")]).unwrap();
        let metre = library.parse("m").unwrap();
        let joint = Uncertain::joint(
            1 << 41,
            &[2.5, -0.1],
            Covariance { size: 2, matrix: vec![0.01, 0.003, 0.003, 0.04] },
        );
        let x = Expr::symbol("x");
        let fitted: Vec<Expr> = joint.into_iter().map(Expr::uncertain).collect();
        let a = Expr::product([fitted[0].clone(), Expr::unit(metre.clone())]);
        let law = Expr::sum([
            Expr::product([a, x.clone()]),
            Expr::product([fitted[1].clone(), Expr::unit(metre.clone())]),
        ]);
        let one = Candidate {
            expr: law,
            constants: vec![ConstantInfo { value: 2.5, error: 0.1, unit: metre, exact: None }],
            loss: 1e-3 / 3.0,
            r2: f64::NEG_INFINITY,
            description_length: -12.25,
            size: 5,
            engine: "linear".into(),
        };
        let other = Candidate {
            expr: Expr::power(x, Expr::int(2)),
            constants: Vec::new(),
            size: 3,
            loss: 0.5,
            ..one.clone()
        };
        let front = Front::restore(vec![other, one], 1e-22);
        (
            Found {
                front,
                stopped: StopReason::Work,
                work: 123_456_789_012,
                notes: vec!["a \"note\"".into()],
            },
            library,
        )
    }

    #[test]
    fn what_is_kept_comes_back_as_it_was() {
        let (found, catalogue) = found();
        let bytes = encode(&found, &catalogue).unwrap();
        let again = decode(&bytes, &catalogue).unwrap();
        assert_eq!((again.stopped, again.work, &again.notes), (found.stopped, found.work, &found.notes));
        for (a, b) in found.front.candidates().iter().zip(again.front.candidates()) {
            assert_eq!(a.expr, b.expr);
            assert_eq!(
                (a.loss.to_bits(), a.r2.to_bits(), a.size),
                (b.loss.to_bits(), b.r2.to_bits(), b.size)
            );
            let (u, v) = (a.expr.uncertain_leaves(), b.expr.uncertain_leaves());
            for i in 0..u.len() {
                for j in 0..u.len() {
                    assert_eq!(u[i].covariance(&u[j]), v[i].covariance(&v[j]));
                }
            }
        }
    }

    #[test]
    fn a_part_of_it_is_refused() {
        let (found, catalogue) = found();
        let bytes = encode(&found, &catalogue).unwrap();
        for end in 0..bytes.len() {
            assert!(decode(&bytes[..end], &catalogue).is_none());
        }
        let spoilt = String::from_utf8(bytes).unwrap().replace("\"finished\":true", "\"finished\":false");
        assert!(decode(spoilt.as_bytes(), &catalogue).is_none());
    }

    #[test]
    fn names_with_blanks_have_no_spelling() {
        let (mut found, catalogue) = found();
        let mut spaced = found.front.candidates()[0].clone();
        spaced.expr = Expr::symbol("orbital period");
        found.front = Front::restore(vec![spaced], 0.0);
        assert!(encode(&found, &catalogue).is_none());
    }
}
