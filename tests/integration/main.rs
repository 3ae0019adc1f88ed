//! The one integration binary: the real server as a process, beside real peers.
//!
//! Owns: starting and killing processes, asking over HTTP, judging answers. Does not own: anything inside a crate, which
//! its own unit tests check.
//!
//! Prometheus, the node exporter and a Python environment come from `make setup`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

mod access;
mod bad_input;
mod bench_report;
mod bucket;
mod cluster_limit;
mod command_line;
mod crash;
mod damage;
mod dashboards;
mod demo;
mod deploy;
mod disk_trouble;
mod examples;
mod federation;
mod healing;
mod hostile_records;
mod ingest;
mod join;
mod life;
mod log_shippers;
mod missing_data;
mod mixins;
mod otlp;
mod otlp_json;
mod otlp_records;
mod own_traces;
mod peers;
mod power;
mod promql;
mod queries;
mod readers;
mod receivers;
mod remote_write;
mod replicas;
mod scrape;
mod server;
mod server_tls;
mod sql_docs;
mod sql_socket;
mod tls;
