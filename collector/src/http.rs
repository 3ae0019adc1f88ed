//! What all HTTP routes of the collectors share.

pub(crate) mod error;
