//! Warnings and infos beside an answer: the same keys in the JSON of every API, and trailers behind what has no room for them.
//!
//! They are known once the last row is, when the head of the answer has long been sent. JSON has them as its last keys. CSV,
//! Arrow and Parquet have no place that their readers would not take for rows or overlook, so HTTP says it: behind the body,
//! to a client that said `TE: trailers` or speaks HTTP/2.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use crate::promql::Annotations;

/// So many warnings and so many infos are told at most.
const MAX_TOLD: usize = 10;
/// What one trailer may hold, in bytes: clients bear about 16 KiB of headers.
const MAX_TRAILER_BYTES: usize = 4 << 10;
const WARNINGS: HeaderName = HeaderName::from_static("fleetscope-warnings");
const INFOS: HeaderName = HeaderName::from_static("fleetscope-infos");
/// The value of `Trailer`: without it HTTP/1 sends none.
pub(super) const TRAILERS: &str = "fleetscope-warnings, fleetscope-infos";

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

/// The trailers behind an answer: each a JSON array of texts in ASCII. Nothing if there is nothing to tell.
pub(super) fn trailers(annotations: &Annotations) -> Option<HeaderMap> {
    let mut trailers = HeaderMap::new();
    for (key, mut texts) in told(annotations) {
        let name = if key == "warnings" { WARNINGS } else { INFOS };
        let mut value = ascii(&texts);
        while value.len() > MAX_TRAILER_BYTES && texts.len() > 1 {
            texts.pop();
            value = ascii(&texts);
        }
        if value.len() > MAX_TRAILER_BYTES {
            value = "[\"an annotation is too long for a trailer, ask for JSON\"]".to_owned();
        }
        // A text in ASCII without control characters is a value.
        if let Ok(value) = HeaderValue::try_from(value) {
            trailers.insert(name, value);
        }
    }
    (!trailers.is_empty()).then_some(trailers)
}

/// Texts as JSON of which every character may stand in a header.
fn ascii(texts: &[String]) -> String {
    let json = Value::from(texts).to_string();
    let mut ascii = String::with_capacity(json.len());
    for character in json.chars() {
        if character.is_ascii() && !character.is_ascii_control() {
            ascii.push(character);
        } else {
            let mut units = [0; 2];
            character.encode_utf16(&mut units).iter().for_each(|unit| ascii.push_str(&format!("\\u{unit:04x}")));
        }
    }
    ascii
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trailer_is_json_in_ascii_and_not_too_long() {
        let annotations = |warnings: &[String]| Annotations { warnings: warnings.to_vec(), infos: Vec::new() };
        assert_eq!(trailers(&Annotations::default()), None);
        let odd = vec!["größer 𝕏 \u{7f} \"x\"\n".to_owned()];
        let told = trailers(&annotations(&odd)).unwrap();
        let value = told["fleetscope-warnings"].to_str().unwrap();
        assert_eq!(serde_json::from_str::<Vec<String>>(value).unwrap(), odd);
        assert_eq!(told.len(), 1);
        let long: Vec<String> = (0..9).map(|n| format!("{n}{}", "x".repeat(1000))).collect();
        let told = trailers(&annotations(&long)).unwrap();
        let some: Vec<String> = serde_json::from_str(told["fleetscope-warnings"].to_str().unwrap()).unwrap();
        assert_eq!(some, long[..4]);
        let told = trailers(&annotations(&["x".repeat(5000)])).unwrap();
        assert!(told["fleetscope-warnings"].to_str().unwrap().contains("ask for JSON"));
        let many: Vec<String> = (0..12).map(|n| n.to_string()).collect();
        let mut keys = String::new();
        push_keys(&annotations(&many), &mut keys);
        assert!(
            keys.starts_with(",\"warnings\":[\"0\",") && keys.contains("\"9\",\"2 more warning annotations omitted\"]"),
            "{keys}"
        );
    }
}
