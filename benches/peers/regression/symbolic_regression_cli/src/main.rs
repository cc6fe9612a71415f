//! One search of the crate `symbolic_regression` over a table, bounded in processor seconds, on one thread.
//!
//! ```text
//! symbolic_regression_cli TABLE.csv SECONDS SEED STOP FUNCTIONS
//! ```
//!
//! The last column is the target. The search ends when the mean squared error is under `STOP` times the target's
//! variance. `FUNCTIONS` are names out of `sqrt,exp,log,sin,cos,tan`; `+ - * /` and the square are always there.
//! Standard output gets one JSON object; `../tools/common.py` says what it holds.

use std::error::Error;

use cpu_time::ProcessTime;
use ndarray::{Array1, Array2};
use serde_json::json;
use symbolic_regression::prelude::*;

symbolic_regression::opset! {
    pub Operations for f64 { Add, Sub, Mul, Div, Abs2, Sqrt, Exp, Log, Sin, Cos, Tan }
}

type Failure = Box<dyn Error>;

/// The columns (features by rows, as the crate wants them) and the target.
fn table(path: &str) -> Result<(Array2<f64>, Array1<f64>), Failure> {
    let text = std::fs::read_to_string(path)?;
    let rows = text
        .lines()
        .skip(1)
        .map(|line| line.split(',').map(|cell| cell.trim().parse()).collect())
        .collect::<Result<Vec<Vec<f64>>, _>>()?;
    let width = rows.first().map_or(0, Vec::len);
    if width < 2 || rows.iter().any(|row| row.len() != width) {
        return Err(format!("expected rows of two or more cells, all of one length, in {path}").into());
    }
    let columns = Array2::from_shape_fn((width - 1, rows.len()), |(column, row)| rows[row][column]);
    Ok((columns, rows.iter().map(|row| row[width - 1]).collect()))
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path, seconds, seed, stop, functions] = arguments.as_slice() else {
        return Err("usage: symbolic_regression_cli TABLE.csv SECONDS SEED STOP FUNCTIONS".into());
    };
    let seconds: f64 = seconds.parse()?;
    let (columns, target) = table(path)?;
    let start = ProcessTime::now();
    let variance = target.var(0.0);
    let enough = stop.parse::<f64>()? * variance;

    rayon::ThreadPoolBuilder::new().num_threads(1).build_global()?;
    let operators = ["add", "sub", "mul", "div", "abs2"].into_iter().chain(functions.split(','));
    let options = Options::<f64, 2> {
        operators: Operations::from_names(operators).map_err(|e| format!("{e:?}"))?,
        seed: seed.parse()?,
        // Only processor time and the error end a run.
        niterations: 1_000_000,
        progress: false,
        ..Default::default()
    };
    let mut search = SearchEngine::<f64, Operations, 2>::new(Dataset::new(columns, target), options);
    let mut trace = Vec::new();
    let mut least = f64::INFINITY;
    let stopped = loop {
        let steps = search.step(1);
        let used = start.elapsed().as_secs_f64();
        let loss = search.hall_of_fame().members().map(|m| m.loss).fold(f64::INFINITY, f64::min);
        if loss < 0.999 * least {
            least = loss;
            trace.push((used, 1.0 - loss / variance));
        }
        if loss <= enough {
            break "exact";
        }
        if used >= seconds {
            break "time";
        }
        if steps == 0 || search.is_finished() {
            break "done";
        }
    };
    let used = start.elapsed().as_secs_f64();
    let front: Vec<_> = search
        .hall_of_fame()
        .pareto_front()
        .iter()
        .map(|m| json!({"expression": string_tree(&m.expr, Default::default()), "size": m.complexity, "loss": m.loss}))
        .collect();
    let answer = json!({
        "version": "0.12.3",
        "settings": "defaults",
        "front": front,
        "search_cpu": used,
        "trace": trace,
        "stopped": stopped,
        "evaluations": search.total_evals(),
    });
    println!("{answer}");
    Ok(())
}
