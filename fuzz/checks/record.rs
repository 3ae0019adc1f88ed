//! Any bytes are the payloads and tags of a generation's records, read or refused; rows that are read come back the same.
//!
//! The first byte says whether the payloads are packed already or still to be, so that a fuzzer gets behind LZ4; each
//! has its length in two bytes before it.

use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;

use model::batch::Kind;
use model::{Error, SeriesKey};

use crate::cluster::ClusterState;
use crate::columnar::{Carry, Columnar, Packed};
use crate::record::{Intern, Origin, RecordReader, RecordWriter, Recorded, Summary};
use crate::rows::Rows;
use crate::series::Series;

/// The series that were met so far.
#[derive(Default)]
pub(crate) struct Known(HashMap<SeriesKey, Arc<Series>>);

impl Intern for Known {
    fn intern(&mut self, key: SeriesKey, kind: Kind) -> Result<Arc<Series>, Error> {
        let made = self.0.entry(key.clone()).or_insert_with(|| {
            let id = key.labels.series_id();
            Arc::new(Series::new(key, id, 0, 0, Arc::new(ClusterState::default())))
        });
        made.set_kind(kind);
        Ok(made.clone())
    }
}

fn packed(version: u8, plain: &[u8]) -> Vec<u8> {
    let mut payload = vec![version, 0];
    payload.extend_from_slice(&(plain.len() as u32).to_le_bytes());
    payload.extend_from_slice(&lz4_flex::block::compress(plain));
    payload
}

/// What rows say of samples.
pub(crate) fn told(rows: &Rows) -> Vec<(SeriesKey, i64, u64)> {
    let samples = rows.samples.iter();
    samples.map(|s| (rows.series.get(s.series as usize).unwrap().key.clone(), s.time_ms, s.value.to_bits())).collect()
}

/// What a record holds, where it is rows of series.
pub(crate) fn metrics(recorded: Recorded) -> (Origin, Rows) {
    match recorded {
        Recorded::Metrics(origin, rows) => (origin, rows),
        other => panic!("{other:?} is no metrics"),
    }
}

/// Logs or spans that were read come back the same.
fn columnar<C: Columnar + PartialEq>(rows: Arc<C>, carry: Option<Carry>) {
    let (mut tag, mut payload) = (Vec::new(), Vec::new());
    Packed::new(rows.clone(), carry).write(&mut tag, &mut payload);
    assert!(tag.len() <= 255);
    let again = RecordReader::default().read(1, &payload, &mut Known::default()).expect("what was written is read");
    let again: (Arc<dyn Any + Send + Sync>, _) = match again {
        Recorded::Logs(logs, carry) => (logs, carry),
        Recorded::Spans(spans, carry) => (spans, carry),
        Recorded::Metrics(..) => panic!("columns became rows of series"),
    };
    assert_eq!((again.0.downcast::<C>().expect("the same table"), again.1), (rows, carry));
}

pub(crate) fn check(input: &[u8]) {
    let Some((how, mut rest)) = input.split_first() else { return };
    let _ = Summary::read(input);
    let (mut reader, mut known) = (RecordReader::default(), Known::default());
    let (mut writer, mut reader_again, mut known_again) =
        (RecordWriter::default(), RecordReader::default(), Known::default());
    for _ in 0..4 {
        let Some((len, left)) = rest.split_first_chunk::<2>() else { break };
        let (bytes, left) = left.split_at(usize::from(u16::from_le_bytes(*len)).min(left.len()));
        rest = left;
        let payload = if how & 1 == 0 { packed(1 + (how >> 1 & 3), bytes) } else { bytes.to_vec() };
        let rows = match reader.read(1, &payload, &mut known) {
            Ok(Recorded::Metrics(_, rows)) => rows,
            Ok(Recorded::Logs(logs, carry)) => {
                columnar(logs, carry);
                continue;
            }
            Ok(Recorded::Spans(spans, carry)) => {
                columnar(spans, carry);
                continue;
            }
            Err(_) => continue,
        };
        assert!(rows.samples.capacity() <= payload.len() * 255, "memory for rows that cannot be");
        let (mut tag, mut again) = (Vec::new(), Vec::new());
        writer.write(&rows, Origin::Written, 1, &mut tag, &mut again);
        assert!(tag.len() <= 255);
        let (_, read) = metrics(reader_again.read(1, &again, &mut known_again).expect("what was written is read"));
        assert_eq!(told(&read), told(&rows));
        assert_eq!((read.exemplars.len(), read.metadata.len()), (rows.exemplars.len(), rows.metadata.len()));
        // By their texts, since a NaN is unlike itself.
        let histograms = |rows: &Rows| {
            let said =
                rows.histograms.iter().map(|row| (row.series.key.clone(), row.time_ms, format!("{:?}", row.value)));
            said.collect::<Vec<_>>()
        };
        assert_eq!(histograms(&read), histograms(&rows));
        let starts = |rows: &Rows| rows.starts.iter().map(|row| (row.time_ms, row.start_ms)).collect::<Vec<_>>();
        assert_eq!(starts(&read), starts(&rows));
    }
}
