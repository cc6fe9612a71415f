//! Node evaluations a second of the `dynamic_expressions` crate on the trees of `../tape_trees.txt`: the same lines
//! as `benches/tape.rs`. Checks for finite values are off, as phys and NumPy make none.

use dynamic_expressions::operator_enum::presets::{BuiltinOpsF32, BuiltinOpsF64};
use dynamic_expressions::{EvalContext, EvalOptions, Metadata, OperatorSet, PNode, PostfixExpr, eval_tree_array_into};
use ndarray::Array2;
use std::hint::black_box;
use std::time::Instant;

const ROUNDS: usize = 15;

/// Seconds of processor time of this thread where the system tells them, else of the wall.
struct Clock(Option<f64>, Instant);

impl Clock {
    fn processor() -> Option<f64> {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        Some(1e-9 * text.split(' ').next()?.parse::<f64>().ok()?)
    }
    fn start() -> Clock {
        Clock(Clock::processor(), Instant::now())
    }
    fn elapsed(&self) -> f64 {
        let wall = self.1.elapsed().as_secs_f64();
        self.0.zip(Clock::processor()).map_or(wall, |(start, end)| end - start)
    }
}

fn rate(nodes: usize, mut round: impl FnMut()) -> (f64, f64) {
    round();
    let mut rates: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let (start, seconds) = (Instant::now(), Clock::start());
            let mut repeats = 0;
            while start.elapsed().as_secs_f64() < 0.04 {
                round();
                repeats += 1;
            }
            (nodes * repeats) as f64 / seconds.elapsed()
        })
        .collect();
    rates.sort_by(f64::total_cmp);
    (rates[ROUNDS / 2], rates[ROUNDS - 1])
}

macro_rules! case {
    ($T:ty, $Ops:ty, $name:literal, $kind:expr, $trees:expr, $points:expr, $digits:literal) => {{
        let trees: Vec<PostfixExpr<$T, $Ops, 3>> = $trees
            .iter()
            .map(|words| {
                let (mut nodes, mut consts) = (Vec::new(), Vec::new());
                for word in *words {
                    let name = match *word {
                        "+" => "add",
                        "-" => "sub",
                        "*" => "mul",
                        "/" => "div",
                        name => name,
                    };
                    if let Ok(op) = <$Ops>::lookup(name) {
                        nodes.push(PNode::Op { arity: op.arity, op: op.id });
                    } else if let Some(column) = word.strip_prefix('x') {
                        nodes.push(PNode::Var { feature: column.parse().unwrap() });
                    } else {
                        nodes.push(PNode::Const { idx: consts.len() as u16 });
                        consts.push(word.parse::<$T>().unwrap());
                    }
                }
                PostfixExpr::new(nodes, consts, Metadata::default())
            })
            .collect();
        let nodes: usize = $trees.iter().map(|t| t.len()).sum();
        let mut x = Array2::<$T>::zeros((5, $points));
        for k in 0..5 {
            for i in 0..$points {
                x[[k, i]] = (0.5 + 2.5 * ((i * (k + 7) * 37) % 1009) as f64 / 1009.0) as $T;
            }
        }
        let options = EvalOptions { check_finite: false, early_exit: false };
        let mut out = vec![0.0; $points];
        // One context a tree: its plan is made once, as phys compiles once.
        let mut contexts: Vec<EvalContext<$T, 3>> = trees.iter().map(|_| EvalContext::new($points)).collect();
        let (median, best) = rate(nodes * $points, || {
            for (tree, context) in trees.iter().zip(&mut contexts) {
                eval_tree_array_into(&mut out, tree, black_box(x.view()), context, &options);
                black_box(&out);
            }
        });
        eval_tree_array_into(&mut out, &trees[0], x.view(), &mut contexts[0], &options);
        let sum: f64 = out.iter().map(|x| f64::from(*x)).sum();
        println!(
            concat!("dynamic_expressions {} {} {} {:.3e} {:.3e} {:.", $digits, "e}"),
            $kind, $name, $points, median, best, sum
        );
    }};
}

fn main() {
    let lines: Vec<Vec<&str>> =
        include_str!("../../tape_trees.txt").lines().map(|line| line.split(' ').collect()).collect();
    for kind in ["arithmetic", "all"] {
        let trees: Vec<&[&str]> = lines.iter().filter(|l| l[0] == kind).map(|l| &l[1..]).collect();
        for points in [1000, 10_000] {
            case!(f64, BuiltinOpsF64, "f64", kind, trees, points, 9);
            case!(f32, BuiltinOpsF32, "f32", kind, trees, points, 5);
        }
    }
}
