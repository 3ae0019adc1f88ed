//! Logs and spans in SQL: the same answers from the head, from blocks, and from both.

use model::logs::Log;
use model::resource::{Resource, Scope};
use model::spans::Span;
use model::{Logs, Recall, Spans};

use super::*;

/// Rows of each service in each cluster.
const ROWS: i64 = 3000;
const SECOND: i64 = 1_000_000_000;

fn trace(number: i64) -> [u8; 16] {
    let mut id = [7; 16];
    id[8..].copy_from_slice(&(number + 1).to_be_bytes());
    id
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Every second a line of each of two services in each of two clusters; every tenth is an error.
pub(super) fn logs(from: i64, to: i64) -> Logs {
    let mut logs = Logs::default();
    let scope = logs.scopes.place(&Arc::new(Scope { name: "scope".into(), version: "1".into() }));
    for cluster in ["east", "west"] {
        for service in ["cart", "pay"] {
            let attributes =
                [("k8s.cluster.name", cluster), ("service.name", service), ("k8s.pod.name", "p-1"), ("host", "h")];
            let resource = logs.resources.place(&Arc::new(Resource::new(attributes)));
            for n in from..to {
                let is_error = n % 10 == 0;
                logs.attributes.push("n", &n.to_string());
                if is_error {
                    logs.attributes.push("code", "500");
                }
                let body = format!("{service} handled request {n} in {cluster}");
                logs.push(&Log {
                    resource,
                    scope,
                    time_unix_nano: NOON * 1_000_000 - ROWS * SECOND + n * SECOND,
                    observed_time_unix_nano: NOON * 1_000_000,
                    severity_number: if is_error { 17 } else { 9 },
                    severity_text: if is_error { "ERROR" } else { "INFO" },
                    body: &body,
                    trace_id: if n % 2 == 0 { trace(n) } else { [0; 16] },
                    span_id: if n % 2 == 0 { [3; 8] } else { [0; 8] },
                    flags: 1,
                });
            }
        }
    }
    logs
}

/// Traces of a server span in the east and a client span in the west, its child.
pub(super) fn spans(from: i64, to: i64) -> Spans {
    let mut spans = Spans::default();
    let scope = spans.scopes.place(&Arc::new(Scope::default()));
    for n in from..to {
        for (cluster, kind) in [("east", 2), ("west", 3)] {
            let attributes = [("k8s.cluster.name", cluster), ("service.name", "pay")];
            let resource = spans.resources.place(&Arc::new(Resource::new(attributes)));
            spans.attributes.push("http.route", "/pay");
            spans.events.attributes.push("exception.type", "Timeout");
            spans.push_event(NOON * 1_000_000, "exception");
            spans.links.attributes.push("why", "retry");
            spans.push_link(trace(n + 1), [9; 8], "");
            spans.push(&Span {
                resource,
                scope,
                trace_id: trace(n),
                span_id: [kind; 8],
                parent_span_id: if kind == 3 { [2; 8] } else { [0; 8] },
                name: "POST /pay",
                kind,
                start_time_unix_nano: NOON * 1_000_000 - ROWS * SECOND + n * SECOND,
                duration_nano: n * 1_000_000,
                status_code: if n % 100 == 0 { 2 } else { 0 },
                ..Span::default()
            });
        }
    }
    spans
}

/// Questions and what they are answered with, wherever the rows are.
fn questions() -> Vec<(String, String)> {
    let owned = |(question, answer): (&str, &str)| (question.to_owned(), answer.to_owned());
    let mut all: Vec<_> = [
        ("SELECT count(*) FROM logs", "12000"),
        ("SELECT count(*) FROM spans", "6000"),
        (
            "SELECT cluster, service, severity_text, count(*) FROM logs GROUP BY 1, 2, 3 ORDER BY 1, 2, 3 LIMIT 3",
            "east,cart,ERROR,300\neast,cart,INFO,2700\neast,pay,ERROR,300",
        ),
        (
            "SELECT body, severity_number, attributes['code'], resource['host'], pod, scope_name FROM logs \
             WHERE cluster = 'west' AND service = 'pay' AND attributes['n'] = '1230'",
            "pay handled request 1230 in west,17,500,h,p-1,scope",
        ),
        ("SELECT count(*) FROM logs WHERE attributes['code'] IS NOT NULL AND body LIKE '%request 12%'", "44"),
        ("SELECT count(*) FROM logs WHERE trace_id IS NULL", "6000"),
        ("SELECT count(*) FROM logs WHERE severity_text = 'ERROR' AND severity_number > 16 AND pod = 'p-1'", "1200"),
        ("SELECT count(*) FROM spans WHERE name IN ('POST /pay', 'x') AND kind = 'server' AND flags = 0", "3000"),
        ("SELECT count(*) FROM logs WHERE has_word(body, 'handled') AND has_word(body, '1234')", "4"),
        ("SELECT count(*) FROM logs WHERE has_word(body, 'handle') OR has_word(body, 'Handled')", "0"),
        ("SELECT count(*) FROM logs WHERE body = 'pay handled request 7 in west'", "1"),
        ("SELECT count(*) FROM logs WHERE contains(body, 'request 2999 ') AND starts_with(body, 'cart ')", "2"),
        (
            "SELECT body FROM logs WHERE service = 'cart' ORDER BY ts DESC, cluster LIMIT 3",
            "cart handled request 2999 in east\ncart handled request 2999 in west\ncart handled request 2998 in east",
        ),
        ("SELECT body FROM logs WHERE cluster = 'east' ORDER BY ts, service LIMIT 1", "cart handled request 0 in east"),
        (
            "SELECT min(ts), max(ts), max(observed_ts) FROM logs",
            "2026-01-01T11:10:00Z,2026-01-01T11:59:59Z,2026-01-01T12:00:00Z",
        ),
        ("SELECT count(*) FROM logs WHERE ts >= '2026-01-01T11:20:00Z' AND ts < '2026-01-01T11:20:10Z'", "40"),
        ("SELECT count(*) FROM logs WHERE ts > now() - interval '10 seconds'", "36"),
        ("SELECT count(*) FROM logs WHERE cluster IN ('north', 'south') OR service = 'x'", "0"),
        (
            "SELECT kind, status, name, duration_nano, parent_span_id, attributes['http.route'] FROM spans \
             WHERE duration_nano >= 2900000000 AND status = 'error' ORDER BY kind",
            "client,error,POST /pay,2900000000,0202020202020202,/pay\nserver,error,POST /pay,2900000000,,/pay",
        ),
        (
            "SELECT events[1]['name'], events[1]['ts'], events[1]['attributes']['exception.type'], \
             links[1]['span_id'], links[1]['attributes']['why'] FROM spans WHERE duration_nano = 7000000 AND kind = 'server'",
            "exception,2026-01-01T12:00:00Z,Timeout,0909090909090909,retry",
        ),
        (
            "SELECT count(*) FROM spans child JOIN spans parent ON child.trace_id = parent.trace_id \
             AND child.parent_span_id = parent.span_id AND child.cluster != parent.cluster",
            "3000",
        ),
        (
            "SELECT l.body FROM logs l JOIN spans s ON l.trace_id = s.trace_id WHERE s.duration_nano = 2998000000 \
             AND s.kind = 'server' AND l.service = 'pay' ORDER BY l.cluster",
            "pay handled request 2998 in east\npay handled request 2998 in west",
        ),
    ]
    .map(owned)
    .into();
    let id = hex(&trace(42));
    all.push((
        format!("SELECT cluster, service, trace_id, span_id FROM logs WHERE trace_id = '{id}' ORDER BY cluster, service LIMIT 2"),
        format!("east,cart,{id},0303030303030303\neast,pay,{id},0303030303030303"),
    ));
    all.push((format!("SELECT count(*) FROM spans WHERE trace_id = '{id}'"), "2".to_owned()));
    all.push((format!("SELECT count(*) FROM spans WHERE trace_id IN ('{id}', 'no id')"), "2".to_owned()));
    all.push(("SELECT count(*) FROM spans WHERE trace_id = 'no id'".to_owned(), "0".to_owned()));
    all
}

async fn check(engine: &Engine, place: &str) {
    for (question, answer) in questions() {
        assert_eq!(ask(engine, &question).await, answer, "{place}: {question}");
    }
    // What a collector finds again has all that tells a row from others.
    let second = |n: i64| NOON * 1_000_000 - ROWS * SECOND + n * SECOND;
    let found = engine.logs("west", second(990)..=second(1109)).await.unwrap();
    let all = logs(990, 1110);
    let of_west = |row: &usize| &*all.resources.get(all.resource[*row]).unwrap().cluster == "west";
    assert_eq!(recognised(&found, 0..found.len()), recognised(&all, (0..all.len()).filter(of_west)), "{place}");
    assert!(engine.logs("north", 0..=i64::MAX).await.unwrap().is_empty(), "{place}");
}

/// By what rows are known again, in order.
fn recognised(logs: &Logs, rows: impl Iterator<Item = usize>) -> Vec<String> {
    let shown = |row| {
        let (log, resource) = (logs.row(row), logs.resources.get(logs.resource[row]).unwrap());
        let mut pairs: Vec<_> = resource.attributes.iter().chain(logs.attributes.row(row)).collect();
        pairs.sort_unstable();
        format!("{} {} {} {} {pairs:?}", log.time_unix_nano, log.body, hex(&log.trace_id), hex(&log.span_id))
    };
    let mut all: Vec<String> = rows.map(shown).collect();
    all.sort_unstable();
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_the_same_wherever_rows_are() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), Arc::new(ManualClock::new(NOON)));
    let (store, engine) = open(&folder, &clock).await;
    store.write_logs(logs(0, 1000)).await.unwrap();
    store.write_spans(spans(0, 1000)).await.unwrap();
    store.cut().await.unwrap();
    for part in [1000..1100, 1100..2000] {
        store.write_logs(logs(part.start, part.end)).await.unwrap();
        store.write_spans(spans(part.start, part.end)).await.unwrap();
    }
    store.cut().await.unwrap();
    store.write_logs(logs(2000, ROWS)).await.unwrap();
    store.write_spans(spans(2000, ROWS)).await.unwrap();
    check(&engine, "two blocks and the head").await;
    store.cut().await.unwrap();
    check(&engine, "three blocks").await;

    let (folder, clock) = (tempfile::tempdir().unwrap(), Arc::new(ManualClock::new(NOON)));
    let (store, engine) = open(&folder, &clock).await;
    store.write_logs(logs(0, ROWS)).await.unwrap();
    store.write_spans(spans(0, ROWS)).await.unwrap();
    check(&engine, "the head").await;
}

/// What a plan says of a scan, the first that has the word.
async fn told(engine: &Engine, question: &str, word: &str) -> String {
    let plan = ask(engine, &format!("EXPLAIN ANALYZE {question}")).await;
    let line = plan.lines().find(|line| line.contains("ColumnarExec")).unwrap_or_else(|| panic!("{plan}"));
    let from = line.find(word).unwrap_or_else(|| panic!("no {word} in {line}"));
    line[from + word.len()..].split([',', ']', ' ']).next().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn conditions_and_limits_decide_what_is_read() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), Arc::new(ManualClock::new(NOON)));
    let (store, engine) = open(&folder, &clock).await;
    for part in [0, 1000, 2000] {
        store.write_logs(logs(part, part + 1000)).await.unwrap();
        store.cut().await.unwrap();
    }
    let all = told(&engine, "SELECT count(*) FROM logs", "rows=").await;
    assert_eq!(all, "12000/12000");
    let of_time = "SELECT count(*) FROM logs WHERE ts >= '2026-01-01T11:45:00Z'";
    assert_eq!(told(&engine, of_time, "blocks=").await, "1/3");
    let rows = told(&engine, "SELECT body FROM logs WHERE cluster = 'west' AND service = 'pay'", "rows=").await;
    let read: u64 = rows.split('/').next().unwrap().parse().unwrap();
    assert!(read < 6000, "{rows}: the pages of one service in one cluster");
    let newest = "SELECT body FROM logs ORDER BY ts DESC LIMIT 5";
    let skipped: u64 = told(&engine, newest, "pieces_skipped=").await.parse().unwrap();
    assert!(skipped > 0, "older blocks are not opened once the newest rows are known");
}

#[tokio::test(flavor = "multi_thread")]
async fn words_and_traces_are_found_without_a_look_at_other_rows() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), Arc::new(ManualClock::new(NOON)));
    let (store, engine) = open(&folder, &clock).await;
    // More rows than one filter is of: 5000 of each of four services, in order.
    store.write_logs(logs(0, 5000)).await.unwrap();
    store.write_spans(spans(0, 100)).await.unwrap();
    store.cut().await.unwrap();
    let rows = async |condition: &str| {
        let question = format!("SELECT count(*) FROM logs WHERE {condition}");
        (ask(&engine, &question).await, told(&engine, &question, "rows=").await)
    };
    let nothing = ("0".to_owned(), "0/0".to_owned());
    assert_eq!(rows("has_word(body, 'nothing')").await, nothing);
    assert_eq!(rows("body LIKE '%request 5000 in %'").await, nothing);
    assert_eq!(rows("has_word(body, 'cart') AND has_word(body, 'nothing')").await, nothing);
    assert_eq!(rows(&format!("trace_id = '{}'", hex(&trace(1)))).await, nothing, "odd ones have no trace");
    let west = rows("has_word(body, 'west')").await;
    assert_eq!(west, ("10000".to_owned(), "20000/20000".to_owned()), "both stretches have it");
    let id = hex(&trace(100));
    let (count, read) = rows(&format!("trace_id = '{id}' AND service = 'pay' AND cluster = 'west'")).await;
    let read: u64 = read.split('/').next().unwrap().parse().unwrap();
    assert!(count == "1" && (1..5000).contains(&read), "{count} of {read}");
    let spans = format!("SELECT count(*) FROM spans WHERE trace_id = '{}'", hex(&trace(100)));
    assert_eq!((ask(&engine, &spans).await, told(&engine, &spans, "rows=").await), ("0".into(), "0/0".into()));
}
