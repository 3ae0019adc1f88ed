//! The operator that makes the columns of `metrics` out of flat sample rows and the labels of their series.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use arrow::array::{
    Array, ArrayRef, Float64Array, Int8Array, Int64Array, RecordBatch, RecordBatchOptions, StringViewBuilder,
    TimestampMillisecondArray, UInt32Array,
};
use arrow::array::{MapBuilder, MapFieldNames, StringBuilder};
use arrow::compute::{filter_record_batch, take};
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef, TimeUnit};
use datafusion::common::{DataFusionError, Result};
use model::ErrorKind;
use storage::block::mantissa;

use super::membership::{longs, views};
use super::selected::{KeyColumns, SelectedSeries};
use crate::error::external;

/// One column that a scan of series can give.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Output {
    /// The time of the sample.
    Ts,
    /// The cluster of the series.
    Cluster,
    /// The name of the metric.
    Name,
    /// All other labels as a map.
    Labels,
    /// The value of the sample.
    Value,
    /// One label; NULL where the series lacks it.
    Label(String),
}

impl Output {
    /// The type of the column.
    pub(crate) fn data_type(&self) -> DataType {
        match self {
            Output::Ts => DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())),
            Output::Cluster | Output::Name | Output::Label(_) => DataType::Utf8View,
            Output::Labels => storage::tables::labels_type(),
            Output::Value => DataType::Float64,
        }
    }

    /// The column under a name.
    pub(crate) fn field(&self, name: &str) -> FieldRef {
        Arc::new(Field::new(name, self.data_type(), matches!(self, Output::Label(_))))
    }

    /// The columns of `samples` it is made of.
    pub(crate) fn inputs(&self) -> &'static [&'static str] {
        match self {
            Output::Ts => &["time_ms"],
            Output::Cluster => &["cluster"],
            Output::Name => &["name"],
            Output::Value => &["mantissa", "scale", "value"],
            Output::Labels | Output::Label(_) => &["name", "cluster", "series_id"],
        }
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Output::Ts => f.write_str("ts"),
            Output::Cluster => f.write_str("cluster"),
            Output::Name => f.write_str("name"),
            Output::Labels => f.write_str("labels"),
            Output::Value => f.write_str("value"),
            Output::Label(label) => write!(f, "labels[{label:?}]"),
        }
    }
}

/// Labels of all selected series as columns, one row per series, each made when it is first asked for.
#[derive(Debug)]
pub(crate) struct LabelColumns {
    selected: Arc<SelectedSeries>,
    columns: HashMap<Output, OnceLock<ArrayRef>>,
}

impl LabelColumns {
    /// Room for the label columns among `outputs`.
    pub(crate) fn new<'a>(selected: Arc<SelectedSeries>, outputs: impl IntoIterator<Item = &'a Output>) -> Self {
        let wanted = outputs.into_iter().filter(|output| matches!(output, Output::Labels | Output::Label(_)));
        LabelColumns { selected, columns: wanted.map(|output| (output.clone(), OnceLock::new())).collect() }
    }

    /// The series whose labels these are.
    pub(crate) fn selected(&self) -> &Arc<SelectedSeries> {
        &self.selected
    }

    fn column(&self, output: &Output) -> Result<&ArrayRef> {
        let column = self
            .columns
            .get(output)
            .ok_or_else(|| DataFusionError::Internal(format!("no room for the column {output}")))?;
        Ok(column.get_or_init(|| match output {
            Output::Label(label) => self.label(label),
            _ => self.maps(),
        }))
    }

    fn label(&self, label: &str) -> ArrayRef {
        let mut values = StringViewBuilder::with_capacity(self.selected.series().len()).with_deduplicate_strings();
        for series in self.selected.series() {
            values.append_option(series.key.labels.get(label));
        }
        Arc::new(values.finish())
    }

    fn maps(&self) -> ArrayRef {
        label_maps(self.selected.series().iter().map(|series| series.key.labels.iter()))
    }

    /// Bytes that all columns take once made; an estimate from above.
    pub(crate) fn estimated_bytes(&self) -> usize {
        let labels: usize = self.selected.series().iter().map(|s| s.key.labels.as_bytes().len()).sum();
        self.columns
            .keys()
            .map(|output| match output {
                Output::Label(_) => self.selected.series().len() * 32,
                _ => labels * 2 + self.selected.series().len() * 8,
            })
            .sum()
    }
}

/// A column of labels, out of the names and values of each row.
pub(crate) fn label_maps<'a>(rows: impl Iterator<Item = impl Iterator<Item = (&'a str, &'a str)>>) -> ArrayRef {
    let names = MapFieldNames { entry: "key_value".into(), key: "key".into(), value: "value".into() };
    let mut maps = MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new())
        .with_keys_field(Field::new("key", DataType::Utf8, false))
        .with_values_field(Field::new("value", DataType::Utf8, true));
    for labels in rows {
        for (name, value) in labels {
            maps.keys().append_value(name);
            maps.values().append_value(value);
        }
        // Keys and values were appended in pairs, which is all it checks.
        let _ = maps.append(true);
    }
    Arc::new(maps.finish())
}

/// Turns batches of flat rows into batches of outputs.
#[derive(Debug)]
pub(crate) struct Assembler {
    outputs: Vec<Output>,
    schema: SchemaRef,
    labels: Arc<LabelColumns>,
}

impl Assembler {
    /// Makes `outputs` under the names of `fields`.
    pub(crate) fn new(outputs: Vec<Output>, fields: Vec<FieldRef>, labels: Arc<LabelColumns>) -> Self {
        Assembler { outputs, schema: Arc::new(Schema::new(fields)), labels }
    }

    /// The schema of what comes out.
    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The outputs, one per field of the schema.
    pub(crate) fn outputs(&self) -> &[Output] {
        &self.outputs
    }

    /// The label columns, to be shared with another assembler of the same scan.
    pub(crate) fn labels(&self) -> &Arc<LabelColumns> {
        &self.labels
    }

    /// Makes the outputs of one batch. Staleness markers are left out.
    pub(crate) fn assemble(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let kept = without_markers(batch)?;
        let batch = kept.as_ref().unwrap_or(batch);
        let needs_labels = self.outputs.iter().any(|o| matches!(o, Output::Labels | Output::Label(_)));
        let positions = if needs_labels { Some(self.positions(batch)?) } else { None };
        let columns = self.outputs.iter().map(|output| match (output, &positions) {
            (Output::Labels | Output::Label(_), Some(positions)) => {
                Ok(take(self.labels.column(output)?, positions, None)?)
            }
            (Output::Ts, _) => {
                let time = longs(column(batch, "time_ms")?)?;
                Ok(Arc::new(TimestampMillisecondArray::new(time.values().clone(), None).with_timezone("UTC"))
                    as ArrayRef)
            }
            (Output::Value, _) => values(batch),
            (Output::Name, _) => Ok(Arc::new(views(column(batch, "name")?)?) as ArrayRef),
            _ => Ok(Arc::new(views(column(batch, "cluster")?)?) as ArrayRef),
        });
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?)
    }

    /// For each row the position of its series among the selected ones.
    fn positions(&self, batch: &RecordBatch) -> Result<UInt32Array> {
        let (name, cluster) = (views(column(batch, "name")?)?, views(column(batch, "cluster")?)?);
        let id = longs(column(batch, "series_id")?)?;
        let mut positions = Vec::with_capacity(batch.num_rows());
        let mut missing = None;
        let columns = KeyColumns { name: &name, cluster: &cluster, id: Some(&id) };
        columns.runs(|run, name, cluster, id| match self.labels.selected.position(name, cluster, id) {
            Some(position) => positions.resize(run.end, position as u32),
            None => {
                missing.get_or_insert_with(|| format!("{name} of cluster {cluster:?} with id {id}"));
                positions.resize(run.end, 0);
            }
        });
        match missing {
            None => Ok(UInt32Array::from(positions)),
            Some(series) => {
                let what = format!("the series {series} has samples but is not in the table series");
                Err(external(model::Error::new(ErrorKind::Corrupt, what)))
            }
        }
    }
}

fn column<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef> {
    batch.column_by_name(name).ok_or_else(|| DataFusionError::Internal(format!("the scan lacks the column {name}")))
}

fn typed<'a, T: 'static>(batch: &'a RecordBatch, name: &str) -> Result<&'a T> {
    let found = column(batch, name)?.as_any().downcast_ref::<T>();
    found.ok_or_else(|| DataFusionError::Internal(format!("the column {name} has another type")))
}

/// The rows that have a value, if any row lacks one.
fn without_markers(batch: &RecordBatch) -> Result<Option<RecordBatch>> {
    let (Some(mantissa), Some(value)) = (batch.column_by_name("mantissa"), batch.column_by_name("value")) else {
        return Ok(None);
    };
    let (Some(no_mantissa), Some(no_value)) = (mantissa.nulls(), value.nulls()) else { return Ok(None) };
    let valid = no_mantissa.inner() | no_value.inner();
    if valid.count_set_bits() == batch.num_rows() {
        return Ok(None);
    }
    Ok(Some(filter_record_batch(batch, &arrow::array::BooleanArray::new(valid, None))?))
}

/// `coalesce(value, mantissa / 10^scale)`.
fn values(batch: &RecordBatch) -> Result<ArrayRef> {
    let mantissas: &Int64Array = typed(batch, "mantissa")?;
    let scales: &Int8Array = typed(batch, "scale")?;
    let value: &Float64Array = typed(batch, "value")?;
    if value.null_count() == 0 {
        return Ok(Arc::new(value.clone()));
    }
    let decimal = |row: usize| mantissa::value(mantissas.value(row), scales.value(row)).unwrap_or(f64::NAN);
    let rows = 0..batch.num_rows();
    let doubles: Vec<f64> = if value.null_count() == batch.num_rows() {
        rows.map(decimal).collect()
    } else {
        rows.map(|row| if value.is_valid(row) { value.value(row) } else { decimal(row) }).collect()
    };
    Ok(Arc::new(Float64Array::from(doubles)))
}
