//! Which rows of a block a query has to read, told by its page index alone.

use std::ops::{Range, RangeInclusive};

use datafusion::datasource::physical_plan::parquet::{ParquetAccessPlan, RowGroupAccess};
use parquet::arrow::arrow_reader::{RowSelection, RowSelector};
use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::page_index::offset_index::PageLocation;
use parquet::file::statistics::Statistics;
use storage::block::page::PageRows;

use super::selected::{Bounds, SelectedSeries};

/// Rows that are read as one page at most.
const MAX_PAGE_ROWS: usize = 1 << 20;

/// The rows of one block that may be wanted: for each row group disjoint ascending ranges.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Rows {
    /// Ranges by row group, counted from the first row of the group.
    pub(crate) groups: Vec<Vec<Range<usize>>>,
    /// Rows of each group.
    pub(crate) group_rows: Vec<usize>,
}

impl Rows {
    /// How many rows are selected.
    pub(crate) fn selected(&self) -> usize {
        self.groups.iter().flatten().map(ExactSizeIterator::len).sum()
    }

    /// How many rows there are.
    pub(crate) fn total(&self) -> usize {
        self.group_rows.iter().sum()
    }

    /// How many row groups are read at all.
    pub(crate) fn groups_read(&self) -> usize {
        self.groups.iter().filter(|ranges| !ranges.is_empty()).count()
    }

    /// All rows of a block.
    pub(crate) fn all(footer: &ParquetMetaData) -> Self {
        let group_rows = footer.row_groups().iter().map(|group| usize::try_from(group.num_rows()).unwrap_or(0));
        let group_rows: Vec<usize> = group_rows.collect();
        let groups = group_rows.iter().map(|rows| std::iter::once(0..*rows).filter(|all| !all.is_empty()).collect());
        Rows { groups: groups.collect(), group_rows }
    }

    /// The rows that are among both.
    pub(crate) fn intersection(&self, other: &Rows) -> Self {
        let groups = self.groups.iter().zip(&other.groups).map(|(own, other)| intersect(own, other)).collect();
        Rows { groups, group_rows: self.group_rows.clone() }
    }

    /// The same rows in the words of DataFusion.
    pub(crate) fn access_plan(&self) -> ParquetAccessPlan {
        let access = self.groups.iter().zip(&self.group_rows).map(|(ranges, rows)| match ranges.as_slice() {
            [] => RowGroupAccess::Skip,
            [all] if all.start == 0 && all.end == *rows => RowGroupAccess::Scan,
            ranges => RowGroupAccess::Selection(selection(ranges, *rows)),
        });
        ParquetAccessPlan::new(access.collect())
    }

    /// Takes the first `rows` of the selected rows away and returns them.
    pub(crate) fn take(&mut self, mut rows: usize) -> Rows {
        let mut taken = Rows { groups: vec![Vec::new(); self.groups.len()], group_rows: self.group_rows.clone() };
        for (from, into) in self.groups.iter_mut().zip(&mut taken.groups) {
            while rows > 0 && !from.is_empty() {
                let first = from[0].clone();
                if first.len() <= rows {
                    rows -= first.len();
                    into.push(from.remove(0));
                } else {
                    into.push(first.start..first.start + rows);
                    from[0].start += rows;
                    rows = 0;
                }
            }
        }
        taken
    }
}

/// The rows of the pages of one column whose bounds may have what is wanted.
pub(crate) fn of_column(footer: &ParquetMetaData, name: &str, is_wanted: impl Fn(PageBounds<'_>) -> bool) -> Rows {
    let mut rows = Rows::default();
    for (number, group) in footer.row_groups().iter().enumerate() {
        let count = usize::try_from(group.num_rows()).unwrap_or(0);
        rows.groups.push(Pages::of(footer, number, group, name, count).ranges(&is_wanted));
        rows.group_rows.push(count);
    }
    rows
}

/// Between which numbers a column is in some rows, ascending, of a row group; `None` if that is not known.
pub(crate) fn long_bounds(
    footer: &ParquetMetaData,
    group: usize,
    name: &str,
    rows: &[Range<usize>],
) -> Option<(i64, i64)> {
    let (first, last) = (rows.first()?.start, rows.last()?.end);
    let count = usize::try_from(footer.row_group(group).num_rows()).unwrap_or(0);
    let pages = Pages::of(footer, group, footer.row_group(group), name, count);
    let touches = |page: &usize| {
        let (start, end) = (pages.start(*page), pages.end(*page));
        start < last && end > first && rows.iter().any(|range| range.start < end && range.end > start)
    };
    let mut bounds = None;
    for page in (0..pages.len()).filter(touches) {
        let (min, max) = pages.bounds(page).long?;
        let (low, high) = bounds.unwrap_or((min, max));
        bounds = Some((min.min(low), max.max(high)));
    }
    bounds
}

/// Ranges, ascending, of so many rows in the words of the Parquet library.
pub(crate) fn selection(ranges: &[Range<usize>], rows: usize) -> RowSelection {
    let mut selectors = Vec::with_capacity(ranges.len() * 2 + 1);
    let mut at = 0;
    for range in ranges {
        if range.start > at {
            selectors.push(RowSelector::skip(range.start - at));
        }
        selectors.push(RowSelector::select(range.len()));
        at = range.end;
    }
    if at < rows {
        selectors.push(RowSelector::skip(rows - at));
    }
    RowSelection::from(selectors)
}

/// The rows that may belong to the selection. A block without a page index is judged by its row groups.
pub(crate) fn select(footer: &ParquetMetaData, selected: &SelectedSeries, time_ms: &RangeInclusive<i64>) -> Rows {
    let mut rows = Rows::default();
    for (number, group) in footer.row_groups().iter().enumerate() {
        let count = usize::try_from(group.num_rows()).unwrap_or(0);
        rows.group_rows.push(count);
        let pages = |name| Pages::of(footer, number, group, name, count);
        let by_key = key_ranges(selected, &pages("name"), &pages("cluster"), &pages("series_id"));
        let touches = |bounds: PageBounds<'_>| {
            bounds.long.is_none_or(|(min, max)| min <= *time_ms.end() && max >= *time_ms.start())
        };
        rows.groups.push(intersect(&by_key, &pages("time_ms").ranges(&touches)));
    }
    rows
}

/// The pages that have any of these rows.
pub(crate) fn whole(footer: &ParquetMetaData, rows: &Rows) -> Vec<PageRows> {
    let mut all = Vec::new();
    for (group, (ranges, count)) in rows.groups.iter().zip(&rows.group_rows).enumerate() {
        if ranges.is_empty() {
            continue;
        }
        let pages = Pages::of(footer, group, footer.row_group(group), "series_id", *count);
        let mut ranges = ranges.iter().peekable();
        for page in 0..pages.len() {
            let (start, end) = (pages.start(page), pages.end(page));
            while ranges.next_if(|range| range.end <= start).is_some() {}
            if ranges.peek().is_none_or(|range| range.start >= end) {
                continue;
            }
            // Without a page index there is one page to a row group.
            let parts = (start..end).step_by(MAX_PAGE_ROWS).map(|start| start..end.min(start + MAX_PAGE_ROWS));
            all.extend(parts.map(|rows| PageRows { group, rows }));
        }
    }
    all
}

/// The pages of one column of one row group.
struct Pages<'a> {
    rows: usize,
    /// Where they begin, and what is known of each; without an index of pages there is one.
    index: Option<(&'a [PageLocation], &'a ColumnIndexMetaData)>,
    /// What is known of all of them.
    chunk: PageBounds<'a>,
}

/// The smallest and the largest value of a page, if they are known.
#[derive(Clone, Copy, Default)]
pub(crate) struct PageBounds<'a> {
    pub(crate) text: Option<(&'a [u8], &'a [u8])>,
    pub(crate) long: Option<(i64, i64)>,
}

impl<'a> Pages<'a> {
    fn of(
        footer: &'a ParquetMetaData,
        number: usize,
        group: &'a RowGroupMetaData,
        name: &str,
        rows: usize,
    ) -> Pages<'a> {
        let Some(column) = group.columns().iter().position(|c| c.column_path().string() == name) else {
            return Pages { rows, index: None, chunk: PageBounds::default() };
        };
        let index = footer.column_index().and_then(|index| index.get(number)?.get(column));
        let offsets = footer.offset_index().and_then(|index| index.get(number)?.get(column));
        // Of a column without statistics there is an index that knows nothing.
        let index = index.filter(|index| !matches!(index, ColumnIndexMetaData::NONE));
        if let (Some(index), Some(offsets)) = (index, offsets) {
            let pages = offsets.page_locations().as_slice();
            let starts = || pages.iter().map(|page| page.first_row_index);
            let is_within = |start: i64| usize::try_from(start).is_ok_and(|start| start <= rows);
            let sound =
                starts().next() == Some(0) && starts().is_sorted() && starts().next_back().is_some_and(is_within);
            if sound && index.num_pages() == pages.len() as u64 {
                return Pages { rows, index: Some((pages, index)), chunk: PageBounds::default() };
            }
        }
        Pages { rows, index: None, chunk: chunk_bounds(group.column(column).statistics()) }
    }

    /// How many there are.
    fn len(&self) -> usize {
        self.index.map_or(1, |(pages, _)| pages.len())
    }

    fn start(&self, page: usize) -> usize {
        self.index.and_then(|(pages, _)| pages.get(page)).map_or(0, |page| page.first_row_index as usize)
    }

    fn end(&self, page: usize) -> usize {
        if page + 1 < self.len() { self.start(page + 1) } else { self.rows }
    }

    fn bounds(&self, page: usize) -> PageBounds<'a> {
        self.index.map_or(self.chunk, |(_, index)| page_bounds(index, page))
    }

    /// The rows of those whose bounds may have what is wanted.
    fn ranges(&self, is_wanted: &dyn Fn(PageBounds<'_>) -> bool) -> Vec<Range<usize>> {
        let mut ranges = Vec::new();
        for page in (0..self.len()).filter(|page| is_wanted(self.bounds(*page))) {
            push(&mut ranges, self.start(page)..self.end(page));
        }
        ranges
    }
}

fn page_bounds(index: &ColumnIndexMetaData, page: usize) -> PageBounds<'_> {
    match index {
        ColumnIndexMetaData::BYTE_ARRAY(index) => {
            PageBounds { text: index.min_value(page).zip(index.max_value(page)), long: None }
        }
        ColumnIndexMetaData::INT32(index) => {
            let bounds = index.min_value(page).copied().zip(index.max_value(page).copied());
            PageBounds { text: None, long: bounds.map(|(min, max)| (i64::from(min), i64::from(max))) }
        }
        ColumnIndexMetaData::INT64(index) => {
            PageBounds { text: None, long: index.min_value(page).copied().zip(index.max_value(page).copied()) }
        }
        _ => PageBounds::default(),
    }
}

fn chunk_bounds(statistics: Option<&Statistics>) -> PageBounds<'_> {
    match statistics {
        Some(Statistics::ByteArray(s)) => PageBounds { text: s.min_bytes_opt().zip(s.max_bytes_opt()), long: None },
        Some(Statistics::Int64(s)) => PageBounds { text: None, long: s.min_opt().copied().zip(s.max_opt().copied()) },
        _ => PageBounds::default(),
    }
}

/// The stretches whose key bounds touch the selection. A stretch ends where a page of any key column ends.
fn key_ranges(selected: &SelectedSeries, name: &Pages<'_>, cluster: &Pages<'_>, id: &Pages<'_>) -> Vec<Range<usize>> {
    let columns = [name, cluster, id];
    let mut page = [0usize; 3];
    let mut ranges = Vec::new();
    let mut at = 0;
    while at < id.rows {
        for (page, column) in page.iter_mut().zip(columns) {
            while column.end(*page) <= at {
                *page += 1;
            }
        }
        let end = columns.iter().zip(page).map(|(column, page)| column.end(page)).min().unwrap_or(id.rows);
        let bounds = Bounds {
            name: name.bounds(page[0]).text,
            cluster: cluster.bounds(page[1]).text,
            id: id.bounds(page[2]).long,
        };
        if selected.may_contain(&bounds) {
            push(&mut ranges, at..end);
        }
        at = end;
    }
    ranges
}

fn push(ranges: &mut Vec<Range<usize>>, range: Range<usize>) {
    match ranges.last_mut() {
        Some(last) if last.end == range.start => last.end = range.end,
        _ if range.is_empty() => {}
        _ => ranges.push(range),
    }
}

fn intersect(a: &[Range<usize>], b: &[Range<usize>]) -> Vec<Range<usize>> {
    let (mut i, mut j) = (0, 0);
    let mut both = Vec::new();
    while i < a.len() && j < b.len() {
        let (start, end) = (a[i].start.max(b[j].start), a[i].end.min(b[j].end));
        if start < end {
            both.push(start..end);
        }
        if a[i].end < b[j].end {
            i += 1;
        } else {
            j += 1;
        }
    }
    both
}

#[cfg(test)]
mod tests;
