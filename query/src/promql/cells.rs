//! Native histograms in step batches: as bytes, since a column of them is seldom more than empty.
//!
//! Of each: the step, the schema, the reset hint, five numbers, then bounds, spans and counts of both signs, each list behind
//! its length; all little-endian. These bytes never leave the process.

use promql::histogram::{BucketSpan, FloatHistogram, ResetHint};

/// What a bucket of a histogram takes in memory, with its share of the rest.
const BUCKET_BYTES: usize = 16;
/// What a histogram takes without its buckets.
const HISTOGRAM_BYTES: usize = 256;

/// Histograms of one series by step, ascending.
pub(crate) type Cells = Vec<(usize, FloatHistogram)>;

/// Bytes of memory that a histogram takes, roughly.
pub(crate) fn histogram_bytes(histogram: &FloatHistogram) -> usize {
    let buckets = histogram.positive.len() + histogram.negative.len() + histogram.custom_bounds.len();
    HISTOGRAM_BYTES + buckets * BUCKET_BYTES
}

/// Bytes of memory that histograms take, roughly, whatever they stand at.
pub(crate) fn bytes<T>(histograms: &[(T, FloatHistogram)]) -> usize {
    histograms.iter().map(|(_, histogram)| histogram_bytes(histogram)).sum()
}

/// Appends the histograms of a series.
pub(crate) fn encode(cells: &Cells, into: &mut Vec<u8>) {
    for (step, histogram) in cells {
        into.extend((*step as u64).to_le_bytes());
        into.extend([histogram.schema as u8, histogram.reset_hint as u8]);
        let numbers = [histogram.count, histogram.sum, histogram.zero_threshold, histogram.zero_count];
        numbers.into_iter().for_each(|number| into.extend(number.to_bits().to_le_bytes()));
        floats(&histogram.custom_bounds, into);
        for spans in [&histogram.positive_spans, &histogram.negative_spans] {
            into.extend((spans.len() as u32).to_le_bytes());
            for span in spans {
                into.extend(span.offset.to_le_bytes());
                into.extend(span.length.to_le_bytes());
            }
        }
        floats(&histogram.positive, into);
        floats(&histogram.negative, into);
    }
}

fn floats(numbers: &[f64], into: &mut Vec<u8>) {
    into.extend((numbers.len() as u32).to_le_bytes());
    numbers.iter().for_each(|number| into.extend(number.to_bits().to_le_bytes()));
}

/// The histograms that [`encode`] wrote; none more where the bytes end early.
pub(crate) fn decode(bytes: &[u8]) -> Cells {
    let mut reader = Reader(bytes);
    std::iter::from_fn(|| reader.cell()).collect()
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    fn number(&mut self) -> Option<f64> {
        Some(f64::from_bits(u64::from_le_bytes(self.take()?)))
    }

    fn count(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take()?))
    }

    fn numbers(&mut self) -> Option<Vec<f64>> {
        (0..self.count()?).map(|_| self.number()).collect()
    }

    fn spans(&mut self) -> Option<Vec<BucketSpan>> {
        let count = self.count()?;
        let mut span = || Some(BucketSpan { offset: i32::from_le_bytes(self.take()?), length: self.count()? });
        (0..count).map(|_| span()).collect()
    }

    fn cell(&mut self) -> Option<(usize, FloatHistogram)> {
        let step = u64::from_le_bytes(self.take()?) as usize;
        let [schema, hint] = self.take()?;
        let (count, sum, zero_threshold, zero_count) = (self.number()?, self.number()?, self.number()?, self.number()?);
        let custom_bounds = self.numbers()?;
        let (positive_spans, negative_spans) = (self.spans()?, self.spans()?);
        let histogram = FloatHistogram {
            schema: schema as i8,
            reset_hint: ResetHint::from_u8(hint).unwrap_or_default(),
            count,
            sum,
            zero_threshold,
            zero_count,
            custom_bounds,
            positive_spans,
            negative_spans,
            positive: self.numbers()?,
            negative: self.numbers()?,
        };
        Some((step, histogram))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn histograms_come_back() {
        let histogram = FloatHistogram {
            schema: -53,
            reset_hint: ResetHint::Gauge,
            count: 3.5,
            sum: f64::NEG_INFINITY,
            zero_threshold: 0.001,
            zero_count: -0.0,
            custom_bounds: vec![0.5, 1.0],
            positive_spans: vec![BucketSpan { offset: -2, length: 2 }, BucketSpan { offset: 7, length: 1 }],
            negative_spans: Vec::new(),
            positive: vec![1.0, 2.0, 0.5],
            negative: Vec::new(),
        };
        // A range gives milliseconds as steps: a hundred days are more than 32 bits.
        let cells = vec![(0, histogram.clone()), (8_640_000_000, histogram)];
        let mut bytes = Vec::new();
        encode(&cells, &mut bytes);
        assert_eq!(decode(&bytes), cells);
        assert_eq!(decode(&bytes[..bytes.len() - 1]).len(), 1);
        assert!(decode(&[]).is_empty());
    }
}
