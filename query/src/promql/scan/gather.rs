//! Putting the samples of each series of a part together.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use futures::future::BoxFuture;
use futures::{StreamExt, TryStreamExt};

use super::super::labels::LabelSet;
use super::super::limits::Touched;
use super::super::steps::Samples;
use super::Part;
use super::cursor::Cursor;
use super::histograms::TimeHistogram;
use super::starts::TimeStart;

/// Cursors that read at the same time.
const READS_AT_ONCE: usize = 16;

/// What is read whole, by the number of the series.
type Others = (BTreeMap<usize, Vec<TimeHistogram>>, BTreeMap<usize, Vec<TimeStart>>);

/// Goes through the series of a part in order.
pub(super) struct Gather {
    parts: Arc<[Part]>,
    partition: usize,
    cursors: Vec<Cursor>,
    /// The histograms and starts of the series that were not given yet, once they are read.
    others: Option<Others>,
    /// How many series that are in no table were given.
    synthetic: usize,
    touched: Arc<Touched>,
    context: Arc<TaskContext>,
    of_others: MemoryReservation,
    of_pages: MemoryReservation,
    /// Those of the series that was given last.
    pub(super) samples: Samples,
}

impl Gather {
    /// Goes through the part with a number.
    pub(super) fn start(
        parts: Arc<[Part]>,
        partition: usize,
        touched: Arc<Touched>,
        context: Arc<TaskContext>,
    ) -> Self {
        let reservation = |what| MemoryConsumer::new(what).register(context.memory_pool());
        let of_others = reservation("native histograms and starts");
        let of_pages = reservation("pages of blocks");
        let cursors = parts.get(partition).map(|part| part.inputs.cursors(&part.selected)).unwrap_or_default();
        let (others, samples) = (None, Samples::default());
        Gather { parts, partition, cursors, others, synthetic: 0, touched, context, of_others, of_pages, samples }
    }

    /// Puts the samples of the next series together; returns its labels.
    ///
    /// # Errors
    /// Those of the inputs, and `TooLarge` if the query has read too many samples.
    pub(super) async fn next(&mut self) -> Result<Option<LabelSet>> {
        let parts = Arc::clone(&self.parts);
        let Some(part) = parts.get(self.partition) else { return Ok(None) };
        if let Some(synthetic) = &part.synthetic {
            if self.synthetic < synthetic.len() {
                // Before they are there: a range may be of centuries.
                self.touched.add(synthetic.samples())?;
                self.of_others.try_resize(synthetic.samples() * size_of::<(i64, f64)>())?;
            }
            let labels = synthetic.read(self.synthetic, &mut self.samples);
            self.synthetic += 1;
            return Ok(labels);
        }
        let (mut histograms, mut starts) = match self.others.take() {
            Some(others) => others,
            None => part.read_others(&self.context, &self.of_others).await?,
        };
        self.read(part, |cursor| cursor.is_waiting()).await?;
        let with_histograms = histograms.first_key_value().map(|(series, _)| *series);
        let next = self.cursors.iter().filter_map(Cursor::peek).chain(with_histograms).min();
        self.samples.clear();
        if let Some(of_series) = next.and_then(|series| histograms.remove(&series)) {
            self.samples.histograms = of_series;
        }
        if let Some(of_series) = next.and_then(|series| starts.remove(&series)) {
            self.samples.starts_ms = of_series;
        }
        self.others = Some((histograms, starts));
        let Some(series) = next else { return Ok(None) };
        // All that is needed is asked for at the same time, then taken in the order in which it was written.
        self.read(part, |cursor| cursor.is_cut_off(series)).await?;
        for cursor in &mut self.cursors {
            cursor.take(series, &part.time_ms, &mut self.samples);
            while cursor.is_waiting() {
                cursor.read(part.inputs.source(), &part.selected).await?;
                cursor.take(series, &part.time_ms, &mut self.samples);
            }
        }
        self.samples.settle();
        self.touched.add(self.samples.len())?;
        Ok(Some(LabelSet::of(&part.selected.series()[series].key)))
    }

    /// Reads on with those cursors that need it.
    async fn read(&mut self, part: &Part, needs: impl Fn(&Cursor) -> bool) -> Result<()> {
        let source = part.inputs.source();
        let mut reads: Vec<BoxFuture<'_, Result<()>>> = Vec::new();
        for cursor in &mut self.cursors {
            if needs(cursor) {
                reads.push(match cursor.is_waiting() {
                    true => Box::pin(cursor.read(source, &part.selected)),
                    false => Box::pin(cursor.read_ahead(source)),
                });
            }
        }
        if reads.is_empty() {
            return Ok(());
        }
        futures::stream::iter(reads).buffer_unordered(READS_AT_ONCE).try_collect::<()>().await?;
        self.of_pages.try_resize(self.cursors.iter().map(Cursor::memory_bytes).sum())
    }
}

impl Part {
    async fn read_others(&self, context: &Arc<TaskContext>, memory: &MemoryReservation) -> Result<Others> {
        let starts = match &self.starts {
            Some(starts) => starts.read(&self.selected, context, memory).await?,
            None => BTreeMap::new(),
        };
        Ok((self.histograms.read(&self.selected, context, memory).await?, starts))
    }
}
