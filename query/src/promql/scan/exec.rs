//! The plan node of a series scan.

use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, internal_err};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{Distribution, PhysicalExpr};
use datafusion::physical_plan::coop::cooperative;
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, InputDistributionRequirements, PlanProperties,
};
use promql::presence::Presence;

use super::super::batch::{RowMut, StepBatch};
use super::super::cells::Cells;
use super::super::evaluate::{Evaluate, Series};
use super::super::labels::LabelSet;
use super::super::limits::Touched;
use super::super::node::{Batches, batches, properties};
use super::super::once::OnceExec;
use super::super::replicas::{Replica, Seen};
use super::super::scalars::{ScalarArg, Scalars};
use super::super::steps::Looks;
use super::gather::Gather;
use super::merging::Merging;
use super::{Made, Part};

/// Puts the samples of each series together and evaluates them at each step.
#[derive(Debug)]
pub(in super::super) struct SeriesScanExec {
    parts: Arc<[Part]>,
    /// Where replicas become one series, if there are any.
    merging: Option<Arc<Merging<Replica>>>,
    looks: Looks,
    evaluate: Arc<dyn Evaluate>,
    /// The scalar arguments, and the inputs that some of them are.
    scalars: Vec<ScalarArg>,
    inputs: Vec<Arc<dyn ExecutionPlan>>,
    touched: Arc<Touched>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl SeriesScanExec {
    /// How many series there are.
    pub(in super::super) fn series(&self) -> usize {
        self.parts.iter().map(|part| part.selected.series().len()).sum()
    }

    pub(super) fn new(
        parts: Vec<Part>,
        merging: Option<Arc<Merging<Replica>>>,
        looks: Looks,
        made: Made,
        touched: Arc<Touched>,
    ) -> Self {
        let partitions = parts.len().max(1);
        let properties = properties(StepBatch::schema(looks.steps().count), partitions);
        let metrics = ExecutionPlanMetricsSet::new();
        let Made { evaluate, scalars, inputs } = made;
        let inputs = OnceExec::wrap(inputs, partitions);
        SeriesScanExec { parts: parts.into(), merging, looks, evaluate, scalars, inputs, touched, properties, metrics }
    }
}

impl DisplayAs for SeriesScanExec {
    fn fmt_as(&self, _t: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let series = self.series();
        let inputs: usize = self.parts.iter().map(|part| part.inputs.len()).sum();
        let steps = self.looks.steps();
        let (first, last) = (self.looks.time_ms(0), self.looks.time_ms(steps.count - 1));
        write!(
            f,
            "SeriesScanExec: {}, series={series}, inputs={inputs}, steps={}, looks from {first} ms to {last} ms",
            self.evaluate, steps.count
        )
    }
}

impl ExecutionPlan for SeriesScanExec {
    fn name(&self) -> &str {
        "SeriesScanExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    /// The scalar arguments. Rows of samples are not shown: they are no step batches, and each input belongs to one part.
    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.inputs.iter().collect()
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        InputDistributionRequirements::new(vec![Distribution::SinglePartition; self.inputs.len()])
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

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        if children.len() != self.inputs.len() {
            return internal_err!("SeriesScanExec has {} inputs, not {}", self.inputs.len(), children.len());
        }
        Ok(Arc::new(SeriesScanExec {
            parts: Arc::clone(&self.parts),
            merging: self.merging.clone(),
            looks: self.looks,
            evaluate: Arc::clone(&self.evaluate),
            scalars: self.scalars.clone(),
            inputs: children,
            touched: Arc::clone(&self.touched),
            properties: Arc::clone(&self.properties),
            metrics: ExecutionPlanMetricsSet::new(),
        }))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let baseline = BaselineMetrics::new(&self.metrics, partition);
        let reservation = MemoryConsumer::new("the samples of a series").register(context.memory_pool());
        let mut inputs = Vec::with_capacity(self.inputs.len());
        for input in &self.inputs {
            inputs.push(Some(batches(input.execute(0, Arc::clone(&context))?)));
        }
        let scan = Scan {
            args: self.scalars.clone(),
            inputs,
            scalars: None,
            gather: Gather::start(Arc::clone(&self.parts), partition, Arc::clone(&self.touched), Arc::clone(&context)),
            merging: self.merging.clone(),
            left: None,
            context,
            looks: self.looks,
            evaluate: Arc::clone(&self.evaluate),
            reservation,
            baseline,
        };
        let batches =
            futures::stream::try_unfold(scan, async |mut scan| Ok(scan.next().await?.map(|batch| (batch, scan))));
        Ok(Box::pin(cooperative(RecordBatchStreamAdapter::new(self.schema(), Box::pin(batches)))))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}

/// The scan of one part.
struct Scan {
    gather: Gather,
    merging: Option<Arc<Merging<Replica>>>,
    /// What was left to be merged, once all series of the part have been read.
    left: Option<Vec<(LabelSet, Vec<Replica>)>>,
    context: Arc<TaskContext>,
    looks: Looks,
    evaluate: Arc<dyn Evaluate>,
    args: Vec<ScalarArg>,
    inputs: Vec<Option<Batches>>,
    /// The scalar arguments, once they are read.
    scalars: Option<Scalars>,
    /// Of the samples and of the batch that is being filled.
    reservation: MemoryReservation,
    baseline: BaselineMetrics,
}

impl Scan {
    /// The next batch; `None` at the end.
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        let scalars = match self.scalars.take() {
            Some(scalars) => scalars,
            None => Scalars::read(&self.args, &mut self.inputs).await?,
        };
        let mut batch = StepBatch::new(self.looks.steps().count);
        while !batch.is_full() {
            let next = if self.left.is_some() { None } else { self.gather.next().await? };
            let Some(labels) = next else {
                let Some(merging) = &self.merging else { break };
                let Some((labels, replicas)) = merging.next_left(&mut self.left) else { break };
                merging.merge(labels, replicas, self.evaluate.drops_name(), &mut batch);
                continue;
            };
            let timer = self.baseline.elapsed_compute().clone();
            let _timer = timer.timer();
            let samples = &mut self.gather.samples;
            if !self.evaluate.wants_markers() {
                samples.drop_markers();
            }
            let series = Series { labels: &labels, samples, looks: &self.looks, scalars: &scalars };
            match self.merging.as_ref().and_then(|merging| Some((merging, merging.split(&labels)?))) {
                None => {
                    let mut row = batch.push(labels.clone(), self.evaluate.drops_name());
                    self.evaluate.row(series, &mut row)?;
                    batch.pop_if_absent();
                }
                Some((merging, (common, name))) => {
                    let replica = replica(series, name, &*self.evaluate)?;
                    if let Some(all) = merging.bring(&common, replica, &self.context)? {
                        merging.merge(common, all, self.evaluate.drops_name(), &mut batch);
                    }
                }
            }
            batch.count();
            self.reservation.try_resize(self.gather.samples.memory_bytes() + batch.memory_bytes())?;
        }
        self.scalars = Some(scalars);
        if batch.is_empty() {
            return Ok(None);
        }
        let batch = batch.into_record_batch()?;
        self.baseline.record_output(batch.num_rows());
        Ok(Some(batch))
    }
}

/// What a replica has at each step.
fn replica(series: Series<'_>, name: String, evaluate: &dyn Evaluate) -> Result<Replica> {
    let steps = series.looks.steps().count;
    let mut replica = Replica {
        name,
        values: vec![0.0; steps],
        present: Presence::none(steps),
        histograms: Cells::new(),
        seen: Seen::at_each_step(series.samples, series.looks, evaluate.range_ms()),
    };
    let Replica { values, present, histograms, .. } = &mut replica;
    evaluate.row(series, &mut RowMut { values, present, histograms })?;
    Ok(replica)
}
