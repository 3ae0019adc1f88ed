//! Requests of OTLP in JSON, as none of its exporters would send them.

use serde_json::{Value, json};

/// What holds the resources, the scopes and the rows of a request of logs.
pub(crate) const LOGS: [&str; 3] = ["resourceLogs", "scopeLogs", "logRecords"];
/// Likewise of spans.
pub(crate) const SPANS: [&str; 3] = ["resourceSpans", "scopeSpans", "spans"];

/// Texts by their keys.
pub(crate) fn attributes(pairs: &[(&str, &str)]) -> Value {
    pairs.iter().map(|(key, value)| json!({ "key": key, "value": { "stringValue": value } })).collect()
}

/// A request with the attributes of each resource, and its rows.
pub(crate) fn request(
    [resources, scopes, rows]: [&str; 3],
    all: impl IntoIterator<Item = (Value, Vec<Value>)>,
) -> Vec<u8> {
    let of_resource = |(attributes, of_scope): (Value, Vec<Value>)| json!({ "resource": { "attributes": attributes }, scopes: [{ rows: of_scope }] });
    json!({ resources: all.into_iter().map(of_resource).collect::<Vec<_>>() }).to_string().into_bytes()
}
