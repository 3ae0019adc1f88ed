//! Pushes to Loki, see `checks/loki_push.rs`.
#![no_main]

#[path = "../checks/loki_push.rs"]
mod check;
#[path = "../checks/log_rows.rs"]
mod log_rows;

libfuzzer_sys::fuzz_target!(|input: &[u8]| check::check(input));
