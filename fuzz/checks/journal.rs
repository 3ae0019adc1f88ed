//! Any bytes as segments: opening ends, with a journal or a typed error, and what it gives back once it gives always.
//!
//! The first byte says how many segments there are; each has a byte of flags, one for its first sequence, two for its
//! length, and its bytes. Generations and sequences count from those of the segment before, numbers by one. Unless flags
//! say otherwise a segment gets a header that fits, its records their checksums and the file its length, so that a fuzzer
//! gets behind them.

use std::path::Path;
use std::sync::Arc;

use model::ErrorKind;
use model::files::sim::{Fate, SimDisk};
use model::files::{Files, replace};

use crate::{Config, Error, Journal, OnDamage, Position, Record};

const UUID: [u8; 16] = [7; 16];
/// What flags of a segment say: two bits for how many generations it is ahead, and what is left as it is.
const AHEAD: u8 = 3;
const OWN_HEADER: u8 = 4;
const OWN_CHECKSUMS: u8 = 8;
const OWN_LENGTH: u8 = 16;

pub(crate) fn check(input: &[u8]) {
    let disk = SimDisk::new();
    disk.create_dir(Path::new("/j")).expect("an empty disk");
    for (name, bytes) in files(input) {
        replace(&disk, &Path::new("/j").join(name), &bytes).expect("a disk without end");
    }
    disk.sync_dir(Path::new("/")).expect("it is there");
    let strict = open(&disk, OnDamage::Stop).map(|journal| (replay(&journal), journal.next()));
    disk.power_cut(|| Fate::Lost);
    match strict {
        Ok((records, next)) => {
            let again = open(&disk, OnDamage::Stop).expect("what was opened once opens again");
            assert_eq!((replay(&again), again.next()), (records, next));
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
            let Ok(mut journal) = open(&disk, OnDamage::SetAside) else { return };
            let (records, next) = (replay(&journal), journal.next());
            assert!(records.windows(2).all(|pair| pair[0].0 < pair[1].0) && records.iter().all(|r| r.0 < next.0));
            if journal.set_aside().is_ok() {
                drop(journal);
                disk.power_cut(|| Fate::Lost);
                assert_eq!(open(&disk, OnDamage::Stop).expect("the damage is away").next(), next);
            }
        }
    }
}

fn config() -> Config {
    Config { segment_bytes: 4096, ..Config::new("/j") }
}

fn open(disk: &SimDisk, on_damage: OnDamage) -> Result<Journal, Error> {
    Journal::open(Arc::new(disk.clone()), config(), on_damage)
}

fn replay(journal: &Journal) -> Vec<(u64, u64, Vec<u8>)> {
    let mut records = Vec::new();
    let mut each = |record: Record<'_>| {
        records.push((record.sequence.0, record.generation, record.payload.to_vec()));
        Ok(())
    };
    journal.replay(Position(0), &mut each).expect("what was opened is replayed");
    records
}

/// The files of a journal: name and bytes.
fn files(input: &[u8]) -> Vec<(String, Vec<u8>)> {
    let text = "07070707-0707-0707-0707-070707070707";
    let identity = format!("fleetscope journal {text} {:08x}\n", crc32c::crc32c(text.as_bytes()));
    let mut files = vec![("journal.uuid".to_owned(), identity.into_bytes())];
    let Some((count, mut rest)) = input.split_first() else { return files };
    let (mut generation, mut first) = (0u64, 0u64);
    for number in 0..u64::from(count % 8) {
        let Some(([flags, ahead, low, high], left)) = rest.split_first_chunk::<4>() else { break };
        generation += u64::from(flags & AHEAD);
        first += u64::from(*ahead);
        let (bytes, left) = left.split_at(usize::from(u16::from_le_bytes([*low, *high])).min(left.len()));
        rest = left;
        let mut segment = if flags & OWN_HEADER == 0 { header(generation, number, first) } else { Vec::new() };
        segment.extend_from_slice(bytes);
        if flags & OWN_CHECKSUMS == 0 {
            mend(&mut segment, generation, number);
        }
        if flags & OWN_LENGTH == 0 {
            segment.resize(segment.len().max(4096), 0);
        }
        files.push((format!("{generation:016x}-{number:016x}-{first:016x}.journal"), segment));
    }
    files
}

/// The header of a segment of 4 KiB; docs/formats/journal.md has its bytes.
fn header(generation: u64, number: u64, first: u64) -> Vec<u8> {
    let mut bytes = b"fsjournl\x01\0\0\0\0\0\0\0".to_vec();
    bytes.extend_from_slice(&UUID);
    for field in [generation, number, first, 4096] {
        bytes.extend_from_slice(&field.to_le_bytes());
    }
    let crc = crc32c::crc32c_append(crc32c::crc32c(&bytes[..12]), &bytes[16..]);
    bytes[12..16].copy_from_slice(&crc.to_le_bytes());
    bytes
}

/// Gives each record its checksums, as far as their lengths lead from one to the next.
fn mend(segment: &mut [u8], generation: u64, number: u64) {
    let place = crc32c::crc32c(&[&UUID[..], &generation.to_le_bytes(), &number.to_le_bytes()].concat());
    let mut at = 64;
    while at + 32 <= segment.len() {
        let len = u32::from_le_bytes([segment[at + 4], segment[at + 5], segment[at + 6], segment[at + 7]]) as usize;
        let tag = usize::from(segment[at + 29]);
        let end = at + 32 + tag + len;
        if end > segment.len() {
            break;
        }
        let offset = (at as u64).to_le_bytes();
        if len > 0 {
            let fixed = [&offset[..], &segment[at + 4..at + 16], &segment[at + 29..at + 30]].concat();
            let crc = crc32c::crc32c_append(crc32c::crc32c_append(place, &fixed), &segment[at + 32..end]);
            segment[at + 24..at + 28].copy_from_slice(&crc.to_le_bytes());
        }
        let crc = crc32c::crc32c_append(place, &offset);
        let crc = crc32c::crc32c_append(crc, &segment[at + 4..at + 32 + tag]);
        segment[at..at + 4].copy_from_slice(&crc.to_le_bytes());
        at = end.next_multiple_of(8);
    }
}
