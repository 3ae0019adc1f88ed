use model::Batch;
use model::batch::{BatchBuilder, Kind};
use model::files::sim::SimDisk;
use model::time::ManualClock;

use super::super::{Inner, Store};
use super::*;
use crate::{Config, Parts};

fn series(hashes: &[u128]) -> Vec<RawSeries> {
    hashes.iter().map(|hash| RawSeries { labels: 0..0, hash: *hash, kind: Kind::Gauge }).collect()
}

/// The hashes of the whole pieces.
fn whole(hashes: &[u128]) -> Vec<Vec<u128>> {
    let series = series(hashes);
    let whole = pieces(&series, 7).filter(|piece| piece.key.is_some());
    whole.map(|piece| hashes[piece.places].to_vec()).collect()
}

#[test]
fn pieces_are_the_same_wherever_a_batch_begins() {
    // Of every 16 hashes one ends a piece; of the second half none does.
    let hashes: Vec<u128> = (1..=300u128).map(|n| if n < 150 { n * 7 } else { n * 16 + 1 }).collect();
    let all = whole(&hashes);
    assert!(all.len() > 8 && all.iter().any(|piece| piece.len() == MAX_SERIES), "{all:?}");
    for start in 0..hashes.len() {
        for end in [start + 10, start + 100, hashes.len()] {
            let end = end.min(hashes.len());
            let found = whole(&hashes[start..end]);
            assert!(found.iter().all(|piece| all.contains(piece)), "{start}..{end}: {found:?}");
            let covered: usize = pieces(&series(&hashes[start..end]), 7).map(|piece| piece.places.len()).sum();
            assert_eq!(covered, end - start);
        }
    }
}

#[test]
fn the_keys_of_other_series_another_order_and_another_salt_differ() {
    let key = |hashes: &[u128], salt| {
        let mut all = vec![16];
        all.extend_from_slice(hashes);
        pieces(&series(&all), salt).last().and_then(|piece| piece.key)
    };
    let keys = [key(&[1, 2, 32], 0), key(&[2, 1, 32], 0), key(&[1, 2, 48], 0), key(&[2, 32], 0), key(&[1, 2, 32], 1)];
    for (place, one) in keys.iter().enumerate() {
        assert!(one.is_some());
        assert!(keys[..place].iter().all(|other| other != one), "{keys:?}");
    }
}

async fn store() -> Store {
    let parts = Parts { files: Arc::new(SimDisk::new()), clock: Arc::new(ManualClock::new(0)) };
    let config = Config { url: "/store".into(), journal_bytes: 64 << 20, ..Config::default() };
    Store::open(config, parts).await.unwrap()
}

/// A batch of the series with these numbers, each with a sample whose value is its number; every hundredth series is of
/// another cluster.
fn batch(numbers: Range<usize>, kind: Kind) -> Batch {
    let mut builder = BatchBuilder::default();
    for number in numbers {
        let cluster = if number % 100 == 99 { "us" } else { "eu" };
        let series = builder.series("m", &[("cluster", cluster), ("number", &number.to_string())], kind);
        builder.sample(series, 1, number as f64);
    }
    builder.build()
}

/// The stretches that are kept.
fn kept(inner: &Inner) -> usize {
    let stripes = inner.stretches.stripes.iter().map(|stripe| stripe.read());
    stripes.map(|stripe| stripe.values().filter(|found| found.stretch.is_some()).count()).sum()
}

#[tokio::test]
async fn wherever_a_batch_begins_each_sample_is_of_its_series() {
    let store = store().await;
    let inner = &store.0.inner;
    let mut known = 0;
    for (start, end) in [(0, 1000), (3, 1000), (40, 777), (0, 1000), (500, 1200), (990, 1300), (0, 1300)] {
        let (rows, receipt) = inner.clone().resolve(batch(start..end, Kind::Gauge)).await.unwrap();
        assert_eq!(receipt.new_series, end.max(known) - known);
        known = known.max(end);
        assert_eq!((rows.series.len(), rows.samples.len()), (end - start, end - start));
        for sample in &rows.samples {
            let series = rows.series.get(sample.series as usize).unwrap();
            assert_eq!(series.key.labels.get("number").unwrap(), (sample.value as usize).to_string());
        }
        let mut walked = 0;
        for (stretch, first, samples) in rows.series.by_stretch(&rows.samples) {
            for (place, sample) in samples.iter().enumerate() {
                let series = &stretch.series()[(sample.series - first) as usize];
                assert_eq!(series.key.labels.get("number").unwrap(), (sample.value as usize).to_string());
                assert_eq!((&series.key.cluster, sample.series), (stretch.cluster(), samples[0].series + place as u32));
                let target = stretch.targets()[(sample.series - first) as usize];
                assert_eq!((target.shard, target.slot), (series.shard, series.slot));
            }
            walked += samples.len();
        }
        assert_eq!(walked, rows.samples.len());
    }
    assert!(kept(inner) > 20, "{}", kept(inner));
}

#[tokio::test]
async fn another_kind_is_another_stretch() {
    let store = store().await;
    for kind in [Kind::Gauge, Kind::Gauge, Kind::Counter, Kind::Counter, Kind::Gauge] {
        let (rows, _) = store.0.inner.clone().resolve(batch(0..200, kind)).await.unwrap();
        assert!(rows.series.iter().all(|series| series.kind() == kind));
    }
}

#[tokio::test]
async fn series_of_a_stretch_stay_until_nobody_looks_for_it() {
    let store = store().await;
    let inner = &store.0.inner;
    for _ in 0..3 {
        inner.clone().resolve(batch(0..1000, Kind::Gauge)).await.unwrap();
    }
    let before = kept(inner);
    let round = inner.head.begin_round();
    // Half of them are looked for in this round too.
    inner.clone().resolve(batch(0..500, Kind::Gauge)).await.unwrap();
    inner.stretches.release(round);
    let (after, evicted) = (kept(inner), inner.head.evict(round));
    assert!(0 < after && after < before, "{after} of {before}");
    assert!(evicted >= 500, "{evicted}");
    let (rows, receipt) = inner.clone().resolve(batch(0..1000, Kind::Gauge)).await.unwrap();
    assert_eq!((rows.series.len(), receipt.new_series as u64), (1000, evicted));
    inner.stretches.release(round + 1);
    drop(rows);
    assert_eq!((kept(inner), inner.head.evict(round + 1)), (0, 1000));
}
