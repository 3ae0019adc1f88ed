//! Reads a string of bytes bit by bit, the highest bit of each byte first; `writer` writes one.

mod writer;

pub(super) use self::writer::BitWriter;

/// The bits end before what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ended;

/// The bits that were not read yet.
#[derive(Debug)]
pub(super) struct Bits<'a> {
    /// Bytes of which the window may have some bits already, but not all.
    bytes: &'a [u8],
    /// The next bits, from the highest on. Those beyond `held` are zeros, or the bits that really follow.
    window: u64,
    /// How many bits of the window count as read from `bytes`.
    held: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Bits { bytes, window: 0, held: 0 }
    }

    /// How many bits are left.
    pub(super) fn left(&self) -> usize {
        self.held as usize + self.bytes.len() * 8
    }

    /// Fills the window with at least 56 bits, or with all that are left.
    fn fill(&mut self) {
        match self.bytes.first_chunk() {
            Some(next) if self.held < 56 => {
                self.window |= u64::from_be_bytes(*next) >> self.held;
                let bytes = (63 - self.held) / 8;
                self.bytes = &self.bytes[bytes as usize..];
                self.held += bytes * 8;
            }
            Some(_) => {}
            None => self.fill_slowly(),
        }
    }

    fn fill_slowly(&mut self) {
        while self.held <= 56
            && let Some((next, rest)) = self.bytes.split_first()
        {
            self.window |= u64::from(*next) << (56 - self.held);
            self.bytes = rest;
            self.held += 8;
        }
    }

    /// The next `count` bits, of which there are 1 to 56, as a number.
    #[inline]
    pub(super) fn take(&mut self, count: u32) -> Result<u64, Ended> {
        debug_assert!((1..=56).contains(&count));
        if self.held < count {
            self.fill();
            if self.held < count {
                return Err(Ended);
            }
        }
        let number = self.window >> (64 - count);
        self.window <<= count;
        self.held -= count;
        Ok(number)
    }

    /// As [`Bits::take`], for 1 to 64 bits.
    #[inline]
    pub(super) fn take_wide(&mut self, count: u32) -> Result<u64, Ended> {
        match count {
            0..=56 => self.take(count),
            _ => Ok(self.take(32)? << (count - 32) | self.take(count - 32)?),
        }
    }

    /// The next bit.
    #[inline]
    pub(super) fn take_bit(&mut self) -> Result<bool, Ended> {
        Ok(self.take(1)? == 1)
    }
}

#[cfg(test)]
mod tests;
