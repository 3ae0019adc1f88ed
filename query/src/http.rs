//! SQL over HTTP: `POST /api/v1/sql`. And what is known of each source: `GET /api/v1/sources`.
//!
//! Owns: the request and its cap, the choice of a format, the mapping of errors to statuses.
//! Does not own: listening, authentication, time limits of connections (the binary).
//!
//! The request is JSON: `{"query": "SELECT … WHERE name = $1", "params": ["up"]}`; `params` is an array for `$1`, `$2`
//! or an object for `$name`. The `Accept` header chooses the answer, see [`format::Format`]. The answer is streamed. An
//! error after the first byte ends the answer with the error in the words of the format and breaks the connection off,
//! so that no client can take a part for the whole. What `promql()` has to warn of comes at the end, see [`annotations`].

mod annotations;
mod asked;
mod encode;
mod error;
mod format;
mod prometheus;
mod value;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{ACCEPT, CONTENT_TYPE, TRAILER};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures::{Stream, StreamExt};
use http_body_util::BodyExt;
use model::{ErrorKind, SourceStatus};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use crate::engine::{Engine, Rows};
use crate::error::Error;
use crate::params::Params;
use crate::promql::Annotations;
use annotations::{TRAILERS, trailers};
use asked::Asked;
use encode::Encoder;
use format::Format;

/// Bytes of a request.
const MAX_BODY_BYTES: usize = 1 << 20;

/// The routes of this crate.
pub fn routes(engine: Engine) -> Router {
    let own = Router::new().route("/api/v1/sql", post(sql)).route("/api/v1/sources", get(sources));
    own.merge(prometheus::routes()).with_state(engine)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SqlRequest {
    query: String,
    #[serde(default)]
    params: serde_json::Value,
}

async fn sql(Asked(engine): Asked, request: Request) -> Response {
    match answer(&engine, request).await {
        Ok(response) => response,
        Err(error) => error.into_response(),
    }
}

/// What the table `sources` says, for programs that speak no SQL.
#[derive(Debug, Serialize)]
struct SourcesAnswer {
    sources: Vec<SourceStatus>,
}

async fn sources(State(engine): State<Engine>) -> Json<SourcesAnswer> {
    Json(SourcesAnswer { sources: engine.sources() })
}

async fn answer(engine: &Engine, request: Request) -> Result<Response, Error> {
    let accept: Vec<&str> = request.headers().get_all(ACCEPT).iter().filter_map(|v| v.to_str().ok()).collect();
    let format = Format::accepted(&accept)?;
    let SqlRequest { query, params } = read(request).await?;
    let rows = engine.sql(&query, Params::from_json(params)?).await?;
    let encoder = Encoder::new(format, rows.schema())?;
    let (tell, told) = oneshot::channel();
    // Of an answer that breaks off nothing is told.
    let trailers = async { told.await.ok().as_ref().and_then(trailers).map(Ok) };
    let body = Body::new(Body::from_stream(encoded(encoder, rows, tell)).with_trailers(trailers));
    Ok(([(CONTENT_TYPE, format.content_type()), (TRAILER, TRAILERS)], body).into_response())
}

async fn read(request: Request) -> Result<SqlRequest, Error> {
    let content_type = request.headers().get(CONTENT_TYPE).map(|v| v.to_str().unwrap_or("").to_ascii_lowercase());
    if content_type.is_some_and(|t| t.split(';').next().is_none_or(|t| t.trim() != "application/json")) {
        let what = "the request must be JSON: set Content-Type to application/json and send {\"query\": \"SELECT …\"}";
        return Err(Error::new(ErrorKind::Invalid, what));
    }
    serde_json::from_slice(&body(request, MAX_BODY_BYTES).await?)
        .map_err(|e| Error::new(ErrorKind::Invalid, format!("the request is not {{\"query\": …, \"params\": …}}: {e}")))
}

/// The body of a request.
///
/// # Errors
/// `TooLarge` if it has more than `max_bytes`, `Invalid` or what the server says if it does not come.
async fn body(request: Request, max_bytes: usize) -> Result<Bytes, Error> {
    to_bytes(request.into_body(), max_bytes).await.map_err(|e| {
        if std::error::Error::source(&e).is_some_and(|e| e.to_string().contains("length limit")) {
            return Error::new(ErrorKind::TooLarge, format!("the request has more than {max_bytes} bytes"));
        }
        // The server says so itself if a body takes too long.
        let kind = model::Error::find(&e).map_or(ErrorKind::Invalid, model::Error::kind);
        Error::new(kind, format!("the request could not be read: {e}"))
    })
}

/// What is left to send.
enum Step {
    Start,
    Rows,
    /// The error was sent; now the connection is broken off.
    Break(Error),
    End,
}

/// The encoded answer; at its end `tell` is sent what is told beside the rows. Encoding takes longer than a poll may, so it
/// leaves the server's runtime.
fn encoded(
    encoder: Encoder,
    rows: Rows,
    tell: oneshot::Sender<Annotations>,
) -> impl Stream<Item = Result<Bytes, Error>> {
    futures::stream::unfold(
        (Step::Start, Some(encoder), rows, Some(tell)),
        |(step, encoder, mut rows, mut tell)| async move {
            let encoder = encoder?;
            let (work, next) = match step {
                Step::End => return None,
                Step::Break(error) => return Some((Err(error), (Step::End, Some(encoder), rows, tell))),
                Step::Start => (Work::Start, Step::Rows),
                Step::Rows => match rows.next().await {
                    Some(Ok(batch)) => (Work::Batch(batch), Step::Rows),
                    Some(Err(error)) => (Work::Fail(error), Step::End),
                    None => {
                        let annotations = rows.annotations().clone();
                        if let Some(tell) = tell.take() {
                            // Nobody listens any more if the client has gone.
                            let _ = tell.send(annotations.clone());
                        }
                        (Work::Finish(annotations), Step::End)
                    }
                },
            };
            let done = tokio::task::spawn_blocking(move || work.run(encoder)).await;
            match done {
                Ok((encoder, Ok(bytes), None)) => Some((Ok(bytes), (next, Some(encoder), rows, tell))),
                Ok((encoder, Ok(bytes), Some(error))) => {
                    Some((Ok(bytes), (Step::Break(error), Some(encoder), rows, tell)))
                }
                Ok((_, Err(error), _)) => Some((Err(error), (Step::End, None, rows, tell))),
                Err(_) => {
                    let error = Error::new(ErrorKind::Internal, "encoding the answer panicked");
                    Some((Err(error), (Step::End, None, rows, tell)))
                }
            }
        },
    )
}

enum Work {
    Start,
    Batch(arrow::array::RecordBatch),
    Fail(Error),
    Finish(Annotations),
}

impl Work {
    fn run(self, mut encoder: Encoder) -> (Encoder, Result<Bytes, Error>, Option<Error>) {
        let (bytes, error) = match self {
            Work::Start => (encoder.start(), None),
            Work::Batch(batch) => (encoder.batch(&batch), None),
            Work::Fail(error) => (Ok(encoder.fail(&error)), Some(error)),
            Work::Finish(annotations) => (encoder.finish(&annotations), None),
        };
        (encoder, bytes, error)
    }
}

#[cfg(test)]
mod tests;
