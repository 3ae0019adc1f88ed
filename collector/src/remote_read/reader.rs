//! One reading of a server: what is new, then what is missing, as long as there is time.
//!
//! Owns: the order of these steps, what is remembered from one reading to the next.
//! Does not own: when readings happen (`task`), how a span of times is read (`answers`).

use std::sync::Arc;
use std::time::Duration;

use model::source::READ_SINCE;
use model::worker::Stop;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::answers::{Answers, Read};
use super::coverage::{Coverage, Span};
use super::pace::{LEAST_MS, Pace, pause};
use super::record;
use super::server::Server;
use crate::Parts;
use crate::fetch::{Failure, Stage};
use crate::metrics::{Counts, SourceCounters};
use crate::report::Report;
use crate::task::Asker;
use crate::teller::Teller;
use crate::write::write;

/// How many intervals back what is new goes at most. What is older waits: after an outage the present is of more use than the
/// first minutes of what was missed.
const NEW_INTERVALS: i64 = 4;
/// The part of an interval in which pieces of the past are begun.
const PART_FOR_THE_PAST: f64 = 0.75;
/// How long the store may take to say what has been read.
const FIRST_RECALL: Duration = Duration::from_secs(5);
const LONGEST_RECALL: Duration = Duration::from_secs(60);
/// When what could not be read is tried again.
const UNREADABLE_FOR: Duration = Duration::from_secs(300);

/// A server with everything that is needed to read it.
#[derive(Debug)]
pub(super) struct Reader {
    server: Arc<Server>,
    parts: Parts,
    answers: Answers,
    teller: Teller,
    /// How many pieces of the past are read at once, whatever the server.
    room: Arc<Semaphore>,
    pace: Pace,
    /// The times that have been read, as far back as they are looked for.
    coverage: Coverage,
    /// Whether readings before the start of the program are in `coverage`: before they are, nothing counts as missing.
    is_recalled: bool,
    recall_patience: Duration,
    /// Nothing of the past is read before.
    rest_until: Instant,
    /// What is left out of the past until then, since it could not be read: it must not stand before what can be.
    unreadable: Coverage,
    unreadable_until: Instant,
    /// Why the reading of what is missing last failed.
    missing_failure: Option<Failure>,
}

impl Reader {
    /// A reader that goes on from what another one left, if it asked for the same.
    pub(super) fn new(
        server: Arc<Server>,
        parts: Parts,
        counters: Arc<SourceCounters>,
        room: Arc<Semaphore>,
        coverage: Option<Coverage>,
    ) -> Self {
        let config = server.config();
        Reader {
            pace: Pace::new(config.scrape_interval, config.backfill_rate()),
            answers: Answers::new(server.clone(), parts.clone(), counters.clone()),
            teller: Teller::new(server.source.id.clone(), parts.sources.clone(), counters),
            room,
            is_recalled: coverage.is_some(),
            coverage: coverage.unwrap_or_default(),
            recall_patience: FIRST_RECALL,
            rest_until: Instant::now(),
            unreadable: Coverage::default(),
            unreadable_until: Instant::now(),
            missing_failure: None,
            parts,
            server,
        }
    }

    /// Asks the store, until it has said it, which times have been read before.
    async fn recall(&mut self, now_ms: i64, stop: &Stop) {
        if self.is_recalled {
            return;
        }
        let (server, recall) = (self.server.clone(), self.parts.recall.clone());
        let label = (record::SOURCE, &*server.key);
        let rows = recall.recall(&server.source.cluster, READ_SINCE, label, self.horizon_ms(now_ms)..=now_ms);
        let recalled = tokio::select! {
            recalled = timeout(self.recall_patience, rows) => recalled,
            () = stop.stopped() => return,
        };
        let error = match recalled {
            Ok(Ok(rows)) => {
                record::spans(rows).for_each(|span| self.coverage.add(span));
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
        let behind_ms = self.answers.behind_ms();
        let new = self.new_span(now_ms);
        let (_, read) = self.read_end(new, give_up, stop).await;
        match read {
            // The answer has shown that the source's clock is behind: what can be known ends sooner.
            Ok(Some(read)) if read.span.length_ms() == 0 && self.answers.behind_ms() > behind_ms => {
                let new = self.new_span(now_ms);
                self.read_end(new, give_up, stop).await.1
            }
            read => read,
        }
    }

    /// What is new at `now_ms`: at least a moment, since a source that is not asked is not known to be up.
    fn new_span(&self, now_ms: i64) -> Span {
        let until_ms = now_ms.saturating_sub(milliseconds(self.server.config().delay()) + self.answers.behind_ms());
        let most_ms = milliseconds(self.interval()).saturating_mul(NEW_INTERVALS);
        let since_ms = self.coverage.newest(until_ms).unwrap_or(i64::MIN);
        Span { after_ms: since_ms.min(until_ms.saturating_sub(1)), until_ms }.last(most_ms)
    }

    /// Reads what is missing, the newest first, at a bounded pace, as long as the next reading is not near. Gives what was
    /// read, and the last failure.
    async fn read_missing(&mut self, now_ms: i64, started: Instant, stop: &Stop) -> (Counts, Option<Failure>) {
        let (mut counts, mut last_failure) = (Counts::default(), None);
        let (end, give_up) = (started + self.interval().mul_f64(PART_FOR_THE_PAST), started + self.interval());
        if self.unreadable_until <= Instant::now() {
            self.unreadable = Coverage::default();
        }
        while self.rest_until < end {
            tokio::select! {
                () = sleep_until(self.rest_until) => {}
                () = stop.stopped() => break,
            }
            let Some(hole) = self.readable_hole(now_ms) else { break };
            let room = self.room.clone();
            let Ok(_room) = timeout_at(end, room.acquire()).await else { break };
            if Instant::now() >= end {
                break;
            }
            let began = Instant::now();
            let (span, read) = self.read_end(hole, give_up, stop).await;
            let kept = match read {
                // Told to stop; or the clock of the source has gone back, and nothing of the span is known to be whole.
                Ok(None) => break,
                Ok(Some(read)) if read.span.length_ms() == 0 => break,
                Ok(Some(read)) => self.keep_piece(read, give_up, stop).await.map(|()| read),
                Err(failure) => Err(failure),
            };
            match kept {
                Ok(read) => {
                    self.tell_missing(now_ms);
                    counts.exposed += read.rows;
                    counts.kept += read.rows;
                    let rest = pause(read.rows, began.elapsed(), self.server.config().backfill_rate());
                    // Those who cannot wait have the room that there is.
                    let rest = if read.is_pressed { rest.max(self.interval()) } else { rest };
                    self.rest_until = Instant::now() + rest;
                }
                Err(failure) => {
                    let is_over = !self.gives_up(span, &failure);
                    last_failure = Some(failure);
                    if is_over {
                        break;
                    }
                }
            }
        }
        (counts, last_failure)
    }

    /// Writes that a piece of the past has been read.
    async fn keep_piece(&mut self, read: Read, give_up: Instant, stop: &Stop) -> Result<(), Failure> {
        self.answers.write(record::of_span(&self.server, read.span), give_up, stop).await?;
        self.coverage.add(read.span);
        Ok(())
    }

    /// Leaves out a span for a while if it is the span that cannot be read, and not the source or the store that is away.
    fn gives_up(&mut self, span: Span, failure: &Failure) -> bool {
        let is_the_span = failure.stage != Stage::Write && span.length_ms() <= LEAST_MS && shrinks(failure);
        if is_the_span {
            self.unreadable.add(span);
            self.unreadable_until = Instant::now() + UNREADABLE_FOR;
        }
        is_the_span
    }

    /// Reads the end of `wanted`: as much as the pace allows, of one day, and less at once if that fails. Gives the span
    /// that was tried last.
    ///
    /// Rows of a day leave the journal together, so what is said of a day is never there without its samples.
    async fn read_end(&mut self, wanted: Span, give_up: Instant, stop: &Stop) -> (Span, Result<Option<Read>, Failure>) {
        loop {
            let span = wanted.last(self.pace.piece_ms()).of_last_day();
            let began = Instant::now();
            let read = self.answers.read(span, give_up, stop).await;
            match &read {
                Ok(Some(read)) if read.span.length_ms() > 0 => {
                    self.pace.answered(span.length_ms(), read.rows, began.elapsed());
                }
                Err(failure) if shrinks(failure) => {
                    let is_left = self.pace.was_too_much(span.length_ms());
                    // Another one that takes as long must end in time.
                    if is_left && Instant::now() + began.elapsed() < give_up && !stop.is_stopped() {
                        continue;
                    }
                }
                _ => {}
            }
            return (span, read);
        }
    }

    /// Writes that what is new has been read, and how that went.
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
        let batch = record::of_attempt(&self.server, &report(true, duration, counts), time_ms, span);
        self.answers.write(batch, give_up, stop).await?;
        self.coverage.add(read.span);
        self.coverage.forget(self.horizon_ms(time_ms));
        Ok(counts)
    }

    /// Writes that a reading failed. If the store does not take that either, nothing more can be said in it.
    async fn fail(&self, failure: &Failure, time_ms: i64, duration: Duration, give_up: Instant, stop: &Stop) {
        let report = report(false, duration, Counts::default());
        let batch = record::of_attempt(&self.server, &report, time_ms, None);
        let written = if failure.stage == Stage::Write {
            // The time for this reading may be used up; the rows are few, so they are offered once.
            write(&self.parts.ingest, batch).await
        } else {
            self.answers.write(batch, give_up, stop).await.map(drop)
        };
        if let Err(error) = written {
            let id = &self.server.source.id;
            tracing::debug!(cluster = %id.cluster, instance = %id.instance, %error,
                "the report of a failed reading was not written");
        }
    }

    /// Puts on the board how much is missing, and why the last try to read it failed.
    fn tell_missing(&mut self, time_ms: i64) {
        let missing_ms = self.is_recalled.then(|| self.missing(time_ms).map(Span::length_ms).sum());
        if missing_ms == Some(0) {
            self.missing_failure = None;
            self.teller.forget_beside();
        }
        let failure = self.missing_failure.as_ref().map(|failure| format!("what is missing: {failure}"));
        self.teller.update(|status| {
            status.missing_ms = missing_ms;
            status.error = status.error.take().or(failure);
        });
    }

    /// What is missing of the past, the newest first.
    fn missing(&self, now_ms: i64) -> impl Iterator<Item = Span> {
        self.coverage.missing(self.past(now_ms)).take_while(|_| self.is_recalled)
    }

    /// The newest hole that can be read as far as is known.
    fn readable_hole(&self, now_ms: i64) -> Option<Span> {
        let mut none = self.coverage.clone();
        self.unreadable.spans().for_each(|span| none.add(span));
        none.missing(self.past(now_ms)).next().filter(|_| self.is_recalled)
    }

    /// The times that count as the past: up to the newest that has been read.
    fn past(&self, now_ms: i64) -> Span {
        Span { after_ms: self.horizon_ms(now_ms), until_ms: self.coverage.newest(i64::MAX).unwrap_or(i64::MIN) }
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
        // Known in time, what was read up to a restart is not read again. A store that is slow must not keep the present.
        if self.recall_patience == FIRST_RECALL {
            self.recall(time_ms, stop).await;
        }
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
        self.tell_missing(time_ms);
        self.recall(time_ms, stop).await;
        if result.is_ok() {
            let (counts, failure) = self.read_missing(time_ms, started, stop).await;
            if counts != Counts::default() {
                self.missing_failure = None;
                self.teller.tell_beside("what is missing", &Ok(counts));
            }
            if let Some(failure) = failure {
                self.missing_failure = Some(failure.clone());
                self.teller.tell_beside("what is missing", &Err(failure));
            }
            self.tell_missing(time_ms);
        }
    }

    fn into_remains(self) -> Self::Remains {
        self.is_recalled.then_some(self.coverage)
    }
}

/// Whether a shorter span may go well where this failed: it was too much, or something in it cannot be read.
fn shrinks(failure: &Failure) -> bool {
    failure.is_too_much || failure.stage == Stage::Decode
}

fn report(up: bool, duration: Duration, counts: Counts) -> Report {
    let Counts { exposed, kept, added, .. } = counts;
    Report { up, duration_seconds: duration.as_secs_f64(), samples: exposed, kept, series_added: added }
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
