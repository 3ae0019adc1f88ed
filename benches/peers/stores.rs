//! Our store inside this process, with a clock that the bench sets: so real blocks of any window are made at once.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use model::files::{Disk, Files};
use model::time::ManualClock;
use model::{Clock, Ingest};
use storage::{Config, Parts, Store};

use crate::Fault;
use crate::fleet::Fleet;

/// Windows end on quarter-hours.
pub(crate) const WINDOW_MS: i64 = 15 * 60_000;
/// How long after its end a window is cut.
const GRACE_MS: i64 = 60_000;
/// Series of a batch: about what one exporter has.
const SERIES: usize = 2000;

/// A store and its clock.
#[derive(Debug)]
pub(crate) struct Stopped {
    pub(crate) store: Store,
    clock: Arc<ManualClock>,
}

impl Stopped {
    /// Opens the store `folder/store`.
    pub(crate) async fn open(folder: &Path, now_ms: i64) -> Result<Self, Fault> {
        let clock = Arc::new(ManualClock::new(now_ms));
        let config = Config {
            url: folder.join("store").display().to_string(),
            // It is told when to cut.
            cut_every: Duration::from_secs(24 * 3600),
            memory_bytes: 8 << 30,
            journal_bytes: 16 << 30,
            ..Config::default()
        };
        let parts = Parts { files: Arc::new(Disk), clock: Arc::clone(&clock) as Arc<dyn Clock> };
        Ok(Stopped { store: Store::open(config, parts).await?, clock })
    }

    /// Lets go of the store as a kill would, its rows in the journal, and waits until its folder is free.
    pub(crate) async fn abandon(self, folder: &Path) -> Result<(), Fault> {
        drop(self);
        let lock = folder.join("store/local/journal/lock");
        while let Err(error) = Disk.lock(&lock) {
            if error.kind() != std::io::ErrorKind::WouldBlock {
                return Err(error.into());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }

    /// Writes `samples` of every series and cuts them into one block.
    pub(crate) async fn block(&self, fleet: &Fleet, samples: std::ops::Range<usize>) -> Result<(), Fault> {
        let rows = samples.len() * fleet.series.len();
        let last_ms = fleet.time_ms(samples.end - 1);
        for chunk in fleet.chunks(SERIES) {
            self.store.write(fleet.batch(chunk, samples.clone())).await?;
        }
        self.clock.set((last_ms / WINDOW_MS + 1) * WINDOW_MS + GRACE_MS);
        let moved = self.store.cut().await?;
        match moved == rows as u64 {
            true => Ok(()),
            false => Err(format!("{moved} rows went into the block, not {rows}").into()),
        }
    }
}
