//! The fields of a document under their full names: those of nested objects with a dot between.

use crate::error::Fault;
use crate::json::{Kind, MAX_DEPTH, Reader, Text};

/// The value of a field; an absent one, which `null` is too, is none.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value<'a> {
    Text(Text<'a>),
    /// A number, `true` or `false`, as it is written.
    Plain(&'a str),
    /// An array, as it is written.
    Array(&'a str),
}

impl<'a> Value<'a> {
    /// The value as an attribute has it: arrays as JSON without blanks. `scratch` holds what does not stand in the body.
    #[inline]
    pub(super) fn written<'s>(&self, scratch: &'s mut String) -> Result<&'s str, Box<Fault>>
    where
        'a: 's,
    {
        match self {
            Value::Text(text) => text.resolved(scratch),
            Value::Plain(text) => Ok(text),
            Value::Array(raw) => {
                scratch.clear();
                write_without_blanks(raw, scratch);
                Ok(scratch)
            }
        }
    }
}

/// Gives each field of the value that is next to `take`, under the name in `path` and those below it.
///
/// Fails with what `take` fails with, or if the value is no JSON or nested too deep.
pub(super) fn walk<'a, E: From<Box<Fault>>>(
    reader: &mut Reader<'a>,
    path: &mut String,
    depth: u32,
    take: &mut impl FnMut(&str, Value<'a>) -> Result<(), E>,
) -> Result<(), E> {
    let value = match reader.kind()? {
        Kind::Text => Value::Text(reader.text()?),
        Kind::Number => Value::Plain(reader.number()?),
        Kind::Bool => Value::Plain(reader.word()?),
        Kind::Array => Value::Array(reader.skip()?),
        Kind::Null => {
            reader.word()?;
            return Ok(());
        }
        Kind::Object if depth >= MAX_DEPTH => return Err(reader.too_deep().into()),
        Kind::Object => {
            let len = path.len();
            let mut is_first = true;
            reader.enter_object()?;
            while let Some(key) = reader.next_key(&mut is_first)? {
                path.push('.');
                key.resolve(path)?;
                walk(reader, path, depth + 1, take)?;
                path.truncate(len);
            }
            return Ok(());
        }
    };
    take(path, value)
}

/// Appends JSON to `out` without the blanks between its values.
fn write_without_blanks(raw: &str, out: &mut String) {
    let mut rest = raw;
    while let Some(quote) = memchr::memchr(b'"', rest.as_bytes()) {
        push_without_blanks(&rest[..quote], out);
        let mut end = quote + 1;
        // It was read before: there is a quote.
        while let Some(found) = memchr::memchr2(b'"', b'\\', &rest.as_bytes()[end..]) {
            let is_end = rest.as_bytes()[end + found] == b'"';
            end += found + if is_end { 1 } else { 2 };
            if is_end {
                break;
            }
        }
        out.push_str(&rest[quote..end]);
        rest = &rest[end..];
    }
    push_without_blanks(rest, out);
}

fn push_without_blanks(text: &str, out: &mut String) {
    out.extend(text.split([' ', '\t', '\r', '\n']));
}

#[cfg(test)]
mod tests;
