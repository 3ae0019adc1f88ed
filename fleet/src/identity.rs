//! The names of a pod, of what it belongs to and of its containers.

use crate::chance::Chance;
use crate::life::Life;
use crate::site::Site;
use crate::workload::{Keeper, Workload};

/// The image of the container that holds a pod's network.
pub(crate) const SANDBOX_IMAGE: &str = "registry.k8s.io/pause:3.10";

/// A container as the runtime knows it.
#[derive(Debug)]
pub(crate) struct ContainerIdentity {
    /// Its name in the pod.
    pub(crate) name: String,
    pub(crate) image: String,
    /// Its name with the runtime.
    pub(crate) id: String,
    /// Its control group.
    pub(crate) group: String,
}

/// The names of a pod. A container that is started again is another container, and so has other names.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) name: String,
    pub(crate) uid: String,
    pub(crate) address: String,
    /// Kind and name of what keeps it.
    pub(crate) owner: (&'static str, String),
    /// The container that holds its network.
    pub(crate) sandbox: ContainerIdentity,
    pub(crate) containers: Vec<ContainerIdentity>,
    /// The labels of the pod as a target.
    pub(crate) target: Vec<(String, String)>,
}

/// The port that a workload's metrics are asked for at.
fn port(name: &str) -> u16 {
    match name {
        "coredns" => 9153,
        "kube-apiserver" => 6443,
        "etcd" => 2381,
        "kube-state-metrics" => 8443,
        _ => 8080,
    }
}

impl Identity {
    /// The names of the pod in a slot of a workload.
    pub(crate) fn new(site: &Site, (at, slot): (usize, usize), life: &Life, id: u64) -> Self {
        let workload = &site.workloads[at];
        let chance = Chance::new(id);
        let uid = chance.named("uid").uuid();
        let (name, owner) = names(site, workload, slot, life);
        let slice = format!("/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{}", uid.replace('-', "_"));
        let container = |name: String, image: String, chance: Chance| {
            let id = chance.hex(64);
            let group = format!("{slice}.slice/cri-containerd-{id}.scope");
            ContainerIdentity { name, image, id, group }
        };
        let sandbox = container(String::new(), SANDBOX_IMAGE.to_owned(), chance.named("sandbox"));
        let containers = workload.containers().enumerate().map(|(i, name)| {
            // Only the first container is ever started again.
            let starts = if i == 0 { u64::from(life.restarts) } else { 0 };
            let image = if i == 0 { workload.container.image.clone() } else { "docker.io/istio/proxyv2:1.27.1".into() };
            container(name, image, chance.named("container").of(i as u64).of(starts))
        });
        let containers: Vec<ContainerIdentity> = containers.collect();
        let address = match workload.is_host_network {
            true => site.nodes[site.node_of(workload, slot)].address.clone(),
            false => address(workload, slot, life),
        };
        let target = target(workload, &name, &address);
        Identity { name, uid, address, owner, sandbox, containers, target }
    }
}

fn names(site: &Site, workload: &Workload, slot: usize, life: &Life) -> (String, (&'static str, String)) {
    let name = &workload.name;
    match workload.keeper {
        Keeper::Deployment => {
            let template = workload.chance.named("template").at(life.revision);
            let set = format!("{name}-{}", template.letters(10));
            (format!("{set}-{}", template.letters_of_slot(life.born_ms, slot)), ("ReplicaSet", set))
        }
        Keeper::StatefulSet => (format!("{name}-{slot}"), ("StatefulSet", name.clone())),
        Keeper::DaemonSet => {
            let letters = workload.chance.letters_of_slot(life.born_ms, slot);
            (format!("{name}-{letters}"), ("DaemonSet", name.clone()))
        }
        Keeper::Node => {
            let node = &site.nodes[site.node_of(workload, slot)].name;
            (format!("{name}-{node}"), ("Node", node.clone()))
        }
    }
}

/// Another address for each life of a slot, none of which another pod has at the same time.
fn address(workload: &Workload, slot: usize, life: &Life) -> String {
    const LIVES: usize = 8;
    let lived = (life.born_ms / 60_000 + life.revision).rem_euclid(LIVES as i64) as usize;
    let number = (workload.first_address + slot) * LIVES + lived;
    format!("100.{}.{}.{}", 64 + number / 62_500, number / 250 % 250, 2 + number % 250)
}

fn target(workload: &Workload, pod: &str, address: &str) -> Vec<(String, String)> {
    let job = match workload.name.as_str() {
        "kube-apiserver" => "apiserver",
        name => name,
    };
    let instance = format!("{address}:{}", port(&workload.name));
    let mut labels = vec![("instance", instance), ("job", job.to_owned())];
    // Its own labels say of which object a row is; a target's would only stand in their way.
    if workload.name != "kube-state-metrics" {
        labels.push(("namespace", workload.namespace.clone()));
        labels.push(("pod", pod.to_owned()));
        labels.push(("service", workload.name.clone()));
    }
    if workload.is_application() {
        labels.push(("container", workload.container.name.clone()));
        labels.push(("endpoint", "http".to_owned()));
    }
    labels.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
