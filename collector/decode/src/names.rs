//! Finds a label name that comes twice in one series without comparing each with each.

/// The label names of the series at hand. Kept by a decoder and reused, so that it allocates only while it grows.
#[derive(Debug, Default)]
pub(crate) struct SeenNames {
    /// One bit per class of names; a clear bit proves that the name is new.
    classes: u64,
    /// Where the names are, for the few cases in which a bit is set already.
    ranges: Vec<(usize, usize)>,
}

impl SeenNames {
    /// Forgets the names, keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.classes = 0;
        self.ranges.clear();
    }

    /// How many names were noted.
    pub(crate) fn len(&self) -> usize {
        self.ranges.len()
    }

    /// Notes the name at `start..end` of `body` and says whether it is new.
    #[inline(always)]
    pub(crate) fn note(&mut self, body: &[u8], start: usize, end: usize) -> bool {
        let name = &body[start..end];
        let bit = 1u64 << class(name);
        let known = self.classes & bit != 0 && self.ranges.iter().any(|&(from, to)| body[from..to] == *name);
        self.classes |= bit;
        self.ranges.push((start, end));
        !known
    }
}

/// A number below 64 that equal names share: first byte, last byte and length, mixed.
#[inline]
fn class(name: &[u8]) -> u32 {
    let [first, last] = [name.first(), name.last()].map(|byte| u32::from(byte.copied().unwrap_or(0)));
    (first | last << 8 | (name.len() as u32) << 16).wrapping_mul(0x9e37_79b1) >> 26
}

#[cfg(test)]
mod tests;
