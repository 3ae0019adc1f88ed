//! The integrals of a cluster through all that happened to the fleet: one world after the other.

use std::sync::Arc;

use crate::site::Site;
use crate::track::Track;
use crate::world::World;

/// Steps in which the load goes over from one world to the next.
pub(crate) const STEPS: i64 = 3;

/// What is true from an instant on.
#[derive(Debug, Clone)]
pub(crate) struct Stage {
    /// Its first instant; of no account for the first stage.
    pub(crate) start_ms: i64,
    /// The world that is left.
    pub(crate) from: Arc<World>,
    /// The world that is entered.
    pub(crate) to: Arc<World>,
    /// How many [`STEPS`] of the way are gone.
    pub(crate) step: i64,
}

/// The integrals of one cluster.
#[derive(Debug)]
pub(crate) struct Course {
    cluster: usize,
    /// The stages, each with the integral of every track at its start.
    stages: Vec<(Stage, Box<[i64]>)>,
}

impl Course {
    /// Puts stages together, ordered by their start, so that no integral jumps where one follows another.
    pub(crate) fn new(cluster: usize, stages: &[Stage]) -> Self {
        let mut course = Course { cluster, stages: Vec::with_capacity(stages.len()) };
        for stage in stages {
            let tracks = stage.from.tracks(cluster);
            let at_start = match course.stages.is_empty() {
                true => Box::from([]),
                false => (0..tracks).map(|index| course.until(index, stage.start_ms)).collect(),
            };
            course.stages.push((stage.clone(), at_start));
        }
        course
    }

    /// What has passed between two instants, in millionths; nothing if they are the wrong way round.
    #[inline]
    pub(crate) fn between(&self, site: &Site, track: Track, from_ms: i64, to_ms: i64) -> i64 {
        if to_ms <= from_ms {
            return 0;
        }
        let index = track.index(site);
        self.until(index, to_ms).wrapping_sub(self.until(index, from_ms))
    }

    /// The rate a second.
    #[inline]
    pub(crate) fn rate(&self, site: &Site, track: Track, time_ms: i64) -> f64 {
        let index = track.index(site);
        let (stage, _) = self.stage(time_ms);
        let from = stage.from.curve(self.cluster, index).rate(time_ms);
        if stage.step == 0 {
            return from;
        }
        let to = stage.to.curve(self.cluster, index).rate(time_ms);
        from + (to - from) * stage.step as f64 / STEPS as f64
    }

    fn stage(&self, time_ms: i64) -> &(Stage, Box<[i64]>) {
        let at = self.stages.iter().rposition(|(stage, _)| stage.start_ms <= time_ms).unwrap_or(0);
        &self.stages[at]
    }

    /// What has passed by `time_ms`; only differences mean something.
    fn until(&self, index: usize, time_ms: i64) -> i64 {
        let (stage, at_start) = self.stage(time_ms);
        let from = stage.from.curve(self.cluster, index);
        let Some(at_start) = at_start.get(index) else { return from.until(time_ms) };
        let passed = from.until(time_ms).wrapping_sub(from.until(stage.start_ms));
        if stage.step == 0 {
            return at_start.wrapping_add(passed);
        }
        let to = stage.to.curve(self.cluster, index);
        let passed_there = to.until(time_ms).wrapping_sub(to.until(stage.start_ms));
        at_start.wrapping_add((passed * (STEPS - stage.step) + passed_there * stage.step) / STEPS)
    }
}

#[cfg(test)]
mod tests;
