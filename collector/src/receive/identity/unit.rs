//! What a push is counted in.

use super::Reason;

/// What there may be so many of in a second, whatever the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Samples and histograms.
    Samples,
    /// Log rows and spans.
    Rows,
}

impl Unit {
    /// What a message calls them.
    pub(super) fn words(self) -> &'static str {
        match self {
            Unit::Samples => "samples",
            Unit::Rows => "log rows and spans",
        }
    }

    /// The setting that limits them.
    pub(super) fn setting(self) -> &'static str {
        match self {
            Unit::Samples => "sample_rate_limit",
            Unit::Rows => "row_rate_limit",
        }
    }

    /// Why a push that has more is refused.
    pub(super) fn reason(self) -> Reason {
        match self {
            Unit::Samples => Reason::SampleRate,
            Unit::Rows => Reason::RowRate,
        }
    }
}
