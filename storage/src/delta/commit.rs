//! One change of a table as a commit, and what another's commit means to it.
//!
//! Owns: the actions of a change, telling our own commit from another's, conflicts.
//! Does not own: writing and retrying (`delta`).

use std::collections::BTreeSet;

use model::{Error, ErrorKind};
use serde_json::json;
use uuid::Uuid;

use super::action::{CommitInfo, Line, NewBlock, Remove, SetTransaction, decode_path, partition};
use super::state::State;
use crate::Table;

/// How far a journal's rows are in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Txn {
    /// The UUID of the journal.
    pub app_id: Uuid,
    /// Every row below this position is in the table.
    pub position: i64,
}

/// What a commit is to do. Keep it to try again after an error: it knows its own commit if that came through after all.
#[derive(Debug, Clone)]
pub struct Change {
    pub(super) id: Uuid,
    /// Files that come in.
    pub adds: Vec<NewBlock>,
    /// Paths of live blocks that go out.
    pub removes: Vec<String>,
    /// The journal whose rows the files hold, and how far.
    pub txn: Option<Txn>,
    /// Whether the table's rows change; not so when files are merged.
    pub data_change: bool,
}

impl Change {
    /// Brings in blocks of a journal.
    pub fn add(adds: Vec<NewBlock>, txn: Option<Txn>) -> Self {
        Change { id: Uuid::new_v4(), adds, removes: Vec::new(), txn, data_change: true }
    }

    /// Takes out blocks with their rows.
    pub fn remove(removes: Vec<String>) -> Self {
        Change { id: Uuid::new_v4(), adds: Vec::new(), removes, txn: None, data_change: true }
    }

    /// Puts blocks in the place of others that hold the same rows: what compaction will commit.
    pub fn rewrite(removes: Vec<String>, adds: Vec<NewBlock>) -> Self {
        Change { id: Uuid::new_v4(), adds, removes, txn: None, data_change: false }
    }

    fn operation(&self) -> &'static str {
        match (self.data_change, self.adds.is_empty()) {
            (false, _) => "OPTIMIZE",
            (true, true) if !self.removes.is_empty() => "DELETE",
            (true, _) => "WRITE",
        }
    }

    /// The actions that make version `version` of this change.
    ///
    /// # Errors
    /// `Conflict` if a file to remove is not live.
    pub(super) fn lines(&self, table: Table, state: &State, version: i64, now_ms: i64) -> Result<Vec<Line>, Error> {
        let info = CommitInfo::new(self.operation(), json!({ "mode": "Append" }), self.id, now_ms);
        let mut lines = vec![Line { commit_info: Some(info), ..Line::default() }];
        if let Some(txn) = &self.txn {
            let action =
                SetTransaction { app_id: txn.app_id.to_string(), version: txn.position, last_updated: Some(now_ms) };
            lines.push(Line { txn: Some(action), ..Line::default() });
        }
        for path in &self.removes {
            let entry = state.find(path).ok_or_else(|| gone(path))?;
            let remove = Remove {
                path: entry.logged.clone(),
                deletion_timestamp: Some(now_ms),
                data_change: self.data_change,
                extended_file_metadata: Some(true),
                partition_values: Some(partition(entry.block.date)),
                size: Some(entry.block.size_bytes as i64),
            };
            lines.push(Line { remove: Some(remove), ..Line::default() });
        }
        for block in &self.adds {
            lines.push(Line { add: Some(block.add(table, version, now_ms, self.data_change)), ..Line::default() });
        }
        Ok(lines)
    }

    /// Whether the table is such that this change makes sense.
    ///
    /// # Errors
    /// `Conflict` if a file to remove is not live or the journal is already further, `Internal` if a file to add is
    /// live already or its name is none.
    pub(super) fn check(&self, state: &State) -> Result<(), Error> {
        if let Some(path) = self.removes.iter().find(|path| state.find(path).is_none()) {
            return Err(gone(path));
        }
        let mut paths = BTreeSet::new();
        for path in self.adds.iter().map(|add| &add.block.path) {
            let plain = decode_path(path).is_ok_and(|decoded| decoded == *path);
            if !plain || state.find(path).is_some() || !paths.insert(path) {
                return Err(Error::internal(format!(
                    "a block cannot be committed as {path:?}: taken, or not a plain path"
                )));
            }
        }
        match self.txn {
            Some(txn) => match state.txns.get(&txn.app_id.to_string()) {
                Some(there) if *there > txn.position => Err(overtaken(txn, *there)),
                _ => Ok(()),
            },
            None => Ok(()),
        }
    }

    /// Whether the table has this very change already: it came through although we were told that it had not, and was
    /// taken in since.
    pub(super) fn is_done(&self, state: &State) -> bool {
        let live = |add: &NewBlock| state.find(&add.block.path).is_some();
        let counted = |txn: Txn| state.txns.get(&txn.app_id.to_string()) == Some(&txn.position);
        !self.adds.is_empty() && self.adds.iter().all(live) && self.txn.is_some_and(counted)
    }

    /// Whether another's commit, or what we took for one, is this very change.
    pub(super) fn is_in(&self, commit: &[Line]) -> bool {
        let id = self.id.to_string();
        commit.iter().any(|line| line.commit_info.as_ref().is_some_and(|info| info.txn_id.as_ref() == Some(&id)))
    }

    /// Whether this change may still follow on another's commit, which the table has taken in already.
    ///
    /// # Errors
    /// `Conflict` if that commit changed the schema, or brought in rows of our journal.
    pub(super) fn check_after(&self, version: i64, commit: &[Line]) -> Result<(), Error> {
        if commit.iter().any(|line| line.meta_data.is_some() || line.protocol.is_some()) {
            let message =
                format!("another writer changed schema or protocol in version {version}, open the table again");
            return Err(Error::new(ErrorKind::Conflict, message));
        }
        let Some(txn) = self.txn else { return Ok(()) };
        let app_id = txn.app_id.to_string();
        match commit.iter().filter_map(|line| line.txn.as_ref()).find(|action| action.app_id == app_id) {
            // Whatever the position: our rows begin where the last known position ends, so some are in both.
            Some(action) => Err(overtaken(txn, action.version)),
            None => Ok(()),
        }
    }
}

fn gone(path: &str) -> Error {
    Error::new(ErrorKind::Conflict, format!("block {path} is no longer live, another writer removed it"))
}

fn overtaken(txn: Txn, there: i64) -> Error {
    let message = format!(
        "rows of journal {} up to {there} were committed by another writer while we tried to commit up to {}; \
         is its folder open twice, or a copy of it?",
        txn.app_id, txn.position
    );
    Error::new(ErrorKind::Conflict, message)
}
