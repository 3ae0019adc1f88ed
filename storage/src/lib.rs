//! Keeping telemetry: journal, head, cuts, Parquet blocks in Delta tables, snapshots.
//!
//! Owns: when a row is durable, where it lives afterwards, and what a query may see of it.
//! Does not own: how rows come in (`collector`), how they are asked for (`query`), the bytes of the log (`journal`).
//! It knows no query engine: nothing here depends on DataFusion.

pub mod block;
mod block_cache;
mod cluster;
mod codec;
mod columnar;
pub mod config;
mod cut;
mod days;
#[doc(hidden)] // Reached by the bench; not part of what the crate promises.
pub mod delta;
pub mod durable;
mod head;
mod histogram;
pub mod index;
pub mod matcher;
mod record;
mod rows;
#[cfg(test)]
#[path = "../../fuzz/checks/replay.rs"]
mod seeds;
mod series;
mod sign;
pub mod snapshot;
mod staging;
pub mod store;
mod stretch;
pub mod tables;
mod view;
mod writer;

pub use config::Config;
pub use matcher::{Matcher, Selection};
pub use series::SeriesInfo;
pub use snapshot::{HeadRows, Resolved, Snapshot};
pub use store::{OnDamage, Parts, Stats, Store};
pub use tables::Table;
