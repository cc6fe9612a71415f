//! Numbers for symbols, to check roots of equations: a few fixed points inside what is declared.

use crate::base::hash;
use crate::expression::{Declarations, Expr, Flags, Symbol};

/// How many points are looked at.
const POINTS: u64 = 12;
/// How exactly an equation must be fulfilled, relative to its terms.
const TOLERANCE: f64 = 1e-7;

pub(super) struct Samples<'a> {
    declarations: &'a Declarations,
}

impl<'a> Samples<'a> {
    pub(super) fn new(declarations: &'a Declarations) -> Samples<'a> {
        Samples { declarations }
    }

    /// A value between 0.3 and 2.3, or inside the declared domain; odd points turn some signs.
    fn value(&self, symbol: &Symbol, point: u64) -> f64 {
        let h = hash::combine(symbol.stable_hash(), hash::mix(point));
        let unit = (h >> 11) as f64 / (1u64 << 53) as f64;
        let declared = self.declarations.get(symbol);
        if let Some((low, high)) = declared.and_then(|d| d.domain.as_ref()).map(|d| d.bounds())
            && low.is_finite()
            && high.is_finite()
        {
            return low + (0.05 + 0.9 * unit) * (high - low);
        }
        let a = declared.map(|d| d.assumptions).unwrap_or_default();
        let size = if a.integer { 1.0 + (unit * 5.0).floor() } else { 0.3 + 2.0 * unit };
        let turned = !a.positive && !a.nonnegative && point % 2 == 1 && h & 1 == 1;
        if a.negative || a.nonpositive || turned { -size } else { size }
    }

    /// Whether `root` fulfils `f == 0`; `None` where no point told.
    pub(super) fn fulfils(
        &self,
        f: &Expr,
        unknown: &Symbol,
        root: &Expr,
        conditions: &[Expr],
        complex: bool,
    ) -> Option<bool> {
        if f.flags().has(Flags::APPLY) || root.flags().has(Flags::APPLY) {
            return None;
        }
        let mut verdict = None;
        let points = if root.is_symbolic() || f.symbols().len() > 1 { POINTS } else { 1 };
        for point in 0..points {
            let known = |s: &Symbol| Some(self.value(s, point));
            if conditions.iter().any(|c| c.decide(&known) == Some(false)) {
                continue;
            }
            let pair = |s: &Symbol| known(s).map(|x| (x, 0.0));
            let Some((re, im)) = root.evaluate_complex(&pair) else { continue };
            if !complex && im.abs() > 1e-9 * (1.0 + re.abs()) {
                if points == 1 {
                    return Some(false);
                }
                continue;
            }
            let im = if complex { im } else { 0.0 };
            let at = |s: &Symbol| if s == unknown { Some((re, im)) } else { pair(s) };
            let mut sum = (0.0, 0.0);
            let mut size = 0.0;
            let mut complete = true;
            for term in f.terms() {
                match term.evaluate_complex(&at) {
                    Some((a, b)) if a.is_finite() && b.is_finite() => {
                        sum = (sum.0 + a, sum.1 + b);
                        size += a.hypot(b);
                    }
                    _ => complete = false,
                }
            }
            if !complete {
                continue;
            }
            // A single product is measured by how it changes nearby.
            if f.terms().len() == 1 {
                let step = 1e-3 * (1.0 + re.abs());
                let near = |s: &Symbol| if s == unknown { Some((re + step, im)) } else { pair(s) };
                size = f.evaluate_complex(&near).map_or(1.0, |(a, b)| a.hypot(b));
            }
            if sum.0.hypot(sum.1) <= TOLERANCE * size.max(1e-300) {
                return Some(true);
            }
            verdict = Some(false);
        }
        verdict
    }
}
