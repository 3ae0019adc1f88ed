//! The manifest of a staged cut: which staged files are to become which blocks, and by which commits.
//!
//! Owns: the bytes and the name of the file (docs/formats/staged.md).
//! Does not own: the files it speaks of, the commits themselves (`delta`).

use journal::Position;
use model::{Error, ErrorKind};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::delta::Change;
use crate::tables::Table;

/// The version of the bytes.
const VERSION: u32 = 1;
/// What the name of a manifest ends with; the staged files end with `.parquet`.
const SUFFIX: &str = ".json";

/// What a manifest says.
#[derive(Debug)]
pub(crate) struct Manifest {
    /// The name of the file. No two cuts share one, even where the journal took nothing between them.
    pub(crate) name: String,
    /// The journal that the rows came through.
    pub(crate) journal: Uuid,
    /// Every row of these tables that the journal has below this position is in these blocks, in earlier ones, or carried
    /// above it.
    pub(crate) position: Position,
    /// The commits in their order, one a table.
    pub(crate) changes: Vec<(Table, Change)>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    version: u32,
    journal: String,
    position: u64,
    changes: Vec<WrittenChange>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenChange {
    table: String,
    actions: Value,
}

impl Manifest {
    /// The manifest of the cut with this id. Names of one journal sort by position.
    pub(crate) fn new(cut: Uuid, journal: Uuid, position: Position, changes: Vec<(Table, Change)>) -> Self {
        let name = format!("{}-{:020}-{}{SUFFIX}", journal.simple(), position.0, cut.simple());
        Manifest { name, journal, position, changes }
    }

    /// Whether a file of the staging folder is a manifest.
    pub(crate) fn is_name(name: &str) -> bool {
        name.ends_with(SUFFIX)
    }

    /// The bytes of the file.
    ///
    /// # Errors
    /// `Internal` if a change has no JSON.
    pub(crate) fn encode(&self) -> Result<Vec<u8>, Error> {
        let mut changes = Vec::new();
        for (table, change) in &self.changes {
            changes.push(WrittenChange { table: table.name().to_owned(), actions: change.to_json(*table)? });
        }
        let (journal, position) = (self.journal.to_string(), self.position.0);
        serde_json::to_vec(&Written { version: VERSION, journal, position, changes })
            .map_err(|e| Error::internal("a manifest cannot be written as json").with_source(e))
    }

    /// Reads the bytes of the file of this name.
    ///
    /// # Errors
    /// `Corrupt` if they are not a manifest of this version.
    pub(crate) fn decode(name: &str, bytes: &[u8]) -> Result<Self, Error> {
        let damaged = |what: String| Error::new(ErrorKind::Corrupt, what);
        let written: Written = serde_json::from_slice(bytes).map_err(|e| damaged(e.to_string()))?;
        if written.version != VERSION {
            return Err(damaged(format!("it has version {}, this program reads version {VERSION}", written.version)));
        }
        let journal = Uuid::try_parse(&written.journal).map_err(|e| damaged(format!("its journal: {e}")))?;
        let mut changes = Vec::new();
        for WrittenChange { table: name, actions } in written.changes {
            let table = Table::ALL.into_iter().find(|table| table.name() == name);
            let table = table.ok_or_else(|| damaged(format!("there is no table {name:?}")))?;
            changes.push((table, Change::from_json(table, actions)?));
        }
        Ok(Manifest { name: name.to_owned(), journal, position: Position(written.position), changes })
    }
}
