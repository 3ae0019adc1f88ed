//! Appends groups of records: one write, one sync, and what follows when either fails.
//!
//! Owns: the active segment, making segments, closing them.
//! Does not own: what is in a record, and who is told of it (`writer`).
//!
//! Each byte of a segment is written once. After a failed write or sync the segment is never written again: a sync that
//! succeeds after one that failed proves nothing about the bytes of the first.

use std::io;
use std::time::{Duration, Instant};

use model::files::File;

use crate::error::Error;
use crate::journal::{Journal, NEW, Segment};
use crate::record;
use crate::segment::{self, Header, Name};

/// A buffer larger than this is given back after the record that needed it.
pub(crate) const KEPT_BUFFER_BYTES: usize = 16 << 20;

/// The segment that is written to.
#[derive(Debug)]
pub(crate) struct Active {
    file: Box<dyn File>,
    name: Name,
    /// Where the next record goes; all before it is durable.
    offset: u64,
    /// Bytes that were allocated.
    limit: u64,
    /// Records in the journal's buffer.
    staged: u64,
}

/// A group that was made durable.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Committed {
    pub(crate) records: u64,
    pub(crate) bytes: u64,
    /// How long the sync took.
    pub(crate) sync: Duration,
}

/// A file whose end beyond `len` is not used any more.
#[derive(Debug)]
pub(crate) struct Trim {
    pub(crate) name: Name,
    file: Box<dyn File>,
    len: u64,
}

impl Journal {
    /// Whether a record of this size goes into the active segment, behind those that are staged.
    pub(crate) fn fits(&self, tag: &[u8], payload: &[u8]) -> bool {
        let size = record::size(tag.len(), payload.len()) as u64;
        self.active.as_ref().is_some_and(|active| active.offset + self.buffer.len() as u64 + size <= active.limit)
    }

    /// Makes a new segment, of the current generation, in which a record of this size fits. Nothing may be staged.
    pub(crate) fn roll(&mut self, tag: &[u8], payload: &[u8]) -> Result<(), Error> {
        let needed = segment::HEADER_BYTES + record::size(tag.len(), payload.len()) as u64;
        self.create_segment(self.config.segment_bytes.max(needed))
    }

    /// Puts a record that [`Journal::fits`] behind those that are staged.
    pub(crate) fn stage(&mut self, tag: &[u8], payload: &[u8]) {
        let Some(active) = &mut self.active else { return };
        let place = record::Place::new(self.uuid, active.name.generation, active.name.number);
        let offset = active.offset + self.buffer.len() as u64;
        record::append(&mut self.buffer, place, offset, (self.next + active.staged, self.next), tag, payload);
        active.staged += 1;
    }

    /// Bytes that are staged.
    pub(crate) fn staged_bytes(&self) -> usize {
        self.buffer.len()
    }

    /// The number of the next record behind those that are staged.
    pub(crate) fn following(&self) -> u64 {
        self.next + self.active.as_ref().map_or(0, |active| active.staged)
    }

    /// Writes what is staged and syncs it; `None` if nothing is. After an error the segment is out of use and nothing
    /// is staged.
    pub(crate) fn commit(&mut self) -> Result<Option<Committed>, Error> {
        let Some(active) = self.active.as_mut().filter(|active| active.staged > 0) else { return Ok(None) };
        let (name, offset) = (active.name, active.offset);
        let written = active.file.write_all_at(offset, &self.buffer);
        let began = Instant::now();
        if let Err(source) = written.and_then(|()| active.file.sync()) {
            self.abandon();
            return Err(Error::io("appending to", &self.path(name))(source));
        }
        let done = Committed { records: active.staged, bytes: self.buffer.len() as u64, sync: began.elapsed() };
        self.next += done.records;
        active.offset += done.bytes;
        active.staged = 0;
        if let Some(segment) = self.segments.last_mut() {
            segment.end = self.next;
            segment.whole += done.records;
        }
        self.buffer.clear();
        self.buffer.shrink_to(KEPT_BUFFER_BYTES);
        Ok(Some(done))
    }

    /// Takes the active segment, and what is staged, out of use without writing to it again.
    pub(crate) fn abandon(&mut self) {
        self.buffer.clear();
        if let Some(Active { file, name, offset, .. }) = self.active.take() {
            // Its end, and with it the bytes of a failed group, is cut when the next segment is durable: until then a
            // file that is shorter than it was made would look like damage.
            self.trims.push(Trim { name, file, len: offset });
        }
    }

    /// Ends the current generation and begins the next; its first segment is made with its first record.
    ///
    /// # Errors
    /// If the last segment could not be closed. All that was appended is durable all the same, and the next generation
    /// has begun.
    pub(crate) fn begin_generation(&mut self) -> Result<(), Error> {
        self.generation += 1;
        let Some(active) = self.active.take() else { return Ok(()) };
        let path = self.path(active.name);
        let mark = record::end_mark(self.place(active.name), active.offset, self.next);
        let len = active.offset + mark.len() as u64;
        let marked = active.file.write_all_at(active.offset, &mark).and_then(|()| active.file.sync());
        if let Err(source) = marked {
            self.trims.push(Trim { name: active.name, file: active.file, len: active.offset });
            return Err(Error::io("closing", &path)(source));
        }
        active.file.set_len(len).map_err(Error::io("cutting", &path))?;
        self.set_len_of(active.name, len);
        Ok(())
    }

    /// Makes a segment of the current generation and turns to it.
    ///
    /// It is made under another name and gets its own once header and length are durable, so that a segment whose
    /// header does not decode was damaged later. Nothing may be staged.
    pub(crate) fn create_segment(&mut self, len: u64) -> Result<(), Error> {
        self.abandon();
        let name = Name { generation: self.generation, number: self.next_segment, first: self.next };
        self.next_segment += 1;
        let path = self.path(name);
        let file = self.make(name, len).inspect_err(|_| self.clean_up()).map_err(Error::io("making", &path))?;
        self.segments.push(Segment { name, end: self.next, len, whole: 0 });
        self.dir_is_dirty = true;
        // From here on the name may be there after a crash; it says nothing that is not true.
        self.sync_dir()?;
        self.active = Some(Active { file, name, offset: segment::HEADER_BYTES, limit: len, staged: 0 });
        self.trim();
        Ok(())
    }

    fn make(&self, name: Name, len: u64) -> io::Result<Box<dyn File>> {
        let new = self.config.dir.join(NEW);
        match self.files.remove(&new) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        let file = self.files.create(&new)?;
        file.allocate(len)?;
        let header = Header { version: segment::VERSION, uuid: self.uuid, name, allocated: len };
        file.write_all_at(0, &header.encode())?;
        file.sync()?;
        self.files.rename(&new, &self.path(name))?;
        Ok(file)
    }

    /// Gives back the space of a segment that could not be made. What stays is removed by the next attempt.
    fn clean_up(&self) {
        let new = self.config.dir.join(NEW);
        if let Err(error) = self.files.remove(&new)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, file = %new.display(), "removing a journal segment that could not be made");
        }
    }

    /// Cuts the unused ends of segments that have a durable successor.
    fn trim(&mut self) {
        for Trim { name, file, len } in std::mem::take(&mut self.trims) {
            match file.set_len(len) {
                Ok(()) => self.set_len_of(name, len),
                // It costs space until it is dropped, nothing else.
                Err(error) => tracing::warn!(%error, file = %name.file(), "cutting the end of a journal segment"),
            }
        }
    }

    fn set_len_of(&mut self, name: Name, len: u64) {
        if let Some(segment) = self.segments.iter_mut().find(|segment| segment.name == name) {
            segment.len = len;
        }
    }
}
