//! Binary operators between numbers, and between rows of them. Which rows meet is the matter of [`crate::matching`].

pub mod histogram;

use crate::ast::BinaryOp;
use crate::presence::Presence;

/// An operator that gives a new number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arithmetic {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `%`: the remainder, with the sign of the left side.
    Mod,
    /// `^`
    Pow,
    /// `atan2`
    Atan2,
}

/// An operator that says whether two numbers stand in a relation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// One side of an operator over all steps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Operand<'a> {
    /// A number a step.
    Row(&'a [f64]),
    /// The same number at each step.
    Constant(f64),
}

impl Operand<'_> {
    /// The number of a step.
    #[inline]
    pub fn at(&self, step: usize) -> f64 {
        match self {
            Operand::Row(values) => values[step],
            Operand::Constant(value) => *value,
        }
    }
}

impl Arithmetic {
    /// The operator of an expression, if it is one of these.
    pub fn of(op: BinaryOp) -> Option<Self> {
        Some(match op {
            BinaryOp::Add => Arithmetic::Add,
            BinaryOp::Sub => Arithmetic::Sub,
            BinaryOp::Mul => Arithmetic::Mul,
            BinaryOp::Div => Arithmetic::Div,
            BinaryOp::Mod => Arithmetic::Mod,
            BinaryOp::Pow => Arithmetic::Pow,
            BinaryOp::Atan2 => Arithmetic::Atan2,
            _ => return None,
        })
    }

    /// The number that it gives.
    pub fn apply(self, left: f64, right: f64) -> f64 {
        match self {
            Arithmetic::Add => left + right,
            Arithmetic::Sub => left - right,
            Arithmetic::Mul => left * right,
            Arithmetic::Div => left / right,
            Arithmetic::Mod => left % right,
            Arithmetic::Pow => left.powf(right),
            Arithmetic::Atan2 => left.atan2(right),
        }
    }

    /// Writes the number of each step, also of those at which a side has none.
    pub fn combine(self, left: Operand<'_>, right: Operand<'_>, out: &mut [f64]) {
        match self {
            Arithmetic::Add => combine(left, right, out, |left, right| left + right),
            Arithmetic::Sub => combine(left, right, out, |left, right| left - right),
            Arithmetic::Mul => combine(left, right, out, |left, right| left * right),
            Arithmetic::Div => combine(left, right, out, |left, right| left / right),
            _ => combine(left, right, out, |left, right| self.apply(left, right)),
        }
    }
}

impl Comparison {
    /// The operator of an expression, if it is one of these.
    pub fn of(op: BinaryOp) -> Option<Self> {
        Some(match op {
            BinaryOp::Equal => Comparison::Equal,
            BinaryOp::NotEqual => Comparison::NotEqual,
            BinaryOp::Less => Comparison::Less,
            BinaryOp::LessOrEqual => Comparison::LessOrEqual,
            BinaryOp::Greater => Comparison::Greater,
            BinaryOp::GreaterOrEqual => Comparison::GreaterOrEqual,
            _ => return None,
        })
    }

    /// Whether the numbers stand in the relation.
    pub fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Comparison::Equal => left == right,
            Comparison::NotEqual => left != right,
            Comparison::Less => left < right,
            Comparison::LessOrEqual => left <= right,
            Comparison::Greater => left > right,
            Comparison::GreaterOrEqual => left >= right,
        }
    }

    /// Leaves the steps at which the relation holds: what a comparison without `bool` keeps. The value that stays is that of
    /// the left side, or of the vector where the other side is a scalar.
    pub fn filter(self, left: Operand<'_>, right: Operand<'_>, present: &mut Presence) {
        match self {
            Comparison::Equal => present.retain(|step| left.at(step) == right.at(step)),
            Comparison::NotEqual => present.retain(|step| left.at(step) != right.at(step)),
            Comparison::Less => present.retain(|step| left.at(step) < right.at(step)),
            Comparison::LessOrEqual => present.retain(|step| left.at(step) <= right.at(step)),
            Comparison::Greater => present.retain(|step| left.at(step) > right.at(step)),
            Comparison::GreaterOrEqual => present.retain(|step| left.at(step) >= right.at(step)),
        }
    }

    /// Writes one where the relation holds and else zero: what a comparison with `bool` gives, and one of two scalars.
    pub fn flag(self, left: Operand<'_>, right: Operand<'_>, out: &mut [f64]) {
        combine(left, right, out, |left, right| f64::from(u8::from(self.holds(left, right))));
    }
}

#[inline]
fn combine(left: Operand<'_>, right: Operand<'_>, out: &mut [f64], apply: impl Fn(f64, f64) -> f64) {
    match (left, right) {
        (Operand::Row(left), Operand::Row(right)) => {
            out.iter_mut().zip(left.iter().zip(right)).for_each(|(out, (left, right))| *out = apply(*left, *right));
        }
        (Operand::Row(left), Operand::Constant(right)) => {
            out.iter_mut().zip(left).for_each(|(out, left)| *out = apply(*left, right));
        }
        (Operand::Constant(left), Operand::Row(right)) => {
            out.iter_mut().zip(right).for_each(|(out, right)| *out = apply(left, *right));
        }
        (Operand::Constant(left), Operand::Constant(right)) => out.fill(apply(left, right)),
    }
}

#[cfg(test)]
mod tests;
