//! The way back: what a collector once wrote and has to know again after a restart.

use std::ops::RangeInclusive;

use async_trait::async_trait;

use crate::{Error, Logs, NativeHistogram, SeriesKey};

/// The newest row of a series.
#[derive(Debug, Clone, PartialEq)]
pub struct Newest {
    /// Its time, in milliseconds since the Unix epoch.
    pub time_ms: i64,
    /// Since when the series counts, if that is known.
    pub start_ms: Option<i64>,
    /// What it says.
    pub value: NewestValue,
}

/// What the newest row of a series says.
#[derive(Debug, Clone, PartialEq)]
pub enum NewestValue {
    /// A sample.
    Number(f64),
    /// A native histogram.
    Histogram(Box<NativeHistogram>),
}

/// Finds rows again. Collectors know nothing else of queries.
#[async_trait]
pub trait Recall: Send + Sync {
    /// The samples of the series `name` of `cluster` that have `label` with this value, in any order: their times within
    /// `time_ms`, in milliseconds since the Unix epoch, and their values. Staleness markers are left out.
    ///
    /// # Errors
    /// `Busy` if too much is being asked, `Unavailable` or `Timeout` if the store could not be read: asking again may
    /// help. Never a part of the rows.
    async fn recall(
        &self,
        cluster: &str,
        name: &str,
        label: (&str, &str),
        time_ms: RangeInclusive<i64>,
    ) -> Result<Vec<(i64, f64)>, Error>;

    /// The newest row of each series since `from_ms`, in the order of the series; staleness markers are no rows, nor are
    /// native histograms whose counts are no whole numbers. For series that nobody writes twice at one time.
    ///
    /// # Errors
    /// As [`Recall::recall`].
    async fn newest(&self, series: &[SeriesKey], from_ms: i64) -> Result<Vec<Option<Newest>>, Error>;

    /// The log rows of `cluster` whose times are within `time_unix_nano`, in nanoseconds since the Unix epoch, in any order. Of
    /// each there are its time, its body, its ids and its attributes, those of its resource too; the other columns are left
    /// out.
    ///
    /// # Errors
    /// As [`Recall::recall`].
    async fn logs(&self, cluster: &str, time_unix_nano: RangeInclusive<i64>) -> Result<Logs, Error>;
}
