//! Leaves out pieces of which a query has meanwhile learnt that they cannot help: those older than the newest rows that it
//! has found, where it asked for so many.

use std::sync::Arc;

use arrow::array::{ArrayRef, UInt64Array};
use arrow::datatypes::SchemaRef;
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::{Column, Result, ScalarValue};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr_common::physical_expr::{snapshot_generation, snapshot_physical_expr};
use datafusion::physical_optimizer::pruning::{PruningPredicate, PruningPredicateBuilder};

use super::view::View;

/// The conditions that were learnt, as far as they say something of the time.
pub(crate) struct Pruner {
    conditions: Vec<Learnt>,
    schema: SchemaRef,
    /// The name of the column that is the time of a row.
    time: String,
}

struct Learnt {
    condition: Arc<dyn PhysicalExpr>,
    generation: Option<u64>,
    predicate: Option<PruningPredicate>,
}

impl Pruner {
    /// Conditions on the columns of `schema`, which are columns of the view.
    pub(crate) fn new(conditions: &[Arc<dyn PhysicalExpr>], view: &View, schema: &SchemaRef) -> Self {
        let learnt = |condition: &Arc<dyn PhysicalExpr>| Learnt {
            condition: Arc::clone(condition),
            generation: None,
            predicate: None,
        };
        let source = view.table.time().0;
        let time = view.columns.iter().find(|column| column.source == source);
        Pruner {
            conditions: conditions.iter().map(learnt).collect(),
            schema: Arc::clone(schema),
            time: time.map_or(String::new(), |column| column.field.name().clone()),
        }
    }

    /// Whether rows between these times, in nanoseconds, may fulfil the conditions as they are now.
    ///
    /// # Errors
    /// DataFusion's, of conditions that cannot be evaluated.
    pub(crate) fn may_have_rows(&mut self, time: (i64, i64)) -> Result<bool> {
        for learnt in &mut self.conditions {
            let generation = snapshot_generation(&learnt.condition);
            if learnt.generation != Some(generation) {
                learnt.generation = Some(generation);
                let now = snapshot_physical_expr(Arc::clone(&learnt.condition))?;
                // What cannot be told by bounds prunes nothing.
                learnt.predicate =
                    PruningPredicateBuilder::new().with_file_schema(Arc::clone(&self.schema)).try_build(now).ok();
            }
            let bounds = TimeBounds { name: &self.time, time };
            if let Some(predicate) = &learnt.predicate
                && !predicate.prune(&bounds)?.contains(&true)
            {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// What is known of a piece.
struct TimeBounds<'a> {
    name: &'a str,
    time: (i64, i64),
}

impl TimeBounds<'_> {
    fn bound(&self, column: &Column, time: i64) -> Option<ArrayRef> {
        let scalar = ScalarValue::TimestampNanosecond(Some(time), Some("UTC".into()));
        (column.name == self.name).then(|| scalar.to_array().ok()).flatten()
    }
}

impl PruningStatistics for TimeBounds<'_> {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bound(column, self.time.0)
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bound(column, self.time.1)
    }

    fn num_containers(&self) -> usize {
        1
    }

    fn null_counts(&self, column: &Column) -> Option<ArrayRef> {
        // The time of a row is always known.
        (column.name == self.name).then(|| Arc::new(UInt64Array::from(vec![0])) as ArrayRef)
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        None
    }

    fn contained(
        &self,
        _column: &Column,
        _values: &std::collections::HashSet<ScalarValue>,
    ) -> Option<arrow::array::BooleanArray> {
        None
    }
}
