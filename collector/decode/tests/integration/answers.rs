//! Answers to a remote read, good and bad, and chunks that are read as they were packed.

use std::ops::RangeInclusive;

use bytes::Bytes;
use decode::remote_read::{Part, decode_chunks, decode_samples};
use decode::{Limits, remote_write};
use model::batch::STALE_NAN_BITS;
use model::labels::LabelsBuilder;
use model::time::{MAX_TIME_MS, MIN_TIME_MS};
use model::{Batch, ErrorKind};
use proptest::prelude::*;

use crate::samples::{Message, chunk, chunked_series, float, integer, label, packed_chunk, sample, series};

const ALL: RangeInclusive<i64> = MIN_TIME_MS..=MAX_TIME_MS;

fn chunks(frame: impl AsRef<[u8]>, time_ms: RangeInclusive<i64>) -> Result<Part, decode::Error> {
    decode_chunks(&Bytes::copy_from_slice(frame.as_ref()), time_ms, &Limits::default())
}

fn samples(body: impl AsRef<[u8]>, time_ms: RangeInclusive<i64>) -> Result<Part, decode::Error> {
    decode_samples(&Bytes::copy_from_slice(body.as_ref()), time_ms, &Limits::default())
}

/// A frame, or a result, of these series.
fn of<const N: usize>(series: [Message; N]) -> Message {
    series.iter().fold(Message::default(), |message, series| message.bytes(1, series))
}

/// An answer of one result with these series.
fn answer<const N: usize>(series: [Message; N]) -> Message {
    Message::default().bytes(1, of(series))
}

/// Each sample with its series as text.
fn rows(batch: &Batch) -> Vec<(String, i64, u64)> {
    let mut builder = LabelsBuilder::default();
    let row = batch.samples.iter().map(|sample| {
        let key = batch.key(sample.series as usize, &mut builder).unwrap();
        let mut series = String::new();
        decode::text::write_series(&mut series, &key.name, key.labels.iter()).unwrap();
        (series, sample.time_ms, sample.value.to_bits())
    });
    row.collect()
}

const UP: [(&str, &str); 2] = [("__name__", "up"), ("job", "a")];
const FEW: [(i64, u64); 4] = [(1000, 1), (2000, STALE_NAN_BITS), (3001, 0xfff8_dead_beef_0001), (3002, 1 << 63)];

fn few(from: usize, to: usize) -> Vec<(String, i64, u64)> {
    FEW[from..to].iter().map(|(time_ms, bits)| ("up{job=\"a\"}".to_owned(), *time_ms, *bits)).collect()
}

#[test]
fn both_answers_say_the_same() {
    let floats = FEW.map(|(time_ms, bits)| (f64::from_bits(bits), time_ms));
    let packed = [chunk(&FEW[..3]), chunk(&FEW[3..])];
    let whole = answer([series(&UP, &floats)]);
    let streamed = of([chunked_series(&UP, &packed)]);
    for (time_ms, from, to) in
        [(ALL, 0, 4), (1000..=3002, 0, 4), (1001..=3001, 1, 3), (3002..=9999, 3, 4), (5..=6, 0, 0)]
    {
        for part in [samples(&whole, time_ms.clone()).unwrap(), chunks(&streamed, time_ms.clone()).unwrap()] {
            assert_eq!(rows(&part.batch), few(from, to), "{time_ms:?}");
            assert_eq!(part.batch.series.len(), usize::from(from < to));
        }
    }
    // A store that knows the series from remote write knows it from here.
    let written =
        remote_write::decode(&of([series(&UP, &floats)]).0.into(), MAX_TIME_MS, &Limits::default()).unwrap().batch;
    for part in [samples(whole, ALL).unwrap(), chunks(streamed, ALL).unwrap()] {
        assert_eq!((part.batch.series[0].hash, part.batch.salt()), (written.series[0].hash, written.salt()));
        assert_eq!(part.batch.encoding.name, remote_write::ENCODING.name);
    }
}

#[test]
fn payloads_of_several_frames_are_one_message() {
    let frames = [
        of([chunked_series(&UP, &[chunk(&FEW[..2])])]).varint(2, 0),
        of([chunked_series(&UP, &[chunk(&FEW[2..])])]),
        of([chunked_series(&[("__name__", "b")], &[chunk(&[(7, 7)])])]).varint(2, 0),
    ];
    let part = chunks(frames.map(|frame| frame.0).concat(), ALL).unwrap();
    assert_eq!(rows(&part.batch), [&few(0, 4)[..], &[("b".to_owned(), 7, 7)]].concat());
    assert_eq!(part.batch.series[0].hash, part.batch.series[1].hash);
    assert!(chunks("", ALL).unwrap().batch.is_empty() && samples("", ALL).unwrap().batch.is_empty());
}

#[test]
fn labels_may_stand_anywhere_in_a_series() {
    let packed = packed_chunk(1, chunk(&FEW));
    let (name, job) = (label("__name__", "up"), label("job", "a"));
    let before = Message::default().bytes(2, &packed).bytes(1, &name).bytes(1, &job);
    let between = Message::default().bytes(1, &name).bytes(2, &packed).bytes(1, &job);
    // The data of a chunk may come before its encoding.
    let turned = Message::default().bytes(4, chunk(&FEW)).varint(3, 1);
    let turned = Message::default().bytes(1, &name).bytes(1, &job).bytes(2, turned);
    for series in [before, between, turned] {
        assert_eq!(rows(&chunks(of([series]), ALL).unwrap().batch), few(0, 4));
    }
}

#[test]
fn native_histograms_come_in_answers_of_samples_alone() {
    let histogram =
        |encoding| Message::default().bytes(1, label("__name__", "h")).bytes(2, packed_chunk(encoding, "?"));
    for encoding in [2, 3, 5, 6] {
        let error = chunks(of([chunked_series(&UP, &[chunk(&FEW)]), histogram(encoding)]), ALL).unwrap_err();
        assert!(error.message().contains("chunk 1 of series h cannot be read: it has native histograms"), "{error}");
    }
    let only = series(&[("__name__", "h")], &[]).bytes(4, integer(7)).bytes(4, float(9));
    let both = series(&UP, &[(f64::from_bits(1), 1000)]).bytes(4, integer(1000));
    let part = samples(answer([only, both]), ALL).unwrap();
    assert_eq!((part.batch.series.len(), rows(&part.batch)), (2, few(0, 1)));
    let times: Vec<_> = part.batch.histograms.iter().map(|histogram| (histogram.series, histogram.time_ms)).collect();
    assert_eq!(times, [(0, 7), (0, 9), (1, 1000)]);
    // Only those that were asked for.
    let only = series(&[("__name__", "h")], &[]).bytes(4, integer(7)).bytes(4, float(9));
    let part = samples(answer([only]), 8..=9).unwrap();
    assert_eq!((part.batch.histograms.len(), part.batch.histograms[0].time_ms), (1, 9));
    // An answer is good as a whole or not at all.
    let bad = series(&UP, &[(1.0, 1000)]).bytes(4, integer(7).varint(1, 99));
    let error = samples(answer([bad]), ALL).unwrap_err();
    assert!(error.message().contains("99 observations") && error.message().contains("in series up"), "{error}");
}

#[test]
fn frames_that_are_refused_say_why() {
    let good = chunk(&FEW);
    let with = |packed: Vec<u8>| of([chunked_series(&UP, &[good.clone(), packed])]);
    let with_encoding = |encoding| of([chunked_series(&UP, &[]).bytes(2, packed_chunk(encoding, &good))]);
    let year_10000 = chunk(&[(MAX_TIME_MS, 0), (MAX_TIME_MS + 1, 0)]);
    let overflow = chunk(&[(MAX_TIME_MS, 0), (i64::MIN, 0), (i64::MIN, 0)]);
    let cases = [
        (with(good[..good.len() - 1].to_vec()), "chunk 2 of series up{job=\"a\"} cannot be read: it ends before"),
        (with([&good[..], &[0, 0]].concat()), "chunk 2 of series up{job=\"a\"} cannot be read: it goes on after"),
        (with([&[0xff, 0xff], &good[2..]].concat()), "cannot be read: it ends before its last sample"),
        (with([&[0, 1], &good[2..]].concat()), "cannot be read: it goes on after its last sample"),
        (with(Vec::new()), "cannot be read: it has no number of samples"),
        (with(year_10000), "the time 253402300800000 ms of series up{job=\"a\"} is outside years 1 to 9999"),
        (with(overflow), "cannot be read: a time is beyond 64 bits"),
        (with_encoding(0), "chunk 1 of series up{job=\"a\"} cannot be read: it has encoding 0, which is not known"),
        (with_encoding(4), "it has encoding 4, which is not known: ask for samples instead of chunks"),
        (with_encoding(u64::MAX), "it has encoding 18446744073709551615"),
        (of([chunked_series(&[], std::slice::from_ref(&good))]), "a series has no labels"),
        (of([chunked_series(&[UP[0], UP[0]], &[])]), "the label \"__name__\" comes twice"),
        (of([chunked_series(&UP, &[]).bytes(1, label(b"x", b"\xff"))]), "the value of a label is not UTF-8"),
        (Message::default().varint(2, 1), "a frame answers the query with index 1, one was asked"),
        (Message::default().varint(1, 1), "field 1 of ChunkedReadResponse has the wrong wire type"),
        (of([Message::default().varint(2, 1)]), "field 2 of ChunkedSeries has the wrong wire type"),
        (of([chunked_series(&UP, &[]).bytes(2, Message::default().varint(4, 1))]), "field 4 of Chunk has the wrong"),
        (
            Message(b"\x0a\x7f".to_vec()),
            "a field is longer than the message around it (byte 0 of the decompressed body)",
        ),
    ];
    for (frame, part) in cases {
        let error = chunks(frame, ALL).unwrap_err();
        assert!(error.kind() == ErrorKind::Invalid && error.message().contains(part), "{part}: {error}");
    }
}

#[test]
fn answers_that_are_refused_say_why() {
    let row = &[(1.0, 1)];
    let cases = [
        (answer([series(&[], row)]), "a series has no labels"),
        (answer([series(&UP, &[(1.0, MIN_TIME_MS - 1)])]), "of series up{job=\"a\"} is outside years 1 to 9999"),
        (
            Message([answer([]).0, answer([]).0].concat()),
            "the answer has the results of several queries, one was asked",
        ),
        (Message::default().varint(1, 1), "field 1 of ReadResponse has the wrong wire type"),
        (
            Message::default().bytes(1, Message::default().varint(1, 1)),
            "field 1 of QueryResult has the wrong wire type",
        ),
        (answer([series(&UP, &[]).bytes(2, Message::default().varint(1, 1))]), "field 1 of Sample has the wrong wire"),
        (answer([series(&UP, &[]).varint(4, 1)]), "field 4 of TimeSeries has the wrong wire type"),
    ];
    for (body, part) in cases {
        let error = samples(body, ALL).unwrap_err();
        assert!(error.kind() == ErrorKind::Invalid && error.message().contains(part), "{part}: {error}");
    }
}

#[test]
fn what_a_server_may_cost_is_limited() {
    let limits = Limits { max_rows: 1000, max_labels: 1, max_decoded_bytes: 100_000, ..Limits::default() };
    let chunks = |frame: Message| decode_chunks(&frame.0.into(), ALL, &limits);
    let too_large = |result: Result<Part, decode::Error>, part: &str| {
        let error = result.unwrap_err();
        assert!(error.kind() == ErrorKind::TooLarge && error.message().contains(part), "{error}");
    };
    let flat = |samples| chunk(&(0..samples).map(|n| (n * 1000, 0)).collect::<Vec<_>>());
    assert_eq!(chunks(of([chunked_series(&UP, &[flat(600), flat(400)])])).unwrap().batch.samples.len(), 1000);
    let rows = "the frame has more than 1000 samples, buckets, exemplars and entries";
    too_large(chunks(of([chunked_series(&UP, &[flat(600), flat(401)])])), rows);
    // The densest chunk, and one that only says so: neither is unpacked.
    too_large(chunks(of([chunked_series(&UP, &[flat(65_535)])])), rows);
    too_large(chunks(of([chunked_series(&UP, &[vec![0xff, 0xff]])])), rows);
    // Samples that are not wanted are unpacked all the same.
    too_large(decode_chunks(&of([chunked_series(&UP, &[flat(1001)])]).0.into(), 0..=1, &limits), rows);
    too_large(chunks(of([chunked_series(&[UP[0], UP[1], ("z", "")], &[])])), "a series has more than 1 labels");
    too_large(chunks(Message(vec![0; 100_001])), "the frame has 100001 bytes, the limit is 100000");
    let many = (0..1001).fold(Message::default(), |series, time_ms| series.bytes(2, sample(1.0, time_ms)));
    let body = answer([many.bytes(1, label("a", "b"))]);
    too_large(decode_samples(&body.0.into(), ALL, &limits), "the answer has more than 1000 samples");
    too_large(decode_samples(&vec![0; 100_001].into(), ALL, &limits), "the answer has 100001 bytes");
}

/// A walk of times whose steps change a little, much, or not at all.
fn times() -> impl Strategy<Value = Vec<i64>> {
    let change = prop_oneof![
        4 => Just(0i64),
        4 => -3i64..=3,
        1 => prop::sample::select(vec![-8191, -8192, 8192, 8193, -65_535, -65_536, 65_536, 65_537]),
        1 => prop::sample::select(vec![-524_287, -524_288, 524_288, 524_289, 1 << 33, -(1 << 33)]),
        1 => -1_000_000i64..1_000_000,
    ];
    (MIN_TIME_MS / 2..MAX_TIME_MS / 2, -1000i64..100_000, prop::collection::vec(change, 0..300)).prop_map(
        |(first, mut step, changes)| {
            let mut time_ms = first;
            let walk = changes.into_iter().map(|change| {
                step += change;
                time_ms += step;
                time_ms.clamp(MIN_TIME_MS, MAX_TIME_MS)
            });
            [first].into_iter().chain(walk).collect()
        },
    )
}

fn value() -> impl Strategy<Value = u64> {
    let odd = [0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, f64::MIN_POSITIVE, 5e-324, f64::MAX];
    prop_oneof![
        any::<u64>(),
        (0i32..1000).prop_map(|n| f64::from(n).to_bits()),
        (0u32..64, any::<u32>()).prop_map(|(shift, bits)| u64::from(bits) << shift),
        prop::sample::select(odd.map(f64::to_bits).to_vec()),
        Just(STALE_NAN_BITS),
        Just(7),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn chunks_are_read_as_they_were_packed(
        times in times(),
        values in prop::collection::vec(value(), 300),
        cut in 1usize..400,
        bounds in (0usize..300, 0usize..300),
    ) {
        let packed: Vec<(i64, u64)> = times.iter().copied().zip(values).collect();
        let message = of([chunked_series(&UP, &packed.chunks(cut).map(chunk).collect::<Vec<_>>())]);
        let part = chunks(&message, ALL).unwrap();
        let read = |part: &Part| part.batch.samples.iter().map(|s| (s.time_ms, s.value.to_bits())).collect::<Vec<_>>();
        prop_assert_eq!(read(&part), packed.clone());
        // Any two of the times as the ends of what is wanted.
        let [from, to] = [bounds.0, bounds.1].map(|at| times[at % times.len()]);
        let wanted = from.min(to)..=from.max(to);
        let within: Vec<_> = packed.iter().copied().filter(|(time_ms, _)| wanted.contains(time_ms)).collect();
        prop_assert_eq!(read(&chunks(&message, wanted).unwrap()), within);
    }
}
