//! Plays the past of the fleet into the store, so that there is something to see at once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use fleet::Cluster;
use futures::future::try_join_all;
use model::{Batch, Error, Ingest, duration};
use storage::Store;
use storage::store::OnDamage;
use tokio::sync::mpsc;

use crate::app::Parts;
use crate::config::Config;

/// The time between two samples of the past.
const STEP: Duration = Duration::from_secs(60);
/// Batches that may wait for the store.
const BATCHES_AHEAD: usize = 4;

/// What was played.
#[derive(Debug)]
pub(super) struct Past {
    pub(super) samples: usize,
    pub(super) length: Duration,
    pub(super) took: Duration,
}

impl std::fmt::Display for Past {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (length, seconds) = (duration::format(self.length), self.took.as_secs_f64());
        write!(f, "{length} of the past in the store, {} samples in {seconds:.1} s", self.samples)
    }
}

/// Writes the samples that every cluster took in the time before `now_ms`, one a minute.
///
/// # Errors
/// Those of the store.
pub(super) async fn play(
    config: &Config,
    parts: &Parts,
    clusters: &[Cluster],
    length: Duration,
    now_ms: i64,
) -> Result<Past, Error> {
    let began = Instant::now();
    let store_parts = storage::store::Parts { files: parts.files.clone(), clock: parts.clock.clone() };
    let store = Store::open_with(config.storage.clone(), store_parts, OnDamage::Stop).await?;
    let from_ms = now_ms.saturating_sub(i64::try_from(length.as_millis()).unwrap_or(i64::MAX));
    let played = clusters.iter().map(|cluster| of_cluster(cluster.clone(), store.clone(), from_ms, now_ms));
    let samples = try_join_all(played).await?.into_iter().sum();
    store.close().await?;
    Ok(Past { samples, length, took: began.elapsed() })
}

async fn of_cluster(cluster: Cluster, store: Store, from_ms: i64, to_ms: i64) -> Result<usize, Error> {
    let name: Arc<str> = Arc::from(cluster.name());
    let (sender, mut receiver) = mpsc::channel::<Batch>(BATCHES_AHEAD);
    let step_ms = i64::try_from(STEP.as_millis()).unwrap_or(i64::MAX);
    let batches = cluster.batches(from_ms, to_ms, step_ms)?;
    let making = tokio::task::spawn_blocking(move || {
        for batch in batches {
            if sender.blocking_send(batch.stamped(name.clone())).is_err() {
                return;
            }
        }
    });
    let mut samples = 0;
    while let Some(batch) = receiver.recv().await {
        samples += batch.samples.len();
        write(&store, batch).await?;
    }
    making.await.map_err(|e| Error::internal("the simulation broke off").with_source(e))?;
    Ok(samples)
}

/// Writes, and waits while the store cuts what it has.
async fn write(store: &Store, batch: Batch) -> Result<(), Error> {
    loop {
        match store.write(batch.clone()).await {
            Ok(_) => return Ok(()),
            Err(error) if error.kind().is_retryable() => {
                tokio::time::sleep(error.retry_after().unwrap_or(Duration::from_millis(100))).await;
            }
            Err(error) => return Err(error),
        }
    }
}
