//! All that is known of one cluster: what it is made of, what happens in it, and when nothing is heard of it.

use std::sync::Arc;

use crate::course::Course;
use crate::moment::Moment;
use crate::plan::Plans;
use crate::silence::Silences;
use crate::site::Site;

/// A cluster of the fleet.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) attributes: model::Cluster,
    pub(crate) site: Arc<Site>,
    course: Course,
    plans: Plans,
    silences: Silences,
    /// When it was silenced, and when revived.
    silenced: Vec<(i64, Option<i64>)>,
}

impl Member {
    pub(crate) fn new(
        site: Arc<Site>,
        course: Course,
        plans: Plans,
        silences: Silences,
        silenced: Vec<(i64, Option<i64>)>,
    ) -> Self {
        Member { attributes: site.attributes(), site, course, plans, silences, silenced }
    }

    /// Whether nothing is to be heard of it at an instant.
    pub(crate) fn is_silent(&self, time_ms: i64) -> bool {
        let covers = |&(from_ms, until_ms): &(i64, Option<i64>)| {
            from_ms <= time_ms && until_ms.is_none_or(|until_ms| time_ms < until_ms)
        };
        self.silenced.iter().any(covers) || self.silences.is_silent(self.site.index, time_ms)
    }

    /// It at one instant.
    pub(crate) fn moment(&self, time_ms: i64) -> Moment<'_> {
        Moment { site: &self.site, course: &self.course, plans: &self.plans, time_ms }
    }
}
