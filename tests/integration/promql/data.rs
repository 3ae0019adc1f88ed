//! Samples that both have: counters, gauges and classic histograms, with gaps, resets, staleness and churn.

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use crate::remote_write::now_ms;

/// From one sample to the next.
const INTERVAL_MS: i64 = 15_000;
/// Samples of a series that is there all the time: an hour and a half.
const SAMPLES: i64 = 360;
/// Times of samples end with these milliseconds.
const FRACTION_MS: i64 = 137;
/// What ends a series.
const STALE: u64 = 0x7ff0_0000_0000_0002;

/// Labels of a series.
pub(super) type Labels = Vec<(&'static str, &'static str)>;
/// Series with their samples.
pub(super) type Part = Vec<(Labels, Vec<(i64, f64)>)>;

/// All samples.
pub(super) struct Data {
    series: Part,
    start_ms: i64,
}

const CLUSTERS: [&str; 2] = ["berlin", "dublin"];
const INSTANCES: [&str; 3] = ["a:9100", "b:9100", "c:9100"];
const CODES: [&str; 3] = ["200", "404", "500"];
const BOUNDS: [(&str, f64); 4] = [("0.1", 0.3), ("0.5", 0.7), ("2.5", 0.95), ("+Inf", 1.0)];

impl Data {
    /// The same samples in every run, but for the time they begin at: it is now that Prometheus takes them.
    pub(super) fn new() -> Self {
        let mut random = SmallRng::seed_from_u64(9);
        let start_ms = (now_ms() - SAMPLES * INTERVAL_MS) / INTERVAL_MS * INTERVAL_MS + FRACTION_MS;
        let mut series = Part::new();
        for cluster in CLUSTERS {
            for (number, instance) in INSTANCES.into_iter().enumerate() {
                let with = |name, more: &[(&'static str, &'static str)]| {
                    let mut labels = vec![("__name__", name), ("cluster", cluster), ("instance", instance)];
                    labels.extend_from_slice(more);
                    labels.sort_unstable();
                    labels
                };
                series.push((with("up", &[("job", "api")]), gauge(&mut random, start_ms, |_| 1.0)));
                for code in CODES {
                    let rate = random.random_range(0.0..9.0);
                    let labels = with("requests_total", &[("code", code), ("job", "api")]);
                    series.push((labels, counter(&mut random, start_ms, rate, number == 1)));
                }
                let swing = random.random_range(1.0..50.0);
                // Parts of 1,024, so that sums are exact in any order; and never all the same.
                let parts = move |step: i64| swing * (step as f64 / 17.0 + 0.3).sin() * 1024.0;
                let temperature = move |step: i64| 20.0 + parts(step).round() / 1024.0;
                series.push((with("temperature", &[("job", "node")]), gauge(&mut random, start_ms, temperature)));
                let rate = random.random_range(1.0..40.0);
                for (bound, share) in BOUNDS {
                    let labels = with("latency_seconds_bucket", &[("job", "api"), ("le", bound)]);
                    series.push((labels, counter(&mut random, start_ms, rate * share, false)));
                }
            }
        }
        // One series that comes and goes, one with holes, one that ends.
        let mut churn = |name, keeps: fn(i64) -> bool, ends: bool| {
            let mut samples = gauge(&mut random, start_ms, |step| (step % 13) as f64);
            samples.retain(|(time_ms, _)| keeps((time_ms - start_ms) / INTERVAL_MS));
            if ends && let Some((time_ms, _)) = samples.last().copied() {
                samples.push((time_ms + INTERVAL_MS, f64::from_bits(STALE)));
            }
            series.push((vec![("__name__", "churn"), ("cluster", "berlin"), ("kind", name)], samples));
        };
        churn("late", |step| step > 200, false);
        churn("holes", |step| step % 50 < 25, false);
        churn("ended", |step| step < 100, true);
        Data { series, start_ms }
    }

    /// Ten minutes of all series at a time: Prometheus takes no sample that is much older than the newest.
    pub(super) fn in_parts(&self) -> impl Iterator<Item = Part> {
        const PART_MS: i64 = 600_000;
        (0..SAMPLES * INTERVAL_MS / PART_MS + 2).map(|number| {
            let from_ms = self.start_ms + number * PART_MS;
            let within = |sample: &&(i64, f64)| (from_ms..from_ms + PART_MS).contains(&sample.0);
            let part = |(labels, samples): &(Labels, Vec<(i64, f64)>)| {
                (labels.clone(), samples.iter().filter(within).copied().collect::<Vec<_>>())
            };
            self.series.iter().map(part).filter(|(_, samples)| !samples.is_empty()).collect()
        })
    }

    /// What is asked for, in whole seconds: it begins before the first sample and ends behind the last one.
    pub(super) fn range(&self) -> (i64, i64) {
        let start = self.start_ms.div_euclid(1000) - 120;
        (start, start + SAMPLES * INTERVAL_MS / 1000 + 600)
    }
}

fn times(random: &mut SmallRng, start_ms: i64) -> Vec<(i64, i64)> {
    // A scrape in fifty does not come.
    (0..SAMPLES).filter(|_| random.random_range(0..50) > 0).map(|step| (step, start_ms + step * INTERVAL_MS)).collect()
}

fn gauge(random: &mut SmallRng, start_ms: i64, value: impl Fn(i64) -> f64) -> Vec<(i64, f64)> {
    times(random, start_ms).into_iter().map(|(step, time_ms)| (time_ms, value(step))).collect()
}

fn counter(random: &mut SmallRng, start_ms: i64, rate: f64, resets: bool) -> Vec<(i64, f64)> {
    // Far from zero: how far a rate is carried on towards it has changed.
    let mut total = random.random_range(1e6..2e6_f64).floor();
    let times = times(random, start_ms);
    let count = |(step, time_ms): (i64, i64)| {
        total += (rate * random.random_range(0.5..1.5) * 15.0).floor();
        if resets && step % 97 == 96 {
            total = 1e6;
        }
        (time_ms, total)
    };
    times.into_iter().map(count).collect()
}
