//! Some series of a group at a step: `topk`, `bottomk`, `limitk` and `limit_ratio`.

use std::cmp::Ordering;

use crate::go_sort::sort_few;
use crate::labels::Labels;
use crate::note::{Note, Notes};

/// What a histogram counts as for `limitk` and `limit_ratio`.
pub const HISTOGRAM: f64 = 0.0;

/// A series of a group that has a value at the step: which one it is, and the value.
pub type Candidate = (usize, f64);

/// The greatest values in descending order. What is no number is less than any number.
///
/// Of equal values it takes those that Prometheus takes: which they are follows from its heap.
pub fn top(count: f64, candidates: impl IntoIterator<Item = Candidate>) -> Vec<Candidate> {
    best(count, candidates, |a, b| a < b)
}

/// The least values in ascending order. What is no number is greater than any number.
pub fn bottom(count: f64, candidates: impl IntoIterator<Item = Candidate>) -> Vec<Candidate> {
    best(count, candidates, |a, b| a > b)
}

/// Says that `topk` or `bottomk` passes over the histograms that a group has at a step, unless it takes nothing there at all.
pub fn note_ignored(operator: &'static str, count: f64, notes: &mut Notes) {
    if count as i64 >= 1 {
        notes.add(Note::HistogramIgnoredInAggregation(operator));
    }
}

/// The first candidates, in the order that Prometheus gives them; histograms are among them.
pub fn limit(count: f64, candidates: impl IntoIterator<Item = Candidate>) -> Vec<Candidate> {
    let mut heap = Heap { kept: Vec::new(), is_worse: |a, b| a < b };
    candidates.into_iter().take(count.max(0.0) as usize).for_each(|candidate| heap.push(candidate));
    heap.kept
}

/// Whether a series belongs to a part of all series: the part from 0 up to a ratio, or of a negative one the rest, from 1 down.
pub(crate) fn is_in_ratio(ratio: f64, labels: &Labels) -> bool {
    let ratio = ratio.clamp(-1.0, 1.0);
    let at = labels.ratio();
    if ratio >= 0.0 { at < ratio } else { at >= 1.0 + ratio }
}

/// The candidates that belong to a part of all series, in the order that Prometheus gives them.
pub fn in_ratio<'a>(ratio: f64, candidates: impl IntoIterator<Item = (Candidate, &'a Labels)>) -> Vec<Candidate> {
    let mut heap = Heap { kept: Vec::new(), is_worse: |a, b| a < b };
    let taken = candidates.into_iter().filter(|(_, labels)| is_in_ratio(ratio, labels));
    taken.for_each(|(candidate, _)| heap.push(candidate));
    heap.kept
}

fn best(count: f64, candidates: impl IntoIterator<Item = Candidate>, is_worse: fn(f64, f64) -> bool) -> Vec<Candidate> {
    let count = count as i64;
    if count < 1 {
        return Vec::new();
    }
    let mut heap = Heap { kept: Vec::new(), is_worse };
    for candidate in candidates {
        if (heap.kept.len() as i64) < count {
            heap.push(candidate);
            continue;
        }
        let (worst, value) = (heap.kept[0].1, candidate.1);
        if is_worse(worst, value) || (worst.is_nan() && !value.is_nan()) {
            heap.kept[0] = candidate;
            heap.sink(0);
        }
    }
    heap.into_sorted()
}

/// A heap with the worst value on top.
struct Heap {
    kept: Vec<Candidate>,
    is_worse: fn(f64, f64) -> bool,
}

impl Heap {
    /// Whether the first is worse than the second. What is no number is worse than anything, even than itself.
    fn is_worse(&self, a: usize, b: usize) -> bool {
        let (a, b) = (self.kept[a].1, self.kept[b].1);
        a.is_nan() || (self.is_worse)(a, b)
    }

    fn push(&mut self, candidate: Candidate) {
        self.kept.push(candidate);
        let mut at = self.kept.len() - 1;
        while at > 0 && self.is_worse(at, (at - 1) / 2) {
            self.kept.swap(at, (at - 1) / 2);
            at = (at - 1) / 2;
        }
    }

    fn sink(&mut self, mut at: usize) {
        loop {
            let mut child = 2 * at + 1;
            if child >= self.kept.len() {
                return;
            }
            if child + 1 < self.kept.len() && self.is_worse(child + 1, child) {
                child += 1;
            }
            if !self.is_worse(child, at) {
                return;
            }
            self.kept.swap(at, child);
            at = child;
        }
    }

    /// The best first.
    fn into_sorted(mut self) -> Vec<Candidate> {
        let is_worse = self.is_worse;
        let is_before = |a: &Candidate, b: &Candidate| b.1.is_nan() || is_worse(b.1, a.1);
        sort_few(&mut self.kept, is_before, |a, b| match (is_worse(a.1, b.1), is_worse(b.1, a.1)) {
            (true, _) => Ordering::Greater,
            (_, true) => Ordering::Less,
            _ => a.1.is_nan().cmp(&b.1.is_nan()),
        });
        self.kept
    }
}
