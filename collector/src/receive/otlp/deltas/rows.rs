//! The rows of a batch that are deltas: of which series they are, and what takes their place.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use decode::otlp::Delta;
use model::batch::Start;
use model::labels::LabelsBuilder;
use model::time::Date;
use model::{Batch, Error, SeriesKey};

use super::sums::{Added, Amount, Sum};

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

    /// The series, each once.
    pub(super) fn keys(&self) -> Vec<SeriesKey> {
        let mut keys: Vec<_> = self.places.iter().collect();
        keys.sort_by_key(|(_, place)| **place);
        keys.into_iter().map(|(key, _)| key.clone()).collect()
    }

    /// Puts sums in the place of deltas, after the sums that there are; gives the batch, the sums that there are then, and
    /// how many points had been added before.
    pub(super) fn add_up(
        &self,
        mut batch: Batch,
        deltas: &[Delta],
        sums: &[Option<Sum>],
    ) -> (Batch, Vec<Option<Sum>>, u64) {
        let mut next = sums.to_vec();
        let mut repeated = Repeated::default();
        let mut in_order: Vec<&Delta> = deltas.iter().collect();
        in_order.sort_by_key(|delta| delta.time_ms);
        for delta in in_order {
            let mut is_repeated = false;
            for row in delta.samples.clone() {
                let sample = batch.samples[row as usize];
                let amount = Amount::Number(sample.value);
                match self.add(&mut next, sample.series, delta, amount, &mut batch.starts) {
                    Some(Amount::Number(value)) => batch.samples[row as usize].value = value,
                    _ => {
                        is_repeated = true;
                        repeated.samples.push(row);
                    }
                }
            }
            for row in delta.histograms.clone() {
                let histogram = &mut batch.histograms[row as usize];
                let amount = Amount::Native(Box::new(histogram.value.clone()));
                match self.add(&mut next, histogram.series, delta, amount, &mut batch.starts) {
                    Some(Amount::Native(value)) => histogram.value = *value,
                    _ => {
                        is_repeated = true;
                        repeated.histograms.push(row);
                    }
                }
            }
            if is_repeated {
                repeated.points += 1;
                // They came with the point that was added.
                repeated.exemplars.extend(delta.exemplars.clone());
            }
        }
        repeated.leave_out(&mut batch);
        (batch, next, repeated.points)
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

/// Rows that are left out, by their places in the batch.
#[derive(Debug, Default)]
struct Repeated {
    samples: Vec<u32>,
    histograms: Vec<u32>,
    exemplars: Vec<u32>,
    points: u64,
}

impl Repeated {
    fn leave_out(&mut self, batch: &mut Batch) {
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
