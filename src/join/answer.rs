//! What the answers of Prometheus' HTTP API mean. Pure: bytes in, figures out.
//!
//! Only what is needed is kept of an answer, so that a hostile one takes no more memory than its bytes.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use model::{Error, duration};
use reqwest::StatusCode;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::ask::Answer;
use super::yaml::printable;

/// The interval of a Prometheus whose configuration names none.
const DEFAULT_INTERVAL: Duration = Duration::from_secs(60);
/// The intervals that our configuration takes, and that make sense.
const INTERVALS: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(86_400);

/// `data` of `/api/v1/status/buildinfo`.
#[derive(Debug, Deserialize)]
pub(super) struct BuildInfo {
    pub(super) version: String,
}

/// `data` of `/api/v1/status/config`.
#[derive(Debug, Deserialize)]
pub(super) struct ConfigText {
    pub(super) yaml: String,
}

/// `data` of `/api/v1/status/runtimeinfo`: unlike the flags it says what holds where a flag is left out.
#[derive(Debug, Deserialize)]
pub(super) struct RuntimeInfo {
    #[serde(rename = "storageRetention")]
    pub(super) retention: String,
}

/// `data` of `/api/v1/status/tsdb`.
#[derive(Debug, Deserialize)]
pub(super) struct TsdbStatus {
    #[serde(rename = "headStats")]
    pub(super) head: HeadStats,
}

/// What is in memory there.
#[derive(Debug, Deserialize)]
pub(super) struct HeadStats {
    #[serde(rename = "numSeries")]
    pub(super) series: u64,
}

/// What of a Prometheus' configuration counts here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ServerConfig {
    /// What it puts on everything that leaves it.
    pub(super) external_labels: BTreeMap<String, String>,
    /// The interval of jobs that name none.
    pub(super) interval: Duration,
    /// The shortest interval of a job, if it is shorter than that.
    pub(super) shortest_interval: Option<Duration>,
}

#[derive(Debug, Deserialize)]
struct Envelope<T> {
    status: String,
    data: Option<T>,
}

#[derive(Debug, Deserialize)]
struct Refusal {
    error: String,
}

/// The `data` of a successful answer.
///
/// # Errors
/// `Invalid` if the answer is of another kind; the message has what it says itself.
pub(super) fn data<T: DeserializeOwned>(answer: &Answer) -> Result<T, Error> {
    if let Ok(refusal) = serde_json::from_slice::<Refusal>(&answer.body) {
        return Err(Error::invalid(format!("it answered {}: {}", answer.status, printable(&refusal.error))));
    }
    if answer.status != StatusCode::OK {
        return Err(answer.failed());
    }
    let envelope: Result<Envelope<T>, _> = serde_json::from_slice(&answer.body);
    match envelope {
        Ok(Envelope { status, data: Some(data) }) if status == "success" => Ok(data),
        Ok(_) => Err(answer.refused("its answer is not that of a Prometheus")),
        Err(e) => {
            let why = printable(&e.to_string());
            Err(answer.refused(&format!("its answer is not that of a Prometheus ({why})")))
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
enum Queried {
    Scalar((IgnoredAny, String)),
    Vector(Vec<Element>),
}

#[derive(Debug, Deserialize)]
struct Element {
    value: (IgnoredAny, String),
}

/// The number that a query gave: a scalar, or the one element of a vector; `None` if there is none.
///
/// # Errors
/// As [`data`], and `Invalid` for several elements.
pub(super) fn number(answer: &Answer) -> Result<Option<f64>, Error> {
    let text = match data(answer)? {
        Queried::Scalar((_, text)) => text,
        Queried::Vector(elements) => match <[Element; 1]>::try_from(elements) {
            Ok([element]) => element.value.1,
            Err(elements) if elements.is_empty() => return Ok(None),
            Err(elements) => {
                return Err(Error::invalid(format!("it gave {} numbers where there is one", elements.len())));
            }
        },
    };
    let number: f64 =
        text.parse().map_err(|_| Error::invalid(format!("it gave {:?}, which is no number", printable(&text))))?;
    Ok(Some(number).filter(|number| number.is_finite()))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct File {
    global: Option<Global>,
    scrape_configs: Option<Vec<Job>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Global {
    scrape_interval: Option<String>,
    external_labels: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Job {
    scrape_interval: Option<String>,
}

/// Reads a Prometheus' configuration.
///
/// # Errors
/// `Invalid` if it is none.
pub(super) fn config(yaml: &str) -> Result<ServerConfig, Error> {
    let options = serde_saphyr::options! { with_snippet: false };
    let file: File = serde_saphyr::from_str_with_options(yaml, options)
        .map_err(|e| Error::invalid(format!("its configuration cannot be read: {}", printable(&e.to_string()))))?;
    let global = file.global.unwrap_or_default();
    let interval = global.scrape_interval.as_deref().map_or(Ok(DEFAULT_INTERVAL), interval_of)?;
    let jobs = file.scrape_configs.unwrap_or_default();
    let shortest = jobs.iter().filter_map(|job| interval_of(job.scrape_interval.as_deref()?).ok()).min();
    let mut external_labels = global.external_labels.unwrap_or_default();
    // A label without a value is none.
    external_labels.retain(|_, value| !value.is_empty());
    Ok(ServerConfig { external_labels, interval, shortest_interval: shortest.filter(|shortest| *shortest < interval) })
}

fn interval_of(text: &str) -> Result<Duration, Error> {
    let interval = duration::parse(text).ok().filter(|interval| INTERVALS.contains(interval));
    interval.ok_or_else(|| Error::invalid(format!("its scrape_interval {:?} is none", printable(text))))
}

#[cfg(test)]
mod tests;
