//! An append-only, crash-safe log of opaque records.
//!
//! Owns: the segment files of one directory, their format, checksums, group commit, replay, and what is dropped when.
//! Does not own: what a record means, when a generation may go, nor any thread but the writer's.
//!
//! The life of a record: [`Writer::submit`] queues an item; the writer's thread takes all that wait, has the owner's
//! [`Group`] encode them, writes them with one call, syncs once and answers each. After a crash [`Journal::open`] cuts
//! the torn tail, [`Journal::replay`] hands every whole record back, and once its rows are safe elsewhere
//! [`Writer::drop_before`] removes the files. The bytes are described in `docs/formats/journal.md`.
//!
//! Where to look: `record` and `segment` are the format, `scan` walks the bytes of one segment, `recovery` judges what
//! it found (torn tail or damage), `journal` holds the directory, `append` writes groups, `writer` is the thread.

mod append;
mod damage;
mod error;
mod identity;
mod journal;
mod record;
mod recovery;
mod scan;
mod segment;
mod stats;
mod writer;

pub use damage::{Cause, Damage};
pub use error::Error;
pub use journal::{Config, Journal, OnDamage, Record};
pub use record::{MAX_PAYLOAD_BYTES, MAX_TAG_BYTES};
pub use stats::Stats;
pub use writer::{Group, RecordBuilder, Writer};

/// The number of a record, growing by one over the whole life of a journal.
///
/// As a mark of progress a position P means "the records with a number below P are done".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Position(pub u64);

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
