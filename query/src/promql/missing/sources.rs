//! Sources that are asked at intervals, and the series `up` of each.

use model::SourceStatus;
use model::labels::{CLUSTER_LABEL, NAME_LABEL};
use model::source::labels_text;
use storage::Matcher;
use storage::matcher::Condition;

use super::super::labels::LabelSet;

/// The kinds of sources whose attempts leave rows of `up`.
const KINDS: [&str; 3] = ["federate", REMOTE_READ, "scrape"];
const REMOTE_READ: &str = "remote_read";

/// The labels of a series `up`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct UpLabels {
    pub(super) cluster: String,
    pub(super) job: String,
    pub(super) instance: String,
    /// As [`SourceStatus::labels`].
    others: String,
}

impl UpLabels {
    /// Those of a label set.
    pub(super) fn of(labels: &LabelSet) -> Self {
        let own = [NAME_LABEL, CLUSTER_LABEL, "job", "instance"];
        UpLabels {
            cluster: labels.get(CLUSTER_LABEL).to_owned(),
            job: labels.get("job").to_owned(),
            instance: labels.get("instance").to_owned(),
            others: labels_text(labels.iter().filter(|(name, _)| !own.contains(name))),
        }
    }
}

/// A source that is asked at intervals.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Asked {
    /// The labels of its series `up`.
    pub(super) up: UpLabels,
    /// Between two successes lies no more than this if nothing is missing, in milliseconds.
    pub(super) apart_ms: i64,
    /// As [`SourceStatus::own_labels`].
    pub(super) own_labels: bool,
    /// As [`SourceStatus::url`], of a source whose gaps are filled.
    pub(super) filled_from: Option<String>,
    /// As the warnings name it.
    pub(super) shown: String,
}

impl Asked {
    /// `None` if no rows of `up` tell of the source.
    pub(super) fn of(status: &SourceStatus) -> Option<Self> {
        let interval_ms = status.interval_ms.filter(|_| KINDS.contains(&status.kind))?;
        let place = if status.url.is_empty() { &status.instance } else { &status.url };
        Some(Asked {
            up: UpLabels {
                cluster: status.cluster.clone(),
                job: status.job.clone(),
                instance: status.instance.clone(),
                others: status.labels.clone(),
            },
            apart_ms: interval_ms.saturating_mul(2).max(1),
            own_labels: status.own_labels,
            filled_from: (status.kind == REMOTE_READ).then(|| status.url.clone()),
            shown: format!("job {:?} at {place}", status.job),
        })
    }
}

/// Selects the series `up` of some sources, and perhaps of others too.
pub(super) fn up(asked: &[&Asked]) -> Vec<Matcher> {
    let one_of = |label: &str, value: fn(&UpLabels) -> &String| {
        let mut values: Vec<String> = asked.iter().map(|asked| value(&asked.up).clone()).collect();
        values.sort();
        values.dedup();
        Matcher { label: label.to_owned(), condition: Condition::In(values) }
    };
    vec![
        is(NAME_LABEL, "up"),
        one_of(CLUSTER_LABEL, |up| &up.cluster),
        one_of("job", |up| &up.job),
        one_of("instance", |up| &up.instance),
    ]
}

/// A matcher that one value fulfils.
pub(super) fn is(label: &str, value: &str) -> Matcher {
    Matcher { label: label.to_owned(), condition: Condition::In(vec![value.to_owned()]) }
}
