//! What is answered, in the words of Elasticsearch.
//!
//! ```text
//! {"took": 3, "errors": true, "items": [{"create": {"_index": "logs", "status": 201, "result": "created"}},
//!     {"delete": {"_index": "logs", "_id": "1", "status": 400, "error": {"type": "…", "reason": "…"}}}]}
//! {"error": {"type": "…", "reason": "…", "root_cause": [{"type": "…", "reason": "…"}]}, "status": 429}
//! ```
//!
//! There are no ids of rows, so an item has the `_id` that was sent, or none.

use std::time::Duration;

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use decode::elasticsearch::bulk::{Item, ItemError};
use model::{Error, ErrorKind};
use serde::ser::{SerializeMap, SerializeStruct};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::http::error;
use crate::receive::identity::Unauthorized;

/// Clients of Elastic go on only with servers that send it.
const PRODUCT: HeaderName = HeaderName::from_static("x-elastic-product");
/// The bytes of an item in the answer, its texts aside.
const ITEM_BYTES: usize = 100;

#[derive(Serialize)]
struct Answer<'a> {
    took: u64,
    errors: bool,
    items: Vec<ItemAnswer<'a>>,
}

/// An item under the word for its action.
struct ItemAnswer<'a>(&'a Item);

struct Outcome<'a>(&'a Item);

struct Fault<'a>(&'a ItemError);

impl Serialize for ItemAnswer<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(self.0.action.as_str(), &Outcome(self.0))?;
        map.end()
    }
}

impl Serialize for Outcome<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Item { index, id, error, .. } = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("_index", &**index)?;
        if !id.is_empty() {
            map.serialize_entry("_id", &**id)?;
        }
        map.serialize_entry("status", &self.0.status())?;
        match error {
            None => map.serialize_entry("result", "created")?,
            Some(error) => map.serialize_entry("error", &Fault(error))?,
        }
        map.end()
    }
}

impl Serialize for Fault<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("error", 2)?;
        fields.serialize_field("type", self.0.kind)?;
        fields.serialize_field("reason", &*self.0.reason)?;
        fields.end()
    }
}

/// The bytes that an answer with these items may have, roughly.
pub(super) fn estimated_bytes(items: &[Item]) -> usize {
    let bytes_of = |item: &Item| {
        ITEM_BYTES + item.index.len() + item.id.len() + item.error.as_ref().map_or(0, |error| error.reason.len())
    };
    items.iter().map(bytes_of).sum()
}

/// What has become of each item.
pub(super) fn items(items: &[Item], took: Duration) -> Response {
    let took = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let errors = items.iter().any(|item| item.error.is_some());
    let answer = Answer { took, errors, items: items.iter().map(ItemAnswer).collect() };
    match serde_json::to_vec(&answer) {
        Ok(body) => response(StatusCode::OK, body),
        Err(error) => failure(&Error::internal("the answer cannot be written").with_source(error)),
    }
}

/// Anything that is no error.
pub(super) fn success(body: &Value) -> Response {
    response(StatusCode::OK, body.to_string().into_bytes())
}

/// A thing that is not there.
pub(super) fn not_found(reason: &str) -> Response {
    fault(StatusCode::NOT_FOUND, "resource_not_found_exception", reason)
}

/// Somebody who is not known.
pub(super) fn unauthorized(refused: &Unauthorized) -> Response {
    let mut response = fault(StatusCode::UNAUTHORIZED, "security_exception", refused.message());
    if let Some(challenge) = refused.response().headers().get(WWW_AUTHENTICATE) {
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge.clone());
    }
    response
}

/// The answer to a request of which nothing is promised. Where there is no room it is 429, as Elasticsearch says it: its
/// shippers send again what that answers, as they do with 503.
pub(super) fn failure(error: &Error) -> Response {
    let plain = error::response(error);
    let is_busy = error.kind() == ErrorKind::Busy;
    let status = if is_busy { StatusCode::TOO_MANY_REQUESTS } else { plain.status() };
    let kind = match error.kind() {
        ErrorKind::Busy => "es_rejected_execution_exception",
        ErrorKind::Invalid => "illegal_argument_exception",
        ErrorKind::TooLarge => "content_too_long_exception",
        ErrorKind::Forbidden => "security_exception",
        ErrorKind::NotFound => "resource_not_found_exception",
        ErrorKind::Unavailable | ErrorKind::Timeout | ErrorKind::Cancelled | ErrorKind::Conflict => {
            "unavailable_shards_exception"
        }
        ErrorKind::Corrupt | ErrorKind::Internal => "exception",
    };
    let mut response = fault(status, kind, &error.to_string());
    if let Some(after) = plain.headers().get(RETRY_AFTER) {
        response.headers_mut().insert(RETRY_AFTER, after.clone());
    }
    response
}

fn fault(status: StatusCode, kind: &str, reason: &str) -> Response {
    let cause = json!({ "type": kind, "reason": reason });
    let body = json!({
        "error": { "type": kind, "reason": reason, "root_cause": [cause] },
        "status": status.as_u16(),
    });
    response(status, body.to_string().into_bytes())
}

fn response(status: StatusCode, body: Vec<u8>) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (PRODUCT, HeaderValue::from_static("Elasticsearch")),
    ];
    (status, headers, body).into_response()
}
