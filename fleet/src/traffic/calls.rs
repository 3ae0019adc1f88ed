//! Which application calls which, and in which cluster.

use std::sync::LazyLock;

use crate::chance::Chance;
use crate::latency::Latency;
use crate::roster::Roster;
use crate::site::{PAYMENTS, SEARCH, SHOP};
use crate::systems::application::{BOUNDS, Handler};
use crate::track::Track;

/// How much likelier a call goes to a cluster of the caller's region.
const NEAR: f64 = 12.0;

/// A call that some of the requests of a handler make.
pub(crate) struct Call {
    caller: usize,
    path: &'static str,
    /// The service that is called.
    pub(crate) service: usize,
    /// The part of the requests that make it.
    pub(crate) share: f64,
    /// What is asked.
    pub(crate) target: Target,
}

/// What a call asks.
pub(crate) enum Target {
    /// The same that users ask of the service: the handler of this path.
    Path(&'static str),
    /// A remote procedure.
    Procedure(&'static Handler),
}

/// A procedure of the search service. Its pods' pages have no metrics of it.
static FIND: Handler = Handler {
    path: "search.v1.Search/Find",
    method: "",
    share: 0.0,
    statuses: &[("OK", 0.999, 0.900), ("UNAVAILABLE", 0.001, 0.100)],
    fast: LazyLock::new(|| Latency::new(BOUNDS, 0.004, 0.5)),
    slow: LazyLock::new(|| Latency::new(BOUNDS, 0.060, 0.8)),
};

/// So many of the shop's orders are paid at once that they are seven of eight orders of the payments: 35 % of 120 a second
/// at the busiest, of 48.
static CALLS: [Call; 2] = [
    Call {
        caller: SHOP,
        path: "/api/v1/orders",
        service: PAYMENTS,
        share: 0.35,
        target: Target::Path("/api/v1/orders"),
    },
    Call { caller: SHOP, path: "/api/v1/items", service: SEARCH, share: 0.3, target: Target::Procedure(&FIND) },
];
/// The part of the payments' orders that comes from users.
const DIRECT_ORDERS: f64 = 0.125;

/// The call that requests of a handler of a service may make, if it makes one in a fleet of so many services.
pub(crate) fn call(caller: usize, handler: &Handler, services: usize) -> Option<&'static Call> {
    CALLS.iter().find(|call| call.caller == caller && call.path == handler.path && call.service < services)
}

/// The part of a handler's requests that does not come through a call.
pub(crate) fn direct_share(service: usize, handler: &Handler) -> f64 {
    if service == PAYMENTS && handler.path == "/api/v1/orders" { DIRECT_ORDERS } else { 1.0 }
}

/// Whether the provider of payments is what makes slow orders slow in a cluster: in one, where the payments are active.
pub(crate) fn is_provider_slow(roster: &Roster, index: usize) -> bool {
    roster.members().iter().position(|member| member.site.active[PAYMENTS]) == Some(index)
}

/// The cluster that a call from another goes to: where the service has requests, rather in the same region.
pub(crate) fn cluster(roster: &Roster, caller: usize, service: usize, time_ms: i64, chance: Chance) -> usize {
    let region = roster.member(caller).site.region;
    let weights: Vec<f64> = roster
        .members()
        .iter()
        .map(|member| {
            let rate = member.moment(time_ms).rate(Track::Service(service));
            if member.site.region == region { rate * NEAR } else { rate }
        })
        .collect();
    let mut left = chance.fraction() * weights.iter().sum::<f64>();
    for (index, weight) in weights.into_iter().enumerate() {
        left -= weight;
        if left < 0.0 {
            return index;
        }
    }
    caller
}
