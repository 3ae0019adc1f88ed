//! How alike the numbers of two right engines must be, by what an expression does with them.
//!
//! Sums in another order, or another formula for the same mean, differ in the last bits. Where such numbers cancel, are
//! rounded to whole ones or compared, the difference has no bound. So no expression is made that does that: no tolerance then hides
//! a fault.

/// How sure it is that both have the same number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Precision {
    /// A multiple of 2^-`fraction` below 2^`whole`: adding up is exact, in any order.
    Exact { whole: u32, fraction: u32 },
    /// The same bits: made of the same numbers by the same operations, one by one.
    Same,
    /// A few roundings apart.
    Close,
}

/// What is known of the numbers of a vector or scalar.
#[derive(Debug, Clone, Copy)]
pub(super) struct Numbers {
    pub(super) precision: Precision,
    /// None is below zero, and none is NaN.
    pub(super) is_positive: bool,
    /// None is infinite or NaN.
    pub(super) is_finite: bool,
}

/// Bits that a sum of up to 256 numbers has more.
const OF_SUM: u32 = 8;
/// Bits of the numbers of which a deviation is as exact in one engine as in the other.
const OF_DEVIATION: u32 = 20;
/// Bits of a float's mantissa, less those of another sum.
const MANTISSA: u32 = 53 - OF_SUM;

impl Numbers {
    /// Whole numbers from zero to below 2^`bits`.
    pub(super) const fn whole(bits: u32) -> Self {
        Numbers { precision: Precision::Exact { whole: bits, fraction: 0 }, is_positive: true, is_finite: true }
    }

    /// Numbers from zero that are a few roundings apart.
    pub(super) const fn close() -> Self {
        Numbers { precision: Precision::Close, is_positive: true, is_finite: true }
    }

    /// The same as whatever its precision was, signed.
    pub(super) const fn signed(self) -> Self {
        Numbers { is_positive: false, ..self }
    }

    /// The same, with infinite ones and NaN.
    pub(super) const fn unbounded(self) -> Self {
        Numbers { is_positive: false, is_finite: false, ..self }
    }

    /// Such whose bits may differ.
    pub(super) const fn rounded(self) -> Self {
        Numbers { precision: Precision::Close, ..self }
    }

    pub(super) fn are_identical(self) -> bool {
        self.precision != Precision::Close
    }

    /// Whether all are whole numbers, or parts of it, of at most so many bits.
    pub(super) fn are_exact(self, bits: u32) -> bool {
        matches!(self.precision, Precision::Exact { whole, fraction } if whole + fraction <= bits)
    }

    /// Whether they are few enough to be counted one by one.
    pub(super) fn are_countable(self) -> bool {
        matches!(self.precision, Precision::Exact { whole: 0..=4, fraction: 0 })
    }

    /// Whether any order of adding up comes to the same.
    pub(super) fn can_be_summed(self) -> bool {
        self.is_finite && (self.is_positive || self.are_exact(MANTISSA))
    }

    /// Whether a mean or a quantile is well-conditioned.
    pub(super) fn can_be_weighed(self) -> bool {
        self.is_finite && self.is_positive
    }

    /// Whether a deviation is well-conditioned.
    pub(super) fn can_deviate(self) -> bool {
        self.is_finite && self.are_exact(OF_DEVIATION)
    }

    /// A sum of many.
    pub(super) fn summed(self) -> Self {
        match self.precision {
            Precision::Exact { whole, fraction } if whole + fraction <= MANTISSA => {
                Numbers { precision: exact(whole + OF_SUM, fraction), ..self }
            }
            _ => self.rounded(),
        }
    }

    /// What both become beside each other.
    pub(super) fn or(self, other: Self) -> Self {
        Numbers {
            precision: self.wider(other, 0),
            is_positive: self.is_positive && other.is_positive,
            is_finite: self.is_finite && other.is_finite,
        }
    }

    /// Whether a sum or difference of two is well-conditioned.
    pub(super) fn can_be_added(self, other: Self, operator: &str) -> bool {
        let are_positive = self.is_positive && other.is_positive;
        (self.are_identical() && other.are_identical()) || (operator == "+" && are_positive)
    }

    /// A sum or difference of two.
    pub(super) fn plus(self, other: Self, operator: &str) -> Self {
        let is_positive = operator == "+" && self.is_positive && other.is_positive;
        Numbers { precision: self.wider(other, 1), is_positive, is_finite: self.is_finite && other.is_finite }
    }

    /// A product of two.
    pub(super) fn times(self, other: Self) -> Self {
        let precision = match (self.precision, other.precision) {
            (Precision::Exact { whole: a, fraction: b }, Precision::Exact { whole: c, fraction: d }) => {
                exact(a + c, b + d)
            }
            _ => self.wider(other, 0),
        };
        let is_finite = self.is_finite && other.is_finite;
        Numbers { precision, is_positive: self.is_positive && other.is_positive && is_finite, is_finite }
    }

    /// A quotient, whose divisor may be zero.
    pub(super) fn over(self, other: Self) -> Self {
        match self.are_identical() && other.are_identical() {
            true => Numbers { precision: Precision::Same, is_positive: false, is_finite: false },
            false => Numbers::close().unbounded(),
        }
    }

    /// The precision that holds both, with so many bits more.
    fn wider(self, other: Self, more: u32) -> Precision {
        match (self.precision, other.precision) {
            (Precision::Close, _) | (_, Precision::Close) => Precision::Close,
            (Precision::Exact { whole: a, fraction: b }, Precision::Exact { whole: c, fraction: d }) => {
                exact(a.max(c) + more, b.max(d))
            }
            _ => Precision::Same,
        }
    }
}

/// Exact while it fits.
fn exact(whole: u32, fraction: u32) -> Precision {
    if whole + fraction <= MANTISSA { Precision::Exact { whole, fraction } } else { Precision::Same }
}
