//! The file layer: every file operation of journal, staged blocks and the local object store passes here.
//!
//! Owns: the [`Files`] and [`File`] seams, the real disk behind them ([`Disk`]), a disk that forgets what was not
//! synced ([`sim::SimDisk`]) and a wrapper that counts calls and makes one fail ([`faulty::Faulty`]).
//! Does not own: what the files mean.
//!
//! The rules of durability are POSIX's at their strictest: bytes are safe after [`File::sync`], a name is safe after
//! [`Files::sync_dir`] of the directory that holds it, and nothing else is promised.

use std::fmt::Debug;
use std::io;
use std::path::Path;
use std::sync::Arc;

mod disk;
pub mod faulty;
pub mod sim;

pub use disk::Disk;

/// A handle to the file layer, shared by all who use it.
pub type FilesRef = Arc<dyn Files>;

/// What a directory holds under one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name inside the directory. Names that are not UTF-8 are not ours and are left out.
    pub name: String,
    /// Whether it is a directory.
    pub is_dir: bool,
    /// Length in bytes; 0 for a directory.
    pub len: u64,
}

/// The operations on names.
pub trait Files: Send + Sync + Debug {
    /// Makes a new file to read and write. Fails with `AlreadyExists` if the name is taken.
    fn create(&self, path: &Path) -> io::Result<Box<dyn File>>;

    /// Opens a file to read and write.
    fn open(&self, path: &Path) -> io::Result<Box<dyn File>>;

    /// Opens a file to read only.
    fn open_read(&self, path: &Path) -> io::Result<Box<dyn File>>;

    /// Gives a file a second name. Fails with `AlreadyExists` if that is taken.
    fn link(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Gives a file another name, replacing what was there.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes a directory; its parent must exist. Fails with `AlreadyExists` if the name is taken.
    fn create_dir(&self, path: &Path) -> io::Result<()>;

    /// What a directory holds, ordered by name.
    fn list(&self, path: &Path) -> io::Result<Vec<Entry>>;

    /// Makes the names in a directory safe.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;

    /// Bytes that are free on the file system of `path`.
    fn free_bytes(&self, path: &Path) -> io::Result<u64>;

    /// Locks the name `path` against every other holder, in this process or another, until the lock is dropped or the
    /// process dies. Makes an empty file of that name if there is none. Fails with `WouldBlock` if it is held.
    fn lock(&self, path: &Path) -> io::Result<Lock>;
}

/// A lock held on a name; dropping it releases the name.
pub type Lock = Box<dyn Held>;

/// What keeps a [`Lock`] held: its only duty is to let go when dropped.
pub trait Held: Send + Sync + Debug {}

/// The operations on an open file.
pub trait File: Send + Sync + Debug {
    /// Writes at an offset and returns how many bytes were taken, which may be fewer than given.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<usize>;

    /// Reads at an offset and returns how many bytes came; 0 is the end of the file.
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize>;

    /// Reserves space up to `len` and makes the file that long, so that later writes need no new metadata.
    fn allocate(&self, len: u64) -> io::Result<()>;

    /// Cuts the file, or fills it up with zeroes, to this length.
    fn set_len(&self, len: u64) -> io::Result<()>;

    /// The length in bytes.
    fn len(&self) -> io::Result<u64>;

    /// Whether the file is empty.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Makes the bytes, and the length that is needed to find them, safe.
    fn sync(&self) -> io::Result<()>;

    /// Writes all of `bytes`, however many calls that takes.
    fn write_all_at(&self, mut offset: u64, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.write_at(offset, bytes) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(taken) => {
                    offset += taken as u64;
                    bytes = &bytes[taken..];
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    /// Reads from `offset` until `into` is full or the file ends; returns how many bytes came.
    fn read_full_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < into.len() {
            match self.read_at(offset + filled as u64, &mut into[filled..]) {
                Ok(0) => break,
                Ok(came) => filled += came,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(filled)
    }
}

/// Reads a whole file.
///
/// # Errors
/// The operating system's.
pub fn read(files: &dyn Files, path: &Path) -> io::Result<Vec<u8>> {
    let file = files.open_read(path)?;
    let mut bytes = vec![0; usize::try_from(file.len()?).map_err(io::Error::other)?];
    let came = file.read_full_at(0, &mut bytes)?;
    bytes.truncate(came);
    Ok(bytes)
}

/// Makes a directory and those above it that are missing, each synced into its parent.
///
/// # Errors
/// The operating system's.
pub fn create_dirs(files: &dyn Files, path: &Path) -> io::Result<()> {
    match files.create_dir(path) {
        Ok(()) => {}
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            let Some(parent) = path.parent() else { return Err(e) };
            create_dirs(files, parent)?;
            match files.create_dir(path) {
                Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(e),
                _ => {}
            }
        }
        Err(e) => return Err(e),
    }
    match path.parent() {
        Some(parent) if parent != Path::new("") => files.sync_dir(parent),
        _ => files.sync_dir(Path::new(".")),
    }
}

/// Puts a file in place whole: written beside it, synced, renamed over it, the directory synced.
///
/// # Errors
/// The operating system's; then the old file, if any, is still there.
pub fn replace(files: &dyn Files, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension("tmp");
    match files.remove(&temporary) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let file = files.create(&temporary)?;
    file.write_all_at(0, bytes)?;
    file.sync()?;
    files.rename(&temporary, path)?;
    files.sync_dir(path.parent().unwrap_or(Path::new(".")))
}

#[cfg(test)]
mod tests;
