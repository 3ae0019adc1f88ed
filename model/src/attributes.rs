//! Attributes: names with values as text, of each row of a column, and as a set that many rows share.
//!
//! Values are canonical text: numbers in decimal, lists and maps as JSON, bytes as base64.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use crate::Error;
use crate::texts::{Dictionary, Texts};

/// The attributes of each row of a batch. Within a row each name is there once.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Attributes {
    names: Dictionary,
    /// Where the attributes of each row end.
    ends: Vec<u32>,
    /// The name of each attribute, by its place among `names`.
    keys: Vec<u32>,
    values: Texts,
}

impl Attributes {
    /// Puts columns together: the names, where the attributes of each row end, the place of the name of each, the values.
    ///
    /// # Errors
    /// `Invalid` if they do not fit together, or a row has a name twice.
    pub fn from_parts(names: Dictionary, ends: Vec<u32>, keys: Vec<u32>, values: Texts) -> Result<Self, Error> {
        let last = ends.last().map_or(0, |end| *end as usize);
        if !ends.is_sorted() || last != keys.len() || last != values.len() {
            return Err(Error::invalid("columns of attributes differ in length"));
        }
        if keys.iter().any(|key| *key as usize >= names.texts().len()) {
            return Err(Error::invalid("an attribute has no name"));
        }
        let attributes = Attributes { names, ends, keys, values };
        // Of each name the last row that has it, counted from 1.
        let mut seen = vec![0; attributes.names.texts().len()];
        for row in 0..attributes.rows() {
            for key in &attributes.keys[attributes.range(row)] {
                if std::mem::replace(&mut seen[*key as usize], row + 1) == row + 1 {
                    return Err(Error::invalid("a row has an attribute twice"));
                }
            }
        }
        Ok(attributes)
    }

    /// Adds an attribute to the row at hand. Of two with one name the first counts.
    #[inline]
    pub fn push(&mut self, name: &str, value: &str) {
        let start = self.ends.last().copied().unwrap_or(0) as usize;
        // Mostly a row has the names of the row before, in the same order.
        let before = self.ends.len().checked_sub(2).map_or(0, |before| self.ends[before]) as usize;
        let guess = self.keys[before..start].get(self.keys.len() - start).copied();
        let key = self.names.place_near(name, guess);
        if !self.keys[start..].contains(&key) {
            self.keys.push(key);
            self.values.push(value);
        }
    }

    /// How many attributes the row at hand has so far.
    #[inline]
    pub fn pending(&self) -> usize {
        self.keys.len() - self.ends.last().copied().unwrap_or(0) as usize
    }

    /// Takes back the attributes of the row at hand.
    pub fn cancel(&mut self) {
        let start = self.ends.last().copied().unwrap_or(0) as usize;
        self.keys.truncate(start);
        self.values.truncate(start);
    }

    /// Ends the row at hand and begins the next.
    #[inline]
    pub fn end_row(&mut self) {
        self.ends.push(self.keys.len() as u32);
    }

    /// Takes back whole rows, so that `rows` are left, and the attributes of the row at hand.
    pub fn truncate(&mut self, rows: usize) {
        self.ends.truncate(rows);
        self.cancel();
    }

    /// How many rows have ended.
    pub fn rows(&self) -> usize {
        self.ends.len()
    }

    /// How many attributes all rows have.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether no row has any.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The distinct names.
    pub fn names(&self) -> &Texts {
        self.names.texts()
    }

    /// The place of the name of each attribute among [`Attributes::names`], row behind row.
    pub fn keys(&self) -> &[u32] {
        &self.keys
    }

    /// The value of each attribute, row behind row.
    pub fn values(&self) -> &Texts {
        &self.values
    }

    /// Where the attributes of a row are.
    #[inline]
    pub fn range(&self, row: usize) -> Range<usize> {
        let start = row.checked_sub(1).map_or(0, |before| self.ends[before]);
        start as usize..self.ends[row] as usize
    }

    /// Names and values of a row.
    pub fn row(&self, row: usize) -> impl Iterator<Item = (&str, &str)> {
        self.range(row).map(|at| (self.names.get(self.keys[at]), self.values.get(at)))
    }

    /// The value of an attribute of a row, if the row has it.
    pub fn get(&self, row: usize, name: &str) -> Option<&str> {
        self.row(row).find(|(own, _)| *own == name).map(|(_, value)| value)
    }

    /// The names here of the names of another, for [`Attributes::push_row`].
    pub fn adopt(&mut self, other: &Attributes) -> Vec<u32> {
        self.names.places_of(&other.names)
    }

    /// Adds a row of another, whose names have these places here (see [`Attributes::adopt`]).
    #[inline]
    pub fn push_row(&mut self, other: &Attributes, row: usize, places: &[u32]) {
        let range = other.range(row);
        self.keys.extend(other.keys[range.clone()].iter().map(|key| places[*key as usize]));
        self.values.extend_from(&other.values, range);
        self.end_row();
    }

    /// Bytes of memory taken, roughly.
    pub fn memory_bytes(&self) -> usize {
        self.names.memory_bytes()
            + self.values.memory_bytes()
            + (self.ends.capacity() + self.keys.capacity()) * size_of::<u32>()
    }
}

/// Ends each name and each value in the bytes of a set. No UTF-8 text contains it.
const END: u8 = 0xff;

/// Attributes that many rows share, sorted by name, each name once. Values may be empty. Cloning shares the bytes.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct AttributeSet(Arc<[u8]>);

impl AttributeSet {
    /// Sorts attributes into a set. Of two with one name the first counts.
    pub fn new<'a>(attributes: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut sorted: Vec<(&str, &str)> = attributes.into_iter().collect();
        sorted.sort_by_key(|(name, _)| *name);
        sorted.dedup_by_key(|(name, _)| *name);
        let mut bytes = Vec::with_capacity(sorted.iter().map(|(name, value)| name.len() + value.len() + 2).sum());
        for text in sorted.into_iter().flat_map(|(name, value)| [name, value]) {
            bytes.extend_from_slice(text.as_bytes());
            bytes.push(END);
        }
        AttributeSet(bytes.into())
    }

    /// Takes bytes that [`AttributeSet::as_bytes`] gave, for example out of a journal.
    ///
    /// # Errors
    /// `Invalid` if they are no such set: not UTF-8, not sorted, a name twice.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let mut fields = bytes.split(|byte| *byte == END);
        // What is behind the last mark.
        if fields.next_back().is_none_or(|rest| !rest.is_empty()) {
            return Err(Error::invalid("attributes end inside a name or a value"));
        }
        let mut previous: Option<&[u8]> = None;
        while let Some(name) = fields.next() {
            let value = fields.next().ok_or_else(|| Error::invalid("attributes end after a name"))?;
            if previous.is_some_and(|previous| previous >= name) {
                return Err(Error::invalid("attributes are not in order of their names"));
            }
            if std::str::from_utf8(name).is_err() || std::str::from_utf8(value).is_err() {
                return Err(Error::invalid("attributes are not UTF-8"));
            }
            previous = Some(name);
        }
        Ok(AttributeSet(bytes.into()))
    }

    /// `name 0xff value 0xff …`.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Names and values in order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut fields = self.0.split(|byte| *byte == END);
        std::iter::from_fn(move || {
            let (name, value) = (fields.next()?, fields.next()?);
            // Both constructors have checked the bytes; a fault there shows as an empty text, not as a crash.
            Some((std::str::from_utf8(name).unwrap_or(""), std::str::from_utf8(value).unwrap_or("")))
        })
    }

    /// The value of an attribute, if it is there.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(own, _)| *own == name).map(|(_, value)| value)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for AttributeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests;
