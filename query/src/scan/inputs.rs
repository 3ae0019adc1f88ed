//! Plan nodes that give flat sample rows: Parquet blocks, head rows, and merges of both.

use std::ops::RangeInclusive;
use std::sync::Arc;

use arrow::compute::SortOptions;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::{DataFusionError, Result, ScalarValue};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::memory::DataSourceExec;
use datafusion::datasource::object_store::ObjectStoreUrl;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::memory_pool::MemoryReservation;
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::expressions::{BinaryExpr, Column, Literal};
use datafusion::physical_expr::{LexOrdering, PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::union::UnionExec;
use model::ErrorKind;
use object_store::ObjectStore;
use object_store::path::Path;
use parquet::file::metadata::ParquetMetaData;
use storage::Table;
use storage::block::Block;
use storage::snapshot::HeadRows;

use super::head::HeadExec;
use super::latest::LatestRankExec;
use super::membership::Membership;
use super::overlap::Span;
use super::pages::Rows;
use super::reader::{BlockReaders, Footer};
use super::selected::{Key, SelectedSeries};
use crate::error::external;

/// The columns that say which sample a row is, in the order of the tables.
const KEY: [&str; 4] = ["name", "cluster", "series_id", "time_ms"];
/// The column that says which of two rows of one sample was written later.
const RANK: &str = "rank";
/// A part of a block smaller than this is not worth a task of its own.
const MIN_ROWS_PER_TASK: usize = 64 * 1024;

/// One block with the rows of it that may be wanted.
#[derive(Debug, Clone)]
pub(crate) struct SelectedBlock {
    /// The block.
    pub(crate) block: Arc<Block>,
    /// Its footer and page index.
    pub(crate) footer: Arc<ParquetMetaData>,
    /// The rows worth reading.
    pub(crate) rows: Rows,
}

/// A source of rows within a snapshot.
#[derive(Debug)]
pub(crate) enum Piece {
    /// Rows of a block.
    Block(SelectedBlock),
    /// Rows not in a block yet.
    Head(HeadRows),
}

impl Piece {
    /// The stretch of time it covers.
    pub(crate) fn span(&self) -> Span {
        match self {
            Piece::Block(selected) => Span {
                min_time_ms: selected.block.min_time_ms,
                max_time_ms: selected.block.max_time_ms,
                window_of: selected.block.window_ms.map(|_| selected.block.journal),
            },
            Piece::Head(head) => Span { min_time_ms: head.min_time_ms, max_time_ms: head.max_time_ms, window_of: None },
        }
    }
}

/// Makes plan nodes for the flat rows of one selection.
#[derive(Debug)]
pub(crate) struct FlatRows {
    /// The selected series.
    pub(crate) selected: Arc<SelectedSeries>,
    /// The selected range of time, in milliseconds.
    pub(crate) time_ms: RangeInclusive<i64>,
    /// The columns that are needed above.
    pub(crate) columns: Vec<&'static str>,
    /// Where the blocks are.
    pub(crate) store: Arc<dyn ObjectStore>,
    /// The folder of the table in the store.
    pub(crate) folder: Path,
    /// Into how many tasks a scan is split.
    pub(crate) partitions: usize,
    /// The memory of head rows that were taken.
    pub(crate) held: Arc<MemoryReservation>,
}

/// The address under which a table's object store is registered for one query.
pub(crate) fn store_url(table: Table) -> Result<ObjectStoreUrl> {
    ObjectStoreUrl::parse(format!("fleetscope://{}", table.name()))
}

/// A block as a file of DataFusion, with its footer attached.
pub(crate) fn file(folder: &Path, block: &Block, footer: Footer) -> Result<PartitionedFile> {
    let mut file = PartitionedFile::new("", block.size_bytes);
    file.object_meta.location = location(folder, &block.path)?;
    Ok(file.with_extension(footer))
}

/// Where a block is in the store, by its path below the folder of its table.
pub(crate) fn location(folder: &Path, path: &str) -> Result<Path> {
    let path = format!("{folder}/{path}");
    Path::parse(&path).map_err(|e| {
        let what = format!("the log names a file that no store can have, {path:?}");
        external(model::Error::new(ErrorKind::Corrupt, what).with_source(e))
    })
}

impl FlatRows {
    /// Whether every row of a block lies within the range of time.
    pub(crate) fn covers(&self, block: &Block) -> bool {
        self.time_ms.contains(&block.min_time_ms) && self.time_ms.contains(&block.max_time_ms)
    }

    /// Scans blocks that share no sample with each other, split into tasks of about equal rows.
    pub(crate) fn blocks(&self, blocks: Vec<SelectedBlock>, filter_time: bool) -> Result<Arc<dyn ExecutionPlan>> {
        let total: usize = blocks.iter().map(|b| b.rows.selected()).sum();
        let share = total.div_ceil(self.partitions).max(MIN_ROWS_PER_TASK);
        let mut groups = vec![Vec::new()];
        let mut room = share;
        for mut block in blocks {
            while block.rows.selected() > 0 {
                if room == 0 {
                    groups.push(Vec::new());
                    room = share;
                }
                let rows = block.rows.take(room);
                room -= rows.selected();
                let part = SelectedBlock { rows, ..block.clone() };
                if let Some(group) = groups.last_mut() {
                    group.push(self.file(&part)?);
                }
            }
        }
        let groups = groups.into_iter().map(FileGroup::new).collect();
        self.parquet(groups, &self.columns, None, filter_time)
    }

    /// Rows not in a block that share no sample with anything else.
    pub(crate) fn heads(&self, heads: Vec<HeadRows>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(HeadExec::new(heads, self.schema(&self.columns)?, Arc::clone(&self.held))))
    }

    /// Merges pieces that may share samples: of each sample the row of the highest rank is kept.
    pub(crate) fn merged(&self, pieces: Vec<Piece>) -> Result<Arc<dyn ExecutionPlan>> {
        let mut columns: Vec<&'static str> = KEY.to_vec();
        columns.extend(self.columns.iter().filter(|column| !KEY.contains(column)));
        let filter_time = pieces.iter().any(|piece| matches!(piece, Piece::Block(b) if !self.covers(&b.block)));
        let (mut files, mut heads) = (Vec::new(), Vec::new());
        for piece in pieces {
            match piece {
                Piece::Block(block) => {
                    let rank = ScalarValue::Int64(Some(block.block.gen_max));
                    files.push(FileGroup::new(vec![self.file(&block)?.with_partition_values(vec![rank])]));
                }
                Piece::Head(head) => heads.push(head),
            }
        }
        let mut fields = self.schema(&columns)?.fields().to_vec();
        fields.push(Arc::new(Field::new(RANK, DataType::Int64, false)));
        let schema = Arc::new(Schema::new(fields));
        let ordering = merge_ordering(&schema)?;
        let mut inputs: Vec<Arc<dyn ExecutionPlan>> = Vec::new();
        if !files.is_empty() {
            inputs.push(self.parquet(files, &columns, Some(&ordering), filter_time)?);
        }
        if !heads.is_empty() {
            let rows = HeadExec::new(heads, self.schema(&columns)?, Arc::clone(&self.held));
            inputs.push(Arc::new(rows.ranked(&schema, &ordering)));
        }
        let input = match <[_; 1]>::try_from(inputs) {
            Ok([one]) => one,
            Err(several) => UnionExec::try_new(several)?,
        };
        let sorted = Arc::new(SortPreservingMergeExec::new(ordering.clone(), input));
        let latest: Arc<dyn ExecutionPlan> = Arc::new(LatestRankExec::new(sorted, ordering));
        let kept = self.columns.iter().map(|name| {
            let expr: Arc<dyn PhysicalExpr> = Arc::new(Column::new_with_schema(name, &schema)?);
            Ok(ProjectionExpr { expr, alias: (*name).to_owned() })
        });
        Ok(Arc::new(ProjectionExec::try_new(kept.collect::<Result<Vec<_>>>()?, latest)?))
    }

    fn file(&self, selected: &SelectedBlock) -> Result<PartitionedFile> {
        let file = file(&self.folder, &selected.block, Footer(Arc::clone(&selected.footer)))?;
        Ok(file.with_extension(selected.rows.access_plan()))
    }

    /// The read schema in the given columns.
    fn schema(&self, columns: &[&str]) -> Result<SchemaRef> {
        let schema = Table::Samples.read_schema();
        let indices = columns.iter().map(|name| schema.index_of(name)).collect::<Result<Vec<_>, _>>()?;
        Ok(Arc::new(schema.project(&indices)?))
    }

    /// A Parquet scan of `groups`. With an ordering each group is one file and the rank comes last.
    fn parquet(
        &self,
        groups: Vec<FileGroup>,
        columns: &[&str],
        ordering: Option<&LexOrdering>,
        filter_time: bool,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let files = Table::Samples.read_schema();
        let mut indices = columns.iter().map(|name| files.index_of(name)).collect::<Result<Vec<_>, _>>()?;
        let rank: Vec<_> = ordering.map(|_| Arc::new(Field::new(RANK, DataType::Int64, false))).into_iter().collect();
        indices.extend(rank.iter().map(|_| files.fields().len()));
        let mut source =
            ParquetSource::new(TableSchema::builder(Arc::clone(&files)).with_table_partition_cols(rank).build())
                .with_parquet_file_reader_factory(Arc::new(BlockReaders::new(Arc::clone(&self.store))))
                .with_pushdown_filters(true)
                .with_reorder_filters(true);
        if let Some(predicate) = self.predicate(&files, filter_time)? {
            source = source.with_predicate(predicate);
        }
        let mut config = FileScanConfigBuilder::new(store_url(Table::Samples)?, Arc::new(source))
            .with_file_groups(groups)
            .with_projection_indices(Some(indices))?;
        if let Some(ordering) = ordering {
            let whole = Arc::new(Schema::new(
                files
                    .fields()
                    .iter()
                    .cloned()
                    .chain([Arc::new(Field::new(RANK, DataType::Int64, false))])
                    .collect::<Vec<_>>(),
            ));
            debug_assert_eq!(ordering.len(), KEY.len() + 1);
            config = config.with_output_ordering(vec![merge_ordering(&whole)?]);
        }
        Ok(DataSourceExec::from_data_source(config.build()))
    }

    /// What is checked row by row while decoding.
    fn predicate(&self, files: &Schema, filter_time: bool) -> Result<Option<Arc<dyn PhysicalExpr>>> {
        let column =
            |name: &str| -> Result<Arc<dyn PhysicalExpr>> { Ok(Arc::new(Column::new_with_schema(name, files)?)) };
        let bound = |op, time: i64| -> Result<Arc<dyn PhysicalExpr>> {
            let literal = Arc::new(Literal::new(ScalarValue::Int64(Some(time))));
            Ok(Arc::new(BinaryExpr::new(column("time_ms")?, op, literal)))
        };
        let mut conditions: Vec<Arc<dyn PhysicalExpr>> = Vec::new();
        if self.selected.key() != Key::Everything {
            let names = Membership::column_names(self.selected.key());
            let columns = names.iter().map(|name| column(name)).collect::<Result<Vec<_>>>()?;
            conditions.push(Arc::new(Membership::new(Arc::clone(&self.selected), columns)));
        }
        if filter_time {
            conditions.push(bound(Operator::GtEq, *self.time_ms.start())?);
            conditions.push(bound(Operator::LtEq, *self.time_ms.end())?);
        }
        Ok(conditions.into_iter().reduce(|a, b| Arc::new(BinaryExpr::new(a, Operator::And, b))))
    }
}

/// The order of the tables, and of equal samples the highest rank first.
fn merge_ordering(schema: &Schema) -> Result<LexOrdering> {
    let sort = |name: &str, descending| -> Result<PhysicalSortExpr> {
        let options = SortOptions { descending, nulls_first: false };
        Ok(PhysicalSortExpr::new(Arc::new(Column::new_with_schema(name, schema)?), options))
    };
    let mut order = KEY.iter().map(|name| sort(name, false)).collect::<Result<Vec<_>>>()?;
    order.push(sort(RANK, true)?);
    LexOrdering::new(order).ok_or_else(|| DataFusionError::Internal("a merge needs an ordering".into()))
}
