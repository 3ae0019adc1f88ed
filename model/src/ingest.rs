//! The one way from a collector into a store.

use std::ops::Range;

use async_trait::async_trait;

use crate::{Batch, Error, Logs, Spans};

/// What a store answers once a batch is safe.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Receipt {
    /// Rows that are durable: samples, staleness markers and native histograms included; log rows; spans.
    pub samples: usize,
    /// Series that this store had not seen before.
    pub new_series: usize,
    /// Whether room is getting scarce: whoever can wait should, so that those who cannot are not refused.
    pub is_pressed: bool,
    /// What was left out; everything else is durable.
    pub left_out: Option<Box<LeftOut>>,
}

/// Why the rows of a series, or a row of logs or spans, were left out of a batch.
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

/// Rows that were left out of a batch. Of logs and spans each row stands where a series does.
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
    /// Each with the place that it was told of.
    messages: Vec<(LeftOutReason, u32, String)>,
}

impl LeftOut {
    /// Messages that are kept of each reason.
    const MAX_MESSAGES: usize = 10;

    /// Counts a series, by its place in the batch. To be called in the order of the batch.
    pub fn push(&mut self, place: u32, reason: LeftOutReason, message: &str) {
        self.push_alike(place, reason);
        if self.messages.iter().filter(|(other, ..)| *other == reason).count() < Self::MAX_MESSAGES {
            self.messages.push((reason, place, message.to_owned()));
        }
    }

    /// As [`LeftOut::push`], where an earlier message says it already.
    pub fn push_alike(&mut self, place: u32, reason: LeftOutReason) {
        self.places.push(place);
        self.series[reason as usize] += 1;
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
        self.messages.iter().map(|(reason, _, message)| (*reason, message.as_str()))
    }

    /// The message that was told of a place, if it is one of the first.
    pub fn message_at(&self, place: u32) -> Option<&str> {
        self.messages.iter().find(|(_, other, _)| *other == place).map(|(.., message)| message.as_str())
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

    /// Writes log rows, all or none but for those that [`Logs::max_clusters`] leaves out, and returns once they are durable and
    /// seen by queries.
    ///
    /// # Errors
    /// `Invalid` if a row is at a time that no table can hold, `Busy` if a budget is full, `Unavailable` if the journal
    /// failed: then the rows may or may not come back after a restart, and sent again they may be there twice.
    async fn write_logs(&self, logs: Logs) -> Result<Receipt, Error>;

    /// Writes spans, all or none but for those that [`Spans::max_clusters`] leaves out, and returns once they are durable and
    /// seen by queries.
    ///
    /// # Errors
    /// As [`Ingest::write_logs`].
    async fn write_spans(&self, spans: Spans) -> Result<Receipt, Error>;
}
