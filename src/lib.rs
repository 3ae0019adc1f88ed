//! fleetscope as a library: what the binary is made of, so that tests can run it with another file layer.
//!
//! Owns: the command line, the configuration, the order of starting and stopping, our own telemetry.
//! Does not own: collecting (`collector`), keeping (`storage`), answering (`query`).

pub mod app;
pub mod cli;
pub mod client;
pub mod config;
pub mod demo;
pub mod join;
pub mod server;
pub mod telemetry;
pub mod token;

mod command;

pub use command::{main_with, run};
