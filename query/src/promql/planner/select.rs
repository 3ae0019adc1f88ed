//! Selectors, ranges and subqueries.

use std::sync::Arc;

use datafusion::common::Result;
use model::ErrorKind;
use promql::ast::{At, DurationExpr, Expr, Extension, Matcher, MatrixSelector, Subquery, VectorSelector};
use promql::functions::range::{Boundary, range_function};
use storage::Selection;

use super::super::evaluate::{Evaluate, Newest, OverWindow, Smoothed, Taken};
use super::super::node::Node;
use super::super::operators::scalar::Nothing;
use super::super::operators::subquery::OverSubquery;
use super::super::ranges::Bounds;
use super::super::scalars::ScalarArg;
use super::super::scan::{self, Made};
use super::super::selection::matchers;
use super::super::steps::{Looks, Steps};
use super::{Plan, Planner, Scalar, unfit, unsupported};
use crate::error::external;

/// A function over windows, with its scalar arguments.
pub(super) struct Over<'a> {
    pub(super) name: &'static str,
    pub(super) range: &'a Expr,
    pub(super) scalars: Vec<Scalar>,
    pub(super) span: promql::span::Span,
}

impl Planner<'_> {
    /// The newest samples of a selector, or what else is taken of them.
    pub(super) async fn instant_selector(&self, selector: &VectorSelector, steps: Steps, taken: Taken) -> Result<Plan> {
        let looks = self.looks(steps, selector.at, selector.offset.as_ref())?;
        let lookback_ms = self.question.lookback_ms;
        let (evaluate, ahead_ms): (Arc<dyn Evaluate>, i64) = match selector.extension {
            Some(Extension::Smoothed) if taken != Taken::Start => {
                let takes_time = taken == Taken::Time;
                let (remarks, span) = (Arc::clone(&self.question.remarks), selector.span);
                (Arc::new(Smoothed { lookback_ms, takes_time, remarks, span }), lookback_ms)
            }
            // The last sample before an instant is its newest one.
            _ => (Arc::new(Newest { lookback_ms, taken }), 0),
        };
        let made = Made { evaluate, scalars: Vec::new(), inputs: Vec::new() };
        scan::plan(&self.ground, &selection(&selector.matchers, looks, (lookback_ms, ahead_ms)), looks, made).await
    }

    /// A function over the windows of a range.
    pub(super) async fn over(&self, over: Over<'_>, steps: Steps) -> Result<Plan> {
        match over.range.unwrapped() {
            Expr::Matrix(matrix) => self.over_samples(matrix, over, steps).await,
            Expr::Subquery(subquery) => self.over_subquery(subquery, over, steps).await,
            other => Err(unfit("a range", other)),
        }
    }

    async fn over_samples(&self, matrix: &MatrixSelector, over: Over<'_>, steps: Steps) -> Result<Plan> {
        let selector = &matrix.selector;
        let looks = self.looks(steps, selector.at, selector.offset.as_ref())?;
        let boundary = boundary(selector);
        boundary.check(over.name).map_err(external)?;
        let evaluate = self.windowed(&over, self.positive(&matrix.range)?, boundary)?;
        let (before_ms, after_ms) = evaluate.reach();
        let selection = selection(&selector.matchers, looks, (evaluate.range_ms + before_ms, after_ms));
        let mut inputs = Vec::new();
        let scalars = args(over.scalars, &mut inputs);
        scan::plan(&self.ground, &selection, looks, Made { evaluate: Arc::new(evaluate), scalars, inputs }).await
    }

    async fn over_subquery(&self, subquery: &Subquery, over: Over<'_>, steps: Steps) -> Result<Plan> {
        let looks = self.looks(steps, subquery.at, subquery.offset.as_ref())?;
        let (range_ms, step_ms) = self.range_and_step(subquery)?;
        let evaluate = self.windowed(&over, range_ms, Boundary::Open)?;
        let inner = self.inner(looks, range_ms, step_ms)?;
        let mut inputs = vec![self.vector(&subquery.expr, inner).await?];
        let scalars = args(over.scalars, &mut inputs);
        let operator = OverSubquery { evaluate: Arc::new(evaluate), scalars, inner, looks };
        Ok(Node::plan(operator, inputs, steps.count))
    }

    fn range_and_step(&self, subquery: &Subquery) -> Result<(i64, i64)> {
        let step_ms = subquery.step.as_ref().map(|step| self.positive(step)).transpose()?;
        Ok((self.positive(&subquery.range)?, step_ms.unwrap_or(self.question.subquery_step_ms).max(1)))
    }

    /// The steps of a subquery.
    fn inner(&self, looks: Looks, range_ms: i64, step_ms: i64) -> Result<Steps> {
        let (inner, limit) = (inner(looks, range_ms, step_ms), self.question.max_subquery_steps);
        if inner.count <= limit {
            return Ok(inner);
        }
        let what = format!(
            "a subquery has {} steps of {step_ms} ms, the limit is {limit}; take a shorter range or a longer step, or raise \
             query.max_subquery_steps",
            inner.count
        );
        Err(external(model::Error::new(ErrorKind::TooLarge, what)))
    }

    /// The samples of a range, as they are.
    pub(super) async fn ranges(&self, matrix: &MatrixSelector) -> Result<Plan> {
        let selector = &matrix.selector;
        let looks = self.looks(self.question.steps, selector.at, selector.offset.as_ref())?;
        let range_ms = self.positive(&matrix.range)?;
        let bounds = Bounds { range_ms, end_ms: looks.time_ms(0), boundary: boundary(selector), reach_ms: (0, 0) };
        let bounds = bounds.within(self.question.lookback_ms);
        let (before_ms, after_ms) = bounds.reach_ms;
        let selection = selection(&selector.matchers, looks, (range_ms + before_ms, after_ms));
        scan::plan_ranges(&self.ground, &selection, bounds).await
    }

    /// The values of a subquery at its own steps, as the answer.
    pub(super) async fn subquery_steps(&self, subquery: &Subquery) -> Result<Plan> {
        let looks = self.looks(self.question.steps, subquery.at, subquery.offset.as_ref())?;
        let (range_ms, step_ms) = self.range_and_step(subquery)?;
        let inner = self.inner(looks, range_ms, step_ms)?;
        if inner.start_ms > looks.time_ms(0) {
            return Ok(Node::plan(Nothing, Vec::new(), 1));
        }
        // The question was planned but once.
        let _ = self.question.subquery.set(inner);
        self.vector(&subquery.expr, inner).await
    }

    fn windowed(&self, over: &Over<'_>, range_ms: i64, boundary: Boundary) -> Result<OverWindow> {
        let function = range_function(over.name).ok_or_else(|| unsupported(&format!("the function {}", over.name)))?;
        Ok(OverWindow {
            name: over.name,
            function,
            range_ms,
            boundary,
            lookback_ms: self.question.lookback_ms,
            halt: self.halt.clone(),
            remarks: Arc::clone(&self.question.remarks),
            span: over.span,
            counter_span: match over.range.unwrapped() {
                Expr::Matrix(matrix) => matrix.span,
                // Prometheus knows no place there.
                _ => promql::span::Span::default(),
            },
        })
    }

    /// At which instants a selector or subquery looks.
    fn looks(&self, steps: Steps, at: Option<At>, offset: Option<&DurationExpr>) -> Result<Looks> {
        let (at_ms, offset_ms) = self.modifiers(at, offset)?;
        Ok(Looks::new(steps, at_ms, offset_ms))
    }

    /// What `@` and `offset` say, in milliseconds.
    pub(super) fn modifiers(&self, at: Option<At>, offset: Option<&DurationExpr>) -> Result<(Option<i64>, i64)> {
        let (start_ms, end_ms) = self.bounds_ms();
        let at_ms = at.map(|at| match at {
            At::Time(time_ms) => time_ms,
            At::Start => start_ms,
            At::End => end_ms,
        });
        let offset_ms = offset.map(|offset| self.duration(offset)).transpose()?;
        Ok((at_ms, offset_ms.unwrap_or(0)))
    }

    fn duration(&self, duration: &DurationExpr) -> Result<i64> {
        let (start_ms, end_ms) = self.bounds_ms();
        let resolved = duration.resolve(self.question.step_ms, end_ms - start_ms);
        resolved.map_err(|error| self.wrong_duration(&error))
    }

    fn positive(&self, duration: &DurationExpr) -> Result<i64> {
        let (start_ms, end_ms) = self.bounds_ms();
        let resolved = duration.resolve_positive(self.question.step_ms, end_ms - start_ms);
        resolved.map_err(|error| self.wrong_duration(&error))
    }

    fn wrong_duration(&self, error: &promql::ast::DurationError) -> datafusion::common::DataFusionError {
        let (line, column) = error.span.position(&self.question.text);
        external(model::Error::invalid(format!("{line}:{column}: {}", error.message)))
    }
}

/// The steps of a subquery: multiples of its step, whatever the query asks for; the first lies behind the beginning of the
/// first window.
fn inner(looks: Looks, range_ms: i64, step_ms: i64) -> Steps {
    let after_ms = looks.time_ms(0).saturating_sub(range_ms);
    let start_ms = after_ms.div_euclid(step_ms) * step_ms + step_ms;
    let end_ms = looks.time_ms(if looks.is_fixed() { 0 } else { looks.steps().count - 1 });
    Steps::between(start_ms, end_ms.max(start_ms), step_ms)
}

fn boundary(selector: &VectorSelector) -> Boundary {
    match selector.extension {
        None => Boundary::Open,
        Some(Extension::Anchored) => Boundary::Anchored,
        Some(Extension::Smoothed) => Boundary::Smoothed,
    }
}

/// The scalar arguments; those that are not known become inputs.
pub(super) fn args(scalars: Vec<Scalar>, inputs: &mut Vec<Plan>) -> Vec<ScalarArg> {
    scalars.into_iter().map(|scalar| scalar.into_arg(inputs)).collect()
}

/// The series of a selector, and the time in which samples may count: so many milliseconds before the first look, and
/// behind the last one.
pub(super) fn selection(selector: &[Matcher], looks: Looks, (before_ms, after_ms): (i64, i64)) -> Selection {
    let last = looks.steps().count - 1;
    // The beginning of a window does not belong to it.
    let start_ms = looks.time_ms(0).saturating_sub(before_ms).saturating_add(1);
    let end_ms = looks.time_ms(last).saturating_add(after_ms);
    Selection { matchers: matchers(selector), time_ms: start_ms..=end_ms }
}
