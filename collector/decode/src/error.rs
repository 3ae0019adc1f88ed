//! What is wrong with a body, and where.

use std::fmt;

use model::ErrorKind;

/// A place in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The byte within the line, from 1.
    pub column: usize,
}

impl Position {
    /// The place of byte `offset` of `text`.
    pub(crate) fn of(text: &[u8], offset: usize) -> Self {
        let before = &text[..offset.min(text.len())];
        let line_start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
        Position { line: memchr::memchr_iter(b'\n', before).count() + 1, column: before.len() - line_start + 1 }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// Why a body was refused. Nothing of such a body is kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    kind: ErrorKind,
    message: String,
    position: Option<Position>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error { kind, message: message.into(), position: None }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid, message)
    }

    pub(crate) fn too_large(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::TooLarge, message)
    }

    /// Puts the place before the message and keeps it.
    pub(crate) fn at(mut self, position: Position) -> Self {
        self.message = format!("{position}: {}", self.message);
        self.position = Some(position);
        self
    }

    /// `Invalid` if sending the same body again is pointless, `TooLarge` if it breaks a limit that can be raised,
    /// `Unavailable` if a stream was damaged on its way or broke off.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The message, with the place in front of it if the format has lines.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The place of the fault, if the format has lines.
    pub fn position(&self) -> Option<Position> {
        self.position
    }
}

impl From<Error> for model::Error {
    fn from(error: Error) -> Self {
        model::Error::new(error.kind, error.message)
    }
}

/// What a decoder found at a byte; becomes an [`Error`] once, when the body is given up.
#[derive(Debug)]
pub(crate) struct Fault {
    /// The byte, from the start of the text that was scanned.
    pub(crate) at: usize,
    pub(crate) kind: ErrorKind,
    pub(crate) what: String,
}

impl Fault {
    /// Boxed, so that the happy way returns two words.
    pub(crate) fn invalid(at: usize, what: impl Into<String>) -> Box<Self> {
        Box::new(Fault { at, kind: ErrorKind::Invalid, what: what.into() })
    }

    pub(crate) fn too_large(at: usize, what: impl Into<String>) -> Box<Self> {
        Box::new(Fault { at, kind: ErrorKind::TooLarge, what: what.into() })
    }

    /// The error, with line and column in `text`.
    pub(crate) fn in_text(self, text: &[u8]) -> Error {
        Error::new(self.kind, self.what).at(Position::of(text, self.at))
    }
}

/// The start of some outside bytes, quoted for a message: never longer than a line of a log.
pub(crate) fn quoted(bytes: &[u8]) -> String {
    const SHOWN: usize = 60;
    let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(SHOWN)]).into_owned();
    if bytes.len() > SHOWN { format!("{shown:?} and {} more bytes", bytes.len() - SHOWN) } else { format!("{shown:?}") }
}
