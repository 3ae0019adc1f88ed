//! Where what several threads have made of the replicas of a series meets.

use std::collections::HashMap;

use datafusion::common::Result;
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use parking_lot::Mutex;

use super::super::labels::LabelSet;
use super::Replica;

/// What is made of one replica of a series.
pub(in super::super) trait Piece {
    /// Bytes of memory taken, roughly.
    fn memory_bytes(&self) -> usize;
}

impl Piece for Replica {
    fn memory_bytes(&self) -> usize {
        Replica::memory_bytes(self)
    }
}

/// Holds pieces until all of a series are there. Nobody waits: whoever brings the last piece of a series takes all, and whoever
/// ends last takes those of which pieces never came, because a series had no sample.
#[derive(Debug)]
pub(in super::super) struct Meeting<T> {
    /// How many replicas there are of a series.
    expected: HashMap<LabelSet, usize>,
    state: Mutex<State<T>>,
}

#[derive(Debug)]
struct State<T> {
    held: HashMap<LabelSet, Vec<T>>,
    bytes: usize,
    reservation: Option<MemoryReservation>,
    /// The threads that may still bring something.
    threads: usize,
}

impl<T: Piece> Meeting<T> {
    /// A meeting of so many threads; `all` are the series of all replicas by the labels that these have in common.
    pub(in super::super) fn new(all: impl Iterator<Item = LabelSet>, threads: usize) -> Self {
        let mut expected = HashMap::new();
        all.for_each(|labels| *expected.entry(labels).or_default() += 1);
        let state = State { held: HashMap::new(), bytes: 0, reservation: None, threads };
        Meeting { expected, state: Mutex::new(state) }
    }

    /// Brings a piece. Gives all pieces of the series if this was the last one.
    ///
    /// # Errors
    /// DataFusion's, if the memory does not suffice.
    pub(in super::super) fn bring(&self, labels: &LabelSet, piece: T, context: &TaskContext) -> Result<Option<Vec<T>>> {
        let expected = self.expected.get(labels).copied().unwrap_or(1);
        if expected == 1 {
            return Ok(Some(vec![piece]));
        }
        let mut state = self.state.lock();
        let State { held, bytes, reservation, .. } = &mut *state;
        *bytes += piece.memory_bytes();
        let pieces = held.entry(labels.clone()).or_default();
        pieces.push(piece);
        let all = (pieces.len() == expected).then(|| held.remove(labels)).flatten();
        *bytes -= all.iter().flatten().map(Piece::memory_bytes).sum::<usize>();
        let pool = || MemoryConsumer::new("series of replicas").register(context.memory_pool());
        reservation.get_or_insert_with(pool).try_resize(*bytes)?;
        Ok(all)
    }

    /// One thread has brought all it has. Gives the series that are left, once all have.
    pub(in super::super) fn leave(&self) -> Vec<(LabelSet, Vec<T>)> {
        let mut state = self.state.lock();
        state.threads = state.threads.saturating_sub(1);
        if state.threads > 0 { Vec::new() } else { state.held.drain().collect() }
    }
}
