//! What the filters of a query say of the blocks and pages that it has to read.
//!
//! Only what prunes is read here; each filter is checked again, row by row.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::{InList, Like};
use datafusion::logical_expr::{Between, BinaryExpr, Expr, Operator};
use storage::block::filters::words;

use super::view::{Form, View, read_hex};
use super::word;

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
    /// Words that the line has.
    pub(crate) words: BTreeSet<Vec<u8>>,
}

impl Conditions {
    /// What these filters say together.
    pub(crate) fn of(filters: &[Expr], view: &View) -> Self {
        let mut conditions = Conditions {
            time: i64::MIN..=i64::MAX,
            longs: Vec::new(),
            texts: Vec::new(),
            traces: None,
            words: BTreeSet::new(),
        };
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
            Expr::Like(Like { negated: false, expr, pattern, escape_char, case_insensitive: false }) => {
                if let Some(pattern) = text(pattern).filter(|_| is_line(expr, view)) {
                    self.like(&pattern, escape_char.unwrap_or('\\'));
                }
            }
            Expr::ScalarFunction(call) => {
                let [target, literal] = call.args.as_slice() else { return };
                let Some(part) = text(literal).filter(|_| is_line(target, view)) else { return };
                match call.name() {
                    word::NAME => self.show(&part, true, true),
                    "contains" => self.show(&part, false, false),
                    "starts_with" => self.show(&part, true, false),
                    "ends_with" => self.show(&part, false, true),
                    _ => {}
                }
            }
            _ => {}
        }
    }

    /// The line has this part; `starts` and `ends` say whether it begins and ends with it, or with a word that it begins or ends
    /// with.
    fn show(&mut self, part: &str, starts: bool, ends: bool) {
        self.words.extend(words::whole_words(part, starts, ends).map(<[u8]>::to_vec));
    }

    /// The line is like a pattern.
    fn like(&mut self, pattern: &str, escape: char) {
        let (mut part, mut starts) = (String::new(), true);
        let mut chars = pattern.chars();
        while let Some(c) = chars.next() {
            match c {
                '%' | '_' => {
                    self.show(&part, starts, false);
                    part.clear();
                    starts = false;
                }
                c if c == escape => part.extend(chars.next()),
                c => part.push(c),
            }
        }
        self.show(&part, starts, true);
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
            (Form::Same, "body") => {
                if let [line] = values.as_slice() {
                    self.show(line, true, true);
                }
            }
            (Form::Same, source) => self.texts.push((source, values.into_iter().collect())),
            _ => {}
        }
    }
}

/// Whether an expression is the line of a row.
fn is_line(expr: &Expr, view: &View) -> bool {
    column(expr, view).and_then(|column| view.column(column)).is_some_and(|column| column.source == "body")
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
