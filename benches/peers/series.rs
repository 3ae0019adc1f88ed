//! A million active series: how much memory each takes before and after cuts, everything included, and whether it grows when a
//! tenth of them is replaced each hour.
//!
//! Time is squeezed: between two cuts each series gets 60 samples, as in the quarter of an hour between two cuts at a sample
//! each 15 seconds, in six rounds of ten. Of the second half of the part a cut is an hour, and a series is idle after a third
//! of it.
//!
//! `FLEETSCOPE_SERIES` is how many series there are, `FLEETSCOPE_SERIES_OF_POD` how many of them share a pod,
//! `FLEETSCOPE_SERIES_CUT_SECONDS` how long it is from cut to cut.

use std::time::{Duration, Instant};

use futures::{StreamExt, TryStreamExt};
use model::Clock;
use reqwest::Client;
use tokio::time::MissedTickBehavior;

use crate::load::{OF_REQUEST, value};
use crate::markdown::{self, Table};
use crate::process::Process;
use crate::{Bench, Fault, peers, remote_write, wire};

/// Rounds between two cuts, and samples of each series in one.
const ROUNDS: usize = 6;
const OF_ROUND: usize = 10;
const STEP_MS: i64 = 15_000;
/// Cuts with the same series all the time.
const STEADY: usize = 3;
/// Cuts, an hour each, before which one in so many series is replaced.
const HOURS: usize = 6;
const REPLACED: usize = 10;
const AT_ONCE: usize = 4;
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// What may be taken of each series, in bytes.
const ALLOWED: f64 = 1024.0;

/// The series that are active at a time, and how many of them share a pod.
#[derive(Debug, Clone, Copy)]
struct Active {
    series: usize,
    of_pod: usize,
}

/// What was seen of the server at an instant.
#[derive(Debug, Clone, Copy)]
struct Look {
    at: Instant,
    resident: f64,
    /// What the store says of itself: bytes of series and rows, and how many series.
    head: f64,
    series: f64,
}

/// The time up to the end of a cut.
#[derive(Debug)]
struct Period {
    what: String,
    /// The most of this time.
    peak: f64,
    /// The least between the cut and the next: what it has left.
    left: f64,
    /// As the store last said of itself before the cut was done.
    head: f64,
    series: f64,
}

pub(crate) async fn run(bench: &Bench) -> Result<(), Fault> {
    let series = bench.setting("FLEETSCOPE_SERIES", 1_000_000)? as usize / OF_REQUEST * OF_REQUEST;
    let of_pod = bench.setting("FLEETSCOPE_SERIES_OF_POD", 100)?.max(1) as usize;
    let cut = Duration::from_secs(bench.setting("FLEETSCOPE_SERIES_CUT_SECONDS", 60)?);
    let idle = (cut / 3).as_secs().max(1);
    let storage =
        format!("cut_every: {}s, series_idle: {idle}s, memory_bytes: 8GB, journal_bytes: 16GB", cut.as_secs());
    let server = peers::fleetscope_with(&bench.fresh("series")?, &storage, "").await?;
    let empty = server.resident_bytes()? as f64;
    let (looks, ends) = looked(&server, fill(&server, Active { series, of_pod }, cut)).await?;
    server.terminate().await?;
    bench.publish("series", &report(Active { series, of_pod }, empty, &periods(&looks, &ends))?)
}

/// Looks at the server while some work is done with it, and what comes of that.
async fn looked<T>(server: &Process, work: impl Future<Output = Result<T, Fault>>) -> Result<(Vec<Look>, T), Fault> {
    tokio::pin!(work);
    let (mut looks, mut ticks) = (Vec::new(), tokio::time::interval(LOOK_EVERY));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            done = &mut work => return Ok((looks, done?)),
            _ = ticks.tick() => {
                let [head, series] = server.metrics(["fleetscope_storage_head_bytes", "fleetscope_storage_series"]).await?;
                looks.push(Look { at: Instant::now(), resident: server.resident_bytes()? as f64, head, series });
            }
        }
    }
}

/// Sends all rounds of all periods. Returns when each of their cuts was done.
async fn fill(server: &Process, Active { series, of_pod }: Active, cut: Duration) -> Result<Vec<Instant>, Fault> {
    // All is past: so a cut takes whatever was sent before it.
    let start_ms = model::SystemClock.now_ms() - ((STEADY + HOURS + 1) * ROUNDS * OF_ROUND) as i64 * STEP_MS;
    let (client, mut ends) = (Client::new(), Vec::new());
    for period in 0..STEADY + HOURS {
        let first = period.saturating_sub(STEADY - 1) * series / REPLACED;
        let begin = Instant::now();
        for round in 0..ROUNDS {
            // Paced over most of the time, so that no series is idle for long, and done before the cut.
            tokio::time::sleep_until((begin + cut * round as u32 * 6 / 10 / ROUNDS as u32).into()).await;
            let step = (period * ROUNDS + round) * OF_ROUND;
            let bodies = (first..first + series).step_by(OF_REQUEST).map(|first| body(first, of_pod, step, start_ms));
            let url = &server.url;
            let sent =
                futures::stream::iter(bodies).map(|body| async { remote_write::send(&client, url, body?).await });
            sent.buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        }
        let cuts = cuts_so_far(server).await?;
        while cuts_so_far(server).await? == cuts {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        println!("period {} of {} has ended with its cut", period + 1, STEADY + HOURS);
        ends.push(Instant::now());
    }
    // What the last cut leaves is given back over some seconds.
    tokio::time::sleep(cut / 4).await;
    Ok(ends)
}

async fn cuts_so_far(server: &Process) -> Result<f64, Fault> {
    let [cuts] = server.metrics(["fleetscope_storage_cuts_total"]).await?;
    Ok(cuts)
}

/// A request with the samples of a round for the series from `first` on.
fn body(first: usize, of_pod: usize, step: usize, start_ms: i64) -> Result<Vec<u8>, snap::Error> {
    let mut request = wire::Request::default();
    for index in first..first + OF_REQUEST {
        let samples = (step..step + OF_ROUND).map(|step| (start_ms + step as i64 * STEP_MS, value(index, step)));
        request.push(&labels(index, of_pod), samples);
    }
    request.compressed()
}

/// The label fields of a series of a kubelet, where each pod has so many series, of as many names.
fn labels(index: usize, of_pod: usize) -> Vec<u8> {
    let mut labels = wire::kubelet_labels(index / of_pod);
    labels[0].1 = format!("container_metric_{:03}_bytes_total", index % of_pod);
    wire::labels(labels.iter().map(|(name, value)| (*name, value.as_str())))
}

fn periods(looks: &[Look], ends: &[Instant]) -> Vec<Period> {
    let mut periods = Vec::new();
    for (place, end) in ends.iter().enumerate() {
        let begin = place.checked_sub(1).map(|before| ends[before]);
        let next = ends.get(place + 1);
        let own = looks.iter().filter(|look| begin.is_none_or(|begin| look.at > begin) && look.at <= *end);
        let later = looks.iter().filter(|look| look.at > *end && next.is_none_or(|next| look.at <= *next));
        let last = own.clone().next_back();
        let what = match place.checked_sub(STEADY) {
            None => format!("cut {}", place + 1),
            Some(hour) => format!("hour {}, a tenth of the series replaced", hour + 1),
        };
        periods.push(Period {
            what,
            peak: own.map(|look| look.resident).fold(0.0, f64::max),
            left: later.map(|look| look.resident).fold(f64::INFINITY, f64::min),
            head: last.map_or(0.0, |look| look.head),
            series: last.map_or(0.0, |look| look.series),
        });
    }
    periods
}

fn report(active: Active, empty: f64, periods: &[Period]) -> Result<String, Fault> {
    let (series, of_pod) = (active.series as f64, active.of_pod);
    let mut table = Table::new([
        "up to the end of",
        "MB of memory at most",
        "bytes a series",
        "MB left by the cut",
        "bytes a series",
        "of that by the store's own count",
        "series in memory",
    ]);
    for Period { what, peak, left, head, series: in_memory } in periods {
        table.row([
            what.clone(),
            format!("{:.0}", peak / 1e6),
            format!("{:.0}", peak / series),
            format!("{:.0}", left / 1e6),
            format!("{:.0}", left / series),
            format!("{:.0}", head / series),
            format!("{in_memory:.0}"),
        ]);
    }
    let over_two = periods.iter().take(3).map(|period| period.peak).fold(0.0, f64::max) / series;
    let holds = if over_two <= ALLOWED { "holds" } else { "**is missed**" };
    let [.., second, _, _, _, last] = periods else { return Err("too few periods".into()) };
    Ok(format!(
        "{}\n\n{table}\n{series:.0} series active at a time, {of_pod} of a pod; the server took {:.0} MB before the first. Over two cuts, until the \
         third, a series takes at most **{over_two:.0}** bytes, everything included; at most {ALLOWED} was asked for, which \
         {holds}. Last hour of churn to the second: **{:.2}** at most, **{:.2}** left by the cut.",
        markdown::origin()?,
        empty / 1e6,
        last.peak / second.peak,
        last.left / second.left,
    ))
}
