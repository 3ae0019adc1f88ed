//! Reads blocks for DataFusion, with footers that are known already.
//!
//! Owns: handing cached footers to the Parquet source, counting the bytes that were read.
//! Does not own: the cache of footers (`storage`), which bytes are worth reading (`pages`).

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use datafusion::common::{DataFusionError, Result};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::ParquetFileReaderFactory;
use datafusion::datasource::physical_plan::parquet::ParquetFileMetrics;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures::future::BoxFuture;
use futures::{FutureExt, TryFutureExt};
use model::ErrorKind;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaData;

/// The footer of a file, attached to its [`PartitionedFile`].
#[derive(Debug)]
pub(crate) struct Footer(pub(crate) Arc<ParquetMetaData>);

/// Makes readers that never fetch a footer.
#[derive(Debug)]
pub(crate) struct BlockReaders {
    store: Arc<dyn ObjectStore>,
}

impl BlockReaders {
    /// Readers of the objects of `store`.
    pub(crate) fn new(store: Arc<dyn ObjectStore>) -> Self {
        BlockReaders { store }
    }
}

impl ParquetFileReaderFactory for BlockReaders {
    fn create_reader(
        &self,
        partition_index: usize,
        file: PartitionedFile,
        _metadata_size_hint: Option<usize>,
        metrics: &ExecutionPlanMetricsSet,
    ) -> Result<Box<dyn AsyncFileReader + Send>> {
        let path = file.object_meta.location.clone();
        let footer = file
            .extension::<Footer>()
            .ok_or_else(|| DataFusionError::Internal(format!("the footer of {path} was not read before its rows")))?;
        let metrics = ParquetFileMetrics::new(partition_index, path.as_ref(), metrics);
        Ok(Box::new(BlockReader { metrics, store: Arc::clone(&self.store), footer: Arc::clone(&footer.0), path }))
    }
}

/// Reads one block, whose footer is known.
pub(crate) struct BlockReader {
    pub(crate) metrics: ParquetFileMetrics,
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) footer: Arc<ParquetMetaData>,
    pub(crate) path: Path,
}

/// A store that does not give what it has is away, which says nothing of the block: see `error::from_datafusion`.
fn unavailable(path: &Path, error: object_store::Error) -> ParquetError {
    let error = model::Error::new(ErrorKind::Unavailable, format!("cannot read {path}")).with_source(error);
    ParquetError::External(Box::new(error))
}

impl AsyncFileReader for BlockReader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, parquet::errors::Result<Bytes>> {
        self.metrics.bytes_scanned.add((range.end - range.start) as usize);
        self.store.get_range(&self.path, range).map_err(|e| unavailable(&self.path, e)).boxed()
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> BoxFuture<'_, parquet::errors::Result<Vec<Bytes>>> {
        let bytes: u64 = ranges.iter().map(|range| range.end - range.start).sum();
        self.metrics.bytes_scanned.add(bytes as usize);
        async move { self.store.get_ranges(&self.path, &ranges).await.map_err(|e| unavailable(&self.path, e)) }.boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        _options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, parquet::errors::Result<Arc<ParquetMetaData>>> {
        futures::future::ready(Ok(Arc::clone(&self.footer))).boxed()
    }
}
