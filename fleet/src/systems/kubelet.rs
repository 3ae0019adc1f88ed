//! The kubelet itself: its pods, its runtime, and the volumes it has mounted.
//!
//! Source: kubernetes/kubernetes, `pkg/kubelet/metrics` and its collectors.

use std::sync::LazyLock;

use crate::exposition::{Bound, Family, Sink, What, bounds, gauge, histogram};
use crate::latency::Latency;
use crate::life::State;
use crate::moment::{Moment, Pod, micros, pages};

static NODE: Family = gauge("kubelet_node_name", "The node of this kubelet, always 1.");
static PODS: Family = gauge("kubelet_running_pods", "Pods whose sandbox runs.");
static CONTAINERS: Family = gauge("kubelet_running_containers", "Containers, by what they do.");
static RELIST: Family = histogram("kubelet_pleg_relist_duration_seconds", "How long listing all pods took.");
static AVAILABLE: Family = gauge("kubelet_volume_stats_available_bytes", "Bytes of a volume that are left.");
static CAPACITY: Family = gauge("kubelet_volume_stats_capacity_bytes", "Bytes of a volume.");
static USED: Family = gauge("kubelet_volume_stats_used_bytes", "Bytes of a volume that are used.");

static BOUNDS: &[Bound] = bounds![0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
static RELISTING: LazyLock<Latency> = LazyLock::new(|| Latency::new(BOUNDS, 0.004, 0.7));

/// A volume fills this long before somebody makes room in it.
const FILLS_MS: i64 = 10 * 24 * 3_600_000;

/// Exposes the kubelet of one node with its `pods`.
pub(crate) fn expose(moment: &Moment<'_>, pods: &[&Pod], index: usize, sink: &mut impl Sink) {
    let node = &moment.site.nodes[index];
    let (mut running_pods, mut running, mut exited) = (0.0, 0.0, 0.0);
    for pod in pods {
        running_pods += f64::from(u8::from(pod.life.state != State::Creating));
        let runs = (0..moment.containers(pod)).filter(|container| moment.runs(pod, *container)).count();
        running += runs as f64;
        exited += f64::from(pod.life.restarts.min(1));
    }
    sink.begin(What::Node, index as u64);
    sink.put(&NODE, &[("node", &node.name)], &[], 1.0);
    sink.put(&PODS, &[], &[], running_pods);
    sink.put(&CONTAINERS, &[("container_state", "running")], &[], running);
    sink.put(&CONTAINERS, &[("container_state", "exited")], &[], exited);
    // Once a second.
    let relists = moment.seconds_since(node.boot_ms(moment.time_ms)).floor();
    let sum = micros(relists * RELISTING.mean);
    sink.put_histogram(&RELIST, &[], BOUNDS, RELISTING.counts(relists), (relists, sum));
    for pod in pods {
        volume(moment, pod, sink);
    }
}

fn volume(moment: &Moment<'_>, pod: &Pod, sink: &mut impl Sink) {
    let workload = &moment.site.workloads[pod.workload];
    let Some(capacity) = workload.volume_bytes else { return };
    let chance = workload.chance.named("volume");
    let phase_ms = chance.below(FILLS_MS as u64) as i64;
    let filled = (moment.time_ms + phase_ms).rem_euclid(FILLS_MS) as f64 / FILLS_MS as f64;
    let noise = 0.002 * chance.wander(moment.time_ms, 600_000);
    let used = pages(capacity * (0.25 + 0.1 * chance.fraction() + 0.5 * filled + noise));
    let claim = format!("data-{}", pod.identity.name);
    let of = [("namespace", workload.namespace.as_str()), ("persistentvolumeclaim", claim.as_str())];
    sink.begin(What::Volume, pod.workload as u64);
    sink.put(&CAPACITY, &of, &[], capacity);
    sink.put(&USED, &of, &[], used);
    sink.put(&AVAILABLE, &of, &[], capacity - used);
}
