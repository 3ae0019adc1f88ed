//! The operator that keeps, of several rows with the same series and time, the one that was written last.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use arrow::array::{BooleanArray, BooleanBufferBuilder, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result, internal_err};
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{Distribution, EquivalenceProperties, LexOrdering, OrderingRequirements, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, InputDistributionRequirements, Partitioning,
    PlanProperties,
};
use futures::{Stream, StreamExt};

use super::membership::{longs, views};

/// Keeps the first row of each (name, cluster, series_id, time_ms) of an input that is sorted by these columns and then
/// by falling rank.
#[derive(Debug)]
pub(crate) struct LatestRankExec {
    input: Arc<dyn ExecutionPlan>,
    ordering: LexOrdering,
    properties: Arc<PlanProperties>,
}

impl LatestRankExec {
    /// Keeps the highest rank of each key of `input`, whose one partition has the given ordering.
    pub(crate) fn new(input: Arc<dyn ExecutionPlan>, ordering: LexOrdering) -> Self {
        let equivalence = EquivalenceProperties::new_with_orderings(input.schema(), [ordering.clone()]);
        let properties = Arc::new(PlanProperties::new(
            equivalence,
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        ));
        LatestRankExec { input, ordering, properties }
    }
}

impl DisplayAs for LatestRankExec {
    fn fmt_as(&self, _t: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LatestRankExec: inputs={}", self.input.output_partitioning().partition_count())
    }
}

impl ExecutionPlan for LatestRankExec {
    fn name(&self) -> &str {
        "LatestRankExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        InputDistributionRequirements::new(vec![Distribution::SinglePartition])
    }

    fn required_input_ordering(&self) -> Vec<Option<OrderingRequirements>> {
        vec![Some(OrderingRequirements::from(self.ordering.clone()))]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        for sort in self.ordering.iter() {
            if f(&sort.expr)? == TreeNodeRecursion::Stop {
                return Ok(TreeNodeRecursion::Stop);
            }
        }
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        match <[_; 1]>::try_from(children) {
            Ok([input]) => Ok(Arc::new(LatestRankExec::new(input, self.ordering.clone()))),
            Err(_) => internal_err!("LatestRankExec has one input"),
        }
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let input = self.input.execute(partition, context)?;
        Ok(Box::pin(LatestStream { input, last: None }))
    }
}

/// The key of the last row seen.
#[derive(Debug, PartialEq)]
struct LastKey {
    name: String,
    cluster: String,
    id: i64,
    time_ms: i64,
}

struct LatestStream {
    input: SendableRecordBatchStream,
    last: Option<LastKey>,
}

impl LatestStream {
    fn keep_first(&mut self, batch: &RecordBatch) -> Result<RecordBatch> {
        let rows = batch.num_rows();
        if rows == 0 {
            return Ok(batch.clone());
        }
        let column = |name: &str| {
            batch.column_by_name(name).ok_or_else(|| DataFusionError::Internal(format!("no column {name} to merge by")))
        };
        let (name, cluster) = (views(column("name")?)?, views(column("cluster")?)?);
        let (id, time) = (longs(column("series_id")?)?, longs(column("time_ms")?)?);
        let (ids, times) = (id.values(), time.values());
        let mut keep = BooleanBufferBuilder::new(rows);
        let first = LastKey {
            name: name.value(0).to_owned(),
            cluster: cluster.value(0).to_owned(),
            id: ids[0],
            time_ms: times[0],
        };
        keep.append(self.last.as_ref() != Some(&first));
        for row in 1..rows {
            let same = times[row] == times[row - 1]
                && ids[row] == ids[row - 1]
                && name.value(row) == name.value(row - 1)
                && cluster.value(row) == cluster.value(row - 1);
            keep.append(!same);
        }
        let end = rows - 1;
        self.last = Some(LastKey {
            name: name.value(end).to_owned(),
            cluster: cluster.value(end).to_owned(),
            id: ids[end],
            time_ms: times[end],
        });
        let keep = BooleanArray::new(keep.finish(), None);
        if keep.true_count() == rows { Ok(batch.clone()) } else { Ok(filter_record_batch(batch, &keep)?) }
    }
}

impl Stream for LatestStream {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let batch = match ready!(self.input.poll_next_unpin(cx)) {
            Some(Ok(batch)) => self.keep_first(&batch),
            other => return Poll::Ready(other),
        };
        Poll::Ready(Some(batch))
    }
}

impl RecordBatchStream for LatestStream {
    fn schema(&self) -> SchemaRef {
        self.input.schema()
    }
}
