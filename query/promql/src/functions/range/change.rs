//! How often neighbouring samples of a window differ: `changes` and `resets`.

use model::Error;

use super::{Args, Boundary, Workspace};
use crate::histogram::FloatHistogram;
use crate::value::{Value, Window};

/// How often the value changed. A number that is none and another one are the same; a histogram is another value than any
/// number.
pub(super) fn changes(window: &Window<'_>, args: &Args<'_>, _: &mut Workspace) -> Result<Option<Value>, Error> {
    let differs = |before: &f64, value: &f64| before != value && !(before.is_nan() && value.is_nan());
    Ok(count(window, args.boundary, differs, |before, histogram| !histogram.equals(before)))
}

/// How often a counter fell. Each change from numbers to histograms or back is a reset too.
pub(super) fn resets(window: &Window<'_>, args: &Args<'_>, _: &mut Workspace) -> Result<Option<Value>, Error> {
    Ok(count(
        window,
        args.boundary,
        |before, value| value < before,
        |before, histogram| histogram.is_reset_since(before),
    ))
}

/// Counts the neighbours in a window that differ.
fn count(
    window: &Window<'_>,
    boundary: Boundary,
    differ: impl Fn(&f64, &f64) -> bool,
    histograms_differ: impl Fn(&FloatHistogram, &FloatHistogram) -> bool,
) -> Option<Value> {
    let window = anchored(window, boundary)?;
    let values = window.values;
    let count = if window.histograms.is_empty() {
        values.iter().zip(&values[1..]).map(|(before, value)| u64::from(differ(before, value))).sum::<u64>()
    } else {
        let mut samples = merged(&window);
        let mut before = samples.next();
        let mut count = 0;
        for sample in samples {
            count += u64::from(match (before, sample) {
                (Some(Sample::Number(before)), Sample::Number(value)) => differ(before, value),
                (Some(Sample::Histogram(before)), Sample::Histogram(value)) => histograms_differ(before, value),
                _ => true,
            });
            before = Some(sample);
        }
        count
    };
    Some(Value::Float(count as f64))
}

/// The samples that count: of an anchored window those within and the one before, if any is within.
fn anchored<'a>(window: &Window<'a>, boundary: Boundary) -> Option<Window<'a>> {
    let mut window = *window;
    if boundary == Boundary::Anchored {
        let numbers = window.times_ms.partition_point(|time| *time <= window.start_ms);
        let histograms = window.histograms.partition_point(|(time, _)| *time <= window.start_ms);
        if numbers == window.times_ms.len() && histograms == window.histograms.len() {
            return None;
        }
        let number_ms = numbers.checked_sub(1).map(|at| window.times_ms[at]);
        let histogram_ms = histograms.checked_sub(1).map(|at| window.histograms[at].0);
        let first = numbers - usize::from(number_ms.is_some() && number_ms >= histogram_ms);
        let first_histogram = histograms - usize::from(histogram_ms > number_ms);
        window.times_ms = &window.times_ms[first..];
        window.values = &window.values[first..];
        window.histograms = &window.histograms[first_histogram..];
    }
    (!window.is_empty()).then_some(window)
}

/// A sample of a window.
#[derive(Clone, Copy)]
enum Sample<'a> {
    Number(&'a f64),
    Histogram(&'a FloatHistogram),
}

/// All samples of a window in order of time.
fn merged<'a>(window: &Window<'a>) -> impl Iterator<Item = Sample<'a>> {
    let mut numbers = window.times_ms.iter().zip(window.values).peekable();
    let mut histograms = window.histograms.iter().peekable();
    std::iter::from_fn(move || {
        let is_number = match (numbers.peek(), histograms.peek()) {
            (Some((number_ms, _)), Some((histogram_ms, _))) => *number_ms < histogram_ms,
            (number, _) => number.is_some(),
        };
        if is_number {
            numbers.next().map(|(_, value)| Sample::Number(value))
        } else {
            histograms.next().map(|(_, histogram)| Sample::Histogram(histogram))
        }
    })
}
