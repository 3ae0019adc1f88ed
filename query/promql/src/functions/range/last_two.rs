//! The last two samples of a window: `irate` and `idelta`.

use model::Error;

use super::{Args, Workspace, histograms};
use crate::note::Note;
use crate::value::{Value, Window};

/// The growth of a counter per second between its last two samples.
pub(super) fn last_rate(window: &Window<'_>, args: &Args<'_>, work: &mut Workspace) -> Result<Option<Value>, Error> {
    Ok(last_two(window, args, work, true))
}

/// The difference between the last two samples.
pub(super) fn last_difference(
    window: &Window<'_>,
    args: &Args<'_>,
    work: &mut Workspace,
) -> Result<Option<Value>, Error> {
    Ok(last_two(window, args, work, false))
}

fn last_two(window: &Window<'_>, args: &Args<'_>, work: &mut Workspace, is_rate: bool) -> Option<Value> {
    let (times, values) = (window.times_ms, window.values);
    if let Some((histogram_ms, _)) = window.histograms.last() {
        let numbers_behind = times.iter().rev().take(2).filter(|time| *time > histogram_ms).count();
        if numbers_behind < 2 {
            return last_histograms(window, args, work, is_rate, numbers_behind);
        }
    }
    let before = values.len().checked_sub(2)?;
    let (low, high) = (values[before], values[before + 1]);
    let growth = if is_rate && high < low { high } else { high - low };
    if !is_rate {
        return Some(Value::Float(growth));
    }
    Some(Value::Float(growth / ((times[before + 1] - times[before]) as f64 / 1000.0)))
}

/// As [`last_two`], where at least one of the two is a histogram.
fn last_histograms(
    window: &Window<'_>,
    args: &Args<'_>,
    work: &mut Workspace,
    is_rate: bool,
    numbers_behind: usize,
) -> Option<Value> {
    let histograms = window.histograms;
    let is_before = |at: usize| window.times_ms.last().is_none_or(|time| *time < histograms[at].0);
    let are_both = numbers_behind == 0 && histograms.len() > 1 && is_before(histograms.len() - 2);
    if let ([.., before, after], true) = (histograms, are_both) {
        let change = histograms::instant_change(before, after, is_rate, args.metric, &mut work.notes);
        return change.map(Value::from);
    }
    if window.times_ms.len() + histograms.len() > 1 {
        work.notes.add(Note::MixedFloatsHistograms(args.metric.to_owned()));
    }
    None
}
