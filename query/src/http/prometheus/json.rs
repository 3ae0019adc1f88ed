//! Values of an answer as JSON. Written by hand: an answer may hold millions of numbers.

use std::fmt::Write;

use promql::number;

use crate::promql::{Answer, AnswerValue, Point};
use crate::promql::labels::LabelSet;

/// The data of an answer.
pub(super) fn data(answer: &Answer) -> String {
    let mut text = String::new();
    let kind = match &answer.value {
        AnswerValue::Matrix(_) => "matrix",
        AnswerValue::Vector(_) => "vector",
        AnswerValue::Scalar(_) => "scalar",
        AnswerValue::String(..) => "string",
    };
    // The type first, so that a client can read what follows as it comes.
    let _ = write!(text, "{{\"resultType\":\"{kind}\",\"result\":");
    match &answer.value {
        AnswerValue::Matrix(series) => list(&mut text, series, |text, (labels, points)| {
            metric(text, labels);
            text.push_str(",\"values\":");
            list(text, points, |text, point| sample(text, point));
            text.push('}');
        }),
        AnswerValue::Vector(series) => list(&mut text, series, |text, (labels, point)| {
            metric(text, labels);
            text.push_str(",\"value\":");
            sample(text, point);
            text.push('}');
        }),
        AnswerValue::Scalar(point) => sample(&mut text, point),
        AnswerValue::String(time_ms, value) => {
            text.push('[');
            time(&mut text, *time_ms);
            let _ = write!(text, ",{}]", serde_json::Value::from(value.as_str()));
        }
    }
    text.push('}');
    text
}

fn list<T>(text: &mut String, items: &[T], mut write: impl FnMut(&mut String, &T)) {
    text.push('[');
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        write(text, item);
    }
    text.push(']');
}

fn metric(text: &mut String, labels: &LabelSet) {
    text.push_str("{\"metric\":{");
    for (at, (name, value)) in labels.iter().enumerate() {
        let comma = if at > 0 { "," } else { "" };
        let _ = write!(text, "{comma}{}:{}", serde_json::Value::from(name), serde_json::Value::from(value));
    }
    text.push('}');
}

fn sample(text: &mut String, point: &Point) {
    text.push('[');
    time(text, point.time_ms);
    text.push_str(",\"");
    number::push(text, point.value);
    text.push_str("\"]");
}

/// A time as seconds, with three digits behind the point unless they are all zero.
fn time(text: &mut String, time_ms: i64) {
    let (seconds, ms) = (time_ms.unsigned_abs() / 1000, time_ms.unsigned_abs() % 1000);
    if time_ms < 0 {
        text.push('-');
    }
    let _ = match ms {
        0 => write!(text, "{seconds}"),
        ms => write!(text, "{seconds}.{ms:03}"),
    };
}
