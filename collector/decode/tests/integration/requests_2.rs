//! Requests of remote write 2.0, good and bad.

use bytes::Bytes;
use decode::{Decoded, Limits, Reason, remote_write};
use model::batch::{Batch, Kind, Metadata, Start};
use model::labels::LabelsBuilder;
use model::time::MAX_TIME_MS;
use model::{ErrorKind, SeriesKey};

use crate::samples::{Message, float, integer, request_2, sample};

const SYMBOLS: [&str; 8] = ["", "__name__", "a", "b", "1", "é", "Help.", "bytes"];

/// A request with [`SYMBOLS`].
fn of(series: impl IntoIterator<Item = Message>) -> Message {
    let symbols = SYMBOLS.iter().fold(Message::default(), |message, symbol| message.bytes(4, symbol));
    series.into_iter().fold(symbols, |message, series| message.bytes(5, series))
}

/// A `TimeSeries` with these numbers of symbols.
fn labels(numbers: &[u8]) -> Message {
    Message::default().bytes(1, numbers)
}

fn decode_some(request: impl AsRef<[u8]>) -> Result<Decoded, decode::Error> {
    remote_write::v2::decode(&Bytes::copy_from_slice(request.as_ref()), MAX_TIME_MS, &Limits::default())
}

fn decode(request: impl AsRef<[u8]>) -> Batch {
    let decoded = decode_some(request).unwrap();
    assert!(decoded.refused.is_empty(), "{:?}", decoded.refused);
    decoded.batch
}

fn keys(batch: &Batch) -> Vec<SeriesKey> {
    let mut builder = LabelsBuilder::default();
    (0..batch.series.len()).map(|index| batch.key(index, &mut builder).unwrap()).collect()
}

#[test]
fn a_whole_request_is_read() {
    let batch = decode(request_2());
    let keys = keys(&batch);
    assert_eq!((keys[0].name.as_ref(), keys[0].labels.get("job")), ("up", Some("a")));
    assert_eq!((keys[1].name.as_ref(), keys[1].labels.is_empty()), ("latency", true));
    assert_eq!((batch.series[0].kind, batch.series[1].kind), (Kind::Unknown, Kind::Histogram));
    let samples: Vec<_> = batch.samples.iter().map(|sample| (sample.series, sample.time_ms, sample.value)).collect();
    assert_eq!(samples, [(0, 1_700_000_000_000, 1.0)]);
    assert_eq!(batch.starts, [Start { series: 0, time_ms: 1_700_000_000_000, start_ms: 7 }]);
    let histograms: Vec<_> = batch.histograms.iter().map(|h| (h.series, h.time_ms, h.value.start_ms)).collect();
    assert_eq!(histograms, [(1, 9, Some(3)), (1, 10, Some(2))]);
    let exemplar = &batch.exemplars[0];
    assert_eq!((exemplar.series, exemplar.time_ms, exemplar.value), (1, 5, 0.25));
    assert_eq!(exemplar.labels, [("trace_id".to_owned(), "4bf9".to_owned())]);
    let text = str::to_owned;
    let (name, unit, help) = (text("latency"), text("seconds"), text("Time of a request."));
    assert_eq!(batch.metadata, [Metadata { name, kind: Kind::Histogram, unit, help }]);
}

#[test]
fn histograms_are_those_of_remote_write_1() {
    let message = [integer(7), float(8)];
    let two = decode(of([labels(&[1, 2]).bytes(3, &message[0]).bytes(3, &message[1])]));
    let one = Message::default().bytes(1, Message::default().bytes(1, "__name__").bytes(2, "a"));
    let one = Message::default().bytes(1, one.bytes(4, &message[0]).bytes(4, &message[1]));
    let one = remote_write::decode(&one.0.into(), MAX_TIME_MS, &Limits::default()).unwrap().batch;
    let values = |batch: &Batch| batch.histograms.iter().map(|h| (h.time_ms, h.value.clone())).collect::<Vec<_>>();
    assert_eq!((values(&two).len(), values(&two)), (2, values(&one)));
    assert_eq!(keys(&two), keys(&one));
    // Two ways of writing: what a store has learnt of one must not be taken for the other.
    assert_ne!(two.salt(), one.salt());
}

#[test]
fn the_same_texts_are_the_same_series_whatever_their_numbers() {
    let row = sample(1.0, 1);
    let packed = of([labels(&[1, 2, 3, 4]).bytes(2, &row)]);
    // Other numbers, a symbol said twice, and numbers of two bytes.
    let others = (0..200).fold(Message::default().bytes(4, ""), |message, _| message.bytes(4, "x"));
    let others = others.bytes(4, "1").bytes(4, "b").bytes(4, "a").bytes(4, "__name__");
    let series = labels(&[204, 1, 203, 1, 202, 1, 201, 1]).bytes(2, &row);
    let others = others.bytes(5, series);
    let alone = [1, 2, 3, 4].iter().fold(Message::default(), |series, number| series.varint(1, *number));
    let between = labels(&[1, 2]).bytes(2, &row).bytes(1, [3, 4]);
    let last = Message::default().bytes(5, labels(&[1, 2, 3, 4]).bytes(2, &row));
    let last = SYMBOLS.iter().fold(last, |message, symbol| message.bytes(4, symbol));
    let batches = [packed, others, of([alone.bytes(2, &row)]), of([between]), last].map(decode);
    for batch in &batches {
        assert_eq!((keys(batch), batch.samples[0].series), (keys(&batches[0]), 0));
        assert_eq!(batch.series[0].hash, batches[0].series[0].hash);
    }
    // Other texts are other series, and so are names and values that only together are the same text.
    let other = decode(of([labels(&[1, 2, 3, 5]).bytes(2, &row), labels(&[1, 3, 2, 4]).bytes(2, &row)]));
    assert!(other.series.iter().all(|series| series.hash != batches[0].series[0].hash));
    assert_ne!(other.series[0].hash, other.series[1].hash);
}

/// Prometheus sends them so.
#[test]
fn exemplars_may_come_as_series_of_their_own() {
    let exemplar = Message::default().bytes(1, [3, 4]).double(2, 0.5).varint(3, 9);
    let batch = decode(of([labels(&[1, 2]).bytes(2, sample(1.0, 1)), labels(&[1, 2]).bytes(4, exemplar)]));
    assert_eq!((batch.series.len(), batch.exemplars[0].series, batch.exemplars[0].time_ms), (2, 1, 9));
    assert_eq!(batch.series[0].hash, batch.series[1].hash);
}

#[test]
fn starts_are_told_where_they_change() {
    let at = |time_ms: i64, start_ms: u64| sample(1.0, time_ms).varint(3, start_ms);
    let series = [at(10, 5), at(11, 5), at(12, 0), at(13, 5), at(14, 14), at(15, 5)];
    let series = series.iter().fold(labels(&[1, 2]), |series, sample| series.bytes(2, sample));
    let starts = |batch: &Batch| batch.starts.iter().map(|s| (s.series, s.time_ms, s.start_ms)).collect::<Vec<_>>();
    let batch = decode(of([labels(&[1, 3]).bytes(2, sample(1.0, 9)), series]));
    assert_eq!(starts(&batch), [(1, 10, 5), (1, 14, 14), (1, 15, 5)]);
    // A sample that is left out does not take the start of the others with it.
    let series = labels(&[1, 2]).bytes(2, at(99, 5)).bytes(2, at(7, 5));
    let decoded = remote_write::v2::decode(&of([series]).0.into(), 50, &Limits::default()).unwrap();
    assert_eq!((starts(&decoded.batch), decoded.refused.count(Reason::OutOfRange)), (vec![(0, 7, 5)], 1));
    // Senders before the final version say it once for the series.
    let old = labels(&[1, 2]).bytes(2, sample(1.0, 9)).bytes(2, sample(2.0, 10)).varint(6, 4);
    assert_eq!(starts(&decode(of([old]))), [(0, 9, 4)]);
    // What no table can hold is left out; its sample is not.
    let bad = labels(&[1, 2]).bytes(2, at(9, u64::MAX / 2)).bytes(3, integer(8).varint(17, u64::MAX / 2));
    let decoded = decode_some(of([bad.clone(), bad.varint(6, u64::MAX / 2)])).unwrap();
    assert_eq!(decoded.refused.count(Reason::InvalidStart), 5);
    let rows = (decoded.batch.samples.len(), decoded.batch.histograms.len(), decoded.batch.starts.len());
    assert_eq!((rows, decoded.batch.histograms[0].value.start_ms), ((2, 2, 0), None));
}

#[test]
fn what_is_said_of_a_family_is_in_the_batch_once() {
    let symbols = ["", "__name__", "t_bucket", "t_sum", "t", "Help.", "seconds", "g", "le", "1"];
    let message = symbols.iter().fold(Message::default(), |message, symbol| message.bytes(4, symbol));
    let series = |numbers: &[u8], kind: u64, help: u64, unit: u64| {
        let metadata = Message::default().varint(1, kind).varint(3, help).varint(4, unit);
        labels(numbers).bytes(2, sample(1.0, 1)).bytes(5, metadata)
    };
    let all = [
        series(&[1, 2, 8, 9], 3, 5, 6),
        series(&[1, 7], 2, 0, 0),
        series(&[1, 2], 3, 5, 6),
        series(&[1, 3], 3, 5, 6),
        series(&[1, 7, 8, 9], 2, 0, 0),
        series(&[1, 4], 3, 5, 6),
        series(&[1, 2], 3, 0, 6),
        series(&[1, 3], 0, 0, 0),
    ];
    let batch = decode(all.iter().fold(message, |message, series| message.bytes(5, series)));
    let said: Vec<_> = batch.metadata.iter().map(|m| (&*m.name, m.kind, &*m.help, &*m.unit)).collect();
    let expected =
        [("t", Kind::Histogram, "Help.", "seconds"), ("g", Kind::Gauge, "", ""), ("t", Kind::Histogram, "", "seconds")];
    assert_eq!(said, expected);
    let kinds: Vec<_> = batch.series.iter().map(|series| series.kind).collect();
    let (h, g) = (Kind::Histogram, Kind::Gauge);
    assert_eq!(kinds, [h, g, h, h, g, h, h, Kind::Unknown]);
}

#[test]
fn what_is_left_out_says_why() {
    let row = sample(1.0, 1);
    let many: Vec<u8> = [1, 2].into_iter().chain((0..130).map(|_| 3)).collect();
    let long = "x".repeat(17 << 10);
    let with = |symbol: &[u8], numbers: &[u8]| of([labels(numbers).bytes(2, &row)]).bytes(4, symbol);
    let exemplar = |numbers: &[u8]| of([labels(&[1, 2]).bytes(2, &row).bytes(4, Message::default().bytes(1, numbers))]);
    let said = |metadata: Message| of([labels(&[1, 2]).bytes(2, &row).bytes(5, metadata)]);
    let labels_of = |numbers: &[u8]| of([labels(numbers).bytes(2, &row)]);
    let cases = [
        (labels_of(&[1, 2, 3]), Reason::InvalidLabels, "an odd number of symbols, in series a{b=\"?\"}"),
        (labels_of(&[1, 2, 3, 99]), Reason::InvalidLabels, "a label points at symbol 99, the request has 8"),
        (labels_of(&[1, 2, 3, 0xff, 0xff, 0xff, 0xff, 0x7f]), Reason::InvalidLabels, "points at symbol 4294967295"),
        (labels_of(&[]), Reason::InvalidLabels, "a series has no labels"),
        (labels_of(&[3, 4]), Reason::InvalidLabels, "a series has no name, in series {\"\",b=\"1\"}"),
        (labels_of(&[1, 0, 3, 4]), Reason::InvalidLabels, "a series has no name"),
        (labels_of(&[1, 2, 0, 4]), Reason::InvalidLabels, "a label has an empty name"),
        (
            labels_of(&[1, 2, 3, 4, 3, 4]),
            Reason::InvalidLabels,
            "the label \"b\" comes twice, in series a{b=\"1\",b=\"1\"}",
        ),
        (with(b"b", &[1, 2, 3, 4, 8, 4]), Reason::InvalidLabels, "the label \"b\" comes twice"),
        (with(b"\xff", &[1, 2, 8, 4]), Reason::InvalidLabels, "is not UTF-8: \"\u{fffd}\""),
        (with(b"\xff", &[1, 2, 3, 8]), Reason::InvalidLabels, "is not UTF-8"),
        (labels_of(&many), Reason::LabelLimit, "a series has more than 64 labels"),
        (with(long.as_bytes(), &[1, 2, 3, 8]), Reason::LabelLimit, "the value of label \"b\" has 17408 bytes"),
        (with(&long.as_bytes()[..1025], &[1, 8]), Reason::LabelLimit, "the value of label \"__name__\" has 1025 bytes"),
        (with(&long.as_bytes()[..1025], &[1, 2, 8, 3]), Reason::LabelLimit, "has 1025 bytes, the limit is 1024"),
        (of([labels(&[1, 2])]), Reason::EmptySeries, "neither a sample nor a histogram nor an exemplar, in series a"),
        (of([labels(&[1, 2]).bytes(3, integer(1).varint(1, 99))]), Reason::InvalidHistogram, "in series a"),
        (
            said(Message::default().varint(3, 99)),
            Reason::InvalidMetadata,
            "the help of a series: a label points at symbol 99",
        ),
        (said(Message::default().varint(4, 99)), Reason::InvalidMetadata, "the unit of a series"),
        (exemplar(&[3]), Reason::InvalidExemplar, "an odd number of symbols, in series a"),
        (exemplar(&[3, 99]), Reason::InvalidExemplar, "an exemplar: a label points at symbol 99"),
        (exemplar(&[0, 3]), Reason::InvalidExemplar, "has an empty name"),
        (exemplar(&many), Reason::InvalidExemplar, "an exemplar has more than 64 labels"),
    ];
    for (request, reason, part) in cases {
        let decoded = decode_some(request).unwrap();
        let messages: Vec<_> = decoded.refused.messages().collect();
        assert!(messages.len() == 1 && messages[0].0 == reason, "{part}: {messages:?}");
        assert!(messages[0].1.contains(part) && messages[0].1.len() < 600, "{part}: {messages:?}");
        let kept = usize::from(reason == Reason::InvalidExemplar);
        assert_eq!((decoded.batch.samples.len(), decoded.batch.series.len()), (kept, kept), "{part}");
    }
}

#[test]
fn what_is_refused_says_why() {
    let row = labels(&[1, 2]).bytes(2, sample(1.0, 1));
    let cases = [
        (Message::default().bytes(5, &row), ErrorKind::Invalid, "has series and no symbols"),
        (Message::default().bytes(4, "a").bytes(5, &row), ErrorKind::Invalid, "the first symbol of the request is not"),
        (of([]).bytes(1, ""), ErrorKind::Invalid, "fields of remote write 1.0"),
        (of([]).varint(4, 1), ErrorKind::Invalid, "field 4 of Request has the wrong wire type"),
        (of([row.clone().varint(2, 1)]), ErrorKind::Invalid, "field 2 of TimeSeries"),
        (of([row.clone().double(1, 1.0)]), ErrorKind::Invalid, "field 1 of TimeSeries"),
        (of([row.clone().bytes(5, Message::default().bytes(1, ""))]), ErrorKind::Invalid, "field 1 of Metadata"),
        (of([row.clone().bytes(4, Message::default().varint(2, 1))]), ErrorKind::Invalid, "field 2 of Exemplar"),
        (of([row.bytes(1, [0xff])]), ErrorKind::Invalid, "ends in a number"),
        (Message(b"not protobuf".to_vec()), ErrorKind::Invalid, "byte 0 of the decompressed body"),
    ];
    for (request, kind, part) in cases {
        let error = decode_some(request).unwrap_err();
        assert!(error.kind() == kind && error.message().contains(part), "{part}: {error}");
    }
    assert!(decode("").is_empty() && decode(of([])).is_empty());
}

#[test]
fn small_requests_that_ask_for_much_are_refused() {
    let limits = Limits { max_rows: 1000, max_decoded_bytes: 1 << 20, ..Limits::default() };
    let refused = |request: Message, part: &str| {
        let error = remote_write::v2::decode(&Bytes::from(request.0), MAX_TIME_MS, &limits).unwrap_err();
        assert!(error.kind() == ErrorKind::TooLarge && error.message().contains(part), "{part}: {error}");
    };
    refused((0..1001).fold(Message::default(), |message, _| message.bytes(4, "")), "more than 1000 symbols");
    let row = sample(1.0, 1);
    let samples = (0..2000).fold(labels(&[1, 2]), |series, _| series.bytes(2, ""));
    refused(of([samples]), "more than 1000 samples");
    let buckets = Message::default().bytes(12, vec![0; 2000]);
    refused(of([labels(&[1, 2]).bytes(3, buckets)]), "more than 1000 samples, buckets");
    let spans = (0..2000).fold(Message::default(), |histogram, _| histogram.bytes(11, ""));
    refused(of([labels(&[1, 2]).bytes(3, spans)]), "more than 1000");
    // A text of 16 KiB that a few bytes point at: in labels, in exemplars, as help.
    let long = "x".repeat(16 << 10);
    let pointing = |series: Message| (0..100).fold(of([]).bytes(4, &long), |message, _| message.bytes(5, &series));
    refused(pointing(labels(&[1, 2, 3, 8]).bytes(2, &row)), "more than 1048576 bytes of text by its symbols");
    let exemplar = Message::default().bytes(1, [3, 8]);
    refused(pointing(labels(&[1, 2]).bytes(2, &row).bytes(4, exemplar)), "bytes of text by its symbols");
    let help = Message::default().varint(3, 8);
    let names: Vec<Message> = (9..109).map(|n| labels(&[1, n]).bytes(2, &row).bytes(5, &help)).collect();
    let request = (0..100).fold(of([]).bytes(4, &long), |message, n| message.bytes(4, format!("n{n}")));
    refused(names.iter().fold(request, |message, series| message.bytes(5, series)), "bytes of text by its symbols");
    let histograms = (0..200).fold(labels(&[1, 2]), |series, _| series.bytes(3, ""));
    refused(of([histograms]), "more than 1000");
    // Faults without end, each of a series that is long in few bytes, cost no time.
    let limits = Limits { max_rows: 1_000_000, ..Limits::default() };
    let numbers: Vec<u8> = [1, 2].into_iter().chain((9..73).flat_map(|n| [n, 8])).collect();
    let many = (0..64).fold(of([]).bytes(4, &long), |message, n| message.bytes(4, format!("l{n}")));
    let series = (0..100_000).fold(labels(&numbers), |series, _| series.bytes(3, [1 << 3, 1]));
    let request = Bytes::from(many.bytes(5, series).0);
    let decoded = remote_write::v2::decode(&request, MAX_TIME_MS, &limits).unwrap();
    assert_eq!((decoded.batch.histograms.len(), decoded.refused.count(Reason::InvalidHistogram)), (0, 100_000));
    let limits = Limits { max_rows: 1000, max_decoded_bytes: 1 << 20, ..Limits::default() };
    // Numbers without end cost no memory: they are walked, and the series is left out.
    let endless = of([labels(&vec![1; 1 << 19]).bytes(2, &row)]);
    let decoded = remote_write::v2::decode(&Bytes::from(endless.0), MAX_TIME_MS, &limits).unwrap();
    assert_eq!((decoded.batch.series.len(), decoded.refused.count(Reason::LabelLimit)), (0, 1));
}
