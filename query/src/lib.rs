//! Asking the store: SQL over one snapshot, read only, within limits, and its way over HTTP.
//!
//! Owns: what SQL sees (`catalog`, `table`, `scan`), what it may say (`guard`), where and how long it runs (`run`).
//! Does not own: how rows are kept or found by label (`storage`), how they come in (`collector`).

mod catalog;
mod columnar;
pub mod config;
pub mod engine;
mod error;
#[cfg(test)]
mod fixture;
mod guard;
pub mod http;
mod params;
mod promql;
mod recall;
mod rows;
mod run;
mod scan;
mod session;
mod source;
mod table;

pub use config::Config;
pub use engine::{Engine, Parts, Rows};
pub use error::{Error, Position};
pub use http::routes;
pub use params::Params;
pub use promql::Annotations;
pub use run::Client;
