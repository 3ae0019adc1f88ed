//! The series index: for each label its sorted values, for each value the ordinals of the series that have it.
//!
//! Owns: the bytes of the index (docs/formats/series-index.md), what a matcher means for a set of series, the index of
//! one block and that of the head.
//! Does not own: the Parquet file around it (`block`), where blocks lie and which are cached (`snapshot`).
//!
//! An ordinal is the number of a row in a block of `series`, or the number that the head gave a series. `__name__` and
//! `cluster` are labels here.

mod build;
mod decode;
mod encode;
mod live;
mod postings;
mod select;
mod series_block;

pub use build::IndexBuilder;
pub use decode::SeriesIndex;
pub use live::LivePostings;
pub use series_block::SeriesBlock;

/// The version of the bytes that [`IndexBuilder::encode`] writes.
pub const VERSION: u8 = 1;
/// The most rows of a block of `series`; it keeps every count of the index within 32 bits.
pub const MAX_ROWS: u32 = 1 << 30;
/// The first bytes of an index.
const MAGIC: [u8; 4] = *b"FSIX";

#[cfg(test)]
mod tests;
