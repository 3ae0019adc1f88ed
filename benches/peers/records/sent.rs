//! What is sent: lines in one of their forms, or spans.

use reqwest::{Client, RequestBuilder, StatusCode};

use super::way::Way;
use super::{Rows, span};

/// Rows of one kind in one form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sent {
    Lines(Way),
    Spans,
}

/// Whether an answer says that every row was taken: that of Elasticsearch to a bulk is a success whatever became of its items.
pub(crate) fn took_all(status: StatusCode, text: &str) -> bool {
    status.is_success() && !text.contains("\"errors\":true")
}

impl Sent {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Sent::Lines(way) => way.name(),
            Sent::Spans => "spans, OTLP protobuf",
        }
    }

    /// The table in which the rows are.
    pub(crate) fn table(self) -> &'static str {
        if self == Sent::Spans { "spans" } else { "logs" }
    }

    /// Where our server takes them.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Sent::Lines(way) => way.path(),
            Sent::Spans => "/v1/traces",
        }
    }

    /// A request to any URL with these rows; and how many bytes they are as raw lines, of which spans have none.
    pub(crate) fn request(
        self,
        client: &Client,
        url: &str,
        rows: &Rows,
    ) -> Result<(RequestBuilder, usize), snap::Error> {
        match self {
            Sent::Lines(way) => {
                let (body, raw_bytes) = way.body(rows)?;
                Ok((way.request(client, url, body), raw_bytes))
            }
            Sent::Spans => {
                let body = span::body(rows);
                Ok((client.post(url).header("content-type", "application/x-protobuf").body(body), 0))
            }
        }
    }
}
