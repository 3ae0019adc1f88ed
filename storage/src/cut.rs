//! The cut: the instant at which the head's rows become blocks.
//!
//! [`plan`] decides which rows leave and as what, [`build`] makes staged blocks of them, [`job`] carries one cut from
//! the journal's barrier to the commit and goes on where it stopped after a failure, [`cutter`] makes one after the other.

pub(crate) mod build;
pub(crate) mod cutter;
pub(crate) mod job;
pub(crate) mod plan;
