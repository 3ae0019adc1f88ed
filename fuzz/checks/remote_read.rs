//! Any bytes are an answer to a remote read, or a part of one, or a request for one, that is read whole or refused.
//!
//! The first byte chooses which part; the rest is it.

use std::ops::RangeInclusive;

use bytes::Bytes;
use decode::remote_read::{Frames, Part, decode_chunks, decode_request, decode_samples};
use decode::{Error, Limits};
use model::Batch;
use model::labels::LabelsBuilder;
use model::time::{MAX_TIME_MS, MIN_TIME_MS};

const ALL: RangeInclusive<i64> = MIN_TIME_MS..=MAX_TIME_MS;
const SOME: RangeInclusive<i64> = 1_000..=1_700_000_000_000;

type Decode = fn(&Bytes, RangeInclusive<i64>, &Limits) -> Result<Part, Error>;

pub(crate) fn check(input: &[u8]) {
    let Some((choice, rest)) = input.split_first() else { return };
    match choice % 5 {
        0 => check_message(rest, decode_samples),
        1 => check_message(rest, decode_chunks),
        2 => check_message(&series_of(rest), decode_chunks),
        3 => check_stream(rest),
        _ => check_request(rest),
    }
}

/// A message with one series and one chunk, so that the bits of a chunk are within reach.
fn series_of(data: &[u8]) -> Vec<u8> {
    let data = &data[..data.len().min(1 << 13)];
    // A number of two bytes.
    let len = |len: usize| [len as u8 | 0x80, (len >> 7) as u8];
    let chunk = [&[0x18, 1, 0x22][..], &len(data.len()), data].concat();
    let series = [&[0x0a, 6, 0x0a, 1, b'a', 0x12, 1, b'b', 0x12][..], &len(chunk.len()), &chunk].concat();
    [&[0x0a][..], &len(series.len()), &series].concat()
}

fn check_message(message: &[u8], decode: Decode) {
    let limits = Limits { max_rows: 200_000, ..Limits::default() };
    let message = Bytes::copy_from_slice(message);
    let (all, some) = (decode(&message, ALL, &limits), decode(&message, SOME, &limits));
    let (all, some) = match (all, some) {
        (Ok(all), Ok(some)) => (all, some),
        (all, some) => return assert_eq!(all.err(), some.err()),
    };
    let rows = |batch: &Batch| -> Vec<(u128, i64, u64)> {
        let row = batch.samples.iter().map(|sample| {
            let series = &batch.series[sample.series as usize];
            (series.hash, sample.time_ms, sample.value.to_bits())
        });
        row.collect()
    };
    let within: Vec<_> = rows(&all.batch).into_iter().filter(|(_, time_ms, _)| SOME.contains(time_ms)).collect();
    assert_eq!(rows(&some.batch), within);
    let times = |batch: &Batch| batch.histograms.iter().map(|histogram| histogram.time_ms).collect::<Vec<_>>();
    let within: Vec<_> = times(&all.batch).into_iter().filter(|time_ms| SOME.contains(time_ms)).collect();
    assert_eq!(times(&some.batch), within);
    assert!(all.batch.samples.len() + all.batch.exemplars.len() <= limits.max_rows);
    let mut builder = LabelsBuilder::default();
    for batch in [&all.batch, &some.batch] {
        for (index, series) in batch.series.iter().enumerate() {
            let bytes = &batch.body[series.labels.start as usize..series.labels.end as usize];
            assert_eq!(series.hash, Batch::hash(bytes));
            batch.key(index, &mut builder).expect("labels that were checked");
        }
        assert!(batch.samples.iter().all(|sample| model::time::in_range(sample.time_ms)));
    }
}

/// However a stream is cut, the same frames come out of it.
fn check_stream(stream: &[u8]) {
    let limits = Limits { max_body_bytes: 1 << 16, ..Limits::default() };
    let outcome = |size: usize| {
        let (mut frames, mut payloads) = (Frames::new(&limits), Vec::new());
        let mut pushed = Ok(());
        for bytes in stream.chunks(size) {
            pushed = frames.push(bytes);
            assert!(frames.whole_bytes() <= stream.len());
            payloads.extend_from_slice(&frames.take());
            if pushed.is_err() {
                break;
            }
        }
        let finished = pushed.and_then(|()| frames.finish());
        (payloads, finished.map(|rest| assert!(rest.is_empty())).map_err(|error| error.kind()))
    };
    let at_once = outcome(stream.len().max(1));
    for size in [1, 7] {
        assert_eq!(outcome(size), at_once, "{size} bytes at a time");
    }
    check_message(&at_once.0, decode_chunks);
}

fn check_request(message: &[u8]) {
    let Ok(request) = decode_request(&Bytes::copy_from_slice(message)) else { return };
    let texts = |query: &decode::remote_read::Query| -> usize {
        query.matchers.iter().map(|matcher| matcher.label.len() + matcher.value.len()).sum()
    };
    assert!(request.queries.iter().map(texts).sum::<usize>() <= message.len());
    let _ = request.response_type();
}
