//! Chance without state: a hash of (seed, what, when) in place of a generator that must be asked in order.

/// Where the digits of names come from: what Kubernetes itself draws from, no vowels and nothing to mistake.
const NAME_LETTERS: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";

/// How far behind its driver a counter may be at most, in milliseconds.
pub(crate) const MAX_LAG_MS: i64 = 12_000;
/// The time between two lags that are drawn; between them the lag moves evenly.
const LAG_EVERY_MS: i64 = 60_000;

/// One source of chance, out of which others come by naming a part or an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Chance(u64);

impl Chance {
    /// The source of all others.
    pub(crate) fn new(seed: u64) -> Self {
        Chance(mix(seed ^ 0x5851_f42d_4c95_7f2d))
    }

    /// The source of a numbered part.
    pub(crate) fn of(self, part: u64) -> Self {
        Chance(mix(self.0.rotate_left(23) ^ part.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
    }

    /// The source of an instant or of a count of instants.
    pub(crate) fn at(self, time: i64) -> Self {
        self.of(time as u64)
    }

    /// The source of a named part.
    pub(crate) fn named(self, name: &str) -> Self {
        name.bytes().fold(self, |chance, byte| chance.of(u64::from(byte)))
    }

    /// Any number.
    pub(crate) fn number(self) -> u64 {
        self.0
    }

    /// A number from 0 to below `end`.
    pub(crate) fn below(self, end: u64) -> u64 {
        ((u128::from(self.0) * u128::from(end)) >> 64) as u64
    }

    /// From 0 to below 1.
    pub(crate) fn fraction(self) -> f64 {
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A value from -1 to 1 that moves evenly from one drawn value to the next, one every `every_ms`.
    pub(crate) fn wander(self, time_ms: i64, every_ms: i64) -> f64 {
        let (grid, into) = (time_ms.div_euclid(every_ms), time_ms.rem_euclid(every_ms));
        let (from, to) = (self.at(grid).fraction(), self.at(grid.wrapping_add(1)).fraction());
        2.0 * (from + (to - from) * (into as f64 / every_ms as f64)) - 1.0
    }

    /// How far behind a counter is at an instant: from 0 to [`MAX_LAG_MS`], and `time_ms - lag` never goes back.
    ///
    /// So the counters of one thing move a little ahead of or behind those of others, as they do where nothing ticks
    /// together, and in the long run none gains on its driver.
    pub(crate) fn lag_ms(self, time_ms: i64) -> i64 {
        let (grid, into) = (time_ms.div_euclid(LAG_EVERY_MS), time_ms.rem_euclid(LAG_EVERY_MS));
        let drawn = |grid: i64| self.at(grid).below(MAX_LAG_MS as u64 + 1) as i64;
        let (from, to) = (drawn(grid), drawn(grid.wrapping_add(1)));
        // The slope is far below one millisecond a millisecond, so a step of the clock never meets a larger step here.
        from + (to - from) * into / LAG_EVERY_MS
    }

    /// Letters as Kubernetes ends generated names with.
    pub(crate) fn letters(self, count: usize) -> String {
        (0..count).map(|i| char::from(NAME_LETTERS[self.of(i as u64).below(27) as usize])).collect()
    }

    /// Five letters for the pod in `slot`, different from those of every slot less than 27 away for the same `self`.
    pub(crate) fn letters_of_slot(self, birth: i64, slot: usize) -> String {
        let mut letters = self.at(birth).of(slot as u64).letters(4);
        letters.push(char::from(NAME_LETTERS[(self.below(27) as usize + slot) % 27]));
        letters
    }

    /// Hexadecimal digits.
    pub(crate) fn hex(self, digits: usize) -> String {
        (0..digits).map(|i| char::from(b"0123456789abcdef"[self.of(i as u64).below(16) as usize])).collect()
    }

    /// The text of a UUID.
    pub(crate) fn uuid(self) -> String {
        let hex = self.hex(30);
        format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[12..15], &hex[15..18], &hex[18..])
    }
}

/// Source: `splitmix64` of Sebastiano Vigna, in the public domain.
fn mix(number: u64) -> u64 {
    let mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests;
