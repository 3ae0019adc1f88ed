//! What a cluster is made of, whatever the time: nodes, namespaces, workloads, and where each pod belongs.

use std::collections::BTreeMap;

use crate::chance::Chance;
use crate::settings::Settings;
use crate::track::OF_POD;
use crate::workload::{Drive, Keeper, MONITORING, SYSTEM, UPGRADE_EVERY_MS, Workload, application, database, system};

/// Cores that a node's kernel and kubelet use for each of its processors, besides what containers use.
pub(crate) const NODE_IDLE_CORES: f64 = 0.05;
/// The part of a node's processors that its containers use at most.
const MOST_BUSY: f64 = 0.7;
/// Memory for each processor.
const BYTES_PER_CPU: f64 = (4u64 << 30) as f64;

/// A place and what it is called there: cluster, region, zone, hour (UTC) of the most load, role.
const PLACES: [(&str, &str, &str, f64, bool); 4] = [
    ("berlin", "eu-central-1", "eu-central-1a", 13.0, true),
    ("frankfurt", "eu-central-1", "eu-central-1b", 13.0, false),
    ("dublin", "eu-west-1", "eu-west-1a", 14.5, false),
    ("london", "eu-west-1", "eu-west-1b", 14.5, true),
];
/// The first applications; further ones are numbered.
const APPLICATIONS: [&str; 3] = ["shop", "payments", "search"];
/// Requests a second at the busiest time, where an application is active.
const PEAKS: [f64; 3] = [400.0, 160.0, 280.0];
/// The application whose active clusters are the others' passive ones.
const SWAPPED: usize = PAYMENTS;
/// The places of the first applications among the services.
pub(crate) const SHOP: usize = 0;
pub(crate) const PAYMENTS: usize = 1;
pub(crate) const SEARCH: usize = 2;
/// What comes to a cluster where the application is passive: probes and little else.
const PASSIVE_SHARE: f64 = 0.02;

/// One application of the fleet.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    /// Its name, and that of its namespace.
    pub(crate) name: String,
    /// Requests a second at the busiest time.
    pub(crate) peak: f64,
}

/// A machine.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) address: String,
    pub(crate) is_control_plane: bool,
    pub(crate) chance: Chance,
}

impl Node {
    /// When it was last started.
    pub(crate) fn boot_ms(&self, time_ms: i64) -> i64 {
        let phase = self.chance.named("boot").below(UPGRADE_EVERY_MS as u64 / 60_000) as i64 * 60_000;
        (time_ms - phase).div_euclid(UPGRADE_EVERY_MS) * UPGRADE_EVERY_MS + phase
    }
}

/// A cluster.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) name: String,
    pub(crate) index: usize,
    pub(crate) region: &'static str,
    pub(crate) zone: &'static str,
    /// The hour (UTC) at which its users ask most.
    pub(crate) peak_hour: f64,
    /// For each service whether it is active here.
    pub(crate) active: Vec<bool>,
    pub(crate) services: Vec<Service>,
    pub(crate) nodes: Vec<Node>,
    /// Processors of each node.
    pub(crate) cpus: usize,
    /// Bytes of memory of each node.
    pub(crate) memory_bytes: f64,
    pub(crate) namespaces: Vec<String>,
    pub(crate) workloads: Vec<Workload>,
    /// How many workloads are deployments of applications.
    pub(crate) applied: usize,
    /// The workload whose first pod falls into a crash loop now and then.
    pub(crate) fragile: usize,
    pub(crate) chance: Chance,
}

/// The services of a fleet.
pub(crate) fn services(settings: &Settings) -> Vec<Service> {
    let name = |i: usize| match i / APPLICATIONS.len() {
        0 => APPLICATIONS[i].to_owned(),
        round => format!("{}-{}", APPLICATIONS[i % APPLICATIONS.len()], round + 1),
    };
    // Peaks are for two replicas, so that a larger fleet is as busy as a small one.
    let scale = settings.replicas as f64 / 2.0;
    (0..settings.namespaces).map(|i| Service { name: name(i), peak: PEAKS[i % PEAKS.len()] * scale }).collect()
}

impl Site {
    /// The cluster number `index`.
    pub(crate) fn new(seed: u64, settings: &Settings, index: usize) -> Self {
        let (city, region, zone, peak_hour, is_active) = PLACES[index % PLACES.len()];
        let name = match index / PLACES.len() {
            0 => city.to_owned(),
            round => format!("{city}-{}", round + 1),
        };
        let services = services(settings);
        let active: Vec<bool> = (0..services.len()).map(|service| is_active != (service == SWAPPED)).collect();
        let chance = Chance::new(seed).named(&name);
        let nodes: Vec<Node> = (0..settings.nodes).map(|i| node(chance, region, index, i)).collect();
        let mut workloads = Vec::new();
        for (i, service) in services.iter().enumerate() {
            for tier in 0..settings.deployments {
                let (least, most) = (settings.replicas, 3 * settings.replicas);
                let sidecars = settings.containers - 1;
                workloads.push(Workload { least, most, sidecars, ..application(&service.name, i, tier) });
            }
            workloads.push(database(&service.name, i));
        }
        workloads.extend(system(settings.nodes));
        place(&mut workloads, nodes.len(), chance);
        let namespaces = [SYSTEM, MONITORING].iter().map(|name| (*name).to_owned());
        let mut site = Site {
            index,
            region,
            zone,
            peak_hour,
            active,
            namespaces: namespaces.chain(services.iter().map(|service| service.name.clone())).collect(),
            applied: workloads.iter().filter(|workload| workload.is_application()).count(),
            fragile: fragile(&workloads),
            services,
            nodes,
            cpus: 0,
            memory_bytes: 0.0,
            workloads,
            chance,
            name,
        };
        site.cpus = site.needed_cpus(settings.clusters);
        site.memory_bytes = site.cpus as f64 * BYTES_PER_CPU;
        site
    }

    /// Its attributes as the configuration of a server has them.
    pub(crate) fn attributes(&self) -> model::Cluster {
        let role = |is_active: bool| if is_active { "active" } else { "passive" }.to_owned();
        let usual = PLACES[self.index % PLACES.len()].4;
        let other = self.services.iter().zip(&self.active).filter(|(_, is_active)| **is_active != usual);
        let services: BTreeMap<String, String> =
            other.map(|(service, is_active)| (service.name.clone(), role(*is_active))).collect();
        model::Cluster {
            name: self.name.clone(),
            region: self.region.to_owned(),
            zone: self.zone.to_owned(),
            provider: "aws".to_owned(),
            environment: "production".to_owned(),
            residency: "eu".to_owned(),
            role: role(usual),
            replica_label: String::new(),
            services,
        }
    }

    /// The node of a pod.
    pub(crate) fn node_of(&self, workload: &Workload, slot: usize) -> usize {
        match workload.keeper {
            Keeper::Node => 0,
            Keeper::DaemonSet => slot,
            // The control plane's node takes no other pods.
            Keeper::Deployment | Keeper::StatefulSet => 1 + (workload.first_node + slot) % (self.nodes.len() - 1),
        }
    }

    /// Its deployments of applications.
    pub(crate) fn applications(&self) -> impl Iterator<Item = (usize, &Workload)> {
        self.workloads.iter().enumerate().filter(|(_, workload)| workload.is_application())
    }

    /// The deployment of a service that faces the users.
    pub(crate) fn first_deployment(&self, service: usize) -> usize {
        let is_first = |workload: &Workload| match workload.drive {
            Drive::Application { service: of, .. } => of == service && workload.tier == 0,
            Drive::Service(_) | Drive::Cluster => false,
        };
        self.workloads.iter().position(is_first).unwrap_or_default()
    }

    /// The place of the first node's first curve among all curves.
    pub(crate) fn first_node_track(&self) -> usize {
        self.services.len() + 1 + self.applied * OF_POD
    }

    /// Processors so that no node is ever too busy, even if all requests of the fleet come to this cluster.
    fn needed_cpus(&self, clusters: usize) -> usize {
        let mut cores = vec![0.0; self.nodes.len()];
        let of_service = |service: usize| self.services[service].peak * clusters as f64;
        let of_all: f64 = (0..self.services.len()).map(of_service).sum();
        for workload in &self.workloads {
            let requests = match workload.drive {
                Drive::Application { .. } => f64::INFINITY,
                Drive::Service(service) => of_service(service),
                Drive::Cluster => of_all,
            };
            for slot in 0..workload.most {
                cores[self.node_of(workload, slot)] += workload.most_cores(requests / workload.most as f64);
            }
        }
        let most = cores.into_iter().fold(0.0, f64::max);
        let mut cpus = 4;
        while most > MOST_BUSY * cpus as f64 {
            cpus *= 2;
        }
        cpus
    }
}

/// Requests a second of a service that the users of a cluster ask for at their busiest.
pub(crate) fn peak(site: &Site, service: usize) -> f64 {
    site.services[service].peak * if site.active[service] { 1.0 } else { PASSIVE_SHARE }
}

/// Gives each workload its nodes, its addresses and its chance.
fn place(workloads: &mut [Workload], nodes: usize, chance: Chance) {
    let (mut next_node, mut next_address, mut ordinal) = (0, 0, 0);
    for workload in workloads {
        workload.ordinal = ordinal;
        ordinal += usize::from(workload.is_application());
        workload.chance = chance.named(&workload.namespace).named(&workload.name);
        workload.first_address = next_address;
        next_address += workload.most;
        if matches!(workload.keeper, Keeper::Deployment | Keeper::StatefulSet) {
            workload.first_node = next_node % (nodes - 1);
            next_node += workload.most;
        }
    }
}

/// The second deployment of the second application, or what comes nearest.
fn fragile(workloads: &[Workload]) -> usize {
    let tier_of = |workload: &Workload| match workload.drive {
        Drive::Application { service, .. } => Some((service == SWAPPED, workload.tier == 1)),
        _ => None,
    };
    (0..workloads.len()).max_by_key(|i| tier_of(&workloads[*i])).unwrap_or(0)
}

fn node(chance: Chance, region: &str, cluster: usize, index: usize) -> Node {
    let chance = chance.named("node").of(index as u64);
    let (third, fourth) = (index / 200, 10 + index % 200);
    Node {
        name: format!("ip-10-{cluster}-{third}-{fourth}.{region}.compute.internal"),
        address: format!("10.{cluster}.{third}.{fourth}"),
        is_control_plane: index == 0,
        chance,
    }
}
