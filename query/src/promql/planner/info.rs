//! `info`: which info series are looked at, and when.

use std::iter;
use std::sync::Arc;

use datafusion::common::Result;
use model::labels::NAME_LABEL;
use promql::ast::{Call, Expr, MatchOp, Matcher, ValueType};
use promql::functions::instant::instant_function;
use promql::functions::range::range_function;
use promql::span::Span;

use super::super::evaluate::{Newest, Taken};
use super::super::node::Node;
use super::super::operators::info::{IDENTIFYING, Info};
use super::super::scan::{self, Made};
use super::super::selection::matchers;
use super::super::steps::{Looks, Steps};
use super::select::selection;
use super::{Plan, Planner, unfit};

/// The name of the info series that are looked at if the call names none.
const DEFAULT_NAME: &str = "target_info";
/// What the names of info series match if the call only says which it does not want.
const ANY_NAME: &str = ".+_info";

impl Planner<'_> {
    /// Plans a call of `info`. Its second argument is no selector of its own: what it says of the name and of labels is asked
    /// of info series, and the labels that it has are those that are taken.
    pub(super) async fn info(&self, call: &Call, steps: Steps) -> Result<Plan> {
        let vector = self.arg(call, 0)?;
        let written = match call.args.get(1) {
            Some(Expr::Vector(selector)) => selector.matchers.as_slice(),
            Some(other) => return Err(unfit("labels", other)),
            None => &[],
        };
        let (names, data): (Vec<Matcher>, Vec<Matcher>) =
            written.iter().cloned().partition(|matcher| matcher.label == NAME_LABEL);
        let names = names_of_info(names);
        let operator = Info {
            names: matchers(&names),
            labels: data.iter().map(|matcher| matcher.label.clone()).collect(),
            is_needed: data.iter().any(|matcher| !matcher.matches_empty()),
            steps: steps.count,
        };
        let (at_ms, offset_ms) = self.reference(vector)?.unwrap_or((None, 0));
        let looks = Looks::new(steps, at_ms, offset_ms);
        let lookback_ms = self.question.lookback_ms;
        let selector: Vec<Matcher> = names.into_iter().chain(data).chain(identifying(vector)).collect();
        let evaluate = Arc::new(Newest { lookback_ms, taken: Taken::TimeOfNumber });
        let made = Made { evaluate, scalars: Vec::new(), inputs: Vec::new() };
        let info = scan::plan(&self.ground, &selection(&selector, looks, (lookback_ms, 0)), looks, made).await?;
        Ok(Node::plan(operator, vec![self.vector(vector, steps).await?, info], steps.count))
    }

    /// When info series are looked at: as the first selector of an expression says, and the subqueries around it up to the one
    /// that fixes an instant. The instant if it is fixed, and how much earlier, in milliseconds.
    fn reference(&self, expr: &Expr) -> Result<Option<(Option<i64>, i64)>> {
        let below: Vec<&Expr> = match expr {
            Expr::Vector(selector) => return self.modifiers(selector.at, selector.offset.as_ref()).map(Some),
            Expr::Matrix(matrix) => {
                let selector = &matrix.selector;
                return self.modifiers(selector.at, selector.offset.as_ref()).map(Some);
            }
            Expr::Subquery(subquery) => {
                let outer = self.modifiers(subquery.at, subquery.offset.as_ref())?;
                return Ok(self.reference(&subquery.expr)?.map(|inner| match inner {
                    (Some(at_ms), offset_ms) => (Some(at_ms), offset_ms),
                    (None, offset_ms) => (outer.0, offset_ms + outer.1),
                }));
            }
            // The vector counts before the parameter, which is written before it.
            Expr::Aggregate(aggregate) => iter::once(&*aggregate.expr).chain(aggregate.param.as_deref()).collect(),
            _ => expr.children().collect(),
        };
        for expr in below {
            if let Some(found) = self.reference(expr)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

/// What is asked of the names of info series.
fn names_of_info(mut written: Vec<Matcher>) -> Vec<Matcher> {
    if written.iter().all(|matcher| matcher.op.is_negative()) {
        let (op, value) = if written.is_empty() { (MatchOp::Equal, DEFAULT_NAME) } else { (MatchOp::Regex, ANY_NAME) };
        written.insert(0, Matcher { label: NAME_LABEL.into(), op, value: value.into(), span: Span::default() });
    }
    written
}

/// What an expression asks of the labels that its series share with their info series, if its form tells that they are still
/// those of the series that it selects: the others need not be read.
fn identifying(expr: &Expr) -> Vec<Matcher> {
    let selector = match expr {
        Expr::Vector(selector) => selector,
        Expr::Matrix(matrix) => &matrix.selector,
        Expr::Paren(paren) => return identifying(&paren.expr),
        Expr::Unary(unary) => return identifying(&unary.expr),
        Expr::Subquery(subquery) => return identifying(&subquery.expr),
        Expr::Call(call) if keeps_labels(call.function.name) => {
            let is_of_series = |arg: &&Expr| matches!(arg.value_type(), ValueType::Vector | ValueType::Matrix);
            return call.args.iter().find(is_of_series).map(identifying).unwrap_or_default();
        }
        _ => return Vec::new(),
    };
    // Without such a label a series says nothing of the info series that are looked at.
    let is_identifying = |matcher: &&Matcher| IDENTIFYING.contains(&&*matcher.label) && !matcher.matches_empty();
    selector.matchers.iter().filter(is_identifying).cloned().collect()
}

/// Whether a function leaves the series their labels but for the name.
fn keeps_labels(function: &str) -> bool {
    function != "absent_over_time" && (range_function(function).is_some() || instant_function(function).is_some())
}
