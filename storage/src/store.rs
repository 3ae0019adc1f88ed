//! The store: one place rows live in.

use std::sync::Arc;

use async_trait::async_trait;
use model::files::FilesRef;
use model::{Batch, Clock, Error, Ingest, Receipt};

use crate::{Config, Snapshot};

/// One place rows live in: bucket, journal, tables, budgets. A value, not a global; cloning shares it.
#[derive(Debug, Clone)]
pub struct Store(Arc<()>);

/// What a store stands on.
#[derive(Debug, Clone)]
pub struct Parts {
    /// The file layer.
    pub files: FilesRef,
    /// The present.
    pub clock: Arc<dyn Clock>,
}

impl Store {
    /// Opens a store, making it if it is not there, and replays its journal.
    ///
    /// # Errors
    /// `Corrupt` if the journal is damaged before its tail, `Unavailable` if folder or bucket cannot be reached.
    pub async fn open(_config: Config, _parts: Parts) -> Result<Self, Error> {
        Err(Error::internal("not yet"))
    }

    /// What a query sees: every acknowledged row once, from now on unmoved by cuts.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::default()
    }

    /// Cuts the head into blocks and commits them. Returns the number of rows that moved.
    ///
    /// # Errors
    /// `Unavailable` if the bucket is away; the rows stay safe and are tried again.
    pub async fn cut(&self) -> Result<u64, Error> {
        Err(Error::internal("not yet"))
    }

    /// Stops taking rows, cuts everything, stops the workers.
    ///
    /// # Errors
    /// As [`Store::cut`]; what could not be cut stays in the journal.
    pub async fn close(&self) -> Result<(), Error> {
        Err(Error::internal("not yet"))
    }
}

#[async_trait]
impl Ingest for Store {
    async fn write(&self, _batch: Batch) -> Result<Receipt, Error> {
        Err(Error::internal("not yet"))
    }
}
