//! Scraping: fetches the pages of targets, as Prometheus does.
//!
//! Owns: which jobs there are, the targets of each with one background task a target, and what happens to their series
//! when they come and go.
//! Does not own: where targets are found (`discovery`), the formats of pages (`decode`), the store ([`model::Ingest`]).
//!
//! ```text
//! discovery ─> pool (which targets) ─> task (when) ─> attempt ─> fetch ─> page ─> memory ─> write ─> teller
//!                                                                                   └ conditions ─ relabel
//! ```

mod attempt;
mod conditions;
mod job;
mod memory;
mod page;
mod pool;
mod target;

use std::sync::Arc;

use futures::future::join_all;
use model::Error;

use self::pool::Pool;
use crate::Parts;
use crate::config::Config;
use crate::metrics::Metrics;

pub(crate) use self::job::Job;

/// All jobs that are being scraped.
#[derive(Debug)]
pub(crate) struct Scraping {
    parts: Parts,
    metrics: Arc<Metrics>,
    pools: Vec<Pool>,
}

impl Scraping {
    /// Begins to scrape the targets of every job of the configuration.
    ///
    /// # Errors
    /// `Invalid` if the configuration is wrong.
    pub(crate) fn start(config: &Config, parts: Parts, metrics: Arc<Metrics>) -> Result<Self, Error> {
        let mut scraping = Scraping { parts, metrics, pools: Vec::new() };
        for job in config.jobs(&scraping.metrics)? {
            let pool = Pool::start(Arc::new(job), scraping.parts.clone(), Default::default())?;
            scraping.pools.push(pool);
        }
        Ok(scraping)
    }

    /// Goes over to another configuration. Jobs whose entry is the same are not touched. Targets of a job whose entry
    /// changed are scraped by their old one until discovery has found them again, and miss no scrape. The series of targets
    /// that are gone end with markers.
    ///
    /// # Errors
    /// `Invalid` if the configuration is wrong; everything goes on as it was then.
    pub(crate) async fn reload(&mut self, config: &Config) -> Result<(), Error> {
        let wanted = config.jobs(&self.metrics)?;
        let is_same = |pool: &Pool, job: &Job| pool.job().config == job.config && !pool.is_dead();
        let pools = std::mem::take(&mut self.pools);
        let (kept, over): (Vec<Pool>, Vec<Pool>) =
            pools.into_iter().partition(|pool| wanted.iter().any(|job| is_same(pool, job)));
        let begun = wanted.into_iter().filter(|job| !kept.iter().any(|pool| is_same(pool, job)));
        let begun: Vec<Job> = begun.collect();
        self.pools = kept;
        let mut over = join_all(over.into_iter().map(Pool::release)).await;
        for job in begun {
            let same_job = |(old, _): &(Arc<Job>, _)| old.is_called_as(&job);
            let tasks = over.iter().position(same_job).map(|at| over.swap_remove(at).1).unwrap_or_default();
            self.pools.push(Pool::start(Arc::new(job), self.parts.clone(), tasks)?);
        }
        join_all(over.into_iter().map(|(job, tasks)| pool::end(job, self.parts.clone(), tasks))).await;
        self.metrics.forget_unused();
        Ok(())
    }

    /// Stops scraping. No series is marked: after the next start it goes on, as with Prometheus.
    pub(crate) async fn stop(self) {
        join_all(self.pools.into_iter().map(Pool::stop)).await;
    }
}
