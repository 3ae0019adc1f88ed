//! An object that arrives in parts.
//!
//! Owns: one temporary file until it is complete or given up.
//! Does not own: the folder it lives in.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use futures::FutureExt;
use model::files::File;
use object_store::{MultipartUpload, PutPayload, PutResult, Result, UploadPart};
use uuid::Uuid;

use super::{Folder, TEMPORARY, done, generic};

/// An unfinished object. Dropped without [`MultipartUpload::complete`], it leaves nothing.
#[derive(Debug)]
pub(super) struct Upload {
    folder: Arc<Folder>,
    file: Arc<dyn File>,
    /// `None` once completed or given up.
    temporary: Option<PathBuf>,
    path: PathBuf,
    /// Where the next part begins: parts may finish in any order but lie in the order they were given.
    offset: u64,
    /// Bytes that were written; short of `offset` while a part is missing.
    written: Arc<AtomicU64>,
}

impl Upload {
    /// Makes the temporary file.
    pub(super) fn begin(folder: Arc<Folder>, path: PathBuf) -> io::Result<Self> {
        let temporary = folder.make_parent(&path)?.join(format!("{TEMPORARY}{}", Uuid::new_v4()));
        let file: Arc<dyn File> = folder.files.create(&temporary)?.into();
        Ok(Upload { folder, file, temporary: Some(temporary), path, offset: 0, written: Arc::default() })
    }

    fn remove(&mut self) -> io::Result<()> {
        match self.temporary.take() {
            Some(temporary) => self.folder.files.remove(&temporary),
            None => Ok(()),
        }
    }
}

#[async_trait]
impl MultipartUpload for Upload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let (file, written, mut offset) = (self.file.clone(), self.written.clone(), self.offset);
        self.offset += data.content_length() as u64;
        let write = move || {
            for bytes in &data {
                file.write_all_at(offset, bytes).map_err(generic)?;
                offset += bytes.len() as u64;
            }
            written.fetch_add(data.content_length() as u64, Ordering::SeqCst);
            Ok(())
        };
        async move { tokio::task::spawn_blocking(write).await? }.boxed()
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let Some(temporary) = self.temporary.take() else {
            return Err(generic("the upload was completed or given up before"));
        };
        let written = self.written.load(Ordering::SeqCst);
        if written != self.offset {
            self.temporary = Some(temporary);
            return Err(generic(format!("only {written} of {} bytes of the parts were written", self.offset)));
        }
        let (folder, file, path) = (self.folder.clone(), self.file.clone(), self.path.clone());
        tokio::task::spawn_blocking(move || {
            folder.or_remove(&temporary, file.sync()).map_err(generic)?;
            folder.replace(&temporary, &path).map_err(generic)
        })
        .await??;
        Ok(done())
    }

    async fn abort(&mut self) -> Result<()> {
        self.remove().map_err(generic)
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        // What cannot be removed now is removed at the next opening.
        let _ = self.remove();
    }
}
