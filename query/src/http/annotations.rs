//! Warnings and infos beside an answer, the same ones in the JSON of every API.

use serde_json::Value;

use crate::promql::Annotations;

/// So many warnings and so many infos are told at most.
const MAX_TOLD: usize = 10;

/// Adds the keys `warnings` and `infos` to a JSON object that is not closed yet, each only if there is something to tell.
pub(super) fn push_keys(annotations: &Annotations, into: &mut String) {
    for (name, texts) in told(annotations) {
        into.push_str(&format!(",\"{name}\":{}", Value::from(texts)));
    }
}

/// As many texts of each kind as are told, and how many are not; no kind of which there is none.
fn told(annotations: &Annotations) -> Vec<(&'static str, Vec<String>)> {
    let kinds = [("warnings", "warning", &annotations.warnings), ("infos", "info", &annotations.infos)];
    let some = kinds.into_iter().filter(|(_, _, texts)| !texts.is_empty());
    some.map(|(name, kind, texts)| {
        let mut told: Vec<String> = texts.iter().take(MAX_TOLD).cloned().collect();
        if let Some(more) = texts.len().checked_sub(MAX_TOLD).filter(|more| *more > 0) {
            told.push(format!("{more} more {kind} annotations omitted"));
        }
        (name, told)
    })
    .collect()
}
