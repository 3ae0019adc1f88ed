//! Pages of exposition as protobuf, see `checks/metric_families.rs`.
#![no_main]

#[path = "../checks/metric_families.rs"]
mod check;
#[path = "../checks/rows.rs"]
mod rows;

libfuzzer_sys::fuzz_target!(|input: &[u8]| check::check(input));
