//! `logs` and `spans` as tables of DataFusion.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Result, ToDFSchema};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use storage::Table;

use super::conditions::Conditions;
use super::exec::{ColumnarExec, Inputs};
use super::select;
use super::stages::{Columns, Stage};
use super::view::View;
use crate::source::Source;

/// All rows of `logs` or `spans`: those in blocks and those that are not yet.
#[derive(Debug)]
pub(crate) struct ColumnarTable {
    source: Arc<Source>,
    view: &'static View,
}

impl ColumnarTable {
    /// The rows of a table of logs or spans.
    pub(crate) fn new(source: Arc<Source>, table: Table) -> Self {
        ColumnarTable { source, view: View::of(table) }
    }
}

#[async_trait]
impl TableProvider for ColumnarTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.view.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let answer = |filter: &&Expr| match filter.is_volatile() {
            true => TableProviderFilterPushDown::Unsupported,
            false => TableProviderFilterPushDown::Exact,
        };
        Ok(filters.iter().map(answer).collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let view = self.view;
        let conditions = Conditions::of(filters, view);
        // The head first: rows that a cut moves meanwhile are not missed, since the snapshot keeps both apart.
        let heads = self.source.head_columns(view.table);
        let heads = heads.into_iter().filter(|rows| select::head_may_have(rows, &conditions)).collect();
        let all = self.source.blocks(view.table);
        let considered = all.len();
        let blocks = select::blocks(&self.source, view, all, &conditions).await?;
        let schema = Arc::clone(&view.schema).to_dfschema()?;
        let mut stages = Vec::new();
        for filter in filters {
            let condition = state.create_physical_expr(filter.clone(), &schema)?;
            stages.push(Stage::new(view, &condition, &view.schema)?);
        }
        let columns = projection.cloned().unwrap_or_else(|| (0..view.columns.len()).collect());
        let (store, folder) = self.source.object_store(view.table);
        let inputs = Inputs { view, blocks, considered, heads, store, folder };
        let partitions = state.config().target_partitions();
        let output = Columns::new(view, columns)?;
        Ok(Arc::new(ColumnarExec::new(Arc::new(inputs), output, stages, partitions, limit.is_some())))
    }
}
