use bytes::Bytes;
use model::batch::STALE_NAN_BITS;
use model::histogram::{BucketCounts, Counts, ResetHint, Span};
use model::time::{MAX_TIME_MS, MIN_TIME_MS};

use super::*;
use crate::Limits;
use crate::body::{ContentEncoding, decompress};
use crate::remote_read::{Frames, Part, decode_chunks, decode_samples};

const ALL: std::ops::RangeInclusive<i64> = MIN_TIME_MS..=MAX_TIME_MS;
const LABELS: [(&str, &str); 2] = [("__name__", "up"), ("job", "é")];

fn limits() -> Limits {
    Limits { max_rows: 4_000_000, max_decoded_bytes: 256 << 20, ..Limits::default() }
}

fn series<'a>(times_ms: &'a [i64], values: &'a [f64], histograms: &'a [(i64, NativeHistogram)]) -> Series<'a> {
    Series { labels: &LABELS, times_ms, values, histograms }
}

fn histogram() -> NativeHistogram {
    NativeHistogram {
        schema: 3,
        reset_hint: ResetHint::Gauge,
        start_ms: None,
        sum: -0.5,
        zero_threshold: 0.001,
        custom_bounds: Vec::new(),
        positive_spans: vec![Span { offset: -3, length: 2 }],
        negative_spans: vec![Span { offset: 4, length: 1 }],
        counts: Counts::Float(BucketCounts { count: 10.0, zero: 1.0, positive: vec![2.0, 3.0], negative: vec![4.0] }),
    }
}

/// Times and bits of all samples.
fn rows(part: &Part) -> Vec<(i64, u64)> {
    part.batch.samples.iter().map(|sample| (sample.time_ms, sample.value.to_bits())).collect()
}

/// Each frame of a stream.
fn frames(stream: &[u8]) -> Vec<Bytes> {
    let (mut frames, mut found) = (Frames::new(&limits()), Vec::new());
    for byte in stream.chunks(1) {
        frames.push(byte).unwrap();
        if frames.whole_bytes() > 0 {
            found.push(frames.take());
        }
    }
    assert!(frames.finish().unwrap().is_empty());
    found
}

#[test]
fn samples_come_back_bit_for_bit() {
    let values = [0.0, -0.0, f64::from_bits(STALE_NAN_BITS), f64::from_bits(0xfff8_dead_beef_0001), 0.1];
    let times = [-5, 0, 7, 8, 1_700_000_000_000];
    let mut custom = histogram();
    (custom.schema, custom.zero_threshold) = (model::histogram::CUSTOM_BUCKETS, 0.0);
    (custom.custom_bounds, custom.negative_spans) = (vec![0.5, 1.0, 2.0], Vec::new());
    custom.positive_spans = vec![Span { offset: 0, length: 2 }];
    custom.counts = Counts::Float(BucketCounts { count: 5.0, zero: 0.0, positive: vec![2.0, 3.0], negative: vec![] });
    let histograms = [(3, histogram()), (9, custom)];
    let mut answer = SamplesAnswer::new(1 << 20);
    answer.push(&series(&times, &values, &histograms)).unwrap();
    answer.end_query();
    let body = decompress(ContentEncoding::Snappy, &Bytes::from(answer.finish().unwrap()), &limits()).unwrap();
    let part = decode_samples(&body, ALL, &limits()).unwrap();
    let bits: Vec<(i64, u64)> = times.into_iter().zip(values.map(f64::to_bits)).collect();
    assert_eq!(rows(&part), bits);
    let found: Vec<_> = part.batch.histograms.iter().map(|one| (one.time_ms, one.value.clone())).collect();
    assert_eq!(found, histograms);
    let mut stream = Vec::new();
    push_frames(0, &series(&times, &values, &[]), &mut stream);
    let [frame] = &frames(&stream)[..] else { panic!("one series, one frame") };
    assert_eq!(rows(&decode_chunks(frame, ALL, &limits()).unwrap()), bits);
}

#[test]
fn each_query_has_its_result_even_if_that_is_empty() {
    let mut answer = SamplesAnswer::new(1 << 20);
    answer.end_query();
    answer.end_query();
    let body = answer.finish().unwrap();
    let body = decompress(ContentEncoding::Snappy, &Bytes::from(body), &limits()).unwrap();
    assert_eq!(&body[..], [0x0a, 0, 0x0a, 0]);
}

#[test]
fn an_answer_does_not_outgrow_its_limit() {
    let mut answer = SamplesAnswer::new(200);
    answer.push(&series(&[1], &[1.0], &[])).unwrap();
    let error = answer.push(&series(&[1; 20], &[1.0; 20], &[])).unwrap_err();
    assert!(error.kind() == model::ErrorKind::TooLarge && error.message().contains("200 bytes"), "{error}");
}

#[test]
fn frames_stay_below_their_size_and_chunks_below_theirs() {
    // Values that share no bit take nine bytes each.
    let mut bits = 1u64;
    let next = |_| {
        bits = bits.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(1);
        f64::from_bits(bits)
    };
    let values: Vec<f64> = (0..300_000).map(next).collect();
    let times: Vec<i64> = (0..300_000).map(|n| n * 15_000 + n % 7).collect();
    let mut stream = Vec::new();
    push_frames(3, &series(&times, &values, &[]), &mut stream);
    let frames = frames(&stream);
    assert!(frames.len() >= 2, "{} bytes in {} frames", stream.len(), frames.len());
    let mut found = Vec::new();
    for frame in &frames {
        assert!(frame.len() <= (1 << 20) + 16, "{} bytes", frame.len());
        let error = decode_chunks(frame, ALL, &limits()).unwrap_err();
        assert!(error.message().contains("answers the query with index 3"), "{error}");
        // Without the index, which stands at the end.
        let frame = frame.slice(..frame.len() - 2);
        found.extend(rows(&decode_chunks(&frame, ALL, &limits()).unwrap()));
    }
    assert_eq!(found.len(), times.len());
    let same = found.iter().zip(times.iter().zip(&values)).all(|(a, (time, value))| *a == (*time, value.to_bits()));
    assert!(same, "other samples came back");
}

#[test]
fn chunks_are_in_order_of_time_whatever_is_in_them() {
    let times: Vec<i64> = (0..300).map(|n| n * 1000).collect();
    let values = vec![1.0; 300];
    let histograms = [(-1, histogram()), (100_500, histogram()), (100_600, histogram()), (900_000, histogram())];
    let all = series(&times, &values, &histograms);
    let bounds: Vec<(i64, i64)> = frames::Chunks::of(&all).map(|chunk| chunk.time_ms.into_inner()).collect();
    assert_eq!(
        bounds,
        [
            (-1, -1),
            (0, 100_000),
            (100_500, 100_500),
            (100_600, 100_600),
            (101_000, 220_000),
            (221_000, 299_000),
            (900_000, 900_000)
        ]
    );
}
