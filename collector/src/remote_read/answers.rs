//! Reads the samples of a span of times into the store: one question for each selector, answers piece by piece.

use std::sync::Arc;

use decode::remote_read::ResponseType;
use model::Batch;
use model::worker::Stop;
use tokio::time::Instant;

use super::coverage::Span;
use super::exchange::Exchange;
use super::server::Server;
use crate::Parts;
use crate::fetch::{Connection, Failure, Stage};
use crate::metrics::{Counts, SourceCounters};
use crate::write::write_until;

/// A clock that is further behind than that is worth a word, in milliseconds.
const BEHIND_MS: i64 = 10_000;
/// What is read off a clock is cut to the second, so that much of what it is behind may be none.
const CUT_MS: i64 = 1000;

/// The way to the answers of one server.
#[derive(Debug)]
pub(super) struct Answers {
    server: Arc<Server>,
    parts: Parts,
    counters: Arc<SourceCounters>,
    connection: Connection,
    /// The forms of an answer that are asked for.
    accepted: &'static [ResponseType],
    behind_ms: i64,
}

/// What was read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Read {
    /// The times of which every sample is durable; empty if none are known to be.
    pub(super) span: Span,
    pub(super) rows: u64,
    new_series: u64,
    /// Whether the store is short of room.
    pub(super) is_pressed: bool,
}

impl Read {
    pub(super) fn counts(&self) -> Counts {
        Counts { exposed: self.rows, kept: self.rows, added: self.new_series, ..Counts::default() }
    }
}

impl Answers {
    /// A way that has not been gone yet.
    pub(super) fn new(server: Arc<Server>, parts: Parts, counters: Arc<SourceCounters>) -> Self {
        Answers {
            server,
            parts,
            counters,
            connection: Connection::default(),
            accepted: &ResponseType::PREFERRED,
            behind_ms: 0,
        }
    }

    /// How far the source's clock is behind ours at least, as its last answer showed, in milliseconds.
    pub(super) fn behind_ms(&self) -> i64 {
        self.behind_ms
    }

    /// Reads the samples of a span and writes them; `None` if it was told to stop. What was written before a failure stays:
    /// it is the same when it is read again.
    pub(super) async fn read(&mut self, span: Span, give_up: Instant, stop: &Stop) -> Result<Option<Read>, Failure> {
        let mut read = Read { span, rows: 0, new_series: 0, is_pressed: false };
        let server = self.server.clone();
        let client = self.connection.client(&server.source.endpoint).await?;
        let clock = self.parts.clock.clone();
        for matchers in &server.selections {
            let opened = Exchange::open(&server, &client, matchers, span, self.accepted, &*clock, give_up);
            let mut exchange = tokio::select! {
                opened = opened => opened?,
                () = stop.stopped() => return Ok(None),
            };
            self.note_clock(&exchange);
            read.span.until_ms = read.span.until_ms.min(exchange.span.until_ms).max(read.span.after_ms);
            if read.span.length_ms() == 0 {
                return Ok(Some(read));
            }
            let taken = self.take(&mut exchange, &mut read, give_up, stop).await;
            self.counters.received(exchange.bytes());
            if let Err(failure) = &taken {
                self.doubt_chunks(failure, exchange.is_chunks());
            }
            if !taken? {
                return Ok(None);
            }
        }
        Ok(Some(read))
    }

    /// Writes what comes, to the end of the answer; false if it was told to stop.
    async fn take(
        &mut self,
        exchange: &mut Exchange<'_>,
        read: &mut Read,
        give_up: Instant,
        stop: &Stop,
    ) -> Result<bool, Failure> {
        loop {
            let part = tokio::select! {
                part = exchange.next() => part?,
                () = stop.stopped() => return Ok(false),
            };
            let Some(part) = part else { return Ok(true) };
            read.rows += (part.batch.samples.len() + part.batch.histograms.len()) as u64;
            if !part.batch.is_empty() {
                let batch = part.batch.stamped(self.server.source.cluster.clone());
                let receipt = self.write(batch, give_up, stop).await?;
                read.new_series += receipt.new_series as u64;
                read.is_pressed |= receipt.is_pressed;
            }
        }
    }

    /// Writes rows.
    pub(super) async fn write(&self, batch: Batch, give_up: Instant, stop: &Stop) -> Result<model::Receipt, Failure> {
        write_until(&self.parts.ingest, batch, give_up, stop, || self.counters.write_retried()).await
    }

    fn note_clock(&mut self, exchange: &Exchange<'_>) {
        let behind_ms = exchange.behind_ms.map_or(0, |behind_ms| behind_ms.saturating_sub(CUT_MS).max(0));
        if behind_ms > BEHIND_MS && self.behind_ms <= BEHIND_MS {
            let id = &self.server.source.id;
            tracing::warn!(cluster = %id.cluster, job = %id.job, instance = %id.instance, seconds = behind_ms / 1000,
                "the clock of a source is behind ours: what is new there is known here so much later");
        }
        self.behind_ms = behind_ms;
    }

    /// Asks for samples from now on if chunks came that cannot be read: newer servers know more encodings, and those of
    /// native histograms come as samples as well.
    fn doubt_chunks(&mut self, failure: &Failure, are_chunks: bool) {
        if are_chunks && failure.stage == Stage::Decode {
            self.accepted = &[ResponseType::Samples];
            let id = &self.server.source.id;
            tracing::warn!(cluster = %id.cluster, job = %id.job, instance = %id.instance, error = %failure,
                "the chunks of a source cannot be read, it is asked for samples from now on");
        }
    }
}
