//! CoreDNS: the names that pods ask for.
//!
//! Source: coredns/coredns at 4b26cce, `plugin/metrics`, `plugin/cache`, `plugin/forward`.

use std::sync::LazyLock;

use crate::exposition::{Bound, Family, Sink, What, bounds, counter, histogram};
use crate::latency::Latency;
use crate::moment::{Moment, Pod, micros};
use crate::track::Track;

static REQUESTS: Family = counter("coredns_dns_requests_total", "Queries, by type.");
static RESPONSES: Family = counter("coredns_dns_responses_total", "Answers, by status.");
static DURATION: Family = histogram("coredns_dns_request_duration_seconds", "How long answers took.");
static HITS: Family = counter("coredns_cache_hits_total", "Answers that the cache had.");
static ASKED: Family = counter("coredns_cache_requests_total", "Queries that the cache was asked for.");
static BROKEN: Family = counter("coredns_forward_healthcheck_broken_total", "Times that no upstream was healthy.");
static PANICS: Family = counter("coredns_panics_total", "Panics.");

static BOUNDS: &[Bound] = bounds![
    0.00025, 0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024, 2.048, 4.096, 8.192
];
static ANSWERING: LazyLock<Latency> = LazyLock::new(|| Latency::new(BOUNDS, 0.0004, 1.2));

/// Queries a second that a pod gets whatever the load.
const IDLE_RATE: f64 = 4.0;
/// Queries for each request that the applications serve.
const OF_REQUEST: f64 = 0.4;

/// Exposes one pod.
pub(crate) fn expose(moment: &Moment<'_>, pod: &Pod, sink: &mut impl Sink) {
    let started_ms = pod.life.started_ms;
    let pods = moment.site.workloads[pod.workload].least as f64;
    let served = moment.since(Track::Cluster, started_ms) / pods;
    let queries = IDLE_RATE * moment.seconds_since(started_ms) + OF_REQUEST * served;
    let server = ("server", "dns://:53");
    let of = [server, ("zone", "."), ("view", "")];
    sink.begin(What::Program, pod.id);
    let mut count = 0.0;
    for (kind, part) in [("A", 0.55), ("AAAA", 0.44), ("other", 0.01)] {
        let asked = (queries * part).floor();
        count += asked;
        sink.put(&REQUESTS, &of, &[("proto", "udp"), ("family", "1"), ("type", kind)], asked);
    }
    for (status, plugin, part) in [
        ("NOERROR", "kubernetes", 0.52),
        ("NOERROR", "forward", 0.09),
        ("NXDOMAIN", "kubernetes", 0.3885),
        ("SERVFAIL", "forward", 0.0015),
    ] {
        sink.put(&RESPONSES, &of, &[("rcode", status), ("plugin", plugin)], (queries * part).floor());
    }
    let sum = micros(queries * ANSWERING.mean);
    sink.put_histogram(&DURATION, &of, BOUNDS, ANSWERING.counts(queries), (count, sum));
    let of = [server, ("zones", "."), ("view", "")];
    sink.put(&HITS, &of, &[("type", "success")], (queries * 0.41).floor());
    sink.put(&HITS, &of, &[("type", "denial")], (queries * 0.33).floor());
    sink.put(&ASKED, &of, &[], count);
    sink.put(&BROKEN, &[], &[], 0.0);
    sink.put(&PANICS, &[], &[], 0.0);
}
