//! The counters of the receivers of log rows.

use std::collections::BTreeMap;

use parking_lot::Mutex;

use super::exposition::Family;

/// The counters of each protocol by which log rows are pushed.
#[derive(Debug, Default)]
pub(crate) struct LogPushCounters {
    requests: Mutex<BTreeMap<(&'static str, u16), u64>>,
    volumes: Mutex<BTreeMap<&'static str, Volume>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Volume {
    rows: u64,
    refused: u64,
    body_bytes: u64,
    decoded_bytes: u64,
}

impl LogPushCounters {
    /// Counts an answered request.
    pub(crate) fn answered(&self, protocol: &'static str, code: u16) {
        *self.requests.lock().entry((protocol, code)).or_default() += 1;
    }

    /// Counts a body that was read whole, and what it became.
    pub(crate) fn received(&self, protocol: &'static str, bytes: usize, decoded_bytes: usize) {
        let mut volumes = self.volumes.lock();
        let volume = volumes.entry(protocol).or_default();
        volume.body_bytes += bytes as u64;
        volume.decoded_bytes += decoded_bytes as u64;
    }

    /// Counts rows that were acknowledged, and those that were left out.
    pub(crate) fn took(&self, protocol: &'static str, rows: u64, refused: u64) {
        let mut volumes = self.volumes.lock();
        let volume = volumes.entry(protocol).or_default();
        volume.rows += rows;
        volume.refused += refused;
    }

    pub(super) fn render(&self, out: &mut String) {
        let requests = self.requests.lock().clone();
        let name = "fleetscope_log_push_requests_total";
        let help = "Requests with log rows by protocol and the status they were answered with.";
        let mut family = Family::counter(out, name, help);
        for ((protocol, code), count) in requests {
            family.line(&[("protocol", protocol), ("code", &code.to_string())], count);
        }
        let volumes = self.volumes.lock().clone();
        type Pick = fn(&Volume) -> u64;
        let families: [(&str, &str, Pick); 4] = [
            ("rows", "Log rows acknowledged.", |volume| volume.rows),
            ("refused_rows", "Log rows left out, as the answers to their senders said.", |volume| volume.refused),
            ("body_bytes", "Bytes of requests as they came over the wire.", |volume| volume.body_bytes),
            ("decoded_bytes", "Bytes of requests after decompression.", |volume| volume.decoded_bytes),
        ];
        for (word, help, pick) in families {
            let mut family = Family::counter(out, &format!("fleetscope_log_push_{word}_total"), help);
            for (protocol, volume) in &volumes {
                family.line(&[("protocol", protocol)], pick(volume));
            }
        }
    }
}
