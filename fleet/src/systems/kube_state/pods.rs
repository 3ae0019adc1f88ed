//! Pods and their containers as objects.

use crate::exposition::{Family, Sink, What, counter, gauge};
use crate::life::State;
use crate::moment::{Moment, Pod};
use crate::workload::{SYSTEM, Workload};

static INFO: Family = gauge("kube_pod_info", "What a pod is, always 1.");
static OWNER: Family = gauge("kube_pod_owner", "What keeps a pod, always 1.");
static CREATED: Family = gauge("kube_pod_created", "When a pod was made, in seconds since 1970.");
static PHASE: Family = gauge("kube_pod_status_phase", "1 for the phase a pod is in.");
static READY: Family = gauge("kube_pod_status_ready", "1 for the status of a pod's condition Ready.");
static REQUESTS: Family = gauge("kube_pod_container_resource_requests", "What a container asks for of a resource.");
static LIMITS: Family = gauge("kube_pod_container_resource_limits", "What a container may have of a resource.");
static RESTARTS: Family = counter("kube_pod_container_status_restarts_total", "How often a container was restarted.");
static RUNNING: Family = gauge("kube_pod_container_status_running", "Whether a container runs.");
static CONTAINER_READY: Family = gauge("kube_pod_container_status_ready", "Whether a container is ready.");
static WAITING: Family = gauge("kube_pod_container_status_waiting_reason", "Why a container waits, always 1.");

const PHASES: [&str; 5] = ["Pending", "Running", "Succeeded", "Failed", "Unknown"];
const SIDECAR_CORES: f64 = 0.05;
const SIDECAR_BYTES: f64 = 67_108_864.0;

/// Exposes one pod.
pub(super) fn expose(moment: &Moment<'_>, workload: &Workload, pod: &Pod, sink: &mut impl Sink) {
    let identity = &pod.identity;
    let node = &moment.site.nodes[pod.node];
    let of =
        [("namespace", workload.namespace.as_str()), ("pod", identity.name.as_str()), ("uid", identity.uid.as_str())];
    let (owner_kind, owner) = (identity.owner.0, identity.owner.1.as_str());
    let is_host_network = if workload.is_host_network { "true" } else { "false" };
    sink.begin(What::Pod, pod.id);
    let info = [
        ("host_ip", node.address.as_str()),
        ("pod_ip", identity.address.as_str()),
        ("node", node.name.as_str()),
        ("created_by_kind", owner_kind),
        ("created_by_name", owner),
        ("priority_class", if workload.namespace == SYSTEM { "system-cluster-critical" } else { "" }),
        ("host_network", is_host_network),
    ];
    sink.put(&INFO, &of, &info, 1.0);
    let owner = [("owner_kind", owner_kind), ("owner_name", owner), ("owner_is_controller", "true")];
    sink.put(&OWNER, &of, &owner, 1.0);
    sink.put(&CREATED, &of, &[], (pod.life.born_ms / 1000) as f64);
    let phase = if pod.life.state == State::Creating { "Pending" } else { "Running" };
    for of_all in PHASES {
        sink.put(&PHASE, &of, &[("phase", of_all)], f64::from(u8::from(of_all == phase)));
    }
    let is_ready = if pod.life.is_ready(moment.time_ms) { "true" } else { "false" };
    for condition in ["true", "false", "unknown"] {
        sink.put(&READY, &of, &[("condition", condition)], f64::from(u8::from(condition == is_ready)));
    }
    for (index, container) in identity.containers.iter().enumerate() {
        let of = [of[0], of[1], of[2], ("container", container.name.as_str())];
        of_container(moment, workload, pod, index, &of, sink);
    }
    for (index, container) in identity.containers.iter().enumerate() {
        let reason = match pod.life.state {
            State::Creating => "ContainerCreating",
            State::BackOff if index == 0 => "CrashLoopBackOff",
            State::BackOff | State::Running => continue,
        };
        sink.begin(What::Waiting, pod.id.wrapping_add(index as u64 * 2 + u64::from(reason == "CrashLoopBackOff")));
        let of = [of[0], of[1], of[2], ("container", container.name.as_str())];
        sink.put(&WAITING, &of, &[("reason", reason)], 1.0);
    }
}

fn of_container(
    moment: &Moment<'_>,
    workload: &Workload,
    pod: &Pod,
    index: usize,
    of: &[(&str, &str)],
    sink: &mut impl Sink,
) {
    let main = &workload.container;
    let (cores, bytes, limit_cores, limit_bytes) = match index {
        0 => (main.wanted_cores(), main.limit_bytes() / 2.0, main.limit_cores, main.limit_bytes()),
        _ => (SIDECAR_CORES / 2.0, SIDECAR_BYTES / 2.0, Some(SIDECAR_CORES), SIDECAR_BYTES),
    };
    let node = ("node", moment.site.nodes[pod.node].name.as_str());
    let (in_cores, in_bytes) =
        ([node, ("resource", "cpu"), ("unit", "core")], [node, ("resource", "memory"), ("unit", "byte")]);
    sink.put(&REQUESTS, of, &in_cores, cores);
    sink.put(&REQUESTS, of, &in_bytes, bytes);
    if let Some(limit_cores) = limit_cores {
        sink.put(&LIMITS, of, &in_cores, limit_cores);
    }
    sink.put(&LIMITS, of, &in_bytes, limit_bytes);
    let runs = moment.runs(pod, index);
    let is_ready = runs && (index > 0 || pod.life.is_ready(moment.time_ms));
    sink.put(&RESTARTS, of, &[], if index == 0 { f64::from(pod.life.restarts) } else { 0.0 });
    sink.put(&RUNNING, of, &[], f64::from(u8::from(runs)));
    sink.put(&CONTAINER_READY, of, &[], f64::from(u8::from(is_ready)));
}
