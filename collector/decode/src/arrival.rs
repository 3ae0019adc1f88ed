//! When a body came: what rows without a time get, and what they are held against.

/// When a body came, and how late its rows may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// The instant, in nanoseconds since the Unix epoch.
    pub unix_nano: i64,
    /// Rows later than this are refused, in nanoseconds since the Unix epoch.
    pub latest_unix_nano: i64,
}
