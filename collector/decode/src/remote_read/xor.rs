//! A chunk of float samples as Prometheus' TSDB packs them: times and values, each against the one before.
//!
//! ```text
//! chunk      = count (2 bytes, big endian) · first · second · further … · padding
//! first      = time (signed base-128 number) · value (64 bits)
//! second     = time − the time before (base-128 number) · changed value
//! further    = change of that difference, see below · changed value
//!
//! difference   0                          the same as before
//!              10  · 14 bits              −8,191 … 8,192
//!              110 · 17 bits              −65,535 … 65,536
//!              1110 · 20 bits             −524,287 … 524,288
//!              1111 · 64 bits             any
//! value        0                          the same as before
//!              10 · bits                  bits that changed, within the window of the last change
//!              11 · 5 bits · 6 bits · bits   a new window: zeros above it, its length (0 for 64), the bits in it
//! ```
//!
//! Padding is 0 to 8 bits: Prometheus may begin a byte and then have nothing to write into it.
//!
//! Source: T. Pelkonen and others, "Gorilla: A Fast, Scalable, In-Memory Time Series Database", section 4.1, and
//! `chunks.md` and `bstream.md` of Prometheus' TSDB for what differs; the padding from Prometheus 2.42 observed

mod pack;

pub use self::pack::xor_chunk;
use super::bits::{Bits, Ended};

const MAX_PADDING_BITS: usize = 8;

/// A chunk whose number of samples is known.
#[derive(Debug)]
pub(super) struct Chunk<'a> {
    samples: u16,
    bits: Bits<'a>,
}

/// Why a chunk cannot be read, in words.
pub(super) type Damage = &'static str;

impl From<Ended> for Damage {
    fn from(_: Ended) -> Self {
        "it ends before its last sample"
    }
}

impl<'a> Chunk<'a> {
    /// Reads how many samples there should be.
    pub(super) fn new(data: &'a [u8]) -> Result<Self, Damage> {
        let (samples, rest) = data.split_first_chunk().ok_or("it has no number of samples")?;
        Ok(Chunk { samples: u16::from_be_bytes(*samples), bits: Bits::new(rest) })
    }

    /// How many samples there should be.
    pub(super) fn samples(&self) -> usize {
        usize::from(self.samples)
    }

    /// Unpacks the samples, each as time and bits of the value.
    pub(super) fn unpack(mut self, mut sample: impl FnMut(i64, u64)) -> Result<(), Damage> {
        if self.samples > 0 {
            let mut time_ms = zigzag(self.base_128()?);
            let mut value = Value { bits: self.bits.take_wide(64)?, shift: 0, width: 64 };
            sample(time_ms, value.bits);
            let mut step_ms = 0i64;
            for index in 1..self.samples {
                // A step back is a large positive one in the arithmetic of the format.
                step_ms = match index {
                    1 => self.base_128()? as i64,
                    _ => step_ms.wrapping_add(self.step_change()?),
                };
                time_ms = time_ms.checked_add(step_ms).ok_or("a time is beyond 64 bits")?;
                value.change(&mut self.bits)?;
                sample(time_ms, value.bits);
            }
        }
        // Count and bits contradict each other, and which of the two is right nobody knows.
        if self.bits.left() <= MAX_PADDING_BITS { Ok(()) } else { Err("it goes on after its last sample") }
    }

    #[inline]
    fn step_change(&mut self) -> Result<i64, Damage> {
        if !self.bits.take_bit()? {
            return Ok(0);
        }
        let width = match self.bits.take_bit()? {
            false => 14,
            true if !self.bits.take_bit()? => 17,
            true if !self.bits.take_bit()? => 20,
            true => return Ok(self.bits.take_wide(64)? as i64),
        };
        let number = self.bits.take(width)? as i64;
        // The largest positive number is one more than that of two's complement.
        Ok(if number > 1 << (width - 1) { number - (1 << width) } else { number })
    }

    fn base_128(&mut self) -> Result<u64, Damage> {
        let mut number = 0;
        for shift in (0..70).step_by(7) {
            let byte = self.bits.take(8)?;
            if shift == 63 && byte > 1 {
                break;
            }
            number |= (byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err("a time has more than 64 bits")
    }
}

/// The number whose sign is the lowest bit.
fn zigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

/// The value before, and the window in which it last changed.
#[derive(Debug)]
struct Value {
    bits: u64,
    /// Zeros below the window.
    shift: u32,
    /// Bits in the window.
    width: u32,
}

impl Value {
    #[inline]
    fn change(&mut self, bits: &mut Bits<'_>) -> Result<(), Damage> {
        if !bits.take_bit()? {
            return Ok(());
        }
        if bits.take_bit()? {
            let above = bits.take(5)? as u32;
            let width = match bits.take(6)? as u32 {
                0 => 64,
                width => width,
            };
            self.shift = 64u32.checked_sub(above + width).ok_or("a value has more than 64 bits")?;
            self.width = width;
        }
        self.bits ^= bits.take_wide(self.width)? << self.shift;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
