//! Spans of bytes of a kind: names, blanks, and text up to its quote, eight bytes at a time.
//!
//! Each byte of a word is tested in its own lane: with the top bit taken off, adding `0x80 - low` sets a lane's top bit
//! if the byte is `low` or more, and no lane carries into the next.

/// The kinds of unquoted names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Name {
    /// `[a-zA-Z0-9_:]`.
    Metric,
    /// `[a-zA-Z0-9_]`.
    Label,
}

impl Name {
    #[inline]
    fn holds(self, byte: u8) -> bool {
        byte.is_ascii_alphanumeric() || byte == b'_' || byte == b':' && self == Name::Metric
    }
}

const LOW: u64 = 0x0101_0101_0101_0101;
const TOP: u64 = 0x80 * LOW;

/// Returns the first byte from `at` on that is not of the kind; a digit at the start counts as one of it.
#[inline]
pub(crate) fn skip_name(text: &[u8], mut at: usize, kind: Name) -> usize {
    while let Some(word) = word(text, at) {
        let ascii = word & !TOP;
        let lower = ascii | (0x20 * LOW);
        let letters = (lower + (0x80 - 0x61) * LOW) & !(lower + (0x7f - 0x7a) * LOW);
        // ':' follows '9'.
        let last = if kind == Name::Metric { 0x3a } else { 0x39 };
        let digits = (ascii + (0x80 - 0x30) * LOW) & !(ascii + (0x7f - last) * LOW);
        let underscores = !((ascii ^ (0x5f * LOW)) + 0x7f * LOW);
        let others = !(letters | digits | underscores) | word;
        if others & TOP != 0 {
            return at + first_lane(others & TOP);
        }
        at += 8;
    }
    while text.get(at).is_some_and(|byte| kind.holds(*byte)) {
        at += 1;
    }
    at
}

/// Returns the first quote, backslash or, if `or_line_feed`, line feed from `at` on.
#[inline]
pub(crate) fn find_quote_or_backslash(text: &[u8], at: usize, or_line_feed: bool) -> Option<usize> {
    // Most values are short; the vector search is for those that are not.
    for step in [0, 8] {
        let Some(word) = word(text, at + step) else { break };
        let mut found = zero_lanes(word ^ (u64::from(b'"') * LOW)) | zero_lanes(word ^ (u64::from(b'\\') * LOW));
        if or_line_feed {
            found |= zero_lanes(word ^ (u64::from(b'\n') * LOW));
        }
        if found != 0 {
            return Some(at + step + first_lane(found));
        }
    }
    let rest = text.get(at..)?;
    let found =
        if or_line_feed { memchr::memchr3(b'"', b'\\', b'\n', rest) } else { memchr::memchr2(b'"', b'\\', rest) };
    found.map(|found| at + found)
}

/// Returns the first byte from `at` on that is neither space nor tab.
#[inline]
pub(crate) fn skip_blanks(text: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\t') = text.get(at) {
        at += 1;
    }
    at
}

/// The eight bytes from `at` on, the first of them lowest; `None` close to the end of the text.
#[inline]
pub(crate) fn word(text: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*text.get(at..)?.first_chunk()?))
}

/// The top bit of each lane that is zero, and of no other.
#[inline]
fn zero_lanes(word: u64) -> u64 {
    !(((word & !TOP) + !TOP) | word) & TOP
}

#[inline]
fn first_lane(lanes: u64) -> usize {
    lanes.trailing_zeros() as usize / 8
}

#[cfg(test)]
mod tests;
