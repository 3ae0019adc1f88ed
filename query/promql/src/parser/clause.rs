//! Clauses: lists of labels, and what stands between an operator and its right side.

use super::Parser;
use crate::ast::{BinaryOp, Cardinality, Fill, Matching};
use crate::error::ParseError;
use crate::quote::Quoted;
use crate::token::{Keyword, TokenKind};

/// The part that errors in lists of labels are told of.
const GROUPING: &str = "grouping opts";

impl Parser<'_> {
    /// Reads labels in parentheses.
    pub(super) fn label_names(&mut self) -> Result<Vec<String>, ParseError> {
        if self.accept(TokenKind::LeftParen)?.is_none() {
            return self.unexpected_in(GROUPING, "\"(\"");
        }
        let mut labels = Vec::new();
        while self.accept(TokenKind::RightParen)?.is_none() {
            labels.push(self.label_name()?);
            match self.peek()? {
                TokenKind::RightParen => {}
                TokenKind::Comma => drop(self.take()?),
                _ => return self.unexpected_in(GROUPING, "\",\" or \")\""),
            }
        }
        Ok(labels)
    }

    fn label_name(&mut self) -> Result<String, ParseError> {
        let kind = self.peek()?;
        if kind != TokenKind::String && !is_label(kind) {
            return self.unexpected_in(GROUPING, "label");
        }
        let token = self.take()?;
        let name = match kind {
            TokenKind::String => self.unquoted(token)?,
            _ => self.word(token).to_owned(),
        };
        if name.is_empty() {
            return Err(ParseError::new(token.span, format!("invalid label name for grouping: {}", Quoted(&name))));
        }
        Ok(name)
    }

    /// Reads what stands behind an operator: `bool`, which series meet, and what is filled in for missing ones.
    pub(super) fn matching(&mut self, op: BinaryOp) -> Result<(bool, Matching), ParseError> {
        let returns_bool = self.accept(TokenKind::Keyword(Keyword::Bool))?.is_some();
        let mut matching = Matching::default();
        if let TokenKind::Keyword(keyword @ (Keyword::On | Keyword::Ignoring)) = self.peek()? {
            self.take()?;
            matching.is_on = keyword == Keyword::On;
            matching.labels = self.label_names()?;
            matching.cardinality = match self.peek()? {
                TokenKind::Keyword(Keyword::GroupLeft) => Cardinality::ManyToOne,
                TokenKind::Keyword(Keyword::GroupRight) => Cardinality::OneToMany,
                _ => Cardinality::OneToOne,
            };
            if matching.cardinality != Cardinality::OneToOne {
                self.take()?;
                if self.peek()? == TokenKind::LeftParen {
                    matching.include = self.label_names()?;
                }
            }
        }
        if op.is_set() && matching.cardinality == Cardinality::OneToOne {
            matching.cardinality = Cardinality::ManyToMany;
        }
        matching.fill = self.fill()?;
        Ok((returns_bool, matching))
    }

    fn fill(&mut self) -> Result<Fill, ParseError> {
        let mut fill = Fill::default();
        if self.accept(TokenKind::Keyword(Keyword::Fill))?.is_some() {
            let value = Some(self.fill_value()?);
            return Ok(Fill { left: value, right: value });
        }
        // Each once, in either order.
        loop {
            match self.peek()? {
                TokenKind::Keyword(Keyword::FillLeft) if fill.left.is_none() => {
                    self.take()?;
                    fill.left = Some(self.fill_value()?);
                }
                TokenKind::Keyword(Keyword::FillRight) if fill.right.is_none() => {
                    self.take()?;
                    fill.right = Some(self.fill_value()?);
                }
                _ => return Ok(fill),
            }
        }
    }

    fn fill_value(&mut self) -> Result<f64, ParseError> {
        self.expect(TokenKind::LeftParen)?;
        let value = self.signed_number()?;
        self.expect(TokenKind::RightParen)?;
        Ok(value)
    }

    /// Reads a number or a duration, with or without a sign.
    pub(super) fn signed_number(&mut self) -> Result<f64, ParseError> {
        let sign = match self.peek()? {
            TokenKind::Operator(BinaryOp::Add) => Some(1.0),
            TokenKind::Operator(BinaryOp::Sub) => Some(-1.0),
            _ => None,
        };
        if sign.is_some() {
            self.take()?;
        }
        match self.peek()? {
            TokenKind::Number | TokenKind::Duration => Ok(self.number()?.value * sign.unwrap_or(1.0)),
            _ => self.unexpected(),
        }
    }
}

/// Whether a word is taken for a label in a list of labels.
fn is_label(kind: TokenKind) -> bool {
    match kind {
        TokenKind::Identifier
        | TokenKind::MetricIdentifier
        | TokenKind::Aggregate(_)
        | TokenKind::Preprocessor(_)
        | TokenKind::Operator(BinaryOp::And | BinaryOp::Or | BinaryOp::Unless | BinaryOp::Atan2) => true,
        TokenKind::Keyword(keyword) => keyword != Keyword::Without,
        _ => false,
    }
}
