//! The way of logs and spans up to their acknowledgement. Only their clusters need a look-up, so it is short.

use std::collections::HashSet;
use std::sync::Arc;

use model::{Error, ErrorKind, LeftOut, LeftOutReason, Receipt};
use tokio::sync::oneshot;

use super::{Inner, RETRY_AFTER};
use crate::columnar::{Columnar, Packed};
use crate::record::Origin;
use crate::rows::Content;
use crate::writer::Item;

/// Batches of more bytes than this are packed off the async runtime.
const INLINE_BYTES: usize = 256 << 10;

/// Writes rows and returns once they are durable and in the head. Those of clusters that the store has no room for are left out.
///
/// # Errors
/// `Busy` if a budget is full, `Unavailable` if the journal failed.
pub(super) async fn write<C: Columnar>(
    inner: &Arc<Inner>,
    rows: C,
    content: impl FnOnce(Packed<C>) -> Content,
) -> Result<Receipt, Error> {
    let is_pressed = inner.admit()?;
    if rows.len() == 0 {
        return Ok(Receipt { is_pressed, ..Receipt::default() });
    }
    let (packed, left_out) = if rows.memory_bytes() <= INLINE_BYTES {
        pack(inner, rows)
    } else {
        let packing_for = inner.clone();
        let packing = tokio::task::spawn_blocking(move || pack(&packing_for, rows));
        packing.await.map_err(|e| Error::internal("packing rows panicked").with_source(e))?
    };
    let receipt = Receipt { samples: packed.rows.len(), is_pressed, left_out, ..Receipt::default() };
    if receipt.samples == 0 {
        return Ok(receipt);
    }
    let (answer, told) = oneshot::channel();
    let item = Item { content: content(packed), origin: Origin::Written, receipt, answer };
    inner.writer.submit(item).map_err(|(_, error)| Error::from(error))?;
    let receipt = told
        .await
        .map_err(|_| Error::new(ErrorKind::Unavailable, "the store is closing").with_retry_after(RETRY_AFTER))??;
    if inner.head.columns_bytes() > inner.config.cut_bytes {
        inner.fullness.notify_one();
    }
    Ok(receipt)
}

/// Makes the record of the rows whose clusters there may be; tells of the others.
fn pack<C: Columnar>(inner: &Inner, mut rows: C) -> (Packed<C>, Option<Box<LeftOut>>) {
    let max_clusters = rows.take_max_clusters();
    let admitted = inner.head.admit_clusters(&rows, max_clusters);
    if admitted.iter().all(Result::is_ok) {
        return (Packed::new(Arc::new(rows), None), None);
    }
    let mut left_out = LeftOut::default();
    let is_kept: Vec<bool> = admitted.iter().map(Result::is_ok).collect();
    let (resources, places) = rows.resources();
    let mut told = HashSet::new();
    for (row, place) in (0..).zip(places) {
        // Each cluster is told of once, however many resources and rows it has.
        let Some(Err(error)) = admitted.get(*place as usize) else { continue };
        let cluster = resources.get(*place).map(|resource| &resource.cluster);
        match told.insert(cluster) {
            true => left_out.push(row, LeftOutReason::ClusterLimit, error.message()),
            false => left_out.push_alike(row, LeftOutReason::ClusterLimit),
        }
    }
    left_out.add_rows(LeftOutReason::ClusterLimit, left_out.places().len());
    (Packed::new(Arc::new(rows.of_resources(&is_kept)), None), Some(Box::new(left_out)))
}
