//! Targets that are scraped: what is asked, what is written, who comes and goes.

use std::collections::HashSet;
use std::time::Duration;

use collector::Config;
use collector::config::{RelabelConfig, ScrapeConfig, StaticConfig};

use crate::support::prometheus::Prometheus;
use crate::support::recorder::{Row, Written};
use crate::support::server::{Reply, Server, TEXT, answer_with, text};
use crate::support::{Bench, PATIENCE};

/// A job of cluster `east` that scrapes these addresses twice a second.
fn job(addresses: impl IntoIterator<Item = String>) -> ScrapeConfig {
    let targets = addresses.into_iter().collect();
    ScrapeConfig {
        scrape_interval: Duration::from_millis(500),
        static_configs: vec![StaticConfig { targets, ..StaticConfig::default() }],
        ..ScrapeConfig::new("node", "east")
    }
}

fn scraping(jobs: impl IntoIterator<Item = ScrapeConfig>) -> Config {
    Config { scrape_configs: jobs.into_iter().collect(), ..Config::default() }
}

fn address(server: &Server) -> String {
    server.address.to_string()
}

/// The rows that are not of the report, as `name{labels} value`.
fn own(written: &Written) -> Vec<String> {
    let rows = written.iter().filter(|row| !row.is_report());
    rows.map(|row| row.text().rsplit_once(' ').unwrap().0.to_owned()).collect()
}

fn report(written: &Written, name: &str) -> f64 {
    let rows: Vec<f64> = written.iter().filter(|row| row.name == name).map(|row| row.value).collect();
    assert_eq!(rows.len(), 1, "{name} in {written:?}");
    rows[0]
}

/// The error of the only source of a job whose target answers so.
async fn error_of(reply: Reply, change: impl FnOnce(&mut ScrapeConfig)) -> String {
    let server = Server::replying([reply]).await;
    let mut config = job([address(&server)]);
    change(&mut config);
    let bench = Bench::start(&scraping([config]));
    let first = bench.recorder.write_number(0).await;
    assert_eq!((report(&first, "up"), own(&first)), (0.0, vec![]), "{first:?}");
    bench.recorder.write_number(1).await;
    bench.status().error.expect("an error")
}

#[tokio::test]
async fn a_page_arrives_with_the_labels_of_its_target() {
    let server = Server::replying([text("a{job=\"own\",cluster=\"inner\"} 1.5\nb 2 1700000000000\n")]).await;
    let bench = Bench::start(&scraping([job([address(&server)])]));
    let first = bench.recorder.write_number(0).await;
    let instance = address(&server);
    let expected = [
        format!("a{{exported_cluster=inner,exported_job=own,instance={instance},job=node}} 1.5"),
        format!("b{{instance={instance},job=node}} 2"),
    ];
    assert_eq!(own(&first), expected);
    assert!(first.iter().all(|row| row.cluster == "east"));
    let time_of = |name: &str| first.iter().find(|row| row.name == name).unwrap().time_ms;
    assert_eq!((time_of("a"), time_of("b")), (time_of("up"), 1_700_000_000_000));
    assert_eq!((report(&first, "up"), report(&first, "scrape_samples_scraped")), (1.0, 2.0));

    let head = server.requests()[0].to_ascii_lowercase();
    assert!(head.starts_with("get /metrics http/1.1\r\n"), "{head}");
    for line in
        ["accept: application/openmetrics-text;version=1.0.0", "accept-encoding: gzip", "user-agent: fleetscope/"]
    {
        assert!(head.contains(line), "{line} in {head}");
    }
    bench.recorder.write_number(1).await;
    let status = bench.status();
    assert_eq!((status.kind, &*status.job, status.instance), ("scrape", "node", instance.clone()));
    assert_eq!((status.error, status.samples, status.url), (None, 2, format!("http://{instance}/metrics")));
    assert!(bench.counter("fleetscope_scrape_scrapes_total{cluster=\"east\",job=\"node\",result=\"success\"}") > 0);
    assert_eq!(bench.counter("fleetscope_scrape_targets{cluster=\"east\",job=\"node\",state=\"scraped\"}"), 1);
}

#[tokio::test]
async fn openmetrics_is_read_where_it_is_answered() {
    let page = "# TYPE a counter\na_total 3 # {trace_id=\"7\"} 1\n# EOF\n";
    let headers = ["Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8"];
    let server = Server::replying([Reply::Bytes(answer_with("200 OK", &headers, page.as_bytes()))]).await;
    let bench = Bench::start(&scraping([job([address(&server)])]));
    let first = bench.recorder.write_number(0).await;
    assert_eq!(own(&first), [format!("a_total{{instance={},job=node}} 3", address(&server))]);
}

#[tokio::test]
async fn a_target_that_fails_is_down_and_its_series_end() {
    let server = Server::start(|number, _| if number == 1 { Reply::Bytes(Vec::new()) } else { text("a 1\n") }).await;
    let bench = Bench::start(&scraping([job([address(&server)])]));
    let mut all = Vec::new();
    for number in 0..3 {
        all.push(bench.recorder.write_number(number).await);
    }
    let instance = address(&server);
    let line = |value: &str| vec![format!("a{{instance={instance},job=node}} {value}")];
    assert_eq!([own(&all[0]), own(&all[1]), own(&all[2])], [line("1"), line("stale"), line("1")]);
    assert_eq!(all.iter().map(|written| report(written, "up")).collect::<Vec<_>>(), [1.0, 0.0, 1.0]);
}

#[tokio::test]
async fn rules_choose_targets_and_series() {
    let server = Server::replying([text("keep 1\ngo_threads 2\n")]).await;
    let rule = |yaml: &str| serde_saphyr::from_str::<RelabelConfig>(yaml).unwrap();
    let mut config = job([address(&server), "127.0.0.1:1".to_owned()]);
    config.relabel_configs = vec![
        rule("{source_labels: [__address__], regex: '127.0.0.1:1', action: drop}"),
        rule("{target_label: instance, replacement: renamed}"),
    ];
    config.metric_relabel_configs = vec![rule("{source_labels: [__name__], regex: 'go_.*', action: drop}")];
    let bench = Bench::start(&scraping([config]));
    let first = bench.recorder.write_number(0).await;
    assert_eq!(own(&first), ["keep{instance=renamed,job=node} 1"]);
    assert_eq!(report(&first, "scrape_samples_scraped"), 2.0);
    assert_eq!(report(&first, "scrape_samples_post_metric_relabeling"), 1.0);
    assert_eq!(bench.counter("fleetscope_scrape_targets{cluster=\"east\",job=\"node\",state=\"dropped\"}"), 1);
    assert_eq!(bench.status().instance, "renamed");
}

#[tokio::test]
async fn what_is_no_page_is_told() {
    let typed = |content_type: &str, body: &[u8]| Reply::Bytes(answer_with("200 OK", &[content_type], body));
    let nothing = |_: &mut ScrapeConfig| ();
    let html = error_of(typed("Content-Type: text/html", b"<html>"), nothing).await;
    assert!(html.contains("text/html") && html.contains("fallback_scrape_protocol"), "{html}");
    let lies = error_of(typed("Content-Type: application/openmetrics-text; version=1.0.0", b"a 1\n"), nothing).await;
    assert!(lies.contains("EOF"), "{lies}");
    let mixed = error_of(text("a 1\nb 2 # {x=\"y\"} 1\n"), nothing).await;
    assert!(mixed.contains("line 2"), "{mixed}");
    let zipped =
        error_of(Reply::Bytes(answer_with("200 OK", &[TEXT, "Content-Encoding: gzip"], b"a 1\n")), nothing).await;
    assert!(zipped.contains("gzip"), "{zipped}");
    let lost = error_of(Reply::Bytes(answer_with("404 Not Found", &[], b"no such page")), nothing).await;
    assert!(lost.contains("404 Not Found: no such page"), "{lost}");
    let circle = error_of(Reply::Bytes(answer_with("302 Found", &["Location: /metrics"], b"")), nothing).await;
    assert!(circle.contains("more than 3 redirects"), "{circle}");
    let elsewhere = ["Location: http://127.0.0.2:1/"];
    let elsewhere = error_of(Reply::Bytes(answer_with("302 Found", &elsewhere, b"")), nothing).await;
    assert!(elsewhere.contains("redirect to another server, 127.0.0.2:1, is not followed"), "{elsewhere}");
    let unfollowed = Reply::Bytes(answer_with("302 Found", &["Location: /other"], b""));
    let unfollowed = error_of(unfollowed, |config| config.follow_redirects = false).await;
    assert!(unfollowed.contains("302 Found"), "{unfollowed}");
}

#[tokio::test]
async fn limits_are_kept() {
    let page = || text("a 1\nb{x=\"123\"} 2\n");
    let samples = error_of(page(), |config| config.sample_limit = 1).await;
    assert!(samples.contains("sample_limit is 1"), "{samples}");
    let labels = error_of(page(), |config| config.label_limit = 3).await;
    assert!(labels.contains("b has 4 labels, label_limit is 3"), "{labels}");
    let bytes = error_of(page(), |config| config.body_size_limit = 10).await;
    assert!(bytes.contains("larger than 10 bytes, see body_size_limit"), "{bytes}");
}

#[tokio::test]
async fn too_many_targets_are_down_and_not_asked() {
    let server = Server::replying([text("a 1\n")]).await;
    let config = ScrapeConfig { target_limit: 1, ..job([address(&server), "127.0.0.1:1".to_owned()]) };
    let bench = Bench::start(&scraping([config]));
    for number in 0..4 {
        let written = bench.recorder.write_number(number).await;
        assert_eq!((report(&written, "up"), own(&written)), (0.0, vec![]));
    }
    assert_eq!(server.requests().len(), 0);
    let errors: Vec<String> = bench.sources.all().into_iter().filter_map(|status| status.error).collect();
    assert_eq!(errors.len(), 2);
    assert!(errors[0].contains("the job has 2 targets, target_limit is 1"), "{errors:?}");
}

#[tokio::test]
async fn slow_targets_are_cut_off_and_others_unharmed() {
    let head = answer_with("200 OK", &[TEXT], &[b'x'; 0]);
    let head = String::from_utf8(head).unwrap().replace("Content-Length: 0", "Content-Length: 1000").into_bytes();
    let slow = Server::replying([Reply::Endless(head, b"a".to_vec(), Duration::from_millis(100))]).await;
    let silent = Server::replying([Reply::Hang]).await;
    let good = Server::replying([text("a 1\n")]).await;
    let bench = Bench::start(&scraping([job([address(&slow), address(&silent), address(&good)])]));
    let count = |writes: &[Written], up: f64| writes.iter().filter(|written| report(written, "up") == up).count();
    bench
        .recorder
        .wait_for("both kinds", |writes| (count(writes, 1.0) >= 4 && count(writes, 0.0) >= 4).then_some(()))
        .await;
    let errors: Vec<String> = bench.sources.all().into_iter().filter_map(|status| status.error).collect();
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert!(errors.iter().any(|error| error.contains("no answer within 500ms")), "{errors:?}");
    assert!(errors.iter().any(|error| error.contains("was not whole within 500ms")), "{errors:?}");
}

fn markers(writes: &[Written]) -> Vec<Row> {
    writes.iter().flatten().filter(|row| row.is_marker()).cloned().collect()
}

#[tokio::test]
async fn a_reload_leaves_what_is_the_same_and_ends_what_is_gone() {
    let (first, second) = (Server::replying([text("a 1\n")]).await, Server::replying([text("b 1\n")]).await);
    let mut bench = Bench::start(&scraping([job([address(&first), address(&second)])]));
    let has = |name: &'static str| {
        move |writes: &[Written]| writes.iter().flatten().any(|row| row.name == name).then_some(())
    };
    bench.recorder.wait_for("a", has("a")).await;
    bench.recorder.wait_for("b", has("b")).await;
    // A change of the job that keeps one target and drops the other.
    let mut changed = job([address(&first)]);
    changed.sample_limit = 100;
    bench.collectors.reload(&scraping([changed.clone()])).await.unwrap();
    let gone = |writes: &[Written]| (markers(writes).len() == 6).then(|| markers(writes));
    let ended = bench.recorder.wait_for("six markers", gone).await;
    let instance = format!("instance={},job=node", address(&second));
    assert!(ended.iter().all(|row| row.labels == instance), "{ended:?}");
    assert_eq!(bench.status().instance, address(&first));
    // The first one missed no scrape and its series did not end.
    let before = bench.recorder.writes().len();
    bench.recorder.write_number(before + 2).await;
    let times: Vec<i64> =
        bench.recorder.writes().iter().flatten().filter(|row| row.name == "a").map(|row| row.time_ms).collect();
    assert!(times.windows(2).all(|pair| (250..750).contains(&(pair[1] - pair[0]))), "{times:?}");
    assert_eq!(markers(&bench.recorder.writes()).len(), 6);
    // Without the job it ends too.
    bench.collectors.reload(&Config::default()).await.unwrap();
    assert_eq!((markers(&bench.recorder.writes()).len(), bench.sources.all().len()), (12, 0));
}

#[tokio::test]
async fn a_target_that_moves_goes_on_as_the_same_series() {
    let (old, new) = (Server::replying([text("a 1\n")]).await, Server::replying([text("a 1\n")]).await);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("targets.json");
    let list = |server: &Server| format!(r#"[{{"targets": ["{}"], "labels": {{"instance": "one"}}}}]"#, server.address);
    std::fs::write(&path, list(&old)).unwrap();
    let yaml = format!(
        "{{job_name: node, cluster: east, scrape_interval: 500ms, file_sd_configs: [{{files: ['{}']}}]}}",
        path.display()
    );
    let config: ScrapeConfig = serde_saphyr::from_str(&yaml).unwrap();
    let bench = Bench::start(&scraping([config]));
    bench.recorder.write_number(0).await;
    // Half of a list ends nothing.
    std::fs::write(&path, &list(&new)[..20]).unwrap();
    let broken = async {
        while !bench.sources.all().iter().any(|status| status.kind == "file_sd" && status.error.is_some()) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, broken).await.expect("the error of the list");
    assert_eq!(new.requests().len(), 0);
    std::fs::write(&path, list(&new)).unwrap();
    let moved = async {
        while new.requests().len() < 2 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, moved).await.expect("requests at the new address");
    assert_eq!(markers(&bench.recorder.writes()), []);
    let urls: Vec<String> =
        bench.sources.all().into_iter().filter(|status| status.kind == "scrape").map(|status| status.url).collect();
    assert_eq!(urls, [format!("http://{}/metrics", new.address)]);
}

#[tokio::test]
async fn a_server_lists_targets() {
    let target = Server::replying([text("a 1\n")]).await;
    let list = format!(r#"[{{"targets": ["{}"], "labels": {{"zone": "x"}}}}]"#, target.address);
    let json = |body: &str| Reply::Bytes(answer_with("200 OK", &["Content-Type: application/json"], body.as_bytes()));
    let lister = Server::replying([json(&list), json("[{\"targets\": [\""), json("[]")]).await;
    let yaml = format!(
        "{{job_name: node, cluster: east, scrape_interval: 500ms, \
          http_sd_configs: [{{url: 'http://{}/list?a=b', refresh_interval: 1s}}]}}",
        lister.address
    );
    let config: ScrapeConfig = serde_saphyr::from_str(&yaml).unwrap();
    let bench = Bench::start(&scraping([config]));
    let first = bench.recorder.write_number(0).await;
    assert_eq!(own(&first), [format!("a{{instance={},job=node,zone=x}} 1", target.address)]);
    // What cannot be read ends nothing; an empty list does.
    let ended = |writes: &[Written]| (markers(writes).len() == 6).then_some(());
    bench.recorder.wait_for("the end of the target", ended).await;
    assert!(lister.requests().len() >= 3);
    assert!(lister.requests()[0].starts_with("GET /list?a=b HTTP/1.1\r\n"));
    let left: Vec<&str> = bench.sources.all().iter().map(|status| status.kind).collect();
    assert_eq!(left, ["http_sd"]);
}

/// What it says of itself in protobuf, which is what it keeps, is what it says of itself in its own answers.
#[tokio::test]
async fn a_real_prometheus_is_scraped_in_protobuf() {
    let prometheus = Prometheus::start(|address| Prometheus::of_itself(address, "")).await;
    let target = prometheus.url.trim_start_matches("http://").to_owned();
    let config = ScrapeConfig {
        scrape_native_histograms: true,
        always_scrape_classic_histograms: true,
        ..job([target.clone()])
    };
    let bench = Bench::start(&scraping([config]));
    let first = bench.recorder.write_number(0).await;
    bench.recorder.write_number(1).await;
    assert_eq!((report(&first, "up"), bench.status().error), (1.0, None));
    let rows = own(&first);
    assert_eq!(
        report(&first, "scrape_samples_scraped"),
        (rows.len() + bench.recorder.batches()[0].histograms.len()) as f64
    );
    assert!(rows.len() > 250, "{}", rows.len());
    // Series that the same server knows of itself by its own scrapes, with the labels that only ours have not.
    let known = async {
        loop {
            let data = prometheus.data("/api/v1/series?match%5B%5D=%7Bjob%3D%22self%22%7D").await;
            let name = |labels: &serde_json::Value| labels["__name__"].as_str().unwrap().to_owned();
            let known: HashSet<String> = data.as_array().unwrap().iter().map(name).collect();
            if known.len() > 100 {
                break known;
            }
        }
    };
    let known = tokio::time::timeout(PATIENCE, known).await.expect("a scrape of its own");
    let names: HashSet<&str> = first.iter().map(|row| row.name.as_str()).collect();
    let foreign: Vec<_> = names.iter().filter(|name| !known.contains(**name)).collect();
    assert!(foreign.len() * 50 < names.len(), "{foreign:?}");
    let bucket = |le: &str| first.iter().any(|row| row.labels.split(',').any(|label| label == le));
    assert!(["le=0.1", "le=1.0", "le=+Inf"].into_iter().all(bucket));
    assert!(bench.recorder.batches()[0].metadata.len() > 50);
}
