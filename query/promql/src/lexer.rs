//! From the text of an expression to its words and signs.
//!
//! One at a time and only when asked: so whoever finds a mistake of the grammar tells of it before one of spelling that
//! stands behind it.

mod number;
mod string;

pub(crate) use number::parse_number;
pub(crate) use string::unquote;

use crate::ast::BinaryOp;
use crate::error::ParseError;
use crate::quote::QuotedChar;
use crate::span::Span;
use crate::token::{Keyword, Token, TokenKind, classify, classify_duration};

/// Cuts a text into words and signs.
#[derive(Debug)]
pub(crate) struct Lexer<'a> {
    text: &'a str,
    at: usize,
    /// Where the token begins that is being read.
    start: usize,
    open_parens: usize,
    is_in_braces: bool,
    /// The bracket that is open.
    bracket: Option<Bracket>,
}

/// A bracket that is open.
#[derive(Debug)]
struct Bracket {
    has_colon: bool,
    /// Whether a number or a word has been read. Prometheus asks for a number before a colon, be it in another bracket,
    /// and so refuses `[step():1m]`, which is read here.
    has_duration: bool,
    /// Whether a number has been read: up to it fewer signs are known.
    has_number: bool,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Lexer { text, at: 0, start: 0, open_parens: 0, is_in_braces: false, bracket: None }
    }

    /// The next token; [`TokenKind::End`] at the end.
    ///
    /// # Errors
    /// The text there is none, or something is left open at its end.
    pub(crate) fn token(&mut self) -> Result<Token, ParseError> {
        self.skip_blanks();
        self.start = self.at;
        let kind = match &self.bracket {
            _ if self.is_in_braces => self.token_in_braces()?,
            Some(Bracket { has_number: false, .. }) => self.token_of_duration()?,
            _ => self.token_of_statement()?,
        };
        Ok(Token { kind, span: Span::new(self.start, self.at) })
    }

    /// Skips blanks and comments.
    fn skip_blanks(&mut self) {
        let is_comment_known = self.is_in_braces || self.bracket.as_ref().is_none_or(|bracket| bracket.has_number);
        loop {
            let rest = self.rest();
            let rest = rest.trim_start_matches([' ', '\t', '\n', '\r']);
            self.at = self.text.len() - rest.len();
            if !(rest.starts_with('#') && is_comment_known) {
                return;
            }
            self.at += rest.find(['\n', '\r']).unwrap_or(rest.len());
        }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn accept(&mut self, wanted: impl Fn(char) -> bool) -> bool {
        let is_there = self.peek().is_some_and(wanted);
        if is_there {
            self.next();
        }
        is_there
    }

    fn skip_while(&mut self, wanted: impl Fn(char) -> bool) {
        while self.accept(&wanted) {}
    }

    /// What has been read of the token.
    fn word(&self) -> &'a str {
        &self.text[self.start..self.at]
    }

    fn error<T>(&self, message: impl Into<String>) -> Result<T, ParseError> {
        Err(ParseError::new(Span::new(self.start, self.text.len()), message))
    }

    /// As [`Lexer::error`], for a sign that is one by itself: the place is behind it.
    fn error_behind<T>(&mut self, message: impl Into<String>) -> Result<T, ParseError> {
        self.start = self.at;
        self.error(message)
    }

    fn token_of_statement(&mut self) -> Result<TokenKind, ParseError> {
        let Some(c) = self.next() else {
            if self.open_parens > 0 {
                return self.error("unclosed left parenthesis");
            }
            if self.bracket.is_some() {
                return self.error("unclosed left bracket");
            }
            return Ok(TokenKind::End);
        };
        if let Some(kind) = arithmetic(c) {
            return Ok(kind);
        }
        Ok(match c {
            ',' => TokenKind::Comma,
            '@' => TokenKind::At,
            '(' | ')' => return self.paren(c),
            '{' => {
                self.is_in_braces = true;
                TokenKind::LeftBrace
            }
            '[' if self.bracket.is_some() => return self.error(format!("unexpected left bracket {}", QuotedChar(c))),
            '[' => {
                self.bracket = Some(Bracket { has_colon: false, has_duration: false, has_number: false });
                TokenKind::LeftBracket
            }
            ']' if self.bracket.is_none() => return self.error(format!("unexpected right bracket {}", QuotedChar(c))),
            ']' => {
                self.bracket = None;
                TokenKind::RightBracket
            }
            '=' | '!' | '<' | '>' => return self.comparison(c),
            '"' | '\'' | '`' => return self.string(),
            _ if self.begins_number(c) => return self.number(),
            _ if is_alpha(c) || c == ':' => return self.identifier(c),
            _ => return self.error(format!("unexpected character: {}", QuotedChar(c))),
        })
    }

    fn paren(&mut self, c: char) -> Result<TokenKind, ParseError> {
        if c == '(' {
            self.open_parens += 1;
            return Ok(TokenKind::LeftParen);
        }
        let Some(open_parens) = self.open_parens.checked_sub(1) else {
            return self.error_behind(format!("unexpected right parenthesis {}", QuotedChar(c)));
        };
        self.open_parens = open_parens;
        Ok(TokenKind::RightParen)
    }

    fn comparison(&mut self, c: char) -> Result<TokenKind, ParseError> {
        let second = self.peek();
        let operator = match (c, second) {
            ('=', Some('=')) => BinaryOp::Equal,
            ('!', Some('=')) => BinaryOp::NotEqual,
            ('<', Some('=')) => BinaryOp::LessOrEqual,
            ('<', Some('/')) => BinaryOp::TrimUpper,
            ('>', Some('=')) => BinaryOp::GreaterOrEqual,
            ('>', Some('/')) => BinaryOp::TrimLower,
            ('<', _) => return Ok(TokenKind::Operator(BinaryOp::Less)),
            ('>', _) => return Ok(TokenKind::Operator(BinaryOp::Greater)),
            ('=', Some('~')) => return self.error("unexpected character after '=': '~'"),
            ('=', _) => return Ok(TokenKind::Assign),
            (_, None) => return self.error("unexpected end of input after '!'"),
            (_, Some(second)) => {
                return self.error(format!("unexpected character after '!': {}", QuotedChar(second)));
            }
        };
        self.next();
        Ok(TokenKind::Operator(operator))
    }

    fn string(&mut self) -> Result<TokenKind, ParseError> {
        match unquote(&self.text[self.start..]) {
            Ok((_, length)) => self.at = self.start + length,
            Err(message) => return self.error(message),
        }
        Ok(TokenKind::String)
    }

    fn begins_number(&self, c: char) -> bool {
        c.is_ascii_digit() || (c == '.' && self.peek().is_some_and(|next| next.is_ascii_digit()))
    }

    /// A word, or within a bracket a colon or a word of durations.
    fn identifier(&mut self, first: char) -> Result<TokenKind, ParseError> {
        let Some(bracket) = &mut self.bracket else {
            self.skip_while(|c| is_alphanumeric(c) || c == ':');
            return Ok(match classify(self.word()) {
                // As a name in `fill + fill`, unless it cannot be but the modifier.
                TokenKind::Keyword(Keyword::Fill | Keyword::FillLeft | Keyword::FillRight)
                    if !self.rest().trim_start_matches([' ', '\t', '\n', '\r']).starts_with('(') =>
                {
                    TokenKind::Identifier
                }
                kind => kind,
            });
        };
        if first == ':' {
            if bracket.has_colon {
                return self.error("unexpected colon ':'");
            }
            bracket.has_colon = true;
            return Ok(TokenKind::Colon);
        }
        match self.word_of_duration(first) {
            Some(kind) => Ok(kind),
            None => self.error(format!("unexpected character: {}, expected ':'", QuotedChar(first))),
        }
    }

    fn word_of_duration(&mut self, first: char) -> Option<TokenKind> {
        if !matches!(first.to_ascii_lowercase(), 's' | 'r' | 'm') {
            return None;
        }
        self.skip_while(is_alpha);
        classify_duration(self.word()).map(TokenKind::Preprocessor)
    }

    /// A token in brackets up to the first number.
    fn token_of_duration(&mut self) -> Result<TokenKind, ParseError> {
        let Some(c) = self.next() else { return self.error("unexpected end of input in duration expression") };
        if let Some(kind) = arithmetic(c) {
            return Ok(kind);
        }
        match c {
            ',' => Ok(TokenKind::Comma),
            '(' | ')' => self.paren(c),
            ':' => self.colon_of_duration(),
            ']' => {
                self.bracket = None;
                Ok(TokenKind::RightBracket)
            }
            _ if self.begins_number(c) => {
                if let Some(bracket) = &mut self.bracket {
                    (bracket.has_duration, bracket.has_number) = (true, true);
                }
                self.number()
            }
            _ => match self.word_of_duration(c) {
                Some(word) => {
                    if let Some(bracket) = &mut self.bracket {
                        bracket.has_duration = true;
                    }
                    Ok(word)
                }
                None => self.error(format!("unexpected character in duration expression: {}", QuotedChar(c))),
            },
        }
    }

    /// A colon, of which there is one in a bracket, and something before it.
    fn colon_of_duration(&mut self) -> Result<TokenKind, ParseError> {
        match &mut self.bracket {
            Some(bracket) if bracket.has_colon => self.error_behind("unexpected repeated colon in duration expression"),
            Some(bracket) if bracket.has_duration => {
                bracket.has_colon = true;
                Ok(TokenKind::Colon)
            }
            _ => self.error_behind("unexpected colon before duration in duration expression"),
        }
    }

    /// A token in braces, where no word is a keyword.
    fn token_in_braces(&mut self) -> Result<TokenKind, ParseError> {
        let Some(c) = self.next() else { return self.error("unexpected end of input inside braces") };
        Ok(match c {
            ',' => TokenKind::Comma,
            '"' | '\'' | '`' => return self.string(),
            '=' if self.accept(|c| c == '~') => TokenKind::RegexMatch,
            '=' => TokenKind::Assign,
            '!' => match self.next() {
                Some('~') => TokenKind::RegexNotMatch,
                Some('=') => TokenKind::Operator(BinaryOp::NotEqual),
                Some(c) => {
                    return self.error(format!("unexpected character after '!' inside braces: {}", QuotedChar(c)));
                }
                None => return self.error("unexpected end of input after '!' inside braces"),
            },
            '{' => return self.error(format!("unexpected left brace {}", QuotedChar(c))),
            '}' => {
                self.is_in_braces = false;
                TokenKind::RightBrace
            }
            _ if is_alpha(c) => {
                self.skip_while(is_alphanumeric);
                TokenKind::Identifier
            }
            _ => return self.error(format!("unexpected character inside braces: {}", QuotedChar(c))),
        })
    }
}

/// The operators that are one sign and not the beginning of another.
fn arithmetic(c: char) -> Option<TokenKind> {
    let operator = match c {
        '+' => BinaryOp::Add,
        '-' => BinaryOp::Sub,
        '*' => BinaryOp::Mul,
        '/' => BinaryOp::Div,
        '%' => BinaryOp::Mod,
        '^' => BinaryOp::Pow,
        _ => return None,
    };
    Some(TokenKind::Operator(operator))
}

fn is_alpha(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_'
}

fn is_alphanumeric(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests;
