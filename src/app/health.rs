//! Whether the server can be sent requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// The phase of the server's life. Cloning shares it.
#[derive(Debug, Clone, Default)]
pub struct Health(Arc<AtomicU8>);

const STARTING: u8 = 0;
const READY: u8 = 1;
const STOPPING: u8 = 2;

impl Health {
    /// The store is open and all routes answer.
    pub(super) fn ready(&self) {
        self.0.store(READY, Ordering::SeqCst);
    }

    /// The server drains.
    pub(super) fn stopping(&self) {
        self.0.store(STOPPING, Ordering::SeqCst);
    }

    /// Why no request should be sent here; `None` if requests are welcome.
    pub fn obstacle(&self) -> Option<&'static str> {
        match self.0.load(Ordering::SeqCst) {
            STARTING => Some("starting: the journal is being replayed"),
            STOPPING => Some("stopping: requests in flight are being answered"),
            _ => None,
        }
    }
}
