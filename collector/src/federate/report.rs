//! The rows that tell of the fetching itself: `up` and `scrape_*`, as Prometheus writes them for each scrape.

use bytes::Bytes;
use decode::text::{ENCODING, write_series};
use model::batch::{Kind, STALE_NAN_BITS};
use model::{Batch, source::SourceId};

use super::extend::Extension;

/// What one attempt has to tell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Report {
    /// Whether the rows of the answer were written.
    pub(crate) up: bool,
    /// From the request to the last byte of the body, in seconds.
    pub(crate) duration_seconds: f64,
    /// Rows of the answer.
    pub(crate) samples: u64,
    /// Series that the previous answer did not have.
    pub(crate) series_added: u64,
}

const NAMES: [&str; 5] = [
    "up",
    "scrape_duration_seconds",
    "scrape_samples_scraped",
    "scrape_samples_post_metric_relabeling",
    "scrape_series_added",
];

impl Report {
    /// Adds the rows to the batch of the answer they tell of.
    ///
    /// Their labels are `job` and `instance` of our own configuration: those of the source's targets come with the
    /// answer and are other series.
    pub(crate) fn add_to(&self, batch: &mut Batch, id: &SourceId, time_ms: i64) {
        // Without relabeling, what is left after it is what came.
        let values = [
            f64::from(u8::from(self.up)),
            self.duration_seconds,
            self.samples as f64,
            self.samples as f64,
            self.series_added as f64,
        ];
        add(batch, id, time_ms, values);
    }

    /// The rows alone, for an attempt that has no others.
    pub(crate) fn alone(&self, id: &SourceId, time_ms: i64) -> Batch {
        let mut batch = Batch::new(Bytes::new(), ENCODING);
        self.add_to(&mut batch, id, time_ms);
        batch
    }
}

/// Adds the markers that end these series, when a source leaves the configuration.
pub(crate) fn end(batch: &mut Batch, id: &SourceId, time_ms: i64) {
    add(batch, id, time_ms, [f64::from_bits(STALE_NAN_BITS); 5]);
}

fn add(batch: &mut Batch, id: &SourceId, time_ms: i64, values: [f64; 5]) {
    let mut texts: [String; 5] = Default::default();
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
