//! The functions of PromQL, over values that are at hand.
//!
//! One family is one file; a function is a line in the table of its kind.

pub mod histogram;
pub mod instant;
pub mod labels;
pub mod range;
pub mod sorting;
