//! Log records and spans on their way into the store, which is the same for both.

use decode::otlp::Refused;
use model::{Error, Ingest, Logs, Receipt, Spans};

use super::answer;
use crate::receive::identity::Caller;

/// The rows of a request that brings no metrics.
#[derive(Debug)]
pub(super) enum Records {
    Logs(Box<Logs>),
    Spans(Box<Spans>),
}

impl Records {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        match self {
            Records::Logs(logs) => logs.len(),
            Records::Spans(spans) => spans.len(),
        }
    }

    /// Bytes of memory taken, roughly.
    pub(super) fn memory_bytes(&self) -> usize {
        match self {
            Records::Logs(logs) => logs.memory_bytes(),
            Records::Spans(spans) => spans.memory_bytes(),
        }
    }

    /// Writes them as rows of whoever sends, and returns how many are durable; the others are added to what was refused.
    ///
    /// # Errors
    /// `Busy` if he has sent more than he may in a second already; those of the store.
    pub(super) async fn write(
        self,
        caller: &Caller,
        ingest: &dyn Ingest,
        refused: &mut Refused,
    ) -> Result<usize, Error> {
        let rows = self.len();
        caller.take_rows(rows)?;
        let receipt = match self {
            _ if rows == 0 => Receipt::default(),
            Records::Logs(logs) => ingest.write_logs(caller.admit_logs(*logs)).await?,
            Records::Spans(spans) => ingest.write_spans(caller.admit_spans(*spans)).await?,
        };
        if let Some(left_out) = &receipt.left_out {
            caller.left_out_by_store(left_out);
            answer::note_left_out(refused, left_out.places().len() as u64, left_out);
        }
        Ok(receipt.samples)
    }
}
