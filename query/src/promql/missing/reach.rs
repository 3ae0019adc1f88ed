//! Which sources a question reaches, and in what time.

use std::ops::RangeInclusive;

use model::labels::CLUSTER_LABEL;
use parking_lot::Mutex;
use storage::{Matcher, Selection};

use super::attempts::Gap;
use super::sources::Asked;

/// What the selectors of a question say of the sources of their samples, and the time they look at.
#[derive(Debug, Default)]
pub(in super::super) struct Reach(Mutex<Vec<(Vec<Matcher>, RangeInclusive<i64>)>>);

impl Reach {
    /// Adds what a selector selects.
    pub(in super::super) fn add(&self, selection: &Selection) {
        let of_source = |matcher: &&Matcher| [CLUSTER_LABEL, "job", "instance"].contains(&&*matcher.label);
        let matchers = selection.matchers.iter().filter(of_source).cloned().collect();
        self.0.lock().push((matchers, selection.time_ms.clone()));
    }

    /// The time in which samples of a source may be in the answer; `None` if none can be.
    pub(super) fn time(&self, asked: &Asked) -> Option<Gap> {
        let selectors = self.0.lock();
        let reaching = selectors.iter().filter(|(matchers, _)| matchers.iter().all(|matcher| may_hold(matcher, asked)));
        let times = reaching.map(|(_, time_ms)| (time_ms.start().saturating_sub(1), *time_ms.end()));
        let all = times.reduce(|(after_ms, until_ms), (after, until)| (after_ms.min(after), until_ms.max(until)));
        all.map(|(after_ms, until_ms)| Gap { after_ms, until_ms })
    }
}

/// Whether a series of the source may fulfil the condition.
fn may_hold(matcher: &Matcher, asked: &Asked) -> bool {
    let value = match &*matcher.label {
        CLUSTER_LABEL => &asked.up.cluster,
        // What comes out of a Prometheus, or of a page that is believed, may have any.
        _ if !asked.own_labels => return true,
        "job" => &asked.up.job,
        _ => &asked.up.instance,
    };
    matcher.condition.holds(value)
}
