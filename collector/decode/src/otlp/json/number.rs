//! Numbers and bytes as they may stand in JSON.

/// A number out of JSON, or out of a text in it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Number {
    Unsigned(u64),
    Signed(i64),
    Double(f64),
}

impl Number {
    /// Reads a text that stands for a number.
    pub(super) fn parse(text: &str) -> Option<Self> {
        // Nearly all are times.
        if let Ok(number) = text.parse() {
            return Some(Number::Unsigned(number));
        }
        match text {
            "NaN" => return Some(Number::Double(f64::NAN)),
            "Infinity" => return Some(Number::Double(f64::INFINITY)),
            "-Infinity" => return Some(Number::Double(f64::NEG_INFINITY)),
            _ => {}
        }
        // Rust reads words for infinity that JSON does not have.
        if !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')) {
            return None;
        }
        let signed = text.parse().map(Number::Signed);
        signed.ok().or_else(|| text.parse().map(Number::Double).ok())
    }

    pub(super) fn double(self) -> f64 {
        match self {
            Number::Unsigned(number) => number as f64,
            Number::Signed(number) => number as f64,
            Number::Double(number) => number,
        }
    }

    /// The number, if it is whole and fits.
    ///
    /// # Errors
    /// What is wrong.
    pub(super) fn unsigned(self) -> Result<u64, String> {
        match self {
            Number::Unsigned(number) => Ok(number),
            Number::Signed(number) => u64::try_from(number).map_err(|_| format!("negative: {number}")),
            // Up to here each whole double is that number and no other.
            Number::Double(number) if number.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(&number) => {
                Ok(number as u64)
            }
            Number::Double(number) => Err(format!("not a whole number that fits: {number}")),
        }
    }

    /// As [`Number::unsigned`].
    pub(super) fn signed(self) -> Result<i64, String> {
        match self {
            Number::Signed(number) => Ok(number),
            Number::Double(number) if number < 0.0 => Number::Double(-number).unsigned().map(|number| -(number as i64)),
            other => i64::try_from(other.unsigned()?).map_err(|_| "too large".to_owned()),
        }
    }
}

/// Writes the bytes given as hexadecimal digits of any case; gives whether they are such.
pub(super) fn write_hex(text: &str, out: &mut Vec<u8>) -> bool {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let mut bad = 0;
    out.extend(pairs.iter().map(|[high, low]| {
        let (high, low) = (HEX[usize::from(*high)], HEX[usize::from(*low)]);
        bad |= high | low;
        high << 4 | low & 0xf
    }));
    rest.is_empty() && bad & NO_DIGIT == 0
}

/// Stands for a byte that is no hexadecimal digit.
const NO_DIGIT: u8 = 0x80;

/// The number that each byte is as a hexadecimal digit.
const HEX: [u8; 256] = {
    let mut digits = [NO_DIGIT; 256];
    let mut number = 0;
    while number < 16 {
        digits[b"0123456789abcdef"[number] as usize] = number as u8;
        digits[b"0123456789ABCDEF"[number] as usize] = number as u8;
        number += 1;
    }
    digits
};

/// Bytes given as base64, of either alphabet, with or without the signs at the end.
pub(super) fn from_base64(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=');
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    for group in text.as_bytes().chunks(4) {
        let mut bits = 0u32;
        for byte in group {
            let digit = match byte {
                b'A'..=b'Z' => byte - b'A',
                b'a'..=b'z' => byte - b'a' + 26,
                b'0'..=b'9' => byte - b'0' + 52,
                b'+' | b'-' => 62,
                b'/' | b'_' => 63,
                _ => return None,
            };
            bits = bits << 6 | u32::from(digit);
        }
        bits <<= 6 * (4 - group.len());
        let whole = match group.len() {
            1 => return None,
            digits => digits - 1,
        };
        bytes.extend_from_slice(&bits.to_be_bytes()[1..=whole]);
    }
    Some(bytes)
}
