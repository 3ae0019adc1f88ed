//! The arguments of `promql()`.

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{DataFusionError, Result, ScalarValue};
use datafusion::logical_expr::Expr;
use model::Error;

use super::super::question::{MAX_STEPS, Query};
use crate::error::external;
use crate::params::Params;

/// How it is called.
const FORMS: &str = "promql('expression'), promql('expression', time) or promql('expression', start, end, step)";
/// Times further away than this from the epoch, in milliseconds, are refused: what is reckoned with them must not overflow.
const MAX_TIME_MS: i64 = i64::MAX / 1000;

/// Reads the arguments of a call, which the planner has simplified; `now_ms` is the time where none is given.
///
/// # Errors
/// `Invalid`, carried through DataFusion, and says which argument.
pub(super) fn read(exprs: &[Expr], params: &Params, now_ms: i64) -> Result<Query> {
    let values =
        exprs.iter().enumerate().map(|(at, expr)| constant(at + 1, expr, params)).collect::<Result<Vec<_>>>()?;
    let (text, range, end_ms) = match values.as_slice() {
        [text] => (text, None, now_ms),
        [text, time] => (text, None, time_ms("the time", time)?),
        [text, start, end, step] => {
            let (start_ms, end_ms) = (time_ms("the start", start)?, time_ms("the end", end)?);
            let step_ms = step_ms(step)?;
            if end_ms < start_ms {
                return Err(wrong("the end", "must not be before the start"));
            }
            let steps = end_ms.saturating_sub(start_ms) / step_ms;
            if steps > MAX_STEPS {
                let what = format!("gives {steps} steps, the limit is {MAX_STEPS}; take a longer step or less time");
                return Err(wrong("the step", &what));
            }
            (text, Some((start_ms, step_ms)), end_ms)
        }
        other => return Err(invalid(format!("promql() is called with {} arguments, it takes {FORMS}", other.len()))),
    };
    let Some(Some(text)) = text.try_as_str() else { return Err(wrong("the expression", "must be a text")) };
    Ok(Query::new(text, range, end_ms))
}

fn invalid(what: String) -> DataFusionError {
    external(Error::invalid(what))
}

fn wrong(which: &str, what: &str) -> DataFusionError {
    invalid(format!("{which} of promql() {what}"))
}

/// The value of an argument: a literal, or what the client gave for a parameter.
fn constant(number: usize, expr: &Expr, params: &Params) -> Result<ScalarValue> {
    match expr {
        Expr::Literal(value, _) => Ok(value.clone()),
        Expr::Placeholder(placeholder) => match params.values() {
            Some(values) => Ok(values.get_placeholders_with_values(&placeholder.id)?.value),
            None => Err(invalid(format!("the query has a parameter {} and none was sent", placeholder.id))),
        },
        other => Err(invalid(format!(
            "argument {number} of promql() must be known before the query runs, {other} is not; it takes {FORMS}"
        ))),
    }
}

/// A point in time: a timestamp, a date, a text that says one, or seconds since the epoch.
fn time_ms(which: &str, value: &ScalarValue) -> Result<i64> {
    let ms = match value.data_type() {
        DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 => timestamp_ms(value),
        DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 => timestamp_ms(value),
        _ => seconds_as_ms(value),
    };
    let ms = ms.filter(|ms| (-MAX_TIME_MS..=MAX_TIME_MS).contains(ms));
    ms.ok_or_else(|| {
        let what = format!(
            "must be a timestamp, a text like '2026-01-31T12:00:00Z', or seconds since 1970, {} is none",
            shown(value)
        );
        wrong(which, &what)
    })
}

fn timestamp_ms(value: &ScalarValue) -> Option<i64> {
    let utc = DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()));
    match value.cast_to(&utc) {
        Ok(ScalarValue::TimestampMillisecond(ms, _)) => ms,
        _ => None,
    }
}

fn seconds_as_ms(value: &ScalarValue) -> Option<i64> {
    if !value.data_type().is_numeric() {
        return None;
    }
    let Ok(ScalarValue::Float64(Some(seconds))) = value.cast_to(&DataType::Float64) else { return None };
    let ms = (seconds * 1000.0).round();
    (ms.abs() <= MAX_TIME_MS as f64).then_some(ms as i64)
}

/// The distance between two steps: a duration as Prometheus writes it, an interval, or seconds.
fn step_ms(value: &ScalarValue) -> Result<i64> {
    let ms = match value {
        ScalarValue::IntervalDayTime(Some(interval)) => {
            Some(i64::from(interval.days) * model::time::DAY_MS + i64::from(interval.milliseconds))
        }
        // Months are not all equally long.
        ScalarValue::IntervalMonthDayNano(Some(interval)) if interval.months == 0 => {
            Some(i64::from(interval.days) * model::time::DAY_MS + interval.nanoseconds / 1_000_000)
        }
        ScalarValue::DurationSecond(_)
        | ScalarValue::DurationMillisecond(_)
        | ScalarValue::DurationMicrosecond(_)
        | ScalarValue::DurationNanosecond(_) => match value.cast_to(&DataType::Duration(TimeUnit::Millisecond)) {
            Ok(ScalarValue::DurationMillisecond(ms)) => ms,
            _ => None,
        },
        _ => match value.try_as_str() {
            Some(text) => {
                let duration = text.and_then(|text| model::duration::parse(text).ok());
                duration.and_then(|duration| i64::try_from(duration.as_millis()).ok())
            }
            None => seconds_as_ms(value),
        },
    };
    ms.filter(|ms| (1..=MAX_TIME_MS).contains(ms)).ok_or_else(|| {
        let what = format!(
            "must be a duration like '1m', an interval of days or less, or seconds, and above zero; {} is none",
            shown(value)
        );
        wrong("the step", &what)
    })
}

/// A value as an error shows it.
fn shown(value: &ScalarValue) -> String {
    value.to_string().chars().take(64).collect()
}
