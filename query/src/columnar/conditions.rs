//! What the filters of a query say of the blocks and pages that it has to read.
//!
//! Only what prunes is read here; each filter is checked again, row by row.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::{Between, BinaryExpr, Expr, Operator};

use super::view::{Form, View, read_hex};

/// What must hold of a row, as far as blocks can tell.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Conditions {
    /// The time, in nanoseconds.
    pub(crate) time: RangeInclusive<i64>,
    /// Columns of the table that are whole numbers, and between which they are.
    pub(crate) longs: Vec<(&'static str, RangeInclusive<i64>)>,
    /// Columns of the table that are text, and which ones they are.
    pub(crate) texts: Vec<(&'static str, BTreeSet<String>)>,
    /// The traces; an id that is none of a trace is none here.
    pub(crate) traces: Option<BTreeSet<[u8; 16]>>,
}

impl Conditions {
    /// What these filters say together.
    pub(crate) fn of(filters: &[Expr], view: &View) -> Self {
        let mut conditions =
            Conditions { time: i64::MIN..=i64::MAX, longs: Vec::new(), texts: Vec::new(), traces: None };
        filters.iter().for_each(|filter| conditions.add(filter, view));
        conditions
    }

    fn add(&mut self, filter: &Expr, view: &View) {
        match filter {
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => {
                self.add(left, view);
                self.add(right, view);
            }
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
                self.compare(left, *op, right, view);
                if let Some(op) = op.swap() {
                    self.compare(right, op, left, view);
                }
            }
            Expr::Between(Between { expr, negated: false, low, high }) => {
                self.compare(expr, Operator::GtEq, low, view);
                self.compare(expr, Operator::LtEq, high, view);
            }
            Expr::InList(InList { expr, list, negated: false }) => {
                if let Some(values) = list.iter().map(text).collect::<Option<Vec<_>>>() {
                    self.among(expr, values, view);
                }
            }
            _ => {}
        }
    }

    fn compare(&mut self, target: &Expr, op: Operator, literal: &Expr, view: &View) {
        if let (Operator::Eq, Some(value)) = (op, text(literal)) {
            self.among(target, vec![value], view);
            return;
        }
        let Some(column) = column(target, view) else { return };
        let Some((form, source)) = view.column(column).map(|column| (column.form, column.source)) else { return };
        let Expr::Literal(literal, _) = literal else { return };
        let value = match (form, literal) {
            (Form::Time, ScalarValue::TimestampNanosecond(Some(time), _)) => *time,
            (Form::Same, ScalarValue::Int64(Some(number))) => *number,
            (Form::Same, ScalarValue::Int32(Some(number))) => i64::from(*number),
            _ => return,
        };
        let range = match op {
            Operator::Eq => value..=value,
            Operator::Gt => value.saturating_add(1)..=i64::MAX,
            Operator::GtEq => value..=i64::MAX,
            Operator::Lt => i64::MIN..=value.saturating_sub(1),
            Operator::LtEq => i64::MIN..=value,
            _ => return,
        };
        if form == Form::Time && source == view.table.time().0 {
            self.time = *self.time.start().max(range.start())..=*self.time.end().min(range.end());
        } else {
            self.longs.push((source, range));
        }
    }

    fn among(&mut self, target: &Expr, values: Vec<String>, view: &View) {
        let Some(column) = column(target, view).and_then(|column| view.column(column)) else { return };
        match (column.form, column.source) {
            (Form::Id, "trace_id") => {
                let ids: BTreeSet<_> = values.iter().filter_map(|value| read_hex(value)).collect();
                self.traces = Some(match self.traces.take() {
                    Some(before) => before.intersection(&ids).copied().collect(),
                    None => ids,
                });
            }
            (Form::Same, source) => self.texts.push((source, values.into_iter().collect())),
            _ => {}
        }
    }
}

/// The column that an expression shows, as it is or in another type that keeps its order.
fn column<'a>(expr: &'a Expr, view: &View) -> Option<&'a str> {
    match expr {
        Expr::Column(column) => Some(&column.name),
        Expr::Cast(cast) => {
            let inner = column(&cast.expr, view)?;
            let from = view.column(inner)?.field.data_type();
            let is_same = matches!(
                (from, cast.field.data_type()),
                (DataType::Timestamp(TimeUnit::Nanosecond, _), DataType::Timestamp(TimeUnit::Nanosecond, _))
                    | (DataType::Utf8View, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
                    | (DataType::Int32, DataType::Int64)
            );
            is_same.then_some(inner)
        }
        _ => None,
    }
}

fn text(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Literal(value, _) => value.try_as_str().flatten().map(str::to_owned),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
