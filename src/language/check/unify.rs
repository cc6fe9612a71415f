//! Dimensions with unknowns, and the equations between them. A dimension is a vector of rational exponents over the
//! seven base units and over variables; that two of them are equal is one linear equation, solved for one variable
//! (Gaussian elimination over the rationals, exact). This is unification in an abelian group with roots, as in
//! Kennedy, "Types for Units-of-Measure", CEFP 2009.

use std::collections::{BTreeMap, HashMap};

use crate::base::Number;
use crate::units::{Dimension, Unit};

/// The number of a dimension that is not yet known.
pub type Variable = u32;

/// A product of powers of base units and of unknown dimensions.
#[derive(Clone, Debug, PartialEq)]
pub struct Dim {
    base: [Number; 7],
    variables: BTreeMap<Variable, Number>,
}

impl Dim {
    /// That of plain numbers.
    pub fn none() -> Dim {
        Dim { base: std::array::from_fn(|_| Number::ZERO), variables: BTreeMap::new() }
    }

    /// An unknown one.
    pub fn variable(v: Variable) -> Dim {
        Dim { variables: BTreeMap::from([(v, Number::ONE)]), ..Dim::none() }
    }

    /// A known one.
    pub fn of(d: Dimension) -> Dim {
        let base = d.exponents().map(|(n, m)| Number::ratio(n.into(), m.into()).unwrap_or(Number::ZERO));
        Dim { base, variables: BTreeMap::new() }
    }

    /// That of a unit.
    pub fn of_unit(unit: &Unit) -> Dim {
        Dim::of(unit.dimension())
    }

    /// Whether it holds no unknown one.
    pub fn is_known(&self) -> bool {
        self.variables.is_empty()
    }

    /// Whether it is that of plain numbers.
    pub fn is_none(&self) -> bool {
        self.is_known() && self.base.iter().all(Number::is_zero)
    }

    /// The dimension, where no part of it is unknown.
    pub fn constant(&self) -> Option<Dimension> {
        if !self.is_known() {
            return None;
        }
        let mut exponents = [(0i16, 1i16); 7];
        for (slot, n) in exponents.iter_mut().zip(&self.base) {
            let (p, q) = n.to_ratio()?;
            *slot = (i16::try_from(p).ok()?, i16::try_from(q).ok()?);
        }
        Dimension::from_exponents(exponents)
    }

    /// The power of an unknown one in it; 0 where it is not there.
    pub fn exponent(&self, v: Variable) -> Number {
        self.variables.get(&v).cloned().unwrap_or(Number::ZERO)
    }

    /// Without the unknown ones.
    pub fn known(&self) -> Dim {
        Dim { variables: BTreeMap::new(), ..self.clone() }
    }

    /// The unknown ones in it.
    pub fn variables(&self) -> impl Iterator<Item = Variable> + '_ {
        self.variables.keys().copied()
    }

    /// The product.
    pub fn times(&self, other: &Dim) -> Dim {
        self.combine(other, &Number::ONE)
    }

    /// The quotient.
    pub fn over(&self, other: &Dim) -> Dim {
        self.combine(other, &Number::MINUS_ONE)
    }

    /// A power.
    pub fn power(&self, n: &Number) -> Dim {
        Dim::none().combine(self, n)
    }

    /// `self * other^n`
    fn combine(&self, other: &Dim, n: &Number) -> Dim {
        let mut result = self.clone();
        for (slot, e) in result.base.iter_mut().zip(&other.base) {
            *slot = &*slot + &(e * n);
        }
        for (v, e) in &other.variables {
            let sum = &(e * n) + result.variables.get(v).unwrap_or(&Number::ZERO);
            if sum.is_zero() {
                result.variables.remove(v);
            } else {
                result.variables.insert(*v, sum);
            }
        }
        result
    }

    /// With each unknown one replaced.
    pub fn replace(&self, f: &mut dyn FnMut(Variable) -> Dim) -> Dim {
        let mut result = Dim { base: self.base.clone(), variables: BTreeMap::new() };
        for (v, e) in &self.variables {
            result = result.combine(&f(*v), e);
        }
        result
    }

    /// As messages show it, without brackets: `m/s`, and `?` for what is unknown.
    pub fn shown(&self) -> String {
        if let Some(d) = self.constant() {
            return Unit::coherent(d).to_string();
        }
        match self.known().constant() {
            Some(d) if !d.is_none() => format!("?*{}", Unit::coherent(d)),
            _ => "?".into(),
        }
    }
}

/// What is known of the variables.
#[derive(Clone, Debug, Default)]
pub struct Unifier {
    solved: HashMap<Variable, Dim>,
    next: Variable,
}

impl Unifier {
    /// A new unknown dimension.
    pub fn fresh(&mut self) -> Dim {
        self.next += 1;
        Dim::variable(self.next)
    }

    /// With everything put in that is known.
    pub fn resolve(&self, d: &Dim) -> Dim {
        if d.is_known() || !d.variables().any(|v| self.solved.contains_key(&v)) {
            return d.clone();
        }
        d.replace(&mut |v| self.solved.get(&v).map_or_else(|| Dim::variable(v), |known| self.resolve(known)))
    }

    /// Makes two dimensions equal; `false`, and nothing changed, where they cannot be.
    pub fn unify(&mut self, a: &Dim, b: &Dim) -> bool {
        let difference = self.resolve(&a.over(b));
        // The newest variable is solved for: older ones belong to names that are seen more widely.
        let Some((v, e)) = difference.variables.iter().next_back().map(|(v, e)| (*v, e.clone())) else {
            return difference.is_none();
        };
        let Some(inverse) = e.recip() else { return false };
        let rest = difference.over(&Dim::variable(v).power(&e));
        self.solved.insert(v, rest.power(&-&inverse));
        true
    }

    /// Forgets what was solved (bindings have been resolved), not which numbers were used.
    pub fn forget(&mut self) {
        self.solved.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::{Dim, Unifier};
    use crate::base::Number;
    use crate::units::Dimension;
    use proptest::prelude::*;

    fn config() -> ProptestConfig {
        let cases = std::env::var("PHYS_CASES").ok().and_then(|c| c.parse().ok()).unwrap_or(256);
        ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
    }

    /// Four variables and three base units with small powers.
    fn any_dim() -> impl Strategy<Value = Dim> {
        (proptest::array::uniform3(-3i64..=3), proptest::array::uniform4(-2i64..=2), 1i64..=3).prop_map(
            |(base, variables, d)| {
                let known = [Dimension::LENGTH, Dimension::MASS, Dimension::TIME];
                let mut result = Dim::none();
                for (n, b) in base.iter().zip(known) {
                    result = result.times(&Dim::of(b).power(&Number::int(*n)));
                }
                for (k, n) in variables.iter().enumerate() {
                    let power = Number::ratio(*n, d).unwrap_or(Number::ZERO);
                    result = result.times(&Dim::variable(k as u32 + 1).power(&power));
                }
                result
            },
        )
    }

    fn unifier() -> Unifier {
        let mut u = Unifier::default();
        (0..4).for_each(|_| drop(u.fresh()));
        u
    }

    #[test]
    fn a_sum_decides_its_symbols() {
        let mut u = Unifier::default();
        let (m, a) = (u.fresh(), u.fresh());
        let force = Dim::of(Dimension::MASS).times(&Dim::of(Dimension::LENGTH));
        assert!(u.unify(&m.times(&a), &force));
        assert!(u.unify(&m, &Dim::of(Dimension::MASS)));
        assert_eq!(u.resolve(&a).constant(), Some(Dimension::LENGTH));
        assert!(!u.unify(&a, &Dim::none()));
    }

    #[test]
    fn an_unknown_to_a_power_is_solved_by_a_root() {
        let mut u = Unifier::default();
        let x = u.fresh();
        assert!(u.unify(&x.power(&Number::int(2)), &Dim::of(Dimension::LENGTH)));
        assert_eq!(u.resolve(&x).constant(), Dimension::LENGTH.pow(&Number::HALF));
        assert!(!u.unify(&x.power(&Number::int(0)), &Dim::of(Dimension::TIME)));
        assert_eq!(Dim::of(Dimension::TIME).times(&u.fresh()).shown(), "?*s");
    }

    proptest! {
        #![proptest_config(config())]

        #[test]
        fn what_was_unified_is_equal(pairs in proptest::collection::vec((any_dim(), any_dim()), 1..6)) {
            let mut u = unifier();
            let mut held = Vec::new();
            for (a, b) in &pairs {
                if u.unify(a, b) {
                    held.push((a, b));
                }
                for (a, b) in &held {
                    prop_assert_eq!(u.resolve(a), u.resolve(b));
                }
            }
        }

        #[test]
        fn a_system_has_a_solution_in_every_order(
            pairs in proptest::collection::vec((any_dim(), any_dim()), 1..5),
            turn in 0usize..5,
        ) {
            let solve = |pairs: &[(Dim, Dim)]| {
                let mut u = unifier();
                pairs.iter().all(|(a, b)| u.unify(a, b))
            };
            let mut turned = pairs.clone();
            turned.rotate_left(turn % pairs.len());
            turned.iter_mut().for_each(|(a, b)| std::mem::swap(a, b));
            prop_assert_eq!(solve(&pairs), solve(&turned));
        }

        #[test]
        fn a_failure_changes_nothing(a in any_dim(), b in any_dim(), c in any_dim()) {
            let mut u = unifier();
            u.unify(&a, &b);
            let before = u.resolve(&c);
            if !u.unify(&Dim::of(Dimension::LENGTH), &Dim::none()) {
                prop_assert_eq!(u.resolve(&c), before);
            }
        }

        #[test]
        fn dims_are_a_group_with_roots(a in any_dim(), b in any_dim(), n in 1i64..5) {
            prop_assert_eq!(a.times(&b), b.times(&a));
            prop_assert!(a.over(&a).is_none());
            let n = Number::int(n);
            if let Some(root) = n.recip() {
                prop_assert_eq!(a.power(&n).power(&root), a);
            }
        }
    }
}
