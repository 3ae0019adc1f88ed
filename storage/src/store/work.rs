//! What a store does by itself: cut at the clock's or the memory's call, write checkpoints, remove what is too old.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use model::time::{DAY_MS, Date, MAX_TIME_MS, MIN_TIME_MS};
use model::worker::{Stop, Worker};
use model::{Clock, Error};
use tokio::time::Instant;

use super::admit::{PRESSURE_PERCENT, is_pressed};
use super::{GRACE, Inner, idle};
use crate::cut::cutter::{Cutter, Reason};
use crate::cut::plan;
use crate::delta::DeltaTable;
use crate::tables::Table;

/// The least time between two cuts that a budget asks for: what is left after one may be beyond the reach of a cut.
const PRESSURE_PAUSE: Duration = Duration::from_secs(5);
/// How often the worker looks whether a checkpoint is due.
const TIDY_EVERY: Duration = Duration::from_secs(60);
/// Old days and orphans are looked for once in so many rounds: it means listing the tables.
const EXPIRE_ROUNDS: u64 = 60;
/// A checkpoint is due after so many commits.
const CHECKPOINT_COMMITS: i64 = 100;
/// The log stays readable for those who began to read it within this time.
const KEEP_LOG: Duration = Duration::from_secs(24 * 3600);

/// Starts the workers of a store.
pub(super) fn start(inner: &Arc<Inner>) -> Vec<Worker> {
    let (warming, cutting, tidying) = (inner.clone(), inner.clone(), inner.clone());
    vec![
        Worker::task("storage-warm", move |stop| warm(warming, stop)),
        Worker::task("storage-cut", move |stop| cut_for_ever(cutting, stop)),
        Worker::task("storage-tidy", move |stop| tidy_for_ever(tidying, stop)),
    ]
}

/// Reads what the first queries will need.
async fn warm(inner: Arc<Inner>, stop: Stop) {
    let view = inner.view.read().clone();
    tokio::select! {
        () = inner.block_cache.warm(&view) => {}
        () = stop.stopped() => {}
    }
}

async fn cut_for_ever(inner: Arc<Inner>, stop: Stop) {
    if let Err(error) = inner.cutter.lock().await.prepare(&inner).await {
        tracing::debug!(%error, "the first cut will try again");
    }
    let mut failures = 0u32;
    let mut pressed: Option<Instant> = None;
    while !stop.is_stopped() {
        let next_cut = until_next_cut(&*inner.clock, inner.config.cut_every);
        // A bucket that is away is asked again after 1, 2, 4 … 32 seconds; cuts go on meanwhile.
        let retry = match failures {
            0 => Duration::MAX,
            n => Duration::from_secs(1 << n.saturating_sub(1).min(5)),
        };
        let pressure = async {
            if let Some(pressed) = pressed {
                tokio::time::sleep_until(pressed + PRESSURE_PAUSE).await;
            }
            inner.pressure.notified().await;
        };
        let reason = tokio::select! {
            () = stop.stopped() => return,
            () = tokio::time::sleep(next_cut.min(retry)) => (next_cut <= retry).then_some(Reason::Regular),
            () = pressure => Some(Reason::Pressure),
            () = inner.fullness.notified() => Some(Reason::Size),
        };
        // It may have been asked for while the last one was made.
        if reason == Some(Reason::Size) && inner.head.columns_bytes() <= inner.config.cut_bytes {
            continue;
        }
        let done = match reason {
            Some(reason) => cut(&inner, reason).await.map(drop),
            None => inner.cutter.lock().await.resume(&inner).await,
        };
        if reason == Some(Reason::Pressure) {
            pressed = Some(Instant::now());
        }
        match done {
            Ok(()) => failures = 0,
            Err(error) => {
                failures = failures.saturating_add(1);
                inner.cut_failures.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(%error, failures, "a cut did not come through, its rows stay where they are safe");
            }
        }
        report_pressure(&inner);
    }
}

/// Makes a cut, and lets go of series that are idle whatever became of it. Returns how many rows moved.
pub(super) async fn cut(inner: &Arc<Inner>, reason: Reason) -> Result<u64, Error> {
    let cut = inner.cutter.lock().await.cut(inner, reason).await;
    idle::evict(inner).await?;
    cut
}

/// The time until the next watermark is reached.
fn until_next_cut(clock: &dyn Clock, cut_every: Duration) -> Duration {
    let every_ms = (cut_every.as_millis() as i64).max(1);
    let now_ms = clock.now_ms();
    let past_ms = now_ms.rem_euclid(every_ms);
    let due_ms = plan::grace_ms(cut_every) % every_ms;
    let wait_ms = (due_ms - past_ms).rem_euclid(every_ms);
    Duration::from_millis(if wait_ms == 0 { every_ms } else { wait_ms } as u64)
}

fn report_pressure(inner: &Inner) {
    let (used, budget) = (inner.head.usage().bytes(), inner.config.memory_bytes);
    if is_pressed(used, budget) {
        tracing::warn!(used, budget, "rows not yet in a block take most of storage.memory_bytes");
    }
    let (free, reserve) = (inner.free_disk_bytes(), inner.config.reserve_bytes);
    // Told before rows are refused.
    if free < reserve.saturating_mul(100) / PRESSURE_PERCENT {
        tracing::warn!(free, reserve, "the disk of journal and staged blocks is almost down to storage.reserve_bytes");
    }
    let stats = inner.writer.stats();
    if is_pressed(stats.bytes, stats.max_bytes) {
        tracing::warn!(used = stats.bytes, budget = stats.max_bytes, "the journal takes most of storage.journal_bytes");
    }
}

async fn tidy_for_ever(inner: Arc<Inner>, stop: Stop) {
    let mut checkpoints = [0; Table::ALL.len()];
    let mut rounds = 0u64;
    while !stop.is_stopped() {
        tokio::select! {
            () = stop.stopped() => return,
            () = tokio::time::sleep(TIDY_EVERY) => rounds += 1,
        }
        if let Err(error) = checkpoint(&inner, &mut checkpoints, CHECKPOINT_COMMITS).await {
            tracing::warn!(%error, "no checkpoint was written, trying again later");
        }
        if rounds.is_multiple_of(EXPIRE_ROUNDS)
            && let Err(error) = expire(&inner).await
        {
            tracing::warn!(%error, "old days were not removed, trying again later");
        }
    }
}

/// Writes a checkpoint of each table that has grown by `commits` since its last one, and removes the part of the log it replaces.
///
/// # Errors
/// `Unavailable` if the bucket is away; the rest is done at the next call.
pub(super) async fn checkpoint(inner: &Inner, last: &mut [i64; Table::ALL.len()], commits: i64) -> Result<(), Error> {
    for (place, last) in last.iter_mut().enumerate() {
        let (version, upkeep) = {
            let cutter = inner.cutter.lock().await;
            (cutter.tables[place].version(), cutter.tables[place].upkeep())
        };
        if version - *last >= commits {
            upkeep.checkpoint(version).await?;
            upkeep.clean_log(inner.clock.now_ms(), KEEP_LOG.as_millis() as i64).await?;
            *last = version;
        }
    }
    Ok(())
}

/// Removes whole days that are older than the retention, then files that no table needs any more. Returns how many
/// blocks were removed.
///
/// # Errors
/// `Unavailable` if the bucket is away; the rest is done at the next call.
pub(super) async fn expire(inner: &Inner) -> Result<usize, Error> {
    let removed = {
        let mut cutter = inner.cutter.lock().await;
        let before = oldest_date(inner);
        let versions = |cutter: &Cutter| cutter.tables.iter().map(DeltaTable::version).collect::<Vec<_>>();
        let (known, mut removed, mut failed) = (versions(&cutter), 0, None);
        // Samples before their series, so that a failure in between leaves series without samples, not the reverse.
        for table in cutter.tables.iter_mut().rev() {
            match table.expire(before).await {
                Ok(gone) => removed += gone.len(),
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
        }
        // Also if a commit was told to have failed and is found to have come through.
        if removed > 0 || versions(&cutter) != known {
            cutter.days.forget_before(before);
            let cut = inner.view.read().cut;
            cutter.publish(inner, cut);
            inner.block_cache.forget_dead(&inner.view.read());
        }
        cutter.retire(inner);
        match failed {
            Some(error) => return Err(error),
            None => removed,
        }
    };
    // Listing a large table takes its time, so no cut waits for it.
    for table in Table::ALL {
        let place = table.place();
        let upkeep = inner.cutter.lock().await.tables[place].upkeep();
        let files = upkeep.files().await?;
        let condemned = {
            let mut cutter = inner.cutter.lock().await;
            // Another node may have committed files that were found.
            cutter.tables[place].reload().await?;
            let uploading = cutter.uploading(table);
            cutter.tables[place].condemn(&files, &uploading, GRACE.as_millis() as i64)
        };
        upkeep.delete(&condemned).await?;
    }
    Ok(removed)
}

/// The oldest date that is kept. A clock that is far ahead of the rows is not believed: it would take out everything.
fn oldest_date(inner: &Inner) -> Date {
    let view = inner.view.read().clone();
    let blocks = [Table::Samples, Table::Histograms, Table::Logs, Table::Spans].map(|table| view.of(table).iter());
    let newest_ms = blocks.into_iter().flatten().map(|block| block.max_time_ms).max();
    let now_ms = inner.clock.now_ms().min(newest_ms.map_or(i64::MAX, |newest_ms| newest_ms.saturating_add(DAY_MS)));
    let oldest_ms = now_ms.saturating_sub(inner.config.retention.as_millis() as i64);
    Date::of_ms(oldest_ms.clamp(MIN_TIME_MS, MAX_TIME_MS))
}
