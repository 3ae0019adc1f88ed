//! A block: one immutable Parquet file of a table, and what is known of it without opening it.

pub(crate) mod columnar;
pub(crate) mod columns;
pub mod exemplars;
pub(crate) mod file;
pub mod filters;
pub mod histograms;
pub(crate) mod labels;
pub mod last_samples;
pub mod mantissa;
pub mod meta;
pub mod metadata;
pub mod page;
pub mod samples;
pub mod series;
pub mod starts;
mod texts;

pub use exemplars::ExemplarsWriter;
pub use file::Layout;
pub use histograms::HistogramsWriter;
pub use last_samples::LastSamples;
pub use meta::{BlockMeta, Bounds};
pub use metadata::MetadataWriter;
pub use samples::SamplesWriter;
pub use series::SeriesWriter;
pub use starts::StartsWriter;

use model::time::Date;

/// One live file of a table, as the Delta log tells it.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// The path below the table's folder: `date=2026-11-22/….parquet`.
    pub path: String,
    /// Length in bytes.
    pub size_bytes: u64,
    /// The partition.
    pub date: Date,
    /// Number of rows.
    pub rows: u64,
    /// Smallest and largest time among the rows (`time_ms`, or `first_time_ms` of `series`), in milliseconds.
    pub min_time_ms: i64,
    /// See `min_time_ms`.
    pub max_time_ms: i64,
    /// The cut window [start, end) in milliseconds, if this block is not late. Windows of one journal never overlap.
    pub window_ms: Option<(i64, i64)>,
    /// The journal that the rows came through.
    pub journal: uuid::Uuid,
    /// The Delta versions that first committed the oldest and the newest rows. A higher one wins over a lower one.
    pub gen_min: i64,
    /// See `gen_min`.
    pub gen_max: i64,
}
