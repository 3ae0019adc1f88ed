//! The parts of the product's series index that need no Parquet, for the fuzzer.

#[path = "../storage/src/index/decode.rs"]
mod decode;
#[path = "../storage/src/index/encode.rs"]
mod encode;
#[path = "../storage/src/index/live.rs"]
mod live;
#[path = "../storage/src/index/postings.rs"]
mod postings;
#[path = "../storage/src/index/select.rs"]
mod select;

pub(crate) use decode::SeriesIndex;

// As in `storage/src/index.rs`.
pub(crate) const VERSION: u8 = 1;
const MAGIC: [u8; 4] = *b"FSIX";
