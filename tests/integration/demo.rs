//! The demo: the real binary with its simulated fleet, from its first line to its end.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::peers::fleetscope;
use crate::server::{PATIENCE, eventually};

/// Whether there are exemplars of how long requests took, and each leads to the span that took so long in the cluster that it
/// is of, and that to a line that was written meanwhile.
const CHAIN: &str = "SELECT count(*) > 0 AND count(*) = count(l.body) FROM exemplars e LEFT JOIN spans s ON s.trace_id = \
                     e.trace_id AND s.span_id = e.span_id AND s.cluster = e.cluster AND abs(s.duration_nano / 1e9 - e.value) < \
                     1e-6 LEFT JOIN logs l ON l.trace_id = s.trace_id AND l.span_id = s.span_id WHERE e.name = \
                     'http_request_duration_seconds_bucket'";

/// A demo, killed when dropped.
pub(crate) struct Demo {
    child: Child,
    /// What it had written when it was running.
    text: String,
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Demo {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_fleetscope"))
            .args(["demo", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut text = String::new();
        for line in lines {
            text.push_str(&line);
            text.push('\n');
            if line.starts_with("demo: silence a cluster") {
                break;
            }
        }
        Demo { child, text }
    }

    /// What follows a word, up to the next blank.
    pub(crate) fn after(&self, word: &str) -> String {
        let at = self.text.find(word).unwrap_or_else(|| panic!("no {word:?} in {}", self.text)) + word.len();
        self.text[at..].split_whitespace().next().unwrap().trim_end_matches(',').to_owned()
    }
}

#[tokio::test]
async fn a_fleet_is_there_at_once_and_a_cluster_can_be_silenced() {
    let mut demo = Demo::start(&["--history", "1h"]);
    let (server, fleet) = (demo.after("answers on "), demo.after("fleet is on "));
    assert!(demo.text.contains("1h of the past in the store"), "{}", demo.text);
    // Each question has its answer, a table, and none is an error.
    assert_eq!(demo.text.matches("\n# ").count(), 4, "{}", demo.text);
    assert_eq!(demo.text.matches(" rows)\n").count() + demo.text.matches(" row)\n").count(), 3, "{}", demo.text);

    let (code, status, _) = fleetscope(&["status", "--server", &server]);
    assert_eq!(code, Some(0), "{status}");
    let clusters: Vec<&str> = status.lines().skip(1).map(|line| line.split_whitespace().next().unwrap()).collect();
    assert_eq!(clusters.len(), 4, "{status}");
    let ask = |sql: &str| fleetscope(&["query", "--server", &server, "--format", "csv", sql]).1;
    let series = ask("SELECT min(series) FROM (SELECT cluster, count(*) AS series FROM series GROUP BY cluster)");
    let least: u64 = series.lines().nth(1).unwrap().parse().unwrap();
    assert!(least > 1500, "{series}");
    let kinds = async || {
        let sources = reqwest::get(format!("{server}/api/v1/sources")).await.unwrap().text().await.unwrap();
        let sources: serde_json::Value = serde_json::from_str(&sources).unwrap();
        let kinds = sources["sources"].as_array().unwrap().iter().map(|source| source["kind"].as_str().unwrap());
        let kinds: BTreeSet<String> = kinds.map(str::to_owned).collect();
        (kinds == ["federate", "http_sd", "otlp_logs", "otlp_traces", "scrape"].map(str::to_owned).into()).then_some(())
    };
    eventually("there is each kind of source", PATIENCE, kinds).await;
    for table in ["logs", "spans"] {
        let named = format!("SELECT count(DISTINCT cluster) FROM {table}");
        eventually(table, PATIENCE, async || (ask(&named).lines().nth(1)? == "4").then_some(())).await;
    }
    let is_led = async || (ask(CHAIN).lines().nth(1)? == "true").then_some(());
    eventually("each exemplar leads to its span and a line", PATIENCE, is_led).await;
    // The past and the present are the same series: only pods come and go.
    let both = "SELECT count(*) FROM (SELECT labels FROM metrics WHERE name = 'node_load1' GROUP BY cluster, labels \
                HAVING max(ts) - min(ts) > INTERVAL '50 minutes')";
    // Each day of a series is a row, and the past hour may have begun yesterday.
    let nodes = "SELECT count(*) FROM (SELECT labels FROM series WHERE name = 'node_load1' GROUP BY cluster, labels)";
    eventually("every node has gone on", PATIENCE, async || (ask(both) == ask(nodes)).then_some(())).await;

    let answer = reqwest::Client::new().post(format!("{fleet}/london/silence")).send().await.unwrap();
    assert_eq!(answer.status(), reqwest::StatusCode::NO_CONTENT);
    let failing =
        "SELECT count(*) FROM sources WHERE cluster = 'london' AND error LIKE '%the cluster london is silent%'";
    let is_told = async || (ask(failing).lines().nth(1)?.parse::<u64>().ok()? > 0).then_some(());
    eventually("the silence is told", PATIENCE, is_told).await;
    // It says nothing any more, though its silence is written in rows of its own.
    let gap = "SELECT now() - last_sample > INTERVAL '15 seconds' FROM clusters WHERE name = 'london'";
    let is_silent = async || (ask(gap).lines().nth(1)? == "true").then_some(());
    eventually("the cluster's last sample grows old", PATIENCE, is_silent).await;
    let lost = reqwest::Client::new().post(format!("{fleet}/atlantis/silence")).send().await.unwrap();
    assert_eq!(lost.status(), reqwest::StatusCode::NOT_FOUND);

    kill_process(Pid::from_child(&demo.child), Signal::TERM).unwrap();
    assert!(demo.child.wait().unwrap().success());
}

#[test]
fn a_cluster_that_is_not_there_cannot_be_silenced() {
    let (code, _, error) = fleetscope(&["demo", "--silence", "atlantis"]);
    assert_eq!(code, Some(1), "{error}");
    assert!(error.contains("there is no cluster \"atlantis\" in the fleet"), "{error}");
}
