//! A search as bytes, and back without loss: its result, or its state between two steps. Floats are written by their bits,
//! laws as prefix tokens with the joint covariance of their constants beside them. The key of a search is a hash of
//! everything that decides its result: data, options and seed, not threads or clocks.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::candidate::{Candidate, ConstantInfo};
use super::front::{Found, Front};
use super::options::{Constants, Plan};
use super::problem::Problem;
use super::scheduler::{Gain, Run};
use crate::base::{StopReason, hash};
use crate::expression::{Covariance, Expr, Kind, Uncertain};
use crate::units::{Catalogue, Unit};

/// The version of the form.
const SCHEMA: u64 = 2;

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
    words += &plan.criteria.words();
    words += if plan.denoise { "\ndenoised" } else { "" };
    for own in &plan.own {
        words += &format!("\n{} {:?} {}", own.name, own.arguments, own.body.prefix());
    }
    for guess in &plan.guesses {
        let starts: Vec<u64> = guess.parameters.iter().map(|p| p.start.to_bits()).collect();
        words += &format!("\n{} {starts:?}", guess.template.prefix());
    }
    let mut total = hash::of_str(&words);
    let columns = problem.columns.iter().chain([&problem.target]).chain(&problem.sigma);
    let columns = columns.chain(&problem.row_weights);
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
                "fitted": [bits(k.fitted.0), bits(k.fitted.1)],
                "gained": bits(k.gained),
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
        "evidence": &*c.evidence,
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
            fitted: (from_bits(&k["fitted"][0])?, from_bits(&k["fitted"][1])?),
            gained: from_bits(&k["gained"])?,
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
        evidence: value["evidence"].as_str()?.into(),
    })
}

fn candidates(list: &[Candidate]) -> Json {
    list.iter().map(candidate).collect::<Vec<_>>().into()
}

fn from_candidates(value: &Json, units: &dyn Fn(&str) -> Option<Unit>) -> Option<Vec<Candidate>> {
    value.as_array()?.iter().map(|c| from_candidate(c, units)).collect()
}

fn texts(value: &Json) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|n| n.as_str().map(String::from)).collect()
}

fn unit<'a>(catalogue: &'a Catalogue) -> impl Fn(&str) -> Option<Unit> + 'a {
    |text| if text == "1" { Some(Unit::one()) } else { catalogue.parse(text).ok() }
}

/// Laws that come back from their spelling as they were.
fn lossless(laws: &[Candidate], catalogue: &Catalogue) -> bool {
    let spelled = candidates(laws);
    from_candidates(&spelled, &unit(catalogue)).is_some_and(|again| {
        let same = |(a, b): (&Candidate, &Candidate)| {
            a.expr == b.expr && a.expr.stable_hash() == b.expr.stable_hash()
        };
        laws.iter().zip(&again).all(same) && candidates(&again) == spelled
    })
}

/// A finished search as bytes; `None` where its laws hold something that has no lossless spelling (a column whose name
/// has blanks): such a search is done again.
pub fn encode(found: &Found, catalogue: &Catalogue) -> Option<Vec<u8>> {
    let (front, second) = (found.front.candidates(), found.runner_up.as_slice());
    if !lossless(front, catalogue) || !lossless(second, catalogue) {
        return None;
    }
    let value = json!({
        "schema": SCHEMA,
        "finished": true,
        "stopped": found.stopped.word(),
        "work": found.work,
        "notes": found.notes,
        "steps": found.steps,
        "refined": found.refined,
        "floor": bits(found.front.floor()),
        "front": candidates(front),
        "runner_up": candidates(second),
        "noise": found.noise.map(bits),
    });
    Some(value.to_string().into_bytes())
}

/// What bytes tell of.
#[derive(Debug)]
pub enum Kept {
    /// A search that ended.
    Finished(Box<Found>),
    /// The state of one that did not.
    Under,
}

/// The search that bytes tell of; `None` where they are none of this form.
pub fn decode(bytes: &[u8], catalogue: &Catalogue) -> Option<Kept> {
    let value: Json = serde_json::from_slice(bytes).ok()?;
    if value["schema"].as_u64() != Some(SCHEMA) {
        return None;
    }
    if !value["finished"].as_bool()? {
        return Some(Kept::Under);
    }
    let units = unit(catalogue);
    let front = from_candidates(&value["front"], &units)?;
    Some(Kept::Finished(Box::new(Found {
        front: Front::restore(front, from_bits(&value["floor"])?),
        stopped: StopReason::from_word(value["stopped"].as_str()?)?,
        work: value["work"].as_u64()?,
        notes: texts(&value["notes"])?,
        steps: value["steps"].as_u64()?,
        refined: value["refined"].as_u64()?,
        runner_up: from_candidates(&value["runner_up"], &units)?.pop(),
        noise: from_bits(&value["noise"]),
    })))
}

/// The state of a search between two steps; `None` where a law of it has no lossless spelling.
pub fn state(run: &Run<'_>, catalogue: &Catalogue) -> Option<Vec<u8>> {
    if !lossless(run.front.candidates(), catalogue) || !lossless(&run.shortlist, catalogue) {
        return None;
    }
    let engines: Vec<Json> = run
        .engines
        .iter()
        .zip(&run.credit)
        .map(|(e, credit)| json!({"name": e.name(), "state": e.save(), "credit": bits(*credit)}))
        .collect();
    let mut tried: Vec<u64> = run.tried.iter().copied().collect();
    tried.sort_unstable();
    let gains: Vec<Json> =
        run.gains.iter().map(|g| json!([g.work, bits(g.loss), bits(g.r2), g.size])).collect();
    let value = json!({
        "schema": SCHEMA,
        "finished": false,
        "search": format!("{:016x}", fingerprint(run.problem, run.plan)),
        "engines": engines,
        "front": candidates(run.front.candidates()),
        "shortlist": candidates(&run.shortlist),
        "tried": tried,
        "work": run.work,
        "steps": run.steps,
        "refined": run.refined,
        "open": bits(run.open),
        "until": run.until,
        "gains": gains,
    });
    Some(value.to_string().into_bytes())
}

/// Brings a search that is at its beginning to where [`state`] was taken; `None`, and the search is spoilt, where the bytes
/// are no state of it.
pub fn resume(run: &mut Run<'_>, bytes: &[u8], catalogue: &Catalogue) -> Option<()> {
    let value: Json = serde_json::from_slice(bytes).ok()?;
    let own = format!("{:016x}", fingerprint(run.problem, run.plan));
    if value["schema"].as_u64() != Some(SCHEMA)
        || value["finished"] != false
        || value["search"] != own.as_str()
    {
        return None;
    }
    let units = unit(catalogue);
    let engines = value["engines"].as_array()?;
    if engines.len() != run.engines.len() {
        return None;
    }
    for ((engine, credit), kept) in run.engines.iter_mut().zip(&mut run.credit).zip(engines) {
        if kept["name"] != engine.name() {
            return None;
        }
        engine.restore(&kept["state"])?;
        *credit = from_bits(&kept["credit"])?;
    }
    run.front = Front::restore(from_candidates(&value["front"], &units)?, run.front.floor());
    run.shortlist = from_candidates(&value["shortlist"], &units)?;
    run.tried = value["tried"].as_array()?.iter().map(Json::as_u64).collect::<Option<_>>()?;
    run.work = value["work"].as_u64()?;
    run.steps = value["steps"].as_u64()?;
    run.refined = value["refined"].as_u64()?;
    run.open = from_bits(&value["open"])?;
    run.until = match &value["until"] {
        Json::Null => None,
        until => Some(until.as_u64()?),
    };
    let gain = |g: &Json| {
        Some(Gain {
            work: g[0].as_u64()?,
            loss: from_bits(&g[1])?,
            r2: from_bits(&g[2])?,
            size: usize::try_from(g[3].as_u64()?).ok()?,
        })
    };
    run.gains = value["gains"].as_array()?.iter().map(gain).collect::<Option<_>>()?;
    Some(())
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
            constants: vec![ConstantInfo {
                value: 2.5,
                error: 0.1,
                unit: metre,
                exact: None,
                fitted: (2.5, 0.1),
                gained: 0.0,
            }],
            loss: 1e-3 / 3.0,
            r2: f64::NEG_INFINITY,
            description_length: -12.25,
            size: 5,
            engine: "linear".into(),
            evidence: "one of 3 laws".into(),
        };
        let other = Candidate {
            expr: Expr::power(x, Expr::int(2)),
            constants: Vec::new(),
            size: 3,
            loss: 0.5,
            ..one.clone()
        };
        let front = Front::restore(vec![other.clone(), one], 1e-22);
        (
            Found {
                front,
                stopped: StopReason::Work,
                work: 123_456_789_012,
                notes: vec!["a \"note\"".into()],
                steps: 7,
                refined: 40,
                runner_up: Some(other),
                noise: Some(0.25),
            },
            library,
        )
    }

    #[test]
    fn what_is_kept_comes_back_as_it_was() {
        let (found, catalogue) = found();
        let bytes = encode(&found, &catalogue).unwrap();
        let Some(Kept::Finished(again)) = decode(&bytes, &catalogue) else { panic!("not finished") };
        assert_eq!((again.stopped, again.work, &again.notes), (found.stopped, found.work, &found.notes));
        assert_eq!(again.noise, found.noise);
        assert_eq!((again.steps, again.refined), (found.steps, found.refined));
        assert_eq!(again.runner_up.unwrap().expr, found.runner_up.unwrap().expr);
        for (a, b) in found.front.candidates().iter().zip(again.front.candidates()) {
            assert_eq!((&a.expr, &a.evidence), (&b.expr, &b.evidence));
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
        assert!(matches!(decode(spoilt.as_bytes(), &catalogue), Some(Kept::Under)));
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
