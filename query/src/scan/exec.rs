//! The plan node of a scan of series: flat rows below, the columns of `metrics` above.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::FieldRef;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, internal_err};
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::{Column, Literal};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr, ScalarFunctionExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties};
use futures::StreamExt;

use super::columns::{Assembler, LabelColumns, Output};
use super::label;

/// Makes the columns of `metrics` out of flat rows. Its text in EXPLAIN tells what was pushed down.
#[derive(Debug)]
pub(crate) struct SeriesColumnsExec {
    input: Arc<dyn ExecutionPlan>,
    assembler: Arc<Assembler>,
    /// What the selection came to, for EXPLAIN.
    summary: Arc<str>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl SeriesColumnsExec {
    /// Puts the columns of `assembler` on top of the flat rows of `input`.
    pub(crate) fn new(input: Arc<dyn ExecutionPlan>, assembler: Assembler, summary: Arc<str>) -> Self {
        let properties = Arc::new(PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(assembler.schema())),
            input.output_partitioning().clone(),
            EmissionType::Incremental,
            Boundedness::Bounded,
        ));
        let metrics = ExecutionPlanMetricsSet::new();
        SeriesColumnsExec { input, assembler: Arc::new(assembler), summary, properties, metrics }
    }

    /// The same scan with other columns.
    fn with_outputs(&self, outputs: Vec<(Output, FieldRef)>) -> Self {
        let (outputs, fields): (Vec<_>, Vec<_>) = outputs.into_iter().unzip();
        let labels = Arc::new(LabelColumns::new(Arc::clone(self.assembler.labels().selected()), &outputs));
        let assembler = Assembler::new(outputs, fields, labels);
        SeriesColumnsExec::new(Arc::clone(&self.input), assembler, Arc::clone(&self.summary))
    }

    /// The label asked for, if an expression over this node's columns is `label(labels, 'k')`.
    fn label_of(&self, expr: &Arc<dyn PhysicalExpr>) -> Option<String> {
        let call = expr.downcast_ref::<ScalarFunctionExpr>().filter(|call| call.name() == label::NAME)?;
        let [map, key] = call.args() else { return None };
        let column = map.downcast_ref::<Column>()?;
        let key = key.downcast_ref::<Literal>()?.value().try_as_str().flatten()?.to_owned();
        (self.assembler.outputs().get(column.index()) == Some(&Output::Labels)).then_some(key)
    }
}

impl DisplayAs for SeriesColumnsExec {
    fn fmt_as(&self, _t: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns: Vec<String> = self.assembler.outputs().iter().map(ToString::to_string).collect();
        write!(f, "SeriesColumnsExec: columns=[{}], {}", columns.join(", "), self.summary)
    }
}

impl ExecutionPlan for SeriesColumnsExec {
    fn name(&self) -> &str {
        "SeriesColumnsExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        // The scan below is split by rows already.
        vec![false]
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        let Ok([input]) = <[_; 1]>::try_from(children) else {
            return internal_err!("SeriesColumnsExec has one input");
        };
        let properties = PlanProperties::clone(&self.properties).with_partitioning(input.output_partitioning().clone());
        Ok(Arc::new(SeriesColumnsExec {
            input,
            assembler: Arc::clone(&self.assembler),
            summary: Arc::clone(&self.summary),
            properties: Arc::new(properties),
            metrics: ExecutionPlanMetricsSet::new(),
        }))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        // The columns are shared by all partitions and counted once, by the first.
        let reservation = MemoryConsumer::new("labels of the selected series").register(context.memory_pool());
        if partition == 0 {
            reservation.try_grow(self.assembler.labels().estimated_bytes())?;
        }
        let input = self.input.execute(partition, context)?;
        let assembler = Arc::clone(&self.assembler);
        let baseline = BaselineMetrics::new(&self.metrics, partition);
        let stream = input.map(move |batch| {
            let _held = &reservation;
            let timer = baseline.elapsed_compute().timer();
            let made = batch.and_then(|batch| assembler.assemble(&batch));
            timer.done();
            if let Ok(batch) = &made {
                baseline.record_output(batch.num_rows());
            }
            made
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(self.assembler.schema()), stream)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    /// Takes `label(labels, 'k')` over from a projection above it, so that the map is never built.
    fn try_swapping_with_projection(&self, projection: &ProjectionExec) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let mut found = false;
        for expr in projection.expr() {
            expr.expr.apply(|e| {
                found |= self.label_of(e).is_some();
                Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
            })?;
        }
        if !found {
            return Ok(None);
        }
        let mut outputs: Vec<(Output, FieldRef)> = Vec::new();
        let mut place = |output: Output, name: &str| {
            let at = outputs.iter().position(|(o, _)| *o == output).unwrap_or_else(|| {
                let field = output.field(name);
                outputs.push((output, field));
                outputs.len() - 1
            });
            Arc::new(Column::new(outputs[at].1.name(), at)) as Arc<dyn PhysicalExpr>
        };
        let mut rewritten = Vec::new();
        for expr in projection.expr() {
            let moved = Arc::clone(&expr.expr).transform_down(|e| {
                if let Some(label) = self.label_of(&e) {
                    let name = format!("labels[{label:?}]");
                    return Ok(Transformed::new(place(Output::Label(label), &name), true, TreeNodeRecursion::Jump));
                }
                let Some(column) = e.downcast_ref::<Column>() else { return Ok(Transformed::no(e)) };
                let Some(output) = self.assembler.outputs().get(column.index()) else {
                    return internal_err!("a projection asks for column {column} of a scan that lacks it");
                };
                let moved = place(output.clone(), column.name());
                Ok(Transformed::new(moved, true, TreeNodeRecursion::Jump))
            })?;
            rewritten.push(ProjectionExpr { expr: moved.data, alias: expr.alias.clone() });
        }
        let scan: Arc<dyn ExecutionPlan> = Arc::new(self.with_outputs(outputs));
        Ok(Some(Arc::new(ProjectionExec::try_new(rewritten, scan)?)))
    }
}
