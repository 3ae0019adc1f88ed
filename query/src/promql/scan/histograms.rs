//! Native histograms of a scan: read whole before the first series is given, since they are few beside samples.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::common::Result;
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::MemoryReservation;
use datafusion::physical_plan::ExecutionPlan;
use promql::histogram::FloatHistogram;
use storage::Table;

use super::super::cells::histogram_bytes;
use super::blocks;
use crate::error::external;
use crate::rows;
use crate::scan::membership::{longs, views};
use crate::scan::selected::SelectedSeries;
use crate::source::Source;

/// A histogram with its time in milliseconds.
pub(super) type TimeHistogram = (i64, FloatHistogram);

/// Where the native histograms of some series are.
#[derive(Debug, Default)]
pub(super) struct Inputs {
    /// Blocks, the one whose rows win over those of others last.
    blocks: Vec<Arc<dyn ExecutionPlan>>,
    /// What is in no block yet: of the series with this number its histograms with their times.
    head: Vec<(usize, Vec<TimeHistogram>)>,
}

impl Inputs {
    /// Those of the selected series in a range of time.
    ///
    /// # Errors
    /// Those of the snapshot.
    pub(super) async fn find(
        source: &Source,
        selected: &Arc<SelectedSeries>,
        time_ms: &RangeInclusive<i64>,
    ) -> Result<Self> {
        let blocks = blocks::plans(source, Table::Histograms, selected, time_ms).await?;
        let head =
            source.head_histograms(selected.series(), time_ms.clone()).into_iter().map(|(series, histograms)| {
                let floats = histograms.iter().map(|(time_ms, histogram)| (*time_ms, FloatHistogram::from(histogram)));
                (series, floats.collect())
            });
        Ok(Inputs { blocks, head: head.collect() })
    }

    /// Reads them: of each series that has some its number, and its histograms in order of time.
    ///
    /// # Errors
    /// Those of the blocks, and `ResourcesExhausted` if the memory does not suffice.
    pub(super) async fn read(
        &self,
        selected: &SelectedSeries,
        context: &Arc<TaskContext>,
        memory: &MemoryReservation,
    ) -> Result<BTreeMap<usize, Vec<TimeHistogram>>> {
        let mut found = BTreeMap::<usize, BTreeMap<i64, FloatHistogram>>::new();
        blocks::read(&self.blocks, context, |batch| read_batch(batch, selected, &mut found, memory)).await?;
        for (series, histograms) in &self.head {
            for (time_ms, histogram) in histograms {
                memory.try_grow(histogram_bytes(histogram))?;
                found.entry(*series).or_default().insert(*time_ms, histogram.clone());
            }
        }
        Ok(found.into_iter().map(|(series, by_time)| (series, by_time.into_iter().collect())).collect())
    }
}

fn read_batch(
    batch: &RecordBatch,
    selected: &SelectedSeries,
    found: &mut BTreeMap<usize, BTreeMap<i64, FloatHistogram>>,
    memory: &MemoryReservation,
) -> Result<()> {
    let [name, cluster, id, time_ms, ..] = batch.columns() else { return Ok(()) };
    let (names, clusters, ids, times_ms) = (views(name)?, views(cluster)?, longs(id)?, longs(time_ms)?);
    for row in 0..batch.num_rows() {
        let Some(series) = selected.position(names.value(row), clusters.value(row), ids.value(row)) else { continue };
        let histogram = FloatHistogram::from(&rows::histogram(batch, row).map_err(external)?);
        memory.try_grow(histogram_bytes(&histogram))?;
        found.entry(series).or_default().insert(times_ms.value(row), histogram);
    }
    Ok(())
}
