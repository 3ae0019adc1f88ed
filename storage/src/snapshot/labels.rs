//! Names and values of labels, answered by the indexes alone: no series is put together for them.

use std::collections::BTreeSet;
use std::pin::pin;

use futures::TryStreamExt;
use model::Error;
use model::time::Date;
use roaring::RoaringBitmap;

use super::{Snapshot, clamp};
use crate::index::{LivePostings, SeriesBlock};
use crate::matcher::Selection;
use crate::tables::Table;

/// The index of some series, and those of them that are selected; `None` for all.
enum Indexed<'a> {
    Block(&'a SeriesBlock, Option<RoaringBitmap>),
    Head(&'a LivePostings, Option<RoaringBitmap>),
}

impl Snapshot {
    /// The names of the labels that the selected series have, in order; `__name__` and `cluster` among them.
    ///
    /// # Errors
    /// As [`Snapshot::resolve`].
    pub async fn label_names(&self, selection: &Selection) -> Result<BTreeSet<String>, Error> {
        let mut names = BTreeSet::new();
        self.each_index(selection, |index| {
            names.extend(match index {
                Indexed::Block(block, among) => block.label_names(among.as_ref()),
                Indexed::Head(head, among) => head.label_names(among.as_ref()),
            });
        })
        .await?;
        Ok(names)
    }

    /// The values of a label that the selected series have, in order.
    ///
    /// # Errors
    /// As [`Snapshot::resolve`].
    pub async fn label_values(&self, name: &str, selection: &Selection) -> Result<BTreeSet<String>, Error> {
        let mut values = BTreeSet::new();
        self.each_index(selection, |index| {
            values.extend(match index {
                Indexed::Block(block, among) => block.label_values(name, among.as_ref()),
                Indexed::Head(head, among) => head.label_values(name, among.as_ref()),
            });
        })
        .await?;
        Ok(values)
    }

    async fn each_index(&self, selection: &Selection, mut visit: impl FnMut(Indexed<'_>)) -> Result<(), Error> {
        let time_ms = clamp(&selection.time_ms);
        let matchers = &selection.matchers;
        // The head first: series that a cut moves while we look are then in both rather than in none.
        self.inner.head.each_postings(&time_ms, self.view.cut, self.newest_ms(), |postings, visible| {
            let among = match (matchers.is_empty(), visible) {
                (true, visible) => visible,
                (false, None) => Some(postings.select(matchers)),
                (false, Some(visible)) => Some(postings.select(matchers) & visible),
            };
            visit(Indexed::Head(postings, among));
        });
        let dates = Date::of_ms(*time_ms.start())..=Date::of_ms(*time_ms.end());
        let mut blocks = pin!(self.series_blocks(dates));
        while let Some(series) = blocks.try_next().await? {
            let among = (!matchers.is_empty()).then(|| series.select(matchers));
            visit(Indexed::Block(&series, among));
        }
        Ok(())
    }

    /// Where the newest window ends that is in blocks, in milliseconds.
    fn newest_ms(&self) -> i64 {
        let ends = self.view.of(Table::Samples).iter().filter_map(|block| block.window_ms.map(|(_, end)| end));
        ends.max().unwrap_or(i64::MIN)
    }
}
