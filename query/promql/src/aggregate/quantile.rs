//! A quantile of the values of a group.

use super::Row;
use crate::note::Note;
use crate::presence::Presence;
use crate::quantile::quantile;

/// What is said of a step at which a series of the group has a histogram: that is no number to count.
pub const IGNORED: Note = Note::HistogramIgnoredInAggregation("quantile");

/// The quantiles of a group, step by step: of the numbers that its series have there, the quantile that is asked for there.
pub fn quantiles(quantiles: &[f64], series: &[(&[f64], &Presence)]) -> Row {
    let mut row = Row { values: vec![f64::NAN; quantiles.len()], present: Presence::none(quantiles.len()) };
    let mut numbers = Vec::with_capacity(series.len());
    for (step, asked) in quantiles.iter().enumerate() {
        numbers.clear();
        numbers.extend(series.iter().filter(|(_, present)| present.has(step)).map(|(values, _)| values[step]));
        if !numbers.is_empty() {
            row.values[step] = quantile(*asked, &mut numbers);
            row.present.insert(step);
        }
    }
    row
}
