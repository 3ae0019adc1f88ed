//! Writes the rows that tell of the fetching itself into the batch of the answer.

use bytes::Bytes;
use decode::text::{ENCODING, write_series};
use model::batch::Kind;
use model::{Batch, source::SourceId};

use super::extend::Extension;
use crate::report::{ENDED, NAMES, Report};

/// Adds the rows to the batch of the answer they tell of.
///
/// Their labels are `job` and `instance` of our own configuration: those of the source's targets come with the
/// answer and are other series.
pub(crate) fn add_to(batch: &mut Batch, report: &Report, id: &SourceId, time_ms: i64) {
    add(batch, id, time_ms, report.values());
}

/// The rows alone, for an attempt that has no others.
pub(crate) fn alone(report: &Report, id: &SourceId, time_ms: i64) -> Batch {
    let mut batch = Batch::new(Bytes::new(), ENCODING);
    add_to(&mut batch, report, id, time_ms);
    batch
}

/// Adds the markers that end these series, when a source leaves the configuration.
pub(crate) fn end(batch: &mut Batch, id: &SourceId, time_ms: i64) {
    add(batch, id, time_ms, ENDED);
}

fn add(batch: &mut Batch, id: &SourceId, time_ms: i64, values: [f64; NAMES.len()]) {
    let mut texts: [String; NAMES.len()] = Default::default();
    for (text, name) in texts.iter_mut().zip(NAMES) {
        let labels = [("instance", id.instance.as_str()), ("job", id.job.as_str())];
        // Writing to a string cannot fail.
        let _ = write_series(text, name, labels);
    }
    let mut extension = Extension::of(batch, texts.iter().map(String::len).sum());
    for (text, value) in texts.iter().zip(values) {
        extension.push(text.as_bytes(), Kind::Gauge, time_ms, value);
    }
    extension.finish(batch);
}
