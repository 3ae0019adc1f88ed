use std::collections::BTreeMap;
use std::sync::Arc;

use model::batch::{BatchBuilder, Kind, LabelLimits, SeriesLimits};
use model::files::Files as _;
use model::files::faulty::{Fault, Faulty, Op};
use model::files::sim::{Fate, SimDisk};
use model::time::ManualClock;
use model::{LeftOutReason, NativeHistogram};

use super::*;
use crate::Selection;

/// 2026-01-01T00:07:00Z.
const NOW: i64 = 1_767_226_020_000;

/// Small segments, since the simulated disk writes out what is preallocated.
fn config() -> Config {
    Config { url: "/store".into(), journal_bytes: 64 << 20, ..Config::default() }
}

fn parts(disk: &SimDisk, now_ms: i64) -> Parts {
    Parts { files: Arc::new(disk.clone()), clock: Arc::new(ManualClock::new(now_ms)) }
}

fn batch(samples: &[(&str, i64, f64)]) -> Batch {
    let mut builder = BatchBuilder::default();
    for (instance, time_ms, value) in samples {
        let series = builder.series("up", &[("instance", instance)], Kind::Gauge);
        builder.sample(series, *time_ms, *value);
    }
    builder.build().stamped("eu".into())
}

async fn head_rows(store: &Store) -> usize {
    head_rows_of(&store.snapshot()).await
}

async fn head_rows_of(snapshot: &Snapshot) -> usize {
    let resolved = snapshot.resolve(&Selection::all()).await.unwrap();
    let rows = snapshot.head_samples(&resolved.series, Selection::all().time_ms, &mut |_| Ok(())).unwrap();
    let batches = rows.iter().flat_map(|rows| rows.batches(Table::Samples.read_schema(), 2));
    batches.map(|batch| batch.unwrap().num_rows()).sum()
}

fn block_rows(store: &Store, table: Table) -> u64 {
    store.snapshot().blocks(table).iter().map(|block| block.rows).sum()
}

#[tokio::test]
async fn rows_survive_a_power_cut_and_move_into_blocks_once() {
    let disk = SimDisk::new();
    let store = Store::open(config(), parts(&disk, NOW)).await.unwrap();
    let rows =
        [("a", NOW - 600_000, 1.0), ("b", NOW - 600_000, 0.1), ("a", NOW - 5, f64::NAN), ("a", NOW + 9e6 as i64, 7.0)];
    assert_eq!(store.write(batch(&rows)).await.unwrap(), Receipt { samples: 4, new_series: 2, ..Receipt::default() });
    assert_eq!(head_rows(&store).await, 4);
    disk.power_cut(|| Fate::Lost);
    drop(store);

    let store = Store::open(config(), parts(&disk, NOW)).await.unwrap();
    assert_eq!(head_rows(&store).await, 4, "acknowledged rows are durable");
    let before = store.snapshot();
    // The watermark is midnight: two rows are of the window, one is more than an hour above it, one stays.
    assert_eq!(store.cut().await.unwrap(), 3);
    assert_eq!((head_rows(&store).await, block_rows(&store, Table::Samples)), (1, 3));
    assert_eq!(block_rows(&store, Table::Series), 3, "a and b on the old day, a on the new one");
    assert_eq!(head_rows_of(&before).await, 4);
    disk.power_cut(|| Fate::Lost);
    drop(store);

    let store = Store::open(config(), parts(&disk, NOW)).await.unwrap();
    assert_eq!((head_rows(&store).await, block_rows(&store, Table::Samples)), (1, 3), "the carried row is there once");
    store.close().await.unwrap();
    assert_eq!((head_rows(&store).await, block_rows(&store, Table::Samples)), (0, 4));
}

#[tokio::test]
async fn a_full_memory_budget_refuses_before_it_acknowledges() {
    let disk = SimDisk::new();
    let small = Config { memory_bytes: 1000, ..config() };
    let store = Store::open(small, parts(&disk, NOW)).await.unwrap();
    let mut refused = None;
    for n in 0..100 {
        if let Err(error) = store.write(batch(&[(&format!("i{n}"), NOW, 1.0)])).await {
            refused = Some(error);
            break;
        }
    }
    let refused = refused.expect("the budget is small");
    assert_eq!(refused.kind(), ErrorKind::Busy);
    assert!(refused.retry_after().is_some() && refused.message().contains("storage.memory_bytes"), "{refused}");
}

#[tokio::test]
async fn a_full_disk_is_told_and_is_an_obstacle_until_rows_are_taken_or_nobody_tries() {
    const ENOSPC: i32 = 28;
    let is_full = Arc::new(AtomicBool::new(false));
    let seen = is_full.clone();
    let files = Faulty::new(
        Arc::new(SimDisk::new()),
        Arc::new(move |_, op, path| match op {
            Op::Sync if path.starts_with("/store/local/journal") && seen.load(Ordering::SeqCst) => Fault::Error(ENOSPC),
            _ => Fault::None,
        }),
    );
    let clock = Arc::new(ManualClock::new(NOW));
    let store = Store::open(config(), Parts { files: Arc::new(files), clock: clock.clone() }).await.unwrap();
    assert_eq!(store.obstacle(), None);
    is_full.store(true, Ordering::SeqCst);
    let refused = store.write(batch(&[("a", NOW, 1.0)])).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unavailable);
    let says_what_to_do = |text: &str| text.starts_with("disk full: ") && text.contains("free space on this disk, or");
    assert!(refused.retry_after().is_some() && says_what_to_do(refused.message()), "{refused}");
    assert!(store.obstacle().is_some_and(|why| says_what_to_do(&why)));
    clock.advance(30_000);
    assert_eq!(store.obstacle(), None, "somebody must find out whether the disk is well again");
    store.write(batch(&[("a", NOW, 1.0)])).await.unwrap_err();
    assert!(store.obstacle().is_some());
    is_full.store(false, Ordering::SeqCst);
    store.write(batch(&[("a", NOW, 1.0)])).await.unwrap();
    assert_eq!(store.obstacle(), None);
}

#[tokio::test]
async fn a_batch_with_an_impossible_time_is_refused_whole() {
    let disk = SimDisk::new();
    let store = Store::open(config(), parts(&disk, NOW)).await.unwrap();
    let refused = store.write(batch(&[("a", NOW, 1.0), ("b", i64::MAX, 1.0)])).await.unwrap_err();
    assert!(refused.kind() == ErrorKind::Invalid && refused.message().contains("years 1 to 9999"), "{refused}");
    assert_eq!(head_rows(&store).await, 0);
}

#[tokio::test]
async fn days_older_than_the_retention_go_whole() {
    let disk = SimDisk::new();
    let store = Store::open(config(), parts(&disk, NOW)).await.unwrap();
    let day = model::time::DAY_MS;
    store.write(batch(&[("a", NOW - 20 * day, 1.0), ("a", NOW - 2 * day, 1.0)])).await.unwrap();
    store.cut().await.unwrap();
    assert_eq!(block_rows(&store, Table::Samples), 2);
    assert_eq!(store.expire().await.unwrap(), 2, "one block of series, one of samples");
    assert_eq!((block_rows(&store, Table::Samples), block_rows(&store, Table::Series)), (1, 1));
}

#[tokio::test]
async fn positions_go_on_after_everything_was_dropped() {
    let disk = SimDisk::new();
    for round in 0..4 {
        let store = Store::open(config(), parts(&disk, NOW)).await.unwrap();
        store.write(batch(&[("a", NOW - 600_000 + round, 1.0)])).await.unwrap();
        store.close().await.unwrap();
        drop(store);
        let store = Store::open(config(), parts(&disk, NOW)).await.unwrap();
        store.write(batch(&[("b", NOW - 600_000 + round, 1.0)])).await.unwrap();
        disk.power_cut(|| Fate::Lost);
        drop(store);
        let store = Store::open(config(), parts(&disk, NOW)).await.unwrap();
        assert_eq!((head_rows(&store).await, block_rows(&store, Table::Samples)), (1, 2 * round as u64 + 1));
        store.close().await.unwrap();
    }
}

/// The disk, whose tables cannot be reached while `away` says so; journal and staging folder can.
fn with_bucket(disk: &SimDisk, away: &Arc<AtomicBool>) -> Parts {
    let away = away.clone();
    let plan = move |_, _, path: &std::path::Path| {
        let local = path.starts_with("/store/local");
        if away.load(Ordering::SeqCst) && !local { Fault::Error(5) } else { Fault::None }
    };
    let files = Faulty::new(Arc::new(disk.clone()), Arc::new(plan));
    Parts { files: Arc::new(files), clock: Arc::new(ManualClock::new(NOW)) }
}

#[tokio::test]
async fn while_the_bucket_is_away_rows_leave_memory_and_journal_and_are_delivered_later() {
    let (disk, away) = (SimDisk::new(), Arc::new(AtomicBool::new(false)));
    let store = Store::open(config(), with_bucket(&disk, &away)).await.unwrap();
    away.store(true, Ordering::SeqCst);
    for round in 0..3 {
        store.write(batch(&[("a", NOW - 600_000 + round, 1.0), ("b", NOW - 700_000, 0.5)])).await.unwrap();
        let error = store.cut().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        assert_eq!((head_rows(&store).await, block_rows(&store, Table::Samples)), (0, 2 * (round as u64 + 1)));
    }
    let stats = store.stats();
    assert_eq!((stats.staged_blocks, block_rows(&store, Table::Series)), (4, 2), "the series once, samples thrice");
    // The blocks can be read although no bucket has them.
    let snapshot = store.snapshot();
    for block in snapshot.blocks(Table::Samples) {
        assert_eq!(snapshot.footer(Table::Samples, &block).await.unwrap().file_metadata().num_rows(), 2);
    }
    // Of the same key the later cut wins, so no two have one rank.
    let mut ranks: Vec<i64> = snapshot.blocks(Table::Samples).iter().map(|block| block.gen_max).collect();
    ranks.sort_unstable();
    assert!(ranks.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{ranks:?}");

    // Another process takes them over, before and after the bucket has come back.
    disk.power_cut(|| Fate::Lost);
    drop((snapshot, store));
    away.store(false, Ordering::SeqCst);
    let store = Store::open(config(), with_bucket(&disk, &away)).await.unwrap();
    away.store(true, Ordering::SeqCst);
    assert_eq!((head_rows(&store).await, block_rows(&store, Table::Samples)), (0, 6), "the journal no longer has them");
    store.write(batch(&[("a", NOW - 1, 2.0)])).await.unwrap();
    store.close().await.unwrap_err();
    drop(store);
    away.store(false, Ordering::SeqCst);
    let store = Store::open(config(), with_bucket(&disk, &away)).await.unwrap();
    assert_eq!((head_rows(&store).await, store.stats().staged_blocks), (0, 6), "closing has staged what was left");
    assert_eq!(store.snapshot().last_samples()["eu"], NOW - 1);
    store.cut().await.unwrap();
    assert_eq!((store.stats().staged_blocks, block_rows(&store, Table::Samples)), (0, 7));
    assert_eq!(block_rows(&store, Table::Series), 2 + 1, "two on the old day, one on the new");
    assert_eq!(disk.list(std::path::Path::new("/store/local/staged")).unwrap(), [], "nothing is left in the folder");
}

#[tokio::test]
async fn a_staged_block_that_is_missing_stops_the_opening_and_can_be_set_aside() {
    let (disk, away) = (SimDisk::new(), Arc::new(AtomicBool::new(false)));
    let store = Store::open(config(), with_bucket(&disk, &away)).await.unwrap();
    away.store(true, Ordering::SeqCst);
    store.write(batch(&[("a", NOW - 600_000, 1.0)])).await.unwrap();
    store.cut().await.unwrap_err();
    let path = store.snapshot().blocks(Table::Samples)[0].path.clone();
    drop(store);
    disk.kill();
    away.store(false, Ordering::SeqCst);
    let file = std::path::Path::new("/store/local/staged").join(path.rsplit('/').next().unwrap());
    disk.remove(&file).unwrap();
    let error = Store::open(config(), with_bucket(&disk, &away)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.message().contains("1 rows of samples") && error.message().contains("staged"), "{error}");
    let store = Store::open_with(config(), with_bucket(&disk, &away), OnDamage::SetAside).await.unwrap();
    assert_eq!((block_rows(&store, Table::Series), block_rows(&store, Table::Samples)), (1, 0));
    store.cut().await.unwrap();
    assert_eq!(store.stats().staged_blocks, 0);
}

#[tokio::test]
async fn late_rows_of_days_out_of_reach_stay_behind_and_hold_nothing_up() {
    let (disk, away) = (SimDisk::new(), Arc::new(AtomicBool::new(false)));
    let day = model::time::DAY_MS;
    let store = Store::open(config(), with_bucket(&disk, &away)).await.unwrap();
    store.write(batch(&[("a", NOW - 3 * day, 1.0), ("a", NOW - 600_000, 1.0)])).await.unwrap();
    store.cut().await.unwrap();
    drop(store);
    disk.kill();
    let store = Store::open(config(), with_bucket(&disk, &away)).await.unwrap();
    away.store(true, Ordering::SeqCst);
    // Of the first day a block tells which series it has, of the second there is none yet.
    store.write(batch(&[("a", NOW - 3 * day + 1, 1.0), ("a", NOW - 5 * day, 1.0)])).await.unwrap();
    let error = store.cut().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert_eq!((store.0.inner.head.is_empty(), block_rows(&store, Table::Samples)), (false, 3));
    away.store(false, Ordering::SeqCst);
    store.cut().await.unwrap();
    assert_eq!((head_rows(&store).await, block_rows(&store, Table::Samples)), (0, 4));
    assert_eq!(block_rows(&store, Table::Series), 3);
}

#[tokio::test]
async fn a_disk_that_is_almost_full_refuses_before_it_acknowledges() {
    let disk = SimDisk::new();
    let store = Store::open(Config { reserve_bytes: 1000, ..config() }, parts(&disk, NOW)).await.unwrap();
    store.write(batch(&[("a", NOW, 1.0)])).await.unwrap();
    drop(store);
    disk.kill();
    disk.set_free_bytes(999);
    let store = Store::open(Config { reserve_bytes: 1000, ..config() }, parts(&disk, NOW)).await.unwrap();
    let refused = store.write(batch(&[("a", NOW, 1.0)])).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Busy);
    assert!(refused.retry_after().is_some() && refused.message().contains("storage.reserve_bytes"), "{refused}");
    // What is there already has the reserve to leave by.
    store.close().await.unwrap();
    assert_eq!(block_rows(&store, Table::Samples), 1);
}

#[tokio::test]
async fn a_store_is_open_once() {
    let disk = SimDisk::new();
    let store = Store::open(config(), parts(&disk, NOW)).await.unwrap();
    let error = Store::open(config(), parts(&disk, NOW)).await.unwrap_err();
    assert!(error.message().contains("another process has the store open"), "{error}");
    drop(store);
}

#[tokio::test]
async fn a_series_is_found_by_rows_that_are_older_than_its_first() {
    let disk = SimDisk::new();
    let store = Store::open(config(), parts(&disk, NOW + 7_200_000)).await.unwrap();
    for time_ms in [NOW + 3_600_000, NOW] {
        store.write(batch(&[("a", time_ms, 1.0)])).await.unwrap();
        store.cut().await.unwrap();
    }
    let early = Selection { time_ms: NOW - 1..=NOW + 1, ..Selection::all() };
    assert_eq!(store.snapshot().resolve(&early).await.unwrap().series.len(), 1);
}

#[tokio::test]
async fn a_clock_far_ahead_takes_nothing_out() {
    let disk = SimDisk::new();
    let store = Store::open(config(), parts(&disk, NOW)).await.unwrap();
    store.write(batch(&[("a", NOW - 600_000, 1.0)])).await.unwrap();
    store.cut().await.unwrap();
    drop(store);
    disk.kill();
    let store = Store::open(config(), parts(&disk, NOW + 400 * model::time::DAY_MS)).await.unwrap();
    assert_eq!(store.expire().await.unwrap(), 0);
}

/// A batch of `count` series of the deployment's round, one sample each.
fn pods(round: usize, count: usize, time_ms: i64) -> Batch {
    let names: Vec<String> = (0..count).map(|pod| format!("pod-{round}-{pod}")).collect();
    let samples: Vec<(&str, i64, f64)> = names.iter().map(|name| (name.as_str(), time_ms, 1.0)).collect();
    batch(&samples)
}

#[tokio::test]
async fn series_that_come_and_go_do_not_fill_the_memory() {
    let (disk, clock) = (SimDisk::new(), Arc::new(ManualClock::new(NOW)));
    let parts = Parts { files: Arc::new(disk.clone()), clock: clock.clone() };
    let store = Store::open(config(), parts).await.unwrap();
    let mut early = Stats::default();
    for round in 0..50 {
        let now = NOW + round as i64 * 15 * 60_000;
        clock.set(now);
        store.write(pods(round, 2000, now - 5 * 60_000)).await.unwrap();
        store.write(batch(&[("steady", now - 5 * 60_000, 1.0)])).await.unwrap();
        store.cut().await.unwrap();
        let stats = store.stats();
        assert!(stats.series <= 3 * 2000 + 1, "round {round}: {stats:?}");
        if round < 10 {
            early = stats;
        } else {
            assert!(stats.head_bytes <= early.head_bytes + early.head_bytes / 10, "round {round}: {stats:?}");
        }
    }
    let stats = store.stats();
    assert_eq!(stats.series + stats.series_evicted, 50 * 2000 + 1, "the steady one never went and came back");
    for _ in 0..2 {
        clock.advance(15 * 60_000);
        store.cut().await.unwrap();
    }
    assert_eq!(block_rows(&store, Table::Samples), 50 * 2001);
    let idle = store.stats();
    assert_eq!((idle.series, idle.head_bytes), (0, 0), "all rows are in blocks and nobody writes");
}

#[tokio::test]
async fn new_series_are_taken_although_old_ones_have_filled_the_budget() {
    let (disk, clock) = (SimDisk::new(), Arc::new(ManualClock::new(NOW)));
    let parts = Parts { files: Arc::new(disk.clone()), clock: clock.clone() };
    let store = Store::open(Config { memory_bytes: 1 << 20, ..config() }, parts).await.unwrap();
    let mut refused = 0;
    for round in 0..40 {
        // Far less than the usual idle time lies between two rounds.
        clock.advance(5000);
        if let Err(error) = store.write(pods(round, 500, clock.now_ms())).await {
            assert_eq!(error.kind(), ErrorKind::Busy);
            refused += 1;
            let mut again = Err(error);
            // The worker may have begun the eviction of the first moment, which then is not ours to wait for.
            for _ in 0..2 {
                clock.advance(5000);
                work::cut(&store.0.inner, Reason::Pressure).await.unwrap();
                again = store.write(pods(round, 500, clock.now_ms())).await.map(drop);
                if again.is_ok() {
                    break;
                }
            }
            again.expect("there is room again");
        }
    }
    assert!(refused > 0, "the budget is too large to prove anything");
    let stats = store.stats();
    assert!(stats.head_bytes < stats.head_budget_bytes * 2, "{stats:?}");
}

#[tokio::test]
async fn what_was_said_of_a_family_is_forgotten_after_yesterday() {
    let (disk, clock) = (SimDisk::new(), Arc::new(ManualClock::new(NOW)));
    let parts = Parts { files: Arc::new(disk.clone()), clock: clock.clone() };
    let store = Store::open(config(), parts).await.unwrap();
    for day in 0..5 {
        clock.set(NOW + day * model::time::DAY_MS);
        let mut said = BatchBuilder::default().build();
        for name in ["everlasting".to_owned(), format!("of_day_{day}")] {
            let (unit, help) = (String::new(), "Help.".to_owned());
            said.metadata.push(model::batch::Metadata { name, kind: Kind::Gauge, unit, help });
        }
        store.write(said).await.unwrap();
        store.cut().await.unwrap();
    }
    let known = store.0.inner.metadata.lock();
    let mut names: Vec<&str> = known.keys().map(|(_, name)| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["everlasting", "of_day_3", "of_day_4"]);
}

#[tokio::test]
async fn the_last_sample_of_each_cluster_is_known_after_a_restart() {
    let disk = SimDisk::new();
    let stale = f64::from_bits(model::batch::STALE_NAN_BITS);
    let of = |cluster: &str, samples: &[(&str, i64, f64)]| batch(samples).stamped(cluster.into());
    let store = Store::open(config(), parts(&disk, NOW)).await.unwrap();
    store.write(of("eu", &[("a", NOW - 900_000, 1.0), ("b", NOW - 800_000, f64::NAN)])).await.unwrap();
    store.write(of("us", &[("a", NOW - 900_000, 1.0), ("a", NOW - 10, stale), ("b", NOW - 5, stale)])).await.unwrap();
    store.write(of("marked", &[("a", NOW, stale)])).await.unwrap();
    // What is written of a fetch that failed does not make a dead cluster look alive.
    let failed = |cluster: &str| {
        let mut builder = BatchBuilder::default();
        for (name, value) in [("up", 0.0), ("scrape_duration_seconds", 0.5), ("scrape_samples_scraped", 0.0)] {
            let series = builder.series(name, &[], Kind::Gauge);
            builder.sample(series, NOW, value);
        }
        builder.build().stamped(cluster.into())
    };
    store.write(failed("us")).await.unwrap();
    store.write(failed("dead")).await.unwrap();
    store.cut().await.unwrap();
    store.write(failed("us")).await.unwrap();
    store.write(of("late", &[("a", NOW - 3 * model::time::DAY_MS, 1.0)])).await.unwrap();
    let expected: BTreeMap<Arc<str>, i64> =
        [("eu".into(), NOW - 800_000), ("us".into(), NOW - 900_000), ("late".into(), NOW - 3 * model::time::DAY_MS)]
            .into();
    assert_eq!(store.snapshot().last_samples(), expected);
    store.close().await.unwrap();
    drop(store);

    let store = Store::open(config(), parts(&disk, NOW)).await.unwrap();
    assert_eq!(head_rows(&store).await, 0, "all is in blocks");
    assert_eq!(store.snapshot().last_samples(), expected);
    store.write(of("eu", &[("a", NOW - 850_000, 2.0)])).await.unwrap();
    assert_eq!(store.snapshot().last_samples(), expected, "a late sample is not the last");
    store.write(of("eu", &[("a", NOW, 2.0)])).await.unwrap();
    assert_eq!(store.snapshot().last_samples()["eu"], NOW);
}

#[tokio::test]
async fn series_beyond_a_limit_are_left_out_and_all_others_are_kept() {
    let clock = Arc::new(ManualClock::new(NOW));
    let store = Store::open(config(), Parts { files: Arc::new(SimDisk::new()), clock: clock.clone() }).await.unwrap();
    let limits = SeriesLimits { max_new_series_per_minute: 2, ..SeriesLimits::default() };
    let limited = |samples: &[(&str, i64, f64)]| Batch { series_limits: limits, ..batch(samples) };
    let receipt = store.write(limited(&[("a", NOW, 1.0), ("b", NOW, 2.0), ("a", NOW + 1, 3.0)])).await.unwrap();
    assert_eq!(receipt, Receipt { samples: 3, new_series: 2, ..Receipt::default() });
    let mut mixed = limited(&[("c", NOW + 2, 4.0), ("a", NOW + 2, 5.0), ("d", NOW + 2, 6.0), ("b", NOW + 2, 7.0)]);
    for series in [0, 1] {
        let value = NativeHistogram::stale();
        mixed.histograms.push(model::batch::Histogram { series, time_ms: NOW + 3, value });
        mixed.exemplars.push(model::batch::Exemplar { series, time_ms: NOW, value: 0.0, labels: Vec::new() });
    }
    let receipt = store.write(mixed).await.unwrap();
    let told = receipt.left_out.expect("two are too many");
    let series = told.series(LeftOutReason::SeriesLimit);
    assert_eq!((receipt.samples, series, told.samples, told.histograms, told.exemplars), (3, 2, 2, 1, 1));
    let message = told.messages().next().unwrap().1;
    assert!(message.contains("\"instance\" makes most of them, with 3 values"), "{message}");
    assert_eq!(head_rows(&store).await, 5);
    let resolved = store.snapshot().resolve(&Selection::all()).await.unwrap();
    let instances: Vec<_> = resolved.series.iter().map(|info| info.key.labels.get("instance").unwrap()).collect();
    assert_eq!(instances.len(), 2);
    assert!(instances.contains(&"a") && instances.contains(&"b"));
    clock.advance(60_000);
    let receipt = store.write(limited(&[("c", NOW, 1.0), ("a", NOW + 9, 1.0)])).await.unwrap();
    assert_eq!(receipt, Receipt { samples: 2, new_series: 1, ..Receipt::default() });
}

#[tokio::test]
async fn rows_of_clusters_beyond_a_limit_are_left_out_before_and_after_a_restart() {
    let disk = SimDisk::new();
    let sent = |clusters: &[&str]| {
        let mut builder = BatchBuilder::default();
        for cluster in clusters {
            let series = builder.series("up", &[("cluster", cluster)], Kind::Gauge);
            builder.sample(series, NOW, 1.0);
        }
        let series_limits = SeriesLimits { max_clusters: 3, ..SeriesLimits::default() };
        Batch { series_limits, ..builder.build() }
    };
    let store = Store::open(config(), parts(&disk, NOW)).await.unwrap();
    store.write(batch(&[("known", NOW, 1.0)])).await.unwrap();
    let told = store.write(sent(&["a", "b", "c", "eu", "d"])).await.unwrap();
    let left_out = told.left_out.expect("two are too many");
    assert_eq!((told.samples, left_out.samples, left_out.rows(LeftOutReason::ClusterLimit)), (3, 2, 2));
    assert_eq!(store.snapshot().last_samples().into_keys().collect::<Vec<_>>(), ["a".into(), "b".into(), "eu".into()]);
    store.close().await.unwrap();
    drop(store);
    let store = Store::open(config(), parts(&disk, NOW)).await.unwrap();
    let told = store.write(sent(&["a", "e"])).await.unwrap();
    assert_eq!((told.samples, told.left_out.expect("a new name is as bad as before").samples), (1, 1));
    store.write(batch(&[("another", NOW + 1, 1.0)]).stamped("a token's".into())).await.unwrap();
    assert_eq!(store.snapshot().last_samples().len(), 4, "whose cluster is decided is not limited");
}

#[tokio::test]
async fn series_whose_labels_are_bad_are_left_out_if_nobody_has_looked_at_them() {
    let store = Store::open(config(), parts(&SimDisk::new(), NOW)).await.unwrap();
    let mut builder = BatchBuilder::default();
    let long = "x".repeat(40);
    let all: [(&str, &[(&str, &str)]); 6] = [
        ("good", &[("a", "1"), ("b", "2")]),
        ("", &[("a", "1")]),
        ("twice", &[("a", "1"), ("a", "2")]),
        ("many", &[("a", "1"), ("b", "2"), ("c", "3")]),
        ("long", &[("a", &long)]),
        (&long, &[]),
    ];
    for (name, labels) in all {
        let series = builder.series(name, labels, Kind::Unknown);
        builder.sample(series, NOW, 1.0);
    }
    let batch = builder.build();
    let limits = LabelLimits { max_labels: 2, max_name_bytes: 30, max_value_bytes: 30 };
    let receipt = store.write(Batch { unchecked_labels: Some(limits), ..batch.clone() }).await.unwrap();
    let told = receipt.left_out.expect("five are bad");
    assert_eq!((receipt.samples, told.samples), (1, 5));
    assert_eq!((told.series(LeftOutReason::InvalidLabels), told.series(LeftOutReason::LabelLimit)), (2, 3));
    let messages: Vec<_> = told.messages().map(|(_, message)| message).collect();
    assert_eq!(messages[0], "a series has no name, in series {__name__=\"\",a=\"1\"}");
    assert!(
        messages[1].starts_with("label \"a\" comes twice in one series, in series {__name__=\"twice\""),
        "{messages:?}"
    );
    assert_eq!(messages[2], "a series has more than 2 labels, in series {__name__=\"many\",a=\"1\",b=\"2\",c=\"3\"}");
    assert!(messages[3].starts_with("the value of label \"a\" has 40 bytes, the limit is 30"), "{messages:?}");
    assert_eq!(store.write(batch.clone()).await.unwrap_err().kind(), ErrorKind::Invalid, "the decoder has looked");
}

mod columns;
