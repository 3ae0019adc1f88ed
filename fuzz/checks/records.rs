//! What holds of the rows of logs and traces that a decoder of OTLP lets through.

use bytes::Bytes;
use decode::Limits;
use decode::otlp::Refused;
use decode::otlp::json::{Request, to_protobuf};
use model::attributes::Attributes;
use model::resource::{Resource, Scope};
use model::shared::Shared;

/// The latest time that is taken, in milliseconds: in the year 2100.
pub(crate) const LATEST_MS: i64 = 4_102_444_800_000;

/// Limits by a byte of the input: those of the product, or ones that small bodies break.
pub(crate) fn limits(choice: u8) -> Limits {
    let usual = Limits { max_decoded_bytes: 1 << 20, max_rows: 10_000, ..Limits::default() };
    match choice & 2 {
        0 => usual,
        _ => Limits {
            max_rows: 24,
            max_attributes: 3,
            max_attribute_bytes: 24,
            max_name_bytes: 12,
            max_line_bytes: 16,
            ..usual
        },
    }
}

/// The protobuf bytes of an input: it is them, or JSON, by its first byte.
pub(crate) fn body(request: Request, choice: u8, body: &[u8], limits: &Limits) -> Option<Bytes> {
    if choice & 1 == 0 { Some(Bytes::copy_from_slice(body)) } else { to_protobuf(request, body, limits).ok() }
}

/// Checks what rows share: each has its resource and its scope.
pub(crate) fn check_shared(resources: (&Shared<Resource>, &[u32]), scopes: (&Shared<Scope>, &[u32])) {
    assert!(resources.1.iter().all(|place| resources.0.get(*place).is_some()));
    assert!(scopes.1.iter().all(|place| scopes.0.get(*place).is_some()));
}

/// Checks the attributes of so many rows, each of which has `more` at most beside its own.
pub(crate) fn check_attributes(attributes: &Attributes, rows: usize, more: usize, limits: &Limits) {
    assert_eq!(attributes.rows(), rows);
    for row in 0..rows {
        let names: Vec<&str> = attributes.row(row).map(|(name, _)| name).collect();
        assert!(names.len() <= limits.max_attributes + more);
        assert!((1..names.len()).all(|at| !names[..at].contains(&names[at])), "{names:?}");
        for (name, value) in attributes.row(row) {
            assert!(name.len() <= limits.max_name_bytes.max(10) + 11 && value.len() <= limits.max_attribute_bytes);
        }
    }
}

/// Checks what is told of what was refused, and that the whole is no larger than a body may make it.
pub(crate) fn check_size(refused: &Refused, rows: usize, memory_bytes: usize, body: &[u8], limits: &Limits) {
    let told = rows + usize::try_from(refused.points).expect("a count");
    assert!(told <= limits.max_rows, "{told}");
    assert!(refused.reasons.len() <= 10 && refused.reasons.iter().all(|reason| reason.len() < 1000));
    assert_eq!(refused.points > 0, !refused.reasons.is_empty());
    // A row of hardly any bytes has all columns all the same.
    assert!(memory_bytes <= 64 * body.len() + 512 * rows + (64 << 10), "{memory_bytes} of {}", body.len());
}
