//! What holds of the rows of logs that a decoder lets through.

use std::collections::HashSet;

use decode::{Arrival, Limits, Refused};
use model::Logs;

pub(crate) const ARRIVAL: Arrival =
    Arrival { unix_nano: 1_700_000_000_000_000_000, latest_unix_nano: 1_700_000_600_000_000_000 };

/// Limits that small inputs reach.
pub(crate) fn limits() -> Limits {
    Limits {
        max_rows: 2_000,
        max_decoded_bytes: 1 << 20,
        max_line_bytes: 1 << 10,
        max_attributes: 16,
        max_attribute_bytes: 256,
        ..Limits::default()
    }
}

/// Checks that the columns fit each other and the limits, and that what a body of so many bytes became is not too large.
pub(crate) fn check_logs(logs: &Logs, refused: &Refused, limits: &Limits, body_bytes: usize) {
    let rows = logs.len();
    let columns = [
        logs.scope.len(),
        logs.time_unix_nano.len(),
        logs.observed_time_unix_nano.len(),
        logs.severity_number.len(),
        logs.severity_text.len(),
        logs.body.len(),
        logs.trace_id.len(),
        logs.span_id.len(),
        logs.flags.len(),
        logs.attributes.rows(),
    ];
    assert!(columns.iter().all(|column| *column == rows) && rows <= limits.max_rows, "{rows} {columns:?}");
    for row in 0..rows {
        let log = logs.row(row);
        assert!(log.body.len() <= limits.max_line_bytes && log.time_unix_nano <= ARRIVAL.latest_unix_nano);
        assert!(log.observed_time_unix_nano == ARRIVAL.unix_nano && log.severity_number <= 24);
        assert!(logs.resources.get(log.resource).is_some() && logs.scopes.get(log.scope).is_some());
        let mut names = HashSet::new();
        for (name, value) in logs.attributes.row(row) {
            assert!(!name.is_empty() && names.insert(name));
            assert!(name.len() <= limits.max_name_bytes && value.len() <= limits.max_attribute_bytes);
        }
        // The level is one more.
        assert!(names.len() <= limits.max_attributes + 1);
    }
    for resource in logs.resources.iter() {
        // Those that are derived are two more.
        assert!(resource.attributes.iter().count() <= limits.max_attributes + 2);
    }
    assert!(refused.messages().all(|(_, message)| message.chars().count() < 1500));
    // An entry of four bytes is a row of eighty, in columns that have grown to twice of what they need.
    let memory_bytes = logs.memory_bytes();
    assert!(memory_bytes <= 64 * body_bytes + (4 << 10), "{memory_bytes} bytes of memory for {body_bytes} of a body");
}
