//! Reads the question, as a server does.

use std::ops::{Range, RangeInclusive};

use bytes::Bytes;

use super::{Hints, Matcher, Operator, Query, ResponseType};
use crate::Error;
use crate::error::quoted;
use crate::protobuf::wire::{Fields, Value};
use crate::protobuf::wrong_type;

/// Queries of one request. A query of two bytes takes a hundred in memory.
const MAX_QUERIES: usize = 1000;
/// Matchers of all queries of one request.
const MAX_MATCHERS: usize = 10_000;

/// What a client asks.
#[derive(Debug)]
pub struct Request {
    /// The queries, in the order in which they are to be answered; of their hints only the function is read.
    pub queries: Vec<Query>,
    /// The forms of an answer that the client knows, the one it likes best first.
    accepted: Vec<u64>,
}

impl Request {
    /// The form of the answer: the first one that we know of those that the client does; samples if it names none.
    ///
    /// # Errors
    /// `Invalid` if it names only forms that are not known.
    pub fn response_type(&self) -> Result<ResponseType, Error> {
        if self.accepted.is_empty() {
            return Ok(ResponseType::Samples);
        }
        let known = |number: &u64| match number {
            0 => Some(ResponseType::Samples),
            1 => Some(ResponseType::StreamedXorChunks),
            _ => None,
        };
        self.accepted.iter().find_map(known).ok_or_else(|| {
            let what = "none of the accepted response types is known: ask for SAMPLES (0) or STREAMED_XOR_CHUNKS (1)";
            Error::invalid(what)
        })
    }
}

/// Reads the body of a request, already decompressed.
///
/// # Errors
/// `Invalid` if the bytes are no such message, a text in it is no UTF-8, or a matcher has an operator that is not known;
/// `TooLarge` if there are more than 1,000 queries or 10,000 matchers.
pub fn decode_request(body: &Bytes) -> Result<Request, Error> {
    let mut reader = Reader { body, matchers: 0 };
    let mut request = Request { queries: Vec::new(), accepted: Vec::new() };
    let mut fields = Fields::new(body, 0..body.len());
    while let Some((number, value)) = fields.next()? {
        match (number, value) {
            (1, Value::Bytes(_)) if request.queries.len() == MAX_QUERIES => {
                return Err(Error::too_large(format!("the request has more than {MAX_QUERIES} queries")));
            }
            (1, Value::Bytes(range)) => request.queries.push(reader.query(range)?),
            (2, Value::Varint(kind)) => request.accept(kind),
            (2, Value::Bytes(range)) => {
                let mut packed = Fields::new(body, range);
                while let Some(kind) = packed.next_varint()? {
                    request.accept(kind);
                }
            }
            (1 | 2, _) => return Err(wrong_type("ReadRequest", number)),
            _ => {}
        }
    }
    Ok(request)
}

impl Request {
    /// Adds a form of the answer; each is kept once, and of what is not known only that it was there.
    fn accept(&mut self, kind: u64) {
        let kind = kind.min(2);
        if !self.accepted.contains(&kind) {
            self.accepted.push(kind);
        }
    }
}

/// Reads the queries of a request.
struct Reader<'a> {
    body: &'a Bytes,
    /// How many matchers were read.
    matchers: usize,
}

impl Reader<'_> {
    fn query(&mut self, range: Range<usize>) -> Result<Query, Error> {
        let (mut start_ms, mut end_ms, mut matchers, mut hints) = (0, 0, Vec::new(), None);
        let mut fields = Fields::new(self.body, range);
        while let Some((number, value)) = fields.next()? {
            match (number, value) {
                (1, Value::Varint(time)) => start_ms = time as i64,
                (2, Value::Varint(time)) => end_ms = time as i64,
                (3, Value::Bytes(range)) => matchers.push(self.matcher(range)?),
                (4, Value::Bytes(range)) => hints = Some(self.hints(range)?),
                (1..=4, _) => return Err(wrong_type("Query", number)),
                _ => {}
            }
        }
        Ok(Query { time_ms: RangeInclusive::new(start_ms, end_ms), matchers, hints })
    }

    fn hints(&self, range: Range<usize>) -> Result<Hints, Error> {
        let mut hints = Hints::default();
        let mut fields = Fields::new(self.body, range);
        while let Some((number, value)) = fields.next()? {
            match (number, value) {
                (2, Value::Bytes(range)) => hints.function = String::from_utf8_lossy(&self.body[range]).into_owned(),
                (2, _) => return Err(wrong_type("ReadHints", number)),
                _ => {}
            }
        }
        Ok(hints)
    }

    fn matcher(&mut self, range: Range<usize>) -> Result<Matcher, Error> {
        self.matchers += 1;
        if self.matchers > MAX_MATCHERS {
            return Err(Error::too_large(format!("the request has more than {MAX_MATCHERS} matchers")));
        }
        let mut matcher = Matcher { label: String::new(), operator: Operator::Equal, value: String::new() };
        let mut fields = Fields::new(self.body, range);
        while let Some((number, value)) = fields.next()? {
            match (number, value) {
                (1, Value::Varint(kind)) => matcher.operator = operator(kind)?,
                (2, Value::Bytes(range)) => matcher.label = self.text("label name", range)?,
                (3, Value::Bytes(range)) => matcher.value = self.text("value", range)?,
                (1..=3, _) => return Err(wrong_type("LabelMatcher", number)),
                _ => {}
            }
        }
        if matcher.label.is_empty() {
            return Err(Error::invalid(format!("matcher {} of the request has no label name", self.matchers)));
        }
        Ok(matcher)
    }

    fn text(&self, what: &str, range: Range<usize>) -> Result<String, Error> {
        let bytes = &self.body[range];
        let text = std::str::from_utf8(bytes).map_err(|_| {
            let shown = quoted(bytes);
            Error::invalid(format!("the {what} of matcher {} of the request is not UTF-8: {shown}", self.matchers))
        })?;
        Ok(text.to_owned())
    }
}

fn operator(number: u64) -> Result<Operator, Error> {
    let known = [Operator::Equal, Operator::NotEqual, Operator::Matches, Operator::MatchesNot];
    let operator = usize::try_from(number).ok().and_then(|number| known.get(number).copied());
    operator.ok_or_else(|| Error::invalid(format!("a matcher has the type {number}, there are 0 to 3")))
}

#[cfg(test)]
mod tests;
