//! Every statement of docs/sql.md, and the one of the README over all three signals, on the demo: each is answered with the
//! columns that stand below it, and with rows.

use std::path::Path;

use crate::demo::Demo;
use crate::peers::fleetscope;
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
    let (server, fleet) = (demo.after("answers on "), demo.after("fleet is on "));
    let ask = |sql: &str| fleetscope(&["query", "--server", &server, sql]);
    let (all, readme) = (statements("docs/sql.md"), statements("README.md"));
    assert_eq!((all.len(), readme.len()), (5, 1));
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

    // Calls that came out of a cluster just before it fell silent have no parents.
    let answer = reqwest::Client::new().post(format!("{fleet}/london/silence")).send().await.unwrap();
    assert_eq!(answer.status(), reqwest::StatusCode::NO_CONTENT);
    let (borders, _) = all.last().unwrap();
    let missing = format!("SELECT sum(without_parent) FROM ({borders}) WHERE caller = 'london'");
    let is_missing = async || {
        let (_, answer, _) = fleetscope(&["query", "--server", &server, "--format", "csv", &missing]);
        (answer.lines().nth(1)?.parse::<u64>().ok()? > 0).then_some(())
    };
    eventually("parents are missing where a cluster fell silent", PATIENCE, is_missing).await;
}
