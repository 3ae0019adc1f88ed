//! What senders write: times and values of a batch, decided when its turn in the history comes.
//!
//! Owns: that values tell writes apart, and what was written so far.

use model::batch::STALE_NAN_BITS;
use model::time::{DAY_MS, MAX_TIME_MS, MIN_TIME_MS};

use crate::reference::WriteId;
use crate::series::{Key, Row, SERIES, STAMPS, identity};

/// Sources scrape on this grid, so that histories meet the same instant again.
const GRID_MS: i64 = 5_000;

/// The time of a row.
#[derive(Debug, Clone, Copy)]
pub(crate) enum When {
    /// So many steps of the grid from now.
    Steps(i64),
    /// So many milliseconds from now, off the grid.
    Millis(i64),
    /// So many days from now.
    Days(i64),
    First,
    Last,
    /// The time of an earlier row.
    Again(u16),
}

/// The value of a row. All but the last three are unlike any other in the history.
#[derive(Debug, Clone, Copy)]
pub(crate) enum What {
    /// It has few decimal digits.
    Decimal,
    /// It needs all its bits.
    Double,
    /// A NaN with a payload of its own.
    Nan,
    NegativeZero,
    Stale,
    /// The value of the newest write to this key, if there is one.
    Same,
}

/// A row to be written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Planned {
    pub(crate) series: usize,
    pub(crate) when: When,
    pub(crate) what: What,
}

/// A batch to be written.
#[derive(Debug, Clone)]
pub(crate) struct Lot {
    pub(crate) stamp: usize,
    pub(crate) rows: Vec<Planned>,
}

impl Lot {
    /// The cluster that the server has decided.
    pub(crate) fn stamp(&self) -> Option<&'static str> {
        STAMPS[self.stamp % STAMPS.len()]
    }
}

/// All senders of a history.
#[derive(Debug, Default)]
pub(crate) struct Sender {
    /// All rows written so far, in order of issue, with the number of their write.
    pub(crate) written: Vec<(WriteId, Key, u64)>,
    counter: u64,
}

impl Sender {
    /// How many writes there were so far.
    pub(crate) fn writes(&self) -> usize {
        self.written.last().map_or(0, |(write, _, _)| write + 1)
    }

    /// Decides times and values of a batch.
    pub(crate) fn rows(&mut self, lot: &Lot, now_ms: i64) -> Vec<Row> {
        lot.rows.iter().map(|planned| self.row(planned, lot.stamp(), now_ms)).collect()
    }

    fn row(&mut self, planned: &Planned, stamp: Option<&str>, now_ms: i64) -> Row {
        let series = planned.series % SERIES;
        let grid = now_ms.div_euclid(GRID_MS) * GRID_MS;
        let time_ms = match planned.when {
            When::Steps(steps) => grid + steps * GRID_MS,
            When::Millis(by_ms) => now_ms + by_ms,
            When::Days(days) => grid + days * DAY_MS,
            When::First => MIN_TIME_MS,
            When::Last => MAX_TIME_MS,
            When::Again(n) => match self.written.len() {
                0 => now_ms,
                len => self.written[usize::from(n) % len].1.1,
            },
        };
        let time_ms = time_ms.clamp(MIN_TIME_MS, MAX_TIME_MS);
        self.counter += 1;
        let unique = self.counter;
        let bits = match planned.what {
            What::Decimal => (unique as f64 / 100.0).to_bits(),
            What::Double => (unique as f64 * std::f64::consts::PI * 1e-7).to_bits(),
            What::Nan => 0x7ff8_0000_0000_0000 | (unique + 16),
            What::NegativeZero => (-0.0f64).to_bits(),
            What::Stale => STALE_NAN_BITS,
            What::Same => {
                let key = (identity(series, stamp), time_ms);
                let last = self.written.iter().rev().find(|(_, k, _)| *k == key);
                last.map_or((unique as f64).to_bits(), |(_, _, bits)| *bits)
            }
        };
        Row { series, time_ms, bits }
    }
}
