//! Attributes on the wire, and their values as text.
//!
//! ```text
//! KeyValue { key = 1, value = 2: AnyValue }
//! AnyValue { string = 1, bool = 2, int = 3, double = 4, array = 5: ArrayValue, kvlist = 6: KeyValueList, bytes = 7 }
//! ArrayValue { values = 1: AnyValue }     KeyValueList { values = 1: KeyValue }
//! ```
//!
//! Text is canonical: numbers in decimal, lists and maps as JSON with sorted keys, bytes as base64.

use std::fmt::Write;
use std::ops::Range;

use super::Fault;
use crate::error::quoted;
use crate::protobuf::wire::{Fields, Value};

/// Lists within lists beyond this refuse the point.
const MAX_DEPTH: usize = 16;

/// Where key and value of an attribute are in the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Attribute {
    pub(super) key: Range<usize>,
    /// The `AnyValue`; empty if there is none.
    pub(super) value: Range<usize>,
}

impl Attribute {
    /// Reads the `KeyValue` at `range`.
    #[inline]
    pub(super) fn read(body: &[u8], range: Range<usize>) -> Result<Self, Fault> {
        let mut attribute = Attribute { key: 0..0, value: 0..0 };
        let mut fields = Fields::new(body, range);
        while let Some((number, value)) = fields.next()? {
            match (number, value) {
                (1, Value::Bytes(range)) => attribute.key = range,
                (2, Value::Bytes(range)) => attribute.value = range,
                (1 | 2, _) => return Err(Fault::wrong_type("KeyValue", number)),
                _ => {}
            }
        }
        Ok(attribute)
    }

    /// The key as text.
    pub(super) fn key<'a>(&self, body: &'a [u8]) -> Result<&'a str, Fault> {
        text(&body[self.key.clone()], "the key of an attribute")
    }
}

/// Text out of the body.
pub(super) fn text<'a>(bytes: &'a [u8], what: &str) -> Result<&'a str, Fault> {
    std::str::from_utf8(bytes).map_err(|_| Fault::Refused(format!("{what} is not UTF-8: {}", quoted(bytes))))
}

/// What an `AnyValue` holds.
#[derive(Debug, Clone, PartialEq)]
enum Any {
    Nothing,
    Text(Range<usize>),
    Bool(bool),
    Int(i64),
    Double(f64),
    List(Range<usize>),
    Map(Range<usize>),
    Bytes(Range<usize>),
}

fn any(body: &[u8], range: Range<usize>) -> Result<Any, Fault> {
    let mut any = Any::Nothing;
    let mut fields = Fields::new(body, range);
    while let Some((number, value)) = fields.next()? {
        any = match (number, value) {
            (1, Value::Bytes(range)) => Any::Text(range),
            (2, Value::Varint(number)) => Any::Bool(number != 0),
            (3, Value::Varint(number)) => Any::Int(number as i64),
            (4, Value::Fixed64(bits)) => Any::Double(f64::from_bits(bits)),
            (5, Value::Bytes(range)) => Any::List(range),
            (6, Value::Bytes(range)) => Any::Map(range),
            (7, Value::Bytes(range)) => Any::Bytes(range),
            (1..=7, _) => return Err(Fault::wrong_type("AnyValue", number)),
            _ => any,
        };
    }
    Ok(any)
}

/// The text of an `AnyValue` that is a string, with a few bytes looked at: nearly all are.
#[inline]
pub(super) fn short_text(body: &[u8], range: &Range<usize>) -> Option<Range<usize>> {
    const STRING: u8 = 1 << 3 | 2;
    let [STRING, len @ 0..0x80, ..] = *body.get(range.clone())? else { return None };
    (usize::from(len) + 2 == range.len()).then(|| range.start + 2..range.end)
}

/// Writes the text of the `AnyValue` at `range`.
pub(super) fn write(body: &[u8], range: Range<usize>, max_bytes: usize, out: &mut String) -> Result<(), Fault> {
    let start = out.len();
    match any(body, range)? {
        Any::Text(range) | Any::Bytes(range) if range.len() > max_bytes => check_length(range.len(), max_bytes)?,
        Any::Text(range) => out.push_str(text(&body[range], "the value of an attribute")?),
        Any::Double(value) => write_double(value, out),
        Any::Bytes(range) => write_base64(&body[range], out),
        other => write_json(body, &other, 0, max_bytes, out)?,
    }
    check_length(out.len() - start, max_bytes)
}

/// Refuses a value that is too long for a label.
pub(super) fn check_length(bytes: usize, max_bytes: usize) -> Result<(), Fault> {
    if bytes <= max_bytes {
        return Ok(());
    }
    Err(Fault::Refused(format!("the value of an attribute has {bytes} bytes or more, the limit is {max_bytes}")))
}

fn write_json(body: &[u8], any: &Any, depth: usize, max_bytes: usize, out: &mut String) -> Result<(), Fault> {
    check_length(out.len(), max_bytes.saturating_mul(2))?;
    if depth > MAX_DEPTH {
        return Err(Fault::Refused(format!(
            "the value of an attribute has lists within lists, more than {MAX_DEPTH} deep"
        )));
    }
    match any {
        Any::Nothing if depth == 0 => {}
        Any::Nothing => out.push_str("null"),
        Any::Text(range) | Any::Bytes(range) if range.len() > max_bytes => check_length(range.len(), max_bytes)?,
        Any::Text(range) => write_quoted(text(&body[range.clone()], "the value of an attribute")?, out),
        Any::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Any::Int(value) => {
            let _ = write!(out, "{value}");
        }
        Any::Double(value) if value.is_finite() => write_double(*value, out),
        Any::Double(value) => {
            let mut word = String::new();
            write_double(*value, &mut word);
            write_quoted(&word, out);
        }
        Any::Bytes(range) => {
            let mut word = String::new();
            write_base64(&body[range.clone()], &mut word);
            write_quoted(&word, out);
        }
        Any::List(range) => write_list(body, range.clone(), depth, max_bytes, out)?,
        Any::Map(range) => write_map(body, range.clone(), depth, max_bytes, out)?,
    }
    Ok(())
}

fn write_list(body: &[u8], list: Range<usize>, depth: usize, max: usize, out: &mut String) -> Result<(), Fault> {
    let mut separator = '[';
    let mut fields = Fields::new(body, list);
    while let Some((number, value)) = fields.next()? {
        match (number, value) {
            (1, Value::Bytes(range)) => {
                out.push(separator);
                separator = ',';
                write_json(body, &any(body, range)?, depth + 1, max, out)?;
            }
            (1, _) => return Err(Fault::wrong_type("ArrayValue", number)),
            _ => {}
        }
    }
    out.push_str(if separator == '[' { "[]" } else { "]" });
    Ok(())
}

fn write_map(body: &[u8], map: Range<usize>, depth: usize, max: usize, out: &mut String) -> Result<(), Fault> {
    let mut entries = Vec::new();
    let mut fields = Fields::new(body, map);
    while let Some((number, value)) = fields.next()? {
        match (number, value) {
            (1, Value::Bytes(range)) => {
                let entry = Attribute::read(body, range)?;
                // Two bytes of a body can stand for an entry; a label with so many would be too long anyway.
                check_length(entries.len(), max)?;
                entries.push((entry.key(body)?, entry.value));
            }
            (1, _) => return Err(Fault::wrong_type("KeyValueList", number)),
            _ => {}
        }
    }
    entries.sort_by_key(|(key, _)| *key);
    let mut separator = '{';
    for (key, value) in entries {
        out.push(separator);
        separator = ',';
        write_quoted(key, out);
        out.push(':');
        write_json(body, &any(body, value)?, depth + 1, max, out)?;
    }
    out.push_str(if separator == '{' { "{}" } else { "}" });
    Ok(())
}

fn write_quoted(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// As JSON writes numbers: with an exponent only where it is very small or large.
fn write_double(value: f64, out: &mut String) {
    let size = value.abs();
    let _ = if value.is_nan() {
        out.write_str("NaN")
    } else if value.is_infinite() {
        out.write_str(if value > 0.0 { "Infinity" } else { "-Infinity" })
    } else if value != 0.0 && size < 1e-6 {
        write!(out, "{value:e}")
    } else if size >= 1e21 {
        // Display writes no plus sign.
        let text = format!("{value:e}");
        out.write_str(&text.replace('e', "e+"))
    } else {
        write!(out, "{value}")
    };
}

fn write_base64(bytes: &[u8], out: &mut String) {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for place in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * place)) as usize & 63];
            out.push(if place <= group.len() { char::from(digit) } else { '=' });
        }
    }
}

#[cfg(test)]
mod tests;
