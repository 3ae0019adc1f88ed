//! Reading the rows that tell of attempts.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::execute_stream;
use futures::TryStreamExt;
use model::time::MIN_TIME_MS;
use promql::functions::range::Boundary;
use storage::{Matcher, Resolved};

use super::super::answer::SeriesPoints;
use super::super::labels::LabelSet;
use super::super::ranges::{self, Bounds};
use super::super::scan::{self, Ground};
use super::attempts::Gap;
use super::sources::{Asked, UpLabels, up};
use crate::error::external;

/// The time of the first row of each source that has one, in milliseconds.
pub(super) async fn begins(ground: &Ground, asked: &[&Asked], now_ms: i64) -> Result<BTreeMap<Asked, i64>> {
    let mut first = BTreeMap::new();
    if asked.is_empty() {
        return Ok(first);
    }
    let by_labels = by_labels(asked);
    let selection = storage::Selection { matchers: up(asked), time_ms: MIN_TIME_MS..=now_ms };
    let Resolved { series } = ground.source.resolve(&selection).await.map_err(external)?;
    for info in series {
        for asked in by_labels.get(&UpLabels::of(&LabelSet::of(&info.key))).into_iter().flatten() {
            let first_ms = first.entry((*asked).clone()).or_insert(info.first_time_ms);
            *first_ms = info.first_time_ms.min(*first_ms);
        }
    }
    Ok(first)
}

/// Hands over each success of the sources within a time; those of one source in their order.
pub(super) async fn successes(
    ground: &Ground,
    context: &Arc<TaskContext>,
    asked: &[&Asked],
    time: Gap,
    mut found: impl FnMut(&Asked, i64),
) -> Result<()> {
    let by_labels = by_labels(asked);
    series(ground, context, up(asked), time, |series| {
        for asked in by_labels.get(&UpLabels::of(&series.labels)).into_iter().flatten() {
            let went_well = series.points.iter().filter(|point| point.value == 1.0);
            went_well.for_each(|point| found(asked, point.time_ms));
        }
    })
    .await
}

/// Hands over the series that fulfil all matchers, with their samples within a time.
pub(super) async fn series(
    ground: &Ground,
    context: &Arc<TaskContext>,
    matchers: Vec<Matcher>,
    time: Gap,
    mut found: impl FnMut(SeriesPoints),
) -> Result<()> {
    let Gap { after_ms, until_ms } = time;
    let selection = storage::Selection { matchers, time_ms: after_ms.saturating_add(1)..=until_ms };
    let bounds = Bounds { range_ms: time.length_ms(), end_ms: until_ms, boundary: Boundary::Open, reach_ms: (0, 0) };
    let plan = scan::plan_ranges(ground, &selection, bounds).await?;
    let mut batches = execute_stream(plan, Arc::clone(context))?;
    while let Some(batch) = batches.try_next().await? {
        let mut all = Vec::new();
        ranges::series(&batch, &mut all)?;
        all.into_iter().for_each(&mut found);
    }
    Ok(())
}

fn by_labels<'a>(asked: &[&'a Asked]) -> BTreeMap<UpLabels, Vec<&'a Asked>> {
    let mut by_labels: BTreeMap<UpLabels, Vec<&Asked>> = BTreeMap::new();
    asked.iter().for_each(|asked| by_labels.entry(asked.up.clone()).or_default().push(asked));
    by_labels
}
