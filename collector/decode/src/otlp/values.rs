//! Attributes on the wire, and their values as text.
//!
//! ```text
//! KeyValue { key = 1, value = 2: AnyValue }
//! AnyValue { string = 1, bool = 2, int = 3, double = 4, array = 5: ArrayValue, kvlist = 6: KeyValueList, bytes = 7 }
//! ArrayValue { values = 1: AnyValue }     KeyValueList { values = 1: KeyValue }
//! ```
//!
//! Text is canonical: numbers in decimal, lists and maps as JSON with sorted keys, bytes as base64.

use std::borrow::Cow;
use std::fmt::Write;
use std::ops::Range;

use super::Fault;
use crate::Limits;
use crate::error::quoted;
use crate::protobuf::wire::{Fields, Value};

/// Lists within lists beyond this refuse the point or row.
const MAX_DEPTH: usize = 16;

/// Keys and values of a resource or scope, as text.
pub(super) type Pairs = Vec<(String, String)>;

/// How a value becomes text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Form {
    /// What it is the value of, for messages.
    pub(super) what: &'static str,
    /// The most bytes that the text may have, and the setting that says so.
    pub(super) max_bytes: usize,
    pub(super) setting: &'static str,
    /// Whether bytes that are no UTF-8 become U+FFFD; otherwise they refuse what they are in.
    pub(super) is_mended: bool,
}

impl Form {
    /// The form of attributes that become labels.
    pub(super) fn label(limits: &Limits) -> Self {
        let setting = "label_value_length_limit";
        Form { what: "the value of an attribute", max_bytes: limits.max_value_bytes, setting, is_mended: false }
    }

    /// The form of attributes that stay attributes.
    pub(super) fn attribute(limits: &Limits) -> Self {
        let setting = "attribute_value_length_limit";
        Form { what: "the value of an attribute", max_bytes: limits.max_attribute_bytes, setting, is_mended: true }
    }

    /// The form of the body of a log record.
    pub(super) fn line(limits: &Limits) -> Self {
        Form { what: "the body", max_bytes: limits.max_line_bytes, setting: "line_size_limit", is_mended: true }
    }

    /// The text that a string of the body is.
    #[inline]
    pub(super) fn text<'a>(&self, bytes: &'a [u8]) -> Result<Cow<'a, str>, Fault> {
        self.check_length(bytes.len())?;
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Cow::Borrowed(text)),
            Err(_) if self.is_mended => {
                let mended = String::from_utf8_lossy(bytes);
                self.check_length(mended.len())?;
                Ok(mended)
            }
            Err(_) => Err(not_text(bytes, self.what)),
        }
    }

    /// Refuses a text that is too long.
    #[inline]
    pub(super) fn check_length(&self, bytes: usize) -> Result<(), Fault> {
        if bytes <= self.max_bytes { Ok(()) } else { Err(self.too_long(bytes)) }
    }

    #[cold]
    fn too_long(&self, bytes: usize) -> Fault {
        let Form { what, max_bytes, setting, .. } = self;
        Fault::Refused(format!("{what} has {bytes} bytes or more, the limit is {max_bytes} ({setting})"))
    }
}

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
    std::str::from_utf8(bytes).map_err(|_| not_text(bytes, what))
}

#[cold]
fn not_text(bytes: &[u8], what: &str) -> Fault {
    Fault::Refused(format!("{what} is not UTF-8: {}", quoted(bytes)))
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

/// The string that the `AnyValue` at `range` is, to name what it is the value of; empty if it is none.
#[cold]
pub(super) fn string(body: &[u8], range: Range<usize>) -> &[u8] {
    match any(body, range) {
        Ok(Any::Text(range)) => &body[range],
        _ => b"",
    }
}

/// Writes the text of the `AnyValue` at `range`.
pub(super) fn write(body: &[u8], range: Range<usize>, form: &Form, out: &mut String) -> Result<(), Fault> {
    let any = any(body, range)?;
    write_any(body, &any, form, out)
}

/// The text of the `AnyValue` at `range`: that of the body if it is a string, otherwise it is written into `scratch`.
#[inline]
pub(super) fn read<'a>(
    body: &'a [u8],
    range: Range<usize>,
    form: &Form,
    scratch: &'a mut String,
) -> Result<Cow<'a, str>, Fault> {
    match any(body, range)? {
        Any::Text(range) => form.text(&body[range]),
        other => {
            scratch.clear();
            write_any(body, &other, form, scratch)?;
            Ok(Cow::Borrowed(scratch))
        }
    }
}

/// Reads attributes, fields `number` of the message at `range`, of which there may be `max`.
pub(super) fn read_pairs(
    body: &[u8],
    range: Range<usize>,
    number: u64,
    max: usize,
    form: &Form,
    pairs: &mut Pairs,
) -> Result<(), Fault> {
    let mut fields = Fields::new(body, range);
    while let Some((found, value)) = fields.next()? {
        match value {
            Value::Bytes(range) if found == number => {
                let attribute = Attribute::read(body, range)?;
                if pairs.len() >= max {
                    return Err(Fault::Refused(format!("it has more than {max} attributes")));
                }
                let mut value = String::new();
                write(body, attribute.value.clone(), form, &mut value)?;
                pairs.push((attribute.key(body)?.to_owned(), value));
            }
            _ if found == number => return Err(Fault::wrong_type("attributes", number)),
            _ => {}
        }
    }
    Ok(())
}

fn write_any(body: &[u8], any: &Any, form: &Form, out: &mut String) -> Result<(), Fault> {
    let start = out.len();
    match any {
        Any::Text(range) => out.push_str(&form.text(&body[range.clone()])?),
        Any::Double(value) => write_double(*value, out),
        Any::Bytes(range) => {
            form.check_length(range.len())?;
            write_base64(&body[range.clone()], out);
        }
        other => write_json(body, other, 0, form, out)?,
    }
    form.check_length(out.len() - start)
}

fn write_json(body: &[u8], any: &Any, depth: usize, form: &Form, out: &mut String) -> Result<(), Fault> {
    if out.len() > form.max_bytes.saturating_mul(2) {
        return Err(form.too_long(out.len()));
    }
    if depth > MAX_DEPTH {
        let what = format!("{} has lists within lists, more than {MAX_DEPTH} deep", form.what);
        return Err(Fault::Refused(what));
    }
    match any {
        Any::Nothing if depth == 0 => {}
        Any::Nothing => out.push_str("null"),
        Any::Text(range) => write_quoted(&form.text(&body[range.clone()])?, out),
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
            form.check_length(range.len())?;
            let mut word = String::new();
            write_base64(&body[range.clone()], &mut word);
            write_quoted(&word, out);
        }
        Any::List(range) => write_list(body, range.clone(), depth, form, out)?,
        Any::Map(range) => write_map(body, range.clone(), depth, form, out)?,
    }
    Ok(())
}

fn write_list(body: &[u8], list: Range<usize>, depth: usize, form: &Form, out: &mut String) -> Result<(), Fault> {
    let mut separator = '[';
    let mut fields = Fields::new(body, list);
    while let Some((number, value)) = fields.next()? {
        match (number, value) {
            (1, Value::Bytes(range)) => {
                out.push(separator);
                separator = ',';
                write_json(body, &any(body, range)?, depth + 1, form, out)?;
            }
            (1, _) => return Err(Fault::wrong_type("ArrayValue", number)),
            _ => {}
        }
    }
    out.push_str(if separator == '[' { "[]" } else { "]" });
    Ok(())
}

fn write_map(body: &[u8], map: Range<usize>, depth: usize, form: &Form, out: &mut String) -> Result<(), Fault> {
    let mut entries = Vec::new();
    let mut fields = Fields::new(body, map);
    while let Some((number, value)) = fields.next()? {
        match (number, value) {
            (1, Value::Bytes(range)) => {
                let entry = Attribute::read(body, range)?;
                // Two bytes of a body can stand for an entry; a text with so many would be too long anyway.
                form.check_length(entries.len())?;
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
        write_json(body, &any(body, value)?, depth + 1, form, out)?;
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
                out.push_str(if c < '\u{10}' { "\\u000" } else { "\\u001" });
                out.push(char::from(b"0123456789abcdef"[c as usize & 15]));
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
