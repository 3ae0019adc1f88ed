//! What is remembered of the series of one target from one scrape to the next.
//!
//! Owns: which series each line of the page became, which series are alive, the comparison of a page with the one
//! before it.
//! Does not own: what relabeling does to a series (`conditions`), the fetching and the writing (`attempt`).
//!
//! The labels of all series lie in one buffer, in their final form. A batch shares it, so a scrape of known series copies
//! and hashes no label: a line of the page is looked up by the hash of its bytes, and what it became is a range of the
//! buffer. Rules run once for each line that was not there before.
//!
//! A scrape is taken in two steps, for it may fail in between: [`Memory::take`] makes rows of a page, and
//! [`Memory::commit`] remembers that they were written.

mod lines;
mod places;
mod series;

use decode::Families;
use model::Batch;
use model::batch::{Exemplar, Histogram, Kind, Memo, PLAIN, STALE_NAN_BITS, Sample, Start};
use model::histogram::NativeHistogram;
use model::labels::LabelsBuilder;
use model::time::{Date, MAX_TIME_MS, in_range};
use xxhash_rust::xxh3::xxh3_64;

use self::lines::{Line, Lines};
use self::series::{Row, SeriesList, Told};
use super::conditions::Conditions;
use crate::fetch::{Failure, Stage};
use crate::metrics::Counts;
use crate::report::{ENDED, NAMES, Report};

/// The time that a row of a page has if the page gives it none. No page has reason to give this one.
pub(crate) const UNTIMED_MS: i64 = MAX_TIME_MS;

/// Lines that the last page did not have are forgotten once there are so many more of them than of others.
const FORGET_SURPLUS: usize = 1000;

/// What is remembered of one target.
#[derive(Debug)]
pub(crate) struct Memory {
    series: SeriesList,
    /// The series of the rows that tell of the scrapes themselves.
    report: [u32; NAMES.len()],
    lines: Lines,
    /// The number of the scrape at hand, and of the last one that was written.
    scrape: u32,
    good_scrape: u32,
    /// The fingerprint of what the last page said of its families.
    said: Option<u128>,
    /// The time of the last report that was written.
    reported_ms: Option<i64>,
    /// What the store remembers of the target.
    memo: Memo,
}

/// A page, made rows.
#[derive(Debug)]
pub(crate) struct Taken {
    /// The rows to write, markers included, the report not yet.
    batch: Batch,
    /// How many rows there were of each sort.
    counts: Counts,
    page: Pending,
}

/// What is remembered of a page once its rows are written.
#[derive(Debug)]
pub(crate) struct Pending {
    /// The fingerprint of what it said of its families.
    said: u128,
    /// Whether it had not a single byte.
    is_blank: bool,
    /// How many lines it had, each counted once.
    lines: usize,
    /// Since when series count, of those that it said it of for the first time.
    starts: Vec<(u32, Told)>,
}

impl Taken {
    /// The rows to write, their counts, and what [`Memory::commit`] wants once they are written.
    pub(crate) fn into_parts(self) -> (Batch, Counts, Pending) {
        (self.batch, self.counts, self.page)
    }
}

/// A page that cannot be kept.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) failure: Failure,
    /// What of it had been seen.
    pub(crate) counts: Counts,
}

/// What a series of the page became.
#[derive(Debug, Clone, Copy)]
struct Became {
    series: u32,
    /// Whether the last page that was kept had no such line.
    is_new: bool,
}

impl Memory {
    /// Nothing but the names of the rows that tell of the scrapes themselves.
    pub(crate) fn new(conditions: &Conditions) -> Self {
        let mut series = SeriesList::default();
        let report = NAMES.map(|name| series.place(&conditions.labels_of_report(name)));
        series.absorb();
        Memory {
            series,
            report,
            lines: Lines::default(),
            scrape: 0,
            good_scrape: 0,
            said: None,
            reported_ms: None,
            memo: Memo::default(),
        }
    }

    /// Makes rows of a page, whose rows without a timestamp have [`UNTIMED_MS`], as Prometheus' scrape does:
    ///
    /// 1. **Each series goes through the conditions**: labels of the target, rules, limits. One series that breaks a limit
    ///    fails the scrape.
    /// 2. **A row has the timestamp of the page**, where there is one and it counts, else `time_ms`.
    /// 3. **Of rows with one series and time the first counts**, in one page and over two of them.
    /// 4. **A series of the last page that this one lacks gets a staleness marker** at `time_ms`. Series with timestamps of
    ///    their own get none, unless that is configured: whoever sets timestamps may leave a series out of a page.
    ///
    /// # Errors
    /// At [`Stage::Relabel`], if a series cannot be kept or a limit is broken.
    pub(crate) fn take(
        &mut self,
        (page, families): (Batch, Families),
        time_ms: i64,
        conditions: &Conditions,
    ) -> Result<Taken, Box<Refused>> {
        self.scrape += 1;
        let taken = self.rows_of(page, &families, time_ms, conditions);
        if taken.is_err() {
            // Pages that are always new and always refused must not fill the memory.
            let scrape = self.scrape;
            self.forget(|line| line.first_scrape < scrape);
        }
        taken
    }

    fn rows_of(
        &mut self,
        page: Batch,
        families: &Families,
        time_ms: i64,
        conditions: &Conditions,
    ) -> Result<Taken, Box<Refused>> {
        let exposed = (page.samples.len() + page.histograms.len()) as u64;
        let mut counts = Counts { exposed, ..Counts::default() };
        let (became, lines) = self.look_up(&page, conditions)?;
        let mut batch = self.empty_batch(page.samples.len());
        let sample_limit = if conditions.sample_limit == 0 { u64::MAX } else { conditions.sample_limit as u64 };
        for sample in &page.samples {
            let Some(Became { series, is_new }) = became.get(sample.series as usize).copied().flatten() else {
                continue;
            };
            let kind = page.series[sample.series as usize].kind;
            let row_ms = self.note_row(series, kind, false, sample.time_ms, time_ms, conditions);
            let row = Row { time_ms: row_ms, value_bits: sample.value.to_bits() };
            counts.kept += 1;
            counts.added += u64::from(is_new && counts.kept <= sample_limit);
            if self.series.admit(series, row, self.scrape, &mut counts) {
                self.push(&mut batch, series, row_ms, sample.value);
            }
        }
        for mut histogram in page.histograms {
            let Some(Became { series, is_new }) = became.get(histogram.series as usize).copied().flatten() else {
                continue;
            };
            let kind = page.series[histogram.series as usize].kind;
            let row_ms = self.note_row(series, kind, true, histogram.time_ms, time_ms, conditions);
            let row = Row { time_ms: row_ms, value_bits: histogram.value.sum.to_bits() };
            counts.kept += 1;
            counts.added += u64::from(is_new && counts.kept <= sample_limit);
            if self.series.admit(series, row, self.scrape, &mut counts) {
                histogram.series = self.series.in_batch(series, self.scrape, &mut batch);
                histogram.time_ms = row_ms;
                batch.histograms.push(histogram);
            }
        }
        if counts.kept > sample_limit {
            let what = format!("{} samples are left after relabeling, sample_limit is {sample_limit}", counts.kept);
            return Err(Box::new(Refused { failure: Failure::new(Stage::Relabel, what), counts }));
        }
        counts.vanished = self.mark_vanished(&mut batch, time_ms);
        let starts = self.add_starts(&mut batch, &page.starts, &became, time_ms, conditions);
        self.add_exemplars(&mut batch, page.exemplars, &became, time_ms);
        let said = families.fingerprint();
        if self.said != Some(said) {
            batch.metadata = families.metadata();
        }
        let page = Pending { said, is_blank: page.body.is_empty(), lines, starts };
        Ok(Taken { batch, counts, page })
    }

    /// Notes what a row of a page says of its series, and gives the time that the row has.
    fn note_row(
        &mut self,
        series: u32,
        kind: Kind,
        is_histogram: bool,
        page_ms: i64,
        time_ms: i64,
        conditions: &Conditions,
    ) -> i64 {
        self.series.set_kind(series, kind);
        self.series.set_histogram(series, is_histogram);
        let is_timed = conditions.honor_timestamps && page_ms != UNTIMED_MS;
        if !is_timed || conditions.track_timestamps_staleness {
            self.series.note_alive(series, self.scrape);
        }
        if is_timed { page_ms } else { time_ms }
    }

    /// Adds since when series count, where that was not written before; gives what is to be remembered.
    fn add_starts(
        &mut self,
        batch: &mut Batch,
        page: &[Start],
        became: &[Option<Became>],
        time_ms: i64,
        conditions: &Conditions,
    ) -> Vec<(u32, Told)> {
        let mut told = Vec::new();
        for start in page {
            let Some(Became { series, .. }) = became.get(start.series as usize).copied().flatten() else { continue };
            let is_timed = conditions.honor_timestamps && start.time_ms != UNTIMED_MS;
            let time_ms = if is_timed { start.time_ms } else { time_ms };
            let said = (start.start_ms, Date::of_ms(time_ms));
            if !self.series.is_new_start(series, said) {
                continue;
            }
            let in_batch = self.series.in_batch(series, self.scrape, batch);
            batch.starts.push(Start { series: in_batch, time_ms, start_ms: start.start_ms });
            told.push((series, said));
        }
        told
    }

    /// Adds the rows that tell of the scrape itself.
    pub(crate) fn add_report(&mut self, batch: &mut Batch, report: &Report, time_ms: i64) {
        for (series, value) in self.report.into_iter().zip(report.values()) {
            let row = Row { time_ms, value_bits: value.to_bits() };
            // A page may have a row of that name and these labels itself; then the first counts here too.
            if self.series.admit(series, row, self.scrape, &mut Counts::default()) {
                self.push(batch, series, time_ms, value);
            }
        }
    }

    /// Remembers that the rows of a page were written, with a report for `time_ms`.
    pub(crate) fn commit(&mut self, page: Pending, time_ms: i64) {
        self.series.commit(self.scrape);
        self.said = Some(page.said);
        self.series.remember_starts(page.starts);
        if !page.is_blank {
            // As in Prometheus, lines that come back after a blank page are not new.
            self.good_scrape = self.scrape;
        }
        self.reported_ms = Some(time_ms);
        if self.lines.len() > page.lines * 2 + FORGET_SURPLUS {
            let scrape = self.scrape;
            self.forget(|line| line.scrape == scrape);
        }
    }

    /// The rows of a scrape that failed: the report, and markers for all series, of which nothing is known any more.
    pub(crate) fn fail(&mut self, report: &Report, time_ms: i64) -> Batch {
        self.scrape += 1;
        let mut batch = self.empty_batch(0);
        self.mark_vanished(&mut batch, time_ms);
        self.add_report(&mut batch, report, time_ms);
        batch
    }

    /// Remembers that the rows of [`Memory::fail`] were written.
    pub(crate) fn commit_failure(&mut self, time_ms: i64) {
        self.series.commit(self.scrape);
        self.reported_ms = Some(time_ms);
    }

    /// The markers that end every series of a target that is gone, those of the report too.
    pub(crate) fn end(&mut self, time_ms: i64) -> Batch {
        self.scrape += 1;
        let mut batch = self.empty_batch(0);
        let Some(reported_ms) = self.reported_ms else { return batch };
        let time_ms = time_ms.max(reported_ms.saturating_add(1));
        self.mark_vanished(&mut batch, time_ms);
        for (series, value) in self.report.into_iter().zip(ENDED) {
            self.push(&mut batch, series, time_ms, value);
        }
        batch
    }

    /// Forgets what each line became, for other conditions than those it became it by. Series stay alive until a page
    /// lacks them.
    pub(crate) fn forget_lines(&mut self) {
        self.lines.clear();
    }

    /// What each series of the page became, and how many lines it has, each counted once; new series are placed.
    fn look_up(&mut self, page: &Batch, conditions: &Conditions) -> Result<(Vec<Option<Became>>, usize), Box<Refused>> {
        let mut builder = LabelsBuilder::default();
        let mut lines = 0;
        self.lines.rewind();
        let mut became: Vec<Option<Became>> = Vec::with_capacity(page.series.len());
        for (index, raw) in page.series.iter().enumerate() {
            let (series, is_new) = match self.lines.find(raw.hash) {
                Some(line) => {
                    let is_new = line.scrape < self.good_scrape;
                    lines += usize::from(line.scrape != self.scrape);
                    line.scrape = self.scrape;
                    (line.series, is_new)
                }
                None => {
                    let labels = conditions.labels_of(page, index, &mut builder).map_err(|failure| {
                        let kept = became.iter().flatten().count() as u64;
                        let counts = Counts { exposed: index as u64 + 1, kept, ..Counts::default() };
                        Box::new(Refused { failure, counts })
                    })?;
                    let series = labels.map(|labels| self.series.place(&labels));
                    lines += 1;
                    self.lines.insert(raw.hash, series, self.scrape);
                    (series, true)
                }
            };
            became.push(series.map(|series| Became { series, is_new }));
        }
        self.series.absorb();
        Ok((became, lines))
    }

    fn empty_batch(&self, rows: usize) -> Batch {
        let mut batch = Batch::new(self.series.labels(), PLAIN);
        batch.series.reserve(rows + NAMES.len());
        batch.samples.reserve(rows + NAMES.len());
        batch.memo = Some(self.memo.clone());
        batch
    }

    fn push(&mut self, batch: &mut Batch, series: u32, time_ms: i64, value: f64) {
        let series = self.series.in_batch(series, self.scrape, batch);
        batch.samples.push(Sample { series, time_ms, value });
    }

    /// Marks the series that are alive though the scrape at hand does not say so; says how many there are.
    fn mark_vanished(&mut self, batch: &mut Batch, time_ms: i64) -> u64 {
        let mut markers = 0;
        for series in self.series.vanished(self.scrape) {
            // A page may have had a row of the report itself and lack it now; the report goes on.
            let is_marked = !self.report.contains(&series) && self.push_marker(batch, series, time_ms);
            markers += u64::from(is_marked);
        }
        markers
    }

    /// A marker is later than the series' last row, which may have a timestamp of its own.
    fn push_marker(&mut self, batch: &mut Batch, series: u32, time_ms: i64) -> bool {
        let last_ms = self.series.written_ms(series).unwrap_or(i64::MIN);
        let time_ms = time_ms.max(last_ms.saturating_add(1));
        if !in_range(time_ms) {
            return false;
        }
        if self.series.is_histogram(series) {
            let series = self.series.in_batch(series, self.scrape, batch);
            batch.histograms.push(Histogram { series, time_ms, value: NativeHistogram::stale() });
        } else {
            self.push(batch, series, time_ms, f64::from_bits(STALE_NAN_BITS));
        }
        true
    }

    /// Pages repeat the last exemplar of a series until there is a newer one.
    fn add_exemplars(&mut self, batch: &mut Batch, page: Vec<Exemplar>, became: &[Option<Became>], time_ms: i64) {
        for mut exemplar in page {
            let Some(Became { series, .. }) = became.get(exemplar.series as usize).copied().flatten() else { continue };
            let is_new = self.series.is_new_exemplar(series, fingerprint(&exemplar));
            if exemplar.time_ms == UNTIMED_MS {
                exemplar.time_ms = time_ms;
            }
            if is_new {
                exemplar.series = self.series.in_batch(series, self.scrape, batch);
                batch.exemplars.push(exemplar);
            }
        }
    }

    /// Forgets all lines but those that are to stay, and the series that only they became.
    fn forget(&mut self, stays: impl Fn(&Line) -> bool) {
        self.lines.retain(stays);
        let used = self.lines.iter().filter_map(|line| line.series).chain(self.report);
        let places = self.series.keep(used);
        for line in self.lines.iter_mut() {
            line.series = line.series.map(|series| places[series as usize]);
        }
        self.report = self.report.map(|series| places[series as usize]);
    }
}

/// Two exemplars with the same are one.
fn fingerprint(exemplar: &Exemplar) -> u64 {
    let mut bytes = [exemplar.value.to_bits().to_le_bytes(), exemplar.time_ms.to_le_bytes()].concat();
    for (name, value) in &exemplar.labels {
        bytes.extend([name.as_bytes(), &[0xff], value.as_bytes(), &[0xff]].concat());
    }
    xxh3_64(&bytes)
}

#[cfg(test)]
mod tests;
