//! What a sender's memo holds: the series of its last batch.
//!
//! Most batches of a source have the series of the one before, in the same order. They are told by their hashes, which lie
//! side by side; the series themselves, spread over all memory, are not touched. Series of senders with a memo are looked up
//! nowhere else by their hash.

use std::any::Any;
use std::hash::BuildHasherDefault;
use std::sync::{Arc, Weak};

use hashbrown::HashMap;
use model::Batch;
use model::batch::{Kind, Memo, RawSeries};

use crate::head::Head;
use crate::rows::SeriesList;
use crate::series::{AlreadyHashed, Series};

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

    /// Looks for the series of a batch that has other ones too.
    pub(super) fn walk(&self) -> Walk<'_> {
        Walk { known: self, next: 0, places: None }
    }
}

/// A walk through the series of the last batch beside those of the next.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    known: &'a Known,
    next: usize,
    /// Where each series is; made for the first that is not the next one.
    places: Option<HashMap<u128, usize, BuildHasherDefault<AlreadyHashed>>>,
}

impl Walk<'_> {
    /// The series with this hash.
    pub(super) fn find(&mut self, hash: u128) -> Option<&Arc<Series>> {
        let hashes = &self.known.hashes;
        let place = if hashes.get(self.next) == Some(&hash) {
            self.next
        } else {
            let places = || hashes.iter().enumerate().map(|(place, hash)| (*hash, place)).collect();
            *self.places.get_or_insert_with(places).get(&hash)?
        };
        self.next = place + 1;
        self.known.series.get(place)
    }
}

#[cfg(test)]
mod tests;
