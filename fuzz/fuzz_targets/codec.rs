//! Columns of times and values, see `checks/codec.rs`.
#![no_main]

#[path = "../checks/codec.rs"]
mod check;
#[allow(dead_code, reason = "the product's own file, of which a part is used")]
#[path = "../../storage/src/codec.rs"]
mod codec;

libfuzzer_sys::fuzz_target!(|input: &[u8]| check::check(input));
