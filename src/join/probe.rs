//! The questions to one Prometheus, and what is known of it afterwards.
//!
//! Owns: what is asked, in which order, and what is asked instead where there is no answer.
//! Does not own: how it is asked (`ask`), what an answer means (`answer`, `remote_read`).

use decode::remote_read::ResponseType;
use model::{Clock, Error, ErrorKind, time};
use reqwest::Url;

use super::answer::{self, BuildInfo, ConfigText, RuntimeInfo, ServerConfig, TsdbStatus};
use super::ask::Client;
use super::remote_read;
use super::yaml::printable;

/// The series of the server, by a query: slower than its own count, but every server that answers queries has it.
const COUNT: &str = r#"count({__name__!=""})"#;
/// Samples a second of all scrapes of five minutes, with the five that each writes of itself; recording rules are not
/// among them. No interval has to be known for it. A server that began less than five minutes ago has no such figure yet.
const SCRAPED: &str = "(sum(sum_over_time(scrape_samples_post_metric_relabeling[5m])) \
                       + 5 * sum(count_over_time(scrape_samples_post_metric_relabeling[5m]))) / 300 \
                       and on () count(scrape_samples_post_metric_relabeling offset 5m)";

/// Something that was asked for, or why it is not known, fit to be shown.
pub(super) type Known<T> = Result<T, String>;

/// What is known of a server.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// As it names it.
    pub(super) version: Known<String>,
    /// Its own configuration.
    pub(super) config: Known<ServerConfig>,
    /// How long it keeps samples, in its own words.
    pub(super) retention: Known<String>,
    /// How many series it has.
    pub(super) series: Known<Figure>,
    /// How many samples it takes in a second.
    pub(super) samples_per_second: Known<Figure>,
    /// The form in which remote read answers.
    pub(super) remote_read: Known<ResponseType>,
    /// Its clock beside ours.
    pub(super) skew: Skew,
}

/// A number and where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Figure {
    /// How many, or how many a second.
    pub(super) value: f64,
    /// In words.
    pub(super) origin: &'static str,
}

/// A server's clock beside ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Skew {
    /// How far it is ahead of ours in milliseconds; below zero if it is behind.
    pub(super) ahead_ms: i64,
    /// How much of that may be the way of the question: half of its round trip, in milliseconds.
    pub(super) uncertain_ms: i64,
}

/// Asks a server everything.
///
/// # Errors
/// Of the first question that a server must answer, to be federated at all: it cannot be reached, or is no Prometheus.
pub(super) async fn probe(client: &Client, server: &Url, clock: &dyn Clock) -> Result<Found, Error> {
    let version = client.figures::<BuildInfo>(server, "/api/v1/status/buildinfo").await;
    let version = match version {
        // Who cannot be reached need not be asked again.
        Err(error) if error.kind() != ErrorKind::Invalid => return Err(error),
        version => known(version).map(|info| printable(&info.version)),
    };
    // By now there is a connection: its making would count as a part of the way.
    let skew = skew(client, server, clock).await?;
    let now_ms = clock.now_ms().saturating_add(skew.ahead_ms);
    let (config, runtime, tsdb, remote_read) = tokio::join!(
        config(client, server),
        client.figures::<RuntimeInfo>(server, "/api/v1/status/runtimeinfo"),
        client.figures::<TsdbStatus>(server, "/api/v1/status/tsdb"),
        remote_read::probe(client, server, now_ms),
    );
    let config = known(config);
    let series = series(client, server, tsdb).await;
    let samples_per_second = samples_per_second(client, server, &series, &config).await;
    Ok(Found {
        version,
        retention: known(runtime).map(|runtime| printable(&runtime.retention)),
        remote_read: known(remote_read),
        config,
        series,
        samples_per_second,
        skew,
    })
}

async fn skew(client: &Client, server: &Url, clock: &dyn Clock) -> Result<Skew, Error> {
    let sent_ms = clock.now_ms();
    let time = client.number(server, "time()").await?;
    let came_ms = clock.now_ms();
    let time_ms = time.map(|seconds| (seconds * 1000.0).round() as i64).filter(|time_ms| time::in_range(*time_ms));
    let time_ms = time_ms.ok_or_else(|| Error::invalid("it does not say what time it has"))?;
    let way_ms = (came_ms - sent_ms).max(0);
    Ok(Skew { ahead_ms: time_ms - (sent_ms + way_ms / 2), uncertain_ms: (way_ms + 1) / 2 })
}

async fn config(client: &Client, server: &Url) -> Result<ServerConfig, Error> {
    let text = client.text::<ConfigText>(server, "/api/v1/status/config").await?;
    answer::config(&text.yaml)
}

async fn series(client: &Client, server: &Url, tsdb: Result<TsdbStatus, Error>) -> Known<Figure> {
    match tsdb {
        Ok(status) => {
            Ok(Figure { value: status.head.series as f64, origin: "by its own count, with those that ended lately" })
        }
        Err(_) => {
            let value = known(client.number(server, COUNT).await)?;
            Ok(Figure { value: value.unwrap_or_default(), origin: "by a query" })
        }
    }
}

async fn samples_per_second(
    client: &Client,
    server: &Url,
    series: &Known<Figure>,
    config: &Known<ServerConfig>,
) -> Known<Figure> {
    if let Ok(series) = series
        && let Ok(Some(value)) = client.number(server, &appended(series.value)).await
    {
        return Ok(Figure { value, origin: "by its own counter, over five minutes" });
    }
    let scraped = client.number(server, SCRAPED).await;
    if let Ok(Some(value)) = scraped {
        return Ok(Figure { value, origin: "by its scrapes of five minutes, without what its rules add" });
    }
    let reason = known(scraped).err();
    match (series, config) {
        (Ok(series), Ok(config)) if !config.interval.is_zero() => Ok(Figure {
            value: series.value / config.interval.as_secs_f64(),
            origin: "a guess: each series once in an interval",
        }),
        _ => Err(reason.unwrap_or_else(|| "it has not scraped for five minutes".into())),
    }
}

/// Samples a second by the counter of the server itself. It may scrape other servers too, which count as many series as
/// they have: its own is the one that counts about as many as it says. As above, it takes five minutes to be known.
fn appended(series: f64) -> String {
    let (from, to) = ((series * 0.8).floor(), (series * 1.25).ceil());
    format!(
        "max(sum by (job, instance) (rate(prometheus_tsdb_head_samples_appended_total[5m])) \
         and on (job, instance) (prometheus_tsdb_head_series >= {from} <= {to}) \
         and on (job, instance) (prometheus_tsdb_head_series offset 5m))"
    )
}

fn known<T>(answer: Result<T, Error>) -> Known<T> {
    answer.map_err(|error| printable(&error.to_string()))
}

#[cfg(test)]
pub(super) mod tests;
