//! Ends queries whose operators do not stop by themselves.
//!
//! A query is ended by aborting its task, which works only where the task yields. Joins may go on for hours between two
//! batches of their inputs: one batch of the probe side meets every row of the build side. So each pass of a join's
//! condition over a chunk of pairs asks whether the query is over ([`Halt::watch_joins`]), and a join yields after some
//! batches of its output (`yielding_joins`). Functions of PromQL over long windows ask by themselves ([`Halt::check`]).

use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::logical_expr::{
    ColumnarValue, LogicalPlan, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::joins::{CrossJoinExec, HashJoinExec, NestedLoopJoinExec, SortMergeJoinExec};
use model::ErrorKind;

use crate::error::external;

/// Whether a query is over: its time is up, or nobody waits for its answer any more. Cloning shares it.
#[derive(Debug, Clone)]
pub(crate) struct Halt(Arc<State>);

#[derive(Debug)]
struct State {
    deadline: Instant,
    told: AtomicBool,
}

impl Halt {
    /// A query that is over at `deadline`, if it is not told earlier.
    pub(crate) fn at(deadline: Instant) -> Self {
        Halt(Arc::new(State { deadline, told: AtomicBool::new(false) }))
    }

    /// The query is over now.
    pub(crate) fn now(&self) {
        self.0.told.store(true, Ordering::Relaxed);
    }

    /// Nothing, as long as the query is not over.
    ///
    /// # Errors
    /// `Timeout`, carried through DataFusion, once it is.
    pub(crate) fn check(&self) -> Result<()> {
        match self.is_over() {
            false => Ok(()),
            true => {
                Err(external(model::Error::new(ErrorKind::Timeout, "the query was ended in the middle of an operator")))
            }
        }
    }

    fn is_over(&self) -> bool {
        self.0.told.load(Ordering::Relaxed) || Instant::now() >= self.0.deadline
    }

    /// Makes the condition of every join fail once the query is over. For an optimised plan: nothing looks behind the
    /// function that does this, so no condition could be moved or taken apart any more.
    ///
    /// # Errors
    /// DataFusion's, if the plan cannot be walked.
    pub(crate) fn watch_joins(&self, plan: LogicalPlan) -> Result<LogicalPlan> {
        let unless_over = Arc::new(ScalarUDF::new_from_impl(UnlessOver { halt: self.clone(), signature: signature() }));
        let watched = plan.transform_down_with_subqueries(|node| match node {
            LogicalPlan::Join(mut join) => {
                let filter = join.filter.take();
                let is_watched = filter.is_some();
                join.filter = filter.map(|condition| unless_over.call(vec![condition]));
                let join = LogicalPlan::Join(join);
                Ok(if is_watched { Transformed::yes(join) } else { Transformed::no(join) })
            }
            other => Ok(Transformed::no(other)),
        })?;
        Ok(watched.data)
    }
}

/// Makes every join yield to the runtime after some batches of its output.
///
/// # Errors
/// DataFusion's, if the plan cannot be walked.
pub(crate) fn yielding_joins(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let yielding = plan.transform_up(|node| {
        let is_join = node.is::<NestedLoopJoinExec>()
            || node.is::<CrossJoinExec>()
            || node.is::<HashJoinExec>()
            || node.is::<SortMergeJoinExec>();
        Ok(if is_join { Transformed::yes(Arc::new(CooperativeExec::new(node)) as _) } else { Transformed::no(node) })
    })?;
    Ok(yielding.data)
}

fn signature() -> Signature {
    Signature::exact(vec![DataType::Boolean], Volatility::Volatile)
}

/// Its argument, as long as the query is not over.
#[derive(Debug)]
struct UnlessOver {
    halt: Halt,
    signature: Signature,
}

impl PartialEq for UnlessOver {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.halt.0, &other.halt.0)
    }
}

impl Eq for UnlessOver {}

impl Hash for UnlessOver {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.halt.0).hash(state);
    }
}

impl ScalarUDFImpl for UnlessOver {
    fn name(&self) -> &str {
        "unless_over"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _args: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, mut args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        self.halt.check()?;
        Ok(args.args.swap_remove(0))
    }
}
