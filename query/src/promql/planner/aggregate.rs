//! Aggregations.

use std::sync::Arc;

use datafusion::common::Result;
use promql::aggregate::{Operator as Aggregation, count_values};
use promql::ast::{Aggregate, AggregateOp, Expr};

use super::super::node::Node;
use super::super::operators::aggregate::{Aggregate as Fold, Grouping};
use super::super::operators::count_values::CountValues;
use super::super::operators::pick::{Kept, Pick};
use super::super::operators::quantile::Quantile;
use super::super::scalars::ScalarArg;
use super::super::steps::Steps;
use super::{Plan, Planner, text, unfit};
use crate::error::external;

impl Planner<'_> {
    pub(super) async fn aggregate(&self, aggregate: &Aggregate, steps: Steps) -> Result<Plan> {
        let mut inputs = vec![self.vector(&aggregate.expr, steps).await?];
        let grouping = Grouping { is_without: aggregate.grouping.is_without, names: aggregate.grouping.labels.clone() };
        let (span, remarks, count) = (aggregate.span, Arc::clone(&self.question.remarks), steps.count);
        let vector_span = aggregate.expr.span();
        let kept = match aggregate.op {
            AggregateOp::Topk => Kept::Greatest,
            AggregateOp::Bottomk => Kept::Least,
            AggregateOp::Limitk => Kept::First,
            AggregateOp::LimitRatio => Kept::Share,
            AggregateOp::Quantile => {
                let scalar = self.parameter(aggregate, steps, &mut inputs).await?;
                // Notes are about the parameter.
                let span = aggregate.param.as_ref().map_or(span, |param| param.span());
                return Ok(Node::plan(
                    Quantile { scalar, grouping, steps: count, remarks, span, vector_span },
                    inputs,
                    count,
                ));
            }
            AggregateOp::CountValues => {
                let label = text(self.param(aggregate)?)?;
                let Grouping { is_without, names } = grouping;
                let grouping = count_values::Grouping::new(label, is_without, names).map_err(external)?;
                return Ok(Node::plan(CountValues { grouping, steps: count }, inputs, count));
            }
            op => {
                let aggregation = Aggregation::of(op);
                let aggregation = aggregation.ok_or_else(|| unfit("an aggregation", &aggregate.expr))?;
                let span = vector_span;
                return Ok(Node::plan(Fold { aggregation, grouping, steps: count, remarks, span }, inputs, count));
            }
        };
        let scalar = self.parameter(aggregate, steps, &mut inputs).await?;
        let param_span = aggregate.param.as_ref().map_or(span, |param| param.span());
        Ok(Node::plan(Pick { kept, scalar, grouping, steps: count, remarks, span, param_span }, inputs, count))
    }

    fn param<'b>(&self, aggregate: &'b Aggregate) -> Result<&'b Expr> {
        aggregate.param.as_deref().ok_or_else(|| unfit("a parameter", &aggregate.expr))
    }

    async fn parameter(&self, aggregate: &Aggregate, steps: Steps, inputs: &mut Vec<Plan>) -> Result<ScalarArg> {
        Ok(self.scalar(self.param(aggregate)?, steps).await?.into_arg(inputs))
    }
}
