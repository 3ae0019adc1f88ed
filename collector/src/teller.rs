//! Tells how the attempts at a source went: on the board, in the counters, and in the log when that changes.

use std::sync::Arc;
use std::time::Duration;

use model::source::SourceId;
use model::{SourceStatus, Sources};

use crate::fetch::{Failure, Stage};
use crate::metrics::{Counts, SourceCounters};

/// The teller of one source.
#[derive(Debug)]
pub(crate) struct Teller {
    id: SourceId,
    sources: Sources,
    counters: Arc<SourceCounters>,
    /// The stage at which the last attempt failed.
    failing: Option<Stage>,
    /// As `failing`, for what is read beside the attempts.
    failing_beside: Option<Stage>,
}

impl Teller {
    /// A teller of a source that is not known to fail.
    pub(crate) fn new(id: SourceId, sources: Sources, counters: Arc<SourceCounters>) -> Self {
        Teller { id, sources, counters, failing: None, failing_beside: None }
    }

    /// The counters that it writes to.
    pub(crate) fn counters(&self) -> &SourceCounters {
        &self.counters
    }

    /// Tells of one attempt, for the instant `time_ms`.
    pub(crate) fn tell(&mut self, time_ms: i64, duration: Duration, result: &Result<Counts, Failure>) {
        let id = &self.id;
        self.sources.update(id, |status| {
            status.last_attempt_ms = Some(time_ms);
            status.duration_seconds = duration.as_secs_f64();
            status.error = result.as_ref().err().map(Failure::to_string);
            if let Ok(counts) = result {
                status.last_success_ms = Some(time_ms);
                status.samples = counts.exposed;
            }
        });
        let now_failing = result.as_ref().err().map(|failure| failure.stage);
        match (result, self.failing) {
            (Ok(counts), before) => {
                self.counters.succeeded(*counts);
                if before.is_some() {
                    tracing::info!(kind = id.kind, cluster = %id.cluster, job = %id.job, instance = %id.instance,
                        "source answers again");
                }
            }
            (Err(failure), before) => {
                self.counters.failed(failure.stage);
                if before != now_failing {
                    tracing::warn!(kind = id.kind, cluster = %id.cluster, job = %id.job, instance = %id.instance,
                        stage = failure.stage.as_str(), error = %failure, "source failed");
                }
            }
        }
        self.failing = now_failing;
    }

    /// Tells of something that was read beside the attempts and does not decide whether the source is up.
    pub(crate) fn tell_beside(&mut self, what: &str, result: &Result<Counts, Failure>) {
        let id = &self.id;
        let now_failing = result.as_ref().err().map(|failure| failure.stage);
        match result {
            Ok(counts) => self.counters.succeeded(*counts),
            Err(failure) => {
                self.counters.failed(failure.stage);
                self.sources.update(id, |status| status.error = Some(format!("{what}: {failure}")));
                if self.failing_beside != now_failing {
                    tracing::warn!(kind = id.kind, cluster = %id.cluster, job = %id.job, instance = %id.instance,
                        what, stage = failure.stage.as_str(), error = %failure, "source failed");
                }
            }
        }
        self.failing_beside = now_failing;
    }

    /// Forgets that something beside the attempts failed.
    pub(crate) fn forget_beside(&mut self) {
        self.failing_beside = None;
    }

    /// Changes what the board says of the source.
    pub(crate) fn update(&self, change: impl FnOnce(&mut SourceStatus)) {
        self.sources.update(&self.id, change);
    }
}
