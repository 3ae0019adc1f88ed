//! One query inside its place: from a question to its rows.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::common::ParamValues;
use datafusion::execution::memory_pool::MemoryPool;
use datafusion::execution::{SessionState, TaskContext};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::sql::parser::Statement;
use futures::StreamExt;
use model::ErrorKind;
use tokio::sync::mpsc;

use super::Engine;
use crate::error::{Error, from_datafusion};
use crate::guard;
use crate::params::Params;
use crate::promql::missing::Grounds;
use crate::promql::{self, Annotations, Footing, PromqlFunction, TABLE_FUNCTION};
use crate::run::{Halt, QueryPool, yielding_joins};
use crate::session::BATCH_ROWS;
use crate::source::Source;

/// Constants of one plan, in bytes; they may be repeated for every row of a batch.
const MAX_CONSTANT_BYTES: usize = 1 << 20;
/// What the constants of one batch may come to; a batch gets fewer rows instead.
const MAX_BATCH_CONSTANT_BYTES: usize = 32 << 20;

/// Bytes of a query's text in a trace.
const MAX_TRACED_BYTES: usize = 1 << 10;

/// What is asked.
#[derive(Debug)]
pub(super) enum Question {
    /// A statement and its parameters.
    Sql(String, Params),
    /// An expression at some steps.
    Promql(Arc<promql::Question>),
    /// The samples of some series.
    Raw(Arc<promql::RawQuestion>),
}

impl Question {
    /// The language and the beginning of the text, for those who trace us.
    pub(super) fn told(&self) -> (&'static str, &str) {
        let (language, text) = match self {
            Question::Sql(text, _) => ("sql", text.as_str()),
            Question::Promql(question) => ("promql", question.text.as_str()),
            Question::Raw(_) => ("matchers", ""),
        };
        (language, text.get(..text.floor_char_boundary(MAX_TRACED_BYTES)).unwrap_or_default())
    }

    /// Bytes of the text that was sent.
    pub(super) fn text_bytes(&self) -> usize {
        match self {
            Question::Sql(text, _) => text.len(),
            Question::Promql(question) => question.text.len(),
            Question::Raw(question) => question.text_bytes,
        }
    }
}

/// What a query says of its answer. Silence is never its end: whoever panicked is silent too.
#[derive(Debug)]
pub(super) enum Message {
    Schema(SchemaRef),
    Batch(Result<RecordBatch, Error>),
    /// All rows were sent; what is told beside them, if it is not told otherwise.
    End(Annotations),
}

/// One query inside its place.
pub(super) struct Task {
    pub(super) engine: Engine,
    pub(super) question: Question,
    pub(super) sender: mpsc::Sender<Message>,
    pub(super) halt: Halt,
    /// How long it may take.
    pub(super) timeout: Duration,
}

impl Task {
    /// Answers, and says how that ended.
    pub(super) async fn run(self) {
        let last = match self.answer().await {
            Ok(annotations) => Message::End(annotations),
            // A join that ended itself says it as whoever waits for the answer would.
            Err(error) if error.kind() == ErrorKind::Timeout => {
                Message::Batch(Err(self.engine.timed_out(self.timeout)))
            }
            Err(error) => Message::Batch(Err(error)),
        };
        if let Message::Batch(Err(error)) = &last {
            let span = tracing::Span::current();
            span.record("otel.status_code", "ERROR");
            span.record("otel.status_description", tracing::field::display(error));
        }
        // Nobody listens any more if the client has gone.
        let _ = self.sender.send(last).await;
    }

    async fn answer(&self) -> Result<Annotations, Error> {
        let inner = &self.engine.0;
        let limit = usize::try_from(inner.config.query_memory_bytes).unwrap_or(usize::MAX);
        let pool: Arc<dyn MemoryPool> = Arc::new(QueryPool::new(limit, Arc::clone(&inner.memory)));
        let source = Arc::new(self.engine.source());
        let context = || inner.template.context(&source, Arc::clone(&pool)).map_err(from_datafusion);
        let (physical, context, function) = match &self.question {
            Question::Sql(text, params) => {
                let session = inner.template.session(Arc::clone(&source), self.engine.fleet(), Arc::clone(&pool));
                let mut state = session.map_err(from_datafusion)?;
                let function = self.promql_function(&source, params);
                state.register_udtf(TABLE_FUNCTION, Arc::new(function.clone()));
                let physical = self.plan_sql(&mut state, text, params).await?;
                for question in function.questions() {
                    self.say_what_is_missing(&question, &source, &pool, state.task_ctx()).await?;
                }
                (physical, state.task_ctx(), Some(function))
            }
            Question::Promql(question) => {
                let (physical, context) = (self.plan_promql(&source, &pool, question).await?, context()?);
                self.say_what_is_missing(question, &source, &pool, Arc::clone(&context)).await?;
                (physical, context, None)
            }
            Question::Raw(question) => {
                let (context, clusters) = (context()?, inner.clusters.read().clone());
                let physical = question.plan(source, pool, &clusters).await.map_err(from_datafusion)?;
                (physical, context, None)
            }
        };
        let mut stream = execute_stream(physical, context).map_err(from_datafusion)?;
        if self.sender.send(Message::Schema(stream.schema())).await.is_err() {
            return Ok(Annotations::default());
        }
        while let Some(batch) = stream.next().await {
            let batch = batch.map_err(from_datafusion)?;
            if self.sender.send(Message::Batch(Ok(batch))).await.is_err() {
                break;
            }
        }
        Ok(function.map(|function| function.annotations()).unwrap_or_default())
    }

    /// The function that a statement calls.
    fn promql_function(&self, source: &Arc<Source>, params: &Params) -> PromqlFunction {
        let inner = &self.engine.0;
        PromqlFunction::new(Footing {
            config: inner.config.clone(),
            source: Arc::clone(source),
            clusters: inner.clusters.read().clone(),
            params: params.clone(),
            now_ms: inner.clock.now_ms(),
            halt: self.halt.clone(),
        })
    }

    async fn plan_promql(
        &self,
        source: &Arc<Source>,
        memory: &Arc<dyn MemoryPool>,
        question: &promql::Question,
    ) -> Result<Arc<dyn ExecutionPlan>, Error> {
        let (source, memory) = (Arc::clone(source), Arc::clone(memory));
        let partitions = self.engine.0.config.threads();
        let clusters = self.engine.0.clusters.read().clone();
        promql::plan(question, source, memory, partitions, &clusters, &self.halt).await.map_err(from_datafusion)
    }

    async fn say_what_is_missing(
        &self,
        question: &promql::Question,
        source: &Arc<Source>,
        memory: &Arc<dyn MemoryPool>,
        context: Arc<TaskContext>,
    ) -> Result<(), Error> {
        let inner = &self.engine.0;
        let grounds = Grounds {
            source: Arc::clone(source),
            memory: Arc::clone(memory),
            context,
            sources: inner.sources.all(),
            history: &inner.history,
            now_ms: inner.clock.now_ms(),
        };
        promql::missing::remark(question, grounds).await.map_err(from_datafusion)
    }

    async fn plan_sql(
        &self,
        state: &mut SessionState,
        text: &str,
        params: &Params,
    ) -> Result<Arc<dyn ExecutionPlan>, Error> {
        let statement = guard::parse(text, self.engine.0.config.max_text_bytes)?;
        let plan = self.admitted(state, statement, params).await?;
        let plan = state.optimize(&plan).map_err(from_datafusion)?;
        let constants = guard::literal_bytes(&plan).map_err(from_datafusion)?;
        if constants > MAX_CONSTANT_BYTES {
            let what = format!("the query has constants of {constants} bytes, the limit is {MAX_CONSTANT_BYTES}");
            return Err(Error::new(ErrorKind::TooLarge, what));
        }
        let batch_rows = (MAX_BATCH_CONSTANT_BYTES / constants.max(1)).clamp(16, BATCH_ROWS);
        *state.config_mut() = state.config().clone().with_batch_size(batch_rows);
        let plan = self.halt.watch_joins(plan).map_err(from_datafusion)?;
        let physical = state.query_planner().create_physical_plan(&plan, state).await.map_err(from_datafusion)?;
        yielding_joins(physical).map_err(from_datafusion)
    }

    async fn admitted(
        &self,
        state: &SessionState,
        statement: Statement,
        params: &Params,
    ) -> Result<LogicalPlan, Error> {
        let plan = state.statement_to_plan(statement).await.map_err(from_datafusion)?;
        let params: Option<ParamValues> = params.values();
        let plan = match params {
            Some(params) => plan.with_param_values(params).map_err(from_datafusion)?,
            None => plan,
        };
        guard::admit(plan, self.engine.0.template.functions()).map_err(from_datafusion)
    }
}
