//! Reads filters of a query as conditions on series and a range of time.
//!
//! A filter is taken only if the selection means exactly the same; every other one stays above the scan. Labels that a
//! series lacks are NULL in SQL but empty for a [`Matcher`], which is why most conditions here also say "not empty".

use std::ops::RangeInclusive;

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::{InList, Like};
use datafusion::logical_expr::{Between, BinaryExpr, Expr, Operator};
use model::labels::{CLUSTER_LABEL, NAME_LABEL};
use model::time::{MAX_TIME_MS, MIN_TIME_MS};
use regex::{Regex, RegexBuilder};
use storage::matcher::Condition;
use storage::{Matcher, Selection};

use super::columns::Output;
use super::label;

/// The compiled size of a regular expression may not pass this, as may not that of its cache of states.
const REGEX_BYTES: usize = 1 << 20;

/// The columns of a table by name.
pub(crate) type Columns = [(String, Output)];

/// What one filter comes to.
#[derive(Debug, Clone)]
pub(crate) enum Pushed {
    /// Milliseconds since the Unix epoch, both ends included; may be empty.
    Time(RangeInclusive<i64>),
    /// Conditions on labels, all of which must hold.
    Labels(Vec<Matcher>),
}

/// Reads one filter; `None` if a selection cannot say it exactly.
pub(crate) fn push(filter: &Expr, columns: &Columns) -> Option<Vec<Pushed>> {
    match filter {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => {
            let mut both = push(left, columns)?;
            both.extend(push(right, columns)?);
            Some(both)
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => either(left, right, columns),
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => compare(left, *op, right, columns)
            .or_else(|| compare(right, op.swap()?, left, columns))
            .map(|pushed| vec![pushed]),
        Expr::Between(Between { expr, negated: false, low, high }) => {
            let mut both = vec![compare(expr, Operator::GtEq, low, columns)?];
            both.push(compare(expr, Operator::LtEq, high, columns)?);
            Some(both)
        }
        Expr::InList(InList { expr, list, negated }) => {
            let target = text_target(expr, columns)?;
            let values = list.iter().map(text).collect::<Option<Vec<_>>>()?;
            target.among(values, *negated).map(|pushed| vec![pushed])
        }
        Expr::Like(Like { negated, expr, pattern, escape_char, case_insensitive: false }) => {
            let target = text_target(expr, columns)?;
            let pattern = like_pattern(&text(pattern)?, *escape_char)?;
            target.matching(&pattern, *negated).map(|pushed| vec![pushed])
        }
        Expr::IsNull(expr) => Some(vec![text_target(expr, columns)?.null(true)]),
        Expr::IsNotNull(expr) => Some(vec![text_target(expr, columns)?.null(false)]),
        _ => None,
    }
}

/// Adds what was pushed to a selection.
pub(crate) fn narrow(selection: &mut Selection, pushed: Vec<Pushed>) {
    for pushed in pushed {
        match pushed {
            Pushed::Labels(matchers) => selection.matchers.extend(matchers),
            Pushed::Time(range) => {
                let start = *selection.time_ms.start().max(range.start());
                let end = *selection.time_ms.end().min(range.end());
                selection.time_ms = start..=end;
            }
        }
    }
}

/// `a = 'x' OR a = 'y'`: the same label on both sides, each side one list of values.
fn either(left: &Expr, right: &Expr, columns: &Columns) -> Option<Vec<Pushed>> {
    let one = |expr: &Expr| match push(expr, columns)?.as_slice() {
        [Pushed::Labels(matchers)] => match matchers.as_slice() {
            [Matcher { label, condition: Condition::In(values) }] => Some((label.clone(), values.clone())),
            _ => None,
        },
        _ => None,
    };
    let ((label, mut values), (other, more)) = (one(left)?, one(right)?);
    if label != other {
        return None;
    }
    values.extend(more);
    Some(vec![Pushed::Labels(vec![Matcher { label, condition: Condition::In(values) }])])
}

/// A text column that is a label of the series.
struct TextTarget {
    label: String,
    /// Whether a series may lack it, which SQL shows as NULL.
    nullable: bool,
}

impl TextTarget {
    fn pushed(self, condition: Condition, may_hold_for_empty: bool) -> Pushed {
        let mut matchers = Vec::new();
        if self.nullable && may_hold_for_empty {
            let present = Condition::NotIn(vec![String::new()]);
            matchers.push(Matcher { label: self.label.clone(), condition: present });
        }
        matchers.push(Matcher { label: self.label, condition });
        Pushed::Labels(matchers)
    }

    fn among(self, mut values: Vec<String>, negated: bool) -> Option<Pushed> {
        if self.nullable {
            // No stored label is empty: `= ''` never holds, `!= ''` holds for every series that has the label.
            values.retain(|value| !value.is_empty());
        }
        if negated {
            return Some(self.pushed(Condition::NotIn(values), true));
        }
        Some(self.pushed(Condition::In(values), false))
    }

    fn matching(self, pattern: &str, negated: bool) -> Option<Pushed> {
        let regex = compile(pattern)?;
        Some(if negated {
            self.pushed(Condition::MatchesNot(regex), true)
        } else {
            self.pushed(Condition::Matches(regex), true)
        })
    }

    fn null(self, wanted: bool) -> Pushed {
        let condition = match (self.nullable, wanted) {
            (true, true) => Condition::In(vec![String::new()]),
            (true, false) => Condition::NotIn(vec![String::new()]),
            (false, true) => Condition::In(Vec::new()),
            (false, false) => Condition::NotIn(Vec::new()),
        };
        Pushed::Labels(vec![Matcher { label: self.label, condition }])
    }
}

fn compile(pattern: &str) -> Option<Regex> {
    RegexBuilder::new(pattern).size_limit(REGEX_BYTES).dfa_size_limit(REGEX_BYTES).build().ok()
}

/// A LIKE pattern as a regular expression that must match the whole text.
fn like_pattern(pattern: &str, escape: Option<char>) -> Option<String> {
    let escape = escape.unwrap_or('\\');
    let mut regex = String::from(r"(?s)\A");
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            c if c == escape => regex.push_str(&regex::escape(&chars.next()?.to_string())),
            '%' => regex.push_str(".*"),
            '_' => regex.push('.'),
            c => regex.push_str(&regex::escape(&c.to_string())),
        }
    }
    regex.push_str(r"\z");
    Some(regex)
}

fn compare(target: &Expr, op: Operator, literal: &Expr, columns: &Columns) -> Option<Pushed> {
    if let Some(unit) = time_target(target, columns) {
        return time_range(op, instant(literal, unit)?, unit).map(Pushed::Time);
    }
    let target = text_target(target, columns)?;
    let value = text(literal)?;
    match op {
        Operator::Eq => target.among(vec![value], false),
        Operator::NotEq => target.among(vec![value], true),
        Operator::RegexMatch => target.matching(&value, false),
        Operator::RegexNotMatch => target.matching(&value, true),
        Operator::RegexIMatch => target.matching(&format!("(?i){value}"), false),
        Operator::RegexNotIMatch => target.matching(&format!("(?i){value}"), true),
        _ => None,
    }
}

fn output<'a>(expr: &Expr, columns: &'a Columns) -> Option<&'a Output> {
    let Expr::Column(column) = expr else { return None };
    columns.iter().find(|(name, _)| *name == column.name).map(|(_, output)| output)
}

fn text_target(expr: &Expr, columns: &Columns) -> Option<TextTarget> {
    if let Expr::Cast(cast) = expr {
        let is_text = matches!(cast.field.data_type(), DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8);
        return if is_text { text_target(&cast.expr, columns) } else { None };
    }
    let label =
        columns.iter().find(|(_, output)| *output == Output::Labels).and_then(|(name, _)| label::label_of(expr, name));
    let label = match (label, output(expr, columns)) {
        (Some(label), _) => label,
        (None, Some(Output::Name)) => return Some(TextTarget { label: NAME_LABEL.into(), nullable: false }),
        (None, Some(Output::Cluster)) => return Some(TextTarget { label: CLUSTER_LABEL.into(), nullable: false }),
        (None, Some(Output::Label(label))) => label.clone(),
        _ => return None,
    };
    // These two are columns, never among the labels: such an expression is NULL for every series.
    if label == NAME_LABEL || label == CLUSTER_LABEL {
        return None;
    }
    Some(TextTarget { label, nullable: true })
}

fn text(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Literal(value, _) => value.try_as_str().flatten().map(str::to_owned),
        _ => None,
    }
}

/// The unit in which an expression shows the time of a sample.
fn time_target(expr: &Expr, columns: &Columns) -> Option<TimeUnit> {
    match expr {
        Expr::Cast(cast) => match (cast.field.data_type(), output(&cast.expr, columns)) {
            // A coarser unit would round, so it is not the same condition.
            (DataType::Timestamp(unit, _), Some(Output::Ts)) if *unit != TimeUnit::Second => Some(*unit),
            _ => None,
        },
        _ => (output(expr, columns) == Some(&Output::Ts)).then_some(TimeUnit::Millisecond),
    }
}

fn instant(expr: &Expr, unit: TimeUnit) -> Option<i64> {
    let Expr::Literal(value, _) = expr else { return None };
    match (value, unit) {
        (ScalarValue::TimestampMillisecond(Some(time), _), TimeUnit::Millisecond)
        | (ScalarValue::TimestampMicrosecond(Some(time), _), TimeUnit::Microsecond)
        | (ScalarValue::TimestampNanosecond(Some(time), _), TimeUnit::Nanosecond) => Some(*time),
        _ => None,
    }
}

fn time_range(op: Operator, time: i64, unit: TimeUnit) -> Option<RangeInclusive<i64>> {
    let per_ms = match unit {
        TimeUnit::Second => return None,
        TimeUnit::Millisecond => 1,
        TimeUnit::Microsecond => 1_000,
        TimeUnit::Nanosecond => 1_000_000,
    };
    let (floor, exact) = (time.div_euclid(per_ms), time.rem_euclid(per_ms) == 0);
    let ceiling = if exact { floor } else { floor + 1 };
    let (first, last) = match op {
        Operator::Eq if exact => (floor, floor),
        Operator::Eq => (1, 0),
        Operator::Gt => (floor.checked_add(1)?, MAX_TIME_MS),
        Operator::GtEq => (ceiling, MAX_TIME_MS),
        Operator::Lt => (MIN_TIME_MS, ceiling.checked_sub(1)?),
        Operator::LtEq => (MIN_TIME_MS, floor),
        _ => return None,
    };
    Some(first..=last)
}

#[cfg(test)]
mod tests;
