//! The index of a block, see `checks/series_index.rs`.
#![no_main]

#[path = "../checks/series_index.rs"]
mod check;
#[allow(dead_code, reason = "the product's own file, of which a part is used")]
#[path = "../../storage/src/codec.rs"]
mod codec;
#[allow(dead_code, reason = "as above")]
#[path = "../index.rs"]
mod index;
#[allow(dead_code, reason = "as above")]
#[path = "../../storage/src/matcher.rs"]
mod matcher;

use matcher::Matcher;

libfuzzer_sys::fuzz_target!(|input: &[u8]| check::check(input));
