//! Walks the bytes of one segment and finds every record whose header decodes, also behind damage.

use crate::record::{self, ALIGNMENT, Found, Parsed, Place};
use crate::segment;

/// What the bytes of a segment hold.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Scan {
    /// The records whose headers decode, in the order of the file.
    pub(crate) records: Vec<Found>,
    /// The offset of the mark that ends a closed segment, and the sequence it names.
    pub(crate) end: Option<(usize, u64)>,
}

impl Scan {
    /// The highest sequence of which the bytes prove that all below it were durable.
    pub(crate) fn durable_below(&self) -> Option<u64> {
        self.records.iter().map(|found| found.group).chain(self.end.map(|(_, next)| next)).max()
    }
}

/// Scans a segment's bytes. Never fails: what does not decode is passed over.
///
/// A record whose header decodes is stepped over by its length, so nothing inside a payload is taken for a record.
/// From anything else the next record is looked for at every multiple of [`ALIGNMENT`].
pub(crate) fn scan(bytes: &[u8], place: Place) -> Scan {
    let mut scan = Scan::default();
    let mut at = segment::HEADER_BYTES as usize;
    while at < bytes.len() {
        match record::parse(bytes, at, place) {
            Some(Parsed::Record(found)) => {
                at = found.end;
                scan.records.push(found);
            }
            Some(Parsed::End { next }) => {
                scan.end = Some((at, next));
                break;
            }
            None => at = skip(bytes, at),
        }
    }
    scan
}

/// The next offset behind `at` where a record may begin: no record begins with eight zeroes.
fn skip(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at + ALIGNMENT..).unwrap_or_default();
    let zeroes = rest.as_chunks::<ALIGNMENT>().0.iter().take_while(|word| **word == [0; ALIGNMENT]).count();
    at + ALIGNMENT + zeroes * ALIGNMENT
}

#[cfg(test)]
mod tests;
