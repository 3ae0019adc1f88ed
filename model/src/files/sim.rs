//! A disk in memory that, at a power cut, forgets what was not synced.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;

use super::{Entry, File, Files, Held, Lock};

/// A simulated disk. Cloning shares it.
///
/// It keeps two pictures, as a kernel does: what a process sees, and what would be found after a power cut. Bytes move
/// into the second by [`File::sync`], names by [`Files::sync_dir`] of their directory. Directories made count as names
/// of their parent.
#[derive(Debug, Clone)]
pub struct SimDisk(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    /// Grows with each power cut; a file handle of an older life is dead.
    life: u64,
    next_inode: u64,
    inodes: BTreeMap<u64, Inode>,
    root: u64,
    free_bytes: u64,
    /// The names that are locked in this life.
    locked: BTreeSet<Vec<String>>,
}

#[derive(Debug, Clone)]
enum Inode {
    File { seen: Vec<u8>, safe: Vec<u8>, pending: Vec<Pending> },
    Dir { seen: BTreeMap<String, u64>, safe: BTreeMap<String, u64> },
}

#[derive(Debug, Clone)]
enum Pending {
    Write { offset: usize, bytes: Vec<u8> },
    SetLen(usize),
}

/// What becomes of one unsynced change at a power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is forgotten.
    Lost,
    /// It had reached the disk by chance.
    Kept,
    /// Of a write only this many first bytes had; for any other change the same as `Lost`.
    Torn(usize),
}

impl Default for SimDisk {
    fn default() -> Self {
        Self::new()
    }
}

impl SimDisk {
    /// An empty disk with a root directory and space without end.
    pub fn new() -> Self {
        let root = Inode::Dir { seen: BTreeMap::new(), safe: BTreeMap::new() };
        SimDisk(Arc::new(Mutex::new(State {
            life: 0,
            next_inode: 1,
            inodes: BTreeMap::from([(0, root)]),
            root: 0,
            free_bytes: u64::MAX,
            locked: BTreeSet::new(),
        })))
    }

    /// Sets what [`Files::free_bytes`] answers.
    pub fn set_free_bytes(&self, bytes: u64) {
        self.0.lock().free_bytes = bytes;
    }

    /// Ends the life of every open file, as the death of a process does. Nothing is forgotten.
    pub fn kill(&self) {
        self.0.lock().end_life();
    }

    /// Cuts the power: open files die, and `fate` decides of each change that was not synced.
    pub fn power_cut(&self, mut fate: impl FnMut() -> Fate) {
        let mut state = self.0.lock();
        state.end_life();
        for inode in state.inodes.values_mut() {
            match inode {
                Inode::File { seen, safe, pending } => {
                    for change in pending.drain(..) {
                        match (fate(), change) {
                            (Fate::Kept, change) => change.apply(safe),
                            (Fate::Torn(len), Pending::Write { offset, mut bytes }) => {
                                bytes.truncate(len);
                                Pending::Write { offset, bytes }.apply(safe);
                            }
                            _ => {}
                        }
                    }
                    seen.clone_from(safe);
                }
                Inode::Dir { seen, safe } => {
                    let names: Vec<String> = seen.keys().chain(safe.keys()).cloned().collect();
                    for name in names {
                        if seen.get(&name) != safe.get(&name) && fate() == Fate::Kept {
                            match seen.get(&name) {
                                Some(inode) => safe.insert(name, *inode),
                                None => safe.remove(&name),
                            };
                        }
                    }
                    seen.clone_from(safe);
                }
            }
        }
    }
}

impl Pending {
    fn apply(self, to: &mut Vec<u8>) {
        match self {
            Pending::Write { offset, bytes } => write_into(to, offset, &bytes),
            Pending::SetLen(len) => to.resize(len, 0),
        }
    }
}

fn write_into(to: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if to.len() < end {
        to.resize(end, 0);
    }
    to[offset..end].copy_from_slice(bytes);
}

impl State {
    fn end_life(&mut self) {
        self.life += 1;
        self.locked.clear();
    }

    fn find(&self, path: &Path) -> io::Result<u64> {
        let mut at = self.root;
        for part in parts(path) {
            let Some(Inode::Dir { seen, .. }) = self.inodes.get(&at) else {
                return Err(io::ErrorKind::NotADirectory.into());
            };
            at = *seen.get(&part).ok_or(io::ErrorKind::NotFound)?;
        }
        Ok(at)
    }

    fn dir(&mut self, path: &Path) -> io::Result<&mut BTreeMap<String, u64>> {
        let at = self.find(path)?;
        match self.inodes.get_mut(&at) {
            Some(Inode::Dir { seen, .. }) => Ok(seen),
            _ => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    fn parent(&mut self, path: &Path) -> io::Result<(&mut BTreeMap<String, u64>, String)> {
        let name = parts(path).pop().ok_or(io::ErrorKind::InvalidInput)?;
        let parent = path.parent().unwrap_or(Path::new(""));
        Ok((self.dir(parent)?, name))
    }

    fn add(&mut self, path: &Path, inode: Inode) -> io::Result<u64> {
        let number = self.next_inode;
        let (names, name) = self.parent(path)?;
        if names.contains_key(&name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        names.insert(name, number);
        self.inodes.insert(number, inode);
        self.next_inode += 1;
        Ok(number)
    }
}

fn parts(path: &Path) -> Vec<String> {
    path.components()
        .filter_map(|part| match part {
            std::path::Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
            _ => None,
        })
        .collect()
}

impl Files for SimDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn File>> {
        let mut state = self.0.lock();
        let file = Inode::File { seen: Vec::new(), safe: Vec::new(), pending: Vec::new() };
        let inode = state.add(path, file)?;
        Ok(Box::new(SimFile { disk: self.clone(), inode, life: state.life }))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn File>> {
        let state = self.0.lock();
        let inode = state.find(path)?;
        match state.inodes.get(&inode) {
            Some(Inode::File { .. }) => Ok(Box::new(SimFile { disk: self.clone(), inode, life: state.life })),
            _ => Err(io::ErrorKind::IsADirectory.into()),
        }
    }

    fn open_read(&self, path: &Path) -> io::Result<Box<dyn File>> {
        self.open(path)
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.0.lock();
        let inode = state.find(from)?;
        let (names, name) = state.parent(to)?;
        if names.contains_key(&name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        names.insert(name, inode);
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.0.lock();
        let inode = state.find(from)?;
        let (names, name) = state.parent(to)?;
        names.insert(name, inode);
        if parts(from) != parts(to) {
            let (names, name) = state.parent(from)?;
            names.remove(&name);
        }
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.0.lock();
        let (names, name) = state.parent(path)?;
        names.remove(&name).map(|_| ()).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        let dir = Inode::Dir { seen: BTreeMap::new(), safe: BTreeMap::new() };
        self.0.lock().add(path, dir).map(|_| ())
    }

    fn list(&self, path: &Path) -> io::Result<Vec<Entry>> {
        let mut state = self.0.lock();
        let names = state.dir(path)?.clone();
        let entry = |(name, inode): (String, u64)| match state.inodes.get(&inode) {
            Some(Inode::File { seen, .. }) => Entry { name, is_dir: false, len: seen.len() as u64 },
            _ => Entry { name, is_dir: true, len: 0 },
        };
        Ok(names.into_iter().map(entry).collect())
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let mut state = self.0.lock();
        let at = state.find(path)?;
        match state.inodes.get_mut(&at) {
            Some(Inode::Dir { seen, safe }) => safe.clone_from(seen),
            _ => return Err(io::ErrorKind::NotADirectory.into()),
        }
        Ok(())
    }

    fn free_bytes(&self, _path: &Path) -> io::Result<u64> {
        Ok(self.0.lock().free_bytes)
    }

    fn lock(&self, path: &Path) -> io::Result<Lock> {
        let mut state = self.0.lock();
        state.parent(path)?;
        if !state.locked.insert(parts(path)) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        if state.find(path).is_err() {
            state.add(path, Inode::File { seen: Vec::new(), safe: Vec::new(), pending: Vec::new() })?;
        }
        Ok(Box::new(SimLock { disk: self.clone(), name: parts(path), life: state.life }))
    }
}

#[derive(Debug)]
struct SimLock {
    disk: SimDisk,
    name: Vec<String>,
    life: u64,
}

impl Held for SimLock {}

impl Drop for SimLock {
    fn drop(&mut self) {
        let mut state = self.disk.0.lock();
        // The lock of a process that died was released with it; another may hold the name now.
        if state.life == self.life {
            state.locked.remove(&self.name);
        }
    }
}

#[derive(Debug)]
struct SimFile {
    disk: SimDisk,
    inode: u64,
    life: u64,
}

impl SimFile {
    fn with<T>(&self, act: impl FnOnce(&mut Vec<u8>, &mut Vec<u8>, &mut Vec<Pending>) -> T) -> io::Result<T> {
        let mut state = self.disk.0.lock();
        if state.life != self.life {
            return Err(io::Error::other("the process that opened this file is dead"));
        }
        match state.inodes.get_mut(&self.inode) {
            Some(Inode::File { seen, safe, pending }) => Ok(act(seen, safe, pending)),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn change(&self, change: Pending) -> io::Result<()> {
        self.with(|seen, _, pending| {
            change.clone().apply(seen);
            pending.push(change);
        })
    }
}

impl File for SimFile {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        self.change(Pending::Write { offset: offset as usize, bytes: bytes.to_vec() })?;
        Ok(bytes.len())
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        self.with(|seen, _, _| {
            let from = (offset as usize).min(seen.len());
            let take = into.len().min(seen.len() - from);
            into[..take].copy_from_slice(&seen[from..from + take]);
            take
        })
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        if self.len()? < len { self.change(Pending::SetLen(len as usize)) } else { Ok(()) }
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.change(Pending::SetLen(len as usize))
    }

    fn len(&self) -> io::Result<u64> {
        self.with(|seen, _, _| seen.len() as u64)
    }

    fn sync(&self) -> io::Result<()> {
        self.with(|_, safe, pending| {
            // What is safe and what is pending make up what is seen, so the whole file need not be copied.
            pending.drain(..).for_each(|change| change.apply(safe));
        })
    }
}
