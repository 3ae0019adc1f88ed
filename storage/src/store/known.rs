//! What a sender's memo holds: the series of its last batch.
//!
//! Most batches of a source have the series of the one before, in the same order. They are told by their hashes, which lie
//! side by side; the series themselves, spread over all memory, are not touched.

use std::any::Any;
use std::sync::{Arc, Weak};

use model::Batch;
use model::batch::{Kind, Memo, RawSeries};

use crate::head::Head;
use crate::rows::SeriesList;
use crate::series::Series;

/// The series of one batch. As long as a sender holds them they stay in memory, idle or not.
#[derive(Debug)]
pub(super) struct Known {
    /// Whose series they are.
    head: Weak<Head>,
    /// What they were found by, in the order of the batch.
    hashes: Vec<u128>,
    kinds: Vec<Kind>,
    series: SeriesList,
}

impl Known {
    /// What the memo of a batch holds for this head.
    pub(super) fn of(batch: &Batch, head: &Arc<Head>) -> Option<Arc<Self>> {
        let known: Arc<Self> = batch.memo.as_ref()?.get()?;
        (known.head.as_ptr() == Arc::as_ptr(head)).then_some(known)
    }

    /// All series, if the batch has just these.
    pub(super) fn all(&self, batch: &Batch, salt: u128) -> Option<SeriesList> {
        let is_same = |(raw, (hash, kind)): (&RawSeries, (&u128, &Kind))| raw.hash ^ salt == *hash && raw.kind == *kind;
        let same_len = batch.series.len() == self.hashes.len();
        let mut pairs = batch.series.iter().zip(self.hashes.iter().zip(&self.kinds));
        (same_len && pairs.all(is_same)).then(|| self.series.clone())
    }

    /// Leaves the series of a batch in its memo, for the next one.
    pub(super) fn remember(memo: &Memo, batch: &Batch, salt: u128, head: &Arc<Head>, series: &SeriesList) {
        let hashes = batch.series.iter().map(|raw| raw.hash ^ salt).collect();
        let kinds = batch.series.iter().map(|raw| raw.kind).collect();
        let known = Known { head: Arc::downgrade(head), hashes, kinds, series: series.clone() };
        memo.set(Arc::new(known) as Arc<dyn Any + Send + Sync>);
    }

    /// Goes through the series beside those of a batch that has other ones too.
    pub(super) fn walk(&self) -> Walk<'_> {
        Walk { known: self, next: 0 }
    }
}

/// A walk through the series of the last batch beside those of the next.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    known: &'a Known,
    next: usize,
}

impl Walk<'_> {
    /// The series with this hash, if it is the next one, or the one after a single series that is gone.
    pub(super) fn find(&mut self, hash: u128) -> Option<&Arc<Series>> {
        let next = self.known.hashes.get(self.next..)?.iter().take(2).position(|known| *known == hash)?;
        self.next += next + 1;
        self.known.series.get(self.next - 1)
    }
}

#[cfg(test)]
mod tests;
