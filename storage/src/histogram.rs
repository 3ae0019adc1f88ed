//! Packing native histograms into few bytes: shared by the head's runs and the journal's records.
//!
//! A histogram says only what differs from the one before: mostly its shape (schema, spans, bounds, threshold, start) is
//! the same and its counts have grown a little. Byte-exact description: `docs/formats/record.md`.

use model::Error;
use model::histogram::{BucketCounts, Counts, NativeHistogram, ResetHint, Span};

use crate::codec::{Reader, ValueDecoder, ValueEncoder, damaged, put_signed, put_varint};

/// The counts are doubles.
const FLOAT: u8 = 1;
/// The shape is that of the histogram before, and so is the type of the counts.
const SAME_SHAPE: u8 = 2;
/// It says since when it counts.
const HAS_START: u8 = 4;

/// Packs histograms.
#[derive(Debug, Default, Clone)]
pub(crate) struct HistogramEncoder {
    before: Option<Box<NativeHistogram>>,
    sums: ValueEncoder,
}

impl HistogramEncoder {
    /// Appends one histogram, whose spans must fit its buckets.
    pub(crate) fn put(&mut self, out: &mut Vec<u8>, histogram: &NativeHistogram) {
        let before = self.before.as_deref().filter(|before| has_same_shape(before, histogram));
        let is_float = matches!(histogram.counts, Counts::Float(_));
        let flags = [(is_float, FLOAT), (before.is_some(), SAME_SHAPE), (histogram.start_ms.is_some(), HAS_START)];
        out.push(flags.iter().filter(|(holds, _)| *holds).map(|(_, flag)| flag).sum());
        if before.is_none() {
            put_shape(out, histogram);
        }
        self.sums.put(out, histogram.sum.to_bits());
        match (&histogram.counts, before.map(|before| &before.counts)) {
            (Counts::Integer(counts), Some(Counts::Integer(before))) => {
                for (count, before) in all(counts).zip(all(before)) {
                    put_signed(out, count.wrapping_sub(*before) as i64);
                }
            }
            (Counts::Integer(counts), _) => all(counts).for_each(|count| put_varint(out, *count)),
            (Counts::Float(counts), Some(Counts::Float(before))) => {
                for (count, before) in all(counts).zip(all(before)) {
                    put_varint(out, (count.to_bits() ^ before.to_bits()).swap_bytes());
                }
            }
            (Counts::Float(counts), _) => all(counts).for_each(|count| put_varint(out, count.to_bits().swap_bytes())),
        }
        match &mut self.before {
            Some(before) => before.as_mut().clone_from(histogram),
            None => self.before = Some(Box::new(histogram.clone())),
        }
    }

    /// Bytes of memory taken by what it remembers.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.before.as_deref().map_or(0, memory_bytes)
    }
}

/// Bytes of memory that a histogram takes, roughly.
pub(crate) fn memory_bytes(histogram: &NativeHistogram) -> usize {
    let spans = histogram.positive_spans.len() + histogram.negative_spans.len();
    let numbers = spans + histogram.custom_bounds.len() + histogram.buckets();
    size_of::<NativeHistogram>() + 8 * numbers
}

/// The count, those of the zero bucket, of the positive and of the negative buckets.
fn all<T>(counts: &BucketCounts<T>) -> impl Iterator<Item = &T> {
    [&counts.count, &counts.zero].into_iter().chain(&counts.positive).chain(&counts.negative)
}

fn has_same_shape(a: &NativeHistogram, b: &NativeHistogram) -> bool {
    let bits = |bounds: &[f64]| bounds.iter().map(|bound| bound.to_bits()).collect::<Vec<_>>();
    (a.schema, a.reset_hint, a.start_ms) == (b.schema, b.reset_hint, b.start_ms)
        && std::mem::discriminant(&a.counts) == std::mem::discriminant(&b.counts)
        && a.zero_threshold.to_bits() == b.zero_threshold.to_bits()
        && a.positive_spans == b.positive_spans
        && a.negative_spans == b.negative_spans
        && a.custom_bounds.len() == b.custom_bounds.len()
        && (a.custom_bounds.is_empty() || bits(&a.custom_bounds) == bits(&b.custom_bounds))
}

fn put_shape(out: &mut Vec<u8>, histogram: &NativeHistogram) {
    put_signed(out, i64::from(histogram.schema));
    out.push(histogram.reset_hint as u8);
    if let Some(start_ms) = histogram.start_ms {
        put_signed(out, start_ms);
    }
    out.extend_from_slice(&histogram.zero_threshold.to_bits().to_le_bytes());
    put_varint(out, histogram.custom_bounds.len() as u64);
    for bound in &histogram.custom_bounds {
        out.extend_from_slice(&bound.to_bits().to_le_bytes());
    }
    for spans in [&histogram.positive_spans, &histogram.negative_spans] {
        put_varint(out, spans.len() as u64);
        for span in spans {
            put_signed(out, i64::from(span.offset));
            put_varint(out, u64::from(span.length));
        }
    }
}

/// The inverse of [`HistogramEncoder`]. Total over any bytes.
#[derive(Debug, Default)]
pub(crate) struct HistogramDecoder {
    before: Option<NativeHistogram>,
    sums: ValueDecoder,
}

impl HistogramDecoder {
    /// Takes one histogram.
    ///
    /// # Errors
    /// `Corrupt` if the bytes are not those of one.
    pub(crate) fn take(&mut self, from: &mut Reader<'_>) -> Result<NativeHistogram, Error> {
        let flags = from.byte()?;
        let is_same = flags & SAME_SHAPE != 0;
        let before = self.before.take();
        let mut histogram = match (is_same, &before) {
            (true, Some(before)) => before.clone(),
            (true, None) => return Err(damaged("a first histogram that is like the one before")),
            (false, _) => shape(from, flags)?,
        };
        histogram.sum = f64::from_bits(self.sums.take(from)?);
        // A bucket takes at least a byte, so no more room is made than there are bytes.
        let buckets = [buckets(&histogram.positive_spans), buckets(&histogram.negative_spans)];
        if buckets[0].saturating_add(buckets[1]) > from.left() as u64 {
            return Err(damaged("a histogram of more buckets than bytes"));
        }
        let before = before.as_ref().filter(|_| is_same).map(|before| &before.counts);
        histogram.counts = match before {
            Some(Counts::Integer(before)) => Counts::Integer(take_counts(buckets, Some(before), |before| {
                Ok(before.unwrap_or_default().wrapping_add(from.signed()? as u64))
            })?),
            Some(Counts::Float(before)) => Counts::Float(take_counts(buckets, Some(before), |before| {
                let before = before.unwrap_or_default().to_bits();
                Ok(f64::from_bits(from.varint()?.swap_bytes() ^ before))
            })?),
            None if flags & FLOAT != 0 => {
                Counts::Float(take_counts(buckets, None, |_| Ok(f64::from_bits(from.varint()?.swap_bytes())))?)
            }
            None => Counts::Integer(take_counts(buckets, None, |_| from.varint())?),
        };
        self.before = Some(histogram.clone());
        Ok(histogram)
    }
}

fn shape(from: &mut Reader<'_>, flags: u8) -> Result<NativeHistogram, Error> {
    let schema = i8::try_from(from.signed()?).map_err(|_| damaged("a histogram of an impossible schema"))?;
    let reset_hint = ResetHint::from_u8(from.byte()?).ok_or_else(|| damaged("an unknown reset hint"))?;
    let start_ms = if flags & HAS_START != 0 { Some(from.signed()?) } else { None };
    let zero_threshold = double(from)?;
    let custom_bounds = (0..from.count()?).map(|_| double(from)).collect::<Result<_, _>>()?;
    let mut spans = || {
        let span = |from: &mut Reader<'_>| {
            let offset = i32::try_from(from.signed()?).map_err(|_| damaged("an impossible span"))?;
            let length = u32::try_from(from.varint()?).map_err(|_| damaged("an impossible span"))?;
            Ok::<_, Error>(Span { offset, length })
        };
        (0..from.count()?).map(|_| span(from)).collect::<Result<Vec<_>, _>>()
    };
    let (positive_spans, negative_spans) = (spans()?, spans()?);
    let empty = NativeHistogram::stale();
    Ok(NativeHistogram {
        schema,
        reset_hint,
        start_ms,
        zero_threshold,
        custom_bounds,
        positive_spans,
        negative_spans,
        ..empty
    })
}

fn double(from: &mut Reader<'_>) -> Result<f64, Error> {
    let mut bits = [0; 8];
    bits.copy_from_slice(from.bytes(8)?);
    Ok(f64::from_bits(u64::from_le_bytes(bits)))
}

fn buckets(spans: &[Span]) -> u64 {
    spans.iter().map(|span| u64::from(span.length)).sum()
}

fn take_counts<T: Copy>(
    [positive, negative]: [u64; 2],
    before: Option<&BucketCounts<T>>,
    mut take: impl FnMut(Option<T>) -> Result<T, Error>,
) -> Result<BucketCounts<T>, Error> {
    let (count, zero) = (take(before.map(|before| before.count))?, take(before.map(|before| before.zero))?);
    let mut side = |buckets: u64, before: Option<&Vec<T>>| {
        let at = |place: u64| before.and_then(|before| before.get(place as usize).copied());
        (0..buckets).map(|place| take(at(place))).collect::<Result<Vec<T>, Error>>()
    };
    let positive = side(positive, before.map(|before| &before.positive))?;
    let negative = side(negative, before.map(|before| &before.negative))?;
    Ok(BucketCounts { count, zero, positive, negative })
}

#[cfg(test)]
mod tests;
