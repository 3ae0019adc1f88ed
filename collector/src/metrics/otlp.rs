//! The counters of the OTLP receivers.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;

use parking_lot::Mutex;

use super::exposition::Family;
use super::{add, get};

/// The counters of OTLP over HTTP and gRPC.
#[derive(Debug, Default)]
pub(crate) struct OtlpCounters {
    requests: Mutex<BTreeMap<(&'static str, u32), u64>>,
    points: AtomicU64,
    refused: AtomicU64,
    repeated: AtomicU64,
    samples: AtomicU64,
    body_bytes: AtomicU64,
    label_bytes: AtomicU64,
}

impl OtlpCounters {
    /// Counts an answered request, by the code that its protocol has.
    pub(crate) fn answered(&self, protocol: &'static str, code: u32) {
        *self.requests.lock().entry((protocol, code)).or_default() += 1;
    }

    /// Counts a body that was read whole, and the labels that were made of it.
    pub(crate) fn received(&self, bytes: usize, label_bytes: usize) {
        add(&self.body_bytes, bytes as u64);
        add(&self.label_bytes, label_bytes as u64);
    }

    /// Counts points that were acknowledged and refused, and the samples of the former.
    pub(crate) fn took(&self, points: u64, refused: u64, samples: usize) {
        add(&self.points, points);
        add(&self.refused, refused);
        add(&self.samples, samples as u64);
    }

    /// Counts points of deltas that had been added up before.
    pub(crate) fn repeated(&self, points: u64) {
        add(&self.repeated, points);
    }

    pub(super) fn render(&self, out: &mut String) {
        let requests = self.requests.lock().clone();
        let name = "fleetscope_otlp_requests_total";
        let mut family = Family::counter(out, name, "OTLP requests by protocol and the code they were answered with.");
        for ((protocol, code), count) in requests {
            family.line(&[("protocol", protocol), ("code", &code.to_string())], count);
        }
        for (name, help, value) in [
            ("data_points", "Data points acknowledged.", &self.points),
            ("refused_data_points", "Data points left out, as the answers to their senders said.", &self.refused),
            (
                "repeated_delta_points",
                "Data points of delta temporality that came once more, as after an answer that was lost, not added again.",
                &self.repeated,
            ),
            ("samples", "Samples acknowledged, staleness markers included.", &self.samples),
            ("body_bytes", "Bytes of requests as they came over the wire.", &self.body_bytes),
            ("label_bytes", "Bytes of labels, written out for each series of a request.", &self.label_bytes),
        ] {
            Family::counter(out, &format!("fleetscope_otlp_{name}_total"), help).line(&[], get(value));
        }
    }
}
