//! Any bytes are an OTLP request for logs that is read or refused; what is read is sound.
//!
//! The first byte chooses form and limits.

use decode::otlp::DecodedLogs;
use decode::otlp::json::Request;
use decode::otlp::logs::decode;
use model::{ErrorKind, Logs};

use super::records::{LATEST_MS, body, check_attributes, check_shared, check_size, limits};

const NOW_NANOS: i64 = 1_700_000_000_000_000_000;

pub(crate) fn check(input: &[u8]) {
    let Some((choice, rest)) = input.split_first() else { return };
    let limits = limits(*choice);
    let Some(body) = body(Request::Logs, *choice, rest, &limits) else { return };
    let DecodedLogs { logs, refused } = match decode(&body, NOW_NANOS, LATEST_MS, &limits) {
        Ok(decoded) => decoded,
        Err(error) => {
            let is_damaged = error.kind() == ErrorKind::Invalid && choice & 1 == 0;
            assert!(error.kind() == ErrorKind::TooLarge || is_damaged, "what was JSON is no message: {error}");
            return;
        }
    };
    let rows = logs.len();
    check_shared((&logs.resources, &logs.resource), (&logs.scopes, &logs.scope));
    // The event's name, and the attributes of the scope.
    check_attributes(&logs.attributes, rows, 1 + limits.max_attributes, &limits);
    check_size(&refused, rows, logs.memory_bytes(), &body, &limits);
    for row in 0..rows {
        let log = logs.row(row);
        assert!((0..=LATEST_MS * 1_000_000 + 999_999).contains(&log.time_unix_nano) && log.observed_time_unix_nano > 0);
        assert!(log.severity_number <= 24 && log.body.len() <= limits.max_line_bytes);
        assert!(log.severity_text.len() <= limits.max_attribute_bytes);
    }
    let mut same = Logs::default();
    same.append(&logs, 0..rows);
    assert!((0..rows).all(|row| same.row(row) == logs.row(row)));
}
