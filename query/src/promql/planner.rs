//! The planner: from the tree of an expression to plan nodes.
//!
//! One file for what selects series (`select`), for calls (`call`), for `info`, aggregations (`aggregate`) and operators (`binary`).

mod aggregate;
mod binary;
mod call;
mod info;
mod select;

use std::sync::Arc;
use std::time::Instant;

use datafusion::common::{DataFusionError, Result};
use datafusion::execution::memory_pool::MemoryPool;
use datafusion::physical_plan::ExecutionPlan;
use futures::FutureExt;
use futures::future::BoxFuture;
use model::{Cluster, ErrorKind};
use promql::ast::{Expr, ValueType};

use super::evaluate::Taken;
use super::node::Node;
use super::operators::elementwise::Negated;
use super::operators::scalar::Given;
use super::question::Question;
use super::replicas::Replicas;
use super::scalars::ScalarArg;
use super::scan::Ground;
use super::steps::Steps;
use super::tiles::{Tiles, tiles};
use crate::error::external;
use crate::run::Halt;
use crate::source::Source;

/// A plan whose batches are step batches.
type Plan = Arc<dyn ExecutionPlan>;

/// Plans a question. The batches of the plan are step batches; of a scalar they are one row.
///
/// # Errors
/// `Invalid` if the expression cannot be evaluated, those of the snapshot, and `TooLarge` or `Busy` if the memory does not
/// suffice; carried through DataFusion.
pub(crate) async fn plan(
    question: &Question,
    source: Arc<Source>,
    memory: Arc<dyn MemoryPool>,
    partitions: usize,
    clusters: &[Cluster],
    halt: &Halt,
) -> Result<Arc<dyn ExecutionPlan>> {
    // Set once: a question is planned once.
    let _ = question.began.set(Instant::now());
    let (touched, clusters): (_, Arc<[Cluster]>) = (Arc::clone(&question.touched), clusters.into());
    let reach = Arc::clone(&question.reach);
    let replicas = Replicas::of(question, &clusters);
    let ground = Ground { source, memory, partitions, touched, clusters, reach, replicas };
    let planner = Planner { question, ground, halt };
    match question.expr.value_type() {
        ValueType::Scalar => {
            let scalar = planner.scalar(&question.expr, question.steps).await?;
            Ok(scalar.into_plan(question.steps))
        }
        _ => match question.expr.unwrapped() {
            Expr::Matrix(matrix) => planner.ranges(matrix).await,
            Expr::Subquery(subquery) => planner.subquery_steps(subquery).await,
            _ => planner.tiled().await,
        },
    }
}

/// Plans the parts of one question.
#[derive(Debug)]
struct Planner<'a> {
    question: &'a Question,
    ground: Ground,
    halt: &'a Halt,
}

/// A planned scalar.
#[derive(Debug, Clone)]
enum Scalar {
    Constant(f64),
    /// One row.
    Steps(Plan),
}

impl Scalar {
    fn into_plan(self, steps: Steps) -> Plan {
        match self {
            Scalar::Constant(value) => {
                Node::plan(Given { scalar: ScalarArg::Constant(value), steps: steps.count }, Vec::new(), steps.count)
            }
            Scalar::Steps(plan) => plan,
        }
    }

    /// As the argument of an operator, whose inputs it joins if it is none that is known.
    fn into_arg(self, inputs: &mut Vec<Plan>) -> ScalarArg {
        match self {
            Scalar::Constant(value) => ScalarArg::Constant(value),
            Scalar::Steps(plan) => {
                inputs.push(plan);
                ScalarArg::Input(inputs.len() - 1)
            }
        }
    }
}

impl Planner<'_> {
    /// Plans the whole expression, tile by tile if its operators would gather too much.
    async fn tiled(&self) -> Result<Plan> {
        let Question { expr, steps, .. } = self.question;
        let whole = self.vector(expr, *steps).await?;
        let tiles = tiles(&whole, *steps, self.question.max_bytes());
        // Which replica is taken at a step depends on the one before.
        if tiles.len() == 1 || !self.ground.replicas.labels.is_empty() {
            return Ok(whole);
        }
        // It holds rows of the head.
        drop(whole);
        let mut planned = Vec::with_capacity(tiles.len());
        for tile in tiles {
            planned.push((tile, self.vector(expr, tile).await?));
        }
        Ok(Tiles::plan(planned, steps.count))
    }

    /// Plans what gives an instant vector.
    fn vector<'b>(&'b self, expr: &'b Expr, steps: Steps) -> BoxFuture<'b, Result<Plan>> {
        async move {
            match expr {
                Expr::Paren(paren) => self.vector(&paren.expr, steps).await,
                Expr::Unary(unary) => {
                    let input = self.vector(&unary.expr, steps).await?;
                    Ok(if unary.is_negative { Node::plan(Negated, vec![input], steps.count) } else { input })
                }
                Expr::Vector(selector) => self.instant_selector(selector, steps, Taken::Value).await,
                Expr::Call(call) => self.call(call, steps).await,
                Expr::Aggregate(aggregate) => self.aggregate(aggregate, steps).await,
                Expr::Binary(binary) => self.binary(binary, steps).await,
                Expr::Matrix(_) | Expr::Subquery(_) | Expr::Number(_) | Expr::String(_) => Err(unfit("a vector", expr)),
            }
        }
        .boxed()
    }

    /// Plans what gives a scalar.
    fn scalar<'b>(&'b self, expr: &'b Expr, steps: Steps) -> BoxFuture<'b, Result<Scalar>> {
        async move {
            match expr {
                Expr::Number(number) => Ok(Scalar::Constant(number.value)),
                Expr::Paren(paren) => self.scalar(&paren.expr, steps).await,
                Expr::Unary(unary) => Ok(match self.scalar(&unary.expr, steps).await? {
                    scalar if !unary.is_negative => scalar,
                    Scalar::Constant(value) => Scalar::Constant(-value),
                    Scalar::Steps(plan) => Scalar::Steps(Node::plan(Negated, vec![plan], steps.count)),
                }),
                Expr::Call(call) => self.scalar_call(call, steps).await,
                Expr::Binary(binary) => self.scalar_binary(binary, steps).await,
                _ => Err(unfit("a scalar", expr)),
            }
        }
        .boxed()
    }

    /// Where the whole query begins and ends, in milliseconds.
    fn bounds_ms(&self) -> (i64, i64) {
        (self.question.steps.start_ms, self.question.end_ms)
    }
}

/// The parser lets no such expression through.
fn unfit(wanted: &str, found: &Expr) -> DataFusionError {
    DataFusionError::Internal(format!("{wanted} is planned of {found:?}"))
}

/// What cannot be evaluated.
fn unsupported(what: &str) -> DataFusionError {
    external(model::Error::new(ErrorKind::Invalid, format!("{what} is not supported")))
}

/// The text of an argument.
fn text(expr: &Expr) -> Result<&str> {
    match expr.unwrapped() {
        Expr::String(text) => Ok(&text.value),
        other => Err(unfit("a text", other)),
    }
}
