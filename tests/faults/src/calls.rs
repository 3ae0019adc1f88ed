//! A log of every file call that changes something: what was done, and in what order, up to the instant of a kill.
//!
//! Owns: the file of `FLEETSCOPE_CALLS`. Each line goes to the kernel with one write, so that it outlives a SIGKILL.
//! Does not own: failing or killing (`rules`), which happens above: what a rule hits is not in the log, but what a kill
//! came after is.
//!
//! ```text
//! B op bytes path    a call begins (bytes: the length of a write, else 0; a name that is given is the path)
//! E op bytes path    it ended well
//! ```

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::files::faulty::Op;
use model::files::{Entry, File, Files, FilesRef, Lock};

use crate::rules;

/// Notes the calls that go to the layer below it.
#[derive(Debug, Clone)]
pub(crate) struct Noted {
    inner: FilesRef,
    log: Arc<fs::File>,
}

impl Noted {
    /// Begins the log anew.
    ///
    /// # Errors
    /// The operating system's.
    pub(crate) fn new(inner: FilesRef, log: &Path) -> io::Result<Self> {
        match fs::remove_file(log) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        let log = fs::OpenOptions::new().append(true).create_new(true).open(log)?;
        Ok(Noted { inner, log: Arc::new(log) })
    }

    fn run<T>(&self, op: Op, bytes: usize, path: &Path, call: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let line = format!("{} {bytes} {}\n", rules::name(op), path.display());
        (&*self.log).write_all(format!("B {line}").as_bytes())?;
        let done = call()?;
        (&*self.log).write_all(format!("E {line}").as_bytes())?;
        Ok(done)
    }

    fn file(&self, path: &Path, inner: Box<dyn File>) -> Box<dyn File> {
        Box::new(NotedFile { layer: self.clone(), path: path.to_owned(), inner })
    }
}

impl Files for Noted {
    fn create(&self, path: &Path) -> io::Result<Box<dyn File>> {
        self.run(Op::Create, 0, path, || self.inner.create(path)).map(|file| self.file(path, file))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn File>> {
        self.inner.open(path).map(|file| self.file(path, file))
    }

    fn open_read(&self, path: &Path) -> io::Result<Box<dyn File>> {
        self.inner.open_read(path)
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.run(Op::Link, 0, to, || self.inner.link(from, to))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.run(Op::Rename, 0, to, || self.inner.rename(from, to))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.run(Op::Remove, 0, path, || self.inner.remove(path))
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.run(Op::CreateDir, 0, path, || self.inner.create_dir(path))
    }

    fn list(&self, path: &Path) -> io::Result<Vec<Entry>> {
        self.inner.list(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.run(Op::SyncDir, 0, path, || self.inner.sync_dir(path))
    }

    fn free_bytes(&self, path: &Path) -> io::Result<u64> {
        self.inner.free_bytes(path)
    }

    fn lock(&self, path: &Path) -> io::Result<Lock> {
        self.inner.lock(path)
    }
}

#[derive(Debug)]
struct NotedFile {
    layer: Noted,
    path: PathBuf,
    inner: Box<dyn File>,
}

impl File for NotedFile {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        self.layer.run(Op::Write, bytes.len(), &self.path, || self.inner.write_at(offset, bytes))
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        self.inner.read_at(offset, into)
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        self.layer.run(Op::Allocate, 0, &self.path, || self.inner.allocate(len))
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.layer.run(Op::SetLen, 0, &self.path, || self.inner.set_len(len))
    }

    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }

    fn sync(&self) -> io::Result<()> {
        self.layer.run(Op::Sync, 0, &self.path, || self.inner.sync())
    }
}
