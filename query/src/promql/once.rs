//! A scalar argument for several partitions: evaluated once, given to each.
//!
//! Each partition of an operator wants the whole of the argument. Executed again for each, its scans would be read and counted
//! again, and not even be whole: the files of a DataFusion scan are a queue that all its executions share.

use std::fmt;
use std::sync::{Arc, OnceLock};

use arrow::array::RecordBatch;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{Distribution, PhysicalExpr};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, InputDistributionRequirements, PlanProperties,
};
use futures::future::{BoxFuture, Shared};
use futures::{FutureExt, StreamExt, TryFutureExt, TryStreamExt};

/// All batches of the input, as everybody who wants them waits for them.
type Read = Shared<BoxFuture<'static, Result<Arc<[RecordBatch]>, Arc<DataFusionError>>>>;

/// Executes its input once, however often it is executed itself.
pub(super) struct OnceExec {
    input: Arc<dyn ExecutionPlan>,
    read: OnceLock<Read>,
}

impl OnceExec {
    /// The scalar arguments of an operator with so many partitions.
    pub(super) fn wrap(inputs: Vec<Arc<dyn ExecutionPlan>>, partitions: usize) -> Vec<Arc<dyn ExecutionPlan>> {
        let wrapped = |input| -> Arc<dyn ExecutionPlan> { Arc::new(OnceExec { input, read: OnceLock::new() }) };
        if partitions == 1 { inputs } else { inputs.into_iter().map(wrapped).collect() }
    }
}

impl fmt::Debug for OnceExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnceExec").field("input", &self.input).finish_non_exhaustive()
    }
}

impl DisplayAs for OnceExec {
    fn fmt_as(&self, _t: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnceExec: for all partitions")
    }
}

impl ExecutionPlan for OnceExec {
    fn name(&self) -> &str {
        "OnceExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
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
        let Ok([input]) = <[_; 1]>::try_from(children) else { return internal_err!("OnceExec has one input") };
        Ok(Arc::new(OnceExec { input, read: OnceLock::new() }))
    }

    fn execute(&self, _partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let input = Arc::clone(&self.input);
        let begin = || {
            let all = async move { input.execute(0, context)?.try_collect::<Vec<_>>().await };
            all.map_ok(Arc::from).map_err(Arc::new).boxed().shared()
        };
        let read = self.read.get_or_init(begin).clone();
        let batches = futures::stream::once(read).flat_map(|read| {
            let batches = match read {
                Ok(batches) => batches.iter().cloned().map(Ok).collect(),
                Err(error) => vec![Err(DataFusionError::Shared(error))],
            };
            futures::stream::iter(batches)
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), batches)))
    }
}
