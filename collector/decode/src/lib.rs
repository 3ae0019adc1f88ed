//! From the bytes of a request or an answer to a [`model::Batch`].
//!
//! Owns: the wire formats that bring samples in ([`text`], [`openmetrics`], [`remote_write`], [`remote_read`], [`otlp`]), the
//! only decompressors of bodies in the product ([`body`]), and the limits that keep a hostile body small ([`Limits`]).
//! Does not own: sockets, HTTP, content negotiation, retries (`collector`), the rule what a series is
//! ([`model::labels`]), any state at all: every function here is pure, so each one is fuzzed (`fuzz/`).
//!
//! ```text
//! wire bytes ─ body::decompress ──> body ─┬─ text::decode ────────────────┬> Batch { body, series: ranges of body + hash, … }
//!            │                            ├─ openmetrics::decode ─────────┤
//!            │                            ├─ remote_write::decode ────────┤
//!            │                            ├─ otlp::decode ────────────────┤
//!            │                            └─ remote_read::decode_samples ─┤
//!            └ remote_read::Frames ─> frames ─ remote_read::decode_chunks ┘
//! ```
//!
//! A decoder takes a body whole or refuses it whole, names the place of the first fault, and copies no label: a series
//! of a batch is a range of the body, which the store reads only if it has never met its bytes. OTLP differs in both, as it
//! must: one wrong point costs that point, and labels that a resource has once are written out for each of its series.

#![forbid(unsafe_code)]

pub mod body;
mod error;
mod exposition;
mod limits;
mod names;
pub mod openmetrics;
pub mod otlp;
mod protobuf;
pub mod remote_read;
pub mod remote_write;
pub mod text;

pub use error::{Error, Position};
pub use exposition::families::Families;
pub use limits::Limits;
