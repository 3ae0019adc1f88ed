//! What is in blocks at one moment, live in the tables or staged: the immutable half of a snapshot.

use crate::delta::Live;
use crate::tables::Table;

/// The live and staged blocks of all tables, and the cut they reach up to.
#[derive(Debug)]
pub(crate) struct View {
    /// Rows frozen by cuts up to this one are in blocks.
    pub(crate) cut: u64,
    /// By table, in the order of [`Table::ALL`].
    pub(crate) live: Vec<Live>,
    /// How many of them are staged and in no table yet, and how many bytes these take.
    pub(crate) staged_blocks: usize,
    /// See `staged_blocks`.
    pub(crate) staged_bytes: u64,
}

impl View {
    pub(crate) fn of(&self, table: Table) -> &Live {
        &self.live[table.place()]
    }
}
