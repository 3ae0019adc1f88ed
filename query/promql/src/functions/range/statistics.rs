//! What the samples of a window come to together: sums, means, counts and deviations.

use model::Error;

use super::{Args, Workspace, histograms};
use crate::histogram::FloatHistogram;
use crate::note::{Note, Notes};
use crate::summation::{Mean, Sum};
use crate::value::{Value, Window};

/// The sum.
pub(super) fn sum(window: &Window<'_>, args: &Args<'_>, work: &mut Workspace) -> Result<Option<Value>, Error> {
    Ok(of_one_kind(window, args, work, histograms::sum, |values| {
        let mut sum = Sum::default();
        values.iter().for_each(|value| sum.add(*value));
        if sum.rounded.is_infinite() { sum.rounded } else { sum.total() }
    }))
}

/// The mean.
pub(super) fn mean(window: &Window<'_>, args: &Args<'_>, work: &mut Workspace) -> Result<Option<Value>, Error> {
    Ok(of_one_kind(window, args, work, histograms::mean, mean_of))
}

fn mean_of(values: &[f64]) -> f64 {
    let mut sum = Sum::default();
    values.iter().for_each(|value| sum.add(*value));
    if sum.rounded.is_finite() {
        // No sum on the way was infinite, so that the mean is that of the sum: no need to watch for it number by number.
        let count = values.len() as f64;
        return sum.rounded / count + sum.lost / count;
    }
    let mut mean = Mean::default();
    values.iter().for_each(|value| mean.add(*value));
    mean.mean()
}

/// Reduces the numbers of a window, or its histograms, unless there are both.
fn of_one_kind(
    window: &Window<'_>,
    args: &Args<'_>,
    work: &mut Workspace,
    reduce_histograms: fn(&Window<'_>, &str, &mut Notes) -> Option<FloatHistogram>,
    reduce: impl Fn(&[f64]) -> f64,
) -> Option<Value> {
    if window.histograms.is_empty() {
        return (!window.values.is_empty()).then(|| Value::Float(reduce(window.values)));
    }
    if !window.values.is_empty() {
        work.notes.add(Note::MixedFloatsHistograms(args.metric.to_owned()));
        return None;
    }
    reduce_histograms(window, args.metric, &mut work.notes).map(Value::from)
}

/// How many samples there are.
pub(super) fn count(window: &Window<'_>, _: &Args<'_>, _: &mut Workspace) -> Result<Option<Value>, Error> {
    let count = window.values.len() + window.histograms.len();
    Ok((count > 0).then_some(Value::Float(count as f64)))
}

/// One, if there is any sample. For `absent_over_time` that is a step at which the series is there.
pub(super) fn present(window: &Window<'_>, _: &Args<'_>, _: &mut Workspace) -> Result<Option<Value>, Error> {
    Ok((!window.is_empty()).then_some(Value::Float(1.0)))
}

/// The variance.
pub(super) fn variance(window: &Window<'_>, args: &Args<'_>, work: &mut Workspace) -> Result<Option<Value>, Error> {
    Ok(of_numbers(window, args, work).map(|values| Value::Float(variance_of(values))))
}

/// The standard deviation.
pub(super) fn standard_deviation(
    window: &Window<'_>,
    args: &Args<'_>,
    work: &mut Workspace,
) -> Result<Option<Value>, Error> {
    Ok(of_numbers(window, args, work).map(|values| Value::Float(variance_of(values).sqrt())))
}

/// The numbers of a window, if there are any, with a note where histograms are passed over.
pub(super) fn of_numbers<'a>(window: &Window<'a>, args: &Args<'_>, work: &mut Workspace) -> Option<&'a [f64]> {
    if window.values.is_empty() {
        return None;
    }
    if !window.histograms.is_empty() {
        work.notes.add(Note::HistogramIgnoredInMixedRange(args.metric.to_owned()));
    }
    Some(window.values)
}

/// The variance after Welford, its sums compensated.
fn variance_of(values: &[f64]) -> f64 {
    let (mut mean, mut squares, mut count) = (Sum::default(), Sum::default(), 0.0);
    for &value in values {
        count += 1.0;
        let distance = value - mean.total();
        mean.add(distance / count);
        squares.add(distance * (value - mean.total()));
    }
    squares.total() / count
}
