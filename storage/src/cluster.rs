//! What the store knows of its clusters while it runs: the newest sample of each, and how many series it has.
//!
//! Owns: whether one more cluster, or one more series of a cluster, is within the limits, and which label makes it grow.
//! Does not own: the limits (each batch brings those of its sender), what becomes of the rows (`store::resolve`).

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use model::batch::SeriesLimits;
use model::{Error, ErrorKind, Labels, SeriesKey};
use parking_lot::{Mutex, RwLock};

/// The milliseconds of a minute.
const MINUTE_MS: i64 = 60_000;
/// The first new series of a minute, of which it is told what they differ in.
const REMEMBERED: usize = 512;

/// The characters of a cluster's name that a message shows: a sender who makes names up makes long ones too.
const SHOWN: usize = 60;

/// All clusters, by name. None is forgotten: when one was last heard of is asked most of those that are silent.
#[derive(Debug, Default)]
pub(crate) struct Clusters(RwLock<BTreeMap<Arc<str>, Arc<ClusterState>>>);

impl Clusters {
    /// What is known of a cluster, which is new if it was not known, and its name as all its series share it: what is the
    /// same is found to be by its address.
    pub(crate) fn entry(&self, name: &Arc<str>) -> (Arc<str>, Arc<ClusterState>) {
        self.known(name).unwrap_or_else(|| {
            let mut clusters = self.0.write();
            let entry = clusters.entry(name.clone());
            (entry.key().clone(), entry.or_default().clone())
        })
    }

    /// As [`Clusters::entry`], for a cluster that may be new only while there are fewer than `max`. That of rows that name none
    /// always may. `rows` says what is left out if it may not.
    ///
    /// # Errors
    /// `Forbidden` if it may not be; it says how many there are.
    pub(crate) fn entry_within(
        &self,
        cluster: &Arc<str>,
        max: u64,
        rows: &dyn Fn() -> String,
    ) -> Result<(Arc<str>, Arc<ClusterState>), Error> {
        if let Some(known) = self.known(cluster) {
            return Ok(known);
        }
        // Held over count and entry, so that two batches cannot both take the last place.
        let mut clusters = self.0.write();
        let count = clusters.len() as u64;
        if count >= max && !cluster.is_empty() && !clusters.contains_key(cluster) {
            return Err(unknown(cluster, (count, max), &rows()));
        }
        let entry = clusters.entry(cluster.clone());
        Ok((entry.key().clone(), entry.or_default().clone()))
    }

    fn known(&self, name: &Arc<str>) -> Option<(Arc<str>, Arc<ClusterState>)> {
        self.0.read().get_key_value(name).map(|(name, state)| (name.clone(), state.clone()))
    }

    /// The newest sample of each cluster, in milliseconds.
    pub(crate) fn last_samples(&self) -> BTreeMap<Arc<str>, i64> {
        let clusters = self.0.read();
        clusters.iter().filter_map(|(name, state)| Some((name.clone(), state.newest_ms()?))).collect()
    }
}

#[cold]
fn unknown(cluster: &str, (count, max): (u64, u64), rows: &str) -> Error {
    let start: String = cluster.chars().take(SHOWN).collect();
    let dots = if start.len() < cluster.len() { "…" } else { "" };
    let text = format!(
        "cluster {start:?}{dots} is new, and there are {count} clusters, the limit for those that a push without a token \
         names is {max} (push.cluster_limit): give the cluster a token, or raise the limit; {rows} left out"
    );
    Error::new(ErrorKind::Forbidden, text)
}

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
            let what = format!("it has {series} series in memory, its limit is {} (series_limit)", limits.max_series);
            return Err(over(key, &what, &mut growth));
        }
        if growth.count >= limits.max_new_series_per_minute {
            let max = limits.max_new_series_per_minute;
            let what = format!(
                "{} of its series are new in this minute, its limit is {max} (new_series_per_minute_limit)",
                growth.count
            );
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
