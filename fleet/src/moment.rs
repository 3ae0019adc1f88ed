//! A cluster at one instant: its pods, and what they have done so far.

use std::collections::HashMap;
use std::sync::Arc;

use crate::chance::Chance;
use crate::course::Course;
use crate::curve::MICRO;
use crate::identity::Identity;
use crate::life::{Life, State};
use crate::plan::Plans;
use crate::site::Site;
use crate::track::{PodTrack, Track};
use crate::workload::{Drive, SIDECAR_SHARE, Workload};

const PAGE_BYTES: f64 = 4096.0;
const MIB: f64 = (1 << 20) as f64;
const HOUR_MS: f64 = 3_600_000.0;

/// What is known of pods whose names were already made, so that a player of history makes each name once.
#[derive(Debug, Default)]
pub(crate) struct Names(HashMap<(u64, u32), Named>);

#[derive(Debug)]
struct Named {
    identity: Arc<Identity>,
    asked_ms: i64,
}

impl Names {
    fn of(&mut self, site: &Site, at: (usize, usize), life: &Life, id: u64, time_ms: i64) -> Arc<Identity> {
        let new = || Named { identity: Arc::new(Identity::new(site, at, life, id)), asked_ms: time_ms };
        let named = self.0.entry((id, life.restarts)).or_insert_with(new);
        named.asked_ms = time_ms;
        Arc::clone(&named.identity)
    }

    /// Forgets the pods that nobody asked for since `time_ms`.
    pub(crate) fn forget(&mut self, time_ms: i64) {
        self.0.retain(|_, named| named.asked_ms >= time_ms);
    }
}

/// A pod.
#[derive(Debug)]
pub(crate) struct Pod {
    /// Different for every pod there ever is.
    pub(crate) id: u64,
    pub(crate) life: Life,
    /// Index of its workload.
    pub(crate) workload: usize,
    pub(crate) node: usize,
    pub(crate) identity: Arc<Identity>,
    chance: Chance,
    /// The instant that its counters are at.
    lagged_ms: i64,
}

/// A cluster at one instant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment<'a> {
    pub(crate) site: &'a Site,
    pub(crate) course: &'a Course,
    pub(crate) plans: &'a Plans,
    pub(crate) time_ms: i64,
}

impl Moment<'_> {
    /// The pods, in the order of workloads and slots.
    pub(crate) fn pods(&self, names: &mut Names) -> Vec<Pod> {
        let workloads = 0..self.site.workloads.len();
        workloads.flat_map(|workload| self.pods_of(workload, names)).collect()
    }

    /// The pods of one workload.
    pub(crate) fn pods_of(&self, at: usize, names: &mut Names) -> Vec<Pod> {
        let workload = &self.site.workloads[at];
        let pod = |slot| {
            let life = Life::at(self.site, self.plans, at, slot, self.time_ms)?;
            let chance = workload.chance.of(slot as u64).at(life.born_ms);
            let identity = names.of(self.site, (at, slot), &life, chance.number(), self.time_ms);
            Some(Pod {
                id: chance.number(),
                life,
                workload: at,
                node: self.site.node_of(workload, slot),
                identity,
                chance,
                lagged_ms: self.time_ms - chance.lag_ms(self.time_ms),
            })
        };
        (0..workload.most).filter_map(pod).collect()
    }

    /// The index of a workload of the cluster's own.
    pub(crate) fn workload(&self, name: &str) -> Option<usize> {
        self.site.workloads.iter().position(|workload| workload.name == name)
    }

    /// When the pod of a workload with one pod was started; the present if there is none.
    pub(crate) fn started_ms(&self, name: &str) -> i64 {
        let life = self.workload(name).and_then(|at| Life::at(self.site, self.plans, at, 0, self.time_ms));
        life.map_or(self.time_ms, |life| life.started_ms)
    }

    /// Seconds since an instant; none before it.
    pub(crate) fn seconds_since(&self, from_ms: i64) -> f64 {
        (self.time_ms - from_ms).max(0) as f64 / 1000.0
    }

    /// How much of a track has passed since an instant, in its own unit.
    pub(crate) fn since(&self, track: Track, from_ms: i64) -> f64 {
        self.course.between(self.site, track, from_ms, self.time_ms) as f64 / MICRO
    }

    /// The rate of a track.
    pub(crate) fn rate(&self, track: Track) -> f64 {
        self.course.rate(self.site, track, self.time_ms)
    }

    /// The part of the requests to an application's deployment that take long.
    pub(crate) fn slow_share(&self, workload: usize) -> f64 {
        let all = self.rate(Track::Pod(workload, PodTrack::Work));
        if all > 0.0 { self.rate(Track::Pod(workload, PodTrack::Slow)) / all } else { 0.0 }
    }

    /// What a pod of an application has done since it serves, in millionths.
    pub(crate) fn served(&self, pod: &Pod, track: PodTrack) -> f64 {
        self.course.between(self.site, Track::Pod(pod.workload, track), pod.life.serves_ms, pod.lagged_ms) as f64
    }

    /// Requests that have come to a pod of an application since it was made, whatever became of its containers.
    pub(crate) fn requests_ever(&self, pod: &Pod) -> f64 {
        if !self.site.workloads[pod.workload].is_application() {
            return 0.0;
        }
        let earlier = pod.life.served_ms.map_or(0, |(from_ms, to_ms)| {
            let track = Track::Pod(pod.workload, PodTrack::Work);
            self.course.between(self.site, track, from_ms, to_ms.min(pod.lagged_ms))
        });
        (self.served(pod, PodTrack::Work) + earlier as f64) / MICRO
    }

    /// Requests a second that come to a pod.
    pub(crate) fn requests(&self, pod: &Pod) -> f64 {
        let workload = &self.site.workloads[pod.workload];
        if !pod.life.is_ready(self.time_ms) {
            return 0.0;
        }
        match workload.drive {
            Drive::Application { .. } => self.rate(Track::Pod(pod.workload, PodTrack::Work)),
            Drive::Service(service) => self.rate(Track::Service(service)) / workload.least as f64,
            Drive::Cluster => self.rate(Track::Cluster) / workload.least as f64,
        }
    }

    /// Core-seconds that a container of a pod has used since it was started.
    pub(crate) fn core_seconds(&self, pod: &Pod, container: usize) -> f64 {
        let of = &self.site.workloads[pod.workload];
        let started_ms = pod.life.started_ms;
        let busy = match of.drive {
            Drive::Application { .. } => self.served(pod, PodTrack::Cores) / MICRO,
            Drive::Service(service) => self.steady(of, self.since(Track::Service(service), started_ms)),
            Drive::Cluster => self.steady(of, self.since(Track::Cluster, started_ms)),
        };
        match container {
            0 => of.container.idle_cores * self.seconds_since(started_ms) + busy,
            _ => busy * SIDECAR_SHARE,
        }
    }

    fn steady(&self, workload: &Workload, requests: f64) -> f64 {
        workload.container.request_seconds * requests / workload.least as f64
    }

    /// Bytes that a container of a pod works with.
    pub(crate) fn memory_bytes(&self, pod: &Pod, container: usize) -> f64 {
        let of = &self.site.workloads[pod.workload].container;
        let noise = pod.chance.named("memory").of(container as u64).wander(self.time_ms, 120_000);
        let bytes = match container {
            0 => {
                let hours = (self.time_ms - pod.life.started_ms).max(0) as f64 / HOUR_MS;
                of.idle_bytes * (1.0 + 0.04 * noise) + of.rate_bytes * self.requests(pod) + of.hour_bytes * hours
            }
            _ => 32.0 * MIB + 2.0 * MIB * noise,
        };
        pages(bytes)
    }

    /// Bytes of the database of the API server, which grows until it is defragmented every week.
    pub(crate) fn database_bytes(&self) -> f64 {
        const WEEK_MS: i64 = 7 * 24 * 3_600_000;
        let phase_ms = self.site.chance.named("database").below(WEEK_MS as u64) as i64;
        let grown = (self.time_ms + phase_ms).rem_euclid(WEEK_MS) as f64 / WEEK_MS as f64;
        pages(MIB * (48.0 + 3.0 * self.site.nodes.len() as f64 + 24.0 * grown))
    }

    /// Whether a container of a pod runs.
    pub(crate) fn runs(&self, pod: &Pod, container: usize) -> bool {
        match pod.life.state {
            State::Creating => false,
            State::Running => true,
            State::BackOff => container > 0,
        }
    }

    /// How many containers a pod has.
    pub(crate) fn containers(&self, pod: &Pod) -> usize {
        1 + self.site.workloads[pod.workload].sidecars
    }
}

/// Whole pages of memory.
pub(crate) fn pages(bytes: f64) -> f64 {
    (bytes / PAGE_BYTES).floor() * PAGE_BYTES
}

/// A number with six decimals, as counters have that count microseconds.
pub(crate) fn micros(value: f64) -> f64 {
    (value * MICRO).floor() / MICRO
}
