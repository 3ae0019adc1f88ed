//! Moving `labels['k']` of a plan down to the scans.
//!
//! Owns: where in a logical plan a label is read. Does not own: how a scan reads it (`exec`).
//!
//! ```text
//! Join: coalesce(a.labels['k'], '') = …             Join: coalesce(a.__label_1, '') = …
//!   SubqueryAlias: a                          ─>      SubqueryAlias: a
//!     TableScan: metrics                                Projection: …, labels['k'] AS metrics.__label_1
//!                                                         TableScan: metrics
//! ```
//!
//! DataFusion has rules of its own for this (`enable_leaf_expression_pushdown`), which are off here. Those of version 55
//! name what they move without the table it is of, so that above an alias a column has two names: joins whose keys are
//! expressions of a label, and others whose labels are asked for in two places, then do not get a plan at all.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use datafusion::common::alias::AliasGenerator;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, Result};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{Expr, LogicalPlan, Projection, Union};
use datafusion::optimizer::optimizer::Optimizer;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};

use super::label::label_column;

/// How labels that were moved are named, with a number behind it.
const PREFIX: &str = "__label";

/// The rule of DataFusion in whose place this one runs: filters are where they can be, and columns that nobody asks for
/// are left out afterwards.
const IN_PLACE_OF: &str = "extract_leaf_expressions";

/// DataFusion's rules, and [`LowerLabels`] among them.
pub(crate) fn optimizer_rules() -> Vec<Arc<dyn OptimizerRule + Send + Sync>> {
    let mut rules = Optimizer::new().rules;
    let at = rules.iter().position(|rule| rule.name() == IN_PLACE_OF).unwrap_or(rules.len());
    rules.insert(at, Arc::new(LowerLabels));
    rules
}

/// Has labels read by projections right above the scans, and asks for their columns elsewhere.
#[derive(Debug)]
struct LowerLabels;

impl OptimizerRule for LowerLabels {
    fn name(&self) -> &str {
        "lower_labels"
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let names = config.alias_generator();
        // A text may have columns that are named as ours would be.
        plan.apply_with_subqueries(|node| {
            for field in node.schema().fields() {
                let number = field.name().strip_prefix(PREFIX).and_then(|rest| rest.strip_prefix('_')?.parse().ok());
                number.into_iter().for_each(|number| names.update_min_id(number));
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
        plan.transform_down_with_subqueries(|node| lowered(node, names))
    }
}

/// A node whose labels are columns of its inputs, as far as they can be. It has the columns that it had.
fn lowered(node: LogicalPlan, names: &AliasGenerator) -> Result<Transformed<LogicalPlan>> {
    let is_in_place = match &node {
        LogicalPlan::Filter(_)
        | LogicalPlan::Sort(_)
        | LogicalPlan::Join(_)
        | LogicalPlan::Window(_)
        | LogicalPlan::Aggregate(_) => false,
        // The physical plan has it right above the scan.
        LogicalPlan::Projection(projection) => is_scan(&projection.input),
        _ => true,
    };
    if is_in_place {
        return Ok(Transformed::no(node));
    }
    let mut inputs: Vec<LogicalPlan> = node.inputs().into_iter().cloned().collect();
    let moved = provided_by(&mut inputs, &node, names)?;
    let is_aggregate = matches!(node, LogicalPlan::Aggregate(_));
    // Sets of groups have no name of their own; those of an aggregate are given back afterwards.
    let has_names = matches!(node, LogicalPlan::Projection(_) | LogicalPlan::Window(_));
    let preserver = NamePreserver::new_for_projection();
    let schema = Arc::clone(node.schema());
    let rewritten = node.map_expressions(|expr| {
        let name = preserver.save(&expr);
        let expr = expr.transform_down(|expr| {
            Ok(match moved.get(&expr) {
                Some(column) => Transformed::yes(Expr::Column(column.clone())),
                None => Transformed::no(expr),
            })
        })?;
        Ok(if has_names { expr.update_data(|expr| name.restore(expr)) } else { expr })
    })?;
    if !rewritten.transformed {
        return Ok(rewritten);
    }
    let node = rewritten.data.with_new_exprs(rewritten.data.expressions(), inputs)?;
    let (before, now) = (schema.columns(), node.schema().columns());
    if before == now {
        return Ok(Transformed::yes(node));
    }
    let columns = before.into_iter().enumerate().map(|(at, column)| match now.get(at) {
        // Its columns are named after its expressions, and in their order.
        Some(renamed) if is_aggregate && *renamed != column => {
            Expr::Column(renamed.clone()).alias_qualified(column.relation, column.name)
        }
        _ => Expr::Column(column),
    });
    let columns = columns.collect();
    Ok(Transformed::yes(LogicalPlan::Projection(Projection::try_new(columns, Arc::new(node))?)))
}

/// The labels of a node that its inputs have now, and as which columns.
fn provided_by(
    inputs: &mut [LogicalPlan],
    node: &LogicalPlan,
    names: &AliasGenerator,
) -> Result<HashMap<Expr, Column>> {
    let (mut asked, mut known, mut taken) = (Vec::<(Column, Vec<Expr>)>::new(), HashSet::new(), HashSet::new());
    node.apply_expressions(|expr| {
        expr.apply(|expr| {
            match (label_column(expr), expr) {
                (Some(labels), label) if known.insert(label.clone()) => {
                    match asked.iter_mut().find(|(column, _)| column == labels) {
                        Some((_, asked)) => asked.push(label.clone()),
                        None => asked.push((labels.clone(), vec![label.clone()])),
                    }
                }
                (None, Expr::Column(column)) => {
                    taken.insert(column.clone());
                }
                _ => {}
            }
            Ok(TreeNodeRecursion::Continue)
        })
    })?;
    let mut moved = HashMap::new();
    for (labels, asked) in asked {
        let Some((input, at)) = owner(inputs, &labels)? else { continue };
        let Some((plan, columns)) = provided(input, at, &asked, names)? else { continue };
        for (label, column) in asked.into_iter().zip(columns) {
            let column = Column::from(plan.schema().qualified_field(column));
            // An aggregate names its columns after its expressions, so no two of them may become one.
            if taken.insert(column.clone()) || !matches!(node, LogicalPlan::Aggregate(_)) {
                moved.insert(label, column);
            }
        }
        *input = plan;
    }
    Ok(moved)
}

/// The one input that has a column, and where.
fn owner<'p>(inputs: &'p mut [LogicalPlan], column: &Column) -> Result<Option<(&'p mut LogicalPlan, usize)>> {
    let mut owners = inputs.iter_mut().filter(|input| input.schema().has_column(column));
    let (Some(input), None) = (owners.next(), owners.next()) else { return Ok(None) };
    let at = input.schema().index_of_column(column)?;
    Ok(Some((input, at)))
}

/// Whether rows come right out of a table.
fn is_scan(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::TableScan(_) => true,
        LogicalPlan::SubqueryAlias(alias) => is_scan(&alias.input),
        _ => false,
    }
}

/// A plan with more columns, and which those are: what `asked` reads of the column of labels at `at`. `None` if it has no
/// rows of a scan any more.
fn provided(
    plan: &LogicalPlan,
    at: usize,
    asked: &[Expr],
    names: &AliasGenerator,
) -> Result<Option<(LogicalPlan, Vec<usize>)>> {
    match plan {
        LogicalPlan::TableScan(_) => {
            let columns = plan.schema().columns().into_iter().map(Expr::Column).collect();
            read(columns, Arc::new(plan.clone()), at, asked, names).map(Some)
        }
        LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::Filter(_)
        | LogicalPlan::Sort(_)
        | LogicalPlan::Limit(_)
        | LogicalPlan::Window(_) => {
            let inputs = plan.inputs();
            let [input] = inputs.as_slice() else { return Ok(None) };
            if at >= input.schema().fields().len() {
                return Ok(None);
            }
            let Some((input, columns)) = provided(input, at, asked, names)? else { return Ok(None) };
            Ok(Some((plan.with_new_exprs(plan.expressions(), vec![input])?, columns)))
        }
        LogicalPlan::Projection(projection) => {
            let Expr::Column(labels) = projection.expr[at].clone().unalias_nested().data else { return Ok(None) };
            let mut columns = projection.expr.clone();
            if is_scan(&projection.input) {
                return read(columns, Arc::clone(&projection.input), at, asked, names).map(Some);
            }
            let inner = projection.input.schema().index_of_column(&labels)?;
            let Some((input, places)) = provided(&projection.input, inner, asked, names)? else { return Ok(None) };
            let column = |at| Expr::Column(Column::from(input.schema().qualified_field(at)));
            let places = places.into_iter().map(|at| place_of(&mut columns, column(at))).collect();
            Ok(Some((LogicalPlan::Projection(Projection::try_new(columns, Arc::new(input))?), places)))
        }
        LogicalPlan::Join(_) => {
            let labels = Column::from(plan.schema().qualified_field(at));
            let mut inputs: Vec<LogicalPlan> = plan.inputs().into_iter().cloned().collect();
            let Some((input, at)) = owner(&mut inputs, &labels)? else { return Ok(None) };
            let Some((with_labels, columns)) = provided(input, at, asked, names)? else { return Ok(None) };
            *input = with_labels;
            let column = |at| Column::from(input.schema().qualified_field(at));
            let columns: Vec<Column> = columns.into_iter().map(column).collect();
            let plan = plan.with_new_exprs(plan.expressions(), inputs)?;
            let columns = columns.iter().map(|column| plan.schema().index_of_column(column)).collect::<Result<_>>()?;
            Ok(Some((plan, columns)))
        }
        LogicalPlan::Union(union) => union_provided(union, at, asked, names),
        _ => Ok(None),
    }
}

/// The labels as the last columns of all inputs.
fn union_provided(
    union: &Union,
    at: usize,
    asked: &[Expr],
    names: &AliasGenerator,
) -> Result<Option<(LogicalPlan, Vec<usize>)>> {
    let labels: Vec<String> = asked.iter().map(|_| names.next(PREFIX)).collect();
    let mut inputs = Vec::with_capacity(union.inputs.len());
    for input in &union.inputs {
        let Some((with_labels, columns)) = provided(input, at, asked, names)? else { return Ok(None) };
        let column = |at| Expr::Column(Column::from(with_labels.schema().qualified_field(at)));
        let added = columns.into_iter().zip(&labels).map(|(at, name)| column(at).alias(name));
        let columns = input.schema().columns().into_iter().map(Expr::Column).chain(added).collect();
        inputs.push(Arc::new(LogicalPlan::Projection(Projection::try_new(columns, Arc::new(with_labels))?)));
    }
    let Some(first) = inputs.first() else { return Ok(None) };
    let (from, to) = (union.schema.fields().len(), first.schema().fields().len());
    let added = first.schema().fields().iter().skip(from).map(|field| (None, Arc::clone(field)));
    let fields = union.schema.iter().map(|(table, field)| (table.cloned(), Arc::clone(field)));
    let schema = DFSchema::new_with_metadata(fields.chain(added).collect(), union.schema.metadata().clone())?;
    Ok(Some((LogicalPlan::Union(Union { inputs, schema: Arc::new(schema) }), (from..to).collect())))
}

/// A projection of `columns` and of labels of the one at `at`, right above a scan.
fn read(
    mut columns: Vec<Expr>,
    scan: Arc<LogicalPlan>,
    at: usize,
    asked: &[Expr],
    names: &AliasGenerator,
) -> Result<(LogicalPlan, Vec<usize>)> {
    let (table, labels) = (columns[at].qualified_name().0, columns[at].clone().unalias_nested().data);
    let mut places = Vec::with_capacity(asked.len());
    for label in asked {
        let label = label.clone().transform_down(|expr| match expr {
            Expr::Column(_) => Ok(Transformed::yes(labels.clone())),
            expr => Ok(Transformed::no(expr)),
        })?;
        let is_known = |column: &Expr| match column {
            Expr::Alias(known) => known.name.starts_with(PREFIX) && *known.expr == label.data,
            _ => false,
        };
        places.push(columns.iter().position(is_known).unwrap_or(columns.len()));
        if places.last() == Some(&columns.len()) {
            columns.push(label.data.alias_qualified(table.clone(), names.next(PREFIX)));
        }
    }
    Ok((LogicalPlan::Projection(Projection::try_new(columns, scan)?), places))
}

/// Where an expression is among others, at their end if it was not.
fn place_of(columns: &mut Vec<Expr>, column: Expr) -> usize {
    columns.iter().position(|known| *known == column).unwrap_or_else(|| {
        columns.push(column);
        columns.len() - 1
    })
}
