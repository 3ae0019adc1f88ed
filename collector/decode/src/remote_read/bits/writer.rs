//! Writes a string of bytes bit by bit, the highest bit of each byte first.

/// Bits that were written.
#[derive(Debug, Default)]
pub(in crate::remote_read) struct BitWriter {
    bytes: Vec<u8>,
    /// The bits that are in no byte yet, the last one lowest.
    pending: u64,
    /// How many of them there are: fewer than eight between two calls.
    count: u32,
}

impl BitWriter {
    /// Writes behind bytes that are there already.
    pub(in crate::remote_read) fn behind(bytes: Vec<u8>) -> Self {
        BitWriter { bytes, pending: 0, count: 0 }
    }

    /// Writes the lowest `count` bits of a number, of which there are at most 64.
    #[inline]
    pub(in crate::remote_read) fn put(&mut self, number: u64, count: u32) {
        if count > 56 {
            self.put(number >> 32, count - 32);
            return self.put(number, 32);
        }
        self.pending = self.pending << count | number & ((1 << count) - 1);
        self.count += count;
        while self.count >= 8 {
            self.count -= 8;
            self.bytes.push((self.pending >> self.count) as u8);
        }
    }

    /// The bytes; the last one is filled up with zeros.
    pub(in crate::remote_read) fn finish(mut self) -> Vec<u8> {
        if self.count > 0 {
            self.bytes.push((self.pending << (8 - self.count)) as u8);
        }
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::super::Bits;
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let widths = [1, 7, 8, 64, 3, 57, 56, 63, 5, 33, 64, 2];
        let mut writer = BitWriter::behind(vec![0xab]);
        let number = |at: usize| 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(at as u64 + 1);
        widths.iter().enumerate().for_each(|(at, width)| writer.put(number(at), *width));
        let bytes = writer.finish();
        let total: u32 = widths.iter().sum();
        assert_eq!((bytes[0], bytes.len()), (0xab, 1 + total.div_ceil(8) as usize));
        let mut bits = Bits::new(&bytes[1..]);
        for (at, width) in widths.iter().enumerate() {
            assert_eq!(bits.take_wide(*width).unwrap(), number(at) & (u64::MAX >> (64 - width)), "{width} bits");
        }
        assert!(bits.left() < 8);
    }
}
