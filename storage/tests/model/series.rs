//! The series that histories write to: as a sender names them, and as the store must.
//!
//! Owns: what identity a series has, worked out by hand from DESIGN.md sections 4 and 7.

use std::collections::BTreeMap;

use model::batch::{BatchBuilder, Histogram, Kind, is_stale};
use model::histogram::{BucketCounts, Counts, Span};
use model::{Batch, NativeHistogram};
use xxhash_rust::xxh3::xxh3_64;

/// Name, cluster and all other labels, sorted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Identity {
    pub(crate) name: String,
    pub(crate) cluster: String,
    pub(crate) labels: BTreeMap<String, String>,
}

impl Identity {
    /// xxh3-64 over `name 0xff value 0xff …` in order of the names.
    pub(crate) fn series_id(&self) -> i64 {
        let mut bytes = Vec::new();
        for text in self.labels.iter().flat_map(|(name, value)| [name, value]) {
            bytes.extend_from_slice(text.as_bytes());
            bytes.push(0xff);
        }
        xxh3_64(&bytes) as i64
    }
}

/// Series and time.
pub(crate) type Key = (Identity, i64);

/// The clusters that a server may have decided; the first is "none".
pub(crate) const STAMPS: [Option<&str>; 3] = [None, Some("eu-1"), Some("us-2")];

/// How many series a sender knows.
pub(crate) const SERIES: usize = 24;

/// What a sender says of series `n`: its name and its labels.
fn payload(n: usize) -> (String, Vec<(String, String)>) {
    let (name, labels): (&str, &[(&str, &str)]) = match n {
        0 => ("up", &[("job", "node")]),
        1 => ("up", &[("job", "node"), ("cluster", "eu-1")]),
        2 => ("http_requests_total", &[("path", "/ä,}\"\n"), ("code", "200")]),
        3 => ("http_requests_total", &[("cluster", "us-2"), ("code", "500"), ("exported_cluster", "x")]),
        4 => ("memory_bytes", &[]),
        5 => ("memory_bytes", &[("empty", "")]),
        6 => ("", &[("job", "nameless")]),
        _ => ("queue_length", &[]),
    };
    let mut labels: Vec<(String, String)> = labels.iter().map(|(n, v)| (n.to_string(), v.to_string())).collect();
    if n > 6 {
        labels.push(("queue".into(), format!("q{n}")));
    }
    (name.into(), labels)
}

/// Whether the rows of series `n` are native histograms.
fn has_histograms(n: usize) -> bool {
    n % 4 == 3
}

/// The native histogram that stands for a value: its sum, and buckets that follow from it.
pub(crate) fn distribution(bits: u64) -> NativeHistogram {
    let sum = f64::from_bits(bits);
    if is_stale(sum) {
        return NativeHistogram::stale();
    }
    let positive: Vec<u64> = (0..bits % 5).map(|bucket| (bits >> 9) % 100 + bucket).collect();
    let counts = BucketCounts { count: positive.iter().sum(), positive, ..BucketCounts::default() };
    let float = |counts: &BucketCounts<u64>| BucketCounts {
        count: counts.count as f64,
        positive: counts.positive.iter().map(|count| *count as f64).collect(),
        ..BucketCounts::default()
    };
    NativeHistogram {
        sum,
        start_ms: bits.is_multiple_of(3).then_some((bits % 1000) as i64),
        positive_spans: vec![Span { offset: -1, length: counts.positive.len() as u32 }],
        counts: if bits.is_multiple_of(7) { Counts::Float(float(&counts)) } else { Counts::Integer(counts) },
        ..NativeHistogram::stale()
    }
}

/// The identity of series `n` where the server has decided on `stamp`.
pub(crate) fn identity(n: usize, stamp: Option<&str>) -> Identity {
    let (name, pairs) = payload(n);
    let mut labels: BTreeMap<String, String> = pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    let own = labels.remove("cluster").unwrap_or_default();
    let cluster = match stamp {
        None => own,
        Some(stamp) => {
            if !own.is_empty() && own != stamp {
                let taken = labels.contains_key("exported_cluster");
                let label = if taken { "exported_exported_cluster" } else { "exported_cluster" };
                labels.insert(label.into(), own);
            }
            stamp.to_string()
        }
    };
    Identity { name, cluster, labels }
}

/// Every identity there can be.
pub(crate) fn identities() -> Vec<Identity> {
    let mut all: Vec<Identity> = (0..SERIES).flat_map(|n| STAMPS.map(|stamp| identity(n, stamp))).collect();
    all.sort();
    all.dedup();
    all
}

/// A row as a history writes it: series number, time, value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub(crate) series: usize,
    pub(crate) time_ms: i64,
    pub(crate) bits: u64,
}

/// The batch of these rows, as a sender's body.
pub(crate) fn batch(stamp: Option<&str>, rows: &[Row]) -> Batch {
    let mut builder = BatchBuilder::default();
    let mut known: Vec<Option<u32>> = vec![None; SERIES];
    let mut histograms = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        let series = match known[row.series] {
            // Now and then the same series comes as a second entry of the same batch.
            Some(series) if at % 7 != 6 => series,
            _ => {
                let (name, labels) = payload(row.series);
                let labels: Vec<(&str, &str)> = labels.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
                builder.series(&name, &labels, Kind::ALL[row.series % Kind::ALL.len()])
            }
        };
        known[row.series] = Some(series);
        if has_histograms(row.series) {
            histograms.push(Histogram { series, time_ms: row.time_ms, value: distribution(row.bits) });
        } else {
            builder.sample(series, row.time_ms, f64::from_bits(row.bits));
        }
    }
    let mut batch = builder.build();
    batch.histograms = histograms;
    match stamp {
        Some(stamp) => batch.stamped(stamp.into()),
        None => batch,
    }
}
