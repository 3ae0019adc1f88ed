//! One rule, compiled.

use std::borrow::Cow;
use std::num::NonZeroU64;

use md5::{Digest, Md5};
use model::Error;

use super::LabelSet;
use super::expression::Expression;
use super::letter_case::{lowercase, uppercase};
use super::template::Template;
use crate::config::{RelabelAction, RelabelConfig};

/// A rule that is ready to be applied.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    source_labels: Vec<String>,
    separator: String,
    /// Empty where the action writes no label.
    target_label: String,
    action: Action,
}

/// What a rule does, with what it takes. [`RelabelAction`] says it in words.
#[derive(Debug, Clone)]
enum Action {
    Replace { regex: Expression, target_label: Template, replacement: Template },
    Keep(Expression),
    Drop(Expression),
    KeepEqual,
    DropEqual,
    HashMod(NonZeroU64),
    LabelMap { regex: Expression, replacement: Template },
    LabelDrop(Expression),
    LabelKeep(Expression),
    Lowercase,
    Uppercase,
}

impl Rule {
    /// Checks and compiles a rule.
    ///
    /// # Errors
    /// `Invalid` if Prometheus 3 would refuse it, too.
    pub(super) fn new(config: &RelabelConfig) -> Result<Self, Error> {
        check_fields(config)?;
        let regex = Expression::new(config.regex())?;
        let action = match config.action {
            RelabelAction::Replace => Action::Replace {
                target_label: regex.template(&config.target_label)?,
                replacement: regex.template(&config.replacement)?,
                regex,
            },
            RelabelAction::Keep => Action::Keep(regex),
            RelabelAction::Drop => Action::Drop(regex),
            RelabelAction::KeepEqual => Action::KeepEqual,
            RelabelAction::DropEqual => Action::DropEqual,
            RelabelAction::HashMod => match NonZeroU64::new(config.modulus) {
                Some(modulus) => Action::HashMod(modulus),
                None => return Err(Error::invalid("modulus is 0, set it to the number of parts")),
            },
            RelabelAction::LabelMap => Action::LabelMap { replacement: regex.template(&config.replacement)?, regex },
            RelabelAction::LabelDrop => Action::LabelDrop(regex),
            RelabelAction::LabelKeep => Action::LabelKeep(regex),
            RelabelAction::Lowercase => Action::Lowercase,
            RelabelAction::Uppercase => Action::Uppercase,
        };
        Ok(Rule {
            source_labels: config.source_labels.clone().unwrap_or_default(),
            separator: config.separator.clone(),
            target_label: config.target_label.clone(),
            action,
        })
    }

    /// Changes the labels; false says that they are dropped.
    pub(super) fn apply(&self, labels: &mut LabelSet) -> bool {
        match &self.action {
            Action::Replace { regex, target_label, replacement } => {
                self.replace(labels, regex, target_label, replacement);
            }
            Action::Keep(regex) => return regex.is_match(&self.joined(labels)),
            Action::Drop(regex) => return !regex.is_match(&self.joined(labels)),
            Action::KeepEqual => return labels.get(&self.target_label) == self.joined(labels),
            Action::DropEqual => return labels.get(&self.target_label) != self.joined(labels),
            Action::HashMod(modulus) => {
                let remainder = hash(&self.joined(labels)) % modulus.get();
                labels.set(&self.target_label, remainder.to_string());
            }
            Action::LabelMap { regex, replacement } => copy(labels, regex, replacement),
            Action::LabelDrop(regex) => labels.retain(|name| !regex.is_match(name)),
            Action::LabelKeep(regex) => labels.retain(|name| regex.is_match(name)),
            Action::Lowercase => {
                let value = lowercase(&self.joined(labels));
                labels.set(&self.target_label, value);
            }
            Action::Uppercase => {
                let value = uppercase(&self.joined(labels));
                labels.set(&self.target_label, value);
            }
        }
        true
    }

    /// The values of the source labels with the separator between them.
    fn joined<'a>(&self, labels: &'a LabelSet) -> Cow<'a, str> {
        match &self.source_labels[..] {
            [] => Cow::Borrowed(""),
            [name] => Cow::Borrowed(labels.get(name)),
            names => {
                let values: Vec<&str> = names.iter().map(|name| labels.get(name)).collect();
                Cow::Owned(values.join(&self.separator))
            }
        }
    }

    fn replace(&self, labels: &mut LabelSet, regex: &Expression, target_label: &Template, replacement: &Template) {
        let joined = self.joined(labels);
        let Some(captures) = regex.captures(&joined) else { return };
        let (mut name, mut value) = (String::new(), String::new());
        target_label.expand(&captures, &mut name);
        replacement.expand(&captures, &mut value);
        // A template may come out empty, and no label has such a name.
        if !name.is_empty() {
            labels.set(&name, value);
        }
    }
}

/// Copies each label whose name matches, all names and values as they were before.
fn copy(labels: &mut LabelSet, regex: &Expression, replacement: &Template) {
    let copies: Vec<(String, String)> =
        labels.iter().filter_map(|(name, value)| Some((regex.replace(name, replacement)?, value.to_owned()))).collect();
    for (name, value) in copies {
        labels.set(&name, value);
    }
}

/// The last eight bytes of the MD5 sum, the highest first.
fn hash(text: &str) -> u64 {
    let sum: [u8; 16] = Md5::digest(text).into();
    // The lower half of the sum as one number.
    u128::from_be_bytes(sum) as u64
}

/// Checks which fields go with the action.
fn check_fields(config: &RelabelConfig) -> Result<(), Error> {
    if config.source_labels.iter().flatten().any(String::is_empty) {
        return Err(Error::invalid("source_labels holds an empty name"));
    }
    let takes_target = !matches!(
        config.action,
        RelabelAction::Keep
            | RelabelAction::Drop
            | RelabelAction::LabelMap
            | RelabelAction::LabelDrop
            | RelabelAction::LabelKeep
    );
    if takes_target && config.target_label.is_empty() {
        return Err(Error::invalid("target_label is missing, name the label to write or to compare with"));
    }
    if config.action == RelabelAction::LabelMap && config.replacement.is_empty() {
        return Err(Error::invalid("replacement is empty, no label can be copied to that name"));
    }
    let foreign: &[&str] = match config.action {
        RelabelAction::KeepEqual | RelabelAction::DropEqual => &["separator", "regex", "modulus", "replacement"],
        RelabelAction::LabelDrop | RelabelAction::LabelKeep => {
            &["source_labels", "separator", "target_label", "modulus", "replacement"]
        }
        RelabelAction::Lowercase | RelabelAction::Uppercase => &["replacement"],
        _ => &[],
    };
    match config.first_set(foreign) {
        Some(field) => Err(Error::invalid(format!("{field} does not go with this action, leave it out"))),
        None => Ok(()),
    }
}
