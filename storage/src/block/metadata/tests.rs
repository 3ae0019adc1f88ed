use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use bytes::Bytes;
use model::batch::Kind;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::*;

#[test]
fn brings_back_what_was_written() {
    let family = |name: &str| Metadata {
        name: name.into(),
        kind: Kind::Counter,
        unit: "seconds".into(),
        help: "Zeit, die verging…".into(),
    };
    let (east, west) = (Arc::from("east"), Arc::from("west"));
    let mut bytes = Vec::new();
    let mut writer = MetadataWriter::new(&mut bytes).unwrap();
    writer.push(&east, &family("a"), 5).unwrap();
    writer.push(&west, &family("a"), 3).unwrap();
    assert!(writer.push(&east, &family("a"), 9).is_err());
    writer.push(&east, &family("b"), 4).unwrap();
    let meta = writer.finish().unwrap();
    assert_eq!(meta.rows, 3);
    let bounds = meta.bounds.unwrap();
    assert_eq!((bounds.min_time_ms, bounds.max_time_ms), (3, 5));

    let builder = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(bytes)).unwrap();
    assert_eq!(builder.schema().fields(), Table::Metadata.schema().fields());
    let batch = builder.build().unwrap().next().unwrap().unwrap();
    let row: Vec<&str> = (0..5).map(|column| batch.column(column).as_string::<i32>().value(1)).collect();
    assert_eq!(row, ["a", "west", "counter", "seconds", "Zeit, die verging…"]);
    assert_eq!(batch.column(5).as_primitive::<Int64Type>().values(), &[5, 3, 4]);
}
