//! One source of rows of a scan, read run by run: a run is the rows of one series that lie behind each other.

use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::sync::Arc;

use datafusion::common::Result;
use model::ErrorKind;
use storage::block::page::SamplePage;
use storage::snapshot::HeadRows;

use super::super::steps::Samples;
use super::input::BlockInput;
use crate::error::external;
use crate::scan::selected::{Key, SelectedSeries};
use crate::source::Source;

/// Goes through the rows of a block or of the head, which are in the order of the tables.
pub(super) struct Cursor {
    rows: Rows,
    /// The runs at hand that are of selected series: the number of the series, and that of the run.
    runs: Vec<(usize, usize)>,
    /// The first of them that was not taken.
    next: usize,
    unpacked: Vec<(i64, u64)>,
}

enum Rows {
    Block(Pages),
    Head(HeadRows),
}

/// The pages of a block.
struct Pages {
    input: BlockInput,
    /// How many are read at a time.
    at_once: usize,
    /// How many have been read.
    read: usize,
    /// The one whose runs are at hand, and those that were read beside it.
    page: Arc<SamplePage>,
    ahead: VecDeque<Arc<SamplePage>>,
}

impl Pages {
    fn are_read(&self) -> bool {
        self.read == self.input.pages.len()
    }
}

impl Cursor {
    /// A cursor over a block, before its first page; so many pages are read at a time.
    pub(super) fn of_block(input: BlockInput, at_once: usize) -> Self {
        let pages = Pages { input, at_once, read: 0, page: Arc::default(), ahead: VecDeque::new() };
        Cursor { rows: Rows::Block(pages), runs: Vec::new(), next: 0, unpacked: Vec::new() }
    }

    /// A cursor over rows that are in no block yet.
    pub(super) fn of_head(rows: HeadRows, selected: &SelectedSeries) -> Self {
        let (mut runs, mut from) = (Vec::with_capacity(rows.series().len()), 0);
        for (run, info) in rows.series().enumerate() {
            let rest = &selected.series()[from..];
            // Mostly all of them have rows.
            if !rest.first().is_some_and(|next| Arc::ptr_eq(next, info)) {
                from += rest.partition_point(|other| other.table_order(info).is_lt());
            }
            runs.push((from, run));
            from += 1;
        }
        Cursor { rows: Rows::Head(rows), runs, next: 0, unpacked: Vec::new() }
    }

    /// Whether rows must be read before it is known what comes next.
    pub(super) fn is_waiting(&self) -> bool {
        match &self.rows {
            Rows::Block(pages) => self.next == self.runs.len() && !(pages.ahead.is_empty() && pages.are_read()),
            Rows::Head(_) => false,
        }
    }

    /// Whether the rows of a series may go on in pages that are not at hand.
    pub(super) fn is_cut_off(&self, series: usize) -> bool {
        let is_last = || self.peek() == Some(series) && self.runs.last().is_some_and(|(last, _)| *last == series);
        matches!(&self.rows, Rows::Block(pages) if pages.ahead.is_empty() && !pages.are_read()) && is_last()
    }

    /// Reads on until a run of a selected series is at hand, or to the end.
    ///
    /// # Errors
    /// Those of the snapshot, and `Corrupt` if rows are of a series that there is not.
    pub(super) async fn read(&mut self, source: &Source, selected: &SelectedSeries) -> Result<()> {
        while self.is_waiting() {
            self.read_ahead(source).await?;
            let Rows::Block(Pages { page, ahead, .. }) = &mut self.rows else { return Ok(()) };
            let Some(next) = ahead.pop_front() else { continue };
            *page = next;
            (self.runs, self.next) = (runs(page, selected)?, 0);
        }
        Ok(())
    }

    /// Reads the next pages if none is at hand.
    ///
    /// # Errors
    /// Those of the snapshot.
    pub(super) async fn read_ahead(&mut self, source: &Source) -> Result<()> {
        // Pages that are in memory come without waiting: others have a turn in between.
        tokio::task::consume_budget().await;
        let Rows::Block(Pages { input, at_once, read, ahead, .. }) = &mut self.rows else { return Ok(()) };
        if ahead.is_empty() {
            let wanted = &input.pages[*read..input.pages.len().min(*read + *at_once)];
            ahead.extend(source.sample_pages(&input.block, &input.footer, wanted).await.map_err(external)?);
            *read += wanted.len();
        }
        Ok(())
    }

    /// Of which of the selected series the next run at hand is.
    pub(super) fn peek(&self) -> Option<usize> {
        self.runs.get(self.next).map(|(series, _)| *series)
    }

    /// Appends the samples of the runs at hand that are of this series, within a range of time.
    pub(super) fn take(&mut self, series: usize, time_ms: &RangeInclusive<i64>, into: &mut Samples) {
        while let Some((_, run)) = self.runs.get(self.next).filter(|(of, _)| *of == series) {
            match &self.rows {
                Rows::Block(pages) => pages.page.unpack(*run, time_ms, &mut into.times_ms, &mut into.values),
                Rows::Head(rows) => {
                    rows.read(*run, &mut self.unpacked);
                    into.times_ms.extend(self.unpacked.iter().map(|(time_ms, _)| time_ms));
                    into.values.extend(self.unpacked.iter().map(|(_, bits)| f64::from_bits(*bits)));
                }
            }
            self.next += 1;
        }
    }

    /// Bytes of memory that the pages at hand take.
    pub(super) fn memory_bytes(&self) -> usize {
        match &self.rows {
            Rows::Block(Pages { page, ahead, .. }) => {
                page.memory_bytes() + ahead.iter().map(|page| page.memory_bytes()).sum::<usize>()
            }
            Rows::Head(_) => 0,
        }
    }
}

/// The runs of a page that are of selected series: the number of the series, and that of the run.
fn runs(page: &SamplePage, selected: &SelectedSeries) -> Result<Vec<(usize, usize)>> {
    let (wanted, ids, mut runs) = (selected.ids(), page.ids(), Vec::new());
    for group in page.groups() {
        let of_group = selected.of_group(&group.name, &group.cluster);
        let is_whole = match selected.key() {
            Key::Everything => true,
            Key::NameCluster => !of_group.is_empty(),
            Key::Series => false,
        };
        let (mut run, mut at) = (group.runs.start, of_group.start);
        while run < group.runs.end && (at < of_group.end || is_whole) {
            let rest = &wanted[at..of_group.end];
            match rest.first() {
                Some(id) if *id == ids[run] => {
                    runs.push((at, run));
                    // The run may go on behind the end of a batch that was decoded: the series may be the next one's too.
                    run += 1;
                }
                Some(id) if *id < ids[run] => at += rest.partition_point(|id| *id < ids[run]),
                _ if is_whole => return Err(external(unknown(&group.name, &group.cluster, ids[run]))),
                Some(id) => run += ids[run..group.runs.end].partition_point(|of_run| of_run < id),
                None => break,
            }
        }
    }
    Ok(runs)
}

fn unknown(name: &str, cluster: &str, id: i64) -> model::Error {
    let what =
        format!("the series {name} of cluster {cluster:?} with id {id} has samples but is not in the table series");
    model::Error::new(ErrorKind::Corrupt, what)
}
