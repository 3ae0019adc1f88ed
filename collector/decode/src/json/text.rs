//! Texts of JSON: left where they are, and resolved once someone wants them.

use crate::error::{Fault, quoted};
use crate::exposition::spans::find_quote_or_backslash;

/// A text as it is written between its quotes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Text<'a> {
    raw: &'a str,
    has_escapes: bool,
    /// Where it begins in the whole, for messages.
    at: usize,
}

impl<'a> Text<'a> {
    /// Reads the text whose first byte, behind its quote, is at `start`; gives where it ends too, behind its other quote.
    #[inline]
    pub(super) fn read(whole: &'a str, start: usize) -> Result<(Self, usize), Box<Fault>> {
        let bytes = whole.as_bytes();
        let (mut at, mut has_escapes) = (start, false);
        while let Some(found) = find_quote_or_backslash(bytes, at, false) {
            if bytes[found] == b'"' {
                return Ok((Text { raw: &whole[start..found], has_escapes, at: start }, found + 1));
            }
            has_escapes = true;
            at = found + 2;
        }
        Err(Fault::invalid(start - 1, "a text has no end"))
    }

    /// As it is written, escapes and all.
    pub(crate) fn raw(&self) -> &'a str {
        self.raw
    }

    /// The text. `scratch` holds it if it has escapes.
    #[inline]
    pub(crate) fn resolved<'s>(&self, scratch: &'s mut String) -> Result<&'s str, Box<Fault>>
    where
        'a: 's,
    {
        if !self.has_escapes {
            return Ok(self.raw);
        }
        scratch.clear();
        self.resolve(scratch)?;
        Ok(scratch)
    }

    /// Appends the text to `out`.
    pub(crate) fn resolve(&self, out: &mut String) -> Result<(), Box<Fault>> {
        let mut rest = self.raw;
        if !self.has_escapes {
            out.push_str(rest);
            return Ok(());
        }
        out.reserve(rest.len());
        // A quote stands behind a backslash here, so a backslash is what is found.
        while let Some(found) = find_quote_or_backslash(rest.as_bytes(), 0, false) {
            out.push_str(&rest[..found]);
            let escaped = &rest[found + 1..];
            let byte = *escaped.as_bytes().first().ok_or_else(|| self.fault(rest))?;
            let plain = match byte {
                b'"' | b'\\' | b'/' => byte,
                b'n' => b'\n',
                b't' => b'\t',
                b'r' => b'\r',
                b'b' => 8,
                b'f' => 12,
                b'u' => {
                    let (c, behind) = unicode(&escaped[1..]).ok_or_else(|| self.fault(rest))?;
                    out.push(c);
                    rest = behind;
                    continue;
                }
                _ => return Err(self.fault(rest)),
            };
            out.push(char::from(plain));
            rest = &escaped[1..];
        }
        out.push_str(rest);
        Ok(())
    }

    /// The fault of the escape somewhere in `rest`.
    #[cold]
    fn fault(&self, rest: &str) -> Box<Fault> {
        let escape = rest.find('\\').unwrap_or(0);
        let shown: String = rest[escape..].chars().take(6).collect();
        let at = self.at + self.raw.len() - rest.len() + escape;
        Fault::invalid(at, format!("{} is no escape of JSON", quoted(shown.as_bytes())))
    }
}

/// The character of four hexadecimal digits, or of two halves of a surrogate pair, and what is behind it. A half without
/// the other is U+FFFD: there are writers that cut a text between the two.
fn unicode(text: &str) -> Option<(char, &str)> {
    let (unit, behind) = hex4(text)?;
    if let Some(c) = char::from_u32(unit) {
        return Some((c, behind));
    }
    let other = behind.strip_prefix("\\u").and_then(hex4).filter(|_| unit < 0xdc00);
    if let Some((low @ 0xdc00..0xe000, behind)) = other {
        let c = char::from_u32(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
        return Some((c?, behind));
    }
    Some((char::REPLACEMENT_CHARACTER, behind))
}

fn hex4(text: &str) -> Option<(u32, &str)> {
    let digits = text.as_bytes().first_chunk::<4>()?;
    let unit = digits.iter().try_fold(0, |unit, digit| Some(unit << 4 | char::from(*digit).to_digit(16)?))?;
    Some((unit, &text[4..]))
}
