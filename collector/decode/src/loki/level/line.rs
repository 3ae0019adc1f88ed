//! The level that a line says: in a field of JSON, in one of logfmt, or in a word.

use super::{FIELDS, Level};
use crate::error::Fault;
use crate::json::{Kind, Reader};

/// Bytes of a line that are looked at.
const MAX_BYTES: usize = 64 << 10;

/// Objects within objects of a line that are looked into: fields of the line and those of its objects.
const MAX_DEPTH: usize = 2;

/// The values of a field that say a level as words of a line too.
const WORDS: [&str; 9] = ["trace", "debug", "fatal", "critical", "error", "err", "warning", "warn", "info"];

/// The level of a line, and the value of the field that says it, if it is one.
pub(in super::super) fn level_of(line: &str) -> (Level, Option<&str>) {
    let start = &line[..line.floor_char_boundary(MAX_BYTES)];
    let value = if is_json(line) {
        // What breaks off or is no JSON after all has words all the same.
        field_of_json(&mut Reader::new(start), 1).unwrap_or_default()
    } else if memchr::memchr(b'=', start.as_bytes()).is_some() {
        field_of_logfmt(start)
    } else {
        None
    };
    match value.and_then(|value| Some((Level::of_value(value)?, value))) {
        Some((level, value)) => (level, Some(value)),
        None => (in_words(start.as_bytes()), None),
    }
}

/// The level of the first word of a line that says one and stands by itself, in whatever case.
fn in_words(line: &[u8]) -> Level {
    let behind = line.iter().enumerate().filter(|(_, byte)| begins_word(**byte)).map(|(at, _)| at + 1);
    let said = std::iter::once(0).chain(behind).find_map(|at| {
        let rest = &line[at..];
        // Few words begin as one of these does.
        let may_say = matches!(rest.first()? | 0x20, b't' | b'd' | b'f' | b'c' | b'e' | b'w' | b'i');
        let says = |word: &&&str| {
            let is_word = rest.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()));
            is_word && rest.get(word.len()).is_none_or(|byte| ends_word(*byte))
        };
        may_say.then(|| WORDS.iter().find(says)).flatten().and_then(|word| Level::of_value(word))
    });
    said.unwrap_or(Level::Unknown)
}

/// Whether a word may begin behind a byte, as Loki has it: what is behind a colon is a value.
fn begins_word(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'[' | b'(' | b'{' | b'"' | b'=')
}

/// Whether a word may end before a byte, as Loki has it.
fn ends_word(byte: u8) -> bool {
    begins_word(byte) || matches!(byte, b']' | b')' | b'}' | b':' | b',' | b'!')
}

fn is_json(line: &str) -> bool {
    line.trim_start().starts_with('{') && line.trim_end().ends_with('}')
}

/// The first text of a field that says a level, in the object that is next.
fn field_of_json<'l>(reader: &mut Reader<'l>, depth: usize) -> Result<Option<&'l str>, Box<Fault>> {
    reader.enter_object()?;
    let mut is_first = true;
    while let Some(key) = reader.next_key(&mut is_first)? {
        match reader.kind()? {
            Kind::Text => {
                let value = reader.text()?;
                if super::rank(key.raw()).is_some() {
                    return Ok(Some(value.raw()));
                }
            }
            Kind::Object if depth < MAX_DEPTH => {
                let found = field_of_json(reader, depth + 1)?;
                if found.is_some() {
                    return Ok(found);
                }
            }
            _ => drop(reader.skip()?),
        }
    }
    Ok(None)
}

/// The value of the foremost field that says a level, in `key=value key="value" …`; keys in whatever case.
fn field_of_logfmt(line: &str) -> Option<&str> {
    let bytes = line.as_bytes();
    let (mut best, mut at) = (None, 0);
    while let Some(found) = memchr::memchr(b'=', &bytes[at..]) {
        let equals = at + found;
        let key = bytes[at..equals].iter().rposition(|byte| *byte <= b' ').map_or(at, |blank| at + blank + 1);
        let value = match bytes.get(equals + 1) {
            Some(b'"') => equals + 2..end_of_quoted(bytes, equals + 2),
            _ => equals + 1..end_of_bare(bytes, equals + 1),
        };
        at = value.end;
        if let Some(rank) = rank_of_key(&line[key..equals]) {
            if best.is_none_or(|(known, _)| rank < known) {
                best = Some((rank, &line[value]));
            }
            if rank == 0 {
                break;
            }
        }
    }
    best.map(|(_, value)| value)
}

fn rank_of_key(key: &str) -> Option<usize> {
    match key.as_bytes() {
        [b'l' | b'L' | b's' | b'S', ..] => FIELDS.iter().position(|field| field.eq_ignore_ascii_case(key)),
        _ => None,
    }
}

/// Where the text that begins at `at` has its quote.
fn end_of_quoted(line: &[u8], mut at: usize) -> usize {
    while let Some(found) = line.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        if line[at + found] == b'"' {
            return at + found;
        }
        at += found + 2;
    }
    line.len()
}

fn end_of_bare(line: &[u8], at: usize) -> usize {
    line[at..].iter().position(|byte| *byte <= b' ').map_or(line.len(), |blank| at + blank)
}
