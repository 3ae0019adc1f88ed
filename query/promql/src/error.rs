//! What is wrong with a text that is no expression, and where.

use std::fmt;

use crate::span::Span;

/// A text is no expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    /// What part of the text is wrong.
    pub span: Span,
    /// What is wrong with it: for common mistakes in the words of Prometheus.
    pub message: String,
}

impl ParseError {
    /// An error at a place.
    pub fn new(span: Span, message: impl Into<String>) -> Self {
        ParseError { span, message: message.into() }
    }

    /// The error as Prometheus tells it, with line and column: `1:3: parse error: …`.
    pub fn display(&self, text: &str) -> impl fmt::Display {
        let message = &self.message;
        if text.is_empty() {
            return format!("unknown position: parse error: {message}");
        }
        let (line, column) = self.span.position(text);
        format!("{line}:{column}: parse error: {message}")
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "parse error: {}", self.message)
    }
}

impl std::error::Error for ParseError {}
