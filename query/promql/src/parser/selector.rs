//! Selectors: a name, conditions in braces, or both.

use super::{Parsed, Parser};
use crate::ast::{BinaryOp, Expr, MatchOp, Matcher, NAME_LABEL, VectorSelector};
use crate::error::ParseError;
use crate::span::Span;
use crate::token::{Token, TokenKind};

/// The part that errors in braces are told of.
const MATCHING: &str = "label matching";
const NAME_EXPECTED: &str = "identifier or \"}\"";

impl Parser<'_> {
    /// Reads a selector behind its name.
    pub(super) fn named_selector(&mut self, name: Token) -> Parsed {
        let mut matchers = match self.peek()? {
            TokenKind::LeftBrace => self.matchers()?,
            _ => Vec::new(),
        };
        let word = self.word(name).to_owned();
        matchers.push(named(&word, name.span));
        Ok(selector(Some(word), matchers, self.span_from(name.span)))
    }

    /// Reads a selector that begins with a brace.
    pub(super) fn nameless_selector(&mut self) -> Parsed {
        let start = self.peek_token()?.span;
        let matchers = self.matchers()?;
        Ok(selector(None, matchers, self.span_from(start)))
    }

    fn matchers(&mut self) -> Result<Vec<Matcher>, ParseError> {
        self.expect(TokenKind::LeftBrace)?;
        let mut matchers = Vec::new();
        while self.accept(TokenKind::RightBrace)?.is_none() {
            matchers.push(self.matcher()?);
            match self.peek()? {
                TokenKind::RightBrace => {}
                TokenKind::Comma => drop(self.take()?),
                _ => return self.unexpected_in(MATCHING, "\",\" or \"}\""),
            }
        }
        Ok(matchers)
    }

    fn matcher(&mut self) -> Result<Matcher, ParseError> {
        let (label, start, is_quoted) = match self.peek()? {
            TokenKind::Identifier => {
                let token = self.take()?;
                (self.word(token).to_owned(), token.span, false)
            }
            TokenKind::String => {
                let token = self.take()?;
                (self.unquoted(token)?, token.span, true)
            }
            _ => return self.unexpected_in(MATCHING, NAME_EXPECTED),
        };
        let op = match self.peek()? {
            TokenKind::Assign => MatchOp::Equal,
            TokenKind::Operator(BinaryOp::NotEqual) => MatchOp::NotEqual,
            TokenKind::RegexMatch => MatchOp::Regex,
            TokenKind::RegexNotMatch => MatchOp::NotRegex,
            // A text alone is the name of the metric.
            _ if is_quoted => return Ok(named(&label, start)),
            _ => return self.unexpected_in(MATCHING, "label matching operator"),
        };
        self.take()?;
        if self.peek()? != TokenKind::String {
            return self.unexpected_in(MATCHING, "string");
        }
        let value = self.take()?;
        let matcher = Matcher { label, op, value: self.unquoted(value)?, span: self.span_from(start) };
        if op.is_regex() {
            matcher.regex().map_err(|error| ParseError::new(matcher.span, regex_message(&error, &matcher.value)))?;
        }
        Ok(matcher)
    }
}

fn named(name: &str, span: Span) -> Matcher {
    Matcher { label: NAME_LABEL.to_owned(), op: MatchOp::Equal, value: name.to_owned(), span }
}

fn selector(name: Option<String>, matchers: Vec<Matcher>, span: Span) -> Box<Expr> {
    Box::new(Expr::Vector(VectorSelector { name, matchers, at: None, offset: None, extension: None, span }))
}

/// What is wrong with a regular expression, on one line.
fn regex_message(error: &regex::Error, value: &str) -> String {
    /// The characters of a long expression that are shown.
    const SHOWN: usize = 80;

    let text = error.to_string();
    // The crate draws the place over several lines; what is wrong is on the last.
    let last = text.lines().last().unwrap_or_default();
    let what = last.strip_prefix("error: ").unwrap_or(last);
    let (shown, rest) = match value.char_indices().nth(SHOWN) {
        Some((end, _)) => (&value[..end], "…"),
        None => (value, ""),
    };
    format!("error parsing regexp: {what}: `{shown}`{rest}")
}
