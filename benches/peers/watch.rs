//! What a server takes while it works: its memory, its journal, looked at again and again.

use std::path::Path;
use std::time::Duration;

use tokio::time::MissedTickBehavior;

use crate::Fault;
use crate::process::{Process, folder_bytes};

/// What was seen, in bytes, in the order of time.
#[derive(Debug, Default)]
pub(crate) struct Course {
    pub(crate) resident: Vec<f64>,
    pub(crate) journal: Vec<f64>,
}

/// Looks at a server, whose store is `folder/store`, as often as this while some work is done with it.
pub(crate) async fn watched<T>(
    process: &Process,
    folder: &Path,
    every: Duration,
    work: impl Future<Output = Result<T, Fault>>,
) -> Result<(T, Course), Fault> {
    tokio::pin!(work);
    let (mut course, mut ticks) = (Course::default(), tokio::time::interval(every));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            done = &mut work => return Ok((done?, course)),
            _ = ticks.tick() => {
                course.resident.push(process.resident_bytes()? as f64);
                course.journal.push(folder_bytes(&folder.join("store/local/journal"))? as f64);
            }
        }
    }
}

/// How the mean of the last quarter is to that of the second one: the first is for warming up.
pub(crate) fn growth(values: &[f64]) -> f64 {
    let quarter = values.len() / 4;
    mean(&values[values.len() - quarter..]) / mean(&values[quarter..2 * quarter])
}

/// The greatest of all.
pub(crate) fn most(values: &[f64]) -> f64 {
    values.iter().copied().fold(0.0, f64::max)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}
