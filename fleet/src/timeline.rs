//! What was done to a fleet: clusters silenced and revived, and what follows from it when.

use std::collections::HashMap;
use std::sync::Arc;

use model::Error;

use crate::course::{STEPS, Stage};
use crate::curve::CELL_MS;
use crate::load::Load;
use crate::plan::{Plan, Plans, START_MS, WINDOW_MS};
use crate::silence::Silences;
use crate::site::Site;
use crate::world::World;

/// The autoscalers answer a change of load this much later.
const SCALE_AFTER_MS: i64 = 90_000;
/// The first instant of the first stage.
const BEGINNING_MS: i64 = i64::MIN;

/// A bit for each cluster that is gone.
type Gone = u64;

/// From an instant on, load goes over from one set of clusters that are gone to another.
#[derive(Debug, Clone, Copy)]
struct LoadStep {
    start_ms: i64,
    from: Gone,
    to: Gone,
    step: i64,
}

/// All that was done, in order of time, and the worlds that it takes to tell what was when.
#[derive(Debug)]
pub(crate) struct Timeline {
    silences: Silences,
    /// The last change.
    changed_ms: i64,
    gone: Gone,
    load: Vec<LoadStep>,
    /// Which clusters the plans in force from an instant on take for gone.
    plans: Vec<(i64, Gone)>,
    known_plans: HashMap<Gone, Vec<Arc<Plan>>>,
    known_worlds: HashMap<(Gone, Gone), Arc<World>>,
}

impl Timeline {
    /// Nothing was done yet.
    pub(crate) fn new(silences: Silences) -> Self {
        Timeline {
            silences,
            changed_ms: BEGINNING_MS,
            gone: 0,
            load: vec![LoadStep { start_ms: BEGINNING_MS, from: 0, to: 0, step: 0 }],
            plans: vec![(BEGINNING_MS, 0)],
            known_plans: HashMap::new(),
            known_worlds: HashMap::new(),
        }
    }

    /// A cluster is gone, or back, from `from_ms` on. Says whether that changes anything.
    ///
    /// Its load follows within half a minute, the autoscalers two minutes later. Nothing before `from_ms` changes.
    ///
    /// # Errors
    /// `Invalid` if the change before was later: the past is not rewritten.
    pub(crate) fn change(&mut self, cluster: usize, is_gone: bool, from_ms: i64) -> Result<bool, Error> {
        if from_ms < self.changed_ms {
            let what = format!("a change at {from_ms} ms is before the last one at {} ms", self.changed_ms);
            return Err(Error::invalid(what));
        }
        let bit = 1 << cluster;
        let gone = if is_gone { self.gone | bit } else { self.gone & !bit };
        if gone == self.gone {
            return Ok(false);
        }
        self.changed_ms = from_ms;
        // A change that comes while load still goes over waits until it has.
        let last_ms = self.load.last().map_or(BEGINNING_MS, |step| step.start_ms);
        let start_ms = up_to(from_ms, CELL_MS).max(last_ms);
        for step in 1..=STEPS {
            let start_ms = start_ms + (step - 1) * CELL_MS;
            let step = if step == STEPS {
                LoadStep { start_ms, from: gone, to: gone, step: 0 }
            } else {
                LoadStep { start_ms, from: self.gone, to: gone, step }
            };
            self.load.push(step);
        }
        let scaled_ms = not_early_in_window(start_ms + SCALE_AFTER_MS);
        self.plans.retain(|(start_ms, _)| *start_ms != scaled_ms);
        self.plans.push((scaled_ms, gone));
        self.gone = gone;
        Ok(true)
    }

    /// The stages that all changes make, and the plans of each cluster.
    pub(crate) fn unroll(&mut self, sites: &[Arc<Site>]) -> (Vec<Stage>, Vec<Plans>) {
        let mut starts: Vec<i64> = self.load.iter().map(|step| step.start_ms).collect();
        starts.extend(self.plans.iter().map(|(start_ms, _)| *start_ms));
        starts.sort_unstable();
        starts.dedup();
        let mut stages = Vec::new();
        for start_ms in starts {
            let load = self.load.iter().rfind(|step| step.start_ms <= start_ms).copied();
            let plan = self.plans.iter().rfind(|(plan_ms, _)| *plan_ms <= start_ms).copied();
            let (Some(load), Some((_, plan))) = (load, plan) else { continue };
            let (from, to) = (self.world(sites, load.from, plan), self.world(sites, load.to, plan));
            stages.push(Stage { start_ms, from, to, step: load.step });
        }
        let in_force = self.plans.clone();
        let mut of_clusters = Vec::new();
        for cluster in 0..sites.len() {
            let plans = in_force.iter().map(|(start_ms, gone)| (*start_ms, self.plans(sites, *gone)[cluster].clone()));
            of_clusters.push(Plans::new(plans.collect()));
        }
        (stages, of_clusters)
    }

    fn world(&mut self, sites: &[Arc<Site>], gone: Gone, planned: Gone) -> Arc<World> {
        if let Some(world) = self.known_worlds.get(&(gone, planned)) {
            return Arc::clone(world);
        }
        let plans = self.plans(sites, planned);
        let world = Arc::new(World::new(Load { sites, gone }, &self.silences, &plans));
        self.known_worlds.insert((gone, planned), Arc::clone(&world));
        world
    }

    fn plans(&mut self, sites: &[Arc<Site>], gone: Gone) -> Vec<Arc<Plan>> {
        let load = Load { sites, gone };
        let new = || sites.iter().map(|site| Arc::new(Plan::new(site, load))).collect();
        self.known_plans.entry(gone).or_insert_with(new).clone()
    }
}

/// The next multiple of `unit_ms`.
fn up_to(time_ms: i64, unit_ms: i64) -> i64 {
    -(-time_ms).div_euclid(unit_ms) * unit_ms
}

/// The first instant from `time_ms` on at which plans may change.
fn not_early_in_window(time_ms: i64) -> i64 {
    let into = time_ms.rem_euclid(WINDOW_MS);
    if into < START_MS { time_ms - into + START_MS } else { time_ms }
}

#[cfg(test)]
mod tests;
