//! Bulk requests of Elasticsearch, see `checks/elasticsearch_bulk.rs`.
#![no_main]

#[path = "../checks/elasticsearch_bulk.rs"]
mod check;
#[path = "../checks/log_rows.rs"]
mod log_rows;

libfuzzer_sys::fuzz_target!(|input: &[u8]| check::check(input));
