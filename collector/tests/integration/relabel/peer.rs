//! What a real Prometheus makes of the cases.
//!
//! Each case that it should take is a job of its own. Of a target it tells the labels under `/api/v1/targets`, without
//! scraping it. Of a series it tells those that it has stored: a server of the test exposes it with a value by which it is
//! found again, whatever becomes of its labels. Each case that it should refuse is a configuration of its own, to which it
//! is told to go over.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use super::case::{Case, EXPORTER, Labels, Outcome};
use crate::support::PATIENCE;
use crate::support::prometheus::Prometheus;
use crate::support::server::{Server, text};

/// The value of a series is this and the number of its case; no series of the scrape itself comes near it.
const FIRST_VALUE: usize = 1_000_000;

/// A version whose outcomes the cases know.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Version {
    Two,
    Three,
}

/// The answers of a Prometheus.
pub(super) struct Peer {
    pub(super) version: Version,
    outcomes: HashMap<usize, Outcome>,
}

impl Peer {
    /// Asks the installed Prometheus.
    pub(super) async fn ask(cases: &[Case]) -> Self {
        let version = version();
        let is_refused = |case: &&Case| matches!(case.expected_of(version), Outcome::Refused(_));
        let (refused, mut taken): (Vec<&Case>, Vec<&Case>) = cases.iter().partition(is_refused);
        let exporter = exporter(&taken).await;
        let configuration_of = |cases: &[&Case]| {
            let jobs: String = cases.iter().map(|case| scrape(case, exporter.address)).collect();
            configuration(&jobs)
        };

        let prometheus = Prometheus::start(|_| configuration("")).await;
        let mut outcomes = HashMap::new();
        if prometheus.reload(&configuration_of(&taken)).await.is_err() {
            // One of them is not taken, against expectation. Which one takes a while to find.
            outcomes.extend(refusals(&prometheus, &taken).await);
            taken.retain(|case| !outcomes.contains_key(&case.number));
            prometheus.reload(&configuration_of(&taken)).await.unwrap();
        }
        wait_for("each pool has its targets", || async { is_synced(&prometheus, taken.len()).await.then_some(()) })
            .await;
        let (series, targets): (Vec<&Case>, Vec<&Case>) = taken.iter().partition(|case| case.is_of_series());
        let state = prometheus.data("/api/v1/targets?state=any").await;
        outcomes.extend(targets.iter().map(|case| (case.number, target(&state, case))));
        outcomes.extend(wait_for("each series is scraped", || stored_series(&prometheus, &series)).await);
        outcomes.extend(refusals(&prometheus, &refused).await);
        Peer { version, outcomes }
    }

    pub(super) fn outcome(&self, case: &Case) -> Outcome {
        self.outcomes.get(&case.number).cloned().unwrap_or(Outcome::Taken)
    }
}

fn version() -> Version {
    let output = Command::new("prometheus").arg("--version").output().expect("prometheus is installed");
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    match text.split("version ").nth(1).and_then(|version| version.split('.').next()) {
        Some("2") => Version::Two,
        Some("3") => Version::Three,
        _ => panic!("a Prometheus of a version that the cases do not know: {text}"),
    }
}

/// Those of the cases that are refused.
async fn refusals(prometheus: &Prometheus, cases: &[&Case]) -> HashMap<usize, Outcome> {
    let mut refused = HashMap::new();
    for case in cases {
        if let Err(message) = prometheus.reload(&configuration(&job(case))).await {
            let is_yaml = !message.contains("did not find expected");
            assert!(is_yaml, "{}: a rule should be wrong as a rule, not as YAML: {message}", case.title);
            refused.insert(case.number, Outcome::Refused(message));
        }
    }
    refused
}

fn configuration(jobs: &str) -> String {
    format!("global: {{scrape_interval: 1d, scrape_timeout: 10s}}\nscrape_configs:\n{jobs}")
}

/// The job of a case without anything to scrape.
fn job(case: &Case) -> String {
    let mut text = format!("- job_name: {}\n", case.job());
    if !case.rules.is_empty() {
        text += if case.is_of_series() { "  metric_relabel_configs:\n" } else { "  relabel_configs:\n" };
        case.rules.lines().for_each(|rule| text += &format!("  {rule}\n"));
    }
    text
}

/// The job of a case with its target.
fn scrape(case: &Case, exporter: SocketAddr) -> String {
    let (scrape, target) = if case.is_of_series() {
        let scrape = "scrape_interval: 2s\n  scrape_timeout: 2s\n  honor_labels: true\n";
        let target = json!({"targets": [exporter.to_string()], "labels": {"instance": EXPORTER}});
        (format!("  metrics_path: {}\n  {scrape}", path(case)), target)
    } else {
        let labels: Labels = case.labels.clone().into_iter().filter(|(name, _)| name != "__address__").collect();
        (String::new(), json!({"targets": [case.address()], "labels": labels}))
    };
    format!("{}{scrape}  static_configs: [{target}]\n", job(case))
}

/// A server that exposes the series of each case under a path of its own.
async fn exporter(cases: &[&Case]) -> Server {
    let series = cases.iter().filter(|case| case.is_of_series());
    let pages: HashMap<String, String> = series.map(|case| (path(case), page(case))).collect();
    let answer = move |_, head: &str| {
        let path = head.split(' ').nth(1).unwrap_or_default();
        text(pages.get(path).map_or("", String::as_str))
    };
    Server::start(answer).await
}

fn path(case: &Case) -> String {
    format!("/{}", case.number)
}

/// What the exporter says for a case.
fn page(case: &Case) -> String {
    let escaped = |value: &str| value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n");
    let labels: Vec<String> = case
        .labels
        .iter()
        .filter(|(name, _)| *name != "__name__")
        .map(|(name, value)| format!("{name}=\"{}\"", escaped(value)))
        .collect();
    format!("{}{{{}}} {}\n", case.labels["__name__"], labels.join(","), FIRST_VALUE + case.number)
}

/// Whether so many pools have taken over a target that was discovered.
async fn is_synced(prometheus: &Prometheus, pools: usize) -> bool {
    let Some(metrics) = prometheus.get("/metrics").await else { return false };
    let count = |name: &str| {
        let lines = metrics.lines().filter(|line| line.starts_with(name));
        lines.filter(|line| !line.ends_with(" 0")).count()
    };
    count("prometheus_sd_discovered_targets{config=\"case-") >= pools
        && count("prometheus_target_scrape_pool_sync_total{scrape_job=\"case-") >= pools
}

/// Labels and value of each series that a query finds.
async fn query(prometheus: &Prometheus, query: &str) -> Vec<(Labels, f64)> {
    let data = prometheus.data(&format!("/api/v1/query?query={query}")).await;
    let series = data["result"].as_array().expect("a result").iter();
    series.map(|s| (labels(&s["metric"]), s["value"][1].as_str().unwrap().parse().unwrap())).collect()
}

fn labels(json: &Value) -> Labels {
    let labels = json.as_object().expect("labels").iter();
    labels.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect()
}

/// What the state of the targets says of one.
fn target(state: &Value, case: &Case) -> Outcome {
    if let Some(target) = active(state, case) {
        return Outcome::Labels(labels(&target["labels"]));
    }
    // By its job alone, since 2.42 may show what the rules made of the others.
    let is_of_case = |target: &&Value| target["discoveredLabels"]["job"] == case.job();
    match state["droppedTargets"].as_array().expect("dropped targets").iter().find(is_of_case) {
        Some(_) => Outcome::Dropped,
        None => Outcome::NoTarget,
    }
}

fn active<'a>(state: &'a Value, case: &Case) -> Option<&'a Value> {
    let active = state["activeTargets"].as_array().expect("active targets");
    active.iter().find(|target| target["scrapePool"] == case.job())
}

/// What became of each series, once that is known of all.
async fn stored_series(prometheus: &Prometheus, cases: &[&Case]) -> Option<HashMap<usize, Outcome>> {
    // One instant for all that is known of a scrape: whether it went well, and how many series came of it.
    let reports = query(prometheus, "%7B__name__%3D~%22up%7Cscrape_samples_post_metric_relabeling%22%7D").await;
    let stored = query(prometheus, "%7B__name__%21%3D%22%22%7D").await;
    let state = prometheus.data("/api/v1/targets?state=active").await;
    let outcome = |case: &&Case| {
        let report = |name: &str| {
            let mut of_case = reports.iter().filter(|(labels, _)| labels["job"] == case.job());
            of_case.find(|(labels, _)| labels["__name__"] == name).map(|(_, value)| *value)
        };
        let value = (FIRST_VALUE + case.number) as f64;
        let is_up = report("up")? == 1.0;
        let outcome = match report("scrape_samples_post_metric_relabeling")? {
            0.0 if is_up => Outcome::Dropped,
            _ if is_up => Outcome::Labels(stored.iter().find(|(_, found)| *found == value)?.0.clone()),
            // Anything else, like a scrape that took too long, will pass.
            _ => active(&state, case)?["lastError"].as_str()?.contains("name").then_some(Outcome::NoName)?,
        };
        Some((case.number, outcome))
    };
    cases.iter().map(outcome).collect()
}

/// Waits until something is there.
async fn wait_for<T, F: Future<Output = Option<T>>>(what: &str, mut find: impl FnMut() -> F) -> T {
    let waiting = async {
        loop {
            if let Some(found) = find().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("{what}: not in time"))
}
