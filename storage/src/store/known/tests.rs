use model::batch::BatchBuilder;
use model::files::sim::SimDisk;
use model::time::ManualClock;

use super::super::{Inner, Store};
use super::*;
use crate::{Config, Parts};

async fn store() -> Store {
    let parts = Parts { files: Arc::new(SimDisk::new()), clock: Arc::new(ManualClock::new(0)) };
    let config = Config { url: "/store".into(), journal_bytes: 64 << 20, ..Config::default() };
    Store::open(config, parts).await.unwrap()
}

/// A batch of the series that these letters name.
fn batch(letters: &str, kind: Kind, cluster: &str, memo: &Memo) -> Batch {
    let mut builder = BatchBuilder::default();
    for letter in letters.chars() {
        let series = builder.series("m", &[("letter", &letter.to_string())], kind);
        builder.sample(series, 1, 1.0);
    }
    let mut batch = builder.build().stamped(cluster.into());
    batch.memo = Some(memo.clone());
    batch
}

/// The letters of the series that a batch is resolved to, and how many of them are new.
async fn resolved(inner: &Arc<Inner>, batch: Batch) -> (String, usize) {
    let cluster = batch.cluster.clone();
    let (rows, receipt) = inner.clone().resolve(batch).await.unwrap();
    assert!(rows.series.iter().all(|series| Some(&series.key.cluster) == cluster.as_ref()));
    (rows.series.iter().filter_map(|series| series.key.labels.get("letter")).collect(), receipt.new_series)
}

#[tokio::test]
async fn a_batch_gets_its_own_series_whatever_the_last_one_had() {
    let store = store().await;
    let (inner, memo) = (&store.0.inner, Memo::default());
    let batches =
        ["abc", "abc", "ac", "abc", "xabc", "abxc", "c", "", "abcabc", "cba", "abcdefgh", "aefgh", "abcdefgh", "hgz"];
    for letters in batches {
        assert_eq!(resolved(inner, batch(letters, Kind::Gauge, "eu", &memo)).await.0, letters);
    }
    assert_eq!(resolved(inner, batch("hgz", Kind::Gauge, "us", &memo)).await, ("hgz".into(), 3), "of another cluster");
}

#[tokio::test]
async fn the_memo_of_another_store_is_not_looked_at() {
    let (one, other, memo) = (store().await, store().await, Memo::default());
    for store in [&one, &other, &one] {
        let (rows, _) = store.0.inner.clone().resolve(batch("ab", Kind::Gauge, "eu", &memo)).await.unwrap();
        let (entry, made) =
            store.0.inner.head.entry(rows.series.iter().next().unwrap().key.clone(), Kind::Gauge).unwrap();
        assert!(Arc::ptr_eq(&entry, rows.series.iter().next().unwrap()) && !made);
    }
}

#[tokio::test]
async fn what_a_series_measures_is_taken_from_the_newest_batch() {
    let (store, memo) = (store().await, Memo::default());
    for kind in [Kind::Unknown, Kind::Counter, Kind::Counter, Kind::Gauge] {
        let (rows, _) = store.0.inner.clone().resolve(batch("ab", kind, "eu", &memo)).await.unwrap();
        assert!(rows.series.iter().all(|series| series.kind() == kind));
    }
}

#[tokio::test]
async fn series_of_the_last_batch_stay_until_the_sender_goes() {
    let (store, memo) = (store().await, Memo::default());
    let inner = &store.0.inner;
    assert_eq!(resolved(inner, batch("abc", Kind::Gauge, "eu", &memo)).await.1, 3);
    assert_eq!(resolved(inner, batch("ab", Kind::Gauge, "eu", &memo)).await.1, 0);
    let round = inner.head.begin_round();
    assert_eq!(inner.head.evict(round), 1);
    drop(memo);
    assert_eq!(inner.head.evict(round), 2);
    assert_eq!(resolved(inner, batch("abc", Kind::Gauge, "eu", &Memo::default())).await.1, 3);
}
