//! Walks a logical plan before it is optimised: what it may hold, how large it may be, with which functions.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, LogicalPlan, Operator};
use model::ErrorKind;

use super::capped::scalar_bytes;
use super::functions::Functions;
use crate::error::external;

/// Nodes of a plan, subqueries among them.
const MAX_NODES: usize = 2_000;
/// Expressions of a plan, with all their parts.
const MAX_EXPRESSIONS: usize = 200_000;

/// Admits a plan, with every function replaced by its admitted form.
///
/// # Errors
/// `Forbidden` for a node or function that is not on the list, `TooLarge` if there are too many nodes or expressions.
pub(crate) fn admit(plan: LogicalPlan, functions: &Functions) -> Result<LogicalPlan> {
    let (mut nodes, mut expressions) = (0usize, 0usize);
    let admitted = plan.transform_down_with_subqueries(|node| {
        nodes += 1;
        if nodes > MAX_NODES {
            return Err(refuse(ErrorKind::TooLarge, format!("the plan has more than {MAX_NODES} nodes")));
        }
        known(&node)?;
        let schema = merged_schema(&node);
        // Nodes above know an aggregate by a name that tells its filter and its order as they are, aliases and all.
        let names = NamePreserver::new_for_projection();
        node.map_expressions(|expr| {
            let is_named = matches!(expr, Expr::AggregateFunction(_) | Expr::WindowFunction(_));
            let name = is_named.then(|| names.save(&expr));
            let admitted = expr.transform_up(|expr| {
                expressions += 1;
                if expressions > MAX_EXPRESSIONS {
                    let what = format!("the plan has more than {MAX_EXPRESSIONS} expressions");
                    return Err(refuse(ErrorKind::TooLarge, what));
                }
                replace(expr, functions, &schema)
            })?;
            Ok(match name {
                Some(name) => admitted.update_data(|expr| name.restore(expr)),
                None => admitted,
            })
        })
    })?;
    Ok(admitted.data)
}

fn refuse(kind: ErrorKind, message: String) -> DataFusionError {
    external(model::Error::new(kind, message))
}

/// The columns that the expressions of a node may name.
fn merged_schema(node: &LogicalPlan) -> datafusion::common::DFSchema {
    let mut schema = datafusion::common::DFSchema::empty();
    for input in node.inputs() {
        schema.merge(input.schema());
    }
    schema.merge(node.schema());
    schema
}

/// Only nodes that read. Tables are ours by construction: the catalog has no others.
fn known(node: &LogicalPlan) -> Result<()> {
    match node {
        LogicalPlan::Projection(_)
        | LogicalPlan::Filter(_)
        | LogicalPlan::Window(_)
        | LogicalPlan::Aggregate(_)
        | LogicalPlan::Sort(_)
        | LogicalPlan::Join(_)
        | LogicalPlan::Union(_)
        | LogicalPlan::TableScan(_)
        | LogicalPlan::EmptyRelation(_)
        | LogicalPlan::Subquery(_)
        | LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::Limit(_)
        | LogicalPlan::Values(_)
        | LogicalPlan::Explain(_)
        | LogicalPlan::Analyze(_)
        | LogicalPlan::Distinct(_)
        | LogicalPlan::Unnest(_)
        | LogicalPlan::RecursiveQuery(_)
        | LogicalPlan::DescribeTable(_) => Ok(()),
        other => Err(refuse(ErrorKind::Forbidden, format!("queries only read, {} does not", other.display()))),
    }
}

fn replace(expr: Expr, functions: &Functions, schema: &datafusion::common::DFSchema) -> Result<Transformed<Expr>> {
    match expr {
        Expr::ScalarFunction(call) => {
            let name = call.func.name();
            match functions.admitted(name) {
                Some(admitted) => {
                    let func = Arc::clone(admitted);
                    Ok(Transformed::yes(Expr::ScalarFunction(ScalarFunction { func, args: call.args })))
                }
                None => Err(refuse(ErrorKind::Forbidden, format!("the function {name} is not allowed"))),
            }
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::StringConcat, right }) => {
            // Lists were turned into array functions by the planner, so these are texts or become texts.
            let name =
                Expr::BinaryExpr(BinaryExpr { left: left.clone(), op: Operator::StringConcat, right: right.clone() })
                    .schema_name()
                    .to_string();
            let text = |side: Expr| -> Result<Expr> {
                // Only the whole is asked for by its name, and each name within would double what types are worked out.
                let side = match side {
                    Expr::Alias(named) if is_concatenation(&named.expr, functions) => *named.expr,
                    side => side,
                };
                match side.get_type(schema)? {
                    arrow::datatypes::DataType::Utf8
                    | arrow::datatypes::DataType::Utf8View
                    | arrow::datatypes::DataType::LargeUtf8 => Ok(side),
                    _ => side.cast_to(&arrow::datatypes::DataType::Utf8, schema),
                }
            };
            let args = vec![text(*left)?, text(*right)?];
            let call = ScalarFunction::new_udf(Arc::clone(functions.concat_operator()), args);
            Ok(Transformed::yes(Expr::ScalarFunction(call).alias(name)))
        }
        Expr::ScalarVariable(..) => Err(refuse(ErrorKind::Forbidden, "variables are not allowed".into())),
        Expr::HigherOrderFunction(_) => {
            Err(refuse(ErrorKind::Forbidden, "functions over lambdas are not allowed".into()))
        }
        other => Ok(Transformed::no(other)),
    }
}

fn is_concatenation(expr: &Expr, functions: &Functions) -> bool {
    matches!(expr, Expr::ScalarFunction(call) if Arc::ptr_eq(&call.func, functions.concat_operator()))
}

/// The bytes of all constants of a plan: each may be repeated for every row of a batch.
pub(crate) fn literal_bytes(plan: &LogicalPlan) -> Result<usize> {
    let mut bytes = 0usize;
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expr| {
            expr.apply(|expr| {
                if let Expr::Literal(value, _) = expr {
                    bytes = bytes.saturating_add(scalar_bytes(value));
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    Ok(bytes)
}
