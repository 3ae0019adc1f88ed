//! `logs` and `spans` in SQL: typed views over the rows of blocks and of the head.
//!
//! Owns: which columns a query sees, which blocks and pages it reads for its conditions, in which order columns are read.
//! Does not own: decoding Parquet, the rows that are in no block (`storage`).
//!
//! ```text
//! filters ─ conditions ─> blocks ─ select ─> row ranges ─ pieces, newest first ─┐
//!                           head ──────────────────────────────── pieces ───────┴─> exec: stage by stage
//! ```
//!
//! A scan reads the columns of one condition after the other, the cheap ones first, and what else was asked for only of the
//! rows that fulfil all of them: also where a condition is on a map, of which DataFusion's own reader would not know.

mod conditions;
mod exec;
mod pieces;
mod prune;
mod select;
mod stages;
mod table;
mod view;
mod word;

pub(crate) use table::ColumnarTable;
pub(crate) use word::HasWord;
