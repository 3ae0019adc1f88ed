//! Lines of logs: how they are written, and their severities.

use opentelemetry_proto::tonic::logs::v1::{LogRecord, SeverityNumber};

use crate::site::Site;
use crate::traffic::MS_NS;
use crate::traffic::arguments::{Attributes, value};
use crate::traffic::trace::stamp;

/// A collector sees a line so long after it was written.
const SEEN_AFTER_NS: i64 = 40 * MS_NS;

/// A line of a log.
#[derive(Debug)]
pub(crate) struct Line {
    /// The true time, which the clock of its cluster may not show.
    pub(crate) time_ns: i64,
    pub(crate) severity: SeverityNumber,
    pub(crate) body: String,
    pub(crate) attributes: Attributes,
}

/// A line as OTLP has it.
pub(crate) fn record(site: &Site, line: Line) -> LogRecord {
    LogRecord {
        time_unix_nano: stamp(site, line.time_ns),
        observed_time_unix_nano: stamp(site, line.time_ns + SEEN_AFTER_NS),
        severity_number: line.severity as i32,
        severity_text: word(line.severity).to_owned(),
        body: Some(value(line.body)),
        attributes: line.attributes,
        ..LogRecord::default()
    }
}

/// A severity as programs write it.
pub(crate) fn word(severity: SeverityNumber) -> &'static str {
    match severity {
        SeverityNumber::Warn => "WARN",
        SeverityNumber::Error => "ERROR",
        SeverityNumber::Fatal => "FATAL",
        SeverityNumber::Info => "INFO",
        // A line that says nothing of how bad it is.
        _ => "",
    }
}

/// A duration as Go writes it, to a tenth of a millisecond.
pub(crate) fn milliseconds(duration_ns: i64) -> String {
    format!("{:.1}ms", duration_ns as f64 / MS_NS as f64)
}
