//! The contracts every other crate speaks: labels, batches of the three signals, clusters, time, files, workers, errors.
//!
//! Owns: the words of the product as types, the seams between its crates ([`Ingest`], [`Recall`], [`Clock`],
//! [`files::Files`]).
//! Does not own: any format of the outside world (`decode`), any place rows are kept (`journal`, `storage`), any
//! protocol (`collector`, `query`).
//!
//! It stands on the lowest floor and depends on nothing of ours, so that collectors and storage can meet here without
//! knowing each other.

pub mod attributes;
pub mod batch;
pub mod cluster;
pub mod duration;
pub mod error;
pub mod files;
pub mod go_regex;
pub mod histogram;
pub mod ingest;
pub mod labels;
pub mod logs;
pub mod recall;
pub mod resource;
pub mod shared;
pub mod size;
pub mod source;
pub mod spans;
pub mod texts;
pub mod time;
pub mod worker;

/// The target of spans that tell of our own work; no log has it.
pub const TRACE_TARGET: &str = "fleetscope::trace";

pub use batch::Batch;
pub use cluster::Cluster;
pub use error::{Error, ErrorKind};
pub use histogram::NativeHistogram;
pub use ingest::{Ingest, LeftOut, LeftOutReason, Receipt};
pub use labels::{Labels, SeriesKey};
pub use logs::Logs;
pub use recall::Recall;
pub use resource::Resource;
pub use source::{SourceStatus, Sources};
pub use spans::Spans;
pub use time::{Clock, SystemClock};
