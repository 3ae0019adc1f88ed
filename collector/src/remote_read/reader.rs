//! One reading of a server: what is new, then what is missing, as long as there is time.
//!
//! Owns: the order of these steps, what is remembered from one reading to the next.
//! Does not own: when readings happen (`task`), how a question is put (`exchange`).

use std::sync::Arc;
use std::time::Duration;

use decode::remote_read::ResponseType;
use model::Batch;
use model::worker::Stop;
use tokio::time::{Instant, sleep_until, timeout};

use super::coverage::{Coverage, Span};
use super::exchange::Exchange;
use super::pace::{Pace, pause};
use super::record;
use super::server::Server;
use crate::Parts;
use crate::fetch::{Connection, Failure, Stage};
use crate::metrics::{Counts, SourceCounters};
use crate::report::Report;
use crate::task::Asker;
use crate::teller::Teller;
use crate::write::{write, write_until};

/// How many intervals back what is new goes at most. What is older waits: after an outage the present is of more use than the
/// first minutes of what was missed.
const NEW_INTERVALS: i64 = 4;
/// How long the store may take to say what has been read. What is new waits meanwhile, and is not lost by it.
const FIRST_RECALL: Duration = Duration::from_secs(5);
const LONGEST_RECALL: Duration = Duration::from_secs(60);

/// A server with everything that is needed to read it.
#[derive(Debug)]
pub(super) struct Reader {
    server: Arc<Server>,
    connection: Connection,
    parts: Parts,
    teller: Teller,
    pace: Pace,
    /// The forms of an answer that are asked for.
    accepted: &'static [ResponseType],
    /// The times that have been read, as far back as they are looked for.
    coverage: Coverage,
    /// Whether readings before the start of the program are in `coverage`: before they are, nothing counts as missing.
    is_recalled: bool,
    recall_patience: Duration,
    /// Why the reading of what is missing last failed.
    missing_failure: Option<Failure>,
    has_told_histograms: bool,
}

/// What was read.
#[derive(Debug, Clone, Copy)]
struct Read {
    span: Span,
    rows: u64,
    new_series: u64,
}

impl Read {
    fn counts(&self) -> Counts {
        Counts { exposed: self.rows, kept: self.rows, added: self.new_series, ..Counts::default() }
    }
}

impl Reader {
    /// A reader that goes on from what another one left, if it asked for the same.
    pub(super) fn new(
        server: Arc<Server>,
        parts: Parts,
        counters: Arc<SourceCounters>,
        coverage: Option<Coverage>,
    ) -> Self {
        Reader {
            connection: Connection::default(),
            teller: Teller::new(server.source.id.clone(), parts.sources.clone(), counters),
            pace: Pace::new(server.config().scrape_interval),
            accepted: &ResponseType::PREFERRED,
            is_recalled: coverage.is_some(),
            coverage: coverage.unwrap_or_default(),
            recall_patience: FIRST_RECALL,
            missing_failure: None,
            has_told_histograms: false,
            parts,
            server,
        }
    }

    /// Asks the store, once, which times have been read before.
    async fn recall(&mut self, now_ms: i64, stop: &Stop) {
        if self.is_recalled {
            return;
        }
        let (server, recall) = (self.server.clone(), self.parts.recall.clone());
        let label = (record::SOURCE, &*server.key);
        let rows = recall.recall(&server.source.cluster, record::SINCE, label, self.horizon_ms(now_ms)..=now_ms);
        let recalled = tokio::select! {
            recalled = timeout(self.recall_patience, rows) => recalled,
            () = stop.stopped() => return,
        };
        let error = match recalled {
            Ok(Ok(rows)) => {
                for span in record::spans(rows) {
                    self.coverage.add(span);
                }
                self.is_recalled = true;
                return;
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer in time".to_owned(),
        };
        self.recall_patience = (self.recall_patience * 2).min(LONGEST_RECALL);
        let id = &server.source.id;
        tracing::warn!(cluster = %id.cluster, job = %id.job, instance = %id.instance, error,
            "the store does not say what has been read of a source, nothing of its past is read until it does");
    }

    /// Reads what is new, which is what decides whether the source is up.
    async fn read_new(&mut self, now_ms: i64, give_up: Instant, stop: &Stop) -> Result<Option<Read>, Failure> {
        let until_ms = now_ms.saturating_sub(milliseconds(self.server.config().delay()));
        let most_ms = milliseconds(self.interval()).saturating_mul(NEW_INTERVALS);
        let since_ms = self.coverage.newest(until_ms).unwrap_or(i64::MIN);
        let new = Span { after_ms: since_ms, until_ms }.last(most_ms);
        self.read_end(new, now_ms, give_up, stop).await
    }

    /// Reads what is missing, the newest first, at a bounded pace, as long as the next reading is not near.
    async fn read_missing(&mut self, now_ms: i64, started: Instant, stop: &Stop) -> Result<Option<Counts>, Failure> {
        let mut all = None::<Counts>;
        let (end, give_up) = (started + self.interval().mul_f64(0.75), started + self.interval());
        while Instant::now() < end && !stop.is_stopped() {
            let Some(hole) = self.missing(now_ms).next() else { break };
            let began = Instant::now();
            let Some(read) = self.read_end(hole, now_ms, give_up, stop).await? else { break };
            self.write(record::rows(&self.server, None, Some(read.span)), give_up, stop).await?;
            self.coverage.add(read.span);
            let counts = all.get_or_insert_default();
            counts.exposed += read.rows;
            counts.kept += read.rows;
            let wait = pause(read.rows, began.elapsed(), self.server.config().backfill_rate());
            tokio::select! {
                () = sleep_until(end.min(Instant::now() + wait)) => {}
                () = stop.stopped() => {}
            }
        }
        Ok(all)
    }

    /// Reads the end of `wanted`: as much as the pace allows, and less at once if that is too much.
    async fn read_end(
        &mut self,
        wanted: Span,
        now_ms: i64,
        give_up: Instant,
        stop: &Stop,
    ) -> Result<Option<Read>, Failure> {
        loop {
            let span = wanted.last(self.pace.piece_ms());
            if span.length_ms() == 0 {
                return Ok(Some(Read { span, rows: 0, new_series: 0 }));
            }
            let began = Instant::now();
            let read = self.read(span, now_ms, give_up, stop).await;
            match &read {
                Ok(Some(read)) => self.pace.answered(span.length_ms(), read.rows, began.elapsed()),
                Err(failure) if failure.is_too_much => {
                    let is_left = self.pace.was_too_much(span.length_ms());
                    // Another one that takes as long must end in time.
                    if is_left && Instant::now() + began.elapsed() < give_up && !stop.is_stopped() {
                        continue;
                    }
                }
                _ => {}
            }
            return read;
        }
    }

    /// Reads the samples of a span and writes them; `None` if it was told to stop. What was written before a failure stays:
    /// it is the same when it is read again.
    async fn read(&mut self, span: Span, now_ms: i64, give_up: Instant, stop: &Stop) -> Result<Option<Read>, Failure> {
        let mut read = Read { span, rows: 0, new_series: 0 };
        let server = self.server.clone();
        let client = self.connection.client(&server.source.endpoint).await?;
        for matchers in &server.selections {
            let opened = Exchange::open(&server, &client, matchers, span, now_ms, self.accepted, Instant::now());
            let mut exchange = tokio::select! {
                opened = opened => opened?,
                () = stop.stopped() => return Ok(None),
            };
            read.span.until_ms = read.span.until_ms.min(exchange.span.until_ms);
            if exchange.span.length_ms() == 0 {
                return Ok(Some(read));
            }
            loop {
                let part = tokio::select! {
                    part = exchange.next() => part,
                    () = stop.stopped() => return Ok(None),
                };
                let part = match part {
                    Ok(Some(part)) => part,
                    Ok(None) => break,
                    Err(failure) => {
                        self.teller.counters().received(exchange.bytes());
                        self.doubt_chunks(&failure, exchange.is_chunks());
                        return Err(failure);
                    }
                };
                if part.histogram_series > 0 {
                    self.tell_histograms();
                }
                read.rows += part.batch.samples.len() as u64;
                if !part.batch.is_empty() {
                    let batch = part.batch.stamped(server.source.cluster.clone());
                    read.new_series += self.write(batch, give_up, stop).await?;
                }
            }
            self.teller.counters().received(exchange.bytes());
        }
        Ok(Some(read))
    }

    /// Asks for samples from now on if chunks came that cannot be read: newer servers know more encodings.
    fn doubt_chunks(&mut self, failure: &Failure, are_chunks: bool) {
        if are_chunks && failure.stage == Stage::Decode {
            self.accepted = &[ResponseType::Samples];
            let id = &self.server.source.id;
            tracing::warn!(cluster = %id.cluster, job = %id.job, instance = %id.instance, error = %failure,
                "the chunks of a source cannot be read, it is asked for samples from now on");
        }
    }

    fn tell_histograms(&mut self) {
        if !std::mem::replace(&mut self.has_told_histograms, true) {
            let id = &self.server.source.id;
            tracing::warn!(cluster = %id.cluster, job = %id.job, instance = %id.instance,
                "the source has native histograms, which are not kept yet: its other samples are");
        }
    }

    /// Writes rows; gives how many series were new.
    async fn write(&self, batch: Batch, give_up: Instant, stop: &Stop) -> Result<u64, Failure> {
        let on_retry = || self.teller.counters().write_retried();
        let receipt = write_until(&self.parts.ingest, batch, give_up, stop, on_retry).await?;
        Ok(receipt.new_series as u64)
    }

    /// Writes that times have been read, and how the reading went.
    async fn keep(
        &mut self,
        read: Read,
        time_ms: i64,
        duration: Duration,
        give_up: Instant,
        stop: &Stop,
    ) -> Result<Counts, Failure> {
        let counts = read.counts();
        let span = (read.span.length_ms() > 0).then_some(read.span);
        let batch = record::rows(&self.server, Some((&report(true, duration, counts), time_ms)), span);
        self.write(batch, give_up, stop).await?;
        self.coverage.add(read.span);
        self.coverage.forget(self.horizon_ms(time_ms));
        Ok(counts)
    }

    /// Writes that a reading failed. If the store does not take that either, nothing more can be said in it.
    async fn fail(&self, failure: &Failure, time_ms: i64, duration: Duration, give_up: Instant, stop: &Stop) {
        let report = report(false, duration, Counts::default());
        let batch = record::rows(&self.server, Some((&report, time_ms)), None);
        let written = if failure.stage == Stage::Write {
            // The time for this reading may be used up; the rows are few, so they are offered once.
            write(&self.parts.ingest, batch).await
        } else {
            self.write(batch, give_up, stop).await.map(drop)
        };
        if let Err(error) = written {
            let id = &self.server.source.id;
            tracing::debug!(cluster = %id.cluster, instance = %id.instance, %error,
                "the report of a failed reading was not written");
        }
    }

    /// Tells of what is missing: how much it is, and why the last try to read it failed.
    fn tell_missing(&mut self, time_ms: i64, result: Option<&Result<Counts, Failure>>) {
        if let Some(result) = result {
            self.teller.tell_beside("what is missing", result);
            self.missing_failure = result.as_ref().err().cloned();
        }
        let missing_ms = self.is_recalled.then(|| self.missing(time_ms).map(Span::length_ms).sum());
        let failure = self.missing_failure.as_ref().map(|failure| format!("what is missing: {failure}"));
        self.teller.update(|status| {
            status.missing_ms = missing_ms;
            status.error = status.error.take().or(failure);
        });
    }

    /// What is missing of the past, the newest first.
    fn missing(&self, now_ms: i64) -> impl Iterator<Item = Span> {
        let newest_ms = self.coverage.newest(i64::MAX).unwrap_or(i64::MIN);
        let within = Span { after_ms: self.horizon_ms(now_ms), until_ms: newest_ms };
        self.coverage.missing(within).take_while(|_| self.is_recalled)
    }

    /// How far back it is looked for what is missing, in milliseconds since the Unix epoch.
    fn horizon_ms(&self, now_ms: i64) -> i64 {
        now_ms.saturating_sub(milliseconds(self.server.config().backfill()))
    }

    fn interval(&self) -> Duration {
        self.server.config().scrape_interval
    }
}

impl Asker for Reader {
    type Remains = Option<Coverage>;

    async fn attempt(&mut self, time_ms: i64, stop: &Stop) {
        self.recall(time_ms, stop).await;
        let started = Instant::now();
        let give_up = started + self.interval();
        let read = self.read_new(time_ms, give_up, stop).await;
        let duration = started.elapsed();
        let result = match read {
            Ok(Some(read)) => self.keep(read, time_ms, duration, give_up, stop).await,
            Ok(None) => return,
            Err(failure) => Err(failure),
        };
        if let Err(failure) = &result {
            self.fail(failure, time_ms, duration, give_up, stop).await;
        }
        self.teller.tell(time_ms, duration, &result);
        self.tell_missing(time_ms, None);
        if result.is_ok() {
            let missing = self.read_missing(time_ms, started, stop).await.transpose();
            self.tell_missing(time_ms, missing.as_ref());
        }
    }

    fn into_remains(self) -> Self::Remains {
        self.is_recalled.then_some(self.coverage)
    }
}

fn report(up: bool, duration: Duration, counts: Counts) -> Report {
    let Counts { exposed, kept, added, .. } = counts;
    Report { up, duration_seconds: duration.as_secs_f64(), samples: exposed, kept, series_added: added }
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
