//! The API server of a cluster: requests, how long they took, what it stores.
//!
//! Source: kubernetes/apiserver at 24a394e, `pkg/endpoints/metrics`, `pkg/storage/etcd3/metrics`,
//! `pkg/util/flowcontrol/metrics`.

use std::sync::LazyLock;

use crate::exposition::{Bound, Family, Sink, What, bounds, counter, gauge, histogram};
use crate::latency::Latency;
use crate::moment::{Moment, micros};
use crate::track::Track;

static REQUESTS: Family = counter("apiserver_request_total", "Requests answered.");
static DURATION: Family =
    histogram("apiserver_request_sli_duration_seconds", "How long requests took, without webhooks and queues.");
static IN_FLIGHT: Family = gauge("apiserver_current_inflight_requests", "Requests being answered.");
static REJECTED: Family = counter("apiserver_flowcontrol_rejected_requests_total", "Requests turned away.");
static STORAGE: Family = gauge("apiserver_storage_size_bytes", "Bytes of the database.");
static OBJECTS: Family = gauge("apiserver_storage_objects", "Objects stored.");

static BOUNDS: &[Bound] =
    bounds![0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60];

/// One sort of request.
struct Request {
    verb: &'static str,
    group: &'static str,
    version: &'static str,
    resource: &'static str,
    subresource: &'static str,
    scope: &'static str,
    /// Statuses, each with its part.
    statuses: &'static [(&'static str, f64)],
    /// A second: in any case, for each node, and for each request that the applications serve.
    rates: (f64, f64, f64),
    /// Median and spread of how long it takes, in seconds, if that is told.
    latency: Option<(f64, f64)>,
}

const fn request(verb: &'static str, resource: &'static str, scope: &'static str, rates: (f64, f64, f64)) -> Request {
    Request {
        verb,
        group: "",
        version: "v1",
        resource,
        subresource: "",
        scope,
        statuses: &[("200", 1.0)],
        rates,
        latency: None,
    }
}

static SORTS: [Request; 12] = [
    Request {
        statuses: &[("200", 0.985), ("404", 0.015)],
        latency: Some((0.006, 1.0)),
        ..request("GET", "pods", "resource", (1.5, 0.4, 0.001))
    },
    Request { latency: Some((0.030, 1.1)), ..request("LIST", "pods", "cluster", (0.4, 0.02, 0.0)) },
    Request {
        statuses: &[("201", 0.99), ("403", 0.01)],
        latency: Some((0.015, 0.9)),
        ..request("POST", "pods", "resource", (0.05, 0.0, 0.0))
    },
    Request {
        subresource: "status",
        statuses: &[("200", 0.995), ("409", 0.005)],
        latency: Some((0.012, 0.9)),
        ..request("PATCH", "pods", "resource", (0.1, 0.05, 0.0))
    },
    Request {
        group: "coordination.k8s.io",
        statuses: &[("200", 0.999), ("409", 0.001)],
        latency: Some((0.008, 0.8)),
        ..request("PUT", "leases", "resource", (1.2, 0.1, 0.0))
    },
    request("GET", "configmaps", "resource", (0.3, 0.05, 0.0)),
    request("LIST", "nodes", "cluster", (0.1, 0.0, 0.0)),
    Request { subresource: "status", ..request("PATCH", "nodes", "resource", (0.0, 0.02, 0.0)) },
    Request { group: "apps", ..request("GET", "deployments", "resource", (0.4, 0.0, 0.0)) },
    Request { group: "discovery.k8s.io", ..request("PUT", "endpointslices", "resource", (0.05, 0.0, 0.0)) },
    Request { statuses: &[("201", 1.0)], ..request("POST", "events", "resource", (0.2, 0.02, 0.0)) },
    Request {
        group: "authentication.k8s.io",
        statuses: &[("201", 1.0)],
        ..request("POST", "tokenreviews", "cluster", (0.1, 0.01, 0.0))
    },
];

/// How long each of [`SORTS`] takes.
static LATENCIES: LazyLock<Vec<Option<Latency>>> = LazyLock::new(|| {
    SORTS.iter().map(|sort| sort.latency.map(|(median, spread)| Latency::new(BOUNDS, median, spread))).collect()
});

/// Exposes the API server; `pods` says how many pods it keeps.
pub(crate) fn expose(moment: &Moment<'_>, pods: usize, sink: &mut impl Sink) {
    let started_ms = moment.started_ms("kube-apiserver");
    let (up, served) = (moment.seconds_since(started_ms), moment.since(Track::Cluster, started_ms));
    let nodes = moment.site.nodes.len() as f64;
    sink.begin(What::Program, 0);
    for (sort, latency) in SORTS.iter().zip(LATENCIES.iter()) {
        let so_far = up * (sort.rates.0 + sort.rates.1 * nodes) + served * sort.rates.2;
        let of = [
            ("verb", sort.verb),
            ("group", sort.group),
            ("version", sort.version),
            ("resource", sort.resource),
            ("subresource", sort.subresource),
            ("scope", sort.scope),
            ("component", "apiserver"),
        ];
        let mut count = 0.0;
        for (status, part) in sort.statuses {
            let answers = (so_far * part).floor();
            count += answers;
            sink.put(&REQUESTS, &of, &[("dry_run", ""), ("code", status)], answers);
        }
        if let Some(latency) = latency {
            let sum = micros(so_far * latency.mean);
            sink.put_histogram(&DURATION, &of, BOUNDS, latency.counts(so_far), (count, sum));
        }
    }
    let noise = moment.site.chance.named("apiserver");
    let at_once =
        |kind: &str, usual: f64| (usual * (1.0 + 0.8 * noise.named(kind).wander(moment.time_ms, 15_000))).round();
    sink.put(&IN_FLIGHT, &[("request_kind", "readOnly")], &[], at_once("readOnly", 1.0 + nodes / 4.0));
    sink.put(&IN_FLIGHT, &[("request_kind", "mutating")], &[], at_once("mutating", 1.0 + nodes / 8.0));
    for level in ["global-default", "workload-low"] {
        let labels = [("priority_level", level), ("flow_schema", "service-accounts"), ("reason", "queue-full")];
        sink.put(&REJECTED, &labels, &[], 0.0);
    }
    sink.put(&STORAGE, &[("storage_cluster_id", "etcd-0")], &[], moment.database_bytes());
    let deployments = moment.site.workloads.len() as f64;
    for (resource, objects) in [("pods", pods as f64), ("nodes", nodes), ("deployments.apps", deployments)] {
        sink.put(&OBJECTS, &[("resource", resource)], &[], objects);
    }
}
