//! The series of one target in their final form, with their last rows.

use std::collections::HashMap;
use std::ops::Range;

use bytes::Bytes;
use model::Batch;
use model::batch::{Kind, RawSeries};
use model::time::Date;

use super::places::{Hashed, Places, trim};
use crate::metrics::Counts;

/// What of a row tells whether another one is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) time_ms: i64,
    pub(super) value_bits: u64,
}

#[derive(Debug, Clone)]
struct Series {
    /// Where its labels are in the buffer.
    labels: Range<u32>,
    hash: u128,
    kind: Kind,
    /// Whether its last row is a native histogram, so that its marker is one.
    is_histogram: bool,
    /// Whether the tables hold it as alive: there was a row that says so, and no marker since.
    alive: bool,
    /// The scrape that last had a row that says so.
    alive_scrape: u32,
    /// The newest row of scrape `taken_scrape`, and the newest one that was written.
    taken: Row,
    taken_scrape: u32,
    written: Option<Row>,
    /// Its place in the batch of scrape `batch_scrape`.
    in_batch: u32,
    batch_scrape: u32,
}

impl Hashed for Series {
    fn hash(&self) -> u128 {
        self.hash
    }
}

/// Since when a series counts, in milliseconds, and the day on which that was said: it is written once a day, so that it outlives
/// the day on which it was first said.
pub(super) type Told = (i64, Date);

/// All series of a target.
#[derive(Debug, Default)]
pub(super) struct SeriesList {
    /// Batches share it.
    labels: Bytes,
    /// Labels that are not in it yet.
    fresh: Vec<u8>,
    series: Vec<Series>,
    /// By the hash of the labels: two lines of a page may become one series.
    places: Places,
    /// The hash of the last exemplar of each series that had one.
    exemplars: HashMap<u32, u64>,
    /// Since when each series counts that a page has said it of, and the day on which that was last written.
    starts: HashMap<u32, Told>,
}

impl SeriesList {
    /// The labels of all series, in the plain encoding.
    pub(super) fn labels(&self) -> Bytes {
        self.labels.clone()
    }

    /// The series with these labels, made if there is none. Its labels are in the buffer after [`SeriesList::absorb`].
    pub(super) fn place(&mut self, labels: &[u8]) -> u32 {
        let hash = Batch::hash(labels);
        if let Some(place) = self.places.find(hash, &self.series) {
            return place as u32;
        }
        let place = self.series.len() as u32;
        let start = (self.labels.len() + self.fresh.len()) as u32;
        self.fresh.extend_from_slice(labels);
        self.series.push(Series {
            labels: start..start + labels.len() as u32,
            hash,
            kind: Kind::Unknown,
            is_histogram: false,
            alive: false,
            alive_scrape: 0,
            taken: Row { time_ms: 0, value_bits: 0 },
            taken_scrape: 0,
            written: None,
            in_batch: 0,
            batch_scrape: 0,
        });
        self.places.pushed(&self.series);
        place
    }

    /// Takes new labels into the buffer.
    pub(super) fn absorb(&mut self) {
        if !self.fresh.is_empty() {
            self.labels = [&self.labels[..], &self.fresh].concat().into();
            self.fresh = Vec::new();
            trim(&mut self.series);
        }
    }

    /// Notes what a series measures.
    pub(super) fn set_kind(&mut self, series: u32, kind: Kind) {
        self.series[series as usize].kind = kind;
    }

    /// Notes whether a row of a series is a native histogram.
    pub(super) fn set_histogram(&mut self, series: u32, is_histogram: bool) {
        self.series[series as usize].is_histogram = is_histogram;
    }

    /// Whether the last row of a series is a native histogram.
    pub(super) fn is_histogram(&self, series: u32) -> bool {
        self.series[series as usize].is_histogram
    }

    /// Whether it was not written yet on this day that a series began then.
    pub(super) fn is_new_start(&self, series: u32, told: Told) -> bool {
        self.starts.get(&series) != Some(&told)
    }

    /// Remembers since when series count.
    pub(super) fn remember_starts(&mut self, starts: Vec<(u32, Told)>) {
        self.starts.extend(starts);
    }

    /// Notes that the page of `scrape` says that a series is alive.
    pub(super) fn note_alive(&mut self, series: u32, scrape: u32) {
        self.series[series as usize].alive_scrape = scrape;
    }

    /// Whether a row of a page is to be written: not if the series had one at that time before.
    pub(super) fn admit(&mut self, series: u32, row: Row, scrape: u32, counts: &mut Counts) -> bool {
        let series = &mut self.series[series as usize];
        let is_first = series.taken_scrape != scrape;
        let same_time = |before: &Row| before.time_ms == row.time_ms;
        let before = Some(series.taken).filter(|taken| !is_first && same_time(taken));
        let before = before.or(series.written.filter(same_time));
        match before {
            Some(before) if before == row => counts.repeated += 1,
            Some(_) => counts.duplicates += 1,
            None => {}
        }
        if is_first || before.is_none() && series.taken.time_ms < row.time_ms {
            series.taken = before.unwrap_or(row);
        }
        series.taken_scrape = scrape;
        before.is_none()
    }

    /// The place of a series in the batch of `scrape`, where it is put if it is not there.
    pub(super) fn in_batch(&mut self, series: u32, scrape: u32, batch: &mut Batch) -> u32 {
        let series = &mut self.series[series as usize];
        if series.batch_scrape != scrape {
            (series.batch_scrape, series.in_batch) = (scrape, batch.series.len() as u32);
            batch.series.push(RawSeries { labels: series.labels.clone(), hash: series.hash, kind: series.kind });
        }
        series.in_batch
    }

    /// The series that are alive though the page of `scrape` does not say so.
    pub(super) fn vanished(&self, scrape: u32) -> Vec<u32> {
        let gone = self.series.iter().enumerate().filter(|(_, s)| s.alive && s.alive_scrape != scrape);
        gone.map(|(place, _)| place as u32).collect()
    }

    /// The time of the newest row that was written.
    pub(super) fn written_ms(&self, series: u32) -> Option<i64> {
        self.series[series as usize].written.map(|row| row.time_ms)
    }

    /// Whether an exemplar is not the one that the series had before.
    pub(super) fn is_new_exemplar(&mut self, series: u32, fingerprint: u64) -> bool {
        self.exemplars.insert(series, fingerprint) != Some(fingerprint)
    }

    /// Remembers that the rows of `scrape` were written, markers for all others included.
    pub(super) fn commit(&mut self, scrape: u32) {
        for series in &mut self.series {
            series.alive = series.alive_scrape == scrape;
            if series.taken_scrape == scrape && series.written.is_none_or(|w| w.time_ms <= series.taken.time_ms) {
                series.written = Some(series.taken);
            }
        }
    }

    /// Keeps the series that are `used` or alive, and says where each of the old ones is now; those that are gone have any
    /// place.
    pub(super) fn keep(&mut self, used: impl Iterator<Item = u32>) -> Vec<u32> {
        let mut keeps: Vec<bool> = self.series.iter().map(|series| series.alive).collect();
        used.for_each(|series| keeps[series as usize] = true);
        let mut labels = Vec::new();
        let mut places = vec![0; keeps.len()];
        let mut kept = Vec::new();
        for (old, mut series) in std::mem::take(&mut self.series).into_iter().enumerate().filter(|(at, _)| keeps[*at]) {
            let start = labels.len() as u32;
            labels.extend_from_slice(&self.labels[series.labels.start as usize..series.labels.end as usize]);
            series.labels = start..labels.len() as u32;
            places[old] = kept.len() as u32;
            kept.push(series);
        }
        self.labels = labels.into();
        self.places = Places::of(&kept);
        let exemplars = std::mem::take(&mut self.exemplars).into_iter();
        self.exemplars =
            exemplars.filter(|(at, _)| keeps[*at as usize]).map(|(at, e)| (places[at as usize], e)).collect();
        let starts = std::mem::take(&mut self.starts).into_iter();
        self.starts = starts.filter(|(at, _)| keeps[*at as usize]).map(|(at, s)| (places[at as usize], s)).collect();
        self.series = kept;
        places
    }
}
