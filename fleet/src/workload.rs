//! What runs in a cluster: applications, their databases, and what every cluster has.

use crate::chance::Chance;
use crate::curve::CELL_MS;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const MIB: f64 = (1 << 20) as f64;

/// An application's deployment is rolled this often; a day is a multiple of it.
pub(crate) const ROLL_EVERY_MS: i64 = 4 * HOUR_MS;
/// Everything else restarts this often, when the cluster is upgraded.
pub(crate) const UPGRADE_EVERY_MS: i64 = 28 * 24 * HOUR_MS;
/// The time between two pods of one roll.
pub(crate) const ROLL_STEP_MS: i64 = MINUTE_MS;
/// Requests a second that the autoscaler wants a pod to have.
pub(crate) const WANTED_PER_POD: f64 = 80.0;

/// What keeps the pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keeper {
    /// A Deployment, through a ReplicaSet.
    Deployment,
    /// A StatefulSet.
    StatefulSet,
    /// A DaemonSet: one pod a node.
    DaemonSet,
    /// The kubelet of the control plane's node, from a file.
    Node,
}

/// What makes a workload work.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Drive {
    /// It serves so many requests for each of its application's, and is scaled to them.
    Application {
        /// Index of the service.
        service: usize,
        /// Requests for each of the service's.
        fan: f64,
    },
    /// The requests of one service.
    Service(usize),
    /// The requests of all services of the cluster.
    Cluster,
}

/// The main container of a workload's pods.
#[derive(Debug, Clone)]
pub(crate) struct Container {
    pub(crate) name: String,
    pub(crate) image: String,
    /// Cores it uses when nothing happens.
    pub(crate) idle_cores: f64,
    /// Core-seconds a request.
    pub(crate) request_seconds: f64,
    /// Its limit of cores, if it has one.
    pub(crate) limit_cores: Option<f64>,
    /// Bytes it needs when nothing happens.
    pub(crate) idle_bytes: f64,
    /// Bytes more for each request a second.
    pub(crate) rate_bytes: f64,
    /// Bytes more for each hour since it began.
    pub(crate) hour_bytes: f64,
}

impl Container {
    /// Cores that requests may use.
    pub(crate) fn free_cores(&self) -> f64 {
        self.limit_cores.map_or(f64::INFINITY, |limit| limit - self.idle_cores)
    }

    /// The cores that are asked for.
    pub(crate) fn wanted_cores(&self) -> f64 {
        self.limit_cores.map_or(self.idle_cores, |limit| limit / 2.0)
    }

    /// The limit of memory: the next power of two that leaves half as much again.
    pub(crate) fn limit_bytes(&self) -> f64 {
        let most = self.idle_bytes + 150.0 * self.rate_bytes;
        let mut limit = 64.0 * MIB;
        while limit < 1.5 * most {
            limit *= 2.0;
        }
        limit
    }
}

/// Pods of one kind.
#[derive(Debug, Clone)]
pub(crate) struct Workload {
    pub(crate) keeper: Keeper,
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) drive: Drive,
    /// Pods there are at least.
    pub(crate) least: usize,
    /// Pods there are at most.
    pub(crate) most: usize,
    pub(crate) container: Container,
    /// Further containers, each of which uses [`SIDECAR_SHARE`] of what the requests cost the first.
    pub(crate) sidecars: usize,
    /// Bytes of the volume of each pod, if it has one.
    pub(crate) volume_bytes: Option<f64>,
    pub(crate) is_host_network: bool,
    /// Which of the application's deployments it is; 0 faces the users.
    pub(crate) tier: usize,
    /// The node of slot 0; the others follow one by one.
    pub(crate) first_node: usize,
    /// Number of the first slot's address.
    pub(crate) first_address: usize,
    /// Its number among the applications' deployments of the cluster.
    pub(crate) ordinal: usize,
    pub(crate) chance: Chance,
}

/// Cores of a sidecar for each core that requests cost the main container.
pub(crate) const SIDECAR_SHARE: f64 = 0.25;

impl Workload {
    /// Whether it is an application's deployment, which is scaled, rolled and asked for metrics of its requests.
    pub(crate) fn is_application(&self) -> bool {
        matches!(self.drive, Drive::Application { .. })
    }

    /// How often its pods are replaced.
    pub(crate) fn roll_every_ms(&self) -> i64 {
        if self.is_application() { ROLL_EVERY_MS } else { UPGRADE_EVERY_MS }
    }

    /// When in each period the pod of `slot` is replaced.
    pub(crate) fn roll_phase_ms(&self, slot: usize) -> i64 {
        let cells = self.roll_every_ms() / CELL_MS;
        let first = self.chance.named("roll").below(cells as u64) as i64 * CELL_MS;
        first + slot as i64 * ROLL_STEP_MS
    }

    /// Number of the last roll of `slot` at or before `time_ms`.
    pub(crate) fn roll_of(&self, slot: usize, time_ms: i64) -> i64 {
        (time_ms - self.roll_phase_ms(slot)).div_euclid(self.roll_every_ms())
    }

    /// When roll `roll` comes to `slot`.
    pub(crate) fn roll_ms(&self, slot: usize, roll: i64) -> i64 {
        roll * self.roll_every_ms() + self.roll_phase_ms(slot)
    }

    /// The most cores one pod can use, if `requests` a second come to each.
    pub(crate) fn most_cores(&self, requests: f64) -> f64 {
        let container = &self.container;
        let busy = (requests * container.request_seconds).min(container.free_cores());
        container.idle_cores + busy * (1.0 + SIDECAR_SHARE * self.sidecars as f64)
    }

    /// The names of its pods' containers.
    pub(crate) fn containers(&self) -> impl Iterator<Item = String> {
        let main = self.container.name.clone();
        std::iter::once(main).chain((1..=self.sidecars).map(|i| match i {
            1 => "istio-proxy".to_owned(),
            i => format!("sidecar-{i}"),
        }))
    }
}

/// A workload before it has its place in a cluster.
fn workload(keeper: Keeper, namespace: &str, name: &str, drive: Drive, container: Container) -> Workload {
    Workload {
        keeper,
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        drive,
        least: 1,
        most: 1,
        container,
        sidecars: 0,
        volume_bytes: None,
        is_host_network: false,
        tier: 0,
        first_node: 0,
        first_address: 0,
        ordinal: 0,
        chance: Chance::new(0),
    }
}

fn container(name: &str, image: &str, idle_cores: f64, request_seconds: f64, idle_mib: f64) -> Container {
    Container {
        name: name.to_owned(),
        image: image.to_owned(),
        idle_cores,
        request_seconds,
        limit_cores: None,
        idle_bytes: idle_mib * MIB,
        rate_bytes: 0.0,
        hour_bytes: 0.0,
    }
}

/// One deployment of an application.
pub(crate) fn application(namespace: &str, service: usize, tier: usize) -> Workload {
    let role = match tier {
        0 => "api".to_owned(),
        1 => "worker".to_owned(),
        tier => format!("worker-{tier}"),
    };
    let name = format!("{namespace}-{role}");
    let fan = if tier == 0 { 1.0 } else { 0.5 };
    let image = format!("registry.example.com/{namespace}/{role}:1.{}.0", 4 + service);
    let container = Container {
        limit_cores: Some(0.2),
        rate_bytes: MIB / 2.0,
        hour_bytes: 4.0 * MIB,
        ..container(&role, &image, 0.02, 0.0013, 48.0)
    };
    let drive = Drive::Application { service, fan };
    Workload { tier, ..workload(Keeper::Deployment, namespace, &name, drive, container) }
}

/// The database of an application.
pub(crate) fn database(namespace: &str, service: usize) -> Workload {
    let name = format!("{namespace}-db");
    let image = "docker.io/library/postgres:17.5";
    let container = Container { rate_bytes: MIB / 4.0, ..container("postgres", image, 0.05, 0.0002, 420.0) };
    Workload {
        volume_bytes: Some(50.0 * 1024.0 * MIB),
        ..workload(Keeper::StatefulSet, namespace, &name, Drive::Service(service), container)
    }
}

/// Namespace of the cluster's own parts.
pub(crate) const SYSTEM: &str = "kube-system";
/// Namespace of what watches the cluster.
pub(crate) const MONITORING: &str = "monitoring";

/// What every cluster runs, with `nodes` nodes.
pub(crate) fn system(nodes: usize) -> Vec<Workload> {
    let build = |keeper, namespace, name: &str, container| workload(keeper, namespace, name, Drive::Cluster, container);
    let mut all = Vec::new();

    let dns = container("coredns", "registry.k8s.io/coredns/coredns:v1.12.1", 0.01, 0.000_05, 30.0);
    all.push(Workload { least: 2, most: 2, ..build(Keeper::Deployment, SYSTEM, "coredns", dns) });
    let metrics = container("metrics-server", "registry.k8s.io/metrics-server/metrics-server:v0.8.0", 0.01, 0.0, 40.0);
    all.push(build(Keeper::Deployment, SYSTEM, "metrics-server", metrics));
    let image = "registry.k8s.io/kube-state-metrics/kube-state-metrics:v2.16.0";
    let state = container("kube-state-metrics", image, 0.01, 0.0, 50.0);
    all.push(build(Keeper::Deployment, MONITORING, "kube-state-metrics", state));
    let prometheus = container("prometheus", "quay.io/prometheus/prometheus:v3.5.0", 0.12, 0.0, 900.0);
    let prometheus = build(Keeper::StatefulSet, MONITORING, "prometheus-k8s", prometheus);
    all.push(Workload { volume_bytes: Some(100.0 * 1024.0 * MIB), ..prometheus });

    for (namespace, name, image, idle_cores, request_seconds, idle_mib) in [
        (SYSTEM, "kube-proxy", "registry.k8s.io/kube-proxy:v1.34.1", 0.005, 0.000_01, 30.0),
        (MONITORING, "node-exporter", "quay.io/prometheus/node-exporter:v1.9.1", 0.005, 0.0, 20.0),
    ] {
        let container = container(name, image, idle_cores, request_seconds, idle_mib);
        let daemon = build(Keeper::DaemonSet, namespace, name, container);
        all.push(Workload { least: nodes, most: nodes, is_host_network: true, ..daemon });
    }
    for (name, image, idle_cores, request_seconds, idle_mib) in [
        ("kube-apiserver", "registry.k8s.io/kube-apiserver:v1.34.1", 0.2, 0.000_05, 700.0),
        ("etcd", "registry.k8s.io/etcd:3.6.4-0", 0.06, 0.000_02, 300.0),
    ] {
        let container = container(name, image, idle_cores, request_seconds, idle_mib);
        all.push(Workload { is_host_network: true, ..build(Keeper::Node, SYSTEM, name, container) });
    }
    all
}
