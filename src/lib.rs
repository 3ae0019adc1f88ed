//! fleetscope as a library: what the binary is made of, so that tests can run it with another file layer.
//!
//! Owns: the command line, the configuration, the order of starting and stopping, our own telemetry.
//! Does not own: collecting (`collector`), keeping (`storage`), answering (`query`).

pub mod cli;
pub mod client;
pub mod config;
