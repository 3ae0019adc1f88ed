use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::AtomicBool;
use std::sync::mpsc;

use model::SeriesKey;
use model::batch::{Kind, Sample};
use model::labels::LabelsBuilder;
use proptest::prelude::*;

use super::*;
use crate::cut::plan::Window;
use crate::head::{CutRows, Frozen, Takes};
use crate::record::{Origin, RecordReader, RecordWriter, Recorded};
use crate::rows::{HistogramRow, Rows, SeriesList};
use crate::series::{RawCache, Series, SeriesInfo};
use crate::tables::Table;

const SERIES: u8 = 5;

/// Number of a series, time, value.
type Row = (u8, i64, u64);

#[derive(Debug, Clone)]
enum Step {
    /// A batch comes in; its series are looked up.
    Resolve(Vec<(u8, i64)>),
    /// The oldest batch on its way is journaled and applied.
    Apply,
    /// The oldest batch on its way is encoded but does not get into the journal.
    Fail,
    /// A cut in which rows before this time leave takes all.
    Cut(i64),
    /// The others come back.
    Settle,
    Commit,
    /// A query begins.
    Hold,
    /// The oldest query ends.
    Release,
    /// What was not written in this round or so many before it goes.
    Evict(u32),
}

fn step() -> impl Strategy<Value = Step> {
    let row = (0..SERIES, 0i64..40);
    prop_oneof![
        6 => proptest::collection::vec(row, 0..4).prop_map(Step::Resolve),
        6 => Just(Step::Apply),
        1 => Just(Step::Fail),
        4 => (0i64..60).prop_map(Step::Cut),
        3 => Just(Step::Settle),
        4 => Just(Step::Commit),
        1 => Just(Step::Hold),
        1 => Just(Step::Release),
        6 => (0u32..3).prop_map(Step::Evict),
    ]
}

fn key(number: u8) -> SeriesKey {
    let mut labels = LabelsBuilder::default();
    labels.push("__name__", "m");
    labels.push("cluster", "eu");
    labels.push("n", &number.to_string());
    labels.build(None).unwrap()
}

fn number(key: &SeriesKey) -> u8 {
    key.labels.get("n").unwrap().parse().unwrap()
}

fn resolve(head: &Head, cache: &RawCache, series: u8) -> Arc<Series> {
    cache.get(u128::from(series)).unwrap_or_else(|| {
        let (found, _) = head.entry(key(series), Kind::Gauge).unwrap();
        cache.insert(u128::from(series), &found);
        found
    })
}

fn rows_of(rows: &Rows) -> impl Iterator<Item = Row> {
    rows.samples
        .iter()
        .map(|s| (number(&rows.series.get(s.series as usize).unwrap().key), s.time_ms, s.value.to_bits()))
}

/// What a query sees whose snapshot reaches up to `committed`, sorted.
fn seen(head: &Head, committed: u64) -> Vec<Row> {
    let all = i64::MIN..=i64::MAX;
    let info = |(series, first_time_ms): (Arc<Series>, i64)| Arc::new(series.info(first_time_ms));
    let infos: Vec<Arc<SeriesInfo>> = head.select(&[], &all, committed).into_iter().map(info).collect();
    let numbers: BTreeMap<i64, u8> = infos.iter().map(|info| (info.id, number(&info.key))).collect();
    assert_eq!(numbers.len(), infos.len(), "a series has two entries");
    let mut rows = Vec::new();
    let found = head.samples(&infos, &all, committed, &mut |_| Ok(())).unwrap();
    for batch in found.iter().flat_map(|rows| rows.batches(Table::Samples.read_schema(), 100)) {
        let batch = batch.unwrap();
        let column = |at: usize| batch.column(at).as_any().downcast_ref::<arrow::array::Int64Array>().unwrap().clone();
        let values = batch.column(6).as_any().downcast_ref::<arrow::array::Float64Array>().unwrap();
        for (at, value) in values.values().iter().enumerate() {
            rows.push((numbers[&column(2).value(at)], column(3).value(at), value.to_bits()));
        }
    }
    rows.sort_unstable();
    rows
}

/// A cut on its way.
enum Job {
    Frozen(Frozen),
    Settled(CutRows),
}

/// A head as a store works it, and what should be in it.
struct Case {
    head: Head,
    cache: RawCache,
    writer: RecordWriter,
    generation: u64,
    /// The records, with their generation, and what was written in them.
    journal: Vec<(u64, Vec<u8>, Vec<Row>)>,
    on_their_way: VecDeque<Rows>,
    job: Option<Job>,
    committed: u64,
    cuts: u64,
    queries: VecDeque<u64>,
    round: u32,
    values: u64,
    // The truth.
    live: BTreeMap<(u8, i64), u64>,
    frozen: BTreeMap<u64, BTreeMap<(u8, i64), u64>>,
    /// The series that have an entry, with the round in which they were written last.
    entries: BTreeMap<u8, u32>,
    evicted: u64,
}

impl Case {
    fn new() -> Self {
        Case {
            head: Head::new(2),
            cache: RawCache::default(),
            writer: RecordWriter::default(),
            generation: 0,
            journal: Vec::new(),
            on_their_way: VecDeque::new(),
            job: None,
            committed: 0,
            cuts: 0,
            queries: VecDeque::new(),
            round: 0,
            values: 0,
            live: BTreeMap::new(),
            frozen: BTreeMap::new(),
            entries: BTreeMap::new(),
            evicted: 0,
        }
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Resolve(rows) => self.resolve(rows),
            Step::Apply => self.apply(),
            Step::Fail => self.fail(),
            Step::Cut(end_ms) => self.cut(*end_ms),
            Step::Settle => self.settle(),
            Step::Commit => self.commit(),
            Step::Hold => self.queries.push_back(self.committed),
            Step::Release => {
                self.queries.pop_front();
                self.retire();
            }
            Step::Evict(rounds) => self.evict(*rounds),
        }
        self.check();
    }

    fn resolve(&mut self, planned: &[(u8, i64)]) {
        let mut rows = Rows::default();
        for (series, time_ms) in planned {
            self.values += 1;
            rows.series.append(SeriesList::from_iter([resolve(&self.head, &self.cache, *series)]));
            rows.samples.push(Sample {
                series: rows.series.len() as u32 - 1,
                time_ms: *time_ms,
                value: self.values as f64,
            });
            self.entries.entry(*series).or_insert(self.round);
        }
        self.on_their_way.push_back(rows);
    }

    fn journal(&mut self, rows: &Rows, origin: Origin) {
        let (mut tag, mut payload) = (Vec::new(), Vec::new());
        self.writer.write(rows, origin, self.generation, &mut tag, &mut payload);
        self.journal.push((self.generation, payload, rows_of(rows).collect()));
    }

    fn apply(&mut self) {
        let Some(rows) = self.on_their_way.pop_front() else { return };
        self.journal(&rows, Origin::Written);
        for (series, time_ms, value) in rows_of(&rows) {
            self.live.insert((series, time_ms), value);
            self.entries.insert(series, self.round);
        }
        self.head.apply(rows, Origin::Written);
    }

    fn fail(&mut self) {
        let Some(rows) = self.on_their_way.pop_front() else { return };
        self.journal(&rows, Origin::Written);
        self.journal.pop();
        self.generation += 1;
    }

    fn cut(&mut self, end_ms: i64) {
        self.commit();
        self.cuts += 1;
        self.generation += 1;
        let window = Window::new(i64::MIN, end_ms);
        self.job =
            Some(Job::Frozen(self.head.freeze(self.cuts, window, Takes::All, self.head.dates(window, Takes::All))));
        self.frozen.insert(self.cuts, std::mem::take(&mut self.live));
    }

    fn settle(&mut self) {
        let Some(Job::Frozen(frozen)) = self.job.take_if(|job| matches!(job, Job::Frozen(_))) else { return };
        let cut = self.head.settle(&frozen);
        let leave = self.frozen.get_mut(&cut.number).unwrap();
        for (key, value) in leave.extract_if(.., |(_, time_ms), _| *time_ms >= cut.window.end_ms) {
            self.live.entry(key).or_insert(value);
        }
        for rows in &cut.carried {
            self.journal(rows, Origin::Carried);
        }
        self.job = Some(Job::Settled(cut));
    }

    fn commit(&mut self) {
        self.settle();
        if let Some(Job::Settled(cut)) = self.job.take() {
            self.committed = cut.number;
        }
        self.retire();
    }

    fn retire(&mut self) {
        let oldest = self.queries.iter().copied().min().unwrap_or(self.committed);
        self.head.retire(oldest);
        self.frozen.retain(|cut, _| *cut > oldest);
    }

    fn evict(&mut self, rounds: u32) {
        self.round = self.head.begin_round();
        let before = self.round.saturating_sub(rounds);
        let evicted = self.head.evict(before);
        if rounds > 0 {
            self.cache.sweep();
        }
        let on_their_way = self.on_their_way.iter().flat_map(|rows| rows.series.iter().map(|s| number(&s.key)));
        let rows = self.live.keys().chain(self.frozen.values().flat_map(|cut| cut.keys()));
        let held: BTreeSet<u8> = rows.map(|(series, _)| *series).chain(on_their_way).collect();
        let before_it = self.entries.len();
        self.entries.retain(|series, written| *written >= before || held.contains(series));
        assert_eq!(evicted, (before_it - self.entries.len()) as u64, "exactly the idle ones go");
        self.evicted += evicted;
    }

    fn check(&self) {
        let usage = self.head.usage();
        assert_eq!(usage.series.load(Ordering::Relaxed), self.entries.len() as u64);
        let mut views: BTreeSet<u64> = self.queries.iter().copied().collect();
        views.insert(self.committed);
        for committed in views {
            let frozen = self.frozen.range(committed + 1..).flat_map(|(_, cut)| cut);
            let mut expected: Vec<Row> = frozen.chain(&self.live).map(|((s, t), value)| (*s, *t, *value)).collect();
            expected.sort_unstable();
            assert_eq!(seen(&self.head, committed), expected);
        }
    }

    /// Every generation can be read by itself, and holds what was written.
    fn check_journal(&self) {
        let replayed = Head::new(1);
        let mut reader = RecordReader::default();
        for (generation, payload, written) in &self.journal {
            let Recorded::Metrics(_, rows) = reader.read(*generation, payload, &mut &replayed).unwrap() else {
                panic!()
            };
            assert_eq!(rows_of(&rows).collect::<Vec<_>>(), *written);
        }
    }

    /// Once nothing holds anything, nothing is left.
    fn finish(mut self) -> u64 {
        while !self.on_their_way.is_empty() {
            self.take(&Step::Apply);
        }
        self.queries.clear();
        self.take(&Step::Cut(i64::MAX));
        self.take(&Step::Commit);
        self.take(&Step::Evict(0));
        assert_eq!((self.head.usage().bytes(), self.entries.len()), (0, 0));
        for shard in &self.head.shards {
            let shard = shard.lock();
            assert_eq!((shard.slots.len(), shard.by_key.len(), shard.postings.memory_bytes()), (0, 0, 0));
        }
        self.check_journal();
        self.evicted
    }
}

proptest! {
    #[test]
    fn eviction_changes_what_is_kept_and_never_what_is_seen(steps in proptest::collection::vec(step(), 1..60)) {
        let mut case = Case::new();
        for step in &steps {
            case.take(step);
        }
        case.finish();
    }
}

#[test]
fn a_series_that_comes_back_is_defined_again_in_the_same_generation() {
    let mut case = Case::new();
    let write = [Step::Resolve(vec![(0, 1)]), Step::Apply];
    write.iter().chain(&[Step::Cut(60), Step::Commit]).for_each(|step| case.take(step));
    write.iter().for_each(|step| case.take(step));
    // No generation begins between the two: the head alone has let go.
    let window = Window::new(i64::MIN, 60);
    case.head.settle(&case.head.freeze(99, window, Takes::All, case.head.dates(window, Takes::All)));
    case.head.retire(99);
    case.live.clear();
    case.take(&Step::Evict(0));
    assert_eq!(case.evicted, 1);
    write.iter().for_each(|step| case.take(step));
    let of_generation = case.journal.iter().filter(|(generation, _, _)| *generation == case.generation).count();
    assert_eq!(of_generation, 2);
    case.finish();
}

/// Writers, the thread that applies and the one that evicts, all at once: no row goes to a slot that is not its own.
#[test]
fn no_row_is_lost_while_entries_come_and_go() {
    const WRITERS: i64 = 2;
    const BATCHES: i64 = 3000;
    let (head, cache, done) = (Head::new(2), RawCache::default(), AtomicBool::new(false));
    let mut taken = 0;
    std::thread::scope(|scope| {
        let (to_journal, journal) = mpsc::sync_channel::<Rows>(0);
        for writer in 0..WRITERS {
            let (to_journal, head, cache) = (to_journal.clone(), &head, &cache);
            scope.spawn(move || {
                for batch in 0..BATCHES {
                    let series = resolve(head, cache, (batch % 5) as u8);
                    let sample = Sample { series: 0, time_ms: batch * WRITERS + writer, value: 1.0 };
                    let rows =
                        Rows { series: [series].into_iter().collect(), samples: vec![sample], ..Rows::default() };
                    to_journal.send(rows).unwrap();
                }
            });
        }
        drop(to_journal);
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                head.evict(head.begin_round());
                cache.sweep();
            }
        });
        let mut cut = |number| {
            let window = Window::new(i64::MIN, i64::MAX);
            taken += head.settle(&head.freeze(number, window, Takes::All, head.dates(window, Takes::All))).rows;
            head.retire(number);
        };
        let mut applied = 0;
        for rows in journal {
            head.apply(rows, Origin::Written);
            applied += 1;
            if applied % 3 == 0 {
                cut(applied);
            }
        }
        cut(applied + 1);
        done.store(true, Ordering::Relaxed);
    });
    head.evict(head.begin_round());
    assert_eq!(taken, (WRITERS * BATCHES) as u64);
    assert!(head.usage().evicted.load(Ordering::Relaxed) > 10, "entries hardly ever went");
    assert_eq!((head.usage().series.load(Ordering::Relaxed), head.usage().bytes()), (0, 0));
}

#[test]
fn what_native_histograms_take_is_given_back_with_their_series() {
    let head = Head::new(2);
    let before = head.usage().bytes();
    for series in 0..SERIES {
        let (found, _) = head.entry(key(series), Kind::Histogram).unwrap();
        let value = model::NativeHistogram { sum: 1.0, ..model::NativeHistogram::stale() };
        let histograms = vec![HistogramRow { series: found, time_ms: 5, value }];
        head.apply(Rows { histograms, ..Rows::default() }, Origin::Written);
    }
    let window = Window::draining(0, 10);
    drop(head.settle(&head.freeze(1, window, Takes::All, head.dates(window, Takes::All))));
    head.retire(1);
    assert_eq!(head.evict(head.begin_round() + 1), u64::from(SERIES));
    assert_eq!(head.usage().bytes(), before);
}
