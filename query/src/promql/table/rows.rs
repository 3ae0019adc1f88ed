//! The plan node that makes rows of SQL out of what PromQL gives.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, internal_err};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{Distribution, PhysicalExpr};
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, InputDistributionRequirements, PlanProperties,
};
use futures::TryStreamExt;
use promql::presence::Presence;

use super::super::answer::{SeriesPoints, same_labels};
use super::super::batch::StepBatch;
use super::super::labels::LabelSet;
use super::super::node::properties;
use super::super::ranges;
use super::super::steps::Steps;
use super::unrolled::Unrolled;
use crate::error::external;

/// What the input gives.
#[derive(Debug, Clone, Copy)]
pub(super) enum Form {
    /// Step batches at these instants.
    Steps { steps: Steps, drops_histograms: bool },
    /// Samples at times of their own.
    Ranges,
}

/// One row for each value of each series.
#[derive(Debug)]
pub(super) struct RowsExec {
    input: Arc<dyn ExecutionPlan>,
    form: Form,
    /// The expression.
    text: Arc<str>,
    /// All columns, and which of them are wanted.
    schema: SchemaRef,
    columns: Arc<[usize]>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl RowsExec {
    /// The wanted columns of `schema` out of an input.
    ///
    /// # Errors
    /// Arrow's, if there is no such column.
    pub(super) fn new(
        input: Arc<dyn ExecutionPlan>,
        form: Form,
        text: &str,
        schema: SchemaRef,
        columns: Arc<[usize]>,
    ) -> Result<Self> {
        // Runs the parts beside each other. They meet here, since two series may have the same labels in the end.
        let input = match input.output_partitioning().partition_count() {
            1 => input,
            _ => Arc::new(CoalescePartitionsExec::new(input)),
        };
        let properties = properties(Arc::new(schema.project(&columns)?), 1);
        let metrics = ExecutionPlanMetricsSet::new();
        Ok(RowsExec { input, form, text: text.into(), schema, columns, properties, metrics })
    }
}

impl DisplayAs for RowsExec {
    fn fmt_as(&self, _t: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.columns.iter().map(|at| self.schema.field(*at).name().as_str()).collect();
        write!(f, "PromqlRowsExec: {:?}, columns=[{}]", self.text, names.join(", "))
    }
}

impl ExecutionPlan for RowsExec {
    fn name(&self) -> &str {
        "PromqlRowsExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        InputDistributionRequirements::new(vec![Distribution::SinglePartition])
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        _f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        let Ok([input]) = <[_; 1]>::try_from(children) else {
            return internal_err!("PromqlRowsExec has one input");
        };
        let (schema, columns) = (Arc::clone(&self.schema), Arc::clone(&self.columns));
        Ok(Arc::new(RowsExec::new(input, self.form, &self.text, schema, columns)?))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let rows = Rows {
            input: self.input.execute(0, Arc::clone(&context))?,
            form: self.form,
            columns: Arc::clone(&self.columns),
            schema: self.schema(),
            batch_rows: context.session_config().batch_size(),
            unrolled: None,
            seen: HashMap::new(),
            memory: MemoryConsumer::new("the rows of promql()").register(context.memory_pool()),
            baseline: BaselineMetrics::new(&self.metrics, partition),
        };
        let batches =
            futures::stream::try_unfold(rows, async |mut rows| Ok(rows.next().await?.map(|batch| (batch, rows))));
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), Box::pin(batches))))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}

struct Rows {
    input: SendableRecordBatchStream,
    form: Form,
    columns: Arc<[usize]>,
    schema: SchemaRef,
    batch_rows: usize,
    /// The batch of the input that is being made into rows.
    unrolled: Option<Unrolled>,
    /// At which steps there was a value already, by the labels of the answer.
    seen: HashMap<LabelSet, Presence>,
    memory: MemoryReservation,
    baseline: BaselineMetrics,
}

impl Rows {
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(unrolled) = &mut self.unrolled
                && let Some(columns) = unrolled.next(self.batch_rows)?
            {
                let wanted: Vec<ArrayRef> = self.columns.iter().map(|at| Arc::clone(&columns[*at])).collect();
                let options = RecordBatchOptions::new().with_row_count(Some(columns[0].len()));
                let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), wanted, &options)?;
                self.baseline.record_output(batch.num_rows());
                return Ok(Some(batch));
            }
            self.unrolled = None;
            let Some(batch) = self.input.try_next().await? else { return Ok(None) };
            let series = match self.form {
                Form::Steps { steps, drops_histograms } => {
                    let mut batch = StepBatch::from_record_batch(&batch)?;
                    if drops_histograms {
                        batch.histograms.iter_mut().for_each(Vec::clear);
                    }
                    self.series(batch, &steps)?
                }
                Form::Ranges => {
                    let mut all = Vec::new();
                    ranges::series(&batch, &mut all)?;
                    all
                }
            };
            self.unrolled = Some(Unrolled::new(series));
        }
    }

    /// The series of a step batch, as an answer has them.
    fn series(&mut self, mut batch: StepBatch, steps: &Steps) -> Result<Vec<SeriesPoints>> {
        let mut all = Vec::with_capacity(batch.len());
        for number in 0..batch.len() {
            let row = batch.row(number);
            let labels = row.answered_labels();
            self.see(&labels, row.all_present())?;
            let cells = std::mem::take(&mut batch.histograms[number]);
            let row = batch.row(number);
            all.push(SeriesPoints::new(labels, row.values, row.present, cells, steps));
        }
        Ok(all)
    }

    /// Takes note of the steps at which a series has a value.
    fn see(&mut self, labels: &LabelSet, present: Presence) -> Result<()> {
        match self.seen.entry(labels.clone()) {
            Entry::Vacant(new) => {
                let bytes = labels.as_bytes().len() + size_of_val(present.words());
                self.memory.try_grow(bytes + size_of::<(LabelSet, Presence)>())?;
                new.insert(present);
            }
            Entry::Occupied(mut known) => {
                let mut both = present.clone();
                both.intersect_with(known.get());
                if !both.is_empty() {
                    return Err(external(same_labels()));
                }
                known.get_mut().union_with(&present);
            }
        }
        Ok(())
    }
}
