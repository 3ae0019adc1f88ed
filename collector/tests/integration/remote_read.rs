//! Remote read by cursor: every sample once, whatever fails in between; servers that answer badly.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use collector::Config;
use collector::config::{FederateConfig, Via};
use model::{Clock, Error, ErrorKind, SourceStatus, SystemClock};

use crate::support::past::{CHUNKS, Past, SAMPLES, answer, is_whole, response, seconds};
use crate::support::recorder::Recorder;
use crate::support::sender::compressed;
use crate::support::server::{Reply, answer_with};
use crate::support::{Bench, PATIENCE, federating};

const SINCE: &str = "fleetscope_remote_read_since_timestamp_seconds";

fn now_ms() -> i64 {
    SystemClock.now_ms()
}

/// Waits until every second between these times is there.
async fn whole(recorder: &Recorder, from_ms: i64, until_ms: i64) {
    recorder.wait_for("every second", |writes| is_whole(writes, from_ms, until_ms).then_some(())).await;
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

fn assert_once(recorder: &Recorder) {
    let twice: Vec<_> = seconds(&recorder.writes()).into_iter().filter(|(_, times)| *times > 1).collect();
    assert_eq!(twice, [], "read twice");
}

/// What the rows of readings say is there must be there.
fn assert_honest(recorder: &Recorder) {
    let there: BTreeSet<i64> = seconds(&recorder.writes()).into_keys().collect();
    for row in recorder.writes().iter().flatten().filter(|row| row.name == SINCE) {
        let since_ms = (row.value * 1000.0).round() as i64;
        assert!(since_ms < row.time_ms, "{row:?}");
        for second in since_ms.div_euclid(1000) + 1..=row.time_ms / 1000 {
            assert!(there.contains(&second), "{second} is missing, which {row:?} says is there");
        }
    }
}

#[tokio::test]
async fn a_new_server_is_read_as_far_back_as_it_is_asked_for_and_on() {
    let past = Past::start().await;
    let began = now_ms();
    let bench = Bench::start(&federating([past.config()]));
    whole(&bench.recorder, began - 118_000, began + 2_000).await;
    let status = shown(&bench, "nothing missing", |status| status.missing_ms == Some(0)).await;
    assert_eq!((status.kind, status.error.as_deref()), ("remote_read", None));
    assert!(status.url.ends_with("/api/v1/read"), "{}", status.url);
    assert_once(&bench.recorder);
    assert_honest(&bench.recorder);
    // The present came before the past.
    let first = bench.recorder.write_number(0).await;
    assert!(first.iter().all(|row| row.time_ms > began - 3_000), "{first:?}");
    assert!(
        seconds(&bench.recorder.writes()).into_keys().all(|second| second * 1000 > began - 121_000),
        "too far back"
    );
    let writes = bench.recorder.writes();
    let up: Vec<f64> = writes.iter().flatten().filter(|row| row.name == "up").map(|row| row.value).collect();
    assert!(!up.is_empty() && up.iter().all(|value| *value == 1.0), "{up:?}");
    assert!(bench.counter("fleetscope_remote_read_samples_total{cluster=\"east\",job=\"federate\"}") >= 120);
}

#[tokio::test]
async fn after_a_restart_it_goes_on_where_it_was() {
    let past = Past::start().await;
    let began = now_ms();
    let Bench { recorder, collectors, .. } = Bench::start(&federating([past.config()]));
    whole(&recorder, began - 118_000, began).await;
    collectors.stop().await;
    let stopped = now_ms();
    while now_ms() < stopped + 2_500 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let again = Bench::start_with(&federating([past.config()]), recorder);
    whole(&again.recorder, began - 118_000, now_ms() + 1_000).await;
    assert_once(&again.recorder);
    assert_honest(&again.recorder);
}

#[tokio::test]
async fn a_hole_that_an_outage_left_is_filled() {
    let is_cut = Arc::new(AtomicBool::new(false));
    let cut = is_cut.clone();
    let away = || Reply::Bytes(answer_with("503 Service Unavailable", &[], b"away\n"));
    let past = Past::with(move |_, _| cut.load(Ordering::SeqCst).then(away)).await;
    let began = now_ms();
    let bench = Bench::start(&federating([past.config()]));
    whole(&bench.recorder, began - 118_000, began).await;
    is_cut.store(true, Ordering::SeqCst);
    let status = shown(&bench, "an error", |status| status.error.is_some()).await;
    assert!(status.error.unwrap().contains("503"));
    let failed = past.questions().len();
    while past.questions().len() < failed + 6 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    is_cut.store(false, Ordering::SeqCst);
    whole(&bench.recorder, began - 118_000, now_ms() + 1_000).await;
    shown(&bench, "no error", |status| status.error.is_none()).await;
    assert_once(&bench.recorder);
    assert_honest(&bench.recorder);
}

#[tokio::test]
async fn pieces_become_as_small_as_the_server_wants_them() {
    let too_many = || Reply::Bytes(answer_with("400 Bad Request", &[], b"exceeded sample limit (7)\n"));
    let past = Past::with(move |_, (from, until)| (until - from > 7_000).then(too_many)).await;
    let began = now_ms();
    let config = FederateConfig { backfill: Some(Duration::from_secs(60)), ..past.config() };
    let bench = Bench::start(&federating([config]));
    whole(&bench.recorder, began - 58_000, began + 1_000).await;
    assert_once(&bench.recorder);
    assert_honest(&bench.recorder);
    shown(&bench, "no error", |status| status.error.is_none() && status.missing_ms == Some(0)).await;
}

#[tokio::test]
async fn an_answer_that_is_cut_is_read_again_and_says_nothing_of_what_it_lacks() {
    let past = Past::with(|number, times| {
        let body = compressed(&response(times));
        let whole = answer_with("200 OK", &SAMPLES, &body);
        // Every third one ends early, although its head promises all of it.
        (number % 3 == 0).then(|| Reply::Bytes(whole[..whole.len() - body.len() / 2].to_vec()))
    });
    let past = past.await;
    let began = now_ms();
    let bench = Bench::start(&federating([past.config()]));
    whole(&bench.recorder, began - 118_000, began + 1_000).await;
    assert_honest(&bench.recorder);
}

#[tokio::test]
async fn without_knowing_what_was_read_only_the_present_is_read() {
    let past = Past::start().await;
    let began = now_ms();
    let recorder = Arc::new(Recorder::default());
    recorder.forget((0..3).map(|_| Error::new(ErrorKind::Unavailable, "the bucket is away")));
    let bench = Bench::start_with(&federating([past.config()]), recorder);
    bench.recorder.write_number(2).await;
    assert!(past.questions().iter().take(2).all(|(from, _)| *from > began - 3_000), "{:?}", past.questions());
    assert_eq!(bench.status().missing_ms, None, "what is missing is not known yet");
    whole(&bench.recorder, began - 118_000, began + 1_000).await;
    assert_once(&bench.recorder);
}

#[tokio::test]
async fn what_the_store_refused_is_read_again() {
    let past = Past::start().await;
    let began = now_ms();
    let recorder = Arc::new(Recorder::default());
    let broken = || Error::new(ErrorKind::Unavailable, "the journal failed").with_retry_after(Duration::from_secs(9));
    recorder.fail((0..4).map(|_| broken()));
    let bench = Bench::start_with(&federating([past.config()]), recorder);
    whole(&bench.recorder, began - 118_000, began + 1_000).await;
    assert_honest(&bench.recorder);
}

#[tokio::test]
async fn what_the_source_may_not_have_taken_in_yet_is_left_for_later() {
    let past = Past::start().await;
    let began = now_ms();
    let config = FederateConfig { delay: Some(Duration::from_secs(30)), ..past.config() };
    let bench = Bench::start(&federating([config]));
    whole(&bench.recorder, began - 118_000, began - 30_000).await;
    let newest = seconds(&bench.recorder.writes()).into_keys().next_back().unwrap();
    assert!(newest * 1000 <= now_ms() - 30_000, "{newest}");
    assert!(past.questions().iter().all(|(_, until)| *until <= now_ms() - 30_000));
}

#[tokio::test]
async fn the_clock_of_the_source_counts_where_it_is_behind() {
    // An hour behind: what it has up to then is all that can be known to be whole.
    let hour_ago = Duration::from_millis(now_ms() as u64) - Duration::from_secs(3600);
    let date = httpdate::fmt_http_date(std::time::UNIX_EPOCH + hour_ago);
    let header = format!("Date: {date}");
    let past = Past::with(move |_, times| {
        let headers = [SAMPLES[0], SAMPLES[1], &header];
        Some(Reply::Bytes(answer_with("200 OK", &headers, &compressed(&response(times)))))
    });
    let began = now_ms();
    let bench = Bench::start(&federating([past.await.config()]));
    let some = |writes: &[_]| (!seconds(writes).is_empty()).then_some(());
    bench.recorder.wait_for("samples of an hour ago", some).await;
    let newest = seconds(&bench.recorder.writes()).into_keys().next_back().unwrap();
    assert!(newest * 1000 <= began - 3_600_000 + (now_ms() - began), "{newest}");
    shown(&bench, "success", |status| status.last_success_ms.is_some() && status.error.is_none()).await;
    assert_honest(&bench.recorder);
}

#[tokio::test]
async fn what_cannot_be_read_does_not_stand_before_what_can_be() {
    let bad_ms = (now_ms() - 40_000) / 1000 * 1000;
    let past = Past::with(move |_, (from, until)| {
        let broken = || Reply::Bytes(answer_with("200 OK", &SAMPLES, &compressed(b"\xff\xff\xff")));
        (from <= bad_ms && bad_ms <= until).then(broken)
    });
    let past = past.await;
    let began = now_ms();
    let bench = Bench::start(&federating([past.config()]));
    whole(&bench.recorder, began - 118_000, bad_ms - 2_000).await;
    whole(&bench.recorder, bad_ms + 1_000, began).await;
    let status = shown(&bench, "an error", |status| status.error.is_some()).await;
    assert!(status.error.as_ref().unwrap().starts_with("what is missing: the answer is refused"), "{status:?}");
    assert!(status.missing_ms.is_some_and(|missing_ms| (1..=2_000).contains(&missing_ms)), "{status:?}");
    assert_once(&bench.recorder);
    assert_honest(&bench.recorder);
}

#[tokio::test]
async fn the_past_is_read_no_faster_than_is_allowed() {
    let past = Past::start().await;
    let (began, started) = (now_ms(), std::time::Instant::now());
    let bench = Bench::start(&federating([FederateConfig { backfill_rate: Some(25), ..past.config() }]));
    whole(&bench.recorder, began - 100_000, began).await;
    // What is older than a minute or so is past its time before it is read, so slow is that; of the rest 98 are not new.
    assert!(started.elapsed() > Duration::from_secs(3), "{:?}", started.elapsed());
    assert_once(&bench.recorder);
}

#[tokio::test]
async fn another_interval_reads_nothing_again_and_another_question_everything() {
    let past = Past::start().await;
    let began = now_ms();
    let mut bench = Bench::start(&federating([past.config()]));
    whole(&bench.recorder, began - 118_000, began).await;
    let slower = FederateConfig { scrape_interval: Duration::from_millis(700), ..past.config() };
    bench.collectors.reload(&federating([slower.clone()])).await.unwrap();
    whole(&bench.recorder, began - 118_000, now_ms() + 1_000).await;
    assert_once(&bench.recorder);
    let other = FederateConfig { matchers: vec!["load".into()], ..slower };
    bench.collectors.reload(&federating([other])).await.unwrap();
    let twice = |writes: &[_]| seconds(writes).values().filter(|times| **times > 1).count() > 110;
    bench.recorder.wait_for("all of it again", |writes| twice(writes).then_some(())).await;
    // Removed, it is gone from the board and its own rows end; those of the server do not.
    bench.collectors.reload(&Config::default()).await.unwrap();
    assert_eq!(bench.sources.all(), []);
    let writes = bench.recorder.writes();
    let ended: BTreeSet<&str> =
        writes.iter().flatten().filter(|row| row.is_marker()).map(|row| row.name.as_str()).collect();
    assert!(ended.contains("up") && !ended.contains("load"), "{ended:?}");
}

#[tokio::test]
async fn a_server_that_is_read_in_another_way_keeps_its_series() {
    let past = Past::start().await;
    let federated = FederateConfig { via: Via::Federate, delay: None, backfill: None, ..past.config() };
    let page = "load{instance=\"a:1\"} 1 1000\n";
    let text = crate::support::server::TEXT;
    let server = crate::support::server::Server::start(move |_, head| match head {
        head if head.starts_with("GET /federate") => Reply::Bytes(answer_with("200 OK", &[text], page.as_bytes())),
        _ => answer((0, 0)),
    });
    let server = server.await;
    let at = |config: FederateConfig| federating([FederateConfig { url: server.url(), ..config }]);
    let mut bench = Bench::start(&at(federated));
    bench.recorder.write_number(0).await;
    bench.collectors.reload(&at(past.config())).await.unwrap();
    assert_eq!(shown(&bench, "the other way", |status| status.last_success_ms.is_some()).await.kind, "remote_read");
    assert!(bench.recorder.writes().iter().flatten().all(|row| !row.is_marker()), "{:?}", bench.recorder.writes());
}

/// The error of a server that answers like this, of which nothing may be kept.
async fn refused(reply: Reply) -> String {
    let past = Past::with(move |_, _| Some(reply.clone())).await;
    let config = FederateConfig { scrape_interval: Duration::from_secs(1), ..past.config() };
    let bench = Bench::start(&federating([FederateConfig { body_size_limit: 1 << 20, ..config }]));
    let status = shown(&bench, "an error", |status| status.error.is_some()).await;
    let writes = bench.recorder.writes();
    assert!(writes.iter().flatten().all(|row| row.is_report()), "{writes:?}");
    status.error.unwrap()
}

#[tokio::test]
async fn bad_answers_are_told_and_keep_nothing() {
    let headed = |headers: &[&str], body: &[u8]| Reply::Bytes(answer_with("200 OK", headers, body));
    let samples = || compressed(&response((0, 5_000)));
    let mut damaged = samples();
    damaged.truncate(damaged.len() - 3);
    let endless = |head: &[&str], again: &[u8]| {
        let head = format!("HTTP/1.1 200 OK\r\n{}\r\n\r\n", head.join("\r\n"));
        Reply::Endless(head.into_bytes(), again.to_vec(), Duration::ZERO)
    };
    let cases = [
        (headed(&["Content-Type: text/html"], b"<html>please log in</html>"), "none of remote read"),
        (headed(&[], b""), "none of remote read"),
        (headed(&SAMPLES[..1], &samples()), "content encoding \"\""),
        (headed(&[SAMPLES[0], "Content-Encoding: gzip"], &samples()), "content encoding \"gzip\""),
        (headed(&[CHUNKS, "Content-Encoding: snappy"], b""), "content encoding \"snappy\""),
        (headed(&SAMPLES, &damaged), "the answer is refused"),
        (headed(&SAMPLES, &compressed(b"\xff\xff\xff")), "the answer is refused"),
        // A frame that announces a gigabyte, one whose checksum is wrong, one that ends early, and an error in its place.
        (headed(&[CHUNKS], b"\x80\x80\x80\x80\x04\0\0\0\0"), "announces 1073741824 bytes"),
        (headed(&[CHUNKS], b"\x02\0\0\0\0ab"), "its checksum is"),
        (headed(&[CHUNKS], b"\x05\0\0\0\0ab"), "the stream ends in it"),
        (headed(&[CHUNKS], b"too many open files"), "it reads \"too many open files"),
        (endless(&SAMPLES, &[0; 65_536]), "larger than 1048576 bytes"),
        (endless(&[CHUNKS], &[0; 65_536]), "larger than 1048576 bytes"),
        (Reply::Hang, "no answer within "),
        // Nothing says that the stream is whole.
        (Reply::Bytes(format!("HTTP/1.0 200 OK\r\n{CHUNKS}\r\n\r\n").into_bytes()), "comes by HTTP/1.0"),
        (
            Reply::Bytes(answer_with("301 Moved Permanently", &["Location: /x/read"], b"")),
            "configure the url it leads to",
        ),
        (Reply::Bytes(answer_with("302 Found", &["Location: http://127.0.0.2/x"], b"")), "redirect to another server"),
        (Reply::Bytes(answer_with("500 Internal Server Error", &[], b"boom\n")), "500 Internal Server Error: boom"),
    ];
    for (reply, expected) in cases {
        let error = refused(reply).await;
        assert!(error.contains(expected), "{expected:?} in {error:?}");
    }
}

#[tokio::test]
async fn chunks_that_cannot_be_read_are_asked_for_as_samples() {
    // One that is not known, and one of native histograms.
    for encoding in [9, 2] {
        chunks_are_asked_for_as_samples(encoding).await;
    }
}

async fn chunks_are_asked_for_as_samples(encoding: u8) {
    // A frame with one series that has one chunk.
    let mut chunked = Vec::new();
    let mut series = Vec::new();
    let mut label = Vec::new();
    use crate::support::sender::{field, varint};
    field(&mut label, 1, b"__name__");
    field(&mut label, 2, b"load");
    field(&mut series, 1, &label);
    field(&mut series, 2, &[8, 1, 16, 2, 24, encoding]);
    field(&mut chunked, 1, &series);
    let mut frame = Vec::new();
    varint(&mut frame, chunked.len() as u64);
    frame.extend_from_slice(&crc32c(&chunked).to_be_bytes());
    frame.extend_from_slice(&chunked);
    let past =
        Past::with(move |number, _| (number == 0).then(|| Reply::Bytes(answer_with("200 OK", &[CHUNKS], &frame))));
    let past = past.await;
    let began = now_ms();
    let bench = Bench::start(&federating([past.config()]));
    whole(&bench.recorder, began - 118_000, began + 1_000).await;
    assert_once(&bench.recorder);
}

/// CRC-32C, bit by bit.
fn crc32c(bytes: &[u8]) -> u32 {
    let step = |crc: u32| if crc & 1 == 1 { crc >> 1 ^ 0x82f6_3b78 } else { crc >> 1 };
    !bytes.iter().fold(!0u32, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc)))
}
