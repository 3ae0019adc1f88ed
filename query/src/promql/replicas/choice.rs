//! Which replica is taken at each step.

use std::collections::VecDeque;
use std::ops::Range;

use promql::presence::Presence;

use super::super::cells::Cells;
use super::super::steps::{Looks, Samples};

/// What a replica has of a series.
#[derive(Debug, Clone)]
pub(in super::super) struct Replica {
    /// The value of the label that tells it apart.
    pub(in super::super) name: String,
    pub(in super::super) values: Vec<f64>,
    pub(in super::super) present: Presence,
    pub(in super::super) histograms: Cells,
    /// What the value of each step was made of.
    pub(in super::super) seen: Vec<Seen>,
}

/// The samples in a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Seen {
    /// The longest time without one, from the beginning of the window to its end, in milliseconds.
    pub(in super::super) gap_ms: i64,
    /// The time of the newest one, in milliseconds.
    pub(in super::super) newest_ms: i64,
}

impl Seen {
    /// The samples of a series in the window before each look, staleness markers aside.
    pub(in super::super) fn at_each_step(samples: &Samples, looks: &Looks, range_ms: i64) -> Vec<Self> {
        let numbers = samples.times_ms.iter().zip(&samples.values);
        let numbers = numbers.filter(|(_, value)| !model::batch::is_stale(**value)).map(|(time_ms, _)| *time_ms);
        let histograms = samples.histograms.iter().filter(|(_, histogram)| !model::batch::is_stale(histogram.sum));
        let mut times_ms: Vec<i64> = numbers.chain(histograms.map(|(time_ms, _)| *time_ms)).collect();
        times_ms.sort_unstable();
        let mut window = Window { times_ms: &times_ms, numbers: 0..0, longest: VecDeque::new() };
        (0..looks.steps().count).map(|step| window.ending(looks.time_ms(step), range_ms)).collect()
    }
}

/// A window that moves forward over times.
struct Window<'a> {
    times_ms: &'a [i64],
    /// Those in it.
    numbers: Range<usize>,
    /// Numbers of times in it, ascending, each with a longer way from its neighbour before than all that follow.
    longest: VecDeque<usize>,
}

impl Window<'_> {
    fn ending(&mut self, end_ms: i64, range_ms: i64) -> Seen {
        let start_ms = end_ms.saturating_sub(range_ms);
        let way_ms = |number: usize| self.times_ms[number] - self.times_ms[number - 1];
        while self.times_ms.get(self.numbers.end).is_some_and(|time_ms| *time_ms <= end_ms) {
            let number = self.numbers.end;
            while number > 0 && self.longest.back().is_some_and(|last| way_ms(*last) <= way_ms(number)) {
                self.longest.pop_back();
            }
            if number > 0 {
                self.longest.push_back(number);
            }
            self.numbers.end += 1;
        }
        while self.numbers.start < self.numbers.end && self.times_ms[self.numbers.start] <= start_ms {
            self.numbers.start += 1;
        }
        // The way to the first one in the window begins at the window.
        while self.longest.front().is_some_and(|number| *number <= self.numbers.start) {
            self.longest.pop_front();
        }
        let [Some(first_ms), Some(newest_ms)] =
            [self.times_ms[self.numbers.clone()].first(), self.times_ms[self.numbers.clone()].last()]
        else {
            return Seen { gap_ms: range_ms, newest_ms: i64::MIN };
        };
        let between_ms = self.longest.front().map_or(0, |number| way_ms(*number));
        Seen { gap_ms: between_ms.max(first_ms - start_ms).max(end_ms - newest_ms), newest_ms: *newest_ms }
    }
}

impl Replica {
    fn has(&self, step: usize) -> bool {
        self.present.has(step) || self.histograms.binary_search_by_key(&step, |(at, _)| *at).is_ok()
    }

    /// Bytes of memory taken, roughly.
    pub(super) fn memory_bytes(&self) -> usize {
        self.values.len() * (size_of::<f64>() + size_of::<Seen>()) + 256
    }
}

/// Which of the replicas is taken at each step; `None` where none is.
///
/// The one that was taken before stays, until the longest gap in its window is a tenth longer than that of another: replicas scrape
/// at other instants, and a tenth is what the extrapolation of `rate` lets pass too. A replica whose newest sample is older than
/// what was taken before is not taken: a counter would step back.
pub(in super::super) fn choose(replicas: &[Replica], steps: usize) -> Vec<Option<usize>> {
    let (mut taken, mut newest_ms) = (None, i64::MIN);
    let at = |step: usize| {
        let seen = |number: usize| replicas[number].seen[step];
        let may_be_taken = |number: &usize| replicas[*number].has(step) && seen(*number).newest_ms >= newest_ms;
        let of_all = (0..replicas.len()).filter(may_be_taken);
        // Of several with gaps as long the first.
        let best = of_all.min_by_key(|number| seen(*number).gap_ms)?;
        let is_fine = |old: &usize| seen(*old).gap_ms <= seen(best).gap_ms.saturating_add(seen(best).gap_ms / 10);
        let number = taken.filter(may_be_taken).filter(is_fine).unwrap_or(best);
        (taken, newest_ms) = (Some(number), seen(number).newest_ms);
        Some(number)
    };
    (0..steps).map(at).collect()
}

#[cfg(test)]
mod tests;
