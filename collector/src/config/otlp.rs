//! How OTLP is received, and how its metrics are translated.

use std::collections::BTreeSet;
use std::time::Duration;

use decode::otlp::{Promotion, Strategy, Translation};
use model::{Error, duration, size};
use serde::{Deserialize, Serialize};

use super::ReceiverConfig;

/// The receiver of OTLP, in the words of Prometheus' section `otlp` where it has one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OtlpConfig {
    /// What becomes of names. Default `UnderscoreEscapingWithSuffixes`.
    pub translation_strategy: TranslationStrategy,
    /// The attributes of resources that become labels of each of their series. Default: none.
    pub promote_resource_attributes: Vec<String>,
    /// Whether all attributes of resources do, but for `ignore_resource_attributes`. Default `false`.
    pub promote_all_resource_attributes: bool,
    /// The attributes that do not, where all others do. Default: none.
    pub ignore_resource_attributes: Vec<String>,
    /// Whether `target_info` has `service.name`, `service.namespace` and `service.instance.id` too, which are in `job` and
    /// `instance`. Default `false`.
    pub keep_identifying_resource_attributes: bool,
    /// Whether name, version and attributes of the instrumentation scope become labels. Default `false`.
    pub promote_scope_metadata: bool,
    /// Whether histograms with bounds become native ones with custom buckets. Default `false`.
    pub convert_histograms_to_nhcb: bool,
    /// Whether a label that would begin with one `_` begins with `key_`. Default `true`.
    pub label_name_underscore_sanitization: bool,
    /// Whether letters in a row that a label cannot have become a `_` each. Default `true`.
    pub label_name_preserve_multiple_underscores: bool,
    /// The compressed bytes of a request above which it is refused. Default `16MB`.
    #[serde(with = "size")]
    pub body_size_limit: u64,
    /// The bytes of a request after decompression above which it is refused. Default `64MB`.
    #[serde(with = "size")]
    pub decoded_size_limit: u64,
    /// The time a sender may take to send its body. Default `30s`.
    #[serde(with = "duration")]
    pub body_timeout: Duration,
    /// The requests that are worked on at once; further ones are told to come again. Default 256.
    pub max_concurrent_requests: usize,
    /// The bytes of bodies, compressed and not, and of their labels or rows, that are held at once; further ones are told to
    /// come again. Default `256MB`.
    #[serde(with = "size")]
    pub memory_limit: u64,
    /// The series of deltas whose sums are held in memory; those of others are read from the store when one comes. Default
    /// 1,000,000.
    pub max_delta_series: usize,
    /// The time without a delta after which the sum of a series is no longer held in memory. Default `1h`.
    #[serde(with = "duration")]
    pub delta_idle: Duration,
}

/// What becomes of the names of metrics and labels, in Prometheus' words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum TranslationStrategy {
    /// Other letters than those of the first Prometheus become `_`; unit and type are appended.
    #[default]
    UnderscoreEscapingWithSuffixes,
    /// All letters are kept; unit and type are appended.
    #[serde(rename = "NoUTF8EscapingWithSuffixes")]
    NoUtf8EscapingWithSuffixes,
    /// Other letters become `_`; nothing is appended.
    UnderscoreEscapingWithoutSuffixes,
    /// Names stay as they are.
    NoTranslation,
}

impl Default for OtlpConfig {
    fn default() -> Self {
        OtlpConfig {
            translation_strategy: TranslationStrategy::default(),
            promote_resource_attributes: Vec::new(),
            promote_all_resource_attributes: false,
            ignore_resource_attributes: Vec::new(),
            keep_identifying_resource_attributes: false,
            promote_scope_metadata: false,
            convert_histograms_to_nhcb: false,
            label_name_underscore_sanitization: true,
            label_name_preserve_multiple_underscores: true,
            body_size_limit: 16 << 20,
            decoded_size_limit: 64 << 20,
            body_timeout: Duration::from_secs(30),
            max_concurrent_requests: 256,
            memory_limit: 256 << 20,
            max_delta_series: 1_000_000,
            delta_idle: Duration::from_secs(3600),
        }
    }
}

impl OtlpConfig {
    /// The translation that it says.
    pub(crate) fn translation(&self) -> Translation {
        let set = |keys: &[String]| keys.iter().map(|key| key.trim().to_owned()).collect::<BTreeSet<_>>();
        Translation {
            strategy: match self.translation_strategy {
                TranslationStrategy::UnderscoreEscapingWithSuffixes => Strategy::UnderscoreEscapingWithSuffixes,
                TranslationStrategy::NoUtf8EscapingWithSuffixes => Strategy::NoUtf8EscapingWithSuffixes,
                TranslationStrategy::UnderscoreEscapingWithoutSuffixes => Strategy::UnderscoreEscapingWithoutSuffixes,
                TranslationStrategy::NoTranslation => Strategy::NoTranslation,
            },
            promotion: match self.promote_all_resource_attributes {
                true => Promotion::AllBut(set(&self.ignore_resource_attributes)),
                false => Promotion::Only(set(&self.promote_resource_attributes)),
            },
            keep_identifying: self.keep_identifying_resource_attributes,
            promote_scope: self.promote_scope_metadata,
            classic_to_native: self.convert_histograms_to_nhcb,
            key_before_underscore: self.label_name_underscore_sanitization,
            keep_underscores: self.label_name_preserve_multiple_underscores,
        }
    }

    pub(crate) fn validate(&self) -> Result<(), Error> {
        self.receiver().validate(3, "body_size_limit and three times decoded_size_limit, for its labels or rows")?;
        if self.promote_all_resource_attributes && !self.promote_resource_attributes.is_empty() {
            let what = "promote_all_resource_attributes and promote_resource_attributes are both given, leave one out";
            return Err(Error::invalid(what));
        }
        if !self.promote_all_resource_attributes && !self.ignore_resource_attributes.is_empty() {
            let what = "ignore_resource_attributes is given without promote_all_resource_attributes: true, \
                        there is nothing to ignore";
            return Err(Error::invalid(what));
        }
        for (field, keys) in [
            ("promote_resource_attributes", &self.promote_resource_attributes),
            ("ignore_resource_attributes", &self.ignore_resource_attributes),
        ] {
            let mut seen = BTreeSet::new();
            for key in keys.iter().map(|key| key.trim()) {
                if key.is_empty() {
                    return Err(Error::invalid(format!("{field} has an empty attribute")));
                }
                if !seen.insert(key) {
                    return Err(Error::invalid(format!("{field} has the attribute {key:?} twice")));
                }
            }
        }
        if self.max_delta_series == 0 {
            return Err(Error::invalid("max_delta_series is 0, no delta could be added up"));
        }
        if self.delta_idle.is_zero() {
            return Err(Error::invalid("delta_idle is 0s, no delta could be added up"));
        }
        Ok(())
    }

    /// What it has in common with other receivers.
    pub(crate) fn receiver(&self) -> ReceiverConfig {
        ReceiverConfig {
            body_size_limit: self.body_size_limit,
            decoded_size_limit: self.decoded_size_limit,
            body_timeout: self.body_timeout,
            max_concurrent_requests: self.max_concurrent_requests,
            memory_limit: self.memory_limit,
        }
    }
}

#[cfg(test)]
mod tests;
