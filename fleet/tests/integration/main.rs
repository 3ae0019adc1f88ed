//! A fleet seen from outside: what it exposes reads well, is real, and hangs together.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod agreement;
mod emitted;
mod failover;
mod history;
mod names;
mod pages;
mod reading;
mod sums;
mod traffic;
