//! What a journal could not give back, in words an operator can act on.

use std::fmt;
use std::path::PathBuf;

use crate::Position;

/// One stretch of a segment that was durable and cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The segment's file.
    pub file: PathBuf,
    /// The generation it belongs to.
    pub generation: u64,
    /// The segment's number.
    pub segment: u64,
    /// Where in the file the stretch begins, in bytes.
    pub offset: u64,
    /// What is wrong.
    pub cause: Cause,
    /// The first record that is lost, if known. `None` if no record is known to be lost.
    pub first: Option<Position>,
    /// The last record that is lost, if known.
    pub last: Option<Position>,
    /// The tags of lost records that could still be read, with their numbers.
    pub tags: Vec<(Position, Vec<u8>)>,
}

/// What is wrong with a stretch of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The header of the segment does not decode; its records are read all the same.
    Header,
    /// Records are missing or do not decode.
    Records,
    /// The file is shorter than it was made, so that records at its end may be missing.
    Truncated,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Damage { file, generation, segment, offset, .. } = self;
        let what = match self.cause {
            Cause::Header => "its header does not decode",
            Cause::Records => "records that were durable do not decode",
            Cause::Truncated => "the file is shorter than it was made",
        };
        let file = file.display();
        write!(f, "journal segment {segment} ({file}) of generation {generation} is damaged at byte {offset}: {what}")?;
        match (self.first, self.last) {
            (Some(first), Some(last)) => write!(f, ", records {first} to {last} are lost"),
            (Some(first), None) => write!(f, ", records from {first} on may be lost"),
            _ => Ok(()),
        }
    }
}

/// What opening cut off the end of the last segment: records of a group that was being written when
/// the process or the machine died, and so was never acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CutTail {
    /// The segment's file.
    pub(crate) file: PathBuf,
    /// Where the cut was made, in bytes.
    pub(crate) offset: u64,
    /// Records behind the cut that were whole, but followed one that is not.
    pub(crate) whole_records: u64,
}
