//! What the collectors count of themselves, and its text for `/metrics`.
//!
//! Owns: the counters of federation, remote read, scraping and the receivers, their names and help texts.
//! Does not own: the endpoint that shows them (the binary), the state of single sources ([`model::Sources`]).

mod exposition;
mod log_push;
mod otlp;
mod push;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use self::exposition::Family;
use self::log_push::LogPushCounters;
pub(crate) use self::otlp::OtlpCounters;
use self::push::PushCounters;
use crate::fetch::Stage;

/// The counters of all collectors of one process.
#[derive(Debug, Default)]
pub struct Metrics {
    federate: SourceFamilies,
    remote_read: SourceFamilies,
    loki_read: SourceFamilies,
    scrape: SourceFamilies,
    /// The receiver's.
    pub(crate) remote_write: RemoteWriteCounters,
    /// Those of all that is pushed.
    pub(crate) pushes: PushCounters,
    /// Those of the OTLP receivers.
    pub(crate) otlp: OtlpCounters,
    /// Those of the receivers of log rows.
    pub(crate) log_push: LogPushCounters,
}

/// What became of the rows of an answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Rows of the answer.
    pub(crate) exposed: u64,
    /// Rows that relabeling left.
    pub(crate) kept: u64,
    /// Rows that the previous answer had already.
    pub(crate) repeated: u64,
    /// Rows dropped because the answer holds another value for the same series and time.
    pub(crate) duplicates: u64,
    /// Series that the previous answer did not have.
    pub(crate) added: u64,
    /// Series that got a staleness marker.
    pub(crate) vanished: u64,
}

/// The counters of all sources of one kind, by cluster and job.
type SourceFamilies = Mutex<BTreeMap<(String, String), Arc<SourceCounters>>>;

/// The counters of the sources of one kind, cluster and job.
#[derive(Debug, Default)]
pub(crate) struct SourceCounters {
    successes: AtomicU64,
    failures: [AtomicU64; Stage::ALL.len()],
    body_bytes: AtomicU64,
    exposed: AtomicU64,
    kept: AtomicU64,
    repeated: AtomicU64,
    duplicates: AtomicU64,
    markers: AtomicU64,
    write_retries: AtomicU64,
    targets: AtomicU64,
    dropped_targets: AtomicU64,
}

impl SourceCounters {
    /// Counts a failed attempt.
    pub(crate) fn failed(&self, stage: Stage) {
        add(&self.failures[stage as usize], 1);
    }

    /// Counts an answer whose rows were written.
    pub(crate) fn succeeded(&self, counts: Counts) {
        add(&self.successes, 1);
        add(&self.exposed, counts.exposed);
        add(&self.kept, counts.kept);
        add(&self.repeated, counts.repeated);
        add(&self.duplicates, counts.duplicates);
        add(&self.markers, counts.vanished);
    }

    /// Counts the bytes of a body as they came over the wire.
    pub(crate) fn received(&self, bytes: usize) {
        add(&self.body_bytes, bytes as u64);
    }

    /// Notes how many targets there are, and how many relabeling dropped.
    pub(crate) fn set_targets(&self, kept: usize, dropped: usize) {
        self.targets.store(kept as u64, Ordering::Relaxed);
        self.dropped_targets.store(dropped as u64, Ordering::Relaxed);
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
    histograms: AtomicU64,
    exemplars: AtomicU64,
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

    /// Counts rows that were acknowledged.
    pub(crate) fn acknowledged(&self, samples: usize, histograms: usize, exemplars: usize) {
        add(&self.samples, samples as u64);
        add(&self.histograms, histograms as u64);
        add(&self.exemplars, exemplars as u64);
    }
}

impl Metrics {
    /// The counters of the federated servers of a cluster and job.
    pub(crate) fn federate(&self, cluster: &str, job: &str) -> Arc<SourceCounters> {
        counters(&self.federate, cluster, job)
    }

    /// The counters of the servers of a cluster and job that are read by remote read.
    pub(crate) fn remote_read(&self, cluster: &str, job: &str) -> Arc<SourceCounters> {
        counters(&self.remote_read, cluster, job)
    }

    /// The counters of the Loki servers of a cluster and job that are read.
    pub(crate) fn loki_read(&self, cluster: &str, job: &str) -> Arc<SourceCounters> {
        counters(&self.loki_read, cluster, job)
    }

    /// The counters of the scraped targets of a cluster and job.
    pub(crate) fn scrape(&self, cluster: &str, job: &str) -> Arc<SourceCounters> {
        counters(&self.scrape, cluster, job)
    }

    /// Forgets the counters that no source uses any more.
    pub(crate) fn forget_unused(&self) {
        for families in [&self.federate, &self.remote_read, &self.loki_read, &self.scrape] {
            families.lock().retain(|_, counters| Arc::strong_count(counters) > 1);
        }
    }

    /// Appends all counters in the text exposition format.
    pub fn render(&self, out: &mut String) {
        render_sources("federate", &self.federate, out);
        render_sources("remote_read", &self.remote_read, out);
        render_sources("loki_read", &self.loki_read, out);
        render_sources("scrape", &self.scrape, out);
        render_targets(&self.scrape, out);
        self.render_remote_write(out);
        self.pushes.render(out);
        self.otlp.render(out);
        self.log_push.render(out);
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
            ("histograms", "Native histograms acknowledged, staleness markers included.", &counters.histograms),
            ("exemplars", "Exemplars acknowledged.", &counters.exemplars),
            ("body_bytes", "Bytes of requests as they came over the wire.", &counters.body_bytes),
            ("decoded_bytes", "Bytes of requests after decompression.", &counters.decoded_bytes),
        ] {
            Family::counter(out, &format!("fleetscope_remote_write_{name}_total"), help).line(&[], get(value));
        }
    }
}

fn counters(families: &SourceFamilies, cluster: &str, job: &str) -> Arc<SourceCounters> {
    families.lock().entry((cluster.to_owned(), job.to_owned())).or_default().clone()
}

fn render_sources(kind: &str, families: &SourceFamilies, out: &mut String) {
    let all: Vec<_> = families.lock().iter().map(|(id, counters)| (id.clone(), counters.clone())).collect();
    let name = format!("fleetscope_{kind}_scrapes_total");
    let mut family = Family::counter(out, &name, "Attempts at sources by their result.");
    for ((cluster, job), counters) in &all {
        let mut line = |result, value: &AtomicU64| {
            family.line(&[("cluster", cluster), ("job", job), ("result", result)], get(value));
        };
        line("success", &counters.successes);
        for stage in Stage::ALL {
            line(stage.as_str(), &counters.failures[stage as usize]);
        }
    }
    type Pick = fn(&SourceCounters) -> &AtomicU64;
    let families: [(&str, &str, Pick); 7] = [
        ("samples", "Samples in the written answers.", |c| &c.exposed),
        ("kept_samples", "Of these, samples that relabeling left.", |c| &c.kept),
        ("repeated_samples", "Samples that the previous answer had already, not written again.", |c| &c.repeated),
        ("duplicate_samples", "Samples dropped because the series had another value at that time.", |c| &c.duplicates),
        ("staleness_markers", "Markers written for series that an answer lacked.", |c| &c.markers),
        ("body_bytes", "Bytes of answers as they came over the wire.", |c| &c.body_bytes),
        ("write_retries", "Writes repeated because the store was busy or away.", |c| &c.write_retries),
    ];
    for (word, help, pick) in families {
        let mut family = Family::counter(out, &format!("fleetscope_{kind}_{word}_total"), help);
        for ((cluster, job), counters) in &all {
            family.line(&[("cluster", cluster), ("job", job)], get(pick(counters)));
        }
    }
}

fn render_targets(families: &SourceFamilies, out: &mut String) {
    let all: Vec<_> = families.lock().iter().map(|(id, counters)| (id.clone(), counters.clone())).collect();
    let mut family =
        Family::gauge(out, "fleetscope_scrape_targets", "Targets that discovery found, by what became of them.");
    for ((cluster, job), counters) in &all {
        for (state, count) in [("scraped", &counters.targets), ("dropped", &counters.dropped_targets)] {
            family.line(&[("cluster", cluster), ("job", job), ("state", state)], get(count));
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
