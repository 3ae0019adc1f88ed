//! What the store knows of a cluster while it runs: its newest sample, and how many series it has.
//!
//! Owns: whether one more series is within the limits of its cluster, and which label makes it grow.
//! Does not own: the limits (each batch brings those of its sender), what becomes of the rows (`store::resolve`).

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use model::batch::SeriesLimits;
use model::{Error, ErrorKind, Labels, SeriesKey};
use parking_lot::Mutex;

/// The milliseconds of a minute.
const MINUTE_MS: i64 = 60_000;
/// The first new series of a minute, of which it is told what they differ in.
const REMEMBERED: usize = 512;

/// One cluster. It outlives the cluster's series.
#[derive(Debug)]
pub(crate) struct ClusterState {
    newest_ms: AtomicI64,
    series: AtomicU64,
    growth: Mutex<Growth>,
}

/// The series that were new in one minute.
#[derive(Debug, Default)]
struct Growth {
    minute: i64,
    count: u64,
    first: Vec<Labels>,
    /// What was found to make them many, once that was asked: it is found once a minute, since the lock is held meanwhile.
    cause: Option<String>,
}

impl Default for ClusterState {
    fn default() -> Self {
        ClusterState { newest_ms: AtomicI64::new(i64::MIN), series: AtomicU64::new(0), growth: Mutex::default() }
    }
}

impl ClusterState {
    /// Takes note of a sample that says that the cluster lives.
    pub(crate) fn saw(&self, time_ms: i64) {
        if time_ms > self.newest_ms.load(Ordering::Relaxed) {
            self.newest_ms.fetch_max(time_ms, Ordering::Relaxed);
        }
    }

    /// The time of the newest sample that says that the cluster lives, in milliseconds.
    pub(crate) fn newest_ms(&self) -> Option<i64> {
        Some(self.newest_ms.load(Ordering::Relaxed)).filter(|time| *time != i64::MIN)
    }

    /// Counts a series that is about to be made.
    ///
    /// # Errors
    /// `TooLarge` if the cluster may not have one more; it says which limit and, as far as it can be told, which label.
    pub(crate) fn admit(&self, key: &SeriesKey, limits: Option<(&SeriesLimits, i64)>) -> Result<(), Error> {
        let limits = limits.filter(|(limits, _)| **limits != SeriesLimits::default());
        let Some((limits, now_ms)) = limits else {
            self.series.fetch_add(1, Ordering::Relaxed);
            return Ok(());
        };
        // Held over both counts, so that two batches cannot both take the last place.
        let mut growth = self.growth.lock();
        let minute = now_ms.div_euclid(MINUTE_MS);
        if growth.minute != minute {
            *growth = Growth { minute, ..Growth::default() };
        }
        let series = self.series.load(Ordering::Relaxed);
        if series >= limits.max_series {
            let what = format!("it has {series} series in memory, its limit is {}", limits.max_series);
            return Err(over(key, &what, &mut growth));
        }
        if growth.count >= limits.max_new_series_per_minute {
            let max = limits.max_new_series_per_minute;
            let what = format!("{} of its series are new in this minute, its limit is {max}", growth.count);
            return Err(over(key, &what, &mut growth));
        }
        growth.count += 1;
        if growth.first.len() < REMEMBERED {
            growth.first.push(key.labels.clone());
        }
        self.series.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Takes back what [`ClusterState::admit`] counted: the series is gone.
    pub(crate) fn release(&self) {
        self.series.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cold]
fn over(key: &SeriesKey, what: &str, growth: &mut Growth) -> Error {
    if growth.cause.is_none() {
        let text = |(label, values)| format!("; label {label:?} makes most of them, with {values} values");
        growth.cause = Some(growth.culprit(&key.labels).map(text).unwrap_or_default());
    }
    let cause = growth.cause.as_deref().unwrap_or_default();
    let cluster = &key.cluster;
    Error::new(ErrorKind::TooLarge, format!("cluster {cluster:?}: {what}{cause}; series {} is left out", key.name))
}

impl Growth {
    /// The label with the most values among the first new series of this minute, and how many.
    fn culprit(&self, refused: &Labels) -> Option<(String, usize)> {
        let mut values: BTreeMap<&str, HashSet<&str>> = BTreeMap::new();
        for labels in self.first.iter().chain([refused]) {
            for (name, value) in labels.iter() {
                values.entry(name).or_default().insert(value);
            }
        }
        let (label, values) = values.into_iter().max_by_key(|(_, values)| values.len())?;
        (values.len() > 1).then(|| (label.to_owned(), values.len()))
    }
}

#[cfg(test)]
mod tests;
