//! The engine: from a text and its parameters to a stream of rows.

mod task;

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use futures::{FutureExt, Stream};
use model::{Clock, Cluster, ErrorKind, SourceStatus, Sources};
use parking_lot::RwLock;
use storage::Store;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tracing::Instrument;

use crate::catalog::Fleet;
use crate::config::Config;
use crate::error::Error;
use crate::params::Params;
use crate::promql::{self, Annotations};
use crate::run::{Client, Halt, Places, QueryPool, SharedMemory, Ticket};
use crate::session::Template;
use crate::source::Source;
use task::{Message, Question, Task};

/// Batches that may wait for the reader of an answer.
const BATCHES_AHEAD: usize = 2;
/// What an engine stands on.
#[derive(Debug, Clone)]
pub struct Parts {
    /// Where the rows are.
    pub store: Store,
    /// The clusters of the configuration; a reload replaces them.
    pub clusters: Arc<RwLock<Vec<Cluster>>>,
    /// What the collectors know of their sources.
    pub sources: Sources,
    /// The present.
    pub clock: Arc<dyn Clock>,
}

/// Where snapshots come from.
#[derive(Debug)]
enum Origin {
    Store(Store),
    #[cfg(test)]
    Fixture(Arc<crate::fixture::Fixture>),
}

/// Runs queries, those of one client in turn with those of others. Cloning shares the engine.
#[derive(Debug, Clone)]
pub struct Engine(Arc<Inner>, Client);

#[derive(Debug)]
struct Inner {
    config: Config,
    origin: Origin,
    clusters: Arc<RwLock<Vec<Cluster>>>,
    sources: Sources,
    clock: Arc<dyn Clock>,
    template: Template,
    places: Arc<Places>,
    memory: Arc<SharedMemory>,
    counts: Counts,
    /// What is known of the sources' attempts.
    history: promql::missing::History,
}

#[derive(Debug, Default)]
struct Counts {
    started: AtomicU64,
    failed: AtomicU64,
    timed_out: AtomicU64,
    rows: AtomicU64,
}

impl Engine {
    /// An engine over a store.
    ///
    /// # Errors
    /// `Invalid` if a setting makes no sense.
    pub fn new(config: Config, parts: Parts) -> Result<Self, Error> {
        let Parts { store, clusters, sources, clock } = parts;
        Self::over(config, Origin::Store(store), clusters, sources, clock)
    }

    /// An engine over rows that a test made by hand.
    #[cfg(test)]
    pub(crate) fn over_fixture(
        config: Config,
        fixture: crate::fixture::Fixture,
        clusters: Vec<Cluster>,
        sources: Sources,
        now_ms: i64,
    ) -> Self {
        let clock = Arc::new(model::time::ManualClock::new(now_ms));
        let clusters = Arc::new(RwLock::new(clusters));
        Self::over(config, Origin::Fixture(Arc::new(fixture)), clusters, sources, clock).unwrap()
    }

    fn over(
        config: Config,
        origin: Origin,
        clusters: Arc<RwLock<Vec<Cluster>>>,
        sources: Sources,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        if config.max_concurrent == 0 || config.timeout.is_zero() {
            return Err(Error::new(ErrorKind::Invalid, "query.max_concurrent and query.timeout must be above zero"));
        }
        let bytes = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        let inner = Inner {
            template: Template::new(config.threads()),
            places: Arc::new(Places::new(config.max_concurrent, config.threads())),
            memory: QueryPool::shared(bytes(config.memory_bytes)),
            counts: Counts::default(),
            history: promql::missing::History::default(),
            config,
            origin,
            clusters,
            sources,
            clock,
        };
        Ok(Engine(Arc::new(inner), Client::default()))
    }

    /// The same engine for the queries of a client.
    pub fn asked_by(&self, client: Client) -> Self {
        Engine(Arc::clone(&self.0), client)
    }

    /// Runs one query. The answer comes as it is made; dropping it cancels the query.
    ///
    /// # Errors
    /// `Invalid` if the text is no query that can be answered, `TooLarge` if it passes a cap, `Forbidden` if it would
    /// do more than read, `Busy` if too many queries run, `Timeout` if planning took too long.
    pub async fn sql(&self, text: &str, params: Params) -> Result<Rows, Error> {
        self.sql_within(text, params, self.0.config.max_rows).await
    }

    /// As [`Engine::sql`], with another limit on the rows of the answer.
    pub(crate) async fn sql_within(&self, text: &str, params: Params, max_rows: u64) -> Result<Rows, Error> {
        self.counted(Question::Sql(text.to_owned(), params), max_rows, self.0.config.timeout).await
    }

    /// Reads the samples of some series as they are kept. The rows are those of [`promql::rows`], in order of their labels.
    ///
    /// # Errors
    /// As [`Engine::sql`], and `TooLarge` if a limit of the query is passed.
    pub(crate) async fn raw(&self, question: promql::RawQuestion) -> Result<Rows, Error> {
        let timeout = question.time_left();
        self.counted(Question::Raw(Arc::new(question)), self.0.config.max_rows, timeout).await
    }

    async fn counted(&self, question: Question, max_rows: u64, timeout: Duration) -> Result<Rows, Error> {
        self.0.counts.started.fetch_add(1, Ordering::Relaxed);
        let answer = self.start(question, max_rows, timeout).await;
        if let Err(error) = &answer {
            self.count_failure(error);
        }
        answer
    }

    async fn start(&self, question: Question, max_rows: u64, timeout: Duration) -> Result<Rows, Error> {
        let (bytes, limit) = (question.text_bytes(), self.0.config.max_text_bytes);
        if bytes > limit {
            return Err(Error::new(ErrorKind::TooLarge, format!("the query has {bytes} bytes, the limit is {limit}")));
        }
        let deadline = Instant::now() + timeout;
        let ticket = self.0.places.take(&self.1, self.0.config.queue_timeout, deadline).await?;
        let (sender, mut receiver) = mpsc::channel(BATCHES_AHEAD);
        let halt = Halt::at(deadline);
        let task = Task { engine: self.clone(), question, sender, halt: halt.clone(), timeout };
        let (language, text) = task.question.told();
        let span = tracing::info_span!(
            target: model::TRACE_TARGET,
            "query",
            db.system.name = "fleetscope",
            db.query.language = language,
            db.query.text = text,
            otel.status_code = tracing::field::Empty,
            otel.status_description = tracing::field::Empty,
        );
        let guarded = std::panic::AssertUnwindSafe(task.run()).catch_unwind().instrument(span);
        // The ticket lives as long as the task, so a place is free only once its query is.
        let running = ticket.handle().clone().spawn(hold(ticket, async move {
            if let Err(panic) = guarded.await {
                tracing::error!(panic = panic_text(&*panic), "a query panicked");
            }
        }));
        let stop = StopOnDrop(running.abort_handle(), halt);
        let first = tokio::time::timeout_at(deadline.into(), receiver.recv()).await;
        match first {
            Ok(Some(Message::Schema(schema))) => {
                let pause = Box::pin(tokio::time::sleep_until(deadline.into()));
                Ok(Rows {
                    schema,
                    receiver,
                    deadline: pause,
                    timeout,
                    engine: self.clone(),
                    rows: 0,
                    max_rows,
                    done: false,
                    annotations: Annotations::default(),
                    _stop: stop,
                })
            }
            Ok(Some(Message::Batch(Err(error)))) => Err(error),
            Ok(_) => Err(broken_off()),
            Err(_) => Err(self.timed_out(timeout)),
        }
    }

    fn timed_out(&self, timeout: Duration) -> Error {
        let seconds = timeout.as_secs_f64();
        let raise = if timeout < self.0.config.timeout { "the timeout of the request" } else { "query.timeout" };
        let what = format!("the query took longer than {seconds} s, select less or raise {raise}");
        Error::new(ErrorKind::Timeout, what)
    }

    fn count_failure(&self, error: &Error) {
        self.0.counts.failed.fetch_add(1, Ordering::Relaxed);
        if error.kind() == ErrorKind::Timeout {
            self.0.counts.timed_out.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Evaluates an expression of PromQL.
    ///
    /// # Errors
    /// `Parse` if the text is no expression; else as [`Engine::sql`], and `TooLarge` if a limit of the query is passed.
    pub(crate) async fn promql(&self, query: promql::Query) -> Result<promql::Answer, promql::Failure> {
        self.0.counts.started.fetch_add(1, Ordering::Relaxed);
        let question = Arc::new(promql::Question::new(query, &self.0.config)?);
        if let Some(answer) = question.constant() {
            return Ok(answer);
        }
        let asked = Question::Promql(Arc::clone(&question));
        let answer = match self.start(asked, self.0.config.max_rows, question.timeout).await {
            Ok(rows) => question.answer(rows).await,
            Err(error) => {
                self.count_failure(&error);
                Err(error)
            }
        };
        Ok(answer?)
    }

    /// The series that nobody sends and PromQL finds: those that fulfil the matchers, in order.
    pub(crate) fn synthetic_series(&self, matchers: &[storage::Matcher]) -> Vec<promql::labels::LabelSet> {
        promql::synthetic_series(&self.0.clusters.read(), matchers)
    }

    /// The settings.
    pub(crate) fn config(&self) -> &Config {
        &self.0.config
    }

    /// The present, in milliseconds.
    pub(crate) fn now_ms(&self) -> i64 {
        self.0.clock.now_ms()
    }

    /// What is known of each source of telemetry.
    pub fn sources(&self) -> Vec<SourceStatus> {
        self.0.sources.all()
    }

    /// How many queries go on although their time is over. Three mean that this process should be replaced.
    pub fn stuck(&self) -> usize {
        self.0.places.stuck()
    }

    /// The engine's own metrics in the text format of Prometheus.
    pub fn metrics_text(&self) -> String {
        let counts = &self.0.counts;
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let lines = [
            ("fleetscope_queries_total", "counter", "Queries started.", count(&counts.started)),
            ("fleetscope_queries_failed_total", "counter", "Queries that failed.", count(&counts.failed)),
            ("fleetscope_queries_timed_out_total", "counter", "Queries past their time.", count(&counts.timed_out)),
            ("fleetscope_queries_refused_total", "counter", "Queries without a place.", self.0.places.refused()),
            ("fleetscope_query_rows_total", "counter", "Rows answered.", count(&counts.rows)),
            ("fleetscope_queries_running", "gauge", "Queries running.", self.0.places.running() as u64),
            ("fleetscope_queries_waiting", "gauge", "Queries without a place so far.", self.0.places.waiting() as u64),
            ("fleetscope_queries_stuck", "gauge", "Queries that go on past their time.", self.stuck() as u64),
            ("fleetscope_query_memory_bytes", "gauge", "Memory that queries hold.", self.0.memory.used() as u64),
        ];
        lines
            .into_iter()
            .map(|(name, kind, help, value)| format!("# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n"))
            .collect()
    }

    /// What a query sees now.
    pub(crate) fn source(&self) -> Source {
        match &self.0.origin {
            Origin::Store(store) => Source::Snapshot(store.snapshot()),
            #[cfg(test)]
            Origin::Fixture(fixture) => Source::Fixture(Arc::clone(fixture)),
        }
    }

    fn fleet(&self) -> Fleet {
        Fleet {
            clusters: self.0.clusters.read().clone(),
            sources: self.0.sources.all(),
            now_ms: self.0.clock.now_ms(),
            silent_after_ms: i64::try_from(self.0.config.silent_after.as_millis()).unwrap_or(i64::MAX),
        }
    }
}

async fn hold<T>(ticket: Ticket, work: impl Future<Output = T>) -> T {
    let done = work.await;
    drop(ticket);
    done
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (None, Some(text)) => text,
        _ => "",
    }
}

/// A query that is silent without having said that it has ended.
fn broken_off() -> Error {
    Error::new(ErrorKind::Internal, "the query broke off before its end, the server's log has more")
}

#[derive(Debug)]
struct StopOnDrop(AbortHandle, Halt);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.1.now();
        self.0.abort();
    }
}

/// The rows of an answer, as they are made. Dropping it cancels the query.
#[derive(Debug)]
pub struct Rows {
    schema: SchemaRef,
    receiver: mpsc::Receiver<Message>,
    deadline: Pin<Box<tokio::time::Sleep>>,
    timeout: Duration,
    engine: Engine,
    rows: u64,
    max_rows: u64,
    done: bool,
    annotations: Annotations,
    _stop: StopOnDrop,
}

impl Rows {
    /// The columns.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// What is told beside the rows of a statement that calls `promql()`; complete once the last row is there.
    pub fn annotations(&self) -> &Annotations {
        &self.annotations
    }

    fn fail(&mut self, error: Error) -> Poll<Option<Result<RecordBatch, Error>>> {
        self.done = true;
        self.engine.count_failure(&error);
        Poll::Ready(Some(Err(error)))
    }
}

impl Stream for Rows {
    type Item = Result<RecordBatch, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.done {
            return Poll::Ready(None);
        }
        if self.deadline.as_mut().poll(cx).is_ready() {
            let error = self.engine.timed_out(self.timeout);
            return self.fail(error);
        }
        match ready!(self.receiver.poll_recv(cx)) {
            Some(Message::Batch(Ok(batch))) => {
                self.rows += batch.num_rows() as u64;
                self.engine.0.counts.rows.fetch_add(batch.num_rows() as u64, Ordering::Relaxed);
                let limit = self.max_rows;
                if self.rows > limit {
                    let what = format!("the answer has more than {limit} rows, add LIMIT or raise query.max_rows");
                    return self.fail(Error::new(ErrorKind::TooLarge, what));
                }
                Poll::Ready(Some(Ok(batch)))
            }
            Some(Message::Batch(Err(error))) => self.fail(error),
            Some(Message::Schema(_)) => self.fail(Error::new(ErrorKind::Internal, "the answer began twice")),
            Some(Message::End(annotations)) => {
                self.done = true;
                self.annotations = annotations;
                Poll::Ready(None)
            }
            None => self.fail(broken_off()),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
