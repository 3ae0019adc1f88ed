//! Where spans and lines come from: a pod's first container, a node's kubelet, or what is in front of the cluster.

use std::sync::Arc;

use opentelemetry_proto::tonic::resource::v1::Resource;

use crate::member::Member;
use crate::moment::{Moment, Names, Pod};
use crate::roster::Roster;
use crate::traffic::arguments::{Attributes, list, text};
use crate::workload::Keeper;

/// What emits something.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The cluster's place in the roster.
    pub(crate) member: usize,
    pub(crate) emitter: Emitter,
}

/// The sorts of emitters.
#[derive(Debug, Clone)]
pub(crate) enum Emitter {
    /// The program in a pod's first container.
    Pod(Arc<Pod>),
    /// The kubelet of a node.
    Kubelet(usize),
    /// The load balancer in front of the cluster, which is no part of it.
    Ingress,
}

impl Place {
    /// A pod as an emitter.
    pub(crate) fn pod(member: usize, pod: Pod) -> Self {
        Place { member, emitter: Emitter::Pod(Arc::new(pod)) }
    }

    /// The pod of a workload with one pod, if there is one at a moment and it runs.
    pub(crate) fn single(member: usize, moment: &Moment<'_>, workload: &str, names: &mut Names) -> Option<Self> {
        let pod = moment.pods_of(moment.workload(workload)?, names).into_iter().next()?;
        moment.runs(&pod, 0).then(|| Place::pod(member, pod))
    }

    /// Its number among all emitters there ever are; a container that is started again is another one.
    pub(crate) fn id(&self) -> (usize, u64, Option<u32>) {
        match &self.emitter {
            Emitter::Pod(pod) => (self.member, pod.id, Some(pod.life.restarts)),
            Emitter::Kubelet(node) => (self.member, *node as u64, None),
            Emitter::Ingress => (self.member, u64::MAX, None),
        }
    }

    /// What a collector in the cluster says of it, in the words of the semantic conventions.
    pub(crate) fn resource(&self, roster: &Roster) -> Resource {
        let member = roster.member(self.member);
        let site = &member.site;
        let mut attributes = vec![
            text("k8s.cluster.name", &site.name),
            text("cloud.provider", &member.attributes.provider),
            text("cloud.region", site.region),
            text("cloud.availability_zone", site.zone),
        ];
        match &self.emitter {
            Emitter::Pod(pod) => attributes.extend(of_pod(member, pod)),
            Emitter::Kubelet(node) => {
                let node = &site.nodes[*node];
                attributes.extend([text("service.name", "kubelet"), text("k8s.node.name", &node.name)]);
            }
            Emitter::Ingress => attributes.push(text("service.name", "ingress")),
        }
        Resource { attributes, ..Resource::default() }
    }
}

fn of_pod(member: &Member, pod: &Pod) -> Attributes {
    let (workload, identity) = (&member.site.workloads[pod.workload], &pod.identity);
    let container = &identity.containers[0];
    let keeper = match workload.keeper {
        Keeper::StatefulSet => "k8s.statefulset.name",
        Keeper::DaemonSet => "k8s.daemonset.name",
        Keeper::Deployment | Keeper::Node => "k8s.deployment.name",
    };
    let mut attributes = vec![
        text("service.name", &workload.name),
        text("service.namespace", &workload.namespace),
        text("service.instance.id", format!("{}.{}.{}", workload.namespace, identity.name, container.name)),
        text("k8s.namespace.name", &workload.namespace),
        text("k8s.pod.name", &identity.name),
        text("k8s.pod.uid", &identity.uid),
        text("k8s.pod.ip", &identity.address),
        text("k8s.node.name", &member.site.nodes[pod.node].name),
        text("k8s.container.name", &container.name),
        text(keeper, &workload.name),
        text("container.id", &container.id),
        text("container.image.name", container.image.split(':').next().unwrap_or_default()),
        list("container.image.tags", container.image.split(':').nth(1).map(str::to_owned)),
    ];
    if workload.is_application() {
        attributes.extend([
            text("service.version", pod.life.version()),
            text("telemetry.sdk.language", "go"),
            text("telemetry.sdk.name", "opentelemetry"),
        ]);
    }
    attributes
}
