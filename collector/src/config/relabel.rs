//! One rule of relabeling, in Prometheus' words.

use serde::{Deserialize, Deserializer, Serialize};

const DEFAULT_SEPARATOR: &str = ";";
const DEFAULT_REGEX: &str = "(.*)";
const DEFAULT_REPLACEMENT: &str = "$1";

/// A rule that changes or drops a set of labels: what Prometheus takes under `relabel_configs` and
/// `metric_relabel_configs`.
///
/// A key that is written without a value is empty, not left to its default, as in Prometheus: `separator:` joins with
/// nothing between, `regex:` matches only what is empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelabelConfig {
    /// The labels whose values are joined and then matched, hashed, compared or copied; one that is missing counts as
    /// empty. Default none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_labels: Option<Vec<String>>,
    /// What stands between the joined values. Default `;`.
    #[serde(default = "default_separator", deserialize_with = "empty_if_null")]
    pub separator: String,
    /// The label that is written or compared with; for `replace` a template like `replacement`. Default none.
    #[serde(default, deserialize_with = "empty_if_null")]
    pub target_label: String,
    /// The expression, in Go's syntax, that the joined values, or for the actions on names each name, must match from
    /// beginning to end. Default `(.*)`.
    #[serde(default, deserialize_with = "some_if_null", skip_serializing_if = "Option::is_none")]
    pub regex: Option<String>,
    /// What the hash of the joined values is divided by; the remainder is written. Default 0, which `hashmod` refuses.
    #[serde(default, deserialize_with = "empty_if_null")]
    pub modulus: u64,
    /// What is written, with `$1`, `${1}` or `${name}` for what the groups of `regex` matched and `$$` for a dollar; a
    /// label that would become empty is removed. Default `$1`.
    #[serde(default = "default_replacement", deserialize_with = "empty_if_null")]
    pub replacement: String,
    /// What is done. Default `replace`.
    #[serde(default)]
    pub action: RelabelAction,
}

impl Default for RelabelConfig {
    fn default() -> Self {
        RelabelConfig {
            source_labels: None,
            separator: default_separator(),
            target_label: String::new(),
            regex: None,
            modulus: 0,
            replacement: default_replacement(),
            action: RelabelAction::default(),
        }
    }
}

impl RelabelConfig {
    /// The expression, or the default one.
    pub(crate) fn regex(&self) -> &str {
        self.regex.as_deref().unwrap_or(DEFAULT_REGEX)
    }

    /// The first of these fields that says something else than its default.
    pub(crate) fn first_set(&self, fields: &[&'static str]) -> Option<&'static str> {
        let is_set = |field: &str| match field {
            "source_labels" => self.source_labels.is_some(),
            "separator" => self.separator != DEFAULT_SEPARATOR,
            "target_label" => !self.target_label.is_empty(),
            "regex" => self.regex.is_some(),
            "modulus" => self.modulus != 0,
            "replacement" => self.replacement != DEFAULT_REPLACEMENT,
            _ => false,
        };
        fields.iter().copied().find(|field| is_set(field))
    }
}

/// What a rule does. Capital letters in its word do not matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "&'static str")]
pub enum RelabelAction {
    /// Writes `replacement` to `target_label` if the joined values match.
    #[default]
    Replace,
    /// Drops the set unless the joined values match.
    Keep,
    /// Drops the set if the joined values match.
    Drop,
    /// Drops the set unless the joined values are the value of `target_label`.
    KeepEqual,
    /// Drops the set if the joined values are the value of `target_label`.
    DropEqual,
    /// Writes a hash of the joined values, modulo `modulus`, to `target_label`.
    HashMod,
    /// Copies each label whose name matches to the name that `replacement` makes of it.
    LabelMap,
    /// Removes each label whose name matches.
    LabelDrop,
    /// Removes each label whose name does not match.
    LabelKeep,
    /// Writes the joined values to `target_label` in lower case.
    Lowercase,
    /// Writes the joined values to `target_label` in upper case.
    Uppercase,
}

impl RelabelAction {
    const ALL: [RelabelAction; 11] = [
        RelabelAction::Replace,
        RelabelAction::Keep,
        RelabelAction::Drop,
        RelabelAction::KeepEqual,
        RelabelAction::DropEqual,
        RelabelAction::HashMod,
        RelabelAction::LabelMap,
        RelabelAction::LabelDrop,
        RelabelAction::LabelKeep,
        RelabelAction::Lowercase,
        RelabelAction::Uppercase,
    ];

    /// The word of the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            RelabelAction::Replace => "replace",
            RelabelAction::Keep => "keep",
            RelabelAction::Drop => "drop",
            RelabelAction::KeepEqual => "keepequal",
            RelabelAction::DropEqual => "dropequal",
            RelabelAction::HashMod => "hashmod",
            RelabelAction::LabelMap => "labelmap",
            RelabelAction::LabelDrop => "labeldrop",
            RelabelAction::LabelKeep => "labelkeep",
            RelabelAction::Lowercase => "lowercase",
            RelabelAction::Uppercase => "uppercase",
        }
    }
}

impl From<RelabelAction> for &'static str {
    fn from(action: RelabelAction) -> Self {
        action.as_str()
    }
}

impl TryFrom<String> for RelabelAction {
    type Error = String;

    fn try_from(word: String) -> Result<Self, String> {
        let known = RelabelAction::ALL.into_iter().find(|action| action.as_str().eq_ignore_ascii_case(&word));
        known.ok_or_else(|| {
            let words: Vec<&str> = RelabelAction::ALL.into_iter().map(RelabelAction::as_str).collect();
            format!("unknown action {word:?}, it is one of {}", words.join(", "))
        })
    }
}

/// The value of a key, or an empty one where the key is written without a value.
fn empty_if_null<'de, T: Deserialize<'de> + Default, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

fn some_if_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    empty_if_null(deserializer).map(Some)
}

fn default_separator() -> String {
    DEFAULT_SEPARATOR.to_owned()
}

fn default_replacement() -> String {
    DEFAULT_REPLACEMENT.to_owned()
}
