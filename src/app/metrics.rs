//! The metrics of all parts, for `/metrics` and for readiness.

use std::sync::Arc;

use storage::Store;

use crate::telemetry::Requests;

/// What is asked when metrics are rendered.
#[derive(Debug)]
pub(super) struct Metrics {
    pub(super) requests: Requests,
    pub(super) collectors: Arc<collector::Metrics>,
    pub(super) store: Store,
}

impl Metrics {
    /// Appends everything in the text exposition format.
    pub(super) fn render(&self, out: &mut String) {
        self.requests.render(out);
        self.collectors.render(out);
    }

    /// Why no request should be sent here, as far as the parts know.
    pub(super) fn obstacle(&self) -> Option<String> {
        None
    }
}
