//! Any bytes are an OTLP request that is read or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../checks/otlp.rs"]
mod otlp;
#[path = "../checks/rows.rs"]
mod rows;

fuzz_target!(|input: &[u8]| otlp::check(input));
