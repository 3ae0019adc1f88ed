//! Functions over the native histograms of a window: `rate`, `increase`, `delta`, `irate`, `idelta`, `sum_over_time` and
//! `avg_over_time`.
//!
//! What a window that has numbers too comes to is the caller's matter, as is which two samples `irate` and `idelta` take.

use super::boundary::Boundary;
use super::rate::{Growth, Sampled};
use crate::histogram::interpolation::interpolate;
use crate::histogram::{FloatHistogram, HistogramMean, HistogramSum, MixedBuckets, ResetHint};
use crate::note::{Note, Notes, Operation};
use crate::value::Window;

/// A sample of a series of native histograms.
type Sample = (i64, FloatHistogram);

/// The growth over a window that meets its samples in some way.
///
/// `metric` is the name of the metric, for notes.
pub(super) fn grown(
    window: &Window<'_>,
    growth: Growth,
    boundary: Boundary,
    metric: &str,
    notes: &mut Notes,
) -> Option<FloatHistogram> {
    match boundary {
        Boundary::Open => extrapolated(window, growth, metric, notes),
        Boundary::Anchored => extended(window, growth, false, metric, notes),
        Boundary::Smoothed => extended(window, growth, true, metric, notes),
    }
}

/// The growth between the first and the last histogram, carried on to the ends of the window.
fn extrapolated(window: &Window<'_>, growth: Growth, metric: &str, notes: &mut Notes) -> Option<FloatHistogram> {
    let [(first_ms, first), .., (last_ms, _)] = window.histograms else { return None };
    let mut result = difference(window.histograms, growth.is_counter(), metric, notes)?;
    let sampled = Sampled {
        first_ms: *first_ms,
        last_ms: *last_ms,
        intervals: window.histograms.len() - 1,
        first: first.count,
        growth: result.count,
    };
    result.multiply(sampled.factor(window, growth));
    Some(result)
}

/// The difference of the last and the first histogram, resets of a counter made up for.
fn difference(samples: &[Sample], is_counter: bool, metric: &str, notes: &mut Notes) -> Option<FloatHistogram> {
    let ([(_, first), (_, second), ..], [.., (_, last)]) = (samples, samples) else { return None };
    let between = &samples[1..samples.len() - 1];
    let is_gauge = |histogram: &FloatHistogram| histogram.reset_hint == ResetHint::Gauge;
    // A reset between the first two makes the first one say nothing, its buckets neither.
    let nothing = FloatHistogram::empty(second.schema, second.custom_bounds.clone());
    let mut before = if is_counter && second.is_reset_since(first) { &nothing } else { first };
    let is_mixed = |histogram: &FloatHistogram| histogram.has_custom_buckets() != before.has_custom_buckets();
    if is_mixed(last) {
        if is_counter && (is_gauge(first) || is_gauge(last)) {
            notes.add(Note::NativeHistogramNotCounter(metric.to_owned()));
        }
        notes.add(Note::MixedExponentialCustomHistograms(metric.to_owned()));
        return None;
    }
    let mut schema = last.schema.min(before.schema);
    if is_counter {
        if between.iter().any(|(_, histogram)| is_mixed(histogram)) {
            notes.add(Note::MixedExponentialCustomHistograms(metric.to_owned()));
            return None;
        }
        schema = between.iter().map(|(_, histogram)| histogram.schema).fold(schema, i8::min);
        if samples.iter().any(|(_, histogram)| is_gauge(histogram)) {
            notes.add(Note::NativeHistogramNotCounter(metric.to_owned()));
        }
    } else if !(is_gauge(first) && is_gauge(last)) {
        notes.add(Note::NativeHistogramNotGauge(metric.to_owned()));
    }
    let mut result = last.clone();
    result.reduce_to(schema);
    if result.subtract(before).ok()?.bounds_reconciled {
        notes.add(Note::MismatchedCustomBuckets(Operation::Subtraction));
    }
    if is_counter {
        for (_, histogram) in &samples[1..] {
            if histogram.is_reset_since(before) && result.add(before).ok()?.bounds_reconciled {
                notes.add(Note::MismatchedCustomBuckets(Operation::Addition));
            }
            before = histogram;
        }
    }
    result.reset_hint = ResetHint::Gauge;
    result.compact();
    Some(result)
}

/// The growth over a window from one end of it to the other, where samples beyond its ends are known.
///
/// The histogram at its beginning is the last one that is not behind it, or the first; smoothed, what lies between the
/// samples around it. The one at its end is the last; smoothed, what lies between.
fn extended(
    window: &Window<'_>,
    growth: Growth,
    is_smoothed: bool,
    metric: &str,
    notes: &mut Notes,
) -> Option<FloatHistogram> {
    let all = window.histograms;
    let mut last = all.len().checked_sub(1)?;
    let first = all[..last].partition_point(|(time, _)| *time <= window.start_ms).saturating_sub(1);
    if is_smoothed {
        last = all[..last].partition_point(|(time, _)| *time < window.end_ms);
    }
    if all[last].0 <= window.start_ms || (is_smoothed && all[first].0 > window.end_ms) {
        return None;
    }
    let samples = all.get(first..=last)?;
    let result = extended_or_mixed(window, samples, growth, is_smoothed, metric, notes);
    if result.is_err() {
        notes.add(Note::MixedExponentialCustomHistograms(metric.to_owned()));
    }
    let mut result = result.ok()?;
    if growth == Growth::Rate {
        result.divide(growth.divisor(window));
    }
    result.reset_hint = ResetHint::Gauge;
    result.compact();
    Some(result)
}

fn extended_or_mixed(
    window: &Window<'_>,
    samples: &[Sample],
    growth: Growth,
    is_smoothed: bool,
    metric: &str,
    notes: &mut Notes,
) -> Result<FloatHistogram, MixedBuckets> {
    let is_counter = growth.is_counter();
    let [first, ..] = samples else { return Err(MixedBuckets) };
    for (_, histogram) in samples {
        if histogram.has_custom_buckets() != first.1.has_custom_buckets() {
            return Err(MixedBuckets);
        }
        if is_counter && histogram.reset_hint == ResetHint::Gauge {
            notes.add(Note::NativeHistogramNotCounter(metric.to_owned()));
        }
    }
    let left = match samples {
        [before, after, ..] if is_smoothed && before.0 < window.start_ms => {
            interpolate(before, after, window.start_ms, is_counter, notes)?
        }
        _ => first.1.clone(),
    };
    let right = match samples {
        [.., before, after] if is_smoothed && after.0 > window.end_ms => {
            interpolate(before, after, window.end_ms, is_counter, notes)?
        }
        [.., last] => last.1.clone(),
        [] => return Err(MixedBuckets),
    };
    if !is_counter && [&left, &right].iter().any(|histogram| histogram.reset_hint != ResetHint::Gauge) {
        notes.add(Note::NativeHistogramNotGauge(metric.to_owned()));
    }
    let mut result = right.clone();
    if result.subtract(&left)?.bounds_reconciled {
        notes.add(Note::MismatchedCustomBuckets(Operation::Subtraction));
    }
    if is_counter {
        let is_left_between = is_smoothed && first.0 < window.start_ms;
        if let Some(lost) = lost_in_resets(samples, &left, &right, is_left_between, notes)?
            && result.add(&lost)?.bounds_reconciled
        {
            notes.add(Note::MismatchedCustomBuckets(Operation::Addition));
        }
    }
    Ok(result)
}

/// What a counter had before each of its resets, taken together.
fn lost_in_resets(
    samples: &[Sample],
    left: &FloatHistogram,
    right: &FloatHistogram,
    is_left_between: bool,
    notes: &mut Notes,
) -> Result<Option<FloatHistogram>, MixedBuckets> {
    let (mut before, mut rest) = (left, &samples[1..]);
    if let [(_, second), behind @ ..] = rest
        && is_left_between
        && second.is_reset_since(&samples[0].1)
    {
        // What is at the beginning was taken for what came after that reset.
        (before, rest) = (second, behind);
    }
    // The last sample is the one at the end, or what is there has its hint.
    let [between @ .., _] = rest else { return Ok(None) };
    let mut lost: Option<FloatHistogram> = None;
    for histogram in between.iter().map(|(_, histogram)| histogram).chain([right]) {
        if histogram.is_reset_since(before) {
            match &mut lost {
                None => lost = Some(before.clone()),
                Some(lost) => {
                    if lost.add(before)?.bounds_reconciled {
                        notes.add(Note::MismatchedCustomBuckets(Operation::Addition));
                    }
                }
            }
        }
        before = histogram;
    }
    Ok(lost)
}

/// The change from one histogram to the next one, of a counter in a second (`irate`), otherwise of a gauge (`idelta`).
pub(super) fn instant_change(
    before: &Sample,
    after: &Sample,
    is_counter: bool,
    metric: &str,
    notes: &mut Notes,
) -> Option<FloatHistogram> {
    let ((start_ms, first), (end_ms, last)) = (before, after);
    let gauges = [first, last].iter().filter(|histogram| histogram.reset_hint == ResetHint::Gauge).count();
    if is_counter && gauges > 0 {
        notes.add(Note::NativeHistogramNotCounter(metric.to_owned()));
    }
    if !is_counter && gauges < 2 {
        notes.add(Note::NativeHistogramNotGauge(metric.to_owned()));
    }
    let mut result = last.clone();
    if !(is_counter && last.is_reset_since(first)) {
        match result.subtract(first) {
            Ok(combined) if combined.bounds_reconciled => {
                notes.add(Note::MismatchedCustomBuckets(Operation::Subtraction));
            }
            Ok(_) => {}
            Err(MixedBuckets) => {
                notes.add(Note::MixedExponentialCustomHistograms(metric.to_owned()));
                return None;
            }
        }
    }
    result.reset_hint = ResetHint::Gauge;
    result.compact();
    if is_counter {
        result.divide(seconds(end_ms - start_ms));
    }
    Some(result)
}

/// The histogram at a time, on the line between the samples around it, or the last one where none has come after it. What
/// two gauges are around is no counter.
pub fn smoothed(window: &Window<'_>, time_ms: i64, metric: &str, notes: &mut Notes) -> Option<FloatHistogram> {
    let next = window.histograms.partition_point(|(time, _)| *time < time_ms);
    match (next.checked_sub(1).map(|before| &window.histograms[before]), window.histograms.get(next)) {
        (_, Some((time, histogram))) if *time == time_ms => Some(histogram.clone()),
        (Some(before), Some(after)) => {
            let is_counter = [before, after].iter().any(|(_, histogram)| histogram.reset_hint != ResetHint::Gauge);
            if before.1.has_custom_buckets() != after.1.has_custom_buckets() {
                notes.add(Note::MixedExponentialCustomHistograms(metric.to_owned()));
                return None;
            }
            interpolate(before, after, time_ms, is_counter, notes).ok()
        }
        (Some((_, before)), None) => Some(FloatHistogram { reset_hint: ResetHint::Unknown, ..before.clone() }),
        (None, _) => None,
    }
}

/// The sum of all histograms of a window: `sum_over_time`.
pub(super) fn sum(window: &Window<'_>, metric: &str, notes: &mut Notes) -> Option<FloatHistogram> {
    let ((_, first), rest) = window.histograms.split_first()?;
    let mut sum = HistogramSum::new(first.clone());
    if rest.iter().try_for_each(|(_, histogram)| sum.add(histogram)).is_err() {
        notes.add(Note::MixedExponentialCustomHistograms(metric.to_owned()));
        return None;
    }
    sum.note(notes);
    Some(sum.into_sum())
}

/// The mean of all histograms of a window: `avg_over_time`.
pub(super) fn mean(window: &Window<'_>, metric: &str, notes: &mut Notes) -> Option<FloatHistogram> {
    let ((_, first), rest) = window.histograms.split_first()?;
    let mut mean = HistogramMean::new(first.clone());
    if rest.iter().try_for_each(|(_, histogram)| mean.add(histogram)).is_err() {
        notes.add(Note::MixedExponentialCustomHistograms(metric.to_owned()));
        return None;
    }
    mean.note(notes);
    Some(mean.into_mean())
}

fn seconds(duration_ms: i64) -> f64 {
    duration_ms as f64 / 1000.0
}

#[cfg(test)]
mod tests;
