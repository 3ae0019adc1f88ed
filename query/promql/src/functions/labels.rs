//! Functions of labels: `label_replace` and `label_join`.
//!
//! Owns: what a match is expanded to, and what becomes of the labels.
//! Does not own: the syntax of regular expressions. Prometheus reads them as Go does, so whoever calls translates them.

mod template;

use model::Error;
use regex::Regex;

use self::template::Template;
use crate::labels::Labels;

/// A `label_replace` that was checked.
#[derive(Debug, Clone)]
pub struct LabelReplace {
    target: String,
    template: Template,
    source: String,
    regex: Regex,
}

/// The error of `label_replace` for an expression that is none.
pub fn invalid_expression(expression: &str) -> Error {
    Error::invalid(format!("invalid regular expression in label_replace(): {expression}"))
}

impl LabelReplace {
    /// Of its arguments. The expression has to match whole values, across lines; `groups` are the names of its groups, the
    /// first that of the whole match.
    ///
    /// # Errors
    /// `Invalid` for a target without a name.
    pub fn new(
        target: &str,
        replacement: &str,
        source: &str,
        regex: Regex,
        groups: &[Option<String>],
    ) -> Result<Self, Error> {
        check_name("destination", "label_replace", target)?;
        let template = Template::new(replacement, groups);
        Ok(LabelReplace { target: target.to_owned(), template, source: source.to_owned(), regex })
    }

    /// The labels with the target set, if the source matches.
    pub fn apply(&self, labels: &Labels) -> Option<Labels> {
        let found = self.regex.captures(labels.get(&self.source))?;
        let mut replaced = labels.clone();
        replaced.set(&self.target, self.template.expand(&found));
        Some(replaced)
    }

    /// The label that is set. Where it is the metric name, the name stays.
    pub fn target(&self) -> &str {
        &self.target
    }
}

/// A `label_join` that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelJoin {
    target: String,
    separator: String,
    sources: Vec<String>,
}

impl LabelJoin {
    /// Of its arguments.
    ///
    /// # Errors
    /// `Invalid` for a source or a target without a name.
    pub fn new(target: &str, separator: &str, sources: Vec<String>) -> Result<Self, Error> {
        sources.iter().try_for_each(|source| check_name("source", "label_join", source))?;
        check_name("destination", "label_join", target)?;
        Ok(LabelJoin { target: target.to_owned(), separator: separator.to_owned(), sources })
    }

    /// The labels with the target set.
    pub fn apply(&self, labels: &Labels) -> Labels {
        let values: Vec<_> = self.sources.iter().map(|source| labels.get(source)).collect();
        let mut joined = labels.clone();
        joined.set(&self.target, values.join(&self.separator));
        joined
    }

    /// The label that is set. Where it is the metric name, the name stays.
    pub fn target(&self) -> &str {
        &self.target
    }
}

/// Any text is a name but the empty one.
fn check_name(role: &str, function: &str, name: &str) -> Result<(), Error> {
    if name.is_empty() {
        return Err(Error::invalid(format!("invalid {role} label name in {function}(): {name}")));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
