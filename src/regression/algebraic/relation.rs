//! Linear relations among columns of numbers: each column, in the order given, is projected onto those before it; what is
//! left of one that depends on them is rounding. Run on products of variables in the order of their degree this is the
//! algorithm for the ideal of polynomials that vanish on points (H. M. Moeller, B. Buchberger, EUROCAM 1982, LNCS 144, 24;
//! with a tolerance: D. Heldt, M. Kreuzer, S. Pokutta, H. Poulisse, J. Symb. Comput. 44, 1566 (2009)), whose first relation
//! has no multiple of a lower degree.

/// Rounding of a column relative to its size is told from a remainder by this factor.
const MARGIN: f64 = 20.0;
/// Largest sum of coefficients of columns of size 1: beyond it the columns hardly differ, and a small remainder says nothing.
const SPREAD: f64 = 1e5;
/// Coefficients below this share of the largest are noise.
const NOISE: f64 = 1e-7;
/// Factors below so many times the rounding of an entry are rounding.
const TRACE: f64 = 1e3;
/// Most terms that are pruned one by one.
const PRUNED: usize = 60;

/// A column with what the search must know about it.
#[derive(Clone, Debug)]
pub struct Column {
    /// Values on the rows, of length 1.
    pub values: Vec<f64>,
    /// What they were divided by.
    pub norm: f64,
    /// The power of the target that it holds.
    pub target: u8,
}

impl Column {
    /// A column from its values; `None` where they are zero or not finite.
    pub fn new(mut values: Vec<f64>, target: u8) -> Option<Column> {
        let norm = dot(&values, &values).sqrt();
        if !(norm.is_finite() && norm > 1e-140) {
            return None;
        }
        values.iter_mut().for_each(|v| *v /= norm);
        Some(Column { values, norm, target })
    }
}

/// Columns whose combination with these factors vanishes.
#[derive(Clone, Debug)]
pub struct Relation {
    /// Places of the columns.
    pub places: Vec<usize>,
    /// Their factors, for columns of length 1; the largest is 1.
    pub factors: Vec<f64>,
    /// What is left, relative to the largest term.
    pub remainder: f64,
}

pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (x, y) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f64 = x.remainder().iter().zip(y.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in x.zip(y) {
        for i in 0..8 {
            sums[i] += a[i] * b[i];
        }
    }
    rest + sums.iter().sum::<f64>()
}

/// A basis of columns, one after the other.
#[derive(Debug, Default)]
struct Basis {
    directions: Vec<Vec<f64>>,
    /// Column k in the directions 0 to k.
    triangle: Vec<Vec<f64>>,
}

impl Basis {
    /// What is left of a column beside the basis, and its coordinates.
    fn split(&self, column: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let mut rest = column.to_vec();
        let mut coordinates = vec![0.0; self.directions.len()];
        // Twice: the first pass leaves rounding of the size of the column.
        for _ in 0..2 {
            for (q, c) in self.directions.iter().zip(&mut coordinates) {
                let along = dot(q, &rest);
                *c += along;
                rest.iter_mut().zip(q).for_each(|(r, q)| *r -= along * q);
            }
        }
        (rest, coordinates)
    }

    fn push(&mut self, mut rest: Vec<f64>, mut coordinates: Vec<f64>) {
        let size = dot(&rest, &rest).sqrt();
        rest.iter_mut().for_each(|r| *r /= size);
        coordinates.push(size);
        self.directions.push(rest);
        self.triangle.push(coordinates);
    }

    /// Coordinates as factors of the columns themselves.
    fn factors(&self, mut coordinates: Vec<f64>) -> Vec<f64> {
        for k in (0..coordinates.len()).rev() {
            let column = &self.triangle[k];
            coordinates[k] /= column[k];
            let x = coordinates[k];
            for i in 0..k {
                coordinates[i] -= column[i] * x;
            }
        }
        coordinates
    }
}

/// The first relation that holds the target, pruned to the terms it needs; `epsilon` is the relative rounding of an entry.
/// The work in row evaluations is added to `work`.
pub fn first(columns: &[Column], epsilon: f64, work: &mut u64) -> Option<Relation> {
    let mut basis = Basis::default();
    let mut kept: Vec<usize> = Vec::new();
    for (place, column) in columns.iter().enumerate() {
        *work += (column.values.len() * (1 + kept.len()) / 4) as u64;
        let (rest, coordinates) = basis.split(&column.values);
        let left = dot(&rest, &rest).sqrt();
        if left > 1e-4 {
            basis.push(rest, coordinates);
            kept.push(place);
            continue;
        }
        let factors = basis.factors(coordinates.clone());
        let spread: f64 = factors.iter().map(|x| x.abs()).sum();
        if left <= MARGIN * epsilon * (1.0 + spread) {
            let largest = factors.iter().fold(1.0f64, |m, x| m.max(x.abs()));
            let active = kept.iter().zip(&factors).filter(|(_, x)| x.abs() > NOISE * largest);
            let active: Vec<usize> = active.map(|(k, _)| *k).chain([place]).collect();
            // What holds among the features says nothing of the target, and is left out.
            if tells(columns, &active) && spread <= SPREAD {
                return pruned(columns, active, epsilon, work);
            }
            continue;
        }
        if left <= 1e-12 {
            continue;
        }
        basis.push(rest, coordinates);
        kept.push(place);
    }
    None
}

/// The null vector of few columns: one in terms of the others.
fn solve(columns: &[Column], places: &[usize], by: usize, work: &mut u64) -> Option<Relation> {
    let mut basis = Basis::default();
    for (k, &place) in places.iter().enumerate() {
        if k != by {
            let (rest, coordinates) = basis.split(&columns[place].values);
            if dot(&rest, &rest).sqrt() < 1e-13 {
                return None;
            }
            basis.push(rest, coordinates);
        }
    }
    let (rest, coordinates) = basis.split(&columns[places[by]].values);
    *work += (rest.len() * places.len() * places.len() / 4) as u64;
    let mut factors: Vec<f64> = basis.factors(coordinates).iter().map(|x| -x).collect();
    factors.insert(by, 1.0);
    let largest = factors.iter().fold(0.0f64, |m, x| m.max(x.abs()));
    factors.iter_mut().for_each(|x| *x /= largest);
    let remainder = dot(&rest, &rest).sqrt() / largest;
    Some(Relation { places: places.to_vec(), factors, remainder })
}

fn pruned(columns: &[Column], mut places: Vec<usize>, epsilon: f64, work: &mut u64) -> Option<Relation> {
    if places.len() > PRUNED {
        return None;
    }
    let by = |relation: &Relation| {
        let sizes = relation.factors.iter().map(|x| x.abs());
        sizes.enumerate().max_by(|a, b| a.1.total_cmp(&b.1)).map_or(0, |m| m.0)
    };
    let mut pivot = places.len() - 1;
    let mut relation = solve(columns, &places, pivot, work)?;
    pivot = by(&relation);
    relation = solve(columns, &places, pivot, work)?;
    let bound = |r: &Relation| MARGIN * epsilon * r.factors.iter().map(|x| x.abs()).sum::<f64>();
    if relation.remainder > bound(&relation) {
        return None;
    }
    while places.len() > 2 {
        let sizes = relation.factors.iter().map(|x| x.abs()).enumerate();
        let (smallest, size) = sizes.min_by(|a, b| a.1.total_cmp(&b.1))?;
        let mut fewer = places.clone();
        fewer.remove(smallest);
        let at = if pivot > smallest { pivot - 1 } else { pivot.min(fewer.len() - 1) };
        let Some(new) = solve(columns, &fewer, at, work) else { break };
        // What is no larger than the rounding of the others is rounding itself.
        if new.remainder > bound(&new) && size > TRACE * epsilon {
            break;
        }
        pivot = by(&new);
        places = fewer;
        relation = new;
    }
    tells(columns, &relation.places).then_some(relation)
}

/// Whether a relation of these columns ties the target to the features: it holds several powers of it.
fn tells(columns: &[Column], places: &[usize]) -> bool {
    places.iter().any(|&k| columns[k].target != columns[places[0]].target)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Of = (fn(f64) -> f64, u8);

    fn columns(values: &[Of]) -> Vec<Column> {
        let rows: Vec<f64> = (0..60).map(|k| 0.3 + 0.05 * f64::from(k)).collect();
        values.iter().map(|(f, t)| Column::new(rows.iter().map(|x| f(*x)).collect(), *t).unwrap()).collect()
    }

    /// The factors of a relation for the columns as given, the last of them 1.
    fn plain(relation: &Relation, columns: &[Column]) -> Vec<(usize, f64)> {
        let raw: Vec<f64> =
            relation.places.iter().zip(&relation.factors).map(|(&k, x)| x / columns[k].norm).collect();
        let last = raw[raw.len() - 1];
        relation.places.iter().copied().zip(raw.iter().map(|x| x / last)).collect()
    }

    #[test]
    fn a_relation_is_found_with_the_terms_that_it_needs_and_no_other() {
        // y = (2 + 3 x)/(1 + x^2/2): y + x^2 y/2 - 3 x - 2 = 0.
        let y = |x: f64| (2.0 + 3.0 * x) / (1.0 + x * x / 2.0);
        let list: Vec<Of> = vec![
            (|_| 1.0, 0),
            (|x| x, 0),
            (|x| (2.0 + 3.0 * x) / (1.0 + x * x / 2.0), 1),
            (|x| x * x, 0),
            (|x| x * (2.0 + 3.0 * x) / (1.0 + x * x / 2.0), 1),
            (|x| x * x * x, 0),
            (|x| x * x * (2.0 + 3.0 * x) / (1.0 + x * x / 2.0), 1),
        ];
        let columns = columns(&list);
        let mut work = 0;
        let relation = first(&columns, 1e-15, &mut work).unwrap();
        let plain = plain(&relation, &columns);
        let places: Vec<usize> = plain.iter().map(|p| p.0).collect();
        assert_eq!(places, [0, 1, 2, 6]);
        for ((_, found), wanted) in plain.iter().zip([-4.0, -6.0, 2.0, 1.0]) {
            assert!((found - wanted).abs() < 1e-9, "{found} {wanted}");
        }
        assert!(work > 0 && y(1.0) > 0.0);
    }

    #[test]
    fn columns_that_depend_on_each_other_without_the_target_are_left_out() {
        let list: Vec<Of> = vec![
            (|_| 1.0, 0),
            (|x| x.sin() * x.sin(), 0),
            (|x| x.cos() * x.cos(), 0),
            (|x| x.exp(), 1),
            (|x| x.exp() * x.sin() * x.sin(), 1),
            (|x| x.exp() * x.cos() * x.cos(), 1),
        ];
        assert!(first(&columns(&list), 1e-15, &mut 0).is_none());
    }

    #[test]
    fn nothing_is_found_in_noise() {
        let list: Vec<Of> = vec![(|_| 1.0, 0), (|x| x, 0), (|x| x + 1e-7 * (1e6 * x).sin(), 1)];
        assert!(first(&columns(&list), 1e-15, &mut 0).is_none());
        assert!(first(&columns(&list), 1e-6, &mut 0).is_some());
    }
}
