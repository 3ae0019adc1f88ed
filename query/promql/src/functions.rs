//! The functions of PromQL, over values that are at hand.

pub mod histogram;
pub mod range;
