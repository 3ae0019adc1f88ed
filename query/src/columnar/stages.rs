//! The conditions of a scan, one behind the other: each reads its own columns of the rows that the ones before have left.

use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, RecordBatchOptions};
use arrow::compute::prep_null_mask_filter;
use arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::{DataFusionError, Result};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::conjunction;
use datafusion::physical_expr::utils::{collect_columns, reassign_expr_columns};

use super::view::View;

/// Columns of a view that are read together.
#[derive(Debug, Clone)]
pub(crate) struct Columns {
    view: &'static View,
    /// Places in the view.
    columns: Vec<usize>,
    /// Places in the table, ascending.
    physical: Vec<usize>,
    schema: SchemaRef,
}

impl Columns {
    /// These columns of a view, in this order.
    ///
    /// # Errors
    /// DataFusion's, if the view has no such column.
    pub(crate) fn new(view: &'static View, columns: Vec<usize>) -> Result<Self> {
        let schema = Arc::new(view.schema.project(&columns)?);
        let mut physical: Vec<usize> = columns.iter().map(|column| view.columns[*column].physical).collect();
        physical.sort_unstable();
        physical.dedup();
        Ok(Columns { view, columns, physical, schema })
    }

    /// The places of the columns of the table, ascending.
    pub(crate) fn physical(&self) -> &[usize] {
        &self.physical
    }

    /// What is made of them.
    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Makes the columns of the view of those of the table.
    ///
    /// # Errors
    /// `Internal` if they have other types than they should.
    pub(crate) fn convert(&self, read: &RecordBatch) -> Result<RecordBatch> {
        let column = |place: &usize| -> Result<ArrayRef> {
            let column = &self.view.columns[*place];
            let at = self.physical.binary_search(&column.physical);
            let at = at.map_err(|_| DataFusionError::Internal(format!("column {} was not read", column.source)))?;
            column.form.convert(read.column(at))
        };
        let columns = self.columns.iter().map(column).collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(read.num_rows()));
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?)
    }
}

/// A condition and the columns that it is about.
#[derive(Debug, Clone)]
pub(crate) struct Stage {
    pub(crate) columns: Columns,
    condition: Arc<dyn PhysicalExpr>,
}

impl Stage {
    /// A condition on the columns of `schema`, which are columns of the view.
    ///
    /// # Errors
    /// DataFusion's, if it is about others.
    pub(crate) fn new(view: &'static View, condition: &Arc<dyn PhysicalExpr>, schema: &Schema) -> Result<Self> {
        let mut places = Vec::new();
        for column in collect_columns(condition) {
            // By name: its place is that among the columns that were asked for.
            let name = schema.field(column.index()).name();
            places.push(view.schema.index_of(name)?);
        }
        places.sort_unstable();
        let columns = Columns::new(view, places)?;
        let condition = reassign_expr_columns(Arc::clone(condition), columns.schema())?;
        Ok(Stage { columns, condition })
    }

    /// Which rows fulfil the condition.
    ///
    /// # Errors
    /// Those of the condition.
    pub(crate) fn mask(&self, read: &RecordBatch) -> Result<BooleanArray> {
        let batch = self.columns.convert(read)?;
        let mask = self.condition.evaluate(&batch)?.into_array(batch.num_rows())?;
        let mask = mask.as_boolean_opt().ok_or_else(|| {
            DataFusionError::Internal(format!(
                "condition {} is {}, not true or false",
                self.condition,
                mask.data_type()
            ))
        })?;
        Ok(if mask.null_count() == 0 { mask.clone() } else { prep_null_mask_filter(mask) })
    }

    /// How much it costs to read its columns, roughly, in bytes of a row.
    fn cost(&self) -> usize {
        let cost = |place: &usize| match self.columns.view.schema.field(*place).name().as_str() {
            "body" | "events" | "links" => 400,
            "attributes" | "resource" => 200,
            "trace_id" | "span_id" | "parent_span_id" => 20,
            _ => 4,
        };
        self.columns.columns.iter().map(cost).sum()
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.condition.fmt(f)
    }
}

/// The cheapest first. Those about the same columns are one, so that columns are read once.
pub(crate) fn in_order(mut stages: Vec<Stage>) -> Vec<Stage> {
    stages.sort_by(|a, b| a.cost().cmp(&b.cost()).then_with(|| a.columns.columns.cmp(&b.columns.columns)));
    let mut ordered: Vec<Stage> = Vec::with_capacity(stages.len());
    for stage in stages {
        match ordered.last_mut() {
            Some(last) if last.columns.columns == stage.columns.columns => {
                let both = [Arc::clone(&last.condition), stage.condition];
                last.condition = conjunction(both);
            }
            _ => ordered.push(stage),
        }
    }
    ordered
}
