//! Writes a batch, again and again while the store is busy or away, until the time for it is up.

use std::sync::Arc;
use std::time::Duration;

use model::worker::Stop;
use model::{Batch, Error, Ingest, Logs, Receipt};
use tokio::time::{Instant, sleep_until};

use crate::fetch::{Failure, Stage};

/// How long the store may be away before the markers of a removed source are given up.
pub(crate) const END_PATIENCE: Duration = Duration::from_secs(10);
/// The first pause; each one doubles it.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// The longest pause, unless the store asks for a longer one.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Writes once.
pub(crate) async fn write(ingest: &Arc<dyn Ingest>, batch: Batch) -> Result<(), Failure> {
    let written = ingest.write(batch).await;
    written.map(drop).map_err(|e| Failure::new(Stage::Write, format!("the store did not take the rows: {e}")))
}

/// Writes, pausing and writing again after an error that may pass, as long as the next try still begins before `give_up`.
///
/// A write that has begun is waited for: cut off, it could be durable and we would not know.
pub(crate) async fn write_until(
    ingest: &Arc<dyn Ingest>,
    batch: Batch,
    give_up: Instant,
    stop: &Stop,
    on_retry: impl FnMut(),
) -> Result<Receipt, Failure> {
    offer_until(|| ingest.write(batch.clone()), give_up, stop, on_retry).await
}

/// As [`write_until`], for log rows.
pub(crate) async fn write_logs_until(
    ingest: &Arc<dyn Ingest>,
    logs: Logs,
    give_up: Instant,
    stop: &Stop,
    on_retry: impl FnMut(),
) -> Result<Receipt, Failure> {
    offer_until(|| ingest.write_logs(logs.clone()), give_up, stop, on_retry).await
}

async fn offer_until<T, F>(
    offer: impl Fn() -> F,
    give_up: Instant,
    stop: &Stop,
    mut on_retry: impl FnMut(),
) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Error>>,
{
    let mut pause = FIRST_PAUSE;
    let mut tries = 1u32;
    loop {
        let error = match offer().await {
            Ok(taken) => return Ok(taken),
            Err(error) => error,
        };
        let next = Instant::now() + error.retry_after().unwrap_or(pause).max(FIRST_PAUSE);
        if !error.kind().is_retryable() || next >= give_up || stop.is_stopped() {
            let message = format!("the store did not take the rows, tried {tries} times: {error}");
            return Err(Failure::new(Stage::Write, message));
        }
        on_retry();
        tokio::select! {
            () = sleep_until(next) => {}
            () = stop.stopped() => {}
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
        tries += 1;
    }
}
