//! How many requests come to each cluster: its own users by the hour of the day, and those of clusters that are gone.

use std::f64::consts::TAU;
use std::sync::Arc;

use model::time::DAY_MS;

use crate::curve::{CELL_MS, CELLS};
use crate::silence::Silences;
use crate::site::{Site, peak};

/// The time between two values of the slow part of the noise.
const DRIFT_EVERY_MS: i64 = 1_800_000;
const DRIFT: f64 = 0.08;
const NOISE: f64 = 0.04;
/// How much likelier load goes to a cluster of the same region.
const NEAR: f64 = 2.0;

/// The load of a fleet of which some clusters were silenced for good.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load<'a> {
    pub(crate) sites: &'a [Arc<Site>],
    /// A bit for each cluster that was silenced.
    pub(crate) gone: u64,
}

impl Load<'_> {
    /// Requests a second of one service that each cluster serves in a cell of the day.
    pub(crate) fn served(&self, silences: &Silences, service: usize, cell: usize) -> Vec<f64> {
        let own = self.sites.iter().map(|site| own(site, service, cell) * noise(site, service, cell)).collect();
        self.shifted(own, |cluster| self.is_gone(cluster).max(silences.gone(cluster, cell)))
    }

    /// The same as the autoscaler sees it, which looks over minutes: no noise, and no silence that passes.
    pub(crate) fn expected(&self, service: usize, cell: usize) -> Vec<f64> {
        let own = self.sites.iter().map(|site| own(site, service, cell)).collect();
        self.shifted(own, |cluster| self.is_gone(cluster))
    }

    fn is_gone(&self, cluster: usize) -> f64 {
        (self.gone >> cluster & 1) as f64
    }

    /// Moves the load of clusters that are gone to the others. What nobody is left for is lost.
    fn shifted(&self, own: Vec<f64>, gone: impl Fn(usize) -> f64) -> Vec<f64> {
        let gone: Vec<f64> = (0..own.len()).map(gone).collect();
        if gone.iter().all(|gone| *gone == 0.0) {
            return own;
        }
        let mut served: Vec<f64> = own.iter().zip(&gone).map(|(own, gone)| own * (1.0 - gone)).collect();
        for from in (0..own.len()).filter(|from| gone[*from] > 0.0) {
            let weight = |to: usize| {
                let is_near = self.sites[to].region == self.sites[from].region;
                if to == from { 0.0 } else { (1.0 - gone[to]) * if is_near { NEAR } else { 1.0 } }
            };
            let all: f64 = (0..own.len()).map(weight).sum();
            if all > 0.0 {
                for (to, served) in served.iter_mut().enumerate() {
                    *served += own[from] * gone[from] * weight(to) / all;
                }
            }
        }
        served
    }
}

/// What the users of a cluster ask for, before anything happens to it.
fn own(site: &Site, service: usize, cell: usize) -> f64 {
    let time_ms = cell as i64 * CELL_MS;
    let angle = TAU * (time_ms as f64 / DAY_MS as f64 - site.peak_hour / 24.0);
    let hour = 0.62 + 0.30 * angle.cos() + 0.08 * (2.0 * angle).cos();
    let drift = site.chance.named("drift").of(service as u64);
    // The last stretch of the day leads back to the first.
    let stretch = (time_ms / DRIFT_EVERY_MS, time_ms % DRIFT_EVERY_MS);
    let drawn = |stretch: i64| drift.at(stretch % (DAY_MS / DRIFT_EVERY_MS)).fraction();
    let (from, to) = (drawn(stretch.0), drawn(stretch.0 + 1));
    let drift = from + (to - from) * stretch.1 as f64 / DRIFT_EVERY_MS as f64;
    peak(site, service) * hour * (1.0 + DRIFT * (2.0 * drift - 1.0))
}

fn noise(site: &Site, service: usize, cell: usize) -> f64 {
    debug_assert!(cell < CELLS);
    let chance = site.chance.named("noise").of(service as u64).of(cell as u64);
    1.0 + NOISE * (2.0 * chance.fraction() - 1.0)
}

#[cfg(test)]
mod tests;
