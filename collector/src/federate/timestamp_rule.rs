//! The federation timestamp rule: which rows of an answer are sent on, with which timestamp, and what gets a marker.
//!
//! Owns: the memory of a source's last answer that was written, and the comparison of the next one with it.
//! Does not own: the fetching, the writing, the rows that tell of the fetching itself (`report`).

use std::collections::HashMap;
use std::collections::HashSet;
use std::collections::hash_map::Entry;
use std::ops::Range;

use bytes::Bytes;
use model::Batch;
use model::batch::{Kind, LabelEncoding, Metadata, RawLabels, RawSeries, STALE_NAN_BITS, Sample};
use model::labels::{LabelsBuilder, SeriesKey};
use model::time::in_range;

use super::extend::Extension;
use crate::metrics::Counts;

/// The newest row of a series in the last answer.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Last {
    /// Where the labels are in [`Memory::body`].
    labels: Range<u32>,
    kind: Kind,
    time_ms: i64,
    value_bits: u64,
}

/// What the last written answer of a source held. It shares the body of that answer.
#[derive(Debug)]
pub(crate) struct Memory {
    body: Bytes,
    encoding: LabelEncoding,
    last: HashMap<u128, Last>,
    metadata: Vec<Metadata>,
}

impl Default for Memory {
    fn default() -> Self {
        Memory { body: Bytes::new(), encoding: decode::text::ENCODING, last: HashMap::new(), metadata: Vec::new() }
    }
}

/// When an answer was asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AskedAt {
    /// By our clock.
    pub(crate) time_ms: i64,
    /// By the source's own clock, where it says (`Date` header), rounded up to what it can mean at most.
    pub(crate) source_time_ms: Option<i64>,
}

/// An answer after the rule.
#[derive(Debug)]
pub(crate) struct Judged {
    /// The rows to write, markers included.
    pub(crate) batch: Batch,
    /// How many rows there were of each sort.
    pub(crate) counts: Counts,
    last: HashMap<u128, Last>,
    metadata: Vec<Metadata>,
}

impl Judged {
    /// The rows to write, and what to remember once they are written.
    pub(crate) fn into_parts(self) -> (Batch, Memory) {
        let memory = Memory {
            body: self.batch.body.clone(),
            encoding: self.batch.encoding,
            last: self.last,
            metadata: self.metadata,
        };
        (self.batch, memory)
    }
}

impl Memory {
    /// The federation timestamp rule.
    ///
    /// `/federate` gives of each series the newest sample of the last 5 minutes, with the time at which the source took
    /// it. So, of a successful answer:
    ///
    /// 1. **A row keeps its own timestamp**: it says when the value was true, and a second fetch, a second collector or a
    ///    later filling of a gap then gives the very same row. A row without one gets the time of the attempt.
    /// 2. **A row that repeats the series' newest row of the previous answer** (same time, same bits) **is not sent on**:
    ///    it is the same sample, seen again because the source has no newer one.
    /// 3. **Two rows of one series and time in one answer**: the first counts, as in Prometheus' scrape. Equal ones are one
    ///    row; one with another value is dropped and counted.
    /// 4. **A series of the previous answer that this one lacks gets a staleness marker** at the time of the attempt. A
    ///    Prometheus leaves a series out at once when it has a marker for it itself (target or series gone, scrape
    ///    failed; it cannot expose the marker's own time), else after 5 minutes without a sample; either way it is gone
    ///    for everyone who asks the source at that time.
    /// 5. **A marker is later than the series' last row**, by a millisecond at least: a source whose clock is ahead gives
    ///    rows later than our present, and a marker before them would end nothing. Where the source's own clock (its
    ///    `Date` header) is behind ours, the marker takes that: else it would hide the rows of a series that comes back
    ///    until the source's clock has passed it.
    ///
    /// What an answer says of metric families is sent on when it is not what the previous one said.
    ///
    /// A failed attempt is not judged: nothing is known then of any series. The memory advances only when the caller puts
    /// that of [`Judged::into_parts`] in place of this, after the rows are durable, so what was not written comes again.
    pub(crate) fn judge(&self, mut answer: Batch, asked: AskedAt) -> Judged {
        // Without relabeling, what is left after it is what came.
        let exposed = answer.samples.len() as u64;
        let mut counts = Counts { exposed, kept: exposed, ..Counts::default() };
        let (last, fresh) = self.sift(&answer, &mut counts);
        let added: Vec<u128> = last.keys().filter(|hash| !self.last.contains_key(hash)).copied().collect();
        counts.added = added.len() as u64;
        let vanished = self.vanished(&answer, &last, &added);

        let series = std::mem::take(&mut answer.series);
        answer.samples = Vec::new();
        // The text format has none; they would point at series that are left out here.
        answer.exemplars = Vec::new();
        let metadata = answer.metadata.clone();
        if metadata == self.metadata {
            answer.metadata = Vec::new();
        }
        let mut batch = keep_series(answer, &series, fresh);
        counts.vanished = self.mark(&mut batch, &vanished, asked);
        Judged { batch, counts, last, metadata }
    }

    /// How many series the last answer had.
    pub(crate) fn series(&self) -> usize {
        self.last.len()
    }

    /// The markers that end every series of a source that has left the configuration at `time_ms`.
    pub(crate) fn end_all(&self, time_ms: i64) -> Batch {
        let mut batch = Batch::new(Bytes::new(), self.encoding);
        let all: Vec<&Last> = self.last.values().collect();
        self.mark_series(&mut batch, all, AskedAt { time_ms, source_time_ms: None });
        batch
    }

    /// Rules 1 to 3: the newest row of each series of the answer, and the rows to send on.
    fn sift(&self, answer: &Batch, counts: &mut Counts) -> (HashMap<u128, Last>, Vec<Sample>) {
        let mut last: HashMap<u128, Last> = HashMap::with_capacity(answer.series.len());
        let mut fresh = Vec::with_capacity(answer.samples.len());
        for sample in &answer.samples {
            let Some(series) = answer.series.get(sample.series as usize) else { continue };
            let value_bits = sample.value.to_bits();
            let row = Last { labels: series.labels.clone(), kind: series.kind, time_ms: sample.time_ms, value_bits };
            let is_repeat = |before: &Last| before.time_ms == row.time_ms && before.value_bits == value_bits;
            match last.entry(series.hash) {
                Entry::Occupied(seen) if seen.get().time_ms == row.time_ms => {
                    counts.duplicates += u64::from(seen.get().value_bits != value_bits);
                    continue;
                }
                Entry::Occupied(mut seen) => {
                    if seen.get().time_ms < row.time_ms {
                        seen.insert(row.clone());
                    }
                }
                Entry::Vacant(new) => {
                    new.insert(row.clone());
                }
            }
            if self.last.get(&series.hash).is_some_and(is_repeat) {
                counts.repeated += 1;
            } else {
                fresh.push(*sample);
            }
        }
        (last, fresh)
    }

    /// The series of the last answer that this one lacks.
    ///
    /// A source may write the same labels in another order this time, which gives them another hash. So where series
    /// have come and gone at once, their keys decide.
    fn vanished(&self, answer: &Batch, now: &HashMap<u128, Last>, added: &[u128]) -> Vec<u128> {
        let mut vanished: Vec<u128> = self.last.keys().filter(|hash| !now.contains_key(hash)).copied().collect();
        if vanished.is_empty() || added.is_empty() {
            return vanished;
        }
        let mut builder = LabelsBuilder::default();
        let key = |body: &Bytes, encoding: LabelEncoding, row: &Last, builder: &mut LabelsBuilder| {
            let bytes = body.get(row.labels.start as usize..row.labels.end as usize)?;
            read_key(bytes, encoding, builder)
        };
        let came: HashSet<SeriesKey> =
            added.iter().filter_map(|hash| key(&answer.body, answer.encoding, &now[hash], &mut builder)).collect();
        vanished.retain(|hash| {
            key(&self.body, self.encoding, &self.last[hash], &mut builder).is_none_or(|key| !came.contains(&key))
        });
        vanished
    }

    /// Rules 4 and 5 for the series of `vanished`; says how many markers there are.
    fn mark(&self, batch: &mut Batch, vanished: &[u128], asked: AskedAt) -> u64 {
        let gone: Vec<&Last> = vanished.iter().filter_map(|hash| self.last.get(hash)).collect();
        self.mark_series(batch, gone, asked)
    }

    fn mark_series(&self, batch: &mut Batch, mut gone: Vec<&Last>, asked: AskedAt) -> u64 {
        if gone.is_empty() {
            return 0;
        }
        gone.sort_unstable_by_key(|row| row.labels.start);
        let label_bytes = gone.iter().map(|row| row.labels.len()).sum();
        let mut extension = Extension::of(batch, label_bytes);
        let mut markers = 0;
        for row in gone {
            let time_ms = marker_time_ms(row.time_ms, asked);
            let labels = self.body.get(row.labels.start as usize..row.labels.end as usize);
            // A row in the last millisecond that the tables can hold has no later one: it is its own end.
            if let (Some(labels), true) = (labels, in_range(time_ms)) {
                extension.push(labels, row.kind, time_ms, f64::from_bits(STALE_NAN_BITS));
                markers += 1;
            }
        }
        extension.finish(batch);
        markers
    }
}

/// Rule 5.
fn marker_time_ms(last_ms: i64, asked: AskedAt) -> i64 {
    let seen_gone_ms = asked.source_time_ms.map_or(asked.time_ms, |source_ms| source_ms.min(asked.time_ms));
    seen_gone_ms.max(last_ms.saturating_add(1))
}

/// Puts `samples` into the batch together with those of `series` that they name.
fn keep_series(mut batch: Batch, series: &[RawSeries], samples: Vec<Sample>) -> Batch {
    let mut places: Vec<Option<u32>> = vec![None; series.len()];
    batch.samples = samples;
    for sample in &mut batch.samples {
        let old = sample.series as usize;
        let place = *places[old].get_or_insert_with(|| {
            batch.series.push(series[old].clone());
            batch.series.len() as u32 - 1
        });
        sample.series = place;
    }
    batch
}

fn read_key(bytes: &[u8], encoding: LabelEncoding, builder: &mut LabelsBuilder) -> Option<SeriesKey> {
    builder.clear();
    (encoding.read)(RawLabels::of(bytes), builder).ok()?;
    builder.build(None).ok()
}

#[cfg(test)]
mod tests;
