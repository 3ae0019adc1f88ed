//! A table of real Parquet files on a real folder.

use arrow::array::{ArrayRef, Float64Array, Int8Array, Int64Array, RecordBatch, StringArray};
use model::files::Disk;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::*;

/// A Parquet file of `rows` samples from `start_ms` on, one a second; every other one as a mantissa.
fn samples(start_ms: i64, rows: usize) -> Vec<u8> {
    let odd = |i: usize| i % 2 == 1;
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(vec!["up"; rows])),
        Arc::new(StringArray::from(vec!["eu-1"; rows])),
        Arc::new(Int64Array::from(vec![7; rows])),
        Arc::new((0..rows).map(|i| start_ms + 1000 * i as i64).collect::<Int64Array>()),
        Arc::new((0..rows).map(|i| odd(i).then_some(15)).collect::<Int64Array>()),
        Arc::new((0..rows).map(|i| odd(i).then_some(1)).collect::<Int8Array>()),
        Arc::new((0..rows).map(|i| (!odd(i)).then_some(0.1)).collect::<Float64Array>()),
    ];
    let batch = RecordBatch::try_new(Table::Samples.schema(), columns).unwrap();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_live_files_hold_the_rows_that_the_log_says() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().to_owned();
    let url = Url::from_directory_path(&root).unwrap();
    let fixture = Fixture::on(DurableLocal::open(Arc::new(Disk), &root).unwrap(), url.as_str());
    fixture.clock.set(model::Clock::now_ms(&model::SystemClock));
    let mut table = fixture.open().await.unwrap();
    for n in 1..=12 {
        let mut new = fixture.block(Date(today().0 - (n % 3) as i32), n);
        let rows = 100 * n as usize;
        let bytes = samples(new.block.min_time_ms, rows);
        new.block.rows = rows as u64;
        new.block.size_bytes = bytes.len() as u64;
        new.block.max_time_ms = new.block.min_time_ms + 1000 * (rows as i64 - 1);
        new.keys = Some([("up".into(), "up".into()), ("eu-1".into(), "eu-1".into())]);
        fixture.root.put(&file(&new.block.path), bytes.into()).await.unwrap();
        let txn = Txn { app_id: fixture.journal, position: n };
        table.commit(&Change::add(vec![new], Some(txn))).await.unwrap();
        if n == 8 {
            table.upkeep().checkpoint(8).await.unwrap();
        }
    }
    let expired = table.expire(Date(today().0 - 1)).await.unwrap();
    assert_eq!(expired.len(), 4);
    assert_eq!(sweep(&mut table, &HashSet::new(), 0).await.len(), 4);
    assert_same(&fixture, &table).await;

    let mut rows = 0;
    for block in fixture.open().await.unwrap().live().iter() {
        let bytes = fixture.root.get(&file(&block.path)).await.unwrap().bytes().await.unwrap();
        assert_eq!(bytes.len() as u64, block.size_bytes);
        let read = ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap();
        assert_eq!(read.metadata().file_metadata().num_rows() as u64, block.rows);
        rows += block.rows;
    }
    // 100 × (1 + … + 12) less the third day's 2, 5, 8 and 11.
    assert_eq!(rows, 7_800 - 2_600);
}
