//! Two clusters, each with its token and its share: one keeps to it, the other sends fifty times as much.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::SERIES;
use crate::load::{Load, OF_REQUEST};
use crate::markdown::Table;
use crate::pace::{AT_ONCE, Answers, Sender, open_loop};
use crate::tally::Tally;
use crate::{Bench, Fault, peers};

/// What a cluster's share is of all that the server can take.
const SHARE: f64 = 0.02;
/// How many times its share the neighbour sends.
const TIMES: f64 = 50.0;
/// How many times the p99 alone it may at most be beside the neighbour.
const ALLOWED: f64 = 1.5;
/// Series of the cluster that keeps to its share.
const FEW_SERIES: usize = 2_000;

/// The quiet cluster alone and beside the loud one.
struct Pair {
    alone: Answers,
    beside: Answers,
    loud: Answers,
    tally: Tally,
}

/// Sends for a while alone and then beside the neighbour: once with the share as the limit of each cluster, and once without
/// limits. `capacity` is in requests a second. Returns what was found.
pub(super) async fn measure(bench: &Bench, capacity: f64, lasts: Duration) -> Result<String, Fault> {
    let share = capacity * SHARE;
    let limit = format!("{{sample_rate_limit: {:.0}}}", share * OF_REQUEST as f64);
    let limited = pair(&bench.fresh("sustained-neighbour")?, &limit, share, lasts).await?;
    let unlimited = pair(&bench.fresh("sustained-neighbour")?, "{}", share, lasts).await?;
    let mut table = Table::new([
        "one cluster at its share",
        "p50, p99 until acknowledged, ms",
        "p99 to alone",
        "put off, of all",
        "put off of the neighbour's",
    ]);
    for (limits, Pair { alone, beside, loud, .. }) in [("shares are limits", &limited), ("no limits", &unlimited)] {
        table.row(cells(&format!("{limits}: alone"), alone, alone, None));
        table.row(cells(&format!("{limits}: beside one at {TIMES:.0} times its share"), beside, alone, Some(loud)));
    }
    let ratio = ratio(&limited.beside, &limited.alone);
    let holds = if ratio <= ALLOWED { "holds" } else { "**is missed**" };
    for pair in [&limited, &unlimited] {
        pair.tally.verdict()?;
    }
    Ok(format!(
        "A share is {:.0} % of what 8 connections reached, {share:.1} requests a second.\n\n{table}\nWith limits the p99 is \
         **{ratio:.2}** times that alone; at most {ALLOWED} was asked for, which {holds}. With limits {} Without, {}",
        SHARE * 100.0,
        limited.tally,
        unlimited.tally
    ))
}

async fn pair(folder: &Path, limits: &str, share: f64, lasts: Duration) -> Result<Pair, Fault> {
    let [quiet, loud] = ["quiet", "loud"].map(|name| peers::cluster(folder, name, limits));
    let yaml = format!("clusters:\n{}{}", quiet?, loud?);
    let server = peers::fleetscope_with(folder, "cut_every: 24h", &yaml).await?;
    let [(quiet, few), (loud, many)] = [("quiet", FEW_SERIES), ("loud", SERIES)].map(|(name, series)| {
        let load = Arc::new(Load::new(series));
        (Sender::new(&server, Some(&peers::token(name)), load.clone()), load)
    });
    // So that their series are known: that a cluster brings many new ones at once has limits of its own.
    let known = open_loop(&quiet, AT_ONCE / 2, share, round(share, &few)).await?;
    let known_too = open_loop(&loud, AT_ONCE / 2, share, round(share, &many)).await?;
    let alone = open_loop(&quiet, AT_ONCE / 2, share, lasts).await?;
    let beside = open_loop(&quiet, AT_ONCE / 2, share, lasts);
    let pressing = open_loop(&loud, AT_ONCE / 2, share * TIMES, lasts);
    let (beside, loud) = futures::future::try_join(beside, pressing).await?;
    let tally = Tally::of([&known, &known_too, &alone, &beside, &loud].into_iter(), &server).await?;
    server.terminate().await?;
    Ok(Pair { alone, beside, loud, tally })
}

/// How long it takes at a pace until all series have had a sample.
fn round(per_second: f64, load: &Load) -> Duration {
    Duration::from_secs_f64(load.of_round() as f64 / per_second + 1.0)
}

fn cells(what: &str, answers: &Answers, alone: &Answers, loud: Option<&Answers>) -> [String; 5] {
    let share = |answers: &Answers| format!("{:.1} %", 100.0 * answers.put_off() as f64 / answers.len() as f64);
    [
        what.to_owned(),
        format!("{:.1}, {:.1}", answers.acknowledge_ms(0.5), answers.acknowledge_ms(0.99)),
        format!("{:.2}", ratio(answers, alone)),
        share(answers),
        loud.map_or(String::new(), share),
    ]
}

fn ratio(answers: &Answers, alone: &Answers) -> f64 {
    answers.acknowledge_ms(0.99) / alone.acknowledge_ms(0.99)
}
