//! Selectors: a name, conditions in braces, or both.

use std::collections::HashSet;

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

    /// Checks the regular expressions that have been read. Not where they are read: their engine needs much stack, and the
    /// levels of the expression around them have taken theirs.
    pub(super) fn check_regexes(&self) -> Result<(), ParseError> {
        let mut checked = HashSet::new();
        let mut regexes = self.regexes.iter().filter(|matcher| checked.insert(&matcher.value));
        regexes.try_for_each(|matcher| match matcher.regex() {
            Ok(_) => Ok(()),
            Err(error) => {
                let (what, value) = (shortened(&error.to_string()), shortened(&matcher.value));
                Err(ParseError::new(matcher.span, format!("error parsing regexp: {what}: `{value}`")))
            }
        })
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
            self.regexes.push(matcher.clone());
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

/// The beginning of a long text.
fn shortened(text: &str) -> String {
    /// The characters that are shown.
    const SHOWN: usize = 100;

    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
