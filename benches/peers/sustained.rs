//! Remote write at a pace, not as fast as it goes: at half of what the server can take for ten minutes, then at twice of it,
//! then at half again; and a cluster beside another one that sends fifty times its share.
//!
//! Requests are due at their instant whatever became of those before, and an acknowledge time counts from there. At the end
//! everything that was acknowledged is counted by SQL: one sample too few or too many fails the part.
//!
//! `FLEETSCOPE_SUSTAINED_SECONDS` is how long the first half takes; all else, the time between cuts too, follows from it.

mod neighbour;

use std::fmt::{self, Display};
use std::sync::Arc;
use std::time::Duration;

use model::Clock;

use crate::load::{Load, OF_REQUEST};
use crate::markdown::{self, Table};
use crate::pace::{Answers, Target, closed_loop, open_loop};
use crate::process::Process;
use crate::watch::{Course, growth, most, watched};
use crate::{Bench, Fault, peers};

const SERIES: usize = 20_000;
const CONNECTIONS: usize = 8;
/// For how long the capacity is measured, and before it the first samples of all series are sent.
const CAPACITY: Duration = Duration::from_secs(10);
/// A p99 is that of so many seconds when it is asked how long a recovery takes.
const WINDOW: Duration = Duration::from_secs(5);
/// Cuts during the long half. In use there is one each quarter of an hour, for as many times the rows.
const CUTS: u32 = 10;
/// Samples are counted in slices of time so long, in milliseconds.
const SLICE_MS: usize = 60_000;

/// A time at one pace.
struct Phase {
    what: &'static str,
    answers: Answers,
    course: Course,
}

pub(crate) async fn run(bench: &Bench) -> Result<(), Fault> {
    let half = Duration::from_secs(bench.setting("FLEETSCOPE_SUSTAINED_SECONDS", 600)?);
    let folder = bench.fresh("sustained")?;
    let storage = format!("cut_every: {}s", (half / CUTS).as_secs().max(1));
    let server = peers::fleetscope_with(&folder, &storage, "").await?;
    let (target, load) = (Target::new(&server, None), Arc::new(Load::new(SERIES)));
    let begin_ms = model::SystemClock.now_ms();
    let first = closed_loop(&target, &load, CONNECTIONS, CAPACITY / 2).await?;
    let (full, course) =
        watched(&server, &folder, Duration::from_secs(1), closed_loop(&target, &load, CONNECTIONS, CAPACITY)).await?;
    let capacity = full.per_second();
    let mut phases = vec![Phase { what: "as fast as 8 connections go", answers: full, course }];
    for (what, share, lasts) in
        [("half of that", 0.5, half), ("twice of it", 2.0, half / 5), ("half again", 0.5, (half / 10).max(2 * WINDOW))]
    {
        println!("{what}: {:.0} requests a second for {} s", share * capacity, lasts.as_secs());
        let every = Duration::from_secs(5).min(lasts / 20);
        let paced = open_loop(&target, &load, share * capacity, lasts);
        let (answers, course) = watched(&server, &folder, every, paced).await?;
        phases.push(Phase { what, answers, course });
    }
    let all = std::iter::once(&first).chain(phases.iter().map(|phase| &phase.answers));
    let tally = Tally::of(all, counted(&server, begin_ms, load.latest_ms()).await?);
    server.terminate().await?;
    let neighbour = neighbour::measure(bench, capacity, (half / 10).max(2 * WINDOW)).await?;
    let [origin, paces, levels] = [markdown::origin()?, paces(&phases).to_string(), levels(&phases)];
    bench.publish("sustained", &format!("{origin}\n\n{paces}\n{levels}\n\n{tally}\n\n{neighbour}"))?;
    tally.verdict()
}

fn paces(phases: &[Phase]) -> Table {
    let mut table = Table::new([
        "",
        "samples a second sent",
        "acknowledged",
        "requests put off, of all",
        "p50, p99 until acknowledged, ms",
        "MB of memory at most",
        "MB of journal at most",
    ]);
    for Phase { what, answers, course } in phases {
        table.row([
            (*what).to_owned(),
            thousands(answers.per_second() * OF_REQUEST as f64),
            thousands(answers.samples_per_second()),
            format!("{:.1} %", 100.0 * answers.put_off() as f64 / answers.len() as f64),
            format!("{:.1}, {:.1}", answers.acknowledge_ms(0.5), answers.acknowledge_ms(0.99)),
            format!("{:.0}", most(&course.resident) / 1e6),
            format!("{:.0}", most(&course.journal) / 1e6),
        ]);
    }
    table
}

fn thousands(number: f64) -> String {
    format!("{:.0} k", number / 1e3)
}

/// Whether memory and journal stayed level, and how long it took until all was as before.
fn levels(phases: &[Phase]) -> String {
    let [_, half, _, again] = phases else { return String::new() };
    let (memory, journal) = (growth(&half.course.resident), growth(&half.course.journal));
    let usual_ms = worst_window_ms(&half.answers);
    let recovered = match recovered_after(&again.answers, usual_ms) {
        Some(seconds) => format!("after {seconds} s"),
        None => "**not at all**".to_owned(),
    };
    format!(
        "Last quarter of the long half to its second quarter: memory **{memory:.2}**, journal **{journal:.2}**. Once the load \
         fell from twice to half, the p99 of {} s was back within what the long half had ({usual_ms:.1} ms at worst) \
         {recovered}.",
        WINDOW.as_secs()
    )
}

/// The greatest p99 of any [`WINDOW`].
fn worst_window_ms(answers: &Answers) -> f64 {
    let windows = answers.lasted().as_secs() / WINDOW.as_secs();
    let p99 = |window: u64| answers.acknowledge_ms_within(0.99, window_from(window * WINDOW.as_secs()));
    (0..windows).map(p99).fold(0.0, f64::max)
}

/// The first second from which the p99 of a [`WINDOW`] is as usual, if there is one.
fn recovered_after(answers: &Answers, usual_ms: f64) -> Option<u64> {
    let last = answers.lasted().saturating_sub(WINDOW).as_secs();
    (0..=last).find(|second| answers.acknowledge_ms_within(0.99, window_from(*second)) <= usual_ms)
}

fn window_from(second: u64) -> std::ops::Range<Duration> {
    let begin = Duration::from_secs(second);
    begin..begin + WINDOW
}

/// The samples in the store of these times, asked for in slices so that no single query takes long.
async fn counted(server: &Process, begin_ms: i64, end_ms: i64) -> Result<usize, Fault> {
    let mut counted = 0;
    for from_ms in (begin_ms..=end_ms).step_by(SLICE_MS) {
        let to_ms = (from_ms + SLICE_MS as i64).min(end_ms + 1);
        let sql = format!("SELECT count(*) FROM samples WHERE time_ms >= {from_ms} AND time_ms < {to_ms}");
        counted += server.ask(&sql).await?.parse::<usize>()?;
    }
    Ok(counted)
}

/// What was promised, and what is there.
struct Tally {
    acknowledged: usize,
    /// Samples of which the sender does not know whether they are there.
    unknown: usize,
    found: usize,
    /// Why it does not know it of the first.
    failure: Option<String>,
}

impl Tally {
    fn of<'a>(all: impl Iterator<Item = &'a Answers>, found: usize) -> Self {
        let mut tally = Tally { acknowledged: 0, unknown: 0, found, failure: None };
        for answers in all {
            tally.acknowledged += answers.acknowledged() * OF_REQUEST;
            tally.unknown += answers.failures().count() * OF_REQUEST;
            tally.failure = tally.failure.take().or_else(|| answers.failures().next().map(str::to_owned));
        }
        tally
    }

    /// # Errors
    /// If something that was acknowledged is not there, or something is there that nobody sent.
    fn verdict(&self) -> Result<(), Fault> {
        match (self.acknowledged..=self.acknowledged + self.unknown).contains(&self.found) {
            true => Ok(()),
            false => Err(self.to_string().into()),
        }
    }
}

impl Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally { acknowledged, unknown, found, failure } = self;
        write!(f, "{acknowledged} samples were acknowledged, {found} are there by SQL")?;
        match failure {
            Some(failure) => write!(f, "; of {unknown} the senders do not know it, the first: {failure}"),
            None => f.write_str("; no request was left without an answer."),
        }
    }
}
