//! Walks protobuf wire format in place, without a schema and without recursion.
//!
//! Source: <https://protobuf.dev/programming-guides/encoding/>

use std::ops::Range;

/// What is wrong with the bytes, and at which one.
#[derive(Debug)]
pub(crate) struct Malformed {
    pub(crate) at: usize,
    pub(crate) what: &'static str,
}

/// The value of a field, numbers as they stand on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Varint(u64),
    Fixed64(u64),
    /// A range of the whole body: text, bytes or a message.
    Bytes(Range<usize>),
    Fixed32(u32),
}

/// The fields of the message in `at..end` of `body`.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    body: &'a [u8],
    at: usize,
}

impl<'a> Fields<'a> {
    /// The fields of the message that lies at `range` of `body`.
    pub(crate) fn new(body: &'a [u8], range: Range<usize>) -> Self {
        // Cutting the end off once makes every later check against the message a check against the slice.
        Fields { at: range.start.min(range.end), body: body.get(..range.end).unwrap_or(body) }
    }

    /// Where the next field starts.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// The number and value of the next field; `None` at the end of the message.
    #[inline]
    pub(crate) fn next(&mut self) -> Result<Option<(u64, Value)>, Malformed> {
        let start = self.at;
        if start >= self.body.len() {
            return Ok(None);
        }
        let tag = self.varint()?;
        let value = match tag & 7 {
            0 => Value::Varint(self.varint()?),
            1 => Value::Fixed64(u64::from_le_bytes(self.fixed()?)),
            2 => {
                let len = self.varint()?;
                let left = self.body.len() - self.at;
                // Compared as u64: a claimed length never becomes an allocation nor wraps an offset.
                if len > left as u64 {
                    return Err(Malformed { at: start, what: "a field is longer than the message around it" });
                }
                let from = self.at;
                self.at += len as usize;
                Value::Bytes(from..self.at)
            }
            5 => Value::Fixed32(u32::from_le_bytes(self.fixed()?)),
            _ => {
                return Err(Malformed { at: start, what: "a field has a wire type that is not in use (3, 4, 6 or 7)" });
            }
        };
        match tag >> 3 {
            0 => Err(Malformed { at: start, what: "a field has the number 0" }),
            number => Ok(Some((number, value))),
        }
    }

    /// The content of the next field, if it begins with the byte `tag` and has less than 128 bytes: the short way for a
    /// field that comes often. Anything else is left to [`Fields::next`].
    #[inline]
    pub(crate) fn next_short(&mut self, tag: u8) -> Option<Range<usize>> {
        let [first, len @ 0..0x80, rest @ ..] = self.body.get(self.at..)? else { return None };
        if *first != tag || usize::from(*len) > rest.len() {
            return None;
        }
        let start = self.at + 2;
        self.at = start + usize::from(*len);
        Some(start..self.at)
    }

    /// The next number of a packed field, whose numbers stand one behind the other.
    #[inline]
    pub(crate) fn next_varint(&mut self) -> Result<Option<u64>, Malformed> {
        if self.at >= self.body.len() { Ok(None) } else { self.varint().map(Some) }
    }

    /// As [`Fields::next_varint`], of numbers with eight bytes each.
    pub(crate) fn next_fixed64(&mut self) -> Result<Option<u64>, Malformed> {
        if self.at >= self.body.len() { Ok(None) } else { Ok(Some(u64::from_le_bytes(self.fixed()?))) }
    }

    /// The range of the next message, where messages stand one behind the other, each with its length before it.
    pub(crate) fn next_delimited(&mut self) -> Result<Option<Range<usize>>, Malformed> {
        let start = self.at;
        let Some(len) = self.next_varint()? else { return Ok(None) };
        if len > (self.body.len() - self.at) as u64 {
            return Err(Malformed { at: start, what: "a message is longer than what is left" });
        }
        let from = self.at;
        self.at += len as usize;
        Ok(Some(from..self.at))
    }

    #[inline]
    fn varint(&mut self) -> Result<u64, Malformed> {
        match self.body.get(self.at) {
            Some(&byte) if byte < 0x80 => {
                self.at += 1;
                Ok(u64::from(byte))
            }
            _ => self.long_varint(),
        }
    }

    fn long_varint(&mut self) -> Result<u64, Malformed> {
        let start = self.at;
        let mut value = 0u64;
        for shift in (0..70).step_by(7) {
            let byte = *self.body.get(self.at).ok_or(Malformed { at: start, what: "the message ends in a number" })?;
            self.at += 1;
            if shift == 63 && byte > 1 {
                break;
            }
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Malformed { at: start, what: "a number has more than 64 bits" })
    }

    #[inline]
    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let bytes = self.body.get(self.at..).and_then(|rest| rest.first_chunk::<N>());
        let bytes = *bytes.ok_or(Malformed { at: self.at, what: "the message ends in a number" })?;
        self.at += N;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests;
