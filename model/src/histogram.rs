//! Native histograms: one sample is a whole distribution.
//!
//! Owns: what a histogram is made of, and which ones are sound.
//! Does not own: how it is written on a wire (`decode`), in a journal or a table (`storage`).
//!
//! Source: <https://prometheus.io/docs/specs/native_histograms/>

use crate::Error;
use crate::batch::is_stale;

/// The schema of histograms whose buckets have bounds of their own.
pub const CUSTOM_BUCKETS: i8 = -53;
/// The coarsest exponential schema: each bucket is 65536 times as high as the one before.
pub const MIN_SCHEMA: i8 = -4;
/// The finest exponential schema: 256 buckets from a power of two to the next.
pub const MAX_SCHEMA: i8 = 8;

/// One native histogram: how many observations fell into each bucket.
///
/// Bucket `i` of an exponential schema holds what is above `base^(i-1)` up to and with `base^i`, where base is
/// `2^(2^-schema)`; of negative observations the same with the sign turned. Bucket `i` of [`CUSTOM_BUCKETS`] holds what
/// is above bound `i-1` up to and with bound `i`, the bucket behind the last bound all above it.
#[derive(Debug, Clone, PartialEq)]
pub struct NativeHistogram {
    /// [`MIN_SCHEMA`] to [`MAX_SCHEMA`], or [`CUSTOM_BUCKETS`].
    pub schema: i8,
    /// Whether it has been reset since the sample before.
    pub reset_hint: ResetHint,
    /// Since when it counts, in milliseconds since the Unix epoch, if the sender said so.
    pub start_ms: Option<i64>,
    /// The sum of all observations. [`crate::batch::STALE_NAN_BITS`] says that the series ended; nothing else counts then.
    pub sum: f64,
    /// Observations from `-zero_threshold` to `zero_threshold` are in the zero bucket.
    pub zero_threshold: f64,
    /// The bounds of [`CUSTOM_BUCKETS`], ascending; empty for others.
    pub custom_bounds: Vec<f64>,
    /// Which buckets of positive observations there are.
    pub positive_spans: Vec<Span>,
    /// Which buckets of negative observations there are.
    pub negative_spans: Vec<Span>,
    /// What is in them.
    pub counts: Counts,
}

/// A run of neighbouring buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Buckets between the run before and this one; of the first run the index of its first bucket.
    pub offset: i32,
    /// How many buckets it has.
    pub length: u32,
}

/// What is in the buckets: observations of an integer histogram, or of one that was computed.
#[derive(Debug, Clone, PartialEq)]
pub enum Counts {
    /// Whole observations.
    Integer(BucketCounts<u64>),
    /// Any weight, as of a histogram of rates.
    Float(BucketCounts<f64>),
}

/// How many observations, bucket by bucket; none is relative to another.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BucketCounts<T> {
    /// All observations.
    pub count: T,
    /// Those in the zero bucket.
    pub zero: T,
    /// Those of each bucket of the positive spans, in order.
    pub positive: Vec<T>,
    /// Those of each bucket of the negative spans, in order.
    pub negative: Vec<T>,
}

/// What a sender says of a reset before a histogram.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub enum ResetHint {
    /// Nothing: the counts have to be compared.
    #[default]
    Unknown = 0,
    /// It was reset.
    Reset = 1,
    /// It was not.
    NoReset = 2,
    /// It goes up and down, resets have no meaning.
    Gauge = 3,
}

impl ResetHint {
    /// All hints, in the order of their numbers.
    pub const ALL: [ResetHint; 4] = [ResetHint::Unknown, ResetHint::Reset, ResetHint::NoReset, ResetHint::Gauge];

    /// The word in the tables.
    pub fn as_str(self) -> &'static str {
        ["unknown", "reset", "no_reset", "gauge"][self as usize]
    }

    /// The hint of a number that `hint as u8` gave, which is also its number in Prometheus' messages.
    pub fn from_u8(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

impl NativeHistogram {
    /// The sample that ends a series of native histograms.
    pub fn stale() -> Self {
        NativeHistogram {
            schema: 0,
            reset_hint: ResetHint::Unknown,
            start_ms: None,
            sum: f64::from_bits(crate::batch::STALE_NAN_BITS),
            zero_threshold: 0.0,
            custom_bounds: Vec::new(),
            positive_spans: Vec::new(),
            negative_spans: Vec::new(),
            counts: Counts::Integer(BucketCounts::default()),
        }
    }

    /// Whether it says that its series ended.
    pub fn is_stale(&self) -> bool {
        is_stale(self.sum)
    }

    /// How many buckets it has, the zero bucket left aside.
    pub fn buckets(&self) -> usize {
        match &self.counts {
            Counts::Integer(counts) => counts.positive.len() + counts.negative.len(),
            Counts::Float(counts) => counts.positive.len() + counts.negative.len(),
        }
    }

    /// Checks what every reader may rely on: spans and buckets fit, nothing is negative, the count is that of the buckets.
    ///
    /// The rules are those of Prometheus (`model/histogram`, `Validate`). A stale histogram is always sound.
    ///
    /// # Errors
    /// `Invalid`, with the first rule that is broken.
    pub fn validate(&self) -> Result<(), Error> {
        if self.is_stale() {
            return Ok(());
        }
        if self.schema == CUSTOM_BUCKETS {
            self.validate_custom()?;
        } else if (MIN_SCHEMA..=MAX_SCHEMA).contains(&self.schema) {
            if !self.custom_bounds.is_empty() {
                return Err(Error::invalid(format!("a histogram of schema {} has bounds of its own", self.schema)));
            }
            if self.zero_threshold.is_nan() || self.zero_threshold < 0.0 {
                return Err(Error::invalid(format!("a histogram has the zero threshold {}", self.zero_threshold)));
            }
        } else {
            let text = format!(
                "a histogram has the schema {}: there are {MIN_SCHEMA} to {MAX_SCHEMA} and {CUSTOM_BUCKETS}",
                self.schema
            );
            return Err(Error::invalid(text));
        }
        match &self.counts {
            Counts::Integer(counts) => {
                check_spans("positive", &self.positive_spans, counts.positive.len())?;
                check_spans("negative", &self.negative_spans, counts.negative.len())?;
                self.check_sum(counts)
            }
            Counts::Float(counts) => {
                check_spans("positive", &self.positive_spans, counts.positive.len())?;
                check_spans("negative", &self.negative_spans, counts.negative.len())?;
                let all = counts.positive.iter().chain(&counts.negative).chain([&counts.count, &counts.zero]);
                match all.into_iter().find(|count| **count < 0.0) {
                    None => Ok(()),
                    Some(count) => Err(Error::invalid(format!("a histogram has the negative count {count}"))),
                }
            }
        }
    }

    fn validate_custom(&self) -> Result<(), Error> {
        let ascends = self.custom_bounds.windows(2).all(|pair| pair[0] < pair[1]);
        if !ascends || self.custom_bounds.iter().any(|bound| !bound.is_finite()) {
            return Err(Error::invalid(
                "the bounds of a histogram with custom buckets do not ascend or are not finite",
            ));
        }
        let mut end = 0i64;
        for span in &self.positive_spans {
            end += i64::from(span.offset) + i64::from(span.length);
        }
        if end > self.custom_bounds.len() as i64 + 1 || self.positive_spans.iter().any(|span| span.offset < 0) {
            let bounds = self.custom_bounds.len();
            return Err(Error::invalid(format!("{bounds} custom bounds are not those of the buckets up to {end}")));
        }
        let is_zero = match &self.counts {
            Counts::Integer(counts) => counts.zero == 0,
            Counts::Float(counts) => counts.zero == 0.0,
        };
        if !is_zero || self.zero_threshold != 0.0 || !self.negative_spans.is_empty() {
            return Err(Error::invalid("a histogram with custom buckets has a zero bucket or negative ones"));
        }
        Ok(())
    }

    /// The tables hold signed numbers; and what is counted must be what is in the buckets.
    fn check_sum(&self, counts: &BucketCounts<u64>) -> Result<(), Error> {
        let buckets = counts.positive.iter().chain(&counts.negative).chain([&counts.zero]);
        let mut total = 0u64;
        for count in buckets {
            total = total.checked_add(*count).ok_or_else(|| too_many(*count))?;
        }
        if counts.count > i64::MAX as u64 || total > i64::MAX as u64 {
            return Err(too_many(counts.count.max(total)));
        }
        // Observations of NaN are counted and in no bucket.
        if total == counts.count || (self.sum.is_nan() && total < counts.count) {
            return Ok(());
        }
        Err(Error::invalid(format!("a histogram counts {} observations, its buckets {total}", counts.count)))
    }

    /// Merges neighbouring buckets until the schema is no finer than `schema`; those with custom buckets stay as they are.
    ///
    /// Two buckets of a schema are one of the next coarser schema: bucket `i` becomes `(i + 1) / 2`, rounded down.
    pub fn reduce_to(&mut self, schema: i8) {
        if self.schema == CUSTOM_BUCKETS || self.schema <= schema {
            return;
        }
        let steps = u32::from(self.schema.abs_diff(schema));
        match &mut self.counts {
            Counts::Integer(counts) => {
                // More than can be counted is no sound histogram, which `validate` says.
                merge(&mut self.positive_spans, &mut counts.positive, steps, u64::saturating_add);
                merge(&mut self.negative_spans, &mut counts.negative, steps, u64::saturating_add);
            }
            Counts::Float(counts) => {
                merge(&mut self.positive_spans, &mut counts.positive, steps, |a, b| a + b);
                merge(&mut self.negative_spans, &mut counts.negative, steps, |a, b| a + b);
            }
        }
        self.schema = schema;
    }
}

#[cold]
fn too_many(count: u64) -> Error {
    Error::invalid(format!("a histogram counts {count} observations or more, at most 2^63 - 1 can be kept"))
}

fn check_spans(side: &str, spans: &[Span], buckets: usize) -> Result<(), Error> {
    let (mut end, mut length) = (0i64, 0usize);
    for (place, span) in spans.iter().enumerate() {
        if place > 0 && span.offset < 0 {
            return Err(Error::invalid(format!("the {side} spans of a histogram overlap")));
        }
        end += i64::from(span.offset) + i64::from(span.length);
        length = length.saturating_add(span.length as usize);
        if i32::try_from(end).is_err() {
            return Err(Error::invalid(format!("the {side} spans of a histogram reach to bucket {end}")));
        }
    }
    if length == buckets {
        return Ok(());
    }
    Err(Error::invalid(format!("the {side} spans of a histogram are {length} buckets long, it has {buckets}")))
}

/// The buckets of some spans with their indices.
pub fn indexed<'a, T: Copy>(spans: &'a [Span], counts: &'a [T]) -> impl Iterator<Item = (i64, T)> + 'a {
    let mut end = 0i64;
    let indices = spans.iter().flat_map(move |span| {
        let start = end + i64::from(span.offset);
        end = start + i64::from(span.length);
        start..end
    });
    indices.zip(counts.iter().copied())
}

/// The spans of buckets given in ascending order of their indices, which must fit 32 bits.
pub fn spans_of(indices: impl IntoIterator<Item = i64>) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    let mut end = 0i64;
    for index in indices {
        match spans.last_mut() {
            Some(span) if index == end => span.length += 1,
            _ => spans.push(Span { offset: (index - end) as i32, length: 1 }),
        }
        end = index + 1;
    }
    spans
}

fn merge<T: Copy>(spans: &mut Vec<Span>, counts: &mut Vec<T>, steps: u32, add: impl Fn(T, T) -> T) {
    let mut merged: Vec<(i64, T)> = Vec::with_capacity(counts.len());
    for (index, count) in indexed(spans, counts) {
        // -1 and +1 since a bucket is named by its upper end.
        let index = ((index - 1) >> steps.min(62)) + 1;
        match merged.last_mut() {
            Some((last, sum)) if *last == index => *sum = add(*sum, count),
            _ => merged.push((index, count)),
        }
    }
    *spans = spans_of(merged.iter().map(|(index, _)| *index));
    *counts = merged.into_iter().map(|(_, count)| count).collect();
}

#[cfg(test)]
mod tests;
