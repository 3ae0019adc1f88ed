use model::NativeHistogram;
use model::histogram::{BucketCounts, Counts, Span};
use model::labels::LabelsBuilder;
use proptest::prelude::*;

use super::*;

#[path = "../../../fuzz/checks/record.rs"]
mod check;

use check::{Known, metrics, told};

use crate::rows::SeriesList;

fn series(known: &mut Known, number: u8) -> Arc<Series> {
    let mut labels = LabelsBuilder::default();
    labels.push("__name__", "up");
    labels.push("cluster", ["eu", "us"][usize::from(number % 2)]);
    labels.push("n", &number.to_string());
    known.intern(labels.build(None).unwrap(), Kind::Gauge).unwrap()
}

fn rows(known: &mut Known, samples: &[(u8, i64, u64)]) -> Rows {
    let mut rows = Rows::default();
    for (number, time_ms, bits) in samples {
        rows.series.append(SeriesList::from_iter([series(known, *number)]));
        rows.samples.push(Sample {
            series: rows.series.len() as u32 - 1,
            time_ms: *time_ms,
            value: f64::from_bits(*bits),
        });
    }
    rows
}

proptest! {
    #[test]
    fn records_come_back_in_a_process_that_knows_nothing(
        batches in prop::collection::vec(prop::collection::vec((0u8..20, any::<i64>(), any::<u64>()), 0..30), 1..8),
        rotate_every in 1usize..4,
    ) {
        let (mut before, mut after) = (Known::default(), Known::default());
        let (mut writer, mut reader) = (RecordWriter::default(), RecordReader::default());
        for (n, batch) in batches.iter().enumerate() {
            let generation = (n / rotate_every) as u64 + 1;
            let written = rows(&mut before, batch);
            let (mut tag, mut payload) = (Vec::new(), Vec::new());
            writer.write(&written, Origin::Written, generation, &mut tag, &mut payload);
            let (origin, read) = metrics(reader.read(generation, &payload, &mut after).unwrap());
            prop_assert_eq!(origin, Origin::Written);
            prop_assert_eq!(told(&read), told(&written));
            prop_assert_eq!(Summary::read(&tag), Summary::of(&written));
        }
    }

    #[test]
    fn a_damaged_payload_is_an_error_and_never_a_panic(at in 0usize..60, flip in 1u8..) {
        let mut known = Known::default();
        let (mut tag, mut payload) = (Vec::new(), Vec::new());
        let written = rows(&mut known, &[(1, 5, 6), (2, 5, 7)]);
        RecordWriter::default().write(&written, Origin::Carried, 1, &mut tag, &mut payload);
        let at = at % payload.len();
        payload[at] ^= flip;
        let _ = RecordReader::default().read(1, &payload, &mut known);
        let _ = Summary::read(&payload);
    }
}

#[test]
fn rows_whose_definition_is_lost_are_named() {
    let mut known = Known::default();
    let mut writer = RecordWriter::default();
    let mut payloads = Vec::new();
    for number in [1, 2, 1] {
        let (mut tag, mut payload) = (Vec::new(), Vec::new());
        writer.write(&rows(&mut known, &[(number, 5, 6)]), Origin::Written, 1, &mut tag, &mut payload);
        payloads.push(payload);
    }
    let mut reader = RecordReader::default();
    assert!(reader.read(1, &payloads[1], &mut known).is_ok(), "the gap before it is tolerated");
    let lost = reader.read(1, &payloads[2], &mut known).unwrap_err();
    assert!(lost.message().contains("definition of series 0"), "{lost}");
}

#[test]
fn exemplars_and_metadata_come_back() {
    let mut known = Known::default();
    let mut written = Rows::default();
    let labels = vec![("trace_id".to_owned(), "ab".to_owned())];
    written.exemplars.push(ExemplarRow { series: series(&mut known, 3), time_ms: 9, value: 0.5, labels });
    let row = MetadataRow {
        cluster: "eu".into(),
        family: Metadata { name: "up".into(), kind: Kind::Gauge, unit: "".into(), help: "is it up".into() },
        time_ms: 7,
    };
    written.metadata.push(row);
    let (mut tag, mut payload) = (Vec::new(), Vec::new());
    RecordWriter::default().write(&written, Origin::Written, 1, &mut tag, &mut payload);
    let (_, read) = metrics(RecordReader::default().read(1, &payload, &mut Known::default()).unwrap());
    assert_eq!(read.metadata, written.metadata);
    assert_eq!(read.exemplars[0].labels, written.exemplars[0].labels);
    assert_eq!((read.exemplars[0].time_ms, read.exemplars[0].value), (9, 0.5));
}

#[test]
fn histograms_and_starts_come_back() {
    let mut known = Known::default();
    let mut written = rows(&mut known, &[(1, 5, 6)]);
    for (number, time_ms, count) in [(1, 5, 3), (2, 5, 4), (1, -6, 9)] {
        let counts = BucketCounts { count, positive: vec![count], ..BucketCounts::default() };
        let value = NativeHistogram {
            sum: 0.1,
            positive_spans: vec![Span { offset: number, length: 1 }],
            counts: Counts::Integer(counts),
            ..NativeHistogram::stale()
        };
        written.histograms.push(HistogramRow { series: series(&mut known, number as u8), time_ms, value });
    }
    for (number, time_ms, start_ms) in [(3, 7, 1), (1, 7, i64::MIN), (3, 8, i64::MAX)] {
        written.starts.push(StartRow { series: series(&mut known, number), time_ms, start_ms });
    }
    let (mut tag, mut payload) = (Vec::new(), Vec::new());
    RecordWriter::default().write(&written, Origin::Written, 1, &mut tag, &mut payload);
    assert_eq!(payload[0], VERSION_WITH_HISTOGRAMS);
    let (_, read) = metrics(RecordReader::default().read(1, &payload, &mut Known::default()).unwrap());
    let histograms = |rows: &Rows| {
        rows.histograms.iter().map(|row| (row.series.key.clone(), row.time_ms, row.value.clone())).collect::<Vec<_>>()
    };
    let starts = |rows: &Rows| {
        rows.starts.iter().map(|row| (row.series.key.clone(), row.time_ms, row.start_ms)).collect::<Vec<_>>()
    };
    assert_eq!(told(&read), told(&written));
    assert_eq!((histograms(&read), starts(&read)), (histograms(&written), starts(&written)));
    let clusters = Summary::read(&tag).clusters;
    assert_eq!((&clusters["eu"], &clusters["us"]), (&(1, 5..=5), &(6, -6..=8)), "every row counts");
}

#[test]
fn the_seeds_of_the_fuzzer_are_read_or_refused() {
    crate::seeds::replay("record", check::check);
}

#[test]
fn a_record_cannot_ask_for_memory_it_does_not_fill() {
    let mut reader = RecordReader::default();
    let bomb = [&[VERSION, 0][..], &(1u32 << 29).to_le_bytes(), &[0x1f; 64]].concat();
    let error = reader.read(1, &bomb, &mut Known::default()).unwrap_err();
    assert!(error.to_string().contains("larger than it can be"), "{error}");
    assert_eq!(reader.plain.capacity(), 0);
    // No definition, and short ids that begin far above all that were ever defined.
    let mut plain = vec![0];
    put_varint(&mut plain, u64::from(u32::MAX));
    let mut gap = vec![VERSION, 0];
    gap.extend_from_slice(&(plain.len() as u32).to_le_bytes());
    gap.extend_from_slice(&lz4_flex::block::compress(&plain));
    assert!(reader.read(1, &gap, &mut Known::default()).is_err());
    assert_eq!(reader.series.capacity(), 0);
}
