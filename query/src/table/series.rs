//! `metrics` and `metric."<name>"`: samples with the labels of their series.

use std::sync::Arc;

use arrow::datatypes::{FieldRef, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Result, internal_err};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use model::labels::NAME_LABEL;
use storage::matcher::Condition;
use storage::{Matcher, Selection};

use crate::scan::columns::Output;
use crate::scan::plan;
use crate::scan::selection::{narrow, push};
use crate::source::Source;

/// Names that a label cannot have as a column, because the table has them already.
const RESERVED: [&str; 3] = ["ts", "cluster", "value"];
/// What is put before such a label.
const LABEL_PREFIX: &str = "label_";

/// A view of samples: which columns it has, and which series it never leaves.
#[derive(Debug)]
pub(crate) struct SeriesTable {
    source: Arc<Source>,
    columns: Vec<(String, Output)>,
    fields: Vec<FieldRef>,
    schema: SchemaRef,
    /// Conditions that always hold.
    fixed: Vec<Matcher>,
}

impl SeriesTable {
    /// `metrics(ts, cluster, name, labels, value)`.
    pub(crate) fn metrics(source: Arc<Source>) -> Self {
        let columns = [
            ("ts", Output::Ts),
            ("cluster", Output::Cluster),
            ("name", Output::Name),
            ("labels", Output::Labels),
            ("value", Output::Value),
        ];
        Self::new(source, columns.map(|(name, output)| (name.to_owned(), output)).into(), Vec::new())
    }

    /// `metric."name"(ts, cluster, one column per label, value)`; `labels` in the order of the columns.
    pub(crate) fn metric(source: Arc<Source>, name: &str, labels: &[String]) -> Self {
        let mut columns = vec![("ts".to_owned(), Output::Ts), ("cluster".to_owned(), Output::Cluster)];
        for label in labels {
            let mut column = label.clone();
            while RESERVED.contains(&column.as_str()) || (column != *label && labels.contains(&column)) {
                column.insert_str(0, LABEL_PREFIX);
            }
            columns.push((column, Output::Label(label.clone())));
        }
        columns.push(("value".to_owned(), Output::Value));
        let fixed = Matcher { label: NAME_LABEL.to_owned(), condition: Condition::In(vec![name.to_owned()]) };
        Self::new(source, columns, vec![fixed])
    }

    fn new(source: Arc<Source>, columns: Vec<(String, Output)>, fixed: Vec<Matcher>) -> Self {
        let fields: Vec<FieldRef> = columns.iter().map(|(name, output)| output.field(name)).collect();
        let schema = Arc::new(Schema::new(fields.clone()));
        SeriesTable { source, columns, fields, schema, fixed }
    }
}

#[async_trait]
impl TableProvider for SeriesTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let answer = |filter: &&Expr| match push(filter, &self.columns) {
            Some(_) => TableProviderFilterPushDown::Exact,
            None => TableProviderFilterPushDown::Unsupported,
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
        let mut selection = Selection { matchers: self.fixed.clone(), ..Selection::all() };
        for filter in filters {
            match push(filter, &self.columns) {
                Some(pushed) => narrow(&mut selection, pushed),
                None => return internal_err!("a filter was pushed to the scan that it cannot answer: {filter}"),
            }
        }
        let wanted: Vec<usize> = projection.cloned().unwrap_or_else(|| (0..self.columns.len()).collect());
        let outputs = wanted.iter().map(|at| (self.columns[*at].1.clone(), Arc::clone(&self.fields[*at]))).collect();
        let (partitions, memory) = (state.config().target_partitions(), &state.runtime_env().memory_pool);
        plan::plan(&self.source, &selection, outputs, partitions, memory).await
    }
}
