//! The load balancer in front of a cluster: it writes a line of each request of a user, and knows nothing of traces.

use model::time::Date;
use opentelemetry_proto::tonic::logs::v1::SeverityNumber;

use crate::systems::cadvisor::{ANSWER_SHARE, REQUEST_BYTES};
use crate::traffic::arguments::text;
use crate::traffic::lines::Line;
use crate::traffic::place::{Emitter, Place};
use crate::traffic::serving::{Answer, Serving, user};
use crate::traffic::trace::{Trace, stamp};
use crate::traffic::{MS_NS, SECOND_NS};

/// From the pod's answer to the line.
const AFTER_NS: i64 = MS_NS;
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Writes down an answer to a user.
pub(crate) fn log(trace: &mut Trace<'_>, serving: &Serving<'_>, answer: &Answer) {
    let (request, time_ns) = (serving.request, answer.end_ns + AFTER_NS);
    let site = &trace.roster.member(request.member).site;
    let bytes = REQUEST_BYTES * ANSWER_SHARE * (0.5 + serving.chance("bytes").fraction());
    let body = format!(
        "{} - - [{}] \"{} {} HTTP/1.1\" {} {} \"-\" \"Mozilla/5.0\" {:.3}",
        user(request),
        date(stamp(site, time_ns) as i64 / SECOND_NS),
        answer.handler.method,
        answer.handler.path,
        answer.status,
        bytes.floor(),
        (time_ns - answer.start_ns) as f64 / SECOND_NS as f64,
    );
    let attributes = vec![text("server.address", format!("{}.example.com", serving.service.1))];
    let place = Place { member: request.member, emitter: Emitter::Ingress };
    trace.line_beside(&place, Line { time_ns, severity: SeverityNumber::Unspecified, body, attributes });
}

/// A time as such logs have it.
fn date(seconds: i64) -> String {
    let (year, month, day) = Date::of_ms(seconds * 1000).civil();
    let of_day = seconds.rem_euclid(86_400);
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    format!("{day:02}/{}/{year}:{hour:02}:{minute:02}:{second:02} +0000", MONTHS[month as usize - 1])
}
