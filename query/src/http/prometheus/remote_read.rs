//! `read`: Prometheus' remote read, with which another Prometheus asks for raw samples.

use arrow::array::RecordBatch;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use decode::Limits;
use decode::body::{ContentEncoding, decompress};
use decode::remote_read::{Operator, Query, ResponseType, SamplesAnswer, Series, decode_request, push_frames};
use futures::Stream;
use model::{ErrorKind, NativeHistogram};
use promql::ast::{MatchOp, Matcher};
use promql::span::Span;

use super::plain::{off_the_runtime, respond};
use super::readings::Readings;
use crate::engine::Engine;
use crate::error::{Error, from_datafusion};
use crate::promql::{Asked, RangeRow, RawQuestion, rows};

/// The function of a query whose answer lists series: Prometheus' `series`, which asks for all time.
const ABOUT_LABELS: &str = "series";
/// Bytes of a request, and of one that was decompressed.
const MAX_BODY_BYTES: usize = 1 << 20;
const MAX_DECODED_BYTES: usize = 8 << 20;

/// `read`: all samples of some series, as they are kept.
pub(super) async fn read(State(engine): State<Engine>, request: Request) -> Response {
    respond(answer(&engine, request).await)
}

async fn answer(engine: &Engine, request: Request) -> Result<Response, Error> {
    let asked = Asked::now(engine.config());
    let request = decode_request(&body(request).await?).map_err(of_decode)?;
    let response_type = request.response_type().map_err(of_decode)?;
    let questions: Vec<RawQuestion> =
        request.queries.iter().map(|query| question(query, &asked)).collect::<Result<_, _>>()?;
    let (count, mut readings) = (questions.len(), Readings::new(engine, questions));
    let content_type = (CONTENT_TYPE, response_type.content_type());
    if response_type == ResponseType::Samples {
        let max_bytes = usize::try_from(engine.config().query_memory_bytes).unwrap_or(usize::MAX);
        let samples = samples(readings, count, max_bytes).await?;
        return Ok(([content_type, (CONTENT_ENCODING, "snappy")], samples).into_response());
    }
    // What fails before the first sample fails with a status.
    let first = readings.next().await?;
    Ok(([content_type], Body::from_stream(streamed(readings, first))).into_response())
}

/// The body of a request, decompressed.
async fn body(request: Request) -> Result<Bytes, Error> {
    let encoding = request.headers().get(CONTENT_ENCODING).map_or(Ok("snappy"), |value| value.to_str());
    if !encoding.is_ok_and(|encoding| encoding.trim().eq_ignore_ascii_case("snappy")) {
        let what = "a remote read is compressed with snappy: set Content-Encoding to snappy";
        return Err(Error::new(ErrorKind::Invalid, what));
    }
    let body = super::super::body(request, MAX_BODY_BYTES).await?;
    let limits = Limits { max_body_bytes: MAX_BODY_BYTES, max_decoded_bytes: MAX_DECODED_BYTES, ..Limits::default() };
    decompress(ContentEncoding::Snappy, &body, &limits).map_err(of_decode)
}

fn of_decode(error: decode::Error) -> Error {
    Error::from(model::Error::from(error))
}

/// What a query asks for.
///
/// # Errors
/// `Invalid` if a regular expression is none.
fn question(query: &Query, asked: &Asked) -> Result<RawQuestion, Error> {
    let matcher = |written: &decode::remote_read::Matcher| {
        let op = match written.operator {
            Operator::Equal => MatchOp::Equal,
            Operator::NotEqual => MatchOp::NotEqual,
            Operator::Matches => MatchOp::Regex,
            Operator::MatchesNot => MatchOp::NotRegex,
        };
        let (label, value, span) = (written.label.clone(), written.value.clone(), Span::default());
        let matcher = Matcher { label, op, value, span };
        if op.is_regex() {
            let wrong = |e: model::Error| e.context(format!("the matcher of the label {:?} is wrong", matcher.label));
            matcher.regex().map_err(wrong)?;
        }
        Ok(matcher)
    };
    let matchers = query.matchers.iter().map(matcher).collect::<Result<Vec<_>, model::Error>>()?;
    let question = RawQuestion::new(&matchers, &query.time_ms, asked);
    let is_about_labels = query.hints.as_ref().is_some_and(|hints| hints.function == ABOUT_LABELS);
    Ok(if is_about_labels { question.about_labels() } else { question })
}

/// The body of an answer of samples.
async fn samples(mut readings: Readings, queries: usize, max_bytes: usize) -> Result<Vec<u8>, Error> {
    let (mut answer, mut ended) = (SamplesAnswer::new(max_bytes), 0);
    while let Some((number, batch)) = readings.next().await? {
        let push = move || {
            (ended..number).for_each(|_| answer.end_query());
            each_series(&batch, |series| answer.push(series).map_err(of_decode))?;
            Ok(answer)
        };
        (answer, ended) = (off_the_runtime(push).await?, number);
    }
    off_the_runtime(move || {
        (ended..queries).for_each(|_| answer.end_query());
        answer.finish().map_err(of_decode)
    })
    .await
}

/// The frames of a streamed answer. An error on its way is sent as text where the next frame would be, as Prometheus does,
/// and then the connection is broken off, so that nobody takes a part for the whole.
fn streamed(readings: Readings, first: Option<(usize, RecordBatch)>) -> impl Stream<Item = Result<Bytes, Error>> {
    enum Next {
        Frames(usize, RecordBatch),
        Ask,
        Break(Error),
    }
    let next = first.map(|(number, batch)| Next::Frames(number, batch));
    futures::stream::unfold((next, readings), |(next, mut readings)| async move {
        let next = match next? {
            Next::Ask => match readings.next().await {
                Ok(Some((number, batch))) => Next::Frames(number, batch),
                Ok(None) => return None,
                Err(error) => {
                    let text = Bytes::from(format!("{error}\n"));
                    return Some((Ok(text), (Some(Next::Break(error)), readings)));
                }
            },
            next => next,
        };
        match next {
            Next::Frames(number, batch) => match off_the_runtime(move || frames(number, &batch)).await {
                Ok(frames) => Some((Ok(frames), (Some(Next::Ask), readings))),
                Err(error) => Some((Err(error), (None, readings))),
            },
            Next::Break(error) => Some((Err(error), (None, readings))),
            Next::Ask => None,
        }
    })
}

fn frames(query: usize, batch: &RecordBatch) -> Result<Bytes, Error> {
    let mut frames = Vec::new();
    each_series(batch, |series| {
        push_frames(query, series, &mut frames);
        Ok(())
    })?;
    Ok(frames.into())
}

/// Hands over the series of a batch.
fn each_series(batch: &RecordBatch, mut take: impl FnMut(&Series<'_>) -> Result<(), Error>) -> Result<(), Error> {
    for row in rows(batch).map_err(from_datafusion)? {
        let RangeRow { labels, times_ms, values, histograms } = row;
        let labels: Vec<(&str, &str)> = labels.iter().collect();
        let native = |(time_ms, histogram)| (time_ms, NativeHistogram::from(histogram));
        let histograms: Vec<(i64, NativeHistogram)> = histograms.into_iter().map(native).collect();
        let (times_ms, values) = (times_ms.values(), values.values());
        take(&Series { labels: &labels, times_ms, values, histograms: &histograms })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
