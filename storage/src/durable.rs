//! The local object store whose objects are on stable storage before a write returns.
//!
//! Owns: the order of write, sync, link or rename, and directory sync; temporary files and their removal.
//! Does not own: what the objects mean; the file operations themselves (`model::files`).
//!
//! `object_store`'s own local file system never syncs: after a power cut both blocks and Delta log may come back empty.
//! Here a put that returned `Ok` survives a power cut whole, and one that did not is absent or whole.
//!
//! One process at a time may have a folder open: opening removes the temporary files of the one before.

use std::collections::HashSet;
use std::fmt;
use std::io;
use std::ops::Range;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use chrono::DateTime;
use futures::stream::{self, BoxStream, StreamExt};
use model::files::{FilesRef, create_dirs};
use object_store::path::Path;
use object_store::{
    Attributes, CopyMode, CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions,
    RenameTargetMode, Result,
};
use parking_lot::Mutex;
use uuid::Uuid;

mod upload;

/// What the names of unfinished files begin with. No object may be called so.
const TEMPORARY: &str = ".tmp-";

/// Reads up to this many bytes are made on the calling thread; anything longer, and every write, leaves the runtime.
const SHORT_READ_BYTES: u64 = 64 << 10;

/// Objects in a local folder, durable before any write returns. Cloning shares it.
///
/// The file layer knows no times of change, so `last_modified` is always the Unix epoch; objects have no ETag.
/// Conditional gets and puts on an ETag are therefore refused; put-if-absent ([`PutMode::Create`]) is exact.
#[derive(Debug, Clone)]
pub struct DurableLocal(Arc<Folder>);

#[derive(Debug)]
struct Folder {
    files: FilesRef,
    root: PathBuf,
    /// Directories whose names are known to be safe all the way up. A directory that merely exists need not be: its
    /// maker may have died, or be still on its way, between making and syncing.
    safe_dirs: Mutex<HashSet<PathBuf>>,
}

impl fmt::Display for DurableLocal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DurableLocal({})", self.0.root.display())
    }
}

impl DurableLocal {
    /// Opens a folder, making it if need be. Blocks the calling thread.
    ///
    /// Removes temporary files and syncs every directory below, since a process that was killed between naming an
    /// object and syncing its directory leaves a name that can be seen but is not safe.
    ///
    /// # Errors
    /// The operating system's.
    pub fn open(files: FilesRef, root: impl Into<PathBuf>) -> io::Result<Self> {
        let root = root.into();
        create_dirs(files.as_ref(), &root)?;
        if let Some(parent) = root.parent().filter(|parent| *parent != FilePath::new("")) {
            files.sync_dir(parent)?;
        }
        let folder = Folder { files, root: root.clone(), safe_dirs: Mutex::default() };
        folder.recover(&root)?;
        Ok(DurableLocal(Arc::new(folder)))
    }

    /// Runs file operations on a thread that may block.
    async fn blocking<T: Send + 'static>(&self, act: impl FnOnce(&Folder) -> Result<T> + Send + 'static) -> Result<T> {
        let folder = self.0.clone();
        tokio::task::spawn_blocking(move || act(&folder)).await?
    }
}

impl Folder {
    /// Removes temporary files and syncs every directory at and below `dir`.
    fn recover(&self, dir: &FilePath) -> io::Result<()> {
        for entry in self.files.list(dir)? {
            if entry.is_dir {
                self.recover(&dir.join(&entry.name))?;
            } else if entry.name.starts_with(TEMPORARY) {
                self.files.remove(&dir.join(&entry.name))?;
            }
        }
        self.files.sync_dir(dir)?;
        self.safe_dirs.lock().insert(dir.to_owned());
        Ok(())
    }

    /// Where an object is. Fails if a part of its name is not an ordinary file name.
    fn locate(&self, location: &Path) -> Result<PathBuf> {
        let mut path = self.root.clone();
        for part in location.parts() {
            let part = part.as_ref();
            let ordinary = !part.is_empty() && part != "." && part != ".." && !part.contains(['/', '\\', '\0']);
            if !ordinary || part.starts_with(TEMPORARY) {
                return Err(generic(format!("{location} is no name for an object: {part:?} cannot be part of it")));
            }
            path.push(part);
        }
        if path == self.root {
            return Err(generic("the name of an object is empty"));
        }
        Ok(path)
    }

    /// Makes the directory of `path` and those above it, each safe in its parent.
    fn make_parent(&self, path: &FilePath) -> io::Result<PathBuf> {
        let parent = path.parent().unwrap_or(&self.root).to_owned();
        self.make_dir(&parent)?;
        Ok(parent)
    }

    fn make_dir(&self, dir: &FilePath) -> io::Result<()> {
        if dir == self.root || self.safe_dirs.lock().contains(dir) {
            return Ok(());
        }
        let parent = dir.parent().unwrap_or(&self.root);
        self.make_dir(parent)?;
        match self.files.create_dir(dir) {
            Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(e),
            _ => {}
        }
        // Also if it was there: whoever made it may not have synced its parent yet.
        self.files.sync_dir(parent)?;
        self.safe_dirs.lock().insert(dir.to_owned());
        Ok(())
    }

    /// Writes a temporary file beside `path` and makes its bytes safe.
    fn write_temporary(&self, path: &FilePath, payload: &PutPayload) -> io::Result<PathBuf> {
        let temporary = self.make_parent(path)?.join(format!("{TEMPORARY}{}", Uuid::new_v4()));
        let file = self.files.create(&temporary)?;
        let write = || {
            let mut offset = 0;
            for bytes in payload {
                file.write_all_at(offset, bytes)?;
                offset += bytes.len() as u64;
            }
            file.sync()
        };
        self.or_remove(&temporary, write())?;
        Ok(temporary)
    }

    /// Gives a finished temporary file the name of its object, replacing what was there.
    fn replace(&self, temporary: &FilePath, path: &FilePath) -> io::Result<()> {
        self.or_remove(temporary, self.files.rename(temporary, path))?;
        self.files.sync_dir(path.parent().unwrap_or(&self.root))
    }

    /// Gives a safe file the name of an object, if that is free.
    fn link(&self, from: &FilePath, path: &FilePath) -> io::Result<()> {
        let dir = path.parent().unwrap_or(&self.root);
        match self.files.link(from, path) {
            Ok(()) => match self.files.sync_dir(dir) {
                Ok(()) => Ok(()),
                // A name that is not safe must not be taken for a success by whoever finds it later.
                Err(e) => {
                    let _ = self.files.remove(path);
                    Err(e)
                }
            },
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                // The caller will read what is there and build on it, so that must be safe as well.
                self.files.sync_dir(dir)?;
                Err(e)
            }
            Err(e) => Err(e),
        }
    }

    /// Removes a temporary file if what was done with it failed. A failure of that is left to the next opening.
    fn or_remove<T>(&self, temporary: &FilePath, done: io::Result<T>) -> io::Result<T> {
        if done.is_err() {
            let _ = self.files.remove(temporary);
        }
        done
    }

    fn put(&self, path: &FilePath, payload: &PutPayload, create: bool) -> io::Result<()> {
        let temporary = self.write_temporary(path, payload)?;
        if !create {
            return self.replace(&temporary, path);
        }
        let linked = self.link(&temporary, path);
        let _ = self.files.remove(&temporary);
        linked
    }

    fn copy(&self, from: &FilePath, to: &FilePath, create: bool) -> io::Result<()> {
        // Objects are never written in place, so two names of the same bytes are two objects.
        if create {
            self.make_parent(to)?;
            return self.link(from, to);
        }
        let temporary = self.make_parent(to)?.join(format!("{TEMPORARY}{}", Uuid::new_v4()));
        self.files.link(from, &temporary)?;
        if from == to {
            return self.files.remove(&temporary);
        }
        self.replace(&temporary, to)?;
        // A rename between two names of the same file does nothing at all, not even remove the first.
        match self.files.remove(&temporary) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
            _ => Ok(()),
        }
    }

    fn move_to(&self, from: &FilePath, to: &FilePath) -> io::Result<()> {
        let dir = self.make_parent(to)?;
        if from == to {
            return self.files.open_read(from).map(drop);
        }
        self.files.rename(from, to)?;
        // A rename between two names of the same file, as a copy makes them, does nothing at all.
        match self.files.remove(from) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        self.files.sync_dir(&dir)?;
        match from.parent() {
            Some(old) if old != dir => self.files.sync_dir(old),
            _ => Ok(()),
        }
    }

    fn delete(&self, path: &FilePath) -> io::Result<()> {
        match self.files.remove(path) {
            // As in a bucket: what is not there is deleted.
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(e) => Err(e),
            Ok(()) => self.files.sync_dir(path.parent().unwrap_or(&self.root)),
        }
    }

    /// Objects below `prefix`, ordered by name; if `flat`, only those directly in it, and its folders.
    fn list(&self, prefix: Option<&Path>, flat: bool) -> Result<ListResult> {
        let mut found = ListResult { common_prefixes: Vec::new(), objects: Vec::new() };
        let dir = match prefix {
            Some(prefix) if prefix.parts().next().is_some() => self.locate(prefix)?,
            _ => self.root.clone(),
        };
        self.walk(&dir, prefix.unwrap_or(&Path::default()), flat, &mut found)?;
        found.objects.sort_by(|a, b| a.location.cmp(&b.location));
        Ok(found)
    }

    fn walk(&self, dir: &FilePath, at: &Path, flat: bool, into: &mut ListResult) -> Result<()> {
        let entries = match self.files.list(dir) {
            Ok(entries) => entries,
            Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return Ok(()),
            Err(e) => return Err(failed(at, e)),
        };
        for entry in entries {
            // A name that no object of ours can have is somebody else's file.
            let Ok(location) = Path::parse(format!("{at}/{}", entry.name)) else { continue };
            if entry.name.starts_with(TEMPORARY) {
                continue;
            }
            match (entry.is_dir, flat) {
                (true, true) => into.common_prefixes.push(location),
                (true, false) => self.walk(&dir.join(&entry.name), &location, flat, into)?,
                (false, _) => into.objects.push(meta(location, entry.len)),
            }
        }
        Ok(())
    }

    fn read(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let file = self.files.open_read(&self.locate(location)?).map_err(|e| failed(location, e))?;
        let part = |range: &Range<u64>| {
            let length = usize::try_from(range.end.saturating_sub(range.start)).map_err(generic)?;
            let mut bytes = vec![0; length];
            let came = file.read_full_at(range.start, &mut bytes).map_err(|e| failed(location, e))?;
            if came < length {
                return Err(generic(format!("{location} ended after {came} of {length} bytes at {}", range.start)));
            }
            Ok(bytes.into())
        };
        ranges.iter().map(part).collect()
    }
}

fn meta(location: Path, size: u64) -> ObjectMeta {
    ObjectMeta { location, last_modified: DateTime::UNIX_EPOCH, size, e_tag: None, version: None }
}

fn generic(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::Generic { store: "DurableLocal", source: source.into() }
}

/// Tells a failed file operation in the words of object stores.
fn failed(location: &Path, error: io::Error) -> Error {
    let path = location.to_string();
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory => {
            Error::NotFound { path, source: error.into() }
        }
        io::ErrorKind::AlreadyExists => Error::AlreadyExists { path, source: error.into() },
        io::ErrorKind::PermissionDenied => Error::PermissionDenied { path, source: error.into() },
        _ => Error::Generic { store: "DurableLocal", source: format!("{path}: {error}").into() },
    }
}

fn done() -> PutResult {
    PutResult { e_tag: None, version: None }
}

#[async_trait]
impl ObjectStore for DurableLocal {
    async fn put_opts(&self, location: &Path, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        let create = match opts.mode {
            PutMode::Overwrite => false,
            PutMode::Create => true,
            PutMode::Update(_) => {
                return Err(Error::NotImplemented {
                    operation: "a put conditional on a version".into(),
                    implementer: self.to_string(),
                });
            }
        };
        let (path, location) = (self.0.locate(location)?, location.clone());
        self.blocking(move |folder| folder.put(&path, &payload, create).map_err(|e| failed(&location, e))).await?;
        Ok(done())
    }

    async fn put_multipart_opts(&self, location: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        let (path, location) = (self.0.locate(location)?, location.clone());
        let folder = self.0.clone();
        self.blocking(move |_| {
            let upload = upload::Upload::begin(folder, path).map_err(|e| failed(&location, e))?;
            Ok(Box::new(upload) as Box<dyn MultipartUpload>)
        })
        .await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let path = self.0.locate(location)?;
        let size = self.0.files.open_read(&path).and_then(|file| file.len()).map_err(|e| failed(location, e))?;
        let meta = meta(location.clone(), size);
        options.check_preconditions(&meta)?;
        let range = match &options.range {
            Some(range) => range.as_range(size).map_err(|e| generic(e.to_string()))?,
            None => 0..size,
        };
        let bytes = match options.head || range.is_empty() {
            true => Vec::new(),
            false => self.get_ranges(location, std::slice::from_ref(&range)).await?,
        };
        let payload = GetResultPayload::Stream(stream::iter(bytes.into_iter().map(Ok)).boxed());
        Ok(GetResult { payload, meta, range, attributes: Attributes::new() })
    }

    /// Just these bytes: what lies between is read for remote stores, where a request is dear.
    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let all: u64 = ranges.iter().map(|range| range.end.saturating_sub(range.start)).sum();
        if all <= SHORT_READ_BYTES {
            return self.0.read(location, ranges);
        }
        let (location, ranges) = (location.clone(), ranges.to_vec());
        self.blocking(move |folder| folder.read(&location, &ranges)).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let store = self.clone();
        locations
            .then(move |location| {
                let store = store.clone();
                async move {
                    let location = location?;
                    let (path, deleted) = (store.0.locate(&location)?, location.clone());
                    store.blocking(move |folder| folder.delete(&path).map_err(|e| failed(&location, e))).await?;
                    Ok(deleted)
                }
            })
            .boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let (store, prefix) = (self.clone(), prefix.cloned());
        let listed = async move { store.blocking(move |folder| folder.list(prefix.as_ref(), false)).await };
        stream::once(listed)
            .flat_map(|listed| match listed {
                Ok(found) => stream::iter(found.objects).map(Ok).boxed(),
                Err(e) => stream::once(async { Err(e) }).boxed(),
            })
            .boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let prefix = prefix.cloned();
        self.blocking(move |folder| folder.list(prefix.as_ref(), true)).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        let create = options.mode == CopyMode::Create;
        let (source, target) = (self.0.locate(from)?, self.0.locate(to)?);
        let (from, to) = (from.clone(), to.clone());
        self.blocking(move |folder| folder.copy(&source, &target, create).map_err(|e| named_by_kind(&from, &to, e)))
            .await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        if options.target_mode == RenameTargetMode::Create {
            let copy = CopyOptions { mode: CopyMode::Create, extensions: options.extensions };
            self.copy_opts(from, to, copy).await?;
            let (path, from) = (self.0.locate(from)?, from.clone());
            return self.blocking(move |folder| folder.delete(&path).map_err(|e| failed(&from, e))).await;
        }
        let (source, target) = (self.0.locate(from)?, self.0.locate(to)?);
        let (from, to) = (from.clone(), to.clone());
        self.blocking(move |folder| folder.move_to(&source, &target).map_err(|e| named_by_kind(&from, &to, e))).await
    }
}

/// An object that is missing is the source, one that is in the way the target.
fn named_by_kind(from: &Path, to: &Path, error: io::Error) -> Error {
    if error.kind() == io::ErrorKind::NotFound { failed(from, error) } else { failed(to, error) }
}

#[cfg(test)]
mod tests;
