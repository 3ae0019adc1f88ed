//! The directory of a journal: opening, replaying and dropping.
//!
//! Owns: the list of segments, the numbers of the next record, generation and segment, and the order in which names
//! appear and go, which is what makes every crash in between readable.
//! Does not own: the bytes of groups (`append`), the judgement of what was read (`recovery`), threads (`writer`).

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use model::files::{self, FilesRef, Lock};
use uuid::Uuid;

use crate::append::{Active, Trim};
use crate::damage::Damage;
use crate::error::Error;
use crate::record::{self, Place};
use crate::recovery::{self, Assessment, Subject};
use crate::scan::scan;
use crate::segment::{self, Header, Name};
use crate::{Position, identity};

/// Where segments are moved that were damaged.
const DAMAGED: &str = "damaged";
/// The name that is locked while a journal is open.
const LOCK: &str = "lock";
/// The name a segment is made under; it gets its own when it is whole.
pub(crate) const NEW: &str = "segment.new";
/// The shortest segment that is allowed, in bytes.
const MIN_SEGMENT_BYTES: u64 = 4096;

/// How a journal is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The directory, which the journal has to itself. Made if it is missing.
    pub dir: PathBuf,
    /// The length a segment file is made with, in bytes, at least 4 KiB. Default 64 MiB.
    pub segment_bytes: u64,
    /// Above this many bytes on disk the writer refuses items, in bytes. More than `segment_bytes`, since files count
    /// with the length they were made with. Default 8 GiB.
    pub max_bytes: u64,
}

impl Config {
    /// The defaults, in this directory.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Config { dir: dir.into(), segment_bytes: 64 << 20, max_bytes: 8 << 30 }
    }

    fn check(&self) -> Result<(), Error> {
        if self.segment_bytes < MIN_SEGMENT_BYTES {
            let given = self.segment_bytes;
            return Err(Error::Config(format!("segment_bytes is {given} and must be at least {MIN_SEGMENT_BYTES}")));
        }
        if self.max_bytes <= self.segment_bytes {
            let (max, segment) = (self.max_bytes, self.segment_bytes);
            return Err(Error::Config(format!("max_bytes is {max} and must be more than segment_bytes, {segment}")));
        }
        Ok(())
    }
}

/// What to do about records that were durable and cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDamage {
    /// Refuse to open, changing nothing on disk.
    Stop,
    /// Replay what still decodes and say in [`Journal::damage`] what does not.
    SetAside,
}

/// One record, as it was appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// Its number.
    pub sequence: Position,
    /// The generation it was encoded for.
    pub generation: u64,
    /// Its tag, which survives a damaged payload.
    pub tag: &'a [u8],
    /// Its payload; never empty.
    pub payload: &'a [u8],
}

/// An open journal. Passive, with a single owner; a [`crate::Writer`] takes it over to append.
#[derive(Debug)]
pub struct Journal {
    pub(crate) files: FilesRef,
    pub(crate) config: Config,
    pub(crate) uuid: Uuid,
    pub(crate) next: u64,
    pub(crate) generation: u64,
    pub(crate) next_segment: u64,
    /// In the order of the journal. The last is the active one if there is an active one.
    pub(crate) segments: Vec<Segment>,
    pub(crate) active: Option<Active>,
    /// The segments before the active one whose unused ends are cut once their successor is durable.
    pub(crate) trims: Vec<Trim>,
    pub(crate) buffer: Vec<u8>,
    /// Whether a name was changed and the directory not yet synced.
    pub(crate) dir_is_dirty: bool,
    damage: Vec<Damage>,
    /// Generations that are moved aside where others are removed.
    damaged: BTreeSet<u64>,
    _lock: Lock,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Segment {
    pub(crate) name: Name,
    /// The sequence after its last durable record.
    pub(crate) end: u64,
    /// The length of its file.
    pub(crate) len: u64,
    /// Durable records that decode.
    pub(crate) whole: u64,
}

impl Journal {
    /// Opens the journal of a directory, which is made, with a new UUID, if it is missing.
    ///
    /// A torn tail, bytes of a group that was being written when the process or the machine died, is cut at the last
    /// whole record. New records go to a new generation.
    ///
    /// # Errors
    /// `Invalid` if the configuration cannot work. `Unavailable` if the directory is open elsewhere or a file
    /// operation failed. `Corrupt` if there is damage and `on_damage` is [`OnDamage::Stop`] (the error names segment,
    /// offset and generation), or a file is not of this journal or of another version.
    pub fn open(files: FilesRef, config: Config, on_damage: OnDamage) -> Result<Journal, Error> {
        config.check()?;
        let dir = config.dir.clone();
        files::create_dirs(&*files, &dir).map_err(Error::io("making", &dir))?;
        let lock = match files.lock(&dir.join(LOCK)) {
            Ok(lock) => lock,
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Err(Error::Locked { dir }),
            Err(e) => return Err(Error::io("locking", &dir.join(LOCK))(e)),
        };
        let (names, aside) = list(&files, &dir)?;
        let uuid = find_uuid(&files, &dir, &names, on_damage)?;
        let mut journal = Journal {
            next: 0,
            generation: names.iter().chain(&aside).map(|name| name.generation + 1).max().unwrap_or(0),
            next_segment: names.iter().chain(&aside).map(|name| name.number + 1).max().unwrap_or(0),
            segments: Vec::new(),
            active: None,
            trims: Vec::new(),
            buffer: Vec::new(),
            dir_is_dirty: true,
            damage: Vec::new(),
            damaged: BTreeSet::new(),
            files,
            config,
            uuid,
            _lock: lock,
        };
        journal.recover(&names, on_damage)?;
        Ok(journal)
    }

    /// The journal's UUID, made with its directory; it never changes.
    pub fn uuid(&self) -> Uuid {
        self.uuid
    }

    /// The number of the next record.
    pub fn next(&self) -> Position {
        Position(self.next)
    }

    /// The generation new records go to.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Bytes on disk: the lengths of the segment files, what is preallocated included, what was set aside not.
    pub fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.len).sum()
    }

    /// What was durable and cannot be read; empty unless opened with [`OnDamage::SetAside`].
    pub fn damage(&self) -> &[Damage] {
        &self.damage
    }

    /// Calls `each` for every whole record with a number of at least `from`, in order.
    ///
    /// # Errors
    /// `Corrupt` if records that were there on opening are gone, `Unavailable` if a file cannot be read, and what
    /// `each` returns.
    pub fn replay(&self, from: Position, each: &mut dyn FnMut(Record<'_>) -> Result<(), Error>) -> Result<(), Error> {
        for (at, segment) in self.segments.iter().enumerate() {
            if segment.end <= from.0 || segment.whole == 0 {
                continue;
            }
            let path = self.path(segment.name);
            let bytes = files::read(&*self.files, &path).map_err(Error::io("reading", &path))?;
            let scan = scan(&bytes, self.place(segment.name));
            let next_first = self.segments.get(at + 1).map(|next| next.name.first);
            let subject = Subject { dir: &self.config.dir, uuid: self.uuid, name: segment.name, next_first };
            let records = recovery::whole_records(subject, &bytes, &scan);
            for found in &records {
                let (Some(tag), Some(payload)) = (bytes.get(found.tag.clone()), bytes.get(found.payload.clone()))
                else {
                    continue;
                };
                if found.sequence >= from.0 {
                    let generation = segment.name.generation;
                    each(Record { sequence: Position(found.sequence), generation, tag, payload })?;
                }
            }
            if records.len() as u64 != segment.whole {
                let what =
                    format!("holds {} whole records and held {} when it was opened", records.len(), segment.whole);
                return Err(Error::Foreign { path, what });
            }
        }
        Ok(())
    }

    /// Removes the generations that lie wholly below `position`, oldest first, never the current one. Generations with
    /// damage are moved aside instead.
    ///
    /// # Errors
    /// `Unavailable` if a file operation failed; what was not dropped is dropped by a later call.
    pub fn drop_before(&mut self, position: Position) -> Result<(), Error> {
        let mut dropped = 0;
        for (at, segment) in self.segments.iter().enumerate() {
            if segment.name.generation >= self.generation || segment.end > position.0 {
                break;
            }
            if self.segments.get(at + 1).is_none_or(|next| next.name.generation != segment.name.generation) {
                dropped = at + 1;
            }
        }
        self.retire(dropped)
    }

    /// Moves the damaged generations, with all before them, into the directory `damaged`, oldest first. To be called
    /// once all that [`Journal::replay`] gave is safe elsewhere; until then a crash finds everything where it was.
    ///
    /// # Errors
    /// `Unavailable` if a file operation failed; a later call goes on where this one stopped.
    pub fn set_aside(&mut self) -> Result<(), Error> {
        let Some(last) = self.damaged.last().copied() else { return Ok(()) };
        let moved: Vec<u64> =
            self.segments.iter().map(|segment| segment.name.generation).filter(|g| *g <= last).collect();
        self.damaged.extend(&moved);
        self.retire(moved.len())?;
        if self.damaged.is_empty() {
            self.damage.clear();
        }
        Ok(())
    }

    pub(crate) fn path(&self, name: Name) -> PathBuf {
        self.config.dir.join(name.file())
    }

    pub(crate) fn place(&self, name: Name) -> Place {
        Place::new(self.uuid, name.generation, name.number)
    }

    pub(crate) fn sync_dir(&mut self) -> Result<(), Error> {
        self.files.sync_dir(&self.config.dir).map_err(Error::io("syncing", &self.config.dir))?;
        self.dir_is_dirty = false;
        Ok(())
    }

    /// Takes the first `count` segments away, one durable step after the other: a power cut then leaves a journal
    /// without its oldest segments, never one with a hole.
    fn retire(&mut self, count: usize) -> Result<(), Error> {
        let mut count = count;
        if count > 0 && count == self.segments.len() {
            // The sequence lives on in the newest segment's name, so one must stay.
            if let Err(error) = self.create_segment(segment::HEADER_BYTES) {
                tracing::warn!(%error, "no room for a new journal segment, the newest old one stays for now");
                count -= 1;
            }
        }
        for _ in 0..count {
            if self.dir_is_dirty {
                self.sync_dir()?;
            }
            let Some(name) = self.segments.first().map(|segment| segment.name) else { break };
            let path = self.path(name);
            if self.damaged.contains(&name.generation) {
                self.move_aside(name, &path)?;
            } else {
                self.files.remove(&path).map_err(Error::io("removing", &path))?;
            }
            self.dir_is_dirty = true;
            self.segments.remove(0);
            self.trims.retain(|trim| trim.name != name);
            self.sync_dir()?;
        }
        let left: BTreeSet<u64> = self.segments.iter().map(|segment| segment.name.generation).collect();
        self.damaged.retain(|generation| left.contains(generation));
        Ok(())
    }

    fn move_aside(&self, name: Name, path: &Path) -> Result<(), Error> {
        let dir = self.config.dir.join(DAMAGED);
        files::create_dirs(&*self.files, &dir).map_err(Error::io("making", &dir))?;
        let to = dir.join(name.file());
        self.files.rename(path, &to).map_err(Error::io("moving aside", path))?;
        self.files.sync_dir(&dir).map_err(Error::io("syncing", &dir))?;
        tracing::warn!(file = %to.display(), "journal segment moved aside");
        Ok(())
    }

    /// Reads all segments, judges them and, unless there is damage to stop at, closes the last one.
    fn recover(&mut self, names: &[Name], on_damage: OnDamage) -> Result<(), Error> {
        for (at, name) in names.iter().enumerate() {
            let next_first = names.get(at + 1).map(|next| next.first);
            let path = self.path(*name);
            if next_first.is_some_and(|next_first| next_first < name.first) {
                let what = "begins above the segment behind it, one of the two is not of this journal".into();
                return Err(Error::Foreign { path, what });
            }
            let bytes = files::read(&*self.files, &path).map_err(Error::io("reading", &path))?;
            let subject = Subject { dir: &self.config.dir, uuid: self.uuid, name: *name, next_first };
            let found = recovery::assess(subject, &bytes)?;
            let segment = Segment { name: *name, end: found.end, len: bytes.len() as u64, whole: found.whole };
            self.next = found.end;
            self.segments.push(segment);
            if let Some(damage) = found.damage.first() {
                if on_damage == OnDamage::Stop {
                    return Err(Error::Damaged(damage.clone()));
                }
                self.damaged.insert(name.generation);
                for damage in &found.damage {
                    tracing::warn!(%damage, "journal damage");
                }
            }
            if next_first.is_none() {
                self.mend(&path, &bytes, &found)?;
            }
            self.damage.extend(found.damage);
        }
        match self.files.remove(&self.config.dir.join(NEW)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                return Err(Error::io("removing", &self.config.dir.join(NEW))(e));
            }
            _ => {}
        }
        // Names that came or went in the life before must not change any more: what was read here is built upon.
        self.sync_dir()
    }

    /// Makes what was read of the last segment durable, and closes it if it is in good order.
    fn mend(&mut self, path: &Path, bytes: &[u8], found: &Assessment) -> Result<(), Error> {
        if found.is_closed && found.tail.is_none() {
            return Ok(());
        }
        if let Some(tail) = &found.tail {
            let (file, offset, whole_records) = (tail.file.display(), tail.offset, tail.whole_records);
            tracing::warn!(%file, offset, whole_records, "cut the torn tail of the journal");
        }
        let file = self.files.open(path).map_err(Error::io("opening", path))?;
        // After a failed sync the kernel may hold bytes that are not on disk and call them clean. Written again they
        // are dirty, so that the sync below means something.
        if let Some(last_group) = bytes.get(found.unproven.clone()) {
            let at = found.unproven.start as u64;
            file.write_all_at(at, last_group).map_err(Error::io("writing", path))?;
        }
        if !found.damage.is_empty() {
            return file.sync().map_err(Error::io("syncing", path));
        }
        let Some(name) = self.segments.last().map(|segment| segment.name) else { return Ok(()) };
        let mark = record::end_mark(self.place(name), found.end_offset, found.end);
        file.write_all_at(found.end_offset, &mark).map_err(Error::io("writing", path))?;
        file.sync().map_err(Error::io("syncing", path))?;
        let len = found.end_offset + mark.len() as u64;
        file.set_len(len).map_err(Error::io("cutting", path))?;
        if let Some(segment) = self.segments.last_mut() {
            segment.len = len;
        }
        Ok(())
    }
}

/// The names of the segments in a directory, and of those set aside, in order.
fn list(files: &FilesRef, dir: &Path) -> Result<(Vec<Name>, Vec<Name>), Error> {
    let mut names = Vec::new();
    for entry in files.list(dir).map_err(Error::io("listing", dir))? {
        match Name::parse(&entry.name) {
            Some(Ok(name)) => names.push(name),
            Some(Err(what)) => return Err(Error::Foreign { path: dir.join(entry.name), what: what.into() }),
            None => {}
        }
    }
    names.sort();
    let aside = dir.join(DAMAGED);
    let aside = match files.list(&aside) {
        Ok(entries) => entries.iter().filter_map(|entry| Name::parse(&entry.name)?.ok()).collect(),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(e) => return Err(Error::io("listing", &aside)(e)),
    };
    Ok((names, aside))
}

/// The journal's UUID: from its file, new for a new journal, or, to mend a lost file, from the segments.
fn find_uuid(files: &FilesRef, dir: &Path, names: &[Name], on_damage: OnDamage) -> Result<Uuid, Error> {
    let lost = match identity::read(&**files, dir) {
        Ok(Some(uuid)) => return Ok(uuid),
        Ok(None) if names.is_empty() => {
            let uuid = Uuid::new_v4();
            identity::write(&**files, dir, uuid)?;
            return Ok(uuid);
        }
        Ok(None) => Error::Identity { path: dir.join(identity::FILE), what: "is missing".into() },
        Err(error) => error,
    };
    if on_damage == OnDamage::Stop || !matches!(lost, Error::Identity { .. }) {
        return Err(lost);
    }
    for name in names {
        let path = dir.join(name.file());
        let bytes = files::read(&**files, &path).map_err(Error::io("reading", &path))?;
        if let Some(header) = Header::decode(&bytes).filter(|header| header.name == *name) {
            tracing::warn!(uuid = %header.uuid, file = %path.display(), "took the journal's uuid from a segment");
            identity::write(&**files, dir, header.uuid)?;
            return Ok(header.uuid);
        }
    }
    Err(lost)
}

#[cfg(test)]
mod tests;
