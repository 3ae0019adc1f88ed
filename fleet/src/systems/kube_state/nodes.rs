//! Nodes as objects.

use crate::exposition::{Family, Sink, gauge};
use crate::site::{Node, Site};

static INFO: Family = gauge("kube_node_info", "What a node is, always 1.");
static ROLE: Family = gauge("kube_node_role", "A role of a node, always 1.");
static CONDITION: Family = gauge("kube_node_status_condition", "1 for the status that a condition of a node has.");
static CAPACITY: Family = gauge("kube_node_status_capacity", "What a node has of a resource.");
static ALLOCATABLE: Family = gauge("kube_node_status_allocatable", "What pods may have of a node's resource.");
static UNSCHEDULABLE: Family = gauge("kube_node_spec_unschedulable", "Whether a node takes no new pods.");
static TAINT: Family = gauge("kube_node_spec_taint", "A taint of a node, always 1.");

const CONDITIONS: [&str; 4] = ["MemoryPressure", "DiskPressure", "PIDPressure", "Ready"];
/// Bytes of a node's disk.
pub(crate) const DISK_BYTES: f64 = 107_361_579_008.0;

/// Exposes one node.
pub(super) fn expose(site: &Site, node: &Node, sink: &mut impl Sink) {
    let of = [("node", node.name.as_str())];
    let uuid = node.chance.named("uuid").uuid();
    let provider = format!("aws:///{}/i-0{}", site.zone, node.chance.named("instance").hex(16));
    let info = [
        ("kernel_version", "6.12.48"),
        ("os_image", "Bottlerocket OS 1.49.0 (aws-k8s-1.34)"),
        ("container_runtime_version", "containerd://2.1.4"),
        ("kubelet_version", "v1.34.1"),
        ("kubeproxy_version", "deprecated"),
        ("pod_cidr", ""),
        ("provider_id", provider.as_str()),
        ("system_uuid", uuid.as_str()),
        ("internal_ip", node.address.as_str()),
    ];
    sink.put(&INFO, &of, &info, 1.0);
    let role = if node.is_control_plane { "control-plane" } else { "worker" };
    sink.put(&ROLE, &of, &[("role", role)], 1.0);
    for condition in CONDITIONS {
        let is = if condition == "Ready" { "true" } else { "false" };
        for status in ["true", "false", "unknown"] {
            let labels = [("condition", condition), ("status", status)];
            sink.put(&CONDITION, &of, &labels, f64::from(u8::from(status == is)));
        }
    }
    let cpus = site.cpus as f64;
    for (resource, unit, capacity, allocatable) in [
        ("cpu", "core", cpus, cpus - 0.08),
        ("memory", "byte", site.memory_bytes, site.memory_bytes - 700.0 * 1_048_576.0),
        ("ephemeral_storage", "byte", DISK_BYTES, (DISK_BYTES * 0.9).floor()),
        ("pods", "integer", 110.0, 110.0),
    ] {
        let labels = [("resource", resource), ("unit", unit)];
        sink.put(&CAPACITY, &of, &labels, capacity);
        sink.put(&ALLOCATABLE, &of, &labels, allocatable);
    }
    sink.put(&UNSCHEDULABLE, &of, &[], 0.0);
    if node.is_control_plane {
        let labels = [("key", "node-role.kubernetes.io/control-plane"), ("value", ""), ("effect", "NoSchedule")];
        sink.put(&TAINT, &of, &labels, 1.0);
    }
}
