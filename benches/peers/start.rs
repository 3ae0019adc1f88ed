//! A start after a kill just before a cut: 12 million samples in the journal, 100,000 series, and 20 or 40 million
//! samples in blocks. Seconds until `/readyz`, and where they go by the server's own log.

use std::path::Path;

use futures::{StreamExt, TryStreamExt};
use model::Clock;
use reqwest::Client;

use crate::fleet::{Fleet, STEP_MS};
use crate::report::median;
use crate::scrapes::Scrapes;
use crate::stores::{Stopped, WINDOW_MS};
use crate::{Bench, Fault, peers, remote_write};

const SERIES: usize = 100_000;
/// Samples of each series in the journal.
const JOURNALED: usize = 120;
/// Samples of each series in one block.
const OF_BLOCK: usize = 50;
const OF_REQUEST: usize = 500;
const AT_ONCE: usize = 4;
const STARTS: usize = 3;

pub(crate) async fn run(bench: &Bench) -> Result<(), Fault> {
    let scrapes = Scrapes::load(bench).await?;
    let of_instance = Fleet::new(&scrapes, 1, 1, 0)?.series.len();
    let mut fleet = Fleet::new(&scrapes, SERIES.div_ceil(of_instance), JOURNALED, 0)?;
    fleet.series.truncate(SERIES);
    for blocks in [4, 8] {
        let folder = bench.fresh("start")?;
        fill(&folder, &mut fleet, blocks).await?;
        let (mut ready, mut cpu) = (Vec::new(), Vec::new());
        for start in 0..STARTS {
            let mut process = peers::fleetscope_starting(&folder, "")?;
            ready.push(process.answers("/readyz").await?);
            cpu.push(process.cpu_seconds()?);
            if start + 1 == STARTS {
                report(blocks, median(&ready), median(&cpu), process.resident_bytes()?, &process.log());
            }
            // Dropped here, which kills it: the journal stays as it is for the next start.
        }
    }
    Ok(())
}

/// Makes blocks in the past, then has the server take the newest samples and kills it.
async fn fill(folder: &Path, fleet: &mut Fleet, blocks: i64) -> Result<(), Fault> {
    let journaled_from_ms = model::SystemClock.now_ms() - JOURNALED as i64 * STEP_MS;
    let first_ms = (journaled_from_ms / WINDOW_MS - blocks) * WINDOW_MS;
    let stopped = Stopped::open(folder, first_ms).await?;
    for block in 0..blocks {
        fleet.start_ms = first_ms + block * WINDOW_MS;
        stopped.block(fleet, 0..OF_BLOCK).await?;
    }
    stopped.store.close().await?;
    stopped.abandon(folder).await?;
    let (server, client) = (peers::fleetscope(folder, "").await?, Client::new());
    fleet.start_ms = journaled_from_ms;
    for i in 0..JOURNALED {
        let (client, url) = (&client, &server.url);
        let bodies = fleet.chunks(OF_REQUEST).map(|chunk| fleet.request(chunk, i..i + 1));
        let sent =
            futures::stream::iter(bodies).map(|body| async move { remote_write::send(client, url, body?).await });
        sent.buffer_unordered(AT_ONCE).try_collect::<()>().await?;
    }
    Ok(())
}

fn report(blocks: i64, ready: f64, cpu: f64, resident_bytes: u64, log: &str) {
    let (journaled, in_blocks) = (SERIES * JOURNALED, SERIES * OF_BLOCK * blocks as usize);
    println!(
        "{in_blocks} samples in blocks, {journaled} in the journal: ready after {ready:.2} s, {cpu:.2} s of CPU, {} MB of \
         memory",
        resident_bytes >> 20
    );
    let steps = ["tables open", "journal open", "journal replayed", "store open"];
    for line in log.lines().filter(|line| steps.iter().any(|step| line.contains(step))) {
        println!("    {}", line.split_once(" INFO ").map_or(line, |(_, text)| text));
    }
}
