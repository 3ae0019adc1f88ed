//! query

mod catalog;
mod error;
#[cfg(test)]
mod fixture;
mod scan;
mod source;
mod table;
