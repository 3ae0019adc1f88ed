//! What every receiver has among its own settings.

use std::time::Duration;

use model::{Error, size};

/// How large a request may be, how long it may take, and how much is held at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReceiverConfig {
    pub(crate) body_size_limit: u64,
    pub(crate) decoded_size_limit: u64,
    pub(crate) body_timeout: Duration,
    pub(crate) max_concurrent_requests: usize,
    pub(crate) memory_limit: u64,
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
