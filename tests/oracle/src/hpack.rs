//! Headers of HTTP/2, as far as a call of gRPC needs them: written as they are, and read for one of them.
//!
//! Source: RFC 7541

use std::io;

use crate::http::odd;

/// The letters of `grpc-status` and the digits: code and its length in bits (appendix B). The codes of other letters begin
/// with none of these.
const LETTERS: [(u8, u32, u32); 19] = [
    (b'0', 0x0, 5),
    (b'1', 0x1, 5),
    (b'2', 0x2, 5),
    (b'a', 0x3, 5),
    (b'c', 0x4, 5),
    (b's', 0x8, 5),
    (b't', 0x9, 5),
    (b'-', 0x16, 6),
    (b'3', 0x19, 6),
    (b'4', 0x1a, 6),
    (b'5', 0x1b, 6),
    (b'6', 0x1c, 6),
    (b'7', 0x1d, 6),
    (b'8', 0x1e, 6),
    (b'9', 0x1f, 6),
    (b'g', 0x26, 6),
    (b'p', 0x2b, 6),
    (b'r', 0x2c, 6),
    (b'u', 0x2d, 6),
];

/// A block of headers with values shorter than 127 bytes: nothing is indexed, nothing compressed.
pub(crate) fn encode(headers: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in headers {
        block.push(0);
        for text in [name, value] {
            block.push(text.len() as u8);
            block.extend_from_slice(text.as_bytes());
        }
    }
    block
}

/// The value of a header in a block, made of [`LETTERS`] like its name; the reader has no table for headers that came before.
pub(crate) fn find(mut block: &[u8], wanted: &str) -> io::Result<Option<String>> {
    let mut found = None;
    while let Some(first) = block.first().copied() {
        if first & 0x80 != 0 {
            // A whole header of the static table, which has none of those that are looked for.
            integer(&mut block, 7)?;
        } else if first & 0xe0 == 0x20 {
            // The size of the table that there is not.
            integer(&mut block, 5)?;
        } else {
            let name = match integer(&mut block, if first & 0x40 != 0 { 6 } else { 4 })? {
                0 => text(&mut block)?,
                _ => None,
            };
            let value = text(&mut block)?;
            if name.as_deref() == Some(wanted) {
                found = Some(value.ok_or_else(|| odd("a value of other letters than it may have"))?);
            }
        }
    }
    Ok(found)
}

/// A number that begins in the low bits of a byte (section 5.1).
fn integer(block: &mut &[u8], bits: u32) -> io::Result<usize> {
    let mut next = || {
        let (first, rest) = block.split_first().ok_or_else(|| odd("headers end inside a number"))?;
        *block = rest;
        Ok::<_, io::Error>(usize::from(*first))
    };
    let most = (1 << bits) - 1;
    let mut number = next()? & most;
    if number < most {
        return Ok(number);
    }
    for shift in [0, 7, 14] {
        let byte = next()?;
        number += (byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(number);
        }
    }
    Err(odd("a number among the headers is too large"))
}

/// A text; none if it has letters that are not known here.
fn text(block: &mut &[u8]) -> io::Result<Option<String>> {
    let is_coded = block.first().is_some_and(|first| first & 0x80 != 0);
    let length = integer(block, 7)?;
    let (bytes, rest) = block.split_at_checked(length).ok_or_else(|| odd("headers end inside a text"))?;
    *block = rest;
    Ok(if is_coded { decode(bytes) } else { String::from_utf8(bytes.to_vec()).ok() })
}

/// Text in the code of appendix B; it ends with less than eight bits that are all set.
fn decode(bytes: &[u8]) -> Option<String> {
    let (mut code, mut length, mut text) = (0, 0, String::new());
    for byte in bytes {
        for at in (0..8).rev() {
            code = code << 1 | u32::from(byte >> at & 1);
            length += 1;
            if let Some((letter, ..)) = LETTERS.iter().find(|(_, own, bits)| (*own, *bits) == (code, length)) {
                text.push(char::from(*letter));
                (code, length) = (0, 0);
            }
        }
    }
    (length < 8 && code == (1 << length) - 1).then_some(text)
}
