//! How fast the past is made, and what an answer of the present costs: CPU-seconds of this thread, medians.

use std::hint::black_box;

use fleet::{Fleet, Settings};

/// Noon of a day, UTC.
const NOON_MS: i64 = 1_767_268_800_000;
const HOUR_MS: i64 = 3_600_000;
const ROUNDS: usize = 5;

/// CPU seconds of this thread so far.
fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("schedstat");
    text.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).expect("nanoseconds") / 1e9
}

/// The median of the CPU seconds that `work` takes, and what it gave.
fn median<T>(mut work: impl FnMut() -> T) -> (f64, T) {
    let mut last = None;
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let begin = cpu_seconds();
            last = Some(black_box(work()));
            cpu_seconds() - begin
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    (rounds[ROUNDS / 2], last.expect("a round"))
}

/// Samples of all clusters in some hours.
fn play(fleet: &Fleet, hours: i64, step_ms: i64) -> usize {
    let batches = fleet.clusters().iter().map(|cluster| cluster.batches(NOON_MS, NOON_MS + hours * HOUR_MS, step_ms));
    batches.map(|batches| batches.expect("a step").map(|batch| black_box(batch).samples.len()).sum::<usize>()).sum()
}

fn main() {
    // `cargo test --benches` runs this too and only wants to know that it builds.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let new = || Fleet::new(7, &Settings::default()).expect("the default settings");
    let (seconds, mut fleet) = median(new);
    println!("a fleet               {:>8.1} ms", seconds * 1e3);
    let begin = cpu_seconds();
    fleet.silence("berlin", NOON_MS + 1_000 * HOUR_MS).expect("a cluster");
    println!("a cluster silenced    {:>8.1} ms", (cpu_seconds() - begin) * 1e3);
    for (name, hours, step_ms) in [("15 s", 6, 15_000), ("60 s", 24, 60_000)] {
        let (seconds, samples) = median(|| play(&fleet, hours, step_ms));
        let (speed, each) = (samples as f64 / seconds / 1e6, seconds * 1e9 / samples as f64);
        let day = seconds * 24.0 / hours as f64;
        println!("history, every {name}  {speed:>8.1} M samples a CPU-second, {each:.0} ns each, a day in {day:.1} s");
    }
    let emitted = || fleet.traffic().between(NOON_MS, NOON_MS + HOUR_MS).expect("an hour");
    let (seconds, hour) = median(emitted);
    let bytes: usize = hour.iter().flat_map(|of_cluster| of_cluster.requests()).map(|(_, body)| body.len()).sum();
    println!("traces and logs       {:>8.1} ms an hour, {:.1} MB as OTLP", seconds * 1e3, bytes as f64 / 1e6);
    let berlin = &fleet.clusters()[0];
    // The kernel brings the count of CPU time up to date at its ticks, so a round is many of them long.
    const CALLS: usize = 100;
    let (seconds, bytes) = median(|| (0..CALLS).map(|_| black_box(berlin.federate(NOON_MS)).len()).sum::<usize>());
    println!("a federated answer    {:>8.2} ms, {} bytes", seconds * 1e3 / CALLS as f64, bytes / CALLS);
    let page = || black_box(berlin.page("kube-state-metrics", NOON_MS)).expect("a target").len();
    let (seconds, bytes) = median(|| (0..CALLS).map(|_| page()).sum::<usize>());
    println!("a page of objects     {:>8.2} ms, {} bytes", seconds * 1e3 / CALLS as f64, bytes / CALLS);
}
