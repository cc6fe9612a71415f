//! The exhaustive search by size, on targets that no law has: functions so far, their growth from size to size, candidates'
//! work and wall time of the size, with its meeting in the middle. `cargo bench --bench exhaustive [-- LARGEST_SIZE]`.

use phys::base::CancelToken;
use phys::expression::Symbol;
use phys::regression::{Constants, Method, Plan, Problem, Search, exhaustive};
use phys::units::Dimension;
use std::time::Instant;

/// Exponents of m, kg, s, A, K.
type Exponents = [i16; 5];

const ONE: Exponents = [0; 5];
const M: Exponents = [1, 0, 0, 0, 0];
const KG: Exponents = [0, 1, 0, 0, 0];
const S: Exponents = [0, 0, 1, 0, 0];
const SPEED: Exponents = [1, 0, -1, 0, 0];

/// Columns like those of four laws: momentum of a fast mass, time seen from a moving frame, density in the air, gravity.
fn problems() -> Vec<(&'static str, Vec<Exponents>, Exponents)> {
    let (acceleration, k) = ([1, 0, -2, 0, 0], [2, 1, -2, 0, -1]);
    let gravity = [3, -1, -2, 0, 0];
    vec![
        ("m v c", vec![KG, SPEED, SPEED], KG),
        ("x c u t", vec![M, SPEED, SPEED, S], S),
        ("n m g x k T", vec![ONE, KG, acceleration, M, k, [0, 0, 0, 0, 1]], ONE),
        ("m1 m2 G x1..z2", vec![KG, KG, gravity, M, M, M, M, M, M], [1, 1, -2, 0, 0]),
    ]
}

fn main() {
    let most = std::env::args().skip(1).find_map(|a| a.parse().ok()).unwrap_or(6u64);
    for (name, columns, goal) in problems() {
        for typed in [true, false] {
            let dimension = |e: &Exponents| {
                let [m, kg, s, a, k] = *e;
                Dimension::from_exponents([m, kg, s, a, k, 0, 0].map(|p| (p, 1))).expect("a dimension")
            };
            // A sequence without a law (an additive one modulo 1).
            let mut state = 0.5;
            let mut draw = || {
                state = (state + 0.754_877_666_246_692_8_f64 * (1.0 + state)).fract();
                state
            };
            let mut column = |low: f64| -> Vec<f64> { (0..100).map(|_| low + 2.0 * draw()).collect() };
            let problem = Problem {
                names: (0..columns.len()).map(|k| Symbol::new(&format!("x{k}"))).collect(),
                columns: columns.iter().map(|_| column(1.0)).collect(),
                dimensions: typed.then(|| columns.iter().map(dimension).collect()),
                units: vec![None; columns.len()],
                target: column(0.0),
                target_symbol: Symbol::new("y"),
                target_dimension: dimension(&goal),
                target_unit: None,
                sigma: None,
                row_weights: None,
                resolution: None,
            };
            let operators = ["+", "-", "*", "/", "sqrt", "exp", "log", "sin", "cos"];
            let plan = Plan {
                method: Method::Exhaustive,
                operators: operators.map(String::from).to_vec(),
                constants: Constants::Free,
                work: None,
                deadline: None,
                threads: 0,
                seed: 0,
                identity: 0,
                without: Vec::new(),
                criteria: phys::regression::Criteria::default(),
                own: Vec::new(),
                guesses: Vec::new(),
                denoise: false,
            };
            let cancel = CancelToken::new();
            let search = Search { problem: &problem, plan: &plan, cancel: &cancel };
            let Some(mut engine) = exhaustive::engines(true).pop() else { continue };
            let mut functions = 0;
            loop {
                let start = Instant::now();
                let Some(step) = engine.next(&search) else { break };
                let before = engine.save();
                if before["size"].as_u64() > Some(most) {
                    break;
                }
                engine.run(&search);
                let seconds = start.elapsed().as_secs_f64();
                let now = engine.save()["functions"].as_u64().unwrap_or(0);
                let growth =
                    if functions > 0 && now > functions { now as f64 / functions as f64 } else { 0.0 };
                println!(
                    "{name:16} {} size {} {:10} functions {now:9} growth {growth:5.2} expected {:.2e} rows {seconds:9.4} s {:8.1} Mrows/s",
                    if typed { "units" } else { "none " },
                    before["size"],
                    before["phase"].as_str().unwrap_or(""),
                    step.work as f64,
                    step.work as f64 / seconds / 1e6,
                );
                functions = now;
            }
        }
    }
}
