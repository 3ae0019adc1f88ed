//! Remote-write requests, good and bad.

use bytes::Bytes;
use decode::{Decoded, Limits, Reason, remote_write};
use model::batch::{Batch, Kind, STALE_NAN_BITS, is_stale};
use model::histogram::{BucketCounts, CUSTOM_BUCKETS, Counts, ResetHint, Span};
use model::labels::LabelsBuilder;
use model::time::{MAX_TIME_MS, MIN_TIME_MS};
use model::{ErrorKind, SeriesKey};

use crate::samples::{Message, float, integer, label, request, sample, series, span};

/// What of a request is good.
fn decode(request: impl AsRef<[u8]>) -> Result<Batch, decode::Error> {
    let decoded = decode_until(request, MAX_TIME_MS)?;
    assert!(decoded.refused.is_empty(), "{:?}", decoded.refused);
    Ok(decoded.batch)
}

fn decode_until(request: impl AsRef<[u8]>, latest_ms: i64) -> Result<Decoded, decode::Error> {
    remote_write::decode(&Bytes::copy_from_slice(request.as_ref()), latest_ms, &Limits::default())
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
    let decoded = decode_until(one(series(&[("", "a")], &[])), MAX_TIME_MS).unwrap();
    assert_eq!(decoded.refused.count(Reason::InvalidLabels), 1);
    assert!(decode("").unwrap().is_empty());
}

#[test]
fn native_histograms_are_read() {
    let series = series(&[("__name__", "latency")], &[]).bytes(4, integer(7)).bytes(4, float(8));
    let stale = Message::default().double(3, f64::from_bits(STALE_NAN_BITS)).varint(15, 9);
    let batch = decode(one(series.bytes(4, stale))).unwrap();
    assert_eq!(batch.series.len(), 1);
    let times: Vec<_> = batch.histograms.iter().map(|histogram| (histogram.series, histogram.time_ms)).collect();
    assert_eq!(times, [(0, 7), (0, 8), (0, 9)]);
    let value = &batch.histograms[0].value;
    assert_eq!((value.schema, value.sum, value.zero_threshold, value.start_ms), (3, 5.5, 1e-9, None));
    assert_eq!((value.reset_hint, value.custom_bounds.len()), (ResetHint::NoReset, 0));
    assert_eq!(value.positive_spans, [Span { offset: 1, length: 2 }]);
    assert_eq!(value.negative_spans, [Span { offset: -1, length: 1 }]);
    let counts = BucketCounts { count: 11, zero: 1, positive: vec![3, 5], negative: vec![2] };
    assert_eq!(value.counts, Counts::Integer(counts));
    let value = &batch.histograms[1].value;
    assert_eq!((value.schema, value.reset_hint), (CUSTOM_BUCKETS, ResetHint::Gauge));
    assert_eq!(value.custom_bounds, [0.1, 1.0]);
    let counts = BucketCounts { count: 4.0, zero: 0.0, positive: vec![0.5, 1.5, 2.0], negative: vec![] };
    assert_eq!(value.counts, Counts::Float(counts));
    assert!(batch.histograms[2].value.is_stale());
}

#[test]
fn numbers_of_a_histogram_may_stand_alone() {
    let packed = decode(one(series(&[("__name__", "h")], &[]).bytes(4, integer(7)))).unwrap();
    let alone = Message::default().varint(1, 11).double(3, 5.5).varint(4, 6).double(5, 1e-9).varint(6, 1);
    let alone = alone.bytes(8, span(-1, 1)).varint(9, 4).bytes(11, span(1, 2)).varint(12, 6).varint(12, 4);
    let alone = decode(one(series(&[("__name__", "h")], &[]).bytes(4, alone.varint(14, 2).varint(15, 7)))).unwrap();
    assert_eq!(alone.histograms[0].value, packed.histograms[0].value);
}

#[test]
fn what_is_good_is_kept() {
    let a = ("__name__", "a");
    let good = series(&[a], &[(1.0, 1)]);
    let nameless = series(&[("b", "1")], &[(1.0, 1), (1.0, 2)]).bytes(4, integer(3));
    let rows = series(&[a], &[(1.0, 5), (2.0, 100), (3.0, 101), (4.0, i64::MAX)]);
    let rows = rows.bytes(4, integer(6)).bytes(4, integer(7).varint(1, 3)).bytes(4, integer(101));
    let rows = rows.bytes(3, Message::default().varint(3, 102)).bytes(3, Message::default().bytes(1, label("", "")));
    let request = [good, nameless, rows].iter().fold(Message::default(), |all, series| all.bytes(1, series));
    let decoded = decode_until(request.bytes(3, ""), 100).unwrap();
    let samples: Vec<_> = decoded.batch.samples.iter().map(|sample| (sample.series, sample.time_ms)).collect();
    assert_eq!(samples, [(0, 1), (1, 5), (1, 100)]);
    let histograms: Vec<_> = decoded.batch.histograms.iter().map(|h| (h.series, h.time_ms)).collect();
    assert_eq!((histograms, decoded.batch.exemplars.len()), (vec![(1, 6)], 0));
    let counts: Vec<_> = decoded.refused.counts().map(|(reason, count)| (reason.as_str(), count)).collect();
    let expected = [
        ("invalid_labels", 3),
        ("invalid_histogram", 1),
        ("invalid_exemplar", 1),
        ("invalid_metadata", 1),
        ("out_of_range", 4),
    ];
    assert_eq!(counts, expected);
    let messages: Vec<_> = decoded.refused.messages().map(|(_, message)| message).collect();
    for part in [
        "a series has no name: {\"\",b=\"1\"}",
        "a histogram counts 3 observations, its buckets 11, in series a",
        "an exemplar: a label with the value \"\" has an empty name, in series a",
        "of series a is too far in the future: nothing after 100 ms is taken",
        "a metadata entry has no metric family name",
    ] {
        assert!(messages.iter().any(|message| message.contains(part)), "{part}: {messages:?}");
    }
}

#[test]
fn few_messages_tell_of_many_faults() {
    let bad = series(&[("b", "1")], &[(1.0, 1)]);
    let request = (0..1000).fold(Message::default(), |all, _| all.bytes(1, &bad));
    let decoded = decode_until(request.bytes(1, series(&[("__name__", "a")], &[(1.0, 9)])), 8).unwrap();
    assert_eq!(decoded.refused.count(Reason::InvalidLabels), 1000);
    assert_eq!(decoded.refused.messages().count(), 11);
    assert!(decoded.refused.messages().any(|(reason, _)| reason == Reason::OutOfRange));
}

#[test]
fn damage_refuses_the_whole_whatever_else_is_wrong() {
    let bad = series(&[("b", "1")], &[(1.0, 1)]);
    let damaged = [bad.clone().varint(2, 1), bad.clone().bytes(1, [0xff]), bad.bytes(4, [0x60, 0xff])];
    for damaged in damaged {
        let request = one(series(&[("__name__", "a")], &[(1.0, 1)])).bytes(1, damaged);
        assert_eq!(decode_until(request, MAX_TIME_MS).unwrap_err().kind(), ErrorKind::Invalid);
    }
}

#[test]
fn what_is_left_out_says_why() {
    let row = &[(1.0, 1)];
    let a = ("__name__", "a");
    let many: Vec<_> = (0..65).map(|n| format!("l{n}")).collect();
    let many: Vec<_> = [a].into_iter().chain(many.iter().map(|name| (name.as_str(), "1"))).collect();
    let long = "x".repeat(17 << 10);
    let bad_text =
        |bad| one(Message::default().bytes(1, label("__name__", "a")).bytes(1, bad).bytes(2, sample(1.0, 1)));
    let cases = [
        (one(series(&[], row)), Reason::InvalidLabels, "a series has no labels"),
        (one(series(&[("a", "")], row)), Reason::InvalidLabels, "a series has no labels"),
        (one(series(&[a, ("", "b")], row)), Reason::InvalidLabels, "value \"b\" has an empty name"),
        (
            one(series(&[a, ("b", "1"), ("b", "2")], row)),
            Reason::InvalidLabels,
            "the label \"b\" comes twice, in series a{b=\"1\"}",
        ),
        (
            one(series(&[a], &[(1.0, MAX_TIME_MS + 1)])),
            Reason::OutOfRange,
            "the time 253402300800000 ms of series a is",
        ),
        (
            one(series(&[a, ("b", "1")], &[(1.0, MIN_TIME_MS - 1)])),
            Reason::OutOfRange,
            "of series a{b=\"1\"} is outside years",
        ),
        (one(series(&[a], &[(1.0, i64::MIN)])), Reason::OutOfRange, "-9223372036854775808 ms"),
        (one(series(&many, row)), Reason::LabelLimit, "more than 64 labels"),
        (one(series(&[("b", long.as_str())], row)), Reason::LabelLimit, "the value of label \"b\" has 17408 bytes"),
        (one(series(&[(long.as_str(), "b")], row)), Reason::LabelLimit, "bytes, the limit is 1024"),
        (one(series(&[("__name__", &long[..1025])], row)), Reason::LabelLimit, "label \"__name__\" has 1025 bytes"),
        (bad_text(label("a", b"\xff")), Reason::InvalidLabels, "the value of a label is not UTF-8"),
        (bad_text(label(b"\xff", "a")), Reason::InvalidLabels, "the name of a label is not UTF-8"),
        (Message::default().bytes(3, ""), Reason::InvalidMetadata, "no metric family name"),
        (Message::default().bytes(3, Message::default().bytes(2, b"\xff")), Reason::InvalidMetadata, "is not UTF-8"),
        (one(series(&[("b", "1")], row)), Reason::InvalidLabels, "a series has no name: {\"\",b=\"1\"}"),
        (one(series(&[("__name__", ""), ("b", "1")], row)), Reason::InvalidLabels, "a series has no name"),
    ];
    for (request, reason, part) in cases {
        let decoded = decode_until(&request, MAX_TIME_MS).unwrap();
        assert!(decoded.batch.is_empty() && decoded.batch.series.is_empty(), "{part}");
        let messages: Vec<_> = decoded.refused.messages().collect();
        assert!(messages.len() == 1 && messages[0].0 == reason, "{part}: {messages:?}");
        assert!(messages[0].1.contains(part) && messages[0].1.len() < 600, "{part}: {messages:?}");
        assert_eq!(decoded.refused.count(reason), 1);
    }
}

#[test]
fn what_is_refused_says_why() {
    let row = &[(1.0, 1)];
    let a = ("__name__", "a");
    let cases = [
        (one(series(&[a], row).varint(2, 1)), ErrorKind::Invalid, "field 2 of TimeSeries has the wrong wire type"),
        (one(series(&[a], &[]).bytes(2, Message::default().varint(1, 1))), ErrorKind::Invalid, "field 1 of Sample"),
        (Message::default().varint(1, 1), ErrorKind::Invalid, "field 1 of WriteRequest has the wrong wire type"),
        (Message::default().bytes(4, "").bytes(5, ""), ErrorKind::Invalid, "fields of remote write 2.0"),
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
