//! cAdvisor inside the kubelet: what the containers of a node use.
//!
//! Source: google/cadvisor at 6a0c4f2, `metrics/prometheus.go`.

use crate::curve::MICRO;
use crate::exposition::{Family, Sink, What, counter, gauge};
use crate::identity::{ContainerIdentity, SANDBOX_IMAGE};
use crate::moment::{Moment, Pod, micros, pages};
use crate::track::PodTrack;
use crate::workload::Workload;
use crate::world::PERIODS_PER_SECOND;

static CPU: Family = counter("container_cpu_usage_seconds_total", "Processor time used, in seconds.");
static PERIODS: Family = counter("container_cpu_cfs_periods_total", "Periods of the processor's accounting.");
static THROTTLED: Family =
    counter("container_cpu_cfs_throttled_periods_total", "Periods in which a container was held back.");
static WORKING_SET: Family = gauge("container_memory_working_set_bytes", "Memory that cannot be taken away, in bytes.");
static RSS: Family = gauge("container_memory_rss", "Memory that is no file's, in bytes.");
static OOM: Family = counter("container_oom_events_total", "Times that memory ran out.");
static STARTED: Family = gauge("container_start_time_seconds", "When a container was started, in seconds since 1970.");
static RECEIVED: Family = counter("container_network_receive_bytes_total", "Bytes that a pod received.");
static SENT: Family = counter("container_network_transmit_bytes_total", "Bytes that a pod sent.");

/// Bytes that come with a request.
pub(crate) const REQUEST_BYTES: f64 = 900.0;
/// Bytes that go for each that comes.
pub(crate) const ANSWER_SHARE: f64 = 6.0;
/// Bytes a second that come to a pod whatever it does: probes, scrapes.
const IDLE_BYTES: f64 = 40.0;

/// Exposes the containers of the `pods` of a node.
pub(crate) fn expose(moment: &Moment<'_>, pods: &[&Pod], sink: &mut impl Sink) {
    for pod in pods {
        let workload = &moment.site.workloads[pod.workload];
        for (index, container) in pod.identity.containers.iter().enumerate() {
            if moment.runs(pod, index) {
                of_container(moment, workload, pod, (index, container), sink);
            }
        }
        if !workload.is_host_network {
            network(moment, workload, pod, sink);
        }
    }
}

fn of_container(
    moment: &Moment<'_>,
    workload: &Workload,
    pod: &Pod,
    (index, container): (usize, &ContainerIdentity),
    sink: &mut impl Sink,
) {
    let of = labels(workload, pod, container, &container.image);
    let of = [of[0], of[1], of[2], of[3], of[4], ("container", container.name.as_str())];
    let starts = if index == 0 { u64::from(pod.life.restarts) } else { 0 };
    sink.begin(What::Container, pod.id.wrapping_add((index as u64) << 32 | starts));
    sink.put(&CPU, &of, &[("cpu", "total")], micros(moment.core_seconds(pod, index)));
    if index == 0 && workload.container.limit_cores.is_some() {
        let periods = (moment.seconds_since(pod.life.started_ms) * PERIODS_PER_SECOND).floor();
        let throttled = (moment.served(pod, PodTrack::Throttled) / MICRO).floor();
        sink.put(&PERIODS, &of, &[], periods);
        sink.put(&THROTTLED, &of, &[], throttled.min(periods));
    }
    let bytes = moment.memory_bytes(pod, index);
    sink.put(&WORKING_SET, &of, &[], bytes);
    sink.put(&RSS, &of, &[], pages(bytes * 0.85));
    sink.put(&OOM, &of, &[], 0.0);
    sink.put(&STARTED, &of, &[], (pod.life.started_ms / 1000) as f64);
}

/// A pod's network belongs to its sandbox, which outlives the other containers.
fn network(moment: &Moment<'_>, workload: &Workload, pod: &Pod, sink: &mut impl Sink) {
    let of = labels(workload, pod, &pod.identity.sandbox, SANDBOX_IMAGE);
    let received = REQUEST_BYTES * moment.requests_ever(pod) + IDLE_BYTES * moment.seconds_since(pod.life.born_ms);
    sink.begin(What::Network, pod.id);
    sink.put(&RECEIVED, &of, &[("interface", "eth0")], received.floor());
    sink.put(&SENT, &of, &[("interface", "eth0")], (received * ANSWER_SHARE).floor());
}

fn labels<'a>(
    workload: &'a Workload,
    pod: &'a Pod,
    container: &'a ContainerIdentity,
    image: &'a str,
) -> [(&'a str, &'a str); 5] {
    [
        ("namespace", &workload.namespace),
        ("pod", &pod.identity.name),
        ("id", &container.group),
        ("name", &container.id),
        ("image", image),
    ]
}
