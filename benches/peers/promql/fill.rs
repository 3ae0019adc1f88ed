//! Pushes all samples in the order of time, a quarter of an hour of all series after the other, and counts what was kept.

use std::path::Path;
use std::time::{Duration, Instant};

use futures::{StreamExt, TryStreamExt};
use reqwest::Client;

use super::answers::{Answer, timed};
use super::contender::Contender;
use super::data::Data;
use super::questions::{Alike, Asked, NAMES, Question};
use crate::process::{Process, folder_bytes};
use crate::{Fault, remote_write};

const AT_ONCE: usize = 4;
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How long rows may be on their way to a block, or to where questions see them.
const PATIENCE: Duration = Duration::from_secs(120);

/// What it came to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Filled {
    pub(super) cpu_seconds: f64,
    pub(super) disk_bytes: f64,
}

/// Pushes everything to a contender that has nothing so far, counts, and ends it.
///
/// # Errors
/// If a sample is missing afterwards, or there is one too many.
pub(super) async fn fill(contender: Contender, folder: &Path, data: &Data, cut_seconds: u64) -> Result<Filled, Fault> {
    let process = contender.start(folder, Some(cut_seconds)).await?;
    let (client, begin, mut rows) = (Client::new(), Instant::now(), 0);
    for window in 0..data.windows() {
        let (of_window, bodies) = data.window(window);
        let (client, url) = (&client, &process.url);
        let sent =
            futures::stream::iter(bodies).map(|body| async move { remote_write::send(client, url, body?).await });
        sent.buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        rows += of_window;
        if contender == Contender::Ours {
            // In use a cut takes a quarter of an hour, so here it does.
            are_in_blocks(&process, rows).await?;
        }
    }
    if contender == Contender::VictoriaMetrics {
        reqwest::get(format!("{}/internal/force_flush", process.url)).await?.error_for_status()?;
    }
    let kept = counted(contender, &process, data).await?;
    if kept != data.samples() as f64 {
        return Err(format!("{} has {kept} samples, {} were sent", contender.name(), data.samples()).into());
    }
    let cpu_seconds = process.cpu_seconds()?;
    process.terminate().await?;
    let disk_bytes = folder_bytes(&contender.folder(folder))? as f64;
    println!(
        "{}: {kept} samples pushed in {:.0} s, all are there; {cpu_seconds:.0} s of CPU, {:.0} MB on disk",
        contender.name(),
        begin.elapsed().as_secs_f64(),
        disk_bytes / 1e6
    );
    Ok(Filled { cpu_seconds, disk_bytes })
}

/// Waits until all rows so far are in blocks.
async fn are_in_blocks(process: &Process, rows: usize) -> Result<(), Fault> {
    let begin = Instant::now();
    loop {
        let [in_blocks] = process.metrics(["fleetscope_storage_block_rows{table=\"samples\"}"]).await?;
        if in_blocks >= rows as f64 {
            return Ok(());
        }
        if begin.elapsed() > PATIENCE {
            return Err(format!("{in_blocks} rows are in blocks, {rows} were sent: {}", process.log()).into());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// All samples that it answers with. By name: without their names two series may be alike.
async fn counted(contender: Contender, process: &Process, data: &Data) -> Result<f64, Fault> {
    let client = Client::new();
    let (start, end) = data.range();
    let mut counted = 0.0;
    for name in NAMES {
        let text = format!("sum(count_over_time({name}[{}s]))", end - start + 1);
        let question = Question { what: "", text, asked: Asked::Instant, victoria: Alike::Values };
        let (_, body) = timed(contender.request(&client, &process.url, &question, data)).await?;
        counted += Answer::of(&body)?.sum();
    }
    Ok(counted)
}
