//! Sources that come, change and go while the collectors run.

use std::sync::Arc;
use std::time::Duration;

use collector::Config;
use collector::config::FederateConfig;
use tokio::sync::Semaphore;

use crate::support::recorder::Row;
use crate::support::server::{Reply, Server, TEXT, answer_with, text};
use crate::support::{Bench, federating, quick};

fn all(bench: &Bench) -> Vec<Row> {
    bench.recorder.writes().into_iter().flatten().collect()
}

fn markers(bench: &Bench) -> Vec<Row> {
    all(bench).into_iter().filter(Row::is_marker).collect()
}

#[tokio::test]
async fn a_stop_marks_nothing() {
    let server = Server::replying([text("a 1 7\n")]).await;
    let Bench { recorder, collectors, .. } = Bench::start(&federating([quick(&server.url())]));
    recorder.write_number(0).await;
    collectors.stop().await;
    let writes = recorder.writes();
    assert!(writes.iter().flatten().all(|row| !row.is_marker()), "{writes:?}");
}

#[tokio::test]
async fn the_series_of_a_removed_source_end_and_it_leaves_the_board() {
    let server = Server::replying([text("a{x=\"1\"} 1 7\nb 1 4102444800000\n")]).await;
    let mut bench = Bench::start(&federating([quick(&server.url())]));
    bench.recorder.write_number(1).await;
    bench.collectors.reload(&Config::default()).await.unwrap();

    assert_eq!(bench.sources.all(), []);
    let markers = markers(&bench);
    let mut names: Vec<&str> = markers.iter().map(|row| row.name.as_str()).collect();
    names.sort_unstable();
    let expected = [
        "a",
        "b",
        "scrape_duration_seconds",
        "scrape_samples_post_metric_relabeling",
        "scrape_samples_scraped",
        "scrape_series_added",
        "up",
    ];
    assert_eq!(names, expected);
    for marker in &markers {
        let same =
            |row: &&Row| (&row.name, &row.labels, &row.cluster) == (&marker.name, &marker.labels, &marker.cluster);
        let last = all(&bench).iter().filter(same).filter(|row| !row.is_marker()).map(|row| row.time_ms).max();
        assert!(Some(marker.time_ms) > last, "{marker:?} after {last:?}");
    }
    let writes = bench.recorder.writes().len();
    bench.collectors.stop().await;
    assert_eq!(bench.recorder.writes().len(), writes);
}

#[tokio::test]
async fn an_unchanged_source_runs_on_untouched() {
    let gate = Arc::new(Semaphore::new(0));
    let slow = Reply::Gated(gate.clone(), answer_with("200 OK", &[TEXT], b"a 1 7\n"));
    let unchanged = Server::replying([slow]).await;
    let other = Server::replying([text("b 1 7\n")]).await;
    let soon = FederateConfig { scrape_interval: Duration::from_secs(3), ..quick(&unchanged.url()) };
    let mut bench = Bench::start(&federating([soon.clone()]));
    // Its request is out, and answered only after the reload.
    while unchanged.requests().is_empty() {
        tokio::task::yield_now().await;
    }
    bench.collectors.reload(&federating([quick(&other.url()), soon])).await.unwrap();
    gate.add_permits(1000);
    let row = bench.recorder.wait_for("the row of the request that was out", |writes| {
        writes.iter().flatten().find(|row| row.name == "a").cloned()
    });
    row.await;
    assert_eq!(unchanged.requests().len(), 1, "the request that was out was given up and made again");
    bench
        .recorder
        .wait_for("the row of the new source", |writes| writes.iter().flatten().find(|row| row.name == "b").map(drop))
        .await;
    assert_eq!(bench.sources.all().len(), 2);
    assert_eq!(markers(&bench), []);
}

#[tokio::test]
async fn a_changed_source_goes_on_from_what_was_remembered() {
    let server = Server::replying([text("a 1 7\ngone 1 7\n"), text("a 1 7\ngone 1 7\n"), text("a 1 7\n")]).await;
    let mut bench = Bench::start(&federating([quick(&server.url())]));
    bench.recorder.write_number(0).await;
    let renamed = FederateConfig {
        job_name: "renamed".into(),
        scrape_interval: Duration::from_millis(600),
        ..quick(&server.url())
    };
    bench.collectors.reload(&federating([renamed])).await.unwrap();
    bench
        .recorder
        .wait_for("the marker of the series that went", |writes| {
            writes.iter().flatten().find(|row| row.name == "gone" && row.is_marker()).map(drop)
        })
        .await;
    let rows = all(&bench);
    let of_a: Vec<&Row> = rows.iter().filter(|row| row.name == "a").collect();
    assert_eq!(of_a.len(), 1, "{of_a:?}");
    let ended: Vec<&Row> = rows.iter().filter(|row| row.is_marker() && row.labels.contains("job=federate")).collect();
    assert_eq!(ended.len(), 5, "the report of the old job ends: {ended:?}");
    assert_eq!(bench.status().job, "renamed");
    assert_eq!(bench.status().interval_ms, Some(600));
}

#[tokio::test]
async fn a_wrong_configuration_changes_nothing() {
    let server = Server::replying([text("a 1 7\n")]).await;
    let mut bench = Bench::start(&federating([quick(&server.url())]));
    let wrong = federating([quick("not a url")]);
    assert!(bench.collectors.reload(&wrong).await.is_err());
    bench.recorder.write_number(2).await;
    assert_eq!(markers(&bench), []);
}
