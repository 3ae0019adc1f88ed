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
use reqwest::{Client, RequestBuilder, Response, StatusCode, Version};
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
    let request = client
        .get(endpoint.target.clone())
        .headers(endpoint.headers.clone())
        .header(ACCEPT, accept)
        .header(ACCEPT_ENCODING, if endpoint.compression { "gzip" } else { "identity" })
        .header("x-prometheus-scrape-timeout-seconds", endpoint.timeout.as_secs_f64().to_string());
    let mut reply = send(request, endpoint, started, endpoint.timeout).await?;
    let checked = check(reply.headers())?;
    let encoding = encoding(reply.headers())?;
    // The header is cut to the second, so the source's clock may have shown up to 999 ms more.
    let source_time_ms = reply.date_ms().and_then(|date_ms| date_ms.checked_add(999));
    let body = reply.whole().await?;
    Ok((Answer { body, encoding, source_time_ms }, checked))
}

/// Sends a body and gives the answer, whose body is still to come: it is here and read before `deadline`, or the
/// endpoint's timeout is over.
pub(crate) async fn post<'a>(
    client: &Client,
    endpoint: &'a Endpoint,
    headers: HeaderMap,
    body: Vec<u8>,
    deadline: Instant,
) -> Result<Reply<'a>, Failure> {
    let request = client.post(endpoint.target.clone()).headers(endpoint.headers.clone()).headers(headers).body(body);
    let started = Instant::now();
    send(request, endpoint, started, endpoint.timeout.min(deadline - started)).await
}

/// Sends a request with the credentials of the endpoint; a status other than 200 is a failure.
async fn send<'a>(
    mut request: RequestBuilder,
    endpoint: &'a Endpoint,
    started: Instant,
    timeout: Duration,
) -> Result<Reply<'a>, Failure> {
    let deadline = started + timeout;
    if endpoint.has_server_name() {
        request = request.header(HOST, &endpoint.url[Position::BeforeHost..Position::AfterPort]);
    }
    let request = authorize(request, &endpoint.http).await?;
    let sent = timeout_at(deadline, request.send()).await;
    let too_late = || Failure::request(format!("no answer within {}", duration::format(timeout))).too_much();
    let response = sent.map_err(|_| too_late())?.map_err(Failure::of_client)?;
    if response.status() != StatusCode::OK {
        return Err(refused(response, deadline).await);
    }
    Ok(Reply { response, endpoint, timeout, deadline, bytes: 0 })
}

/// An answer whose body is still to come.
#[derive(Debug)]
pub(crate) struct Reply<'a> {
    response: Response,
    endpoint: &'a Endpoint,
    timeout: Duration,
    deadline: Instant,
    /// How much of the body has come.
    bytes: usize,
}

impl Reply<'_> {
    /// Its headers.
    pub(crate) fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// How many bytes of its body have come.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether an end that came too early would be seen: before HTTP/1.1 an answer without a length ends with its
    /// connection, however that came about.
    pub(crate) fn has_an_end(&self) -> bool {
        self.response.version() >= Version::HTTP_11 || self.response.content_length().is_some()
    }

    /// What the source's clock showed when it answered, if it said, cut to the second.
    pub(crate) fn date_ms(&self) -> Option<i64> {
        let date = httpdate::parse_http_date(self.headers().get(DATE)?.to_str().ok()?).ok()?;
        let second: Duration = date.duration_since(UNIX_EPOCH).ok()?;
        i64::try_from(second.as_millis()).ok()
    }

    /// The next bytes of the body, never more together than may be on the wire; `None` at its end.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        let chunk = timeout_at(self.deadline, self.response.chunk()).await;
        let chunk = chunk.map_err(|_| self.cut())?.map_err(Failure::of_client)?;
        self.bytes += chunk.as_ref().map_or(0, Bytes::len);
        if self.bytes > self.endpoint.max_body_bytes { Err(self.too_large()) } else { Ok(chunk) }
    }

    /// The whole body.
    pub(crate) async fn whole(&mut self) -> Result<Bytes, Failure> {
        let announced = self.response.content_length().map_or(0, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
        if announced > self.endpoint.max_body_bytes {
            return Err(self.too_large());
        }
        // What is announced is believed only up to a megabyte: the rest is allocated as it comes.
        let mut body = BytesMut::with_capacity(announced.min(1 << 20) + SPARE_BYTES);
        while let Some(chunk) = self.next().await? {
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    }

    #[cold]
    fn cut(&self) -> Failure {
        let (bytes, timeout) = (self.bytes, duration::format(self.timeout));
        Failure::request(format!("the answer was not whole within {timeout}, {bytes} bytes had come")).too_much()
    }

    #[cold]
    fn too_large(&self) -> Failure {
        let max_bytes = self.endpoint.max_body_bytes;
        Failure::answer(format!("the answer is larger than {max_bytes} bytes, see body_size_limit")).too_much()
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
    let failure = Failure::answer(format!("the source answered {status}{colon}{line}"));
    // What servers say to a question that is too large for them.
    let is_too_much = matches!(status.as_u16(), 400 | 413 | 422 | 500 | 504);
    if is_too_much { failure.too_much() } else { failure }
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
