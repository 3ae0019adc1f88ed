//! How many pods each workload has: what the autoscaler wants in each five minutes of the day.

use std::sync::Arc;

use model::time::DAY_MS;

use crate::curve::CELL_MS;
use crate::load::Load;
use crate::site::Site;
use crate::workload::{Drive, WANTED_PER_POD, Workload};

/// The autoscaler decides this often.
pub(crate) const WINDOW_MS: i64 = 300_000;
const WINDOWS: usize = (DAY_MS / WINDOW_MS) as usize;
/// It takes pods away only once it has wanted fewer for so many windows.
const PATIENCE: usize = 2;

/// How many pods each workload of a cluster has, the same every day.
#[derive(Debug)]
pub(crate) struct Plan(Vec<Scale>);

#[derive(Debug)]
enum Scale {
    Fixed(usize),
    /// By load.
    Scaled {
        /// Pods in each window.
        wanted: Box<[usize]>,
        /// For each slot and window, how many windows ago the slot was taken; `None` where it always is.
        taken: Vec<Box<[Option<usize>]>>,
    },
}

/// Since when there is a pod in a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Since {
    /// As far as the plan can tell, ever.
    Always,
    /// An instant.
    Time(i64),
}

impl Plan {
    /// The plan of a cluster under a load.
    pub(crate) fn new(site: &Site, load: Load<'_>) -> Self {
        Plan(site.workloads.iter().map(|workload| Scale::of(site, workload, load)).collect())
    }

    /// Since when slot `slot` of a workload has been taken at `time_ms`; `None` if it is not.
    pub(crate) fn since(&self, workload: usize, slot: usize, time_ms: i64) -> Option<Since> {
        match &self.0[workload] {
            Scale::Fixed(pods) => (slot < *pods).then_some(Since::Always),
            Scale::Scaled { wanted, taken } => {
                let window = (time_ms.rem_euclid(DAY_MS) / WINDOW_MS) as usize;
                (slot < wanted[window]).then(|| match taken[slot][window] {
                    None => Since::Always,
                    Some(ago) => Since::Time((time_ms.div_euclid(WINDOW_MS) - ago as i64) * WINDOW_MS),
                })
            }
        }
    }
}

impl Scale {
    fn of(site: &Site, workload: &Workload, load: Load<'_>) -> Self {
        let Drive::Application { service, fan } = workload.drive else {
            return Scale::Fixed(workload.least);
        };
        let wanted_now: Vec<usize> = (0..WINDOWS)
            .map(|window| {
                let cell = (window as i64 * WINDOW_MS / CELL_MS) as usize;
                let requests = load.expected(service, cell)[site.index] * fan;
                ((requests / WANTED_PER_POD).ceil() as usize).clamp(workload.least, workload.most)
            })
            .collect();
        let patient = |window: usize| (0..=PATIENCE).map(|ago| wanted_now[(window + WINDOWS - ago) % WINDOWS]).max();
        let wanted: Box<[usize]> = (0..WINDOWS).map(|window| patient(window).unwrap_or(workload.least)).collect();
        let taken = (0..workload.most).map(|slot| taken(&wanted, slot)).collect();
        Scale::Scaled { wanted, taken }
    }
}

/// For each window, how many windows ago a slot was taken, going round the day once.
fn taken(wanted: &[usize], slot: usize) -> Box<[Option<usize>]> {
    let is_taken = |window: usize, ago: usize| wanted[(window + WINDOWS - ago) % WINDOWS] > slot;
    (0..WINDOWS).map(|window| (0..WINDOWS).find(|ago| !is_taken(window, ago + 1))).collect()
}

/// The plans of a cluster, one after the other: silencing a cluster changes what the autoscalers of others want.
#[derive(Debug, Clone)]
pub(crate) struct Plans(Vec<(i64, Arc<Plan>)>);

/// A pod is made this long before it serves.
pub(crate) const START_MS: i64 = 30_000;

impl Plans {
    /// Plans with the instants at which they come into force, the first of which is disregarded.
    ///
    /// No plan may come into force in the first [`START_MS`] of a window of [`WINDOW_MS`]: a pod that the plan before has
    /// just made would not serve yet, though the new plan takes it for an old one.
    pub(crate) fn new(plans: Vec<(i64, Arc<Plan>)>) -> Self {
        debug_assert!(!plans.is_empty());
        debug_assert!(plans.iter().skip(1).all(|(start_ms, _)| start_ms.rem_euclid(WINDOW_MS) >= START_MS));
        Plans(plans)
    }

    /// Since when slot `slot` of a workload has been taken at `time_ms`; `None` if it is not.
    pub(crate) fn since(&self, workload: usize, slot: usize, time_ms: i64) -> Option<Since> {
        let after = self.0.iter().rposition(|(start_ms, _)| *start_ms <= time_ms).unwrap_or(0);
        if let Some(since) = self.since_of(after, workload, slot, time_ms) {
            return Some(since);
        }
        // The pods that the next plan wants are made in time for it.
        let (start_ms, plan) = self.0.get(after + 1)?;
        let is_near = time_ms >= start_ms - START_MS;
        (is_near && plan.since(workload, slot, *start_ms).is_some()).then_some(Since::Time(start_ms - START_MS))
    }

    fn since_of(&self, at: usize, workload: usize, slot: usize, time_ms: i64) -> Option<Since> {
        let (start_ms, plan) = &self.0[at];
        let since = plan.since(workload, slot, time_ms)?;
        let is_older = match since {
            Since::Always => true,
            Since::Time(since_ms) => since_ms < *start_ms,
        };
        if at == 0 || !is_older {
            return Some(since);
        }
        // Taken under the plan before, or made for this one.
        let before = self.since_of(at - 1, workload, slot, start_ms - 1);
        Some(before.unwrap_or(Since::Time(start_ms - START_MS)))
    }
}

#[cfg(test)]
mod tests;
