//! The segments of a journal, see `checks/journal.rs`.
#![no_main]

#[path = "../checks/journal.rs"]
mod check;

use journal::{Config, Error, Journal, OnDamage, Position, Record};

libfuzzer_sys::fuzz_target!(|input: &[u8]| check::check(input));
