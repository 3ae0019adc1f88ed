//! Remote-write requests, good and bad.

use bytes::Bytes;
use decode::{Limits, remote_write};
use model::batch::{Batch, Kind, STALE_NAN_BITS, is_stale};
use model::labels::LabelsBuilder;
use model::time::{MAX_TIME_MS, MIN_TIME_MS};
use model::{ErrorKind, SeriesKey};

use crate::samples::{Message, label, request, sample, series};

fn decode(request: impl AsRef<[u8]>) -> Result<Batch, decode::Error> {
    remote_write::decode(&Bytes::copy_from_slice(request.as_ref()), &Limits::default())
}

/// A request of one series.
fn one(series: Message) -> Message {
    Message::default().bytes(1, series)
}

fn keys(batch: &Batch) -> Vec<SeriesKey> {
    let mut builder = LabelsBuilder::default();
    (0..batch.series.len()).map(|index| batch.key(index, &mut builder).unwrap()).collect()
}

#[test]
fn a_whole_request_is_read() {
    let batch = decode(request()).unwrap();
    let keys = keys(&batch);
    assert_eq!((keys[0].name.as_ref(), keys[0].labels.get("job")), ("up", Some("a")));
    assert_eq!((keys[1].name.as_ref(), keys[1].labels.get("漢")), ("é", Some("🦀")));
    let samples: Vec<_> = batch.samples.iter().map(|s| (s.series, s.time_ms, s.value.to_bits())).collect();
    let expected = [(0, 1_700_000_000_000, 1f64), (0, -1, 0.0), (1, 0, f64::NAN)];
    assert_eq!(samples, expected.map(|(series, time_ms, value)| (series, time_ms, value.to_bits())));
    let exemplar = &batch.exemplars[0];
    assert_eq!((exemplar.series, exemplar.time_ms, exemplar.value), (1, 5, 0.25));
    assert_eq!(exemplar.labels, [("trace_id".to_owned(), "4bf92f3577b34da6".to_owned())]);
    let metadata = &batch.metadata[0];
    assert_eq!((metadata.name.as_str(), metadata.kind), ("requests", Kind::Counter));
    assert_eq!((metadata.help.as_str(), metadata.unit.as_str()), ("Requests.", "requests"));
}

#[test]
fn values_keep_their_bits() {
    let stale = f64::from_bits(STALE_NAN_BITS);
    let other = f64::from_bits(0xfff8_dead_beef_0001);
    let batch = decode(one(series(&[("__name__", "a")], &[(stale, 1), (other, 2), (-0.0, 3)]))).unwrap();
    assert!(is_stale(batch.samples[0].value));
    assert_eq!(batch.samples[1].value.to_bits(), other.to_bits());
    assert_eq!(batch.samples[2].value.to_bits(), (-0.0f64).to_bits());
    // Fields that are left out have their default.
    let batch = decode(one(Message::default().bytes(1, label("__name__", "a")).bytes(2, ""))).unwrap();
    assert_eq!((batch.samples[0].time_ms, batch.samples[0].value.to_bits()), (0, 0));
}

#[test]
fn labels_are_a_range_of_the_body_wherever_the_samples_stand() {
    let labels = [label("__name__", "a"), label("b", "1")];
    let usual = one(Message::default().bytes(1, &labels[0]).bytes(1, &labels[1]).bytes(2, sample(1.0, 5)));
    let before = one(Message::default().bytes(2, sample(1.0, 5)).bytes(1, &labels[0]).bytes(1, &labels[1]));
    let between = one(Message::default().bytes(1, &labels[0]).bytes(2, sample(1.0, 5)).bytes(1, &labels[1]));
    let batches = [&usual, &before, &between].map(|request| decode(request).unwrap());
    for batch in &batches {
        assert_eq!(keys(batch), keys(&batches[0]));
        assert_eq!(batch.series[0].hash, batches[0].series[0].hash);
        assert_eq!((batch.samples[0].series, batch.samples[0].time_ms), (0, 5));
    }
    assert_eq!((&batches[0].body[..], &batches[1].body[..]), (&usual.0[..], &before.0[..]));
    assert!(batches[2].body.len() > between.0.len());
    // Two such series, with a usual one between them.
    let three = Message(([&between.0[..], &usual.0, &between.0]).concat());
    let batch = decode(three).unwrap();
    assert_eq!(keys(&batch), [keys(&batches[0]), keys(&batches[0]), keys(&batches[0])].concat());
}

#[test]
fn a_label_may_be_written_in_any_way_that_protobuf_allows() {
    let swapped = Message::default().bytes(2, "1").bytes(1, "b");
    let twice = Message::default().bytes(1, "x").bytes(1, "b").bytes(2, "0").bytes(2, "1");
    let unknown = label("b", "1").varint(7, 9).double(8, 1.0);
    let long = "v".repeat(5000);
    for (written, value) in [(swapped, "1"), (twice, "1"), (unknown, "1"), (label("b", long.as_str()), long.as_str())] {
        let series = Message::default().bytes(1, label("__name__", "a")).bytes(1, written).bytes(2, sample(1.0, 1));
        assert_eq!(keys(&decode(one(series)).unwrap())[0].labels.get("b"), Some(value));
    }
}

#[test]
fn series_without_rows_are_checked_and_left_out() {
    let batch = decode(one(series(&[("__name__", "a")], &[]))).unwrap();
    assert!(batch.series.is_empty() && batch.is_empty());
    assert!(decode(one(series(&[("", "a")], &[]))).is_err());
    assert!(decode("").unwrap().is_empty());
    // A series without a name is not refused: it has labels.
    assert_eq!(keys(&decode(one(series(&[("a", "1")], &[(1.0, 1)]))).unwrap())[0].name.as_ref(), "");
}

#[test]
fn what_is_refused_says_why() {
    let row = &[(1.0, 1)];
    let a = ("__name__", "a");
    let many: Vec<_> = (0..65).map(|n| format!("l{n}")).collect();
    let many: Vec<_> = [a].into_iter().chain(many.iter().map(|name| (name.as_str(), "1"))).collect();
    let long = "x".repeat(17 << 10);
    let bad_text = |label| one(Message::default().bytes(1, label).bytes(2, sample(1.0, 1)));
    let cases = [
        (one(series(&[], row)), ErrorKind::Invalid, "a series has no labels"),
        (one(series(&[("a", "")], row)), ErrorKind::Invalid, "a series has no labels"),
        (one(series(&[a, ("", "b")], row)), ErrorKind::Invalid, "value \"b\" has an empty name"),
        (
            one(series(&[a, ("b", "1"), ("b", "2")], row)),
            ErrorKind::Invalid,
            "the label \"b\" comes twice in series a{b=\"1\"}",
        ),
        (
            one(series(&[a], &[(1.0, MAX_TIME_MS + 1)])),
            ErrorKind::Invalid,
            "the time 253402300800000 ms of series a is",
        ),
        (
            one(series(&[a, ("b", "1")], &[(1.0, MIN_TIME_MS - 1)])),
            ErrorKind::Invalid,
            "of series a{b=\"1\"} is outside years",
        ),
        (one(series(&[a], &[(1.0, i64::MIN)])), ErrorKind::Invalid, "-9223372036854775808 ms"),
        (one(series(&many, row)), ErrorKind::TooLarge, "more than 64 labels"),
        (one(series(&[("b", long.as_str())], row)), ErrorKind::TooLarge, "the value of label \"b\" has 17408 bytes"),
        (one(series(&[(long.as_str(), "b")], row)), ErrorKind::TooLarge, "bytes, the limit is 1024"),
        (one(series(&[("__name__", &long[..1025])], row)), ErrorKind::TooLarge, "label \"__name__\" has 1025 bytes"),
        (bad_text(label("a", b"\xff")), ErrorKind::Invalid, "the value of a label is not UTF-8"),
        (bad_text(label(b"\xff", "a")), ErrorKind::Invalid, "the name of a label is not UTF-8"),
        (one(series(&[a], row).bytes(4, "")), ErrorKind::Invalid, "set send_native_histograms: false"),
        (one(series(&[a], row).varint(2, 1)), ErrorKind::Invalid, "field 2 of TimeSeries has the wrong wire type"),
        (one(series(&[a], &[]).bytes(2, Message::default().varint(1, 1))), ErrorKind::Invalid, "field 1 of Sample"),
        (Message::default().varint(1, 1), ErrorKind::Invalid, "field 1 of WriteRequest has the wrong wire type"),
        (Message::default().bytes(4, "").bytes(5, ""), ErrorKind::Invalid, "fields of remote write 2.0"),
        (Message::default().bytes(3, ""), ErrorKind::Invalid, "no metric family name"),
        (Message::default().bytes(3, Message::default().bytes(2, b"\xff")), ErrorKind::Invalid, "is not UTF-8"),
        (Message(b"not protobuf".to_vec()), ErrorKind::Invalid, "byte 0 of the decompressed body"),
    ];
    for (request, kind, part) in cases {
        let error = decode(&request).unwrap_err();
        assert!(error.kind() == kind && error.message().contains(part), "{part}: {error}");
        assert!(error.position().is_none());
        assert_eq!(model::Error::from(error).kind(), kind);
    }
}

#[test]
fn kinds_of_metadata_are_those_of_the_format() {
    let expected = [
        Kind::Unknown,
        Kind::Counter,
        Kind::Gauge,
        Kind::Histogram,
        Kind::Histogram,
        Kind::Summary,
        Kind::Info,
        Kind::StateSet,
        Kind::Unknown,
    ];
    for (number, kind) in expected.into_iter().enumerate() {
        let metadata = Message::default().varint(1, number as u64).bytes(2, "a");
        assert_eq!(decode(Message::default().bytes(3, metadata)).unwrap().metadata[0].kind, kind);
    }
}
