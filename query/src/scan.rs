//! Scanning series: from filters to series, from series to pages, from pages to the columns of `metrics`.
//!
//! Owns: which blocks, pages and rows a query reads, and what it sees of them (one row per sample, no markers).
//! Does not own: finding series by label (`storage`), decoding Parquet (DataFusion), what SQL may say (`guard`).

pub(crate) mod columns;
pub(crate) mod exec;
pub(crate) mod head;
pub(crate) mod inputs;
pub(crate) mod label;
pub(crate) mod latest;
pub(crate) mod lower;
pub(crate) mod membership;
pub(crate) mod overlap;
pub(crate) mod pages;
pub(crate) mod plan;
pub(crate) mod reader;
pub(crate) mod selected;
pub(crate) mod selection;
