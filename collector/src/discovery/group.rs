//! Groups of targets as lists give them.
//!
//! Pure. Source of the format: Prometheus' documentation of file and HTTP service discovery.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::config::StaticConfig;

/// The label that holds a target's address.
const ADDRESS: &str = "__address__";

/// Targets with the labels that they have in common.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Group {
    #[serde(default)]
    targets: Vec<String>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

impl From<&StaticConfig> for Group {
    fn from(config: &StaticConfig) -> Self {
        Group { targets: config.targets.clone(), labels: config.labels.clone() }
    }
}

impl Group {
    /// The labels of each target, its address among them.
    pub(crate) fn targets(&self) -> impl Iterator<Item = impl Iterator<Item = (&str, &str)>> {
        let common = || self.labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        // The address comes last, so that no label of that name is taken for it.
        self.targets.iter().map(move |target| common().chain([(ADDRESS, target.as_str())]))
    }

    /// Adds a label that says where the group is from.
    fn with_label(mut self, name: &str, value: &str) -> Self {
        self.labels.insert(name.to_owned(), value.to_owned());
        self
    }
}

/// Reads a list in JSON; each group gets the label `name` with `value`.
///
/// # Errors
/// What is wrong, with line and column.
pub(super) fn read_json(text: &[u8], name: &str, value: &str) -> Result<Vec<Group>, String> {
    let groups: Vec<Group> = serde_json::from_slice(text).map_err(|e| e.to_string())?;
    Ok(labelled(groups, name, value))
}

/// Reads a list in YAML; each group gets the label `name` with `value`.
///
/// # Errors
/// What is wrong, with line and column.
pub(super) fn read_yaml(text: &[u8], name: &str, value: &str) -> Result<Vec<Group>, String> {
    let text = std::str::from_utf8(text).map_err(|e| format!("not UTF-8: {e}"))?;
    if text.trim().is_empty() {
        // So is a file that somebody is about to write.
        return Err("it is empty, no targets are written as []".to_owned());
    }
    let options = serde_saphyr::options! { with_snippet: false };
    let groups: Vec<Group> = serde_saphyr::from_str_with_options(text, options).map_err(|e| e.to_string())?;
    Ok(labelled(groups, name, value))
}

fn labelled(groups: Vec<Group>, name: &str, value: &str) -> Vec<Group> {
    groups.into_iter().map(|group| group.with_label(name, value)).collect()
}

#[cfg(test)]
mod tests;
