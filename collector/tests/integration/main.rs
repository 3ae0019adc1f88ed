//! The collectors against real sockets: servers that answer well and badly, senders that do, and a real Prometheus.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say so at once")]

mod elasticsearch;
mod hostile_senders;
mod hostile_sources;
mod loki_push;
mod loki_read;
mod otlp;
mod otlp_records;
mod otlp_sdk;
mod prometheus;
mod pushes;
mod relabel;
mod reload;
mod remote_read;
mod remote_write;
mod remote_write_2;
mod scrapes;
mod sources;
mod store_trouble;
mod support;
