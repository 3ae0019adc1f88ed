//! Judges what a scan found: which records count, what is a torn tail, what is damage.
//!
//! The rules rest on how a journal is written. A group is written only after the group before it was synced, a segment
//! gets its name only after all records before it were synced, and each record carries the first sequence of its group.
//! So every sequence below the highest group (or the next segment's first sequence) *was* durable: if it is missing,
//! that is damage. What lies above belongs to one group whose sync was never answered: there a hole is a torn tail.

use std::ops::Range;
use std::path::Path;

use uuid::Uuid;

use crate::Position;
use crate::damage::{Cause, CutTail, Damage};
use crate::error::Error;
use crate::record::{Found, Place};
use crate::scan::{Scan, scan};
use crate::segment::{self, Header, Name};

/// What is known of a segment after its bytes were read.
#[derive(Debug)]
pub(crate) struct Assessment {
    /// The sequence after its last record.
    pub(crate) end: u64,
    /// Records that count and decode.
    pub(crate) whole: u64,
    pub(crate) damage: Vec<Damage>,
    /// Where its last record that counts ends.
    pub(crate) end_offset: u64,
    /// Whether it was closed in good order.
    pub(crate) is_closed: bool,
    /// The bytes of the last group, if its sync is not proven.
    pub(crate) unproven: Range<usize>,
    /// What lies behind `end_offset` in a segment that was not closed and is the last.
    pub(crate) tail: Option<CutTail>,
}

/// The segment that is judged, and its surroundings.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) dir: &'a Path,
    pub(crate) uuid: Uuid,
    pub(crate) name: Name,
    /// The first sequence of the segment behind it. `None` if it is the last.
    pub(crate) next_first: Option<u64>,
}

impl Subject<'_> {
    pub(crate) fn place(&self) -> Place {
        Place::new(self.uuid, self.name.generation, self.name.number)
    }

    fn damage(&self, cause: Cause, offset: u64) -> Damage {
        Damage {
            file: self.dir.join(self.name.file()),
            generation: self.name.generation,
            segment: self.name.number,
            offset,
            cause,
            first: None,
            last: None,
            tags: Vec::new(),
        }
    }
}

/// Judges the bytes of one segment.
///
/// # Errors
/// `Corrupt` if the segment is of a version this program cannot read.
pub(crate) fn assess(subject: Subject<'_>, bytes: &[u8]) -> Result<Assessment, Error> {
    let mut damage = Vec::new();
    let header = Header::decode(bytes).filter(|header| header.uuid == subject.uuid && header.name == subject.name);
    match header {
        None => damage.push(subject.damage(Cause::Header, 0)),
        Some(Header { version: segment::VERSION, .. }) => {}
        Some(Header { version, .. }) => {
            let path = subject.dir.join(subject.name.file());
            let known = segment::VERSION;
            let what = format!("is of version {version} and this program reads {known}, use the program that wrote it");
            return Err(Error::Foreign { path, what });
        }
    }
    let found = scan(bytes, subject.place());
    let walk = walk(subject, bytes, &found);
    damage.extend(walk.damage);
    let is_last = subject.next_first.is_none();
    if let Some(damage) = damage.first_mut().filter(|_| header.is_none() && is_last && found.end.is_none()) {
        // Nothing says how long the file was made, so records may be missing at its end.
        damage.first = Some(Position(walk.end));
    }
    // Only the end mark's sync allows a file to be cut, so a shorter one without a mark has lost its end.
    if is_last && found.end.is_none() && header.is_some_and(|header| (bytes.len() as u64) < header.allocated) {
        let offset = walk.end_offset.min(bytes.len()) as u64;
        damage.push(Damage { first: Some(Position(walk.end)), ..subject.damage(Cause::Truncated, offset) });
    }
    let tail =
        is_last && found.end.is_none() && bytes[walk.end_offset.min(bytes.len())..].iter().any(|byte| *byte != 0);
    let tail = tail.then(|| CutTail {
        file: subject.dir.join(subject.name.file()),
        offset: walk.end_offset as u64,
        whole_records: found.records.iter().filter(|found| found.whole && found.sequence >= walk.end).count() as u64,
    });
    Ok(Assessment {
        end: walk.end,
        whole: walk.whole.len() as u64,
        damage,
        end_offset: walk.end_offset as u64,
        is_closed: found.end.is_some(),
        unproven: walk.unproven,
        tail,
    })
}

/// The records of a segment that count and decode, in order: those that [`assess`] counted.
pub(crate) fn whole_records<'a>(subject: Subject<'_>, bytes: &[u8], scan: &'a Scan) -> Vec<&'a Found> {
    walk(subject, bytes, scan).whole
}

struct Walk<'a> {
    end: u64,
    end_offset: usize,
    whole: Vec<&'a Found>,
    damage: Vec<Damage>,
    unproven: Range<usize>,
}

fn walk<'a>(subject: Subject<'_>, bytes: &[u8], scan: &'a Scan) -> Walk<'a> {
    let first = subject.name.first;
    let durable = subject.next_first.or(scan.durable_below()).unwrap_or(first).max(first);
    let mut walk = Walk {
        end: first,
        end_offset: segment::HEADER_BYTES as usize,
        whole: Vec::new(),
        damage: Vec::new(),
        unproven: 0..0,
    };
    let mut lost_tags = Vec::new();
    for found in &scan.records {
        if found.sequence < walk.end || subject.next_first.is_some_and(|next_first| found.sequence >= next_first) {
            continue;
        }
        if found.sequence > walk.end.max(durable) {
            // A hole in the group whose sync was never answered.
            break;
        }
        if !found.whole {
            lost_tags.push(found);
            continue;
        }
        walk.miss(subject, bytes, found.sequence, &mut lost_tags);
        let start = found.tag.start - crate::record::HEADER_BYTES;
        if found.sequence >= durable {
            let from = if walk.unproven.is_empty() { start } else { walk.unproven.start };
            walk.unproven = from..found.end;
        }
        walk.whole.push(found);
        walk.end = found.sequence + 1;
        walk.end_offset = found.end;
    }
    walk.miss(subject, bytes, durable, &mut lost_tags);
    if let Some((offset, _)) = scan.end {
        walk.end_offset = walk.end_offset.max(offset);
    }
    walk
}

impl Walk<'_> {
    /// Notes the sequences from `self.end` up to `until` as lost, if there are any.
    fn miss(&mut self, subject: Subject<'_>, bytes: &[u8], until: u64, lost: &mut Vec<&Found>) {
        if self.end < until {
            lost.retain(|found| found.sequence < until);
            let tags = lost
                .iter()
                .filter_map(|found| Some((Position(found.sequence), bytes.get(found.tag.clone())?.to_vec())));
            self.damage.push(Damage {
                first: Some(Position(self.end)),
                last: Some(Position(until - 1)),
                tags: tags.collect(),
                ..subject.damage(Cause::Records, self.end_offset.min(bytes.len()) as u64)
            });
            self.end = until;
            self.end_offset = lost.iter().map(|found| found.end).max().unwrap_or(0).max(self.end_offset);
        }
        lost.clear();
    }
}

#[cfg(test)]
mod tests;
