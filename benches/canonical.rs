//! How fast raw trees of 40 nodes become canonical expressions, on one core.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use phys::base::random::Streams;
use phys::expression::Symbol;
use phys::expression::arbitrary::{RawTree, random_tree};
use std::hint::black_box;

// As in the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn canonical(c: &mut Criterion) {
    let mut rng = Streams::new(1).stream("bench/canonical");
    let symbols = ["x", "y", "z", "t"].map(Symbol::new);
    let trees: Vec<RawTree> = (0..1000).map(|_| random_tree(&mut rng, 40, symbols.len())).collect();
    let mut group = c.benchmark_group("canonical");
    group.throughput(Throughput::Elements(trees.len() as u64));
    group.bench_function("40 nodes", |b| {
        b.iter(|| {
            for tree in &trees {
                black_box(tree.to_expr(&symbols));
            }
        });
    });
    group.finish();
}

criterion_group!(benches, canonical);
criterion_main!(benches);
