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

/// Log rows, or spans, one of each of these clusters.
fn of_clusters<C: Default>(clusters: &[&str], append: impl Fn(&mut C, &str, &Seed)) -> C {
    let mut all = C::default();
    for (cluster, seed) in clusters.iter().zip(seeds(clusters.len(), BEFORE)) {
        append(&mut all, cluster, &seed);
    }
    all
}

fn logs_of(clusters: &[&str]) -> Logs {
    let all: Logs = of_clusters(clusters, |all: &mut Logs, cluster, seed| {
        all.append(&logs(&[*seed]).stamped(&Arc::from(cluster)), 0..1);
    });
    Logs { max_clusters: Some(3), ..all }
}

fn spans_of(clusters: &[&str]) -> Spans {
    let all: Spans = of_clusters(clusters, |all: &mut Spans, cluster, seed| {
        all.append(&spans(&[*seed]).stamped(&Arc::from(cluster)), 0..1);
    });
    Spans { max_clusters: Some(3), ..all }
}

/// How many rows were written and at which places some were left out.
fn outcome(receipt: &Receipt) -> (usize, Vec<u32>) {
    let places = receipt.left_out.iter().flat_map(|left_out| left_out.places().to_vec()).collect();
    (receipt.samples, places)
}

#[tokio::test]
async fn rows_of_clusters_beyond_a_limit_are_left_out_whatever_made_the_others_known() {
    let disk = SimDisk::new();
    let mut store = Store::open(config(), parts(&disk, NOW)).await.unwrap();
    store.write(batch(&[("known", NOW, 1.0)])).await.unwrap();
    // The store knows "eu", and there is room for two more.
    let told = store.write_logs(logs_of(&["eu", "a", "eu", "a"])).await.unwrap();
    assert_eq!(outcome(&told), (4, vec![]));
    let told = store.write_spans(spans_of(&["b", "c", "a", "d", "c"])).await.unwrap();
    assert_eq!(outcome(&told), (2, vec![1, 3, 4]));
    let left_out = told.left_out.unwrap();
    let (series, rows) = (left_out.series(LeftOutReason::ClusterLimit), left_out.rows(LeftOutReason::ClusterLimit));
    assert_eq!((series, rows, left_out.messages().count()), (3, 3, 2), "each cluster is told of once");
    let message = left_out.message_at(1).unwrap();
    assert!(
        message.starts_with("cluster \"c\" is new, and there are 3 clusters")
            && message.ends_with("its rows are left out"),
        "{message}"
    );
    assert_eq!((left_out.message_at(3).is_some(), left_out.message_at(4)), (true, None));
    assert_eq!(both(&store).await, (4, 2));
    for what in ["from the journal", "from blocks"] {
        store = reopen(store, &disk).await;
        let told = store.write_logs(logs_of(&["a", "b", "e", "eu"])).await.unwrap();
        assert_eq!(outcome(&told), (3, vec![2]), "known {what}");
        let told = store.write_spans(spans_of(&["e"])).await.unwrap();
        assert_eq!(outcome(&told), (0, vec![0]), "known {what}");
        store.cut().await.unwrap();
    }
    assert_eq!(both(&store).await, (10, 2));
    // Whose cluster is decided by a token or a source is not limited.
    let told = store.write_logs(Logs { max_clusters: None, ..logs_of(&["f"]) }).await.unwrap();
    assert_eq!(outcome(&told), (1, vec![]));
    // Rows of series are held to what logs and spans have brought.
    let series_limits = SeriesLimits { max_clusters: 3, ..SeriesLimits::default() };
    let sent = |cluster: &str| Batch { series_limits, ..batch(&[("x", NOW + 1, 1.0)]).stamped(cluster.into()) };
    assert_eq!(store.write(sent("b")).await.unwrap().samples, 1);
    assert!(store.write(sent("g")).await.unwrap().left_out.is_some());
    assert!(!store.snapshot().last_samples().contains_key("a"), "logs are no samples");
}
