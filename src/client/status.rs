//! The fleet at a glance: one line a cluster, those that say nothing first.

use std::time::Duration;

use model::{Error, duration};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::ask::Asker;
use super::table::printable;

/// Over how many seconds series and samples are counted: an interval of a minute must not look like silence.
const WINDOW_SECONDS: i64 = 300;

const RED: &str = "\x1b[31m";
const YELLOW: &str = "\x1b[33m";
const GREEN: &str = "\x1b[32m";
const BOLD: &str = "\x1b[1m";
const PLAIN: &str = "\x1b[0m";

/// What is known of one cluster.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Cluster {
    cluster: String,
    region: String,
    environment: String,
    role: String,
    /// `ok`, `silent`, or `never` if no sample ever came.
    state: String,
    /// In UTC, to the second.
    last_sample: Option<String>,
    gap_ms: Option<i64>,
    series: i64,
    samples: i64,
    sources: i64,
    failing: i64,
}

#[derive(Debug, Deserialize)]
struct Rows<T> {
    rows: Vec<T>,
}

/// Asks a server for its clusters.
///
/// # Errors
/// As those of a query.
pub(super) async fn ask(server: &Asker) -> Result<Vec<Cluster>, Error> {
    #[derive(Debug, Deserialize)]
    struct Now {
        now_ms: i64,
    }
    // The server's clock counts, and a constant can be looked up in the index of times.
    let now = rows::<Now>(server, "SELECT CAST(date_part('epoch', now()) * 1000 AS BIGINT) AS now_ms").await?;
    let now_ms = now.first().map(|row| row.now_ms).ok_or_else(|| Error::internal("the server has no time"))?;
    rows(server, &statement(now_ms)).await
}

fn statement(now_ms: i64) -> String {
    format!(
        "SELECT c.name AS cluster, c.region, c.environment, c.role, c.state, \
           to_char(c.last_sample, '%Y-%m-%d %H:%M:%S') AS last_sample, \
           {now_ms} - CAST(date_part('epoch', c.last_sample) * 1000 AS BIGINT) AS gap_ms, \
           coalesce(r.series, 0) AS series, coalesce(r.samples, 0) AS samples, \
           coalesce(s.sources, 0) AS sources, coalesce(s.failing, 0) AS failing \
         FROM clusters c \
         LEFT JOIN (SELECT cluster, count(*) AS series, sum(samples) AS samples \
           FROM (SELECT cluster, name, series_id, count(*) AS samples FROM samples \
                 WHERE time_ms > {from_ms} GROUP BY cluster, name, series_id) AS one \
           GROUP BY cluster) AS r ON r.cluster = c.name \
         LEFT JOIN (SELECT cluster, count(*) AS sources, count(error) AS failing FROM sources GROUP BY cluster) AS s \
           ON s.cluster = c.name \
         ORDER BY CASE c.state WHEN 'silent' THEN 0 WHEN 'never' THEN 1 ELSE 2 END, c.name",
        from_ms = now_ms - WINDOW_SECONDS * 1000,
    )
}

async fn rows<T: DeserializeOwned>(server: &Asker, sql: &str) -> Result<Vec<T>, Error> {
    let text = server.text(sql, "application/json").await?;
    let answer: Rows<T> = serde_json::from_str(&text).map_err(|e| {
        Error::internal("the answer is not what was asked for, is the server of this version").with_source(e)
    })?;
    Ok(answer.rows)
}

/// A table with a line a cluster.
pub(super) fn render(fleet: &[Cluster], colour: bool) -> String {
    let header =
        ["CLUSTER", "REGION", "ENVIRONMENT", "ROLE", "STATE", "LAST SAMPLE", "GAP", "SERIES", "SAMPLES/S", "SOURCES"];
    let mut lines: Vec<Vec<String>> = vec![header.map(str::to_owned).to_vec()];
    lines.extend(fleet.iter().map(cells));
    let widths: Vec<usize> =
        (0..header.len()).map(|at| lines.iter().map(|line| line[at].chars().count()).max().unwrap_or(0)).collect();
    let mut out = String::new();
    for (number, line) in lines.iter().enumerate() {
        let shown = line.iter().zip(&widths).enumerate().map(|(at, (cell, width))| {
            // Numbers stand to the right.
            if (6..=8).contains(&at) { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
        });
        let shown = shown.collect::<Vec<_>>().join("  ");
        let paint = match number.checked_sub(1).map(|at| &fleet[at]) {
            None => BOLD,
            Some(cluster) if cluster.state != "ok" => RED,
            Some(cluster) if cluster.failing > 0 => YELLOW,
            Some(_) => GREEN,
        };
        let (paint, plain) = if colour { (paint, PLAIN) } else { ("", "") };
        out.push_str(&format!("{paint}{}{plain}\n", shown.trim_end()));
    }
    if fleet.is_empty() {
        out.push_str("no cluster is configured, and none has sent a sample\n");
    }
    out
}

fn cells(cluster: &Cluster) -> Vec<String> {
    let or_dash = |text: &str| if text.is_empty() { "-".to_owned() } else { printable(text) };
    let gap = cluster.gap_ms.map(|gap_ms| {
        let seconds = u64::try_from(gap_ms / 1000).unwrap_or(0);
        duration::format(Duration::from_secs(seconds))
    });
    let sources = match (cluster.sources, cluster.failing) {
        (0, _) => "-".to_owned(),
        (all, 0) => format!("{all} ok"),
        (all, failing) => format!("{failing} of {all} fail"),
    };
    vec![
        printable(&cluster.cluster),
        or_dash(&cluster.region),
        or_dash(&cluster.environment),
        or_dash(&cluster.role),
        cluster.state.clone(),
        cluster.last_sample.clone().unwrap_or_else(|| "-".into()),
        gap.unwrap_or_else(|| "-".into()),
        cluster.series.to_string(),
        format!("{:.1}", cluster.samples as f64 / WINDOW_SECONDS as f64),
        sources,
    ]
}

#[cfg(test)]
mod tests;
