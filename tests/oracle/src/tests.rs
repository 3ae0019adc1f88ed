use std::collections::{BTreeMap, HashSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::hpack;
use crate::load::Sender;
use crate::log::{Answer, Log};
use crate::options::Options;
use crate::row::{Exemplar, Histogram, Kind, Record, Row, Value};
use crate::rows::Rows;
use crate::way::{Request, Way, loki, otlp, otlp_json, remote_write_1, remote_write_2};

fn options(folder: &Path, more: &[&str]) -> Arc<Options> {
    let path = |name: &str| folder.join(name).to_string_lossy().into_owned();
    let arguments = ["--address-file".into(), path("address"), "--log".into(), path("log")];
    Arc::new(Options::parse(arguments.into_iter().chain(more.iter().map(|m| (*m).to_owned()))).unwrap())
}

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("oracle-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn rows(name: &str, sender: u64, more: &[&str]) -> Rows {
    Rows::new(sender, options(&folder(name), more))
}

#[test]
fn no_value_and_no_key_comes_twice() {
    let (mut values, mut keys) = (HashSet::new(), HashSet::new());
    let (mut decimals, mut doubles) = (0, 0);
    for sender in 0..4 {
        let mut rows = rows("unique", sender, &["--late"]);
        for row in (0..200).flat_map(|_| rows.request().rows) {
            assert!(keys.insert((sender, row.series, row.time_ms)), "{row:?}");
            let value = match &row.value {
                Value::Number(value) => *value,
                Value::Histogram(histogram) => histogram.sum,
            };
            assert!(values.insert(value.to_bits()), "{row:?}");
            let three_places = (value * 1000.0).fract() == 0.0;
            if three_places { decimals += 1 } else { doubles += 1 }
        }
    }
    assert!(decimals > 1000 && doubles > 1000, "{decimals} {doubles}");
}

#[test]
fn every_way_has_what_it_can_carry() {
    for (sender, way) in (0..).zip(Way::ALL).filter(|(_, way)| !way.is_columnar()) {
        let mut rows = rows("forms", sender, &[]);
        let all: Vec<Row> = (0..20).flat_map(|_| rows.request().rows).collect();
        let kinds: HashSet<&str> = all.iter().map(|row| row.kind.word()).collect();
        assert_eq!(kinds.len(), if way.is_delta() { 2 } else { 3 }, "{way:?}");
        assert!(all.iter().any(|row| row.exemplar.is_some()) && all.iter().any(|row| row.exemplar.is_none()));
        assert_eq!(all.iter().any(|row| row.start_ms.is_some()), way != Way::RemoteWrite1, "{way:?}");
        let has = |what: fn(&Histogram) -> bool| {
            all.iter().any(|row| matches!(&row.value, Value::Histogram(histogram) if what(histogram)))
        };
        assert!(has(|histogram| histogram.zero > 0 && !histogram.negative.is_empty()), "{way:?}");
        let is_remote_write = matches!(way, Way::RemoteWrite1 | Way::RemoteWrite2);
        assert_eq!(has(|histogram| histogram.is_float), is_remote_write, "{way:?}");
        assert_eq!(has(|histogram| !histogram.bounds.is_empty()), way == Way::RemoteWrite2, "{way:?}");
    }
}

#[test]
fn no_two_logs_or_spans_are_alike() {
    let mut seen = HashSet::new();
    for (sender, _) in (0..).zip(Way::ALL).filter(|(_, way)| way.is_columnar()) {
        let mut rows = rows("records", sender, &["--late"]);
        let requests: Vec<Request> = (0..500).map(|_| rows.request()).collect();
        assert!(requests.iter().all(|request| request.rows.is_empty() && request.size() == 50));
        let records: Vec<Record> = requests.iter().flat_map(|request| request.records.clone()).collect();
        assert!(records.iter().all(|record| seen.insert(record.number)));
        let days: HashSet<i64> = records.iter().map(|record| record.time_ms / 86_400_000).collect();
        assert!(days.len() > 20, "{days:?}");
    }
}

#[test]
fn deltas_of_a_series_come_in_order_and_their_sums_are_exact() {
    let mut rows = rows("deltas", 4, &["--late", "--rewrites"]);
    let mut series: BTreeMap<u64, (i64, f64, f64)> = BTreeMap::new();
    for _ in 0..200 {
        let request = rows.request();
        for row in &request.rows {
            let Value::Number(value) = row.value else { continue };
            let (last_ms, sum, eighths) = series.entry(row.series).or_default();
            assert!(row.time_ms > *last_ms && row.start_ms.is_some_and(|start| start <= row.time_ms), "{row:?}");
            (*last_ms, *sum, *eighths) = (row.time_ms, *sum + value, *eighths + value * 8.0);
        }
        rows.acknowledged(request);
    }
    assert!(series.len() >= 6 && series.values().all(|(_, sum, eighths)| sum * 8.0 == *eighths));
}

/// A request of one row, with a value that is easy to find again.
fn request(way: Way, kind: Kind, value: Value) -> Request {
    let exemplar = Some(Exemplar { value: 0.5, trace_id: 1, span_id: 2, draw: 6 });
    let rows = vec![Row { kind, series: 7, time_ms: 300, start_ms: Some(200), value, exemplar }];
    Request { way, connection: 3, rows, records: Vec::new(), help: "h".into() }
}

fn histogram() -> Value {
    Value::Histogram(Histogram {
        hint: 2,
        schema: -1,
        zero_threshold: 0.25,
        sum: 1.0,
        zero: 1,
        positive: vec![(-1, 2), (0, 1), (3, 5)],
        negative: vec![(2, 4)],
        bounds: Vec::new(),
        is_float: false,
    })
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of each way that the messages of the specifications make of a request, written down by hand.
#[test]
fn a_request_is_the_message_of_its_specification() {
    let labels = "0a0f0a0a636f6e6e656374696f6e120133 0a0b0a06736572696573120137";
    let name = hexadecimal(b"oracle_remote_write_1_gauge");
    let exemplar = "0a090a0464726177120136 0a1b0a077370616e5f69641210".to_owned()
        + &hexadecimal(b"0000000000000002")
        + "0a2c0a0874726163655f69641220"
        + &hexadecimal(b"00000000000000000000000000000001")
        + "11000000000000e03f 18ac02";
    let expected = format!(
        "0ab901 0a270a085f5f6e616d655f5f121b{name} {labels} 120c09000000000000f03f10ac02 1a62{} 1a220802121b{name}220168",
        exemplar
    );
    let number = request(Way::RemoteWrite1, Kind::Gauge, Value::Number(1.0));
    assert_eq!(hexadecimal(&remote_write_1::encode(&number)), expected.replace(' ', ""));

    // Spans are two numbers, deltas to the count before; the times are those of the sample and of its start.
    let native = request(Way::RemoteWrite2, Kind::Histogram, histogram());
    let native = hexadecimal(&remote_write_2::encode(&native));
    let expected = "080d 3001 19000000000000f03f 2001 29000000000000d03f 4204 08041001 4a0108 5a04 08011002 5a04 08041001 \
                    620304 01 08 7002 78ac02 8801c801";
    assert!(native.contains(&expected.replace(' ', "")), "{native}");
}

#[test]
fn otlp_says_the_same_as_protobuf_and_as_json() {
    let json = otlp_json::encode(&request(Way::DeltaJson, Kind::Histogram, histogram()));
    let expected = concat!(
        r#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"oracle_delta_json_histogram","description":"h","#,
        r#""exponentialHistogram":{"aggregationTemporality":1,"dataPoints":[{"attributes":[{"key":"connection","value":"#,
        r#"{"stringValue":"3"}},{"key":"series","value":{"stringValue":"7"}}],"startTimeUnixNano":"200000000","#,
        r#""timeUnixNano":"300000000","count":"13","sum":1.0,"scale":-1,"zeroCount":"1","zeroThreshold":0.25,"#,
        r#""positive":{"offset":-2,"bucketCounts":["2","1","0","0","5"]},"negative":{"offset":1,"bucketCounts":["4"]},"#,
        r#""exemplars":[{"timeUnixNano":"300000000","asDouble":0.5,"traceId":"00000000000000000000000000000001","#,
        r#""spanId":"0000000000000002","filteredAttributes":[{"key":"draw","value":{"stringValue":"6"}}]}]}]}}]}]}]}"#
    );
    assert_eq!(json, expected);
    let bytes = hexadecimal(&otlp::encode(&request(Way::DeltaGrpc, Kind::Histogram, histogram())));
    let point = "11 00c2eb0b00000000 19 00a3e11100000000 21 0d00000000000000 29 000000000000f03f 3001 39 0100000000000000 \
                 4209 0803 1205 0201000005 4a05 0802 1201 04";
    assert!(bytes.contains(&point.replace(' ', "")), "{bytes}");
    let whole = hexadecimal(&otlp::encode(&request(Way::OtlpHttp, Kind::Counter, Value::Number(1.0))));
    assert!(whole.contains("21000000000000f03f") && whole.ends_with("10021801"), "cumulative and monotonic: {whole}");
}

/// A request of one log row or span.
fn records(way: Way) -> Request {
    let records = vec![Record { time_ms: 300, number: 0x1_0000_0000 }];
    Request { way, connection: 3, rows: Vec::new(), records, help: String::new() }
}

#[test]
fn logs_and_spans_are_the_messages_of_their_specifications() {
    let expected = concat!(
        r#"{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"oracle_spans_json"}}]},"#,
        r#""scopeSpans":[{"spans":[{"traceId":"00000000000000040000000100000000","spanId":"0000000100000000","#,
        r#""name":"0000000100000000","kind":2,"startTimeUnixNano":"300000000","endTimeUnixNano":"594967268","#,
        r#""attributes":[{"key":"connection","value":{"stringValue":"3"}}]}]}]}]}"#
    );
    assert_eq!(otlp_json::encode(&records(Way::SpansJson)), expected);
    let line = "0000000100000000".repeat(30);
    let expected = format!(
        r#"{{"streams":[{{"stream":{{"service_name":"oracle_logs_loki"}},"values":[["300000000","{line}",{}]]}}]}}"#,
        r#"{"trace_id":"00000000000000040000000100000000","span_id":"0000000100000000","connection":"3"}"#
    );
    assert_eq!(loki::encode(&records(Way::LogsLoki)), expected);
    let (text, attribute) = (hexadecimal(b"0000000100000000"), "0a0a636f6e6e656374696f6e12030a0133");
    let log = hexadecimal(&otlp::encode(&records(Way::LogsHttp)));
    let record = format!(
        "09 00a3e11100000000 1009 2ae303 0ae003{} 3211 {attribute} 4a10 00000000000000040000000100000000 5208 0000000100000000",
        text.repeat(30)
    );
    assert!(log.ends_with(&record.replace(' ', "")), "{log}");
    let span = hexadecimal(&otlp::encode(&records(Way::SpansGrpc)));
    let record = format!(
        "0a10 00000000000000040000000100000000 1208 0000000100000000 2a10{text} 3002 39 00a3e11100000000 41 e47a762300000000 \
         4a11 {attribute}"
    );
    assert!(span.ends_with(&record.replace(' ', "")), "{span}");
}

#[test]
fn an_answer_that_counts_refused_points_is_no_acknowledgement() {
    let request = request(Way::OtlpHttp, Kind::Gauge, Value::Number(1.0));
    let answer = |response: &[u8]| otlp::answer(&request, response);
    assert_eq!(answer(b""), Answer::Acknowledged);
    assert_eq!(answer(b"\x0a\x05\x12\x03abc"), Answer::Acknowledged, "a warning");
    assert_eq!(answer(b"\x0a\x07\x08\x01\x12\x03abc"), Answer::Partial(0));
}

#[test]
fn a_status_of_grpc_is_found_however_it_is_written() {
    // As it is, and in the code of RFC 7541, behind headers of the table and of other letters.
    let plain = b"\x88\x00\x0bgrpc-status\x0214";
    assert_eq!(hpack::find(plain, "grpc-status").unwrap().as_deref(), Some("14"));
    // A table of no bytes, ":status: 200", `grpc-message` with text, then the header itself.
    let message = b"\x20\x88\x40\x89\x9a\xca\xc8\xb5\x25\x42\x07\x31\x7f\x03abc";
    assert_eq!(hpack::find(message, "grpc-status").unwrap(), None);
    let coded = [&message[..], b"\x40\x88\x9a\xca\xc8\xb2\x12\x34\xda\x8f\x82\x0b\x5f"].concat();
    assert_eq!(hpack::find(&coded, "grpc-status").unwrap().as_deref(), Some("14"));
    let done = b"\x00\x88\x9a\xca\xc8\xb2\x12\x34\xda\x8f\x81\x07";
    assert_eq!(hpack::find(done, "grpc-status").unwrap().as_deref(), Some("0"));
    assert!(hpack::find(b"\x40\x88\x9a", "grpc-status").is_err());
    let block = hpack::encode(&[("te", "trailers")]);
    assert_eq!(block, b"\x00\x02te\x08trailers");
}

/// Answers three requests: yes, no, and not at all.
fn moody_server(listener: &TcpListener, stop: &AtomicBool) {
    let (stream, _) = listener.accept().unwrap();
    let mut reader = BufReader::new(stream);
    for answer in ["HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 503 Busy\r\nContent-Length: 2\r\n\r\nno", ""] {
        let (mut line, mut length) = (String::new(), 0);
        while line != "\r\n" {
            line.clear();
            reader.read_line(&mut line).unwrap();
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.trim().parse().unwrap();
            }
        }
        reader.read_exact(&mut vec![0; length]).unwrap();
        if answer.is_empty() {
            stop.store(true, Ordering::SeqCst);
        }
        reader.get_mut().write_all(answer.as_bytes()).unwrap();
    }
}

#[test]
fn the_log_says_what_was_sent_and_what_was_answered() {
    let folder = folder("log");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    std::fs::write(folder.join("address"), format!("{}\n-\n", listener.local_addr().unwrap())).unwrap();
    let options = options(&folder, &["--samples", "2", "--series", "2"]);
    let log = Arc::new(Log::create(&options.log).unwrap());
    let stop = Arc::new(AtomicBool::new(false));
    let server = std::thread::spawn({
        let stop = stop.clone();
        move || moody_server(&listener, &stop)
    });
    Sender::new(10, options.clone(), log, Arc::new(AtomicU64::new(0))).run(&stop);
    server.join().unwrap();
    let text = std::fs::read_to_string(&options.log).unwrap();
    let words: Vec<Vec<&str>> = text.lines().map(|line| line.split(' ').collect()).collect();
    let kinds: String = words.iter().map(|w| w[0]).filter(|kind| *kind != "E").collect();
    assert_eq!(kinds, "SSMASSMRSSML");
    assert_eq!((words[0][1], words[0][2], words[0][3]), ("0", "10", "oracle_remote_write_1_gauge"));
    assert_eq!((words[0][6], words[0].len()), ("-", 8));
    let answers: Vec<&Vec<&str>> = words.iter().filter(|w| "ARL".contains(w[0])).collect();
    assert_eq!(answers, [&vec!["A", "0"], &vec!["R", "1", "503"], &vec!["L", "2"]]);
    let native = request(Way::RemoteWrite1, Kind::Histogram, histogram()).rows.remove(0).value.to_string();
    let (threshold, sum) = ("3fd0000000000000", "3ff0000000000000");
    assert_eq!(native, format!("no_reset:-1:{threshold}:{sum}:13:1:-1=2,0=1,3=5:2=4:"));
}
