//! What is known of one who sends: his cluster, his limits, what he has used of them.

use std::sync::Arc;

use model::{Error, ErrorKind, duration, size};
use tokio::time::Instant;

use super::rate::Rate;
use super::{Reason, Unauthorized, Unit};
use crate::config::PushLimits;
use crate::metrics::Metrics;

/// The account of a cluster, or of all who show no token.
#[derive(Debug)]
pub(super) struct Account {
    cluster: Option<Arc<str>>,
    limits: PushLimits,
    samples: Option<Rate>,
    rows: Option<Rate>,
    bytes: Option<Rate>,
    metrics: Arc<Metrics>,
}

impl Account {
    /// An account that has used nothing yet.
    pub(super) fn new(cluster: Option<&str>, limits: PushLimits, metrics: Arc<Metrics>) -> Self {
        let rate = |per_second: Option<u64>| per_second.map(|it| Rate::new(it, limits.burst));
        Account {
            cluster: cluster.map(Arc::from),
            samples: rate(limits.samples_per_second),
            rows: rate(limits.rows_per_second),
            bytes: rate(limits.bytes_per_second),
            limits,
            metrics,
        }
    }

    /// Its cluster, if it has one.
    pub(super) fn cluster(&self) -> Option<&Arc<str>> {
        self.cluster.as_ref()
    }

    /// Its limits.
    pub(super) fn limits(&self) -> &PushLimits {
        &self.limits
    }

    /// Counts a refusal, and gives what is to be told of it.
    pub(super) fn refused(&self, reason: Reason, error: Error) -> Error {
        self.metrics.pushes.refused(self.cluster.as_deref().unwrap_or(""), reason);
        error
    }

    /// Counts rows that were left out.
    pub(super) fn left_out(&self, reason: &'static str, rows: u64) {
        self.metrics.pushes.left_out(self.cluster.as_deref().unwrap_or(""), reason, rows);
    }

    /// The refusal of somebody who is not known, which is of no cluster.
    pub(super) fn unauthorized(&self) -> Unauthorized {
        self.metrics.pushes.refused("", Reason::Unauthorized);
        Unauthorized::new()
    }

    /// Takes what a request has of `unit`.
    pub(super) fn take(&self, unit: Unit, amount: u64, now: Instant) -> Result<(), Error> {
        let Some(Err(over)) = self.rate(unit).map(|rate| rate.take(amount, now)) else { return Ok(()) };
        let (limit, words, setting) = (over.per_second, unit.words(), unit.setting());
        let what = format!("{amount} {words} in this request, limit {limit} per second ({setting})");
        Err(self.over_rate(unit.reason(), &what, over.wait))
    }

    /// Whether anything of `unit` may be taken, asked before it is known how much a request has.
    pub(super) fn may_send(&self, unit: Unit, now: Instant) -> Result<(), Error> {
        let Some(Err(over)) = self.rate(unit).map(|rate| rate.take(0, now)) else { return Ok(()) };
        let what = format!("limit {} {} per second ({})", over.per_second, unit.words(), unit.setting());
        Err(self.over_rate(unit.reason(), &what, over.wait))
    }

    fn rate(&self, unit: Unit) -> Option<&Rate> {
        match unit {
            Unit::Samples => self.samples.as_ref(),
            Unit::Rows => self.rows.as_ref(),
        }
    }

    pub(super) fn take_bytes(&self, bytes: u64, now: Instant) -> Result<(), Error> {
        let Some(Err(over)) = self.bytes.as_ref().map(|rate| rate.take(bytes, now)) else { return Ok(()) };
        let limit = size::format(over.per_second);
        let what = format!("{bytes} bytes in this request, limit {limit} per second (byte_rate_limit)");
        Err(self.over_rate(Reason::ByteRate, &what, over.wait))
    }

    /// Busy, so that it is sent again: what is only too fast must not be lost.
    fn over_rate(&self, reason: Reason, what: &str, wait: std::time::Duration) -> Error {
        let who = self.cluster.as_deref().map_or("pushes without a token".to_owned(), |name| format!("cluster {name}"));
        let pause = duration::format(std::time::Duration::from_secs(wait.as_secs_f64().ceil().max(1.0) as u64));
        let text = format!("{who}: {what}, which is used up for {pause}");
        self.refused(reason, Error::new(ErrorKind::Busy, text).with_retry_after(wait))
    }
}
