//! Values that are kept up to a budget of bytes, those used longest ago let go.

use std::collections::HashMap;
use std::hash::Hash;

/// Keeps values up to a budget of bytes and lets go of those used longest ago.
#[derive(Debug)]
pub(super) struct Cache<K, V> {
    budget: usize,
    bytes: usize,
    /// Counts uses.
    uses: u64,
    /// With its bytes, and when it was last used.
    kept: HashMap<K, (V, usize, u64)>,
}

impl<K: Hash + Eq + Clone, V: Clone> Cache<K, V> {
    /// A cache that keeps so many bytes.
    pub(super) fn new(budget: usize) -> Self {
        Cache { budget, bytes: 0, uses: 0, kept: HashMap::new() }
    }

    /// The value of a key, which is thereby used.
    pub(super) fn get(&mut self, key: &K) -> Option<V> {
        self.uses += 1;
        let (value, _, used) = self.kept.get_mut(key)?;
        *used = self.uses;
        Some(value.clone())
    }

    /// The value of a key; a new one has no weight.
    pub(super) fn get_or_default(&mut self, key: &K) -> V
    where
        V: Default,
    {
        self.uses += 1;
        if let Some((value, _, used)) = self.kept.get_mut(key) {
            *used = self.uses;
            return value.clone();
        }
        let value = V::default();
        self.kept.insert(key.clone(), (value.clone(), 0, self.uses));
        value
    }

    /// Whether a half of the budget is used.
    pub(super) fn is_half_full(&self) -> bool {
        self.bytes > self.budget / 2
    }

    /// Keeps a value that takes so many bytes.
    pub(super) fn insert(&mut self, key: K, value: V, bytes: usize) {
        self.uses += 1;
        if let Some((_, before, _)) = self.kept.insert(key, (value, bytes, self.uses)) {
            self.bytes -= before;
        }
        self.bytes += bytes;
        self.shrink();
    }

    /// Says anew how many bytes a value takes.
    pub(super) fn weigh(&mut self, key: &K, bytes: usize) {
        if let Some((_, before, _)) = self.kept.get_mut(key) {
            self.bytes = self.bytes - *before + bytes;
            *before = bytes;
        }
        self.shrink();
    }

    /// Lets go of what is too much, but not of the last value.
    fn shrink(&mut self) {
        while self.bytes > self.budget && self.kept.len() > 1 {
            let oldest = self.kept.iter().min_by_key(|(_, (_, _, used))| *used).map(|(key, _)| key.clone());
            if let Some((_, bytes, _)) = oldest.and_then(|key| self.kept.remove(&key)) {
                self.bytes -= bytes;
            }
        }
    }

    /// Lets go of all others.
    pub(super) fn retain(&mut self, keep: impl Fn(&K) -> bool) {
        self.kept.retain(|key, _| keep(key));
        self.bytes = self.kept.values().map(|(_, bytes, _)| bytes).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_longest_ago_goes_first() {
        let mut cache = Cache::new(30);
        for (key, value) in [("a", 1), ("b", 2), ("c", 3)] {
            cache.insert(key, value, 10);
        }
        assert_eq!(cache.get(&"a"), Some(1));
        cache.insert("d", 4, 10);
        assert_eq!((cache.get(&"a"), cache.get(&"b"), cache.get(&"c")), (Some(1), None, Some(3)));
        // One that is heavier than all together is kept alone.
        assert_eq!(cache.get(&"d"), Some(4));
        cache.weigh(&"d", 40);
        assert_eq!((cache.get(&"a"), cache.get(&"c")), (None, None));
        cache.insert("e", 5, 50);
        assert_eq!((cache.get(&"d"), cache.get(&"e")), (None, Some(5)));
    }

    #[test]
    fn a_weight_counts_once_however_often_it_is_told() {
        let mut cache = Cache::new(30);
        assert_eq!(cache.get_or_default(&"a"), 0);
        (0..9).for_each(|_| cache.weigh(&"a", 10));
        cache.insert("a", 1, 10);
        assert!(!cache.is_half_full());
        cache.insert("b", 2, 10);
        assert!(cache.is_half_full());
        assert_eq!(cache.get_or_default(&"a"), 1);
        cache.retain(|key| *key == "b");
        assert!(!cache.is_half_full());
        // Nothing is known of what has gone.
        cache.weigh(&"a", 100);
        assert_eq!((cache.get(&"a"), cache.get(&"b")), (None, Some(2)));
    }
}
