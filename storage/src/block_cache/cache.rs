//! Values that are kept up to a budget of bytes.
//!
//! What goes is drawn by lot. A dashboard asks for the same stretch of time again and again, each time in the same order: where that
//! is more than there is room for, letting go of what was used longest ago would always hit what comes next, and nothing
//! would ever be found. By lot a part of it stays.

use std::collections::HashMap;
use std::hash::Hash;

/// See the module.
#[derive(Debug)]
pub(super) struct Cache<K, V> {
    budget: usize,
    bytes: usize,
    /// The values with their keys and bytes, in any order.
    kept: Vec<(K, V, usize)>,
    /// Where the value of a key is.
    places: HashMap<K, usize>,
    /// What the next lot is drawn from: a sequence of xorshift, never 0.
    lot: u64,
}

impl<K: Hash + Eq + Clone, V: Clone> Cache<K, V> {
    /// A cache that keeps so many bytes.
    pub(super) fn new(budget: usize) -> Self {
        Cache { budget, bytes: 0, kept: Vec::new(), places: HashMap::new(), lot: 0x9e37_79b9_7f4a_7c15 }
    }

    /// The value of a key.
    pub(super) fn get(&self, key: &K) -> Option<V> {
        self.places.get(key).map(|place| self.kept[*place].1.clone())
    }

    /// The value of a key; a new one has no weight.
    pub(super) fn get_or_default(&mut self, key: &K) -> V
    where
        V: Default,
    {
        if let Some(found) = self.get(key) {
            return found;
        }
        let value = V::default();
        self.insert(key.clone(), value.clone(), 0);
        value
    }

    /// Whether a half of the budget is used.
    pub(super) fn is_half_full(&self) -> bool {
        self.bytes > self.budget / 2
    }

    /// Keeps a value that takes so many bytes.
    pub(super) fn insert(&mut self, key: K, value: V, bytes: usize) {
        self.remove(&key);
        self.places.insert(key.clone(), self.kept.len());
        self.kept.push((key.clone(), value, bytes));
        self.bytes += bytes;
        self.shrink(&key);
    }

    /// Says anew how many bytes a value takes.
    pub(super) fn weigh(&mut self, key: &K, bytes: usize) {
        if let Some(place) = self.places.get(key) {
            let before = std::mem::replace(&mut self.kept[*place].2, bytes);
            self.bytes = self.bytes - before + bytes;
            self.shrink(key);
        }
    }

    /// Lets go of what is too much, but not of one value.
    fn shrink(&mut self, but: &K) {
        while self.bytes > self.budget && self.kept.len() > 1 {
            self.lot ^= self.lot << 13;
            self.lot ^= self.lot >> 7;
            self.lot ^= self.lot << 17;
            let place = (self.lot % self.kept.len() as u64) as usize;
            let key = self.kept[place].0.clone();
            if key != *but {
                self.remove(&key);
            }
        }
    }

    fn remove(&mut self, key: &K) {
        let Some(place) = self.places.remove(key) else { return };
        let (.., bytes) = self.kept.swap_remove(place);
        self.bytes -= bytes;
        if let Some((moved, ..)) = self.kept.get(place) {
            self.places.insert(moved.clone(), place);
        }
    }

    /// Lets go of all others.
    pub(super) fn retain(&mut self, keep: impl Fn(&K) -> bool) {
        let gone: Vec<K> = self.places.keys().filter(|key| !keep(key)).cloned().collect();
        gone.iter().for_each(|key| self.remove(key));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// A cache with as many bytes as there are, and no more than the budget unless there is but one value.
    fn check(cache: &Cache<u8, u32>) {
        assert_eq!(cache.bytes, cache.kept.iter().map(|(.., bytes)| bytes).sum::<usize>());
        assert!(cache.bytes <= cache.budget || cache.kept.len() == 1, "{cache:?}");
        assert_eq!(cache.places.len(), cache.kept.len());
        for (place, (key, ..)) in cache.kept.iter().enumerate() {
            assert_eq!(cache.places[key], place);
        }
    }

    proptest! {
        #[test]
        fn the_budget_is_kept_and_what_is_found_was_put_there(
            steps in prop::collection::vec((0_u8..4, 0_u8..12, 0_usize..40), 0..200),
        ) {
            let (mut cache, mut put) = (Cache::new(100), BTreeMap::new());
            for (number, (step, key, bytes)) in steps.into_iter().enumerate() {
                match step {
                    0 => {
                        cache.insert(key, number as u32, bytes);
                        put.insert(key, number as u32);
                        prop_assert_eq!(cache.get(&key), Some(number as u32), "what has just come stays");
                    }
                    1 => cache.weigh(&key, bytes),
                    2 => {
                        let found = cache.get_or_default(&key);
                        prop_assert!(found == 0 || put.get(&key) == Some(&found));
                        put.insert(key, found);
                    }
                    _ => cache.retain(|other| *other != key),
                }
                check(&cache);
                for (key, value) in &put {
                    prop_assert!(cache.get(key).is_none_or(|found| found == *value));
                }
            }
        }
    }

    #[test]
    fn of_what_is_asked_again_and_again_a_part_is_found_though_not_all_has_room() {
        let mut cache = Cache::new(75);
        let round = |cache: &mut Cache<u8, u32>| {
            let found = (0_u8..100).filter(|key| {
                let is_there = cache.get(key).is_some();
                if !is_there {
                    cache.insert(*key, 0, 1);
                }
                is_there
            });
            found.count()
        };
        let found = (0..10).map(|_| round(&mut cache)).last().unwrap();
        assert!((30..=75).contains(&found), "{found} of 100");
    }
}
