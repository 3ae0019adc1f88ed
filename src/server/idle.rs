//! Connections on which nothing is asked: one of them gives way where there is no room for another.
//!
//! Agents keep a connection from one push to the next. If it kept its place too, as many of them as there are places would shut
//! out all others.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

/// All connections of a listener.
#[derive(Debug, Clone, Default)]
pub(super) struct Connections(Arc<All>);

#[derive(Debug, Default)]
struct All {
    known: Mutex<Known>,
    became_idle: Notify,
}

#[derive(Debug, Default)]
struct Known {
    next: u64,
    connections: HashMap<u64, Connection>,
}

#[derive(Debug)]
struct Connection {
    in_flight: usize,
    idle_since: Instant,
    close: Arc<Notify>,
}

/// A connection's own handle. Forgotten when dropped.
#[derive(Debug)]
pub(super) struct Place {
    all: Connections,
    id: u64,
    close: Arc<Notify>,
}

/// A request that is not answered yet.
#[derive(Debug)]
pub(super) struct InFlight {
    all: Connections,
    id: u64,
}

impl Connections {
    /// A place for one that has just come.
    pub(super) fn place(&self) -> Place {
        let close = Arc::new(Notify::new());
        let mut known = self.0.known.lock();
        let id = known.next;
        known.next += 1;
        known.connections.insert(id, Connection { in_flight: 0, idle_since: Instant::now(), close: close.clone() });
        drop(known);
        self.0.became_idle.notify_one();
        Place { all: self.clone(), id, close }
    }

    /// Tells the connection on which nothing is asked for longest to close, if there is one; then it is no longer counted.
    pub(super) fn close_one(&self) -> bool {
        let mut known = self.0.known.lock();
        let idle = known.connections.iter().filter(|(_, connection)| connection.in_flight == 0);
        let Some(id) = idle.min_by_key(|(_, connection)| connection.idle_since).map(|(id, _)| *id) else {
            return false;
        };
        let Some(connection) = known.connections.remove(&id) else { return false };
        connection.close.notify_one();
        true
    }

    /// Returns once there may be one that [`Connections::close_one`] finds.
    pub(super) async fn became_idle(&self) {
        self.0.became_idle.notified().await;
    }
}

impl Place {
    /// A request has begun; it is over when what this returns is dropped.
    pub(super) fn begin(&self) -> InFlight {
        if let Some(connection) = self.all.0.known.lock().connections.get_mut(&self.id) {
            connection.in_flight += 1;
        }
        InFlight { all: self.all.clone(), id: self.id }
    }

    /// Returns once the connection is to close.
    pub(super) async fn closes(&self) {
        self.close.notified().await;
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if let Some(connection) = self.all.0.known.lock().connections.get_mut(&self.id) {
            connection.in_flight -= 1;
            connection.idle_since = Instant::now();
        }
        self.all.0.became_idle.notify_one();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.all.0.known.lock().connections.remove(&self.id);
    }
}
