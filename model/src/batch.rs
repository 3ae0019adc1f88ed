//! A batch: what a decoder makes of a body, in the form the store can take without copying a label.

mod memo;

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use xxhash_rust::xxh3::{xxh3_64, xxh3_128_with_secret, xxh3_128_with_seed};

pub use memo::Memo;

use crate::histogram::NativeHistogram;
use crate::labels::{LabelsBuilder, SeriesKey};
use crate::{Error, ErrorKind};

/// The NaN whose bits say "this series ended here".
///
/// Source: `StaleNaN` in Prometheus' `model/value/value.go`.
pub const STALE_NAN_BITS: u64 = 0x7ff0_0000_0000_0002;

/// Bytes of the secret of [`Batch::hash`]: as many as the library's own has.
const SECRET_BYTES: usize = 192;

/// Whether a value is the staleness marker; every other NaN is data.
#[inline]
pub fn is_stale(value: f64) -> bool {
    value.to_bits() == STALE_NAN_BITS
}

/// Takes the labels of one series out of the bytes a decoder left for it. Pure, and total over any bytes.
///
/// It pushes labels in any order, `__name__` among them; it is called only for a series the store does not know.
pub type ReadLabels = fn(RawLabels<'_>, &mut LabelsBuilder) -> Result<(), Error>;

/// The labels of one series as a decoder left them.
#[derive(Debug, Clone, Copy)]
pub struct RawLabels<'a> {
    /// The bytes of this series, out of the body.
    pub bytes: &'a [u8],
    /// The whole body.
    pub body: &'a [u8],
    /// See [`Batch::symbols`].
    pub symbols: &'a [Range<u32>],
}

impl<'a> RawLabels<'a> {
    /// Labels whose bytes say everything.
    pub fn of(bytes: &'a [u8]) -> Self {
        RawLabels { bytes, body: bytes, symbols: &[] }
    }
}

/// A way of writing labels down: its name, which keeps equal bytes of two encodings apart, and its reader.
#[derive(Clone, Copy)]
pub struct LabelEncoding {
    /// A short fixed word: `text`, `remote-write`.
    pub name: &'static str,
    /// The reader.
    pub read: ReadLabels,
}

impl fmt::Debug for LabelEncoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// What a series measures, where the sender said so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
#[repr(u8)]
pub enum Kind {
    /// Nobody said.
    #[default]
    Unknown = 0,
    /// It only grows, but for resets.
    Counter = 1,
    /// It goes up and down.
    Gauge = 2,
    /// A part of a classic histogram.
    Histogram = 3,
    /// A part of a summary.
    Summary = 4,
    /// Always 1, the labels are the message.
    Info = 5,
    /// One of a set of states.
    StateSet = 6,
}

impl Kind {
    /// All kinds, in the order of their numbers.
    pub const ALL: [Kind; 7] =
        [Kind::Unknown, Kind::Counter, Kind::Gauge, Kind::Histogram, Kind::Summary, Kind::Info, Kind::StateSet];

    /// The word in the tables.
    pub fn as_str(self) -> &'static str {
        ["unknown", "counter", "gauge", "histogram", "summary", "info", "stateset"][self as usize]
    }

    /// The kind of a number that `kind as u8` gave.
    pub fn from_u8(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

/// One series of a batch: where its label bytes are, and their hash.
#[derive(Debug, Clone)]
pub struct RawSeries {
    /// The range of [`Batch::body`] that [`LabelEncoding::read`] understands.
    pub labels: Range<u32>,
    /// [`Batch::hash`] of what these bytes say: of themselves, or, where they refer to [`Batch::symbols`], of something
    /// that is the same for the same text in every batch.
    pub hash: u128,
    /// What it measures.
    pub kind: Kind,
}

/// One sample of a batch.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// Index into [`Batch::series`].
    pub series: u32,
    /// Milliseconds since the Unix epoch.
    pub time_ms: i64,
    /// Any double, bit for bit; [`STALE_NAN_BITS`] ends the series.
    pub value: f64,
}

/// One native histogram of a batch.
#[derive(Debug, Clone)]
pub struct Histogram {
    /// Index into [`Batch::series`].
    pub series: u32,
    /// Milliseconds since the Unix epoch.
    pub time_ms: i64,
    /// The distribution; it is sound ([`NativeHistogram::validate`]).
    pub value: NativeHistogram,
}

/// Since when the samples of a series count, where its sender says so: the last time that it began at zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    /// Index into [`Batch::series`].
    pub series: u32,
    /// The time of the sample that came with it, in milliseconds since the Unix epoch.
    pub time_ms: i64,
    /// When the series began, in milliseconds since the Unix epoch.
    pub start_ms: i64,
}

/// One exemplar of a batch: a sample that points at a trace.
#[derive(Debug, Clone)]
pub struct Exemplar {
    /// Index into [`Batch::series`].
    pub series: u32,
    /// Milliseconds since the Unix epoch.
    pub time_ms: i64,
    /// The observed value.
    pub value: f64,
    /// Labels of the exemplar, `trace_id` and `span_id` among them, in the sender's order.
    pub labels: Vec<(String, String)>,
}

/// What a sender says of a metric family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// The family's name.
    pub name: String,
    /// What it measures.
    pub kind: Kind,
    /// Its unit; empty if unknown.
    pub unit: String,
    /// Its help text; empty if unknown.
    pub help: String,
}

/// How many series the cluster of a batch may have, and how many clusters there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeriesLimits {
    /// Series in memory: those written in the last hours. Default: no limit.
    pub max_series: u64,
    /// Series that are new in one minute. Default: no limit.
    pub max_new_series_per_minute: u64,
    /// Clusters that the store may know once the batch has brought its own: for rows that say themselves which cluster they
    /// are of. Default: no limit.
    pub max_clusters: u64,
}

impl Default for SeriesLimits {
    fn default() -> Self {
        SeriesLimits { max_series: u64::MAX, max_new_series_per_minute: u64::MAX, max_clusters: u64::MAX }
    }
}

/// What the labels of a series must keep to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LabelLimits {
    /// Labels of one series, the name not counted.
    pub max_labels: usize,
    /// Bytes of a metric name or label name.
    pub max_name_bytes: usize,
    /// Bytes of a label value.
    pub max_value_bytes: usize,
}

impl LabelLimits {
    /// Checks the labels of a series, which must have a name.
    ///
    /// # Errors
    /// `Invalid` without a name, `TooLarge` for too many labels or too long ones.
    fn check(&self, labels: &LabelsBuilder) -> Result<(), Error> {
        if labels.len() > self.max_labels + 1 {
            let what = format!("a series has more than {} labels", self.max_labels);
            return Err(Error::new(ErrorKind::TooLarge, what));
        }
        let mut has_name = false;
        for (name, value) in labels.pairs() {
            let is_metric = name == crate::labels::NAME_LABEL;
            has_name |= is_metric && !value.is_empty();
            let max_value_bytes = if is_metric { self.max_name_bytes } else { self.max_value_bytes };
            for (part, bytes, limit) in
                [("name", name.len(), self.max_name_bytes), ("value", value.len(), max_value_bytes)]
            {
                if bytes > limit {
                    let what =
                        format!("the {part} of label {} has {bytes} bytes, the limit is {limit}", start_of(name));
                    return Err(Error::new(ErrorKind::TooLarge, what));
                }
            }
        }
        if !has_name {
            let what = if labels.is_empty() { "a series has no labels" } else { "a series has no name" };
            return Err(Error::invalid(what));
        }
        Ok(())
    }
}

/// The start of a text, for a message.
fn start_of(text: &str) -> String {
    const SHOWN: usize = 60;
    match text.char_indices().nth(SHOWN) {
        Some((cut, _)) => format!("{:?} and {} more bytes", &text[..cut], text.len() - cut),
        None => format!("{text:?}"),
    }
}

/// Rows on their way into a store, with the labels still as the sender wrote them.
///
/// A store looks a series up by hash and reads its labels only if it has never met it, so a batch of known series costs
/// no allocation for a label. Written whole or not at all, but for the rows of series beyond [`Batch::series_limits`] and of
/// those whose labels are bad where [`Batch::unchecked_labels`].
#[derive(Debug, Clone)]
pub struct Batch {
    /// The decoded body; series point into it.
    pub body: Bytes,
    /// How the label bytes are to be read.
    pub encoding: LabelEncoding,
    /// Texts within the body that label bytes refer to by number, where the encoding has such.
    pub symbols: Vec<Range<u32>>,
    /// The cluster that the server has decided; `None` leaves the sender's own `cluster` label in force.
    pub cluster: Option<Arc<str>>,
    /// The series of this batch. The same series may come twice.
    pub series: Vec<RawSeries>,
    /// The samples, in any order.
    pub samples: Vec<Sample>,
    /// The native histograms, in any order.
    pub histograms: Vec<Histogram>,
    /// Since when series count. One that says what the series' row before says may be left out.
    pub starts: Vec<Start>,
    /// The exemplars, in any order.
    pub exemplars: Vec<Exemplar>,
    /// What the sender said of metric families.
    pub metadata: Vec<Metadata>,
    /// Where the store remembers the series of this batch, if the sender has such a place.
    pub memo: Option<Memo>,
    /// What labels must keep to, where the decoder has not looked at them: the store does, at those of series that it does
    /// not know. The rows of bad ones are left out, and the receipt says so. `None` where the decoder has looked.
    pub unchecked_labels: Option<LabelLimits>,
    /// How many series the cluster may have. The rows of those beyond are left out, and the receipt says so.
    pub series_limits: SeriesLimits,
    /// How long the rows may wait for others to be made durable with; for senders whom a later answer costs nothing.
    pub patience: Duration,
}

impl Batch {
    /// A batch without rows over `body`.
    pub fn new(body: Bytes, encoding: LabelEncoding) -> Self {
        Batch {
            body,
            encoding,
            symbols: Vec::new(),
            cluster: None,
            series: Vec::new(),
            samples: Vec::new(),
            histograms: Vec::new(),
            starts: Vec::new(),
            exemplars: Vec::new(),
            metadata: Vec::new(),
            memo: None,
            unchecked_labels: None,
            series_limits: SeriesLimits::default(),
            patience: Duration::ZERO,
        }
    }

    /// Decides the cluster of every row.
    pub fn stamped(mut self, cluster: Arc<str>) -> Self {
        self.cluster = Some(cluster);
        self
    }

    /// The hash of a series' label bytes: xxh3-128, with a secret of this process so that no sender can aim at a collision.
    pub fn hash(labels: &[u8]) -> u128 {
        xxh3_128_with_secret(labels, secret())
    }

    /// What to mix into each [`RawSeries::hash`] so that equal bytes under another cluster or encoding stay apart.
    pub fn salt(&self) -> u128 {
        let cluster = self.cluster.as_deref().unwrap_or("\u{0}");
        xxh3_128_with_seed(cluster.as_bytes(), xxh3_64(self.encoding.name.as_bytes()))
    }

    /// Reads the labels of series `index` into `builder`, in place of what that held.
    ///
    /// # Errors
    /// `Invalid` if the labels are not acceptable, `Internal` if `index` or its range is outside the batch.
    pub fn read_labels(&self, index: usize, builder: &mut LabelsBuilder) -> Result<(), Error> {
        let raw = self.series.get(index).ok_or_else(|| Error::internal(format!("no series {index} in the batch")))?;
        let bytes = self
            .body
            .get(raw.labels.start as usize..raw.labels.end as usize)
            .ok_or_else(|| Error::internal(format!("series {index} points outside the body")))?;
        builder.clear();
        (self.encoding.read)(RawLabels { bytes, body: &self.body, symbols: &self.symbols }, builder)
    }

    /// Reads the labels of series `index` and makes its key; `builder` is scratch space.
    ///
    /// # Errors
    /// As [`Batch::read_labels`], and `TooLarge` if they break [`Batch::unchecked_labels`].
    pub fn key(&self, index: usize, builder: &mut LabelsBuilder) -> Result<SeriesKey, Error> {
        self.read_labels(index, builder)?;
        if let Some(limits) = &self.unchecked_labels {
            limits.check(builder)?;
        }
        builder.build(self.cluster.as_ref())
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
            && self.histograms.is_empty()
            && self.starts.is_empty()
            && self.exemplars.is_empty()
            && self.metadata.is_empty()
    }
}

/// Drawn once per process. A seed would do the same, but the library makes a secret of it anew for each hash.
fn secret() -> &'static [u8; SECRET_BYTES] {
    static SECRET: OnceLock<[u8; SECRET_BYTES]> = OnceLock::new();
    SECRET.get_or_init(|| {
        let random = RandomState::new();
        let mut secret = [0; SECRET_BYTES];
        for (place, word) in secret.chunks_exact_mut(8).enumerate() {
            word.copy_from_slice(&random.hash_one(place).to_le_bytes());
        }
        secret
    })
}

/// The plain encoding for batches that the program makes itself: `name 0xff value 0xff …`, `__name__` included.
pub const PLAIN: LabelEncoding = LabelEncoding { name: "plain", read: read_plain };

fn read_plain(raw: RawLabels<'_>, labels: &mut LabelsBuilder) -> Result<(), Error> {
    let mut fields = raw.bytes.split(|b| *b == 0xff);
    while let Some(name) = fields.next().filter(|name| !name.is_empty()) {
        let value = fields.next().ok_or_else(|| Error::internal("plain labels end after a name"))?;
        labels.push_bytes(name, value)?;
    }
    Ok(())
}

/// Writes labels in the [`PLAIN`] encoding, in the order given.
pub fn write_plain<'a>(labels: impl IntoIterator<Item = (&'a str, &'a str)>, into: &mut Vec<u8>) {
    for text in labels.into_iter().flat_map(|(name, value)| [name, value]) {
        into.extend_from_slice(text.as_bytes());
        into.push(0xff);
    }
}

/// Makes a batch from owned labels, for the few rows that the program makes itself (`up`, tests, examples).
#[derive(Debug, Default)]
pub struct BatchBuilder {
    body: Vec<u8>,
    series: Vec<RawSeries>,
    samples: Vec<Sample>,
}

impl BatchBuilder {
    /// Adds a series and returns its index for [`BatchBuilder::sample`].
    pub fn series(&mut self, name: &str, labels: &[(&str, &str)], kind: Kind) -> u32 {
        let start = self.body.len();
        write_plain([(crate::labels::NAME_LABEL, name)].iter().chain(labels).copied(), &mut self.body);
        let hash = Batch::hash(&self.body[start..]);
        self.series.push(RawSeries { labels: start as u32..self.body.len() as u32, hash, kind });
        self.series.len() as u32 - 1
    }

    /// Adds a sample of a series.
    pub fn sample(&mut self, series: u32, time_ms: i64, value: f64) {
        self.samples.push(Sample { series, time_ms, value });
    }

    /// The batch.
    pub fn build(self) -> Batch {
        let mut batch = Batch::new(Bytes::from(self.body), PLAIN);
        batch.series = self.series;
        batch.samples = self.samples;
        batch
    }
}

#[cfg(test)]
mod tests;
