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

pub(crate) use self::job::Job;

/// All jobs that are being scraped.
#[derive(Debug)]
pub(crate) struct Scraping {
    parts: Parts,
    pools: Vec<Pool>,
}

impl Scraping {
    /// Begins to scrape the targets of these jobs.
    ///
    /// # Errors
    /// `Invalid` if a list of targets cannot be asked for.
    pub(crate) fn start(jobs: &[Arc<Job>], parts: Parts) -> Result<Self, Error> {
        let mut scraping = Scraping { parts, pools: Vec::new() };
        for job in jobs {
            let pool = Pool::start(job.clone(), scraping.parts.clone(), Default::default())?;
            scraping.pools.push(pool);
        }
        Ok(scraping)
    }

    /// Goes over to other jobs. Jobs whose entry is the same are not touched. Targets of a job whose entry
    /// changed are scraped by their old one until discovery has found them again, and miss no scrape. The series of targets
    /// that are gone end with markers.
    ///
    /// # Errors
    /// As [`Scraping::start`].
    pub(crate) async fn reload(&mut self, wanted: &[Arc<Job>]) -> Result<(), Error> {
        let is_same = |pool: &Pool, job: &Job| pool.job().config == job.config && !pool.is_dead();
        let pools = std::mem::take(&mut self.pools);
        let (kept, over): (Vec<Pool>, Vec<Pool>) =
            pools.into_iter().partition(|pool| wanted.iter().any(|job| is_same(pool, job)));
        let begun = wanted.iter().filter(|job| !kept.iter().any(|pool| is_same(pool, job)));
        let begun: Vec<Arc<Job>> = begun.cloned().collect();
        self.pools = kept;
        let mut over = join_all(over.into_iter().map(Pool::release)).await;
        for job in begun {
            let same_job = |(old, _): &(Arc<Job>, _)| old.is_called_as(&job);
            let tasks = over.iter().position(same_job).map(|at| over.swap_remove(at).1).unwrap_or_default();
            self.pools.push(Pool::start(job, self.parts.clone(), tasks)?);
        }
        join_all(over.into_iter().map(|(job, tasks)| pool::end(job, self.parts.clone(), tasks))).await;
        Ok(())
    }

    /// Stops scraping. No series is marked: after the next start it goes on, as with Prometheus.
    pub(crate) async fn stop(self) {
        join_all(self.pools.into_iter().map(Pool::stop)).await;
    }
}
