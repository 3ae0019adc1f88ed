//! `POST /_bulk` and what comes before it: log rows as shippers push them to an Elasticsearch, at the root and below
//! `/elasticsearch`.
//!
//! 200 means that every row is durable whose item says 201. Anything else means that none is promised.
//!
//! Source: <https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk>

mod answer;
mod handshake;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_ENCODING;
use axum::response::Response;
use axum::routing::post;
use decode::DecodedLines;
use decode::body::ContentEncoding;
use decode::elasticsearch::bulk::{self, Item, ItemError};
use model::{Error, LeftOut};

use super::{LogPush, Origin, Read, Sent, Taken};
use crate::receive::identity::Unit;
use crate::receive::{header, only_post};

const PROTOCOL: &str = "elasticsearch";
/// Below these its paths are: shippers that cannot be given a path go to the root.
const PREFIXES: [&str; 2] = ["", "/elasticsearch"];
/// The most bytes that the name of an index may have, as in Elasticsearch: it stands in the answer once for each item.
const MAX_INDEX_BYTES: usize = 255;

pub(super) fn routes(push: LogPush) -> Router {
    let mut routes = Router::new();
    for prefix in PREFIXES {
        routes = routes
            .route(&format!("{prefix}/_bulk"), post(bulk_anywhere).put(bulk_anywhere).fallback(only_post))
            .route(&format!("{prefix}/{{index}}/_bulk"), post(bulk_of).put(bulk_of).fallback(only_post));
    }
    routes.merge(handshake::routes()).with_state(push)
}

async fn bulk_anywhere(State(push): State<LogPush>, request: Request) -> Response {
    handle(&push, String::new(), request).await
}

async fn bulk_of(State(push): State<LogPush>, Path(index): Path<String>, request: Request) -> Response {
    handle(&push, index, request).await
}

/// Extract, call, encode.
async fn handle(push: &LogPush, index: String, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let response = match push.origin(PROTOCOL, &head) {
        // It is not put on the board, which whoever can reach us could fill.
        Err(refused) => answer::unauthorized(&refused),
        Ok(origin) => {
            let mut outcome = receive(push, &origin, index, &head.headers, body).await;
            if let Ok(Taken { more, left_out: Some(left_out), .. }) = &mut outcome {
                mark(more, left_out);
            }
            push.tell(&origin, &outcome);
            match &outcome {
                Ok(taken) => answer::items(&taken.more, origin.started.elapsed()),
                Err(error) => answer::failure(error),
            }
        }
    };
    push.0.metrics.log_push.answered(PROTOCOL, response.status().as_u16());
    response
}

/// Says at the items whose rows the store has left out why. Whose message is none of the first is told what all have in common:
/// many items must not make a large answer.
fn mark(items: &mut [Item], left_out: &LeftOut) {
    const ALIKE: &str = "its cluster is new, and there are as many as pushes without a token may name (push.cluster_limit): give the \
                         cluster a token, or raise the limit";
    let error = |reason| Arc::new(ItemError { kind: "illegal_argument_exception", reason });
    let alike = error(ALIKE.into());
    let mut places = left_out.places().iter().peekable();
    for (row, item) in (0..).zip(items.iter_mut().filter(|item| item.error.is_none())) {
        if places.next_if_eq(&&row).is_some() {
            let own = left_out.message_at(row).map(|message| error(message.to_owned().into()));
            item.error = Some(own.unwrap_or_else(|| alike.clone()));
        }
    }
}

async fn receive(
    push: &LogPush,
    origin: &Origin,
    index: String,
    headers: &HeaderMap,
    body: Body,
) -> Result<Taken<Vec<Item>>, Error> {
    if index.len() > MAX_INDEX_BYTES {
        let text = format!("the index has a name of {} bytes, the limit is {MAX_INDEX_BYTES}", index.len());
        return Err(Error::invalid(text));
    }
    let encoding = ContentEncoding::parse(&header(headers, CONTENT_ENCODING)).map_err(Error::from)?;
    let settings = push.0.settings();
    let (wire, share) = settings.intake.read(&origin.caller, Unit::Rows, headers, body, 0).await?;
    let decode = move |body: &[u8], arrival, limits: &_| {
        let bulk::Decoded { logs, refused, items } = bulk::decode(body, &index, arrival, limits)?;
        let answer_bytes = items.capacity() * size_of::<Item>() + answer::estimated_bytes(&items);
        Ok(Read { decoded: DecodedLines { logs, refused }, more: items, answer_bytes })
    };
    push.take(&settings, origin, Sent { wire, encoding, share }, decode).await
}
