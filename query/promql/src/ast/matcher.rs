//! Conditions on labels.

use model::{Error, go_regex};
use regex::Regex;

use crate::span::Span;

/// A condition on the value of a label. A label that a series does not have counts as empty.
#[derive(Debug, Clone, PartialEq)]
pub struct Matcher {
    /// The name of the label.
    pub label: String,
    /// How its value is compared.
    pub op: MatchOp,
    /// What it is compared with: a text, or a regular expression that the whole value has to match.
    pub value: String,
    /// Where it stands.
    pub span: Span,
}

/// How the value of a label is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MatchOp {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `=~`
    Regex,
    /// `!~`
    NotRegex,
}

impl MatchOp {
    /// The operator as written.
    pub fn as_str(self) -> &'static str {
        match self {
            MatchOp::Equal => "=",
            MatchOp::NotEqual => "!=",
            MatchOp::Regex => "=~",
            MatchOp::NotRegex => "!~",
        }
    }

    /// Whether it compares with a regular expression.
    pub fn is_regex(self) -> bool {
        matches!(self, MatchOp::Regex | MatchOp::NotRegex)
    }

    /// Whether it asks that the value is not so.
    pub fn is_negative(self) -> bool {
        matches!(self, MatchOp::NotEqual | MatchOp::NotRegex)
    }
}

impl Matcher {
    /// The regular expression, in Go's syntax, that the whole value has to match, or must not match. A dot is any
    /// character, as in Prometheus: line feeds too.
    ///
    /// # Errors
    /// The expression is not one, or takes too much memory. Never for a matcher of a parsed expression.
    pub fn regex(&self) -> Result<Regex, Error> {
        // First alone: `a)|(b` is whole only with what is put around it.
        go_regex::translate(&self.value)?;
        Ok(go_regex::compile_anchored(&self.value)?.regex)
    }

    /// Whether a label without a value, which is as good as none, fulfils it. False for an expression that is none.
    pub fn matches_empty(&self) -> bool {
        match self.op {
            MatchOp::Equal => self.value.is_empty(),
            MatchOp::NotEqual => !self.value.is_empty(),
            MatchOp::Regex => self.regex().is_ok_and(|regex| regex.is_match("")),
            MatchOp::NotRegex => self.regex().is_ok_and(|regex| !regex.is_match("")),
        }
    }
}

#[cfg(test)]
mod tests;
