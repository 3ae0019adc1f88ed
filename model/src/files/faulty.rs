//! A file layer that counts every call and makes chosen ones fail.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Entry, File, Files, FilesRef, Lock};

/// The operations that are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is named after the method it stands for")]
pub enum Op {
    Create,
    Open,
    Link,
    Rename,
    Remove,
    CreateDir,
    List,
    SyncDir,
    Write,
    Read,
    Allocate,
    SetLen,
    Sync,
    Lock,
}

/// What happens at a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The call goes through.
    None,
    /// The call does nothing and fails with this `errno`.
    Error(i32),
    /// A write takes only this many bytes; any other call goes through.
    Short(usize),
}

/// Decides what happens at call `n` (counted from 1 over all operations). Called before the operation.
pub type Plan = Arc<dyn Fn(u64, Op, &Path) -> Fault + Send + Sync>;

/// Is told of every operation that succeeded, with its number.
pub type After = Arc<dyn Fn(u64, Op, &Path) + Send + Sync>;

/// Wraps another file layer.
#[derive(Clone)]
pub struct Faulty {
    inner: FilesRef,
    calls: Arc<AtomicU64>,
    plan: Plan,
    after: After,
}

impl std::fmt::Debug for Faulty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Faulty").field("inner", &self.inner).field("calls", &self.calls()).finish_non_exhaustive()
    }
}

impl Faulty {
    /// Wraps `inner`; `plan` decides before each call.
    pub fn new(inner: FilesRef, plan: Plan) -> Self {
        Faulty { inner, calls: Arc::default(), plan, after: Arc::new(|_, _, _| {}) }
    }

    /// Has `after` told of every operation that succeeded: the place to die between a sync and what follows it.
    pub fn with_after(mut self, after: After) -> Self {
        self.after = after;
        self
    }

    /// How many calls were made so far.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::SeqCst)
    }

    fn run<T>(&self, op: Op, path: &Path, call: impl FnOnce(Option<usize>) -> io::Result<T>) -> io::Result<T> {
        let n = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        let limit = match (self.plan)(n, op, path) {
            Fault::None => None,
            Fault::Error(errno) => return Err(io::Error::from_raw_os_error(errno)),
            Fault::Short(bytes) => Some(bytes),
        };
        let done = call(limit)?;
        (self.after)(n, op, path);
        Ok(done)
    }

    fn file(&self, path: &Path, file: Box<dyn File>) -> Box<dyn File> {
        Box::new(FaultyFile { layer: self.clone(), path: path.to_owned(), inner: file })
    }
}

impl Files for Faulty {
    fn create(&self, path: &Path) -> io::Result<Box<dyn File>> {
        self.run(Op::Create, path, |_| self.inner.create(path)).map(|f| self.file(path, f))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn File>> {
        self.run(Op::Open, path, |_| self.inner.open(path)).map(|f| self.file(path, f))
    }

    fn open_read(&self, path: &Path) -> io::Result<Box<dyn File>> {
        self.run(Op::Open, path, |_| self.inner.open_read(path)).map(|f| self.file(path, f))
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.run(Op::Link, to, |_| self.inner.link(from, to))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.run(Op::Rename, to, |_| self.inner.rename(from, to))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.run(Op::Remove, path, |_| self.inner.remove(path))
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.run(Op::CreateDir, path, |_| self.inner.create_dir(path))
    }

    fn list(&self, path: &Path) -> io::Result<Vec<Entry>> {
        self.run(Op::List, path, |_| self.inner.list(path))
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.run(Op::SyncDir, path, |_| self.inner.sync_dir(path))
    }

    fn free_bytes(&self, path: &Path) -> io::Result<u64> {
        self.inner.free_bytes(path)
    }

    fn lock(&self, path: &Path) -> io::Result<Lock> {
        self.run(Op::Lock, path, |_| self.inner.lock(path))
    }
}

#[derive(Debug)]
struct FaultyFile {
    layer: Faulty,
    path: PathBuf,
    inner: Box<dyn File>,
}

impl File for FaultyFile {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        self.layer.run(Op::Write, &self.path, |limit| {
            let take = limit.unwrap_or(bytes.len()).min(bytes.len());
            self.inner.write_at(offset, &bytes[..take])
        })
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        self.layer.run(Op::Read, &self.path, |_| self.inner.read_at(offset, into))
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        self.layer.run(Op::Allocate, &self.path, |_| self.inner.allocate(len))
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.layer.run(Op::SetLen, &self.path, |_| self.inner.set_len(len))
    }

    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }

    fn sync(&self) -> io::Result<()> {
        self.layer.run(Op::Sync, &self.path, |_| self.inner.sync())
    }
}
