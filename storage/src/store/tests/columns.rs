//! Logs and spans through a store: durable once acknowledged, in a block once cut, each there once.

use super::*;
use crate::columnar::testing::{Seed, logs, spans};

/// A millisecond within the day before `NOW`.
const BEFORE: i64 = (NOW - 3_600_000) * 1_000_000;
const DAY: i64 = 86_400_000_000_000;

async fn rows_of(store: &Store, table: Table) -> u64 {
    let snapshot = store.snapshot();
    let head: usize = snapshot.head_rows(table).await.unwrap().iter().map(|batch| batch.num_rows()).sum();
    head as u64 + block_rows(store, table)
}

async fn both(store: &Store) -> (u64, u64) {
    (rows_of(store, Table::Logs).await, rows_of(store, Table::Spans).await)
}

fn seeds(count: usize, time: i64) -> Vec<Seed> {
    (0..count).map(|n| (time + n as i64, n as u8)).collect()
}

async fn reopen(store: Store, disk: &SimDisk) -> Store {
    disk.power_cut(|| Fate::Lost);
    drop(store);
    Store::open(config(), parts(disk, NOW)).await.unwrap()
}

#[tokio::test]
async fn acknowledged_rows_are_there_once_after_a_power_cut_and_after_a_cut() {
    let disk = SimDisk::new();
    let store = Store::open(config(), parts(&disk, NOW)).await.unwrap();
    for n in 0..20 {
        store.write_logs(logs(&seeds(3, BEFORE + n))).await.unwrap();
        store.write_spans(spans(&seeds(2, BEFORE + n))).await.unwrap();
    }
    assert_eq!(both(&store).await, (60, 40));
    let store = reopen(store, &disk).await;
    assert_eq!(both(&store).await, (60, 40), "acknowledged rows are durable");
    let before = store.snapshot();
    assert_eq!(store.cut().await.unwrap(), 100);
    assert_eq!((block_rows(&store, Table::Logs), block_rows(&store, Table::Spans)), (60, 40));
    assert_eq!(both(&store).await, (60, 40));
    assert!(before.blocks(Table::Logs).is_empty());
    let old: usize = before.head_rows(Table::Logs).await.unwrap().iter().map(|batch| batch.num_rows()).sum();
    assert_eq!(old, 60, "an older snapshot still finds them");
    drop(before);
    store.write_logs(logs(&seeds(1, BEFORE))).await.unwrap();
    let store = reopen(store, &disk).await;
    assert_eq!(both(&store).await, (61, 40));
}

#[tokio::test]
async fn a_cut_for_their_size_leaves_the_rows_of_series_in_the_journal() {
    let disk = SimDisk::new();
    let store = Store::open(config(), parts(&disk, NOW)).await.unwrap();
    store.write(batch(&[("a", NOW - 5, 1.0)])).await.unwrap();
    store.write_logs(logs(&seeds(10, BEFORE))).await.unwrap();
    assert_eq!(work::cut(&store.0.inner, Reason::Size).await.unwrap(), 10);
    assert_eq!((block_rows(&store, Table::Logs), head_rows(&store).await), (10, 1));
    let store = reopen(store, &disk).await;
    assert_eq!((rows_of(&store, Table::Logs).await, head_rows(&store).await), (10, 1), "none twice, none lost");
    store.close().await.unwrap();
    assert_eq!((block_rows(&store, Table::Samples), block_rows(&store, Table::Logs)), (1, 10));
}

#[tokio::test]
async fn a_cut_for_their_size_drops_the_journal_if_nothing_else_is_in_it() {
    let disk = SimDisk::new();
    let store = Store::open(config(), parts(&disk, NOW)).await.unwrap();
    store.write_spans(spans(&seeds(100, BEFORE))).await.unwrap();
    let before = store.stats().journal_bytes;
    work::cut(&store.0.inner, Reason::Size).await.unwrap();
    let after = store.stats().journal_bytes;
    assert!(after < before / 2, "{after} of {before} bytes");
    let store = reopen(store, &disk).await;
    assert_eq!(both(&store).await, (0, 100));
}

#[tokio::test]
async fn rows_of_more_dates_than_a_cut_takes_are_carried_and_there_once() {
    let disk = SimDisk::new();
    let store = Store::open(config(), parts(&disk, NOW)).await.unwrap();
    // One batch over 40 dates, and one for each.
    let spread: Vec<Seed> = (0..40).map(|day| (BEFORE - day * DAY, day as u8)).collect();
    store.write_logs(logs(&spread)).await.unwrap();
    for seed in &spread {
        store.write_spans(spans(&[*seed])).await.unwrap();
    }
    assert_eq!(store.cut().await.unwrap(), 64, "32 dates of each table");
    assert_eq!(both(&store).await, (40, 40));
    let store = reopen(store, &disk).await;
    assert_eq!(both(&store).await, (40, 40), "those that stayed are carried");
    assert_eq!((block_rows(&store, Table::Logs), block_rows(&store, Table::Spans)), (32, 32));
    store.close().await.unwrap();
    assert_eq!((block_rows(&store, Table::Logs), block_rows(&store, Table::Spans)), (40, 40));
}

/// Whatever file operation of a cut fails, and whether the cut is tried again or the power goes: as long as the cut is in no
/// block the originals of carried rows count, afterwards the carried ones do.
#[tokio::test]
async fn a_cut_that_fails_after_carrying_repeats_no_row() {
    let spread: Vec<Seed> = (0..40).map(|day| (BEFORE - day * DAY, day as u8)).collect();
    let (mut failed, mut carried) = (0, 0);
    for (fail_at, tries_again) in (1..400).step_by(7).flat_map(|call| [(call, false), (call, true)]) {
        let (disk, from) = (SimDisk::new(), Arc::new(AtomicU64::new(u64::MAX)));
        let seen = from.clone();
        let plan = move |n, _, _: &std::path::Path| {
            let from = seen.load(Ordering::SeqCst);
            if (from..from.saturating_add(3)).contains(&n) { Fault::Error(5) } else { Fault::None }
        };
        let files = Faulty::new(Arc::new(disk.clone()), Arc::new(plan));
        let of_files = Parts { files: Arc::new(files.clone()), clock: Arc::new(ManualClock::new(NOW)) };
        let store = Store::open(config(), of_files).await.unwrap();
        store.write_logs(logs(&spread)).await.unwrap();
        from.store(files.calls() + fail_at, Ordering::SeqCst);
        failed += u64::from(store.cut().await.is_err());
        from.store(u64::MAX, Ordering::SeqCst);
        carried += u64::from(store.stats().journal_groups > 1);
        if tries_again {
            // The journal may refuse for good after a failed sync.
            let _ = store.cut().await;
        }
        assert_eq!(rows_of(&store, Table::Logs).await, 40, "failing at call {fail_at}");
        let store = reopen(store, &disk).await;
        assert_eq!(rows_of(&store, Table::Logs).await, 40, "failing at call {fail_at}");
        store.close().await.unwrap();
        assert_eq!(block_rows(&store, Table::Logs), 40, "failing at call {fail_at}");
    }
    assert!(failed > 20 && carried > 20, "{failed} cuts failed, {carried} carried");
}
