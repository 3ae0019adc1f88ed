//! The life of a pod: made, ready, replaced, and now and then caught in a crash loop.

use crate::chance::Chance;
use crate::plan::{Plans, START_MS, Since};
use crate::site::Site;
use crate::workload::{ROLL_EVERY_MS, Workload};
use model::time::DAY_MS;

/// A pod's containers are made this long after the pod.
const CREATE_MS: i64 = 5_000;
/// When a looping container falls and when it is started again, in milliseconds since the loop began: it runs for eight
/// seconds at a time, and the kubelet waits twice as long each time, up to five minutes.
const CRASHES: [(i64, i64); 6] =
    [(0, 10_000), (18_000, 38_000), (46_000, 86_000), (94_000, 174_000), (182_000, 342_000), (350_000, 650_000)];
/// When the pod serves again, since the loop began.
const RECOVERED_MS: i64 = 660_000;
/// The part of a fragile pod's lives that have a loop.
const LOOPS: f64 = 0.5;

/// What the containers of a pod do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// They are being made.
    Creating,
    /// They run.
    Running,
    /// The first has fallen and waits for its next start.
    BackOff,
}

/// One pod at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Life {
    /// When it was made.
    pub(crate) born_ms: i64,
    /// Number of the roll that it came with.
    pub(crate) revision: i64,
    pub(crate) state: State,
    /// How often its first container was started again.
    pub(crate) restarts: u32,
    /// When its first container was last started.
    pub(crate) started_ms: i64,
    /// When it began to serve, or will.
    pub(crate) serves_ms: i64,
    /// When it began to serve at first and when a loop ended that, if there was a loop.
    pub(crate) served_ms: Option<(i64, i64)>,
}

impl Life {
    /// The pod in a slot of a workload at `time_ms`, if there is one.
    pub(crate) fn at(site: &Site, plans: &Plans, workload: usize, slot: usize, time_ms: i64) -> Option<Life> {
        let since = plans.since(workload, slot, time_ms)?;
        let of = &site.workloads[workload];
        let rolled_ms = of.roll_ms(slot, of.roll_of(slot, time_ms));
        let born_ms = match since {
            Since::Always => rolled_ms,
            Since::Time(since_ms) => since_ms.max(rolled_ms),
        };
        let started_ms = born_ms + CREATE_MS;
        let serves_ms = if of.is_application() { born_ms + START_MS } else { started_ms };
        let mut life = Life {
            born_ms,
            revision: of.roll_of(slot, born_ms),
            state: if time_ms < started_ms { State::Creating } else { State::Running },
            restarts: 0,
            started_ms,
            serves_ms,
            served_ms: None,
        };
        if workload == site.fragile && slot == 0 {
            life.loops(of, time_ms);
        }
        Some(life)
    }

    /// Whether it serves at `time_ms`.
    pub(crate) fn is_ready(&self, time_ms: i64) -> bool {
        self.serves_ms <= time_ms
    }

    /// The version of what runs in it.
    pub(crate) fn version(&self) -> String {
        format!("1.4.{}", self.revision.rem_euclid(1000))
    }

    fn loops(&mut self, workload: &Workload, time_ms: i64) {
        let Some(loop_ms) = loop_of(workload, self.revision) else { return };
        let into = time_ms - loop_ms;
        if into < 0 {
            return;
        }
        self.served_ms = Some((self.serves_ms, loop_ms));
        self.serves_ms = loop_ms + RECOVERED_MS;
        for (falls_ms, starts_ms) in CRASHES {
            if into >= starts_ms {
                self.restarts += 1;
                self.started_ms = loop_ms + starts_ms;
            } else if into >= falls_ms {
                self.state = State::BackOff;
            }
        }
    }
}

/// When the first pod of a fragile workload falls into a loop in the life that a roll began: well after this roll and
/// before the next, so that another pod serves. The same every day.
fn loop_of(workload: &Workload, roll: i64) -> Option<i64> {
    let of_day = roll.rem_euclid(DAY_MS / ROLL_EVERY_MS);
    let chance: Chance = workload.chance.named("loop").at(of_day);
    let minutes = 30 + chance.below(150) as i64;
    (chance.named("happens").fraction() < LOOPS).then(|| workload.roll_ms(0, roll) + minutes * 60_000)
}

#[cfg(test)]
mod tests;
