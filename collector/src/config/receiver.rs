//! What every receiver has among its own settings, and all that those of remote write and of log rows have.

use std::time::Duration;

use model::{Error, duration, size};
use serde::{Deserialize, Serialize};

/// How large a request may be, how long it may take, and how much is held at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReceiverConfig {
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
    /// The bytes of bodies, compressed and not, and of rows on their way, that are held at once; further ones are told to
    /// come again. Default `256MB`.
    #[serde(with = "size")]
    pub memory_limit: u64,
}

impl Default for ReceiverConfig {
    fn default() -> Self {
        ReceiverConfig {
            body_size_limit: 16 << 20,
            decoded_size_limit: 64 << 20,
            body_timeout: Duration::from_secs(30),
            max_concurrent_requests: 256,
            memory_limit: 256 << 20,
        }
    }
}

impl ReceiverConfig {
    /// The bytes that are reserved for a request before its size is known.
    const MIN_MEMORY_LIMIT: u64 = 1 << 20;
    /// Series of a batch are 32-bit ranges of its body.
    const MAX_SIZE_LIMIT: u64 = 1 << 30;

    /// Checks the settings, where a request may take `decodings` times its decoded size at once, which `parts` says in words.
    ///
    /// # Errors
    /// `Invalid`, with the field.
    pub(crate) fn validate(&self, decodings: u64, parts: &str) -> Result<(), Error> {
        for (field, bytes) in
            [("body_size_limit", self.body_size_limit), ("decoded_size_limit", self.decoded_size_limit)]
        {
            if bytes == 0 || bytes > Self::MAX_SIZE_LIMIT {
                return Err(Error::invalid(format!("{field} is not between 1B and 1GB")));
            }
        }
        if self.body_timeout.is_zero() {
            return Err(Error::invalid("body_timeout is 0s, no body could be received"));
        }
        if self.max_concurrent_requests == 0 {
            return Err(Error::invalid("max_concurrent_requests is 0, no request could be received"));
        }
        let decoded = self.decoded_size_limit.saturating_mul(decodings);
        let largest = self.body_size_limit.saturating_add(decoded).max(Self::MIN_MEMORY_LIMIT);
        if self.memory_limit < largest {
            return Err(Error::invalid(format!(
                "memory_limit {} has no room for one request of {}, {parts}",
                size::format(self.memory_limit),
                size::format(largest)
            )));
        }
        Ok(())
    }
}
