//! Literals, calls, aggregations, signs and parentheses.

use super::{Context, Parsed, Parser};
use crate::ast::{Aggregate, AggregateOp, BinaryOp, Call, Expr, Grouping, NumberLiteral, Paren, StringLiteral, Unary};
use crate::error::ParseError;
use crate::lexer::{parse_number, unquote};
use crate::quote::Quoted;
use crate::signature::Signature;
use crate::span::Span;
use crate::token::{Keyword, Token, TokenKind};

impl Parser<'_> {
    /// Reads an operand with its sign and with what stands behind it.
    pub(super) fn operand(&mut self) -> Parsed {
        if let TokenKind::Operator(sign @ (BinaryOp::Add | BinaryOp::Sub)) = self.peek()? {
            return self.signed(sign == BinaryOp::Sub);
        }
        let operand = self.primary()?;
        self.modifiers(operand)
    }

    /// A sign binds weaker than `^` and stronger than all other operators.
    fn signed(&mut self, is_negative: bool) -> Parsed {
        let sign = self.take()?.span;
        let operand = self.expr(BinaryOp::Pow.precedence())?;
        Ok(with_sign(is_negative, sign, operand))
    }

    fn primary(&mut self) -> Parsed {
        match self.peek()? {
            TokenKind::Number | TokenKind::Duration | TokenKind::String => self.literal(),
            TokenKind::LeftParen => self.paren(),
            TokenKind::LeftBrace => self.nameless_selector(),
            kind if is_name(kind) => self.named(),
            _ => self.unexpected(),
        }
    }

    fn literal(&mut self) -> Parsed {
        if self.peek()? != TokenKind::String {
            return Ok(Box::new(Expr::Number(self.number()?)));
        }
        let token = self.take()?;
        let value = self.unquoted(token)?;
        Ok(Box::new(Expr::String(StringLiteral { value, span: token.span })))
    }

    /// Reads a number or a duration without a sign.
    pub(super) fn number(&mut self) -> Result<NumberLiteral, ParseError> {
        let token = self.take()?;
        let (word, span) = (self.word(token), token.span);
        let is_duration = token.kind == TokenKind::Duration;
        let value = if is_duration { parse_duration(word) } else { parse_number(word) };
        let value = value.map_err(|message| ParseError::new(span, message))?;
        Ok(NumberLiteral { value, is_duration, span })
    }

    pub(super) fn unquoted(&self, token: Token) -> Result<String, ParseError> {
        let text = unquote(self.word(token)).map_err(|message| ParseError::new(token.span, message))?;
        Ok(text.0)
    }

    fn paren(&mut self) -> Parsed {
        let start = self.take()?.span;
        let expr = self.expr(0)?;
        self.expect(TokenKind::RightParen)?;
        Ok(Box::new(Expr::Paren(Paren { expr, span: self.span_from(start) })))
    }

    /// Reads what begins with a word: a call, an aggregation or a selector.
    fn named(&mut self) -> Parsed {
        let name = self.take()?;
        let next = self.peek()?;
        match name.kind {
            TokenKind::Aggregate(op)
                if matches!(next, TokenKind::LeftParen | TokenKind::Keyword(Keyword::By | Keyword::Without)) =>
            {
                self.aggregate(name, op)
            }
            TokenKind::Identifier | TokenKind::Preprocessor(_) if next == TokenKind::LeftParen => self.call(name),
            _ => self.named_selector(name),
        }
    }

    fn call(&mut self, name: Token) -> Parsed {
        let args = self.args()?;
        self.called(name, args)
    }

    fn called(&self, name: Token, args: Vec<Expr>) -> Parsed {
        let word = self.word(name);
        let Some(function) = Signature::find(word) else {
            return Err(ParseError::new(name.span, Signature::unknown(word)));
        };
        Ok(Box::new(Expr::Call(Call { function, args, span: self.span_from(name.span) })))
    }

    /// Reads arguments in parentheses.
    fn args(&mut self) -> Result<Vec<Expr>, ParseError> {
        self.expect(TokenKind::LeftParen)?;
        let mut args = Vec::new();
        if self.accept(TokenKind::RightParen)?.is_some() {
            return Ok(args);
        }
        loop {
            let arg = self.expr(0)?;
            args.push(*arg);
            let Some(comma) = self.accept(TokenKind::Comma)? else { break };
            if !begins_expr(self.peek()?) {
                return Err(ParseError::new(comma.span, "trailing commas not allowed in function call args"));
            }
        }
        self.expect(TokenKind::RightParen)?;
        Ok(args)
    }

    fn aggregate(&mut self, name: Token, op: AggregateOp) -> Parsed {
        let outer = std::mem::replace(&mut self.context, Context::new("aggregation", ""));
        let grouping_before = self.grouping()?;
        let args = self.args()?;
        self.context = outer;
        let grouping = match grouping_before {
            Some(grouping) => grouping,
            None => self.grouping()?.unwrap_or_default(),
        };
        aggregated(op, args, grouping, self.span_from(name.span))
    }

    /// Reads `by (…)` or `without (…)`, if one of them is next.
    fn grouping(&mut self) -> Result<Option<Grouping>, ParseError> {
        let is_without = match self.peek()? {
            TokenKind::Keyword(Keyword::By) => false,
            TokenKind::Keyword(Keyword::Without) => true,
            _ => return Ok(None),
        };
        self.take()?;
        Ok(Some(Grouping { is_without, labels: self.label_names()? }))
    }
}

/// A sign before an expression.
fn with_sign(is_negative: bool, sign: Span, operand: Box<Expr>) -> Box<Expr> {
    let span = sign.to(operand.span());
    Box::new(match *operand {
        Expr::Number(number) => {
            let value = if is_negative { -number.value } else { number.value };
            Expr::Number(NumberLiteral { value, span, ..number })
        }
        _ => Expr::Unary(Unary { is_negative, expr: operand, span }),
    })
}

/// An aggregation of arguments that may be too few or too many.
fn aggregated(op: AggregateOp, mut args: Vec<Expr>, grouping: Grouping, span: Span) -> Parsed {
    let wanted = 1 + usize::from(op.param_type().is_some());
    if args.is_empty() {
        return Err(ParseError::new(span, "no arguments for aggregate expression provided"));
    }
    if args.len() != wanted {
        let message = format!(
            "wrong number of arguments for aggregate expression provided, expected {wanted}, got {}",
            args.len()
        );
        return Err(ParseError::new(span, message));
    }
    let expr = Box::new(args.remove(wanted - 1));
    Ok(Box::new(Expr::Aggregate(Aggregate { op, expr, param: args.pop().map(Box::new), grouping, span })))
}

/// Whether it can be the name of a metric, where an operand is expected.
pub(super) fn is_name(kind: TokenKind) -> bool {
    match kind {
        TokenKind::Identifier
        | TokenKind::MetricIdentifier
        | TokenKind::Aggregate(_)
        | TokenKind::Preprocessor(_)
        | TokenKind::Operator(BinaryOp::And | BinaryOp::Or | BinaryOp::Unless) => true,
        TokenKind::Keyword(keyword) => matches!(
            keyword,
            Keyword::Offset
                | Keyword::Smoothed
                | Keyword::Anchored
                | Keyword::By
                | Keyword::Without
                | Keyword::Fill
                | Keyword::FillLeft
                | Keyword::FillRight
        ),
        _ => false,
    }
}

fn begins_expr(kind: TokenKind) -> bool {
    is_name(kind)
        || matches!(
            kind,
            TokenKind::Number
                | TokenKind::Duration
                | TokenKind::String
                | TokenKind::LeftParen
                | TokenKind::LeftBrace
                | TokenKind::Operator(BinaryOp::Add | BinaryOp::Sub)
        )
}

/// The seconds of a duration like `5m30s`.
fn parse_duration(word: &str) -> Result<f64, String> {
    let duration = model::duration::parse(word).map_err(|_| {
        let unknown = |unit: &&str| !matches!(*unit, "" | "y" | "w" | "d" | "h" | "m" | "s" | "ms");
        match word.split(|c: char| c.is_ascii_digit()).find(unknown) {
            Some(unit) => format!("unknown unit {} in duration {}", Quoted(unit), Quoted(word)),
            None => format!("not a valid duration string: {}", Quoted(word)),
        }
    })?;
    // As many as fit into 64 bits of nanoseconds.
    if i64::try_from(duration.as_nanos()).is_err() {
        return Err("duration out of range".to_owned());
    }
    Ok(duration.as_millis() as f64 / 1000.0)
}
