//! What is asked: an expression, and the instants at which it is to be evaluated.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use model::ErrorKind;
use promql::ast::{DurationError, Expr, ValueType};

use super::answer::{Answer, AnswerValue, Collected, Order, Point, Stats};
use super::limits::Touched;
use super::missing::Reach;
use super::ranges;
use super::remarks::{Annotations, Remarks};
use super::replicas::TakenReplicas;
use super::steps::Steps;
use crate::config::Config;
use crate::engine::Rows;
use crate::error::Error;

/// Levels of an expression above which it is refused: each becomes a plan node, and these call each other.
const MAX_DEPTH: usize = 1000;
/// Steps that one answer may have, beside the first.
pub(crate) const MAX_STEPS: i64 = 11_000;

/// A query as it comes in.
#[derive(Debug, Clone)]
pub(crate) struct Query {
    /// The expression.
    pub(crate) text: String,
    /// The first instant and the distance to the next, in milliseconds; `None` for one instant alone.
    pub(crate) range: Option<(i64, i64)>,
    /// The last instant, in milliseconds.
    pub(crate) end_ms: i64,
    /// How long a sample counts, in milliseconds, if it is not as configured.
    pub(crate) lookback_ms: Option<i64>,
    /// How long it may take, if that is less than is configured.
    pub(crate) timeout: Option<Duration>,
    /// Whether the series of replicas are one.
    pub(crate) dedup: bool,
}

impl Query {
    /// A query that leaves everything else as configured.
    pub(crate) fn new(text: &str, range: Option<(i64, i64)>, end_ms: i64) -> Self {
        Query { text: text.to_owned(), range, end_ms, lookback_ms: None, timeout: None, dedup: true }
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The text is no expression; the message has the place.
    Parse(String),
    /// It could not be evaluated.
    Run(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Run(error)
    }
}

/// A query that was read, with what is gathered while it runs.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) text: String,
    pub(super) expr: Expr,
    pub(super) steps: Steps,
    /// Where the query ends, in milliseconds, be it between two steps.
    pub(super) end_ms: i64,
    /// The distance between two steps in milliseconds; 0 for one instant alone.
    pub(super) step_ms: i64,
    pub(super) lookback_ms: i64,
    /// The step of a subquery that names none, in milliseconds.
    pub(super) subquery_step_ms: i64,
    /// Steps that one subquery may have.
    pub(super) max_subquery_steps: usize,
    pub(super) remarks: Arc<Remarks>,
    pub(super) touched: Arc<Touched>,
    /// Whether the series of replicas are one.
    pub(super) dedup: bool,
    /// Which replicas were taken.
    pub(super) taken: Arc<TakenReplicas>,
    /// Which sources the selectors reach.
    pub(super) reach: Arc<Reach>,
    /// What is said of data that is missing: warnings, and an info.
    missing: OnceLock<(Vec<String>, Option<String>)>,
    /// How long it may take.
    pub(crate) timeout: Duration,
    max_bytes: u64,
    asked: Instant,
    /// When there was a place to run it.
    pub(super) began: OnceLock<Instant>,
    /// The steps of the subquery that the whole expression is, once it is planned.
    pub(super) subquery: OnceLock<Steps>,
}

impl Question {
    /// Reads a query.
    ///
    /// # Errors
    /// `Parse` if the text is no expression, `Run` if it cannot be evaluated at these instants.
    pub(crate) fn new(query: Query, config: &Config) -> Result<Self, Failure> {
        let Query { text, range, end_ms, lookback_ms, timeout, dedup } = query;
        if text.len() > config.max_text_bytes {
            let what = format!("the query has {} bytes, the limit is {}", text.len(), config.max_text_bytes);
            return Err(Error::new(ErrorKind::TooLarge, what).into());
        }
        let expr = promql::parse(&text).map_err(|error| Failure::Parse(error.display(&text).to_string()))?;
        let depth = expr.depth();
        if depth > MAX_DEPTH {
            let what = format!("the expression has {depth} levels, the limit is {MAX_DEPTH}");
            return Err(Error::new(ErrorKind::TooLarge, what).into());
        }
        let kind = expr.value_type();
        if range.is_some() && !matches!(kind, ValueType::Scalar | ValueType::Vector) {
            let what = format!(
                "invalid expression type {:?} for range query, must be Scalar or instant Vector",
                kind.documented()
            );
            return Err(Failure::Parse(what));
        }
        let steps = match range {
            Some((start_ms, step_ms)) => Steps::between(start_ms, end_ms, step_ms),
            None => Steps::at(end_ms),
        };
        check_durations(&expr, range.map_or(0, |(_, step_ms)| step_ms), end_ms - steps.start_ms)?;
        let ms = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Ok(Question {
            text,
            expr,
            steps,
            end_ms,
            step_ms: range.map_or(0, |(_, step_ms)| step_ms),
            lookback_ms: lookback_ms.filter(|ms| *ms > 0).unwrap_or(ms(config.lookback)),
            subquery_step_ms: ms(config.subquery_step).max(1),
            max_subquery_steps: config.max_subquery_steps,
            remarks: Arc::default(),
            touched: Arc::new(Touched::new(config.max_samples)),
            dedup,
            taken: Arc::default(),
            reach: Arc::default(),
            missing: OnceLock::new(),
            timeout: timeout.map_or(config.timeout, |asked| asked.min(config.timeout)),
            max_bytes: config.query_memory_bytes,
            asked: Instant::now(),
            began: OnceLock::new(),
            subquery: OnceLock::new(),
        })
    }

    /// Bytes of memory that it may take.
    pub(super) fn max_bytes(&self) -> u64 {
        self.max_bytes
    }

    /// The levels of the expression.
    pub(super) fn depth(&self) -> usize {
        self.expr.depth()
    }

    /// Whether the expression is evaluated at one instant alone.
    pub(super) fn is_instant(&self) -> bool {
        self.step_ms == 0
    }

    /// With the samples that it reads counted together with those of other questions.
    pub(super) fn counting(self, touched: Arc<Touched>) -> Self {
        Question { touched, ..self }
    }

    /// Whether the answer is samples as they are, instead of values at steps.
    pub(super) fn gives_ranges(&self) -> bool {
        matches!(self.expr.unwrapped(), Expr::Matrix(_))
    }

    /// Whether the order of the answer leaves no place for histograms. A range has an order of its own.
    pub(super) fn drops_histograms(&self) -> bool {
        self.is_instant() && Order::of(&self.expr).drops_histograms()
    }

    /// The instants of the answer, once it is planned: a subquery has steps of its own.
    pub(super) fn answered_steps(&self) -> Steps {
        self.subquery.get().copied().unwrap_or(self.steps)
    }

    /// The answer, if it needs no evaluation.
    pub(crate) fn constant(&self) -> Option<Answer> {
        match self.expr.unwrapped() {
            Expr::String(text) => Some(self.finish(AnswerValue::String(self.steps.start_ms, text.value.clone()))),
            _ => None,
        }
    }

    /// The answer, out of what the plan gives.
    ///
    /// # Errors
    /// Those of the plan; `Invalid` if two series have the same labels, `TooLarge` if the answer takes too much memory.
    pub(crate) async fn answer(&self, rows: Rows) -> Result<Answer, Error> {
        if self.gives_ranges() {
            return Ok(self.finish(AnswerValue::Matrix(ranges::read(rows, self.max_bytes).await?)));
        }
        let collected = Collected::read(rows, self.answered_steps(), self.max_bytes).await?;
        let value = match (self.expr.value_type(), self.is_instant()) {
            (ValueType::Matrix, _) => AnswerValue::Matrix(collected.matrix()),
            (ValueType::Scalar, true) => {
                AnswerValue::Scalar(Point { time_ms: self.steps.start_ms, value: collected.scalar() })
            }
            (_, true) => AnswerValue::Vector(collected.vector(&Order::of(&self.expr))),
            (_, false) => AnswerValue::Matrix(collected.matrix()),
        };
        Ok(self.finish(value))
    }

    /// Sets what the answer says of data that is missing.
    pub(super) fn set_missing(&self, warnings: Vec<String>, info: Option<String>) {
        // Set once: a question is asked once.
        let _ = self.missing.set((warnings, info));
    }

    /// What was told of it so far.
    pub(crate) fn annotations(&self) -> Annotations {
        let (warnings, info) = self.missing.get().cloned().unwrap_or_default();
        let mut all = Annotations { warnings, infos: info.into_iter().collect() };
        all.extend(self.remarks.annotations(&self.text));
        all
    }

    fn finish(&self, value: AnswerValue) -> Answer {
        Answer {
            value,
            annotations: self.annotations(),
            stats: Stats {
                samples: self.touched.samples(),
                replicas: self.taken.by_cluster(),
                queue: self.began.get().map_or(Duration::ZERO, |began| *began - self.asked),
                total: self.asked.elapsed(),
            },
        }
    }
}

/// Whether all durations can be calculated.
fn check_durations(expr: &Expr, step_ms: i64, range_ms: i64) -> Result<(), Failure> {
    // Such an error has the bytes of its place, not line and column.
    let wrong =
        |error: DurationError| Failure::Parse(format!("{}:{}: {}", error.span.start, error.span.end, error.message));
    let mut todo = vec![expr];
    while let Some(expr) = todo.pop() {
        let (ranges, offset) = match expr {
            Expr::Vector(selector) => ([None, None], selector.offset.as_ref()),
            Expr::Matrix(matrix) => ([Some(&matrix.range), None], matrix.selector.offset.as_ref()),
            Expr::Subquery(subquery) => ([Some(&subquery.range), subquery.step.as_ref()], subquery.offset.as_ref()),
            _ => ([None, None], None),
        };
        for range in ranges.into_iter().flatten() {
            range.resolve_positive(step_ms, range_ms).map_err(wrong)?;
        }
        if let Some(offset) = offset {
            offset.resolve(step_ms, range_ms).map_err(wrong)?;
        }
        todo.extend(expr.children());
    }
    Ok(())
}
