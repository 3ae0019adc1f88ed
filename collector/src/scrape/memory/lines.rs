//! The lines of a page: what each became, and when it was last there.

use super::places::{Hashed, Places, trim};

/// A line of the page.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    hash: u128,
    /// The series it became, none if the rules dropped it.
    pub(super) series: Option<u32>,
    /// The scrapes that had it first and last.
    pub(super) first_scrape: u32,
    pub(super) scrape: u32,
}

impl Hashed for Line {
    fn hash(&self) -> u128 {
        self.hash
    }
}

/// All lines that are remembered, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Lines {
    lines: Vec<Line>,
    places: Places,
    /// The place behind the line that was found last: a page mostly has its lines in the order of the one before.
    next: usize,
}

impl Lines {
    /// Goes back to the first line, for the next page.
    pub(super) fn rewind(&mut self) {
        self.next = 0;
        trim(&mut self.lines);
    }

    /// The line with this hash.
    pub(super) fn find(&mut self, hash: u128) -> Option<&mut Line> {
        let is_next = self.lines.get(self.next).is_some_and(|line| line.hash == hash);
        let place = if is_next { self.next } else { self.places.find(hash, &self.lines)? };
        self.next = place + 1;
        self.lines.get_mut(place)
    }

    /// Adds a line that is not there.
    pub(super) fn insert(&mut self, hash: u128, series: Option<u32>, scrape: u32) {
        self.lines.push(Line { hash, series, first_scrape: scrape, scrape });
        self.places.pushed(&self.lines);
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    /// Forgets all lines.
    pub(super) fn clear(&mut self) {
        *self = Lines::default();
    }

    /// Forgets the lines that are not to stay.
    pub(super) fn retain(&mut self, stays: impl FnMut(&Line) -> bool) {
        self.lines.retain(stays);
        self.lines.shrink_to_fit();
        self.places = Places::of(&self.lines);
    }

    /// All lines.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter()
    }

    /// All lines, to change them.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Line> {
        self.lines.iter_mut()
    }
}
