//! Laws, models and answers as JSON, and back without loss. Floats are written by their bits, laws as prefix tokens with the
//! joint covariance of their constants beside them. A covariance that several laws share stands once, so that what is read
//! is as correlated as what was written; a symbol whose name is no word (a column "orbital period") stands in a table of
//! its own.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::candidate::{Candidate, ConstantInfo, Model, Parameter};
use super::front::{Found, Front};
use crate::base::StopReason;
use crate::expression::{Covariance, Expr, Kind, Symbol, Uncertain};
use crate::units::{Catalogue, Unit};

/// A float by its bits.
pub fn bits(x: f64) -> Json {
    Json::from(format!("{:016x}", x.to_bits()))
}

/// The float that [`bits`] wrote.
pub fn from_bits(value: &Json) -> Option<f64> {
    u64::from_str_radix(value.as_str()?, 16).ok().map(f64::from_bits)
}

/// Floats by their bits.
pub fn floats(list: &[f64]) -> Json {
    list.iter().map(|x| bits(*x)).collect::<Vec<_>>().into()
}

/// The floats that [`floats`] wrote.
pub fn from_floats(value: &Json) -> Option<Vec<f64>> {
    value.as_array()?.iter().map(from_bits).collect()
}

/// A list of texts.
pub fn texts(value: &Json) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|n| n.as_str().map(String::from)).collect()
}

fn size(value: &Json) -> Option<usize> {
    usize::try_from(value.as_u64()?).ok()
}

/// Begins the token of a symbol that stands in the table.
const ESCAPE: char = '\u{a7}';

/// Whether a name may stand as a token.
fn is_word(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && letters.all(|c| c.is_alphanumeric() || matches!(c, '_' | '\''))
}

/// Writes laws.
#[derive(Debug)]
pub struct Writer<'a> {
    catalogue: &'a Catalogue,
    covariances: Vec<Arc<Covariance>>,
    names: Vec<String>,
    /// Whether all of it can be read again as it was.
    whole: bool,
}

impl Writer<'_> {
    /// A unit.
    pub fn unit(&mut self, u: &Unit) -> Json {
        let text = u.to_string();
        self.whole &= unit(self.catalogue, &text).is_some_and(|u| u.to_string() == text);
        text.into()
    }

    fn plain(&mut self, e: &Expr) -> Json {
        let prefix = e.prefix();
        let again = Expr::from_prefix_with(&prefix, &|text| unit(self.catalogue, text));
        self.whole &= again.is_ok_and(|a| a == *e && a.stable_hash() == e.stable_hash());
        prefix.into()
    }

    /// A law.
    pub fn law(&mut self, e: &Expr) -> Json {
        let mut members = Vec::new();
        for u in e.uncertain_leaves() {
            let Some((covariance, place)) = u.joint_covariance() else { continue };
            let group = self.covariances.iter().position(|g| Arc::ptr_eq(g, covariance));
            let group = group.unwrap_or_else(|| {
                self.covariances.push(covariance.clone());
                self.covariances.len() - 1
            });
            members.push(json!([u.id(), group, place]));
        }
        let plain = e.transform(&mut |e| match e.as_symbol() {
            Some(s) if !is_word(s.name()) => {
                let known = self.names.iter().position(|n| n == s.name());
                let place = known.unwrap_or_else(|| {
                    self.names.push(s.name().to_string());
                    self.names.len() - 1
                });
                Expr::symbol(format!("{ESCAPE}{place}").as_str())
            }
            _ => e,
        });
        json!({"prefix": self.plain(&plain), "members": members})
    }

    /// Laws.
    pub fn laws<'e>(&mut self, laws: impl IntoIterator<Item = &'e Expr>) -> Json {
        laws.into_iter().map(|e| self.law(e)).collect::<Vec<_>>().into()
    }

    /// A candidate.
    pub fn candidate(&mut self, c: &Candidate) -> Json {
        let constants: Vec<Json> = c
            .constants
            .iter()
            .map(|k| {
                json!({
                    "value": bits(k.value),
                    "error": bits(k.error),
                    "unit": self.unit(&k.unit),
                    "exact": k.exact.as_ref().map(|e| self.plain(e)),
                    "fitted": [bits(k.fitted.0), bits(k.fitted.1)],
                    "gained": bits(k.gained),
                })
            })
            .collect();
        json!({
            "law": self.law(&c.expr),
            "constants": constants,
            "loss": bits(c.loss),
            "r2": bits(c.r2),
            "description_length": bits(c.description_length),
            "size": c.size,
            "engine": &*c.engine,
            "evidence": &*c.evidence,
        })
    }

    /// Candidates.
    pub fn candidates<'c>(&mut self, list: impl IntoIterator<Item = &'c Candidate>) -> Json {
        list.into_iter().map(|c| self.candidate(c)).collect::<Vec<_>>().into()
    }

    /// A model.
    pub fn model(&mut self, m: &Model) -> Json {
        let parameters: Vec<Json> = m
            .parameters
            .iter()
            .map(|p| json!([p.symbol.name(), bits(p.start), self.unit(&Unit::coherent(p.dimension))]))
            .collect();
        json!({"law": self.law(&m.template), "parameters": parameters, "engine": m.engine})
    }

    /// What a search found.
    pub fn found(&mut self, found: &Found) -> Json {
        json!({
            "stopped": found.stopped.word(),
            "work": found.work,
            "notes": found.notes,
            "steps": found.steps,
            "refined": found.refined,
            "floor": bits(found.front.floor()),
            "front": self.candidates(found.front.candidates()),
            "runner_up": self.candidates(&found.runner_up),
            "noise": found.noise.map(bits),
        })
    }
}

/// Something with laws in it; `None` where one of them has no lossless spelling.
pub fn written(catalogue: &Catalogue, body: impl FnOnce(&mut Writer<'_>) -> Json) -> Option<Json> {
    let mut writer = Writer { catalogue, covariances: Vec::new(), names: Vec::new(), whole: true };
    let body = body(&mut writer);
    let groups = writer.covariances.iter().map(|g| json!({"size": g.size, "matrix": floats(&g.matrix)}));
    let groups: Vec<Json> = groups.collect();
    writer.whole.then(|| json!({"body": body, "covariances": groups, "names": writer.names}))
}

/// What [`written`] wrote.
pub fn read<T>(
    value: &Json,
    catalogue: &Catalogue,
    body: impl FnOnce(&Json, &Reader<'_>) -> Option<T>,
) -> Option<T> {
    body(&value["body"], &Reader::new(catalogue, value)?)
}

fn unit(catalogue: &Catalogue, text: &str) -> Option<Unit> {
    if text == "1" { Some(Unit::one()) } else { catalogue.parse(text).ok() }
}

/// Reads what a [`Writer`] wrote.
#[derive(Debug)]
pub struct Reader<'a> {
    catalogue: &'a Catalogue,
    covariances: Vec<Arc<Covariance>>,
    names: Vec<String>,
}

impl<'a> Reader<'a> {
    fn new(catalogue: &'a Catalogue, shared: &Json) -> Option<Reader<'a>> {
        let mut covariances = Vec::new();
        for group in shared["covariances"].as_array()? {
            let (size, matrix) = (size(&group["size"])?, from_floats(&group["matrix"])?);
            if size.checked_mul(size)? != matrix.len() {
                return None;
            }
            covariances.push(Arc::new(Covariance { size, matrix }));
        }
        Some(Reader { catalogue, covariances, names: texts(&shared["names"])? })
    }

    /// A unit.
    pub fn unit(&self, text: &str) -> Option<Unit> {
        unit(self.catalogue, text)
    }

    fn plain(&self, value: &Json) -> Option<Expr> {
        Expr::from_prefix_with(value.as_str()?, &|text| self.unit(text)).ok()
    }

    /// A law.
    pub fn law(&self, value: &Json) -> Option<Expr> {
        let plain = self.plain(&value["prefix"])?;
        let mut members = std::collections::BTreeMap::new();
        for member in value["members"].as_array()? {
            let group = self.covariances.get(size(&member[1])?)?;
            let place = size(&member[2]).filter(|k| *k < group.size)?;
            members.insert(member[0].as_u64()?, (group, place));
        }
        let mut whole = true;
        let law = plain.transform(&mut |e| match e.kind() {
            Kind::Uncertain(u) => match members.get(&u.id()) {
                Some((group, place)) => {
                    Expr::uncertain(Uncertain::member(u.id(), u.value(), (*group).clone(), *place))
                }
                None => e,
            },
            Kind::Symbol(s) => match s.name().strip_prefix(ESCAPE) {
                Some(place) => match place.parse().ok().and_then(|k: usize| self.names.get(k)) {
                    Some(name) => Expr::symbol(name.as_str()),
                    None => {
                        whole = false;
                        e
                    }
                },
                None => e,
            },
            _ => e,
        });
        whole.then_some(law)
    }

    /// Laws.
    pub fn laws(&self, value: &Json) -> Option<Vec<Expr>> {
        value.as_array()?.iter().map(|e| self.law(e)).collect()
    }

    /// A candidate.
    pub fn candidate(&self, value: &Json) -> Option<Candidate> {
        let mut constants = Vec::new();
        for k in value["constants"].as_array()? {
            constants.push(ConstantInfo {
                value: from_bits(&k["value"])?,
                error: from_bits(&k["error"])?,
                unit: self.unit(k["unit"].as_str()?)?,
                exact: match &k["exact"] {
                    Json::Null => None,
                    text => Some(self.plain(text)?),
                },
                fitted: (from_bits(&k["fitted"][0])?, from_bits(&k["fitted"][1])?),
                gained: from_bits(&k["gained"])?,
            });
        }
        Some(Candidate {
            expr: self.law(&value["law"])?,
            constants,
            loss: from_bits(&value["loss"])?,
            r2: from_bits(&value["r2"])?,
            description_length: from_bits(&value["description_length"])?,
            size: size(&value["size"])?,
            engine: value["engine"].as_str()?.into(),
            evidence: value["evidence"].as_str()?.into(),
        })
    }

    /// Candidates.
    pub fn candidates(&self, value: &Json) -> Option<Vec<Candidate>> {
        value.as_array()?.iter().map(|c| self.candidate(c)).collect()
    }

    /// A model of one of the engines.
    pub fn model(&self, value: &Json, engines: &[&'static str]) -> Option<Model> {
        let mut parameters = Vec::new();
        for p in value["parameters"].as_array()? {
            parameters.push(Parameter {
                symbol: Symbol::new(p[0].as_str()?),
                start: from_bits(&p[1])?,
                dimension: self.unit(p[2].as_str()?)?.dimension(),
            });
        }
        let engine = engines.iter().find(|e| value["engine"] == **e)?;
        Some(Model { template: self.law(&value["law"])?, parameters, engine })
    }

    /// What a search found.
    pub fn found(&self, value: &Json) -> Option<Found> {
        Some(Found {
            front: Front::restore(self.candidates(&value["front"])?, from_bits(&value["floor"])?),
            stopped: StopReason::from_word(value["stopped"].as_str()?)?,
            work: value["work"].as_u64()?,
            notes: texts(&value["notes"])?,
            steps: value["steps"].as_u64()?,
            refined: value["refined"].as_u64()?,
            runner_up: self.candidates(&value["runner_up"])?.pop(),
            noise: from_bits(&value["noise"]),
        })
    }
}
