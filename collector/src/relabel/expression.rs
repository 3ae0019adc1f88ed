//! Expressions of rules, compiled.

use model::Error;
use model::go_regex::{self, Compiled};
use regex::{Captures, Regex};

use super::template::Template;

/// An expression in Go's syntax, anchored at both ends as Prometheus does it: `^(?s:` before it and `)$` behind it.
///
/// As there this is plain text, so that `a)|(b` closes the group and is anchored at one end of each side only.
#[derive(Debug, Clone)]
pub(super) struct Expression {
    regex: Regex,
    groups: Vec<Option<String>>,
}

impl Expression {
    /// # Errors
    /// `Invalid` if it is not an expression, or one that takes too much memory.
    pub(super) fn new(expression: &str) -> Result<Self, Error> {
        let compiled = go_regex::compile_anchored(expression);
        let Compiled { regex, groups } = compiled.map_err(|e| e.context(format!("regex {expression:?}")))?;
        Ok(Expression { regex, groups })
    }

    /// Reads a template that refers to the groups of this expression.
    ///
    /// # Errors
    /// As [`Template::new`].
    pub(super) fn template(&self, template: &str) -> Result<Template, Error> {
        Template::new(template, &self.groups)
    }

    pub(super) fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    pub(super) fn captures<'a>(&self, text: &'a str) -> Option<Captures<'a>> {
        self.regex.captures(text)
    }

    /// The text with each match replaced, or nothing if there is none. There is more than one match only where the
    /// expression broke out of its anchors.
    pub(super) fn replace(&self, text: &str, replacement: &Template) -> Option<String> {
        let (mut out, mut end) = (String::new(), None);
        for captures in self.regex.captures_iter(text) {
            let Some(found) = captures.get(0) else { continue };
            out.push_str(&text[end.unwrap_or(0)..found.start()]);
            replacement.expand(&captures, &mut out);
            end = Some(found.end());
        }
        out.push_str(&text[end?..]);
        Some(out)
    }
}
