//! The plan node of a series scan.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, internal_err};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::coop::cooperative;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, SchedulingType};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties};

use super::super::batch::StepBatch;
use super::super::evaluate::{Evaluate, Series};
use super::super::labels::LabelSet;
use super::super::limits::Touched;
use super::super::node::{Batches, batches};
use super::super::scalars::{ScalarArg, Scalars};
use super::super::steps::{Looks, Samples};
use super::cursor::Cursor;
use super::histograms::TimeHistogram;
use super::{Made, Part};

/// Puts the samples of each series together and evaluates them at each step.
#[derive(Debug)]
pub(in super::super) struct SeriesScanExec {
    parts: Arc<[Part]>,
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
    pub(super) fn new(parts: Vec<Part>, looks: Looks, made: Made, touched: Arc<Touched>) -> Self {
        let schema = StepBatch::schema(looks.steps().count);
        let partitioning = Partitioning::UnknownPartitioning(parts.len().max(1));
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            partitioning,
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        let properties = Arc::new(properties.with_scheduling_type(SchedulingType::Cooperative));
        let metrics = ExecutionPlanMetricsSet::new();
        let Made { evaluate, scalars, inputs } = made;
        SeriesScanExec { parts: parts.into(), looks, evaluate, scalars, inputs, touched, properties, metrics }
    }
}

impl DisplayAs for SeriesScanExec {
    fn fmt_as(&self, _t: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let series: usize = self.parts.iter().map(|part| part.selected.series().len()).sum();
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
        let of_histograms = MemoryConsumer::new("native histograms").register(context.memory_pool());
        let mut cursors = Vec::new();
        for input in self.parts.get(partition).iter().flat_map(|part| &part.inputs) {
            cursors.push(Cursor::new(input.execute(0, Arc::clone(&context))?));
        }
        let mut inputs = Vec::with_capacity(self.inputs.len());
        for input in &self.inputs {
            inputs.push(Some(batches(input.execute(0, Arc::clone(&context))?)));
        }
        let scan = Scan {
            args: self.scalars.clone(),
            inputs,
            scalars: None,
            parts: Arc::clone(&self.parts),
            partition,
            looks: self.looks,
            evaluate: Arc::clone(&self.evaluate),
            touched: Arc::clone(&self.touched),
            cursors,
            histograms: None,
            context,
            samples: Samples::default(),
            reservation,
            of_histograms,
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
    parts: Arc<[Part]>,
    partition: usize,
    looks: Looks,
    evaluate: Arc<dyn Evaluate>,
    args: Vec<ScalarArg>,
    inputs: Vec<Option<Batches>>,
    /// The scalar arguments, once they are read.
    scalars: Option<Scalars>,
    touched: Arc<Touched>,
    cursors: Vec<Cursor>,
    /// The histograms of the series that were not given yet, once they are read.
    histograms: Option<BTreeMap<usize, Vec<TimeHistogram>>>,
    context: Arc<TaskContext>,
    samples: Samples,
    /// Of the samples and of the batch that is being filled.
    reservation: MemoryReservation,
    /// Of the histograms.
    of_histograms: MemoryReservation,
    baseline: BaselineMetrics,
}

impl Scan {
    /// The next batch; `None` at the end.
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        let parts = Arc::clone(&self.parts);
        let Some(part) = parts.get(self.partition) else { return Ok(None) };
        let scalars = match self.scalars.take() {
            Some(scalars) => scalars,
            None => Scalars::read(&self.args, &mut self.inputs).await?,
        };
        let mut batch = StepBatch::new(self.looks.steps().count);
        while !batch.is_full() {
            let Some(series) = self.gather(part).await? else { break };
            let timer = self.baseline.elapsed_compute().clone();
            let _timer = timer.timer();
            self.touched.add(self.samples.len())?;
            if !self.evaluate.wants_markers() {
                self.samples.drop_markers();
            }
            let labels = LabelSet::of(&part.selected.series()[series].key);
            let series = Series { labels: &labels, samples: &self.samples, looks: &self.looks, scalars: &scalars };
            let mut row = batch.push(labels.clone(), self.evaluate.drops_name());
            self.evaluate.row(series, &mut row)?;
            batch.pop_if_absent();
            self.reservation.try_resize(self.samples.memory_bytes() + batch.memory_bytes())?;
        }
        self.scalars = Some(scalars);
        if batch.is_empty() {
            return Ok(None);
        }
        let batch = batch.into_record_batch()?;
        self.baseline.record_output(batch.num_rows());
        Ok(Some(batch))
    }

    /// Puts the samples of the next series together; returns which of the selected ones it is.
    async fn gather(&mut self, part: &Part) -> Result<Option<usize>> {
        let mut histograms = match self.histograms.take() {
            Some(histograms) => histograms,
            None => part.histograms.read(&part.selected, &self.context, &self.of_histograms).await?,
        };
        let mut next = histograms.first_key_value().map(|(series, _)| *series);
        for cursor in &mut self.cursors {
            let series = cursor.peek(&part.selected).await?;
            next = [next, series].into_iter().flatten().min();
        }
        self.samples.clear();
        if let Some(of_series) = next.and_then(|series| histograms.remove(&series)) {
            self.samples.histograms = of_series;
        }
        self.histograms = Some(histograms);
        let Some(series) = next else { return Ok(None) };
        for cursor in &mut self.cursors {
            while cursor.peek(&part.selected).await? == Some(series) {
                cursor.take(series, &mut self.samples);
            }
        }
        // Inputs hold disjoint stretches of time, but for a few: the samples of each are in order, those of all seldom not.
        self.samples.sort();
        Ok(Some(series))
    }
}
