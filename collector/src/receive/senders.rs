//! The board's entries of those who push.

use std::collections::HashSet;
use std::net::IpAddr;

use model::Sources;
use model::source::{SourceId, SourceStatus};
use parking_lot::Mutex;

/// Senders that are told apart; all further ones share one entry, so that no one can fill the board.
const MAX_SENDERS: usize = 4096;

/// Knows which senders have an entry of their own.
#[derive(Debug)]
pub(super) struct Senders {
    sources: Sources,
    known: Mutex<HashSet<(String, Option<IpAddr>)>>,
}

impl Senders {
    /// Writes to `sources`.
    pub(super) fn new(sources: Sources) -> Self {
        Senders { sources, known: Mutex::new(HashSet::new()) }
    }

    /// Changes the entry of a sender.
    pub(super) fn update(
        &self,
        kind: &'static str,
        cluster: &str,
        peer: Option<IpAddr>,
        change: impl FnOnce(&mut SourceStatus),
    ) {
        let instance = match peer {
            Some(ip) if self.has_entry(cluster, peer) => ip.to_canonical().to_string(),
            Some(_) => "others".to_owned(),
            None => "unknown".to_owned(),
        };
        let (cluster, nothing) = (cluster.to_owned(), String::new);
        let id = SourceId { kind, cluster, job: nothing(), instance, url: nothing(), labels: nothing() };
        self.sources.update(&id, change);
    }

    fn has_entry(&self, cluster: &str, peer: Option<IpAddr>) -> bool {
        let mut known = self.known.lock();
        let sender = (cluster.to_owned(), peer);
        known.contains(&sender) || (known.len() < MAX_SENDERS && known.insert(sender))
    }
}

#[cfg(test)]
mod tests;
