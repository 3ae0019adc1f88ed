//! Texts in quotes.

use std::borrow::Cow;
use std::str::CharIndices;

use crate::quote::is_printable;

/// Reads a text in quotes from the beginning of `text`: what it says, and how many bytes it takes with its quotes.
///
/// Between `"` and between `'` the escapes are those of Go; between backquotes there are none. Escapes may say bytes, but
/// what they say together has to be UTF-8, as all labels are: there Prometheus takes anything.
///
/// # Errors
/// In the words of Prometheus.
pub(crate) fn unquote(text: &str) -> Result<(String, usize), Cow<'static, str>> {
    let mut chars = text.char_indices();
    let Some((_, quote)) = chars.next() else { return Err("unterminated quoted string".into()) };
    let is_raw = quote == '`';
    let mut bytes = Vec::new();
    while let Some((at, c)) = chars.next() {
        match c {
            // What the reader of a damaged text puts in place of the damage.
            char::REPLACEMENT_CHARACTER => return Err("invalid UTF-8 rune".into()),
            c if c == quote => {
                return match String::from_utf8(bytes) {
                    Ok(value) => Ok((value, at + 1)),
                    Err(_) => Err("the escapes of the string say bytes that are no UTF-8".into()),
                };
            }
            '\n' if !is_raw => break,
            '\\' if !is_raw => {
                unescape(&mut chars, quote, &mut bytes)?;
            }
            c => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    Err(if is_raw { "unterminated raw string".into() } else { "unterminated quoted string".into() })
}

/// Reads an escape behind its backslash.
fn unescape(chars: &mut CharIndices<'_>, quote: char, out: &mut Vec<u8>) -> Result<(), Cow<'static, str>> {
    let mut next = || match chars.next() {
        Some((_, c)) => Ok(c),
        None => Err(Cow::Borrowed("escape sequence not terminated")),
    };
    let c = next()?;
    let (digits, radix, first) = match c {
        'a' => return push(out, 0x07),
        'b' => return push(out, 0x08),
        'f' => return push(out, 0x0c),
        'n' => return push(out, b'\n'),
        'r' => return push(out, b'\r'),
        't' => return push(out, b'\t'),
        'v' => return push(out, 0x0b),
        '\\' => return push(out, b'\\'),
        c if c == quote => return push(out, quote as u8),
        '0'..='7' => (2, 8, c.to_digit(8).unwrap_or(0)),
        'x' => (2, 16, 0),
        'u' => (4, 16, 0),
        'U' => (8, 16, 0),
        c => return Err(format!("unknown escape sequence {}", CodePoint(c)).into()),
    };
    let mut code = first;
    for _ in 0..digits {
        let c = next()?;
        let Some(digit) = c.to_digit(radix) else {
            return Err(format!("illegal character {} in escape sequence", CodePoint(c)).into());
        };
        code = code.wrapping_mul(radix) + digit;
    }
    let invalid = || Cow::Borrowed("escape sequence is an invalid Unicode code point");
    if matches!(c, 'u' | 'U') {
        let c = char::from_u32(code).ok_or_else(invalid)?;
        out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        return Ok(());
    }
    push(out, u8::try_from(code).map_err(|_| invalid())?)
}

fn push(out: &mut Vec<u8>, byte: u8) -> Result<(), Cow<'static, str>> {
    out.push(byte);
    Ok(())
}

/// A character as its number, and itself if it can be seen.
struct CodePoint(char);

impl std::fmt::Display for CodePoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "U+{:04X}", u32::from(self.0))?;
        if is_printable(self.0) { write!(f, " {}", Seen(self.0)) } else { Ok(()) }
    }
}

/// A character in single quotes, itself unescaped.
struct Seen(char);

impl std::fmt::Display for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "'{}'", self.0)
    }
}
