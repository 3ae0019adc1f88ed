//! Tests of the language: what is read, refused and printed. What expressions answer is tested by `functions.rs`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod cases;
mod corpus;
mod draw;
mod hostile;
mod reference;
mod round_trip;
