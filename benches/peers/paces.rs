//! One server at several paces: as fast as it goes, then at half of that for long, at twice, and at half again.
//!
//! Requests are due at their instant whatever became of those before, and an acknowledge time counts from there.

use std::path::Path;
use std::time::Duration;

use futures::future::try_join_all;

use crate::Fault;
use crate::markdown::Table;
use crate::pace::{AT_ONCE, Answers, Sender, Signal, closed_loop, open_loop};
use crate::process::Process;
use crate::tally::Tally;
use crate::watch::{Course, growth, most, watched};

const CONNECTIONS: usize = 8;
/// For how long the capacity is measured, and half as long before it, so that all is warm.
const CAPACITY: Duration = Duration::from_secs(10);
/// A p99 is that of so many seconds when it is asked how long a recovery takes.
pub(crate) const WINDOW: Duration = Duration::from_secs(5);

/// A time at one pace.
struct Phase {
    what: &'static str,
    answers: Answers,
    course: Course,
}

/// All paces.
pub(crate) struct Paces {
    phases: [Phase; 4],
    /// What was sent before anything was measured.
    warming: Answers,
}

impl Paces {
    /// Has these clusters send to a server, whose store is `folder/store`: each its equal part. The long half takes `half`.
    pub(crate) async fn measure(
        server: &Process,
        folder: &Path,
        senders: &[Sender],
        half: Duration,
    ) -> Result<Self, Fault> {
        let warming = flat_out(senders, CAPACITY / 2).await?;
        let (answers, course) = watched(server, folder, Duration::from_secs(1), flat_out(senders, CAPACITY)).await?;
        let capacity = answers.per_second();
        let full = Phase { what: "as fast as 8 connections go", answers, course };
        let at = async |what: &'static str, share: f64, lasts: Duration| {
            println!("{what}: {:.0} requests a second for {} s", share * capacity, lasts.as_secs());
            let every = Duration::from_secs(5).min(lasts / 20);
            let each = share * capacity / senders.len() as f64;
            let all = async {
                Ok(Answers::of_all(
                    try_join_all(senders.iter().map(|of| open_loop(of, AT_ONCE / senders.len(), each, lasts))).await?,
                ))
            };
            let (answers, course) = watched(server, folder, every, all).await?;
            Ok::<_, Fault>(Phase { what, answers, course })
        };
        let long = at("half of that", 0.5, half).await?;
        let twice = at("twice of it", 2.0, half / 5).await?;
        let again = at("half again", 0.5, (half / 10).max(2 * WINDOW)).await?;
        Ok(Paces { phases: [full, long, twice, again], warming })
    }

    /// Requests a second that the server can take.
    pub(crate) fn capacity(&self) -> f64 {
        self.phases[0].answers.per_second()
    }

    /// What was promised, beside what is there by SQL.
    pub(crate) async fn tally(&self, server: &Process) -> Result<Tally, Fault> {
        let phases = self.phases.iter().map(|phase| &phase.answers);
        Tally::of([&self.warming].into_iter().chain(phases), server).await
    }

    pub(crate) fn table(&self) -> Table {
        let signals = self.warming.signals();
        let names: Vec<&str> = signals.iter().map(|signal| signal.name()).collect();
        let mut table = Table::new([
            "",
            &format!("{} a second sent", names.join(", ")),
            "acknowledged",
            "requests put off, of all",
            "p50, p99 until acknowledged, ms",
            "MB of memory at most",
            "MB of journal at most",
        ]);
        for Phase { what, answers, course } in &self.phases {
            let rate = |rows: &dyn Fn(Signal) -> usize| {
                let of_each =
                    signals.iter().map(|signal| thousands(rows(*signal) as f64 / answers.lasted().as_secs_f64()));
                of_each.collect::<Vec<_>>().join(", ")
            };
            table.row([
                (*what).to_owned(),
                rate(&|signal| answers.sent(signal)),
                rate(&|signal| answers.acknowledged(signal)),
                format!("{:.1} %", 100.0 * answers.put_off() as f64 / answers.len() as f64),
                format!("{:.1}, {:.1}", answers.acknowledge_ms(0.5), answers.acknowledge_ms(0.99)),
                format!("{:.0}", most(&course.resident) / 1e6),
                format!("{:.0}", most(&course.journal) / 1e6),
            ]);
        }
        table
    }

    /// Whether memory and journal stayed level, and how long it took until all was as before.
    pub(crate) fn levels(&self) -> String {
        let [_, half, _, again] = &self.phases;
        let (memory, journal) = (growth(&half.course.resident), growth(&half.course.journal));
        let usual_ms = worst_window_ms(&half.answers);
        let recovered = match recovered_after(&again.answers, usual_ms) {
            Some(seconds) => format!("after {seconds} s"),
            None => "**not at all**".to_owned(),
        };
        format!(
            "Last quarter of the long half to its second quarter: memory **{memory:.2}**, journal **{journal:.2}**. Once the \
             load fell from twice to half, the p99 of {} s was back within what the long half had ({usual_ms:.1} ms at worst) \
             {recovered}.",
            WINDOW.as_secs()
        )
    }
}

/// All send over [`CONNECTIONS`] together, each as fast as it is answered.
async fn flat_out(senders: &[Sender], lasts: Duration) -> Result<Answers, Fault> {
    let each = CONNECTIONS / senders.len();
    Ok(Answers::of_all(try_join_all(senders.iter().map(|of| closed_loop(of, each, lasts))).await?))
}

fn thousands(number: f64) -> String {
    format!("{:.0} k", number / 1e3)
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
