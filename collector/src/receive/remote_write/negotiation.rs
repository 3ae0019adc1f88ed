//! Which message a request says it holds, and whether it is packed in a way that is taken.
//!
//! Source: <https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/>, "Protocol"; what is absent means as Prometheus'
//! own receiver takes it (`client_golang`, `exp/api/remote`).

use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName};

/// The message of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Message {
    /// Remote write 1.0, `prometheus.WriteRequest`.
    V1,
    /// Remote write 2.0, `io.prometheus.write.v2.Request`.
    V2,
}

/// The message of a request with these headers.
///
/// # Errors
/// What is to be sent instead; the answer to that is 415, at which a sender may go over to what it hears.
pub(super) fn message(headers: &HeaderMap) -> Result<Message, String> {
    let message = message_of(text(headers, CONTENT_TYPE))?;
    let encoding = text(headers, CONTENT_ENCODING);
    // The name of an encoding is the same in any case, RFC 9110, section 8.4.1.
    if encoding.is_empty() || encoding.eq_ignore_ascii_case("snappy") {
        return Ok(message);
    }
    Err(format!("the content encoding {encoding:?} is not accepted: send snappy"))
}

fn message_of(content_type: &str) -> Result<Message, String> {
    let mut parts = content_type.split(';').map(str::trim);
    let media = parts.next().unwrap_or("");
    if !media.is_empty() && !media.eq_ignore_ascii_case("application/x-protobuf") {
        return Err(format!("the content type {media:?} is not accepted: send application/x-protobuf"));
    }
    for part in parts.filter(|part| !part.is_empty()) {
        let Some((name, value)) = part.split_once('=') else {
            return Err(format!("the content type has {part:?}, which is no parameter: send application/x-protobuf"));
        };
        if name.trim().eq_ignore_ascii_case("proto") {
            return match value.trim().trim_matches('"') {
                "prometheus.WriteRequest" => Ok(Message::V1),
                "io.prometheus.write.v2.Request" => Ok(Message::V2),
                other => Err(format!(
                    "the message {other:?} is not accepted: send prometheus.WriteRequest or io.prometheus.write.v2.Request"
                )),
            };
        }
    }
    Ok(Message::V1)
}

fn text(headers: &HeaderMap, name: HeaderName) -> &str {
    headers.get(name).map_or(Ok(""), |value| value.to_str()).unwrap_or("?").trim()
}

#[cfg(test)]
mod tests;
