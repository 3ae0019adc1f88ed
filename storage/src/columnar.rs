//! Rows that come column by column: logs and spans.
//!
//! Owns: what storage asks of both, their bytes in a record of the journal (docs/formats/record.md).
//! Does not own: the columns themselves (`model`), which of them a block has (`block`).

mod code;
mod logs;
mod pack;
mod spans;
#[cfg(test)]
pub(crate) mod testing;

use std::fmt::Debug;
use std::sync::Arc;

use model::shared::Shared;
use model::time::{Date, MS_NANOS};
use model::{Error, Resource};

use crate::codec::Reader;
use crate::tables::Table;

pub(crate) use pack::{Carry, Packed, read_carry, read_rows};

/// Rows of logs or spans, each with a resource and a time.
pub(crate) trait Columnar: Default + Debug + Send + Sync + 'static {
    /// The table that they are rows of.
    const TABLE: Table;
    /// The version of a record's payload with such rows.
    const VERSION: u8;

    /// The times, in nanoseconds since the Unix epoch.
    fn times(&self) -> &[i64];

    /// What the rows come from, and of each row the place of its resource.
    fn resources(&self) -> (&Shared<Resource>, &[u32]);

    /// The traces of the rows; all zero where there is none.
    fn traces(&self) -> &[[u8; 16]];

    /// The line of a row, whose words are to be found.
    fn line(&self, row: usize) -> Option<&str>;

    /// How many clusters the store may know once these rows have brought theirs; forgotten, since it is no part of them.
    fn take_max_clusters(&mut self) -> Option<u64>;

    /// The rows of the resources that are kept, by place.
    fn of_resources(self, is_kept: &[bool]) -> Self;

    /// Adds rows of another batch, by their places there.
    fn append(&mut self, other: &Self, rows: impl Iterator<Item = usize>);

    /// Bytes of memory taken, roughly.
    fn memory_bytes(&self) -> usize;

    /// Writes all down.
    fn encode(&self, out: &mut Vec<u8>);

    /// Reads what [`Columnar::encode`] wrote. Total over any bytes.
    ///
    /// # Errors
    /// `Corrupt` if the bytes are none of its.
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Error>;

    /// How many rows there are.
    fn len(&self) -> usize {
        self.times().len()
    }
}

/// Some rows, which nobody changes any more, and what is often asked of them.
#[derive(Debug)]
pub(crate) struct Chunk<C> {
    pub(crate) rows: Arc<C>,
    /// The earliest and the latest time, in milliseconds.
    pub(crate) min_ms: i64,
    pub(crate) max_ms: i64,
    pub(crate) bytes: i64,
}

impl<C> Clone for Chunk<C> {
    fn clone(&self) -> Self {
        Chunk { rows: self.rows.clone(), ..*self }
    }
}

impl<C: Columnar> Chunk<C> {
    /// These rows; `None` if there is none.
    pub(crate) fn new(rows: Arc<C>) -> Option<Self> {
        let times = rows.times();
        let (min, max) = (times.iter().min()?, times.iter().max()?);
        let (min_ms, max_ms, bytes) = (min.div_euclid(MS_NANOS), max.div_euclid(MS_NANOS), rows.memory_bytes() as i64);
        Some(Chunk { rows, min_ms, max_ms, bytes })
    }

    /// The day of all rows, if it is one.
    pub(crate) fn date(&self) -> Option<Date> {
        let date = Date::of_ms(self.min_ms);
        (date == Date::of_ms(self.max_ms)).then_some(date)
    }

    /// The day of each row.
    pub(crate) fn dates(&self) -> impl Iterator<Item = Date> {
        self.rows.times().iter().map(|time| Date::of_ms(time.div_euclid(MS_NANOS)))
    }

    /// The rows that fulfil a condition on their day.
    pub(crate) fn of_dates(&self, is_wanted: impl Fn(Date) -> bool) -> Option<Self> {
        let mut rows = C::default();
        rows.append(&self.rows, self.dates().enumerate().filter(|(_, date)| is_wanted(*date)).map(|(row, _)| row));
        Chunk::new(Arc::new(rows))
    }
}

#[cfg(test)]
mod tests;
