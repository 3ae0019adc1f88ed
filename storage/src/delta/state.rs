//! What a table is at one version: live blocks, positions of journals, tombstones.
//!
//! Owns: what an action does to a table; the set of live blocks that snapshots share.
//! Does not own: where actions come from.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use model::Error;
use model::time::Date;

use super::action::{LAST_SAMPLES, Line, MetaData, Protocol, decode_path};
use crate::Table;
use crate::block::{Block, LastSamples};

/// The live blocks of one version. Cloning is one pointer; a commit copies only the dates it touches.
#[derive(Debug, Clone, Default)]
pub struct Live(Arc<BTreeMap<Date, Arc<Vec<Arc<Block>>>>>);

impl Live {
    /// All blocks, ordered by date and window (a late block stands at its oldest row).
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Block>> {
        self.0.values().flat_map(|blocks| blocks.iter())
    }

    /// The blocks of a range of dates, in the same order.
    pub fn dates(&self, dates: impl std::ops::RangeBounds<Date>) -> impl Iterator<Item = &Arc<Block>> {
        self.0.range(dates).flat_map(|(_, blocks)| blocks.iter())
    }

    /// These and more blocks, none of them among these.
    pub(crate) fn with(mut self, blocks: impl IntoIterator<Item = Arc<Block>>) -> Self {
        blocks.into_iter().for_each(|block| self.insert(block));
        self
    }

    /// The number of blocks.
    pub fn len(&self) -> usize {
        self.0.values().map(|blocks| blocks.len()).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn insert(&mut self, block: Arc<Block>) {
        let blocks = Arc::make_mut(Arc::make_mut(&mut self.0).entry(block.date).or_default());
        let at = blocks.partition_point(|there| place(there) < place(&block));
        blocks.insert(at, block);
    }

    fn remove(&mut self, block: &Block) {
        let dates = Arc::make_mut(&mut self.0);
        let Some(blocks) = dates.get_mut(&block.date) else { return };
        let at = blocks.partition_point(|there| place(there) < place(block));
        if blocks.get(at).is_some_and(|there| there.path == block.path) {
            Arc::make_mut(blocks).remove(at);
        }
        if blocks.is_empty() {
            dates.remove(&block.date);
        }
    }
}

/// Where a block stands among those of its date.
fn place(block: &Block) -> (i64, &str) {
    (block.window_ms.map_or(block.min_time_ms, |(start, _)| start), &block.path)
}

/// A live block.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) block: Arc<Block>,
    /// Its path as the log has it, which another program may have encoded in its own way.
    pub(super) logged: String,
}

/// A table at one version.
#[derive(Debug, Clone)]
pub(super) struct State {
    table: Table,
    /// −1 before the first commit.
    pub(super) version: i64,
    pub(super) live: Live,
    paths: HashMap<String, Entry>,
    /// The last version of each application: for us, the position of each journal.
    pub(super) txns: BTreeMap<String, i64>,
    /// Files that went out, and when, in milliseconds. Not shared with snapshots.
    pub(super) tombstones: BTreeMap<String, i64>,
    /// The newest sample of each cluster that a block has told of.
    pub(super) last_samples: LastSamples,
    pub(super) protocol: Option<Protocol>,
    pub(super) metadata: Option<MetaData>,
}

impl State {
    /// A table without a commit.
    pub(super) fn new(table: Table) -> Self {
        State {
            table,
            version: -1,
            live: Live::default(),
            paths: HashMap::new(),
            txns: BTreeMap::new(),
            tombstones: BTreeMap::new(),
            last_samples: LastSamples::default(),
            protocol: None,
            metadata: None,
        }
    }

    /// The live block of this path.
    pub(super) fn find(&self, path: &str) -> Option<&Entry> {
        self.paths.get(path)
    }

    /// Takes in the actions of version `version`; `generation` is that of files that name none.
    ///
    /// # Errors
    /// `Corrupt` if an action cannot be read; then the table must be opened again.
    pub(super) fn apply(&mut self, version: i64, generation: i64, lines: &[Line]) -> Result<(), Error> {
        // Removes first: a commit may write a file anew that it takes out, never the other way round.
        for remove in lines.iter().filter_map(|line| line.remove.as_ref()) {
            let path = decode_path(&remove.path)?;
            if let Some(entry) = self.paths.remove(&path) {
                self.live.remove(&entry.block);
            }
            self.tombstones.insert(path, remove.deletion_timestamp.unwrap_or(0));
        }
        for add in lines.iter().filter_map(|line| line.add.as_ref()) {
            let block = Arc::new(add.block(self.table, generation)?);
            let entry = Entry { block: block.clone(), logged: add.path.clone() };
            if let Some(old) = self.paths.insert(block.path.clone(), entry) {
                self.live.remove(&old.block);
            }
            self.tombstones.remove(&block.path);
            if let Some(tag) = add.tag(LAST_SAMPLES) {
                self.last_samples.take_in(tag);
            }
            self.live.insert(block);
        }
        for line in lines {
            if let Some(txn) = &line.txn {
                self.txns.insert(txn.app_id.clone(), txn.version);
            }
            if let Some(protocol) = &line.protocol {
                self.protocol = Some(protocol.clone());
            }
            if let Some(metadata) = &line.meta_data {
                self.metadata = Some(metadata.clone());
            }
        }
        self.version = version;
        Ok(())
    }
}
