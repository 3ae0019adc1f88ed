//! Since when series count: read whole before the first series is given, since there are few a day.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::common::Result;
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::MemoryReservation;
use datafusion::physical_plan::ExecutionPlan;
use model::time::DAY_MS;
use storage::Table;

use super::blocks;
use crate::error::external;
use crate::scan::membership::{longs, views};
use crate::scan::selected::SelectedSeries;
use crate::source::Source;

/// What a start takes in memory, with its share of the map it is in.
const START_BYTES: usize = 64;

/// The time of the sample that told a start, and the start, in milliseconds.
pub(super) type TimeStart = (i64, i64);

/// Where the starts of some series are.
#[derive(Debug)]
pub(super) struct Inputs {
    blocks: Vec<Arc<dyn ExecutionPlan>>,
    /// What is in no block yet, of whatever series.
    head: Vec<RecordBatch>,
}

impl Inputs {
    /// Those that say since when the samples of the selected series in a range of time count.
    ///
    /// # Errors
    /// Those of the snapshot.
    pub(super) async fn find(
        source: &Source,
        selected: &Arc<SelectedSeries>,
        time_ms: &RangeInclusive<i64>,
    ) -> Result<Self> {
        // Each day has a row of its own.
        let time_ms = time_ms.start().div_euclid(DAY_MS) * DAY_MS..=*time_ms.end();
        let blocks = blocks::plans(source, Table::Starts, selected, &time_ms).await?;
        let head = source.head_rows(Table::Starts).await.map_err(external)?;
        Ok(Inputs { blocks, head })
    }

    /// Reads them: of each series that has some its number, and its starts in order of time.
    ///
    /// # Errors
    /// Those of the blocks, and `ResourcesExhausted` if the memory does not suffice.
    pub(super) async fn read(
        &self,
        selected: &SelectedSeries,
        context: &Arc<TaskContext>,
        memory: &MemoryReservation,
    ) -> Result<BTreeMap<usize, Vec<TimeStart>>> {
        let mut found = BTreeMap::<usize, BTreeMap<i64, i64>>::new();
        blocks::read(&self.blocks, context, |batch| read_batch(batch, selected, &mut found, memory)).await?;
        for batch in &self.head {
            read_batch(batch, selected, &mut found, memory)?;
        }
        Ok(found.into_iter().map(|(series, by_time)| (series, by_time.into_iter().collect())).collect())
    }
}

fn read_batch(
    batch: &RecordBatch,
    selected: &SelectedSeries,
    found: &mut BTreeMap<usize, BTreeMap<i64, i64>>,
    memory: &MemoryReservation,
) -> Result<()> {
    let [name, cluster, id, time_ms, start_ms, ..] = batch.columns() else { return Ok(()) };
    let (names, clusters) = (views(name)?, views(cluster)?);
    let (ids, times_ms, starts_ms) = (longs(id)?, longs(time_ms)?, longs(start_ms)?);
    for row in 0..batch.num_rows() {
        let Some(series) = selected.position(names.value(row), clusters.value(row), ids.value(row)) else { continue };
        memory.try_grow(START_BYTES)?;
        found.entry(series).or_default().insert(times_ms.value(row), starts_ms.value(row));
    }
    Ok(())
}
