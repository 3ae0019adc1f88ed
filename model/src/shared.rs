//! What many rows share: each value kept once and named by its place.

use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::sync::Arc;

use hashbrown::{DefaultHashBuilder, HashTable};

/// Values by their place, no two of them equal.
#[derive(Clone)]
pub struct Shared<T> {
    values: Vec<Arc<T>>,
    places: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Shared { values: Vec::new(), places: HashTable::new(), hasher: DefaultHashBuilder::default() }
    }
}

impl<T: Hash + Eq> Shared<T> {
    /// The place of a value, which is added if it is new.
    pub fn place(&mut self, value: &Arc<T>) -> u32 {
        let hash = self.hasher.hash_one(value);
        let is_same = |place: &u32| {
            let there = &self.values[*place as usize];
            Arc::ptr_eq(there, value) || there == value
        };
        if let Some(place) = self.places.find(hash, is_same) {
            return *place;
        }
        let place = self.values.len() as u32;
        self.values.push(value.clone());
        let (values, hasher) = (&self.values, &self.hasher);
        self.places.insert_unique(hash, place, |place| hasher.hash_one(&values[*place as usize]));
        place
    }

    /// The place here of each value of another, by its place there.
    pub fn places_of(&mut self, other: &Shared<T>) -> Vec<u32> {
        other.values.iter().map(|value| self.place(value)).collect()
    }
}

impl<T> Shared<T> {
    /// The value at a place, if there is one.
    pub fn get(&self, place: u32) -> Option<&Arc<T>> {
        self.values.get(place as usize)
    }

    /// The values, by place.
    pub fn iter(&self) -> std::slice::Iter<'_, Arc<T>> {
        self.values.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

impl<T: PartialEq> PartialEq for Shared<T> {
    fn eq(&self, other: &Self) -> bool {
        self.values == other.values
    }
}

impl<T: fmt::Debug> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.values).finish()
    }
}
