use futures::future::join_all;
use model::SeriesKey;
use model::batch::Kind;
use model::labels::{LabelsBuilder, NAME_LABEL};
use model::time::Date;
use object_store::memory::InMemory;

use super::*;
use crate::block::{SamplesWriter, SeriesWriter};
use crate::delta::Live;

/// A store with a block of `series` and one of `samples` on each of some days.
struct Stored {
    store: Arc<InMemory>,
    view: View,
}

fn key() -> SeriesKey {
    let mut builder = LabelsBuilder::default();
    builder.push(NAME_LABEL, "up");
    builder.build(None).unwrap()
}

fn bytes(table: Table, time_ms: i64) -> Vec<u8> {
    let (mut bytes, key) = (Vec::new(), key());
    let id = key.labels.series_id();
    if table == Table::Series {
        let mut writer = SeriesWriter::new(&mut bytes).unwrap();
        writer.push(&key, id, Kind::Gauge, time_ms).unwrap();
        writer.finish().unwrap();
    } else {
        let mut writer = SamplesWriter::new(&mut bytes).unwrap();
        writer.push_series(&key, id, &[(time_ms, 0)]).unwrap();
        writer.finish().unwrap();
    }
    bytes
}

async fn stored(days: i64) -> Stored {
    let store = Arc::new(InMemory::new());
    let mut live = vec![Vec::new(); Table::ALL.len()];
    for table in [Table::Series, Table::Samples] {
        for day in 0..days {
            let (time_ms, path) = (day * DAY_MS, format!("date={}/0.parquet", Date::of_ms(day * DAY_MS)));
            let bytes = bytes(table, time_ms);
            let block = Block {
                size_bytes: bytes.len() as u64,
                date: Date::of_ms(time_ms),
                rows: 1,
                min_time_ms: time_ms,
                max_time_ms: time_ms,
                window_ms: None,
                journal: uuid::Uuid::nil(),
                gen_min: 0,
                gen_max: 0,
                path,
            };
            store.put(&table.location(&block.path), bytes.into()).await.unwrap();
            live[table.place()].push(Arc::new(block));
        }
    }
    let live = live.into_iter().map(|blocks| Live::default().with(blocks)).collect();
    Stored { store, view: View { cut: 0, live, staged_blocks: 0, staged_bytes: 0 } }
}

fn block(view: &View, table: Table, day: usize) -> Arc<Block> {
    view.of(table).iter().nth(day).unwrap().clone()
}

#[tokio::test]
async fn an_index_is_read_once_for_all_who_ask_at_the_same_time() {
    let Stored { store, view } = stored(1).await;
    let (cache, block) = (BlockCache::new(store, 1 << 20), block(&view, Table::Series, 0));
    let all = join_all((0..8).map(|_| cache.series_block(&block))).await;
    let first = all[0].as_ref().unwrap();
    assert!(all.iter().all(|one| Arc::ptr_eq(one.as_ref().unwrap(), first)));
}

#[tokio::test]
async fn what_could_not_be_read_is_tried_again() {
    let Stored { store, view } = stored(1).await;
    let (cache, block) = (BlockCache::new(store.clone(), 1 << 20), block(&view, Table::Samples, 0));
    let location = Table::Samples.location(&block.path);
    let file = store.get(&location).await.unwrap().bytes().await.unwrap();
    store.delete(&location).await.unwrap();
    for error in join_all((0..3).map(|_| cache.footer(Table::Samples, &block))).await {
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Corrupt);
    }
    store.put(&location, file.into()).await.unwrap();
    assert_eq!(cache.footer(Table::Samples, &block).await.unwrap().num_row_groups(), 1);
}

#[tokio::test]
async fn the_newest_day_is_read_before_anyone_asks() {
    let Stored { store, view } = stored(3).await;
    let cache = BlockCache::new(store.clone(), 1 << 20);
    cache.warm(&view).await;
    for table in [Table::Series, Table::Samples] {
        for day in 0..3 {
            store.delete(&table.location(&block(&view, table, day).path)).await.unwrap();
        }
    }
    for (day, is_there) in [(0, false), (1, false), (2, true)] {
        assert_eq!(cache.series_block(&block(&view, Table::Series, day)).await.is_ok(), is_there, "day {day}");
        assert_eq!(
            cache.footer(Table::Samples, &block(&view, Table::Samples, day)).await.is_ok(),
            is_there,
            "day {day}"
        );
    }
}

#[tokio::test]
async fn pages_are_kept_and_forgotten_with_their_block() {
    let Stored { store, view } = stored(2).await;
    let cache = BlockCache::new(store.clone(), 1 << 20);
    let (old, new) = (block(&view, Table::Samples, 0), block(&view, Table::Samples, 1));
    let wanted = [PageRows { group: 0, rows: 0..1 }];
    for block in [&old, &new] {
        let footer = cache.footer(Table::Samples, block).await.unwrap();
        let first = cache.sample_pages(block, &footer, &wanted).await.unwrap();
        let again = cache.sample_pages(block, &footer, &wanted).await.unwrap();
        assert!(Arc::ptr_eq(&first[0], &again[0]));
        store.delete(&Table::Samples.location(&block.path)).await.unwrap();
    }
    let mut live = view.live.clone();
    live[Table::Samples.place()] = Live::default().with([new.clone()]);
    let footer = cache.footer(Table::Samples, &old).await.unwrap();
    cache.forget_dead(&View { live, ..view });
    assert_eq!(cache.sample_pages(&old, &footer, &wanted).await.unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!(cache.sample_pages(&new, &footer, &wanted).await.unwrap().len(), 1);
}
