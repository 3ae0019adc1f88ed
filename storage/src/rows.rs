//! Rows on their way through the store, with their series resolved.

use std::sync::Arc;

use model::NativeHistogram;
use model::batch::{Metadata, Sample};

use crate::series::{Series, SeriesList};

/// Rows of one batch: what is journaled, applied to the head and acknowledged together.
#[derive(Debug, Default, Clone)]
pub(crate) struct Rows {
    /// The series that samples point to.
    pub(crate) series: SeriesList,
    pub(crate) samples: Vec<Sample>,
    pub(crate) histograms: Vec<HistogramRow>,
    pub(crate) starts: Vec<StartRow>,
    pub(crate) exemplars: Vec<ExemplarRow>,
    pub(crate) metadata: Vec<MetadataRow>,
}

/// One row of `histograms`.
#[derive(Debug, Clone)]
pub(crate) struct HistogramRow {
    pub(crate) series: Arc<Series>,
    pub(crate) time_ms: i64,
    pub(crate) value: NativeHistogram,
}

/// One row of `starts`.
#[derive(Debug, Clone)]
pub(crate) struct StartRow {
    pub(crate) series: Arc<Series>,
    /// When that was said, in milliseconds.
    pub(crate) time_ms: i64,
    /// When the series began, in milliseconds.
    pub(crate) start_ms: i64,
}

/// One row of `exemplars`.
#[derive(Debug, Clone)]
pub(crate) struct ExemplarRow {
    pub(crate) series: Arc<Series>,
    pub(crate) time_ms: i64,
    pub(crate) value: f64,
    pub(crate) labels: Vec<(String, String)>,
}

/// One row of `metadata`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MetadataRow {
    pub(crate) cluster: Arc<str>,
    pub(crate) family: Metadata,
    /// When it was said, in milliseconds.
    pub(crate) time_ms: i64,
}

impl ExemplarRow {
    /// Bytes of memory taken, roughly.
    pub(crate) fn memory_bytes(&self) -> i64 {
        let labels = self.labels.iter().map(|(name, value)| 2 * size_of::<String>() + name.len() + value.len());
        (size_of::<Self>() + labels.sum::<usize>()) as i64
    }
}

impl MetadataRow {
    /// Bytes of memory taken, roughly: the row, its name once more as the key, its place in a map.
    pub(crate) fn memory_bytes(&self) -> i64 {
        let Metadata { name, unit, help, .. } = &self.family;
        (size_of::<Self>() + 2 * name.len() + unit.len() + help.len() + 64) as i64
    }
}

impl Rows {
    pub(crate) fn is_empty(&self) -> bool {
        self.samples.is_empty()
            && self.histograms.is_empty()
            && self.starts.is_empty()
            && self.exemplars.is_empty()
            && self.metadata.is_empty()
    }
}
