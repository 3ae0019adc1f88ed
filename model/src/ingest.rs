//! The one way from a collector into a store.

use std::ops::Range;

use async_trait::async_trait;

use crate::{Batch, Error, Logs, Spans};

/// What a store answers once a batch is safe.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Receipt {
    /// Samples that are durable, staleness markers and native histograms included.
    pub samples: usize,
    /// Series that this store had not seen before.
    pub new_series: usize,
    /// Whether room is getting scarce: whoever can wait should, so that those who cannot are not refused.
    pub is_pressed: bool,
    /// What was left out; everything else is durable.
    pub left_out: Option<Box<LeftOut>>,
}

/// Why the rows of a series were left out of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum LeftOutReason {
    /// Its labels are none: without a name, with one twice, not UTF-8.
    InvalidLabels = 0,
    /// It has more or longer labels than it may.
    LabelLimit = 1,
    /// It is new, and its cluster may not have one more.
    SeriesLimit = 2,
    /// It is of a cluster that is new, and its sender may not bring one more.
    ClusterLimit = 3,
}

impl LeftOutReason {
    const COUNT: usize = 4;
}

/// Rows that were left out of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LeftOut {
    /// How many samples.
    pub samples: usize,
    /// How many native histograms.
    pub histograms: usize,
    /// How many exemplars.
    pub exemplars: usize,
    /// How many series, by reason.
    series: [usize; LeftOutReason::COUNT],
    /// How many rows, by reason; a series without rows counts as one.
    rows: [usize; LeftOutReason::COUNT],
    /// The places of the series in the batch, ascending.
    places: Vec<u32>,
    messages: Vec<(LeftOutReason, String)>,
}

impl LeftOut {
    /// Messages that are kept of each reason.
    const MAX_MESSAGES: usize = 10;

    /// Counts a series, by its place in the batch. To be called in the order of the batch.
    pub fn push(&mut self, place: u32, reason: LeftOutReason, message: &str) {
        self.places.push(place);
        self.series[reason as usize] += 1;
        if self.messages.iter().filter(|(other, _)| *other == reason).count() < Self::MAX_MESSAGES {
            self.messages.push((reason, message.to_owned()));
        }
    }

    /// How many series were left out for a reason.
    pub fn series(&self, reason: LeftOutReason) -> usize {
        self.series[reason as usize]
    }

    /// The places that the series had in the batch, ascending.
    pub fn places(&self) -> &[u32] {
        &self.places
    }

    /// Whether any series within this range of places was left out.
    pub fn has_any(&self, places: &Range<u32>) -> bool {
        let next = self.places.partition_point(|place| *place < places.start);
        self.places.get(next).is_some_and(|place| *place < places.end)
    }

    /// Counts the rows of a series that was pushed.
    pub fn add_rows(&mut self, reason: LeftOutReason, rows: usize) {
        self.rows[reason as usize] += rows.max(1);
    }

    /// How many rows were left out for a reason; a series without rows counts as one.
    pub fn rows(&self, reason: LeftOutReason) -> usize {
        self.rows[reason as usize]
    }

    /// The first messages of each reason, in the order of the batch.
    pub fn messages(&self) -> impl Iterator<Item = (LeftOutReason, &str)> {
        self.messages.iter().map(|(reason, message)| (*reason, message.as_str()))
    }
}

/// Takes batches into a store. Collectors know nothing else of storage.
#[async_trait]
pub trait Ingest: Send + Sync {
    /// Writes a batch whole or not at all, and returns once it is durable and seen by queries.
    ///
    /// # Errors
    /// `Invalid` if a series or a time is not acceptable (no row of the batch is kept), `Busy` if a budget is full,
    /// `Unavailable` if the journal failed. After `Unavailable` the batch may or may not come back after a restart;
    /// sending it again is harmless.
    async fn write(&self, batch: Batch) -> Result<Receipt, Error>;

    /// Writes log rows, all or none, and returns once they are durable and seen by queries.
    ///
    /// # Errors
    /// `Invalid` if a row is at a time that no table can hold, `Busy` if a budget is full, `Unavailable` if the journal
    /// failed: then the rows may or may not come back after a restart, and sent again they may be there twice.
    async fn write_logs(&self, logs: Logs) -> Result<(), Error>;

    /// Writes spans, all or none, and returns once they are durable and seen by queries.
    ///
    /// # Errors
    /// As [`Ingest::write_logs`].
    async fn write_spans(&self, spans: Spans) -> Result<(), Error>;
}
