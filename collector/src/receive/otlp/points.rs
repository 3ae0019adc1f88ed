//! Data points on their way into the store: deltas are added up, and what the store leaves out is told in points.

use decode::otlp::Decoded;
use model::{Error, Receipt};

use super::deltas::NotAdded;
use super::{Origin, Otlp, Taken, answer};
use crate::receive::budget::Share;

impl Otlp {
    /// Writes the points of a request.
    ///
    /// # Errors
    /// `Busy` if the sender has sent more than he may in a second already; those of the store.
    pub(super) async fn write_points(
        &self,
        origin: &Origin,
        decoded: Box<Decoded>,
        now_ms: i64,
        share: Share,
    ) -> Result<Taken, Error> {
        let counters = &self.0.metrics.otlp;
        let Decoded { batch, deltas, points, mut refused } = *decoded;
        let (refused_before, mut not_added) = (refused.points, NotAdded::default());
        counters.wrote_out(batch.body.len());
        let batch = origin.caller.admit_whole(batch)?;
        let receipt = if batch.is_empty() {
            Receipt::default()
        } else if deltas.is_empty() {
            let receipt = self.0.parts.ingest.write(batch).await?;
            drop(share);
            receipt
        } else {
            let written = self.0.deltas.write(self.0.parts.ingest.clone(), batch, deltas, now_ms, share).await?;
            not_added = written.not_added;
            counters.repeated(not_added.repeated.len() as u64);
            origin.caller.out_of_order(not_added.late_rows);
            answer::note_not_added(&mut refused, &not_added);
            written.receipt
        };
        if let Some(left_out) = &receipt.left_out {
            origin.caller.left_out_by_store(left_out);
            // A point is not taken if one of its series is not, whatever number of rows it is.
            let is_new = |place: u32| !not_added.late.contains(&place) && !not_added.repeated.contains(&place);
            let missing = (0u32..).zip(&points).filter(|(place, series)| left_out.has_any(series) && is_new(*place));
            answer::note_left_out(&mut refused, missing.count() as u64, left_out);
        }
        counters.acknowledged(receipt.samples);
        let items = points.len() as u64 - (refused.points - refused_before);
        Ok(Taken { items, rows: receipt.samples, refused })
    }
}
