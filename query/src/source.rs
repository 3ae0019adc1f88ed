//! What a query reads from: one snapshot of the store, behind a seam that tests can fill by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::Arc;

use arrow::array::RecordBatch;
use futures::{StreamExt, TryStreamExt};
use model::{Error, NativeHistogram};
use object_store::ObjectStore;
use object_store::path::Path;
use parquet::file::metadata::ParquetMetaData;
use storage::block::Block;
use storage::block::filters::{FilterKind, Filters};
use storage::block::page::{PageRows, SamplePage};
use storage::snapshot::{HeadColumns, HeadRows};
use storage::{Resolved, Selection, SeriesInfo, Snapshot, Table};

/// How many footers are fetched at the same time.
const FOOTERS_AT_ONCE: usize = 16;

/// One snapshot, held for the length of one query.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// A snapshot of a store.
    Snapshot(Snapshot),
    /// Blocks and rows that a test made by hand.
    #[cfg(test)]
    Fixture(Arc<crate::fixture::Fixture>),
}

impl Source {
    /// See [`Snapshot::resolve`].
    pub(crate) async fn resolve(&self, selection: &Selection) -> Result<Resolved, Error> {
        match self {
            Source::Snapshot(snapshot) => snapshot.resolve(selection).await,
            #[cfg(test)]
            Source::Fixture(fixture) => Ok(fixture.resolve(selection)),
        }
    }

    /// See [`Snapshot::label_names`].
    pub(crate) async fn label_names(&self, selection: &Selection) -> Result<BTreeSet<String>, Error> {
        match self {
            Source::Snapshot(snapshot) => snapshot.label_names(selection).await,
            #[cfg(test)]
            Source::Fixture(fixture) => Ok(fixture.label_names(selection)),
        }
    }

    /// See [`Snapshot::label_values`].
    pub(crate) async fn label_values(&self, name: &str, selection: &Selection) -> Result<BTreeSet<String>, Error> {
        match self {
            Source::Snapshot(snapshot) => snapshot.label_values(name, selection).await,
            #[cfg(test)]
            Source::Fixture(fixture) => Ok(fixture.label_values(name, selection)),
        }
    }

    /// See [`Snapshot::blocks`].
    pub(crate) fn blocks(&self, table: Table) -> Vec<Arc<Block>> {
        match self {
            Source::Snapshot(snapshot) => snapshot.blocks(table),
            #[cfg(test)]
            Source::Fixture(fixture) => fixture.blocks(table),
        }
    }

    /// See [`Snapshot::head_series`].
    pub(crate) fn head_series(&self, selection: &Selection) -> Resolved {
        match self {
            Source::Snapshot(snapshot) => snapshot.head_series(selection),
            #[cfg(test)]
            Source::Fixture(fixture) => fixture.resolve(selection),
        }
    }

    /// See [`Snapshot::head_samples`].
    pub(crate) fn head_samples(
        &self,
        series: &[Arc<SeriesInfo>],
        time_ms: RangeInclusive<i64>,
        reserve: &mut dyn FnMut(usize) -> Result<(), Error>,
    ) -> Result<Vec<HeadRows>, Error> {
        match self {
            Source::Snapshot(snapshot) => snapshot.head_samples(series, time_ms, reserve),
            #[cfg(test)]
            Source::Fixture(fixture) => fixture.head_samples(series, &time_ms, reserve),
        }
    }

    /// See [`Snapshot::head_histograms`].
    pub(crate) fn head_histograms(
        &self,
        series: &[Arc<SeriesInfo>],
        time_ms: RangeInclusive<i64>,
    ) -> Vec<(usize, Vec<(i64, NativeHistogram)>)> {
        match self {
            Source::Snapshot(snapshot) => snapshot.head_histograms(series, time_ms),
            #[cfg(test)]
            Source::Fixture(_) => Vec::new(),
        }
    }

    /// See [`Snapshot::head_rows`].
    pub(crate) async fn head_rows(&self, table: Table) -> Result<Vec<RecordBatch>, Error> {
        match self {
            Source::Snapshot(snapshot) => snapshot.head_rows(table).await,
            #[cfg(test)]
            Source::Fixture(fixture) => Ok(fixture.head_rows(table)),
        }
    }

    /// See [`Snapshot::head_columns`].
    pub(crate) fn head_columns(&self, table: Table) -> Vec<HeadColumns> {
        match self {
            Source::Snapshot(snapshot) => snapshot.head_columns(table),
            #[cfg(test)]
            Source::Fixture(_) => Vec::new(),
        }
    }

    /// See [`Snapshot::last_samples`].
    pub(crate) fn last_samples(&self) -> BTreeMap<Arc<str>, i64> {
        match self {
            Source::Snapshot(snapshot) => snapshot.last_samples(),
            #[cfg(test)]
            Source::Fixture(fixture) => fixture.last_samples(),
        }
    }

    /// See [`Snapshot::object_store`].
    pub(crate) fn object_store(&self, table: Table) -> (Arc<dyn ObjectStore>, Path) {
        match self {
            Source::Snapshot(snapshot) => snapshot.object_store(table),
            #[cfg(test)]
            Source::Fixture(fixture) => fixture.object_store(table),
        }
    }

    /// Blocks with their footers, several fetched at a time.
    ///
    /// # Errors
    /// Those of [`Snapshot::footer`].
    pub(crate) async fn with_footers(
        &self,
        table: Table,
        blocks: impl IntoIterator<Item = Arc<Block>>,
    ) -> Result<Vec<(Arc<Block>, Arc<ParquetMetaData>)>, Error> {
        let fetch = |block: Arc<Block>| async move {
            let footer = self.footer(table, &block).await?;
            Ok((block, footer))
        };
        futures::stream::iter(blocks).map(fetch).buffered(FOOTERS_AT_ONCE).try_collect().await
    }

    /// See [`Snapshot::sample_pages`].
    pub(crate) async fn sample_pages(
        &self,
        block: &Arc<Block>,
        footer: &Arc<ParquetMetaData>,
        pages: &[PageRows],
    ) -> Result<Vec<Arc<SamplePage>>, Error> {
        match self {
            Source::Snapshot(snapshot) => snapshot.sample_pages(block, footer, pages).await,
            #[cfg(test)]
            Source::Fixture(fixture) => fixture.sample_pages(block, footer, pages).await,
        }
    }

    /// See [`Snapshot::filters`].
    pub(crate) async fn filters(
        &self,
        table: Table,
        block: &Block,
        footer: &ParquetMetaData,
        kind: FilterKind,
    ) -> Result<Arc<Option<Filters>>, Error> {
        match self {
            Source::Snapshot(snapshot) => snapshot.filters(table, block, footer, kind).await,
            #[cfg(test)]
            Source::Fixture(_) => Ok(Arc::new(None)),
        }
    }

    /// See [`Snapshot::footer`].
    async fn footer(&self, table: Table, block: &Block) -> Result<Arc<ParquetMetaData>, Error> {
        match self {
            Source::Snapshot(snapshot) => snapshot.footer(table, block).await,
            #[cfg(test)]
            Source::Fixture(fixture) => fixture.footer(table, block).await,
        }
    }
}
