//! How many requests, and how many of their bytes, are held at once.
//!
//! The room is shared by all clusters. The more of it is taken, the less of what is left one cluster alone may have, so that
//! one that sends without end leaves room for the others.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use model::{Error, ErrorKind};
use parking_lot::Mutex;

/// When a sender that found no room should come again.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// A cluster with more than one request may hold at most so many times what is left free: four fifths if it is alone, four
/// ninths if there are two of its kind.
const TIMES_FREE: usize = 4;

/// The room for requests. Who finds none is told so at once: to let it wait would hold its connection instead of its bytes.
#[derive(Debug)]
pub(super) struct Budget {
    /// The section of the configuration that its settings stand in, for messages.
    section: &'static str,
    room: Arc<Mutex<Room>>,
}

#[derive(Debug)]
struct Room {
    free: Held,
    /// What each cluster with requests holds; those without a cluster are one.
    held: HashMap<Arc<str>, Held>,
}

#[derive(Debug, Default)]
struct Held {
    requests: usize,
    bytes: usize,
}

impl Budget {
    /// Room for `requests` with together `bytes`.
    pub(super) fn new(section: &'static str, requests: usize, bytes: u64) -> Self {
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        let room = Room { free: Held { requests, bytes }, held: HashMap::new() };
        Budget { section, room: Arc::new(Mutex::new(room)) }
    }

    /// Lets a request of a cluster in, which holds no bytes yet.
    ///
    /// # Errors
    /// `Busy` if too many are in, or too many of this cluster.
    pub(super) fn enter(&self, cluster: Option<&Arc<str>>) -> Result<Share, Error> {
        let cluster = cluster.cloned().unwrap_or_default();
        let mut room = self.room.lock();
        let held = room.held.get(&cluster).map_or(0, |held| held.requests);
        if room.free.requests == 0 || held > 0 && held >= room.free.requests.saturating_mul(TIMES_FREE) {
            return Err(busy("requests", self.section));
        }
        room.free.requests -= 1;
        room.held.entry(cluster.clone()).or_default().requests += 1;
        drop(room);
        Ok(Share { section: self.section, room: self.room.clone(), cluster, bytes: 0 })
    }
}

/// The room that one request has; given back when dropped.
#[derive(Debug)]
pub(super) struct Share {
    section: &'static str,
    room: Arc<Mutex<Room>>,
    cluster: Arc<str>,
    bytes: usize,
}

impl Share {
    /// The section of the configuration that says how much room there is.
    pub(super) fn section(&self) -> &'static str {
        self.section
    }

    /// Sees to it that the request may hold `bytes` in all.
    ///
    /// # Errors
    /// `Busy` if others hold too much, or others of its cluster.
    pub(super) fn grow_to(&mut self, bytes: usize) -> Result<(), Error> {
        let Some(more) = bytes.checked_sub(self.bytes).filter(|more| *more > 0) else { return Ok(()) };
        let mut room = self.room.lock();
        let left = room.free.bytes.checked_sub(more).ok_or_else(|| busy("bytes of requests", self.section))?;
        let held = room.held.entry(self.cluster.clone()).or_default();
        // A cluster's only request may have all there is: it may be as large as the room.
        if held.requests > 1 && held.bytes + more > left.saturating_mul(TIMES_FREE) {
            return Err(busy("bytes of requests", self.section));
        }
        held.bytes += more;
        room.free.bytes = left;
        self.bytes = bytes;
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut room = self.room.lock();
        room.free.requests += 1;
        room.free.bytes += self.bytes;
        let Some(held) = room.held.get_mut(&self.cluster) else { return };
        held.requests -= 1;
        held.bytes -= self.bytes;
        if held.requests == 0 {
            room.held.remove(&self.cluster);
        }
    }
}

fn busy(what: &str, section: &str) -> Error {
    Error::new(ErrorKind::Busy, format!("too many {what} at once, see {section}")).with_retry_after(RETRY_AFTER)
}

#[cfg(test)]
mod tests;
