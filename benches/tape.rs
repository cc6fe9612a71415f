//! Node evaluations a second of the tape, on the trees of `benches/peers/tape_trees.txt`. Leaves count as nodes, as
//! they do in the peers' tables (`benches/peers/tape.py` runs them all). One line a case: name, kind of tree,
//! precision, points, nodes a second (median and best of the rounds), and the sum of all values of the first tree.

use phys::expression::{Expr, Function, Symbol};
use phys::numeric::{Scratch, Tape};
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

fn tree(words: &[&str]) -> Expr {
    let mut stack: Vec<Expr> = Vec::new();
    for word in words {
        let mut pop = || stack.pop().expect("a well-formed tree");
        let call = |f, a| Expr::call(f, vec![a]);
        let e = match *word {
            "+" | "-" | "*" | "/" | "pow" => {
                let (b, a) = (pop(), pop());
                match *word {
                    "+" => a + b,
                    "-" => a - b,
                    "*" => a * b,
                    "/" => a / b,
                    _ => Expr::power(a, b),
                }
            }
            "exp" => call(Function::Exp, pop()),
            "log" => call(Function::Log, pop()),
            "sin" => call(Function::Sin, pop()),
            "cos" => call(Function::Cos, pop()),
            "tanh" => call(Function::Tanh, pop()),
            "abs" => call(Function::Abs, pop()),
            "sqrt" => pop().sqrt(),
            name if name.starts_with('x') => Expr::symbol(name),
            number => Expr::float(number.parse().expect("a number")),
        };
        stack.push(e);
    }
    stack.pop().expect("a tree")
}

/// Nodes a second: the median and the best of the rounds.
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

fn main() {
    let inputs = ["x0", "x1", "x2", "x3", "x4"].map(Symbol::new);
    let lines: Vec<Vec<&str>> =
        include_str!("peers/tape_trees.txt").lines().map(|line| line.split(' ').collect()).collect();
    for kind in ["arithmetic", "all"] {
        let trees: Vec<&[&str]> = lines.iter().filter(|l| l[0] == kind).map(|l| &l[1..]).collect();
        let tapes: Vec<Tape> =
            trees.iter().map(|words| Tape::compile(&[tree(words)], &inputs).expect("a tape")).collect();
        let nodes: usize = trees.iter().map(|t| t.len()).sum();
        let work: usize = tapes.iter().map(Tape::work).sum();
        println!("# {kind}: {nodes} nodes as written, {work} instructions (numbers and columns among them)");
        for points in [1000, 10_000] {
            // 0.5 < x < 3, the same numbers for all programs.
            let column =
                |k: usize| (0..points).map(move |i| 0.5 + 2.5 * ((i * (k + 7) * 37) % 1009) as f64 / 1009.0);
            let doubles: Vec<Vec<f64>> = (0..5).map(|k| column(k).collect()).collect();
            let singles: Vec<Vec<f32>> = (0..5).map(|k| column(k).map(|x| x as f32).collect()).collect();
            let (doubles, singles): (Vec<&[f64]>, Vec<&[f32]>) =
                (doubles.iter().map(Vec::as_slice).collect(), singles.iter().map(Vec::as_slice).collect());
            let mut scratch = Scratch::default();
            let (mut out, mut out_single) = (vec![Vec::new()], vec![Vec::new()]);
            let (median, best) = rate(nodes * points, || {
                for tape in &tapes {
                    tape.eval_with(black_box(&doubles), &mut out, &mut scratch);
                    black_box(&out);
                }
            });
            let sum: f64 = tapes[0].eval(&doubles)[0].iter().sum();
            println!("phys {kind} f64 {points} {median:.3e} {best:.3e} {sum:.9e}");
            let (median, best) = rate(nodes * points, || {
                for tape in &tapes {
                    tape.eval_f32_with(black_box(&singles), &mut out_single, &mut scratch);
                    black_box(&out_single);
                }
            });
            let sum: f64 = tapes[0].eval_f32(&singles)[0].iter().map(|x| f64::from(*x)).sum();
            println!("phys {kind} f32 {points} {median:.3e} {best:.3e} {sum:.5e}");
            let wrt = [0, 1, 2, 3, 4];
            let (reverse, _) = rate(nodes * points, || {
                for tape in &tapes {
                    black_box(tape.jacobian_reverse(black_box(&doubles), &wrt));
                }
            });
            let (forward, _) = rate(nodes * points, || {
                for tape in &tapes {
                    black_box(tape.jacobian_forward(black_box(&doubles), &wrt));
                }
            });
            println!(
                "# {kind} {points}: value and 5 derivatives in reverse {reverse:.3e}, forward {forward:.3e}"
            );
        }
    }
}
