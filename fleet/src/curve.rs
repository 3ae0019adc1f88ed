//! A rate that is the same every day, and its integral up to any instant, exact in integers.

use model::time::DAY_MS;

/// The rate is constant for this long.
pub(crate) const CELL_MS: i64 = 10_000;
/// Cells of a day.
pub(crate) const CELLS: usize = (DAY_MS / CELL_MS) as usize;
/// Integrals count millionths.
pub(crate) const MICRO: f64 = 1e6;

/// The integral of a rate over one day, cell by cell, in millionths.
///
/// Integers make three things exact that doubles would not: the same instant gives the same bits in whatever order it is
/// asked for, a later instant never gives less, and two counters that share a curve agree.
#[derive(Debug)]
pub(crate) struct Curve {
    /// What has passed by the start of each cell, and at the end what passes in a whole day.
    sums: Box<[i64]>,
}

impl Curve {
    /// The curve of a rate a second, one value a cell; cells that are left out have the rate 0.
    pub(crate) fn new(rates: impl IntoIterator<Item = f64>) -> Self {
        let cell_seconds = CELL_MS as f64 / 1000.0;
        let mut sums = Vec::with_capacity(CELLS + 1);
        let mut sum = 0_i64;
        let mut rates = rates.into_iter();
        for _ in 0..CELLS {
            sums.push(sum);
            sum += (rates.next().unwrap_or(0.0).max(0.0) * cell_seconds * MICRO).round() as i64;
        }
        sums.push(sum);
        Curve { sums: sums.into() }
    }

    /// What has passed by `time_ms`, counted from an instant that is nobody's concern: only differences mean something.
    ///
    /// So it may wrap: the difference of two instants is right as long as it fits itself.
    #[inline]
    pub(crate) fn until(&self, time_ms: i64) -> i64 {
        let (day, into) = (time_ms.div_euclid(DAY_MS), time_ms.rem_euclid(DAY_MS));
        let (cell, rest) = ((into / CELL_MS) as usize, into % CELL_MS);
        let (before, after) = (self.sums[cell], self.sums[cell + 1]);
        day.wrapping_mul(self.sums[CELLS]).wrapping_add(before + (after - before) * rest / CELL_MS)
    }

    /// The rate a second at `time_ms`.
    #[inline]
    pub(crate) fn rate(&self, time_ms: i64) -> f64 {
        let cell = (time_ms.rem_euclid(DAY_MS) / CELL_MS) as usize;
        (self.sums[cell + 1] - self.sums[cell]) as f64 / (MICRO * CELL_MS as f64 / 1000.0)
    }
}

#[cfg(test)]
mod tests;
