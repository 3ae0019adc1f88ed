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
    /// Whether anything was written.
    pub(super) fn has_rows(&self) -> bool {
        self.samples + self.histograms + self.exemplars > 0
    }

    /// What was left out, a line for each of the first messages; `None` if all was written.
    pub(super) fn faults(&self) -> Option<String> {
        self.faults_of(|_| true)
    }

    /// As [`Written::faults`], for some of the decoder's reasons.
    fn faults_of(&self, is_told: impl Fn(Reason) -> bool) -> Option<String> {
        let rows: u64 = self.refused.counts().filter(|(reason, _)| is_told(*reason)).map(|(_, count)| count).sum();
        if rows == 0 {
            return None;
        }
        let messages = self.refused.messages().filter(|(reason, _)| is_told(*reason)).map(|(_, message)| message);
        let shown: Vec<&str> = messages.take(Refused::MAX_MESSAGES).collect();
        let rows_word = if rows == 1 { "row was" } else { "rows were" };
        Some(format!("{rows} {rows_word} not written, the others were: {}", shown.join("; ")))
    }
}

/// The answer to a request with this message.
pub(super) fn response(message: Message, outcome: &Result<Written, Failure>) -> Response {
    let mut response = match outcome {
        Ok(written) => written_response(message, written),
        Err(Failure::Unsupported(text)) => (StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("{text}\n")).into_response(),
        Err(Failure::Error(error)) => error::response(error),
    };
    if message == Message::V2 {
        let nothing = Written::default();
        add_counts(response.headers_mut(), outcome.as_ref().unwrap_or(&nothing));
    }
    response
}

fn written_response(message: Message, written: &Written) -> Response {
    match written.faults_of(|reason| message == Message::V2 || reason != Reason::InvalidLabels) {
        Some(faults) => (StatusCode::BAD_REQUEST, faults + "\n").into_response(),
        None => StatusCode::NO_CONTENT.into_response(),
    }
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
