//! The payloads of records, see `checks/record.rs`.
#![no_main]

#[path = "../checks/record.rs"]
mod check;
#[allow(dead_code, reason = "the product's own file, of which a part is used")]
#[path = "../../storage/src/cluster.rs"]
mod cluster;
#[allow(dead_code, reason = "as above")]
#[path = "../../storage/src/codec.rs"]
mod codec;
#[allow(dead_code, reason = "as above")]
#[path = "../../storage/src/histogram.rs"]
mod histogram;
#[allow(dead_code, reason = "as above")]
#[path = "../../storage/src/record.rs"]
mod record;
#[allow(dead_code, reason = "as above")]
#[path = "../../storage/src/rows.rs"]
mod rows;
#[allow(dead_code, reason = "as above")]
#[path = "../../storage/src/series.rs"]
mod series;
#[allow(dead_code, reason = "as above")]
#[path = "../../storage/src/sign.rs"]
mod sign;
#[allow(dead_code, reason = "as above")]
#[path = "../../storage/src/stretch.rs"]
mod stretch;

libfuzzer_sys::fuzz_target!(|input: &[u8]| check::check(input));
