//! The clusters of a fleet as they know each other: a request that comes to one may be passed on to another.

use crate::member::Member;
use crate::site::peak;

/// All clusters, as they were when it was last changed what happens to them.
#[derive(Debug)]
pub(crate) struct Roster {
    members: Vec<Member>,
    /// The part of the requests that is traced.
    pub(crate) traced: f64,
}

impl Roster {
    /// Clusters of which `requests_traced` requests a second are traced when all are at their busiest.
    pub(crate) fn new(members: Vec<Member>, requests_traced: usize) -> Self {
        let of =
            |member: &Member| (0..member.site.services.len()).map(|service| peak(&member.site, service)).sum::<f64>();
        let most: f64 = members.iter().map(of).sum();
        Roster { members, traced: if most > 0.0 { requests_traced as f64 / most } else { 0.0 } }
    }

    /// The cluster number `index`.
    pub(crate) fn member(&self, index: usize) -> &Member {
        &self.members[index]
    }

    /// All of them.
    pub(crate) fn members(&self) -> &[Member] {
        &self.members
    }
}
