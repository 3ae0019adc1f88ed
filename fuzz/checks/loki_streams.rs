//! Any bytes are an answer of a Loki that is read or refused; what is read is sound.

use decode::loki::streams;

use super::log_rows::{ARRIVAL, check_logs, limits};

pub(crate) fn check(input: &[u8]) {
    let limits = limits();
    match streams::decode(input, ARRIVAL, &limits) {
        Ok(decoded) => check_logs(&decoded.logs, &decoded.refused, &limits, input.len()),
        Err(error) => assert!(error.message().chars().count() < 1000, "{error}"),
    }
}
