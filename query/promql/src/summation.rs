//! Sums of many numbers with what rounding takes from each addition kept beside them, after Kahan and Neumaier.

/// A running sum.
///
/// Sums follow Prometheus addition by addition: the last digits of an answer depend on it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Sum {
    /// The sum as it was rounded.
    pub(crate) rounded: f64,
    /// What rounding took from it.
    pub(crate) lost: f64,
}

impl Sum {
    /// Adds a number.
    #[inline(always)]
    pub(crate) fn add(&mut self, number: f64) {
        let total = self.rounded + number;
        let (larger, smaller) =
            if self.rounded.abs() >= number.abs() { (self.rounded, number) } else { (number, self.rounded) };
        self.lost = if total.is_infinite() { 0.0 } else { self.lost + ((larger - total) + smaller) };
        self.rounded = total;
    }

    /// The sum with what was lost.
    #[inline]
    pub(crate) fn total(self) -> f64 {
        self.rounded + self.lost
    }

    /// Both parts multiplied.
    #[inline]
    fn scaled(self, factor: f64) -> Self {
        Sum { rounded: factor * self.rounded, lost: factor * self.lost }
    }
}

/// A running mean: a sum that is divided in the end, and where the sum would overflow, a mean that each number moves.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Mean {
    /// The sum of the numbers, or their mean.
    sum: Sum,
    /// How many numbers there were.
    count: f64,
    /// Whether `sum` is the mean.
    is_incremental: bool,
}

impl Mean {
    /// Adds a number.
    #[inline]
    pub(crate) fn add(&mut self, number: f64) {
        self.count += 1.0;
        if self.count == 1.0 {
            self.sum = Sum { rounded: number, lost: 0.0 };
            return;
        }
        if !self.is_incremental {
            let mut sum = self.sum;
            sum.add(number);
            if !sum.rounded.is_infinite() {
                self.sum = sum;
                return;
            }
            self.is_incremental = true;
            let before = self.count - 1.0;
            self.sum = Sum { rounded: self.sum.rounded / before, lost: self.sum.lost / before };
        }
        self.sum = self.sum.scaled((self.count - 1.0) / self.count);
        self.sum.add(number / self.count);
    }

    /// The mean, or not a number if nothing was added.
    #[inline]
    pub(crate) fn mean(&self) -> f64 {
        if self.is_incremental {
            return self.sum.total();
        }
        self.sum.rounded / self.count + self.sum.lost / self.count
    }
}

#[cfg(test)]
mod tests;
