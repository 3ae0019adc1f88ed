//! Numbers, and durations like `5m30s`.

use super::{Lexer, is_alphanumeric};
use crate::error::ParseError;
use crate::quote::Quoted;
use crate::token::TokenKind;

impl Lexer<'_> {
    /// Reads a number or a duration. What is taken for one may still be none: its value tells.
    pub(super) fn number(&mut self) -> Result<TokenKind, ParseError> {
        self.at = self.start;
        if self.skip_number() {
            return Ok(TokenKind::Number);
        }
        if self.skip_duration() {
            return Ok(TokenKind::Duration);
        }
        self.error(format!("bad number or duration syntax: {}", Quoted(self.word())))
    }

    /// Goes over digits, dots, underscores and an exponent, as far as they may be a number.
    fn skip_number(&mut self) -> bool {
        let begin = self.at;
        let is_hexadecimal = self.accept(|c| c == '0') && self.accept(|c| matches!(c, 'x' | 'X'));
        let is_digit = |c: char| if is_hexadecimal { c.is_ascii_hexdigit() } else { c.is_ascii_digit() };
        if is_hexadecimal {
            self.accept(|c| c == '_');
        }
        self.accept(|c| c == '.');
        self.accept(is_digit);
        let (mut has_dot, mut has_exponent) = (false, false);
        while let Some(c) = self.peek() {
            match c {
                '.' => {
                    self.next();
                    if has_dot || is_hexadecimal || self.accept(|c| matches!(c, '_' | '.')) {
                        return false;
                    }
                    has_dot = true;
                }
                // Also among hexadecimal digits, where it is but one more of them to whoever reads the value.
                'e' | 'E' => {
                    self.next();
                    if has_exponent {
                        return false;
                    }
                    has_exponent = true;
                    self.accept(|c| matches!(c, '+' | '-'));
                    if self.accept(|c| matches!(c, '.' | '_' | 'e' | 'E')) || self.peek().is_none() {
                        return false;
                    }
                }
                '_' => {
                    self.next();
                    if self.accept(|c| matches!(c, '.' | '_' | 'e' | 'E')) || self.peek().is_none() {
                        return false;
                    }
                }
                c if is_digit(c) => self.skip_while(is_digit),
                _ => break,
            }
        }
        self.at > begin && !self.peek().is_some_and(is_alphanumeric)
    }

    /// Goes over the units of a duration, the first of them next.
    fn skip_duration(&mut self) -> bool {
        if !self.accept(|c| matches!(c, 's' | 'm' | 'h' | 'd' | 'w' | 'y')) {
            return false;
        }
        self.accept(|c| c == 's');
        while self.accept(|c| c.is_ascii_digit()) {
            self.skip_while(|c| c.is_ascii_digit());
            if !self.accept(|c| matches!(c, 's' | 'm' | 'h' | 'd' | 'w')) {
                return false;
            }
            self.accept(|c| c == 's');
        }
        !self.accept(is_alphanumeric)
    }
}

/// The value of a number as it is written.
///
/// # Errors
/// In the words of Prometheus, which are those of Go.
pub(crate) fn parse_number(word: &str) -> Result<f64, String> {
    let error = |what| Err(format!("error parsing number: strconv.ParseFloat: parsing {}: {what}", Quoted(word)));
    if !are_underscores_between_digits(word) {
        return error("invalid syntax");
    }
    let plain = word.replace('_', "");
    if let Some(integer) = parse_integer(&plain) {
        return Ok(integer as f64);
    }
    match plain.parse::<f64>() {
        Ok(value) if value.is_infinite() && !plain.eq_ignore_ascii_case("inf") => error("value out of range"),
        Ok(value) => Ok(value),
        Err(_) => error("invalid syntax"),
    }
}

/// Whole numbers of 64 bits: hexadecimal behind `0x`, octal behind any other zero.
fn parse_integer(word: &str) -> Option<i64> {
    if let Some(digits) = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")) {
        return i64::from_str_radix(digits, 16).ok();
    }
    match word.strip_prefix('0') {
        Some(digits) if !digits.is_empty() => i64::from_str_radix(digits, 8).ok(),
        _ => word.parse().ok(),
    }
}

fn are_underscores_between_digits(word: &str) -> bool {
    let (word, is_hexadecimal) = match word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")) {
        // The prefix counts as a digit.
        Some(_) => (&word[1..], true),
        None => (word, false),
    };
    let is_digit = |b: u8| if is_hexadecimal { b.is_ascii_hexdigit() } else { b.is_ascii_digit() };
    let bytes = word.as_bytes();
    bytes.iter().enumerate().filter(|(_, b)| **b == b'_').all(|(at, _)| {
        let before = at.checked_sub(1).map(|at| bytes[at]);
        let is_behind_prefix = is_hexadecimal && at == 1;
        (is_behind_prefix || before.is_some_and(is_digit)) && bytes.get(at + 1).copied().is_some_and(is_digit)
    })
}
