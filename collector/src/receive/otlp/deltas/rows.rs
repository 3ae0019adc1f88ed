//! The rows of a batch that are deltas: of which series they are, and what takes their place.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use decode::otlp::Delta;
use model::batch::Start;
use model::labels::LabelsBuilder;
use model::time::Date;
use model::{Batch, Error, SeriesKey};

use super::sums::{Added, Amount, Sum};

/// What deltas add up to.
#[derive(Debug)]
pub(super) struct AddedUp {
    /// The batch, with sums in the place of those that were added, and without the others.
    pub(super) batch: Batch,
    /// The sums that there are then, one for each key.
    pub(super) sums: Vec<Option<Sum>>,
    pub(super) not_added: NotAdded,
}

/// Points that were not added, by their places among those of the request.
#[derive(Debug, Default)]
pub(in crate::receive::otlp) struct NotAdded {
    /// Those that are in the sum already: their request is sent again.
    pub(in crate::receive::otlp) repeated: HashSet<u32>,
    /// Those before the last one of their series, which are in no sum.
    pub(in crate::receive::otlp) late: HashSet<u32>,
    /// The rows that the latter would have become.
    pub(in crate::receive::otlp) late_rows: u64,
}

/// The series of the deltas of a batch.
#[derive(Debug, Default)]
pub(super) struct Rows {
    places: HashMap<SeriesKey, usize>,
    /// For each series of the batch that has deltas, its place among the keys.
    place_of: HashMap<u32, usize>,
}

impl Rows {
    /// Reads the series of the deltas.
    pub(super) fn of(batch: &Batch, deltas: &[Delta]) -> Result<Self, Error> {
        let mut rows = Rows::default();
        let mut builder = LabelsBuilder::default();
        for delta in deltas {
            let samples = delta.samples.clone().map(|row| batch.samples[row as usize].series);
            let histograms = delta.histograms.clone().map(|row| batch.histograms[row as usize].series);
            for series in samples.chain(histograms) {
                if let Entry::Vacant(entry) = rows.place_of.entry(series) {
                    let next = rows.places.len();
                    let key = batch.key(series as usize, &mut builder)?;
                    entry.insert(*rows.places.entry(key).or_insert(next));
                }
            }
        }
        Ok(rows)
    }

    /// The place among the keys of a series of the batch, if it has deltas.
    pub(super) fn place(&self, series: u32) -> Option<usize> {
        self.place_of.get(&series).copied()
    }

    /// The series, each once.
    pub(super) fn keys(&self) -> Vec<SeriesKey> {
        let mut keys: Vec<_> = self.places.iter().collect();
        keys.sort_by_key(|(_, place)| **place);
        keys.into_iter().map(|(key, _)| key.clone()).collect()
    }

    /// Puts sums in the place of deltas, after the sums that there are.
    pub(super) fn add_up(&self, mut batch: Batch, deltas: &[Delta], sums: &[Option<Sum>]) -> AddedUp {
        let mut next = sums.to_vec();
        let mut missing = Missing::default();
        let mut in_order: Vec<&Delta> = deltas.iter().collect();
        in_order.sort_by_key(|delta| delta.time_ms);
        for delta in in_order {
            let before = missing.rows();
            for row in delta.samples.clone() {
                let sample = batch.samples[row as usize];
                let amount = Amount::Number(sample.value);
                match self.add(&mut next, sample.series, delta, amount, &mut batch.starts) {
                    Some(Amount::Number(value)) => batch.samples[row as usize].value = value,
                    _ => missing.samples.push(row),
                }
            }
            for row in delta.histograms.clone() {
                let histogram = &mut batch.histograms[row as usize];
                let amount = Amount::Native(Box::new(histogram.value.clone()));
                match self.add(&mut next, histogram.series, delta, amount, &mut batch.starts) {
                    Some(Amount::Native(value)) => histogram.value = *value,
                    _ => missing.histograms.push(row),
                }
            }
            let rows = missing.rows() - before;
            if rows > 0 {
                missing.points.push((delta, rows as u64));
                // They came with the point that was added.
                missing.exemplars.extend(delta.exemplars.clone());
            }
        }
        let not_added = self.sort_out(&batch, deltas, sums, &missing.points);
        missing.remove_from(&mut batch);
        AddedUp { batch, sums: next, not_added }
    }

    /// Tells points that were added before from those that come too late to be.
    ///
    /// A request is added as a whole, so that the last point of a series was in the one that is sent again: whoever brings that
    /// point has brought those before it too.
    fn sort_out(&self, batch: &Batch, deltas: &[Delta], sums: &[Option<Sum>], missing: &[(&Delta, u64)]) -> NotAdded {
        let mut not_added = NotAdded::default();
        if missing.is_empty() {
            return not_added;
        }
        let last_ms = |place: usize| sums[place].as_ref().map(|sum| sum.time_ms);
        let is_last = |delta: &Delta, place: &usize| last_ms(*place) == Some(delta.time_ms);
        let of = |delta: &Delta| self.places(batch, delta).filter(|place| is_last(delta, place)).collect::<Vec<_>>();
        let again: HashSet<usize> = deltas.iter().flat_map(of).collect();
        for (delta, rows) in missing {
            let is_late =
                |place| last_ms(place).is_some_and(|last_ms| last_ms > delta.time_ms) && !again.contains(&place);
            if self.places(batch, delta).any(is_late) {
                not_added.late.insert(delta.point);
                not_added.late_rows += rows;
            } else {
                not_added.repeated.insert(delta.point);
            }
        }
        not_added
    }

    /// The places among the keys of the series of a point.
    fn places(&self, batch: &Batch, delta: &Delta) -> impl Iterator<Item = usize> {
        let samples = delta.samples.clone().map(|row| batch.samples[row as usize].series);
        let histograms = delta.histograms.clone().map(|row| batch.histograms[row as usize].series);
        samples.chain(histograms).filter_map(|series| self.place(series))
    }

    /// Adds to the sum of a series; none if it has been added before.
    fn add(
        &self,
        sums: &mut [Option<Sum>],
        series: u32,
        delta: &Delta,
        amount: Amount,
        starts: &mut Vec<Start>,
    ) -> Option<Amount> {
        let sum = &mut sums[*self.place_of.get(&series)?];
        let is_number = matches!(amount, Amount::Number(_));
        let added = Added { time_ms: delta.time_ms, start_ms: delta.start_ms, amount };
        let after = Sum::after(sum.as_ref(), added)?;
        let said = sum.as_ref().and_then(|sum| Some((sum.start_ms?, Date::of_ms(sum.time_ms))));
        // A histogram has its start with it; of a number it is told when it changes, and once each day.
        if let (true, Some(start_ms)) = (is_number, after.start_ms)
            && said != Some((start_ms, Date::of_ms(delta.time_ms)))
        {
            starts.push(Start { series, time_ms: delta.time_ms, start_ms });
        }
        let amount = after.amount.clone();
        *sum = Some(after);
        Some(amount)
    }
}

/// Rows that are not added, by their places in the batch, and their points, with how many of their rows are not.
#[derive(Debug, Default)]
struct Missing<'a> {
    samples: Vec<u32>,
    histograms: Vec<u32>,
    exemplars: Vec<u32>,
    points: Vec<(&'a Delta, u64)>,
}

impl Missing<'_> {
    fn rows(&self) -> usize {
        self.samples.len() + self.histograms.len()
    }

    fn remove_from(mut self, batch: &mut Batch) {
        leave_out(&mut batch.samples, &mut self.samples);
        leave_out(&mut batch.histograms, &mut self.histograms);
        leave_out(&mut batch.exemplars, &mut self.exemplars);
    }
}

fn leave_out<T>(rows: &mut Vec<T>, places: &mut [u32]) {
    places.sort_unstable();
    let (mut place, mut next) = (0u32, 0);
    rows.retain(|_| {
        let is_out = places.get(next) == Some(&place);
        next += usize::from(is_out);
        place += 1;
        !is_out
    });
}
