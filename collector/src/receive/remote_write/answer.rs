//! What a sender is answered: a status, what was written, and what was not.
//!
//! | what happened | 1.0 | 2.0 |
//! |---|---|---|
//! | all was written | 204 | 204, and how much |
//! | all but series with bad labels | 204, they are counted | 400, and how much |
//! | all but other bad rows | 400 | 400, and how much |
//! | nothing, for whatever reason | its status | its status, and that it was nothing |
//!
//! A 2.0 sender takes an answer without the numbers for one of a receiver that has thrown its data away.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use decode::{Reason, Refused};
use model::Error;

use super::negotiation::Message;
use crate::http::error;

const SAMPLES_WRITTEN: HeaderName = HeaderName::from_static("x-prometheus-remote-write-samples-written");
const HISTOGRAMS_WRITTEN: HeaderName = HeaderName::from_static("x-prometheus-remote-write-histograms-written");
const EXEMPLARS_WRITTEN: HeaderName = HeaderName::from_static("x-prometheus-remote-write-exemplars-written");

/// How much of a request was written, and what was not.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) samples: usize,
    pub(super) histograms: usize,
    pub(super) exemplars: usize,
    pub(super) refused: Refused,
}

/// Why nothing of a request was written.
#[derive(Debug)]
pub(super) enum Failure {
    /// By its headers.
    Unsupported(String),
    /// By anything later.
    Error(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Error(error)
    }
}

impl Failure {
    /// The message.
    pub(super) fn text(&self) -> String {
        match self {
            Failure::Unsupported(text) => text.clone(),
            Failure::Error(error) => error.to_string(),
        }
    }
}

impl Written {
    /// What was left out, a line for each of the first messages; `None` if all was written.
    pub(super) fn faults(&self) -> Option<String> {
        (!self.refused.is_empty()).then(|| text(&self.refused, |_| true))
    }
}

/// The answer to a request with this message.
pub(super) fn response(message: Message, outcome: &Result<Written, Failure>) -> Response {
    let mut response = match outcome {
        Ok(written) => written_response(message, &written.refused),
        Err(Failure::Unsupported(text)) => (StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("{text}\n")).into_response(),
        Err(Failure::Error(error)) => error::response(error),
    };
    if message == Message::V2 {
        let nothing = Written::default();
        add_counts(response.headers_mut(), outcome.as_ref().unwrap_or(&nothing));
    }
    response
}

fn written_response(message: Message, refused: &Refused) -> Response {
    let is_told = |reason| message == Message::V2 || reason != Reason::InvalidLabels;
    if refused.counts().any(|(reason, _)| is_told(reason)) {
        return (StatusCode::BAD_REQUEST, text(refused, is_told) + "\n").into_response();
    }
    StatusCode::NO_CONTENT.into_response()
}

/// How much was left out for these reasons, and the first messages.
fn text(refused: &Refused, is_told: impl Fn(Reason) -> bool) -> String {
    let rows: u64 = refused.counts().filter(|(reason, _)| is_told(*reason)).map(|(_, count)| count).sum();
    let messages: Vec<&str> =
        refused.messages().filter(|(reason, _)| is_told(*reason)).map(|(_, message)| message).collect();
    let shown = messages.len().min(Refused::MAX_MESSAGES);
    let rows_word = if rows == 1 { "row was" } else { "rows were" };
    format!("{rows} {rows_word} not written, the others were: {}", messages[..shown].join("; "))
}

fn add_counts(headers: &mut HeaderMap, written: &Written) {
    for (name, count) in [
        (SAMPLES_WRITTEN, written.samples),
        (HISTOGRAMS_WRITTEN, written.histograms),
        (EXEMPLARS_WRITTEN, written.exemplars),
    ] {
        headers.insert(name, HeaderValue::from(count));
    }
}
