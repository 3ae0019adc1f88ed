//! Remote write at a pace, not as fast as it goes: at half of what the server can take for ten minutes, then at twice of it,
//! then at half again; and a cluster beside another one that sends fifty times its share.
//!
//! At the end everything that was acknowledged is counted by SQL: one sample too few or too many fails the part.
//!
//! `FLEETSCOPE_SUSTAINED_SECONDS` is how long the first half takes; all else, the time between cuts too, follows from it.

mod neighbour;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::load::Load;
use crate::pace::Sender;
use crate::paces::{Paces, WINDOW};
use crate::process::Process;
use crate::{Bench, Fault, markdown, peers};

const SERIES: usize = 20_000;
/// Cuts during the long half. In use there is one each quarter of an hour, for as many times the rows.
const CUTS: u32 = 10;

pub(crate) async fn run(bench: &Bench) -> Result<(), Fault> {
    let (half, folder) = (long_half(bench)?, bench.fresh("sustained")?);
    let server = server(&folder, half, "").await?;
    let sender = Sender::new(&server, None, Arc::new(Load::new(SERIES)));
    let paces = Paces::measure(&server, &folder, &[sender], half).await?;
    let tally = paces.tally(&server).await?;
    server.terminate().await?;
    let neighbour = neighbour::measure(bench, paces.capacity(), (half / 10).max(2 * WINDOW)).await?;
    let (table, levels) = (paces.table(), paces.levels());
    bench.publish("sustained", &format!("{}\n\n{table}\n{levels}\n\n{tally}\n\n{neighbour}", markdown::origin()?))?;
    tally.verdict()
}

/// How long the first half takes.
pub(crate) fn long_half(bench: &Bench) -> Result<Duration, Fault> {
    Ok(Duration::from_secs(bench.setting("FLEETSCOPE_SUSTAINED_SECONDS", 600)?))
}

/// Our server on an empty store, which makes [`CUTS`] cuts in the long half; `yaml` is added to its configuration.
pub(crate) async fn server(folder: &Path, half: Duration, yaml: &str) -> Result<Process, Fault> {
    let storage = format!("cut_every: {}s", (half / CUTS).as_secs().max(1));
    peers::fleetscope_with(folder, &storage, yaml).await
}
