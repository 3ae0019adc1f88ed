//! Putting the samples of each series of a part together.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};

use super::super::labels::LabelSet;
use super::super::limits::Touched;
use super::super::steps::Samples;
use super::Part;
use super::cursor::Cursor;
use super::histograms::TimeHistogram;
use super::starts::TimeStart;

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
    /// Those of the series that was given last.
    pub(super) samples: Samples,
}

impl Gather {
    /// Starts to read the part with a number.
    ///
    /// # Errors
    /// Those of starting the plans of its inputs.
    pub(super) fn start(
        parts: Arc<[Part]>,
        partition: usize,
        touched: Arc<Touched>,
        context: Arc<TaskContext>,
    ) -> Result<Self> {
        let of_others = MemoryConsumer::new("native histograms and starts").register(context.memory_pool());
        let mut cursors = Vec::new();
        for input in parts.get(partition).iter().flat_map(|part| &part.inputs) {
            cursors.push(Cursor::new(input.execute(0, Arc::clone(&context))?));
        }
        let (others, samples) = (None, Samples::default());
        Ok(Gather { parts, partition, cursors, others, synthetic: 0, touched, context, of_others, samples })
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
        let mut next = histograms.first_key_value().map(|(series, _)| *series);
        for cursor in &mut self.cursors {
            let series = cursor.peek(&part.selected).await?;
            next = [next, series].into_iter().flatten().min();
        }
        self.samples.clear();
        if let Some(of_series) = next.and_then(|series| histograms.remove(&series)) {
            self.samples.histograms = of_series;
        }
        if let Some(of_series) = next.and_then(|series| starts.remove(&series)) {
            self.samples.starts_ms = of_series;
        }
        self.others = Some((histograms, starts));
        let Some(series) = next else { return Ok(None) };
        for cursor in &mut self.cursors {
            while cursor.peek(&part.selected).await? == Some(series) {
                cursor.take(series, &mut self.samples);
            }
        }
        // Inputs hold disjoint stretches of time, but for a few: the samples of each are in order, those of all seldom not.
        self.samples.sort();
        self.touched.add(self.samples.len())?;
        Ok(Some(LabelSet::of(&part.selected.series()[series].key)))
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
