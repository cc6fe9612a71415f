//! From start to exit of the binary: what every call from a shell pays.

use criterion::{Criterion, criterion_group, criterion_main};
use std::process::{Command, Stdio};

fn startup(c: &mut Criterion) {
    let mut group = c.benchmark_group("startup");
    for (name, expression) in [("sum", "1+1"), ("conversion", "20 [degC] -> [K]")] {
        group.bench_function(name, |b| {
            b.iter(|| {
                let mut command = Command::new(env!("CARGO_BIN_EXE_phys"));
                command.args(["-e", expression]).stdin(Stdio::null()).stdout(Stdio::null());
                assert!(command.status().expect("the binary starts").success());
            });
        });
    }
    group.finish();
}

criterion_group!(benches, startup);
criterion_main!(benches);
