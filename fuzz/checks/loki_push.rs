//! Any bytes are a push to Loki that is read or refused; what is read is sound.
//!
//! The first byte chooses the form.

use decode::loki;
use model::ErrorKind;

use super::log_rows::{ARRIVAL, check_logs, limits};

pub(crate) fn check(input: &[u8]) {
    let Some((choice, body)) = input.split_first() else { return };
    let (limits, is_json) = (limits(), choice & 1 != 0);
    let decoded = match is_json {
        false => loki::decode(body, ARRIVAL, &limits),
        true => loki::json::decode(body, ARRIVAL, &limits),
    };
    match decoded {
        Ok(decoded) => check_logs(&decoded.logs, &decoded.refused, &limits, body.len()),
        Err(error) => {
            let has_place = error.kind() == ErrorKind::TooLarge || !is_json || error.position().is_some();
            assert!(has_place && error.message().chars().count() < 1000, "{error}");
        }
    }
}
