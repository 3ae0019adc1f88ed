//! The grammar of a series as text: `name{label="value",…}` and `{"name",label="value",…}`.
//!
//! One scanner serves both formats, and both the check of a body and the reading of a series' labels, so that what was
//! accepted can be read.

use std::borrow::Cow;
use std::ops::Range;

use super::spans::{Name, find_quote_or_backslash, skip_blanks, skip_name};
use crate::error::{Fault, quoted};

/// How freely a format lets labels be written.
pub(crate) trait Grammar {
    /// Whether blanks may stand between all tokens, commas be left out, and label values go over lines.
    const LOOSE: bool;
    /// Whether a metric name may stand among the labels, in quotes; a quoted name may go over lines there.
    const NAMED: bool;
}

/// A series of the text format.
pub(crate) enum Loose {}

/// A series of OpenMetrics: no blank, a comma between each two labels.
pub(crate) enum Strict {}

/// The labels of an exemplar, which has no name.
pub(crate) enum Nameless {}

impl Grammar for Loose {
    const LOOSE: bool = true;
    const NAMED: bool = true;
}

impl Grammar for Strict {
    const LOOSE: bool = false;
    const NAMED: bool = true;
}

impl Grammar for Nameless {
    const LOOSE: bool = false;
    const NAMED: bool = false;
}

/// What a scanner tells of a series. Ranges are of the text that is scanned, quotes taken off, escapes not resolved.
pub(crate) trait Visit {
    /// The metric name, at `start..end`; a grammar without names tells of none.
    fn metric(&mut self, _start: usize, _end: usize) -> Result<(), Box<Fault>> {
        Ok(())
    }

    /// A label: where its name is, and its value.
    fn label(&mut self, name: (usize, usize), value: (usize, usize)) -> Result<(), Box<Fault>>;
}

/// Scans the series that starts at `at` and returns where it ends.
pub(crate) fn scan<G: Grammar>(text: &[u8], at: usize, visit: &mut impl Visit) -> Result<usize, Box<Fault>> {
    let name_end = skip_metric_name(text, at);
    if name_end == at {
        return match text.get(at) {
            Some(b'{') => scan_labels::<G>(text, at, false, visit),
            got => {
                let what =
                    if G::LOOSE { "a metric name, a comment or a new line" } else { "a metric name or a comment" };
                Err(Fault::invalid(at, format!("expected {what}, got {}", shown(got))))
            }
        };
    }
    visit.metric(at, name_end)?;
    let open = blanks::<G>(text, name_end);
    if text.get(open) == Some(&b'{') { scan_labels::<G>(text, open, true, visit) } else { Ok(name_end) }
}

/// Scans from the brace at `open` to behind its partner.
pub(crate) fn scan_labels<G: Grammar>(
    text: &[u8],
    open: usize,
    mut named: bool,
    visit: &mut impl Visit,
) -> Result<usize, Box<Fault>> {
    let mut at = open + 1;
    loop {
        at = blanks::<G>(text, at);
        let (written_end, name_start, name_end) = match text.get(at) {
            Some(b'}') if named || !G::NAMED => return Ok(at + 1),
            Some(b'}') => return Err(Fault::invalid(open, "the series has no metric name")),
            Some(b'"') => {
                let end = skip_quoted(text, at, G::NAMED)?;
                let after = blanks::<G>(text, end);
                if let Some(next @ (b',' | b'}')) = text.get(after)
                    && G::NAMED
                {
                    if named {
                        return Err(Fault::invalid(at, "the metric name is given twice"));
                    }
                    named = true;
                    visit.metric(at + 1, end - 1)?;
                    at = if *next == b',' { after + 1 } else { after };
                    continue;
                }
                (end, at + 1, end - 1)
            }
            Some(b'a'..=b'z' | b'A'..=b'Z' | b'_') => {
                let end = skip_name(text, at, Name::Label);
                (end, at, end)
            }
            got => return Err(Fault::invalid(at, format!("expected a label name or '}}', got {}", shown(got)))),
        };
        let equal = blanks::<G>(text, written_end);
        if text.get(equal) != Some(&b'=') {
            let what = format!("expected '=' after a label name, got {}", shown(text.get(equal)));
            return Err(Fault::invalid(equal, what));
        }
        let quote = blanks::<G>(text, equal + 1);
        if text.get(quote) != Some(&b'"') {
            let what = format!("expected a quoted label value, got {}", shown(text.get(quote)));
            return Err(Fault::invalid(quote, what));
        }
        let end = skip_quoted(text, quote, G::LOOSE)?;
        visit.label((name_start, name_end), (quote + 1, end - 1))?;
        at = blanks::<G>(text, end);
        match text.get(at) {
            Some(b',') => at += 1,
            Some(b'}') => {}
            _ if G::LOOSE => {}
            got => return Err(Fault::invalid(at, format!("expected ',' or '}}' after a label, got {}", shown(got)))),
        }
    }
}

#[inline(always)]
fn blanks<G: Grammar>(text: &[u8], at: usize) -> usize {
    if G::LOOSE { skip_blanks(text, at) } else { at }
}

/// Returns where the quoted text that starts at `quote` ends, its closing quote included.
#[inline(always)]
fn skip_quoted(text: &[u8], quote: usize, over_lines: bool) -> Result<usize, Box<Fault>> {
    match find_quote_or_backslash(text, quote + 1, !over_lines) {
        Some(end) if text[end] == b'"' => Ok(end + 1),
        found => skip_escaped(text, quote, found, over_lines),
    }
}

/// The same for text whose first backslash is at `found`, or which has no end.
#[inline(never)]
fn skip_escaped(text: &[u8], quote: usize, mut found: Option<usize>, over_lines: bool) -> Result<usize, Box<Fault>> {
    while let Some(at) = found {
        match text[at] {
            b'"' => return Ok(at + 1),
            b'\n' => return Err(Fault::invalid(quote, "the quoted text that starts here has no end on its line")),
            _ => {}
        }
        if text.get(at + 1) == Some(&b'\n') {
            return Err(Fault::invalid(at, "a backslash stands before the end of the line"));
        }
        found = find_quote_or_backslash(text, at + 2, !over_lines);
    }
    Err(Fault::invalid(quote, "the quoted text that starts here has no end"))
}

/// Returns where the unquoted metric name that starts at `at` ends: `at` itself if there is none.
pub(crate) fn skip_metric_name(text: &[u8], at: usize) -> usize {
    if text.get(at).is_some_and(u8::is_ascii_digit) { at } else { skip_name(text, at, Name::Metric) }
}

/// Returns where the metric name of a comment ends, quoted or not, and the range of the name without quotes.
pub(crate) fn scan_family(text: &[u8], at: usize) -> Result<(usize, Range<usize>), Box<Fault>> {
    if text.get(at) == Some(&b'"') {
        let end = skip_quoted(text, at, true)?;
        return Ok((end, at + 1..end - 1));
    }
    let end = skip_metric_name(text, at);
    if end == at {
        return Err(Fault::invalid(at, format!("expected a metric name, got {}", shown(text.get(at)))));
    }
    Ok((end, at..end))
}

/// Whether a name needs no quotes as a metric name: `[a-zA-Z_:][a-zA-Z0-9_:]*`.
pub(crate) fn is_plain_metric(name: &str) -> bool {
    !name.is_empty() && skip_metric_name(name.as_bytes(), 0) == name.len()
}

/// Whether a name needs no quotes as a label name: `[a-zA-Z_][a-zA-Z0-9_]*`.
pub(crate) fn is_plain_label(name: &str) -> bool {
    is_plain_metric(name) && !name.contains(':')
}

/// Resolves `\\`, `\"` and `\n`; a backslash before any other byte stands for itself, as in Prometheus.
pub(crate) fn unescape(raw: &[u8], quotes: bool) -> Cow<'_, [u8]> {
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
pub(crate) fn shown(byte: Option<&u8>) -> Cow<'static, str> {
    match byte {
        None => "the end of the text".into(),
        Some(b'\n') => "the end of the line".into(),
        Some(b'\r') => "a carriage return (lines must end in a line feed only)".into(),
        Some(byte) if byte.is_ascii() => quoted(std::slice::from_ref(byte)).into(),
        Some(byte) => format!("the byte 0x{byte:02x} (names beyond a-z, A-Z, 0-9, _ and : stand in quotes)").into(),
    }
}
