//! How pushed samples are received.

use std::time::Duration;

use model::{Error, duration, size};
use serde::{Deserialize, Serialize};

use super::ReceiverConfig;

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

    pub(crate) fn validate(&self) -> Result<(), Error> {
        self.receiver().validate(1, "the sum of body_size_limit and decoded_size_limit")
    }
}
