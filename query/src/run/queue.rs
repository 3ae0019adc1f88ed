//! Who waits for a place, and whose turn it is.

use std::collections::{HashMap, VecDeque};

use super::client::Client;

/// Waiting queries. Clients take turns, and the queries of one come in the order in which they were asked: so a client with one
/// query waits for at most one of each other client, however many these have.
#[derive(Debug)]
pub(super) struct Queue<W> {
    /// The clients that wait, in the order of their turns; each once.
    turns: VecDeque<Client>,
    /// The queries of each client that waits, never none.
    waiting: HashMap<Client, VecDeque<(u64, W)>>,
    /// The number of the next query.
    next: u64,
}

impl<W> Default for Queue<W> {
    fn default() -> Self {
        Queue { turns: VecDeque::new(), waiting: HashMap::new(), next: 0 }
    }
}

impl<W> Queue<W> {
    /// Adds a query of a client behind its others; a client that did not wait gets the last turn. Returns the query's number.
    pub(super) fn push(&mut self, client: &Client, query: W) -> u64 {
        let number = self.next;
        self.next += 1;
        let of_client = self.waiting.entry(client.clone()).or_default();
        if of_client.is_empty() {
            self.turns.push_back(client.clone());
        }
        of_client.push_back((number, query));
        number
    }

    /// Takes out the query whose turn it is.
    pub(super) fn pop(&mut self) -> Option<W> {
        let client = self.turns.pop_front()?;
        let of_client = self.waiting.get_mut(&client)?;
        let query = of_client.pop_front();
        if of_client.is_empty() {
            self.waiting.remove(&client);
        } else {
            self.turns.push_back(client);
        }
        query.map(|(_, query)| query)
    }

    /// Takes out a query that waits no longer, if it is there still.
    pub(super) fn remove(&mut self, client: &Client, number: u64) {
        let Some(of_client) = self.waiting.get_mut(client) else { return };
        of_client.retain(|(other, _)| *other != number);
        if of_client.is_empty() {
            self.waiting.remove(client);
            self.turns.retain(|other| other != client);
        }
    }

    /// How many queries wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.values().map(VecDeque::len).sum()
    }
}

#[cfg(test)]
mod tests;
