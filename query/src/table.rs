//! The tables that SQL sees: series with their labels, and raw rows.

mod raw;
mod series;

pub(crate) use raw::RawTable;
pub(crate) use series::SeriesTable;
