//! Makes batches of scrapes: remembers each thing's series, and marks those that are gone.
//!
//! Owns: the label bytes of every series that lives, and which thing has which series.
//! Does not own: when what is scraped (`batches`), what a batch is (`model`).

use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use model::Batch;
use model::batch::{Metadata, PLAIN, RawSeries, STALE_NAN_BITS, Sample};
use model::labels::NAME_LABEL;

use crate::exposition::{Family, Labels, Sink, Thing};
use crate::scrape::Job;

/// Ends a name or a value in the plain encoding.
const END: u8 = 0xff;

/// The series of a thing: a run of [`Recorder::series`].
#[derive(Debug, Clone, Copy)]
struct Run {
    first: u32,
    count: u32,
    /// The scrape that it was last in.
    scrape: u64,
}

/// A sink that makes batches.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    /// The labels of all series, as the last batch had them.
    body: Bytes,
    /// Labels of series that came since.
    tail: Vec<u8>,
    /// The series of the batch at hand, in the order of [`Recorder::body`] and [`Recorder::tail`].
    series: Vec<RawSeries>,
    samples: Vec<Sample>,
    metadata: Vec<Metadata>,
    told: HashSet<&'static str>,
    /// By job, target and thing.
    runs: [HashMap<(u64, Thing), Run>; Job::ALL.len()],
    /// Whether a run has ended in the batch at hand.
    has_ended: bool,
    job: usize,
    time_ms: i64,
    scrape: u64,
    target: u64,
    /// The labels of the target at hand, encoded.
    target_labels: Vec<u8>,
    /// The next series of the thing at hand; behind the last of all while it is a new thing.
    next: u32,
    /// The thing at hand, if it is new, and its first series.
    new: Option<(Thing, u32)>,
    /// Where the series of the thing at hand end.
    end: u32,
    scraped: usize,
}

impl Recorder {
    /// The samples from here on were scraped at `time_ms`.
    pub(crate) fn begin_scrape(&mut self, job: Job, time_ms: i64) {
        self.job = job as usize;
        self.time_ms = time_ms;
        self.scrape += 1;
    }

    /// Marks the series of things that were in the last scrape of the job and are not in this one.
    pub(crate) fn end_scrape(&mut self) {
        self.close_thing();
        let (scrape, time_ms, samples) = (self.scrape, self.time_ms, &mut self.samples);
        let mut ended = 0;
        self.runs[self.job].retain(|_, run| {
            if run.scrape != scrape {
                ended += 1;
                let markers = run.first..run.first + run.count;
                samples.extend(markers.map(|series| Sample { series, time_ms, value: f64::from_bits(STALE_NAN_BITS) }));
            }
            run.scrape == scrape
        });
        self.has_ended |= ended > 0;
    }

    /// Samples that are not in a batch yet.
    pub(crate) fn samples_at_hand(&self) -> usize {
        self.samples.len()
    }

    /// The batch of all that was scraped since the last one.
    pub(crate) fn take(&mut self) -> Batch {
        if !self.tail.is_empty() {
            self.body = [&self.body[..], &self.tail].concat().into();
            self.tail.clear();
        }
        let mut batch = Batch::new(self.body.clone(), PLAIN);
        batch.series.clone_from(&self.series);
        batch.samples = std::mem::take(&mut self.samples);
        batch.metadata = std::mem::take(&mut self.metadata);
        if self.has_ended {
            self.forget_ended();
        }
        batch
    }

    /// Drops the series of things that have ended, and their labels once they are the greater part of the body.
    fn forget_ended(&mut self) {
        self.has_ended = false;
        let mut runs: Vec<&mut Run> = self.runs.iter_mut().flat_map(HashMap::values_mut).collect();
        runs.sort_unstable_by_key(|run| run.first);
        let mut living = Vec::with_capacity(self.series.len());
        for run in runs {
            let series = &self.series[run.first as usize..(run.first + run.count) as usize];
            run.first = living.len() as u32;
            living.extend_from_slice(series);
        }
        self.series = living;
        let needed: usize = self.series.iter().map(|series| series.labels.len()).sum();
        if self.body.len() > 2 * needed {
            let mut body = Vec::with_capacity(needed);
            for series in &mut self.series {
                let start = body.len() as u32;
                body.extend_from_slice(&self.body[series.labels.start as usize..series.labels.end as usize]);
                series.labels = start..body.len() as u32;
            }
            self.body = body.into();
        }
    }

    /// Notes the series of a new thing once all of them have come.
    fn close_thing(&mut self) {
        if let Some((thing, first)) = self.new.take() {
            let count = self.series.len() as u32 - first;
            self.runs[self.job].insert((self.target, thing), Run { first, count, scrape: self.scrape });
        } else {
            debug_assert_eq!(self.next, self.end, "a thing has as many series each time");
        }
        (self.next, self.end) = (0, 0);
    }

    /// Writes down a series that was not met before.
    #[cold]
    fn add(&mut self, family: &'static Family, suffix: &str, base: Labels<'_>, extra: Labels<'_>) {
        let start = self.tail.len();
        for text in [NAME_LABEL, family.name] {
            self.tail.extend_from_slice(text.as_bytes());
            self.tail.push(END);
        }
        self.tail.pop();
        self.tail.extend_from_slice(suffix.as_bytes());
        self.tail.push(END);
        let own = base.iter().chain(extra).filter(|(_, value)| !value.is_empty());
        for text in own.flat_map(|(name, value)| [name, value]) {
            self.tail.extend_from_slice(text.as_bytes());
            self.tail.push(END);
        }
        // A target's label gives way to one of the series' own.
        let mut fields = self.target_labels.split(|byte| *byte == END);
        while let (Some(name), Some(value)) = (fields.next(), fields.next()) {
            if base.iter().chain(extra).all(|(own, _)| own.as_bytes() != name) {
                self.tail.extend([name, &[END], value, &[END]].into_iter().flatten());
            }
        }
        let labels = &self.tail[start..];
        let hash = Batch::hash(labels);
        let before = self.body.len();
        let range = (before + start) as u32..(before + self.tail.len()) as u32;
        self.series.push(RawSeries { labels: range, hash, kind: family.kind });
        if self.told.insert(family.name) {
            self.metadata.push(Metadata {
                name: family.name.to_owned(),
                kind: family.kind,
                unit: String::new(),
                help: family.help.to_owned(),
            });
        }
    }
}

impl Sink for Recorder {
    fn target(&mut self, id: u64, labels: &[(String, String)]) {
        self.close_thing();
        self.target = id;
        self.target_labels.clear();
        for text in labels.iter().flat_map(|(name, value)| [name, value]) {
            self.target_labels.extend_from_slice(text.as_bytes());
            self.target_labels.push(END);
        }
    }

    fn thing(&mut self, thing: Thing) {
        self.close_thing();
        match self.runs[self.job].get_mut(&(self.target, thing)) {
            Some(run) => {
                run.scrape = self.scrape;
                (self.next, self.end) = (run.first, run.first + run.count);
            }
            None => {
                self.next = self.series.len() as u32;
                self.new = Some((thing, self.next));
            }
        }
    }

    #[inline]
    fn sample(
        &mut self,
        family: &'static Family,
        suffix: &'static str,
        base: Labels<'_>,
        extra: Labels<'_>,
        value: f64,
    ) {
        if self.new.is_some() {
            self.add(family, suffix, base, extra);
        }
        self.samples.push(Sample { series: self.next, time_ms: self.time_ms, value });
        self.next += 1;
        self.scraped += 1;
    }

    fn samples(&self) -> usize {
        self.scraped
    }
}
