//! Series as a request of remote write 2.0, which carries native histograms with bounds of their own.

use model::NativeHistogram;
use model::histogram::{Counts, Span};

use crate::format::Series;
use crate::format::samples::Sample;

/// The body of a request: protobuf in snappy's frame, as literals.
pub(crate) fn request(series: &[&Series]) -> Vec<u8> {
    let mut symbols: Vec<&str> = vec![""];
    let mut messages = Vec::new();
    for one in series {
        let mut references = Vec::new();
        for text in one.labels.iter().flat_map(|(name, value)| [name, value]) {
            let place = symbols.iter().position(|symbol| symbol == text).unwrap_or_else(|| {
                symbols.push(text);
                symbols.len() - 1
            });
            varint(&mut references, place as u64);
        }
        // A message holds samples of one kind only, and all of it is stored before the next one.
        for run in one.samples.chunk_by(|(_, a), (_, b)| is_float(a) == is_float(b)) {
            let mut message = Vec::new();
            bytes(&mut message, 1, &references);
            for (time_ms, sample) in run {
                match sample {
                    Sample::Float(value) => bytes(&mut message, 2, &float(*time_ms, *value)),
                    Sample::Histogram(value) => bytes(&mut message, 3, &histogram(*time_ms, value)),
                }
            }
            messages.push(message);
        }
    }
    let mut body = Vec::new();
    for symbol in symbols {
        bytes(&mut body, 4, symbol.as_bytes());
    }
    for message in messages {
        bytes(&mut body, 5, &message);
    }
    snappy(&body)
}

fn is_float(sample: &Sample) -> bool {
    matches!(sample, Sample::Float(_))
}

fn float(time_ms: i64, value: f64) -> Vec<u8> {
    let mut message = Vec::new();
    double(&mut message, 1, value);
    integer(&mut message, 2, time_ms as u64);
    message
}

fn histogram(time_ms: i64, h: &NativeHistogram) -> Vec<u8> {
    let mut message = Vec::new();
    match &h.counts {
        Counts::Integer(counts) => {
            integer(&mut message, 1, counts.count);
            integer(&mut message, 6, counts.zero);
            bytes(&mut message, 9, &deltas(&counts.negative));
            bytes(&mut message, 12, &deltas(&counts.positive));
        }
        Counts::Float(counts) => {
            double(&mut message, 2, counts.count);
            double(&mut message, 7, counts.zero);
            bytes(&mut message, 10, &doubles(&counts.negative));
            bytes(&mut message, 13, &doubles(&counts.positive));
        }
    }
    double(&mut message, 3, h.sum);
    integer(&mut message, 4, zigzag(h.schema.into()));
    double(&mut message, 5, h.zero_threshold);
    for (field, spans) in [(8, &h.negative_spans), (11, &h.positive_spans)] {
        for Span { offset, length } in spans {
            let mut span = Vec::new();
            integer(&mut span, 1, zigzag((*offset).into()));
            integer(&mut span, 2, u64::from(*length));
            bytes(&mut message, field, &span);
        }
    }
    integer(&mut message, 14, h.reset_hint as u64);
    integer(&mut message, 15, time_ms as u64);
    bytes(&mut message, 16, &doubles(&h.custom_bounds));
    message
}

/// Each count as the difference to the one before.
fn deltas(counts: &[u64]) -> Vec<u8> {
    let mut packed = Vec::new();
    let mut last = 0;
    for count in counts {
        varint(&mut packed, zigzag(count.wrapping_sub(last) as i64));
        last = *count;
    }
    packed
}

fn doubles(values: &[f64]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn integer(out: &mut Vec<u8>, field: u64, value: u64) {
    varint(out, field << 3);
    varint(out, value);
}

fn double(out: &mut Vec<u8>, field: u64, value: f64) {
    varint(out, field << 3 | 1);
    out.extend(value.to_le_bytes());
}

fn bytes(out: &mut Vec<u8>, field: u64, value: &[u8]) {
    varint(out, field << 3 | 2);
    varint(out, value.len() as u64);
    out.extend(value);
}

/// Snappy's block format with nothing but literals: a length, and pieces that are copied as they are.
fn snappy(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() + 16);
    varint(&mut out, body.len() as u64);
    for piece in body.chunks(1 << 16) {
        // 61 << 2: a literal whose length, less one, follows in two bytes.
        out.push(61 << 2);
        out.extend(((piece.len() - 1) as u16).to_le_bytes());
        out.extend(piece);
    }
    out
}
