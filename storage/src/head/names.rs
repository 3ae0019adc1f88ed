//! The names of metrics: one text each, however many series have it.

use std::collections::HashSet;
use std::sync::Arc;

use parking_lot::Mutex;

/// All names that a series of the head has.
#[derive(Debug, Default)]
pub(super) struct Names(Mutex<HashSet<Arc<str>>>);

impl Names {
    /// The text that the series of this name share.
    pub(super) fn shared(&self, name: Arc<str>) -> Arc<str> {
        let mut names = self.0.lock();
        if let Some(shared) = names.get(&name) {
            return shared.clone();
        }
        names.insert(name.clone());
        name
    }

    /// Forgets the names that nobody has any more.
    pub(super) fn sweep(&self) {
        let mut names = self.0.lock();
        names.retain(|name| Arc::strong_count(name) > 1);
        if names.len() < names.capacity() / 4 {
            names.shrink_to_fit();
        }
    }

    /// How many there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.lock().len()
    }
}
