//! Programs that read from us as they read from a Prometheus: Prometheus itself, by remote read and by federation, and a
//! client from PyPI.

use std::collections::BTreeSet;
use std::time::Duration;

use reqwest::StatusCode;
use serde_json::Value;
use tempfile::tempdir;

use super::{data, difference, expressions, fill, post, range};
use crate::peers::{Prometheus, python};
use crate::server::{PATIENCE, Server, Setup, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn a_prometheus_that_reads_from_us_answers_as_we_do() {
    let folder = tempdir().unwrap();
    // Cuts come while the samples do: some are in blocks, some in the head.
    let server =
        Server::start(&Setup::new(folder.path(), "storage: {cut_every: 2s}\nclusters: [{name: berlin}]\n")).await;
    let data = data::Data::new();
    fill(&server, &data).await;
    let read = server.url("/prometheus/api/v1/read");
    let prometheus = Prometheus::start_reading(&folder.path().join("reader"), &read).await;
    let chosen = [
        "up",
        "churn",
        "cluster_info",
        "{cluster=\"berlin\"}",
        "requests_total{code=~\"4..|5..\", instance!=\"a:9100\", job!~\"node\"}",
        "sum by (cluster) (rate(requests_total[5m]))",
        "histogram_quantile(0.9, sum by (le, cluster) (rate(latency_seconds_bucket[5m])))",
        "topk(2, temperature) - on (cluster, instance, job) temperature offset 5m",
    ];
    let every_tenth = expressions::all().into_iter().step_by(10);
    let (mut wrong, mut series) = (Vec::new(), 0);
    for expression in chosen.into_iter().map(str::to_owned).chain(every_tenth) {
        let ours = range(&server.url("/prometheus"), &expression, data.range()).await;
        let theirs = range(&prometheus.url, &expression, data.range()).await;
        match (ours, theirs) {
            (Ok(ours), Ok(theirs)) => {
                series += theirs.len();
                wrong.extend(difference(&ours, &theirs).map(|what| format!("{expression}: {what}")));
            }
            (Err(_), Err(_)) => {}
            (ours, theirs) => wrong.push(format!("{expression}: {ours:?}, over remote read: {theirs:?}")),
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(series > 400, "{series} series say little");
    let listed = |url: String| async move {
        let answer = post(&format!("{url}/api/v1/series"), &[("match[]", "{cluster=\"berlin\"}".to_owned())]).await;
        let list = answer["data"].as_array().unwrap_or_else(|| panic!("{answer}")).clone();
        list.iter().map(Value::to_string).collect::<BTreeSet<String>>()
    };
    let ours = listed(server.url("/prometheus")).await;
    assert_eq!(listed(prometheus.url.clone()).await, ours);
    assert!(ours.len() > 20, "{ours:?}");
    server.terminate().await;
}

/// The raw samples of a range selector, by the labels of their series: times in seconds and values as they are written.
async fn samples(url: &str, selector: &str) -> BTreeSet<(String, String)> {
    let answer = post(&format!("{url}/api/v1/query"), &[("query", selector.to_owned())]).await;
    assert_eq!(answer["status"], "success", "{selector}: {answer}");
    let mut found = BTreeSet::new();
    for series in answer["data"]["result"].as_array().unwrap() {
        let points = series["values"].as_array().unwrap();
        found.extend(points.iter().map(|point| (series["metric"].to_string(), point.to_string())));
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prometheus_that_federates_us_has_our_series() {
    let folder = tempdir().unwrap();
    let source = Prometheus::start_of_itself(&folder.path().join("source"), "{}", None).await;
    let target = source.url.trim_start_matches("http://");
    let yaml = format!(
        "global: {{scrape_interval: 1s}}\nscrape_configs:\n  \
         - {{job_name: prometheus, cluster: berlin, static_configs: [{{targets: ['{target}']}}]}}\n"
    );
    let server = Server::start(&Setup::new(folder.path(), &yaml)).await;
    let page = async || {
        let (status, text) = server.get("/prometheus/federate?match[]=%7Bjob%3D%22prometheus%22%7D").await;
        assert_eq!(status, StatusCode::OK, "{text}");
        (!text.is_empty()).then_some(text)
    };
    let page = eventually("a page", PATIENCE, page).await;
    for line in [
        "# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total{cluster=\"berlin\",",
        "# TYPE go_goroutines gauge\ngo_goroutines{cluster=\"berlin\",",
        "# TYPE prometheus_http_request_duration_seconds_bucket untyped\n",
    ] {
        assert!(page.contains(line), "{line} is missing in\n{page}");
    }
    let ours = server.url("").trim_start_matches("http://").to_owned();
    let job = format!(
        "  - {{job_name: federation, scrape_interval: 1s, honor_labels: true, metrics_path: /prometheus/federate, params: \
         {{'match[]': ['{{job=\"prometheus\"}}']}}, static_configs: [{{targets: ['{ours}']}}]}}\n"
    );
    let federating = Prometheus::start_scraping(&folder.path().join("federating"), &job).await;
    let selector = "{job=\"prometheus\", __name__=~\"up|process_.*|go_goroutines|prometheus_http_.*\"}[5m]";
    let theirs = async || {
        let found = samples(&federating.url, selector).await;
        let times: BTreeSet<&String> =
            found.iter().filter(|one| one.0.contains("\"go_goroutines\"")).map(|one| &one.1).collect();
        (times.len() >= 4).then_some(found)
    };
    let theirs = eventually("four fetches", PATIENCE + Duration::from_secs(4), theirs).await;
    let known = samples(&server.url("/prometheus"), selector).await;
    let foreign: Vec<_> = theirs.difference(&known).take(5).collect();
    assert!(foreign.is_empty(), "these are not ours: {foreign:?}");
    let names = |of: &BTreeSet<(String, String)>| of.iter().map(|one| one.0.clone()).collect::<BTreeSet<String>>();
    // A series that begins between their fetch and our answer is not missing yet.
    let missing: Vec<_> = names(&known).difference(&names(&theirs)).cloned().collect();
    assert!(missing.len() * 20 <= names(&known).len(), "{missing:?}");
    assert!(names(&theirs).len() > 50, "{} series say little", names(&theirs).len());
    server.terminate().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_of_prometheus_in_python_asks_us() {
    let folder = tempdir().unwrap();
    let server = Server::start(&Setup::new(folder.path(), "")).await;
    let data = data::Data::new();
    fill(&server, &data).await;
    let (start, end) = data.range();
    let url = server.url("/prometheus");
    let found: Value =
        serde_json::from_str(&python("api_client.py", &[&url, &start.to_string(), &end.to_string()])).unwrap();
    assert_eq!(found["connection"], true);
    assert_eq!(found["clusters"], serde_json::json!(["berlin", "dublin"]));
    let metrics = ["churn", "latency_seconds_bucket", "requests_total", "temperature", "up"];
    assert_eq!(found["metrics"], serde_json::json!(metrics));
    let current = found["current"].as_array().unwrap();
    assert_eq!(current.len(), 3, "{current:?}");
    assert!(current.iter().all(|one| one["metric"]["cluster"] == "berlin" && one["value"][1] == "1"), "{current:?}");
    assert_eq!(found["count"], serde_json::json!([{"metric": {}, "value": [(start + end) / 2, "6"]}]));
    let lengths = found["range"].as_object().unwrap();
    assert_eq!(lengths.keys().collect::<Vec<_>>(), ["berlin", "dublin"]);
    assert!(lengths.values().all(|length| length.as_u64() > Some(80)), "{lengths:?}");
    server.terminate().await;
}
