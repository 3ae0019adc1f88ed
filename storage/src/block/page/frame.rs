//! Whole numbers as a straight line and what is left of each, in as many bytes as the largest rest needs.

use std::ops::Range;

/// `number[i] = base + slope * i + rest[i]`, all modulo 2^64.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame {
    base: i64,
    slope: i32,
    /// Bytes of a rest: 0, 1, 2, 4 or 8.
    width: u8,
}

impl Frame {
    /// Numbers of eight bytes as they are.
    pub(super) const BITS: Frame = Frame { base: 0, slope: 0, width: 8 };

    /// Appends the rests of some numbers.
    pub(super) fn pack(numbers: &[i64], bytes: &mut Vec<u8>) -> Self {
        let slope = slope(numbers);
        // A sum that goes along is cheaper than a product each.
        let line = |start: i64| std::iter::successors(Some(start), |line| Some(line.wrapping_add(i64::from(slope))));
        let (mut min, mut max) = (i64::MAX, i64::MIN);
        for (number, line) in numbers.iter().zip(line(0)) {
            let rest = number.wrapping_sub(line);
            (min, max) = (min.min(rest), max.max(rest));
        }
        let width = match max.wrapping_sub(min) as u64 {
            _ if numbers.is_empty() => 0,
            0 => 0,
            0x1..=0xff => 1,
            0x100..=0xffff => 2,
            0x1_0000..=0xffff_ffff => 4,
            _ => 8,
        };
        let base = if numbers.is_empty() { 0 } else { min };
        let rests = numbers.iter().zip(line(base)).map(|(number, line)| number.wrapping_sub(line) as u64);
        let frame = Frame { base, slope, width };
        let first = bytes.len();
        bytes.resize(first + frame.bytes(numbers.len()), 0);
        let bytes = &mut bytes[first..];
        match width {
            0 => {}
            1 => bytes.iter_mut().zip(rests).for_each(|(byte, rest)| *byte = rest as u8),
            2 => put(bytes, rests, |rest| (rest as u16).to_le_bytes()),
            4 => put(bytes, rests, |rest| (rest as u32).to_le_bytes()),
            _ => put(bytes, rests, u64::to_le_bytes),
        }
        frame
    }

    /// Bytes that the rests of so many numbers take.
    pub(super) fn bytes(&self, numbers: usize) -> usize {
        numbers * usize::from(self.width)
    }

    /// Appends what is made of a range of the numbers with whose rests these bytes begin.
    pub(super) fn unpack<T: Copy + Default>(
        &self,
        rests: &[u8],
        range: Range<usize>,
        out: &mut Vec<T>,
        make: impl Fn(i64) -> T,
    ) {
        let first = out.len();
        out.resize(first + range.len(), T::default());
        let (out, rests) = (&mut out[first..], &rests[self.bytes(range.start)..self.bytes(range.end)]);
        let (base, slope) = (self.base, i64::from(self.slope));
        // Wrapping, so that each is the one before plus the slope whatever the numbers are.
        let mut line = base.wrapping_add(slope.wrapping_mul(range.start as i64));
        let mut put = |out: &mut T, rest: u64| {
            *out = make(line.wrapping_add(rest as i64));
            line = line.wrapping_add(slope);
        };
        match self.width {
            0 => out.iter_mut().for_each(|out| put(out, 0)),
            1 => out.iter_mut().zip(rests).for_each(|(out, rest)| put(out, u64::from(*rest))),
            2 => each(out, rests, |out, rest| put(out, u64::from(u16::from_le_bytes(rest)))),
            4 => each(out, rests, |out, rest| put(out, u64::from(u32::from_le_bytes(rest)))),
            _ => each(out, rests, |out, rest| put(out, u64::from_le_bytes(rest))),
        }
    }
}

fn put<const WIDTH: usize>(bytes: &mut [u8], rests: impl Iterator<Item = u64>, packed: impl Fn(u64) -> [u8; WIDTH]) {
    let (bytes, _) = bytes.as_chunks_mut::<WIDTH>();
    bytes.iter_mut().zip(rests).for_each(|(bytes, rest)| *bytes = packed(rest));
}

fn each<T, const WIDTH: usize>(out: &mut [T], rests: &[u8], mut put: impl FnMut(&mut T, [u8; WIDTH])) {
    let (rests, _) = rests.as_chunks::<WIDTH>();
    out.iter_mut().zip(rests).for_each(|(out, rest)| put(out, *rest));
}

/// How much the numbers grow from one to the next, over all of them; 0 if that is out of reach.
fn slope(numbers: &[i64]) -> i32 {
    let (Some(first), Some(last)) = (numbers.first(), numbers.last()) else { return 0 };
    let steps = (numbers.len() as i64 - 1).max(1);
    last.checked_sub(*first).and_then(|all| i32::try_from(all / steps).ok()).unwrap_or(0)
}
