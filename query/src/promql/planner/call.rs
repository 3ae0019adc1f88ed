//! Calls of functions.

use std::sync::Arc;

use datafusion::common::Result;
use model::go_regex;
use promql::ast::{Call, Expr, MatchOp, ValueType, VectorSelector};
use promql::functions::instant::{instant_function, scalar_function};
use promql::functions::labels::{LabelJoin, LabelReplace, invalid_expression};
use promql::functions::range::range_function;
use promql::note::{Note, Notes};

use super::super::evaluate::Taken;
use super::super::labels::LabelSet;
use super::super::node::Node;
use super::super::operators::absent::Absent;
use super::super::operators::elementwise::{Function, StepTime, Unsaid};
use super::super::operators::histogram::{Moment, OfHistograms, Sought, moment};
use super::super::operators::labels::Relabel;
use super::super::operators::scalar::{Given, OfScalars, OfVector, Time};
use super::super::steps::Steps;
use super::select::{Over, args};
use super::{Plan, Planner, Scalar, text, unfit, unsupported};
use crate::error::external;

impl Planner<'_> {
    /// Plans a call that gives a vector.
    pub(super) async fn call(&self, call: &Call, steps: Steps) -> Result<Plan> {
        let (name, count) = (call.function.name, steps.count);
        match name {
            "vector" => {
                let mut inputs = Vec::new();
                let scalar = self.scalar(self.arg(call, 0)?, steps).await?.into_arg(&mut inputs);
                Ok(Node::plan(Given { scalar, steps: count }, inputs, count))
            }
            "timestamp" => self.timestamp(self.arg(call, 0)?, steps).await,
            "start_timestamp" => self.start_timestamp(self.arg(call, 0)?, steps).await,
            "absent" => {
                let arg = self.arg(call, 0)?;
                let labels = absent_labels(arg);
                let inputs = vec![self.vector(arg, steps).await?];
                Ok(Node::plan(Absent { labels, steps: count }, inputs, count))
            }
            "absent_over_time" => {
                let labels = absent_labels(self.arg(call, 0)?);
                let inputs = vec![self.over_range(call, steps).await?];
                Ok(Node::plan(Absent { labels, steps: count }, inputs, count))
            }
            "label_replace" => self.label_replace(call, steps).await,
            "label_join" => self.label_join(call, steps).await,
            "info" => self.info(call, steps).await,
            "sort" | "sort_desc" | "sort_by_label" | "sort_by_label_desc" => {
                // Also in a subquery of an instant query.
                if !self.question.is_instant() || steps != self.question.steps {
                    let mut notes = Notes::default();
                    notes.add(Note::SortInRangeQuery);
                    self.question.remarks.add(call.span, &notes);
                }
                // The order is made of the answer, if this is the outermost function.
                self.vector(self.arg(call, 0)?, steps).await
            }
            "histogram_quantile" | "histogram_fraction" | "histogram_quantiles" => {
                self.of_histograms(call, steps).await
            }
            _ if range_function(name).is_some() => self.over_range(call, steps).await,
            _ if moment(name).is_some() => self.moment(call, steps).await,
            _ => self.instant(call, steps).await,
        }
    }

    /// A function of each number.
    async fn instant(&self, call: &Call, steps: Steps) -> Result<Plan> {
        let name = call.function.name;
        let function = instant_function(name).ok_or_else(|| unsupported(&format!("the function {name}")))?;
        let Some(vector) = call.args.first() else {
            // The functions of a date take the time of the step if they are given none.
            let inputs = vec![Node::plan(Time { steps }, Vec::new(), steps.count)];
            return Ok(Node::plan(Function { name, function, scalars: Vec::new() }, inputs, steps.count));
        };
        let mut inputs = vec![self.vector(vector, steps).await?];
        let mut scalars = Vec::new();
        for arg in &call.args[1..] {
            scalars.push(self.scalar(arg, steps).await?);
        }
        let scalars = args(scalars, &mut inputs);
        Ok(Node::plan(Function { name, function, scalars }, inputs, steps.count))
    }

    /// A number of a native histogram.
    async fn moment(&self, call: &Call, steps: Steps) -> Result<Plan> {
        let name = call.function.name;
        let function = moment(name).ok_or_else(|| unsupported(&format!("the function {name}")))?;
        let inputs = vec![self.vector(self.arg(call, 0)?, steps).await?];
        Ok(Node::plan(Moment { name, function }, inputs, steps.count))
    }

    /// Quantiles and fractions of histograms: the vector may be any of the arguments, all scalars belong together.
    async fn of_histograms(&self, call: &Call, steps: Steps) -> Result<Plan> {
        let (mut inputs, mut scalars, mut scalar_spans) = (Vec::new(), Vec::new(), Vec::new());
        let (mut span, mut label) = (call.span, String::new());
        for arg in &call.args {
            match arg.value_type() {
                ValueType::String => label = text(arg)?.to_owned(),
                ValueType::Scalar => {
                    scalars.push(self.scalar(arg, steps).await?);
                    scalar_spans.push(arg.span());
                }
                _ => {
                    span = arg.span();
                    inputs.push(self.vector(arg, steps).await?);
                }
            }
        }
        let sought = match call.function.name {
            "histogram_quantile" => Sought::Quantile,
            "histogram_fraction" => Sought::Fraction,
            _ => Sought::Quantiles { label },
        };
        let scalars = args(scalars, &mut inputs);
        let remarks = Arc::clone(&self.question.remarks);
        let operator = OfHistograms { sought, scalars, steps, remarks, span, scalar_spans };
        Ok(Node::plan(operator, inputs, steps.count))
    }

    /// A function over a window; its range may be any of its arguments.
    async fn over_range(&self, call: &Call, steps: Steps) -> Result<Plan> {
        let (name, mut range, mut scalars) = (call.function.name, None, Vec::new());
        for arg in &call.args {
            match arg.value_type() {
                ValueType::Matrix => range = Some(arg),
                _ => scalars.push(self.scalar(arg, steps).await?),
            }
        }
        let range = range.ok_or_else(|| unfit("a range", &Expr::Call(call.clone())))?;
        // Notes are about the first argument, whatever it is.
        let span = call.args.first().map_or(call.span, |arg| arg.unwrapped().span());
        self.over(Over { name, range, scalars, span }, steps).await
    }

    async fn timestamp(&self, arg: &Expr, steps: Steps) -> Result<Plan> {
        match arg.unwrapped() {
            Expr::Vector(selector) => self.instant_selector(selector, steps, Taken::Time).await,
            other => {
                let inputs = vec![self.vector(other, steps).await?];
                Ok(Node::plan(StepTime { steps }, inputs, steps.count))
            }
        }
    }

    /// Since when the samples of a selector count. Of what is calculated nothing is said.
    async fn start_timestamp(&self, arg: &Expr, steps: Steps) -> Result<Plan> {
        match arg.unwrapped() {
            Expr::Vector(selector) => self.instant_selector(selector, steps, Taken::Start).await,
            other => Ok(Node::plan(Unsaid, vec![self.vector(other, steps).await?], steps.count)),
        }
    }

    async fn label_replace(&self, call: &Call, steps: Steps) -> Result<Plan> {
        let texts = call.args[1..].iter().map(text).collect::<Result<Vec<_>>>()?;
        let [target, replacement, source, expression] = texts[..] else {
            return Err(unfit("label_replace", &Expr::Call(call.clone())));
        };
        let compiled = go_regex::compile_anchored(expression);
        let go_regex::Compiled { regex, groups } = compiled.map_err(|_| external(invalid_expression(expression)))?;
        let replace = LabelReplace::new(target, replacement, source, regex, &groups).map_err(external)?;
        let inputs = vec![self.vector(&call.args[0], steps).await?];
        Ok(Node::plan(Relabel::Replace(replace), inputs, steps.count))
    }

    async fn label_join(&self, call: &Call, steps: Steps) -> Result<Plan> {
        let texts = call.args[1..].iter().map(text).collect::<Result<Vec<_>>>()?;
        let [target, separator, sources @ ..] = &texts[..] else {
            return Err(unfit("label_join", &Expr::Call(call.clone())));
        };
        let sources = sources.iter().map(|source| (*source).to_owned()).collect();
        let join = LabelJoin::new(target, separator, sources).map_err(external)?;
        let inputs = vec![self.vector(&call.args[0], steps).await?];
        Ok(Node::plan(Relabel::Join(join), inputs, steps.count))
    }

    /// Plans a call that gives a scalar.
    pub(super) async fn scalar_call(&self, call: &Call, steps: Steps) -> Result<Scalar> {
        let seconds = |ms: i64| Scalar::Constant(ms as f64 / 1000.0);
        let (start_ms, end_ms) = self.bounds_ms();
        Ok(match call.function.name {
            "pi" => Scalar::Constant(std::f64::consts::PI),
            "time" => Scalar::Steps(Node::plan(Time { steps }, Vec::new(), steps.count)),
            "start" => seconds(start_ms),
            "end" => seconds(end_ms),
            "range" => seconds(end_ms - start_ms),
            "step" => seconds(self.question.step_ms),
            "scalar" => {
                let inputs = vec![self.vector(self.arg(call, 0)?, steps).await?];
                Scalar::Steps(Node::plan(OfVector { steps: steps.count }, inputs, steps.count))
            }
            name @ ("min_of" | "max_of") => {
                let sides = [self.arg(call, 0)?, self.arg(call, 1)?];
                let apply = if name == "min_of" { least } else { greatest };
                return self.of_scalars(sides, name, apply, None, steps).await;
            }
            name => return Err(unsupported(&format!("the function {name}"))),
        })
    }

    pub(super) fn arg<'b>(&self, call: &'b Call, number: usize) -> Result<&'b Expr> {
        call.args.get(number).ok_or_else(|| unfit("an argument", &Expr::Call(call.clone())))
    }
}

fn least(_: &OfScalars, left: f64, right: f64) -> f64 {
    scalar_function("min_of").map_or(f64::NAN, |function| function(left, right))
}

fn greatest(_: &OfScalars, left: f64, right: f64) -> f64 {
    scalar_function("max_of").map_or(f64::NAN, |function| function(left, right))
}

/// The labels that the series of `absent` has: what matchers of a selector say that they are equal to, if once only.
fn absent_labels(expr: &Expr) -> LabelSet {
    let selector: &VectorSelector = match expr.unwrapped() {
        Expr::Vector(selector) => selector,
        Expr::Matrix(matrix) => &matrix.selector,
        _ => return LabelSet::default(),
    };
    let mut labels = LabelSet::default();
    for matcher in &selector.matchers {
        if matcher.label == model::labels::NAME_LABEL {
            continue;
        }
        let times = selector.matchers.iter().filter(|other| other.label == matcher.label).count();
        let is_told = matcher.op == MatchOp::Equal && times == 1;
        labels = labels.with(&matcher.label, if is_told { &matcher.value } else { "" });
    }
    labels
}
