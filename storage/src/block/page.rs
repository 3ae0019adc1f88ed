//! The samples of one page of a block as they are kept in memory once they were read: packed, series by series.
//!
//! A Parquet page is told apart from its neighbours by the rows of `series_id`: its rows are read, checked and packed once,
//! then a series is found in it by its id and unpacked with a few additions a sample. Times and mantissas are a straight line
//! and what is left of it, so a series that is sampled at equal distances takes no room for its times.
//!
//! Owns: how rows are packed, reading them out of a file.
//! Does not own: which pages are kept (`block_cache`), which of them a query wants (`query`).

mod decode;
mod frame;

use std::ops::{Range, RangeInclusive};
use std::sync::Arc;

pub use decode::read;

use super::mantissa;
use frame::Frame;

/// Where the rows of a page are.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PageRows {
    /// The row group.
    pub group: usize,
    /// The rows of that group.
    pub rows: Range<usize>,
}

/// The samples of a page. A run is the rows of one series that lie behind each other; runs are in the order of the table.
#[derive(Debug, Default)]
pub struct SamplePage {
    groups: Vec<PageGroup>,
    ids: Vec<i64>,
    runs: Vec<Run>,
    bytes: Vec<u8>,
}

/// Runs of series that have name and cluster in common.
#[derive(Debug, Clone)]
pub struct PageGroup {
    /// The metric's name.
    pub name: Arc<str>,
    /// The cluster's name.
    pub cluster: Arc<str>,
    /// Which runs they are.
    pub runs: Range<usize>,
}

/// Where the samples of a run are, and how they are packed.
#[derive(Debug, Clone, Copy)]
struct Run {
    rows: u32,
    /// Where the bytes of its times begin, which may be those of the run before.
    times_start: u32,
    values_start: u32,
    times: Frame,
    values: Values,
}

#[derive(Debug, Clone, Copy)]
enum Values {
    /// Mantissas of this scale.
    Scaled(Frame, i8),
    /// Doubles as they are.
    Bits,
}

impl SamplePage {
    /// The runs by name and cluster, in their order.
    pub fn groups(&self) -> &[PageGroup] {
        &self.groups
    }

    /// The id of each run's series; ascending within a group.
    pub fn ids(&self) -> &[i64] {
        &self.ids
    }

    /// Appends the samples of a run within a range of time: milliseconds, and values of which a staleness marker is one.
    ///
    /// # Panics
    /// If there is no run with this number.
    pub fn unpack(&self, run: usize, time_ms: &RangeInclusive<i64>, times_ms: &mut Vec<i64>, values: &mut Vec<f64>) {
        let run = &self.runs[run];
        let (rows, first) = (run.rows as usize, times_ms.len());
        run.times.unpack(&self.bytes[run.times_start as usize..], 0..rows, times_ms, |time_ms| time_ms);
        let own = &times_ms[first..];
        // The rows of a series are in order of time.
        let wanted =
            own.partition_point(|time| time < time_ms.start())..own.partition_point(|time| time <= time_ms.end());
        times_ms.truncate(first + wanted.end);
        times_ms.drain(first..first + wanted.start.min(wanted.end));
        if wanted.is_empty() {
            return;
        }
        let bytes = &self.bytes[run.values_start as usize..];
        match run.values {
            Values::Bits => Frame::BITS.unpack(bytes, wanted, values, |bits| f64::from_bits(bits as u64)),
            // A division by one changes nothing.
            Values::Scaled(frame, 0) => frame.unpack(bytes, wanted, values, |mantissa| mantissa as f64),
            Values::Scaled(frame, scale) => match mantissa::power(scale) {
                Some(power) => frame.unpack(bytes, wanted, values, |mantissa| mantissa as f64 / power),
                None => values.resize(values.len() + wanted.len(), f64::NAN),
            },
        }
    }

    /// Bytes of memory taken.
    pub fn memory_bytes(&self) -> usize {
        size_of::<Self>()
            + self.groups.capacity() * size_of::<PageGroup>()
            + self.ids.capacity() * size_of::<i64>()
            + self.runs.capacity() * size_of::<Run>()
            + self.bytes.capacity()
    }
}

/// Packs the runs of a page.
#[derive(Debug, Default)]
struct PageBuilder {
    page: SamplePage,
    /// The times of the last run.
    times_ms: Vec<i64>,
}

impl PageBuilder {
    /// Adds a run; those of a page come in their order. `values` are doubles, or mantissas of one scale.
    fn push(&mut self, (name, cluster, id): (&str, &str, i64), times_ms: &[i64], values: Unpacked<'_>) {
        let SamplePage { groups, ids, runs, bytes } = &mut self.page;
        let number = runs.len();
        match groups.last_mut() {
            Some(group) if &*group.name == name && &*group.cluster == cluster => group.runs.end = number + 1,
            last => {
                let known = last.filter(|group| &*group.name == name).map(|group| group.name.clone());
                let (name, cluster) = (known.unwrap_or_else(|| name.into()), cluster.into());
                groups.push(PageGroup { name, cluster, runs: number..number + 1 });
            }
        }
        let (times, times_start) = match runs.last() {
            // What is scraped together has the same times.
            Some(last) if self.times_ms == times_ms => (last.times, last.times_start),
            _ => {
                self.times_ms.clear();
                self.times_ms.extend_from_slice(times_ms);
                let start = bytes.len() as u32;
                (Frame::pack(times_ms, bytes), start)
            }
        };
        let values_start = bytes.len() as u32;
        let values = match values {
            Unpacked::Scaled(mantissas, scale) => Values::Scaled(Frame::pack(mantissas, bytes), scale),
            Unpacked::Doubles(doubles) => {
                bytes.extend(doubles.iter().flat_map(|value| value.to_bits().to_le_bytes()));
                Values::Bits
            }
        };
        ids.push(id);
        runs.push(Run { rows: times_ms.len() as u32, times_start, values_start, times, values });
    }

    /// The page; the next one begins.
    fn take(&mut self) -> SamplePage {
        let mut page = std::mem::take(self).page;
        page.groups.shrink_to_fit();
        page.ids.shrink_to_fit();
        page.runs.shrink_to_fit();
        page.bytes.shrink_to_fit();
        page
    }
}

/// Values of a run as a file has them.
enum Unpacked<'a> {
    Scaled(&'a [i64], i8),
    Doubles(&'a [f64]),
}

#[cfg(test)]
mod tests;
