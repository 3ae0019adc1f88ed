//! What the routes have in common where Prometheus answers no JSON, remote read and federation: failures as plain text.

use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use model::ErrorKind;

use super::super::error::status;
use crate::error::Error;

/// The response of a route whose failures are texts.
pub(super) fn respond(answer: Result<Response, Error>) -> Response {
    answer.unwrap_or_else(|error| {
        let mut response = (status(error.kind()), format!("{error}\n")).into_response();
        if let Some(after) = error.retry_after_hint() {
            response.headers_mut().insert(RETRY_AFTER, after.as_secs().max(1).into());
        }
        response
    })
}

/// Runs what takes longer than a poll may.
///
/// # Errors
/// Those of the work, and `Internal` if it panicked.
pub(super) async fn off_the_runtime<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(Error::new(ErrorKind::Internal, "writing the answer panicked")))
}
