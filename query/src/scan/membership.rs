//! The filter "this row is of a selected series", evaluated while a block is decoded.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, BooleanBufferBuilder, Int64Array, RecordBatch, StringViewArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Schema};
use datafusion::common::{DataFusionError, Result, internal_err};
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::PhysicalExpr;

use super::selected::{Key, KeyColumns, SelectedSeries};

/// Whether a row's (name, cluster, series_id) is among the selected series.
#[derive(Debug)]
pub(crate) struct Membership {
    selected: Arc<SelectedSeries>,
    /// `name`, `cluster` and, if the whole key decides, `series_id`.
    columns: Vec<Arc<dyn PhysicalExpr>>,
}

impl Membership {
    /// A filter over the columns `name`, `cluster` and, if [`Key::Series`] decides, `series_id`.
    pub(crate) fn new(selected: Arc<SelectedSeries>, columns: Vec<Arc<dyn PhysicalExpr>>) -> Self {
        Membership { selected, columns }
    }

    /// The names of the columns that a filter over `key` reads.
    pub(crate) fn column_names(key: Key) -> &'static [&'static str] {
        match key {
            Key::Everything => &[],
            Key::NameCluster => &["name", "cluster"],
            Key::Series => &["name", "cluster", "series_id"],
        }
    }
}

impl fmt::Display for Membership {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns: Vec<String> = self.columns.iter().map(ToString::to_string).collect();
        write!(f, "({}) in {} series", columns.join(", "), self.selected.series().len())
    }
}

impl PartialEq for Membership {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.selected, &other.selected) && self.columns == other.columns
    }
}

impl Eq for Membership {}

impl Hash for Membership {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.selected).hash(state);
        self.columns.hash(state);
    }
}

impl PhysicalExpr for Membership {
    fn data_type(&self, _input_schema: &Schema) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn nullable(&self, _input_schema: &Schema) -> Result<bool> {
        Ok(false)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        let rows = batch.num_rows();
        let arrays: Vec<ArrayRef> =
            self.columns.iter().map(|c| c.evaluate(batch)?.into_array(rows)).collect::<Result<_>>()?;
        let [name, cluster, id @ ..] = arrays.as_slice() else {
            return internal_err!("a membership filter needs name and cluster");
        };
        let (name, cluster) = (views(name)?, views(cluster)?);
        let id = id.first().map(longs).transpose()?;
        let mut wanted = BooleanBufferBuilder::new(rows);
        let columns = KeyColumns { name: &name, cluster: &cluster, id: id.as_ref() };
        columns.runs(|run, name, cluster, id| wanted.append_n(run.len(), self.selected.wants(name, cluster, id)));
        Ok(ColumnarValue::Array(Arc::new(BooleanArray::new(wanted.finish(), None))))
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        self.columns.iter().collect()
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn PhysicalExpr>>) -> Result<Arc<dyn PhysicalExpr>> {
        Ok(Arc::new(Membership { selected: Arc::clone(&self.selected), columns: children }))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text column as views, which is how blocks are read; anything else is converted.
pub(crate) fn views(array: &ArrayRef) -> Result<StringViewArray> {
    let array = match array.data_type() {
        DataType::Utf8View => Arc::clone(array),
        _ => cast(array, &DataType::Utf8View)?,
    };
    array
        .as_any()
        .downcast_ref::<StringViewArray>()
        .cloned()
        .ok_or_else(|| DataFusionError::Internal("a text column is not text".into()))
}

/// A column of 64-bit integers.
pub(crate) fn longs(array: &ArrayRef) -> Result<Int64Array> {
    array
        .as_any()
        .downcast_ref::<Int64Array>()
        .cloned()
        .ok_or_else(|| DataFusionError::Internal("a column of longs has another type".into()))
}
