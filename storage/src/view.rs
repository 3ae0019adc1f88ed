//! What is live in the tables at one moment: the committed half of a snapshot.

use crate::delta::Live;
use crate::tables::Table;

/// The live blocks of all tables, and the cut they reach up to.
#[derive(Debug)]
pub(crate) struct View {
    /// Rows frozen by cuts up to this one are in blocks.
    pub(crate) cut: u64,
    /// By table, in the order of [`Table::ALL`].
    pub(crate) live: Vec<Live>,
}

impl View {
    pub(crate) fn of(&self, table: Table) -> &Live {
        let place = Table::ALL.iter().position(|t| *t == table).unwrap_or_default();
        &self.live[place]
    }
}
