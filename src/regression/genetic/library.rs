//! The subtree library: all small functions of the columns, each once and with its dimension, from the tables of the
//! exhaustive search, with their values on a few probe rows. From it come new subtrees of a wanted dimension, and the
//! function that comes closest to wanted values (K. Krawiec, T. Pawlak, Genet. Program. Evolvable Mach. 14, 31 (2013);
//! T. Pawlak, B. Wieloch, K. Krawiec, IEEE Trans. Evol. Comput. 19, 326 (2015)).

use std::collections::BTreeMap;

use rand::RngExt;

use super::tree::{Node, Tree};
use crate::base::CancelToken;
use crate::base::random::Rng;
use crate::regression::describe;
use crate::regression::exhaustive::grammar::Grammar;
use crate::regression::exhaustive::key::Projection;
pub use crate::regression::exhaustive::key::{ROWS, Values};
use crate::regression::exhaustive::level::{Level, Outcome};
use crate::regression::exhaustive::table::Table;
use crate::regression::exhaustive::{LEAST_ROWS, probe_rows};
use crate::regression::options::Plan;
use crate::regression::problem::Problem;
use crate::units::Dimension;

/// Functions that it holds at most.
const CAPACITY: usize = 1 << 14;
/// Candidates of a size that are computed for each function there is room for.
const CANDIDATES: u64 = 24;
/// The largest size of its functions.
const LARGEST: usize = 7;
/// Sizes are told apart up to here in a look-up.
pub const SIZES: usize = LARGEST + 1;
/// Values beyond these in size, or all below these, are of no use.
const RANGE: (f64, f64) = (1e-140, 1e140);

/// A function close to wanted values: offset + factor*function.
#[derive(Clone, Copy, Debug)]
pub struct Close {
    /// The function, by its place in the library.
    pub place: usize,
    /// Its factor.
    pub factor: f64,
    /// What is added.
    pub offset: f64,
    /// Weighted sum of squares of what is left.
    pub left: f64,
}

/// The library.
pub struct Library {
    /// The functions as trees, smallest first.
    pub trees: Vec<Tree>,
    /// Their sizes.
    pub sizes: Vec<u8>,
    /// Their dimensions.
    pub dimensions: Vec<Dimension>,
    values: Vec<Values>,
    groups: BTreeMap<[(i16, i16); 7], Vec<u32>>,
    /// The columns among them.
    pub columns: Vec<u32>,
    /// The values of the leaves on the probe rows.
    pub leaves: Vec<Vec<f64>>,
    /// The probe rows.
    pub rows: [usize; ROWS],
    /// What the leaves are.
    pub grammar: Grammar,
    /// Work that making it took, in row evaluations of one function.
    pub work: u64,
}

impl Library {
    /// The library of a problem; `None` where there are too few different rows, or nothing varies.
    pub fn new(problem: &Problem, plan: &Plan, cancel: &CancelToken) -> Option<Library> {
        let (rows, different) = probe_rows(problem);
        if different < LEAST_ROWS {
            return None;
        }
        let grammar = Grammar::new(problem, plan, &rows);
        let mean = problem.target.iter().sum::<f64>() / problem.rows() as f64;
        let spread =
            (problem.target.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / problem.rows() as f64).sqrt();
        // The table's resolution: with noise, functions that differ by less are one.
        let error = if problem.sigma.is_some() { 1e-9 } else { describe::noise_floor(problem) / spread };
        let mut table = Table::new(grammar.clone(), Projection::new(error));
        let mut work = 0;
        while table.level() < LARGEST {
            let level = Level::next(&mut table);
            if level.candidates > CANDIDATES * (CAPACITY - table.len()) as u64 {
                break;
            }
            work += level.candidates * ROWS as u64;
            match level.run(&mut table, CAPACITY, cancel) {
                Outcome::Complete => {}
                Outcome::Full => break,
                Outcome::Stopped => return None,
            }
        }
        let mut library = Library {
            trees: Vec::new(),
            sizes: Vec::new(),
            dimensions: Vec::new(),
            values: Vec::new(),
            groups: BTreeMap::new(),
            columns: Vec::new(),
            leaves: grammar.leaves.iter().map(|l| l.values.to_vec()).collect(),
            rows,
            grammar,
            work,
        };
        let mut buffer = [0.0; ROWS];
        for id in (0..table.len() as u32).filter(|id| !table.entry(*id).constant) {
            let values = *table.values(id, &mut buffer);
            let largest = values.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
            if !(largest > RANGE.0 && largest < RANGE.1) {
                continue;
            }
            let place = library.trees.len() as u32;
            let tree = Tree::of_entry(&table, id).normal((false, false));
            if let [Node::Leaf(_)] = tree.nodes[..] {
                library.columns.push(place);
            }
            library.trees.push(tree);
            library.sizes.push(table.size(id) as u8);
            library.dimensions.push(table.dimension(id));
            library.values.push(values);
            library.groups.entry(table.dimension(id).exponents()).or_default().push(place);
        }
        (!library.trees.is_empty()).then_some(library)
    }

    /// The functions of a dimension, smallest first.
    pub fn group(&self, d: Dimension) -> &[u32] {
        self.groups.get(&d.exponents()).map_or(&[], Vec::as_slice)
    }

    /// A function, small ones more often; of a dimension where one is wanted.
    pub fn pick(&self, wanted: Option<Dimension>, rng: &mut Rng) -> Option<usize> {
        let u: f64 = rng.random();
        let at = |n: usize| ((u * u * u * n as f64) as usize).min(n - 1);
        match wanted {
            None => Some(at(self.trees.len())),
            Some(d) => match self.group(d) {
                [] => None,
                group => Some(group[at(group.len())] as usize),
            },
        }
    }

    /// Of each size, the function that comes closest to wanted values with a factor and an offset, where these are free;
    /// of a dimension where one is wanted, among the `most` smallest. Rows with weight 0 do not count.
    pub fn closest(
        &self,
        wanted: &Values,
        weights: &Values,
        dimension: Option<Dimension>,
        offset: bool,
        most: usize,
    ) -> [Option<Close>; SIZES] {
        let w = weights.map(|w| w * w);
        let wd: Values = std::array::from_fn(|k| w[k] * wanted[k]);
        let total: f64 = w.iter().sum();
        let d: f64 = wd.iter().sum();
        let mut best = [None; SIZES];
        let look = |place: usize, best: &mut [Option<Close>; SIZES]| {
            let v = &self.values[place];
            let mut sums = [[0.0; 4]; 3];
            for ((x, w), wd) in
                v.as_chunks::<4>().0.iter().zip(w.as_chunks::<4>().0).zip(wd.as_chunks::<4>().0)
            {
                for j in 0..4 {
                    let wx = w[j] * x[j];
                    sums[0][j] += wx;
                    sums[1][j] += wx * x[j];
                    sums[2][j] += wd[j] * x[j];
                }
            }
            let sum = |k: usize| (sums[k][0] + sums[k][1]) + (sums[k][2] + sums[k][3]);
            let (x, xx, xd) = (sum(0), sum(1), sum(2));
            let (xx, xd, mean) =
                if offset { (xx - x * x / total, xd - x * d / total, x / total) } else { (xx, xd, 0.0) };
            // More is closer.
            let gain = xd * xd / xx;
            if !(xx > 1e-18 * total * mean * mean && gain.is_finite()) {
                return;
            }
            let slot = &mut best[usize::from(self.sizes[place]).min(SIZES - 1)];
            if slot.is_none_or(|b: Close| gain > b.left) {
                let factor = xd / xx;
                let added = if offset { d / total - factor * mean } else { 0.0 };
                *slot = Some(Close { place, factor, offset: added, left: gain });
            }
        };
        match dimension {
            None => (0..self.trees.len().min(most)).for_each(|p| look(p, &mut best)),
            Some(d) => self.group(d).iter().take(most).for_each(|p| look(*p as usize, &mut best)),
        }
        // What is left is told from the values, not from differences of sums.
        for close in best.iter_mut().flatten() {
            let v = &self.values[close.place];
            let rest = |k: usize| wanted[k] - close.offset - close.factor * v[k];
            close.left = (0..ROWS).filter(|&k| w[k] > 0.0).map(|k| w[k] * rest(k).powi(2)).sum();
        }
        best
    }
}
