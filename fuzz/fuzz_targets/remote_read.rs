//! Answers to a remote read, see `checks/remote_read.rs`.
#![no_main]

#[path = "../checks/remote_read.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|input: &[u8]| check::check(input));
