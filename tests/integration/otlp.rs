//! OpenTelemetry's own senders beside the binary: what they send is read back over SQL, field by field.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry::KeyValue;
use opentelemetry::metrics::MeterProvider;
use opentelemetry_otlp::tonic_types::metadata::MetadataMap;
use opentelemetry_otlp::{MetricExporter, WithExportConfig, WithTonicConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData, ResourceMetrics};
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider, Temporality};
use tempfile::tempdir;

use crate::access::Secret;
use crate::peers::{Prometheus, python};
use crate::remote_write::{field, now_ms};
use crate::server::{Server, Setup};

/// An export request with one gauge of this name, encoded by hand: `ExportMetricsServiceRequest{resource_metrics=1}`,
/// `ResourceMetrics{scope_metrics=2}`, `ScopeMetrics{metrics=2}`, `Metric{name=1, gauge=5}`, `Gauge{data_points=1}`,
/// `NumberDataPoint{time_unix_nano=3, as_double=4}`.
pub(crate) fn gauge(name: &str) -> Vec<u8> {
    let wrapped = |number: u8, bytes: &[u8]| {
        let mut out = Vec::new();
        field(&mut out, number, bytes);
        out
    };
    let mut point = vec![3 << 3 | 1];
    point.extend_from_slice(&(now_ms() as u64 * 1_000_000).to_le_bytes());
    point.push(4 << 3 | 1);
    point.extend_from_slice(&1.5_f64.to_le_bytes());
    let metric = [wrapped(1, name.as_bytes()), wrapped(5, &wrapped(1, &point))].concat();
    wrapped(1, &wrapped(2, &wrapped(2, &metric)))
}

#[tokio::test]
async fn what_the_python_sdk_sends_is_read_back_field_by_field_and_is_what_a_prometheus_holds() {
    let folder = tempdir().unwrap();
    let secret = Secret::new();
    let yaml = format!("clusters: [{{name: berlin, tokens: [{{sha256: {}}}]}}]\n", secret.hash);
    let server = Server::start(&Setup::new(folder.path(), &yaml).with_otlp()).await;
    let prometheus = Prometheus::start_receiving(&folder.path().join("prometheus")).await;
    let (grpc, http) = (server.beside("OTLP over gRPC").await, server.beside("OTLP over HTTP").await);
    let (url, seed) = (server.url(""), now_ms().to_string());
    println!("seed {seed}");
    for (protocol, address) in [("grpc", grpc), ("http/protobuf", http), ("http/json", http)] {
        let arguments = [&url, "berlin", protocol, &address.to_string(), &secret.token, &seed, &prometheus.url];
        let mut verdict: serde_json::Value = serde_json::from_str(&python("compare_otlp.py", &arguments)).unwrap();
        // The two of a native histogram may have come within one millisecond, of which a Prometheus keeps one.
        let exemplars = verdict.as_object_mut().unwrap().remove("exemplars of Prometheus").unwrap();
        assert!((14..=16).contains(&exemplars.as_u64().unwrap()), "{protocol}: {exemplars}");
        // Three exports of 12 numbers and target_info; the parts of a histogram, the counters and the sum have a start.
        let expected = serde_json::json!({
            "samples": 39, "histograms": 3, "starts": 10, "exemplars": 16, "kinds": 14, "metadata": 8,
            "samples of Prometheus": 39, "histograms of Prometheus": 3,
        });
        assert_eq!(verdict, expected, "{protocol}");
    }
    server.terminate().await;
}

/// Start and time of each instrument at each export, in milliseconds.
type Times = Arc<Mutex<Vec<BTreeMap<String, (i64, i64)>>>>;

/// An exporter that keeps when what it was given was measured.
struct Watched {
    inner: MetricExporter,
    times: Times,
}

impl PushMetricExporter for Watched {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        let all = metrics.scope_metrics().flat_map(|scope| scope.metrics());
        let times = all.map(|metric| (metric.name().to_owned(), span_ms(metric.data()))).collect();
        self.times.lock().unwrap().push(times);
        self.inner.export(metrics).await
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn temporality(&self) -> Temporality {
        self.inner.temporality()
    }
}

/// Since when, and until when, this was measured.
fn span_ms(data: &AggregatedMetrics) -> (i64, i64) {
    let ms = |time: SystemTime| i64::try_from(time.duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
    match data {
        AggregatedMetrics::U64(MetricData::Sum(sum)) => (ms(sum.start_time()), ms(sum.time())),
        AggregatedMetrics::F64(MetricData::Histogram(all)) => (ms(all.start_time()), ms(all.time())),
        other => panic!("the test has no such instrument: {other:?}"),
    }
}

/// The SDK with its exporter over gRPC, and when it exported what.
fn sender(address: SocketAddr, token: &str) -> (SdkMeterProvider, Times) {
    let mut headers = MetadataMap::new();
    headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
    let exporter = MetricExporter::builder().with_tonic().with_endpoint(format!("http://{address}"));
    let times = Times::default();
    let watched = Watched { inner: exporter.with_metadata(headers).build().unwrap(), times: times.clone() };
    let resource =
        Resource::builder_empty().with_service_name("till").with_attribute(KeyValue::new("floor", 2)).build();
    let reader = PeriodicReader::builder(watched).with_interval(Duration::from_secs(3600)).build();
    (SdkMeterProvider::builder().with_resource(resource).with_reader(reader).build(), times)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_rust_exporter_sends_is_read_back_field_by_field() {
    let folder = tempdir().unwrap();
    let secret = Secret::new();
    let yaml = format!("clusters: [{{name: berlin, tokens: [{{sha256: {}}}]}}]\n", secret.hash);
    let server = Server::start(&Setup::new(folder.path(), &yaml).with_otlp()).await;
    let (provider, times) = sender(server.beside("OTLP over gRPC").await, &secret.token);
    let meter = provider.meter("till");
    let receipts = meter.u64_counter("receipts").with_description("Receipts, printed.").build();
    let paying = meter.f64_histogram("paying").with_unit("s").with_boundaries(vec![0.1, 2.5]).build();
    let kind = [KeyValue::new("kind", "cash")];
    let values = [0.1, 0.7, 1.0 / 3.0, 9.25];
    receipts.add(1 << 52, &kind);
    values.iter().for_each(|value| paying.record(*value, &kind));
    // It waits for its answer on this thread, and another one does the calls.
    tokio::task::block_in_place(|| provider.force_flush()).unwrap();
    receipts.add(3, &kind);
    tokio::task::block_in_place(|| provider.shutdown()).unwrap();
    let times = times.lock().unwrap().clone();
    assert_eq!(times.len(), 2);

    let sum = values.iter().fold(0.0, |sum, value| sum + value);
    let mut expected = Vec::new();
    let mut starts = Vec::new();
    for (counted, export) in [1_u64 << 52, (1 << 52) + 3].into_iter().zip(&times) {
        let ((counter_start, counter_time), (start, time)) = (export["receipts"], export["paying"]);
        let mut rows = vec![("receipts_total", "", counted as f64, counter_start, counter_time)];
        for (le, count) in [("0.1", 1.0), ("2.5", 3.0), ("+Inf", 4.0)] {
            rows.push(("paying_seconds_bucket", le, count, start, time));
        }
        rows.push(("paying_seconds_count", "", 4.0, start, time));
        rows.push(("paying_seconds_sum", "", sum, start, time));
        for (name, le, value, start_ms, time_ms) in rows {
            expected.push((name.to_owned(), le.to_owned(), time_ms, value.to_bits()));
            starts.push([name.to_owned(), le.to_owned(), time_ms.to_string(), start_ms.to_string()]);
        }
    }
    starts.truncate(starts.len() / 2);
    expected.sort();
    starts.sort();

    let of_series = "cluster = 'berlin' AND labels['job'] = 'till' AND labels['kind'] = 'cash'";
    let sql = format!("SELECT name, labels['le'], CAST(ts AS BIGINT), value FROM metrics WHERE {of_series}");
    let rows = server.rows(&sql).await;
    let read = |row: &Vec<String>| {
        let value: f64 = row[3].parse().unwrap();
        (row[0].clone(), row[1].clone(), row[2].parse().unwrap(), value.to_bits())
    };
    let mut found: Vec<(String, String, i64, u64)> = rows.iter().map(read).collect();
    found.sort();
    assert_eq!(found, expected);
    let sql = format!(
        "SELECT t.name, s.labels['le'], t.time_ms, t.start_time_ms FROM starts t JOIN (SELECT * FROM series WHERE \
         {of_series}) s ON s.name = t.name AND s.cluster = t.cluster AND s.series_id = t.series_id"
    );
    let mut found = server.rows(&sql).await;
    found.sort();
    assert_eq!(found, starts);
    // At the first and at the last time of each request, which are one if nothing came between its instruments.
    let target_times: BTreeSet<i64> = times.iter().flat_map(|export| export.values().map(|(_, time)| *time)).collect();
    let expected_targets: Vec<Vec<String>> =
        target_times.iter().map(|time| ["2", "till", &time.to_string(), "1.0"].map(str::to_owned).to_vec()).collect();
    let sql = "SELECT labels['floor'], labels['job'], CAST(ts AS BIGINT) AS time_ms, value FROM metrics WHERE name = \
               'target_info' ORDER BY time_ms";
    assert_eq!(server.rows(sql).await, expected_targets);
    let sql = "SELECT DISTINCT name, kind, unit, replace(help, ',', ';') FROM metadata WHERE name <> 'target_info' ORDER BY name";
    // An empty text is quoted in CSV.
    let families = [
        ["paying_seconds", "histogram", "seconds", "\"\""],
        ["receipts_total", "counter", "\"\"", "Receipts; printed."],
    ];
    assert_eq!(server.rows(sql).await, families);
    assert_eq!(server.number("SELECT count(*) FROM metrics").await, (expected.len() + target_times.len()) as u64);
    server.terminate().await;
}

#[tokio::test]
async fn what_is_refused_is_told_in_data_points_however_many_series_they_are() {
    let folder = tempdir().unwrap();
    let server = Server::start(&Setup::new(folder.path(), "push: {limits: {series_limit: 3}}\n")).await;
    let time = format!(r#""timeUnixNano":"{}000000""#, now_ms());
    let histogram = format!(
        r#"{{"name":"d","histogram":{{"aggregationTemporality":2,"dataPoints":[{{{time},"count":"12","sum":1.5,
           "explicitBounds":[1,2,3,4,5,6,7,8,9,10,11],"bucketCounts":[1,1,1,1,1,1,1,1,1,1,1,1]}}]}}}}"#
    );
    let points = format!(r#"{{{time},"asDouble":1}},{{{time},"asDouble":2}}"#);
    let gauge = format!(r#"{{"name":"g","gauge":{{"dataPoints":[{points}]}}}}"#);
    let body = format!(r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{histogram},{gauge}]}}]}}]}}"#);
    let request = reqwest::Client::new().post(server.url("/v1/metrics")).header("content-type", "application/json");
    let answer = request.body(body).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let told: serde_json::Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert_eq!(told["partialSuccess"]["rejectedDataPoints"], "3", "{told}");
    let metrics = reqwest::get(server.url("/metrics")).await.unwrap().text().await.unwrap();
    for line in ["data_points_total 0", "refused_data_points_total 3"] {
        assert!(metrics.contains(&format!("\nfleetscope_otlp_{line}\n")), "{line}");
    }
}

#[tokio::test]
async fn whoever_comes_to_a_wrong_door_is_told_of_the_right_one() {
    let folder = tempdir().unwrap();
    let server = Server::start(&Setup::new(folder.path(), "{}\n").with_otlp()).await;
    let url = format!("http://{}", server.beside("OTLP over HTTP").await);
    let client = reqwest::Client::new();
    let json = |path: &str| client.post(format!("{url}{path}")).header("content-type", "application/json").body("{}");
    let profiles = json("/v1development/profiles").send().await.unwrap();
    assert_eq!(profiles.status(), 404);
    assert!(profiles.text().await.unwrap().contains("logs at /v1/logs, traces at /v1/traces"));
    for path in ["/v1/metrics", "/v1/logs", "/v1/traces"] {
        assert_eq!(json(path).send().await.unwrap().status(), 200, "{path}");
    }
    let asked = client.get(format!("{url}/v1/metrics")).send().await.unwrap();
    assert_eq!((asked.status().as_u16(), asked.headers()["allow"].to_str().unwrap()), (405, "POST"));
    assert_eq!(asked.text().await.unwrap(), "GET is not taken at /v1/metrics: send POST\n");
}
