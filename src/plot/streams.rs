//! Lines of flow at even distances (after Jobard & Lefer 1997): each line is integrated both ways from its seed by the
//! classical Runge-Kutta rule at constant speed on the axes, and ends where it leaves the panel, meets a cell of
//! another line, comes to rest or closes. Seeds are the free cells of a grid, from the rim inwards.

/// Length of a step, in sizes of the panel.
const STEP: f64 = 0.004;
/// Steps in one direction.
const STEPS: usize = 1500;

/// Lines of the flow `f(x, y) -> (x', y')` over a panel, with `density` lines across. Coordinates are places in 0..1.
pub fn streams(f: &dyn Fn(f64, f64) -> (f64, f64), density: usize) -> Vec<Vec<(f64, f64)>> {
    let n = density.clamp(4, 100);
    let cell = |x: f64, y: f64| -> Option<usize> {
        let inside = (0.0..=1.0).contains(&x) && (0.0..=1.0).contains(&y);
        let k = |t: f64| ((t * n as f64) as usize).min(n - 1);
        inside.then(|| k(y) * n + k(x))
    };
    let mut taken = vec![false; n * n];
    let mut lines = Vec::new();
    for (i, j) in inwards(n) {
        if taken[i * n + j] {
            continue;
        }
        let seed = ((j as f64 + 0.5) / n as f64, (i as f64 + 0.5) / n as f64);
        let mut own: Vec<usize> = Vec::new();
        let back = trace(f, seed, -1.0, &cell, &taken, &mut own);
        let forth = trace(f, seed, 1.0, &cell, &taken, &mut own);
        let mut line: Vec<(f64, f64)> = back.into_iter().rev().collect();
        line.pop();
        line.extend(forth);
        // Short ends between other lines are noise.
        if line.len() as f64 * STEP < 0.16 {
            continue;
        }
        own.iter().for_each(|k| taken[*k] = true);
        lines.push(line);
    }
    lines
}

/// The cells of a grid, ring by ring.
fn inwards(n: usize) -> Vec<(usize, usize)> {
    let mut cells: Vec<(usize, usize)> = (0..n * n).map(|k| (k / n, k % n)).collect();
    let ring = |(i, j): &(usize, usize)| (*i).min(*j).min(n - 1 - i).min(n - 1 - j);
    cells.sort_by_key(ring);
    cells
}

fn trace(
    f: &dyn Fn(f64, f64) -> (f64, f64),
    seed: (f64, f64),
    sign: f64,
    cell: &dyn Fn(f64, f64) -> Option<usize>,
    taken: &[bool],
    own: &mut Vec<usize>,
) -> Vec<(f64, f64)> {
    let direction = |x: f64, y: f64| -> Option<(f64, f64)> {
        let (u, v) = f(x, y);
        let speed = u.hypot(v);
        (speed.is_finite() && speed > 1e-12).then(|| (sign * u / speed, sign * v / speed))
    };
    let mut line = vec![seed];
    let (mut x, mut y) = seed;
    // The cells behind, so that a line may end where it comes back to itself.
    let mut visited: Vec<usize> = Vec::new();
    for step in 0..STEPS {
        let advance = || -> Option<(f64, f64)> {
            let h = STEP;
            let (a, b) = direction(x, y)?;
            let (c, d) = direction(x + 0.5 * h * a, y + 0.5 * h * b)?;
            let (e, g) = direction(x + 0.5 * h * c, y + 0.5 * h * d)?;
            let (k, l) = direction(x + h * e, y + h * g)?;
            Some((x + h / 6.0 * (a + 2.0 * c + 2.0 * e + k), y + h / 6.0 * (b + 2.0 * d + 2.0 * g + l)))
        };
        let Some((nx, ny)) = advance() else { break };
        let Some(here) = cell(nx, ny) else { break };
        if taken[here] {
            break;
        }
        // At rest: the direction turns on the spot.
        if (nx - x).hypot(ny - y) < 0.3 * STEP {
            break;
        }
        if visited.last() != Some(&here) {
            if visited.contains(&here) && step > 30 {
                // Closed once round: back at the beginning.
                if (nx - seed.0).hypot(ny - seed.1) < 3.0 * STEP {
                    line.push((nx, ny));
                    break;
                }
                if visited.iter().filter(|c| **c == here).count() > 1 {
                    break;
                }
            }
            visited.push(here);
        }
        if step > 30 && (nx - seed.0).hypot(ny - seed.1) < 1.2 * STEP {
            line.push(seed);
            break;
        }
        line.push((nx, ny));
        (x, y) = (nx, ny);
    }
    own.extend(visited);
    own.extend(cell(seed.0, seed.1));
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_rotation_are_circles_about_its_centre() {
        let lines = streams(&|x, y| (0.5 - y, x - 0.5), 12);
        assert!(lines.len() > 3);
        for line in &lines {
            let radius = |(x, y): (f64, f64)| (x - 0.5).hypot(y - 0.5);
            let first = radius(line[0]);
            assert!(line.iter().all(|p| (radius(*p) - first).abs() < 1e-4));
        }
        assert_eq!(lines, streams(&|x, y| (0.5 - y, x - 0.5), 12));
    }

    #[test]
    fn rest_and_holes_end_a_line() {
        assert!(streams(&|_, _| (0.0, 0.0), 10).is_empty());
        assert!(streams(&|_, _| (f64::NAN, 1.0), 10).is_empty());
        let sink = streams(&|x, y| (0.5 - x, 0.5 - y), 10);
        assert!(sink.iter().flatten().all(|p| p.0.is_finite() && p.1.is_finite()));
    }
}
