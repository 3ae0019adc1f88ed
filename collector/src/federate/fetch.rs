//! One request to a source and its answer, bounded in time and bytes.
//!
//! Owns: the headers of the request, which answers are `/federate`'s and which are not, the reading of the body.
//! Does not own: the connection (`client`), credentials (`authorize`), decompression and text (`decode`).

use std::time::{Duration, UNIX_EPOCH};

use bytes::{Bytes, BytesMut};
use decode::body::ContentEncoding;
use model::duration;
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, DATE, HOST, HeaderMap};
use reqwest::{Client, Response, StatusCode};
use tokio::time::{Instant, timeout_at};
use url::Position;

use super::authorize::authorize;
use super::failure::Failure;
use super::source::Source;

/// What a Prometheus of any version answers best to: UTF-8 names where it has them, else plain 0.0.4.
const ACCEPTED: &str = "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.5";
/// How much of the body of an error is read, and how much of its first line is told.
const ERROR_BODY_BYTES: usize = 4096;
const ERROR_LINE_CHARS: usize = 200;
/// Room that is left in a body for the labels of its report, so that it need not be copied for them.
const SPARE_BYTES: usize = 4096;

/// A successful answer, still compressed.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The body as it came.
    pub(crate) body: Bytes,
    /// How it is compressed.
    pub(crate) encoding: ContentEncoding,
    /// The latest that the source's clock can have shown when it answered, if it said.
    pub(crate) source_time_ms: Option<i64>,
}

/// Asks the source once. Everything, from the name to the last byte, happens before `started` + the source's timeout.
pub(crate) async fn fetch(client: &Client, source: &Source, started: Instant) -> Result<Answer, Failure> {
    let deadline = started + source.timeout;
    let mut request = client
        .get(source.target.clone())
        .headers(source.headers.clone())
        .header(ACCEPT, ACCEPTED)
        .header(ACCEPT_ENCODING, "gzip")
        .header("x-prometheus-scrape-timeout-seconds", source.timeout.as_secs_f64().to_string());
    if source.target != source.url {
        request = request.header(HOST, &source.url[Position::BeforeHost..Position::AfterPort]);
    }
    let request = authorize(request, &source.config).await?;
    let sent = timeout_at(deadline, request.send()).await;
    let too_late = || Failure::request(format!("no answer within {}", duration::format(source.timeout)));
    let mut response = sent.map_err(|_| too_late())?.map_err(Failure::of_client)?;
    if response.status() != StatusCode::OK {
        return Err(refused(response, deadline).await);
    }
    check_type(response.headers())?;
    let encoding = encoding(response.headers())?;
    let source_time_ms = source_time_ms(response.headers());
    let body = read_body(&mut response, source, deadline).await?;
    Ok(Answer { body, encoding, source_time_ms })
}

/// Reads the body, never more than the limit of what may be on the wire.
async fn read_body(response: &mut Response, source: &Source, deadline: Instant) -> Result<Bytes, Failure> {
    let max_bytes = source.limits.max_body_bytes;
    let too_large = || Failure::answer(format!("the answer is larger than {max_bytes} bytes, see body_size_limit"));
    let announced = response.content_length().map_or(0, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
    if announced > max_bytes {
        return Err(too_large());
    }
    // What is announced is believed only up to a megabyte: the rest is allocated as it comes.
    let mut body = BytesMut::with_capacity(announced.min(1 << 20) + SPARE_BYTES);
    loop {
        let cut = |_| {
            let (bytes, timeout) = (body.len(), duration::format(source.timeout));
            Failure::request(format!("the answer was not whole within {timeout}, {bytes} bytes had come"))
        };
        let chunk = timeout_at(deadline, response.chunk()).await.map_err(cut)?.map_err(Failure::of_client)?;
        let Some(chunk) = chunk else { return Ok(body.freeze()) };
        if body.len() + chunk.len() > max_bytes {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
}

/// The failure that a status other than 200 means, with the first line of what the source says to it.
async fn refused(mut response: Response, deadline: Instant) -> Failure {
    let status = response.status();
    let mut text = Vec::new();
    while text.len() < ERROR_BODY_BYTES {
        match timeout_at(deadline, response.chunk()).await {
            Ok(Ok(Some(chunk))) => text.extend_from_slice(&chunk[..chunk.len().min(ERROR_BODY_BYTES - text.len())]),
            _ => break,
        }
    }
    let text = String::from_utf8_lossy(&text);
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("");
    let line: String = line.chars().filter(|c| !c.is_control()).take(ERROR_LINE_CHARS).collect();
    let colon = if line.is_empty() { "" } else { ": " };
    Failure::answer(format!("the source answered {status}{colon}{line}"))
}

/// Only the text format: a login page with status 200 must not empty a cluster.
fn check_type(headers: &HeaderMap) -> Result<(), Failure> {
    let hint = "is the url that of a Prometheus";
    let Some(value) = headers.get(CONTENT_TYPE) else {
        return Err(Failure::answer(format!("the answer has no content type, text/plain is expected, {hint}")));
    };
    let shown = String::from_utf8_lossy(value.as_bytes()).into_owned();
    let mut parts = shown.split(';').map(str::trim);
    if !parts.next().is_some_and(|media| media.eq_ignore_ascii_case("text/plain")) {
        return Err(Failure::answer(format!("the answer is {shown:?} instead of text/plain, {hint}")));
    }
    let version = parts.filter_map(|part| part.split_once('=')).find(|(name, _)| name.eq_ignore_ascii_case("version"));
    match version {
        None | Some((_, "0.0.4" | "1.0.0")) => Ok(()),
        Some(_) => Err(Failure::answer(format!("the answer is {shown:?}, versions 0.0.4 and 1.0.0 are understood"))),
    }
}

fn encoding(headers: &HeaderMap) -> Result<ContentEncoding, Failure> {
    let value = headers.get(CONTENT_ENCODING).map_or(&b""[..], |value| value.as_bytes());
    let word = String::from_utf8_lossy(value);
    match ContentEncoding::parse(&word) {
        Ok(encoding @ (ContentEncoding::Identity | ContentEncoding::Gzip)) => Ok(encoding),
        _ => Err(Failure::answer(format!("the answer has the content encoding {word:?}, only gzip was asked for"))),
    }
}

/// The `Date` header is cut to the second, so the source's clock may have shown up to 999 ms more.
fn source_time_ms(headers: &HeaderMap) -> Option<i64> {
    let date = httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?).ok()?;
    let second: Duration = date.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(second.as_millis()).ok()?.checked_add(999)
}
