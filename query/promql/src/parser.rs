//! From the words of an expression to its tree.
//!
//! Recursive descent, a function for each rule of the grammar. What binds tighter is further down: operators
//! (`parser.rs`), signs and operands (`operand.rs`), what stands behind an operand (`modifier.rs`), and what is in
//! brackets, braces and clauses (`duration.rs`, `selector.rs`, `clause.rs`).

mod clause;
mod duration;
mod modifier;
mod operand;
mod selector;

use crate::ast::{Binary, BinaryOp, Expr, Matcher, Matching, VectorSelector};
use crate::error::ParseError;
use crate::lexer::Lexer;
use crate::span::Span;
use crate::token::{Token, TokenKind};
use crate::types;

/// The levels inside each other above which an expression is refused: parentheses, arguments, signs, right sides of
/// operators, operators of a duration. Each costs stack, up to 4 KiB here in a build that is not optimised, and again in all
/// that goes through the tree, and a thread may have but two MiB. A row of operators costs none, however long it is.
pub const MAX_DEPTH: usize = 250;

/// Reads an expression: all that Prometheus 3.14 takes with all its features switched on.
///
/// # Errors
/// The text is none, or its types do not fit, or it nests too deep.
pub fn parse(text: &str) -> Result<Expr, ParseError> {
    check_length(text)?;
    let mut parser = Parser::new(text);
    let parsed = parser.whole();
    // What has been read stands before whatever is wrong behind it.
    parser.check_regexes()?;
    let expr = *parsed?;
    types::check(&expr)?;
    Ok(expr)
}

/// Reads a selector that stands alone, without modifiers: what the parameter `match[]` of an API holds. It may match
/// everything.
///
/// # Errors
/// The text is none.
pub fn parse_selector(text: &str) -> Result<VectorSelector, ParseError> {
    check_length(text)?;
    let mut parser = Parser::new(text);
    let parsed = parser.whole_selector();
    parser.check_regexes()?;
    parsed
}

fn check_length(text: &str) -> Result<(), ParseError> {
    match u32::try_from(text.len()) {
        Ok(_) => Ok(()),
        Err(_) => Err(ParseError::new(Span::default(), "the expression is longer than 4 GiB")),
    }
}

/// What is read is handed up in a box: an expression is large, and each level would have several of them on the stack.
type Parsed = Result<Box<Expr>, ParseError>;

/// What an error says of the place where a word is that nobody expected.
#[derive(Debug, Clone, Copy)]
struct Context {
    /// What is being read there.
    part: &'static str,
    /// What could stand there instead.
    expected: &'static str,
}

impl Context {
    const fn new(part: &'static str, expected: &'static str) -> Self {
        Context { part, expected }
    }
}

#[derive(Debug)]
struct Parser<'a> {
    text: &'a str,
    lexer: Lexer<'a>,
    /// The next token, once it has been looked at.
    next: Option<Token>,
    /// Where the last token ends that was taken.
    end: usize,
    /// The innermost part that errors are told of.
    context: Context,
    depth: usize,
    /// The conditions with regular expressions that have been read.
    regexes: Vec<Matcher>,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Self {
        Parser {
            text,
            lexer: Lexer::new(text),
            next: None,
            end: 0,
            context: Context::new("", ""),
            depth: 0,
            regexes: Vec::new(),
        }
    }

    fn peek_token(&mut self) -> Result<Token, ParseError> {
        if let Some(token) = self.next {
            return Ok(token);
        }
        let token = self.lexer.token()?;
        self.next = Some(token);
        Ok(token)
    }

    fn peek(&mut self) -> Result<TokenKind, ParseError> {
        Ok(self.peek_token()?.kind)
    }

    fn take(&mut self) -> Result<Token, ParseError> {
        let token = self.peek_token()?;
        self.next = None;
        self.end = token.span.end as usize;
        Ok(token)
    }

    /// Takes the next token if it is of this kind.
    fn accept(&mut self, kind: TokenKind) -> Result<Option<Token>, ParseError> {
        if self.peek()? == kind { Ok(Some(self.take()?)) } else { Ok(None) }
    }

    /// Takes the next token, which has to be of this kind.
    fn expect(&mut self, kind: TokenKind) -> Result<Token, ParseError> {
        if self.peek()? == kind { self.take() } else { self.unexpected() }
    }

    fn word(&self, token: Token) -> &'a str {
        &self.text[token.span.start as usize..token.span.end as usize]
    }

    /// From the beginning of something to the end of what was taken last.
    fn span_from(&self, start: Span) -> Span {
        Span { start: start.start, end: self.end as u32 }
    }

    /// The error that nobody expects the next token.
    fn unexpected<T>(&mut self) -> Result<T, ParseError> {
        let token = self.peek_token()?;
        let mut message = format!("unexpected {}", token.describe(self.text));
        let Context { part, expected } = self.context;
        if !part.is_empty() {
            message.push_str(" in ");
            message.push_str(part);
        }
        if !expected.is_empty() {
            message.push_str(", expected ");
            message.push_str(expected);
        }
        Err(ParseError::new(token.span, message))
    }

    fn unexpected_in<T>(&mut self, part: &'static str, expected: &'static str) -> Result<T, ParseError> {
        self.context = Context::new(part, expected);
        self.unexpected()
    }

    /// Goes one level down. An error ends all, so that nobody has to come up again then.
    fn descend(&mut self) -> Result<(), ParseError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let span = self.peek_token()?.span;
            return Err(ParseError::new(span, format!("the expression is nested more than {MAX_DEPTH} levels deep")));
        }
        Ok(())
    }

    fn ascend(&mut self) {
        self.depth -= 1;
    }

    /// Reads an expression up to the end of the text.
    fn whole(&mut self) -> Parsed {
        if self.peek()? == TokenKind::End {
            return Err(ParseError::new(Span::default(), "no expression found in input"));
        }
        let expr = self.expr(0)?;
        self.expect(TokenKind::End)?;
        Ok(expr)
    }

    /// Reads a selector up to the end of the text.
    fn whole_selector(&mut self) -> Result<VectorSelector, ParseError> {
        let selector = match self.peek()? {
            TokenKind::LeftBrace => self.nameless_selector()?,
            kind if operand::is_name(kind) => {
                let name = self.take()?;
                self.named_selector(name)?
            }
            _ => return self.unexpected(),
        };
        match (self.peek()?, *selector) {
            (TokenKind::End, Expr::Vector(selector)) => Ok(selector),
            _ => self.unexpected(),
        }
    }

    /// Reads operands with operators of at least this precedence between them.
    fn expr(&mut self, least: u8) -> Parsed {
        self.descend()?;
        let mut lhs = self.operand()?;
        while let Some(op) = self.operator(least)? {
            let op_span = self.take()?.span;
            lhs = self.right_of(lhs, (op, op_span))?;
        }
        self.ascend();
        Ok(lhs)
    }

    /// The operator that is next, if it is one of at least this precedence.
    fn operator(&mut self, least: u8) -> Result<Option<BinaryOp>, ParseError> {
        match self.peek()? {
            TokenKind::Operator(op) if op.precedence() >= least => Ok(Some(op)),
            _ => Ok(None),
        }
    }

    /// Reads what stands behind an operator.
    fn right_of(&mut self, lhs: Box<Expr>, (op, op_span): (BinaryOp, Span)) -> Parsed {
        let (returns_bool, matching) = self.matching(op)?;
        let rhs = self.expr(op.precedence() + u8::from(!op.is_right_associative()))?;
        let matching = types::matching_between(&lhs, &rhs, matching);
        Ok(binary((op, op_span), lhs, rhs, returns_bool, matching))
    }
}

/// Not within the function that reads it, whose stack would have room for it at each level.
fn binary(
    op: (BinaryOp, Span),
    lhs: Box<Expr>,
    rhs: Box<Expr>,
    returns_bool: bool,
    matching: Option<Matching>,
) -> Box<Expr> {
    Box::new(Expr::Binary(Binary::new(op, lhs, rhs, returns_bool, matching)))
}

#[cfg(test)]
mod tests;
