//! Ids of traces and spans, as rows of logs say them in text.

/// The bytes that hexadecimal digits of either case say; `None` for anything else, and for zeros, which say that there is
/// no id.
pub(crate) fn from_hex<const BYTES: usize>(text: &str) -> Option<[u8; BYTES]> {
    if text.len() != 2 * BYTES {
        return None;
    }
    let mut id = [0; BYTES];
    for (byte, digits) in id.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = digit(digits[0])? << 4 | digit(digits[1])?;
    }
    id.iter().any(|byte| *byte != 0).then_some(id)
}

#[inline]
fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_bytes_and_anything_else_is_none() {
        assert_eq!(from_hex("00FfaB10"), Some([0, 0xff, 0xab, 0x10]));
        for text in ["", "00ffab1", "00ffab101", "00ffab1g", "00ffab1é", "00000000", "+0ffab10"] {
            assert_eq!(from_hex::<4>(text), None, "{text}");
        }
    }
}
