//! Many targets of one server: 2,000 at 15 s, a million series. CPU, memory, scrapes made of those due, how far off their
//! schedule they begin; and all that again while a reload exchanges some targets, which may cost the others no scrape.
//!
//! Judged from outside, by when the targets were asked. There is no peer: it is held against the schedule.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use reqwest::Client;

use crate::pages::{PageServer, address, with_cluster};
use crate::report::quantile;
use crate::scrapes::Scrapes;
use crate::{Bench, Fault, peers};

const TARGETS: usize = 2000;
/// The reload takes so many out and puts so many others in.
const EXCHANGED: usize = 100;
const INTERVAL: Duration = Duration::from_secs(15);
/// The first pages have unknown series.
const WARM_UP: Duration = Duration::from_secs(20);
const ROUND: Duration = Duration::from_secs(60);

pub(crate) async fn run(bench: &Bench) -> Result<(), Fault> {
    let server = PageServer::start(Scrapes::load(bench).await?.node)?;
    let folder = bench.fresh("targets")?;
    let jobs = |targets| with_cluster(&server.scrape_configs("/metrics", &format!("{}s", INTERVAL.as_secs()), targets));
    let ours = peers::fleetscope(&folder, &jobs(0..TARGETS)).await?;
    tokio::time::sleep(WARM_UP).await;
    println!("{TARGETS} targets at {} s, a page of {} samples each", INTERVAL.as_secs(), server.samples_of_page);
    for reloads in [false, true] {
        let (begin, cpu, samples) = (Instant::now(), ours.cpu_seconds()?, server.served("/metrics"));
        let unchanged = if reloads { EXCHANGED..TARGETS } else { 0..TARGETS };
        if reloads {
            tokio::time::sleep(ROUND / 2).await;
            peers::configure(&folder, &jobs(EXCHANGED..TARGETS + EXCHANGED))?;
            let asked = Instant::now();
            Client::new().post(format!("{}/-/reload", ours.url)).send().await?.error_for_status()?;
            println!("reload, {EXCHANGED} targets exchanged: answered after {:.0} ms", ms(asked.elapsed()));
            tokio::time::sleep(ROUND / 2).await;
        } else {
            tokio::time::sleep(ROUND).await;
        }
        let (cpu, samples) = (ours.cpu_seconds()? - cpu, server.served("/metrics") - samples);
        println!(
            "{:.0} s: {:.3} cores, {:.0} ns of CPU a sample, {:.0} MB of memory",
            begin.elapsed().as_secs_f64(),
            cpu / begin.elapsed().as_secs_f64(),
            cpu * 1e9 / samples as f64,
            ours.resident_bytes()? as f64 / 1e6
        );
        let mut asked: BTreeMap<IpAddr, Vec<Instant>> = unchanged.map(|n| (address(n), Vec::new())).collect();
        for request in server.requests().into_iter().filter(|request| request.at >= begin) {
            if let Some(asked) = asked.get_mut(&request.target) {
                asked.push(request.at);
            }
        }
        println!("{}", Punctuality::of(&asked));
    }
    let failed = "SELECT count(*) AS failed FROM metric.\"up\" WHERE value = 0";
    println!("scrapes that failed since the start: {}", ours.ask(failed).await?);
    let took = "SELECT round(1000 * approx_percentile_cont(value, 0.5), 1), round(1000 * approx_percentile_cont(value, \
                0.99), 1) FROM metric.\"scrape_duration_seconds\"";
    println!("time of a scrape, median and p99 in ms: {}", ours.ask(took).await?);
    Ok(())
}

/// When targets were asked, against their schedules. A schedule is told by the middle one of a target's scrapes.
#[derive(Debug, Default)]
struct Punctuality {
    made: usize,
    /// Scrapes that are missing between two, and such that follow another at once.
    missing: usize,
    extra: usize,
    /// How far each was off its schedule.
    off_ms: Vec<f64>,
}

impl Punctuality {
    fn of(asked: &BTreeMap<IpAddr, Vec<Instant>>) -> Self {
        let mut found = Punctuality::default();
        for times in asked.values() {
            found.made += times.len();
            for pair in times.windows(2) {
                let steps = ((pair[1] - pair[0]).as_secs_f64() / INTERVAL.as_secs_f64()).round() as usize;
                found.missing += steps.saturating_sub(1);
                found.extra += usize::from(steps == 0);
            }
            let Some(first) = times.first() else { continue };
            // The time since the first one, less whole intervals, from minus to plus half of one.
            let interval = ms(INTERVAL);
            let phase = |time: &Instant| (ms(*time - *first) + interval / 2.0) % interval - interval / 2.0;
            let phases: Vec<f64> = times.iter().map(phase).collect();
            let schedule = quantile(&phases, 0.5);
            found.off_ms.extend(phases.iter().map(|phase| (phase - schedule).abs()));
        }
        found
    }
}

impl std::fmt::Display for Punctuality {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Punctuality { made, missing, extra, off_ms } = self;
        let (p99, worst) = (quantile(off_ms, 0.99), quantile(off_ms, 1.0));
        write!(
            f,
            "{made} scrapes, {missing} missing, {extra} too many; off the schedule p99 {p99:.1} ms, worst {worst:.1} ms"
        )
    }
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
