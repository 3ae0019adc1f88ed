//! A place in which a store remembers the series of a sender's last batch.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;

/// A place in which a store remembers what it found for the last batch of a sender, whose next one mostly has the same
/// series.
///
/// The sender keeps it and puts it on each of its batches; only the store knows what is in it, and it is never trusted: a
/// batch is written with it as it is without. Cloning shares the place.
#[derive(Clone, Default)]
pub struct Memo(Arc<Mutex<Option<Content>>>);

type Content = Arc<dyn Any + Send + Sync>;

impl Memo {
    /// What is in it, if it is of this type.
    pub fn get<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        let content = self.0.lock().clone()?;
        content.downcast().ok()
    }

    /// Replaces what is in it.
    pub fn set(&self, content: Arc<dyn Any + Send + Sync>) {
        // What was there may be large: it is let go after the lock.
        let _before = self.0.lock().replace(content);
    }
}

impl fmt::Debug for Memo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Memo")
    }
}
