//! Durations, which may be calculated: `[5m]`, `[2 * step()]`, `offset -(range() / 2)`.

use std::fmt;

use crate::span::Span;

/// A duration.
#[derive(Debug, Clone, PartialEq)]
pub struct DurationExpr {
    /// What it says.
    pub node: DurationNode,
    /// Whether parentheses are around it.
    pub is_wrapped: bool,
    /// Where it stands.
    pub span: Span,
}

/// What a duration says.
#[derive(Debug, Clone, PartialEq)]
pub enum DurationNode {
    /// `5m`, `300`
    Literal {
        /// How many seconds.
        seconds: f64,
        /// Whether it is written as a duration, not as a number.
        is_duration: bool,
    },
    /// `step()`: the time between two evaluations of the query.
    Step,
    /// `range()`: from the first evaluation of the query to the last.
    Range,
    /// A sign before a duration. Before a literal it is part of the literal instead.
    Sign {
        /// Whether the sign is a minus.
        is_negative: bool,
        /// What it stands before.
        operand: Box<DurationExpr>,
    },
    /// Two durations, calculated with in seconds.
    Binary {
        /// The operator.
        op: DurationOp,
        /// The left one, or first one.
        lhs: Box<DurationExpr>,
        /// The right one, or second one.
        rhs: Box<DurationExpr>,
    },
}

/// What is calculated of two durations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is the operator of its name")]
pub enum DurationOp {
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    Pow,
    /// `min_of(a, b)`
    MinOf,
    /// `max_of(a, b)`
    MaxOf,
}

impl DurationOp {
    /// The operator or the name of the function.
    pub fn as_str(self) -> &'static str {
        match self {
            DurationOp::Add => "+",
            DurationOp::Sub => "-",
            DurationOp::Mul => "*",
            DurationOp::Div => "/",
            DurationOp::Mod => "%",
            DurationOp::Pow => "^",
            DurationOp::MinOf => "min_of",
            DurationOp::MaxOf => "max_of",
        }
    }

    /// Whether it is written before both, with parentheses.
    pub(crate) fn is_function(self) -> bool {
        matches!(self, DurationOp::MinOf | DurationOp::MaxOf)
    }

    /// How tight it binds, as of [`super::BinaryOp::precedence`].
    pub fn precedence(self) -> u8 {
        match self {
            DurationOp::Add | DurationOp::Sub => 4,
            DurationOp::Pow => 6,
            _ => 5,
        }
    }
}

/// A duration cannot be calculated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DurationError {
    /// Which part of it.
    pub span: Span,
    /// Why, in the words of Prometheus.
    pub message: &'static str,
}

impl fmt::Display for DurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message)
    }
}

impl std::error::Error for DurationError {}

impl DurationExpr {
    /// More seconds than this are no duration, in either direction: they do not fit into 64 bits of nanoseconds.
    pub(crate) const MAX_SECONDS: f64 = i64::MAX as f64 / 1e9;

    /// The seconds of a duration that is no more than a literal.
    pub fn literal(&self) -> Option<f64> {
        match self.node {
            DurationNode::Literal { seconds, .. } if !self.is_wrapped => Some(seconds),
            _ => None,
        }
    }

    /// The duration in milliseconds, of a query with this step and range; both are zero for one evaluation. What is less
    /// than a millisecond is cut off.
    ///
    /// # Errors
    /// It divides by zero, is no finite number, or is too long.
    pub fn resolve(&self, step_ms: i64, range_ms: i64) -> Result<i64, DurationError> {
        let seconds = self.seconds(step_ms, range_ms)?;
        if !seconds.is_finite() {
            return Err(self.error("duration is NaN or infinite"));
        }
        if seconds.abs() > Self::MAX_SECONDS {
            return Err(self.error("duration is out of range"));
        }
        Ok(match self.literal() {
            // Of a literal the nanoseconds are rounded before.
            Some(seconds) => ((seconds * 1e9).round() / 1e6) as i64,
            None => (seconds * 1000.0) as i64,
        })
    }

    /// As [`DurationExpr::resolve`], for ranges and steps.
    ///
    /// # Errors
    /// Also if it is not above zero.
    pub fn resolve_positive(&self, step_ms: i64, range_ms: i64) -> Result<i64, DurationError> {
        let resolved = self.resolve(step_ms, range_ms)?;
        if self.seconds(step_ms, range_ms)? <= 0.0 {
            return Err(self.error("duration must be greater than 0"));
        }
        Ok(resolved)
    }

    fn seconds(&self, step_ms: i64, range_ms: i64) -> Result<f64, DurationError> {
        Ok(match &self.node {
            DurationNode::Literal { seconds, .. } => *seconds,
            DurationNode::Step => step_ms as f64 / 1000.0,
            DurationNode::Range => range_ms as f64 / 1000.0,
            DurationNode::Sign { is_negative, operand } => {
                let seconds = operand.seconds(step_ms, range_ms)?;
                if *is_negative { -seconds } else { seconds }
            }
            DurationNode::Binary { op, lhs, rhs } => {
                let (lhs, rhs) = (lhs.seconds(step_ms, range_ms)?, rhs.seconds(step_ms, range_ms)?);
                match op {
                    DurationOp::Add => lhs + rhs,
                    DurationOp::Sub => lhs - rhs,
                    DurationOp::Mul => lhs * rhs,
                    DurationOp::Div if rhs == 0.0 => return Err(self.error("division by zero")),
                    DurationOp::Div => lhs / rhs,
                    DurationOp::Mod if rhs == 0.0 => return Err(self.error("modulo by zero")),
                    DurationOp::Mod => lhs % rhs,
                    DurationOp::Pow => lhs.powf(rhs),
                    DurationOp::MinOf | DurationOp::MaxOf if lhs.is_nan() || rhs.is_nan() => f64::NAN,
                    DurationOp::MinOf => lhs.min(rhs),
                    DurationOp::MaxOf => lhs.max(rhs),
                }
            }
        })
    }

    fn error(&self, message: &'static str) -> DurationError {
        DurationError { span: self.span, message }
    }
}

#[cfg(test)]
mod tests;
