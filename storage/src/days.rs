//! Which series have a row in `series` for which day, so that a cut writes one row per series and day.

use std::collections::{BTreeMap, HashSet};

use model::SeriesKey;
use model::time::Date;
use xxhash_rust::xxh3::xxh3_128_with_seed;

/// Name, cluster and series_id in 128 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct DayKey(u128);

impl DayKey {
    pub(crate) fn of(key: &SeriesKey, id: i64) -> Self {
        let cluster = xxh3_128_with_seed(key.cluster.as_bytes(), id as u64);
        DayKey(xxh3_128_with_seed(key.name.as_bytes(), cluster as u64 ^ (cluster >> 64) as u64))
    }
}

/// So many days are kept; a day that is asked for again is read again.
const KEPT: usize = 64;

/// The series rows of the days that cuts touched.
#[derive(Debug, Default, Clone)]
pub(crate) struct Days {
    days: BTreeMap<Date, (u64, HashSet<DayKey>)>,
    uses: u64,
}

impl Days {
    /// Whether the rows of a day are known.
    pub(crate) fn knows(&self, date: Date) -> bool {
        self.days.contains_key(&date)
    }

    /// Whether the series has a row for the day.
    pub(crate) fn contains(&self, date: Date, key: DayKey) -> bool {
        self.days.get(&date).is_some_and(|(_, series)| series.contains(&key))
    }

    /// Adds rows to a day; the day is known from now on.
    pub(crate) fn add(&mut self, date: Date, series: impl IntoIterator<Item = DayKey>) {
        self.uses += 1;
        let day = self.days.entry(date).or_default();
        day.0 = self.uses;
        day.1.extend(series);
    }

    /// Forgets days that were taken out of the tables: a row that comes for one needs a row of `series` again.
    pub(crate) fn forget_before(&mut self, date: Date) {
        self.days.retain(|day, _| *day >= date);
    }

    /// Forgets the days used longest ago.
    pub(crate) fn trim(&mut self) {
        while self.days.len() > KEPT {
            let oldest = self.days.iter().min_by_key(|(_, (used, _))| *used).map(|(date, _)| *date);
            if let Some(date) = oldest {
                self.days.remove(&date);
            }
        }
    }
}
