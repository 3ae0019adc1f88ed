//! Any bytes are a bulk request that is read or refused; what is read is sound, and each item tells what it became.

use decode::elasticsearch::bulk;

use super::log_rows::{ARRIVAL, check_logs, limits};

pub(crate) fn check(input: &[u8]) {
    let limits = limits();
    match bulk::decode(input, "logs", ARRIVAL, &limits) {
        Ok(decoded) => {
            check_logs(&decoded.logs, &decoded.refused, &limits, input.len());
            let taken = decoded.items.iter().filter(|item| item.status() == 201).count();
            assert_eq!(taken, decoded.logs.len());
            let refused: u64 = decoded.refused.counts().map(|(_, count)| count).sum();
            assert_eq!(refused as usize, decoded.items.len() - taken);
            let reasons = decoded.items.iter().filter_map(|item| item.error.as_ref());
            assert!(reasons.map(|error| error.reason.chars().count()).all(|count| 0 < count && count < 1000));
        }
        Err(error) => assert!(error.message().chars().count() < 1000, "{error}"),
    }
}
