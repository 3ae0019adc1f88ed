//! Which requests are traced: a fixed part of those that come to each deployment, second by second.

use std::ops::Range;

use crate::chance::Chance;
use crate::roster::Roster;
use crate::systems::application::{Handler, handlers};
use crate::track::Track;
use crate::traffic::{SECOND_NS, calls};
use crate::workload::Drive;

/// A request to a deployment, before anything has become of it.
#[derive(Clone, Copy)]
pub(crate) struct Request {
    /// The cluster's place in the roster.
    pub(crate) member: usize,
    /// Index of the workload in its cluster.
    pub(crate) workload: usize,
    pub(crate) handler: &'static Handler,
    /// When it comes, in nanoseconds since 1970.
    pub(crate) start_ns: i64,
    pub(crate) chance: Chance,
}

/// The traced requests that come to a deployment in some `seconds` since 1970, not through another application of the
/// fleet.
pub(crate) fn requests(
    roster: &Roster,
    member: usize,
    workload: usize,
    seconds: Range<i64>,
) -> impl Iterator<Item = Request> {
    seconds.flat_map(move |second| in_second(roster, member, workload, second))
}

fn in_second(roster: &Roster, member: usize, workload: usize, second: i64) -> impl Iterator<Item = Request> {
    let site = &roster.member(member).site;
    let of = &site.workloads[workload];
    let chance = of.chance.named("requests").at(second);
    let (service, expected) = match of.drive {
        Drive::Application { service, fan } => {
            let (from_ms, to_ms) = (second * 1000, (second + 1) * 1000);
            let requests = roster.member(member).moment(to_ms).since(Track::Service(service), from_ms);
            (service, requests * fan * roster.traced)
        }
        Drive::Service(_) | Drive::Cluster => (0, 0.0),
    };
    // Whole ones, and one more as often as the rest says.
    let count = (expected + chance.fraction()).floor() as u64;
    (0..count).filter_map(move |i| {
        let chance = chance.of(i);
        let start_ns = second * SECOND_NS + chance.named("start").below(SECOND_NS as u64) as i64;
        let handler = asked(handlers(of), chance.named("handler"));
        let is_direct = chance.named("direct").fraction() < calls::direct_share(service, handler);
        is_direct.then_some(Request { member, workload, handler, start_ns, chance })
    })
}

/// One of the handlers, each as often as its share says.
fn asked(handlers: &'static [Handler], chance: Chance) -> &'static Handler {
    let mut left = chance.fraction();
    for handler in handlers {
        left -= handler.share;
        if left < 0.0 {
            return handler;
        }
    }
    &handlers[0]
}
