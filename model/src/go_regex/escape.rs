//! Escapes that stand for one character.

use crate::Error;

/// Reads an escape at the beginning of `text`: the code point, which may be a surrogate, and what follows.
///
/// # Errors
/// `Invalid` if Go knows no such escape.
pub(super) fn read_escape(text: &str) -> Result<(u32, &str), Error> {
    let escaped = &text[1..];
    let first = escaped.chars().next().ok_or_else(|| Error::invalid("a backslash at the end escapes nothing"))?;
    let rest = &escaped[first.len_utf8()..];
    let unknown = || Error::invalid(format!("unknown escape {}", &text[..text.len() - rest.len()]));
    let code = match first {
        '0' => return Ok(octal(escaped)),
        // One digit alone would refer back to a group.
        '1'..='7' if rest.starts_with(is_octal) => return Ok(octal(escaped)),
        'x' => {
            let malformed = "\\x without the code point of a character, write it like \\x41 or \\x{1F333}";
            return hexadecimal(rest).ok_or_else(|| Error::invalid(malformed));
        }
        'a' => 0x07,
        'f' => 0x0c,
        'n' => 0x0a,
        'r' => 0x0d,
        't' => 0x09,
        'v' => 0x0b,
        _ if first.is_ascii() && !first.is_ascii_alphanumeric() => u32::from(first),
        _ => return Err(unknown()),
    };
    Ok((code, rest))
}

/// Up to three octal digits.
fn octal(text: &str) -> (u32, &str) {
    let length = text.chars().take(3).take_while(|c| is_octal(*c)).count();
    let code = text[..length].chars().fold(0, |code, digit| code * 8 + digit.to_digit(8).unwrap_or(0));
    (code, &text[length..])
}

fn is_octal(c: char) -> bool {
    c.is_digit(8)
}

/// Two hexadecimal digits, or any number of them in braces.
fn hexadecimal(text: &str) -> Option<(u32, &str)> {
    let (digits, rest) = match text.strip_prefix('{') {
        Some(braced) => braced.split_once('}')?,
        None => text.split_at_checked(2)?,
    };
    let is_digits = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit());
    let significant = digits.trim_start_matches('0');
    // Eight digits are enough to be out of range, and fit.
    if !is_digits || significant.len() > 8 {
        return None;
    }
    let code = if significant.is_empty() { 0 } else { u32::from_str_radix(significant, 16).ok()? };
    (code <= u32::from(char::MAX)).then_some((code, rest))
}
