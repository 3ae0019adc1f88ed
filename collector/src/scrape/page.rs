//! The forms of a page: what is asked for, what is answered, and how it is read.

use bytes::Bytes;
use decode::Families;
use decode::body::ContentEncoding;
use model::{Batch, ErrorKind};
use reqwest::header::HeaderMap;

use super::memory::UNTIMED_MS;
use crate::config::{ScrapeConfig, ScrapeProtocol};
use crate::fetch::{ContentType, Failure, Stage};

/// How a page is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// The text format.
    Text,
    /// OpenMetrics.
    OpenMetrics,
}

/// What pages of one job may be.
#[derive(Debug, Clone)]
pub(crate) struct Forms {
    /// The `Accept` header.
    pub(crate) accept: String,
    fallback: Option<Form>,
}

impl From<ScrapeProtocol> for Option<Form> {
    fn from(protocol: ScrapeProtocol) -> Self {
        match protocol {
            ScrapeProtocol::Text004 | ScrapeProtocol::Text100 => Some(Form::Text),
            ScrapeProtocol::OpenMetrics001 | ScrapeProtocol::OpenMetrics100 => Some(Form::OpenMetrics),
            ScrapeProtocol::Protobuf => None,
        }
    }
}

impl Forms {
    /// Those of a configuration.
    pub(crate) fn new(config: &ScrapeConfig) -> Self {
        let count = config.scrape_protocols.len();
        let asked = config.scrape_protocols.iter().enumerate();
        let mut accept: Vec<String> =
            asked.map(|(at, form)| format!("{};q=0.{}", form.media_type(), (count - at + 1).min(9))).collect();
        // An exporter that knows none of these may still answer, and say what.
        accept.push("*/*;q=0.1".to_owned());
        Forms { accept: accept.join(","), fallback: config.fallback_scrape_protocol.and_then(Into::into) }
    }

    /// The form that an answer says it has, or the one that pages of this job have when they say none.
    ///
    /// # Errors
    /// At [`Stage::Answer`] if there is neither: a login page with status 200 must not empty a target.
    pub(crate) fn of_answer(&self, headers: &HeaderMap) -> Result<Form, Failure> {
        let hint = "if it is a page of metrics all the same, set fallback_scrape_protocol";
        let Some(ContentType { shown, media, version }) = ContentType::of(headers) else {
            return self.fallback.ok_or_else(|| Failure::answer(format!("the answer has no content type; {hint}")));
        };
        match (media.as_str(), version.as_deref()) {
            ("text/plain", None | Some("0.0.4" | "1.0.0")) => Ok(Form::Text),
            ("application/openmetrics-text", None | Some("0.0.1" | "1.0.0")) => Ok(Form::OpenMetrics),
            ("text/plain" | "application/openmetrics-text", Some(_)) => {
                Err(Failure::answer(format!("the answer is {shown:?}, a version that is not understood")))
            }
            _ => self.fallback.ok_or_else(|| {
                Failure::answer(format!("the answer is {shown:?}, neither text/plain nor OpenMetrics; {hint}"))
            }),
        }
    }
}

/// Decompresses and reads a page, what it says of families apart. Its rows without a timestamp have [`UNTIMED_MS`].
///
/// # Errors
/// At [`Stage::Answer`] if it is too large, at [`Stage::Decode`] if it is not of its form.
pub(crate) fn read(
    form: Form,
    encoding: ContentEncoding,
    body: Bytes,
    limits: &decode::Limits,
) -> Result<(Batch, Families), Failure> {
    let failure = |error: decode::Error| {
        let stage = if error.kind() == ErrorKind::TooLarge { Stage::Answer } else { Stage::Decode };
        Failure::new(stage, format!("the page is refused, {error}"))
    };
    let text = decode::body::decompress(encoding, &body, limits).map_err(failure)?;
    drop(body);
    match form {
        Form::Text => decode::text::decode_apart(&text, UNTIMED_MS, limits).map_err(failure),
        Form::OpenMetrics => decode::openmetrics::decode_apart(&text, UNTIMED_MS, limits).map_err(failure),
    }
}

#[cfg(test)]
mod tests;
