//! The least value of a function of one variable in a bracket, by golden section (J. Kiefer, Proc. Am. Math. Soc. 4
//! (1953) 502).

/// Where a search ended.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Least {
    /// The variable.
    pub x: f64,
    /// The value there.
    pub value: f64,
    /// Values that were taken.
    pub evaluations: u64,
}

/// The least value of `f` between `from` and `to`: the bracket shrinks by 0.618 a step. `hopeless` ends the search early, by
/// the number of steps taken and the least value so far.
pub fn golden(
    mut f: impl FnMut(f64) -> f64,
    mut from: f64,
    mut to: f64,
    steps: usize,
    hopeless: impl Fn(usize, f64) -> bool,
) -> Least {
    let ratio = (5f64.sqrt() - 1.0) / 2.0;
    let (mut x, mut y) = (to - ratio * (to - from), from + ratio * (to - from));
    let (mut fx, mut fy) = (f(x), f(y));
    let mut evaluations = 2;
    for step in 1..=steps {
        if fx < fy {
            (to, y, fy) = (y, x, fx);
            x = to - ratio * (to - from);
            fx = f(x);
        } else {
            (from, x, fx) = (x, y, fy);
            y = from + ratio * (to - from);
            fy = f(y);
        }
        evaluations += 1;
        if hopeless(step, fx.min(fy)) {
            break;
        }
    }
    let (x, value) = if fx < fy { (x, fx) } else { (y, fy) };
    Least { x, value, evaluations }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bracket_shrinks_by_the_golden_ratio_a_step() {
        for steps in [0, 5, 20, 40] {
            for target in [-0.9, -0.1, 0.3, 0.77] {
                let least = golden(|x| (x - target).abs(), -1.0, 1.0, steps, |_, _| false);
                assert!(
                    least.value <= 2.0 * 0.618_034_f64.powi(steps as i32 + 1),
                    "{steps} {target} {least:?}"
                );
                assert_eq!(least.evaluations, steps as u64 + 2);
            }
        }
    }

    #[test]
    fn it_stops_where_there_is_no_hope() {
        let least = golden(|x| x * x + 1.0, -1.0, 2.0, 50, |step, value| step == 7 && value > 0.5);
        assert_eq!(least.evaluations, 9);
    }
}
