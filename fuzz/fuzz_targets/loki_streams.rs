//! Answers of a Loki, see `checks/loki_streams.rs`.
#![no_main]

#[path = "../checks/loki_streams.rs"]
mod check;
#[path = "../checks/log_rows.rs"]
mod log_rows;

libfuzzer_sys::fuzz_target!(|input: &[u8]| check::check(input));
