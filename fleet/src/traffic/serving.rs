//! A pod serves a request: how long it takes, what it asks of others meanwhile, and what comes of it.

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::logs::v1::SeverityNumber;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;

use crate::chance::Chance;
use crate::moment::{Moment, Names, Pod};
use crate::site::PAYMENTS;
use crate::systems::application::Handler;
use crate::traffic::arguments::{decimal, number, text};
use crate::traffic::calls::{self, Target};
use crate::traffic::failure::Failure;
use crate::traffic::lines::{Line, milliseconds};
use crate::traffic::outgoing::{self, Statement};
use crate::traffic::place::Place;
use crate::traffic::request::Request;
use crate::traffic::trace::{SpanId, Trace, Work};
use crate::traffic::{LONGEST_MS, MS_NS, SECOND_NS, ingress, jobs};
use crate::workload::Drive;

/// A request that takes longer is told of in the log as slow.
const SLOW_NS: i64 = SECOND_NS;
/// The longest that a pod works on a request of a user, and on one of another service.
const LONGEST_NS: i64 = 10 * SECOND_NS;
const LONGEST_CALLED_NS: i64 = 4 * SECOND_NS;

/// Who calls, if it is no user.
pub(crate) struct Caller {
    /// The span that waits.
    pub(crate) span: SpanId,
    pub(crate) address: String,
}

/// A pod at work on a request.
pub(crate) struct Serving<'a> {
    pub(crate) request: &'a Request,
    pub(crate) place: Place,
    /// The span of its work.
    pub(crate) id: SpanId,
    /// Index and name of the service.
    pub(crate) service: (usize, &'a str),
    /// Which of the service's deployments it is of.
    tier: usize,
    /// The pod's address.
    pub(crate) address: String,
    /// How long it takes by itself.
    pub(crate) own_ns: i64,
    /// Whether it is one of those that take long.
    pub(crate) is_slow: bool,
}

impl Answer {
    /// The number of the pod that served.
    pub(crate) fn pod_id(&self) -> u64 {
        self.place.id().1
    }
}

/// What came of a request.
pub(crate) struct Answer {
    pub(crate) place: Place,
    pub(crate) handler: &'static Handler,
    pub(crate) start_ns: i64,
    pub(crate) end_ns: i64,
    pub(crate) status: &'static str,
}

/// How the work on a request ended.
pub(crate) struct Outcome {
    pub(crate) end_ns: i64,
    pub(crate) status: &'static str,
    pub(crate) failure: Option<Failure>,
}

impl Serving<'_> {
    pub(crate) fn chance(&self, what: &str) -> Chance {
        self.request.chance.named(what)
    }

    /// The instant at which a part of its own time is over.
    pub(crate) fn after(&self, share: f64) -> i64 {
        self.request.start_ns + part(self.own_ns, share)
    }
}

/// Serves a request, unless no pod is ready.
pub(crate) fn serve(trace: &mut Trace<'_>, request: &Request, caller: Option<&Caller>) -> Option<Answer> {
    let (chance, handler) = (request.chance, request.handler);
    let roster = trace.roster;
    let moment = roster.member(request.member).moment(request.start_ns / MS_NS);
    let workload = &moment.site.workloads[request.workload];
    let Drive::Application { service, .. } = workload.drive else { return None };
    let pod = ready(&moment, request.workload, chance.named("pod"), trace.names)?;
    let is_slow = chance.named("slow").fraction() < moment.slow_share(request.workload);
    let longest_ns = if caller.is_some() { LONGEST_CALLED_NS } else { LONGEST_NS };
    let seconds = handler.seconds(chance.named("seconds"), is_slow);
    let serving = Serving {
        request,
        address: pod.identity.address.clone(),
        place: Place::pod(request.member, pod),
        id: trace.next_id(),
        service: (service, &workload.namespace),
        tier: workload.tier,
        own_ns: part(SECOND_NS, seconds).clamp(MS_NS / 2, longest_ns),
        is_slow,
    };
    let status = handler.status(chance.named("status"), is_slow);
    let outcome = match status {
        "503" | "UNAVAILABLE" => turned_away(trace, &serving, status),
        _ if handler.is_procedure() => procedure(trace, &serving, status),
        _ if workload.tier > 0 => jobs::work_off(trace, &serving, status),
        _ => of_user(trace, &serving, status),
    };
    log(trace, &serving, &outcome);
    let attributes = attributes(&serving, &workload.name, caller, &outcome);
    let (end_ns, status) = (outcome.end_ns, outcome.status);
    debug_assert!(end_ns - request.start_ns < LONGEST_MS * MS_NS / 10 * 9, "{status} of {}", handler.path);
    let answer = Answer { place: serving.place.clone(), handler, start_ns: request.start_ns, end_ns, status };
    if caller.is_none() && workload.tier == 0 {
        ingress::log(trace, &serving, &answer);
    }
    let work = Work {
        id: serving.id,
        parent: caller.map(|caller| caller.span),
        name: handler.name(),
        kind: SpanKind::Server,
        start_ns: request.start_ns,
        end_ns,
        attributes,
        failure: outcome.failure,
        ..Work::default()
    };
    trace.span(&serving.place, work);
    Some(answer)
}

/// A pod that serves.
fn ready(moment: &Moment<'_>, workload: usize, chance: Chance, names: &mut Names) -> Option<Pod> {
    let mut pods = moment.pods_of(workload, names);
    pods.retain(|pod| pod.life.is_ready(moment.time_ms));
    (!pods.is_empty()).then(|| pods.swap_remove(chance.below(pods.len() as u64) as usize))
}

/// The pod has too much to do: the request waits, and is told to go.
fn turned_away(trace: &mut Trace<'_>, serving: &Serving<'_>, status: &'static str) -> Outcome {
    let failure = Failure::of_load(serving.service.1, serving.own_ns, serving.chance("waiting"));
    inside(trace, serving, "admission.wait", Vec::new(), Some(failure.passed_on()));
    Outcome { end_ns: serving.after(1.0), status, failure: Some(failure) }
}

fn procedure(trace: &mut Trace<'_>, serving: &Serving<'_>, status: &'static str) -> Outcome {
    let hits = serving.chance("hits").below(200) as i64;
    inside(trace, serving, "index.find", vec![number("search.hits", hits)], None);
    Outcome { end_ns: serving.after(1.0), status, failure: None }
}

/// A span for nearly all of the time that a pod takes by itself.
fn inside(
    trace: &mut Trace<'_>,
    serving: &Serving<'_>,
    name: &str,
    attributes: Vec<KeyValue>,
    failure: Option<Failure>,
) {
    let work = Work {
        id: trace.next_id(),
        parent: Some(serving.id),
        name: name.to_owned(),
        kind: SpanKind::Internal,
        start_ns: serving.after(0.03),
        end_ns: serving.after(0.97),
        attributes,
        failure,
        ..Work::default()
    };
    trace.span(&serving.place, work);
}

/// What a user asks: another service is called, then the provider of payments, then the database; an order leaves a job.
fn of_user(trace: &mut Trace<'_>, serving: &Serving<'_>, status: &'static str) -> Outcome {
    let (mut at_ns, is_order) = (serving.after(0.1), serving.request.handler.method == "POST");
    if status == "400" {
        return Outcome { end_ns: serving.after(1.0), status, failure: None };
    }
    let services = trace.roster.member(serving.request.member).site.services.len();
    let call = calls::call(serving.service.0, serving.request.handler, services);
    if let Some(call) = call.filter(|call| serving.chance("calls").fraction() < call.share) {
        let called = outgoing::call(trace, serving, call, at_ns);
        at_ns = called.end_ns;
        if called.is_refused {
            return Outcome { end_ns: at_ns + part(serving.own_ns, 0.1), status: "400", failure: None };
        }
        // Items can be shown without what a search would add; an order cannot do without its payment.
        if let (Some(failure), Target::Path(_)) = (called.failure, &call.target) {
            return Outcome { end_ns: at_ns + part(serving.own_ns, 0.1), status: "503", failure: Some(failure) };
        }
    }
    // Whoever calls waits, and has his own work to do besides.
    let end_ns = serving.after(1.0).max(at_ns + part(serving.own_ns, 0.4));
    let rest_ns = end_ns - at_ns;
    let mut of_database = if serving.is_slow { 0.8 } else { 0.45 };
    if serving.service.0 == PAYMENTS && is_order {
        let is_provider = serving.is_slow && calls::is_provider_slow(trace.roster, serving.request.member);
        let of_provider = if is_provider { 0.85 } else { 0.2 };
        of_database = if is_provider { 0.05 } else { of_database * 0.75 };
        outgoing::provider(trace, serving, at_ns, at_ns + part(rest_ns, of_provider));
        at_ns += part(rest_ns, of_provider);
    }
    let statement = if is_order { Statement::InsertOrder } else { Statement::SelectItems };
    let times_ns = at_ns + part(rest_ns, 0.02)..at_ns + part(rest_ns, 0.02 + of_database);
    let asked = (serving.id, times_ns.clone());
    let failure = outgoing::database(trace, serving, statement, asked, status == "500");
    if is_order && failure.is_none() {
        let times_ns = times_ns.end + part(rest_ns, 0.01)..times_ns.end + part(rest_ns, 0.06);
        outgoing::publish(trace, serving, times_ns);
    }
    Outcome { end_ns, status, failure }
}

/// The line that the pod writes of a request.
fn log(trace: &mut Trace<'_>, serving: &Serving<'_>, outcome: &Outcome) {
    let (handler, status) = (serving.request.handler, outcome.status);
    let duration_ns = outcome.end_ns - serving.request.start_ns;
    let (severity, level, what) = match &outcome.failure {
        Some(_) => (SeverityNumber::Error, "error", "request failed"),
        None if duration_ns > SLOW_NS => (SeverityNumber::Warn, "warn", "request was slow"),
        None if status.starts_with('4') => (SeverityNumber::Warn, "warn", "request refused"),
        None => (SeverityNumber::Info, "info", "request answered"),
    };
    let (name, took) = (handler.name(), milliseconds(duration_ns));
    let mut body = format!("level={level} msg=\"{what}\" request=\"{name}\" status={status} duration={took}");
    let mut attributes = of_request(handler, status);
    attributes.push(decimal("duration_ms", duration_ns as f64 / MS_NS as f64));
    if let Some(failure) = &outcome.failure {
        body += &format!(" error=\"{}\"", failure.message);
        attributes.extend(failure.attributes());
    }
    trace.line(&serving.place, serving.id, Line { time_ns: outcome.end_ns, severity, body, attributes });
}

/// What the span of a request and its line say alike.
fn of_request(handler: &Handler, status: &str) -> Vec<KeyValue> {
    if handler.is_procedure() {
        return vec![
            text("rpc.system.name", "grpc"),
            text("rpc.method", handler.path),
            text("rpc.response.status_code", status),
        ];
    }
    let code = status.parse().unwrap_or_default();
    vec![
        text("http.request.method", handler.method),
        text("http.route", handler.path),
        number("http.response.status_code", code),
    ]
}

fn attributes(serving: &Serving<'_>, deployment: &str, caller: Option<&Caller>, outcome: &Outcome) -> Vec<KeyValue> {
    let handler = serving.request.handler;
    let mut attributes = of_request(handler, outcome.status);
    attributes.push(text("server.address", format!("{deployment}.{}.svc.cluster.local", serving.service.1)));
    attributes.push(number("server.port", outgoing::port(handler)));
    let (address, agent) = match caller {
        Some(caller) => (caller.address.clone(), "Go-http-client/1.1"),
        None if serving.tier == 0 => (user(serving.request), "Mozilla/5.0"),
        // The queue's own client, in the worker's pod.
        None => ("127.0.0.1".to_owned(), "pgmq-client/1.0"),
    };
    attributes.push(text("client.address", address));
    if !handler.is_procedure() {
        attributes.extend([
            text("url.scheme", "http"),
            text("url.path", handler.path),
            text("network.protocol.version", "1.1"),
            text("user_agent.original", agent),
        ]);
    }
    if outcome.failure.is_some() {
        attributes.push(text("error.type", outcome.status));
    }
    attributes
}

/// The address of the user who asks, of a range that no real one has.
pub(crate) fn user(request: &Request) -> String {
    format!("198.51.100.{}", 1 + request.chance.named("user").below(254))
}

/// A part of a time.
pub(crate) fn part(time_ns: i64, share: f64) -> i64 {
    (time_ns as f64 * share) as i64
}
