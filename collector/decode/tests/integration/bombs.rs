//! Small bodies that ask for much: refused, or held to the limits.

use bytes::Bytes;
use decode::body::{ContentEncoding, decompress};
use decode::{Decoded, Limits, openmetrics, remote_write, text};
use model::ErrorKind;
use model::time::MAX_TIME_MS;

use crate::cases::ANSWER_MS;
use crate::samples::{Message, gzip, label, sample, series, snappy};

fn limits() -> Limits {
    Limits { max_rows: 1000, ..Limits::default() }
}

fn read(body: impl Into<Vec<u8>>) -> Result<model::Batch, decode::Error> {
    text::decode(&Bytes::from(body.into()), ANSWER_MS, &limits())
}

fn read_openmetrics(body: impl Into<Vec<u8>>) -> Result<model::Batch, decode::Error> {
    openmetrics::decode(&Bytes::from(body.into()), ANSWER_MS, &limits())
}

fn write(body: Vec<u8>) -> Result<model::Batch, decode::Error> {
    Ok(write_some(body)?.batch)
}

fn write_some(body: Vec<u8>) -> Result<Decoded, decode::Error> {
    remote_write::decode(&Bytes::from(body), MAX_TIME_MS, &limits())
}

/// Nothing is kept, and a message says why.
fn left_out(body: Vec<u8>, part: &str) {
    let decoded = write_some(body).unwrap();
    assert!(decoded.batch.is_empty());
    let (_, message) = decoded.refused.messages().next().unwrap();
    assert!(message.contains(part) && message.len() < 600, "{message}");
}

fn too_large(result: Result<model::Batch, decode::Error>, part: &str) {
    let error = result.unwrap_err();
    assert!(error.kind() == ErrorKind::TooLarge && error.message().contains(part), "{error}");
    assert!(error.message().len() < 600);
}

#[test]
fn rows_of_few_bytes_are_counted() {
    assert_eq!(read("a 1\n".repeat(1000)).unwrap().samples.len(), 1000);
    too_large(read("a 1\n".repeat(1_000_000)), "line 1001, column 1: the text has more than 1000 samples");
    let families: String = (0..2000).map(|n| format!("# TYPE a{n} gauge\n")).collect();
    too_large(read(families), "more than 1000");
    let name = Message::default().bytes(1, label("__name__", "a"));
    let samples = (0..1_000_000).fold(name.clone(), |series, _| series.bytes(2, ""));
    too_large(write(Message::default().bytes(1, samples).0), "more than 1000");
    let exemplars = (0..2000).fold(name.clone(), |series, _| series.bytes(3, ""));
    too_large(write(Message::default().bytes(1, exemplars).0), "more than 1000");
    let exemplar = (0..100_000).fold(Message::default(), |exemplar, _| exemplar.bytes(1, label("a", "")));
    too_large(write(Message::default().bytes(1, name.clone().bytes(3, exemplar)).0), "more than 1000");
    let exemplar = (0..65).fold(Message::default(), |exemplar, _| exemplar.bytes(1, label("a", "")));
    left_out(Message::default().bytes(1, name.bytes(3, exemplar)).0, "an exemplar has more than 64 labels");
    let metadata = Message::default().bytes(2, "a");
    too_large(write((0..2000).fold(Message::default(), |all, _| all.bytes(3, &metadata)).0), "more than 1000");
}

#[test]
fn rows_of_exemplars_are_counted_with_their_labels() {
    let body = |line: &str, count: usize| line.repeat(count) + "# EOF\n";
    assert_eq!(read_openmetrics(body("a 1\n", 1000)).unwrap().samples.len(), 1000);
    too_large(read_openmetrics(body("a 1\n", 1_000_000)), "line 1001, column 1: the text has more than 1000 samples");
    // A row for the sample, one for the exemplar, one for each of two labels.
    let line = "a 1 # {b=\"1\",c=\"2\"} 1\n";
    let batch = read_openmetrics(body(line, 250)).unwrap();
    assert_eq!((batch.samples.len(), batch.exemplars.len()), (250, 250));
    too_large(read_openmetrics(body(line, 251)), "line 251, column 1: the text has more than 1000");
    let full = line.repeat(249) + &"a 1\n".repeat(3) + "a 1 # {} 1\n# EOF\n";
    too_large(read_openmetrics(full), "line 253, column 7: the text has more than 1000");
    let families: String = (0..2000).map(|n| format!("# UNIT a{n}_s s\n")).collect();
    too_large(read_openmetrics(families + "# EOF\n"), "more than 1000");
}

#[test]
fn huge_exemplars_are_refused_or_left_out() {
    let exemplar = |labels: &str| read_openmetrics(format!("a 1 # {{{labels}}} 1\n# EOF\n"));
    let many: String = (0..100_000).map(|n| format!("l{n}=\"\",")).collect();
    too_large(exemplar(&many), "the exemplar has more than 64 labels");
    let long = "a".repeat(4 << 20);
    too_large(exemplar(&format!("{long}=\"\"")), "the label name of the exemplar has 4194304 bytes, the limit is 1024");
    too_large(exemplar(&format!("b=\"{long}\"")), "the label value of the exemplar has 4194304 bytes");
    too_large(exemplar(&"b=\"1\",".repeat(65)), "line 1, column 392: the exemplar has more than 64 labels");
    for labels in [format!("b=\"{}\"", &long[..16 << 10]), "ab=\"1\",".repeat(64)] {
        let batch = exemplar(&labels).unwrap();
        assert_eq!((batch.samples.len(), batch.exemplars.len()), (1, 0));
    }
    // What is left out is no row.
    let line = format!("a 1 # {{b=\"{}\"}} 1\n", &long[..200]);
    assert_eq!(read_openmetrics(line.repeat(1000) + "# EOF").unwrap().samples.len(), 1000);
    // 64 labels of one character each are kept.
    assert_eq!(exemplar(&"b=\"1\",".repeat(64)).unwrap().exemplars[0].labels.len(), 64);
}

#[test]
fn endless_labels_and_texts_of_openmetrics_are_refused() {
    let labels: String = (0..100_000).map(|n| format!("l{n}=\"\",")).collect();
    let long = "a".repeat(4 << 20);
    for (line, part) in [
        (format!("a{{{labels}}} 1"), "more than 64 labels"),
        (format!("{long} 1"), "the metric name has 4194304 bytes, the limit is 1024"),
        (format!("{{\"{long}\"}} 1"), "the metric name has 4194304 bytes"),
        (format!("a{{{long}=\"\"}} 1"), "the label name has 4194304 bytes"),
        (format!("a{{b=\"{long}\"}} 1"), "the label value has 4194304 bytes"),
        (format!("# HELP a {long}"), "the help text has 4194304 bytes"),
        (format!("# TYPE {long} gauge"), "the metric name has 4194304 bytes"),
        (format!("# UNIT {long}_s s"), "the metric name has 4194306 bytes"),
    ] {
        too_large(read_openmetrics(line + "\n# EOF\n"), part);
    }
    too_large(read_openmetrics(vec![b'\n'; (64 << 20) + 1]), "the text has 67108865 bytes, the limit is 67108864");
    let limits = Limits { max_labels: 1, max_name_bytes: 2, max_value_bytes: 3, ..Limits::default() };
    let read = |body: &str| openmetrics::decode(&Bytes::from(format!("{body}\n# EOF")), ANSWER_MS, &limits);
    assert!(read("aa{bb=\"123\"} 1 # {cc=\"123\"} 1").is_ok() && read("# HELP a 123").is_ok());
    for body in ["aaa 1", "a{bbb=\"\"} 1", "a{b=\"1234\"} 1", "a{b=\"1\",c=\"\"} 1", "# HELP a 1234", "# HELP aaa 1"] {
        assert_eq!(read(body).unwrap_err().kind(), ErrorKind::TooLarge, "{body}");
    }
    for exemplar in ["bbb=\"\"", "b=\"1234\"", "b=\"1\",c=\"\""] {
        assert_eq!(read(&format!("a 1 # {{{exemplar}}} 1")).unwrap_err().kind(), ErrorKind::TooLarge, "{exemplar}");
    }
}

#[test]
fn blank_text_costs_no_memory() {
    for filler in ["\n", " ", "#\n", "# HELP a b\n"] {
        let batch = read(filler.repeat((4 << 20) / filler.len())).unwrap();
        assert!(batch.samples.capacity() <= 1000 && batch.series.capacity() <= 1000);
        assert!(batch.metadata.len() <= 1);
    }
}

#[test]
fn endless_labels_and_texts_are_refused() {
    let labels: String = (0..100_000).map(|n| format!("l{n}=\"\",")).collect();
    too_large(read(format!("a{{{labels}}} 1")), "more than 64 labels");
    too_large(read(format!("{} 1", "a".repeat(4 << 20))), "the metric name has 4194304 bytes, the limit is 1024");
    too_large(read(format!("a{{{}=\"\"}} 1", "a".repeat(4 << 20))), "the label name has 4194304 bytes");
    too_large(read(format!("a{{b=\"{}\"}} 1", "a".repeat(4 << 20))), "the label value has 4194304 bytes");
    too_large(read(format!("# HELP a {}", "a".repeat(4 << 20))), "the help text has 4194304 bytes");
    too_large(read(vec![b'\n'; (64 << 20) + 1]), "the text has 67108865 bytes, the limit is 67108864");
    let many = (0..100_000).map(|n| (format!("l{n}"), "1")).collect::<Vec<_>>();
    let many = many.iter().map(|(name, value)| (name.as_str(), *value)).collect::<Vec<_>>();
    left_out(Message::default().bytes(1, series(&many, &[(1.0, 1)])).0, "more than 64 labels");
    too_large(write(vec![0; (64 << 20) + 1]), "the request has 67108865 bytes");
}

#[test]
fn long_nonsense_is_refused_in_linear_time() {
    for nonsense in
        ["{", "}", "\"", "\\", "a{", "a{b=\"", "{\"a\",", "a{b=\"\\", "((((", "# TYPE \"", "1", "-", ".", "a 1 1"]
    {
        let error = read(nonsense.repeat(100_000)).unwrap_err();
        assert!(error.message().len() < 400, "{error}");
    }
    for nonsense in
        ["{", "a{", "a{b=\"", "a{b=\"\\", "# TYPE \"", "# ", "a 1 # {", "a 1 # {b=\"", "a 1 # {\"b\"", "# EOF"]
    {
        let error = read_openmetrics(nonsense.repeat(100_000)).unwrap_err();
        assert!(error.message().len() < 400, "{error}");
    }
    let seconds = format!("a 1 {}7\n# EOF", "0".repeat(1_000_000));
    assert_eq!(read_openmetrics(seconds).unwrap().samples[0].time_ms, 7000);
    // A million digits are a number all the same.
    assert_eq!(read(format!("a 0.{}1", "0".repeat(1_000_000))).unwrap().samples[0].value, 0.0);
    assert_eq!(read(format!("a 1 {}7", "0".repeat(1_000_000))).unwrap().samples[0].time_ms, 7);
    too_large_value(&format!("a {}", "9".repeat(1_000_000)));
}

fn too_large_value(body: &str) {
    let error = read(body).unwrap_err();
    assert!(error.message().contains("beyond the range of a double") && error.message().len() < 300, "{error}");
}

#[test]
fn deep_messages_are_a_field_like_any_other() {
    let deep = vec![0x0a; 100_000];
    assert_eq!(write(deep).unwrap_err().kind(), ErrorKind::Invalid);
    let nested = (0..200).fold(Message::default(), |inner, _| Message::default().bytes(1, inner));
    left_out(nested.0, "a series has no labels");
    // Unknown fields are not entered.
    let nested = (0..200).fold(Message::default(), |inner, _| Message::default().bytes(9, inner));
    assert!(write(nested.0).unwrap().is_empty());
    assert_eq!(write([0x0b; 100_000].to_vec()).unwrap_err().kind(), ErrorKind::Invalid);
}

#[test]
fn claimed_lengths_are_not_believed() {
    // Packed numbers, 2^31 of them by their length, in a sample, a series and the request.
    let claim = [0x0a, 0x80, 0x80, 0x80, 0x80, 0x08, 1, 1, 1];
    for request in [
        claim.to_vec(),
        Message::default().bytes(1, claim).0,
        Message::default().bytes(1, Message::default().bytes(2, claim)).0,
    ] {
        assert_eq!(write(request).unwrap_err().kind(), ErrorKind::Invalid);
    }
    // The same as an unknown field that is really there is skipped.
    let packed = Message::default().bytes(77, vec![1; 1 << 20]).bytes(1, series(&[("__name__", "b")], &[(1.0, 1)]));
    assert_eq!(write(packed.0).unwrap().samples.len(), 1);
    let batch = write(
        Message::default().bytes(1, Message::default().bytes(1, label("__name__", "b")).bytes(2, sample(1.0, 1))).0,
    );
    assert!(batch.unwrap().samples.capacity() < 64);
}

#[test]
fn packed_bombs_are_refused() {
    let zeros = vec![0; 60 << 20];
    let limits = Limits::default();
    let bomb = Bytes::from(gzip(&zeros));
    assert_eq!(decompress(ContentEncoding::Gzip, &bomb, &limits).unwrap_err().kind(), ErrorKind::TooLarge);
    // gzip in gzip is taken apart once, and what is inside is no text.
    let twice = Bytes::from(gzip(&gzip(b"a 1\n")));
    let once = decompress(ContentEncoding::Gzip, &twice, &limits).unwrap();
    assert!(text::decode(&once, ANSWER_MS, &limits).is_err());
    // The framing format of snappy is another one.
    let framed = Bytes::from([&b"\xff\x06\0\0sNaPpY"[..], &snappy(b"a 1\n")].concat());
    assert_eq!(decompress(ContentEncoding::Snappy, &framed, &limits).unwrap_err().kind(), ErrorKind::Invalid);
}
