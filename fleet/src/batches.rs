//! The past of a cluster as batches, for [`model::Ingest`].

use std::ops::Range;

use model::Batch;

use crate::cluster::Cluster;
use crate::moment::Names;
use crate::recorder::Recorder;
use crate::scrape::{Job, scrape};

/// A batch ends with the scrape that brings it to so many samples.
const SAMPLES: usize = 50_000;

/// The past of a cluster, batch by batch.
///
/// A batch shares its body, the labels of its series, with the batches before it for as long as no new series come, and
/// each series' labels are written and hashed once, however many samples it has.
#[derive(Debug)]
pub struct Batches {
    cluster: Cluster,
    /// The scrapes that are left: the start of the next, and where they end.
    left: Range<i64>,
    step_ms: i64,
    names: Names,
    recorder: Recorder,
}

impl Batches {
    pub(crate) fn new(cluster: Cluster, times: Range<i64>, step_ms: i64) -> Self {
        // Scrapes are at the same instants whatever is asked for.
        let first_ms = -(-times.start).div_euclid(step_ms) * step_ms;
        let left = first_ms..times.end;
        Batches { cluster, left, step_ms, names: Names::default(), recorder: Recorder::default() }
    }

    fn step(&mut self) {
        let site = self.cluster.site();
        for job in Job::ALL {
            let time_ms = self.left.start + job.phase_ms(site) % self.step_ms;
            if !self.cluster.is_silent(time_ms) {
                self.recorder.begin_scrape(job, time_ms);
                scrape(&self.cluster.moment(time_ms), job, &mut self.names, &mut self.recorder);
                self.recorder.end_scrape();
            }
        }
        self.names.forget(self.left.start - self.step_ms);
        self.left.start += self.step_ms;
    }
}

impl Iterator for Batches {
    type Item = Batch;

    fn next(&mut self) -> Option<Batch> {
        while !self.left.is_empty() && self.recorder.samples_at_hand() < SAMPLES {
            self.step();
        }
        (self.recorder.samples_at_hand() > 0).then(|| self.recorder.take())
    }
}
