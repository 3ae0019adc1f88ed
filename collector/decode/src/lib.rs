//! From the bytes of a request or an answer to a [`model::Batch`], [`model::Logs`] or [`model::Spans`], and back where others
//! read from us.
//!
//! Owns: the wire formats that bring samples in ([`text`], [`openmetrics`], [`metric_families`], [`remote_write`],
//! [`remote_read`], [`otlp`]), logs ([`otlp::logs`], [`loki`], [`elasticsearch`]) and spans ([`otlp::traces`]), those that take
//! samples out ([`text`], [`openmetrics`], [`remote_read`]), the only
//! decompressors of bodies in the product ([`body`]), and the limits that keep a hostile body small ([`Limits`]).
//! Does not own: sockets, HTTP, content negotiation, retries (`collector`), the rule what a series is
//! ([`model::labels`]), any state at all: every function here is pure, so each one is fuzzed (`fuzz/`).
//!
//! ```text
//! wire bytes ─ body::decompress ──> body ─┬─ text::decode ────────────────┬> Batch { body, series: ranges of body + hash, … }
//!            │                            ├─ openmetrics::decode ─────────┤
//!            │                            ├─ metric_families::decode ─────┤
//!            │                            ├─ remote_read::decode_samples ─┤
//!            └ remote_read::Frames ─> frames ─ remote_read::decode_chunks ┘
//!
//!                                   body ─┬─ remote_write::decode ────────┬> Decoded { batch, refused, … }
//!                                         ├─ remote_write::v2::decode ────┤
//!                                         ├─ otlp::decode ────────────────┘
//!                                         ├─ otlp::logs::decode ──────────> DecodedLogs { logs, refused }
//!                                         ├─ otlp::traces::decode ────────> DecodedSpans { spans, refused }
//!                                         ├─ loki::decode ────────────────┬> DecodedLines { logs, refused }
//!                                         ├─ loki::json::decode ──────────┤
//!                                         ├─ loki::streams::decode ───────┘
//!                                         └─ elasticsearch::bulk::decode ──> and the fate of each item
//! ```
//!
//! What is fetched is taken whole or refused whole: it can be fetched again. Of what is pushed the good is kept and the bad
//! is told, since its sender would drop all of it. Either way damage refuses the whole, and a message names the place.
//!
//! No label is copied: a series of a batch is a range of the body, which the store reads only if it has never met it. But
//! for [`metric_families`] and [`otlp`], whose series no bytes of the body say: they are written out, all into one buffer.

#![forbid(unsafe_code)]

mod arrival;
pub mod body;
pub mod elasticsearch;
mod error;
mod exposition;
mod ids;
mod json;
mod limits;
mod log_rows;
pub mod loki;
pub mod metric_families;
mod names;
pub mod openmetrics;
pub mod otlp;
mod protobuf;
mod refused;
pub mod remote_read;
pub mod remote_write;
mod severity;
pub mod text;

pub use arrival::Arrival;
pub use error::{Error, Position};
pub use exposition::families::Families;
pub use limits::Limits;
pub use log_rows::DecodedLines;
pub use refused::{Decoded, Reason, Refused};
