//! A real Prometheus that scrapes itself, federated and sending: every row we take is in its own answers, bit for bit.

use std::collections::HashSet;
use std::time::Duration;

use crate::remote_write::Served;
use crate::support::prometheus::Prometheus;
use crate::support::recorder::Row;
use crate::support::server::{Reply, Server, answer_with};
use crate::support::{Bench, federating};
use collector::config::FederateConfig;
use model::histogram::Counts;

/// Every sample of the last minute, as name, labels, time and bits.
async fn samples(prometheus: &Prometheus) -> HashSet<(String, i64, u64)> {
    let data = prometheus.data("/api/v1/query?query=%7Bjob%3D%22self%22%7D%5B1m%5D").await;
    let mut samples = HashSet::new();
    for series in data["result"].as_array().unwrap() {
        let mut labels: Vec<String> = series["metric"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| format!("{name}={}", value.as_str().unwrap()))
            .collect();
        labels.sort();
        for pair in series["values"].as_array().into_iter().flatten() {
            let time_ms = (pair[0].as_f64().unwrap() * 1000.0).round() as i64;
            let value: f64 = pair[1].as_str().unwrap().parse().unwrap();
            samples.insert((labels.join(","), time_ms, bits(value)));
        }
    }
    samples
}

/// Its answers in JSON say `NaN` for each NaN, so all of them count as one here.
fn bits(value: f64) -> u64 {
    if value.is_nan() { f64::NAN.to_bits() } else { value.to_bits() }
}

fn identity(row: &Row) -> (String, i64, u64) {
    let mut labels: Vec<&str> = row.labels.split(',').filter(|label| *label != "exported_cluster=inner").collect();
    let name = format!("__name__={}", row.name);
    labels.push(&name);
    labels.sort_unstable();
    (labels.join(","), row.time_ms, bits(row.value))
}

#[tokio::test]
async fn every_row_is_one_of_the_source() {
    let prometheus = Prometheus::start(|address| Prometheus::of_itself(address, "")).await;
    let config =
        FederateConfig { scrape_interval: Duration::from_secs(1), ..FederateConfig::new("outer", &prometheus.url) };
    let bench = Bench::start(&federating([config]));
    // Ten answers that are not empty.
    let enough = |writes: &[Vec<Row>]| (writes.iter().filter(|rows| rows.len() > 100).count() >= 10).then_some(());
    bench.recorder.wait_for("ten answers", enough).await;

    let rows: Vec<Row> = bench.recorder.writes().into_iter().flatten().filter(|row| !row.is_report()).collect();
    let source = samples(&prometheus).await;
    assert!(rows.iter().all(|row| row.cluster == "outer" && row.labels.contains("exported_cluster=inner")));
    assert!(rows.iter().any(|row| row.name == "up" && row.value == 1.0));
    let foreign: Vec<&Row> = rows.iter().filter(|row| !row.is_marker() && !source.contains(&identity(row))).collect();
    assert_eq!(foreign.len(), 0, "of {} rows: {:?}", rows.len(), &foreign[..foreign.len().min(5)]);

    let taken: HashSet<_> = rows.iter().filter(|row| !row.is_marker()).map(identity).collect();
    assert_eq!(taken.len(), rows.iter().filter(|row| !row.is_marker()).count(), "a row came twice");
    // Between the first and the last instant that we took, nothing is missing.
    let times = || taken.iter().map(|(_, time_ms, _)| *time_ms);
    let (first, last) = (times().min().unwrap(), times().max().unwrap());
    let between: Vec<_> = source.iter().filter(|(_, time_ms, _)| (first..=last).contains(time_ms)).collect();
    let found = between.iter().filter(|sample| taken.contains(**sample)).count();
    assert!(found * 100 >= between.len() * 98, "{found} of {} samples", between.len());
    assert_eq!(bench.status().error, None);
}

#[tokio::test]
async fn what_it_sends_is_what_it_has() {
    let served = Served::stamping("outer").await;
    let sends = format!("remote_write: [{{url: 'http://{}/api/v1/write'}}]", served.address);
    let prometheus = Prometheus::start(|address| Prometheus::of_itself(address, &sends)).await;
    let times = |writes: &[Vec<Row>]| writes.iter().flatten().map(|row| row.time_ms).collect::<HashSet<i64>>();
    let enough = |writes: &[Vec<Row>]| (times(writes).len() >= 5).then_some(());
    served.bench.recorder.wait_for("samples of five scrapes", enough).await;

    let rows = served.rows();
    let source = samples(&prometheus).await;
    let foreign: Vec<&Row> = rows.iter().filter(|row| !row.is_marker() && !source.contains(&identity(row))).collect();
    assert_eq!(foreign.len(), 0, "of {} rows: {:?}", rows.len(), &foreign[..foreign.len().min(5)]);
    assert!(rows.iter().all(|row| row.cluster == "outer" && row.labels.contains("exported_cluster=inner")));
    assert!(rows.len() > 1000, "{} rows", rows.len());
    assert_eq!(served.bench.status().error, None);
}

/// The same in remote write 2.0, native histograms among it, from a Prometheus that knows it.
#[tokio::test]
#[ignore = "needs Prometheus 3 as `prometheus`"]
async fn what_it_sends_in_the_second_version_is_what_it_has() {
    let served = Served::stamping("outer").await;
    let sends = format!(
        "remote_write: [{{url: 'http://{}/api/v1/write', protobuf_message: io.prometheus.write.v2.Request, \
         send_native_histograms: true, send_exemplars: true}}]",
        served.address
    );
    // A target that has what it itself has not: exemplars, which it sends as series of their own.
    let page =
        "# TYPE requests counter\n# HELP requests Requests.\nrequests_total 7 # {trace_id=\"4bf9\"} 0.5\n# EOF\n";
    let page = answer_with("200 OK", &["Content-Type: application/openmetrics-text; version=1.0.0"], page.as_bytes());
    let target = Server::replying([Reply::Bytes(page)]).await;
    let other = format!("scrape_configs: [{{job_name: other, static_configs: [{{targets: ['{}']}}]}},", target.address);
    let of_itself = |address| {
        let native = "{scrape_native_histograms: true, always_scrape_classic_histograms: true, scrape_interval";
        Prometheus::of_itself(address, &sends).replace("{scrape_interval", native).replace("scrape_configs: [", &other)
    };
    let features = "--enable-feature=st-storage,exemplar-storage,xor2-encoding";
    let prometheus = Prometheus::start_with(&[features], of_itself).await;
    let times = |writes: &[Vec<Row>]| writes.iter().flatten().map(|row| row.time_ms).collect::<HashSet<i64>>();
    let enough = |writes: &[Vec<Row>]| (times(writes).len() >= 20).then_some(());
    served.bench.recorder.wait_for("samples of five scrapes", enough).await;

    let rows = served.rows();
    let source = samples(&prometheus).await;
    // The tags of its build have a comma, which is what rows are taken apart by here.
    let is_plain =
        |row: &&Row| !row.is_marker() && row.labels.contains("job=self") && row.name != "prometheus_build_info";
    let foreign: Vec<&Row> = rows.iter().filter(is_plain).filter(|row| !source.contains(&identity(row))).collect();
    assert_eq!(foreign.len(), 0, "of {} rows: {:?}", rows.len(), &foreign[..foreign.len().min(5)]);
    assert!(rows.len() > 1000 && rows.iter().all(|row| row.cluster == "outer"), "{} rows", rows.len());
    assert_eq!(served.bench.status().error, None);

    let name = "prometheus_http_request_duration_seconds";
    let batches = served.bench.recorder.batches();
    assert!(batches.iter().all(|batch| batch.encoding.name == "remote-write-2"));
    // Since when its process counts.
    let started = prometheus.data("/api/v1/query?query=process_start_time_seconds").await;
    let started: f64 = started["result"][0]["value"][1].as_str().unwrap().parse().unwrap();
    let starts: Vec<i64> = batches.iter().flat_map(|batch| &batch.starts).map(|start| start.start_ms).collect();
    assert!(
        starts.len() > 100 && starts.iter().all(|start_ms| *start_ms as f64 >= started * 1000.0 - 1000.0),
        "{starts:?}"
    );
    let exemplar = batches.iter().flat_map(|batch| &batch.exemplars).next().expect("an exemplar");
    assert_eq!((exemplar.value, exemplar.labels[0].1.as_str()), (0.5, "4bf9"));
    let histograms = served.bench.recorder.histograms();
    assert!(!histograms.is_empty() && histograms.iter().any(|(key, _)| key.name.as_ref() == name), "{histograms:?}");
    let path = format!("/api/v1/query?query=histogram_count({name})&time=");
    for (key, histogram) in histograms.iter().filter(|(key, _)| key.name.as_ref() == name) {
        let data = prometheus.data(&format!("{path}{}", histogram.time_ms as f64 / 1000.0)).await;
        let handler = key.labels.get("handler").unwrap();
        let found = data["result"].as_array().unwrap().iter().find(|series| series["metric"]["handler"] == handler);
        let count = match &histogram.value.counts {
            Counts::Integer(counts) => counts.count.to_string(),
            Counts::Float(counts) => counts.count.to_string(),
        };
        assert_eq!(found.map(|series| series["value"][1].as_str().unwrap()), Some(&*count), "{key:?} {histogram:?}");
    }
    let sent = prometheus.get("/metrics").await.unwrap();
    let failed: Vec<&str> = sent
        .lines()
        .filter(|line| line.starts_with("prometheus_remote_storage_") && line.contains("failed_total"))
        .collect();
    assert!(!failed.is_empty() && failed.iter().all(|line| line.ends_with(" 0")), "{failed:?}");
}
