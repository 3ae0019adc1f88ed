//! The binary operators.

pub mod histogram;
