//! Which statements there are: one that asks, never one that changes.

use std::collections::HashMap;
use std::ops::ControlFlow;

use datafusion::common::DataFusionError;
use datafusion::sql::parser::{DFParser, DFParserBuilder, Statement};
use datafusion::sql::sqlparser::ast::{ObjectName, ObjectNamePart, Query, SetExpr, Statement as Sql, Visit, Visitor};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use model::ErrorKind;

use super::text::{begin_of, weigh};
use crate::error::{Error, Position, from_datafusion};

/// How deep the parser may descend; `text` has capped the nesting below that.
const PARSER_DEPTH: usize = 128;
/// Tables read once every reference to a common table expression is replaced by its body. It bounds plan and columns:
/// each expression that names another twice doubles both.
const MAX_TABLES: usize = 128;

/// Reads one statement that is allowed.
///
/// # Errors
/// `TooLarge` if a cap is passed, `Invalid` if the text is not SQL or has more than one statement, `Forbidden` if the
/// statement is not one that only asks; the last two with the place of the statement.
pub(crate) fn parse(text: &str, max_bytes: usize) -> Result<Statement, Error> {
    weigh(text, max_bytes)?;
    let mut statements = DFParserBuilder::new(text)
        .with_dialect(&PostgreSqlDialect {})
        .with_recursion_limit(PARSER_DEPTH)
        .build()
        .and_then(|mut parser: DFParser<'_>| parser.parse_statements())
        .map_err(|e: DataFusionError| from_datafusion(e))?;
    let Some(statement) = statements.pop_front() else {
        return Err(Error::new(ErrorKind::Invalid, "the query is empty"));
    };
    if !statements.is_empty() {
        let count = statements.len() + 1;
        let error = Error::new(ErrorKind::Invalid, format!("the query has {count} statements, send one at a time"));
        return Err(place(error, begin_of(text, 1)));
    }
    only_asks(&statement).map_err(|error| place(error, begin_of(text, 0)))?;
    Ok(statement)
}

fn place(error: Error, position: Option<Position>) -> Error {
    match (error.position(), position) {
        (None, Some(position)) => error.at(position),
        _ => error,
    }
}

fn only_asks(statement: &Statement) -> Result<(), Error> {
    match statement {
        Statement::Explain(explain) => match explain.statement.as_ref() {
            Statement::Statement(inner) if matches!(inner.as_ref(), Sql::Query(_)) => only_asks(&explain.statement),
            other => Err(forbidden(&first_words(&other.to_string()))),
        },
        Statement::Statement(inner) => match inner.as_ref() {
            Sql::Query(query) => weigh_tables(query),
            Sql::ShowTables { .. } | Sql::ShowColumns { .. } | Sql::ExplainTable { .. } => Ok(()),
            other => Err(forbidden(&first_words(&other.to_string()))),
        },
        Statement::CreateExternalTable(_) => Err(forbidden("CREATE EXTERNAL TABLE")),
        Statement::CopyTo(_) => Err(forbidden("COPY")),
        Statement::Reset(_) => Err(forbidden("RESET")),
    }
}

fn forbidden(what: &str) -> Error {
    Error::new(
        ErrorKind::Forbidden,
        format!("{what} is not allowed, queries only read: use SELECT, WITH, EXPLAIN, DESCRIBE or SHOW TABLES"),
    )
}

/// What in a query changes something: `WITH … INSERT` and `SELECT … INTO` are queries to the parser.
fn change_in(body: &SetExpr) -> Option<String> {
    match body {
        SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_) => {
            Some(first_words(&body.to_string()))
        }
        SetExpr::Select(select) => select.into.is_some().then(|| "SELECT INTO".to_owned()),
        SetExpr::SetOperation { left, right, .. } => change_in(left).or_else(|| change_in(right)),
        // The body of a query within this one is visited by itself.
        SetExpr::Query(_) | SetExpr::Values(_) | SetExpr::Table(_) => None,
    }
}

fn first_words(text: &str) -> String {
    text.split_whitespace().take(2).collect::<Vec<_>>().join(" ").chars().take(64).collect()
}

/// Counts the tables that a query reads with all common table expressions expanded.
fn weigh_tables(query: &Query) -> Result<(), Error> {
    let mut tables = Tables::default();
    if let ControlFlow::Break(error) = query.visit(&mut tables) {
        return Err(error);
    }
    Ok(())
}

/// One query on the way down: what it has read so far, and the expressions that it defines.
#[derive(Debug, Default)]
struct Frame {
    query: usize,
    tables: usize,
    /// Name of each common table expression of this query by the address of its body.
    bodies: HashMap<usize, String>,
    /// What each of them reads.
    weights: HashMap<String, usize>,
}

#[derive(Debug, Default)]
struct Tables {
    frames: Vec<Frame>,
}

impl Visitor for Tables {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Error> {
        if let Some(change) = change_in(&query.body) {
            return ControlFlow::Break(forbidden(&change));
        }
        let mut frame = Frame { query: std::ptr::from_ref(query).addr(), ..Frame::default() };
        if let Some(with) = &query.with {
            for cte in &with.cte_tables {
                let name = cte.alias.name.value.to_lowercase();
                frame.bodies.insert(std::ptr::from_ref(cte.query.as_ref()).addr(), name);
            }
        }
        self.frames.push(frame);
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _query: &Query) -> ControlFlow<Error> {
        let Some(frame) = self.frames.pop() else { return ControlFlow::Continue(()) };
        if let Some(parent) = self.frames.last_mut() {
            match parent.bodies.get(&frame.query) {
                Some(name) => {
                    let heaviest = parent.weights.entry(name.clone()).or_default();
                    *heaviest = (*heaviest).max(frame.tables);
                }
                None => parent.tables = parent.tables.saturating_add(frame.tables),
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<Error> {
        let name = match relation.0.as_slice() {
            [ObjectNamePart::Identifier(name)] => name.value.to_lowercase(),
            _ => String::new(),
        };
        let weight = self.frames.iter().rev().find_map(|frame| frame.weights.get(&name)).copied().unwrap_or(1).max(1);
        let Some(frame) = self.frames.last_mut() else { return ControlFlow::Continue(()) };
        frame.tables = frame.tables.saturating_add(weight);
        if frame.tables > MAX_TABLES {
            return ControlFlow::Break(Error::new(
                ErrorKind::TooLarge,
                format!("the query reads more than {MAX_TABLES} tables once its WITH expressions are expanded"),
            ));
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests;
