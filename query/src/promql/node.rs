//! Operators of PromQL as plan nodes: each says what it makes of the step batches of its inputs, and this is the rest.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, internal_err};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{Distribution, EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, SchedulingType};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, InputDistributionRequirements, Partitioning,
    PlanProperties,
};
use futures::{Stream, StreamExt, TryFutureExt, TryStreamExt};

use super::batch::StepBatch;
use super::once::OnceExec;
use super::scalars::{ScalarArg, Scalars};

/// Step batches as they are made.
pub(crate) type Batches = Pin<Box<dyn Stream<Item = Result<StepBatch>> + Send>>;

/// What an operator makes of its inputs. Its text is shown by EXPLAIN.
pub(crate) trait Operator: fmt::Debug + fmt::Display + Send + Sync + 'static {
    /// The operator's name, for EXPLAIN.
    fn name(&self) -> &'static str;

    /// Whether it works on each batch of its first input by itself, so that the parts of that need not meet. All other inputs
    /// are scalars.
    fn is_local(&self) -> bool;

    /// Whether it holds all series of its inputs at the same time, with their values.
    fn gathers(&self) -> bool {
        !self.is_local()
    }

    /// Whether no input may begin to work before the one before it has ended.
    fn takes_turns(&self) -> bool {
        false
    }

    /// Starts it. `memory` counts what it holds.
    fn run(self: Arc<Self>, inputs: Vec<Option<Batches>>, memory: MemoryReservation) -> Batches;
}

/// An operator over inputs.
#[derive(Debug)]
pub(crate) struct Node {
    operator: Arc<dyn RunOperator>,
    inputs: Vec<Arc<dyn ExecutionPlan>>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

/// [`Operator`] without its type.
trait RunOperator: Operator {
    fn start(self: Arc<Self>, inputs: Vec<Option<Batches>>, memory: MemoryReservation) -> Batches;
}

impl<O: Operator> RunOperator for O {
    fn start(self: Arc<Self>, inputs: Vec<Option<Batches>>, memory: MemoryReservation) -> Batches {
        self.run(inputs, memory)
    }
}

impl Node {
    /// An operator that makes batches with so many steps.
    pub(crate) fn plan(
        operator: impl Operator,
        inputs: Vec<Arc<dyn ExecutionPlan>>,
        steps: usize,
    ) -> Arc<dyn ExecutionPlan> {
        let is_local = operator.is_local();
        let joined = |(number, input): (usize, Arc<dyn ExecutionPlan>)| -> Arc<dyn ExecutionPlan> {
            match (is_local && number == 0) || input.output_partitioning().partition_count() == 1 {
                true => input,
                // Runs the parts beside each other.
                false => Arc::new(CoalescePartitionsExec::new(input)),
            }
        };
        let mut inputs: Vec<_> = inputs.into_iter().enumerate().map(joined).collect();
        if let Some(first) = inputs.first().filter(|_| is_local) {
            let partitions = first.output_partitioning().partition_count();
            let scalars = inputs.split_off(1);
            inputs.extend(OnceExec::wrap(scalars, partitions));
        }
        Arc::new(Self::new(Arc::new(operator), inputs, steps))
    }

    /// See [`Operator::gathers`].
    pub(super) fn gathers(&self) -> bool {
        self.operator.gathers()
    }

    /// Whether it makes less of its inputs than they are, batch by batch.
    pub(super) fn folds(&self) -> bool {
        !self.operator.gathers() && !self.operator.is_local()
    }

    fn new(operator: Arc<dyn RunOperator>, inputs: Vec<Arc<dyn ExecutionPlan>>, steps: usize) -> Self {
        let partitions = match inputs.as_slice() {
            [input, ..] if operator.is_local() => input.output_partitioning().partition_count(),
            _ => 1,
        };
        let properties = properties(StepBatch::schema(steps), partitions);
        Node { operator, inputs, properties, metrics: ExecutionPlanMetricsSet::new() }
    }
}

impl DisplayAs for Node {
    fn fmt_as(&self, _t: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.operator.name(), self.operator)
    }
}

impl ExecutionPlan for Node {
    fn name(&self) -> &str {
        self.operator.name()
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.inputs.iter().collect()
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        let required = |number: usize| match self.operator.is_local() && number == 0 {
            true => Distribution::UnspecifiedDistribution,
            false => Distribution::SinglePartition,
        };
        InputDistributionRequirements::new((0..self.inputs.len()).map(required).collect())
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false; self.inputs.len()]
    }

    fn apply_expressions(
        &self,
        _f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, inputs: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        if inputs.len() != self.inputs.len() {
            return internal_err!("{} has {} inputs, not {}", self.name(), self.inputs.len(), inputs.len());
        }
        let steps = steps_of(&self.schema())?;
        Ok(Arc::new(Node::new(Arc::clone(&self.operator), inputs, steps)))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let memory = MemoryConsumer::new(self.operator.name()).register(context.memory_pool());
        let mut inputs = Vec::with_capacity(self.inputs.len());
        for input in &self.inputs {
            let of_input = if input.output_partitioning().partition_count() == 1 { 0 } else { partition };
            inputs.push(Some(match self.operator.takes_turns() {
                true => once_asked(Arc::clone(input), of_input, Arc::clone(&context)),
                false => batches(input.execute(of_input, Arc::clone(&context))?),
            }));
        }
        let baseline = BaselineMetrics::new(&self.metrics, partition);
        let made = Arc::clone(&self.operator).start(inputs, memory);
        let made = made.map(move |batch| {
            let batch = batch?.into_record_batch()?;
            baseline.record_output(batch.num_rows());
            Ok(batch)
        });
        // Its leaves yield, which is enough: were every operator to take its share of what a task may do at once, more levels
        // than there are shares would come to nothing, for ever.
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), made)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}

/// What is said of a plan node that gives batches in no order as it makes them.
pub(super) fn properties(schema: SchemaRef, partitions: usize) -> Arc<PlanProperties> {
    let (equivalence, partitioning) =
        (EquivalenceProperties::new(schema), Partitioning::UnknownPartitioning(partitions));
    let properties = PlanProperties::new(equivalence, partitioning, EmissionType::Incremental, Boundedness::Bounded);
    Arc::new(properties.with_scheduling_type(SchedulingType::Cooperative))
}

fn steps_of(schema: &arrow::datatypes::Schema) -> Result<usize> {
    match schema.field_with_name("floats")?.data_type() {
        arrow::datatypes::DataType::FixedSizeList(_, steps) => Ok(*steps as usize),
        other => internal_err!("step batches with floats as {other}"),
    }
}

/// A stream of record batches as step batches.
pub(crate) fn batches(stream: SendableRecordBatchStream) -> Batches {
    Box::pin(stream.map(|batch| StepBatch::from_record_batch(&batch?)))
}

/// The step batches of a plan that is started when the first of them is asked for.
fn once_asked(plan: Arc<dyn ExecutionPlan>, partition: usize, context: Arc<TaskContext>) -> Batches {
    let started = async move { Ok(batches(plan.execute(partition, context)?)) };
    Box::pin(started.try_flatten_stream())
}

/// The input with this number, which nobody else takes then.
pub(crate) fn take(inputs: &mut [Option<Batches>], number: usize) -> Option<Batches> {
    inputs.get_mut(number).and_then(Option::take)
}

/// All batches of a stream as one; what it takes is counted.
///
/// # Errors
/// Those of the stream, and `ResourcesExhausted` if the memory does not suffice.
pub(crate) async fn collect(input: Option<Batches>, steps: usize, memory: &MemoryReservation) -> Result<StepBatch> {
    let mut all = StepBatch::new(steps);
    let Some(mut input) = input else { return Ok(all) };
    while let Some(batch) = input.try_next().await? {
        memory.try_grow(batch.memory_bytes())?;
        batch.rows().for_each(|row| all.push_row(row));
    }
    Ok(all)
}

/// A stream that works something out first.
pub(crate) fn once(made: impl Future<Output = Result<StepBatch>> + Send + 'static) -> Batches {
    Box::pin(futures::stream::once(made).try_filter(|batch| std::future::ready(!batch.is_empty())))
}

/// Changes each batch of the first input; `scalars` are read first.
pub(crate) fn each<F>(mut inputs: Vec<Option<Batches>>, scalars: Vec<ScalarArg>, mut change: F) -> Batches
where
    F: FnMut(StepBatch, &Scalars) -> Result<StepBatch> + Send + 'static,
{
    let Some(input) = take(&mut inputs, 0) else { return Box::pin(futures::stream::empty()) };
    let changed = async move {
        let scalars = Scalars::read(&scalars, &mut inputs).await?;
        Ok(input.map(move |batch| change(batch?, &scalars)))
    };
    let changed = changed.try_flatten_stream();
    Box::pin(changed.try_filter(|batch| std::future::ready(!batch.is_empty())))
}
