//! The language as a whole: what is read, refused and printed.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod cases;
mod corpus;
mod draw;
mod hostile;
mod reference;
mod round_trip;
