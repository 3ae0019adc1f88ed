//! One question to a Loki and its answer.

use decode::{Arrival, Limits};
use model::ErrorKind;
use model::time::MS_NANOS;
use reqwest::Client;
use reqwest::header::HeaderMap;
use tokio::time::Instant;

use super::cursor::Page;
use super::server::Loki;
use crate::fetch::{Answer, ContentType, Failure, Stage, fetch};

/// The lines that are asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question {
    /// From this time on, in nanoseconds since the Unix epoch ...
    pub(super) start_unix_nano: i64,
    /// ... up to this time, and not at it.
    pub(super) end_unix_nano: i64,
    /// At most so many, the earliest.
    pub(super) limit: usize,
    /// What time it is, in milliseconds since the Unix epoch.
    pub(super) now_ms: i64,
}

/// Asks; gives the page, and the bytes that came over the wire.
pub(super) async fn ask(
    client: &Client,
    loki: &Loki,
    question: Question,
    started: Instant,
) -> Result<(Page, usize), Failure> {
    let Question { start_unix_nano, end_unix_nano, limit, now_ms } = question;
    let [start, end, limit_text] = [start_unix_nano, end_unix_nano, limit as i64].map(|number| number.to_string());
    let endpoint = loki.endpoint.with_params(&[("start", &start), ("end", &end), ("limit", &limit_text)]);
    let (answer, ()) = fetch(client, &endpoint, "application/json", check_type, started).await?;
    let Answer { body, encoding, source_time_ms } = answer;
    let bytes = body.len();
    // What a source whose clock is behind takes in later may be of a time that ours has left already.
    let delay_ms = i64::try_from(loki.config.delay.as_millis()).unwrap_or(i64::MAX);
    let settled_ms = source_time_ms.map_or(now_ms, |time_ms| time_ms.min(now_ms)).saturating_sub(delay_ms);
    let settled_unix_nano = settled_ms.saturating_mul(MS_NANOS).min(end_unix_nano);
    let arrival = Arrival { unix_nano: now_ms.saturating_mul(MS_NANOS), latest_unix_nano: i64::MAX };
    let (limits, cluster) = (loki.limits.clone(), loki.cluster.clone());
    let work = move || {
        let body = decode::body::decompress(encoding, &body, &limits).map_err(|error| failure(&error))?;
        let decoded = read(&body, arrival, &limits)?;
        let refused: u64 = decoded.refused.counts().map(|(_, rows)| rows).sum();
        if let Some((_, message)) = decoded.refused.messages().next() {
            tracing::warn!(cluster = &*cluster, rows = refused, message, "rows of a Loki were refused");
        }
        let is_full = decoded.logs.len() as u64 + refused >= limit as u64;
        Ok(Page { logs: decoded.logs.stamped(&cluster), refused, is_full, settled_unix_nano })
    };
    let done = tokio::task::spawn_blocking(work).await;
    let page = done.unwrap_or_else(|_| Err(Failure::new(Stage::Decode, "the decoding of the answer broke off")))?;
    Ok((page, bytes))
}

fn read(body: &[u8], arrival: Arrival, limits: &Limits) -> Result<decode::DecodedLines, Failure> {
    decode::loki::streams::decode(body, arrival, limits).map_err(|error| failure(&error))
}

fn failure(error: &decode::Error) -> Failure {
    let message = format!("the answer is refused, {error}");
    match error.kind() {
        ErrorKind::TooLarge => Failure::answer(message).too_much(),
        _ => Failure::new(Stage::Decode, message),
    }
}

/// Only JSON: a login page with status 200 must not pass for an answer without lines.
fn check_type(headers: &HeaderMap) -> Result<(), Failure> {
    match ContentType::of(headers) {
        Some(found) if found.media == "application/json" => Ok(()),
        Some(found) => Err(Failure::answer(format!(
            "the answer is {:?} instead of application/json, is the url that of a Loki",
            found.shown
        ))),
        None => Err(Failure::answer("the answer has no content type, is the url that of a Loki")),
    }
}
