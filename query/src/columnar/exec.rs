//! The plan node that reads `logs` and `spans`: pieces of blocks and of the head, each stage by stage.

use std::fmt;
use std::sync::Arc;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::{and, filter_record_batch};
use arrow::error::ArrowError;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result, internal_err};
use datafusion::config::ConfigOptions;
use datafusion::datasource::physical_plan::parquet::ParquetFileMetrics;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::coop::cooperative;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, SchedulingType};
use datafusion::physical_plan::filter_pushdown::{
    ChildPushdownResult, FilterPushdownPhase, FilterPushdownPropagation, PushedDown,
};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricBuilder, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties};
use futures::stream::{self, BoxStream, StreamExt};
use object_store::ObjectStore;
use object_store::path::Path;
use parquet::arrow::arrow_reader::{
    ArrowPredicate, ArrowPredicateFn, ArrowReaderMetadata, ArrowReaderOptions, RowFilter,
};
use parquet::arrow::{ParquetRecordBatchStreamBuilder, ProjectionMask};
use parquet::file::metadata::ParquetMetaData;
use storage::snapshot::HeadColumns;

use super::pieces::{self, Piece, PieceRows, Queue};
use super::prune::Pruner;
use super::stages::{self, Columns, Stage};
use super::view::View;
use crate::error::external;
use crate::scan::inputs::{SelectedBlock, location};
use crate::scan::pages;
use crate::scan::reader::BlockReader;

/// What a scan reads from.
#[derive(Debug)]
pub(crate) struct Inputs {
    pub(crate) view: &'static View,
    pub(crate) blocks: Vec<SelectedBlock>,
    /// How many blocks there were to choose from.
    pub(crate) considered: usize,
    pub(crate) heads: Vec<HeadColumns>,
    pub(crate) store: Arc<dyn ObjectStore>,
    /// The folder of the table in the store.
    pub(crate) folder: Path,
}

/// Reads rows of `logs` or `spans`.
#[derive(Debug)]
pub(crate) struct ColumnarExec {
    inputs: Arc<Inputs>,
    output: Columns,
    /// Conditions that rows must fulfil.
    stages: Arc<[Stage]>,
    /// Conditions that operators above learn while they run; rows that do not fulfil them are of no use.
    dynamic: Vec<Arc<dyn PhysicalExpr>>,
    queue: Arc<Queue>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl ColumnarExec {
    /// A scan of these columns, split into `partitions`. If `newest_first`, few of the newest rows may be enough.
    pub(crate) fn new(
        inputs: Arc<Inputs>,
        output: Columns,
        stages: Vec<Stage>,
        partitions: usize,
        newest_first: bool,
    ) -> Self {
        let pieces = pieces::of(inputs.view, &inputs.blocks, &inputs.heads, newest_first);
        let partitions = partitions.min(pieces.len()).max(1);
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(output.schema())),
            Partitioning::UnknownPartitioning(partitions),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        ColumnarExec {
            inputs,
            output,
            stages: stages::in_order(stages).into(),
            dynamic: Vec::new(),
            queue: Arc::new(Queue::new(pieces)),
            properties: Arc::new(properties.with_scheduling_type(SchedulingType::Cooperative)),
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }

    /// The same, with conditions that are learnt while it runs.
    fn with_dynamic(&self, learnt: Vec<Arc<dyn PhysicalExpr>>) -> Result<Self> {
        let (view, schema) = (self.inputs.view, self.output.schema());
        let mut stages = self.stages.to_vec();
        for condition in &learnt {
            stages.push(Stage::new(view, condition, schema)?);
        }
        let pieces = pieces::of(view, &self.inputs.blocks, &self.inputs.heads, true);
        Ok(ColumnarExec {
            inputs: Arc::clone(&self.inputs),
            output: self.output.clone(),
            stages: stages::in_order(stages).into(),
            dynamic: self.dynamic.iter().cloned().chain(learnt).collect(),
            queue: Arc::new(Queue::new(pieces)),
            properties: Arc::clone(&self.properties),
            metrics: ExecutionPlanMetricsSet::new(),
        })
    }
}

impl DisplayAs for ColumnarExec {
    fn fmt_as(&self, _t: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inputs { view, blocks, considered, heads, .. } = &*self.inputs;
        let rows: usize = blocks.iter().map(|block| block.rows.selected()).sum();
        let total: usize = blocks.iter().map(|block| block.rows.total()).sum();
        let head_rows: usize = heads.iter().map(HeadColumns::rows).sum();
        let columns: Vec<&str> = self.output.schema().fields().iter().map(|field| field.name().as_str()).collect();
        let stages: Vec<String> = self.stages.iter().map(ToString::to_string).collect();
        write!(
            f,
            "ColumnarExec: table={}, blocks={}/{considered}, rows={rows}/{total}, head_rows={head_rows}, pieces={}, \
             columns=[{}], conditions=[{}]",
            view.table.name(),
            blocks.len(),
            self.queue.pieces().len(),
            columns.join(", "),
            stages.join(", "),
        )
    }
}

impl ExecutionPlan for ColumnarExec {
    fn name(&self) -> &str {
        "ColumnarExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        for condition in &self.dynamic {
            if f(condition)? == TreeNodeRecursion::Stop {
                return Ok(TreeNodeRecursion::Stop);
            }
        }
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        if children.is_empty() { Ok(self) } else { internal_err!("ColumnarExec has no input") }
    }

    /// Takes what operators above learn while they run: the newest so far of a `LIMIT`, the keys of a join.
    fn handle_child_pushdown_result(
        &self,
        phase: FilterPushdownPhase,
        pushed: ChildPushdownResult,
        _config: &ConfigOptions,
    ) -> Result<FilterPushdownPropagation<Arc<dyn ExecutionPlan>>> {
        // What is known before it runs has come with the scan, but for what must be asked once for each row.
        if phase != FilterPushdownPhase::Post {
            return Ok(FilterPushdownPropagation::all_unsupported(pushed));
        }
        let filters: Vec<_> = pushed.parent_filters.into_iter().map(|parent| parent.filter).collect();
        // Who asks keeps them: it has to check the rows itself.
        let answers = vec![PushedDown::No; filters.len()];
        let propagation = FilterPushdownPropagation::with_parent_pushdown_result(answers);
        if filters.is_empty() {
            return Ok(propagation);
        }
        Ok(propagation.with_updated_node(Arc::new(self.with_dynamic(filters)?)))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let task = Task {
            inputs: Arc::clone(&self.inputs),
            output: self.output.clone(),
            stages: Arc::clone(&self.stages),
            batch_rows: context.session_config().batch_size(),
            partition,
            metrics: self.metrics.clone(),
        };
        let reader = self.queue.begin(partition);
        let mut pruner = Pruner::new(&self.dynamic, self.inputs.view, self.output.schema());
        let skipped = MetricBuilder::new(&self.metrics).counter("pieces_skipped", partition);
        let baseline = BaselineMetrics::new(&self.metrics, partition);
        let schema = Arc::clone(self.output.schema());
        let batches = stream::iter(std::iter::from_fn(move || {
            loop {
                let piece = reader.next()?;
                match pruner.may_have_rows(piece.time) {
                    Ok(true) => return Some(Ok(task.open(piece))),
                    Ok(false) => skipped.add(1),
                    Err(error) => return Some(Err(error)),
                }
            }
        }));
        let batches = batches.flat_map(|opened| match opened {
            Ok(batches) => batches,
            Err(error) => stream::once(async { Err(error) }).boxed(),
        });
        let counted = batches.map(move |batch| {
            if let Ok(batch) = &batch {
                baseline.record_output(batch.num_rows());
            }
            batch
        });
        Ok(Box::pin(cooperative(RecordBatchStreamAdapter::new(schema, counted))))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}

/// Reads pieces for one partition.
struct Task {
    inputs: Arc<Inputs>,
    output: Columns,
    stages: Arc<[Stage]>,
    batch_rows: usize,
    partition: usize,
    metrics: ExecutionPlanMetricsSet,
}

type Batches = BoxStream<'static, Result<RecordBatch>>;

impl Task {
    fn open(&self, piece: &Piece) -> Batches {
        match &piece.rows {
            PieceRows::Head { columns, rows } => {
                let (columns, stages, output) = (columns.clone(), Arc::clone(&self.stages), self.output.clone());
                let parts = rows.clone().step_by(self.batch_rows.max(1)).map({
                    let (end, size) = (rows.end, self.batch_rows.max(1));
                    move |start| start..end.min(start + size)
                });
                let read = parts.map(move |rows| head_rows(&columns, rows, &stages, &output));
                stream::iter(read.filter_map(Result::transpose)).boxed()
            }
            PieceRows::Block { path, footer, group, rows } => match self.block(path, footer, *group, rows) {
                Ok(batches) => batches,
                Err(error) => stream::once(async { Err(error) }).boxed(),
            },
        }
    }

    fn block(
        &self,
        path: &str,
        footer: &Arc<ParquetMetaData>,
        group: usize,
        rows: &[std::ops::Range<usize>],
    ) -> Result<Batches> {
        let view = self.inputs.view;
        let path = location(&self.inputs.folder, path)?;
        let reader = BlockReader {
            metrics: ParquetFileMetrics::new(self.partition, path.as_ref(), &self.metrics),
            store: Arc::clone(&self.inputs.store),
            footer: Arc::clone(footer),
            path,
        };
        let options = ArrowReaderOptions::new().with_schema(view.table.read_schema());
        let metadata = ArrowReaderMetadata::try_new(Arc::clone(footer), options)?;
        let parquet = footer.file_metadata().schema_descr();
        let mask = |columns: &Columns| ProjectionMask::roots(parquet, columns.physical().iter().copied());
        let predicates = self.stages.iter().map(|stage| {
            let (stage, mask) = (stage.clone(), mask(&stage.columns));
            let check =
                move |read: RecordBatch| stage.mask(&read).map_err(|error| ArrowError::ExternalError(Box::new(error)));
            Box::new(ArrowPredicateFn::new(mask, check)) as Box<dyn ArrowPredicate>
        });
        let count = usize::try_from(footer.row_group(group).num_rows()).unwrap_or(0);
        let stream = ParquetRecordBatchStreamBuilder::new_with_metadata(reader, metadata)
            .with_batch_size(self.batch_rows)
            .with_row_groups(vec![group])
            .with_row_selection(pages::selection(rows, count))
            .with_row_filter(RowFilter::new(predicates.collect()))
            .with_projection(mask(&self.output))
            .build()?;
        let output = self.output.clone();
        Ok(stream.map(move |read| output.convert(&read.map_err(DataFusionError::from)?)).boxed())
    }
}

/// The rows of the head that fulfil all conditions.
fn head_rows(
    columns: &HeadColumns,
    rows: std::ops::Range<usize>,
    stages: &[Stage],
    output: &Columns,
) -> Result<Option<RecordBatch>> {
    let mut kept: Option<BooleanArray> = None;
    for stage in stages {
        let read = columns.read(stage.columns.physical(), rows.clone()).map_err(external)?;
        let mask = stage.mask(&read)?;
        let both = match &kept {
            Some(kept) => and(kept, &mask)?,
            None => mask,
        };
        if both.true_count() == 0 {
            return Ok(None);
        }
        kept = Some(both);
    }
    let read = columns.read(output.physical(), rows).map_err(external)?;
    let batch = output.convert(&read)?;
    Ok(Some(match kept {
        Some(kept) => filter_record_batch(&batch, &kept)?,
        None => batch,
    }))
}
