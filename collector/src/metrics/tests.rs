use bytes::Bytes;
use decode::Limits;
use model::labels::LabelsBuilder;

use super::*;

/// The rendered text, read back by the decoder: name, labels, value.
fn rendered(metrics: &Metrics) -> Vec<(String, String, f64)> {
    let mut text = String::new();
    metrics.render(&mut text);
    let batch = decode::text::decode(&Bytes::from(text), 0, &Limits::default()).unwrap();
    let mut builder = LabelsBuilder::default();
    let mut rows = Vec::new();
    for sample in &batch.samples {
        let key = batch.key(sample.series as usize, &mut builder).unwrap();
        rows.push((key.name.to_string(), format!("{}{:?}", key.cluster, key.labels), sample.value));
    }
    rows
}

#[test]
fn what_is_counted_is_what_the_text_says() {
    let metrics = Metrics::default();
    let counters = metrics.federate("a \"quoted\"\nname", "federate");
    counters.succeeded(Counts { exposed: 10, kept: 9, repeated: 3, duplicates: 2, added: 10, vanished: 1 });
    counters.failed(Stage::Decode);
    counters.failed(Stage::Decode);
    counters.received(77);
    metrics.remote_write.answered(204);
    metrics.remote_write.answered(429);
    metrics.remote_write.answered(204);
    metrics.remote_write.acknowledged(5, 2, 1);
    metrics.remote_write.received(10, 20);

    let rows = rendered(&metrics);
    let value = |name: &str, label: &str| {
        let found: Vec<f64> =
            rows.iter().filter(|(n, labels, _)| n == name && labels.contains(label)).map(|row| row.2).collect();
        assert_eq!(found.len(), 1, "{name} {label}: {found:?} in {rows:?}");
        found[0]
    };
    assert_eq!(value("fleetscope_federate_scrapes_total", r#""result": "success""#), 1.0);
    assert_eq!(value("fleetscope_federate_scrapes_total", r#""result": "decode""#), 2.0);
    assert_eq!(value("fleetscope_federate_scrapes_total", r#""result": "request""#), 0.0);
    assert_eq!(value("fleetscope_federate_samples_total", "a \"quoted\"\nname"), 10.0);
    assert_eq!(value("fleetscope_federate_repeated_samples_total", ""), 3.0);
    assert_eq!(value("fleetscope_federate_duplicate_samples_total", ""), 2.0);
    assert_eq!(value("fleetscope_federate_staleness_markers_total", ""), 1.0);
    assert_eq!(value("fleetscope_federate_body_bytes_total", ""), 77.0);
    assert_eq!(value("fleetscope_remote_write_requests_total", r#""204""#), 2.0);
    assert_eq!(value("fleetscope_remote_write_requests_total", r#""429""#), 1.0);
    assert_eq!(value("fleetscope_remote_write_samples_total", ""), 5.0);
    assert_eq!(value("fleetscope_remote_write_decoded_bytes_total", ""), 20.0);
}

#[test]
fn counters_are_shared_while_used_and_forgotten_after() {
    let metrics = Metrics::default();
    let (one, two) = (metrics.federate("c", "j"), metrics.federate("c", "j"));
    assert!(Arc::ptr_eq(&one, &two));
    drop(one);
    metrics.forget_unused();
    assert!(rendered(&metrics).iter().any(|row| row.0 == "fleetscope_federate_scrapes_total"));
    drop(two);
    metrics.forget_unused();
    assert!(!rendered(&metrics).iter().any(|row| row.0 == "fleetscope_federate_scrapes_total"));
}
