//! Rows on their way through the store, with their series resolved.

use std::ops::Range;
use std::sync::Arc;

use model::batch::{Metadata, Sample};
use model::{Logs, NativeHistogram, Spans};

use crate::columnar::Packed;
use crate::series::Series;
use crate::stretch::Stretch;

/// The series of a batch in its order, which its samples point to by their place: stretch behind stretch. Batches with the
/// same series share their stretches.
#[derive(Debug, Clone, Default)]
pub(crate) struct SeriesList {
    stretches: Vec<Arc<Stretch>>,
    /// The place behind the last series of each stretch.
    ends: Vec<u32>,
}

impl SeriesList {
    /// How many series there are.
    pub(crate) fn len(&self) -> usize {
        self.ends.last().map_or(0, |end| *end as usize)
    }

    /// Adds the series of a stretch.
    pub(crate) fn push(&mut self, stretch: Arc<Stretch>) {
        self.ends.push((self.len() + stretch.series().len()) as u32);
        self.stretches.push(stretch);
    }

    /// Adds the series of another list.
    pub(crate) fn append(&mut self, other: Self) {
        other.stretches.into_iter().for_each(|stretch| self.push(stretch));
    }

    /// The stretches, in order.
    pub(crate) fn stretches(&self) -> &[Arc<Stretch>] {
        &self.stretches
    }

    /// The series, in order.
    #[cfg(test)]
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Series>> {
        self.stretches.iter().flat_map(|stretch| stretch.series())
    }

    /// The series at a place.
    pub(crate) fn get(&self, place: usize) -> Option<&Arc<Series>> {
        let (stretch, places) = self.stretch_at(place as u32)?;
        stretch.series().get(place - places.start as usize)
    }

    /// The stretch that a place is in, and the places of its series.
    fn stretch_at(&self, place: u32) -> Option<(&Arc<Stretch>, Range<u32>)> {
        let at = self.ends.partition_point(|end| *end <= place);
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        Some((self.stretches.get(at)?, start..self.ends[at]))
    }

    /// The samples, in order, as many at a time as are of one stretch; with it, and with the place of its first series.
    /// Ends before a sample of no series.
    pub(crate) fn by_stretch<'a>(
        &'a self,
        samples: &'a [Sample],
    ) -> impl Iterator<Item = (&'a Arc<Stretch>, u32, &'a [Sample])> {
        let mut rest = samples;
        std::iter::from_fn(move || {
            let (stretch, places) = self.stretch_at(rest.first()?.series)?;
            let count = rest.iter().take_while(|sample| places.contains(&sample.series)).count();
            let (these, others) = rest.split_at(count);
            rest = others;
            Some((stretch, places.start, these))
        })
    }
}

/// Stretches of these series; a new one begins with each other cluster.
impl FromIterator<Arc<Series>> for SeriesList {
    fn from_iter<I: IntoIterator<Item = Arc<Series>>>(series: I) -> Self {
        let mut list = SeriesList::default();
        let mut open: Vec<Arc<Series>> = Vec::new();
        let mut close = |open: Vec<_>| {
            if let Some(stretch) = Stretch::new(open) {
                list.push(Arc::new(stretch));
            }
        };
        for series in series {
            if open.first().is_some_and(|first| !Arc::ptr_eq(&first.cluster, &series.cluster)) {
                close(std::mem::take(&mut open));
            }
            open.push(series);
        }
        close(open);
        list
    }
}

/// What is journaled, applied to the head and acknowledged together.
#[derive(Debug)]
pub(crate) enum Content {
    /// Rows of series.
    Metrics(Rows),
    /// Log rows.
    Logs(Packed<Logs>),
    /// Spans.
    Spans(Packed<Spans>),
}

/// Rows of series of one batch.
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
