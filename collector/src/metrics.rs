//! What the collectors count of themselves, and its text for `/metrics`.
//!
//! Owns: the counters of federation and of the receiver, their names and help texts.
//! Does not own: the endpoint that shows them (the binary), the state of single sources ([`model::Sources`]).

mod exposition;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use self::exposition::Family;
use crate::federate::Counts;
use crate::fetch::Stage;

/// The counters of all collectors of one process.
#[derive(Debug, Default)]
pub struct Metrics {
    /// By cluster and job.
    federate: Mutex<BTreeMap<(String, String), Arc<FederateCounters>>>,
    /// The receiver's.
    pub(crate) remote_write: RemoteWriteCounters,
}

/// The counters of the federated servers of one cluster and job.
#[derive(Debug, Default)]
pub(crate) struct FederateCounters {
    successes: AtomicU64,
    failures: [AtomicU64; Stage::ALL.len()],
    body_bytes: AtomicU64,
    exposed: AtomicU64,
    repeated: AtomicU64,
    duplicates: AtomicU64,
    markers: AtomicU64,
    write_retries: AtomicU64,
}

impl FederateCounters {
    /// Counts a failed attempt.
    pub(crate) fn failed(&self, stage: Stage) {
        add(&self.failures[stage as usize], 1);
    }

    /// Counts an answer whose rows were written.
    pub(crate) fn succeeded(&self, counts: Counts) {
        add(&self.successes, 1);
        add(&self.exposed, counts.exposed);
        add(&self.repeated, counts.repeated);
        add(&self.duplicates, counts.duplicates);
        add(&self.markers, counts.vanished);
    }

    /// Counts the bytes of a body as they came over the wire.
    pub(crate) fn received(&self, bytes: usize) {
        add(&self.body_bytes, bytes as u64);
    }

    /// Counts a write that the store refused for the moment.
    pub(crate) fn write_retried(&self) {
        add(&self.write_retries, 1);
    }
}

/// The counters of the remote-write receiver.
#[derive(Debug, Default)]
pub(crate) struct RemoteWriteCounters {
    requests: Mutex<BTreeMap<u16, u64>>,
    samples: AtomicU64,
    body_bytes: AtomicU64,
    decoded_bytes: AtomicU64,
}

impl RemoteWriteCounters {
    /// Counts an answered request.
    pub(crate) fn answered(&self, code: u16) {
        *self.requests.lock().entry(code).or_default() += 1;
    }

    /// Counts a body that was read whole, and what it became.
    pub(crate) fn received(&self, bytes: usize, decoded_bytes: usize) {
        add(&self.body_bytes, bytes as u64);
        add(&self.decoded_bytes, decoded_bytes as u64);
    }

    /// Counts samples that were acknowledged.
    pub(crate) fn acknowledged(&self, samples: usize) {
        add(&self.samples, samples as u64);
    }
}

impl Metrics {
    /// The counters of a cluster and job, shared by its servers.
    pub(crate) fn federate(&self, cluster: &str, job: &str) -> Arc<FederateCounters> {
        self.federate.lock().entry((cluster.to_owned(), job.to_owned())).or_default().clone()
    }

    /// Forgets the counters that no server uses any more.
    pub(crate) fn forget_unused(&self) {
        self.federate.lock().retain(|_, counters| Arc::strong_count(counters) > 1);
    }

    /// Appends all counters in the text exposition format.
    pub fn render(&self, out: &mut String) {
        self.render_federate(out);
        self.render_remote_write(out);
    }

    fn render_federate(&self, out: &mut String) {
        let all: Vec<_> = self.federate.lock().iter().map(|(id, counters)| (id.clone(), counters.clone())).collect();
        let mut family =
            Family::counter(out, "fleetscope_federate_scrapes_total", "Fetches of federated servers by their result.");
        for ((cluster, job), counters) in &all {
            let mut line = |result, value: &AtomicU64| {
                family.line(&[("cluster", cluster), ("job", job), ("result", result)], get(value));
            };
            line("success", &counters.successes);
            for stage in Stage::ALL {
                line(stage.as_str(), &counters.failures[stage as usize]);
            }
        }
        type Pick = fn(&FederateCounters) -> &AtomicU64;
        let families: [(&str, &str, Pick); 6] = [
            ("samples", "Samples in the written answers of federated servers.", |c| &c.exposed),
            ("repeated_samples", "Samples that the previous answer had already, not written again.", |c| &c.repeated),
            ("duplicate_samples", "Samples dropped because the same answer gave another value before.", |c| {
                &c.duplicates
            }),
            ("staleness_markers", "Markers written for series that an answer lacked.", |c| &c.markers),
            ("body_bytes", "Bytes of answers as they came over the wire.", |c| &c.body_bytes),
            ("write_retries", "Writes repeated because the store was busy or away.", |c| &c.write_retries),
        ];
        for (word, help, pick) in families {
            let mut family = Family::counter(out, &format!("fleetscope_federate_{word}_total"), help);
            for ((cluster, job), counters) in &all {
                family.line(&[("cluster", cluster), ("job", job)], get(pick(counters)));
            }
        }
    }

    fn render_remote_write(&self, out: &mut String) {
        let counters = &self.remote_write;
        let requests = counters.requests.lock().clone();
        let name = "fleetscope_remote_write_requests_total";
        let mut family = Family::counter(out, name, "Remote-write requests by the status they were answered with.");
        for (code, count) in requests {
            family.line(&[("code", &code.to_string())], count);
        }
        for (name, help, value) in [
            ("samples", "Samples acknowledged, staleness markers included.", &counters.samples),
            ("body_bytes", "Bytes of requests as they came over the wire.", &counters.body_bytes),
            ("decoded_bytes", "Bytes of requests after decompression.", &counters.decoded_bytes),
        ] {
            Family::counter(out, &format!("fleetscope_remote_write_{name}_total"), help).line(&[], get(value));
        }
    }
}

fn add(counter: &AtomicU64, by: u64) {
    counter.fetch_add(by, Ordering::Relaxed);
}

fn get(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

#[cfg(test)]
mod tests;
