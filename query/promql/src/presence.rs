//! Which steps of a row have a value.

use std::ops::Range;

/// One bit a step: whether there is a value. Rows of values are as long and hold anything where there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presence {
    /// The first step is the lowest bit of the first word; no bit behind the last step is set.
    words: Vec<u64>,
    steps: usize,
}

impl Presence {
    /// Of a row without any value.
    pub fn none(steps: usize) -> Self {
        Presence { words: vec![0; steps.div_ceil(64)], steps }
    }

    /// Of a row with a value at each step.
    pub fn all(steps: usize) -> Self {
        let mut words = vec![u64::MAX; steps.div_ceil(64)];
        if let (Some(last), 1..) = (words.last_mut(), steps % 64) {
            *last = (1 << (steps % 64)) - 1;
        }
        Presence { words, steps }
    }

    /// Of words of 64 steps each, the first step the lowest bit of the first word.
    pub fn from_words(words: impl IntoIterator<Item = u64>, steps: usize) -> Self {
        let mut presence = Presence::all(steps);
        let mut words = words.into_iter();
        presence.words.iter_mut().for_each(|word| *word &= words.next().unwrap_or_default());
        presence
    }

    /// The words, as of [`Presence::from_words`].
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// How many steps there are, with or without a value.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// How many steps have a value.
    pub fn count(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether no step has a value.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// Whether a step has a value.
    #[inline]
    pub fn has(&self, step: usize) -> bool {
        self.words[step / 64] >> (step % 64) & 1 == 1
    }

    /// Says that a step has a value.
    #[inline]
    pub fn insert(&mut self, step: usize) {
        debug_assert!(step < self.steps);
        self.words[step / 64] |= 1 << (step % 64);
    }

    /// Says that a step has none.
    #[inline]
    pub fn remove(&mut self, step: usize) {
        self.words[step / 64] &= !(1 << (step % 64));
    }

    /// Adds the steps that have a value in the other row.
    pub fn union_with(&mut self, other: &Presence) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word |= other);
    }

    /// Leaves the steps that have a value in both rows.
    pub fn intersect_with(&mut self, other: &Presence) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word &= other);
    }

    /// Leaves the steps that have no value in the other row.
    pub fn subtract(&mut self, other: &Presence) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word &= !other);
    }

    /// The steps with a value, in order.
    pub fn iter(&self) -> impl Iterator<Item = usize> {
        self.words.iter().enumerate().flat_map(|(at, word)| Bits(*word).map(move |bit| at * 64 + bit))
    }

    /// Calls `visit` for the steps with a value, in order.
    #[inline(always)]
    pub fn for_each(&self, mut visit: impl FnMut(usize)) {
        self.for_each_run(|run| run.for_each(&mut visit));
    }

    /// Calls `visit` for the longest runs of steps with a value, in order, so that it can go through slices.
    #[inline(always)]
    pub(crate) fn for_each_run(&self, mut visit: impl FnMut(Range<usize>)) {
        let mut run = 0..0;
        for (at, word) in self.words.iter().enumerate() {
            let mut rest = *word;
            while rest != 0 {
                let start = rest.trailing_zeros();
                let length = (rest >> start).trailing_ones();
                rest &= !(u64::MAX >> (64 - length) << start);
                let start = at * 64 + start as usize;
                if run.end != start {
                    if !run.is_empty() {
                        visit(run.clone());
                    }
                    run.start = start;
                }
                run.end = start + length as usize;
            }
        }
        if !run.is_empty() {
            visit(run);
        }
    }

    /// Leaves the steps for which `keep` says so.
    #[inline(always)]
    pub fn retain(&mut self, mut keep: impl FnMut(usize) -> bool) {
        for (at, word) in self.words.iter_mut().enumerate() {
            for bit in Bits(*word) {
                if !keep(at * 64 + bit) {
                    *word &= !(1 << bit);
                }
            }
        }
    }
}

/// The bits of a word that are set, from the lowest on.
struct Bits(u64);

impl Iterator for Bits {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        if self.0 == 0 {
            return None;
        }
        let bit = self.0.trailing_zeros() as usize;
        self.0 &= self.0 - 1;
        Some(bit)
    }
}

#[cfg(test)]
mod tests;
