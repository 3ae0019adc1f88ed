//! The cut: the instant at which the head's rows become blocks.
//!
//! [`plan`] decides which rows leave and as what, [`build`] writes them as blocks into the staging folder, [`job`] carries
//! one cut from the journal's barrier to a sealed [`manifest`], [`staged`] from there to the commits, in this process or
//! the next; [`cutter`] makes one after the other. Each goes on where it stopped after a failure.

pub(crate) mod build;
pub(crate) mod cutter;
pub(crate) mod job;
pub(crate) mod manifest;
pub(crate) mod plan;
pub(crate) mod staged;
