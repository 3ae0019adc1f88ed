//! What deltas add up to. Pure.

use model::NativeHistogram;
use model::histogram::{BucketCounts, CUSTOM_BUCKETS, Counts, MIN_SCHEMA, indexed, spans_of};

/// Buckets of two histograms that are added as finely as they are: an SDK sends up to 160 of each sign.
const MAX_BUCKETS: usize = 4096;

/// What the deltas of a series add up to.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sum {
    /// The time of the last delta.
    pub(super) time_ms: i64,
    /// The begin of the first one, if it is known.
    pub(super) start_ms: Option<i64>,
    pub(super) amount: Amount,
}

/// What is added up.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Amount {
    Number(f64),
    Native(Box<NativeHistogram>),
}

/// A delta of a series.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Added {
    pub(super) time_ms: i64,
    /// The begin of the time in which it was added; 0 if unknown.
    pub(super) start_ms: i64,
    pub(super) amount: Amount,
}

impl Sum {
    /// What there is after a delta; none if the delta is not after what there is.
    pub(super) fn after(before: Option<&Sum>, added: Added) -> Option<Sum> {
        let Added { time_ms, start_ms, amount } = added;
        let total = match before {
            Some(before) if before.time_ms >= time_ms => return None,
            Some(before) => before.amount.plus(&amount).map(|amount| (before.start_ms, amount)),
            None => None,
        };
        let anew = || ((start_ms > 0 && start_ms <= time_ms).then_some(start_ms), amount);
        let (start_ms, mut amount) = total.unwrap_or_else(anew);
        if let Amount::Native(histogram) = &mut amount {
            histogram.start_ms = start_ms;
        }
        Some(Sum { time_ms, start_ms, amount })
    }
}

impl Amount {
    /// Both together; none if they cannot be added, so that the series has to begin anew.
    fn plus(&self, other: &Amount) -> Option<Amount> {
        match (self, other) {
            (Amount::Number(a), Amount::Number(b)) => Some(Amount::Number(a + b)),
            (Amount::Native(a), Amount::Native(b)) => add(a, b).map(|sum| Amount::Native(Box::new(sum))),
            _ => None,
        }
    }
}

/// Adds two histograms, in the coarser of their schemas.
fn add(a: &NativeHistogram, b: &NativeHistogram) -> Option<NativeHistogram> {
    let is_custom = (a.schema == CUSTOM_BUCKETS, b.schema == CUSTOM_BUCKETS);
    if is_custom.0 != is_custom.1 || a.custom_bounds != b.custom_bounds {
        return None;
    }
    let (mut a, mut b) = (a.clone(), b.clone());
    let schema = a.schema.min(b.schema);
    a.reduce_to(schema);
    b.reduce_to(schema);
    // Deltas that wander would make the sum wider with each of them.
    while a.buckets() + b.buckets() > MAX_BUCKETS {
        let coarser = a.schema.min(b.schema) - 1;
        if is_custom.0 || coarser < MIN_SCHEMA {
            return None;
        }
        a.reduce_to(coarser);
        b.reduce_to(coarser);
    }
    let schema = a.schema;
    let zero_threshold = common_zero(&mut a, &mut b)?;
    let (Counts::Integer(left), Counts::Integer(right)) = (&a.counts, &b.counts) else { return None };
    let (positive_spans, positive) = merged((&a.positive_spans, &left.positive), (&b.positive_spans, &right.positive))?;
    let (negative_spans, negative) = merged((&a.negative_spans, &left.negative), (&b.negative_spans, &right.negative))?;
    let count = left.count.checked_add(right.count)?;
    let zero = left.zero.checked_add(right.zero)?;
    let sum = NativeHistogram {
        schema,
        reset_hint: a.reset_hint,
        start_ms: a.start_ms,
        sum: a.sum + b.sum,
        zero_threshold,
        custom_bounds: a.custom_bounds,
        positive_spans,
        negative_spans,
        counts: Counts::Integer(BucketCounts { count, zero, positive, negative }),
    };
    sum.validate().ok().map(|()| sum)
}

type Spans<'a> = (&'a [model::histogram::Span], &'a [u64]);

/// The buckets of both, by their indices.
fn merged(a: Spans<'_>, b: Spans<'_>) -> Option<(Vec<model::histogram::Span>, Vec<u64>)> {
    let mut left = indexed(a.0, a.1).peekable();
    let mut right = indexed(b.0, b.1).peekable();
    let mut buckets: Vec<(i64, u64)> = Vec::with_capacity(a.1.len().max(b.1.len()));
    loop {
        let next = match (left.peek(), right.peek()) {
            (None, None) => break,
            (Some(&(at, _)), Some(&(other, _))) => at.min(other),
            (Some(&(at, _)), None) | (None, Some(&(at, _))) => at,
        };
        let mut count = 0u64;
        for side in [left.next_if(|(at, _)| *at == next), right.next_if(|(at, _)| *at == next)].into_iter().flatten() {
            count = count.checked_add(side.1)?;
        }
        buckets.push((next, count));
    }
    let spans = spans_of(buckets.iter().map(|(index, _)| *index));
    Some((spans, buckets.into_iter().map(|(_, count)| count).collect()))
}

/// Gives both the same zero bucket: the wider of the two, widened further to the end of any bucket that it reaches into.
///
/// As Prometheus does it (`model/histogram/float_histogram.go`, `reconcileZeroBuckets`).
fn common_zero(a: &mut NativeHistogram, b: &mut NativeHistogram) -> Option<f64> {
    let mut threshold = a.zero_threshold.max(b.zero_threshold);
    while a.zero_threshold != threshold || b.zero_threshold != threshold {
        for histogram in [&mut *a, &mut *b] {
            threshold = widen_zero(histogram, threshold)?;
        }
    }
    Some(threshold)
}

/// Moves all buckets that reach below `threshold` into the zero bucket; gives how wide that became.
fn widen_zero(histogram: &mut NativeHistogram, threshold: f64) -> Option<f64> {
    if histogram.zero_threshold >= threshold {
        return Some(histogram.zero_threshold);
    }
    let schema = histogram.schema;
    let Counts::Integer(counts) = &mut histogram.counts else { return None };
    let mut widened = threshold;
    for (spans, side) in
        [(&mut histogram.positive_spans, &mut counts.positive), (&mut histogram.negative_spans, &mut counts.negative)]
    {
        let mut kept = Vec::with_capacity(side.len());
        for (index, count) in indexed(spans, side) {
            if count > 0 && upper_bound(schema, index - 1) < threshold {
                counts.zero = counts.zero.checked_add(count)?;
                widened = widened.max(upper_bound(schema, index));
            } else {
                kept.push((index, count));
            }
        }
        *spans = spans_of(kept.iter().map(|(index, _)| *index));
        *side = kept.into_iter().map(|(_, count)| count).collect();
    }
    histogram.zero_threshold = widened;
    Some(widened)
}

/// Where bucket `index` of an exponential schema ends.
fn upper_bound(schema: i8, index: i64) -> f64 {
    (index as f64 * (-f64::from(schema)).exp2()).exp2()
}

#[cfg(test)]
mod tests;
