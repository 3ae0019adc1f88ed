//! Columns of text: all texts one behind the other, and where each ends.

use std::fmt;
use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

/// Texts by their place, in one allocation.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Texts {
    text: String,
    /// Where each text ends; each begins where the one before ends.
    ends: Vec<u32>,
}

impl Texts {
    /// The most bytes that the texts of one column may have together.
    pub const MAX_BYTES: usize = u32::MAX as usize;

    /// Adds a text behind the others. The column must not grow beyond [`Texts::MAX_BYTES`].
    #[inline]
    pub fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.ends.push(self.text.len() as u32);
    }

    /// The text at a place; the empty one at places that there are not.
    #[inline]
    pub fn get(&self, place: usize) -> &str {
        let start = place.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        let end = self.ends.get(place).copied().unwrap_or(start);
        &self.text[start as usize..end as usize]
    }

    /// Adds the texts of these places of another column, which must be one behind the other.
    pub fn extend_from(&mut self, other: &Texts, places: std::ops::Range<usize>) {
        if places.is_empty() {
            return;
        }
        let start = places.start.checked_sub(1).map_or(0, |before| other.ends[before]);
        let shift = self.text.len() as u32;
        self.text.push_str(&other.text[start as usize..other.ends[places.end - 1] as usize]);
        self.ends.extend(other.ends[places].iter().map(|end| end - start + shift));
    }

    /// Forgets the texts from a place on.
    pub fn truncate(&mut self, len: usize) {
        if len < self.ends.len() {
            self.text.truncate(len.checked_sub(1).map_or(0, |last| self.ends[last] as usize));
            self.ends.truncate(len);
        }
    }

    /// How many texts there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The texts, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let text = &self.text[start..*end as usize];
            start = *end as usize;
            text
        })
    }

    /// All texts one behind the other.
    pub fn all(&self) -> &str {
        &self.text
    }

    /// Bytes of memory taken.
    pub fn memory_bytes(&self) -> usize {
        self.text.capacity() + self.ends.capacity() * size_of::<u32>()
    }
}

impl fmt::Debug for Texts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// Texts that come again and again, each kept once and named by its place.
#[derive(Clone, Default)]
pub struct Dictionary {
    texts: Texts,
    places: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl Dictionary {
    /// The place of a text, which is added if it is new.
    pub fn place(&mut self, text: &str) -> u32 {
        let hash = self.hasher.hash_one(text);
        if let Some(place) = self.places.find(hash, |place| self.texts.get(*place as usize) == text) {
            return *place;
        }
        let place = self.texts.len() as u32;
        self.texts.push(text);
        let (texts, hasher) = (&self.texts, &self.hasher);
        self.places.insert_unique(hash, place, |place| hasher.hash_one(texts.get(*place as usize)));
        place
    }

    /// As [`Dictionary::place`], with a place where the text may well be.
    #[inline]
    pub fn place_near(&mut self, text: &str, guess: Option<u32>) -> u32 {
        match guess {
            Some(guess) if self.texts.get(guess as usize) == text => guess,
            _ => self.place(text),
        }
    }

    /// The text at a place; the empty one at places that there are not.
    pub fn get(&self, place: u32) -> &str {
        self.texts.get(place as usize)
    }

    /// The texts, by place.
    pub fn texts(&self) -> &Texts {
        &self.texts
    }

    /// The place here of each text of another dictionary, by its place there.
    pub fn places_of(&mut self, other: &Dictionary) -> Vec<u32> {
        other.texts.iter().map(|text| self.place(text)).collect()
    }

    /// Bytes of memory taken, roughly.
    pub fn memory_bytes(&self) -> usize {
        self.texts.memory_bytes() + self.places.capacity() * (size_of::<u32>() + 1)
    }
}

impl PartialEq for Dictionary {
    fn eq(&self, other: &Self) -> bool {
        self.texts == other.texts
    }
}

impl fmt::Debug for Dictionary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.texts.fmt(f)
    }
}

#[cfg(test)]
mod tests;
