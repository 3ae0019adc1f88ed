//! Durations in brackets and behind `offset`.

use super::Parser;
use crate::ast::{BinaryOp, DurationExpr, DurationNode, DurationOp};
use crate::error::ParseError;
use crate::span::Span;
use crate::token::{Preprocessor, TokenKind};

impl Parser<'_> {
    /// Reads a duration that has to be above zero, as far as that can be told.
    pub(super) fn positive_duration(&mut self) -> Result<DurationExpr, ParseError> {
        let duration = self.duration(0)?;
        if duration.literal().is_some_and(|seconds| seconds <= 0.0) {
            return Err(ParseError::new(duration.span, "duration must be greater than 0"));
        }
        Ok(duration)
    }

    /// Reads the duration behind `offset`.
    ///
    /// What follows it is of the expression around: `a offset 5m * 2` is `(a offset 5m) * 2`. But where it begins with a
    /// parenthesis, or with two signs, Prometheus reads on: `a offset (5m) * 2` is `a offset 10m`.
    pub(super) fn offset_duration(&mut self) -> Result<DurationExpr, ParseError> {
        let sign = self.sign()?;
        match (sign, self.peek()?) {
            (None, TokenKind::LeftParen) => self.duration(0),
            (None, _) => self.duration_operand(),
            (Some(_), TokenKind::Operator(BinaryOp::Add | BinaryOp::Sub)) => {
                let signed = self.signed_duration(sign)?;
                self.duration_from(signed, 0)
            }
            (Some((is_negative, start)), kind) => {
                let operand = self.duration_operand()?;
                // `a offset +(5m) * 2` is not `a offset (5m) * 2`.
                let is_kept = matches!(kind, TokenKind::Preprocessor(_) | TokenKind::LeftParen);
                self.with_sign(is_negative, start, operand, is_kept)
            }
        }
    }

    /// Takes a sign, if one is next: whether it is a minus, and where it is.
    fn sign(&mut self) -> Result<Option<(bool, Span)>, ParseError> {
        match self.peek()? {
            TokenKind::Operator(sign @ (BinaryOp::Add | BinaryOp::Sub)) => {
                Ok(Some((sign == BinaryOp::Sub, self.take()?.span)))
            }
            _ => Ok(None),
        }
    }

    /// Reads a duration with operators of at least this precedence.
    fn duration(&mut self, least: u8) -> Result<DurationExpr, ParseError> {
        let depth = self.depth;
        self.descend()?;
        let sign = self.sign()?;
        let first = match sign {
            Some(_) => self.signed_duration(sign)?,
            None => self.duration_operand()?,
        };
        let duration = self.duration_from(first, least)?;
        self.depth = depth;
        Ok(duration)
    }

    /// Reads on behind a duration. Each operator counts as a level: nobody needs hundreds of them.
    fn duration_from(&mut self, first: DurationExpr, least: u8) -> Result<DurationExpr, ParseError> {
        let depth = self.depth;
        let mut lhs = first;
        while let Some(op) = self.duration_operator(least)? {
            self.descend()?;
            let sign = self.take()?.span;
            let rhs = self.duration(op.precedence() + u8::from(op != DurationOp::Pow))?;
            if rhs.literal() == Some(0.0) {
                match op {
                    DurationOp::Div => return Err(ParseError::new(sign, "division by zero")),
                    DurationOp::Mod => return Err(ParseError::new(sign, "modulo by zero")),
                    _ => {}
                }
            }
            let span = lhs.span.to(rhs.span);
            let node = DurationNode::Binary { op, lhs: Box::new(lhs), rhs: Box::new(rhs) };
            lhs = DurationExpr { node, is_wrapped: false, span };
        }
        self.depth = depth;
        Ok(lhs)
    }

    fn duration_operator(&mut self, least: u8) -> Result<Option<DurationOp>, ParseError> {
        let TokenKind::Operator(op) = self.peek()? else { return Ok(None) };
        let op = match op {
            BinaryOp::Add => DurationOp::Add,
            BinaryOp::Sub => DurationOp::Sub,
            BinaryOp::Mul => DurationOp::Mul,
            BinaryOp::Div => DurationOp::Div,
            BinaryOp::Mod => DurationOp::Mod,
            BinaryOp::Pow => DurationOp::Pow,
            _ => return Ok(None),
        };
        Ok(Some(op).filter(|op| op.precedence() >= least))
    }

    /// Reads what a sign stands before, which has been taken.
    fn signed_duration(&mut self, sign: Option<(bool, Span)>) -> Result<DurationExpr, ParseError> {
        let operand = self.duration(DurationOp::Pow.precedence())?;
        match sign {
            Some((is_negative, start)) => self.with_sign(is_negative, start, operand, false),
            None => Ok(operand),
        }
    }

    /// A duration with a sign. That of a literal is part of it; a plus is left out elsewhere, unless it is kept.
    fn with_sign(
        &self,
        is_negative: bool,
        start: Span,
        operand: DurationExpr,
        is_kept: bool,
    ) -> Result<DurationExpr, ParseError> {
        let span = start.to(operand.span);
        if let (DurationNode::Literal { seconds, is_duration }, false) = (&operand.node, operand.is_wrapped) {
            let seconds = if is_negative { -seconds } else { *seconds };
            return Ok(DurationExpr {
                node: DurationNode::Literal { seconds, is_duration: *is_duration },
                is_wrapped: false,
                span,
            });
        }
        if !is_negative && !is_kept {
            return Ok(operand);
        }
        let node = DurationNode::Sign { is_negative, operand: Box::new(operand) };
        Ok(DurationExpr { node, is_wrapped: false, span })
    }

    /// Reads a literal, a function or parentheses.
    fn duration_operand(&mut self) -> Result<DurationExpr, ParseError> {
        let start = self.peek_token()?.span;
        let node = match self.peek()? {
            TokenKind::Number | TokenKind::Duration => {
                let number = self.number()?;
                if number.value.is_nan() || number.value.abs() > DurationExpr::MAX_SECONDS {
                    return Err(ParseError::new(start, "duration out of range"));
                }
                DurationNode::Literal { seconds: number.value, is_duration: number.is_duration }
            }
            TokenKind::Preprocessor(word @ (Preprocessor::Step | Preprocessor::Range)) => {
                self.take()?;
                self.expect(TokenKind::LeftParen)?;
                self.expect(TokenKind::RightParen)?;
                if word == Preprocessor::Step { DurationNode::Step } else { DurationNode::Range }
            }
            TokenKind::Preprocessor(word @ (Preprocessor::MinOf | Preprocessor::MaxOf)) => {
                self.take()?;
                self.expect(TokenKind::LeftParen)?;
                let lhs = Box::new(self.duration(0)?);
                self.expect(TokenKind::Comma)?;
                let rhs = Box::new(self.duration(0)?);
                self.expect(TokenKind::RightParen)?;
                let op = if word == Preprocessor::MinOf { DurationOp::MinOf } else { DurationOp::MaxOf };
                DurationNode::Binary { op, lhs, rhs }
            }
            TokenKind::LeftParen => {
                self.take()?;
                let inner = self.duration(0)?;
                self.expect(TokenKind::RightParen)?;
                return Ok(DurationExpr { is_wrapped: true, span: self.span_from(start), ..inner });
            }
            _ => return self.unexpected(),
        };
        Ok(DurationExpr { node, is_wrapped: false, span: self.span_from(start) })
    }
}
