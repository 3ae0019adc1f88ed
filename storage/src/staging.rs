//! Staged blocks in front of the bucket: a block can be read from the moment it is durable on the local disk.
//!
//! Owns: the staging folder as an object store, which object is still there, reading it from there.
//! Does not own: which blocks are staged and when they are uploaded (`cut::staged`).

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::ops::Range;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use model::files::FilesRef;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use parking_lot::RwLock;

use crate::durable::DurableLocal;

/// The staging folder, and the bucket behind it. As an object store it reads a staged block from the folder and
/// everything else from the bucket; what is written goes to the bucket.
#[derive(Debug)]
pub(crate) struct Staging {
    bucket: Arc<dyn ObjectStore>,
    files: FilesRef,
    path: PathBuf,
    folder: DurableLocal,
    /// The file in the folder, by the object it is to become.
    staged: RwLock<HashMap<Path, Path>>,
}

impl fmt::Display for Staging {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Staging({}, {})", self.path.display(), self.bucket)
    }
}

impl Staging {
    /// Opens the staging folder at `path`, making it if it is not there. Blocks the calling thread.
    ///
    /// # Errors
    /// The operating system's.
    pub(crate) fn open(bucket: Arc<dyn ObjectStore>, files: FilesRef, path: PathBuf) -> io::Result<Self> {
        model::files::create_dirs(&*files, &path)?;
        let folder = DurableLocal::open(files.clone(), &path)?;
        Ok(Staging { bucket, files, path, folder, staged: RwLock::default() })
    }

    /// Where blocks are uploaded to.
    pub(crate) fn bucket(&self) -> &Arc<dyn ObjectStore> {
        &self.bucket
    }

    /// The staging folder as an object store: what is put there is durable.
    pub(crate) fn folder(&self) -> &DurableLocal {
        &self.folder
    }

    /// Where the staging folder is.
    pub(crate) fn path(&self) -> &FilePath {
        &self.path
    }

    /// Reads `object` from the file of this name until [`Staging::remove`].
    pub(crate) fn insert(&self, object: Path, file: Path) {
        self.staged.write().insert(object, file);
    }

    /// The object is in the bucket. Whoever still reads the file goes on reading there.
    pub(crate) fn remove(&self, object: &Path) {
        self.staged.write().remove(object);
    }

    /// Removes files of the folder, in this order; what cannot be removed is left to the next opening. Blocking.
    pub(crate) fn clear(&self, names: &[String]) {
        for name in names {
            match self.files.remove(&self.path.join(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    tracing::warn!(file = name, %error, "cannot remove a staged file");
                }
                _ => {}
            }
        }
    }
}

#[async_trait]
impl ObjectStore for Staging {
    async fn put_opts(&self, location: &Path, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        self.bucket.put_opts(location, payload, opts).await
    }

    async fn put_multipart_opts(&self, location: &Path, opts: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        self.bucket.put_multipart_opts(location, opts).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let staged = self.staged.read().get(location).cloned();
        if let Some(file) = staged {
            match self.folder.get_opts(&file, options.clone()).await {
                Ok(mut found) => {
                    found.meta.location = location.clone();
                    return Ok(found);
                }
                // Uploaded and removed between the look at the map and the look at the folder.
                Err(Error::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        self.bucket.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let staged = self.staged.read().get(location).cloned();
        if let Some(file) = staged {
            match self.folder.get_ranges(&file, ranges).await {
                // As above.
                Err(Error::NotFound { .. }) => {}
                found => return found,
            }
        }
        self.bucket.get_ranges(location, ranges).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.bucket.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.bucket.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.bucket.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.bucket.copy_opts(from, to, options).await
    }
}

#[cfg(test)]
mod tests;
