//! What a damaged journal could not give back, told by cluster and time.

use journal::{Damage, Position};

use crate::record::Summary;

/// The rows that are lost, as far as the tags of their records tell. Rows that are in blocks are not lost.
#[derive(Debug)]
pub(super) struct Loss {
    /// Every row below is in blocks.
    committed: Position,
    rows: Summary,
    /// Records whose tags are lost too.
    untold: u64,
}

impl Loss {
    pub(super) fn new(committed: Position) -> Self {
        Loss { committed, rows: Summary::default(), untold: 0 }
    }

    /// A record that cannot be used, with its tag.
    pub(super) fn record(&mut self, position: Position, tag: &[u8]) {
        if position >= self.committed {
            for (cluster, (rows, time_ms)) in Summary::read(tag).clusters {
                self.rows.add(&cluster, rows, time_ms);
            }
        }
    }

    /// Records that the journal could not read.
    pub(super) fn damage(&mut self, damage: &Damage) {
        tracing::error!(%damage, "the journal is damaged");
        for (position, tag) in &damage.tags {
            self.record(*position, tag);
        }
        if let (Some(first), Some(last)) = (damage.first, damage.last) {
            let known = damage.tags.iter().filter(|(position, _)| *position >= self.committed).count() as u64;
            let lost = (last.0 + 1).saturating_sub(first.max(self.committed).0);
            self.untold += lost.saturating_sub(known);
        }
    }

    /// Says it in the log.
    pub(super) fn tell(&self) {
        for (cluster, (rows, time_ms)) in &self.rows.clusters {
            let (from_ms, to_ms) = (time_ms.start(), time_ms.end());
            tracing::error!(cluster, rows, from_ms, to_ms, "rows are lost");
        }
        if self.untold > 0 {
            let records = self.untold;
            tracing::error!(records, "records are lost of which nothing can be told, each is one request or one fetch");
        }
    }
}
