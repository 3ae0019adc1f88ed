//! One question to a server and its answer, piece by piece.

use std::mem;

use decode::Limits;
use decode::body::{ContentEncoding, decompress};
use decode::remote_read::{Frames, Matcher, Part, Query, ResponseType, decode_chunks, decode_samples, encode_request};
use model::{Clock, ErrorKind};
use reqwest::Client;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use tokio::time::Instant;

use super::coverage::Span;
use super::server::Server;
use crate::fetch::{Failure, Reply, Stage, post};

/// Bytes of frames that are decoded at once: few enough that the samples of one series that never changes, five to a
/// byte, stay within what is decoded at once.
const PIECE_BYTES: usize = 256 << 10;
/// An answer on its way in.
#[derive(Debug)]
pub(super) struct Exchange<'a> {
    reply: Reply<'a>,
    /// The times that it answers for.
    pub(super) span: Span,
    /// How far the source's clock is behind ours, in milliseconds, up to a second too much; `None` if it does not say.
    pub(super) behind_ms: Option<i64>,
    form: Form,
    limits: &'a Limits,
}

#[derive(Debug)]
enum Form {
    Samples,
    Chunks(Frames),
    /// Nothing more comes.
    Ended,
}

impl<'a> Exchange<'a> {
    /// Asks for all samples of `span` of the series that fulfil all of `matchers`.
    ///
    /// The answer is for less, even for nothing, if the source's clock is behind `clock`: what it takes in until that shows
    /// the delay more than the end of the span is not known yet.
    pub(super) async fn open(
        server: &'a Server,
        client: &Client,
        matchers: &[Matcher],
        span: Span,
        accepted: &[ResponseType],
        clock: &dyn Clock,
        deadline: Instant,
    ) -> Result<Self, Failure> {
        let times = span.after_ms.saturating_add(1)..=span.until_ms;
        let query = Query { time_ms: times, matchers: matchers.to_vec(), hints: None };
        let body = encode_request(&query, accepted).map_err(|e| Failure::request(e.to_string()))?;
        let reply = post(client, &server.source.endpoint, headers(), body, deadline).await?;
        let form = form(&reply, &server.source.limits)?;
        let delay_ms = i64::try_from(server.config().delay().as_millis()).unwrap_or(i64::MAX);
        let known_ms = reply.date_ms().map_or(i64::MAX, |date_ms| date_ms.saturating_sub(delay_ms));
        let span = Span { until_ms: span.until_ms.min(known_ms), ..span };
        let behind_ms = reply.date_ms().map(|date_ms| clock.now_ms().saturating_sub(date_ms).max(0));
        Ok(Exchange { reply, span, behind_ms, form, limits: &server.source.limits })
    }

    /// Bytes that have come.
    pub(super) fn bytes(&self) -> usize {
        self.reply.bytes()
    }

    /// Whether it comes as chunks.
    pub(super) fn is_chunks(&self) -> bool {
        matches!(self.form, Form::Chunks(_))
    }

    /// The next piece; `None` once the answer is complete. Dropped before its end, it loses nothing.
    pub(super) async fn next(&mut self) -> Result<Option<Part>, Failure> {
        let times = self.span.after_ms.saturating_add(1)..=self.span.until_ms;
        let limits = self.limits.clone();
        let body = match &mut self.form {
            Form::Ended => return Ok(None),
            Form::Samples => {
                let body = self.reply.whole().await?;
                self.form = Form::Ended;
                let decode = move || {
                    let body = decompress(ContentEncoding::Snappy, &body, &limits)?;
                    decode_samples(&body, times, &limits)
                };
                return blocking(decode).await.map(Some);
            }
            Form::Chunks(frames) => loop {
                if frames.whole_bytes() >= PIECE_BYTES {
                    break frames.take();
                }
                if let Some(bytes) = self.reply.next().await? {
                    frames.push(&bytes).map_err(failure)?;
                    continue;
                }
                let Form::Chunks(frames) = mem::replace(&mut self.form, Form::Ended) else { return Ok(None) };
                break frames.finish().map_err(failure)?;
            },
        };
        if body.is_empty() && matches!(self.form, Form::Ended) {
            return Ok(None);
        }
        blocking(move || decode_chunks(&body, times, &limits)).await.map(Some)
    }
}

fn headers() -> HeaderMap {
    HeaderMap::from_iter([
        (CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf")),
        (CONTENT_ENCODING, HeaderValue::from_static("snappy")),
        (ACCEPT_ENCODING, HeaderValue::from_static("snappy")),
        (HeaderName::from_static("x-prometheus-remote-read-version"), HeaderValue::from_static("0.1.0")),
    ])
}

/// Reads the headers of an answer: a login page with status 200 must not pass for one without rows.
fn form(reply: &Reply<'_>, limits: &Limits) -> Result<Form, Failure> {
    let content_type = reply.headers().get(CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    let form =
        ResponseType::parse(&String::from_utf8_lossy(content_type)).map_err(|e| Failure::answer(e.to_string()))?;
    let word = reply.headers().get(CONTENT_ENCODING).map_or(&b""[..], HeaderValue::as_bytes);
    let word = String::from_utf8_lossy(word);
    match (form, ContentEncoding::parse(&word)) {
        (ResponseType::Samples, Ok(ContentEncoding::Snappy)) => Ok(Form::Samples),
        // A server that dies between two frames must not pass for one that has said all.
        (ResponseType::StreamedXorChunks, _) if !reply.has_an_end() => {
            let text = "the answer has no length and comes by HTTP/1.0, so its end could not be told from a break: let what \
                        stands between speak HTTP/1.1 to the source";
            Err(Failure::answer(text))
        }
        (ResponseType::StreamedXorChunks, Ok(ContentEncoding::Identity)) => Ok(Form::Chunks(Frames::new(limits))),
        _ => Err(Failure::answer(format!("the answer has the content encoding {word:?}, which remote read has not"))),
    }
}

async fn blocking<F>(decode: F) -> Result<Part, Failure>
where
    F: FnOnce() -> Result<Part, decode::Error> + Send + 'static,
{
    let done = tokio::task::spawn_blocking(decode).await;
    let broken = |_| Failure::new(Stage::Decode, "the decoding of the answer broke off");
    done.map_err(broken)?.map_err(failure)
}

fn failure(error: decode::Error) -> Failure {
    let message = format!("the answer is refused, {error}");
    match error.kind() {
        ErrorKind::TooLarge => Failure::answer(message).too_much(),
        ErrorKind::Unavailable => Failure::request(message).too_much(),
        _ => Failure::new(Stage::Decode, message),
    }
}
