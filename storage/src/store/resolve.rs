//! From a batch to rows: each series looked up, or made if it is new.
//!
//! No row is kept of a batch that is refused. The entries that it made of new series are: they hold no sample, so nobody
//! sees them, and go as idle series go.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;
use std::sync::Arc;

use model::batch::Sample;
use model::labels::LabelsBuilder;
use model::time::{self, Date};
use model::{Batch, Error, ErrorKind, LeftOut, LeftOutReason, NativeHistogram, Receipt};

use super::known::{Known, Walk};
use super::{Family, Inner, Said, stretches};
use crate::rows::{ExemplarRow, HistogramRow, MetadataRow, Rows, SeriesList, StartRow};
use crate::series::Series;

/// A batch of more series than this is resolved off the async runtime.
const INLINE_SERIES: usize = 2000;

impl Inner {
    /// Resolves a batch.
    ///
    /// # Errors
    /// `Invalid` if a series or a time of the batch cannot be stored; it is named.
    pub(super) async fn resolve(self: Arc<Self>, batch: Batch) -> Result<(Rows, Receipt), Error> {
        if batch.series.len() <= INLINE_SERIES {
            return self.resolve_now(batch);
        }
        tokio::task::spawn_blocking(move || self.resolve_now(batch))
            .await
            .map_err(|e| Error::internal("resolving a batch panicked").with_source(e))?
    }

    fn resolve_now(&self, mut batch: Batch) -> Result<(Rows, Receipt), Error> {
        let mut receipt = Receipt::default();
        let series = self.resolve_series(&mut batch, &mut receipt)?;
        receipt.samples = batch.samples.len() + batch.histograms.len();
        let count = series.len();
        for sample in &batch.samples {
            if sample.series as usize >= count || !time::in_range(sample.time_ms) {
                return Err(unfit(sample, &series));
            }
        }
        let mut rows = Rows { samples: batch.samples, ..Rows::default() };
        for histogram in batch.histograms {
            let Some(series) = series.get(histogram.series as usize) else {
                return Err(Error::internal("a native histogram of no series of its batch"));
            };
            check_time(histogram.time_ms, series)?;
            let (series, time_ms, value) = (series.clone(), histogram.time_ms, histogram.value);
            // Of one that ends its series nothing else counts, and its parts need not fit.
            let value = if value.is_stale() { NativeHistogram::stale() } else { value };
            rows.histograms.push(HistogramRow { series, time_ms, value });
        }
        for start in batch.starts {
            let Some(series) = series.get(start.series as usize) else {
                return Err(Error::internal("a start of no series of its batch"));
            };
            check_time(start.time_ms, series)?;
            check_time(start.start_ms, series)?;
            let row = StartRow { series: series.clone(), time_ms: start.time_ms, start_ms: start.start_ms };
            if !row.series.has_start(&row) {
                rows.starts.push(row);
            }
        }
        for exemplar in batch.exemplars {
            let Some(series) = series.get(exemplar.series as usize) else {
                return Err(Error::internal("an exemplar of no series of its batch"));
            };
            check_time(exemplar.time_ms, series)?;
            let (series, time_ms, value) = (series.clone(), exemplar.time_ms, exemplar.value);
            rows.exemplars.push(ExemplarRow { series, time_ms, value, labels: exemplar.labels });
        }
        rows.series = series;
        self.resolve_metadata(batch.metadata, batch.cluster, &mut rows);
        Ok((rows, receipt))
    }

    /// The series that the rows of a batch point to. Rows of those beyond a limit leave the batch.
    fn resolve_series(&self, batch: &mut Batch, receipt: &mut Receipt) -> Result<SeriesList, Error> {
        let salt = batch.salt();
        let known = Known::of(batch, &self.head);
        if let Some(all) = known.as_ref().and_then(|known| known.all(batch, salt)) {
            return Ok(all);
        }
        let walk = known.as_ref().map(|known| known.walk());
        let mut search = Search::new(self, batch, salt, walk);
        let list = match &batch.memo {
            Some(_) => search.all(0..batch.series.len())?,
            None => search.by_stretches()?,
        };
        receipt.new_series = search.made;
        let left_out = search.left_out;
        if left_out.is_any() {
            receipt.left_out = Some(Box::new(left_out.remove_from(batch)));
        } else if let Some(memo) = &batch.memo {
            Known::remember(memo, batch, salt, &self.head, &list);
        }
        Ok(list)
    }

    /// Takes what is said of metric families, unless the same was said today.
    fn resolve_metadata(&self, said: Vec<model::batch::Metadata>, cluster: Option<Arc<str>>, rows: &mut Rows) {
        if said.is_empty() {
            return;
        }
        let (cluster, time_ms) = (cluster.unwrap_or_else(|| Arc::from("")), self.clock.now_ms());
        let known = self.metadata.lock();
        for family in said {
            let row = MetadataRow { cluster: cluster.clone(), family, time_ms };
            let (key, print) = fingerprint(&row);
            if known.get(&key) != Some(&print) {
                rows.metadata.push(row);
            }
        }
    }
}

/// The look-up of the series of one batch.
struct Search<'a> {
    inner: &'a Inner,
    batch: &'a Batch,
    salt: u128,
    /// Through the last batch of a sender that has a memo.
    walk: Option<Walk<'a>>,
    now_ms: i64,
    builder: LabelsBuilder,
    left_out: Missing,
    /// How many series are new.
    made: usize,
}

impl<'a> Search<'a> {
    fn new(inner: &'a Inner, batch: &'a Batch, salt: u128, walk: Option<Walk<'a>>) -> Self {
        let now_ms = inner.clock.now_ms();
        let (builder, left_out) = (LabelsBuilder::default(), Missing::default());
        Search { inner, batch, salt, walk, now_ms, builder, left_out, made: 0 }
    }

    /// All series of the batch, those that came one behind the other before as one.
    fn by_stretches(&mut self) -> Result<SeriesList, Error> {
        let (stretches, head) = (&self.inner.stretches, &self.inner.head);
        let mut list = SeriesList::default();
        for piece in stretches::pieces(&self.batch.series, self.salt) {
            if let Some(stretch) = stretches.get(&piece, head) {
                list.push(stretch);
                continue;
            }
            let kind_changes = head.kind_changes();
            let found = self.all(piece.places.clone())?;
            if let [stretch] = found.stretches()
                && found.len() == piece.places.len()
            {
                stretches.note(&piece, head, kind_changes, stretch);
            }
            list.append(found);
        }
        Ok(list)
    }

    /// The series at these places of the batch, but for those that are left out.
    fn all(&mut self, places: Range<usize>) -> Result<SeriesList, Error> {
        let mut found = Vec::with_capacity(places.len());
        for place in places {
            found.extend(self.one(place)?);
        }
        Ok(found.into_iter().collect())
    }

    /// The series at a place of the batch; `None` if it is left out.
    fn one(&mut self, place: usize) -> Result<Option<Arc<Series>>, Error> {
        let (inner, batch, raw) = (self.inner, self.batch, &self.batch.series[place]);
        let hash = raw.hash ^ self.salt;
        let known = match &mut self.walk {
            Some(walk) => walk.find(hash).cloned(),
            None if batch.memo.is_some() => None,
            None => inner.raw.get(hash),
        };
        if let Some(series) = known {
            inner.head.set_kind(&series, raw.kind);
            return Ok(Some(series));
        }
        let key = match batch.key(place, &mut self.builder) {
            Err(error) if batch.unchecked_labels.is_some() && error.kind() != ErrorKind::Internal => {
                let is_long = error.kind() == ErrorKind::TooLarge;
                let reason = if is_long { LeftOutReason::LabelLimit } else { LeftOutReason::InvalidLabels };
                self.left_out.push(place, reason, &format!("{}, in series {}", error.message(), shown(batch, place)));
                return Ok(None);
            }
            key => key?,
        };
        let (series, made) = match inner.head.entry_within(key, raw.kind, Some((&batch.series_limits, self.now_ms))) {
            Err(error) if error.kind() == ErrorKind::TooLarge => {
                self.left_out.push(place, LeftOutReason::SeriesLimit, error.message());
                return Ok(None);
            }
            Err(error) if error.kind() == ErrorKind::Forbidden => {
                self.left_out.push(place, LeftOutReason::ClusterLimit, error.message());
                return Ok(None);
            }
            // Its id is that of another series: its neighbours are not to blame.
            Err(error) if batch.unchecked_labels.is_some() && error.kind() == ErrorKind::Invalid => {
                self.left_out.push(place, LeftOutReason::InvalidLabels, error.message());
                return Ok(None);
            }
            entry => entry?,
        };
        self.made += usize::from(made);
        if batch.memo.is_none() {
            inner.raw.insert(hash, &series);
        }
        Ok(Some(series))
    }
}

/// A series for a message, as far as its labels can be read.
fn shown(batch: &Batch, index: usize) -> String {
    let mut labels = LabelsBuilder::default();
    // What is wrong with them is told already; those before it were read.
    let _ = batch.read_labels(index, &mut labels);
    let mut text = labels.pairs().map(|(name, value)| format!("{name}={value:?}")).collect::<Vec<_>>().join(",");
    if let Some((cut, _)) = text.char_indices().nth(400) {
        text.truncate(cut);
        text.push('…');
    }
    format!("{{{text}}}")
}

/// The series of a batch that are left out.
#[derive(Default)]
struct Missing {
    /// Their places in the batch, ascending.
    places: Vec<(usize, LeftOutReason)>,
    told: LeftOut,
}

impl Missing {
    fn is_any(&self) -> bool {
        !self.places.is_empty()
    }

    #[cold]
    fn push(&mut self, place: usize, reason: LeftOutReason, message: &str) {
        self.told.push(place as u32, reason, message);
        self.places.push((place, reason));
    }

    /// Takes their rows out of the batch; the others point to the places that their series have without them.
    fn remove_from(mut self, batch: &mut Batch) -> LeftOut {
        // The new place of each series, or where it stands among the missing.
        let mut places: Vec<Result<u32, usize>> = Vec::with_capacity(batch.series.len());
        let (mut missing, mut next) = (0, 0);
        for place in 0..batch.series.len() {
            if self.places.get(missing).is_some_and(|(other, _)| *other == place) {
                places.push(Err(missing));
                missing += 1;
            } else {
                places.push(Ok(next));
                next += 1;
            }
        }
        let mut rows = vec![0; self.places.len()];
        let mut stays = |series: &mut u32, counts: usize| match places.get(*series as usize) {
            Some(Ok(new)) => {
                *series = *new;
                true
            }
            Some(Err(missing)) => {
                rows[*missing] += counts;
                false
            }
            // A row of no series at all is refused later, by name.
            None => true,
        };
        let before = (batch.samples.len(), batch.histograms.len(), batch.exemplars.len());
        batch.samples.retain_mut(|row| stays(&mut row.series, 1));
        batch.histograms.retain_mut(|row| stays(&mut row.series, 1));
        batch.exemplars.retain_mut(|row| stays(&mut row.series, 1));
        // A start comes with a row and is none of its own.
        batch.starts.retain_mut(|row| stays(&mut row.series, 0));
        for ((_, reason), rows) in self.places.iter().zip(rows) {
            self.told.add_rows(*reason, rows);
        }
        self.told.samples = before.0 - batch.samples.len();
        self.told.histograms = before.1 - batch.histograms.len();
        self.told.exemplars = before.2 - batch.exemplars.len();
        self.told
    }
}

/// What tells whether the same was said of a family on the same day.
pub(super) fn fingerprint(row: &MetadataRow) -> (Family, Said) {
    let mut hasher = DefaultHasher::new();
    (row.family.kind as u8, &row.family.unit, &row.family.help).hash(&mut hasher);
    ((row.cluster.clone(), row.family.name.clone()), (Date::of_ms(row.time_ms), hasher.finish()))
}

/// What is wrong with a sample.
#[cold]
fn unfit(sample: &Sample, series: &SeriesList) -> Error {
    let found = series.get(sample.series as usize).map(|series| check_time(sample.time_ms, series));
    found.and_then(Result::err).unwrap_or_else(|| Error::internal("a sample of no series of its batch"))
}

fn check_time(time_ms: i64, series: &Series) -> Result<(), Error> {
    if time::in_range(time_ms) {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "time {time_ms} ms of series {}{:?} is outside the years 1 to 9999",
        series.key.name, series.key.labels
    )))
}
