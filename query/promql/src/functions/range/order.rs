//! Single samples of a window: the first and the last one with their times, quantiles, and the median deviation.

use model::Error;

use super::statistics::of_numbers;
use super::{Args, Workspace};
use crate::note::Note;
use crate::number::short_text;
use crate::quantile;
use crate::value::{Value, Window};

/// The first sample.
pub(super) fn first(window: &Window<'_>, _: &Args<'_>, _: &mut Workspace) -> Result<Option<Value>, Error> {
    Ok(match (window.times_ms.first(), window.histograms.first()) {
        (Some(number_ms), Some((histogram_ms, _))) if number_ms < histogram_ms => number(window.values.first()),
        (_, Some((_, histogram))) => Some(Value::from(histogram.clone())),
        (_, None) => number(window.values.first()),
    })
}

/// The last sample.
pub(super) fn last(window: &Window<'_>, _: &Args<'_>, _: &mut Workspace) -> Result<Option<Value>, Error> {
    Ok(match (window.times_ms.last(), window.histograms.last()) {
        (Some(number_ms), Some((histogram_ms, _))) if number_ms > histogram_ms => number(window.values.last()),
        (_, Some((_, histogram))) => Some(Value::from(histogram.clone())),
        (_, None) => number(window.values.last()),
    })
}

fn number(value: Option<&f64>) -> Option<Value> {
    value.copied().map(Value::Float)
}

/// When the first sample was, in seconds.
pub(super) fn time_of_first(window: &Window<'_>, _: &Args<'_>, _: &mut Workspace) -> Result<Option<Value>, Error> {
    let histogram_ms = window.histograms.first().map(|(time_ms, _)| time_ms);
    Ok(window.times_ms.first().into_iter().chain(histogram_ms).min().map(|time_ms| seconds(*time_ms)))
}

/// When the last sample was, in seconds.
pub(super) fn time_of_last(window: &Window<'_>, _: &Args<'_>, _: &mut Workspace) -> Result<Option<Value>, Error> {
    let histogram_ms = window.histograms.last().map(|(time_ms, _)| time_ms);
    Ok(window.times_ms.last().into_iter().chain(histogram_ms).max().map(|time_ms| seconds(*time_ms)))
}

fn seconds(time_ms: i64) -> Value {
    Value::Float(time_ms as f64 / 1000.0)
}

/// A quantile of the numbers.
pub(super) fn quantile(window: &Window<'_>, args: &Args<'_>, work: &mut Workspace) -> Result<Option<Value>, Error> {
    let [quantile, _] = args.scalars;
    let Some(values) = of_numbers(window, args, work) else { return Ok(None) };
    if !(0.0..=1.0).contains(&quantile) {
        work.notes.add(Note::InvalidQuantile(short_text(quantile)));
    }
    let scratch = &mut work.scratch;
    scratch.clear();
    scratch.extend_from_slice(values);
    Ok(Some(Value::Float(quantile::quantile(quantile, scratch))))
}

/// The median of how far the numbers are from their median; none if one of them is none.
pub(super) fn median_deviation(
    window: &Window<'_>,
    args: &Args<'_>,
    work: &mut Workspace,
) -> Result<Option<Value>, Error> {
    let Some(values) = of_numbers(window, args, work) else { return Ok(None) };
    if values.iter().any(|value| value.is_nan()) {
        return Ok(Some(Value::Float(f64::NAN)));
    }
    let scratch = &mut work.scratch;
    scratch.clear();
    scratch.extend_from_slice(values);
    let median = quantile::quantile(0.5, scratch);
    scratch.iter_mut().for_each(|value| *value = (*value - median).abs());
    Ok(Some(Value::Float(quantile::quantile(0.5, scratch))))
}
