//! The way of logs and spans up to their acknowledgement. They need no look-up, so it is short.

use std::sync::Arc;

use model::{Error, ErrorKind, Receipt};
use tokio::sync::oneshot;

use super::{Inner, RETRY_AFTER};
use crate::columnar::{Columnar, Packed};
use crate::record::Origin;
use crate::rows::Content;
use crate::writer::Item;

/// Batches of more bytes than this are packed off the async runtime.
const INLINE_BYTES: usize = 256 << 10;

/// Writes rows and returns once they are durable and in the head.
///
/// # Errors
/// `Busy` if a budget is full, `Unavailable` if the journal failed.
pub(super) async fn write<C: Columnar>(
    inner: &Arc<Inner>,
    rows: C,
    content: impl FnOnce(Packed<C>) -> Content,
) -> Result<(), Error> {
    inner.admit()?;
    if rows.len() == 0 {
        return Ok(());
    }
    let packed = if rows.memory_bytes() <= INLINE_BYTES {
        Packed::new(Arc::new(rows), None)
    } else {
        let packing = tokio::task::spawn_blocking(move || Packed::new(Arc::new(rows), None));
        packing.await.map_err(|e| Error::internal("packing rows panicked").with_source(e))?
    };
    let (answer, told) = oneshot::channel();
    let item = Item { content: content(packed), origin: Origin::Written, receipt: Receipt::default(), answer };
    inner.writer.submit(item).map_err(|(_, error)| Error::from(error))?;
    told.await
        .map_err(|_| Error::new(ErrorKind::Unavailable, "the store is closing").with_retry_after(RETRY_AFTER))??;
    if inner.head.columns_bytes() > inner.config.cut_bytes {
        inner.fullness.notify_one();
    }
    Ok(())
}
