//! Pushed logs from outside: the same rows in each form, and bodies that ask for much.

use decode::body::{ContentEncoding, decompress};
use decode::elasticsearch::bulk;
use decode::{Arrival, DecodedLines, Limits, loki};
use model::logs::Log;
use model::resource::{CLUSTER_NAMES, PROMOTED};
use model::{ErrorKind, Logs};

use crate::samples::{Message, label, snappy};

const NOW: i64 = 1_700_000_000_000_000_000;
const ARRIVAL: Arrival = Arrival { unix_nano: NOW, latest_unix_nano: NOW + 600_000_000_000 };

/// Lines of every kind that is looked into, and such as writers should not send.
const LINES: [&str; 8] = [
    r#"{"level":"error","msg":"no \"stock\"","n":{"lvl":"x"}}"#,
    "ts=1 level=warn msg=\"a \\\"b\\\" = c\"",
    "2023-11-14 ERR: gone",
    "\u{1b}[31mred\u{1b}[0m \0 tab\t \u{2028}",
    "日本語 😀 \u{fffd}",
    "",
    "{\"level\":\"debug\"",
    "\\u0041 \\ \" / \u{7f}",
];

const ID: &str = "0123456789abcdef0123456789abcdef";

fn loki_protobuf() -> Vec<u8> {
    let mut stream = Message::default().bytes(1, r#"{app="shop", namespace='prod', pod=`a\b`}"#);
    for (index, line) in LINES.iter().enumerate() {
        let time = Message::default().varint(1, NOW as u64 / 1_000_000_000).varint(2, index as u64);
        let entry = Message::default().bytes(1, time).bytes(2, line);
        stream = stream.bytes(2, entry.bytes(3, label("trace_id", ID)).bytes(3, label("user", "ann")));
    }
    let other = Message::default().bytes(1, r#"{job="x",level="info"}"#);
    let time = Message::default().varint(1, (-1i64) as u64).varint(2, 999_999_999);
    let other = other.bytes(2, Message::default().bytes(1, time).bytes(2, "before 1970")).varint(3, 7);
    Message::default().bytes(1, stream).bytes(1, other).0
}

fn loki_json() -> Vec<u8> {
    let entry = |(index, line): (usize, &&str)| serde_json::json!([(NOW + index as i64).to_string(), line, {"trace_id": ID, "user": "ann"}]);
    let values: Vec<_> = LINES.iter().enumerate().map(entry).collect();
    let streams = serde_json::json!([
        {"stream": {"app": "shop", "namespace": "prod", "pod": "a\\b"}, "values": values},
        {"stream": {"job": "x", "level": "info"}, "values": [["-1", "before 1970"]]},
    ]);
    serde_json::json!({ "streams": streams }).to_string().into_bytes()
}

fn loki_answer() -> Vec<u8> {
    let entry = |(index, line): (usize, &&str)| serde_json::json!([(NOW + index as i64).to_string(), line, {"structuredMetadata": {"trace_id": ID}, "parsed": {"user": "ann"}}]);
    let values: Vec<_> = LINES.iter().enumerate().map(entry).collect();
    let result = serde_json::json!([
        {"stream": {"app": "shop", "namespace": "prod", "pod": "a\\b", "service_name": "shop"}, "values": values},
        {"stream": {"job": "x", "level": "info"}, "values": [["-1", "before 1970"]]},
    ]);
    let data = serde_json::json!({"resultType": "streams", "result": result, "stats": {}});
    // In this order, and not in that of the keys.
    let data =
        data.to_string().replacen(r#""resultType":"streams","#, "", 1).replacen('{', r#"{"resultType":"streams","#, 1);
    format!(r#"{{"status":"success","data":{data}}}"#).into_bytes()
}

fn elasticsearch_bulk() -> Vec<u8> {
    let mut body = String::new();
    for (index, line) in LINES.iter().enumerate() {
        let action = ["{\"create\":{}}", "{\"index\":{\"_index\":\"logs-x\",\"_id\":\"7\"}}"][index % 2];
        let document = serde_json::json!({
            "@timestamp": "2023-11-14T22:13:20.000000Z", "message": line, "log.level": "warn", "trace": {"id": ID},
            "kubernetes": {"pod_name": "a\\b", "labels": {"app": "shop"}}, "user": {"name": "ann", "roles": ["a", {"b": 1}]},
        });
        body += &format!("{action}\n{document}\n");
    }
    body += "{\"delete\":{\"_id\":\"7\"}}\n{\"update\":{}}\n{\"doc\":{}}\n{\"create\":{}}\n{\"message\":";
    body.into_bytes()
}

/// The seeds of the fuzz targets.
pub(crate) fn seeds() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let chosen = |choice: u8, body: Vec<u8>| [&[choice][..], &body].concat();
    let wrong =
        br#"{"streams":[{"stream":{"a":{}},"values":[["1","x"]]},{"values":[["2","y",[]]],"stream":{"a":"b"}}]}"#;
    let no_line = Message::default().bytes(1, r#"{a="\x41\n"}"#).bytes(2, Message::default().bytes(1, ""));
    vec![
        ("loki_push", "protobuf", chosen(0, loki_protobuf())),
        ("loki_push", "protobuf-escapes", chosen(0, Message::default().bytes(1, no_line).0)),
        ("loki_push", "json", chosen(1, loki_json())),
        ("loki_push", "json-wrong-rows", chosen(1, wrong.to_vec())),
        ("loki_streams", "answer", loki_answer()),
        ("loki_streams", "result-first", br#"{"data":{"result":[{"values":[["1","x"]],"stream":{"detected_level":"warn"}}],"resultType":"streams"}}"#.to_vec()),
        ("loki_streams", "error", br#"{"status":"error","errorType":"timeout","error":"too slow"}"#.to_vec()),
        ("elasticsearch_bulk", "all-actions", elasticsearch_bulk()),
        ("elasticsearch_bulk", "times", b"{\"create\":{}}\n{\"@timestamp\":1700000000000.5}\n{\"create\":{}}\n{\"@timestamp\":\"2023-11-14 22:13:20,5+0100\",\"host\":\"h\"}\n".to_vec()),
        ("elasticsearch_bulk", "nested", b"{\"index\":{}}\n{\"a\":{\"b\":{\"c.d\":[1 , {\"e\":null}]}},\"service\":{\"name\":\"x\"},\"\\u0061\":1e5}".to_vec()),
    ]
}

/// A row and all that it is made of.
fn shown(logs: &Logs, row: usize) -> String {
    let resource = logs.resources.get(logs.resource[row]).unwrap();
    format!(
        "{:?} {:?} {:?}",
        Log { resource: 0, ..logs.row(row) },
        resource,
        logs.attributes.row(row).collect::<Vec<_>>()
    )
}

#[test]
fn each_form_of_loki_becomes_the_same_rows() {
    let limits = Limits::default();
    let protobuf = decompress(ContentEncoding::Snappy, &snappy(&loki_protobuf()).into(), &limits).unwrap();
    let protobuf = loki::decode(&protobuf, ARRIVAL, &limits).unwrap();
    let json = loki::json::decode(&loki_json(), ARRIVAL, &limits).unwrap();
    let answer = loki::streams::decode(&loki_answer(), ARRIVAL, &limits).unwrap();
    for other in [json, answer] {
        assert!(other.refused.is_empty() && protobuf.refused.is_empty());
        assert_eq!(other.logs.len(), LINES.len() + 1);
        for row in 0..other.logs.len() {
            assert_eq!(shown(&other.logs, row), shown(&protobuf.logs, row));
        }
    }
}

#[test]
fn documents_keep_their_lines() {
    let decoded = bulk::decode(&elasticsearch_bulk(), "logs", ARRIVAL, &Limits::default()).unwrap();
    assert_eq!(decoded.logs.body.iter().collect::<Vec<_>>(), LINES);
    let statuses: Vec<_> = decoded.items.iter().map(|item| item.status()).collect();
    assert_eq!(statuses, [[201; 8].as_slice(), &[400; 3]].concat());
}

/// A line of the whole body, in each form.
#[test]
fn a_line_as_long_as_a_body_is_refused_alone() {
    let limits = Limits::default();
    for (byte, bytes) in
        [("x", 60 << 20), ("\\n", 4 << 20), ("=", 2 << 20), ("{", 2 << 20), ("]", 2 << 20), ("é", 2 << 20)]
    {
        let line = byte.repeat(bytes / byte.len());
        let stream = Message::default().bytes(1, r#"{a="b"}"#);
        let time = Message::default().varint(1, 1);
        let entry = |line: &str| Message::default().bytes(1, &time).bytes(2, line);
        let protobuf = Message::default().bytes(1, stream.bytes(2, entry(&line)).bytes(2, entry("good"))).0;
        let json = format!(r#"{{"streams":[{{"stream":{{"a":"b"}},"values":[["1","{line}"],["2","good"]]}}]}}"#);
        let documents =
            format!("{{\"create\":{{}}}}\n{{\"message\":\"{line}\"}}\n{{\"create\":{{}}}}\n{{\"message\":\"good\"}}\n");
        let bulk = bulk::decode(documents.as_bytes(), "", ARRIVAL, &limits).unwrap();
        let all = [
            loki::decode(&protobuf, ARRIVAL, &limits).unwrap(),
            loki::json::decode(json.as_bytes(), ARRIVAL, &limits).unwrap(),
            DecodedLines { logs: bulk.logs, refused: bulk.refused },
        ];
        for decoded in all {
            assert_eq!((decoded.logs.len(), decoded.logs.row(0).body), (1, "good"));
            let (_, message) = decoded.refused.messages().next().unwrap();
            assert!(message.contains("the limit is 1048576") && message.len() < 700, "{message}");
            assert!(decoded.logs.memory_bytes() < 10_000);
        }
    }
}

/// As many rows as there may be, each as small as it can be.
#[test]
fn rows_of_few_bytes_are_counted() {
    let limits = Limits { max_rows: 50_000, ..Limits::default() };
    let entry = Message::default().bytes(1, "");
    let entries =
        |count| (0..count).fold(Message::default().bytes(1, r#"{a="b"}"#), |stream, _| stream.bytes(2, &entry));
    let body = |count| Message::default().bytes(1, entries(count)).0;
    let logs = loki::decode(&body(50_000), ARRIVAL, &limits).unwrap().logs;
    assert!(logs.len() == 50_000 && logs.memory_bytes() < 10 << 20, "{}", logs.memory_bytes());
    assert_eq!(loki::decode(&body(50_001), ARRIVAL, &limits).unwrap_err().kind(), ErrorKind::TooLarge);
    let items = "{\"index\":{}}\n{}\n".repeat(50_001);
    assert_eq!(bulk::decode(items.as_bytes(), "", ARRIVAL, &limits).unwrap_err().kind(), ErrorKind::TooLarge);
    let streams = |count| (0..count).map(|n| format!(r#"{{"stream":{{"a":"{n}"}},"values":[["1",""]]}}"#));
    let json = format!(r#"{{"streams":[{}]}}"#, streams(10_000).collect::<Vec<_>>().join(","));
    let decoded = loki::json::decode(json.as_bytes(), ARRIVAL, &limits).unwrap();
    assert_eq!((decoded.logs.len(), decoded.logs.resources.len()), (6_251, 6_251));
    let (_, message) = decoded.refused.messages().next().unwrap();
    assert!(message.contains("more than 6251 resources: send it in parts"), "{message}");
}

/// The names of the columns as docs/logs.md has them.
#[test]
fn the_document_names_what_becomes_a_column() {
    let document = include_str!("../../../../docs/logs.md");
    let cluster = ("cluster", CLUSTER_NAMES.as_slice());
    for (column, names) in [cluster].into_iter().chain(PROMOTED) {
        let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
        let row = format!("| `{column}` | {} |", names.join(", "));
        assert!(document.contains(&row), "docs/logs.md lacks {row}");
    }
}
