//! The series a query has selected, ready to be asked by row and by page.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, Int64Array, StringViewArray};
use model::SeriesKey;
use model::labels::SortColumns;
use storage::SeriesInfo;

/// Which columns decide whether a row belongs to the selection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    /// Every row belongs to it.
    Everything,
    /// Only name and cluster were asked for, so they decide.
    NameCluster,
    /// Labels were asked for: the whole key decides.
    Series,
}

/// The selected series, sorted by name, cluster, series_id.
#[derive(Debug)]
pub(crate) struct SelectedSeries {
    series: Vec<Arc<SeriesInfo>>,
    /// The id of each.
    ids: Vec<i64>,
    key: Key,
}

/// What is known of the rows of a page, or of several pages beside each other: bounds of each key column.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Bounds<'a> {
    /// Smallest and largest name; `None` if unknown.
    pub(crate) name: Option<(&'a [u8], &'a [u8])>,
    /// Smallest and largest cluster; `None` if unknown.
    pub(crate) cluster: Option<(&'a [u8], &'a [u8])>,
    /// Smallest and largest series_id; `None` if unknown.
    pub(crate) id: Option<(i64, i64)>,
}

impl SelectedSeries {
    /// Takes series that are sorted as the tables are.
    pub(crate) fn new(series: Vec<Arc<SeriesInfo>>, key: Key) -> Self {
        let is_below = |a: &SeriesInfo, b: &SeriesInfo| {
            SeriesKey::table_order_by_id((&a.key, a.id), (&b.key, b.id)) == Ordering::Less
        };
        debug_assert!(series.windows(2).all(|pair| is_below(&pair[0], &pair[1])));
        let ids = series.iter().map(|info| info.id).collect();
        SelectedSeries { series, ids, key }
    }

    /// The series in their order; positions in here are what [`SelectedSeries::position`] returns.
    pub(crate) fn series(&self) -> &[Arc<SeriesInfo>] {
        &self.series
    }

    /// The id of each series.
    pub(crate) fn ids(&self) -> &[i64] {
        &self.ids
    }

    /// Which columns decide about a row.
    pub(crate) fn key(&self) -> Key {
        self.key
    }

    /// Where a series stands among the selected ones.
    pub(crate) fn position(&self, name: &str, cluster: &str, id: i64) -> Option<usize> {
        let row = SortColumns { name, cluster, id };
        self.series.binary_search_by(|s| s.key.columns(s.id).cmp(&row)).ok()
    }

    /// The selected series with this name and cluster.
    pub(crate) fn of_group(&self, name: &str, cluster: &str) -> Range<usize> {
        let start = self.start_of(name, cluster);
        let is_of_group = |s: &Arc<SeriesInfo>| &*s.key.name == name && &*s.key.cluster == cluster;
        start..start + self.series[start..].partition_point(is_of_group)
    }

    /// The first selected series that is not below those with this name and cluster.
    fn start_of(&self, name: &str, cluster: &str) -> usize {
        self.series.partition_point(|s| (&*s.key.name, &*s.key.cluster) < (name, cluster))
    }

    /// Whether any selected series has this name and cluster.
    fn has_group(&self, name: &str, cluster: &str) -> bool {
        self.series
            .get(self.start_of(name, cluster))
            .is_some_and(|s| &*s.key.name == name && &*s.key.cluster == cluster)
    }

    /// Whether the rows of a series are wanted.
    pub(crate) fn wants(&self, name: &str, cluster: &str, id: i64) -> bool {
        match self.key {
            Key::Everything => true,
            Key::NameCluster => self.has_group(name, cluster),
            Key::Series => self.position(name, cluster, id).is_some(),
        }
    }

    /// Whether rows within these bounds may belong to the selection.
    ///
    /// Files are sorted, so where a name begins and ends a stretch, its clusters are sorted too, and so on.
    pub(crate) fn may_contain(&self, bounds: &Bounds<'_>) -> bool {
        if self.key == Key::Everything {
            return true;
        }
        let at = self.series.partition_point(|s| side(s, bounds, self.key) == Ordering::Less);
        self.series.get(at).is_some_and(|s| side(s, bounds, self.key) == Ordering::Equal)
    }
}

/// Where a series lies: below the bounds, within them, above them.
fn side(series: &SeriesInfo, bounds: &Bounds<'_>, key: Key) -> Ordering {
    let Some((min, max)) = bounds.name else { return Ordering::Equal };
    let name = series.key.name.as_bytes();
    match outside(&name, &min, &max) {
        Ordering::Equal if min == max => {}
        other => return other,
    }
    let Some((min, max)) = bounds.cluster else { return Ordering::Equal };
    let cluster = series.key.cluster.as_bytes();
    match outside(&cluster, &min, &max) {
        Ordering::Equal if min == max && key == Key::Series => {}
        other => return other,
    }
    bounds.id.map_or(Ordering::Equal, |(min, max)| outside(&series.id, &min, &max))
}

fn outside<T: Ord>(value: &T, min: &T, max: &T) -> Ordering {
    if value < min {
        Ordering::Less
    } else if value > max {
        Ordering::Greater
    } else {
        Ordering::Equal
    }
}

/// Key columns of a batch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeyColumns<'a> {
    /// `name`.
    pub(crate) name: &'a StringViewArray,
    /// `cluster`.
    pub(crate) cluster: &'a StringViewArray,
    /// `series_id`; without it a run ends only where name or cluster change.
    pub(crate) id: Option<&'a Int64Array>,
}

impl KeyColumns<'_> {
    /// Calls `each` for every stretch of rows with the same key. The same key may come in several stretches.
    pub(crate) fn runs(&self, mut each: impl FnMut(Range<usize>, &str, &str, i64)) {
        let (names, clusters) = (self.name.views(), self.cluster.views());
        let ids = self.id.map(|id| id.values().as_ref());
        let rows = self.name.len();
        let mut start = 0;
        while start < rows {
            let (name, cluster) = (names[start], clusters[start]);
            let id = ids.map_or(0, |ids| ids[start]);
            let mut end = start + 1;
            // Equal views are equal texts; unequal views may be equal texts too, which only ends the stretch early.
            while end < rows && ids.is_none_or(|ids| ids[end] == id) && names[end] == name && clusters[end] == cluster {
                end += 1;
            }
            each(start..end, self.name.value(start), self.cluster.value(start), id);
            start = end;
        }
    }
}
