//! What a sum of observations is kept in: a number, or a number and what was lost in rounding it.

/// A number that others are added to.
pub(super) trait Amount: Copy + From<f64> + Into<Compensated> {
    /// Adds another one.
    fn plus(self, other: Self) -> Self;

    /// Multiplies it.
    fn times(self, factor: f64) -> Self;

    /// Divides it.
    fn over(self, divisor: f64) -> Self;

    /// Takes what this kind keeps of a compensated number.
    fn of(compensated: Compensated) -> Self;

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

    fn of(compensated: Compensated) -> Self {
        compensated.value
    }

    fn value(self) -> f64 {
        self
    }

    fn is_zero(self) -> bool {
        self == 0.0
    }
}

/// A number and what was lost in rounding it, by the summation of Kahan and Neumaier.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Compensated {
    /// The rounded number.
    value: f64,
    /// What has to be added to it.
    lost: f64,
}

impl Compensated {
    /// Adds a number.
    pub(crate) fn plus_number(self, number: f64) -> Self {
        let value = self.value + number;
        let lost = if value.is_infinite() {
            0.0
        } else if self.value.abs() >= number.abs() {
            self.lost + ((self.value - value) + number)
        } else {
            self.lost + ((number - value) + self.value)
        };
        Compensated { value, lost }
    }

    /// The best single number.
    pub(crate) fn total(self) -> f64 {
        self.value + self.lost
    }
}

impl From<f64> for Compensated {
    fn from(value: f64) -> Self {
        Compensated { value, lost: 0.0 }
    }
}

impl Amount for Compensated {
    fn plus(self, other: Self) -> Self {
        let sum = self.plus_number(other.value);
        if other.lost == 0.0 { sum } else { sum.plus_number(other.lost) }
    }

    fn times(self, factor: f64) -> Self {
        Compensated { value: self.value * factor, lost: self.lost * factor }
    }

    fn over(self, divisor: f64) -> Self {
        Compensated { value: self.value / divisor, lost: self.lost / divisor }
    }

    fn of(compensated: Compensated) -> Self {
        compensated
    }

    fn value(self) -> f64 {
        self.value
    }

    fn is_zero(self) -> bool {
        self.value == 0.0 && self.lost == 0.0
    }
}
