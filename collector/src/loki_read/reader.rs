//! One reading of a Loki: page by page from the cursor on, as long as there is time.
//!
//! Owns: the order of these steps, what is remembered from one reading to the next.
//! Does not own: when readings happen (`task`), what of a page is new (`cursor`), the request (`exchange`).

use std::sync::Arc;
use std::time::Duration;

use model::time::MS_NANOS;
use model::worker::Stop;
use tokio::time::{Instant, timeout};

use super::cursor::{Cursor, Page, Step};
use super::exchange::{Question, ask};
use super::record;
use super::server::Loki;
use crate::Parts;
use crate::fetch::{Connection, Failure, Stage};
use crate::metrics::{Counts, SourceCounters};
use crate::report::Report;
use crate::task::Asker;
use crate::teller::Teller;
use crate::write::{write, write_logs_until, write_until};

/// How long the store may take to say what is there.
const RECALL_PATIENCE: Duration = Duration::from_secs(30);
/// The longest and the shortest time that is asked for at once.
const MOST_MS: i64 = 86_400_000;
const LEAST_MS: i64 = 1_000;
/// How often the limit is doubled where a nanosecond has more lines.
const MAX_DOUBLINGS: u32 = 6;
/// How often that may be too much before the rest of the nanosecond is given up: a server may be short of time for a while.
const MAX_REFUSALS: u32 = 3;
/// The part of an interval in which pages are begun.
const PART: f64 = 0.75;

/// How far a Loki has been read.
#[derive(Debug, Clone)]
pub(super) struct Place {
    cursor: Cursor,
    /// Whether rows after the cursor may be in the store: a process that ended between a page and its record left them.
    is_unsure: bool,
}

/// A Loki with everything that is needed to read it.
#[derive(Debug)]
pub(super) struct Reader {
    loki: Arc<Loki>,
    connection: Connection,
    parts: Parts,
    teller: Teller,
    /// Not known before the store has said it.
    place: Option<Place>,
    /// How long a time is asked for at once.
    piece_ms: i64,
    /// How often the limit has been doubled to get through the nanosecond of the cursor.
    doublings: u32,
    /// How often in a row the raised limit was too much.
    refusals: u32,
}

/// A reading that went well.
#[derive(Debug, Default)]
struct Reading {
    counts: Counts,
    refused: u64,
    /// What could not be had.
    loss: Option<String>,
}

impl Reader {
    /// A reader that goes on from where another one was, if it asked for the same.
    pub(super) fn new(loki: Arc<Loki>, parts: Parts, counters: Arc<SourceCounters>, place: Option<Place>) -> Self {
        Reader {
            teller: Teller::new(loki.id.clone(), parts.sources.clone(), counters),
            connection: Connection::default(),
            loki,
            parts,
            place,
            piece_ms: MOST_MS,
            doublings: 0,
            refusals: 0,
        }
    }

    /// Reads what there is; `None` if it was told to stop.
    async fn read(&mut self, now_ms: i64, give_up: Instant, stop: &Stop) -> Result<Option<Reading>, Failure> {
        let started = Instant::now();
        let last_begin = started + self.loki.config.scrape_interval.mul_f64(PART);
        let mut place = tokio::select! {
            place = self.recall(now_ms) => place?,
            () = stop.stopped() => return Ok(None),
        };
        let mut reading = Reading::default();
        loop {
            let (question, is_last) = self.question(&place, now_ms);
            let asked = tokio::select! {
                asked = self.ask(question) => asked,
                () = stop.stopped() => return Ok(None),
            };
            let page = match asked {
                Ok(page) => page,
                Err(failure) if self.doublings > 0 && failure.is_too_much => {
                    self.refusals += 1;
                    if self.refusals < MAX_REFUSALS {
                        return Err(failure);
                    }
                    reading.loss = Some(self.skip(&mut place, &failure));
                    continue;
                }
                Err(failure) if Instant::now() < last_begin && self.asks_for_less(question, &failure) => continue,
                Err(failure) => return Err(failure),
            };
            let settled_unix_nano = page.settled_unix_nano;
            let (is_full, rows, refused) = (page.is_full, page.logs.len(), page.refused);
            let step = match self.step(&mut place, page).await {
                Ok(step) => step,
                // Others may have written much in these times.
                Err(failure) if Instant::now() < last_begin && self.asks_for_less(question, &failure) => continue,
                Err(failure) => return Err(failure),
            };
            self.piece_ms = self.piece_ms.saturating_mul(2).min(MOST_MS);
            reading.refused += refused;
            reading.counts.exposed += rows as u64 + refused;
            reading.counts.kept += step.new.len() as u64;
            reading.counts.repeated += step.repeated;
            let is_stuck = step.is_stuck;
            let has_moved = step.cursor.next_unix_nano != question.start_unix_nano;
            self.keep(&mut place, step, now_ms, give_up, stop).await?;
            self.doublings = if is_stuck { self.doublings + 1 } else { 0 };
            self.refusals = 0;
            if self.doublings > MAX_DOUBLINGS {
                let failure = Failure::answer("there are more still");
                reading.loss = Some(self.skip(&mut place, &failure));
            }
            // What is asked for is not whole if the source's clock is behind ours.
            let is_whole = !is_full && (is_last || settled_unix_nano < question.end_unix_nano);
            let is_over = is_whole || !has_moved && !is_stuck;
            if is_over || Instant::now() >= last_begin || stop.is_stopped() {
                return Ok(Some(reading));
            }
        }
    }

    /// Where to go on: asked of the store, until it has said it.
    async fn recall(&mut self, now_ms: i64) -> Result<Place, Failure> {
        let horizon_ms = now_ms.saturating_sub(milliseconds(self.loki.config.backfill));
        let horizon = horizon_ms.saturating_mul(MS_NANOS);
        let place = match self.place.take() {
            Some(place) => place,
            None => {
                let label = (record::SOURCE, &*self.loki.key);
                let rows = self.parts.recall.recall(&self.loki.cluster, record::READ_UNTIL, label, horizon_ms..=now_ms);
                let rows = patiently(rows).await?;
                let next = record::newest(rows, now_ms).unwrap_or(horizon);
                Place { cursor: Cursor::at(next), is_unsure: true }
            }
        };
        // What is older is left out after a long outage too.
        let is_behind = place.cursor.next_unix_nano < horizon;
        let place = if is_behind { Place { cursor: Cursor::at(horizon), ..place } } else { place };
        self.place = Some(place.clone());
        Ok(place)
    }

    /// What to ask next, and whether that is all there is.
    fn question(&self, place: &Place, now_ms: i64) -> (Question, bool) {
        let start_unix_nano = place.cursor.next_unix_nano;
        let settled = now_ms.saturating_sub(milliseconds(self.loki.config.delay)).saturating_mul(MS_NANOS);
        let furthest = start_unix_nano.saturating_add(self.piece_ms.saturating_mul(MS_NANOS));
        // A source that is not asked is not known to be up.
        let end_unix_nano = settled.min(furthest).max(start_unix_nano.saturating_add(1));
        let limit = self.loki.config.limit << self.doublings;
        (Question { start_unix_nano, end_unix_nano, limit, now_ms }, end_unix_nano >= settled)
    }

    /// Whether a shorter piece is left to be asked for, which may go well where this failed.
    fn asks_for_less(&mut self, question: Question, failure: &Failure) -> bool {
        let length_ms = question.end_unix_nano.saturating_sub(question.start_unix_nano) / MS_NANOS;
        let is_left = failure.is_too_much && length_ms > LEAST_MS;
        if is_left {
            self.piece_ms = (length_ms / 2).max(LEAST_MS);
        }
        is_left
    }

    async fn ask(&self, question: Question) -> Result<Page, Failure> {
        let client = self.connection.client(&self.loki.endpoint).await?;
        let (page, bytes) = ask(&client, &self.loki, question, Instant::now()).await?;
        self.teller.counters().received(bytes);
        if page.is_full && page.logs.is_empty() {
            let rows = page.refused;
            return Err(Failure::answer(format!(
                "none of the first {rows} lines can be taken, raise limit to get past them"
            )));
        }
        Ok(page)
    }

    /// What a page brings: where rows of it may be in the store, that is asked first.
    async fn step(&self, place: &mut Place, page: Page) -> Result<Step, Failure> {
        let times = &page.logs.time_unix_nano;
        let (Some(first), Some(last)) = (times.iter().min(), times.iter().max()) else {
            return Ok(place.cursor.step(page));
        };
        if !place.is_unsure {
            return Ok(place.cursor.step(page));
        }
        let stored = patiently(self.parts.recall.logs(&self.loki.cluster, *first..=*last)).await?;
        let mut known = Cursor::at(place.cursor.next_unix_nano);
        known.note_stored(&stored);
        let step = known.step(page);
        // Pages are written in their order: behind one that is not there nothing is.
        place.is_unsure = step.repeated > 0 || step.new.is_empty();
        Ok(step)
    }

    /// Writes the new rows of a page, and then that they are there.
    async fn keep(
        &mut self,
        place: &mut Place,
        step: Step,
        now_ms: i64,
        give_up: Instant,
        stop: &Stop,
    ) -> Result<(), Failure> {
        if !step.new.is_empty() {
            let retried = || self.teller.counters().write_retried();
            write_logs_until(&self.parts.ingest, step.new, give_up, stop, retried).await?;
        }
        let has_moved = step.cursor.next_unix_nano != place.cursor.next_unix_nano;
        place.cursor = step.cursor;
        self.place = Some(place.clone());
        if has_moved {
            let batch = record::of_page(&self.loki, now_ms, place.cursor.next_unix_nano);
            let retried = || self.teller.counters().write_retried();
            write_until(&self.parts.ingest, batch, give_up, stop, retried).await?;
        }
        Ok(())
    }

    /// Goes on behind a nanosecond that has more lines than can be asked for; gives what is to be told.
    fn skip(&mut self, place: &mut Place, failure: &Failure) -> String {
        let (next, limit) = (place.cursor.next_unix_nano, self.loki.config.limit << (self.doublings.saturating_sub(1)));
        let text = format!("of the lines at {next} ns only {limit} could be had, the others are lost: {failure}");
        let id = &self.loki.id;
        tracing::warn!(cluster = %id.cluster, job = %id.job, instance = %id.instance, "{text}");
        place.cursor = Cursor::at(next.saturating_add(1));
        (self.doublings, self.refusals) = (0, 0);
        text
    }

    /// Writes that a reading failed. If the store does not take that either, nothing more can be said in it.
    async fn fail(&self, failure: &Failure, time_ms: i64, duration: Duration, give_up: Instant, stop: &Stop) {
        let batch = record::of_attempt(&self.loki, &report(false, duration, Counts::default()), time_ms);
        let written = if failure.stage == Stage::Write {
            // The time for this reading may be used up; the rows are few, so they are offered once.
            write(&self.parts.ingest, batch).await
        } else {
            write_until(&self.parts.ingest, batch, give_up, stop, || ()).await.map(drop)
        };
        if let Err(error) = written {
            let id = &self.loki.id;
            tracing::debug!(cluster = %id.cluster, instance = %id.instance, %error,
                "the report of a failed reading was not written");
        }
    }

    /// Puts on the board what was refused or lost, and how much is still to be read.
    fn tell_rest(&self, now_ms: i64, result: &Result<Reading, Failure>) {
        let missing_ms = self.place.as_ref().map(|place| {
            let next_ms = place.cursor.next_unix_nano.div_euclid(MS_NANOS);
            now_ms.saturating_sub(milliseconds(self.loki.config.delay)).saturating_sub(next_ms).max(0)
        });
        let fault = result.as_ref().ok().and_then(|reading| match (&reading.loss, reading.refused) {
            (Some(loss), _) => Some(loss.clone()),
            (None, 0) => None,
            (None, rows) => Some(format!("{rows} rows were refused, the log has the first")),
        });
        self.teller.update(|status| {
            status.missing_ms = missing_ms;
            status.error = status.error.take().or(fault);
        });
    }
}

impl Asker for Reader {
    type Remains = Option<Place>;

    async fn attempt(&mut self, time_ms: i64, stop: &Stop) {
        let started = Instant::now();
        let give_up = started + self.loki.config.scrape_interval;
        let read = self.read(time_ms, give_up, stop).await;
        let duration = started.elapsed();
        let result = match read {
            Ok(None) => return,
            Ok(Some(reading)) => {
                let batch = record::of_attempt(&self.loki, &report(true, duration, reading.counts), time_ms);
                write_until(&self.parts.ingest, batch, give_up, stop, || ()).await.map(|_| reading)
            }
            Err(failure) => Err(failure),
        };
        if let Err(failure) = &result {
            self.fail(failure, time_ms, duration, give_up, stop).await;
        }
        let told = result.as_ref().map(|reading| reading.counts).map_err(Failure::clone);
        self.teller.tell(time_ms, duration, &told);
        self.tell_rest(time_ms, &result);
    }

    fn into_remains(self) -> Self::Remains {
        self.place
    }
}

/// Waits for what the store says, not without end.
async fn patiently<T>(asked: impl Future<Output = Result<T, model::Error>>) -> Result<T, Failure> {
    let failure = |why: String| Failure::new(Stage::Write, format!("the store does not say what is there: {why}"));
    match timeout(RECALL_PATIENCE, asked).await {
        Ok(Ok(found)) => Ok(found),
        Ok(Err(error)) => Err(failure(error.to_string()).too_much()),
        Err(_) => Err(failure("no answer in time".to_owned()).too_much()),
    }
}

fn report(up: bool, duration: Duration, counts: Counts) -> Report {
    Report {
        up,
        duration_seconds: duration.as_secs_f64(),
        samples: counts.exposed,
        kept: counts.kept,
        series_added: counts.added,
    }
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
