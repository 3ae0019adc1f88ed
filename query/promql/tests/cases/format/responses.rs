//! Answers of Prometheus' HTTP API.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::answers::{Answer, Outcome, Point, Row};
use super::histograms::{Bucket, Buckets};
use super::labels::Labels;
use super::numbers::number;

/// Reads the body of a response to `/api/v1/query` or `/api/v1/query_range`.
///
/// # Errors
/// What is not as the API has it.
pub(crate) fn answer(body: &Json) -> Result<Answer, String> {
    let notes = notes("warning", &body["warnings"])?.chain(notes("info", &body["infos"])?).collect();
    Ok(Answer { outcome: outcome(body)?, notes })
}

fn notes<'a>(word: &'a str, list: &'a Json) -> Result<impl Iterator<Item = String> + 'a, String> {
    let list: &[Json] = match list {
        Json::Null => &[],
        Json::Array(list) => list,
        _ => return Err(format!("{list} is no list of notes")),
    };
    let texts = list.iter().map(text).collect::<Result<BTreeSet<_>, _>>()?;
    Ok(texts.into_iter().map(move |text| format!("{word} {text}")))
}

fn outcome(body: &Json) -> Result<Outcome, String> {
    if body["status"] == "error" {
        return Ok(Outcome::Error(text(&body["errorType"])?.into(), text(&body["error"])?.into()));
    }
    let (kind, result) = (text(&body["data"]["resultType"])?, &body["data"]["result"]);
    match kind {
        "scalar" => Ok(Outcome::Scalar(number(text(&result[1])?)?)),
        "string" => Ok(Outcome::String(text(&result[1])?.into())),
        "vector" | "matrix" => Ok(Outcome::Series(list(result)?.iter().map(row).collect::<Result<_, _>>()?)),
        _ => Err(format!("an answer has the type {kind}")),
    }
}

fn row(json: &Json) -> Result<Row, String> {
    let metric = json["metric"].as_object().ok_or_else(|| format!("{json} has no labels"))?;
    let mut labels = Labels::new();
    for (name, value) in metric {
        labels.push((name.clone(), text(value)?.into()));
    }
    labels.sort();
    let mut points = Vec::new();
    for (key, is_list) in [("value", false), ("values", true), ("histogram", false), ("histograms", true)] {
        let pairs: &[Json] = match &json[key] {
            Json::Null => &[],
            pairs if is_list => list(pairs)?,
            pair => std::slice::from_ref(pair),
        };
        for pair in pairs {
            let seconds = pair[0].as_f64().ok_or_else(|| format!("{pair} has no time"))?;
            let point = match &pair[1] {
                Json::String(value) => Point::Float(number(value)?),
                histogram => Point::Histogram(buckets(histogram)?),
            };
            points.push(((seconds * 1000.0).round() as i64, point));
        }
    }
    points.sort_by_key(|(time_ms, _)| *time_ms);
    Ok(Row { labels, points })
}

fn buckets(json: &Json) -> Result<Buckets, String> {
    let mut buckets = Vec::new();
    let all: &[Json] = match &json["buckets"] {
        Json::Null => &[],
        all => list(all)?,
    };
    for bucket in all {
        // 0: the upper bound is in it, 1: the lower one, 2: none, 3: both.
        let bounds = bucket[0].as_i64().ok_or_else(|| format!("{bucket} does not say which bounds are in it"))?;
        buckets.push(Bucket {
            has_lower: matches!(bounds, 1 | 3),
            has_upper: matches!(bounds, 0 | 3),
            lower: number(text(&bucket[1])?)?,
            upper: number(text(&bucket[2])?)?,
            count: number(text(&bucket[3])?)?,
        });
    }
    Ok(Buckets { count: number(text(&json["count"])?)?, sum: number(text(&json["sum"])?)?, buckets })
}

fn list(json: &Json) -> Result<&[Json], String> {
    json.as_array().map(Vec::as_slice).ok_or_else(|| format!("{json} is no list"))
}

fn text(json: &Json) -> Result<&str, String> {
    json.as_str().ok_or_else(|| format!("{json} is no string"))
}
