//! Hostile log lines and spans against the binary, by every protocol that takes them: each refusal says what was wrong, what
//! came beside is there field by field, memory is bounded by the configured limits, and after `kill -9` all of it is still there.

mod cases;
mod encode;
mod sender;
mod spans;

use std::path::Path;

use serde_json::{Value, json};
use tempfile::tempdir;

use self::encode::{Form, Line, time_text};
use self::sender::Sender;
use crate::access::Secret;
use crate::remote_write::now_ms;
use crate::server::{Server, Setup};

const MIB: u64 = 1 << 20;
/// What a receiver takes of one request, `body_size_limit` and `decoded_size_limit`: a line of 64 MiB and a little.
const BODY_BYTES: u64 = 66 * MIB;
/// What it holds of all, `memory_limit`: the least that is taken with these.
const MEMORY_BYTES: u64 = 4 * BODY_BYTES;
/// What the process may take besides: rows in memory until they are cut, the journal's buffers, queries, and what the
/// allocator keeps.
const OTHER_BYTES: u64 = 64 * MIB;

/// All columns of logs but the time of arrival.
const COLUMNS: &str = "ts, cluster, service, namespace, pod, container, node, severity_number, severity_text, body, trace_id, \
                       span_id, flags, scope_name, scope_version, attributes, resource";

/// A server, its senders' tokens, and what must be found there.
struct Series {
    server: Server,
    sender: Sender,
    /// The token of a cluster with the usual limits.
    usual: String,
    /// That of one whose rows may have any time.
    future: String,
    /// That of one that may send bodies of 1 MiB, 2 MiB unpacked.
    narrow: String,
    /// The time of the first line, in nanoseconds.
    begin: i64,
    /// Statements, and the rows that they must give.
    kept: Vec<(String, Vec<Value>)>,
}

impl Series {
    fn setup(folder: &Path) -> (Setup, [Secret; 3]) {
        let secrets = [(); 3].map(|()| Secret::new());
        let (body, memory) = (BODY_BYTES / MIB, MEMORY_BYTES / MIB);
        let receiver = format!("{{body_size_limit: {body}MB, decoded_size_limit: {body}MB, memory_limit: {memory}MB}}");
        let limits = ["{}", "{future_limit: 100000d}", "{body_size_limit: 1MB, decoded_size_limit: 2MB}"];
        let clusters =
            ["usual", "future", "narrow"].iter().zip(&secrets).zip(limits).map(|((name, secret), limits)| {
                format!("  - {{name: {name}, tokens: [{{sha256: {}}}], limits: {limits}}}\n", secret.hash)
            });
        let clusters: String = clusters.collect();
        let yaml = format!("otlp: {receiver}\nlog_push: {receiver}\nclusters:\n{clusters}");
        (Setup::new(folder, &yaml).with_otlp(), secrets)
    }

    async fn start(setup: &Setup, secrets: &[Secret; 3]) -> Self {
        let server = Server::start(setup).await;
        let sender = Sender::new(server.address, server.beside("OTLP over gRPC").await);
        let [usual, future, narrow] = secrets.each_ref().map(|secret| secret.token.clone());
        Series { server, sender, usual, future, narrow, begin: now_ms() * 1_000_000 + 7, kept: Vec::new() }
    }

    /// Rows that a statement gives now, and must give ever after.
    async fn keep(&mut self, sql: String, rows: Vec<Value>) {
        assert_eq!(self.server.objects(&sql).await, rows, "{sql}");
        self.kept.push((sql, rows));
    }

    /// Log lines of a service of a cluster, field by field, in the order of their times.
    async fn keep_lines(&mut self, cluster: &str, form: Form, service: &str, lines: &[Line]) {
        let rows = lines.iter().map(|line| row(cluster, form, service, line)).collect();
        let sql =
            format!("SELECT {COLUMNS} FROM logs WHERE cluster = '{cluster}' AND service = '{service}' ORDER BY ts");
        self.keep(sql, rows).await;
    }
}

/// A log line as a row.
fn row(cluster: &str, form: Form, service: &str, line: &Line) -> Value {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let is_loki = matches!(form, Form::LokiProtobuf | Form::LokiJson);
    let mut attributes: serde_json::Map<String, Value> =
        line.attributes.iter().map(|(name, value)| (name.clone(), text(value).into())).collect();
    if is_loki {
        attributes.insert("detected_level".into(), "unknown".into());
    }
    let resource = if is_loki { json!({ "service_name": service }) } else { json!({ "service.name": service }) };
    json!({
        "ts": time_text(line.time), "cluster": cluster, "service": service, "namespace": "", "pod": "", "container": "",
        "node": "", "severity_number": 0, "severity_text": if is_loki { "unknown" } else { "" }, "body": text(&line.body),
        "trace_id": null, "span_id": null, "flags": 0, "scope_name": "", "scope_version": "", "attributes": attributes,
        "resource": resource,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_lines_and_spans_are_named_and_cost_nothing_else() {
    let folder = tempdir().unwrap();
    let (setup, secrets) = Series::setup(folder.path());
    let mut series = Series::start(&setup, &secrets).await;
    let before = series.server.peak_bytes();

    cases::odd_text_is_kept(&mut series).await;
    cases::times_of_1970_and_2262(&mut series).await;
    cases::one_bad_line_among_10_000(&mut series).await;
    cases::a_line_of_64_mib(&mut series).await;
    cases::a_million_keys(&mut series).await;
    cases::values_within_values(&mut series).await;
    cases::bulk_bodies_that_end_early(&mut series).await;
    cases::bodies_that_grow(&mut series).await;
    cases::bodies_that_are_cut(&mut series).await;
    spans::odd_spans(&mut series).await;
    spans::one_bad_span_among_10_000(&mut series).await;
    spans::parents_in_a_circle(&mut series).await;

    // Requests came one after the other, so it is one that holds memory, whichever of the receivers has it.
    let most = before + MEMORY_BYTES + OTHER_BYTES;
    let reached = series.server.peak_bytes();
    eprintln!("{} MiB at first, {} MiB at most, of {} MiB", before / MIB, reached / MIB, most / MIB);
    assert!(reached < most, "{} MiB, at most {} MiB", reached / MIB, most / MIB);
    assert!(!series.server.stderr().contains("panicked"), "{}", series.server.stderr());

    let Series { server, kept, .. } = series;
    server.kill().await;
    let server = Server::start(&setup).await;
    for (sql, rows) in &kept {
        assert_eq!(&server.objects(sql).await, rows, "after kill -9: {sql}");
    }
    // And out of Parquet.
    server.terminate().await;
    let server = Server::start(&setup).await;
    for (sql, rows) in &kept {
        assert_eq!(&server.objects(sql).await, rows, "after an end in order: {sql}");
    }
    server.terminate().await;
}
