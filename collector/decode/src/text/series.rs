//! The grammar of a series as text: `name{label="value",…}` and `{"name",label="value",…}`.
//!
//! One scanner serves both the check of a body and the reading of a series' labels, so that what was accepted can be
//! read.

use std::borrow::Cow;

use super::spans::{Name, find_quote_or_backslash, skip_blanks, skip_name};
use crate::error::{Fault, quoted};

/// What a scanner tells of a series. Ranges are of the text that is scanned, quotes taken off, escapes not resolved.
pub(super) trait Visit {
    /// The metric name, at `start..end`.
    fn metric(&mut self, start: usize, end: usize) -> Result<(), Box<Fault>>;

    /// A label, its name and its value.
    fn label(&mut self, name: (usize, usize), value: (usize, usize)) -> Result<(), Box<Fault>>;
}

/// Scans the series that starts at `at` and returns where it ends.
pub(super) fn scan(text: &[u8], at: usize, visit: &mut impl Visit) -> Result<usize, Box<Fault>> {
    let name_end = skip_metric_name(text, at);
    if name_end == at {
        return match text.get(at) {
            Some(b'{') => scan_labels(text, at, false, visit),
            got => {
                Err(Fault::invalid(at, format!("expected a metric name, a comment or a new line, got {}", shown(got))))
            }
        };
    }
    visit.metric(at, name_end)?;
    let open = skip_blanks(text, name_end);
    if text.get(open) == Some(&b'{') { scan_labels(text, open, true, visit) } else { Ok(name_end) }
}

/// Scans from the brace at `open` to behind its partner.
fn scan_labels(text: &[u8], open: usize, mut named: bool, visit: &mut impl Visit) -> Result<usize, Box<Fault>> {
    let mut at = open + 1;
    loop {
        at = skip_blanks(text, at);
        let name = match text.get(at) {
            Some(b'}') if named => return Ok(at + 1),
            Some(b'}') => return Err(Fault::invalid(open, "the series has no metric name")),
            Some(b'"') => {
                let end = skip_quoted(text, at)?;
                let after = skip_blanks(text, end);
                if let Some(next @ (b',' | b'}')) = text.get(after) {
                    if named {
                        return Err(Fault::invalid(at, "the metric name is given twice"));
                    }
                    named = true;
                    visit.metric(at + 1, end - 1)?;
                    at = if *next == b',' { after + 1 } else { after };
                    continue;
                }
                (at, end, at + 1, end - 1)
            }
            Some(b'a'..=b'z' | b'A'..=b'Z' | b'_') => {
                let end = skip_name(text, at, Name::Label);
                (at, end, at, end)
            }
            got => return Err(Fault::invalid(at, format!("expected a label name or '}}', got {}", shown(got)))),
        };
        let (_, written_end, name_start, name_end) = name;
        let equal = skip_blanks(text, written_end);
        if text.get(equal) != Some(&b'=') {
            let what = format!("expected '=' after a label name, got {}", shown(text.get(equal)));
            return Err(Fault::invalid(equal, what));
        }
        let quote = skip_blanks(text, equal + 1);
        if text.get(quote) != Some(&b'"') {
            let what = format!("expected a quoted label value, got {}", shown(text.get(quote)));
            return Err(Fault::invalid(quote, what));
        }
        let end = skip_quoted(text, quote)?;
        visit.label((name_start, name_end), (quote + 1, end - 1))?;
        at = skip_blanks(text, end);
        if text.get(at) == Some(&b',') {
            at += 1;
        }
    }
}

/// Returns where the quoted text that starts at `quote` ends, its closing quote included.
#[inline]
fn skip_quoted(text: &[u8], quote: usize) -> Result<usize, Box<Fault>> {
    let mut at = quote + 1;
    while let Some(found) = find_quote_or_backslash(text, at) {
        at = found;
        if text[at] == b'"' {
            return Ok(at + 1);
        }
        if text.get(at + 1) == Some(&b'\n') {
            return Err(Fault::invalid(at, "a backslash stands before the end of the line"));
        }
        at += 2;
    }
    Err(Fault::invalid(quote, "the quoted text that starts here has no end"))
}

/// Returns where the unquoted metric name that starts at `at` ends: `at` itself if there is none.
pub(super) fn skip_metric_name(text: &[u8], at: usize) -> usize {
    if text.get(at).is_some_and(u8::is_ascii_digit) { at } else { skip_name(text, at, Name::Metric) }
}

/// Returns where the metric name of a comment ends, quoted or not, and the range of the name without quotes.
pub(super) fn scan_family(text: &[u8], at: usize) -> Result<(usize, (usize, usize)), Box<Fault>> {
    if text.get(at) == Some(&b'"') {
        let end = skip_quoted(text, at)?;
        return Ok((end, (at + 1, end - 1)));
    }
    let end = skip_metric_name(text, at);
    if end == at {
        return Err(Fault::invalid(at, format!("expected a metric name, got {}", shown(text.get(at)))));
    }
    Ok((end, (at, end)))
}

/// Whether a name needs no quotes as a metric name: `[a-zA-Z_:][a-zA-Z0-9_:]*`.
pub(super) fn is_plain_metric(name: &str) -> bool {
    !name.is_empty() && skip_metric_name(name.as_bytes(), 0) == name.len()
}

/// Whether a name needs no quotes as a label name: `[a-zA-Z_][a-zA-Z0-9_]*`.
pub(super) fn is_plain_label(name: &str) -> bool {
    is_plain_metric(name) && !name.contains(':')
}

/// Resolves `\\`, `\"` and `\n`; a backslash before any other byte stands for itself, as in Prometheus.
pub(super) fn unescape(raw: &[u8], quotes: bool) -> Cow<'_, [u8]> {
    let Some(first) = memchr::memchr(b'\\', raw) else {
        return Cow::Borrowed(raw);
    };
    let mut plain = Vec::with_capacity(raw.len());
    plain.extend_from_slice(&raw[..first]);
    let mut rest = &raw[first..];
    while let Some((&byte, after)) = rest.split_first() {
        let resolved = match (byte, after.first()) {
            (b'\\', Some(b'\\')) => Some(b'\\'),
            (b'\\', Some(b'n')) => Some(b'\n'),
            (b'\\', Some(b'"')) if quotes => Some(b'"'),
            _ => None,
        };
        plain.push(resolved.unwrap_or(byte));
        rest = if resolved.is_some() { &after[1..] } else { after };
    }
    Cow::Owned(plain)
}

/// One byte of outside text for a message.
pub(super) fn shown(byte: Option<&u8>) -> Cow<'static, str> {
    match byte {
        None => "the end of the text".into(),
        Some(b'\n') => "the end of the line".into(),
        Some(b'\r') => "a carriage return (lines must end in a line feed only)".into(),
        Some(byte) if byte.is_ascii() => quoted(std::slice::from_ref(byte)).into(),
        Some(byte) => format!("the byte 0x{byte:02x} (names beyond a-z, A-Z, 0-9, _ and : stand in quotes)").into(),
    }
}
