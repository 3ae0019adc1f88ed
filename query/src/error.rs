//! The error of this crate, and errors of DataFusion and of the store as that.

use std::fmt;
use std::time::Duration;

use arrow::error::ArrowError;
use datafusion::common::DataFusionError;
use datafusion::sql::sqlparser::parser::ParserError;
use model::ErrorKind;

/// A place in the text of a query; both count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: u64,
    /// The column, in characters.
    pub column: u64,
}

/// Why a query has no answer.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    position: Option<Position>,
    retry_after: Option<Duration>,
}

impl Error {
    /// An error of `kind`; `message` says what, where and how to mend it.
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error { kind, message: message.into(), position: None, retry_after: None }
    }

    /// Adds the place in the query.
    pub(crate) fn at(mut self, position: Position) -> Self {
        self.position = Some(position);
        self
    }

    /// Adds when to try again.
    pub(crate) fn retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }

    /// What the caller must do about it.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What went wrong.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Where in the query, if that is known.
    pub fn position(&self) -> Option<Position> {
        self.position
    }

    /// When to try again, if that is known.
    pub fn retry_after_hint(&self) -> Option<Duration> {
        self.retry_after
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match self.position {
            Some(Position { line, column }) => write!(f, " at line {line}, column {column}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}

impl From<model::Error> for Error {
    fn from(error: model::Error) -> Self {
        Error { kind: error.kind(), message: error.to_string(), position: None, retry_after: error.retry_after() }
    }
}

impl From<Error> for model::Error {
    fn from(error: Error) -> Self {
        let ours = model::Error::new(error.kind, error.to_string());
        match error.retry_after {
            Some(after) => ours.with_retry_after(after),
            None => ours,
        }
    }
}

/// Carries an error of ours through DataFusion; [`from_datafusion`] takes it out again.
pub(crate) fn external(error: model::Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

/// Names an error of DataFusion by what the caller must do.
pub(crate) fn from_datafusion(error: DataFusionError) -> Error {
    if let Some(ours) = model::Error::find(&error) {
        let copy = Error::new(ours.kind(), ours.to_string());
        return match ours.retry_after() {
            Some(after) => copy.retry_after(after),
            None => copy,
        };
    }
    let root = error.find_root();
    let kind = match root {
        DataFusionError::External(_) | DataFusionError::ObjectStore(_) | DataFusionError::IoError(_) => {
            ErrorKind::Unavailable
        }
        // What the store did not give is an error of ours, so these are bytes that came and are not what they should be.
        DataFusionError::ParquetError(_) => ErrorKind::Corrupt,
        DataFusionError::ArrowError(inner, _) if matches!(**inner, ArrowError::ParquetError(_)) => ErrorKind::Corrupt,
        DataFusionError::ResourcesExhausted(_) => ErrorKind::TooLarge,
        // The operators on regular expressions report one that does not compile as a fault of their own.
        DataFusionError::Internal(text) if text.contains("Regular expression did not compile") => {
            let what = "a regular expression is not valid, or too large once compiled";
            return Error::new(ErrorKind::Invalid, what);
        }
        DataFusionError::Internal(_) | DataFusionError::ExecutionJoin(_) => ErrorKind::Internal,
        _ => ErrorKind::Invalid,
    };
    let (message, position) = take_position(text_of(root));
    let span = error.diagnostic().and_then(|diagnostic| diagnostic.span);
    let position = position.or(span.map(|span| Position { line: span.start.line, column: span.start.column }));
    Error { kind, message, position, retry_after: None }
}

/// The text of the innermost error, without the layers that DataFusion puts before it.
fn text_of(root: &DataFusionError) -> String {
    match root {
        DataFusionError::Plan(text)
        | DataFusionError::Execution(text)
        | DataFusionError::NotImplemented(text)
        | DataFusionError::ResourcesExhausted(text)
        | DataFusionError::Configuration(text) => text.lines().next().unwrap_or_default().to_owned(),
        DataFusionError::SQL(parser, _) => match parser.as_ref() {
            ParserError::ParserError(text) | ParserError::TokenizerError(text) => text.clone(),
            ParserError::RecursionLimitExceeded => "the query is nested too deeply".to_owned(),
        },
        other => other.strip_backtrace(),
    }
}

/// The parser ends its messages with `at Line: 1, Column: 8`.
fn take_position(text: String) -> (String, Option<Position>) {
    let parse = |text: &str| {
        let (message, place) = text.rsplit_once(" at Line: ")?;
        let (line, column) = place.split_once(", Column: ")?;
        let position = Position { line: line.trim().parse().ok()?, column: column.trim().parse().ok()? };
        Some((message.to_owned(), position))
    };
    match parse(&text) {
        Some((message, position)) => (message, Some(position)),
        None => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_taken_out_of_a_parser_message() {
        let (message, place) = take_position("Expected: an expression, found: EOF at Line: 2, Column: 8".into());
        assert_eq!(message, "Expected: an expression, found: EOF");
        assert_eq!(place, Some(Position { line: 2, column: 8 }));
        assert_eq!(take_position("no place".into()), ("no place".to_owned(), None));
    }
}
