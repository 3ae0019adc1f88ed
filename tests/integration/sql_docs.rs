//! Every statement of docs/sql.md, and the one of the README over all three signals, on the demo: each is answered with the
//! columns that stand below it, and with rows.

use std::path::Path;

use serde_json::json;

use crate::demo::Demo;
use crate::otlp_json::{SPANS, attributes, request};
use crate::peers::fleetscope;
use crate::remote_write::now_ms;
use crate::server::{PATIENCE, eventually};

/// Statements, each with the first line of its answer.
fn statements(document: &str) -> Vec<(String, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(document);
    let text = std::fs::read_to_string(&path).unwrap();
    let mut found = Vec::new();
    for part in text.split("\n```sql\n").skip(1) {
        let (statement, rest) = part.split_once("\n```").unwrap();
        // An answer follows at once; a statement that has none shown is not meant for the demo.
        if let Some(answer) = rest.trim_start().strip_prefix("```\n") {
            let head = answer.lines().next().unwrap().to_owned();
            found.push((statement.to_owned(), head));
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn every_statement_over_three_signals_is_answered_as_it_is_shown() {
    let demo = Demo::start(&["--history", "1h"]);
    let server = demo.after("answers on ");
    let ask = |sql: &str| fleetscope(&["query", "--server", &server, sql]);
    let (all, readme) = (statements("docs/sql.md"), statements("README.md"));
    assert_eq!((all.len(), readme.len()), (6, 1));
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    for (statement, head) in all.iter().chain(&readme) {
        let is_answered = async || {
            let (code, answer, error) = ask(statement);
            assert_eq!(code, Some(0), "{statement}\n{error}");
            assert_eq!(words(answer.lines().next().unwrap()), words(head), "{statement}");
            // Below the columns and a line there are rows, and how many.
            (answer.lines().count() > 3).then_some(())
        };
        eventually(statement, PATIENCE, is_answered).await;
    }

    // Calls out of a cluster that never tells of its side have no parents. How many calls a silence cuts through is chance, so
    // these are made: they come from where calls out of london come from.
    let csv = |sql: &str| fleetscope(&["query", "--server", &server, "--format", "csv", sql]).1;
    let from = "SELECT min(callee.attributes['client.address']) FROM spans callee JOIN spans caller \
                ON caller.trace_id = callee.trace_id AND caller.span_id = callee.parent_span_id \
                WHERE caller.cluster = 'london' AND callee.cluster = 'dublin'";
    let known = async || csv(from).lines().nth(1).filter(|address| !address.is_empty()).map(str::to_owned);
    let address = eventually("london calls dublin", PATIENCE, known).await;
    let sent = reqwest::Client::new().post(format!("{server}/v1/traces")).header("content-type", "application/json");
    let answer = sent.body(calls_without_parents(&address)).send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    let (borders, _) = all.last().unwrap();
    let missing = format!("SELECT without_parent FROM ({borders}) WHERE caller = 'london' AND callee = 'dublin'");
    let told: u64 = csv(&missing).lines().nth(1).unwrap().parse().unwrap();
    assert!(told >= CALLS, "{told} of {CALLS}");
}

/// More than a silence of the demo ever cuts through.
const CALLS: u64 = 100;

/// Spans of dublin that are called from an address, each by a span that nobody has.
fn calls_without_parents(address: &str) -> Vec<u8> {
    let spans = (1..=CALLS).map(|n| {
        json!({
            "traceId": format!("{n:032x}"), "spanId": format!("{n:016x}"), "parentSpanId": format!("{:016x}", n + CALLS),
            "name": "POST /api/v1/orders", "kind": 2, "attributes": attributes(&[("client.address", address)]),
            "startTimeUnixNano": (now_ms() * 1_000_000).to_string(), "endTimeUnixNano": (now_ms() * 1_000_000).to_string(),
        })
    });
    let resource = attributes(&[("service.name", "payments-api"), ("k8s.cluster.name", "dublin")]);
    request(SPANS, [(resource, spans.collect())])
}
