//! The level that a line says: in a field of JSON, in one of logfmt, or in a word.

use memchr::memmem::Finder;

use super::{FIELDS, Level};
use crate::error::Fault;
use crate::json::{Kind, Reader};

/// Bytes of a line that are looked at.
const MAX_BYTES: usize = 64 << 10;

/// Objects within objects of a line that are looked into: fields of the line and those of its objects.
const MAX_DEPTH: usize = 2;

/// What words of a line are looked for with, made once for a whole body.
#[derive(Debug)]
pub(in super::super) struct Words {
    info: [Finder<'static>; 2],
    warning: [Finder<'static>; 2],
    debug: [Finder<'static>; 2],
}

impl Default for Words {
    fn default() -> Self {
        let finders = |lower: &'static str, upper: &'static str| [Finder::new(lower), Finder::new(upper)];
        Words {
            info: finders("info", "INFO"),
            warning: finders("warning", "WARNING"),
            debug: finders("debug", "DEBUG"),
        }
    }
}

impl Words {
    /// The level of a line, and the value of the field that says it, if it is one.
    pub(in super::super) fn level_of<'l>(&self, line: &'l str) -> (Level, Option<&'l str>) {
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
            None => (self.in_words(start.as_bytes()), None),
        }
    }

    /// The first level in the order in which Loki looks for them.
    fn in_words(&self, line: &[u8]) -> Level {
        let holds = |finders: &[Finder<'_>; 2]| finders.iter().any(|finder| finder.find(line).is_some());
        if holds(&self.info) {
            return Level::Info;
        }
        let (mut warn, mut critical) = (false, false);
        // The others are `word:` or `[word]`.
        for end in memchr::memchr2_iter(b':', b']', line) {
            match marked(&line[..=end]) {
                Some(Level::Error) => return Level::Error,
                Some(Level::Warn) => warn = true,
                Some(Level::Critical) => critical = true,
                _ => {}
            }
        }
        if warn || holds(&self.warning) {
            Level::Warn
        } else if critical {
            Level::Critical
        } else if holds(&self.debug) {
            Level::Debug
        } else {
            Level::Unknown
        }
    }
}

/// The level whose word, in its mark, ends `line`.
#[inline]
fn marked(line: &[u8]) -> Option<Level> {
    match line {
        [.., b'e', b'r', b'r', b':'] | [.., b'E', b'R', b'R', b':'] => Some(Level::Error),
        [.., b'[', b'e', b'r', b'r', b']'] | [.., b'[', b'E', b'R', b'R', b']'] => Some(Level::Error),
        [.., b'w', b'a', b'r', b'n', b':'] | [.., b'W', b'A', b'R', b'N', b':'] => Some(Level::Warn),
        [.., b'[', b'w', b'a', b'r', b'n', b']'] | [.., b'[', b'W', b'A', b'R', b'N', b']'] => Some(Level::Warn),
        [.., b'r' | b'R', b']'] if line.ends_with(b"[error]") || line.ends_with(b"[ERROR]") => Some(Level::Error),
        [.., b'l', b':'] if line.ends_with(b"critical:") => Some(Level::Critical),
        [.., b'L', b':'] if line.ends_with(b"CRITICAL:") => Some(Level::Critical),
        [.., b'l', b']'] if line.ends_with(b"[critical]") => Some(Level::Critical),
        [.., b'L', b']'] if line.ends_with(b"[CRITICAL]") => Some(Level::Critical),
        _ => None,
    }
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
