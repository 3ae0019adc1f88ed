//! HA pairs: what two replicas have of a series is one series in every answer.

use std::collections::BTreeMap;

use serde_json::Value;
use tempfile::tempdir;

use crate::remote_write::{now_ms, write};
use crate::server::{Server, Setup};

const SECOND_MS: i64 = 1_000;
const MINUTE_MS: i64 = 60 * SECOND_MS;
const INTERVAL_MS: i64 = 15 * SECOND_MS;
const TARGETS: usize = 20;
/// What the counters grow by in a second.
const RATE: f64 = 3.0;

/// An hour of counters as a replica has them: scraped at a phase of its own, some minutes missed, one target unknown to it.
async fn scrape(
    server: &Server,
    replica: &str,
    start_ms: i64,
    phase_ms: i64,
    missed: std::ops::Range<i64>,
    unknown: usize,
) {
    let times = (0..240).map(|at| start_ms + phase_ms + at * INTERVAL_MS);
    let times: Vec<i64> = times.filter(|time_ms| !missed.contains(&((time_ms - start_ms) / MINUTE_MS))).collect();
    for target in (0..TARGETS).filter(|target| *target != unknown) {
        let instance = format!("10.0.0.{target}:9100");
        let labels = [
            ("__name__", "requests_total"),
            ("cluster", "eu"),
            ("instance", instance.as_str()),
            ("job", "api"),
            ("replica", replica),
        ];
        let value = |time_ms: &i64| (*time_ms, (time_ms - start_ms) as f64 / 1000.0 * RATE + 1000.0);
        let samples: Vec<(i64, f64)> = times.iter().map(value).collect();
        write(server, &[(&labels, &samples)]).await;
    }
}

async fn ask(server: &Server, parameters: &[(&str, &str)]) -> Value {
    let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    let path = if parameters.iter().any(|(name, _)| *name == "start") { "query_range" } else { "query" };
    let url = server.url(&format!("/prometheus/api/v1/{path}?{form}"));
    let answer = reqwest::get(url).await.unwrap().text().await.unwrap();
    serde_json::from_str(&answer).unwrap()
}

/// The series of an answer: labels, and the values by time in seconds.
fn series(answer: &Value) -> Vec<(Value, BTreeMap<i64, f64>)> {
    assert_eq!(answer["status"], "success", "{answer}");
    let point = |point: &Value| (point[0].as_f64().unwrap() as i64, point[1].as_str().unwrap().parse().unwrap());
    let one = |one: &Value| (one["metric"].clone(), one["values"].as_array().unwrap().iter().map(point).collect());
    answer["data"]["result"].as_array().unwrap().iter().map(one).collect()
}

#[tokio::test]
async fn what_replicas_have_is_one_series() {
    let folder = tempdir().unwrap();
    let yaml = "storage: {cut_every: 2s}\nclusters: [{name: eu, replica_label: replica}, {name: us}]\n";
    let server = Server::start(&Setup::new(folder.path(), yaml)).await;
    let start_ms = (now_ms() - 60 * MINUTE_MS) / MINUTE_MS * MINUTE_MS;
    scrape(&server, "a", start_ms, 2_137, 20..30, 7).await;
    scrape(&server, "b", start_ms, 9_731, 40..50, 8).await;
    // From the time on at which windows are full.
    let (first, last) = ((start_ms + 6 * MINUTE_MS) / 1000, (start_ms + 59 * MINUTE_MS) / 1000);
    let steps = ((last - first) / 15 + 1) as usize;
    let (start, end) = (first.to_string(), last.to_string());
    let range = async |expression: &str, more: &[(&str, &str)]| {
        let mut parameters = vec![("query", expression), ("start", &start), ("end", &end), ("step", "15")];
        parameters.extend_from_slice(more);
        ask(&server, &parameters).await
    };

    // Nothing counts twice, and what one of them has is there; of a target that one does not know, the other's gap stays.
    let both = r#"requests_total{instance!~"10.0.0.[78]:9100"}"#;
    let counted = series(&range(&format!("count({both})"), &[]).await);
    assert_eq!(counted.len(), 1);
    assert_eq!(counted[0].1.values().copied().collect::<Vec<f64>>(), vec![(TARGETS - 2) as f64; steps]);
    let counted = series(&range("max_over_time(count(requests_total)[1h:1m])", &[]).await);
    assert_eq!(counted[0].1.values().last(), Some(&(TARGETS as f64)));
    let raw = series(&range("count by (replica) (requests_total)", &[("dedup", "false")]).await);
    assert_eq!(raw.len(), 2, "{raw:?}");
    assert!(raw.iter().all(|(_, values)| values.values().all(|count| *count == (TARGETS - 1) as f64)), "{raw:?}");

    // The label is gone; counters grow over each change of replica, and no rate dips.
    let all = series(&range("requests_total", &[]).await);
    assert_eq!(all.len(), TARGETS);
    for (labels, values) in &all {
        assert_eq!(labels.get("replica"), None);
        let has_both = !["10.0.0.7:9100", "10.0.0.8:9100"].contains(&labels["instance"].as_str().unwrap());
        assert!(!has_both || values.len() == steps, "{labels}: {} of {steps}", values.len());
        assert!(values.values().is_sorted(), "{labels}: {values:?}");
    }
    let rates = series(&range(&format!("sum(rate({both}[2m]))"), &[]).await);
    let expected = RATE * (TARGETS - 2) as f64;
    for (time, rate) in &rates[0].1 {
        assert!((rate - expected).abs() < 1e-9 * expected, "{rate} at {time}, {expected} expected");
    }

    // A range is that of one replica, the one with more samples.
    let end_ms = (start_ms + 31 * MINUTE_MS) / 1000;
    let query = r#"requests_total{instance="10.0.0.1:9100"}[20m]"#;
    let ranges = series(&ask(&server, &[("query", query), ("time", &end_ms.to_string())]).await);
    assert_eq!((ranges.len(), ranges[0].1.len()), (1, 80));

    // The statistics say what was taken.
    let stats = range("requests_total", &[("stats", "all")]).await;
    let taken = &stats["data"]["stats"]["replicas"]["eu"];
    let (a, b) = (taken["a"].as_u64().unwrap(), taken["b"].as_u64().unwrap());
    let values: usize = all.iter().map(|(_, values)| values.len()).sum();
    assert_eq!((a + b) as usize, values);
    assert!(a > 0 && b > 0, "{taken}");

    let refused = range("requests_total", &[("dedup", "perhaps")]).await;
    assert_eq!(refused["errorType"], "bad_data");
    server.terminate().await;
}
