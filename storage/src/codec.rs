//! Packing columns of times and values into few bytes: shared by the head's chunks and the journal's records.
//!
//! Integers are LEB128 varints, signed ones zigzag coded. Times are deltas of deltas. A value that is a whole number
//! below 2^53 is the difference to the last such value; any other is the XOR with the value before it, without the
//! leading and trailing zero bytes. Byte-exact description: `docs/formats/record.md`.

use model::Error;

/// Whole numbers up to here are exact in a double.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// One sample: time in milliseconds since the Unix epoch, and the bits of the value.
pub(crate) type TimeValue = (i64, u64);

/// Appends a LEB128 varint.
pub(crate) fn put_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Appends a zigzag-coded varint.
pub(crate) fn put_signed(out: &mut Vec<u8>, number: i64) {
    put_varint(out, zigzag(number));
}

/// Small numbers of either sign as small numbers.
fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}

/// The inverse of [`zigzag`].
fn unzigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

/// Appends a length and that many bytes.
pub(crate) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Packs times.
#[derive(Debug, Default, Clone)]
pub(crate) struct TimeEncoder {
    time: i64,
    delta: i64,
}

impl TimeEncoder {
    /// Appends one time.
    pub(crate) fn put(&mut self, out: &mut Vec<u8>, time_ms: i64) {
        let delta = time_ms.wrapping_sub(self.time);
        put_signed(out, delta.wrapping_sub(self.delta));
        (self.time, self.delta) = (time_ms, delta);
    }
}

/// The inverse of [`TimeEncoder`].
#[derive(Debug, Default)]
pub(crate) struct TimeDecoder {
    time: i64,
    delta: i64,
}

impl TimeDecoder {
    /// Takes one time.
    pub(crate) fn take(&mut self, from: &mut Reader<'_>) -> Result<i64, Error> {
        self.delta = self.delta.wrapping_add(from.signed()?);
        self.time = self.time.wrapping_add(self.delta);
        Ok(self.time)
    }
}

/// Packs values.
#[derive(Debug, Default, Clone)]
pub(crate) struct ValueEncoder {
    whole: i64,
    bits: u64,
}

impl ValueEncoder {
    /// Appends one value, given by its bits.
    pub(crate) fn put(&mut self, out: &mut Vec<u8>, bits: u64) {
        if let Some(whole) = as_whole(bits) {
            let difference = whole.wrapping_sub(self.whole);
            put_varint(out, zigzag(difference) << 1);
            self.whole = whole;
        } else {
            let xor = bits ^ self.bits;
            let (leading, trailing) = zero_bytes(xor);
            out.push(1);
            out.push((leading << 4 | trailing) as u8);
            out.extend_from_slice(&xor.to_be_bytes()[leading..8 - trailing]);
        }
        self.bits = bits;
    }
}

/// The inverse of [`ValueEncoder`].
#[derive(Debug, Default)]
pub(crate) struct ValueDecoder {
    whole: i64,
    bits: u64,
}

impl ValueDecoder {
    /// Takes the bits of one value.
    pub(crate) fn take(&mut self, from: &mut Reader<'_>) -> Result<u64, Error> {
        let head = from.varint()?;
        if head & 1 == 0 {
            self.whole = self.whole.wrapping_add(unzigzag(head >> 1));
            self.bits = (self.whole as f64).to_bits();
        } else {
            let zeroes = usize::from(from.byte()?);
            let (leading, trailing) = (zeroes >> 4, zeroes & 15);
            if leading + trailing > 8 {
                return Err(damaged("a value of impossible width"));
            }
            let mut bytes = [0; 8];
            bytes[leading..8 - trailing].copy_from_slice(from.bytes(8 - leading - trailing)?);
            self.bits ^= u64::from_be_bytes(bytes);
        }
        Ok(self.bits)
    }
}

/// The whole number with these bits, if it is one that a double and back keeps exactly. −0 is not.
fn as_whole(bits: u64) -> Option<i64> {
    let value = f64::from_bits(bits);
    if value.abs() >= MAX_EXACT {
        return None;
    }
    let whole = value as i64;
    ((whole as f64).to_bits() == bits).then_some(whole)
}

/// Leading and trailing zero bytes of a number that may be zero.
fn zero_bytes(xor: u64) -> (usize, usize) {
    if xor == 0 {
        return (8, 0);
    }
    ((xor.leading_zeros() / 8) as usize, (xor.trailing_zeros() / 8) as usize)
}

/// Reads what the functions of this module wrote. Total over any bytes.
#[derive(Debug, Clone)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Reads from the beginning of `bytes`.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Reader(bytes)
    }

    /// How many bytes are left.
    pub(crate) fn left(&self) -> usize {
        self.0.len()
    }

    /// Takes one byte.
    pub(crate) fn byte(&mut self) -> Result<u8, Error> {
        let (first, rest) = self.0.split_first().ok_or_else(|| damaged("it ends too early"))?;
        self.0 = rest;
        Ok(*first)
    }

    /// Takes `count` bytes.
    pub(crate) fn bytes(&mut self, count: usize) -> Result<&'a [u8], Error> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or_else(|| damaged("it ends too early"))?;
        self.0 = rest;
        Ok(taken)
    }

    /// Takes a varint.
    pub(crate) fn varint(&mut self) -> Result<u64, Error> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(damaged("a number of more than 64 bits"))
    }

    /// Takes a zigzag-coded varint.
    pub(crate) fn signed(&mut self) -> Result<i64, Error> {
        Ok(unzigzag(self.varint()?))
    }

    /// Takes a count of things that each take at least one byte of what is left.
    pub(crate) fn count(&mut self) -> Result<usize, Error> {
        match usize::try_from(self.varint()?) {
            Ok(count) if count <= self.left() => Ok(count),
            _ => Err(damaged("a count larger than what follows")),
        }
    }

    /// Takes a length and that many bytes.
    pub(crate) fn sized(&mut self) -> Result<&'a [u8], Error> {
        let count = self.count()?;
        self.bytes(count)
    }

    /// Takes a length and that many bytes of UTF-8.
    pub(crate) fn text(&mut self) -> Result<&'a str, Error> {
        std::str::from_utf8(self.sized()?).map_err(|_| damaged("a text that is not UTF-8"))
    }
}

/// Bytes that this module did not write.
pub(crate) fn damaged(what: &str) -> Error {
    Error::new(model::ErrorKind::Corrupt, format!("damaged record: {what}"))
}

#[cfg(test)]
mod tests;
