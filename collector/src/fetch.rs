//! One request to another server and its answer, bounded in time and bytes.
//!
//! Owns: connections and their TLS, credentials, redirects, the headers of a request, the reading of its answer.
//! Does not own: what is asked and when (`federate`, `scrape`, `discovery`), decompression and formats (`decode`).

mod authorize;
mod client;
mod endpoint;
mod failure;
mod tls;

use std::time::{Duration, UNIX_EPOCH};

use bytes::{Bytes, BytesMut};
use decode::body::ContentEncoding;
use model::duration;
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, DATE, HOST, HeaderMap};
use reqwest::{Client, Response, StatusCode};
use tokio::time::{Instant, timeout_at};
use url::Position;

pub(crate) use self::client::Connection;
pub(crate) use self::endpoint::Endpoint;
pub(crate) use self::failure::{Failure, Stage};
pub(crate) use self::tls::check_files;

use self::authorize::authorize;

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

/// Asks once. Everything, from the name to the last byte, happens before `started` + the endpoint's timeout.
///
/// `accept` is what may be answered; whether the answer is that is asked of `check` before the body is read.
pub(crate) async fn fetch<T>(
    client: &Client,
    endpoint: &Endpoint,
    accept: &str,
    check: impl FnOnce(&HeaderMap) -> Result<T, Failure>,
    started: Instant,
) -> Result<(Answer, T), Failure> {
    let deadline = started + endpoint.timeout;
    let mut request = client
        .get(endpoint.target.clone())
        .headers(endpoint.headers.clone())
        .header(ACCEPT, accept)
        .header(ACCEPT_ENCODING, if endpoint.compression { "gzip" } else { "identity" })
        .header("x-prometheus-scrape-timeout-seconds", endpoint.timeout.as_secs_f64().to_string());
    if endpoint.has_server_name() {
        request = request.header(HOST, &endpoint.url[Position::BeforeHost..Position::AfterPort]);
    }
    let request = authorize(request, &endpoint.http).await?;
    let sent = timeout_at(deadline, request.send()).await;
    let too_late = || Failure::request(format!("no answer within {}", duration::format(endpoint.timeout)));
    let mut response = sent.map_err(|_| too_late())?.map_err(Failure::of_client)?;
    if response.status() != StatusCode::OK {
        return Err(refused(response, deadline).await);
    }
    let checked = check(response.headers())?;
    let encoding = encoding(response.headers())?;
    let source_time_ms = source_time_ms(response.headers());
    let body = read_body(&mut response, endpoint, deadline).await?;
    Ok((Answer { body, encoding, source_time_ms }, checked))
}

/// Reads the body, never more than the limit of what may be on the wire.
async fn read_body(response: &mut Response, endpoint: &Endpoint, deadline: Instant) -> Result<Bytes, Failure> {
    let max_bytes = endpoint.max_body_bytes;
    let too_large = || Failure::answer(format!("the answer is larger than {max_bytes} bytes, see body_size_limit"));
    let announced = response.content_length().map_or(0, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
    if announced > max_bytes {
        return Err(too_large());
    }
    // What is announced is believed only up to a megabyte: the rest is allocated as it comes.
    let mut body = BytesMut::with_capacity(announced.min(1 << 20) + SPARE_BYTES);
    loop {
        let cut = |_| {
            let (bytes, timeout) = (body.len(), duration::format(endpoint.timeout));
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

/// What an answer says of its form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ContentType {
    /// The whole header.
    pub(crate) shown: String,
    /// The media type, in lower case.
    pub(crate) media: String,
    /// The parameter `version`.
    pub(crate) version: Option<String>,
}

impl ContentType {
    /// `None` without a content type.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let shown = String::from_utf8_lossy(headers.get(CONTENT_TYPE)?.as_bytes()).into_owned();
        let mut parts = shown.split(';').map(str::trim);
        let media = parts.next().unwrap_or_default().to_ascii_lowercase();
        let mut parameters = parts.filter_map(|part| part.split_once('='));
        let version = parameters.find(|(name, _)| name.eq_ignore_ascii_case("version"));
        let version = version.map(|(_, version)| version.trim_matches('"').to_owned());
        Some(ContentType { shown, media, version })
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
