//! Expressions of PromQL, see `checks/promql.rs`.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../checks/promql.rs"]
mod promql_check;

fuzz_target!(|input: &[u8]| promql_check::check(input));
