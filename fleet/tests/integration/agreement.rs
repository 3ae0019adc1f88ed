//! Traces agree with the metrics: how many requests, how many of them fail, how long they take, and exemplars.

use std::collections::HashMap;
use std::sync::OnceLock;

use decode::{Limits, openmetrics};
use fleet::{Fleet, Settings};
use model::labels::{LabelsBuilder, SeriesKey};
use opentelemetry_proto::tonic::trace::v1::Span;

use crate::emitted::{Emitted, emitted, kept, seconds, text};
use crate::reading::{HOUR_MS, MINUTE_MS, NOON_MS, SEED, Series, fleet, of_batches, of_text, rise};

const TRACED: usize = 100;
/// The attributes of spans that the metrics have as labels.
const COMPARED: [&str; 2] = ["http.route", "http.response.status_code"];
const LENGTH_MS: i64 = 10 * MINUTE_MS;

/// Ten minutes of a fleet, as its metrics and as its traces have them.
struct Observed {
    metrics: HashMap<String, Series>,
    /// Of each request that the metrics count: its span.
    spans: Vec<Emitted<Span>>,
}

fn observed(fleet: &Fleet, from_ms: i64) -> Observed {
    let of = |cluster: &fleet::Cluster| {
        let series = of_batches(cluster.batches(from_ms, from_ms + LENGTH_MS + 1, 15_000).unwrap());
        (cluster.name().to_owned(), series)
    };
    let metrics = fleet.clusters().iter().map(of).collect();
    let spans = kept(fleet, from_ms, from_ms + LENGTH_MS, |span| {
        span.of.attributes.retain(|attribute| COMPARED.contains(&attribute.key.as_str()));
        !text(&span.of.attributes, "http.route").is_empty()
    });
    Observed { metrics, spans }
}

fn traced() -> Fleet {
    Fleet::new(SEED, &Settings { requests_traced: TRACED, silences: false, ..Settings::default() }).unwrap()
}

/// Ten minutes in which all is well.
fn usual() -> &'static Observed {
    static OBSERVED: OnceLock<Observed> = OnceLock::new();
    OBSERVED.get_or_init(|| observed(&traced(), NOON_MS))
}

impl Observed {
    /// What the series of a name have risen by in clusters that are meant, if their labels are.
    fn risen(&self, name: &str, is_meant: impl Fn(&str, &SeriesKey) -> bool) -> f64 {
        let of_cluster = |(cluster, series): (&String, &Series)| -> f64 {
            let keys = series.keys().filter(|key| &*key.name == name && is_meant(cluster, key));
            keys.map(|key| rise(&series[key])).sum()
        };
        self.metrics.iter().map(of_cluster).sum()
    }

    /// The part of the requests of a namespace that failed, by the metrics and by the traces.
    fn failed(&self, cluster: &str, namespace: &str) -> (f64, f64) {
        let of = |at: &str, key: &SeriesKey| at == cluster && key.labels.get("namespace") == Some(namespace);
        let is_failure = |key: &SeriesKey| key.labels.get("code").is_some_and(|code| code.starts_with('5'));
        let all = self.risen("http_requests_total", of);
        let failed = self.risen("http_requests_total", |at, key| of(at, key) && is_failure(key));
        let spans: Vec<&Emitted<Span>> = self
            .spans
            .iter()
            .filter(|span| &*span.cluster == cluster && span.from("k8s.namespace.name") == namespace)
            .collect();
        let failures = spans.iter().filter(|span| {
            let status = text(&span.of.attributes, "http.response.status_code");
            assert_eq!(status.starts_with('5'), span.of.status.is_some(), "{span:?}");
            status.starts_with('5')
        });
        (failed / all, failures.count() as f64 / spans.len() as f64)
    }
}

#[test]
fn as_many_requests_are_traced_of_each_application_as_its_metrics_say() {
    let observed = usual();
    let mut shares = HashMap::new();
    for service in ["shop", "payments", "search"] {
        for job in [format!("{service}-api"), format!("{service}-worker")] {
            let counted = observed.risen("http_requests_total", |_, key| key.labels.get("job") == Some(&job));
            let spans = observed.spans.iter().filter(|span| span.from("service.name") == job).count();
            assert!(spans > 1_000, "{spans} of {job}");
            shares.insert(job, spans as f64 / counted);
        }
    }
    // At the busiest: 400, 160 and 280 requests a second in two clusters each, 2 % of that in the other two.
    let expected = TRACED as f64 / (840.0 * 2.0 * 1.02);
    assert!(shares.values().all(|share| (share / expected - 1.0).abs() < 0.06), "{shares:?}, not {expected}");
}

#[test]
fn as_many_requests_fail_as_the_metrics_say_when_all_is_well_and_when_too_much_comes() {
    let mut failed_over = traced();
    for cluster in ["berlin", "frankfurt", "dublin"] {
        failed_over.silence(cluster, NOON_MS - HOUR_MS).unwrap();
    }
    let failed_over = observed(&failed_over, NOON_MS);
    let (expected, found) = usual().failed("berlin", "shop");
    assert!((found / expected - 1.0).abs() < 0.25, "{found}, not {expected}");
    assert!(expected < 0.01, "{expected}");
    let (expected, found) = failed_over.failed("london", "shop");
    assert!((found / expected - 1.0).abs() < 0.15, "{found}, not {expected}");
    assert!(expected > 0.02, "{expected}");
}

#[test]
fn durations_are_distributed_as_the_histograms_say() {
    let observed = usual();
    for (handler, tolerance) in [("/api/v1/items", 0.02), ("/api/v1/orders", 0.12), ("/internal/jobs", 0.02)] {
        let of = |key: &SeriesKey, le: &str| {
            key.labels.get("handler") == Some(handler) && key.labels.get("le").unwrap_or_default() == le
        };
        let spans: Vec<f64> = observed
            .spans
            .iter()
            .filter(|span| text(&span.of.attributes, "http.route") == handler)
            .map(|span| seconds(&span.of))
            .collect();
        let all = observed.risen("http_request_duration_seconds_bucket", |_, key| of(key, "+Inf"));
        for le in ["0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5"] {
            let expected = observed.risen("http_request_duration_seconds_bucket", |_, key| of(key, le)) / all;
            let bound: f64 = le.parse().unwrap();
            let found = spans.iter().filter(|seconds| **seconds <= bound).count() as f64 / spans.len() as f64;
            assert!((found - expected).abs() < tolerance, "{found} of {handler} within {le} s, not {expected}");
        }
    }
}

#[test]
fn a_page_says_the_same_in_both_forms() {
    for cluster in fleet().clusters() {
        for target in cluster.targets(NOON_MS).iter().filter(|target| target.is_up) {
            let page = cluster.openmetrics(&target.name, NOON_MS).unwrap();
            let batch = openmetrics::decode(&page.into(), NOON_MS, &Limits::default()).unwrap();
            let help = batch.metadata.iter().filter(|family| !family.help.is_empty()).count();
            assert_eq!(help, batch.metadata.len());
            let text = of_text(&cluster.page(&target.name, NOON_MS).unwrap());
            let values = |series: &Series| {
                let of =
                    |(key, rows): (&SeriesKey, &Vec<crate::reading::Row>)| (key.clone(), (rows[0].value, rows[0].kind));
                series.iter().map(of).collect::<HashMap<_, _>>()
            };
            assert_eq!(values(&of_batches([batch])), values(&text), "{}", target.name);
        }
    }
}

#[test]
fn the_trace_of_each_exemplar_is_emitted() {
    let mut count = 0;
    // Noon, and a minute in which a cluster that was silent is heard again.
    for time_ms in [NOON_MS, NOON_MS + 8 * MINUTE_MS] {
        let (spans, _) = emitted(fleet(), time_ms - MINUTE_MS, time_ms + 1);
        let spans: HashMap<String, &Emitted<Span>> =
            spans.iter().map(|span| (hex(&span.of.trace_id) + &hex(&span.of.span_id), span)).collect();
        for cluster in fleet().clusters().iter().filter(|cluster| !cluster.is_silent(time_ms)) {
            for target in cluster.targets(time_ms).iter().filter(|target| target.is_up) {
                let page = cluster.openmetrics(&target.name, time_ms).unwrap();
                let batch = openmetrics::decode(&page.into(), time_ms, &Limits::default()).unwrap();
                let mut builder = LabelsBuilder::default();
                for exemplar in &batch.exemplars {
                    let key = batch.key(exemplar.series as usize, &mut builder).unwrap();
                    let label = |name: &str| &exemplar.labels.iter().find(|(label, _)| label == name).unwrap().1;
                    let span = spans[&(label("trace_id").clone() + label("span_id"))];
                    assert_eq!(&*span.cluster, cluster.name());
                    assert!(target.name.ends_with(&span.from("k8s.pod.name")), "{} and {span:?}", target.name);
                    assert_eq!(key.labels.get("handler"), Some(text(&span.of.attributes, "http.route").as_str()));
                    assert!((exemplar.value - seconds(&span.of)).abs() < 1e-9);
                    let le: f64 = key.labels.get("le").unwrap().parse().unwrap();
                    assert!(exemplar.value <= le, "{} above {le}", exemplar.value);
                    assert_eq!(exemplar.time_ms, (span.of.end_time_unix_nano / 1_000_000) as i64);
                    assert!((time_ms - 30_000 - 15_000..=time_ms).contains(&exemplar.time_ms));
                    count += 1;
                }
            }
        }
    }
    assert!(count > 150, "{count}");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
