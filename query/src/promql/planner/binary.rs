//! Operators between two expressions.

use std::sync::Arc;

use datafusion::common::Result;
use promql::ast::{Binary, BinaryOp, Expr, ValueType};
use promql::binary::{Arithmetic, Comparison};
use promql::matching::{Cardinality, Matching, SetOperator};

use super::super::node::Node;
use super::super::operators::binary::Vectors;
use super::super::operators::elementwise::{Does, WithScalar};
use super::super::operators::scalar::OfScalars;
use super::super::operators::sets::Sets;
use super::super::steps::Steps;
use super::{Plan, Planner, Scalar, unsupported};
use crate::error::external;

impl Planner<'_> {
    pub(super) async fn binary(&self, binary: &Binary, steps: Steps) -> Result<Plan> {
        if let Some(operator) = SetOperator::of(binary.op) {
            return self.sets(binary, operator, steps).await;
        }
        let does = does(binary)?;
        let is_scalar = |expr: &Expr| expr.value_type() == ValueType::Scalar;
        let (op, remarks) = (binary.op, Arc::clone(&self.question.remarks));
        let (vector, scalar, is_left) = match (is_scalar(&binary.lhs), is_scalar(&binary.rhs)) {
            (true, _) => (&binary.rhs, &binary.lhs, true),
            (_, true) => (&binary.lhs, &binary.rhs, false),
            _ => {
                let inputs = vec![self.vector(&binary.lhs, steps).await?, self.vector(&binary.rhs, steps).await?];
                let written = binary.matching.as_ref();
                let mut matching = written.map_or_else(|| Matching::one_to_one(false), Matching::from);
                // What `on` lists are the labels of the result, but for the name of a metric that it no longer is.
                matching.drops_metric = matching.is_on
                    && matching.cardinality == Cardinality::OneToOne
                    && !matches!(does, Does::Filters(_) | Does::Trims);
                let (steps, span) = (steps.count, binary.span);
                let operator = Vectors { op, does, matching, steps, remarks, span };
                return Ok(Node::plan(operator, inputs, steps));
            }
        };
        let mut inputs = vec![self.vector(vector, steps).await?];
        let scalar = self.scalar(scalar, steps).await?.into_arg(&mut inputs);
        let operator = WithScalar { op, does, scalar, is_left, remarks, span: binary.span };
        Ok(Node::plan(operator, inputs, steps.count))
    }

    async fn sets(&self, binary: &Binary, operator: SetOperator, steps: Steps) -> Result<Plan> {
        let inputs = vec![self.vector(&binary.lhs, steps).await?, self.vector(&binary.rhs, steps).await?];
        let (is_on, names) =
            binary.matching.as_ref().map_or((false, Vec::new()), |matching| (matching.is_on, matching.labels.clone()));
        Ok(Node::plan(Sets { operator, is_on, names, steps: steps.count }, inputs, steps.count))
    }

    pub(super) async fn scalar_binary(&self, binary: &Binary, steps: Steps) -> Result<Scalar> {
        let does = Some(does(binary)?).filter(|does| *does != Does::Trims);
        if does.is_none() {
            let what = format!("operator {:?} not allowed for Scalar operations", binary.op.as_str());
            return Err(external(model::Error::invalid(what)));
        }
        self.of_scalars([&binary.lhs, &binary.rhs], binary.op.as_str(), OfScalars::operate, does, steps).await
    }

    /// What an operator or a function makes of two scalars.
    pub(super) async fn of_scalars(
        &self,
        sides: [&Expr; 2],
        text: &'static str,
        apply: fn(&OfScalars, f64, f64) -> f64,
        does: Option<Does>,
        steps: Steps,
    ) -> Result<Scalar> {
        let (left, right) = (self.scalar(sides[0], steps).await?, self.scalar(sides[1], steps).await?);
        let constants = match (&left, &right) {
            (Scalar::Constant(left), Scalar::Constant(right)) => Some((*left, *right)),
            _ => None,
        };
        let mut inputs = Vec::new();
        let scalars = [left.into_arg(&mut inputs), right.into_arg(&mut inputs)];
        let operator = OfScalars { text, apply, does, scalars, steps: steps.count };
        Ok(match constants {
            Some((left, right)) => Scalar::Constant((operator.apply)(&operator, left, right)),
            None => Scalar::Steps(Node::plan(operator, inputs, steps.count)),
        })
    }
}

fn does(binary: &Binary) -> Result<Does> {
    if let Some(arithmetic) = Arithmetic::of(binary.op) {
        return Ok(Does::Calculates(arithmetic));
    }
    match (Comparison::of(binary.op), binary.op) {
        (Some(comparison), _) if binary.returns_bool => Ok(Does::Flags(comparison)),
        (Some(comparison), _) => Ok(Does::Filters(comparison)),
        (None, BinaryOp::TrimLower | BinaryOp::TrimUpper) => Ok(Does::Trims),
        (None, _) => Err(unsupported(&format!("the operator {}", binary.op.as_str()))),
    }
}
