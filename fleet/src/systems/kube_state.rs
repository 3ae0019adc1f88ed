//! kube-state-metrics: the objects of a cluster as its API server has them.
//!
//! Source: kubernetes/kube-state-metrics at c92fe0c, `docs/metrics`.

mod nodes;
mod pods;
mod workloads;

pub(crate) use nodes::DISK_BYTES;

use crate::exposition::{Family, Sink, What, gauge};
use crate::moment::{Moment, Pod};
use crate::workload::{MONITORING, SYSTEM};

static NAMESPACE_LABELS: Family = gauge("kube_namespace_labels", "Labels of a namespace, always 1.");
static NAMESPACE_PHASE: Family = gauge("kube_namespace_status_phase", "1 for the phase a namespace is in.");

/// Exposes all objects; `pods` are those of the moment.
pub(crate) fn expose(moment: &Moment<'_>, pods: &[Pod], sink: &mut impl Sink) {
    for (index, node) in moment.site.nodes.iter().enumerate() {
        sink.begin(What::Node, index as u64);
        nodes::expose(moment.site, node, sink);
    }
    for (index, namespace) in moment.site.namespaces.iter().enumerate() {
        sink.begin(What::Namespace, index as u64);
        let of = [("namespace", namespace.as_str())];
        let (team, residency) = match namespace.as_str() {
            SYSTEM | MONITORING => ("platform", ""),
            application => (application, "eu"),
        };
        let labels = [
            ("label_kubernetes_io_metadata_name", namespace.as_str()),
            ("label_team", team),
            ("label_residency", residency),
        ];
        sink.put(&NAMESPACE_LABELS, &of, &labels, 1.0);
        sink.put(&NAMESPACE_PHASE, &of, &[("phase", "Active")], 1.0);
        sink.put(&NAMESPACE_PHASE, &of, &[("phase", "Terminating")], 0.0);
    }
    let mut rest = pods;
    for (index, workload) in moment.site.workloads.iter().enumerate() {
        let count = rest.iter().take_while(|pod| pod.workload == index).count();
        let (of_workload, others) = rest.split_at(count);
        rest = others;
        sink.begin(What::Workload, index as u64);
        workloads::expose(moment, workload, of_workload, sink);
        for pod in of_workload {
            pods::expose(moment, workload, pod, sink);
        }
    }
}
