//! Expressions of rules, compiled.

use model::Error;
use regex::{Captures, Regex, RegexBuilder};

use super::syntax::{self, Translation};
use super::template::Template;

/// The compiled bytes above which an expression is refused. Ten thousand words of twenty characters fit, and half of that
/// is `\pL{100}`, which is dear since a letter may be many bytes.
const SIZE_LIMIT_BYTES: usize = 16 << 20;
/// Each level of the translation's own limit makes at most four here.
const ENGINE_NESTING: u32 = 4 * syntax::MAX_NESTING as u32 + 8;

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
        let anchored = format!("^(?s:{expression})$");
        let context = || format!("regex {expression:?}");
        let Translation { text, groups } = syntax::translate(&anchored).map_err(|e| e.context(context()))?;
        let built = RegexBuilder::new(&text).size_limit(SIZE_LIMIT_BYTES).nest_limit(ENGINE_NESTING).build();
        let regex = built.map_err(|error| {
            let error = match error {
                regex::Error::CompiledTooBig(_) => Error::invalid(format!(
                    "takes more than {} compiled, repeat less or split it into several rules",
                    model::size::format(SIZE_LIMIT_BYTES as u64)
                )),
                other => Error::invalid("the engine cannot take it").with_source(other),
            };
            error.context(context())
        })?;
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
