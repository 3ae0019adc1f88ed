//! What is counted of all that is pushed, whatever its protocol.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use parking_lot::Mutex;

use super::exposition::Family;
use crate::keyring::Keyring;
use crate::receive::Reason;

/// The counters of pushes.
#[derive(Debug, Default)]
pub(crate) struct PushCounters {
    /// By cluster and reason. A cluster is one of the configuration, or empty: no sender can make a name up.
    refused: Mutex<BTreeMap<(String, Reason), u64>>,
    /// As `refused`, by the word for the reason.
    left_out: Mutex<BTreeMap<(String, &'static str), u64>>,
    ring: OnceLock<Keyring>,
}

impl PushCounters {
    /// Shows the state of a ring's files. Only the first call has an effect.
    pub(crate) fn set_keyring(&self, ring: Keyring) {
        let _ = self.ring.set(ring);
    }

    /// Counts a push that was refused.
    pub(crate) fn refused(&self, cluster: &str, reason: Reason) {
        *self.refused.lock().entry((cluster.to_owned(), reason)).or_default() += 1;
    }

    /// Counts rows that were left out of a push whose other rows were written.
    pub(crate) fn left_out(&self, cluster: &str, reason: &'static str, rows: u64) {
        *self.left_out.lock().entry((cluster.to_owned(), reason)).or_default() += rows;
    }

    /// Appends the counters in the text exposition format.
    pub(super) fn render(&self, out: &mut String) {
        let refused = self.refused.lock().clone();
        let name = "fleetscope_push_refused_total";
        let mut family = Family::counter(out, name, "Pushes refused, by cluster and reason.");
        for ((cluster, reason), count) in refused {
            family.line(&[("cluster", &cluster), ("reason", reason.as_str())], count);
        }
        let left_out = self.left_out.lock().clone();
        let name = "fleetscope_push_left_out_total";
        let help = "Rows left out of pushes whose other rows were written, by cluster and reason.";
        let mut family = Family::counter(out, name, help);
        for ((cluster, reason), rows) in left_out {
            family.line(&[("cluster", &cluster), ("reason", reason)], rows);
        }
        let name = "fleetscope_push_token_files_failing";
        let help = "Files of tokens that cannot be used as they are; what they held before counts.";
        let mut family = Family::gauge(out, name, help);
        for (cluster, count) in self.ring.get().map(Keyring::failing_files).unwrap_or_default() {
            family.line(&[("cluster", &cluster)], count);
        }
    }
}
