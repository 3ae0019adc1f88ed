//! What a scan reads in one go: some rows of a block or of the head.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use model::time::MS_NANOS;
use parking_lot::Mutex;
use parquet::file::metadata::ParquetMetaData;
use storage::snapshot::HeadColumns;

use super::view::View;
use crate::scan::inputs::SelectedBlock;
use crate::scan::pages;

/// Rows of a piece, where all are wanted.
const ROWS: usize = 128 << 10;
/// Rows of a piece, where the newest may be enough.
const NEWEST_ROWS: usize = 8 << 10;

/// Some rows.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    pub(crate) rows: PieceRows,
    /// The earliest and the latest time that they may have, in nanoseconds.
    pub(crate) time: (i64, i64),
}

/// Where rows are.
#[derive(Debug, Clone)]
pub(crate) enum PieceRows {
    /// Ranges of rows of a row group of a block.
    Block { path: Arc<str>, footer: Arc<ParquetMetaData>, group: usize, rows: Vec<Range<usize>> },
    /// Rows that are in no block.
    Head { columns: HeadColumns, rows: Range<usize> },
}

/// The first and the last nanosecond from one millisecond to another.
pub(crate) fn nanos(min_ms: i64, max_ms: i64) -> (i64, i64) {
    (min_ms.saturating_mul(MS_NANOS), max_ms.saturating_mul(MS_NANOS).saturating_add(MS_NANOS - 1))
}

/// The pieces of blocks and head, the newest first.
pub(crate) fn of(view: &View, blocks: &[SelectedBlock], heads: &[HeadColumns], newest_first: bool) -> Vec<Piece> {
    let size = if newest_first { NEWEST_ROWS } else { ROWS };
    let mut pieces = Vec::new();
    for block in blocks {
        let path: Arc<str> = Arc::from(block.block.path.as_str());
        let whole = nanos(block.block.min_time_ms, block.block.max_time_ms);
        for (group, ranges) in block.rows.groups.iter().enumerate() {
            for rows in parts(ranges, size) {
                let time = pages::long_bounds(&block.footer, group, view.table.time().0, &rows).unwrap_or(whole);
                let rows = PieceRows::Block { path: path.clone(), footer: block.footer.clone(), group, rows };
                pieces.push(Piece { rows, time });
            }
        }
    }
    for columns in heads {
        let (min_ms, max_ms) = columns.time_ms();
        let time = nanos(min_ms, max_ms);
        for start in (0..columns.rows()).step_by(size) {
            let rows = start..columns.rows().min(start + size);
            pieces.push(Piece { rows: PieceRows::Head { columns: columns.clone(), rows }, time });
        }
    }
    pieces.sort_by_key(|piece| std::cmp::Reverse(piece.time.1));
    pieces
}

/// Ranges in parts of so many rows.
fn parts(ranges: &[Range<usize>], size: usize) -> Vec<Vec<Range<usize>>> {
    let mut parts = Vec::new();
    let (mut open, mut room) = (Vec::new(), size);
    for range in ranges {
        let mut start = range.start;
        while start < range.end {
            let end = range.end.min(start + room);
            room -= end - start;
            open.push(start..end);
            start = end;
            if room == 0 {
                parts.push(std::mem::take(&mut open));
                room = size;
            }
        }
    }
    if !open.is_empty() {
        parts.push(open);
    }
    parts
}

/// Hands the pieces of one scan out to all of its partitions.
#[derive(Debug)]
pub(crate) struct Queue {
    pieces: Arc<[Piece]>,
    /// Which partitions have begun to read in this round, and how many pieces were handed out.
    round: Mutex<(Vec<usize>, Arc<AtomicUsize>)>,
}

/// The pieces that are left for a partition and those that read beside it.
#[derive(Debug)]
pub(crate) struct Reader {
    pieces: Arc<[Piece]>,
    next: Arc<AtomicUsize>,
}

impl Queue {
    pub(crate) fn new(pieces: Vec<Piece>) -> Self {
        Queue { pieces: pieces.into(), round: Mutex::default() }
    }

    pub(crate) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// A partition begins to read; one that does so again begins anew.
    pub(crate) fn begin(&self, partition: usize) -> Reader {
        let mut round = self.round.lock();
        if round.0.contains(&partition) {
            *round = Default::default();
        }
        round.0.push(partition);
        Reader { pieces: self.pieces.clone(), next: round.1.clone() }
    }
}

impl Reader {
    /// The next piece.
    pub(crate) fn next(&self) -> Option<&Piece> {
        self.pieces.get(self.next.fetch_add(1, Ordering::Relaxed))
    }
}
