//! Drawn numbers as decisions: an expression is what they lead to, so that fewer and smaller ones lead to a simpler one.

/// What is left of them. Where none is left each decision is the first, which is the simplest.
#[derive(Debug)]
pub(super) struct Choices<'a> {
    left: &'a [u16],
}

impl<'a> Choices<'a> {
    pub(super) fn new(all: &'a [u16]) -> Self {
        Choices { left: all }
    }

    /// A number below this one, which is not 0.
    pub(super) fn below(&mut self, count: usize) -> usize {
        let Some((first, rest)) = self.left.split_first() else { return 0 };
        self.left = rest;
        usize::from(*first) % count
    }

    /// One of several.
    pub(super) fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// Whether what comes about one time in so many does.
    pub(super) fn rarely(&mut self, one_in: usize) -> bool {
        self.below(one_in) == one_in - 1
    }

    /// Some of several, maybe none.
    pub(super) fn some<T: Copy>(&mut self, of: &[T]) -> Vec<T> {
        let chosen = self.below(1 << of.len());
        of.iter().enumerate().filter(|(place, _)| chosen >> place & 1 == 1).map(|(_, one)| *one).collect()
    }
}
