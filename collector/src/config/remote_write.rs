//! How pushed samples are received.

use std::time::Duration;

use model::{Error, duration, size};
use serde::{Deserialize, Serialize};

/// The receiver of Prometheus remote write.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RemoteWriteConfig {
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
    /// The bytes of bodies, compressed and not, that are held at once; further ones are told to come again. Default
    /// `256MB`.
    #[serde(with = "size")]
    pub memory_limit: u64,
}

impl Default for RemoteWriteConfig {
    fn default() -> Self {
        RemoteWriteConfig {
            body_size_limit: 16 << 20,
            decoded_size_limit: 64 << 20,
            body_timeout: Duration::from_secs(30),
            max_concurrent_requests: 256,
            memory_limit: 256 << 20,
        }
    }
}

impl RemoteWriteConfig {
    /// The bytes that are reserved for a request before its size is known.
    pub(crate) const MIN_MEMORY_LIMIT: u64 = 1 << 20;
    /// Series of a batch are 32-bit ranges of its body.
    const MAX_SIZE_LIMIT: u64 = 1 << 30;

    pub(crate) fn validate(&self) -> Result<(), Error> {
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
        let largest = self.body_size_limit.saturating_add(self.decoded_size_limit).max(Self::MIN_MEMORY_LIMIT);
        if self.memory_limit < largest {
            return Err(Error::invalid(format!(
                "memory_limit {} has no room for one request of {}, the sum of body_size_limit and decoded_size_limit",
                size::format(self.memory_limit),
                size::format(largest)
            )));
        }
        Ok(())
    }
}
