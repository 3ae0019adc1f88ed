//! What a server has promised, beside what it has: one row too few or too many is a fault.

use std::fmt::{self, Display};

use crate::Fault;
use crate::pace::{Answers, Signal};
use crate::process::Process;

/// Samples are counted in slices of time so long, in milliseconds, so that no single query takes long.
const SLICE_MS: usize = 60_000;

/// Of all signals that were sent.
pub(crate) struct Tally {
    signals: Vec<OfSignal>,
    /// What was told of the first request of which nobody knows what became of it.
    failure: Option<String>,
}

struct OfSignal {
    signal: Signal,
    acknowledged: usize,
    /// Rows of which the sender does not know whether they are there.
    unknown: usize,
    found: usize,
}

impl Tally {
    /// Counts all rows of a server that has none but those of these answers.
    pub(crate) async fn of<'a>(
        all: impl Iterator<Item = &'a Answers> + Clone,
        server: &Process,
    ) -> Result<Self, Fault> {
        let mut signals = Vec::new();
        for signal in Signal::ALL {
            let sum = |rows: fn(&Answers, Signal) -> usize| all.clone().map(|answers| rows(answers, signal)).sum();
            if all.clone().any(|answers| answers.sent(signal) > 0) {
                let (acknowledged, unknown) = (sum(Answers::acknowledged), sum(Answers::unknown));
                signals.push(OfSignal { signal, acknowledged, unknown, found: counted(server, signal).await? });
            }
        }
        let failure = all.clone().find_map(Answers::failure).map(str::to_owned);
        Ok(Tally { signals, failure })
    }

    /// # Errors
    /// If something that was acknowledged is not there, or something is there that nobody sent.
    pub(crate) fn verdict(&self) -> Result<(), Fault> {
        let is_right = |of: &OfSignal| (of.acknowledged..=of.acknowledged + of.unknown).contains(&of.found);
        match self.signals.iter().all(is_right) {
            true => Ok(()),
            false => Err(self.to_string().into()),
        }
    }
}

impl Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, OfSignal { signal, acknowledged, found, .. }) in self.signals.iter().enumerate() {
            let before = if place > 0 { "; " } else { "" };
            write!(f, "{before}{acknowledged} {} were acknowledged, {found} are there by SQL", signal.name())?;
        }
        let unknown: usize = self.signals.iter().map(|of| of.unknown).sum();
        match &self.failure {
            Some(failure) => write!(f, "; of {unknown} the senders do not know it, the first: {failure}"),
            None => f.write_str("; no request was left without an answer."),
        }
    }
}

async fn counted(server: &Process, signal: Signal) -> Result<usize, Fault> {
    match signal {
        Signal::Samples => samples(server).await,
        Signal::Lines => Ok(server.ask("SELECT count(*) FROM logs").await?.parse()?),
        Signal::Spans => Ok(server.ask("SELECT count(*) FROM spans").await?.parse()?),
    }
}

async fn samples(server: &Process) -> Result<usize, Fault> {
    let bounds = server.ask("SELECT min(time_ms), max(time_ms) FROM samples").await?;
    let (first, last) = bounds.split_once(',').ok_or_else(|| format!("{bounds:?} are no two times"))?;
    let (first, last): (i64, i64) = (first.parse()?, last.parse()?);
    let mut counted = 0;
    for from_ms in (first..=last).step_by(SLICE_MS) {
        let to_ms = (from_ms + SLICE_MS as i64).min(last + 1);
        let sql = format!("SELECT count(*) FROM samples WHERE time_ms >= {from_ms} AND time_ms < {to_ms}");
        counted += server.ask(&sql).await?.parse::<usize>()?;
    }
    Ok(counted)
}
