//! Packs samples into a chunk: the counterpart of [`super::Chunk::unpack`].

use super::super::bits::BitWriter;
use crate::protobuf::message::zigzag;

/// What the windows of values are measured against: the leading zeros that five bits can say.
const MAX_ABOVE: u32 = 31;

/// The XOR chunk of these samples, each a time in milliseconds and the bits of a value: 65,535 at most, others are left out.
/// Prometheus makes chunks of 120.
pub fn xor_chunk(samples: impl IntoIterator<Item = (i64, u64)>) -> Vec<u8> {
    let mut writer = Writer { bits: BitWriter::behind(vec![0; 2]), before: (0, 0), step: 0, window: None };
    let mut count = 0u16;
    for sample in samples.into_iter().take(usize::from(u16::MAX)) {
        writer.sample(count, sample);
        count += 1;
    }
    let mut bytes = writer.bits.finish();
    bytes[..2].copy_from_slice(&count.to_be_bytes());
    bytes
}

struct Writer {
    bits: BitWriter,
    /// The sample before.
    before: (i64, u64),
    /// From the one before that to it, in milliseconds.
    step: i64,
    /// The zeros above and below the bits that changed when they were last told.
    window: Option<(u32, u32)>,
}

impl Writer {
    #[inline]
    fn sample(&mut self, place: u16, (time_ms, value): (i64, u64)) {
        // A step back is a large positive one in the arithmetic of the format.
        let step = time_ms.wrapping_sub(self.before.0);
        match place {
            0 => {
                self.base_128(zigzag(time_ms));
                self.bits.put(value, 64);
            }
            1 => {
                self.base_128(step as u64);
                self.change(self.before.1 ^ value);
            }
            _ => {
                self.step_change(step.wrapping_sub(self.step));
                self.change(self.before.1 ^ value);
            }
        }
        (self.before, self.step) = ((time_ms, value), step);
    }

    fn base_128(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.bits.put(number & 0x7f | 0x80, 8);
            number >>= 7;
        }
        self.bits.put(number, 8);
    }

    fn step_change(&mut self, change: i64) {
        let (prefix, prefix_bits, bits) = match change {
            0 => return self.bits.put(0, 1),
            -8_191..=8_192 => (0b10, 2, 14),
            -65_535..=65_536 => (0b110, 3, 17),
            -524_287..=524_288 => (0b1110, 4, 20),
            _ => (0b1111, 4, 64),
        };
        self.bits.put(prefix, prefix_bits);
        self.bits.put(change as u64, bits);
    }

    /// Writes which bits of a value changed.
    fn change(&mut self, changed: u64) {
        if changed == 0 {
            return self.bits.put(0, 1);
        }
        let (above, below) = (changed.leading_zeros().min(MAX_ABOVE), changed.trailing_zeros());
        let (above, below) = match self.window {
            Some((old_above, old_below)) if above >= old_above && below >= old_below => {
                self.bits.put(0b10, 2);
                (old_above, old_below)
            }
            _ => {
                self.window = Some((above, below));
                self.bits.put(0b11, 2);
                self.bits.put(u64::from(above), 5);
                // 64 needs a seventh bit, which is left out: a window of none is never written.
                self.bits.put(u64::from(64 - above - below), 6);
                (above, below)
            }
        };
        self.bits.put(changed >> below, 64 - above - below);
    }
}

#[cfg(test)]
mod tests;
