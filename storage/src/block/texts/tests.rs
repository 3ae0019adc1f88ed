use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::file::metadata::PageIndexPolicy;
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use proptest::prelude::*;

use crate::block::{Layout, SamplesWriter};

use super::*;

fn texts(runs: &[(u8, usize)]) -> (Texts, Vec<String>) {
    let (mut texts, mut rows) = (Texts::default(), Vec::new());
    for (value, run) in runs {
        let value: Arc<str> = "é".repeat(usize::from(*value)).into();
        texts.push(&value, *run);
        rows.extend(std::iter::repeat_n(value.to_string(), *run));
    }
    (texts, rows)
}

proptest! {
    #[test]
    fn an_array_says_what_was_pushed(runs in prop::collection::vec((0u8..4, 1usize..5), 0..20)) {
        let (mut gathered, rows) = texts(&runs);
        let array = gathered.take().unwrap();
        let array = array.as_dictionary::<Int32Type>().downcast_dict::<StringArray>().unwrap();
        prop_assert_eq!(array.into_iter().map(|text| text.unwrap().to_owned()).collect::<Vec<_>>(), rows);
    }

    /// Through the stock reader, with pages and row groups of any size.
    #[test]
    fn chunks_read_as_they_were_written(
        runs in prop::collection::vec((1usize..300, 1usize..40), 1..40),
        page_rows in 1usize..50,
        group_rows in 1usize..400,
    ) {
        let mut sink = Vec::new();
        let mut writer = SamplesWriter::with_layout(&mut sink, Layout { page_rows, group_rows, ..Layout::default() }).unwrap();
        let mut expected = Vec::new();
        let mut name = 0;
        for (step, rows) in runs {
            name += step;
            let (name, cluster) = (format!("metric_{name:06}"), format!("cluster-{}", name % 3));
            let labels = model::Labels::empty();
            let key = model::SeriesKey { name: name.as_str().into(), cluster: cluster.as_str().into(), labels };
            let samples: Vec<(i64, u64)> = (0..rows as i64).map(|time| (time, 0)).collect();
            writer.push_series(&key, 7, &samples).unwrap();
            expected.extend((0..rows as i64).map(|time| (name.clone(), cluster.clone(), time)));
        }
        writer.finish().unwrap();
        let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Required);
        let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(Bytes::from(sink), options).unwrap();
        let metadata = builder.metadata().clone();
        prop_assert_eq!(metadata.num_row_groups(), expected.len().div_ceil(group_rows));
        let mut read = Vec::new();
        for batch in builder.build().unwrap().map(Result::unwrap) {
            let (names, clusters) = (batch.column(0).as_string::<i32>(), batch.column(1).as_string::<i32>());
            let times = batch.column(3).as_primitive::<Int64Type>();
            for row in 0..batch.num_rows() {
                read.push((names.value(row).to_owned(), clusters.value(row).to_owned(), times.value(row)));
            }
        }
        prop_assert_eq!(&read, &expected);
        // What the index of pages says of each page is what stands in it.
        let (columns, offsets) = (metadata.column_index().unwrap(), metadata.offset_index().unwrap());
        let mut at = 0;
        for (group, metadata) in metadata.row_groups().iter().enumerate() {
            let rows = metadata.num_rows() as usize;
            for column in [0, 1] {
                let ColumnIndexMetaData::BYTE_ARRAY(index) = &columns[group][column] else { panic!("no index") };
                let pages = offsets[group][column].page_locations();
                let starts = pages.iter().map(|page| page.first_row_index as usize);
                let ends = starts.clone().skip(1).chain([rows]);
                for (page, (start, end)) in starts.zip(ends).enumerate() {
                    prop_assert!(end - start <= page_rows);
                    let texts = || expected[at + start..at + end].iter().map(|row| if column == 0 { &row.0 } else { &row.1 });
                    prop_assert_eq!(index.min_value(page).unwrap(), texts().min().unwrap().as_bytes());
                    prop_assert_eq!(index.max_value(page).unwrap(), texts().max().unwrap().as_bytes());
                }
                let all = || expected[at..at + rows].iter().map(|row| if column == 0 { &row.0 } else { &row.1 });
                let told = metadata.column(column).statistics().unwrap();
                prop_assert_eq!(told.min_bytes_opt(), all().min().map(|text| text.as_bytes()));
                prop_assert_eq!(told.max_bytes_opt(), all().max().map(|text| text.as_bytes()));
            }
            at += rows;
        }
    }
}
