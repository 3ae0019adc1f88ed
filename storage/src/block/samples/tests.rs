use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Float64Type, Int8Type, Int64Type};
use bytes::Bytes;
use model::labels::LabelsBuilder;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, Encoding};
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaDataReader};
use proptest::prelude::*;

use super::*;
use crate::block::Bounds;

fn key(name: &str, cluster: &str, labels: &[(&str, &str)]) -> SeriesKey {
    let mut builder = LabelsBuilder::default();
    builder.push("__name__", name);
    builder.push("cluster", cluster);
    labels.iter().for_each(|(name, value)| builder.push(name, value));
    builder.build(None).unwrap()
}

type Series = (SeriesKey, Vec<(i64, u64)>);

fn write(series: &[Series]) -> (Bytes, BlockMeta) {
    let mut bytes = Vec::new();
    let mut writer = SamplesWriter::new(&mut bytes).unwrap();
    for (key, samples) in series {
        writer.push_series(key, key.labels.series_id(), samples).unwrap();
    }
    let meta = writer.finish().unwrap();
    (bytes.into(), meta)
}

/// (name, cluster, series_id, time_ms, bits); a marker has its own bits.
type Row = (String, String, i64, i64, u64);

fn rows_of(batch: &RecordBatch) -> Vec<Row> {
    let (names, clusters) = (batch.column(0).as_string::<i32>(), batch.column(1).as_string::<i32>());
    let ids = batch.column(2).as_primitive::<Int64Type>();
    let times = batch.column(3).as_primitive::<Int64Type>();
    let mantissas = batch.column(4).as_primitive::<Int64Type>();
    let scales = batch.column(5).as_primitive::<Int8Type>();
    let values = batch.column(6).as_primitive::<Float64Type>();
    (0..batch.num_rows())
        .map(|i| {
            assert_eq!(mantissas.is_null(i), scales.is_null(i));
            assert!(mantissas.is_null(i) || values.is_null(i), "a row has two values");
            let bits = if values.is_valid(i) {
                values.value(i).to_bits()
            } else if mantissas.is_valid(i) {
                (mantissas.value(i) as f64 / 10f64.powi(scales.value(i).into())).to_bits()
            } else {
                STALE_NAN_BITS
            };
            (names.value(i).into(), clusters.value(i).into(), ids.value(i), times.value(i), bits)
        })
        .collect()
}

fn read(bytes: &Bytes) -> Vec<Row> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes.clone()).unwrap().build().unwrap();
    reader.flat_map(|batch| rows_of(&batch.unwrap())).collect()
}

fn expected(series: &[Series]) -> Vec<Row> {
    let row = |key: &SeriesKey, time: i64, bits: u64| {
        (key.name.to_string(), key.cluster.to_string(), key.labels.series_id(), time, bits)
    };
    series.iter().flat_map(|(key, samples)| samples.iter().map(move |(time, bits)| row(key, *time, *bits))).collect()
}

#[test]
fn writes_the_schema_of_the_table() {
    let (bytes, _) = write(&[(key("up", "a", &[]), vec![(0, 1f64.to_bits())])]);
    let builder = ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap();
    assert_eq!(builder.schema().fields(), Table::Samples.schema().fields());
}

#[test]
fn brings_back_every_kind_of_value() {
    let bits = |values: &[f64]| values.iter().zip(0..).map(|(v, t)| (t * 15_000, v.to_bits())).collect::<Vec<_>>();
    let mut integers_with_gaps = bits(&[1.0, 2.0, 0.0]);
    integers_with_gaps.insert(1, (7, STALE_NAN_BITS));
    let mut doubles_with_gaps = bits(&[f64::NAN, -0.0, f64::INFINITY, 0.1 + 0.2]);
    doubles_with_gaps.push((1 << 40, STALE_NAN_BITS));
    let series = vec![
        (key("a", "", &[]), integers_with_gaps),
        (key("a", "x", &[]), doubles_with_gaps),
        (key("b", "x", &[]), vec![(-5, STALE_NAN_BITS)]),
        (key("c", "x", &[]), vec![(0, 0x7ff0_0000_0000_0001), (1, 0xfff8_1234_5678_9abc)]),
        (key("d", "x", &[]), bits(&[12.5, 99.25])),
    ];
    let (bytes, meta) = write(&series);
    assert_eq!(read(&bytes), expected(&series));
    assert_eq!(meta.rows, 14);
    assert_eq!(meta.size_bytes, bytes.len() as u64);
    let bounds =
        Bounds { min_time_ms: -5, max_time_ms: 1 << 40, keys: [("a".into(), "d".into()), ("".into(), "x".into())] };
    assert_eq!(meta.bounds, Some(bounds));
}

#[test]
fn the_footer_tells_how_many_rows_are_markers() {
    let count = |bytes: &Bytes| markers(&ParquetMetaDataReader::new().parse_and_finish(bytes).unwrap());
    let whole = (key("a", "", &[]), vec![(0, 0), (1, 1f64.to_bits())]);
    let ended = (key("b", "", &[]), vec![(0, 1f64.to_bits()), (1, STALE_NAN_BITS), (2, STALE_NAN_BITS)]);
    let odd = (key("c", "", &[]), vec![(0, f64::NAN.to_bits()), (1, STALE_NAN_BITS)]);
    let (with, _) = write(&[whole.clone(), ended, odd]);
    let (without, _) = write(&[whole]);
    assert_eq!((count(&with), count(&without)), (Some(3), Some(0)));
    assert_eq!(count(&write(&[]).0), Some(0));
}

#[test]
fn a_block_without_rows_is_a_file_without_rows() {
    let (bytes, meta) = write(&[(key("a", "", &[]), vec![])]);
    assert!(read(&bytes).is_empty());
    assert_eq!((meta.rows, meta.bounds), (0, None));
}

#[test]
fn refuses_what_is_out_of_order() {
    let (a, b) = (key("a", "", &[]), key("b", "", &[]));
    let mut writer = SamplesWriter::new(Vec::new()).unwrap();
    writer.push_series(&b, b.labels.series_id(), &[(0, 0)]).unwrap();
    assert!(writer.push_series(&a, a.labels.series_id(), &[(0, 0)]).is_err());
    assert!(writer.push_series(&b, b.labels.series_id(), &[(0, 0)]).is_err());
    let mut writer = SamplesWriter::new(Vec::new()).unwrap();
    assert!(writer.push_series(&a, a.labels.series_id(), &[(1, 0), (1, 0)]).is_err());
}

/// Many series with enough rows for several pages and batches.
fn wide() -> Vec<Series> {
    let mut keys: Vec<SeriesKey> = (0..700)
        .map(|i| key(["node_a", "node_b"][i % 2], ["east", "west"][i / 2 % 2], &[("instance", &i.to_string())]))
        .collect();
    keys.sort_by(SeriesKey::table_order);
    let samples = |i: usize| (0..240).map(|t| (t * 15_000, ((i as i64 * 7 + t * t) as f64 / 8.0).to_bits())).collect();
    keys.into_iter().enumerate().map(|(i, key)| (key, samples(i))).collect()
}

#[test]
fn encodes_as_the_design_says() {
    let series = wide();
    let (bytes, _) = write(&series);
    assert_eq!(read(&bytes), expected(&series));
    let policy = PageIndexPolicy::Required;
    let metadata = ParquetMetaDataReader::new().with_page_index_policy(policy).parse_and_finish(&bytes).unwrap();
    assert_eq!(metadata.num_row_groups(), 1);
    let group = metadata.row_group(0);
    assert_eq!(group.sorting_columns().map(Vec::len), Some(4));
    for column in group.columns() {
        let name = column.column_path().string();
        assert!(matches!(column.compression(), Compression::ZSTD(_)), "{name}");
        assert!(column.bloom_filter_offset().is_none(), "{name}");
        let pages = column.page_encoding_stats_mask().unwrap();
        let wanted = match name.as_str() {
            "time_ms" | "mantissa" => Encoding::DELTA_BINARY_PACKED,
            "value" => Encoding::PLAIN,
            _ => Encoding::RLE_DICTIONARY,
        };
        assert!(pages.is_only(wanted), "{name}: {pages:?}");
        let keyed = ["name", "cluster", "series_id", "time_ms"].contains(&name.as_str());
        assert_eq!(column.statistics().is_some_and(|s| s.min_bytes_opt().is_some()), keyed, "{name}");
    }
    let pages = metadata.offset_index().unwrap()[0][2].page_locations.len();
    assert!(pages > 5, "series_id has {pages} pages");
}

fn double() -> impl Strategy<Value = u64> {
    prop_oneof![
        any::<u64>(),
        any::<i32>().prop_map(|i| f64::from(i).to_bits()),
        (any::<i32>(), 0..12).prop_map(|(i, scale)| (f64::from(i) / 10f64.powi(scale)).to_bits()),
        prop::sample::select(vec![
            STALE_NAN_BITS,
            (-0.0f64).to_bits(),
            1,
            0x7ff8_0000_0000_0001,
            0x4340_0000_0000_0000
        ]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_samples_come_back(series in prop::collection::vec(prop::collection::btree_map(-9i64..90, double(), 0..40), 1..12)) {
        let key_of = |i: usize| key(&format!("m{i:02}"), "c", &[]);
        let series: Vec<Series> =
            series.into_iter().enumerate().map(|(i, samples)| (key_of(i), samples.into_iter().collect())).collect();
        let (bytes, _) = write(&series);
        prop_assert_eq!(read(&bytes), expected(&series));
    }
}
