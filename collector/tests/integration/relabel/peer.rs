//! What a real Prometheus makes of the cases.
//!
//! Each case that it should take is a job of its own. Of a target it tells the labels under `/api/v1/targets`, without
//! scraping it. Of a series it tells those that it has stored: a server of the test exposes it with a value by which it is
//! found again, whatever becomes of its labels. A case that it should refuse is given to `promtool`.

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
        let (to_check, mut taken): (Vec<&Case>, Vec<&Case>) = cases.iter().partition(is_refused);
        let mut outcomes = refusals(&to_check);
        let jobs: String = taken.iter().map(|case| job(case)).collect();
        if refusal(&jobs).is_some() {
            // One of them is not taken against expectation. Which one takes a while to find.
            outcomes.extend(refusals(&taken));
            taken.retain(|case| !outcomes.contains_key(&case.number));
        }
        let (series, targets): (Vec<&Case>, Vec<&Case>) = taken.iter().partition(|case| case.is_of_series());

        let pages: HashMap<String, String> = series.iter().map(|case| (path(case), page(case))).collect();
        let exporter = Server::start(move |_, head| {
            let path = head.split(' ').nth(1).unwrap_or_default();
            text(pages.get(path).map_or("", String::as_str))
        })
        .await;
        let jobs: String = taken.iter().map(|case| scrape(case, exporter.address)).collect();
        let prometheus = Prometheus::start(|_| configuration(&jobs)).await;
        wait_until("each pool has its targets", || async { synced(&prometheus).await >= taken.len() }).await;
        let state = prometheus.data("/api/v1/targets?state=any").await;
        outcomes.extend(targets.iter().map(|case| (case.number, target(&state, case))));

        let scraped = || async { query(&prometheus, "scrape_samples_post_metric_relabeling").await.len() };
        wait_until("each series is scraped", || async { scraped().await >= series.len() }).await;
        let stored = query(&prometheus, "%7B__name__%21%3D%22%22%7D").await;
        let state = prometheus.data("/api/v1/targets?state=active").await;
        outcomes.extend(series.iter().map(|case| (case.number, stored_series(&stored, &state, case))));
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

/// Those of the cases that `promtool` refuses.
fn refusals(cases: &[&Case]) -> HashMap<usize, Outcome> {
    let refused = cases.iter().filter_map(|case| {
        let message = refusal(&job(case))?;
        Some((case.number, Outcome::Refused(message)))
    });
    refused.collect()
}

/// What `promtool` has against a configuration.
fn refusal(jobs: &str) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("prometheus.yml");
    std::fs::write(&file, configuration(jobs)).unwrap();
    let output = Command::new("promtool").args(["check", "config", "--syntax-only"]).arg(&file).output();
    let output = output.expect("promtool is installed");
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        !message.contains("did not find expected"),
        "a case should be wrong as a rule, not as YAML: {jobs}{message}"
    );
    (!output.status.success()).then_some(message)
}

fn configuration(jobs: &str) -> String {
    format!("global: {{scrape_interval: 1d, scrape_timeout: 10s}}\nscrape_configs:\n{jobs}")
}

/// The job of a case without anything to scrape: `promtool` relabels what it is given, and calls a target that comes to
/// nothing a mistake of the configuration.
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
        let scrape = "scrape_interval: 1s\n  scrape_timeout: 1s\n  honor_labels: true\n";
        let target = json!({"targets": [exporter.to_string()], "labels": {"instance": EXPORTER}});
        (format!("  metrics_path: {}\n  {scrape}", path(case)), target)
    } else {
        let labels: Labels = case.labels.clone().into_iter().filter(|(name, _)| name != "__address__").collect();
        (String::new(), json!({"targets": [case.address()], "labels": labels}))
    };
    format!("{}{scrape}  static_configs: [{target}]\n", job(case))
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

/// How many pools have taken over a target that was discovered.
async fn synced(prometheus: &Prometheus) -> usize {
    let Some(metrics) = prometheus.get("/metrics").await else { return 0 };
    let count = |name: &str| {
        let lines = metrics.lines().filter(|line| line.starts_with(name));
        lines.filter(|line| !line.ends_with(" 0")).count()
    };
    count("prometheus_sd_discovered_targets{config=\"case-")
        .min(count("prometheus_target_scrape_pool_sync_total{scrape_job=\"case-"))
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

/// What became of a series.
fn stored_series(stored: &[(Labels, f64)], state: &Value, case: &Case) -> Outcome {
    let value = (FIRST_VALUE + case.number) as f64;
    if let Some((labels, _)) = stored.iter().find(|(_, found)| *found == value) {
        return Outcome::Labels(labels.clone());
    }
    let target = active(state, case).expect("a target");
    match target["lastError"].as_str() {
        Some("") => Outcome::Dropped,
        Some(error) if error.contains("name") => Outcome::NoName,
        other => panic!("{}: {other:?}", case.title),
    }
}

async fn wait_until<F: Future<Output = bool>>(what: &str, mut is_so: impl FnMut() -> F) {
    let waiting = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("{what}: not in time"));
}
