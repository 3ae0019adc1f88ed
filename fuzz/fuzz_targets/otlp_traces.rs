//! Any bytes are an OTLP request for traces that is read or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../checks/otlp_traces.rs"]
mod otlp_traces;
#[path = "../checks/records.rs"]
mod records;

fuzz_target!(|input: &[u8]| otlp_traces::check(input));
