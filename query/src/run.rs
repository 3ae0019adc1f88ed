//! Where and how long queries run.
//!
//! Owns: the places that queries run in, whose turn it is to get one, their threads, their limits of time and memory, the count of stuck ones.
//! Does not own: what a query means (`session`), what it may say (`guard`).
//!
//! Each place has a small runtime of its own with large stacks, so that a query that never yields (a planner, a kernel)
//! holds up no other query and nothing of the server. A thread cannot be ended from outside: a place whose query goes
//! on past its deadline stays taken and is counted as stuck until it really ends. Joins, the operators that can go on
//! without yielding for longest, ask by themselves whether they should end (`halt`).

mod client;
mod halt;
mod memory;
mod place;
mod queue;

pub use client::Client;
pub(crate) use halt::{Halt, yielding_joins};
pub(crate) use memory::{QueryPool, Shared as SharedMemory};
pub(crate) use place::{Places, Ticket};
