use std::collections::HashSet;
use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;
use futures::TryStreamExt;
use futures::stream::BoxStream;
use model::files::sim::{Fate, SimDisk};
use model::time::{DAY_MS, Date, MAX_TIME_MS, MIN_TIME_MS, ManualClock};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStoreExt, PutMultipartOptions,
    PutOptions, PutPayload, PutResult,
};

use super::*;
use crate::block::Block;
use crate::durable::DurableLocal;

mod log_files;
mod races;
mod real_files;

/// 2026-11-22T00:00:00Z.
const NOW_MS: i64 = 1_795_305_600_000;
const HOUR_MS: i64 = 3_600_000;

/// Deletes the files that nobody references any more, as the store's worker does. Returns their paths.
async fn sweep(table: &mut DeltaTable, uploading: &HashSet<String>, grace_ms: i64) -> Vec<String> {
    let upkeep = table.upkeep();
    let condemned = table.condemn(&upkeep.files().await.unwrap(), uploading, grace_ms);
    upkeep.delete(&condemned).await.unwrap();
    condemned
}

/// A store, a clock and a journal to write with.
struct Fixture {
    root: Arc<dyn ObjectStore>,
    url: Url,
    clock: Arc<ManualClock>,
    journal: Uuid,
}

impl Fixture {
    fn on(root: impl ObjectStore, url: &str) -> Self {
        let clock = Arc::new(ManualClock::new(NOW_MS));
        Fixture { root: Arc::new(root), url: Url::parse(url).unwrap(), clock, journal: Uuid::new_v4() }
    }

    fn in_memory() -> Self {
        Self::on(InMemory::new(), "memory:///")
    }

    async fn open(&self) -> Result<DeltaTable, Error> {
        DeltaTable::open(self.root.clone(), &self.url, Table::Samples, self.clock.clone()).await
    }

    /// A block of one day, `n` tells it from others.
    fn block(&self, date: Date, n: i64) -> NewBlock {
        let start = date.start_ms() + n * 1000;
        let late = n % 3 == 2;
        let block = Block {
            path: format!("date={date}/{n:05}-{}.parquet", Uuid::new_v4()),
            size_bytes: 1000 + n as u64,
            date,
            rows: 10 + n as u64,
            min_time_ms: start,
            max_time_ms: start + 999,
            window_ms: (!late).then_some((start, start + 1000)),
            journal: self.journal,
            gen_min: 0,
            gen_max: 0,
        };
        NewBlock {
            keys: Some([("a \"quoted\" name".into(), "z".into()), ("".into(), "eu-1".into())]),
            ..NewBlock::new(block)
        }
    }

    fn change(&self, n: i64) -> Change {
        Change::add(vec![self.block(today(), n)], Some(Txn { app_id: self.journal, position: n }))
    }

    /// Puts something where a block is to be.
    async fn upload(&self, block: &NewBlock) {
        self.root.put(&file(&block.block.path), "parquet".into()).await.unwrap();
    }

    async fn exists(&self, path: &str) -> bool {
        self.root.head(&file(path)).await.is_ok()
    }

    async fn log_names(&self) -> Vec<String> {
        let files: Vec<_> = self.root.list(Some(&file(LOG))).try_collect().await.unwrap();
        files.into_iter().map(|f| f.location.filename().unwrap().to_owned()).collect()
    }
}

fn today() -> Date {
    Date::of_ms(NOW_MS)
}

fn file(path: &str) -> Path {
    Path::from(format!("samples/{path}"))
}

fn commit_file(version: i64) -> Path {
    file(&format!("{LOG}/{version:020}.json"))
}

fn blocks(table: &DeltaTable) -> Vec<Block> {
    table.live().iter().map(|block| Block::clone(block)).collect()
}

/// A table says the same after it was opened anew.
async fn assert_same(fixture: &Fixture, table: &DeltaTable) {
    let again = fixture.open().await.unwrap();
    assert_eq!(again.version(), table.version());
    assert_eq!(blocks(&again), blocks(table));
    assert_eq!(again.state.txns, table.state.txns);
    assert_eq!(again.state.tombstones, table.state.tombstones);
}

#[tokio::test]
async fn every_table_is_made_and_found_again() {
    let fixture = Fixture::in_memory();
    for table in Table::ALL {
        for _ in 0..2 {
            let opened = DeltaTable::open(fixture.root.clone(), &fixture.url, table, fixture.clock.clone()).await;
            let opened = opened.unwrap();
            assert_eq!((opened.version(), opened.live().len()), (0, 0));
        }
        // The library reads what we wrote, and finds our columns.
        let mut theirs = deltalake_core::DeltaTable::new(log_store(fixture.root.clone(), table).unwrap());
        theirs.load().await.unwrap();
        assert_eq!(theirs.snapshot().unwrap().schema().fields().count(), table.schema().fields().len() + 1);
    }
}

#[tokio::test]
async fn a_commit_is_there_after_reopening() {
    let fixture = Fixture::in_memory();
    let mut table = fixture.open().await.unwrap();
    assert_eq!(table.position(fixture.journal), None);
    let before = table.live();
    let mut written = Vec::new();
    for n in 1..=5 {
        let change = fixture.change(n);
        assert_eq!(table.commit(&change).await.unwrap(), n);
        let block = change.adds[0].block.clone();
        written.push(Block { gen_min: n, gen_max: n, ..block });
    }
    assert_eq!(blocks(&table), written, "with the version as generation, in order of windows");
    assert_eq!(before.len(), 0, "a snapshot taken before does not move");
    assert_eq!(table.position(fixture.journal), Some(5));
    assert_same(&fixture, &table).await;

    let rewritten = NewBlock { keep_generations: true, ..fixture.block(today(), 9) };
    let rewritten = NewBlock { block: Block { gen_min: 1, gen_max: 2, ..rewritten.block }, ..rewritten };
    let paths = written[..2].iter().map(|block| block.path.clone()).collect();
    table.commit(&Change::rewrite(paths, vec![rewritten.clone()])).await.unwrap();
    let found = blocks(&table);
    assert_eq!(found.len(), 4);
    assert!(found.contains(&rewritten.block), "compaction keeps the generations of its rows");
    assert_same(&fixture, &table).await;
}

#[tokio::test]
async fn last_samples_come_back_from_commits_and_checkpoints() {
    let fixture = Fixture::in_memory();
    let mut table = fixture.open().await.unwrap();
    for (n, told) in [(1, &[("eu", 5), ("us", 9)][..]), (2, &[("eu", 7)]), (3, &[])] {
        let mut change = fixture.change(n);
        told.iter().for_each(|(cluster, time_ms)| change.adds[0].last_samples.saw(&(*cluster).into(), *time_ms));
        table.commit(&change).await.unwrap();
    }
    let expected: Vec<(Arc<str>, i64)> = vec![("eu".into(), 7), ("us".into(), 9)];
    let told = |table: &DeltaTable| -> Vec<_> { table.last_samples().iter().map(|(c, t)| (c.clone(), t)).collect() };
    assert_eq!(told(&table), expected);
    assert_eq!(told(&fixture.open().await.unwrap()), expected, "from the commits");
    table.upkeep().checkpoint(table.version()).await.unwrap();
    assert_eq!(told(&fixture.open().await.unwrap()), expected, "from a checkpoint");
}

#[tokio::test]
async fn the_log_holds_what_other_engines_skip_files_by() {
    let fixture = Fixture::in_memory();
    let mut table = fixture.open().await.unwrap();
    table.commit(&fixture.change(1)).await.unwrap();
    let bytes = fixture.root.get(&commit_file(1)).await.unwrap().bytes().await.unwrap();
    let lines: Vec<serde_json::Value> =
        std::str::from_utf8(&bytes).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["commitInfo"]["operation"], "WRITE");
    assert_eq!(lines[0]["commitInfo"]["engineInfo"], concat!("fleetscope/", env!("CARGO_PKG_VERSION")));
    assert_eq!(lines[1]["txn"]["appId"], fixture.journal.to_string());
    assert_eq!(lines[1]["txn"]["version"], 1);
    let add = &lines[2]["add"];
    assert_eq!(add["partitionValues"]["date"], "2026-11-22");
    assert_eq!(add["tags"]["window_start_ms"], (NOW_MS + 1000).to_string());
    let stats: serde_json::Value = serde_json::from_str(add["stats"].as_str().unwrap()).unwrap();
    assert_eq!(stats["numRecords"], 11);
    assert_eq!(stats["minValues"]["time_ms"], NOW_MS + 1000);
    assert_eq!(stats["maxValues"]["cluster"], "eu-1");
    assert_eq!(stats["nullCount"]["time_ms"], 0);
}

#[tokio::test]
async fn a_file_of_another_program_is_tolerated_and_one_outside_is_not() {
    let fixture = Fixture::in_memory();
    fixture.open().await.unwrap();
    let foreign = |path: &str| {
        let add = format!(
            "{{\"add\":{{\"path\":\"{path}\",\"partitionValues\":{{\"date\":\"2026-11-22\"}},\"size\":7,\
             \"modificationTime\":1,\"dataChange\":true,\"stats\":\"{{}}\",\"unknown\":[1]}}}}\n{{\"cdc\":{{}}}}"
        );
        PutPayload::from(add)
    };
    fixture.root.put(&commit_file(1), foreign("date=2026-11-22/a%20b.parquet")).await.unwrap();
    let mut table = fixture.open().await.unwrap();
    let block = blocks(&table).remove(0);
    assert_eq!(block.path, "date=2026-11-22/a b.parquet");
    assert_eq!((block.rows, block.min_time_ms, block.max_time_ms), (0, MIN_TIME_MS, MAX_TIME_MS));
    assert_eq!((block.gen_min, block.window_ms, block.journal), (1, None, Uuid::nil()));
    table.expire(Date(today().0 + 1)).await.unwrap();
    let removal = fixture.root.get(&commit_file(2)).await.unwrap().bytes().await.unwrap();
    assert!(String::from_utf8_lossy(&removal).contains("a%20b"), "a remove names the file as the add did");
    for outside in ["../other/file", "/etc/passwd", "s3://bucket/file", "%2e%2e/file"] {
        fixture.root.put(&commit_file(3), foreign(outside)).await.unwrap();
        assert_eq!(fixture.open().await.unwrap_err().kind(), ErrorKind::Corrupt, "{outside}");
    }
}

#[tokio::test]
async fn a_table_that_is_not_ours_is_refused() {
    let fixture = Fixture::in_memory();
    fixture.open().await.unwrap();
    let root = fixture.root.clone();
    root.rename(&commit_file(0), &Path::from("series").join(LOG).join(format!("{:020}.json", 0))).await.unwrap();
    let other = DeltaTable::open(root, &fixture.url, Table::Series, fixture.clock.clone()).await.unwrap_err();
    assert_eq!(other.kind(), ErrorKind::Invalid);
    assert!(other.to_string().contains("column labels is missing"), "{other}");

    let fixture = Fixture::in_memory();
    fixture.open().await.unwrap();
    let demanding = "{\"protocol\":{\"minReaderVersion\":3,\"minWriterVersion\":7,\
                     \"readerFeatures\":[\"deletionVectors\"],\"writerFeatures\":[\"deletionVectors\"]}}";
    fixture.root.put(&commit_file(1), demanding.into()).await.unwrap();
    let refused = fixture.open().await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Invalid);
    assert!(refused.to_string().contains("deletionVectors"), "{refused}");
}
