//! Answers: how long they took, what they say, whether two say the same.

use std::collections::BTreeMap;
use std::time::Instant;

use reqwest::RequestBuilder;
use serde_json::Value;

use super::questions::Alike;
use crate::Fault;

/// Numbers may differ by this part of the larger one.
const TOLERANCE: f64 = 1e-9;

/// What was answered.
#[derive(Debug)]
pub(super) enum Answer {
    /// Series by their labels, and of each the values by their times in seconds.
    Series(BTreeMap<String, Vec<(f64, f64)>>),
    /// Values of a label.
    Texts(Vec<String>),
}

/// The seconds until the last byte of an answer, and the answer.
pub(super) async fn timed(request: RequestBuilder) -> Result<(f64, String), Fault> {
    let begin = Instant::now();
    let answer = request.send().await?;
    let (status, url, body) = (answer.status(), answer.url().clone(), answer.text().await?);
    let seconds = begin.elapsed().as_secs_f64();
    match status.is_success() {
        true => Ok((seconds, body)),
        false => Err(format!("{url}: {status}: {body}").into()),
    }
}

impl Answer {
    /// Reads what the API of Prometheus answers.
    pub(super) fn of(body: &str) -> Result<Self, Fault> {
        let body: Value = serde_json::from_str(body)?;
        let data = &body["data"];
        if let Some(texts) = data.as_array() {
            let texts = texts.iter().map(|text| Ok(text.as_str().ok_or("a value that is no text")?.to_owned()));
            return Ok(Answer::Texts(texts.collect::<Result<_, Fault>>()?));
        }
        let mut all = BTreeMap::new();
        for series in data["result"].as_array().ok_or("no result")? {
            let points = match &series["values"] {
                Value::Array(points) => points.iter().map(point).collect::<Result<_, _>>()?,
                _ => vec![point(&series["value"])?],
            };
            all.insert(series["metric"].to_string(), points);
        }
        Ok(Answer::Series(all))
    }

    /// The sum of all values.
    pub(super) fn sum(&self) -> f64 {
        match self {
            Answer::Series(all) => all.values().flatten().map(|(_, value)| value).sum(),
            Answer::Texts(_) => 0.0,
        }
    }

    /// # Errors
    /// What the first difference is. An empty answer is one too: it says nothing.
    pub(super) fn compare(&self, other: &Self, alike: Alike) -> Result<(), String> {
        match (self, other) {
            (Answer::Series(ours), Answer::Series(theirs)) => {
                if ours.is_empty() || ours.len() != theirs.len() {
                    return Err(format!("{} series and {}", ours.len(), theirs.len()));
                }
                match alike {
                    Alike::Values => compare_values(ours, theirs),
                    Alike::Series => Ok(()),
                }
            }
            (Answer::Texts(ours), Answer::Texts(theirs)) if ours == theirs && !ours.is_empty() => Ok(()),
            (Answer::Texts(ours), Answer::Texts(theirs)) => Err(format!("{} texts and {}", ours.len(), theirs.len())),
            _ => Err("answers of two kinds".to_owned()),
        }
    }
}

fn compare_values(
    ours: &BTreeMap<String, Vec<(f64, f64)>>,
    theirs: &BTreeMap<String, Vec<(f64, f64)>>,
) -> Result<(), String> {
    for (labels, points) in ours {
        let others = theirs.get(labels).ok_or_else(|| format!("{labels} is only in one"))?;
        if points.len() != others.len() {
            return Err(format!("{labels}: {} values and {}", points.len(), others.len()));
        }
        for ((time, value), (other_time, other)) in points.iter().zip(others) {
            let is_same = (value - other).abs() <= TOLERANCE * value.abs().max(other.abs());
            if time != other_time || !is_same {
                return Err(format!("{labels}: {value} at {time} and {other} at {other_time}"));
            }
        }
    }
    Ok(())
}

fn point(point: &Value) -> Result<(f64, f64), Fault> {
    let time = point[0].as_f64().ok_or("a time that is no number")?;
    let value = point[1].as_str().ok_or("a value that is no text")?;
    Ok((time, value.parse()?))
}
