//! The blocks of a small table, read whole before the first series is given.

use std::ops::RangeInclusive;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use datafusion::common::{Result, ScalarValue};
use datafusion::datasource::memory::DataSourceExec;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::execution::TaskContext;
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{BinaryExpr, Column, Literal};
use datafusion::physical_plan::ExecutionPlan;
use futures::TryStreamExt;
use storage::Table;

use crate::error::external;
use crate::scan::inputs::{file, store_url};
use crate::scan::membership::Membership;
use crate::scan::pages;
use crate::scan::reader::{BlockReaders, Footer};
use crate::scan::selected::SelectedSeries;
use crate::source::Source;

/// A plan for each block of a table that may have rows of the selected series in a range of time, the one whose rows win over
/// those of others last.
///
/// # Errors
/// Those of the snapshot.
pub(super) async fn plans(
    source: &Source,
    table: Table,
    selected: &Arc<SelectedSeries>,
    time_ms: &RangeInclusive<i64>,
) -> Result<Vec<Arc<dyn ExecutionPlan>>> {
    let overlaps = |min_ms: i64, max_ms: i64| min_ms <= *time_ms.end() && max_ms >= *time_ms.start();
    let mut blocks = source.blocks(table);
    blocks.retain(|block| overlaps(block.min_time_ms, block.max_time_ms));
    // A later generation wins, within one cut no two blocks have a row in common.
    blocks.sort_by_key(|block| block.gen_max);
    let (store, folder) = source.object_store(table);
    let schema = table.read_schema();
    let mut plans = Vec::new();
    for (block, footer) in source.with_footers(table, blocks).await.map_err(external)? {
        let rows = pages::select(&footer, selected, time_ms);
        if rows.selected() == 0 {
            continue;
        }
        let file = file(&folder, &block, Footer(footer))?.with_extension(rows.access_plan());
        let parquet = ParquetSource::new(Arc::clone(&schema))
            .with_parquet_file_reader_factory(Arc::new(BlockReaders::new(Arc::clone(&store))))
            .with_pushdown_filters(true)
            .with_reorder_filters(true)
            .with_predicate(predicate(&schema, selected, time_ms)?);
        let config = FileScanConfigBuilder::new(store_url(table)?, Arc::new(parquet))
            .with_file_groups(vec![FileGroup::new(vec![file])])
            .build();
        plans.push(DataSourceExec::from_data_source(config) as Arc<dyn ExecutionPlan>);
    }
    Ok(plans)
}

/// Hands over what the plans give, in their order.
///
/// # Errors
/// Those of the blocks, and of whom it is handed to.
pub(super) async fn read(
    plans: &[Arc<dyn ExecutionPlan>],
    context: &Arc<TaskContext>,
    mut take: impl FnMut(&RecordBatch) -> Result<()>,
) -> Result<()> {
    for plan in plans {
        let mut batches = plan.execute(0, Arc::clone(context))?;
        while let Some(batch) = batches.try_next().await? {
            take(&batch)?;
        }
    }
    Ok(())
}

/// Which rows are wanted, checked while a block is decoded.
fn predicate(
    schema: &Schema,
    selected: &Arc<SelectedSeries>,
    time_ms: &RangeInclusive<i64>,
) -> Result<Arc<dyn PhysicalExpr>> {
    let column = |name: &str| -> Result<Arc<dyn PhysicalExpr>> { Ok(Arc::new(Column::new_with_schema(name, schema)?)) };
    let bound = |op, time_ms: i64| -> Result<Arc<dyn PhysicalExpr>> {
        let literal = Arc::new(Literal::new(ScalarValue::Int64(Some(time_ms))));
        Ok(Arc::new(BinaryExpr::new(column("time_ms")?, op, literal)))
    };
    let key = ["name", "cluster", "series_id"].into_iter().map(column).collect::<Result<Vec<_>>>()?;
    let is_selected: Arc<dyn PhysicalExpr> = Arc::new(Membership::new(Arc::clone(selected), key));
    let bounds = [bound(Operator::GtEq, *time_ms.start())?, bound(Operator::LtEq, *time_ms.end())?];
    let both =
        |a: Arc<dyn PhysicalExpr>, b| -> Arc<dyn PhysicalExpr> { Arc::new(BinaryExpr::new(a, Operator::And, b)) };
    Ok(bounds.into_iter().fold(is_selected, both))
}
