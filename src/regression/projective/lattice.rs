//! Integer exponent vectors of products of powers: those without dimension (Buckingham's pi theorem), and those of a
//! given dimension. Shortest first, by the sum of the absolute exponents.

use std::collections::HashMap;

use crate::units::Dimension;

/// Exponents of the variables of a view.
pub type Exponents = Vec<i8>;

/// Exponents of a dimension in twelfths; `None` where a denominator does not divide 12.
fn twelfths(d: Dimension) -> Option<[i32; 7]> {
    let mut out = [0; 7];
    for (slot, (n, m)) in out.iter_mut().zip(d.exponents()) {
        if 12 % i32::from(m) != 0 {
            return None;
        }
        *slot = i32::from(n) * (12 / i32::from(m));
    }
    Some(out)
}

/// Number of integer vectors with n entries and an absolute sum of `total`.
fn count(n: usize, total: usize) -> f64 {
    // 2^k C(n, k) C(total - 1, k - 1) over the number k of entries that are not 0.
    let choose = |n: usize, k: usize| (0..k).fold(1.0, |c, i| c * (n - i) as f64 / (i + 1) as f64);
    if total == 0 {
        return 1.0;
    }
    (1..=n.min(total)).map(|k| 2f64.powi(k as i32) * choose(n, k) * choose(total - 1, k - 1)).sum()
}

/// The integer exponent vectors of a view, by the dimension of their product.
#[derive(Clone, Debug)]
pub struct Lattice {
    by: HashMap<[i32; 7], Vec<Exponents>>,
    /// The largest sum of absolute exponents that was written out.
    pub longest: usize,
}

impl Lattice {
    /// All integer vectors p with an absolute sum of 1 to `longest`, the shortest first. The enumeration ends earlier where
    /// it would look at more than `most`.
    pub fn new(of: &[Dimension], longest: usize, most: f64) -> Lattice {
        let n = of.len();
        let mut lattice = Lattice { by: HashMap::new(), longest: 0 };
        let Some(rows) = of.iter().map(|d| twelfths(*d)).collect::<Option<Vec<_>>>() else { return lattice };
        let mut seen = 0.0;
        for total in 1..=longest {
            seen += count(n, total);
            if seen > most {
                break;
            }
            lattice.longest = total;
            let mut current = vec![0i8; n];
            descend(&rows, [0; 7], 0, total as i8, &mut current, &mut |goal, p| {
                lattice.by.entry(goal).or_default().push(p.clone());
            });
        }
        lattice
    }

    /// The exponents whose product has a dimension, the shortest first.
    pub fn of(&self, goal: Dimension) -> &[Exponents] {
        twelfths(goal).and_then(|g| self.by.get(&g)).map_or(&[], Vec::as_slice)
    }
}

/// Fills the exponents from place k on with an absolute sum of `left`.
fn descend(
    rows: &[[i32; 7]],
    sum: [i32; 7],
    k: usize,
    left: i8,
    current: &mut Exponents,
    found: &mut impl FnMut([i32; 7], &Exponents),
) {
    if k == rows.len() {
        if left == 0 {
            found(sum, current);
        }
        return;
    }
    // The last one has no choice but its sign.
    let from = if k + 1 == rows.len() { left } else { 0 };
    for size in from..=left {
        for p in [size, -size] {
            let mut next = sum;
            next.iter_mut().zip(&rows[k]).for_each(|(r, x)| *r += i32::from(p) * x);
            current[k] = p;
            descend(rows, next, k + 1, left - size, current, found);
            if size == 0 {
                break;
            }
        }
    }
    current[k] = 0;
}

/// Those that are no power of a shorter one, one of p and -p.
pub fn primitive(p: &[i8]) -> bool {
    let gcd = p.iter().fold(0u8, |g, x| gcd(g, x.unsigned_abs()));
    gcd == 1 && p.iter().find(|x| **x != 0).is_some_and(|x| *x > 0)
}

fn gcd(a: u8, b: u8) -> u8 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Number;

    #[test]
    fn counts_are_those_of_the_enumeration() {
        for n in 1..5 {
            let all = Lattice::new(&vec![Dimension::NONE; n], 4, 1e9);
            for total in 1..5 {
                let sum =
                    |p: &&Exponents| p.iter().map(|x| x.unsigned_abs() as usize).sum::<usize>() == total;
                let exact = all.of(Dimension::NONE).iter().filter(sum);
                assert_eq!(exact.count() as f64, count(n, total), "{n} {total}");
            }
        }
    }

    #[test]
    fn speeds_make_one_ratio() {
        let speed = Dimension::LENGTH.div(Dimension::TIME).unwrap();
        let of = [speed, speed, Dimension::MASS];
        let all = Lattice::new(&of, 4, 1e9);
        let none = all.of(Dimension::NONE);
        assert_eq!(none, [vec![1, -1, 0], vec![-1, 1, 0], vec![2, -2, 0], vec![-2, 2, 0]]);
        assert_eq!(none.iter().filter(|p| primitive(p)).count(), 1);
        let energy = Dimension::MASS.mul(speed.pow(&Number::TWO).unwrap()).unwrap();
        let found: Vec<_> = all.of(energy).iter().filter(|p| p.iter().sum::<i8>() == 3).collect();
        assert_eq!(found, [&vec![0, 2, 1], &vec![1, 1, 1], &vec![2, 0, 1]]);
    }
}
