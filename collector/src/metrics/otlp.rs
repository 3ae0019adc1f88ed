//! The counters of the OTLP receivers.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;

use parking_lot::Mutex;

use super::exposition::Family;
use super::{add, get};
use crate::receive::Signal;

/// The counters of OTLP over HTTP and gRPC.
#[derive(Debug, Default)]
pub(crate) struct OtlpCounters {
    requests: Mutex<BTreeMap<(Signal, &'static str, u32), u64>>,
    signals: [SignalCounters; Signal::ALL.len()],
    repeated: AtomicU64,
    samples: AtomicU64,
    label_bytes: AtomicU64,
}

/// The counters of one signal.
#[derive(Debug, Default)]
struct SignalCounters {
    items: AtomicU64,
    refused: AtomicU64,
    body_bytes: AtomicU64,
}

impl OtlpCounters {
    /// Counts an answered request, by the code that its protocol has.
    pub(crate) fn answered(&self, signal: Signal, protocol: &'static str, code: u32) {
        *self.requests.lock().entry((signal, protocol, code)).or_default() += 1;
    }

    /// Counts a body that was read whole.
    pub(crate) fn received(&self, signal: Signal, bytes: usize) {
        add(&self.of(signal).body_bytes, bytes as u64);
    }

    /// Counts data points, log records or spans that were acknowledged and refused.
    pub(crate) fn took(&self, signal: Signal, items: u64, refused: u64) {
        add(&self.of(signal).items, items);
        add(&self.of(signal).refused, refused);
    }

    /// Counts the labels that were made of the data points of a request.
    pub(crate) fn wrote_out(&self, label_bytes: usize) {
        add(&self.label_bytes, label_bytes as u64);
    }

    /// Counts the samples of data points that were acknowledged.
    pub(crate) fn acknowledged(&self, samples: usize) {
        add(&self.samples, samples as u64);
    }

    /// Counts points of deltas that had been added up before.
    pub(crate) fn repeated(&self, points: u64) {
        add(&self.repeated, points);
    }

    fn of(&self, signal: Signal) -> &SignalCounters {
        &self.signals[signal as usize]
    }

    pub(super) fn render(&self, out: &mut String) {
        let requests = self.requests.lock().clone();
        let name = "fleetscope_otlp_requests_total";
        let help = "OTLP requests by signal, protocol and the code they were answered with.";
        let mut family = Family::counter(out, name, help);
        for ((signal, protocol, code), count) in requests {
            let labels = [("signal", signal.as_str()), ("protocol", protocol), ("code", &code.to_string())];
            family.line(&labels, count);
        }
        let help = "Bytes of requests as they came over the wire.";
        let mut family = Family::counter(out, "fleetscope_otlp_body_bytes_total", help);
        for signal in Signal::ALL {
            family.line(&[("signal", signal.as_str())], get(&self.of(signal).body_bytes));
        }
        for signal in Signal::ALL {
            let (counters, words) = (self.of(signal), format!("{}s", signal.item()));
            let items = words.replace(' ', "_");
            let (name, help) = (format!("fleetscope_otlp_{items}_total"), format!("Acknowledged {words}."));
            Family::counter(out, &name, &help).line(&[], get(&counters.items));
            let name = format!("fleetscope_otlp_refused_{items}_total");
            let help = format!("Refused {words}, as the answers to their senders said.");
            Family::counter(out, &name, &help).line(&[], get(&counters.refused));
        }
        for (name, help, value) in [
            (
                "repeated_delta_points",
                "Data points of delta temporality that came once more, as after an answer that was lost, not added again.",
                &self.repeated,
            ),
            ("samples", "Samples acknowledged, staleness markers included.", &self.samples),
            ("label_bytes", "Bytes of labels, written out for each series of a request.", &self.label_bytes),
        ] {
            Family::counter(out, &format!("fleetscope_otlp_{name}_total"), help).line(&[], get(value));
        }
    }
}
