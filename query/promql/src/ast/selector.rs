//! Selectors and subqueries: which series, at which time, over which range.

use super::{DurationExpr, Expr, Matcher};
use crate::span::Span;

/// Series, and of each the latest sample at the time that is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct VectorSelector {
    /// The name that is written before the braces. The matchers hold it too.
    pub name: Option<String>,
    /// All conditions on labels, in the order as written; that on the name before the braces is the last.
    pub matchers: Vec<Matcher>,
    /// The time to look at, if it is not that of the evaluation.
    pub at: Option<At>,
    /// How far to look back from there; forward, if negative. An offset of zero is none.
    pub offset: Option<DurationExpr>,
    /// What becomes of samples beside the borders of the range.
    pub extension: Option<Extension>,
    /// Where it stands, modifiers included.
    pub span: Span,
}

/// Series, and of each the samples of a range of time.
#[derive(Debug, Clone, PartialEq)]
pub struct MatrixSelector {
    /// Which series and when: modifiers behind the range are of the selector.
    pub selector: VectorSelector,
    /// How long the range is.
    pub range: DurationExpr,
    /// Where it stands, modifiers included.
    pub span: Span,
}

/// An expression evaluated again and again over a range of time.
#[derive(Debug, Clone, PartialEq)]
pub struct Subquery {
    /// What is evaluated.
    pub expr: Box<Expr>,
    /// How long the range is.
    pub range: DurationExpr,
    /// The time between two evaluations, if it is not the default.
    pub step: Option<DurationExpr>,
    /// The end of the range, if it is not the time of the evaluation.
    pub at: Option<At>,
    /// How far to look back from there, as of [`VectorSelector::offset`].
    pub offset: Option<DurationExpr>,
    /// Where it stands, modifiers included.
    pub span: Span,
}

/// The time that `@` names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// A time in milliseconds.
    Time(i64),
    /// `start()`, where the range of the whole query begins.
    Start,
    /// `end()`, where the range of the whole query ends.
    End,
}

/// How a selector deals with the borders of its range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extension {
    /// `anchored`: the last sample before the range counts as one at its border.
    Anchored,
    /// `smoothed`: values at the borders are interpolated from the samples around them.
    Smoothed,
}

impl Extension {
    /// Its keyword.
    pub fn as_str(self) -> &'static str {
        match self {
            Extension::Anchored => "anchored",
            Extension::Smoothed => "smoothed",
        }
    }
}
