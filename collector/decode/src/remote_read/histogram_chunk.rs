//! A chunk of one native histogram, its counts as floating-point numbers, as Prometheus' TSDB packs it.
//!
//! ```text
//! chunk     = 1 (2 bytes, big endian) · flags (1 byte) · zero threshold · schema (signed) · positive spans · negative spans
//!             · custom bounds · sample · padding
//! flags     = two bits of what is known of a reset before it (00 nothing, 10 reset, 01 none, 11 gauge) · 6 zeros
//! threshold = 255 · 64 bits                         spans  = count · (length · signed offset) of each
//! bounds    = count · (0 · 64 bits) of each, of schema −53 alone
//! sample    = time (signed) · count · zero count · sum · positive buckets · negative buckets, 64 bits each
//!
//! number    0                        0
//!           10 · 3 bits              below 2^3, signed −3 … 4
//!           110 · 6, 1110 · 9, 11110 · 12, 111110 · 18, 1111110 · 25, 11111110 · 56 and 11111111 · 64 bits likewise
//! ```
//!
//! One alone, because of all histograms but the first a chunk says that there was no reset before them, or that they are
//! gauges. Whoever calculates with them would believe that without a look at the counts.
//!
//! Source: `chunks.md` of Prometheus' TSDB

use model::histogram::{CUSTOM_BUCKETS, Counts, NativeHistogram, ResetHint, Span};

use super::bits::BitWriter;

/// Says that the zero threshold follows as it is.
const THRESHOLD_FOLLOWS: u64 = 255;
/// How many bits a number may take, and what stands before them: so many ones, and a zero unless it is the last.
const WIDTHS: [u32; 8] = [3, 6, 9, 12, 18, 25, 56, 64];

/// The chunk of a histogram with its time in milliseconds.
pub(super) fn float_histogram_chunk(time_ms: i64, histogram: &NativeHistogram) -> Vec<u8> {
    let flags = match histogram.reset_hint {
        ResetHint::Unknown => 0b00 << 6,
        ResetHint::Reset => 0b10 << 6,
        ResetHint::NoReset => 0b01 << 6,
        ResetHint::Gauge => 0b11 << 6,
    };
    let mut bits = BitWriter::behind(vec![0, 1, flags]);
    bits.put(THRESHOLD_FOLLOWS, 8);
    bits.put(histogram.zero_threshold.to_bits(), 64);
    signed(&mut bits, i64::from(histogram.schema));
    spans(&mut bits, &histogram.positive_spans);
    spans(&mut bits, &histogram.negative_spans);
    if histogram.schema == CUSTOM_BUCKETS {
        unsigned(&mut bits, histogram.custom_bounds.len() as u64);
        for bound in &histogram.custom_bounds {
            bits.put(0, 1);
            bits.put(bound.to_bits(), 64);
        }
    }
    signed(&mut bits, time_ms);
    let mut float = |number: f64| bits.put(number.to_bits(), 64);
    match &histogram.counts {
        Counts::Float(counts) => {
            [counts.count, counts.zero, histogram.sum].into_iter().for_each(&mut float);
            counts.positive.iter().chain(&counts.negative).copied().for_each(float);
        }
        Counts::Integer(counts) => {
            [counts.count as f64, counts.zero as f64, histogram.sum].into_iter().for_each(&mut float);
            counts.positive.iter().chain(&counts.negative).map(|count| *count as f64).for_each(float);
        }
    }
    bits.finish()
}

fn spans(bits: &mut BitWriter, spans: &[Span]) {
    unsigned(bits, spans.len() as u64);
    for span in spans {
        unsigned(bits, u64::from(span.length));
        signed(bits, i64::from(span.offset));
    }
}

fn unsigned(bits: &mut BitWriter, number: u64) {
    number_of(bits, number, |width| width == 64 || number < 1 << width);
}

/// The largest positive number is one more than that of two's complement.
fn signed(bits: &mut BitWriter, number: i64) {
    let half = |width: u32| 1i64 << (width - 1);
    number_of(bits, number as u64, |width| width == 64 || (1 - half(width)..=half(width)).contains(&number));
}

/// Writes a number within the narrowest width that it fits.
fn number_of(bits: &mut BitWriter, number: u64, fits: impl Fn(u32) -> bool) {
    if number == 0 {
        return bits.put(0, 1);
    }
    let place = WIDTHS.iter().position(|width| fits(*width)).unwrap_or(WIDTHS.len() - 1);
    let ones = place as u32 + 1;
    let is_last = place == WIDTHS.len() - 1;
    bits.put((1 << ones) - 1, ones);
    if !is_last {
        bits.put(0, 1);
    }
    bits.put(number, WIDTHS[place]);
}

#[cfg(test)]
mod tests;
