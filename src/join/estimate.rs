//! What federating so many series costs in memory and on disk: a formula, and where its figures are from.
//!
//! ```text
//! head          = 2 KB a series + 4 bytes a sample of a quarter of an hour
//! memory        = 100 MB + head, and up to 3 heads while one is cut to blocks
//! disk in a day = 0.6 bytes a sample + 12 bytes a series
//! ```

use super::fleet::{Fleet, Source};

/// Memory of a server without series. 203 MB for 101,400 series (docs/performance.md, part `scrape`) and 1.21 GB for 1,014,000
/// (docs/scraping.md) both leave some 100 MB if a series takes what it takes.
const SERVER_BYTES: f64 = 100e6;
/// Memory of a series: 1.1 KB in docs/scraping.md, eight samples after its start, and the 56 samples of 16 bytes that the tail
/// of a run in the head grows by until it is sealed (`storage/src/head/run.rs`).
const SERIES_BYTES: f64 = 2_000.0;
/// Memory of a sample that is sealed and not yet in a block: a quarter of the 16 bytes that it has before
/// (`storage/src/head/run.rs`).
const SEALED_SAMPLE_BYTES: f64 = 4.0;
/// How often the head is in memory at most, while a cut makes blocks of it: as rows, as columns, and as what the allocator
/// keeps. 200 targets of 505 samples at 2 s, cut every 150 s, had 203 MB in the head, 305 MB in all before the first cut, 614 MB
/// in it and 819 MB in the second (2026-11-26).
const HEADS_IN_A_CUT: f64 = 3.0;
/// Seconds between two cuts, after which samples leave memory: the default of `storage.cut_every`.
const CUT_SECONDS: f64 = 900.0;
/// Bytes of a sample in blocks: 0.49 to 0.71 (docs/performance.md, part `bytes`).
const SAMPLE_BYTES: f64 = 0.6;
/// Bytes of a series' row in the table `series`, which is written once in a day: what blocks of 60 samples a series take more
/// than blocks of 480 (docs/performance.md, part `bytes`), rounded.
const SERIES_ROW_BYTES: f64 = 12.0;
const DAY_SECONDS: f64 = 86_400.0;

/// Bytes of a line of `/federate`: 232 of labels (docs/performance.md, "Data"), value and time.
const LINE_BYTES: f64 = 260.0;
/// The default of `body_size_limit` in bytes.
const DEFAULT_BODY_BYTES: f64 = (256 << 20) as f64;
/// The most that it can be in bytes.
const MAX_BODY_BYTES: f64 = (1 << 30) as f64;

/// What a fleet has, and what it will take.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Estimate {
    /// Series of all sources.
    pub(super) series: f64,
    /// Samples that they take in a second.
    pub(super) samples_per_second: f64,
    /// How many sources do not say how much they have, and are in none of the sums.
    pub(super) unknown: usize,
}

impl Estimate {
    /// The sum of what is federated.
    pub(super) fn of(fleet: &Fleet) -> Self {
        let mut sum = Estimate { series: 0.0, samples_per_second: 0.0, unknown: 0 };
        for Source { found, .. } in fleet.federated() {
            match (&found.series, &found.samples_per_second) {
                (Ok(series), Ok(samples)) => {
                    sum.series += series.value;
                    sum.samples_per_second += samples.value;
                }
                _ => sum.unknown += 1,
            }
        }
        sum
    }

    /// Memory of the server in bytes just before a cut, queries not counted.
    pub(super) fn memory_bytes(&self) -> f64 {
        SERVER_BYTES + self.head_bytes()
    }

    /// The same while the head is cut to blocks, at most.
    pub(super) fn cut_memory_bytes(&self) -> f64 {
        SERVER_BYTES + HEADS_IN_A_CUT * self.head_bytes()
    }

    /// The part of it that `storage.memory_bytes` is for: series and rows that are not yet in a block.
    pub(super) fn head_bytes(&self) -> f64 {
        SERIES_BYTES * self.series + SEALED_SAMPLE_BYTES * CUT_SECONDS * self.samples_per_second
    }

    /// Disk that a day takes, in bytes.
    pub(super) fn disk_bytes_per_day(&self) -> f64 {
        SAMPLE_BYTES * DAY_SECONDS * self.samples_per_second + SERIES_ROW_BYTES * self.series
    }
}

/// The `body_size_limit` that the answer of `/federate` with so many series needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyLimit {
    /// The default does.
    Default,
    /// This one.
    Larger(&'static str),
    /// None is enough.
    TooLarge,
}

impl BodyLimit {
    /// With a quarter more than what is expected.
    pub(super) fn of(series: f64) -> Self {
        match 1.25 * LINE_BYTES * series {
            bytes if bytes <= DEFAULT_BODY_BYTES => BodyLimit::Default,
            bytes if bytes <= MAX_BODY_BYTES / 2.0 => BodyLimit::Larger("512MB"),
            bytes if bytes <= MAX_BODY_BYTES => BodyLimit::Larger("1GB"),
            _ => BodyLimit::TooLarge,
        }
    }
}

/// Bytes for the eye, in units of 1000: `840 MB`.
pub(super) fn bytes(bytes: f64) -> String {
    const UNITS: [&str; 5] = ["bytes", "KB", "MB", "GB", "TB"];
    let (mut rest, mut unit) = (bytes, 0);
    while rest >= 999.5 && unit + 1 < UNITS.len() {
        rest /= 1000.0;
        unit += 1;
    }
    let digits = if unit == 0 || rest >= 99.95 {
        0
    } else if rest >= 9.995 {
        1
    } else {
        2
    };
    format!("{rest:.digits$} {}", UNITS[unit])
}

/// A number for the eye: `1,234,567`.
pub(super) fn count(number: f64) -> String {
    let digits = format!("{:.0}", number.max(0.0));
    let groups: Vec<&str> = {
        let first = digits.len() % 3;
        let head = (first > 0).then_some(&digits[..first]);
        head.into_iter().chain((first..digits.len()).step_by(3).map(|at| &digits[at..at + 3])).collect()
    };
    groups.join(",")
}

#[cfg(test)]
mod tests;
