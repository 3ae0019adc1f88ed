//! One day of the whole fleet as curves, given which clusters are gone and how many pods there are.

use std::sync::Arc;

use model::time::DAY_MS;

use crate::curve::{CELL_MS, CELLS, Curve};
use crate::life::Life;
use crate::load::Load;
use crate::plan::{Plan, Plans};
use crate::silence::Silences;
use crate::site::{NODE_IDLE_CORES, Site};
use crate::track::{NodeTrack, OF_POD, PodTrack, Track};
use crate::workload::{Drive, SIDECAR_SHARE, Workload};

/// Any day will do, since all are the same.
const DAY: i64 = 20_000;
/// Periods of the kernel's accounting of cores, a second.
pub(crate) const PERIODS_PER_SECOND: f64 = 10.0;

/// The curves of every cluster, in the order of [`Track::index`].
#[derive(Debug)]
pub(crate) struct World(Vec<Vec<Curve>>);

impl World {
    /// Works a day out: requests, from them what each pod does, and from that what each node does.
    pub(crate) fn new(load: Load<'_>, silences: &Silences, plans: &[Arc<Plan>]) -> Self {
        let services = load.sites.first().map_or(0, |site| site.services.len());
        // By service, cluster and cell.
        let requests: Vec<Vec<Vec<f64>>> = (0..services)
            .map(|service| {
                let mut of_clusters = vec![Vec::with_capacity(CELLS); load.sites.len()];
                for cell in 0..CELLS {
                    for (rates, served) in of_clusters.iter_mut().zip(load.served(silences, service, cell)) {
                        rates.push(served);
                    }
                }
                of_clusters
            })
            .collect();
        let days = load.sites.iter().zip(plans).enumerate().map(|(cluster, (site, plan))| {
            let requests = requests.iter().map(|of_clusters| of_clusters[cluster].as_slice()).collect();
            ClusterDay::new(site, requests, plan).curves()
        });
        World(days.collect())
    }

    /// A curve of a cluster.
    #[inline]
    pub(crate) fn curve(&self, cluster: usize, index: usize) -> &Curve {
        &self.0[cluster][index]
    }

    /// How many curves a cluster has.
    pub(crate) fn tracks(&self, cluster: usize) -> usize {
        self.0[cluster].len()
    }
}

/// The rates of one cluster in each cell.
struct ClusterDay<'a> {
    site: &'a Site,
    /// By service and cell.
    requests: Vec<&'a [f64]>,
    all_requests: Vec<f64>,
    plans: Plans,
    /// By node and [`NodeTrack`].
    nodes: Vec<[Vec<f64>; 2]>,
}

impl<'a> ClusterDay<'a> {
    fn new(site: &'a Site, requests: Vec<&'a [f64]>, plan: &Arc<Plan>) -> Self {
        let all_requests = (0..CELLS).map(|cell| requests.iter().map(|rates| rates[cell]).sum()).collect();
        let idle = NODE_IDLE_CORES * site.cpus as f64;
        let nodes = site.nodes.iter().map(|_| [vec![idle; CELLS], vec![0.0; CELLS]]).collect();
        ClusterDay { site, requests, all_requests, plans: Plans::new(vec![(0, Arc::clone(plan))]), nodes }
    }

    fn curves(mut self) -> Vec<Curve> {
        let site = self.site;
        let mut curves: Vec<Curve> = self.requests.iter().map(|rates| Curve::new(rates.iter().copied())).collect();
        curves.push(Curve::new(self.all_requests.iter().copied()));
        for (at, workload) in site.workloads.iter().enumerate() {
            match workload.drive {
                Drive::Application { service, fan } => curves.extend(self.applied(at, workload, service, fan)),
                Drive::Service(service) => {
                    let requests = self.requests[service];
                    self.steady(workload, requests);
                }
                Drive::Cluster => {
                    let requests = std::mem::take(&mut self.all_requests);
                    self.steady(workload, &requests);
                    self.all_requests = requests;
                }
            }
        }
        debug_assert_eq!(curves.len(), Track::Node(0, NodeTrack::Cores).index(site));
        curves.extend(self.nodes.into_iter().flatten().map(Curve::new));
        curves
    }

    /// The curves of one pod of an application's deployment; its nodes get what its pods do.
    fn applied(&mut self, at: usize, workload: &Workload, service: usize, fan: f64) -> [Curve; OF_POD] {
        let serving = self.serving(at, workload);
        let mut rates = [(); OF_POD].map(|()| Vec::with_capacity(CELLS));
        for (cell, requests) in self.requests[service].iter().enumerate() {
            let pods = serving.iter().filter(|cells| cells[cell]).count();
            let pace = pace(workload, requests * fan / pods.max(1) as f64);
            for (rates, rate) in rates.iter_mut().zip(pace) {
                rates.push(rate);
            }
        }
        let containers = 1.0 + SIDECAR_SHARE * workload.sidecars as f64;
        for (slot, cells) in serving.iter().enumerate() {
            let [node_cores, node_work] = &mut self.nodes[self.site.node_of(workload, slot)];
            for cell in (0..CELLS).filter(|cell| cells[*cell]) {
                node_cores[cell] += rates[PodTrack::Cores as usize][cell] * containers;
                node_work[cell] += rates[PodTrack::Work as usize][cell];
            }
        }
        rates.map(Curve::new)
    }

    /// By slot and cell whether a pod serves; where there is a pod, its node gets what it uses without serving.
    fn serving(&mut self, at: usize, workload: &Workload) -> Vec<Vec<bool>> {
        let mut serving = vec![vec![false; CELLS]; workload.most];
        for (slot, cells) in serving.iter_mut().enumerate() {
            let [node_cores, _] = &mut self.nodes[self.site.node_of(workload, slot)];
            for (cell, serves) in cells.iter_mut().enumerate() {
                let time_ms = DAY * DAY_MS + cell as i64 * CELL_MS;
                if let Some(life) = Life::at(self.site, &self.plans, at, slot, time_ms) {
                    node_cores[cell] += workload.container.idle_cores;
                    *serves = life.is_ready(time_ms);
                }
            }
        }
        serving
    }

    /// Gives the nodes of a workload that is not scaled what its pods use.
    fn steady(&mut self, workload: &Workload, requests: &[f64]) {
        let container = &workload.container;
        for slot in 0..workload.least {
            let [node_cores, _] = &mut self.nodes[self.site.node_of(workload, slot)];
            for (cores, requests) in node_cores.iter_mut().zip(requests) {
                *cores += container.idle_cores + container.request_seconds * requests / workload.least as f64;
            }
        }
    }
}

/// What a pod does that gets `requests` a second, in the order of [`PodTrack`]: the closer to what its cores allow, the
/// more of them take long and the more often it is held back.
fn pace(workload: &Workload, requests: f64) -> [f64; OF_POD] {
    let container = &workload.container;
    let (wanted, free) = (requests * container.request_seconds, container.free_cores());
    let use_of_limit = wanted / free;
    let slow = 0.01 + 0.9 * rise(use_of_limit, 0.5, 1.1);
    let throttled = 0.002 + 0.8 * rise(use_of_limit, 0.6, 1.15);
    [requests, requests * slow, wanted.min(free), PERIODS_PER_SECOND * throttled]
}

/// 0 up to `from`, 1 from `to` on, without a corner between.
fn rise(value: f64, from: f64, to: f64) -> f64 {
    let x = ((value - from) / (to - from)).clamp(0.0, 1.0);
    x * x * (3.0 - 2.0 * x)
}
