//! A search as bytes, and back without loss: its answer, or its state between two steps (`spelling.rs` says how laws are
//! written). The key of a search is a hash of everything that decides its result: data, options and seed, not threads or
//! clocks.

use serde_json::{Value as Json, json};

use super::front::{Found, Front};
use super::groups::OwnConstant;
use super::options::{Constants, Plan};
use super::problem::Problem;
use super::scheduler::{Gain, Run};
use super::spelling::{Reader, Writer, bits, from_bits, read, texts, written};
use crate::base::hash;
use crate::expression::{Expr, Kind, Symbol};
use crate::units::{Catalogue, Unit};

/// The version of the form.
pub(super) const SCHEMA: u64 = 3;

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

/// What a search found, with all that stands beside its laws.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The laws.
    pub found: Found,
    /// For each law the expressions that it is made of, by name.
    pub parts: Vec<Vec<(String, Expr)>>,
    /// The laws in words.
    pub words: Vec<String>,
    /// The names of the groups, and of each law the constants that differ between them.
    pub groups: Option<(Vec<String>, Vec<Vec<OwnConstant>>)>,
}

impl From<Found> for Answer {
    fn from(found: Found) -> Answer {
        Answer { found, parts: Vec::new(), words: Vec::new(), groups: None }
    }
}

fn answer(answer: &Answer, w: &mut Writer<'_>) -> Json {
    let parts: Vec<Json> = answer
        .parts
        .iter()
        .map(|own| own.iter().map(|(name, e)| json!([name, w.law(e)])).collect::<Vec<_>>().into())
        .collect();
    let groups = answer.groups.as_ref().map(|(names, own)| {
        let constant = |c: &OwnConstant, w: &mut Writer<'_>| {
            let values: Vec<Expr> = c.values.iter().cloned().map(Expr::uncertain).collect();
            json!([c.symbol.name(), w.unit(&c.unit), w.laws(&values)])
        };
        let own: Vec<Vec<Json>> =
            own.iter().map(|law| law.iter().map(|c| constant(c, w)).collect()).collect();
        json!({"names": names, "own": own})
    });
    json!({"found": w.found(&answer.found), "parts": parts, "words": answer.words, "groups": groups})
}

fn from_answer(value: &Json, r: &Reader<'_>) -> Option<Answer> {
    let part = |p: &Json| Some((p[0].as_str()?.to_string(), r.law(&p[1])?));
    let parts = |own: &Json| own.as_array()?.iter().map(part).collect::<Option<Vec<_>>>();
    let constant = |c: &Json| {
        let value = |e: &Expr| match e.kind() {
            Kind::Uncertain(u) => Some(u.clone()),
            _ => None,
        };
        Some(OwnConstant {
            symbol: Symbol::new(c[0].as_str()?),
            unit: r.unit(c[1].as_str()?)?,
            values: r.laws(&c[2])?.iter().map(value).collect::<Option<_>>()?,
        })
    };
    let own = |law: &Json| law.as_array()?.iter().map(constant).collect::<Option<Vec<_>>>();
    let groups = match &value["groups"] {
        Json::Null => None,
        g => Some((texts(&g["names"])?, g["own"].as_array()?.iter().map(own).collect::<Option<_>>()?)),
    };
    Some(Answer {
        found: r.found(&value["found"])?,
        parts: value["parts"].as_array()?.iter().map(parts).collect::<Option<_>>()?,
        words: texts(&value["words"])?,
        groups,
    })
}

/// A finished search as bytes; `None` where its laws hold something that has no lossless spelling: such a search is done
/// again.
pub fn encode(whole: &Answer, catalogue: &Catalogue) -> Option<Vec<u8>> {
    finished(catalogue, |w| answer(whole, w))
}

/// Something finished as bytes.
pub fn finished(catalogue: &Catalogue, body: impl FnOnce(&mut Writer<'_>) -> Json) -> Option<Vec<u8>> {
    let answer = written(catalogue, body)?;
    Some(json!({"schema": SCHEMA, "finished": true, "answer": answer}).to_string().into_bytes())
}

/// What bytes tell of.
#[derive(Debug)]
pub enum Kept<T> {
    /// Work that ended.
    Finished(Box<T>),
    /// The state of work that did not.
    Under,
}

/// The search that bytes tell of; `None` where they are none of this form.
pub fn decode(bytes: &[u8], catalogue: &Catalogue) -> Option<Kept<Answer>> {
    kept(bytes, catalogue, from_answer)
}

/// The work that bytes tell of, what it found read by `body`.
pub fn kept<T>(
    bytes: &[u8],
    catalogue: &Catalogue,
    body: impl FnOnce(&Json, &Reader<'_>) -> Option<T>,
) -> Option<Kept<T>> {
    let value: Json = serde_json::from_slice(bytes).ok()?;
    if value["schema"].as_u64() != Some(SCHEMA) {
        return None;
    }
    if !value["finished"].as_bool()? {
        return Some(Kept::Under);
    }
    read(&value["answer"], catalogue, body).map(|t| Kept::Finished(Box::new(t)))
}

/// Gains as JSON.
pub(super) fn gains(list: &[Gain]) -> Json {
    list.iter().map(|g| json!([g.work, bits(g.loss), bits(g.r2), g.size])).collect::<Vec<_>>().into()
}

/// The gains that [`gains`] wrote.
pub(super) fn from_gains(value: &Json) -> Option<Vec<Gain>> {
    let gain = |g: &Json| {
        Some(Gain {
            work: g[0].as_u64()?,
            loss: from_bits(&g[1])?,
            r2: from_bits(&g[2])?,
            size: usize::try_from(g[3].as_u64()?).ok()?,
        })
    };
    value.as_array()?.iter().map(gain).collect()
}

/// The state of a search between two steps; `None` where a law of it has no lossless spelling.
pub fn state(run: &Run<'_>, catalogue: &Catalogue) -> Option<Vec<u8>> {
    let laws =
        written(catalogue, |w| json!([w.candidates(run.front.candidates()), w.candidates(&run.shortlist)]))?;
    let engines: Vec<Json> = run
        .engines
        .iter()
        .zip(&run.credit)
        .map(|(e, credit)| json!({"name": e.name(), "state": e.save(), "credit": bits(*credit)}))
        .collect();
    let mut tried: Vec<u64> = run.tried.iter().copied().collect();
    tried.sort_unstable();
    let value = json!({
        "schema": SCHEMA,
        "finished": false,
        "search": format!("{:016x}", fingerprint(run.problem, run.plan)),
        "engines": engines,
        "laws": laws,
        "tried": tried,
        "work": run.work,
        "steps": run.steps,
        "refined": run.refined,
        "open": bits(run.open),
        "until": run.until,
        "gains": gains(&run.gains),
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
    let lists = |list: &Json, r: &Reader<'_>| Some((r.candidates(&list[0])?, r.candidates(&list[1])?));
    let (front, shortlist) = read(&value["laws"], catalogue, lists)?;
    run.front = Front::restore(front, run.front.floor());
    run.shortlist = shortlist;
    run.tried = value["tried"].as_array()?.iter().map(Json::as_u64).collect::<Option<_>>()?;
    run.work = value["work"].as_u64()?;
    run.steps = value["steps"].as_u64()?;
    run.refined = value["refined"].as_u64()?;
    run.open = from_bits(&value["open"])?;
    run.until = match &value["until"] {
        Json::Null => None,
        until => Some(until.as_u64()?),
    };
    run.gains = from_gains(&value["gains"])?;
    Some(())
}

#[cfg(test)]
mod tests {
    use super::super::candidate::{Candidate, ConstantInfo};
    use super::*;
    use crate::base::StopReason;
    use crate::expression::{Covariance, Uncertain};

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
        let bytes = encode(&found.clone().into(), &catalogue).unwrap();
        let Some(Kept::Finished(again)) = decode(&bytes, &catalogue) else { panic!("not finished") };
        let again = again.found;
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
        let bytes = encode(&found.clone().into(), &catalogue).unwrap();
        for end in 0..bytes.len() {
            assert!(decode(&bytes[..end], &catalogue).is_none());
        }
        let spoilt = String::from_utf8(bytes).unwrap().replace("\"finished\":true", "\"finished\":false");
        assert!(matches!(decode(spoilt.as_bytes(), &catalogue), Some(Kept::Under)));
    }

    #[test]
    fn what_stands_beside_the_laws_is_as_correlated_as_before() {
        let (found, catalogue) = found();
        let law = found.front.candidates()[1].expr.clone();
        let first = law.uncertain_leaves()[0].clone();
        let whole = Answer {
            found,
            parts: vec![vec![("f".into(), law.clone()), ("a b".into(), Expr::symbol("orbital period"))]],
            words: vec!["dot(r, v)".into()],
            groups: Some((
                vec!["one".into()],
                vec![vec![OwnConstant { symbol: Symbol::new("c1"), unit: Unit::one(), values: vec![first] }]],
            )),
        };
        let bytes = encode(&whole, &catalogue).unwrap();
        let Some(Kept::Finished(again)) = decode(&bytes, &catalogue) else { panic!("not finished") };
        assert_eq!(encode(&again, &catalogue).unwrap(), bytes);
        assert_eq!((&again.parts, &again.words), (&whole.parts, &whole.words));
        let (_, own) = again.groups.unwrap();
        let other = &again.found.front.candidates()[1].expr.uncertain_leaves()[1];
        assert_eq!(own[0][0].values[0].covariance(other), 0.003);
        assert_eq!(again.parts[0][0].1.uncertain_leaves()[0].covariance(other), 0.003);
    }

    #[test]
    fn names_with_blanks_have_a_spelling() {
        let (mut found, catalogue) = found();
        let mut spaced = found.front.candidates()[0].clone();
        spaced.expr = Expr::symbol("orbital period") * Expr::symbol("dot(r, v)");
        found.front = Front::restore(vec![spaced.clone()], 0.0);
        let bytes = encode(&found.into(), &catalogue).unwrap();
        let Some(Kept::Finished(again)) = decode(&bytes, &catalogue) else { panic!("not finished") };
        assert_eq!(again.found.front.candidates()[0].expr, spaced.expr);
    }
}
