//! Any bytes are an OTLP request for logs that is read or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../checks/otlp_logs.rs"]
mod otlp_logs;
#[path = "../checks/records.rs"]
mod records;

fuzz_target!(|input: &[u8]| otlp_logs::check(input));
