//! `samples`, `histograms`, `series` and the smaller tables: the rows as they are kept, duplicates and staleness markers
//! included.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result;
use datafusion::common::ToDFSchema;
use datafusion::datasource::memory::{DataSourceExec, MemorySourceConfig};
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::union::UnionExec;
use storage::{Selection, Table};

use crate::error::external;
use crate::scan::head::{self, HeadExec};
use crate::scan::inputs::{file, store_url};
use crate::scan::reader::{BlockReaders, Footer};
use crate::source::Source;

/// All rows of one table of the store: those in blocks and those that are not yet.
#[derive(Debug)]
pub(crate) struct RawTable {
    source: Arc<Source>,
    table: Table,
    schema: SchemaRef,
}

impl RawTable {
    /// The rows of `table`.
    pub(crate) fn new(source: Arc<Source>, table: Table) -> Self {
        RawTable { source, table, schema: table.read_schema() }
    }

    async fn blocks(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let (store, folder) = self.source.object_store(self.table);
        let blocks = self.source.blocks(self.table);
        if blocks.is_empty() {
            return Ok(None);
        }
        let found = self.source.with_footers(self.table, blocks).await.map_err(external)?;
        let files = found.into_iter().map(|(block, footer)| file(&folder, &block, Footer(footer)));
        let files = files.collect::<Result<Vec<_>>>()?;
        let mut source = ParquetSource::new(Arc::clone(&self.schema))
            .with_parquet_file_reader_factory(Arc::new(BlockReaders::new(store)))
            .with_pushdown_filters(true)
            .with_reorder_filters(true);
        if let Some(filter) = conjunction(filters.to_vec()) {
            let schema = Arc::clone(&self.schema).to_dfschema()?;
            source = source.with_predicate(state.create_physical_expr(filter, &schema)?);
        }
        let groups = FileGroup::new(files).split_files(state.config().target_partitions().max(1));
        let config = FileScanConfigBuilder::new(store_url(self.table)?, Arc::new(source))
            .with_file_groups(groups)
            .with_projection_indices(projection.cloned())?
            .build();
        Ok(Some(DataSourceExec::from_data_source(config)))
    }

    async fn head(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        if self.table == Table::Samples {
            return self.head_samples(state, projection);
        }
        let batches = self.source.head_rows(self.table).await.map_err(external)?;
        if batches.is_empty() {
            return Ok(None);
        }
        let plan = MemorySourceConfig::try_new_exec(&[batches], Arc::clone(&self.schema), projection.cloned())?;
        Ok(Some(plan))
    }

    fn head_samples(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let everything = Selection::all();
        let series = self.source.head_series(&everything);
        let memory = &state.runtime_env().memory_pool;
        let (rows, held) = head::take(&self.source, &series.series, everything.time_ms, memory)?;
        if rows.is_empty() {
            return Ok(None);
        }
        Ok(Some(Arc::new(HeadExec::new(rows, self.projected(projection)?, held))))
    }

    fn projected(&self, projection: Option<&Vec<usize>>) -> Result<SchemaRef> {
        match projection {
            Some(columns) => Ok(Arc::new(self.schema.project(columns)?)),
            None => Ok(Arc::clone(&self.schema)),
        }
    }
}

#[async_trait]
impl TableProvider for RawTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        // Blocks prune and skip by these filters, rows not in a block do not: so each is checked again above.
        let answer = |filter: &&Expr| match filter.is_volatile() {
            true => TableProviderFilterPushDown::Unsupported,
            false => TableProviderFilterPushDown::Inexact,
        };
        Ok(filters.iter().map(answer).collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let inputs: Vec<_> = [self.blocks(state, projection, filters).await?, self.head(state, projection).await?]
            .into_iter()
            .flatten()
            .collect();
        match <[_; 1]>::try_from(inputs) {
            Ok([one]) => Ok(one),
            Err(none) if none.is_empty() => Ok(Arc::new(EmptyExec::new(self.projected(projection)?))),
            Err(several) => UnionExec::try_new(several),
        }
    }
}
