//! Writing blocks of logs and spans, sorted by cluster, service and time.
//!
//! Owns: the order of the rows, what the columns of both tables have in common.
//! Does not own: which column holds what (`logs`, `spans`), encoding (`file`).

mod attributes;
mod events;
pub(crate) mod head;
mod ids;
mod logs;
mod resources;
mod spans;
mod words;

use std::collections::BTreeMap;
use std::io::Write;

use model::time::{Date, MS_NANOS};
use model::{Error, Logs, Spans};

use self::logs::LogColumns;
use self::spans::SpanColumns;
use crate::block::columns::Columns;
use crate::block::file::File;
use crate::block::filters::{self, FilterKind, FiltersBuilder, STRETCH_ROWS};
use crate::block::meta::BlockMeta;
use crate::columnar::{Chunk, Columnar};
use crate::tables::Table;

/// The columns of a block of such rows.
pub(crate) trait BlockColumns<C>: Columns {
    /// The places in these columns of what the rows of a batch share.
    type Places;

    /// Takes over what the rows of a batch share.
    fn adopt(&mut self, rows: &C) -> Self::Places;

    /// Adds a row of that batch.
    fn push(&mut self, rows: &C, row: usize, places: &Self::Places);
}

/// Rows that have blocks.
pub(crate) trait Blocked: Columnar {
    /// The columns of their blocks.
    type Columns: BlockColumns<Self>;
}

impl Blocked for Logs {
    type Columns = LogColumns;
}

impl Blocked for Spans {
    type Columns = SpanColumns;
}

/// A row by its place, and what it is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SortedRow {
    /// The place of its cluster and service among all, in order.
    rank: u32,
    time: i64,
    chunk: u32,
    row: u32,
}

/// The rows of all chunks by the day of their block, in the order of the table.
pub(crate) fn sorted<C: Columnar>(chunks: &[Chunk<C>]) -> BTreeMap<Date, Vec<SortedRow>> {
    let ranks = ranks(chunks);
    let mut dates = BTreeMap::<Date, Vec<SortedRow>>::new();
    for ((chunk, ranks), at) in chunks.iter().zip(&ranks).zip(0..) {
        let (_, places) = chunk.rows.resources();
        let rows = places.iter().zip(chunk.rows.times()).zip(0..);
        let rows =
            rows.map(|((place, time), row)| SortedRow { rank: ranks[*place as usize], time: *time, chunk: at, row });
        match chunk.date() {
            Some(date) => dates.entry(date).or_default().extend(rows),
            None => rows.for_each(|row| dates.entry(Date::of_ms(row.time.div_euclid(MS_NANOS))).or_default().push(row)),
        }
    }
    dates.values_mut().for_each(|rows| rows.sort_unstable());
    dates
}

/// Of each chunk and each of its resources the place of its cluster and service among those of all.
fn ranks<C: Columnar>(chunks: &[Chunk<C>]) -> Vec<Vec<u32>> {
    let mut ranks = BTreeMap::<(&str, &str), u32>::new();
    for chunk in chunks {
        for resource in chunk.rows.resources().0.iter() {
            ranks.insert((&resource.cluster, &resource.service), 0);
        }
    }
    ranks.values_mut().zip(0..).for_each(|(rank, place)| *rank = place);
    let of_chunk = |chunk: &Chunk<C>| {
        let resources = chunk.rows.resources().0.iter();
        resources.map(|resource| ranks.get(&(&*resource.cluster, &*resource.service)).copied().unwrap_or(0)).collect()
    };
    chunks.iter().map(of_chunk).collect()
}

/// Writes one block of rows, which are sorted.
///
/// # Errors
/// `Unavailable` if the sink fails.
pub(crate) fn write<C: Blocked, W: Write + Send>(
    chunks: &[Chunk<C>],
    rows: &[SortedRow],
    sink: W,
) -> Result<BlockMeta, Error> {
    let mut file = File::<W, C::Columns>::new(sink)?;
    let (mut traces, mut words) = (FiltersBuilder::default(), FiltersBuilder::default());
    let places: Vec<_> = chunks.iter().map(|chunk| file.columns.adopt(&chunk.rows)).collect();
    let ends_run = |number: usize| rows.get(number + 1).is_none_or(|next| next.rank != rows[number].rank);
    for (number, row) in rows.iter().enumerate() {
        if number > 0 && number.is_multiple_of(STRETCH_ROWS) {
            traces.end_stretch();
            words.end_stretch();
        }
        let chunk = row.chunk as usize;
        let from = &*chunks[chunk].rows;
        file.columns.push(from, row.row as usize, &places[chunk]);
        let (resources, of_row) = from.resources();
        if let Some(resource) = resources.get(of_row[row.row as usize]) {
            let time_ms = row.time.div_euclid(MS_NANOS);
            file.meta.add(1, [&resource.cluster, &resource.service], time_ms, time_ms);
            // Rows of one cluster and service come by their time.
            if ends_run(number) {
                file.meta.last_samples.saw(&resource.cluster, time_ms);
            }
        }
        let trace = &from.traces()[row.row as usize];
        if *trace != [0; 16] {
            traces.add(filters::hash(trace));
        }
        if let Some(line) = from.line(row.row as usize) {
            filters::words::words(line).for_each(|word| words.add(filters::hash(word)));
        }
        file.write_if_full()?;
    }
    traces.end_stretch();
    file.embed(FilterKind::Traces.footer_key(), filters::VERSION, &traces.finish())?;
    if C::TABLE == Table::Logs {
        words.end_stretch();
        file.embed(FilterKind::Words.footer_key(), filters::VERSION, &words.finish())?;
    }
    file.finish()
}

#[cfg(test)]
mod tests;
