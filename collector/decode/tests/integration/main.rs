//! Tests of the crate from outside: behaviour as text, properties, damaged and hostile bodies.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod answers;
mod bombs;
mod cases;
mod corpus;
mod damaged;
mod families;
mod logs;
mod otlp;
mod otlp_records;
mod prometheus;
mod reference;
mod remote_read;
mod requests;
mod requests_2;
mod round_trip;
mod samples;
mod server;
