//! A store that refuses: the rows are offered again, and nothing is remembered that was not written.

use std::sync::Arc;
use std::time::Duration;

use collector::config::FederateConfig;
use model::{Error, ErrorKind};

use crate::support::recorder::{Recorder, Written};
use crate::support::server::{Server, text};
use crate::support::{Bench, federating, quick};

fn names(written: &Written) -> Vec<&str> {
    written.iter().filter(|row| !row.is_report()).map(|row| row.name.as_str()).collect()
}

fn busy() -> Error {
    Error::new(ErrorKind::Busy, "full")
}

#[tokio::test]
async fn a_busy_store_is_asked_again_within_the_interval() {
    let server = Server::replying([text("a 1 7\n"), text("a 1 7\nb 1 8\n")]).await;
    let recorder = Arc::new(Recorder::default());
    recorder.fail([busy(), Error::new(ErrorKind::Unavailable, "away")]);
    let config = FederateConfig { scrape_interval: Duration::from_secs(1), ..quick(&server.url()) };
    let bench = Bench::start_with(&federating([config]), recorder);
    assert_eq!(names(&bench.recorder.write_number(0).await), ["a"]);
    assert_eq!(server.requests().len(), 1);
    assert_eq!(names(&bench.recorder.write_number(1).await), ["b"]);
    assert_eq!(bench.counter("fleetscope_federate_write_retries_total"), 2);
    assert_eq!(bench.status().error, None);
}

#[tokio::test]
async fn what_was_given_up_comes_with_the_next_answer() {
    let first = text("a 1 7\nb 1 7\ngone 1 7\n");
    let second = text("a 1 7\nb 2 8\n");
    let server = Server::replying([first, second]).await;
    let recorder = Arc::new(Recorder::default());
    // All that fits into the first interval; its report is refused too.
    recorder.fail([Error::new(ErrorKind::Internal, "broken"), busy()]);
    let bench = Bench::start_with(&federating([quick(&server.url())]), recorder);
    let written = bench.recorder.write_number(0).await;
    assert_eq!(names(&written), ["a", "b"]);
    assert!(written.iter().all(|row| !row.is_marker()));
    let failures =
        bench.counter("fleetscope_federate_scrapes_total{cluster=\"east\",job=\"federate\",result=\"write\"}");
    assert_eq!(failures, 1);
}

#[tokio::test]
async fn a_store_that_stays_busy_ends_the_attempt_and_the_board_says_so() {
    let server = Server::replying([text("a 1 7\n")]).await;
    let recorder = Arc::new(Recorder::default());
    recorder.fail((0..1000).map(|_| busy()));
    let bench = Bench::start_with(&federating([quick(&server.url())]), recorder);
    bench.recorder.wait_for_offers(12).await;
    let error = bench.status().error.unwrap();
    assert!(error.contains("the store did not take the rows") && error.contains("full"), "{error}");
    assert!(server.requests().len() >= 2);
    assert_eq!(bench.recorder.writes().len(), 0);
}

#[tokio::test]
async fn rows_that_the_store_finds_wrong_fail_the_attempt_but_not_the_report() {
    let server = Server::replying([text("a 1 7\n")]).await;
    let recorder = Arc::new(Recorder::default());
    recorder.fail([Error::invalid("no such time")]);
    let bench = Bench::start_with(&federating([quick(&server.url())]), recorder);
    let failed = bench.recorder.write_number(0).await;
    assert_eq!((names(&failed), failed.len()), (Vec::new(), 5));
    assert_eq!(failed.iter().find(|row| row.name == "up").unwrap().value, 0.0);
    assert_eq!(names(&bench.recorder.write_number(1).await), ["a"]);
}

#[tokio::test]
async fn a_write_that_has_begun_is_ended_before_the_stop() {
    let server = Server::replying([text("a 1 7\n")]).await;
    let recorder = Arc::new(Recorder::with_gate(0));
    let bench = Bench::start_with(&federating([quick(&server.url())]), recorder.clone());
    recorder.wait_for_offers(1).await;
    let stopping = bench.collectors.stop();
    tokio::pin!(stopping);
    assert!(futures::poll!(&mut stopping).is_pending());
    recorder.open(1);
    stopping.await;
    assert_eq!(names(&recorder.writes()[0]), ["a"]);
}
