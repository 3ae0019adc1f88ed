//! The time of one commit at 10, 1,000 and 10,000 live files on the local disk, each on stable storage, with a
//! snapshot of the version before still held, as a query holds it.
//!
//! Run: `cargo bench -p storage --bench commit`

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use model::SystemClock;
use model::files::Disk;
use model::time::{DAY_MS, Date};
use storage::Table;
use storage::block::Block;
use storage::delta::{Change, DeltaTable, NewBlock, Txn};
use storage::durable::DurableLocal;
use url::Url;
use uuid::Uuid;

const COMMITS: usize = 200;
const DATES: i64 = 15;

/// A block of one of the last days.
fn block(n: i64, journal: Uuid) -> NewBlock {
    let start = (20_000 + n % DATES) * DAY_MS + n * 1000;
    let date = Date::of_ms(start);
    NewBlock::new(Block {
        path: format!("date={date}/{}.parquet", Uuid::new_v4()),
        size_bytes: 1 << 20,
        date,
        rows: 100_000,
        min_time_ms: start,
        max_time_ms: start + 999,
        window_ms: Some((start, start + 1000)),
        journal,
        gen_min: 0,
        gen_max: 0,
    })
}

async fn measure(live_files: i64) -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let root = Arc::new(DurableLocal::open(Arc::new(Disk), folder.path())?);
    let url = Url::from_directory_path(folder.path()).map_err(|()| "the folder has no url")?;
    let mut table = DeltaTable::open(root, &url, Table::Samples, Arc::new(SystemClock)).await?;
    let journal = Uuid::new_v4();
    table.commit(&Change::add((0..live_files).map(|n| block(n, journal)).collect(), None)).await?;
    let mut micros = Vec::with_capacity(COMMITS);
    for n in 0..COMMITS as i64 {
        let held = table.live();
        let change = Change::add(vec![block(live_files + n, journal)], Some(Txn { app_id: journal, position: n }));
        let start = Instant::now();
        table.commit(&change).await?;
        micros.push(start.elapsed().as_micros());
        black_box(held);
    }
    micros.sort_unstable();
    let (p50, p99) = (micros[COMMITS / 2], micros[COMMITS * 99 / 100]);
    println!("live files {live_files:>6}   commit p50 {p50:>6} us   p99 {p99:>6} us");
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    for live_files in [10, 1_000, 10_000] {
        runtime.block_on(measure(live_files))?;
    }
    Ok(())
}
