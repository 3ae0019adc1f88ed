use std::sync::Arc;

use model::batch::{BatchBuilder, Kind};
use model::files::sim::{Fate, SimDisk};
use model::time::ManualClock;

use super::*;
use crate::Selection;

/// 2026-01-01T00:07:00Z.
const NOW: i64 = 1_767_226_020_000;

fn config() -> Config {
    Config { url: "/store".into(), ..Config::default() }
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
    let rows = snapshot.head_samples(&resolved, Selection::all().time_ms, &mut |_| Ok(())).unwrap();
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
    assert_eq!(store.write(batch(&rows)).await.unwrap(), Receipt { samples: 4, new_series: 2 });
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
