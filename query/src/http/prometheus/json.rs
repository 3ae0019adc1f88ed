//! Values of an answer as JSON. Written by hand: an answer may hold millions of numbers.

use std::fmt::Write;

use promql::histogram::FloatHistogram;
use promql::number;

use crate::promql::labels::LabelSet;
use crate::promql::{Answer, AnswerValue, Point, Stats, push_histogram};

/// The data of an answer, with what it took if that is wanted.
pub(super) fn data(answer: &Answer, with_stats: bool) -> String {
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
        AnswerValue::Matrix(series) => list(&mut text, series, |text, one| {
            metric(text, &one.labels);
            if !one.points.is_empty() {
                text.push_str(",\"values\":");
                list(text, &one.points, sample);
            }
            if !one.histograms.is_empty() {
                text.push_str(",\"histograms\":");
                list(text, &one.histograms, histogram);
            }
            text.push('}');
        }),
        AnswerValue::Vector(series) => list(&mut text, series, |text, one| {
            metric(text, &one.labels);
            for point in &one.points {
                text.push_str(",\"value\":");
                sample(text, point);
            }
            for point in &one.histograms {
                text.push_str(",\"histogram\":");
                histogram(text, point);
            }
            text.push('}');
        }),
        AnswerValue::Scalar(point) => sample(&mut text, point),
        AnswerValue::String(time_ms, value) => {
            text.push('[');
            time(&mut text, *time_ms);
            let _ = write!(text, ",{}]", serde_json::Value::from(value.as_str()));
        }
    }
    if with_stats {
        let _ = write!(text, ",\"stats\":{}", stats(answer));
    }
    text.push('}');
    text
}

/// How much was read, and how long it took, in seconds.
fn stats(answer: &Answer) -> serde_json::Value {
    let Stats { samples, replicas, queue, total } = &answer.stats;
    let (queue, total) = (queue.as_secs_f64(), total.as_secs_f64());
    serde_json::json!({
        "timings": {
            "evalTotalTime": total - queue,
            "resultSortTime": 0.0,
            "queryPreparationTime": 0.0,
            "innerEvalTime": total - queue,
            "execQueueTime": queue,
            "execTotalTime": total,
        },
        "samples": { "totalQueryableSamples": samples, "peakSamples": samples },
        "replicas": replicas,
    })
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
    number::push_answer_text(text, point.value);
    text.push_str("\"]");
}

/// A histogram at a time.
fn histogram(text: &mut String, (time_ms, histogram): &(i64, FloatHistogram)) {
    text.push('[');
    time(text, *time_ms);
    text.push(',');
    push_histogram(text, histogram);
    text.push(']');
}

/// A time as seconds, with three digits behind the point unless they are all zero.
fn time(text: &mut String, time_ms: i64) {
    let (seconds, ms) = (time_ms / 1000, time_ms % 1000);
    if time_ms < 0 && seconds == 0 {
        text.push('-');
    }
    number::push_whole(text, seconds);
    if ms != 0 {
        let _ = write!(text, ".{:03}", ms.abs());
    }
}
