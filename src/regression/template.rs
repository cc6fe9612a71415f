//! Laws back to models: the numbers of a law become parameters again, so that it can be fitted to other data. Which
//! numbers of a law were fitted and which belong to its form cannot be read from it once they are exact (3*x^2 may be one
//! of any multiples of x^2), so that there are several ways to open a law; the description length decides between them.

use super::candidate::{Candidate, Model, Parameter};
use super::problem::Problem;
use super::refine;
use crate::base::CancelToken;
use crate::expression::{Expr, Flags, Kind, Symbol};
use crate::units::Dimension;

/// Which numbers become parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Opening {
    /// Those that were fitted and not snapped.
    Fitted,
    /// All factors and terms; exponents stay where they are exact.
    Numbers,
    /// The same, and each term of the law, and of the arguments of its functions, has a factor.
    Terms,
    /// The same, and the law has a constant term.
    Offset,
}

impl Opening {
    /// All of them, the smallest models first.
    pub const ALL: [Opening; 4] = [Opening::Fitted, Opening::Numbers, Opening::Terms, Opening::Offset];
}

/// Most parameters of a model.
const MOST: usize = 8;

/// A law on its way to a model.
struct Opener {
    how: Opening,
    /// The numbers so far with their parameters: a number that stands twice is one parameter.
    known: Vec<(Expr, Parameter)>,
    /// The dimension of the law where it gets a constant term.
    goal: Dimension,
}

/// The model that opens a law in one way; `None` where it would have too many parameters, or a number has no value.
pub fn open(problem: &Problem, law: &Expr, how: Opening, engine: &'static str) -> Option<Model> {
    let mut opener = Opener { how, known: Vec::new(), goal: problem.goal() };
    let template = opener.law(law)?;
    let parameters: Vec<Parameter> = opener.known.into_iter().map(|(_, p)| p).collect();
    (parameters.len() <= MOST && !template.is_undefined()).then_some(Model { template, parameters, engine })
}

/// A law whose numbers became what `fresh` makes of their values in SI and their dimensions: one for all factors of a product
/// that are numbers. Exponents that are exact stay, and so do 1 and -1, except where `ones` says that as a term of a sum they
/// are numbers as any other.
pub fn numbers(e: &Expr, ones: bool, fresh: &mut dyn FnMut(f64, Dimension) -> Expr) -> Expr {
    let number = |e: &Expr| match e.kind() {
        Kind::Number(n) => (!n.abs().is_one() && !n.is_zero()).then(|| (n.to_f64(), Dimension::NONE)),
        Kind::Float(x) => Some((*x, Dimension::NONE)),
        Kind::Uncertain(u) => Some((u.value(), Dimension::NONE)),
        Kind::Unit(u) => Some((u.scale().to_f64(), u.dimension())),
        Kind::Constant(_) => e.evaluate(&|_| None).map(|x| (x, Dimension::NONE)),
        _ => None,
    };
    if let Some((x, d)) = number(e) {
        return fresh(x, d);
    }
    match e.kind() {
        Kind::Product(factors) => {
            let mut own: Option<(f64, Dimension)> = None;
            let mut rest = Vec::new();
            for f in factors.iter() {
                match number(f) {
                    Some((x, d)) => {
                        let (y, e) = own.unwrap_or((1.0, Dimension::NONE));
                        own = Some((x * y, d.mul(e).unwrap_or(Dimension::NONE)));
                    }
                    None => rest.push(f),
                }
            }
            let mut all: Vec<Expr> = own.map(|(x, d)| fresh(x, d)).into_iter().collect();
            all.extend(rest.into_iter().map(|f| numbers(f, ones, fresh)));
            Expr::product(all)
        }
        Kind::Sum(terms) if ones => Expr::sum(terms.iter().map(|t| match t.as_f64() {
            Some(x) if x != 0.0 => fresh(x, Dimension::NONE),
            _ => numbers(t, ones, fresh),
        })),
        Kind::Power(base, exponent) if exponent.as_number().is_some() => {
            Expr::power(numbers(base, ones, fresh), exponent.clone())
        }
        _ => e.map_children(|c| numbers(c, ones, fresh)),
    }
}

/// All models that open a candidate, each once.
pub fn models(problem: &Problem, candidate: &Candidate, engine: &'static str) -> Vec<Model> {
    let mut found: Vec<Model> = Vec::new();
    for how in Opening::ALL {
        let Some(model) = open(problem, &candidate.expr, how, engine) else { continue };
        for model in std::iter::once(model.clone()).chain(divided(&model)) {
            if !found.iter().any(|m| m.template == model.template) {
                found.push(model);
            }
        }
    }
    found
}

/// The laws of models whose parameters are numbered through, with all their parameters.
pub fn together<'a>(models: impl IntoIterator<Item = &'a Model>) -> (Vec<Expr>, Vec<Parameter>) {
    let mut parameters: Vec<Parameter> = Vec::new();
    let mut laws = Vec::new();
    for model in models {
        let first = parameters.len();
        let mut pairs = Vec::new();
        for (k, p) in model.parameters.iter().enumerate() {
            let symbol = Parameter::symbol(first + k);
            pairs.push((p.symbol.clone(), Expr::symbol(symbol.clone())));
            parameters.push(Parameter { symbol, ..p.clone() });
        }
        laws.push(model.template.substitute(&pairs));
    }
    (laws, parameters)
}

/// Standard errors within which two parameters may be one.
const NEAR: f64 = 4.0;
/// The same as a share of the parameter, where the data are exact.
const EQUAL: f64 = 1e-7;

/// Parameters that agree within their errors, up to sign, as those that stay for them; then the model whose starts are
/// what the fit came to. `None` where none do.
pub fn merged(
    problem: &Problem,
    model: &Model,
    cancel: &CancelToken,
) -> Option<(Vec<(Symbol, Expr)>, Model)> {
    let fitted = refine::fit(problem, &model.template, &model.parameters, cancel)?;
    let (values, covariance) = (&fitted.values, &fitted.covariance);
    let same = |a: usize, b: usize, sign: f64| {
        let variance = covariance[(a, a)] + covariance[(b, b)] - 2.0 * sign * covariance[(a, b)];
        let reach = (NEAR * variance.max(0.0).sqrt()).max(EQUAL * values[a].abs());
        model.parameters[a].dimension == model.parameters[b].dimension
            && (values[a] - sign * values[b]).abs() <= reach
    };
    let mut kept: Vec<usize> = Vec::new();
    let mut pairs = Vec::new();
    for (k, p) in model.parameters.iter().enumerate() {
        let one = kept.iter().find_map(|&j| [1.0, -1.0].into_iter().find(|s| same(j, k, *s)).map(|s| (j, s)));
        match one {
            Some((j, sign)) => {
                let first = Expr::symbol(model.parameters[j].symbol.clone());
                pairs.push((p.symbol.clone(), if sign < 0.0 { first.negate() } else { first }));
            }
            None => kept.push(k),
        }
    }
    let parameter = |&k: &usize| Parameter { start: values[k], ..model.parameters[k].clone() };
    let template = model.template.substitute(&pairs);
    let parameters = kept.iter().map(parameter).collect();
    let model = Model { template, parameters, engine: model.engine };
    (!pairs.is_empty()).then_some((pairs, model))
}

/// The models in which one constant of a denominator is divided through: `c*x/(d + x)` for `x/(a + b*x)`. The law is the
/// same; what of it is a constant of all groups is not.
fn divided(model: &Model) -> Vec<Model> {
    let place = |e: &Expr| model.parameters.iter().position(|p| e.as_symbol() == Some(&p.symbol));
    let terms = model.template.terms();
    let mut found = Vec::new();
    for (at, term) in terms.iter().enumerate() {
        for factor in term.factors() {
            let (sum, exponent) = factor.base_exponent();
            if exponent.as_i64() != Some(-1) || sum.terms().len() < 2 {
                continue;
            }
            let factors: Vec<Option<usize>> =
                sum.terms().iter().map(|t| t.factors().iter().find_map(place)).collect();
            let Some(own) = factors.into_iter().collect::<Option<Vec<usize>>>() else { continue };
            let outer = term.factors().iter().find_map(place);
            for &through in &own {
                found.extend(divided_by(model, (at, term), &own, through, outer));
            }
        }
    }
    found
}

/// The model with the parameter `through` of the denominator of a term divided through; its place is that of the factor of
/// the whole term, unless the term has one already.
fn divided_by(
    model: &Model,
    (at, term): (usize, &Expr),
    own: &[usize],
    through: usize,
    outer: Option<usize>,
) -> Option<Model> {
    let of = |k: usize| model.parameters.get(k);
    let (start, dimension) = (of(through)?.start, of(through)?.dimension);
    // Parameters that stand elsewhere too cannot be divided.
    let count = |k: usize| {
        let mut times = 0;
        model.template.visit(&mut |e| times += usize::from(e.as_symbol() == of(k).map(|p| &p.symbol)));
        times
    };
    if own.iter().any(|k| count(*k) != 1) || outer.is_some_and(|k| own.contains(&k)) || start == 0.0 {
        return None;
    }
    let mut parameters = model.parameters.clone();
    for &k in own.iter().filter(|k| **k != through) {
        parameters[k].start /= start;
        parameters[k].dimension = parameters[k].dimension.div(dimension)?;
    }
    let symbol = of(through)?.symbol.clone();
    let mut term = term.substitute(&[(symbol.clone(), Expr::one())]);
    match outer {
        Some(k) => {
            parameters[k].start /= start;
            parameters[k].dimension = parameters[k].dimension.div(dimension)?;
            parameters.remove(through);
        }
        None => {
            parameters[through].start = 1.0 / start;
            parameters[through].dimension = dimension.recip();
            term = Expr::product([Expr::symbol(symbol), term]);
        }
    }
    let others = model.template.terms().iter().enumerate().filter(|(k, _)| *k != at).map(|(_, t)| t.clone());
    let template = Expr::sum(others.chain([term]));
    Some(Model { template, parameters, engine: model.engine })
}

impl Opener {
    fn law(&mut self, law: &Expr) -> Option<Expr> {
        let mut template = self.terms(law)?;
        let constant = |e: &Expr| self.known.iter().any(|(_, p)| e.as_symbol() == Some(&p.symbol));
        if self.how == Opening::Offset && !template.terms().iter().any(constant) {
            let term = self.fresh(Expr::zero(), 0.0, self.goal);
            template = Expr::sum([template, term]);
        }
        Some(template)
    }

    /// A sum whose terms have factors of their own, where that is asked for.
    fn terms(&mut self, e: &Expr) -> Option<Expr> {
        if self.how < Opening::Terms {
            return self.node(e);
        }
        let mut terms = Vec::new();
        for term in e.terms() {
            let opened = self.node(term)?;
            let own = |f: &Expr| self.known.iter().any(|(_, p)| f.as_symbol() == Some(&p.symbol));
            if opened.factors().iter().any(own) {
                terms.push(opened);
                continue;
            }
            let negated = opened.is_negated();
            // No number is this mark, so that each term has its own factor.
            let mark = Expr::symbol(format!("#{}#", self.known.len()).as_str());
            let factor = self.fresh(mark, if negated { -1.0 } else { 1.0 }, Dimension::NONE);
            terms.push(Expr::product([factor, if negated { opened.negate() } else { opened }]));
        }
        Some(Expr::sum(terms))
    }

    /// The parameter of a number, a new one where the number is new.
    fn fresh(&mut self, number: Expr, start: f64, dimension: Dimension) -> Expr {
        if let Some((_, p)) = self.known.iter().find(|(n, _)| *n == number) {
            return Expr::symbol(p.symbol.clone());
        }
        let symbol = Parameter::symbol(self.known.len());
        self.known.push((number, Parameter { symbol: symbol.clone(), start, dimension }));
        Expr::symbol(symbol)
    }

    /// The parameter of an expression without symbols, or the number itself where that stays.
    fn number(&mut self, number: &Expr) -> Option<Expr> {
        let free = match self.how {
            Opening::Fitted => number.flags().has(Flags::UNCERTAIN),
            _ => !number.as_number().is_some_and(|n| n.abs().is_one() || n.is_zero()),
        };
        if !free {
            return Some(number.clone());
        }
        let start = number.evaluate(&|_| None).filter(|x| x.is_finite())?;
        let first = number.terms().first().unwrap_or(number);
        let dimension = first.split_unit().1.map_or(Dimension::NONE, |u| u.dimension());
        Some(self.fresh(number.clone(), start, dimension))
    }

    fn node(&mut self, e: &Expr) -> Option<Expr> {
        if !e.is_symbolic() {
            return self.number(e);
        }
        Some(match e.kind() {
            Kind::Product(factors) => {
                let open = |f: &&Expr| match self.how {
                    Opening::Fitted => f.flags().has(Flags::UNCERTAIN) || matches!(f.kind(), Kind::Unit(_)),
                    _ => true,
                };
                let (numbers, rest): (Vec<&Expr>, Vec<&Expr>) =
                    factors.iter().partition(|f| !f.is_symbolic() && open(f));
                let mut all = match numbers.is_empty() {
                    true => Vec::new(),
                    false => vec![self.number(&Expr::product(numbers.into_iter().cloned()))?],
                };
                for factor in rest {
                    all.push(if factor.is_symbolic() { self.node(factor)? } else { factor.clone() });
                }
                Expr::product(all)
            }
            Kind::Sum(terms) => {
                let all: Option<Vec<Expr>> = terms.iter().map(|t| self.node(t)).collect();
                Expr::sum(all?)
            }
            Kind::Power(base, exponent) => {
                let base = self.node(base)?;
                let plain = !exponent.is_symbolic() && !exponent.flags().has(Flags::UNCERTAIN);
                Expr::power(base, if plain { exponent.clone() } else { self.node(exponent)? })
            }
            Kind::Call(f, args) => {
                let all: Option<Vec<Expr>> = args.iter().map(|a| self.terms(a)).collect();
                Expr::call(*f, all?)
            }
            Kind::Symbol(_) => e.clone(),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::{Uncertain, read::parse};
    use crate::regression::tests::{NONE, sample};

    fn opened(law: &Expr, how: Opening) -> String {
        let problem = sample(&[("x", NONE, 0.0, 1.0)], NONE, |x| x[0], 3, 0.0, 1);
        let model = open(&problem, law, how, "test").unwrap();
        let starts: Vec<f64> = model.parameters.iter().map(|p| p.start).collect();
        // As it was, at the starts, up to what a constant term adds.
        for x in [0.3, 0.7] {
            let value = model.template.evaluate(&|s| {
                let k = model.parameters.iter().position(|p| p.symbol == *s);
                Some(k.map_or(x, |k| starts[k]))
            });
            let old = law.evaluate(&|_| Some(x)).unwrap();
            assert!((value.unwrap() - old).abs() <= 1e-12 * old.abs(), "{}", model.template);
        }
        model.template.to_string()
    }

    #[test]
    fn numbers_become_parameters_and_the_law_stays() {
        let law = parse("3*x^2 + exp(-x/2) + 5");
        assert_eq!(opened(&law, Opening::Fitted), law.to_string());
        for how in Opening::ALL {
            opened(&law, how);
            opened(&parse("-x*log(1 + x)/(2 + x)"), how);
            opened(&parse("2^x"), how);
        }
        let fitted = Expr::uncertain(Uncertain::new(1, 2.5, 0.1));
        let law = Expr::sum([
            Expr::product([fitted.clone(), parse("2*x^2")]),
            Expr::call(crate::expression::Function::Exp, vec![Expr::product([fitted, parse("x")])]),
        ]);
        // One constant that stands twice is one parameter.
        let problem = sample(&[("x", NONE, 0.0, 1.0)], NONE, |x| x[0], 3, 0.0, 1);
        assert_eq!(open(&problem, &law, Opening::Fitted, "test").unwrap().parameters.len(), 1);
        for how in Opening::ALL {
            opened(&law, how);
        }
        let count = |text: &str, how| open(&problem, &parse(text), how, "test").unwrap().parameters.len();
        assert_eq!(count("3*x^2 + x", Opening::Numbers), 1);
        assert_eq!(count("3*x^2 + x", Opening::Terms), 2);
        assert_eq!(count("3*x^2 + x", Opening::Offset), 3);
        assert_eq!(count("3*x^2 + 4", Opening::Offset), 2);
        assert_eq!(count("exp(-x)", Opening::Terms), 2);
    }

    #[test]
    fn a_constant_of_a_denominator_can_be_divided_through() {
        let problem = sample(&[("x", NONE, 0.0, 1.0)], NONE, |x| x[0], 3, 0.0, 1);
        for (law, others) in
            [("x/(2 + 3*x)", 2), ("5*x/(2 + 3*x) + 7", 2), ("x/(2 + x)", 0), ("x/exp(2*x)", 0)]
        {
            let law = parse(law);
            let model = open(&problem, &law, Opening::Numbers, "test").unwrap();
            let found = divided(&model);
            assert_eq!(found.len(), others, "{law}");
            for m in found {
                for x in [0.3, 0.7] {
                    let start =
                        |s: &Symbol| m.parameters.iter().find(|p| p.symbol == *s).map_or(x, |p| p.start);
                    let value = m.template.evaluate(&|s| Some(start(s))).unwrap();
                    assert!((value - law.evaluate(&|_| Some(x)).unwrap()).abs() < 1e-12, "{}", m.template);
                }
                assert!(m.parameters.iter().all(|p| m.template.contains_symbol(&p.symbol)));
            }
        }
    }
}
