//! The forms of a page: what is asked for, what is answered, and how it is read.

use bytes::Bytes;
use decode::Families;
use decode::body::ContentEncoding;
use decode::metric_families::Histograms;
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
    /// Protobuf, with these histograms.
    Protobuf(Histograms),
}

/// What pages of one job may be.
#[derive(Debug, Clone)]
pub(crate) struct Forms {
    /// The `Accept` header.
    pub(crate) accept: String,
    fallback: Option<Form>,
    /// What is made of histograms in protobuf.
    histograms: Histograms,
}

impl Forms {
    /// Those of a configuration.
    pub(crate) fn new(config: &ScrapeConfig) -> Self {
        let histograms = Histograms {
            native: config.scrape_native_histograms,
            classic_too: config.always_scrape_classic_histograms,
        };
        // The best liked has the same weight whatever the others are, as in Prometheus.
        let weights = (1..=ScrapeProtocol::COUNT + 1).rev();
        let asked = config.protocols();
        let last = ScrapeProtocol::COUNT + 1 - asked.len();
        let mut accept: Vec<String> =
            asked.iter().zip(weights).map(|(form, weight)| format!("{};q=0.{weight}", form.media_type())).collect();
        // An exporter that knows none of these may still answer, and say what.
        accept.push(format!("*/*;q=0.{last}"));
        let fallback = config.fallback_scrape_protocol.map(|protocol| match protocol {
            ScrapeProtocol::Text004 | ScrapeProtocol::Text100 => Form::Text,
            ScrapeProtocol::OpenMetrics001 | ScrapeProtocol::OpenMetrics100 => Form::OpenMetrics,
            ScrapeProtocol::Protobuf => Form::Protobuf(histograms),
        });
        Forms { accept: accept.join(","), fallback, histograms }
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
            ("application/vnd.google.protobuf", _) => self.protobuf(&shown),
            ("text/plain" | "application/openmetrics-text", Some(_)) => {
                Err(Failure::answer(format!("the answer is {shown:?}, a version that is not understood")))
            }
            _ => self.fallback.ok_or_else(|| {
                Failure::answer(format!(
                    "the answer is {shown:?}, neither text/plain, OpenMetrics nor protobuf; {hint}"
                ))
            }),
        }
    }
}

impl Forms {
    /// Protobuf is many things: what it is here stands in parameters.
    fn protobuf(&self, shown: &str) -> Result<Form, Failure> {
        let parameters = shown.split(';').skip(1).filter_map(|part| part.split_once('='));
        for (name, value) in parameters {
            let value = value.trim().trim_matches('"');
            let is_other = match name.trim().to_ascii_lowercase().as_str() {
                "proto" => value != "io.prometheus.client.MetricFamily",
                "encoding" => value != "delimited",
                _ => false,
            };
            if is_other {
                return Err(Failure::answer(format!("the answer is {shown:?}, a protobuf that is not understood")));
            }
        }
        Ok(Form::Protobuf(self.histograms))
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
        Form::Protobuf(wanted) => {
            decode::metric_families::decode_apart(&text, UNTIMED_MS, wanted, limits).map_err(failure)
        }
    }
}

#[cfg(test)]
mod tests;
