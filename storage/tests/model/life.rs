//! The file layer of one life of a process: it can be killed, at once or at a chosen call, and made to fail.
//!
//! Owns: that a dead process changes nothing any more, whatever its threads still try; the faults that are armed.
//! Does not own: what a power cut forgets (`model::files::sim`).

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use model::files::faulty::Op;
use model::files::sim::SimDisk;
use model::files::{Entry, File, Files, Lock};
use parking_lot::{Mutex, RwLock};

const EIO: i32 = 5;

/// A part of the store's folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Anywhere,
    Journal,
    Staged,
    Table,
    DeltaLog,
}

impl Place {
    fn contains(self, path: &Path) -> bool {
        let text = path.to_string_lossy();
        let (delta, staged) = (text.contains("_delta_log"), text.contains("staged"));
        match self {
            Place::Anywhere => true,
            Place::DeltaLog => delta,
            Place::Staged => staged,
            Place::Journal => text.contains("journal"),
            Place::Table => !delta && !staged && !text.contains("journal"),
        }
    }
}

/// What happens at the chosen call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It fails with this `errno`.
    Errno(i32),
    /// A write takes only this many bytes; any other call is left alone and the next one is tried.
    Short(usize),
    /// The process dies instead of making the call.
    DieBefore,
    /// The process dies once the call is made.
    DieAfter,
}

/// A fault that waits for its call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fault {
    pub(crate) place: Place,
    /// Only calls that change something count.
    pub(crate) changes_only: bool,
    /// How many calls are let through before.
    pub(crate) after: u64,
    /// How many calls in a row it happens to.
    pub(crate) times: u64,
    pub(crate) trouble: Trouble,
}

/// One life of a process on a simulated disk.
#[derive(Debug, Clone)]
pub(crate) struct Life(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    disk: SimDisk,
    /// Held shared during each call, so that the end of a life waits for calls under way.
    gate: RwLock<()>,
    dead: AtomicBool,
    paused: AtomicBool,
    /// The bucket, a folder here, cannot be reached.
    away: AtomicBool,
    faults: Mutex<Vec<Fault>>,
    fired: AtomicU64,
}

impl Life {
    pub(crate) fn new(disk: SimDisk) -> Self {
        Life(Arc::new(Shared {
            disk,
            gate: RwLock::new(()),
            dead: AtomicBool::new(false),
            paused: AtomicBool::new(false),
            away: AtomicBool::new(false),
            faults: Mutex::new(Vec::new()),
            fired: AtomicU64::new(0),
        }))
    }

    /// Lets `fault` happen when its turn comes.
    pub(crate) fn arm(&self, fault: Fault) {
        self.0.faults.lock().push(fault);
    }

    /// Forgets the faults that have not happened yet.
    pub(crate) fn disarm(&self) {
        self.0.faults.lock().clear();
    }

    /// No fault happens until this is taken back: for calls that a test makes itself.
    pub(crate) fn pause(&self, paused: bool) {
        self.0.paused.store(paused, Ordering::SeqCst);
    }

    /// From now on the tables cannot be reached, or can again; journal and staged blocks are where they were.
    pub(crate) fn set_away(&self, away: bool) {
        self.0.away.store(away, Ordering::SeqCst);
    }

    pub(crate) fn is_away(&self) -> bool {
        self.0.away.load(Ordering::SeqCst)
    }

    /// Whether a fault has happened in this life.
    pub(crate) fn was_hurt(&self) -> bool {
        self.0.fired.load(Ordering::SeqCst) > 0
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.0.dead.load(Ordering::SeqCst)
    }

    /// Ends this life. On return no call of it is under way, and none will do anything again.
    pub(crate) fn end(&self) {
        let _all_calls_done = self.0.gate.write();
        self.0.dead.store(true, Ordering::SeqCst);
        self.0.disk.kill();
    }

    fn run<T>(&self, op: Op, path: &Path, call: impl FnOnce(Option<usize>) -> io::Result<T>) -> io::Result<T> {
        let _call = self.0.gate.read();
        let trouble = self.trouble(op, path);
        if trouble == Some(Trouble::DieBefore) {
            self.0.dead.store(true, Ordering::SeqCst);
        }
        if self.is_dead() {
            return Err(io::Error::other("the process is dead"));
        }
        match trouble {
            Some(Trouble::Errno(errno)) => Err(io::Error::from_raw_os_error(errno)),
            Some(Trouble::Short(bytes)) => call(Some(bytes)),
            Some(Trouble::DieAfter) => {
                let _nobody_hears_of_it = call(None);
                self.0.dead.store(true, Ordering::SeqCst);
                Err(io::Error::other("the process is dead"))
            }
            _ => call(None),
        }
    }

    /// Takes the fault whose turn it is.
    fn trouble(&self, op: Op, path: &Path) -> Option<Trouble> {
        if self.0.paused.load(Ordering::SeqCst) {
            return None;
        }
        if self.is_away() && (Place::Table.contains(path) || Place::DeltaLog.contains(path)) {
            return Some(Trouble::Errno(EIO));
        }
        let changes = !matches!(op, Op::Open | Op::Read | Op::List);
        let mut faults = self.0.faults.lock();
        for at in 0..faults.len() {
            let fault = &mut faults[at];
            if fault.changes_only && !changes || !fault.place.contains(path) {
                continue;
            }
            if fault.after > 0 {
                fault.after -= 1;
            } else if !matches!(fault.trouble, Trouble::Short(_)) || op == Op::Write {
                self.0.fired.fetch_add(1, Ordering::SeqCst);
                fault.times = fault.times.saturating_sub(1);
                let Fault { trouble, times, .. } = *fault;
                if times == 0 {
                    faults.remove(at);
                }
                return Some(trouble);
            }
        }
        None
    }

    fn file(&self, path: &Path, inner: Box<dyn File>) -> Box<dyn File> {
        Box::new(LifeFile { life: self.clone(), path: path.to_owned(), inner })
    }
}

impl Files for Life {
    fn create(&self, path: &Path) -> io::Result<Box<dyn File>> {
        self.run(Op::Create, path, |_| self.0.disk.create(path)).map(|file| self.file(path, file))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn File>> {
        self.run(Op::Open, path, |_| self.0.disk.open(path)).map(|file| self.file(path, file))
    }

    fn open_read(&self, path: &Path) -> io::Result<Box<dyn File>> {
        self.run(Op::Open, path, |_| self.0.disk.open_read(path)).map(|file| self.file(path, file))
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.run(Op::Link, to, |_| self.0.disk.link(from, to))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.run(Op::Rename, to, |_| self.0.disk.rename(from, to))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.run(Op::Remove, path, |_| self.0.disk.remove(path))
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.run(Op::CreateDir, path, |_| self.0.disk.create_dir(path))
    }

    fn list(&self, path: &Path) -> io::Result<Vec<Entry>> {
        self.run(Op::List, path, |_| self.0.disk.list(path))
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.run(Op::SyncDir, path, |_| self.0.disk.sync_dir(path))
    }

    fn free_bytes(&self, path: &Path) -> io::Result<u64> {
        self.0.disk.free_bytes(path)
    }

    fn lock(&self, path: &Path) -> io::Result<Lock> {
        self.run(Op::Lock, path, |_| self.0.disk.lock(path))
    }
}

#[derive(Debug)]
struct LifeFile {
    life: Life,
    path: PathBuf,
    inner: Box<dyn File>,
}

impl File for LifeFile {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        self.life.run(Op::Write, &self.path, |limit| {
            // A write of nothing would not be a short write but an odd one.
            let take = limit.unwrap_or(bytes.len()).clamp(bytes.len().min(1), bytes.len());
            self.inner.write_at(offset, &bytes[..take])
        })
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        self.life.run(Op::Read, &self.path, |_| self.inner.read_at(offset, into))
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        self.life.run(Op::Allocate, &self.path, |_| self.inner.allocate(len))
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.life.run(Op::SetLen, &self.path, |_| self.inner.set_len(len))
    }

    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }

    fn sync(&self) -> io::Result<()> {
        self.life.run(Op::Sync, &self.path, |_| self.inner.sync())
    }
}

/// A small generator (SplitMix64, Steele et al. 2014) for the fates of unsynced changes.
#[derive(Debug, Clone)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }
}
