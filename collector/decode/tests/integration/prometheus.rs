//! Asks the installed Prometheus what it does with each body of `tests/text_cases.txt`.
//!
//! One server scrapes all bodies at once, each from a path of its own, and is asked which of them it took.

use std::fmt::Write;

use crate::cases;
use crate::server::{Prometheus, serve, wait_for};

/// The scrape health and error of each case, once all were scraped.
fn targets(server: &Prometheus, count: usize) -> Option<Vec<(bool, String)>> {
    let answer = server.get("/api/v1/targets?state=active")?;
    let mut found = vec![None; count];
    for target in answer["data"]["activeTargets"].as_array()? {
        let index = target["labels"]["job"].as_str()?.parse::<usize>().ok()?;
        let (health, error) = (target["health"].as_str()?, target["lastError"].as_str()?);
        // A scrape that a busy machine did not get to says nothing of the body.
        if health != "unknown" && !error.contains("deadline exceeded") {
            found[index] = Some((health == "up", error.to_owned()));
        }
    }
    found.into_iter().collect()
}

#[test]
fn the_facts_about_prometheus_hold() {
    let cases = cases::all();
    let bodies: Vec<Vec<u8>> = cases.iter().map(|case| case.body.clone()).collect();
    let bodies = serve(move |path| {
        let index = path.strip_prefix('/').and_then(|index| index.parse::<usize>().ok());
        index.and_then(|index| bodies.get(index)).map_or(b"?".to_vec(), Vec::clone)
    });
    let mut config = "global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs:\n".to_owned();
    for index in 0..cases.len() {
        let target =
            format!("{{job_name: '{index}', metrics_path: '/{index}', static_configs: [{{targets: ['{bodies}']}}]}}");
        writeln!(config, "- {target}").unwrap();
    }
    let server = Prometheus::start(tempfile::tempdir().unwrap(), &config, &[]);
    let found = wait_for("prometheus to scrape every body", || targets(&server, cases.len()));
    let mut wrong = String::new();
    for (case, (taken, error)) in cases.iter().zip(found) {
        println!("{}: {}", case.title, if taken { "takes" } else { &error });
        if taken != case.taken_by_2_42 {
            writeln!(wrong, "{}: taken {taken} {error}", case.title).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
