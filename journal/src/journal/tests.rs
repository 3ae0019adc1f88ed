use std::collections::VecDeque;
use std::sync::Arc;

use model::ErrorKind;
use model::files::Files;
use model::files::faulty::Fault;
use model::files::sim::{Fate, SimDisk};

use super::*;
use crate::stats::Counters;
use crate::testing::{EIO, Item, Log, Replayed, Rig, Trouble, config, item, replay};
use crate::writer::{Appender, Command};

/// A segment's path and its bytes.
type SegmentFile = (PathBuf, Vec<u8>);

/// Opens, appends the groups, with a barrier after each inner list, and closes in good order or not.
fn fill(disk: &SimDisk, generations: &[&[&[Item]]], is_closed: bool) {
    let journal = open(disk, OnDamage::Stop).unwrap();
    let (counters, log) = (Counters::default(), Log::default());
    let mut appender = Appender::new(journal, log.clone(), &counters);
    for (at, groups) in generations.iter().enumerate() {
        if at > 0 {
            let (reply, answer) = std::sync::mpsc::sync_channel(1);
            appender.process(VecDeque::from([Command::Barrier(reply)]));
            answer.recv().unwrap().unwrap();
        }
        for group in *groups {
            appender.process(group.iter().cloned().map(Command::Item).collect());
        }
    }
    assert_eq!(
        log.durable_items().len(),
        generations.iter().flat_map(|groups| groups.iter()).map(|g| g.len()).sum::<usize>()
    );
    if is_closed {
        appender.close().unwrap();
    }
    disk.kill();
}

fn open(disk: &SimDisk, on_damage: OnDamage) -> Result<Journal, Error> {
    Journal::open(Arc::new(disk.clone()), config(), on_damage)
}

/// Three segments in two generations, of which the first rolls over once.
fn small(is_closed: bool) -> (SimDisk, Vec<SegmentFile>, Vec<Replayed>) {
    let disk = SimDisk::new();
    let big = |byte: u8| item("big", &vec![byte; 2200]);
    let first: &[&[Item]] = &[&[big(1), item("a", b"one")], &[big(2)], &[item("b", b"two"), item("c", b"three")]];
    let second: &[&[Item]] = &[&[item("d", b"four")], &[item("e", b"five"), item("", b"six")]];
    fill(&disk, &[first, second], is_closed);
    let files = segments(&disk);
    assert_eq!(files.len(), 3);
    let copy = disk_of(&files, &disk);
    let records = replay(&open(&copy, OnDamage::Stop).unwrap());
    assert_eq!(records.len(), 8);
    (disk, files, records)
}

fn segments(disk: &SimDisk) -> Vec<SegmentFile> {
    let entries = disk.list(&config().dir).unwrap().into_iter().filter(|entry| entry.name.ends_with(".journal"));
    let read = |path: PathBuf| (path.clone(), files::read(disk, &path).unwrap());
    entries.map(|entry| read(config().dir.join(entry.name))).collect()
}

/// A disk with these segments and the identity of another.
fn disk_of(files: &[SegmentFile], identity_of: &SimDisk) -> SimDisk {
    let disk = SimDisk::new();
    files::create_dirs(&disk, &config().dir).unwrap();
    let identity = config().dir.join(identity::FILE);
    files::replace(&disk, &identity, &files::read(identity_of, &identity).unwrap()).unwrap();
    for (path, bytes) in files {
        files::replace(&disk, path, bytes).unwrap();
    }
    disk
}

/// What holds for any damage: no wrong record, `Stop` changes nothing and names the place, `SetAside` gives the rest.
fn check_damage(changed: &[SegmentFile], at: (usize, usize), identity: &SimDisk, all: &[Replayed], may_cut: u64) {
    let (file, byte) = at;
    let disk = disk_of(changed, identity);
    let is_refused = match open(&disk, OnDamage::Stop) {
        Ok(journal) => {
            let came = replay(&journal);
            assert!(came.len() as u64 + may_cut >= all.len() as u64, "file {file} byte {byte}: silently lost");
            assert_eq!(came, all[..came.len()], "file {file} byte {byte}");
            false
        }
        Err(Error::Damaged(damage)) => {
            assert_eq!(segments(&disk), changed, "stopping changes nothing");
            assert_eq!(damage.file, changed[file].0, "file {file} byte {byte}: {damage}");
            assert!(damage.offset as usize <= byte, "file {file} byte {byte}: {damage}");
            true
        }
        Err(error) => panic!("file {file} byte {byte}: {error}"),
    };
    if !is_refused {
        return;
    }
    let mut journal = open(&disk, OnDamage::SetAside).unwrap();
    let came = replay(&journal);
    assert!(came.iter().all(|record| all.contains(record)), "file {file} byte {byte}: a wrong record");
    assert!(came.is_sorted_by_key(|record| record.0), "file {file} byte {byte}: order");
    assert!(!journal.damage().is_empty());
    let lost = |sequence: u64| {
        journal.damage().iter().any(|damage| {
            damage.first.is_some_and(|first| first.0 <= sequence) && damage.last.is_none_or(|last| sequence <= last.0)
        })
    };
    for record in all {
        assert!(came.contains(record) != lost(record.0), "file {file} byte {byte}: record {} is told of", record.0);
    }
    let next = journal.next();
    let generation = journal.damage().last().unwrap().generation;
    journal.set_aside().unwrap();
    assert!(journal.damage().is_empty());
    drop(journal);
    disk.power_cut(|| Fate::Lost);
    let journal = open(&disk, OnDamage::Stop).unwrap();
    assert_eq!(journal.next(), next, "the sequence goes on");
    assert!(replay(&journal).iter().all(|record| record.1 > generation), "the damaged generation is gone");
    assert!(!disk.list(&config().dir.join(DAMAGED)).unwrap().is_empty());
}

#[test]
fn a_flipped_bit_anywhere_is_found_and_costs_at_most_its_record() {
    for (is_closed, may_cut) in [(true, 0), (false, 2)] {
        let (identity, clean, all) = small(is_closed);
        for (file, (_, bytes)) in clean.iter().enumerate() {
            for byte in 0..bytes.len() {
                let mut changed = clean.clone();
                changed[file].1[byte] ^= 1 << (byte % 8);
                // The last group of a journal that was not closed cannot be told from a torn one.
                check_damage(&changed, (file, byte), &identity, &all, may_cut);
            }
        }
    }
}

#[test]
fn a_file_cut_anywhere_is_found() {
    for is_closed in [true, false] {
        let (identity, clean, all) = small(is_closed);
        for (file, (_, bytes)) in clean.iter().enumerate() {
            for len in 0..bytes.len() {
                let mut changed = clean.clone();
                changed[file].1.truncate(len);
                check_damage(&changed, (file, len), &identity, &all, 0);
            }
        }
    }
}

/// What an opening shows: the next number and the records, or why it refuses.
fn shown(disk: &SimDisk) -> Result<(Position, Vec<Replayed>), String> {
    let journal = open(disk, OnDamage::Stop).map_err(|error| error.to_string())?;
    Ok((journal.next(), replay(&journal)))
}

#[test]
fn what_an_opening_has_shown_stays_after_a_power_cut() {
    // Names that came or went just before the process died: the opening after it must not build on what may yet change.
    type Change = fn(&mut Journal) -> Result<(), Error>;
    let changes: [(Change, bool); 3] = [
        (|journal| journal.drop_before(Position(5)), false),
        (|journal| journal.drop_before(Position(8)), false),
        (|journal| journal.set_aside(), true),
    ];
    for (change, is_damaged) in changes {
        let mut done = 0;
        for skip in 0..40 {
            let (identity, mut clean, _) = small(true);
            if is_damaged {
                clean[0].1[200] ^= 1;
            }
            let disk = disk_of(&clean, &identity);
            let rig = Rig::on(disk.clone());
            let on_damage = if is_damaged { OnDamage::SetAside } else { OnDamage::Stop };
            let mut journal = Journal::open(Arc::clone(&rig.files), config(), on_damage).unwrap();
            let fault = Fault::Error(EIO);
            *rig.trouble.lock() = Some(Trouble { only: None, skip, times: u32::MAX, fault });
            done += u32::from(change(&mut journal).is_ok());
            drop(journal);
            disk.kill();
            let before = shown(&disk);
            disk.power_cut(|| Fate::Lost);
            assert_eq!(shown(&disk), before, "broken off at call {skip}");
        }
        assert!((1..40).contains(&done), "broken off at every call but the last ones");
    }
}

#[test]
fn a_segment_under_the_name_of_another_is_damage() {
    let (identity, ..) = small(true);
    let uuid = open(&identity, OnDamage::Stop).unwrap().uuid();
    let name = Name { generation: 3, number: 7, first: 20 };
    let header = Header { version: segment::VERSION, uuid, name, allocated: 4096 };
    let mut bytes = header.encode().to_vec();
    bytes.resize(4096, 0);
    let under = |name: Name| shown(&disk_of(&[(config().dir.join(name.file()), bytes.clone())], &identity));
    assert_eq!(under(name), Ok((Position(20), Vec::new())));
    let others = [Name { generation: 4, ..name }, Name { number: 8, ..name }, Name { first: 19, ..name }];
    for other in others {
        let error = under(other).unwrap_err();
        assert!(error.contains("header does not decode"), "{other:?}: {error}");
    }
}

#[test]
fn a_missing_segment_in_the_middle_is_damage() {
    let (identity, mut clean, all) = small(true);
    clean.remove(1);
    let disk = disk_of(&clean, &identity);
    let error = open(&disk, OnDamage::Stop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.to_string().contains("records 2 to 4 are lost"), "{error}");
    assert!(error.to_string().contains("--set-aside-damaged"), "{error}");
    let came = replay(&open(&disk, OnDamage::SetAside).unwrap());
    assert_eq!(came, [&all[..2], &all[5..]].concat());
}

#[test]
fn a_segment_of_another_journal_is_not_read() {
    let (identity, mut clean, all) = small(true);
    let (_, foreign, _) = small(true);
    clean[1] = foreign[1].clone();
    let disk = disk_of(&clean, &identity);
    assert_eq!(open(&disk, OnDamage::Stop).unwrap_err().kind(), ErrorKind::Corrupt);
    let came = replay(&open(&disk, OnDamage::SetAside).unwrap());
    assert!(came.iter().all(|record| all.contains(record)));
    assert_eq!(came.len(), 5);
}

#[test]
fn a_lost_uuid_is_taken_from_the_segments_only_on_demand() {
    let (disk, _, all) = small(true);
    let uuid = open(&disk, OnDamage::Stop).unwrap().uuid();
    let path = config().dir.join(identity::FILE);
    for bytes in [None, Some(&b"garbage"[..])] {
        disk.remove(&path).unwrap();
        if let Some(bytes) = bytes {
            files::replace(&disk, &path, bytes).unwrap();
        }
        let error = open(&disk, OnDamage::Stop).unwrap_err();
        assert!(matches!(error, Error::Identity { .. }) && error.kind() == ErrorKind::Corrupt, "{error}");
        let journal = open(&disk, OnDamage::SetAside).unwrap();
        assert_eq!((journal.uuid(), replay(&journal).len()), (uuid, all.len()));
    }
}

#[test]
fn only_one_may_open_a_journal() {
    let disk = SimDisk::new();
    let first = open(&disk, OnDamage::Stop).unwrap();
    let error = open(&disk, OnDamage::Stop).unwrap_err();
    assert!(matches!(error, Error::Locked { .. }), "{error}");
    assert!(error.to_string().contains("/data/journal"), "{error}");
    drop(first);
    open(&disk, OnDamage::Stop).unwrap();
}

#[test]
fn dropping_everything_keeps_the_sequence() {
    let (disk, ..) = small(true);
    let mut journal = open(&disk, OnDamage::Stop).unwrap();
    let uuid = journal.uuid();
    journal.drop_before(Position(5)).unwrap();
    assert_eq!(replay(&journal).iter().map(|record| record.0).collect::<Vec<_>>(), [5, 6, 7], "whole generations only");
    journal.drop_before(Position(7)).unwrap();
    assert_eq!(replay(&journal).len(), 3, "a generation that is needed stays");
    journal.drop_before(Position(8)).unwrap();
    assert!(replay(&journal).is_empty());
    assert_eq!(journal.bytes(), segment::HEADER_BYTES);
    drop(journal);
    disk.power_cut(|| Fate::Lost);
    let journal = open(&disk, OnDamage::Stop).unwrap();
    assert_eq!((journal.next(), journal.uuid()), (Position(8), uuid));
}

#[test]
fn replay_starts_where_it_is_told_and_stops_when_it_is_told() {
    let (disk, _, all) = small(false);
    let journal = open(&disk, OnDamage::Stop).unwrap();
    for from in 0..10 {
        let mut came = Vec::new();
        let mut each = |record: Record<'_>| {
            came.push(record.sequence.0);
            Ok(())
        };
        journal.replay(Position(from), &mut each).unwrap();
        assert_eq!(came, (from..all.len() as u64).collect::<Vec<_>>());
    }
    let refusal = journal.replay(Position(0), &mut |_| Err(model::Error::invalid("no such table").into()));
    assert_eq!(refusal.unwrap_err().to_string(), "no such table");
}

#[test]
fn a_configuration_that_cannot_work_is_refused() {
    let open = |config| Journal::open(Arc::new(SimDisk::new()), config, OnDamage::Stop).unwrap_err();
    assert_eq!(open(Config { segment_bytes: 100, ..config() }).kind(), ErrorKind::Invalid);
    assert_eq!(open(Config { max_bytes: 4096, ..config() }).kind(), ErrorKind::Invalid);
}

#[test]
fn a_generation_goes_whole_or_not_at_all() {
    let (disk, _, all) = small(true);
    let mut journal = open(&disk, OnDamage::Stop).unwrap();
    for position in 0..5 {
        journal.drop_before(Position(position)).unwrap();
        assert_eq!(replay(&journal), all, "its second segment needs what the first defines");
    }
}

#[test]
fn a_hole_in_a_group_whose_sync_was_never_answered_is_a_torn_tail() {
    let disk = SimDisk::new();
    fill(&disk, &[&[&[item("", b"one"), item("", b"two"), item("", b"three")]]], false);
    let mut files = segments(&disk);
    files[0].1[segment::HEADER_BYTES as usize + 32] ^= 1;
    assert_eq!(
        shown(&disk_of(&files, &disk)),
        Ok((Position(0), Vec::new())),
        "the others may have reached the disk first"
    );
}
