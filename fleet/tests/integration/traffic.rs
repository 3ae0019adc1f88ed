//! What applications emit: whole traces, and lines that go with them.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::OnceLock;

use fleet::{Fleet, Settings};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::logs::v1::SeverityNumber;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use prost::Message;

use crate::emitted::{Emitted, body, by_id, emitted, kept, seconds, text};
use crate::reading::{HOUR_MS, MINUTE_MS, NOON_MS, SEED, fleet, heard, of_text};

const HALF_HOUR_MS: i64 = 30 * MINUTE_MS;
const MS_NS: u64 = 1_000_000;
/// No request takes longer, nor waits a job longer for its worker.
const LONGEST_MS: i64 = 15_000;
/// Two clocks differ by so much at most.
const SKEW_NS: u64 = 4 * MS_NS;

fn kind(span: &Span) -> SpanKind {
    SpanKind::try_from(span.kind).unwrap()
}

fn ended_ms(span: &Span) -> i64 {
    (span.end_time_unix_nano / MS_NS) as i64
}

#[test]
fn intervals_that_follow_one_another_give_each_row_once_and_as_one_long_interval_does() {
    let to_ms = NOON_MS + 3 * MINUTE_MS;
    let (whole, lines) = emitted(fleet(), NOON_MS, to_ms);
    // Uneven parts, shorter than many a request.
    let bounds: Vec<i64> = (NOON_MS..to_ms).step_by(733).chain([to_ms]).collect();
    let (mut parts, mut lines_of_parts) = (Vec::new(), Vec::new());
    for pair in bounds.windows(2) {
        let (spans, lines) = emitted(fleet(), pair[0], pair[1]);
        assert!(spans.iter().all(|span| (pair[0]..pair[1]).contains(&ended_ms(&span.of))));
        parts.extend(spans);
        lines_of_parts.extend(lines);
    }
    assert!(whole.len() > 1_500 && lines.len() > 500, "{} spans, {} lines", whole.len(), lines.len());
    assert_eq!((parts.len(), lines_of_parts.len()), (whole.len(), lines.len()));
    let parts = by_id(&parts);
    for span in &whole {
        assert_eq!(parts.get(&(&span.of.trace_id[..], &span.of.span_id[..])), Some(&span));
    }
    let order = |lines: &mut Vec<Emitted<_>>| lines.sort_by_key(|line| format!("{line:?}"));
    let mut lines = lines;
    order(&mut lines);
    order(&mut lines_of_parts);
    assert_eq!(lines, lines_of_parts);
}

#[test]
fn the_same_seed_emits_the_same_and_another_one_something_else() {
    let of =
        |seed| Fleet::new(seed, &Settings::default()).unwrap().traffic().between(NOON_MS, NOON_MS + 9_000).unwrap();
    assert_eq!(of(SEED), fleet().traffic().between(NOON_MS, NOON_MS + 9_000).unwrap());
    assert_ne!(of(SEED), of(SEED + 1));
}

#[test]
fn identifiers_are_never_zero() {
    let (spans, lines) = emitted(fleet(), NOON_MS, NOON_MS + 10 * MINUTE_MS);
    by_id(&spans);
    let is_id = |id: &[u8], length: usize| id.len() == length && id.iter().any(|byte| *byte != 0);
    for Emitted { of: span, .. } in &spans {
        assert!(is_id(&span.trace_id, 16) && is_id(&span.span_id, 8), "{span:?}");
        assert!(span.parent_span_id.is_empty() || is_id(&span.parent_span_id, 8), "{span:?}");
        assert!(span.links.iter().all(|link| is_id(&link.trace_id, 16) && is_id(&link.span_id, 8)), "{span:?}");
    }
    for Emitted { of: line, .. } in &lines {
        assert!(
            line.trace_id.is_empty() && line.span_id.is_empty() || is_id(&line.trace_id, 16) && is_id(&line.span_id, 8)
        );
    }
}

/// Spans of half an hour whose parent is not in their trace.
fn orphans(fleet: &Fleet) -> Vec<Emitted<Span>> {
    let spans = kept(fleet, NOON_MS, NOON_MS + HALF_HOUR_MS + LONGEST_MS, |span| {
        span.of.attributes.clear();
        true
    });
    let all = by_id(&spans);
    let is_orphan = |span: &&Emitted<Span>| {
        let parent = &span.of.parent_span_id[..];
        !parent.is_empty() && !all.contains_key(&(&span.of.trace_id[..], parent))
    };
    let of_half_hour = spans.iter().filter(|span| ended_ms(&span.of) < NOON_MS + HALF_HOUR_MS);
    of_half_hour.filter(is_orphan).cloned().collect()
}

#[test]
fn a_parent_is_missing_only_where_its_cluster_is_silent() {
    assert_eq!(orphans(heard()), []);
    let fleet = Fleet::new(SEED, &Settings { requests_traced: 50, ..Settings::default() }).unwrap();
    let (mut at_the_border, mut inside) = (0, 0);
    for orphan in orphans(&fleet) {
        let ended_ms = ended_ms(&orphan.of);
        let falls_silent =
            |cluster: &&fleet::Cluster| (ended_ms..ended_ms + LONGEST_MS).any(|ms| cluster.is_silent(ms));
        let silent: Vec<&str> = fleet.clusters().iter().filter(falls_silent).map(fleet::Cluster::name).collect();
        assert_eq!(silent.len(), 1, "{orphan:?}");
        match silent[0] == &*orphan.cluster {
            true => inside += 1,
            false => {
                // Another cluster has called.
                assert_eq!(kind(&orphan.of), SpanKind::Server, "{orphan:?}");
                at_the_border += 1;
            }
        }
    }
    assert!(at_the_border > 10 && inside > 0, "{at_the_border} at borders, {inside} inside");
}

#[test]
fn nothing_is_emitted_of_a_silent_cluster() {
    let mut fleet = Fleet::new(SEED, &Settings::default()).unwrap();
    fleet.silence("london", NOON_MS + 30 * MINUTE_MS).unwrap();
    let (spans, lines) = emitted(&fleet, NOON_MS, NOON_MS + HOUR_MS);
    let mut clusters = HashMap::new();
    for span in &spans {
        let cluster = fleet.cluster(&span.cluster).unwrap();
        assert!(!cluster.is_silent(ended_ms(&span.of)), "{span:?}");
        clusters.insert(cluster.name(), ended_ms(&span.of));
    }
    for line in &lines {
        assert!(!fleet.cluster(&line.cluster).unwrap().is_silent((line.of.time_unix_nano / MS_NS) as i64), "{line:?}");
    }
    assert_eq!(clusters.len(), 4);
    assert!(clusters["london"] < NOON_MS + 30 * MINUTE_MS);
}

#[test]
fn a_child_is_within_its_parent_but_for_what_clocks_differ_by() {
    let (spans, _) = emitted(heard(), NOON_MS, NOON_MS + HOUR_MS);
    let all = by_id(&spans);
    let (mut of_two_clusters, mut skewed) = (0, 0);
    for span in &spans {
        let Some(parent) = all.get(&(&span.of.trace_id[..], &span.of.parent_span_id[..])) else { continue };
        let slack_ns = if parent.cluster == span.cluster { 0 } else { SKEW_NS };
        assert!(span.of.start_time_unix_nano + slack_ns >= parent.of.start_time_unix_nano, "{span:?} in {parent:?}");
        assert!(span.of.end_time_unix_nano <= parent.of.end_time_unix_nano + slack_ns, "{span:?} in {parent:?}");
        if parent.cluster != span.cluster {
            assert_eq!((kind(&parent.of), kind(&span.of)), (SpanKind::Client, SpanKind::Server));
            of_two_clusters += 1;
            skewed += u32::from(span.of.start_time_unix_nano < parent.of.start_time_unix_nano);
        }
    }
    assert!(of_two_clusters > 500, "{of_two_clusters}");
    assert!(skewed < of_two_clusters, "{skewed} of {of_two_clusters}");
}

#[test]
fn pods_and_nodes_are_those_of_the_metrics() {
    for time_ms in [NOON_MS, NOON_MS + 5 * HOUR_MS] {
        let (spans, lines) = emitted(heard(), time_ms, time_ms + 20_000);
        let mut checked = HashSet::new();
        for cluster in heard().clusters() {
            let objects = of_text(&cluster.page("kube-state-metrics", time_ms).unwrap());
            let pods: BTreeSet<[&str; 4]> = objects
                .keys()
                .filter(|key| &*key.name == "kube_pod_info")
                .map(|key| ["namespace", "pod", "uid", "node"].map(|label| key.labels.get(label).unwrap()))
                .collect();
            let of_spans = spans.iter().filter(|span| &*span.cluster == cluster.name()).map(|span| &span.resource);
            let of_lines = lines.iter().filter(|line| &*line.cluster == cluster.name()).map(|line| &line.resource);
            for resource in of_spans.chain(of_lines) {
                let of = |key| text(&resource.attributes, key);
                assert_eq!(of("k8s.cluster.name"), cluster.name());
                if ["kubelet", "ingress"].contains(&of("service.name").as_str()) {
                    continue;
                }
                let names = ["k8s.namespace.name", "k8s.pod.name", "k8s.pod.uid", "k8s.node.name"].map(of);
                assert!(
                    pods.contains(&names.each_ref().map(String::as_str)),
                    "{names:?} is no pod of {}",
                    cluster.name()
                );
                assert!(names[1].starts_with(&of("service.name")) && !of("k8s.container.name").is_empty());
                checked.insert(names);
            }
        }
        assert!(checked.len() > 20, "{}", checked.len());
    }
}

#[test]
fn a_line_of_a_trace_is_of_a_span_of_the_same_pod_and_tells_of_the_same_failure() {
    let (spans, lines) = emitted(fleet(), NOON_MS, NOON_MS + HOUR_MS);
    let all = by_id(&spans);
    let (mut failed, mut beside) = (0, HashSet::new());
    for line in &lines {
        if line.of.trace_id.is_empty() {
            beside.insert(line.from("service.name"));
            continue;
        }
        let Some(span) = all.get(&(&line.of.trace_id[..], &line.of.span_id[..])) else {
            // A warning is written before the span ends.
            assert_eq!(line.of.severity_number, SeverityNumber::Warn as i32, "{line:?}");
            continue;
        };
        assert_eq!((&line.cluster, &line.resource), (&span.cluster, &span.resource));
        if line.of.severity_number == SeverityNumber::Error as i32 {
            let message = text(&line.of.attributes, "exception.message");
            let status = span.of.status.as_ref().unwrap();
            assert_eq!((&status.message, status.code), (&message, StatusCode::Error as i32));
            assert!(body(&line.of).contains(&message) && !message.is_empty());
            let event = &span.of.events[0];
            assert_eq!((event.name.as_str(), text(&event.attributes, "exception.message")), ("exception", message));
            assert!(text(&event.attributes, "exception.stacktrace").lines().count() >= 3);
            assert!(!text(&event.attributes, "exception.type").is_empty());
            failed += 1;
        }
    }
    assert!(failed > 20, "{failed}");
    let beside: BTreeSet<String> = beside.into_iter().collect();
    assert!(["ingress", "kubelet", "shop-db"].iter().all(|name| beside.contains(*name)), "{beside:?}");
}

#[test]
fn a_worker_links_to_the_orders_it_works_off() {
    let (spans, _) = emitted(heard(), NOON_MS - LONGEST_MS, NOON_MS + 10 * MINUTE_MS);
    let all = by_id(&spans);
    let late = spans.iter().filter(|span| ended_ms(&span.of) > NOON_MS + LONGEST_MS);
    let jobs: Vec<&Emitted<Span>> = late.filter(|span| kind(&span.of) == SpanKind::Consumer).collect();
    let mut links = 0;
    for job in &jobs {
        for link in &job.of.links {
            let order =
                all.get(&(&link.trace_id[..], &link.span_id[..])).unwrap_or_else(|| panic!("no order for {job:?}"));
            assert_eq!((order.of.name.as_str(), &order.cluster), ("POST /api/v1/orders", &job.cluster));
            assert!(order.of.start_time_unix_nano < job.of.start_time_unix_nano);
            assert_ne!(order.of.trace_id, job.of.trace_id);
            links += 1;
        }
    }
    assert!(jobs.len() > 500 && links > jobs.len(), "{} jobs, {links} links", jobs.len());
}

/// Spans of orders, and of what is called for them, of so many that some go wrong.
fn orders() -> &'static [Emitted<Span>] {
    static ORDERS: OnceLock<Vec<Emitted<Span>>> = OnceLock::new();
    ORDERS.get_or_init(|| {
        let settings = Settings { requests_traced: 100, silences: false, ..Settings::default() };
        kept(&Fleet::new(SEED, &settings).unwrap(), NOON_MS, NOON_MS + 8 * MINUTE_MS, |span| {
            let called = text(&span.of.attributes, "service.peer.name");
            span.of.name == "POST /api/v1/orders" || !called.is_empty()
        })
    })
}

#[test]
fn the_provider_of_payments_is_what_slow_orders_wait_for_in_one_cluster() {
    let spans = orders();
    let all = by_id(spans);
    let mut shares: HashMap<&str, Vec<f64>> = HashMap::new();
    for span in spans.iter().filter(|span| text(&span.of.attributes, "server.address") == "psp.example.com") {
        let order = all[&(&span.of.trace_id[..], &span.of.parent_span_id[..])];
        if seconds(&order.of) > 0.4 {
            shares.entry(&span.cluster).or_default().push(seconds(&span.of) / seconds(&order.of));
        }
    }
    assert!(shares["frankfurt"].len() > 3 && shares["dublin"].len() > 3, "{shares:?}");
    assert!(shares["frankfurt"].iter().all(|share| *share > 0.6), "{shares:?}");
    assert!(shares["dublin"].iter().all(|share| *share < 0.3), "{shares:?}");
}

#[test]
fn a_container_that_falls_is_told_of_by_its_kubelet_and_says_why() {
    let day_ms = 24 * HOUR_MS;
    let settings = Settings { requests_traced: 0, silences: false, clusters: 1, ..Settings::default() };
    let (spans, lines) = emitted(&Fleet::new(SEED, &settings).unwrap(), NOON_MS, NOON_MS + day_ms);
    assert_eq!(spans, []);
    let fell = lines.iter().filter(|line| line.of.severity_number == SeverityNumber::Fatal as i32).count();
    let waits = lines.iter().filter(|line| body(&line.of).contains("CrashLoopBackOff")).count();
    let started = lines.iter().filter(|line| body(&line.of).contains("Started container")).count();
    assert!(fell > 0 && fell == started && waits > fell, "{fell} fell, {started} started, {waits} waited");
    assert!(lines.iter().all(|line| line.of.trace_id.is_empty()));
}

#[test]
fn what_is_beyond_nanoseconds_is_refused() {
    let error = fleet().traffic().between(-1, 60_000).unwrap_err();
    assert_eq!(error.kind(), model::ErrorKind::Invalid);
    assert!(error.to_string().contains("-1 to 60000 ms"), "{error}");
    assert!(fleet().traffic().between(NOON_MS, i64::MAX).is_err());
    let error = Fleet::new(1, &Settings { requests_traced: 2_000, ..Settings::default() }).unwrap_err();
    assert!(error.to_string().contains("requests_traced"), "{error}");
}

#[test]
fn what_is_sent_reads_back_and_nothing_is_sent_of_a_silent_cluster() {
    let mut fleet = Fleet::new(SEED, &Settings { silences: false, ..Settings::default() }).unwrap();
    fleet.silence("dublin", NOON_MS - HOUR_MS).unwrap();
    for telemetry in fleet.traffic().between(NOON_MS, NOON_MS + MINUTE_MS).unwrap() {
        let requests = telemetry.requests();
        if telemetry.cluster == "dublin" {
            assert_eq!(requests, []);
            continue;
        }
        let [("/v1/traces", traces), ("/v1/logs", logs)] = &requests[..] else { panic!("{requests:?}") };
        assert_eq!(ExportTraceServiceRequest::decode(&traces[..]).unwrap(), telemetry.traces);
        assert_eq!(ExportLogsServiceRequest::decode(&logs[..]).unwrap(), telemetry.logs);
    }
}

#[test]
fn the_ingress_writes_a_line_of_each_request_of_a_user() {
    let (spans, lines) = emitted(heard(), NOON_MS, NOON_MS + MINUTE_MS);
    let is_of_user = |span: &&Emitted<Span>| {
        kind(&span.of) == SpanKind::Server
            && span.of.parent_span_id.is_empty()
            && text(&span.of.attributes, "http.route") != "/internal/jobs"
    };
    let users: Vec<&Emitted<Span>> = spans.iter().filter(is_of_user).collect();
    let of_ingress: Vec<_> = lines.iter().filter(|line| line.from("service.name") == "ingress").collect();
    // A line may be on the other side of the interval's end.
    assert!(users.len() > 100 && users.len().abs_diff(of_ingress.len()) <= 2, "{} users", users.len());
    let mut compared = 0;
    for line in &of_ingress {
        assert!(body(&line.of).contains(" - - [01/Jan/2026:12:00:"), "{}", body(&line.of));
        let is_same = |span: &&&Emitted<Span>| {
            let address = text(&span.of.attributes, "client.address");
            span.cluster == line.cluster && body(&line.of).starts_with(&format!("{address} "))
        };
        let span =
            users.iter().filter(is_same).min_by_key(|span| line.of.time_unix_nano.abs_diff(span.of.end_time_unix_nano));
        let Some(span) = span else { continue };
        let status = text(&span.of.attributes, "http.response.status_code");
        assert!(body(&line.of).contains(&format!("{} HTTP/1.1\" {status} ", span.of.name)), "{line:?} and {span:?}");
        compared += 1;
    }
    assert!(compared + 2 >= of_ingress.len(), "{compared}");
}

#[test]
fn what_payments_refuse_or_fail_at_is_an_error_of_the_call_and_decides_the_order() {
    let spans = orders();
    let all = by_id(spans);
    let (mut refused, mut again, mut in_vain) = (0, 0, 0);
    for call in spans.iter().filter(|span| text(&span.of.attributes, "service.peer.name") == "payments-api") {
        let Some(order) = all.get(&(&call.of.trace_id[..], &call.of.parent_span_id[..])) else { continue };
        let of_order = text(&order.of.attributes, "http.response.status_code");
        let status = text(&call.of.attributes, "http.response.status_code");
        assert_eq!(call.of.status.is_some(), !status.starts_with('2'), "{call:?}");
        let is_second = text(&call.of.attributes, "http.request.resend_count") == "1";
        match (status.as_str(), is_second) {
            ("400", _) => {
                assert_eq!((of_order.as_str(), &order.of.status), ("400", &None));
                refused += 1;
            }
            ("500" | "503", false) => again += 1,
            ("500" | "503", true) => {
                assert_eq!(of_order, "503");
                in_vain += 1;
            }
            _ => assert_eq!(status, "201"),
        }
    }
    let tries = spans.iter().filter(|span| text(&span.of.attributes, "http.request.resend_count") == "1").count();
    assert!(refused > 5 && again > 3 && in_vain < again, "{refused} refused, {again} again, {in_vain} in vain");
    // A call that began before the interval's end may have its second try after it.
    assert!(tries.abs_diff(again) <= 1, "{tries} second tries of {again} calls");
}
