//! Every prefix and every flipped bit of a good body: an error or a whole batch, never a panic, never much memory.

use bytes::Bytes;
use decode::body::{ContentEncoding, decompress};
use decode::{Decoded, Limits, metric_families, openmetrics, remote_read, remote_write, text};
use model::Batch;
use model::labels::LabelsBuilder;
use model::time::MAX_TIME_MS;

use crate::cases::ANSWER_MS;
use crate::corpus::{otlp_logs, otlp_traces, remote_write_2};
use crate::{families, otlp_records, samples};

/// What holds of every batch that a decoder lets through.
pub(crate) fn check(batch: &Batch, limits: &Limits) {
    check_series(batch);
    check_rows(batch);
    assert!(batch.samples.len() + batch.exemplars.len() + batch.metadata.len() <= limits.max_rows);
    let buckets: usize = batch.histograms.iter().map(|histogram| 1 + histogram.value.buckets()).sum();
    assert!(batch.samples.len() + buckets <= limits.max_rows);
    assert!(batch.samples.capacity() <= batch.body.len() + 4, "{} {}", batch.samples.capacity(), batch.body.len());
    assert!(batch.series.capacity() <= batch.body.len() + 4);
}

/// The part of it that holds however densely samples are packed.
fn check_series(batch: &Batch) {
    let mut builder = LabelsBuilder::default();
    for (index, series) in batch.series.iter().enumerate() {
        let bytes = &batch.body[series.labels.start as usize..series.labels.end as usize];
        assert_eq!(series.hash, Batch::hash(bytes));
        // Two spellings of one quoted name are the one fault that a decoder leaves to the reader.
        if let Err(error) = batch.key(index, &mut builder) {
            assert!(error.message().contains("comes twice in one series"), "{error}");
        }
    }
}

/// What holds of the rows however their series are written.
pub(crate) fn check_rows(batch: &Batch) {
    assert!(batch.samples.iter().all(|sample| (sample.series as usize) < batch.series.len()));
    assert!(batch.samples.iter().all(|sample| model::time::in_range(sample.time_ms)));
    assert!(batch.exemplars.iter().all(|exemplar| (exemplar.series as usize) < batch.series.len()));
    assert!(batch.exemplars.iter().all(|exemplar| model::time::in_range(exemplar.time_ms)));
    for histogram in &batch.histograms {
        assert!((histogram.series as usize) < batch.series.len() && model::time::in_range(histogram.time_ms));
        histogram.value.validate().expect("a sound histogram");
        assert!(histogram.value.start_ms.is_none_or(model::time::in_range));
    }
    for start in &batch.starts {
        assert!((start.series as usize) < batch.series.len());
        assert!(model::time::in_range(start.time_ms) && model::time::in_range(start.start_ms));
    }
}

/// The body cut at every byte, with every bit flipped, with every byte left out, and with some bytes put in.
fn damaged(body: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let cut = (0..body.len()).map(|at| body[..at].to_vec());
    let flipped = (0..body.len() * 8).map(|bit| {
        let mut body = body.to_vec();
        body[bit / 8] ^= 1 << (bit % 8);
        body
    });
    let shorter = (0..body.len()).map(|at| [&body[..at], &body[at + 1..]].concat());
    let longer = (0..=body.len()).flat_map(|at| {
        [0u8, 0xff, b'"', b'\\', b'\n', b'{', b'}'].map(|byte| [&body[..at], &[byte], &body[at..]].concat())
    });
    cut.chain(flipped).chain(shorter).chain(longer)
}

#[test]
fn text_never_panics() {
    survives(samples::TEXT, text::decode);
}

#[test]
fn openmetrics_never_panics() {
    survives(samples::OPENMETRICS, openmetrics::decode);
}

fn survives(text: &str, decode: fn(&Bytes, i64, &Limits) -> Result<Batch, decode::Error>) {
    let limits = Limits::default();
    let (mut taken, mut refused) = (0, 0);
    for body in damaged(text.as_bytes()) {
        match decode(&Bytes::from(body), ANSWER_MS, &limits) {
            Ok(batch) => {
                check(&batch, &limits);
                taken += 1;
            }
            Err(error) => {
                assert!(error.position().is_some() && error.message().len() < 400, "{error}");
                refused += 1;
            }
        }
    }
    assert!(taken > 1000 && refused > 1000, "{taken} {refused}");
}

#[test]
fn remote_write_never_panics() {
    survives_in_part(&samples::request(), remote_write::decode, check);
}

#[test]
fn remote_write_2_never_panics() {
    survives_in_part(&samples::request_2(), remote_write::v2::decode, remote_write_2::check_batch);
}

/// The first case of each file has all fields; what holds is what the fuzz targets check.
#[test]
fn otlp_records_never_panic() {
    for (bodies, check) in [
        (otlp_records::logs_bodies(), otlp_logs::check as fn(&[u8])),
        (otlp_records::traces_bodies(), otlp_traces::check),
    ] {
        let (protobuf, json) = &bodies[0];
        for (form, body) in [(0, protobuf), (1, json)] {
            damaged(body).for_each(|body| check(&[&[form][..], &body].concat()));
        }
    }
}

fn survives_in_part(
    body: &[u8],
    decode: fn(&Bytes, i64, &Limits) -> Result<Decoded, decode::Error>,
    check: fn(&Batch, &Limits),
) {
    let limits = Limits::default();
    let (mut whole, mut in_part, mut refused) = (0, 0, 0);
    for body in damaged(body) {
        match decode(&Bytes::from(body), MAX_TIME_MS, &limits) {
            Ok(decoded) => {
                check(&decoded.batch, &limits);
                assert!(decoded.refused.messages().all(|(_, message)| message.len() < 600));
                whole += usize::from(decoded.refused.is_empty());
                in_part += usize::from(!decoded.refused.is_empty());
            }
            Err(error) => {
                assert!(error.message().len() < 600, "{error}");
                refused += 1;
            }
        }
    }
    assert!(whole > 100 && in_part > 100 && refused > 100, "{whole} {in_part} {refused}");
}

#[test]
fn metric_families_never_panic() {
    let limits = Limits::default();
    let (mut taken, mut refused) = (0, 0);
    for page in damaged(&families::page()) {
        for wanted in [families::CLASSIC, families::BOTH] {
            match metric_families::decode(&Bytes::copy_from_slice(&page), ANSWER_MS, wanted, &limits) {
                Ok(batch) => {
                    check_series(&batch);
                    check_rows(&batch);
                    taken += 1;
                }
                Err(error) => {
                    assert!(error.message().len() < 600, "{error}");
                    refused += 1;
                }
            }
        }
    }
    assert!(taken > 1000 && refused > 1000, "{taken} {refused}");
}

#[test]
fn remote_read_never_panics() {
    let limits = Limits::default();
    let (mut taken, mut refused) = (0, 0);
    let wanted = 1_600_000_000_000..=1_600_000_100_000;
    let mut count = |part: Result<remote_read::Part, decode::Error>| match part {
        Ok(part) => {
            check_series(&part.batch);
            check_rows(&part.batch);
            assert!(part.batch.samples.len() <= limits.max_rows);
            taken += 1;
        }
        Err(error) => {
            assert!(error.message().len() < 600, "{error}");
            refused += 1;
        }
    };
    for frame in damaged(&samples::frame()) {
        count(remote_read::decode_chunks(&frame.into(), wanted.clone(), &limits));
    }
    for answer in damaged(&samples::Message::default().bytes(1, samples::request()).0) {
        count(remote_read::decode_samples(&answer.into(), wanted.clone(), &limits));
    }
    assert!(taken > 1000 && refused > 1000, "{taken} {refused}");
}

#[test]
fn a_damaged_stream_gives_whole_frames_or_an_error() {
    let stream = samples::stream();
    let whole = |stream: &[u8]| {
        let mut frames = remote_read::Frames::new(&Limits::default());
        let pushed = frames.push(stream);
        (frames.take(), pushed.and_then(|()| frames.finish()).is_ok())
    };
    let (payloads, is_whole) = whole(&stream);
    assert!(is_whole && payloads.starts_with(&samples::frame()));
    let mut taken = 0;
    for stream in damaged(&stream) {
        let (found, is_whole) = whole(&stream);
        assert!(payloads.starts_with(&found), "{found:?}");
        taken += usize::from(is_whole);
    }
    // Cut before each of the three frames, the stream is a shorter one; every other damage is seen.
    assert_eq!(taken, 3);
}

#[test]
fn a_damaged_snappy_body_is_an_error_or_some_other_body() {
    let limits = Limits { max_decoded_bytes: 1 << 16, ..Limits::default() };
    let packed = samples::snappy(samples::TEXT.as_bytes());
    for body in damaged(&packed) {
        let cut = body.len() < packed.len() && packed.starts_with(&body);
        match decompress(ContentEncoding::Snappy, &Bytes::from(body), &limits) {
            Ok(decoded) => assert!(!cut && decoded.len() <= limits.max_decoded_bytes),
            Err(error) => assert!(!error.message().is_empty()),
        }
    }
}

#[test]
fn a_damaged_gzip_body_is_an_error_or_the_same_body() {
    let limits = Limits { max_decoded_bytes: 1 << 16, ..Limits::default() };
    for body in damaged(&samples::gzip(samples::TEXT.as_bytes())) {
        // The checksum sees every damage but that of header fields which say nothing of the content.
        if let Ok(decoded) = decompress(ContentEncoding::Gzip, &Bytes::from(body), &limits) {
            assert_eq!(decoded, samples::TEXT);
        }
    }
}
