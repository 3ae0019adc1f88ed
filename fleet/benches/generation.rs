//! How fast the past is made, and how long an answer of the present takes.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use fleet::{Fleet, Settings};

/// Noon of a day, UTC.
const NOON_MS: i64 = 1_767_268_800_000;
const MINUTE_MS: i64 = 60_000;

fn fleet() -> Fleet {
    Fleet::new(7, &Settings::default()).expect("the default settings")
}

/// Samples of all clusters in some minutes, so that rates are of samples.
fn play(fleet: &Fleet, minutes: i64, step_ms: i64) -> u64 {
    let mut samples = 0;
    for cluster in fleet.clusters() {
        let batches = cluster.batches(NOON_MS, NOON_MS + minutes * MINUTE_MS, step_ms).expect("a positive step");
        samples += batches.map(|batch| black_box(batch).samples.len() as u64).sum::<u64>();
    }
    samples
}

fn generation(criterion: &mut Criterion) {
    let fleet = fleet();
    let mut group = criterion.benchmark_group("history");
    for (name, minutes, step_ms) in [("15s", 120, 15_000), ("60s", 480, 60_000)] {
        group.throughput(Throughput::Elements(play(&fleet, minutes, step_ms)));
        group.bench_function(name, |bencher| bencher.iter(|| play(&fleet, minutes, step_ms)));
    }
    group.finish();

    let berlin = &fleet.clusters()[0];
    criterion.bench_function("federate", |bencher| bencher.iter(|| berlin.federate(black_box(NOON_MS))));
    criterion.bench_function("page", |bencher| bencher.iter(|| berlin.page("kube-state-metrics", black_box(NOON_MS))));
    criterion.bench_function("fleet", |bencher| bencher.iter(self::fleet));
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10).measurement_time(Duration::from_secs(5));
    targets = generation
}
criterion_main!(benches);
