//! A worker takes what orders have left in the queue, several at once: a trace of its own, with links to the orders.

use opentelemetry_proto::tonic::trace::v1::span::{Link, SpanKind};

use crate::roster::Roster;
use crate::traffic::SECOND_NS;
use crate::traffic::arguments::{number, text};
use crate::traffic::failure::Failure;
use crate::traffic::outgoing::{self, Statement};
use crate::traffic::request::{Request, requests};
use crate::traffic::serving::{Outcome, Serving};
use crate::traffic::trace::{SAMPLED, Trace, Work, span_id, trace_id};

/// Orders wait for a worker at most so long.
const WAITS_SECONDS: i64 = 10;
/// Orders that a worker takes at once.
const AT_ONCE: usize = 4;

/// Works off the orders that wait.
pub(crate) fn work_off(trace: &mut Trace<'_>, serving: &Serving<'_>, status: &'static str) -> Outcome {
    let orders = orders(trace.roster, serving);
    let links: Vec<Link> = orders.iter().map(link).collect();
    let (id, service) = (trace.next_id(), serving.service.1);
    let times_ns = serving.after(0.15)..serving.after(0.9);
    let failure = outgoing::database(trace, serving, Statement::UpdateJobs, (id, times_ns), status == "500");
    let attributes = vec![
        text("messaging.system", "pgmq"),
        text("messaging.operation.name", "process"),
        text("messaging.operation.type", "process"),
        text("messaging.destination.name", format!("{service}-jobs")),
        number("messaging.batch.message_count", links.len() as i64),
        text("server.address", format!("{service}-db.{service}.svc.cluster.local")),
    ];
    let work = Work {
        id,
        parent: Some(serving.id),
        name: format!("process {service}-jobs"),
        kind: SpanKind::Consumer,
        start_ns: serving.after(0.05),
        end_ns: serving.after(0.95),
        attributes,
        links,
        failure: failure.as_ref().map(Failure::passed_on),
    };
    trace.span(&serving.place, work);
    Outcome { end_ns: serving.after(1.0), status, failure }
}

/// The last traced orders that came to the service before the worker began.
fn orders(roster: &Roster, serving: &Serving<'_>) -> Vec<Request> {
    let request = serving.request;
    let deployment = roster.member(request.member).site.first_deployment(serving.service.0);
    let second = request.start_ns / SECOND_NS;
    let mut orders: Vec<Request> = Vec::new();
    for second in (second - WAITS_SECONDS..=second).rev() {
        let came = requests(roster, request.member, deployment, second..second + 1);
        orders.extend(came.filter(|order| order.handler.method == "POST" && order.start_ns < request.start_ns));
        if orders.len() >= AT_ONCE {
            break;
        }
    }
    orders.sort_unstable_by_key(|order| order.start_ns);
    orders.split_off(orders.len().saturating_sub(AT_ONCE))
}

fn link(order: &Request) -> Link {
    Link {
        trace_id: trace_id(order.chance).to_vec(),
        span_id: span_id(order.chance, 0).to_vec(),
        attributes: vec![text("messaging.message.id", order.chance.named("message").uuid())],
        flags: SAMPLED,
        ..Link::default()
    }
}
