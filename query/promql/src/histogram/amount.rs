//! What a sum of observations is kept in: a number, or a number and what was lost in rounding it.

use crate::summation::Sum;

/// A number that others are added to.
pub(super) trait Amount: Copy + From<f64> + Into<Sum> {
    /// Adds another one.
    fn plus(self, other: Self) -> Self;

    /// Multiplies it.
    fn times(self, factor: f64) -> Self;

    /// Divides it.
    fn over(self, divisor: f64) -> Self;

    /// Takes what this kind keeps of a sum.
    fn of(sum: Sum) -> Self;

    /// The number.
    fn value(self) -> f64;

    /// Whether nothing is lost if it is left out.
    fn is_zero(self) -> bool;
}

impl Amount for f64 {
    fn plus(self, other: Self) -> Self {
        self + other
    }

    fn times(self, factor: f64) -> Self {
        self * factor
    }

    fn over(self, divisor: f64) -> Self {
        self / divisor
    }

    fn of(sum: Sum) -> Self {
        sum.rounded
    }

    fn value(self) -> f64 {
        self
    }

    fn is_zero(self) -> bool {
        self == 0.0
    }
}

impl From<f64> for Sum {
    fn from(number: f64) -> Self {
        Sum { rounded: number, lost: 0.0 }
    }
}

impl Amount for Sum {
    fn plus(mut self, other: Self) -> Self {
        self.add(other.rounded);
        if other.lost != 0.0 {
            self.add(other.lost);
        }
        self
    }

    fn times(self, factor: f64) -> Self {
        Sum { rounded: self.rounded * factor, lost: self.lost * factor }
    }

    fn over(self, divisor: f64) -> Self {
        Sum { rounded: self.rounded / divisor, lost: self.lost / divisor }
    }

    fn of(sum: Sum) -> Self {
        sum
    }

    fn value(self) -> f64 {
        self.rounded
    }

    fn is_zero(self) -> bool {
        self.rounded == 0.0 && self.lost == 0.0
    }
}
