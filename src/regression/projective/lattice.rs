//! Integer exponent vectors of products of powers: those without dimension (Buckingham's pi theorem), and those of a
//! given dimension. Shortest first, by the sum of the absolute exponents.

use crate::units::Dimension;

/// Exponents of the variables of a view.
pub type Exponents = Vec<i8>;

/// Bound on the vectors that an enumeration looks at.
const LOOKED_AT: f64 = 4e5;

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

/// All integer vectors p with `prod of[i]^p[i] = goal` and an absolute sum of 1 to `longest`, the shortest first, at most
/// `most`. Enumeration ends earlier where it would look at too many.
pub fn vectors(of: &[Dimension], goal: Dimension, longest: usize, most: usize) -> Vec<Exponents> {
    let n = of.len();
    let Some(goal) = twelfths(goal) else { return Vec::new() };
    let Some(rows) = of.iter().map(|d| twelfths(*d)).collect::<Option<Vec<_>>>() else { return Vec::new() };
    let mut found = Vec::new();
    let mut seen = 0.0;
    for total in 1..=longest {
        seen += count(n, total);
        if seen > LOOKED_AT || found.len() >= most {
            break;
        }
        let mut current = vec![0i8; n];
        descend(&rows, &goal, 0, total as i32, &mut current, &mut found);
    }
    found.truncate(most);
    found
}

/// Fills the exponents from place k on with an absolute sum of `left`.
fn descend(
    rows: &[[i32; 7]],
    rest: &[i32; 7],
    k: usize,
    left: i32,
    current: &mut Exponents,
    found: &mut Vec<Exponents>,
) {
    if k == rows.len() {
        if left == 0 && rest.iter().all(|x| *x == 0) {
            found.push(current.clone());
        }
        return;
    }
    if k + 1 == rows.len() {
        // The last one has no choice but its sign.
        for p in if left == 0 { vec![0] } else { vec![left, -left] } {
            let ends = rest.iter().zip(&rows[k]).all(|(r, x)| *r == p * x);
            if ends {
                current[k] = p as i8;
                found.push(current.clone());
            }
        }
        current[k] = 0;
        return;
    }
    for size in 0..=left {
        for p in if size == 0 { vec![0] } else { vec![size, -size] } {
            let mut next = *rest;
            next.iter_mut().zip(&rows[k]).for_each(|(r, x)| *r -= p * x);
            current[k] = p as i8;
            descend(rows, &next, k + 1, left - size, current, found);
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
            for total in 1..5 {
                let all = vectors(&vec![Dimension::NONE; n], Dimension::NONE, total, usize::MAX);
                let exact = all.iter().filter(|p| p.iter().map(|x| x.abs() as usize).sum::<usize>() == total);
                assert_eq!(exact.count() as f64, count(n, total), "{n} {total}");
            }
        }
    }

    #[test]
    fn speeds_make_one_ratio() {
        let speed = Dimension::LENGTH.div(Dimension::TIME).unwrap();
        let of = [speed, speed, Dimension::MASS];
        let all = vectors(&of, Dimension::NONE, 4, 100);
        assert_eq!(all, [vec![1, -1, 0], vec![-1, 1, 0], vec![2, -2, 0], vec![-2, 2, 0]]);
        assert_eq!(all.iter().filter(|p| primitive(p)).count(), 1);
        let energy = Dimension::MASS.mul(speed.pow(&Number::TWO).unwrap()).unwrap();
        let found = vectors(&of, energy, 3, 100);
        assert_eq!(found, [vec![2, 0, 1], vec![1, 1, 1], vec![0, 2, 1]]);
    }
}
