//! The silences that come by themselves: one cluster, for one minute in every ten.

use crate::chance::Chance;
use crate::curve::{CELL_MS, CELLS};
use model::time::DAY_MS;

/// One silence begins and ends in each stretch of this length.
const EVERY_MS: i64 = 600_000;
/// How long a silence lasts.
const LASTS_MS: i64 = 60_000;
/// Nothing happens this close to the ends of a stretch, so that no silence touches the next.
const MARGIN_MS: i64 = 60_000;
/// Cells over which load leaves a silent cluster, and comes back after it.
pub(crate) const SHIFT_CELLS: i64 = 3;

/// Which cluster is silent when: the same every day, so that its effect on counters is part of a day's curves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Silences {
    chance: Chance,
    clusters: u64,
    are_on: bool,
}

impl Silences {
    /// The silences of a fleet of `clusters` clusters; none at all unless `are_on`.
    pub(crate) fn new(seed: u64, clusters: usize, are_on: bool) -> Self {
        Silences { chance: Chance::new(seed).named("silences"), clusters: clusters as u64, are_on }
    }

    /// Whether nothing is to be heard of a cluster.
    pub(crate) fn is_silent(&self, cluster: usize, time_ms: i64) -> bool {
        self.since(cluster, time_ms.rem_euclid(DAY_MS)).is_some_and(|since_ms| (0..LASTS_MS).contains(&since_ms))
    }

    /// Which part of a cluster's own load is elsewhere in a cell of the day: its users notice a little later than it
    /// falls silent, and come back a little later than it does.
    pub(crate) fn gone(&self, cluster: usize, cell: usize) -> f64 {
        debug_assert!(cell < CELLS);
        let Some(since_ms) = self.since(cluster, cell as i64 * CELL_MS) else { return 0.0 };
        let (since, lasts) = (since_ms.div_euclid(CELL_MS), LASTS_MS / CELL_MS);
        let left = (since + 1).clamp(0, SHIFT_CELLS);
        let back = (since + 1 - lasts).clamp(0, SHIFT_CELLS);
        (left - back) as f64 / SHIFT_CELLS as f64
    }

    /// How long ago the silence of the stretch that holds a time of the day began, if it is this cluster's.
    fn since(&self, cluster: usize, time_of_day_ms: i64) -> Option<i64> {
        let (stretch, into) = (time_of_day_ms.div_euclid(EVERY_MS), time_of_day_ms.rem_euclid(EVERY_MS));
        let chance = self.chance.at(stretch);
        if !self.are_on || chance.named("cluster").below(self.clusters) != cluster as u64 {
            return None;
        }
        let room = (EVERY_MS - LASTS_MS - 2 * MARGIN_MS) / CELL_MS;
        let start = MARGIN_MS + chance.named("start").below(room as u64 + 1) as i64 * CELL_MS;
        Some(into - start)
    }
}

#[cfg(test)]
mod tests;
