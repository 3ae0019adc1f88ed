//! How much a cluster may push.

use std::time::Duration;

use model::batch::SeriesLimits;
use model::{Error, duration, size};
use serde::{Deserialize, Serialize};

/// Bytes, written like `16MB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bytes(#[serde(with = "size")] pub u64);

impl Bytes {
    /// As a length in memory; what none can have is the longest.
    fn clamped(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// The `limits` of a cluster, or of `push` for all clusters; what is left out is taken from there, and there has its default.
///
/// A default is finite where a sender could else take the server from others, and not there at all where only the operator
/// knows what an honest cluster sends.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsConfig {
    /// The bytes of a request as they come over the wire. Never more than the receiver takes of anyone. Default: as much.
    pub body_size_limit: Option<Bytes>,
    /// The bytes of a request after decompression. Never more than the receiver takes of anyone. Default: as much.
    pub decoded_size_limit: Option<Bytes>,
    /// The labels of a series, the name not counted. Default 64.
    pub label_limit: Option<usize>,
    /// The bytes of a metric's or label's name. Default 1024.
    pub label_name_length_limit: Option<usize>,
    /// The bytes of a label's value. Default 16384.
    pub label_value_length_limit: Option<usize>,
    /// The bytes of a log line. Default `1MB`.
    pub line_size_limit: Option<Bytes>,
    /// The attributes of a log row, a span, an event, a link, a resource or a scope. Default 128.
    pub attribute_limit: Option<usize>,
    /// The bytes of an attribute's value, and of each other text of a log row or span that is no line. Default 65536.
    pub attribute_value_length_limit: Option<usize>,
    /// The series that are in memory at once. Default: none, `storage.memory_bytes` bounds them for all clusters together.
    pub series_limit: Option<u64>,
    /// The series of a minute that were not in memory before. Default: none, a cluster that is joined brings all at once.
    pub new_series_per_minute_limit: Option<u64>,
    /// The samples of a second, histograms counted as one each. Default: none.
    pub sample_rate_limit: Option<u64>,
    /// The log rows and spans of a second. Default: none.
    pub row_rate_limit: Option<u64>,
    /// The bytes of a second as they come over the wire. Default: none.
    pub byte_rate_limit: Option<Bytes>,
    /// For how long a sender that was silent may be above its rates: what it has saved up. Default `10s`.
    #[serde(with = "duration::option")]
    pub rate_burst: Option<Duration>,
    /// How far the time of a row may be ahead of our clock. Default `10m`. There is none for the past.
    #[serde(with = "duration::option")]
    pub future_limit: Option<Duration>,
}

/// Limits with the defaults in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushLimits {
    /// See [`LimitsConfig::body_size_limit`].
    pub body_bytes: Option<u64>,
    /// See [`LimitsConfig::decoded_size_limit`].
    pub decoded_bytes: Option<u64>,
    /// See [`LimitsConfig::label_limit`].
    pub labels: usize,
    /// See [`LimitsConfig::label_name_length_limit`].
    pub label_name_bytes: usize,
    /// See [`LimitsConfig::label_value_length_limit`].
    pub label_value_bytes: usize,
    /// See [`LimitsConfig::line_size_limit`].
    pub line_bytes: usize,
    /// See [`LimitsConfig::attribute_limit`].
    pub attributes: usize,
    /// See [`LimitsConfig::attribute_value_length_limit`].
    pub attribute_value_bytes: usize,
    /// See [`LimitsConfig::series_limit`].
    pub series: Option<u64>,
    /// See [`LimitsConfig::new_series_per_minute_limit`].
    pub new_series_per_minute: Option<u64>,
    /// See [`LimitsConfig::sample_rate_limit`].
    pub samples_per_second: Option<u64>,
    /// See [`LimitsConfig::row_rate_limit`].
    pub rows_per_second: Option<u64>,
    /// See [`LimitsConfig::byte_rate_limit`].
    pub bytes_per_second: Option<u64>,
    /// See [`LimitsConfig::rate_burst`].
    pub burst: Duration,
    /// See [`LimitsConfig::future_limit`].
    pub future: Duration,
}

impl Default for PushLimits {
    fn default() -> Self {
        let decode = decode::Limits::default();
        PushLimits {
            body_bytes: None,
            decoded_bytes: None,
            labels: decode.max_labels,
            label_name_bytes: decode.max_name_bytes,
            label_value_bytes: decode.max_value_bytes,
            line_bytes: decode.max_line_bytes,
            attributes: decode.max_attributes,
            attribute_value_bytes: decode.max_attribute_bytes,
            series: None,
            new_series_per_minute: None,
            samples_per_second: None,
            rows_per_second: None,
            bytes_per_second: None,
            burst: Duration::from_secs(10),
            future: Duration::from_secs(600),
        }
    }
}

impl LimitsConfig {
    /// No table and no journal record is made for more, nor is a person.
    const MAX_LABELS: usize = 1024;
    const MAX_NAME_BYTES: usize = 64 << 10;
    const MAX_VALUE_BYTES: usize = 1 << 20;
    const MAX_LINE_BYTES: usize = 16 << 20;

    /// These limits, with those of `base` where they are silent.
    pub fn over(&self, base: &PushLimits) -> PushLimits {
        let bytes = |own: Option<Bytes>, base: Option<u64>| own.map(|bytes| bytes.0).or(base);
        PushLimits {
            body_bytes: bytes(self.body_size_limit, base.body_bytes),
            decoded_bytes: bytes(self.decoded_size_limit, base.decoded_bytes),
            labels: self.label_limit.unwrap_or(base.labels),
            label_name_bytes: self.label_name_length_limit.unwrap_or(base.label_name_bytes),
            label_value_bytes: self.label_value_length_limit.unwrap_or(base.label_value_bytes),
            line_bytes: self.line_size_limit.map_or(base.line_bytes, Bytes::clamped),
            attributes: self.attribute_limit.unwrap_or(base.attributes),
            attribute_value_bytes: self.attribute_value_length_limit.unwrap_or(base.attribute_value_bytes),
            series: self.series_limit.or(base.series),
            new_series_per_minute: self.new_series_per_minute_limit.or(base.new_series_per_minute),
            samples_per_second: self.sample_rate_limit.or(base.samples_per_second),
            rows_per_second: self.row_rate_limit.or(base.rows_per_second),
            bytes_per_second: bytes(self.byte_rate_limit, base.bytes_per_second),
            burst: self.rate_burst.unwrap_or(base.burst),
            future: self.future_limit.unwrap_or(base.future),
        }
    }

    /// Checks each limit alone.
    ///
    /// # Errors
    /// `Invalid`, with the limit.
    pub fn validate(&self) -> Result<(), Error> {
        let zero = [
            ("body_size_limit", self.body_size_limit == Some(Bytes(0))),
            ("decoded_size_limit", self.decoded_size_limit == Some(Bytes(0))),
            ("series_limit", self.series_limit == Some(0)),
            ("new_series_per_minute_limit", self.new_series_per_minute_limit == Some(0)),
            ("sample_rate_limit", self.sample_rate_limit == Some(0)),
            ("row_rate_limit", self.row_rate_limit == Some(0)),
            ("byte_rate_limit", self.byte_rate_limit == Some(Bytes(0))),
            ("rate_burst", self.rate_burst.is_some_and(|burst| burst.is_zero())),
        ];
        if let Some((field, _)) = zero.into_iter().find(|(_, is_zero)| *is_zero) {
            return Err(Error::invalid(format!(
                "limits: {field} is 0, nothing could be pushed; leave it out for none"
            )));
        }
        let ranges = [
            ("label_limit", self.label_limit, Self::MAX_LABELS),
            ("label_name_length_limit", self.label_name_length_limit, Self::MAX_NAME_BYTES),
            ("label_value_length_limit", self.label_value_length_limit, Self::MAX_VALUE_BYTES),
            ("line_size_limit", self.line_size_limit.map(Bytes::clamped), Self::MAX_LINE_BYTES),
            ("attribute_limit", self.attribute_limit, Self::MAX_LABELS),
            ("attribute_value_length_limit", self.attribute_value_length_limit, Self::MAX_VALUE_BYTES),
        ];
        for (field, value, max) in ranges {
            if value.is_some_and(|value| value == 0 || value > max) {
                return Err(Error::invalid(format!("limits: {field} is not between 1 and {max}")));
            }
        }
        Ok(())
    }
}

impl PushLimits {
    /// Those that only the store can keep.
    pub(crate) fn series_limits(&self) -> SeriesLimits {
        let none = SeriesLimits::default();
        SeriesLimits {
            max_series: self.series.unwrap_or(none.max_series),
            max_new_series_per_minute: self.new_series_per_minute.unwrap_or(none.max_new_series_per_minute),
            ..none
        }
    }

    /// What of `receiver`'s limits is left for whoever has these.
    pub(crate) fn narrow(&self, receiver: &decode::Limits) -> decode::Limits {
        let least = |own: Option<u64>, receiver: usize| own.map_or(receiver, |own| Bytes(own).clamped().min(receiver));
        decode::Limits {
            max_body_bytes: least(self.body_bytes, receiver.max_body_bytes),
            max_decoded_bytes: least(self.decoded_bytes, receiver.max_decoded_bytes),
            max_labels: self.labels,
            max_name_bytes: self.label_name_bytes,
            max_value_bytes: self.label_value_bytes,
            max_line_bytes: self.line_bytes,
            max_attributes: self.attributes,
            max_attribute_bytes: self.attribute_value_bytes,
            ..receiver.clone()
        }
    }
}

#[cfg(test)]
mod tests;
