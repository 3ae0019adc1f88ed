//! The targets of a cluster, and one scrape of them.

use crate::chance::Chance;
use crate::exposition::{Family, Sink, What, gauge};
use crate::life::State;
use crate::moment::{Moment, Names, Pod};
use crate::site::{Node, Site};
use crate::systems::{apiserver, application, cadvisor, coredns, etcd, kube_state, kubelet, node};
use crate::workload::MONITORING;

static UP: Family = gauge("up", "Whether the target answered.");
static DURATION: Family = gauge("scrape_duration_seconds", "How long the answer took.");
static SAMPLES: Family = gauge("scrape_samples_scraped", "Samples of the answer.");

/// A cluster's Prometheus asks each target this often.
pub(crate) const INTERVAL_MS: i64 = 15_000;

/// What is asked together: all targets of a job, at the same instant of each interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Job {
    KubeState,
    Cadvisor,
    Kubelet,
    Node,
    Apiserver,
    CoreDns,
    Etcd,
    Application,
}

impl Job {
    /// All jobs, in the order of their numbers.
    pub(crate) const ALL: [Job; 8] = [
        Job::KubeState,
        Job::Cadvisor,
        Job::Kubelet,
        Job::Node,
        Job::Apiserver,
        Job::CoreDns,
        Job::Etcd,
        Job::Application,
    ];

    /// The word that names of targets begin with.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Job::KubeState => "kube-state-metrics",
            Job::Cadvisor => "cadvisor",
            Job::Kubelet => "kubelet",
            Job::Node => "node-exporter",
            Job::Apiserver => "apiserver",
            Job::CoreDns => "coredns",
            Job::Etcd => "etcd",
            Job::Application => "application",
        }
    }

    /// When in each interval the targets are asked. Prometheus spreads them too, though each by itself.
    pub(crate) fn phase_ms(self, site: &Site) -> i64 {
        site.chance.named("scrape").of(self as u64).below(INTERVAL_MS as u64) as i64
    }

    /// The last instant at or before `time_ms` at which the targets are asked.
    pub(crate) fn last_ms(self, site: &Site, time_ms: i64) -> i64 {
        let phase_ms = self.phase_ms(site);
        (time_ms - phase_ms).div_euclid(INTERVAL_MS) * INTERVAL_MS + phase_ms
    }
}

/// A target at one instant.
pub(crate) struct Target<'a> {
    /// What to ask for after the job's word; empty if the job has one target.
    pub(crate) name: &'a str,
    pub(crate) labels: &'a [(String, String)],
    /// Whether it answers.
    pub(crate) is_up: bool,
    pub(crate) subject: Subject<'a>,
    /// Different for each target that its job ever has.
    id: u64,
}

/// What a target is.
pub(crate) enum Subject<'a> {
    /// A program of which there is one.
    Program,
    /// A node and its pods.
    Node(usize, &'a [&'a Pod]),
    /// A pod.
    Pod(&'a Pod),
}

/// Calls `take` with each target that a job has at a moment, and with all pods of the cluster.
pub(crate) fn targets(moment: &Moment<'_>, job: Job, names: &mut Names, mut take: impl FnMut(&Target<'_>, &[Pod])) {
    let site = moment.site;
    match job {
        Job::KubeState | Job::Apiserver | Job::Etcd => {
            // The API server and its database run where no application does; only their own pods are needed.
            let program = match job {
                Job::Apiserver => "kube-apiserver",
                Job::Etcd => "etcd",
                _ => "kube-state-metrics",
            };
            let pods = if job == Job::Etcd { Vec::new() } else { moment.pods(names) };
            let own = moment.workload(program).map(|at| moment.pods_of(at, names)).unwrap_or_default();
            for pod in &own {
                let labels = &pod.identity.target;
                take(&Target { name: "", labels, is_up: true, subject: Subject::Program, id: pod.id }, &pods);
            }
        }
        Job::Cadvisor | Job::Kubelet | Job::Node => {
            let pods = moment.pods(names);
            let mut of_nodes: Vec<Vec<&Pod>> = vec![Vec::new(); site.nodes.len()];
            pods.iter().for_each(|pod| of_nodes[pod.node].push(pod));
            for (index, (node, of_node)) in site.nodes.iter().zip(&of_nodes).enumerate() {
                let (id, labels) = of_node_as_target(job, index, node, of_node);
                let subject = Subject::Node(index, of_node);
                take(&Target { name: &node.name, labels: &labels, is_up: true, subject, id }, &pods);
            }
        }
        Job::CoreDns => {
            let pods = moment.workload("coredns").map(|at| moment.pods_of(at, names)).unwrap_or_default();
            pods.iter().filter_map(of_pod).for_each(|target| take(&target, &pods));
        }
        Job::Application => {
            for (at, _) in site.applications() {
                let pods = moment.pods_of(at, names);
                pods.iter().filter_map(of_pod).for_each(|target| take(&target, &pods));
            }
        }
    }
}

/// A pod as a target: from the moment that it has an address, and not answering while its container waits.
fn of_pod(pod: &Pod) -> Option<Target<'_>> {
    let is_up = pod.life.state == State::Running;
    let (name, labels) = (&pod.identity.name, &pod.identity.target);
    let target = Target { name, labels, is_up, subject: Subject::Pod(pod), id: pod.id };
    (pod.life.state != State::Creating).then_some(target)
}

/// The identity and the labels of what is asked about a node: its exporter, which is a pod, or its kubelet.
fn of_node_as_target(job: Job, index: usize, node: &Node, pods: &[&Pod]) -> (u64, Vec<(String, String)>) {
    let mut labels = Vec::with_capacity(4);
    let mut id = index as u64;
    if job == Job::Node {
        labels.extend([("instance", node.name.clone()), ("job", job.word().to_owned())]);
        if let Some(pod) = pods.iter().find(|pod| pod.identity.owner.1 == job.word()) {
            labels.extend([("namespace", MONITORING.to_owned()), ("pod", pod.identity.name.clone())]);
            id = pod.id;
        }
    } else {
        let path = if job == Job::Cadvisor { "/metrics/cadvisor" } else { "/metrics" };
        labels.extend([("instance", format!("{}:10250", node.address)), ("job", "kubelet".to_owned())]);
        labels.extend([("metrics_path", path.to_owned()), ("node", node.name.clone())]);
    }
    (id, labels.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// Exposes what a target says at a moment; `pods` are those that [`targets`] gave.
pub(crate) fn expose(moment: &Moment<'_>, job: Job, target: &Target<'_>, pods: &[Pod], sink: &mut impl Sink) {
    if !target.is_up {
        return;
    }
    match (job, &target.subject) {
        (Job::KubeState, _) => kube_state::expose(moment, pods, sink),
        (Job::Apiserver, _) => apiserver::expose(moment, pods.len(), sink),
        (Job::Etcd, _) => etcd::expose(moment, sink),
        (Job::Cadvisor, Subject::Node(_, pods)) => cadvisor::expose(moment, pods, sink),
        (Job::Kubelet, Subject::Node(index, pods)) => kubelet::expose(moment, pods, *index, sink),
        (Job::Node, Subject::Node(index, pods)) => node::expose(moment, pods, *index, sink),
        (Job::CoreDns, Subject::Pod(pod)) => coredns::expose(moment, pod, sink),
        (Job::Application, Subject::Pod(pod)) => application::expose(moment, pod, sink),
        (Job::Cadvisor | Job::Kubelet | Job::Node | Job::CoreDns | Job::Application, _) => {}
    }
}

/// One scrape of all targets of a job, with what the scraper itself adds.
pub(crate) fn scrape(moment: &Moment<'_>, job: Job, names: &mut Names, sink: &mut impl Sink) {
    targets(moment, job, names, |target, pods| {
        sink.target(target.id, target.labels);
        let before = sink.samples();
        expose(moment, job, target, pods, sink);
        let samples = sink.samples() - before;
        let chance: Chance = moment.site.chance.named("duration").of(target.id).at(moment.time_ms);
        let seconds = 0.002 + samples as f64 * 0.000_02 * (0.6 + 0.8 * chance.fraction());
        sink.begin(What::Scrape, target.id);
        sink.put(&UP, &[], &[], f64::from(u8::from(target.is_up)));
        sink.put(&DURATION, &[], &[], (seconds * 1e6).round() / 1e6);
        sink.put(&SAMPLES, &[], &[], samples as f64);
    });
}
