//! Reads a selector of series: `up`, `{job="node"}`, `node_load1{job=~"n.*", env!=""}`.
//!
//! A source that is asked by remote read wants the conditions one by one, not their text.
//!
//! Source of the grammar: selectors in <https://prometheus.io/docs/prometheus/latest/querying/basics/>, names in
//! quotes among them.

use decode::remote_read::{Matcher, Operator};
use model::Error;
use model::labels::NAME_LABEL;

/// Reads one selector.
///
/// # Errors
/// `Invalid`; the message has the text, the column and what is expected there.
pub(crate) fn parse(text: &str) -> Result<Vec<Matcher>, Error> {
    let mut reader = Reader { text, at: 0 };
    let mut matchers = Vec::new();
    if let Some(name) = reader.name(true) {
        matchers.push(named(name));
    }
    if reader.takes("{") {
        reader.conditions(&mut matchers)?;
    } else if matchers.is_empty() {
        return Err(reader.expected("a metric name or {"));
    }
    reader.skip_space();
    if reader.at < text.len() {
        return Err(reader.expected("the end of the selector"));
    }
    if matchers.is_empty() {
        return Err(Error::invalid(format!("selector {text:?} has no condition, every series is {{__name__!=\"\"}}")));
    }
    Ok(matchers)
}

fn named(name: impl Into<String>) -> Matcher {
    Matcher { label: NAME_LABEL.to_owned(), operator: Operator::Equal, value: name.into() }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn conditions(&mut self, matchers: &mut Vec<Matcher>) -> Result<(), Error> {
        while !self.takes("}") {
            matchers.push(self.condition()?);
            if !self.takes(",") {
                return if self.takes("}") { Ok(()) } else { Err(self.expected("a comma or }")) };
            }
        }
        Ok(())
    }

    fn condition(&mut self) -> Result<Matcher, Error> {
        let quoted = self.string()?;
        let is_quoted = quoted.is_some();
        let label = match quoted {
            Some(label) => label,
            None => self.name(false).ok_or_else(|| self.expected("the name of a label"))?.to_owned(),
        };
        let Some(operator) = self.operator() else {
            // A name in quotes without a condition is that of the metric.
            return if is_quoted { Ok(named(label)) } else { Err(self.expected("one of = != =~ !~")) };
        };
        let value = self.string()?.ok_or_else(|| self.expected("a value in quotes"))?;
        Ok(Matcher { label, operator, value })
    }

    fn operator(&mut self) -> Option<Operator> {
        // The longer ones first, each begins with another one.
        let all = [
            ("=~", Operator::Matches),
            ("!~", Operator::MatchesNot),
            ("!=", Operator::NotEqual),
            ("=", Operator::Equal),
        ];
        all.into_iter().find(|(text, _)| self.takes(text)).map(|(_, operator)| operator)
    }

    /// A name without quotes; that of a metric may hold colons.
    fn name(&mut self, is_metric: bool) -> Option<&'a str> {
        self.skip_space();
        let rest = &self.text[self.at..];
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b':' && is_metric;
        let length = rest.bytes().take_while(|byte| is_part(*byte)).count();
        let name = &rest[..length];
        if length == 0 || name.as_bytes()[0].is_ascii_digit() {
            return None;
        }
        self.at += length;
        Some(name)
    }

    /// A text in quotes of any kind, as in Go; `None` if there is no quote.
    fn string(&mut self) -> Result<Option<String>, Error> {
        self.skip_space();
        let rest = &self.text[self.at..];
        let Some(quote) = rest.chars().next().filter(|first| matches!(first, '"' | '\'' | '`')) else {
            return Ok(None);
        };
        let mut value = Vec::new();
        let mut characters = rest.char_indices().skip(1);
        while let Some((place, character)) = characters.next() {
            match character {
                _ if character == quote => {
                    self.at += place + 1;
                    let text = String::from_utf8(value);
                    return text.map(Some).map_err(|_| self.expected("a value of valid UTF-8 before this"));
                }
                '\\' if quote != '`' => {
                    let length = escape(&rest[place..], quote, &mut value).ok_or_else(|| {
                        self.at += place;
                        self.expected("an escape of Go, or two backslashes for one")
                    })?;
                    // All but the backslash itself; escapes are of single bytes.
                    characters.nth(length - 2);
                }
                _ => value.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        self.at = self.text.len();
        Err(self.expected(&format!("a closing {quote}")))
    }

    fn takes(&mut self, token: &str) -> bool {
        self.skip_space();
        let found = self.text[self.at..].starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn skip_space(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
    }

    fn expected(&self, what: &str) -> Error {
        let column = self.text[..self.at].chars().count() + 1;
        Error::invalid(format!("selector {:?}, column {column}: {what} is expected", self.text))
    }
}

/// Reads the escape that `text` begins with; gives its length in bytes, at least two.
///
/// Source: rune and string literals of the Go specification
fn escape(text: &str, quote: char, value: &mut Vec<u8>) -> Option<usize> {
    let kind = *text.as_bytes().get(1)?;
    let simple = match kind {
        b'a' => Some(7),
        b'b' => Some(8),
        b'f' => Some(12),
        b'n' => Some(b'\n'),
        b'r' => Some(b'\r'),
        b't' => Some(b'\t'),
        b'v' => Some(11),
        b'\\' => Some(b'\\'),
        _ if char::from(kind) == quote => Some(kind),
        _ => None,
    };
    if let Some(byte) = simple {
        value.push(byte);
        return Some(2);
    }
    let (start, digits, radix) = match kind {
        b'x' => (2, 2, 16),
        b'u' => (2, 4, 16),
        b'U' => (2, 8, 16),
        b'0'..=b'7' => (1, 3, 8),
        _ => return None,
    };
    let text = text.get(start..start + digits).filter(|text| text.chars().all(|c| c.is_digit(radix)))?;
    let number = u32::from_str_radix(text, radix).ok()?;
    if matches!(kind, b'u' | b'U') {
        value.extend_from_slice(char::from_u32(number)?.encode_utf8(&mut [0; 4]).as_bytes());
    } else {
        value.push(u8::try_from(number).ok()?);
    }
    Some(start + digits)
}

#[cfg(test)]
mod tests;
