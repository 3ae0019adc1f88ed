//! `promql('expression', start, end, step)` in SQL: the values of an expression as a table.
//!
//! Owns: the function, what its arguments may be, the rows that step batches become.
//! Does not own: how the expression is planned and run (`planner`, `node`), which rows of the table are wanted: DataFusion
//! filters, joins and sorts them as those of any other table.
//!
//! Table functions are called while a statement is planned and cannot wait. So the call only reads the expression, and the
//! table plans it when it is scanned: as a part of the plan of the statement, within its memory, its time and its samples.

mod arguments;
mod rows;
mod unrolled;

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use model::{Cluster, Error, ErrorKind};
use parking_lot::Mutex;

use self::rows::{Form, RowsExec};
use super::limits::Touched;
use super::planner;
use super::question::{Failure, Question};
use super::remarks::Annotations;
use crate::config::Config;
use crate::error::external;
use crate::params::Params;
use crate::run::Halt;
use crate::scan::columns::Output;
use crate::source::Source;

/// The name of the function in SQL.
pub(crate) const TABLE_FUNCTION: &str = "promql";
/// Levels of an expression, and of all in one statement. DataFusion's optimizer takes time that grows with the square of them,
/// and nothing can stop it.
const MAX_DEPTH: usize = 250;
/// See [`MAX_DEPTH`].
const MAX_LEVELS: usize = 1000;
/// The column that `metrics` does not have.
const HISTOGRAM: &str = "histogram";

/// What the expressions of one SQL query stand on.
#[derive(Debug)]
pub(crate) struct Footing {
    pub(crate) config: Config,
    pub(crate) source: Arc<Source>,
    pub(crate) clusters: Vec<Cluster>,
    pub(crate) params: Params,
    /// The present, in milliseconds.
    pub(crate) now_ms: i64,
    pub(crate) halt: Halt,
}

/// The function, with what the expressions of one SQL query have in common. Cloning shares it.
#[derive(Debug, Clone)]
pub(crate) struct PromqlFunction(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    footing: Footing,
    /// The samples of all expressions together.
    touched: Arc<Touched>,
    /// In the order of the statement.
    asked: Mutex<Vec<Arc<Question>>>,
}

impl PromqlFunction {
    /// The function within one query.
    pub(crate) fn new(footing: Footing) -> Self {
        let touched = Arc::new(Touched::new(footing.config.max_samples));
        PromqlFunction(Arc::new(Shared { footing, touched, asked: Mutex::default() }))
    }

    /// The expressions of the statement, once it is planned.
    pub(crate) fn questions(&self) -> Vec<Arc<Question>> {
        self.0.asked.lock().clone()
    }

    /// Takes note of a question, if there is room for it beside the others.
    fn ask(&self, question: &Arc<Question>) -> Result<()> {
        let too_large = |what: String| Err(external(Error::new(ErrorKind::TooLarge, what)));
        let depth = question.depth();
        if depth > MAX_DEPTH {
            return too_large(format!("the expression has {depth} levels, in SQL the limit is {MAX_DEPTH}"));
        }
        let mut asked = self.0.asked.lock();
        let levels = asked.iter().map(|question| question.depth()).sum::<usize>() + depth;
        if levels > MAX_LEVELS {
            let what = "the expressions of the query have";
            return too_large(format!("{what} {levels} levels together, the limit is {MAX_LEVELS}"));
        }
        asked.push(Arc::clone(question));
        Ok(())
    }

    /// What was told of all expressions so far.
    pub(crate) fn annotations(&self) -> Annotations {
        let mut all = Annotations::default();
        self.0.asked.lock().iter().for_each(|question| all.extend(question.annotations()));
        all
    }
}

impl TableFunctionImpl for PromqlFunction {
    fn call_with_args(&self, args: TableFunctionArgs<'_, '_>) -> Result<Arc<dyn TableProvider>> {
        let Footing { config, params, now_ms, .. } = &self.0.footing;
        let query = arguments::read(args.exprs(), params, *now_ms)?;
        let question = Question::new(query, config).map_err(of_expression)?.counting(Arc::clone(&self.0.touched));
        if question.constant().is_some() {
            let what = "the expression of promql() is a text, which has no series: ask for a vector or a scalar";
            return Err(external(Error::invalid(what)));
        }
        let question = Arc::new(question);
        self.ask(&question)?;
        Ok(Arc::new(PromqlTable { function: self.clone(), question, schema: schema() }))
    }
}

/// What is wrong with an expression; its place is one in the expression, not in the statement.
fn of_expression(failure: Failure) -> DataFusionError {
    external(match failure {
        Failure::Parse(message) => Error::invalid(format!("the expression of promql(): {message}")),
        Failure::Run(error) => error.into(),
    })
}

/// The columns of `metrics`, and the histogram in the JSON of the HTTP API. Aggregations leave series without a name and without
/// a cluster: both are then the empty text, which is what a missing label is in PromQL.
fn schema() -> SchemaRef {
    let ours = [
        ("ts", Output::Ts, false),
        ("cluster", Output::Cluster, false),
        ("name", Output::Name, false),
        ("labels", Output::Labels, false),
        ("value", Output::Value, true),
    ];
    let ours = ours.into_iter().map(|(name, output, nullable)| Field::new(name, output.data_type(), nullable));
    let histogram = Field::new(HISTOGRAM, DataType::Utf8View, true);
    Arc::new(Schema::new(ours.chain([histogram]).collect::<Vec<_>>()))
}

/// The values of one expression.
#[derive(Debug)]
struct PromqlTable {
    function: PromqlFunction,
    question: Arc<Question>,
    schema: SchemaRef,
}

#[async_trait]
impl TableProvider for PromqlTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let Footing { source, clusters, halt, .. } = &self.function.0.footing;
        let (source, memory) = (Arc::clone(source), Arc::clone(&state.runtime_env().memory_pool));
        let partitions = state.config().target_partitions();
        let input = planner::plan(&self.question, source, memory, partitions, clusters, halt).await?;
        let form = match self.question.gives_ranges() {
            true => Form::Ranges,
            false => Form::Steps {
                steps: self.question.answered_steps(),
                drops_histograms: self.question.drops_histograms(),
            },
        };
        let columns = projection.cloned().unwrap_or_else(|| (0..self.schema.fields().len()).collect());
        let rows = RowsExec::new(input, form, &self.question.text, Arc::clone(&self.schema), columns.into())?;
        Ok(Arc::new(rows))
    }
}
