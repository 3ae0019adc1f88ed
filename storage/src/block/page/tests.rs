use std::collections::BTreeMap;

use model::batch::STALE_NAN_BITS;
use model::labels::{CLUSTER_LABEL, LabelsBuilder, NAME_LABEL};
use model::time::Date;
use model::{ErrorKind, SeriesKey};
use object_store::ObjectStoreExt;
use object_store::memory::InMemory;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader};
use proptest::prelude::*;

use super::*;
use crate::block::{Block, Layout, SamplesWriter};
use crate::codec::TimeValue;
use crate::tables::Table;

const ALL: RangeInclusive<i64> = i64::MIN..=i64::MAX;

fn key(name: &str, cluster: &str, number: usize) -> SeriesKey {
    let mut builder = LabelsBuilder::default();
    builder.push(NAME_LABEL, name);
    builder.push(CLUSTER_LABEL, cluster);
    builder.push("number", &number.to_string());
    builder.build(None).unwrap()
}

/// The series of some samples, in the order of the table.
fn series(samples: Vec<Vec<TimeValue>>) -> Vec<(SeriesKey, i64, Vec<TimeValue>)> {
    let names =
        [("a_name_that_is_longer_than_a_view", "eu"), ("a_name_that_is_longer_than_a_view", "us"), ("up", "eu")];
    let mut all: Vec<_> = samples
        .into_iter()
        .enumerate()
        .map(|(number, samples)| {
            let (name, cluster) = names[number % names.len()];
            let key = key(name, cluster, number);
            (key.clone(), key.labels.series_id(), samples)
        })
        .collect();
    all.sort_by(|a, b| SeriesKey::table_order_by_id((&a.0, a.1), (&b.0, b.1)));
    all
}

/// A store with one block of these.
struct Stored {
    store: InMemory,
    block: Block,
    footer: Arc<ParquetMetaData>,
}

async fn stored(series: &[(SeriesKey, i64, Vec<TimeValue>)]) -> Stored {
    let mut bytes = Vec::new();
    let mut writer =
        SamplesWriter::with_layout(&mut bytes, Layout { page_rows: 16, group_rows: 100, ..Layout::default() }).unwrap();
    for (key, id, samples) in series {
        writer.push_series(key, *id, samples).unwrap();
    }
    writer.finish().unwrap();
    let (path, store) = ("date=1970-01-01/0.parquet".to_owned(), InMemory::new());
    let mut reader = ParquetMetaDataReader::new().with_page_index_policy(PageIndexPolicy::Required);
    reader.try_parse(&bytes::Bytes::from(bytes.clone())).unwrap();
    let footer = Arc::new(reader.finish().unwrap());
    let block = Block {
        size_bytes: bytes.len() as u64,
        date: Date::of_ms(0),
        rows: series.iter().map(|(.., samples)| samples.len() as u64).sum(),
        min_time_ms: 0,
        max_time_ms: 0,
        window_ms: None,
        journal: uuid::Uuid::nil(),
        gen_min: 0,
        gen_max: 0,
        path,
    };
    store.put(&Table::Samples.location(&block.path), bytes.into()).await.unwrap();
    Stored { store, block, footer }
}

/// All rows of a file as pages of so many rows at most, in turn.
fn pages(footer: &ParquetMetaData, sizes: &[usize]) -> Vec<PageRows> {
    let (mut pages, mut sizes) = (Vec::new(), sizes.iter().cycle());
    for (group, of_group) in footer.row_groups().iter().enumerate() {
        let (mut at, rows) = (0, of_group.num_rows() as usize);
        while at < rows {
            let end = rows.min(at + sizes.next().unwrap());
            pages.push(PageRows { group, rows: at..end });
            at = end;
        }
    }
    pages
}

type BySeries = BTreeMap<(String, String, i64), Vec<TimeValue>>;

fn unpacked(pages: &[SamplePage], time_ms: &RangeInclusive<i64>) -> BySeries {
    let mut found = BySeries::new();
    for page in pages {
        for group in page.groups() {
            assert!(page.ids()[group.runs.clone()].is_sorted());
            for run in group.runs.clone() {
                let (mut times_ms, mut values) = (vec![7], vec![7.0]);
                page.unpack(run, time_ms, &mut times_ms, &mut values);
                assert_eq!(times_ms.len(), values.len());
                let key = (group.name.to_string(), group.cluster.to_string(), page.ids()[run]);
                let samples = times_ms.into_iter().zip(values.into_iter().map(f64::to_bits));
                found.entry(key).or_default().extend(samples.skip(1));
            }
        }
    }
    found.retain(|_, samples| !samples.is_empty());
    found
}

fn value() -> impl Strategy<Value = u64> {
    prop_oneof![
        8 => (-1_000_000i64..1_000_000).prop_map(|whole| (whole as f64).to_bits()),
        4 => (-1_000_000i64..1_000_000).prop_map(|cents| (cents as f64 / 100.0).to_bits()),
        1 => any::<f64>().prop_map(f64::to_bits),
        1 => Just(STALE_NAN_BITS),
        1 => Just((-0.0f64).to_bits()),
    ]
}

/// Samples of one series: of one kind of value mostly, as they come in use, at distances that are mostly equal.
fn samples() -> impl Strategy<Value = Vec<TimeValue>> {
    let distance = prop_oneof![6 => Just(15_000i64), 1 => 1i64..100_000, 1 => Just(1i64 << 40)];
    let values = prop_oneof![
        prop::collection::vec((0i64..1_000).prop_map(|whole| (whole as f64).to_bits()), 0..40),
        prop::collection::vec(value(), 0..40),
        prop::collection::vec(any::<f64>().prop_map(f64::to_bits), 0..40),
    ];
    (values, prop::collection::vec(distance, 40), -1_000_000i64..1_000_000).prop_map(|(values, distances, start_ms)| {
        let times_ms = distances.into_iter().scan(start_ms, |time_ms, distance| {
            *time_ms += distance;
            Some(*time_ms)
        });
        times_ms.zip(values).collect()
    })
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

proptest! {
    #[test]
    fn pages_give_back_what_was_written(
        mut samples in prop::collection::vec(samples(), 1..8),
        same_times in any::<u8>(),
        sizes in prop::collection::vec(1usize..40, 1..4),
        start_ms in -1_000_000i64..2_000_000,
        length_ms in 0i64..1_000_000,
        keep in any::<u64>(),
    ) {
        // What is scraped together.
        let times_ms: Vec<i64> = samples[0].iter().map(|(time_ms, _)| *time_ms).collect();
        for (_, samples) in samples.iter_mut().enumerate().filter(|(number, _)| same_times >> number & 1 == 1) {
            samples.iter_mut().zip(&times_ms).for_each(|(sample, time_ms)| sample.0 = *time_ms);
            samples.truncate(times_ms.len());
        }
        let series = series(samples);
        let Stored { store, block, footer } = block_on(stored(&series));
        let all = pages(&footer, &sizes);
        let range = start_ms..=start_ms + length_ms;
        let read = block_on(read(&store, &block, &footer, &all)).unwrap();
        prop_assert_eq!(read.len(), all.len());
        for wanted in [range, ALL] {
            let written: BySeries = series
                .iter()
                .map(|(key, id, samples)| {
                    let inside = samples.iter().filter(|(time_ms, _)| wanted.contains(time_ms)).copied();
                    ((key.name.to_string(), key.cluster.to_string(), *id), inside.collect())
                })
                .filter(|(_, samples): &(_, Vec<_>)| !samples.is_empty())
                .collect();
            prop_assert_eq!(unpacked(&read, &wanted), written);
        }
        // Some of the pages are the same as among all.
        let some = |number: usize| keep >> (number % 64) & 1 == 1;
        let of_some: Vec<PageRows> = all.iter().enumerate().filter(|(at, _)| some(*at)).map(|(_, page)| page.clone()).collect();
        let read_some = block_on(super::read(&store, &block, &footer, &of_some)).unwrap();
        let expected = read.into_iter().enumerate().filter(|(at, _)| some(*at)).map(|(_, page)| page);
        prop_assert_eq!(unpacked(&read_some, &ALL), unpacked(&expected.collect::<Vec<_>>(), &ALL));
    }

    #[test]
    fn frames_give_back_any_numbers(
        numbers in prop::collection::vec(prop_oneof![any::<i64>(), -9i64..9, Just(i64::MIN), Just(i64::MAX)], 0..30),
        slope in any::<i64>(),
        cut in (0usize..30, 0usize..30),
    ) {
        let steep: Vec<i64> =
            numbers.iter().enumerate().map(|(at, number)| number.wrapping_add(slope.wrapping_mul(at as i64))).collect();
        for numbers in [numbers, steep] {
            let mut bytes = Vec::new();
            let frame = Frame::pack(&numbers, &mut bytes);
            prop_assert_eq!(bytes.len(), frame.bytes(numbers.len()));
            let end = cut.1.min(numbers.len());
            let range = cut.0.min(end)..end;
            let mut out = vec![1];
            frame.unpack(&bytes, range.clone(), &mut out, |number| number);
            prop_assert_eq!(&out[1..], &numbers[range]);
        }
    }
}

#[test]
fn a_series_at_equal_distances_takes_no_room_for_its_times() {
    let samples: Vec<TimeValue> = (0..60).map(|at| (at * 15_000, (at as f64 * 1000.0).to_bits())).collect();
    let read = block_on(async {
        let Stored { store, block, footer } = stored(&series(vec![samples])).await;
        read(&store, &block, &footer, &pages(&footer, &[100])).await.unwrap()
    });
    assert!(read[0].bytes.is_empty(), "{:?}", read[0]);
}

#[tokio::test]
async fn a_damaged_block_is_told_from_one_that_is_away() {
    let samples = (0..500).map(|at| (at, 1)).collect();
    let Stored { store, block, footer } = stored(&series(vec![samples])).await;
    let all = pages(&footer, &[100]);
    let location = Table::Samples.location(&block.path);
    store.put(&location, vec![0xa5; block.size_bytes as usize].into()).await.unwrap();
    let error = read(&store, &block, &footer, &all).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    assert!(error.message().contains(&block.path), "{error}");
    store.delete(&location).await.unwrap();
    let error = read(&store, &block, &footer, &all).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
}
