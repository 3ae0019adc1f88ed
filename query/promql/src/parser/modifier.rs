//! What stands behind an operand: ranges, subqueries, `offset`, `@`, `anchored` and `smoothed`.

use super::{Context, Parsed, Parser};
use crate::ast::{At, DurationExpr, Expr, Extension, MatrixSelector, Subquery, ValueType};
use crate::error::ParseError;
use crate::number::fixed_text;
use crate::span::Span;
use crate::token::{Keyword, Preprocessor, TokenKind};

impl Parser<'_> {
    pub(super) fn modifiers(&mut self, mut expr: Box<Expr>) -> Parsed {
        loop {
            match self.peek()? {
                TokenKind::LeftBracket => expr = self.brackets(expr)?,
                TokenKind::Keyword(Keyword::Offset) => self.offset(&mut expr)?,
                TokenKind::Keyword(Keyword::Anchored) => self.extension(&mut expr, Extension::Anchored)?,
                TokenKind::Keyword(Keyword::Smoothed) => self.extension(&mut expr, Extension::Smoothed)?,
                TokenKind::At => self.at(&mut expr)?,
                _ => return Ok(expr),
            }
        }
    }

    /// Reads a range `[5m]` or the brackets of a subquery `[1h:5m]`.
    fn brackets(&mut self, expr: Box<Expr>) -> Parsed {
        const DURATION_EXPECTED: &str = "number, duration, step(), or range()";

        let bracket = self.take()?.span;
        let outer = self.context;
        self.context = Context::new("subquery or range selector", DURATION_EXPECTED);
        let range = self.positive_duration()?;
        let parsed = match self.peek()? {
            TokenKind::RightBracket => {
                self.take()?;
                self.matrix(*expr, range, self.span_from(bracket))?
            }
            TokenKind::Colon => {
                self.take()?;
                let step = match self.peek()? {
                    TokenKind::RightBracket => None,
                    _ => {
                        self.context = Context::new("subquery selector", "number, duration, step(), range(), or \"]\"");
                        Some(self.positive_duration()?)
                    }
                };
                if self.accept(TokenKind::RightBracket)?.is_none() {
                    return self.unexpected_in("subquery selector", "\"]\"");
                }
                self.subquery(expr, range, step)?
            }
            _ => return self.unexpected_in("subquery or range", "\":\" or \"]\""),
        };
        self.context = outer;
        Ok(parsed)
    }

    fn matrix(&self, expr: Expr, range: DurationExpr, brackets: Span) -> Parsed {
        let error = |message: &str| Err(ParseError::new(brackets, message));
        let Expr::Vector(selector) = expr else { return error("ranges only allowed for vector selectors") };
        if selector.offset.is_some() {
            return error("no offset modifiers allowed before range");
        }
        if selector.at.is_some() {
            return error("no @ modifiers allowed before range");
        }
        let span = self.span_from(selector.span);
        Ok(Box::new(Expr::Matrix(MatrixSelector { selector, range, span })))
    }

    fn subquery(&self, expr: Box<Expr>, range: DurationExpr, step: Option<DurationExpr>) -> Parsed {
        let span = self.span_from(expr.span());
        // Told at once: brackets behind brackets behind brackets are levels that nothing else counts.
        if expr.value_type() == ValueType::Matrix {
            return Err(ParseError::new(span, "subquery is only allowed on instant vector, got matrix instead"));
        }
        Ok(Box::new(Expr::Subquery(Subquery { expr, range, step, at: None, offset: None, span })))
    }

    fn offset(&mut self, expr: &mut Expr) -> Result<(), ParseError> {
        self.take()?;
        let outer = self.context;
        self.context = Context::new("offset", "number, duration, step(), or range()");
        let offset = self.offset_duration()?;
        self.context = outer;
        let whole = expr.span();
        let (place, span) = match expr {
            Expr::Vector(e) => (&mut e.offset, &mut e.span),
            Expr::Matrix(e) => (&mut e.selector.offset, &mut e.span),
            Expr::Subquery(e) => (&mut e.offset, &mut e.span),
            _ => {
                return Err(ParseError::new(
                    whole,
                    "offset modifier must be preceded by an instant vector selector or range vector selector or a \
                     subquery",
                ));
            }
        };
        if place.is_some() {
            return Err(ParseError::new(whole, "offset may not be set multiple times"));
        }
        *span = self.span_from(*span);
        // What is shorter than a nanosecond is none, and another may follow.
        *place = Some(offset).filter(|offset| offset.literal().is_none_or(|seconds| (seconds * 1e9).round() != 0.0));
        Ok(())
    }

    fn at(&mut self, expr: &mut Expr) -> Result<(), ParseError> {
        self.take()?;
        let outer = self.context;
        self.context = Context::new("@", "timestamp");
        let whole = expr.span();
        let at = match self.peek()? {
            TokenKind::Preprocessor(word @ (Preprocessor::Start | Preprocessor::End)) => {
                self.take()?;
                self.expect(TokenKind::LeftParen)?;
                self.expect(TokenKind::RightParen)?;
                if word == Preprocessor::Start { At::Start } else { At::End }
            }
            _ => At::Time(self.timestamp_ms(whole)?),
        };
        self.context = outer;
        let (place, span) = match expr {
            Expr::Vector(e) => (&mut e.at, &mut e.span),
            Expr::Matrix(e) => (&mut e.selector.at, &mut e.span),
            Expr::Subquery(e) => (&mut e.at, &mut e.span),
            _ => {
                return Err(ParseError::new(
                    whole,
                    "@ modifier must be preceded by an instant vector selector or range vector selector or a subquery",
                ));
            }
        };
        if place.is_some() {
            return Err(ParseError::new(whole, "@ <timestamp> may not be set multiple times"));
        }
        *place = Some(at);
        *span = self.span_from(*span);
        Ok(())
    }

    fn timestamp_ms(&mut self, whole: Span) -> Result<i64, ParseError> {
        let seconds = self.signed_number()?;
        // As many as an i64 of seconds; milliseconds beyond its bounds are the last that there are.
        if !(seconds > i64::MIN as f64 && seconds < i64::MAX as f64) {
            let shown = fixed_text(seconds);
            return Err(ParseError::new(whole, format!("timestamp out of bounds for @ modifier: {shown}")));
        }
        Ok((seconds * 1000.0).round() as i64)
    }

    fn extension(&mut self, expr: &mut Expr, extension: Extension) -> Result<(), ParseError> {
        self.take()?;
        let (whole, word) = (expr.span(), extension.as_str());
        let (place, span) = match expr {
            Expr::Vector(e) => (&mut e.extension, &mut e.span),
            Expr::Matrix(e) => (&mut e.selector.extension, &mut e.span),
            Expr::Subquery(_) => {
                return Err(ParseError::new(whole, format!("{word} modifier is not supported for subqueries")));
            }
            _ => return Err(ParseError::new(whole, format!("{word} modifier not implemented"))),
        };
        if place.is_some_and(|other| other != extension) {
            return Err(ParseError::new(whole, "anchored and smoothed modifiers cannot be used together"));
        }
        *place = Some(extension);
        *span = self.span_from(*span);
        Ok(())
    }
}
