//! Reading a Loki by cursor: every line once, whatever fails in between; servers that answer badly.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use collector::config::LokiConfig;
use model::{Clock, Error, ErrorKind, SourceStatus, SystemClock};

use crate::support::loki::{JSON, Line, Loki, answer, reading};
use crate::support::recorder::{LogRow, Recorder};
use crate::support::server::{Reply, answer_with};
use crate::support::{Bench, PATIENCE};

const UNTIL: &str = "fleetscope_loki_read_until_timestamp_seconds";

fn now() -> i64 {
    SystemClock.now_ms() * 1_000_000
}

/// Lines a millisecond apart, that end a second ago.
fn lines(count: usize) -> Vec<Line> {
    let begin = now() - 1_000_000_000 - count as i64 * 1_000_000;
    (0..count).map(|n| (begin + n as i64 * 1_000_000, ["shop", "cart"][n % 2], format!("line {n}"))).collect()
}

/// The numbers of the lines, in order.
fn numbers(rows: &[LogRow]) -> Vec<usize> {
    let mut numbers: Vec<usize> =
        rows.iter().map(|row| row.body.rsplit(' ').next().unwrap().parse().unwrap()).collect();
    numbers.sort_unstable();
    numbers
}

fn assert_once(recorder: &Recorder, count: usize) {
    assert_eq!(numbers(&recorder.log_rows()), (0..count).collect::<Vec<_>>());
}

/// Waits until the board shows what is wanted of its only source.
async fn shown(bench: &Bench, what: &str, wanted: impl Fn(&SourceStatus) -> bool) -> SourceStatus {
    let waiting = async {
        while !wanted(&bench.status()) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("{what}: {:?}", bench.status()));
    bench.status()
}

/// Waits until the server was asked so often.
async fn asked(loki: &Loki, times: usize) {
    let waiting = async {
        while loki.questions().len() < times {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("not asked {times} times"));
}

#[tokio::test]
async fn the_past_and_what_comes_after_it_are_there_once() {
    let loki = Loki::start(lines(40)).await;
    let config = LokiConfig { limit: 7, ..loki.config() };
    let bench = Bench::start(&reading([config]));
    let rows = bench.recorder.wait_for_log_rows(40).await;
    let row = rows.iter().find(|row| row.body == "line 0").unwrap();
    assert_eq!(
        (row.cluster.as_str(), row.service.as_str(), row.resource.as_str(), row.attributes.as_str()),
        ("east", "shop", "app=shop,exported_cluster=own,job=x,service_name=shop", "user=ann,detected_level=unknown")
    );
    let later = now();
    loki.push((0..20).map(|n| (later + n, "shop", format!("line {}", 40 + n))));
    bench.recorder.wait_for_log_rows(60).await;
    let asked_before = loki.questions().len();
    asked(&loki, asked_before + 2).await;
    assert_once(&bench.recorder, 60);
    let status = shown(&bench, "no error", |status| status.error.is_none() && status.missing_ms == Some(0)).await;
    assert_eq!((status.kind, status.job.as_str(), status.cluster.as_str()), ("loki_read", "loki", "east"));
    assert!(status.url.ends_with("/loki/api/v1/query_range") && status.interval_ms == Some(200), "{status:?}");
    let counter =
        |name: &str| bench.counter(&format!("fleetscope_loki_read_{name}_total{{cluster=\"east\",job=\"loki\"}}"));
    assert!(counter("kept_samples") == 60 && counter("samples") >= 60 && counter("body_bytes") > 1000);
    let writes = bench.recorder.writes();
    let up: Vec<_> = writes.iter().flatten().filter(|row| row.name == "up").collect();
    assert!(!up.is_empty() && up.iter().all(|row| row.value == 1.0 && row.labels.ends_with(",job=loki")), "{up:?}");
    let until: Vec<f64> = writes.iter().flatten().filter(|row| row.name == UNTIL).map(|row| row.value).collect();
    assert!(until.len() > 3 && until.is_sorted(), "{until:?}");
}

#[tokio::test]
async fn a_nanosecond_with_more_lines_than_a_page_is_got_through() {
    let mut all = lines(3);
    let at = all[1].0;
    all.extend((3..23).map(|n| (at, "shop", format!("line {n}"))));
    let loki = Loki::start(all).await;
    let bench = Bench::start(&reading([LokiConfig { limit: 2, ..loki.config() }]));
    bench.recorder.wait_for_log_rows(23).await;
    assert_once(&bench.recorder, 23);
    assert!(loki.questions().iter().any(|question| question.limit == 32), "{:?}", loki.questions());
    let before = loki.questions().len();
    asked(&loki, before + 2).await;
    assert_eq!(loki.questions().last().unwrap().limit, 2, "the limit is only raised where it must be");
}

#[tokio::test]
async fn a_nanosecond_that_the_server_does_not_give_whole_is_told_and_left() {
    let mut all = lines(3);
    let at = all[1].0;
    all.extend((3..23).map(|n| (at, "shop", format!("line {n}"))));
    let loki = Loki::with(all, |_, question| {
        let text: &[u8] = b"max entries limit per query exceeded, limit > max_entries_limit_per_query (8 > 4)";
        (question.limit > 4).then(|| Reply::Bytes(answer_with("400 Bad Request", &[], text)))
    });
    let loki = loki.await;
    let bench = Bench::start(&reading([LokiConfig { limit: 2, ..loki.config() }]));
    let status = shown(&bench, "a refusal", |status| status.error.is_some()).await;
    assert!(status.error.unwrap().contains("max_entries_limit_per_query"));
    let is_told = |status: &SourceStatus| status.error.as_ref().is_some_and(|error| error.contains("are lost"));
    let error = shown(&bench, "a loss", is_told).await.error.unwrap();
    assert!(error.starts_with(&format!("of the lines at {at} ns only 4 could be had")), "{error}");
    let rows = bench.recorder.wait_for_log_rows(6).await;
    let numbers = numbers(&rows);
    assert!(rows.len() == 6 && [0, 2].iter().all(|n| numbers.contains(n)), "{numbers:?}");
}

#[tokio::test]
async fn after_a_restart_it_goes_on_where_it_was() {
    let loki = Loki::start(lines(30)).await;
    let Bench { recorder, collectors, .. } = Bench::start(&reading([loki.config()]));
    recorder.wait_for_log_rows(30).await;
    collectors.stop().await;
    let later = now();
    loki.push((0..10).map(|n| (later + n, "shop", format!("line {}", 30 + n))));
    let before = loki.questions().len();
    let again = Bench::start_with(&reading([loki.config()]), recorder);
    again.recorder.wait_for_log_rows(40).await;
    asked(&loki, before + 3).await;
    assert_once(&again.recorder, 40);
    // It began where the other ended, and not an hour back.
    assert!(loki.questions()[before].start > later - 60_000_000_000, "{:?}", loki.questions()[before]);
}

/// Ended between a page and the record of it, a process leaves lines that nothing speaks of.
#[tokio::test]
async fn lines_behind_the_last_record_do_not_come_twice() {
    let all = lines(30);
    let loki = Loki::start(all.clone()).await;
    let config = || LokiConfig { limit: 10, ..loki.config() };
    // The first page is let in, and its record; the second page, and not its record.
    let recorder = Arc::new(Recorder::with_gate(3));
    let bench = Bench::start_with(&reading([config()]), recorder.clone());
    recorder.wait_for_offers(4).await;
    // The second began in the nanosecond where the first ended.
    assert_eq!(recorder.log_rows().len(), 19);
    recorder.fail([Error::internal("the end")]);
    recorder.open(1);
    let Bench { collectors, .. } = bench;
    recorder.open(1000);
    collectors.stop().await;
    let before = loki.questions().len();
    let again = Bench::start_with(&reading([config()]), recorder);
    again.recorder.wait_for_log_rows(30).await;
    let first = &loki.questions()[before];
    assert!(first.start <= all[9].0, "{first:?} is not behind the lines that are there");
    shown(&again, "all", |status| status.missing_ms == Some(0)).await;
    assert_once(&again.recorder, 30);
}

#[tokio::test]
async fn lines_are_compared_with_the_store_where_no_record_speaks() {
    let all = lines(30);
    let loki = Loki::start(all.clone()).await;
    let first = Bench::start(&reading([LokiConfig { limit: 10, ..loki.config() }]));
    first.recorder.wait_for_log_rows(30).await;
    let Bench { recorder, collectors, .. } = first;
    collectors.stop().await;
    // Another query asks for the same lines: nothing is recorded for it, and the lines are there.
    let config =
        LokiConfig { limit: 10, headers: [("X-Scope-OrgID".to_owned(), "a".to_owned())].into(), ..loki.config() };
    let again = Bench::start_with(&reading([config]), recorder);
    shown(&again, "all", |status| status.missing_ms == Some(0)).await;
    assert_once(&again.recorder, 30);
    assert!(loki.server.requests().last().unwrap().contains("\r\nx-scope-orgid: a\r\n"));
}

#[tokio::test]
async fn an_outage_of_either_side_costs_no_line() {
    let is_cut = Arc::new(AtomicBool::new(false));
    let cut = is_cut.clone();
    let away = || Reply::Bytes(answer_with("503 Service Unavailable", &[], b"away\n"));
    let loki = Loki::with(lines(10), move |_, _| cut.load(Ordering::SeqCst).then(away)).await;
    let bench = Bench::start(&reading([loki.config()]));
    bench.recorder.wait_for_log_rows(10).await;
    is_cut.store(true, Ordering::SeqCst);
    let status = shown(&bench, "an error", |status| status.error.is_some()).await;
    assert!(status.error.unwrap().contains("503"));
    let later = now();
    loki.push((0..10).map(|n| (later + n, "shop", format!("line {}", 10 + n))));
    bench.recorder.fail((0..3).map(|_| Error::new(ErrorKind::Busy, "no room")));
    is_cut.store(false, Ordering::SeqCst);
    bench.recorder.wait_for_log_rows(20).await;
    shown(&bench, "no error", |status| status.error.is_none()).await;
    assert_once(&bench.recorder, 20);
    let up = |value: f64| {
        let writes = bench.recorder.writes();
        writes.iter().flatten().any(|row| row.name == "up" && row.value == value)
    };
    assert!(up(0.0) && up(1.0));
}

#[tokio::test]
async fn lines_wait_for_those_that_come_late() {
    let loki = Loki::start(Vec::new()).await;
    let config = LokiConfig { delay: Duration::from_millis(1500), ..loki.config() };
    let bench = Bench::start(&reading([config]));
    asked(&loki, 1).await;
    let time = now();
    loki.push([(time + 1, "shop", "line 1".to_owned())]);
    let before = loki.questions().len();
    asked(&loki, before + 2).await;
    // It has a time before the other, and comes after it.
    loki.push([(time, "shop", "line 0".to_owned())]);
    let rows = bench.recorder.wait_for_log_rows(2).await;
    assert!(now() >= time + 1_500_000_000, "read before its time");
    assert_eq!(numbers(&rows), [0, 1]);
    assert!(loki.questions().iter().all(|question| question.end <= now() - 1_500_000_000));
}

#[tokio::test]
async fn a_source_whose_clock_is_behind_is_waited_for() {
    let all = lines(10);
    let (shown_ms, own) = (all[5].0 / 1_000_000_000, all.clone());
    let date = httpdate(shown_ms as u64);
    let loki = Loki::with(all, move |_, question| {
        let Reply::Bytes(bytes) = answer(&own, question) else { panic!("no bytes") };
        let text = String::from_utf8(bytes).unwrap();
        Some(Reply::Bytes(text.replacen("\r\n", &format!("\r\nDate: {date}\r\n"), 1).into_bytes()))
    });
    let loki = loki.await;
    let bench = Bench::start(&reading([LokiConfig { delay: Duration::from_secs(1), ..loki.config() }]));
    asked(&loki, 4).await;
    let limit = (shown_ms + 1) * 1_000_000_000 - 1_000_000_000;
    assert!(bench.recorder.log_rows().iter().all(|row| row.time_unix_nano < limit), "{:?}", bench.recorder.log_rows());
    assert!(shown(&bench, "an answer", |status| status.last_success_ms.is_some()).await.missing_ms > Some(0));
}

fn httpdate(seconds: u64) -> String {
    httpdate::fmt_http_date(std::time::UNIX_EPOCH + Duration::from_secs(seconds))
}

#[tokio::test]
async fn an_answer_that_is_none_leaves_nothing_and_is_told() {
    let good = lines(5);
    let bad: Vec<(&str, Reply)> = vec![
        ("instead of application/json", Reply::Bytes(answer_with("200 OK", &["Content-Type: text/html"], b"<html>"))),
        ("no content type", Reply::Bytes(answer_with("200 OK", &[], b"{}"))),
        ("no field \"data\"", Reply::Bytes(answer_with("200 OK", &[JSON], b"{}"))),
        ("tells of an error", Reply::Bytes(answer_with("200 OK", &[JSON], b"{\"status\":\"error\",\"error\":\"x\"}"))),
        ("the answer is refused", Reply::Bytes(answer_with("200 OK", &[JSON], b"{\"data\":{\"resultType\":"))),
        ("404", Reply::Bytes(answer_with("404 Not Found", &[], b"no\n"))),
        ("401", Reply::Bytes(answer_with("401 Unauthorized", &[], b"no org id\n"))),
    ];
    for (expected, reply) in bad {
        let is_bad = Arc::new(AtomicBool::new(true));
        let switch = is_bad.clone();
        let loki = Loki::with(good.clone(), move |_, _| switch.load(Ordering::SeqCst).then(|| reply.clone())).await;
        let bench = Bench::start(&reading([loki.config()]));
        let status = shown(&bench, expected, |status| status.error.is_some()).await;
        assert!(status.error.as_ref().unwrap().contains(expected), "{expected}: {status:?}");
        assert!(bench.recorder.log_rows().is_empty());
        is_bad.store(false, Ordering::SeqCst);
        bench.recorder.wait_for_log_rows(5).await;
        assert_once(&bench.recorder, 5);
    }
}

#[tokio::test]
async fn rows_that_cannot_be_taken_cost_no_other() {
    let mut all = lines(3);
    all[1].2 = "x".repeat((1 << 20) + 1);
    all[2].2 = "line 1".to_owned();
    let loki = Loki::start(all).await;
    let bench = Bench::start(&reading([loki.config()]));
    bench.recorder.wait_for_log_rows(2).await;
    assert_once(&bench.recorder, 2);
    shown(&bench, "a refusal", |status| status.error.as_deref() == Some("1 rows were refused, the log has the first"))
        .await;
}

#[tokio::test]
async fn a_server_that_has_too_much_is_asked_for_less() {
    let loki = Loki::with(lines(10), |_, question| {
        let is_long = question.end - question.start > 1_000_000_000_000;
        is_long.then(|| Reply::Bytes(answer_with("504 Gateway Timeout", &[], b"too slow\n")))
    });
    let loki = loki.await;
    let bench = Bench::start(&reading([loki.config()]));
    bench.recorder.wait_for_log_rows(10).await;
    shown(&bench, "all", |status| status.missing_ms == Some(0) && status.error.is_none()).await;
    assert_once(&bench.recorder, 10);
}

#[tokio::test]
async fn a_reload_goes_on_from_where_it_was_and_ends_what_has_left() {
    let loki = Loki::start(lines(10)).await;
    let mut bench = Bench::start(&reading([loki.config()]));
    bench.recorder.wait_for_log_rows(10).await;
    let before = loki.questions().len();
    let changed = LokiConfig { limit: 3, ..loki.config() };
    bench.collectors.reload(&reading([changed])).await.unwrap();
    let later = now();
    loki.push((0..10).map(|n| (later + n, "shop", format!("line {}", 10 + n))));
    bench.recorder.wait_for_log_rows(20).await;
    assert_once(&bench.recorder, 20);
    assert!(loki.questions()[before..].iter().all(|question| question.start > later - 60_000_000_000));
    bench.collectors.reload(&reading([])).await.unwrap();
    assert!(bench.sources.all().is_empty());
    let writes = bench.recorder.writes();
    let last = writes.iter().flatten().rfind(|row| row.name == "up").unwrap();
    assert!(last.is_marker(), "{last:?}");
}

#[tokio::test]
async fn a_store_that_does_not_say_what_is_there_is_asked_again() {
    let loki = Loki::start(lines(10)).await;
    let recorder = Arc::new(Recorder::default());
    recorder.forget((0..2).map(|_| Error::new(ErrorKind::Unavailable, "no index")));
    let bench = Bench::start_with(&reading([loki.config()]), recorder);
    let status = shown(&bench, "an error", |status| status.error.is_some()).await;
    assert!(status.error.unwrap().contains("the store does not say what is there: no index"));
    bench.recorder.wait_for_log_rows(10).await;
    assert_once(&bench.recorder, 10);
}

#[tokio::test]
async fn what_is_too_much_to_compare_is_compared_in_shorter_pieces() {
    // Once the recorded time is known, the question for the lines of the first page fails.
    let recorder = Arc::new(Recorder::default());
    let asks = recorder.clone();
    let loki = Loki::with(lines(10), move |number, _| {
        if number == 0 {
            asks.forget([Error::new(ErrorKind::Busy, "too many rows")]);
        }
        None
    });
    let loki = loki.await;
    let bench = Bench::start_with(&reading([loki.config()]), recorder);
    bench.recorder.wait_for_log_rows(10).await;
    assert_once(&bench.recorder, 10);
    let lengths: Vec<i64> = loki.questions().iter().map(|question| question.end - question.start).collect();
    assert!(lengths.len() > 1 && lengths[0] > 3 * lengths[1] / 2, "{lengths:?}");
    shown(&bench, "no error", |status| status.error.is_none() && status.missing_ms == Some(0)).await;
}
