//! What a series of a page becomes: the labels of its target, the rules, the limits.
//!
//! Pure. Source of the rules: `mutateSampleLabels` and `verifyLabelLimits` of Prometheus' `scrape/scrape.go`.

use std::sync::Arc;

use model::Batch;
use model::batch::write_plain;
use model::labels::{LabelsBuilder, NAME_LABEL};

use crate::config::ScrapeConfig;
use crate::fetch::{Failure, Stage};
use crate::relabel::{LabelSet, Rules};

/// What a label of the page is called that the target's own takes the name of.
const EXPORTED: &str = "exported_";

/// The conditions of one target.
#[derive(Debug, Clone)]
pub(crate) struct Conditions {
    target_labels: Vec<(String, String)>,
    /// Shared by all targets of the job: each copy of an expression has caches of its own.
    rules: Arc<Rules>,
    honor_labels: bool,
    pub(super) honor_timestamps: bool,
    pub(super) track_timestamps_staleness: bool,
    /// Samples of a page; 0 for no limit, as the following.
    pub(super) sample_limit: usize,
    label_limit: usize,
    label_name_length_limit: usize,
    label_value_length_limit: usize,
}

impl Conditions {
    /// The conditions of `config` for a target with these labels; `rules` are those of its `metric_relabel_configs`.
    pub(crate) fn new(config: &ScrapeConfig, rules: Arc<Rules>, target_labels: Vec<(String, String)>) -> Self {
        Conditions {
            target_labels,
            rules,
            honor_labels: config.honor_labels,
            honor_timestamps: config.honor_timestamps,
            track_timestamps_staleness: config.track_timestamps_staleness,
            sample_limit: config.sample_limit,
            label_limit: config.label_limit,
            label_name_length_limit: config.label_name_length_limit,
            label_value_length_limit: config.label_value_length_limit,
        }
    }

    /// The labels of series `index` of a page in their final form, in the plain encoding, names in order; `None` if the
    /// rules drop it. `builder` is scratch space.
    ///
    /// # Errors
    /// At [`Stage::Relabel`], if the series has no name in the end or breaks a limit.
    pub(super) fn labels_of(
        &self,
        page: &Batch,
        index: usize,
        builder: &mut LabelsBuilder,
    ) -> Result<Option<Vec<u8>>, Failure> {
        let refused = |error: model::Error| Failure::new(Stage::Relabel, error.to_string());
        page.read_labels(index, builder).map_err(refused)?;
        let mut labels = LabelSet::new(builder.pairs());
        if self.honor_labels {
            self.add_missing(&mut labels, builder);
        } else {
            self.add_all(&mut labels);
        }
        if !self.rules.apply(&mut labels) {
            return Ok(None);
        }
        self.check(&labels)?;
        Ok(Some(plain(labels.iter())))
    }

    /// The labels of a row that tells of the scrape itself: neither rules nor the page have a say.
    pub(super) fn labels_of_report(&self, name: &str) -> Vec<u8> {
        let own = self.target_labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        plain(own.chain([(NAME_LABEL, name)]))
    }

    /// The page's labels win, an empty one too: it says that there shall be none.
    fn add_missing(&self, labels: &mut LabelSet, written: &LabelsBuilder) {
        for (name, value) in &self.target_labels {
            if !written.pairs().any(|(known, _)| known == name) {
                labels.set(name, value.as_str());
            }
        }
    }

    /// The target's labels win, and those of the page get another name: the shortest first, so that `exported_a` of the
    /// page is not in the way of its `a`.
    fn add_all(&self, labels: &mut LabelSet) {
        let mut moved: Vec<(&str, String)> = Vec::new();
        for (name, value) in &self.target_labels {
            let existing = labels.get(name);
            if !existing.is_empty() {
                moved.push((name, existing.to_owned()));
            }
            labels.set(name, value.as_str());
        }
        moved.sort_by_key(|(name, _)| name.len());
        for (name, value) in moved {
            let mut exported = format!("{EXPORTED}{name}");
            while !labels.get(&exported).is_empty() {
                exported.insert_str(0, EXPORTED);
            }
            labels.set(&exported, value);
        }
    }

    fn check(&self, labels: &LabelSet) -> Result<(), Failure> {
        let broken = |what: String| Err(Failure::new(Stage::Relabel, what));
        let name = labels.get(NAME_LABEL);
        if name.is_empty() {
            let shown: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
            return broken(format!("the series {{{}}} has no name after relabeling", shown.join(",")));
        }
        if labels.iter().any(|(label, _)| label.is_empty()) {
            return broken(format!("a series of {name} has a label without a name after relabeling"));
        }
        let (count, limit) = (labels.len(), self.label_limit);
        if limit > 0 && count > limit {
            return broken(format!("a series of {name} has {count} labels, label_limit is {limit}"));
        }
        for (label, value) in labels.iter() {
            let (bytes, limit) = (label.len(), self.label_name_length_limit);
            if limit > 0 && bytes > limit {
                let what = format!("label {label:?} of {name} has a name of {bytes} bytes");
                return broken(format!("{what}, label_name_length_limit is {limit}"));
            }
            let (bytes, limit) = (value.len(), self.label_value_length_limit);
            if limit > 0 && bytes > limit {
                let what = format!("label {label:?} of {name} has a value of {bytes} bytes");
                return broken(format!("{what}, label_value_length_limit is {limit}"));
            }
        }
        Ok(())
    }
}

/// Labels as the plain encoding of batches has them, in order, so that equal labels are equal bytes.
fn plain<'a>(labels: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<u8> {
    let mut sorted: Vec<(&str, &str)> = labels.collect();
    sorted.sort_unstable();
    let mut bytes = Vec::with_capacity(sorted.iter().map(|(name, value)| name.len() + value.len() + 2).sum());
    write_plain(sorted, &mut bytes);
    bytes
}

#[cfg(test)]
mod tests;
