//! Whether a server gives raw samples by remote read, and in which form: it is asked for a minute of `up`.

use decode::Limits;
use decode::body::{self, ContentEncoding};
use decode::remote_read::{self, Frames, Matcher, Operator, Query, ResponseType};
use model::Error;
use reqwest::{StatusCode, Url};

use super::ask::{Answer, Client, LONG_BYTES};

/// How much is asked for: little, because a server of many targets has much of it.
const RANGE_MS: i64 = 60_000;
const HEADERS: [(&str, &str); 3] = [
    ("content-encoding", "snappy"),
    ("content-type", "application/x-protobuf"),
    ("x-prometheus-remote-read-version", "0.1.0"),
];

/// Asks a server whose clock shows `now_ms` for its newest samples of `up`, and tells the form in which they came.
///
/// # Errors
/// `Unavailable` or `Timeout` if no whole answer came, `Invalid` if it is none of remote read or cannot be read.
pub(super) async fn probe(client: &Client, server: &Url, now_ms: i64) -> Result<ResponseType, Error> {
    let time_ms = now_ms.saturating_sub(RANGE_MS)..=now_ms;
    let up = Matcher { label: "__name__".into(), operator: Operator::Equal, value: "up".into() };
    let query = Query { time_ms, matchers: vec![up], hints: None };
    let request = remote_read::encode_request(&query, &ResponseType::PREFERRED)?;
    let answer = client.post(server, "/api/v1/read", &HEADERS, request).await?;
    judge(&answer, &query)
}

/// The form of an answer that can be read to its end.
fn judge(answer: &Answer, query: &Query) -> Result<ResponseType, Error> {
    if answer.status != StatusCode::OK {
        return Err(answer.failed());
    }
    let form = ResponseType::parse(&answer.content_type)?;
    let limits = Limits { max_body_bytes: LONG_BYTES, ..Limits::federation() };
    let time_ms = query.time_ms.clone();
    match form {
        ResponseType::Samples => {
            let message = body::decompress(ContentEncoding::Snappy, &answer.body, &limits)?;
            remote_read::decode_samples(&message, time_ms, &limits)?;
        }
        ResponseType::StreamedXorChunks => {
            let mut frames = Frames::new(&limits);
            frames.push(&answer.body)?;
            remote_read::decode_chunks(&frames.finish()?, time_ms, &limits)?;
        }
    }
    Ok(form)
}

#[cfg(test)]
mod tests;
