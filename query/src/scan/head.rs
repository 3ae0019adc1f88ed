//! The rows that are in no block yet, as a scan: taken packed when it is planned, unpacked while it is read.
//!
//! Owns: counting what is taken and what is unpacked against the memory of the query.
//! Does not own: which rows a snapshot sees, and how they are packed (`storage`).

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

use arrow::array::{Int64Array, RecordBatch};
use arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, internal_err};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, LexOrdering, PhysicalExpr};
use datafusion::physical_plan::coop::cooperative;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, SchedulingType};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties};
use storage::SeriesInfo;
use storage::snapshot::HeadRows;

use crate::error::{external, from_datafusion};
use crate::source::Source;

/// Takes the rows of a selection that are in no block yet, and the memory that this takes.
///
/// # Errors
/// `TooLarge` or `Busy` if the memory does not suffice.
pub(crate) fn take(
    source: &Source,
    series: &[Arc<SeriesInfo>],
    time_ms: RangeInclusive<i64>,
    memory: &Arc<dyn MemoryPool>,
) -> Result<(Vec<HeadRows>, Arc<MemoryReservation>)> {
    let held = MemoryConsumer::new("rows that are in no block yet").register(memory);
    let mut reserve = |bytes| held.try_grow(bytes).map_err(|e| model::Error::from(from_datafusion(e)));
    let rows = source.head_samples(series, time_ms, &mut reserve).map_err(external)?;
    Ok((rows, Arc::new(held)))
}

/// Unpacks rows that are in no block yet. Each [`HeadRows`] is a partition, sorted as the tables are.
#[derive(Debug)]
pub(crate) struct HeadExec {
    rows: Vec<HeadRows>,
    /// The columns to unpack.
    columns: SchemaRef,
    /// Whether the rank follows them as a column of its own.
    with_rank: bool,
    /// The memory of the packed rows.
    held: Arc<MemoryReservation>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl HeadExec {
    /// Gives `columns`, which are columns of `samples` as queries read them.
    pub(crate) fn new(rows: Vec<HeadRows>, columns: SchemaRef, held: Arc<MemoryReservation>) -> Self {
        let properties = Self::properties_of(&rows, EquivalenceProperties::new(Arc::clone(&columns)));
        HeadExec { rows, columns, with_rank: false, held, properties, metrics: ExecutionPlanMetricsSet::new() }
    }

    /// The same with the rank as the last column of `schema`. The columns include the key, so the order can be told.
    pub(crate) fn ranked(self, schema: &SchemaRef, ordering: &LexOrdering) -> Self {
        let ordered = EquivalenceProperties::new_with_orderings(Arc::clone(schema), [ordering.clone()]);
        HeadExec { properties: Self::properties_of(&self.rows, ordered), with_rank: true, ..self }
    }

    fn properties_of(rows: &[HeadRows], equivalence: EquivalenceProperties) -> Arc<PlanProperties> {
        let partitioning = Partitioning::UnknownPartitioning(rows.len());
        let properties =
            PlanProperties::new(equivalence, partitioning, EmissionType::Incremental, Boundedness::Bounded);
        Arc::new(properties.with_scheduling_type(SchedulingType::Cooperative))
    }
}

impl DisplayAs for HeadExec {
    fn fmt_as(&self, _t: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns: Vec<&str> = self.columns.fields().iter().map(|field| field.name().as_str()).collect();
        let rows: usize = self.rows.iter().map(HeadRows::rows_at_most).sum();
        write!(f, "HeadExec: partitions={}, rows<={rows}, columns=[{}]", self.rows.len(), columns.join(", "))
    }
}

impl ExecutionPlan for HeadExec {
    fn name(&self) -> &str {
        "HeadExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        if children.is_empty() { Ok(self) } else { internal_err!("HeadExec has no input") }
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let Some(rows) = self.rows.get(partition) else {
            return internal_err!("HeadExec has {} partitions, not {partition}", self.rows.len());
        };
        let batch_rows = context.session_config().batch_size();
        let working = MemoryConsumer::new("unpacking rows that are in no block yet").register(context.memory_pool());
        working.try_grow(rows.working_bytes(batch_rows))?;
        let (held, rank) = (Arc::clone(&self.held), self.with_rank.then_some(rows.rank));
        let mut batches = rows.batches(Arc::clone(&self.columns), batch_rows);
        let schema = self.schema();
        let baseline = BaselineMetrics::new(&self.metrics, partition);
        let unpacked = std::iter::from_fn({
            let schema = Arc::clone(&schema);
            move || {
                let _held = (&held, &working);
                let timer = baseline.elapsed_compute().timer();
                let batch = batches.next()?.map_err(external);
                let batch = match rank {
                    Some(rank) => batch.and_then(|batch| with_rank(&batch, rank, &schema)),
                    None => batch,
                };
                timer.done();
                if let Ok(batch) = &batch {
                    baseline.record_output(batch.num_rows());
                }
                Some(batch)
            }
        });
        let stream = RecordBatchStreamAdapter::new(schema, futures::stream::iter(unpacked));
        Ok(Box::pin(cooperative(stream)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}

fn with_rank(batch: &RecordBatch, rank: i64, schema: &SchemaRef) -> Result<RecordBatch> {
    let mut columns = batch.columns().to_vec();
    columns.push(Arc::new(Int64Array::from_value(rank, batch.num_rows())));
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}
