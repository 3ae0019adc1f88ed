//! Requests of remote write 2.0, see `checks/remote_write_2.rs`.
#![no_main]

#[path = "../checks/remote_write_2.rs"]
mod check;
#[path = "../checks/rows.rs"]
mod rows;

libfuzzer_sys::fuzz_target!(|input: &[u8]| check::check(input));
