//! What of a pushed body is kept, and what is not: a sender that sends much good and one bad row loses the bad row.

use std::fmt;

use model::{Batch, LeftOut, LeftOutReason};

use crate::Error;
use crate::error::quoted;

/// What a pushed body has become.
#[derive(Debug)]
pub struct Decoded {
    /// The rows that are good.
    pub batch: Batch,
    /// What is not among them.
    pub refused: Refused,
}

/// Why something of a body was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Reason {
    /// A series whose labels are none: without a name, with one twice, not UTF-8, a number that stands for no text.
    InvalidLabels = 0,
    /// A series with more or longer labels than [`crate::Limits`] has room for.
    LabelLimit = 1,
    /// A native histogram that contradicts itself.
    InvalidHistogram = 2,
    /// An exemplar whose labels are none, or too many.
    InvalidExemplar = 3,
    /// What is said of a family without a name, or in text that is none.
    InvalidMetadata = 4,
    /// A start that no table can hold; its sample is kept.
    InvalidStart = 5,
    /// A series without any row where there must be one.
    EmptySeries = 6,
    /// A row too far in the future, or at a time that no table can hold.
    OutOfRange = 7,
    /// A series that its cluster has no room for.
    SeriesLimit = 8,
    /// A series of a cluster that the store has no room for.
    ClusterLimit = 9,
    /// A row of logs that is none: of another form, without a time, an attribute without a name.
    InvalidRow = 10,
    /// A row of logs with a longer line, or with more or longer attributes, than [`crate::Limits`] has room for.
    RowLimit = 11,
}

impl Reason {
    /// All reasons, in the order of their numbers.
    pub const ALL: [Reason; 12] = [
        Reason::InvalidLabels,
        Reason::LabelLimit,
        Reason::InvalidHistogram,
        Reason::InvalidExemplar,
        Reason::InvalidMetadata,
        Reason::InvalidStart,
        Reason::EmptySeries,
        Reason::OutOfRange,
        Reason::SeriesLimit,
        Reason::ClusterLimit,
        Reason::InvalidRow,
        Reason::RowLimit,
    ];

    /// The word in counters.
    pub fn as_str(self) -> &'static str {
        [
            "invalid_labels",
            "label_limit",
            "invalid_histogram",
            "invalid_exemplar",
            "invalid_metadata",
            "invalid_start",
            "empty_series",
            "out_of_range",
            "series_limit",
            "cluster_limit",
            "invalid_row",
            "row_limit",
        ][self as usize]
    }
}

/// What was left out of a body: how much of it, and the first messages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refused {
    counts: [u64; Reason::ALL.len()],
    messages: Vec<(Reason, String)>,
}

impl Refused {
    /// Messages that are kept of each reason: enough to see what is wrong, and few enough to answer with.
    pub const MAX_MESSAGES: usize = 10;

    /// Whether all was kept.
    pub fn is_empty(&self) -> bool {
        self.counts.iter().all(|count| *count == 0)
    }

    /// How many rows were left out for a reason; a series without rows counts as one.
    pub fn count(&self, reason: Reason) -> u64 {
        self.counts[reason as usize]
    }

    /// The reasons there are, with how many rows were left out for each.
    pub fn counts(&self) -> impl Iterator<Item = (Reason, u64)> {
        Reason::ALL.into_iter().map(|reason| (reason, self.count(reason))).filter(|(_, count)| *count > 0)
    }

    /// The first messages of each reason, in the order of the body. Each names the series, where it has one.
    pub fn messages(&self) -> impl Iterator<Item = (Reason, &str)> {
        self.messages.iter().map(|(reason, message)| (*reason, message.as_str()))
    }

    /// Whether another message for a reason is kept.
    pub(crate) fn has_room(&self, reason: Reason) -> bool {
        self.messages.iter().filter(|(known, _)| *known == reason).count() < Self::MAX_MESSAGES
    }

    /// Takes in what the store has left out of the batch.
    pub fn note_left_out(&mut self, left_out: &LeftOut) {
        let reasons = [
            (LeftOutReason::InvalidLabels, Reason::InvalidLabels),
            (LeftOutReason::LabelLimit, Reason::LabelLimit),
            (LeftOutReason::SeriesLimit, Reason::SeriesLimit),
            (LeftOutReason::ClusterLimit, Reason::ClusterLimit),
        ];
        for (of_store, reason) in reasons {
            self.counts[reason as usize] += left_out.rows(of_store) as u64;
            let messages = left_out.messages().filter(|(other, _)| *other == of_store);
            for (_, message) in messages.take(self.room_for(reason)) {
                self.messages.push((reason, message.to_owned()));
            }
        }
    }

    /// Takes in rows that the store has refused, as it would refuse them again.
    pub fn note_refused(&mut self, message: &str, rows: usize) {
        self.note(Bad { reason: Reason::InvalidLabels, what: message.to_owned() }, rows as u64);
    }

    fn room_for(&self, reason: Reason) -> usize {
        let known = self.messages.iter().filter(|(other, _)| *other == reason).count();
        Self::MAX_MESSAGES.saturating_sub(known)
    }

    pub(crate) fn note(&mut self, bad: Bad, rows: u64) {
        self.counts[bad.reason as usize] += rows.max(1);
        if self.has_room(bad.reason) {
            self.messages.push((bad.reason, bad.what));
        }
    }
}

/// What is wrong with a part of a body that can be left out.
#[derive(Debug)]
pub(crate) struct Bad {
    pub(crate) reason: Reason,
    pub(crate) what: String,
}

impl Bad {
    /// Boxed, so that the happy way returns one word.
    pub(crate) fn new(reason: Reason, what: impl Into<String>) -> Box<Self> {
        Box::new(Bad { reason, what: what.into() })
    }

    /// The same, with its place.
    pub(crate) fn of_series(mut self: Box<Self>, series: &str) -> Box<Self> {
        self.what = format!("{}, in series {series}", self.what);
        self
    }

    /// The same, with the start of the line of its row.
    #[cold]
    pub(crate) fn of_line(mut self: Box<Self>, line: &str) -> Box<Self> {
        self.what = format!("{}: {}", self.what, quoted(line.as_bytes()));
        self
    }
}

impl fmt::Display for Bad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl From<Bad> for Error {
    fn from(bad: Bad) -> Self {
        match bad.reason {
            Reason::LabelLimit | Reason::RowLimit => Error::too_large(bad.what),
            _ => Error::invalid(bad.what),
        }
    }
}
