//! Deltas against a store that fails, a process that is killed and senders that send again, held against the plain sum of
//! what was sent.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};

use async_trait::async_trait;
use decode::otlp::Delta;
use model::batch::{BatchBuilder, Kind};
use model::labels::LabelsBuilder;
use model::{LeftOut, LeftOutReason, Logs, Spans};
use proptest::prelude::*;

use super::sums::Amount;
use super::*;

const IDLE: Duration = Duration::from_secs(3600);

/// What becomes of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Durable,
    /// Refused, nothing is kept.
    Busy,
    /// Durable, but the answer is lost.
    Lost,
    /// Not durable, and nobody knows.
    Gone,
}

/// A store: the value of each series at each time.
#[derive(Default)]
struct Store {
    rows: Mutex<BTreeMap<(String, i64), f64>>,
    starts: Mutex<BTreeMap<(String, i64), i64>>,
    natives: Mutex<BTreeMap<i64, model::NativeHistogram>>,
    /// The values of exemplars, in the order they came.
    exemplars: Mutex<Vec<f64>>,
    fates: Mutex<VecDeque<Fate>>,
    /// The next questions fail.
    is_away: Mutex<bool>,
    /// Series that it has no room for.
    unwelcome: Mutex<BTreeSet<String>>,
    /// The series that were asked for.
    asked: Mutex<Vec<String>>,
}

impl Store {
    fn values(&self, series: &str) -> Vec<(i64, f64)> {
        let rows = self.rows.lock();
        rows.iter().filter(|((name, _), _)| name == series).map(|((_, time), value)| (*time, *value)).collect()
    }
}

#[async_trait]
impl Ingest for Store {
    async fn write(&self, mut batch: Batch) -> Result<Receipt, Error> {
        tokio::task::yield_now().await;
        let fate = self.fates.lock().pop_front().unwrap_or(Fate::Durable);
        if fate == Fate::Busy {
            return Err(Error::new(ErrorKind::Busy, "full"));
        }
        let mut builder = LabelsBuilder::default();
        let mut left_out = LeftOut::default();
        for place in 0..batch.series.len() as u32 {
            if self.unwelcome.lock().contains(&*batch.key(place as usize, &mut builder).unwrap().name) {
                left_out.push(place, LeftOutReason::SeriesLimit, "full");
                batch.samples.retain(|row| row.series != place);
            }
        }
        if fate != Fate::Gone {
            let mut name_of = |series: u32| batch.key(series as usize, &mut builder).unwrap().name.to_string();
            for sample in &batch.samples {
                self.rows.lock().insert((name_of(sample.series), sample.time_ms), sample.value);
            }
            let natives = batch.histograms.iter().map(|row| (row.time_ms, row.value.clone()));
            self.natives.lock().extend(natives);
            self.exemplars.lock().extend(batch.exemplars.iter().map(|exemplar| exemplar.value));
            for start in &batch.starts {
                self.starts.lock().insert((name_of(start.series), start.time_ms), start.start_ms);
            }
        }
        match fate {
            Fate::Durable => {
                let left_out = (!left_out.places().is_empty()).then(|| Box::new(left_out));
                Ok(Receipt { samples: batch.samples.len(), left_out, ..Receipt::default() })
            }
            _ => Err(Error::new(ErrorKind::Unavailable, "the journal failed")),
        }
    }

    async fn write_logs(&self, _: Logs) -> Result<Receipt, Error> {
        unreachable!("deltas are metrics")
    }

    async fn write_spans(&self, _: Spans) -> Result<Receipt, Error> {
        unreachable!("deltas are metrics")
    }
}

#[async_trait]
impl Past for Store {
    async fn newest(&self, series: &[SeriesKey], from_ms: i64) -> Result<Vec<Option<Sum>>, Error> {
        tokio::task::yield_now().await;
        if *self.is_away.lock() {
            return Err(Error::new(ErrorKind::Unavailable, "away"));
        }
        self.asked.lock().extend(series.iter().map(|key| key.name.to_string()));
        let newest = |key: &SeriesKey| {
            let (time_ms, value) = self.values(&key.name).pop().filter(|(time_ms, _)| *time_ms >= from_ms)?;
            Some(Sum { time_ms, start_ms: None, amount: Amount::Number(value) })
        };
        Ok(series.iter().map(newest).collect())
    }
}

/// A request with these points: series, time, what was added since a second before.
fn request(points: &[(&str, i64, f64)]) -> (Batch, Vec<Delta>) {
    let mut builder = BatchBuilder::default();
    let mut deltas = Vec::new();
    for (place, (series, time_ms, value)) in points.iter().enumerate() {
        let index = builder.series(series, &[], Kind::Counter);
        builder.sample(index, *time_ms, *value);
        let row = place as u32;
        deltas.push(Delta {
            samples: row..row + 1,
            histograms: 0..0,
            exemplars: 0..0,
            point: row,
            start_ms: time_ms - 1000,
            time_ms: *time_ms,
        });
    }
    (builder.build(), deltas)
}

async fn send(deltas: &Arc<Deltas>, store: &Arc<Store>, points: &[(&str, i64, f64)]) -> Result<Written, Error> {
    let (batch, rows) = request(points);
    deltas.write(store.clone(), batch, rows, points[0].1, ()).await
}

fn over(store: &Arc<Store>) -> Arc<Deltas> {
    Deltas::over(store.clone(), 1000, IDLE)
}

#[tokio::test]
async fn deltas_are_added_up_from_their_start() {
    let store = Arc::new(Store::default());
    let deltas = over(&store);
    send(&deltas, &store, &[("a", 1_000_000, 1.0), ("b", 1_000_000, 10.0)]).await.unwrap();
    send(&deltas, &store, &[("a", 1_002_000, 4.0), ("a", 1_001_000, 2.0)]).await.unwrap();
    assert_eq!(store.values("a"), [(1_000_000, 1.0), (1_001_000, 3.0), (1_002_000, 7.0)]);
    assert_eq!(store.values("b"), [(1_000_000, 10.0)]);
    let starts: Vec<_> = store.starts.lock().values().copied().collect();
    assert_eq!(starts, [999_000, 999_000], "told where a series begins, and nowhere else");
}

#[tokio::test]
async fn what_is_sent_again_adds_nothing() {
    let store = Arc::new(Store::default());
    let deltas = over(&store);
    for repeated in [0, 2, 2] {
        let points = [("a", 1_000_000, 1.0), ("a", 1_001_000, 2.0)];
        assert_eq!(send(&deltas, &store, &points).await.unwrap().not_added.repeated.len(), repeated);
    }
    assert_eq!(store.values("a"), [(1_000_000, 1.0), (1_001_000, 3.0)]);
}

#[tokio::test]
async fn a_point_that_comes_too_late_is_told_from_one_that_comes_again() {
    let store = Arc::new(Store::default());
    let deltas = over(&store);
    let first = [("a", 1_001_000, 1.0), ("a", 1_003_000, 2.0), ("b", 1_000_000, 1.0)];
    send(&deltas, &store, &first).await.unwrap();
    let missing = async |points: &[(&str, i64, f64)]| {
        let not_added = send(&deltas, &store, points).await.unwrap().not_added;
        let sorted =
            |places: &HashSet<u32>| places.iter().copied().collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>();
        (sorted(&not_added.repeated), sorted(&not_added.late), not_added.late_rows)
    };
    assert_eq!(missing(&first).await, (vec![0, 1, 2], vec![], 0), "the whole request again");
    assert_eq!(missing(&[("a", 1_002_000, 4.0), ("b", 1_001_000, 8.0)]).await, (vec![], vec![0], 1));
    assert_eq!(missing(&[("a", 1_002_000, 4.0), ("a", 1_004_000, 8.0)]).await, (vec![], vec![0], 1));
    assert_eq!(store.values("a"), [(1_001_000, 1.0), (1_003_000, 3.0), (1_004_000, 11.0)]);
    assert_eq!(store.values("b"), [(1_000_000, 1.0), (1_001_000, 9.0)]);
}

#[tokio::test]
async fn a_restart_and_a_lost_answer_cost_nothing() {
    let store = Arc::new(Store::default());
    send(&over(&store), &store, &[("a", 1_000_000, 1.0)]).await.unwrap();
    let deltas = over(&store);
    for fate in [Fate::Lost, Fate::Gone, Fate::Busy] {
        store.fates.lock().push_back(fate);
        let next = 1_000_000 + 1000 * store.values("a").len() as i64;
        assert!(send(&deltas, &store, &[("a", next, 2.0)]).await.is_err());
        send(&deltas, &store, &[("a", next, 2.0)]).await.unwrap();
    }
    assert_eq!(store.values("a"), [(1_000_000, 1.0), (1_001_000, 3.0), (1_002_000, 5.0), (1_003_000, 7.0)]);
}

#[tokio::test]
async fn while_sums_cannot_be_found_nothing_is_added() {
    let store = Arc::new(Store::default());
    send(&over(&store), &store, &[("a", 1_000_000, 1.0)]).await.unwrap();
    let deltas = over(&store);
    *store.is_away.lock() = true;
    let error = send(&deltas, &store, &[("a", 1_001_000, 2.0)]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    *store.is_away.lock() = false;
    send(&deltas, &store, &[("a", 1_001_000, 2.0)]).await.unwrap();
    assert_eq!(store.values("a"), [(1_000_000, 1.0), (1_001_000, 3.0)]);
    // What is in memory stays there, whatever another series of the request cost.
    *store.is_away.lock() = true;
    assert!(send(&deltas, &store, &[("a", 1_002_000, 4.0), ("b", 1_002_000, 1.0)]).await.is_err());
    send(&deltas, &store, &[("a", 1_002_000, 4.0)]).await.unwrap();
    assert_eq!(store.values("a").pop(), Some((1_002_000, 7.0)));
}

#[tokio::test]
async fn only_sums_of_series_that_were_left_out_are_asked_for_again() {
    let store = Arc::new(Store::default());
    let deltas = over(&store);
    store.unwelcome.lock().insert("b".to_owned());
    send(&deltas, &store, &[("a", 1_000_000, 1.0), ("b", 1_000_000, 10.0)]).await.unwrap();
    assert_eq!(std::mem::take(&mut *store.asked.lock()), ["a", "b"], "nothing is known yet");
    store.unwelcome.lock().clear();
    send(&deltas, &store, &[("a", 1_001_000, 2.0), ("b", 1_001_000, 20.0)]).await.unwrap();
    assert_eq!(*store.asked.lock(), ["b"]);
    assert_eq!(store.values("a"), [(1_000_000, 1.0), (1_001_000, 3.0)]);
    assert_eq!(store.values("b"), [(1_001_000, 20.0)], "what was left out is not part of the sum");
}

#[tokio::test]
async fn sums_in_memory_are_bounded_and_found_again() {
    let store = Arc::new(Store::default());
    let deltas = Deltas::over(store.clone(), 10, IDLE);
    for round in 0..3i64 {
        for series in 0..50 {
            let time_ms = 1_000_000 + round * 1000;
            send(&deltas, &store, &[(&format!("s{series}"), time_ms, 1.0)]).await.unwrap();
            let table = deltas.table.lock();
            assert!(table.young.len() + table.old.len() <= 10 && table.lines.len() == 0);
        }
    }
    for series in 0..50 {
        assert_eq!(store.values(&format!("s{series}")).pop(), Some((1_002_000, 3.0)));
    }
    // Without use for as long as that, twice over, nothing is held.
    for hours in [2, 4] {
        send(&deltas, &store, &[("other", 1_000_000 + hours * 3_600_000, 1.0)]).await.unwrap();
    }
    let table = deltas.table.lock();
    assert_eq!(table.young.len() + table.old.len(), 1);
}

#[tokio::test]
async fn a_sender_that_goes_away_leaves_nothing_half_done() {
    let store = Arc::new(Store::default());
    let deltas = over(&store);
    {
        let sending = send(&deltas, &store, &[("a", 1_000_000, 1.0)]);
        tokio::pin!(sending);
        // Polled once, so that the work has begun, and dropped.
        assert!(futures::poll!(&mut sending).is_pending());
    }
    send(&deltas, &store, &[("a", 1_001_000, 2.0)]).await.unwrap();
    assert_eq!(store.values("a"), [(1_000_000, 1.0), (1_001_000, 3.0)]);
}

#[tokio::test]
async fn requests_for_the_same_series_come_one_after_the_other() {
    let store = Arc::new(Store::default());
    let deltas = over(&store);
    let times: Vec<i64> = (0..20).map(|place| 1_000_000 + place * 1000).collect();
    // Begun in this order, they claim in it, or are out of order and add nothing: the sum at a time is never too high.
    let all = times.iter().map(|time_ms| {
        let (deltas, store) = (&deltas, &store);
        async move { send(deltas, store, &[("a", *time_ms, 1.0), ("b", *time_ms, 2.0)]).await.unwrap() }
    });
    let all = futures::future::join_all(all).await;
    let missing = |written: &Written| written.not_added.repeated.len() + written.not_added.late.len();
    let missing: usize = all.iter().map(missing).sum();
    let (a, b) = (store.values("a"), store.values("b"));
    assert_eq!(a.len() + b.len() + missing, 40);
    for (place, (row, other)) in a.iter().zip(&b).enumerate() {
        assert_eq!((row.1, other.1), (place as f64 + 1.0, 2.0 * (place as f64 + 1.0)));
    }
}

#[tokio::test]
async fn a_request_that_waits_is_not_overtaken_by_those_that_come_later() {
    let store = Arc::new(Store::default());
    let deltas = over(&store);
    let keys = |points: &[(&str, i64, f64)]| {
        let (batch, deltas) = request(points);
        Rows::of(&batch, &deltas).unwrap().keys()
    };
    let first = deltas.claim(keys(&[("a", 1, 0.0)]), 0).await;
    let second = deltas.claim(keys(&[("a", 1, 0.0), ("b", 1, 0.0)]), 0);
    let third = deltas.claim(keys(&[("b", 1, 0.0)]), 0);
    tokio::pin!(second, third);
    assert!(futures::poll!(&mut second).is_pending());
    assert!(futures::poll!(&mut third).is_pending(), "b is free, but who waits for it came before");
    drop(first);
    assert!(futures::poll!(&mut third).is_pending());
    drop(second.await);
    drop(third.await);
    assert_eq!(deltas.table.lock().lines.len(), 0);
}

/// Sends metrics as OTLP does, as JSON.
async fn send_otlp(deltas: &Arc<Deltas>, store: &Arc<Store>, metric: &str) -> Written {
    let json = format!(r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{metric}]}}]}}]}}"#);
    let limits = decode::Limits::default();
    let body = decode::otlp::json::to_protobuf(decode::otlp::json::Request::Metrics, json.as_bytes(), &limits).unwrap();
    let decoded =
        decode::otlp::decode(&body, i64::MAX, &decode::otlp::Translation::default(), &limits, 1 << 20).unwrap();
    assert_eq!((decoded.refused.points, decoded.deltas.len()), (0, 1));
    deltas.write(store.clone(), decoded.batch, decoded.deltas, 0, ()).await.unwrap()
}

/// The times of a point that tells of the second up to `second`.
fn times(second: u64) -> String {
    format!(r#""startTimeUnixNano":"{}000000000","timeUnixNano":"{second}000000000""#, second - 1)
}

#[tokio::test]
async fn exponential_histograms_add_up_in_the_coarser_scale() {
    let store = Arc::new(Store::default());
    let deltas = over(&store);
    let send = async |second, scale, offset, counts, count| {
        let times = times(second);
        let buckets = format!(r#"{{"offset":{offset},"bucketCounts":{counts}}}"#);
        let point = format!(r#"{{{times},"scale":{scale},"count":{count},"sum":{count},"positive":{buckets}}}"#);
        let data = format!(r#"{{"aggregationTemporality":1,"dataPoints":[{point}]}}"#);
        let metric = format!(r#"{{"name":"e","exponentialHistogram":{data}}}"#);
        send_otlp(&deltas, &store, &metric).await.not_added.repeated.len()
    };
    // Buckets end at 2 and 4; then at the roots between; the third is the second once more.
    assert_eq!(send(10, 0, 0, "[1,2]", 3).await, 0);
    assert_eq!(send(11, 1, 1, "[4,8,16]", 28).await, 0);
    assert_eq!(send(11, 1, 1, "[4,8,16]", 28).await, 1);
    assert_eq!(send(12, 0, 5, "[1]", 1).await, 0);
    let natives = store.natives.lock();
    assert_eq!(natives.keys().copied().collect::<Vec<_>>(), [10_000, 11_000, 12_000]);
    let last = &natives[&12_000];
    assert_eq!((last.schema, last.sum, last.start_ms), (0, 32.0, Some(9000)));
    let model::histogram::Counts::Integer(counts) = &last.counts else { panic!("whole counts") };
    let indexed: Vec<_> = model::histogram::indexed(&last.positive_spans, &counts.positive).collect();
    assert_eq!((counts.count, indexed), (32, vec![(1, 5), (2, 26), (6, 1)]));
}

#[tokio::test]
async fn exemplars_of_what_is_sent_again_do_not_come_twice() {
    let store = Arc::new(Store::default());
    let deltas = over(&store);
    for (second, value) in [(10, 1.5), (11, 2.5), (11, 2.5), (12, 3.5)] {
        let times = times(second);
        let exemplars = format!(r#"[{{"asDouble":{value}}},{{"asDouble":-1}}]"#);
        let number = format!(r#"{{{times},"asInt":"1","exemplars":{exemplars}}}"#);
        let data = format!(r#"{{"aggregationTemporality":1,"isMonotonic":true,"dataPoints":[{number}]}}"#);
        send_otlp(&deltas, &store, &format!(r#"{{"name":"n","sum":{data}}}"#)).await;
        let native = format!(r#"{{{times},"count":1,"zeroCount":1,"exemplars":{exemplars}}}"#);
        let data = format!(r#"{{"aggregationTemporality":1,"dataPoints":[{native}]}}"#);
        send_otlp(&deltas, &store, &format!(r#"{{"name":"e","exponentialHistogram":{data}}}"#)).await;
    }
    let of_a_second = |value: f64| [value, -1.0, value, -1.0];
    assert_eq!(*store.exemplars.lock(), [1.5, 2.5, 3.5].map(of_a_second).concat());
}

#[tokio::test]
async fn the_series_of_a_histogram_add_up_each_for_itself() {
    let store = Arc::new(Store::default());
    let deltas = over(&store);
    for second in [10, 11, 11] {
        let times = times(second);
        let point = format!(r#"{{{times},"count":3,"sum":1.5,"explicitBounds":[1],"bucketCounts":[1,2]}}"#);
        let data = format!(r#"{{"aggregationTemporality":1,"dataPoints":[{point}]}}"#);
        send_otlp(&deltas, &store, &format!(r#"{{"name":"d","histogram":{data}}}"#)).await;
    }
    assert_eq!(store.values("d_count"), [(10_000, 3.0), (11_000, 6.0)]);
    assert_eq!(store.values("d_sum"), [(10_000, 1.5), (11_000, 3.0)]);
    // The store of these tests tells series apart by name: of the buckets the last is the one without end.
    assert_eq!(store.values("d_bucket"), [(10_000, 3.0), (11_000, 6.0)]);
}

/// One step of a sender's life.
#[derive(Debug, Clone)]
enum Step {
    /// Sends what was added to these series, and sends it again until it is acknowledged; each try has a fate.
    Send { series: Vec<(u8, u8)>, fates: Vec<Fate> },
    /// Sends an acknowledged request once more, as a proxy does that gave up too early.
    SendOld(prop::sample::Index),
    /// The process begins anew.
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let fate = prop_oneof![Just(Fate::Busy), Just(Fate::Lost), Just(Fate::Gone)];
    let series = prop::collection::vec((0u8..4, 0u8..10), 1..4);
    let step = prop_oneof![
        6 => (series, prop::collection::vec(fate, 0..3)).prop_map(|(series, fates)| Step::Send { series, fates }),
        2 => any::<prop::sample::Index>().prop_map(Step::SendOld),
        1 => Just(Step::Restart),
    ];
    prop::collection::vec(step, 1..40)
}

proptest! {
    /// At every time of every series the store has the sum of what was sent up to it.
    #[test]
    fn the_store_has_what_was_sent(steps in steps(), max_series in 1usize..6) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let store = Arc::new(Store::default());
            let begin = || Deltas::over(store.clone(), max_series, IDLE);
            let (mut deltas, mut time_ms) = (begin(), 1_000_000i64);
            let mut sent: Vec<Vec<(String, i64, f64)>> = Vec::new();
            let mut sums: BTreeMap<String, Vec<(i64, f64)>> = BTreeMap::new();
            for step in steps {
                match step {
                    Step::Send { series, fates } => {
                        let mut points = Vec::new();
                        for (series, value) in series {
                            time_ms += 1000;
                            let (name, value) = (format!("s{series}"), f64::from(value));
                            let rows = sums.entry(name.clone()).or_default();
                            let before = rows.last().map_or(0.0, |(_, sum)| *sum);
                            rows.push((time_ms, before + value));
                            points.push((name, time_ms, value));
                        }
                        store.fates.lock().extend(fates);
                        let borrowed: Vec<_> = points.iter().map(|(name, time, value)| (name.as_str(), *time, *value)).collect();
                        while send(&deltas, &store, &borrowed).await.is_err() {}
                        // A repeated request is not written, so that a fate may be left over.
                        store.fates.lock().clear();
                        sent.push(points);
                    }
                    Step::SendOld(index) if !sent.is_empty() => {
                        let points = index.get(&sent);
                        let borrowed: Vec<_> = points.iter().map(|(name, time, value)| (name.as_str(), *time, *value)).collect();
                        send(&deltas, &store, &borrowed).await.unwrap();
                    }
                    Step::SendOld(_) => {}
                    Step::Restart => deltas = begin(),
                }
            }
            for (series, rows) in sums {
                prop_assert_eq!(store.values(&series), rows);
            }
            Ok(())
        })?;
    }
}
