//! What a pod asks of others while it serves: the database, the provider of payments, a queue, another application.

use std::ops::Range;

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::logs::v1::SeverityNumber;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;

use crate::chance::Chance;
use crate::systems::application::{Handler, handlers};
use crate::traffic::MS_NS;
use crate::traffic::arguments::{number, text};
use crate::traffic::calls::{self, Call, Target};
use crate::traffic::failure::Failure;
use crate::traffic::lines::Line;
use crate::traffic::place::Place;
use crate::traffic::request::Request;
use crate::traffic::serving::{Answer, Caller, Serving, serve};
use crate::traffic::trace::{SpanId, Trace, Work};

/// A database tells of statements that take longer.
const SLOW_STATEMENT_NS: i64 = 500 * MS_NS;

/// What is asked of a database.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Statement {
    SelectItems,
    InsertOrder,
    UpdateJobs,
}

impl Statement {
    /// Operation, table and text.
    fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Statement::SelectItems => {
                ("SELECT", "items", "SELECT id, name, price FROM items WHERE shelf = $1 LIMIT 50")
            }
            Statement::InsertOrder => {
                ("INSERT", "orders", "INSERT INTO orders (id, customer, total) VALUES ($1, $2, $3)")
            }
            Statement::UpdateJobs => ("UPDATE", "jobs", "UPDATE jobs SET done_at = now() WHERE id = ANY($1)"),
        }
    }
}

/// What came of a call.
pub(crate) struct Called {
    pub(crate) end_ns: i64,
    /// What went wrong, if it is the fault of who was called.
    pub(crate) failure: Option<Failure>,
    /// Whether what was asked makes no sense.
    pub(crate) is_refused: bool,
}

/// The port that a handler is asked at.
pub(crate) fn port(handler: &Handler) -> i64 {
    if handler.is_procedure() { 9090 } else { 8080 }
}

/// A statement to the service's database, in a span below `parent`; gives what went wrong.
pub(crate) fn database(
    trace: &mut Trace<'_>,
    serving: &Serving<'_>,
    statement: Statement,
    (parent, times_ns): (SpanId, Range<i64>),
    fails: bool,
) -> Option<Failure> {
    let (operation, table, query) = statement.words();
    let service = serving.service.1;
    let failure = fails.then(|| Failure::of_database(service, table, serving.chance("refusal")));
    let mut attributes = vec![
        text("db.system.name", "postgresql"),
        text("db.namespace", service),
        text("db.operation.name", operation),
        text("db.collection.name", table),
        text("db.query.summary", format!("{operation} {table}")),
        text("db.query.text", query),
        text("server.address", format!("{service}-db.{service}.svc.cluster.local")),
        number("server.port", 5432),
    ];
    if let Some(code) = failure.as_ref().and_then(|failure| failure.code) {
        attributes.extend([text("db.response.status_code", code), text("error.type", code)]);
    }
    let slow_ns = times_ns.end - times_ns.start;
    if slow_ns > SLOW_STATEMENT_NS {
        tell_of_statement(trace, serving, query, times_ns.end, slow_ns);
    }
    let work = Work {
        id: trace.next_id(),
        parent: Some(parent),
        name: format!("{operation} {table}"),
        kind: SpanKind::Client,
        start_ns: times_ns.start,
        end_ns: times_ns.end,
        attributes,
        failure: failure.as_ref().map(Failure::passed_on),
        ..Work::default()
    };
    trace.span(&serving.place, work);
    failure
}

/// The database's own line of a slow statement. It knows nothing of traces.
fn tell_of_statement(trace: &mut Trace<'_>, serving: &Serving<'_>, query: &str, time_ns: i64, slow_ns: i64) {
    let index = serving.request.member;
    let moment = trace.roster.member(index).moment(time_ns / MS_NS);
    let name = format!("{}-db", serving.service.1);
    if let Some(place) = Place::single(index, &moment, &name, trace.names) {
        let took = slow_ns as f64 / MS_NS as f64;
        let process = 100 + serving.chance("process").below(900);
        let body = format!("[{process}] LOG:  duration: {took:.3} ms  execute: {query}");
        let line = Line { time_ns, severity: SeverityNumber::Info, body, attributes: Vec::new() };
        trace.line_beside(&place, line);
    }
}

/// The provider of payments, who is no part of the fleet.
pub(crate) fn provider(trace: &mut Trace<'_>, serving: &Serving<'_>, start_ns: i64, end_ns: i64) {
    let attributes = vec![
        text("http.request.method", "POST"),
        text("url.full", "https://psp.example.com/v1/charges"),
        text("server.address", "psp.example.com"),
        number("server.port", 443),
        number("http.response.status_code", 200),
        text("service.peer.name", "psp"),
    ];
    outgoing(trace, serving, ("POST", SpanKind::Client), start_ns..end_ns, attributes, None);
}

/// A job for the service's workers.
pub(crate) fn publish(trace: &mut Trace<'_>, serving: &Serving<'_>, times_ns: Range<i64>) {
    let service = serving.service.1;
    let attributes = vec![
        text("messaging.system", "pgmq"),
        text("messaging.operation.name", "send"),
        text("messaging.operation.type", "send"),
        text("messaging.destination.name", format!("{service}-jobs")),
        text("messaging.message.id", serving.chance("message").uuid()),
        text("server.address", format!("{service}-db.{service}.svc.cluster.local")),
    ];
    let name = format!("send {service}-jobs");
    outgoing(trace, serving, (&name, SpanKind::Producer), times_ns, attributes, None);
}

/// Adds the span of something that is asked.
fn outgoing(
    trace: &mut Trace<'_>,
    serving: &Serving<'_>,
    (name, kind): (&str, SpanKind),
    times_ns: Range<i64>,
    attributes: Vec<KeyValue>,
    failure: Option<Failure>,
) {
    let work = Work {
        id: trace.next_id(),
        parent: Some(serving.id),
        name: name.to_owned(),
        kind,
        start_ns: times_ns.start,
        end_ns: times_ns.end,
        attributes,
        failure,
        ..Work::default()
    };
    trace.span(&serving.place, work);
}

/// A call of another application, which is tried twice if it asks what users ask.
pub(crate) fn call(trace: &mut Trace<'_>, serving: &Serving<'_>, call: &Call, start_ns: i64) -> Called {
    let chance = serving.chance("call");
    let tries = if matches!(call.target, Target::Path(_)) { 2 } else { 1 };
    let mut called = Called { end_ns: start_ns, failure: None, is_refused: false };
    for attempt in 0..tries {
        called = attempted(trace, serving, call, (attempt, called.end_ns), chance.of(attempt));
        let Some(failure) = &called.failure else { break };
        let then = match call.target {
            Target::Path(_) if attempt + 1 < tries => "trying again",
            Target::Path(_) => "giving up",
            Target::Procedure(_) => "going on without",
        };
        let body = format!("level=warn msg=\"{}, {then}\" attempt={}", failure.message, attempt + 1);
        let line = Line { time_ns: called.end_ns, severity: SeverityNumber::Warn, body, attributes: Vec::new() };
        trace.line(&serving.place, serving.id, line);
    }
    called
}

fn attempted(
    trace: &mut Trace<'_>,
    serving: &Serving<'_>,
    call: &Call,
    (attempt, start_ns): (u64, i64),
    chance: Chance,
) -> Called {
    let (roster, caller) = (trace.roster, serving.request.member);
    let member = calls::cluster(roster, caller, call.service, start_ns / MS_NS, chance.named("cluster"));
    let site = &roster.member(member).site;
    let workload = site.first_deployment(call.service);
    let handler = match call.target {
        Target::Procedure(handler) => Some(handler),
        Target::Path(path) => handlers(&site.workloads[workload]).iter().find(|handler| handler.path == path),
    };
    let Some(handler) = handler else { return Called { end_ns: start_ns, failure: None, is_refused: false } };
    let is_far = site.region != roster.member(caller).site.region;
    // One way: within a cluster, a region, or between regions.
    let least_ms = if member == caller {
        0.15
    } else if is_far {
        8.0
    } else {
        1.2
    };
    let way_ns = (least_ms * (1.0 + chance.named("way").fraction()) * MS_NS as f64) as i64;
    let request = Request { member, workload, handler, start_ns: start_ns + way_ns, chance: chance.named("request") };
    let id = trace.next_id();
    let answer = serve(trace, &request, Some(&Caller { span: id, address: serving.address.clone() }));
    let end_ns = answer.as_ref().map_or(start_ns + 2 * way_ns, |answer| answer.end_ns + way_ns);
    let service = &site.services[call.service].name;
    let status = answer.as_ref().map_or("503", |answer: &Answer| answer.status);
    let (has_failed, is_refused) = (handler.is_failure(status), status.starts_with('4'));
    let failure = (has_failed || is_refused).then(|| Failure::of_call(serving.service.1, service, status));
    let address = match member == caller {
        true => format!("{service}-api.{service}.svc.cluster.local"),
        false => format!("{service}.{}.example.com", site.name),
    };
    let work = Work {
        id,
        parent: Some(serving.id),
        name: handler.name(),
        kind: SpanKind::Client,
        start_ns,
        end_ns,
        attributes: of_call(handler, &address, status, (attempt, service)),
        failure: failure.as_ref().map(Failure::passed_on),
        ..Work::default()
    };
    trace.span(&serving.place, work);
    Called { end_ns, failure: failure.filter(|_| has_failed), is_refused }
}

fn of_call(handler: &Handler, address: &str, status: &str, (attempt, service): (u64, &str)) -> Vec<KeyValue> {
    let port = port(handler);
    let mut attributes = vec![
        text("server.address", address),
        number("server.port", port),
        text("service.peer.name", format!("{service}-api")),
    ];
    if handler.is_procedure() {
        attributes.extend([
            text("rpc.system.name", "grpc"),
            text("rpc.method", handler.path),
            text("rpc.response.status_code", status),
        ]);
    } else {
        attributes.extend([
            text("http.request.method", handler.method),
            text("url.full", format!("http://{address}:{port}{}", handler.path)),
            text("url.template", handler.path),
            number("http.response.status_code", status.parse().unwrap_or_default()),
        ]);
    }
    if attempt > 0 {
        attributes.push(number("http.request.resend_count", attempt as i64));
    }
    if handler.is_failure(status) || status.starts_with('4') {
        attributes.push(text("error.type", status));
    }
    attributes
}
