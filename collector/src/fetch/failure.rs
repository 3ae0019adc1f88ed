//! Why an attempt failed, and at which of its stages.

use std::error::Error as StdError;
use std::fmt;

/// The stages of an attempt, in their order. The words are those of the `result` label of our metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Stage {
    /// No whole answer came: name, connection, TLS, redirect, time.
    Request,
    /// An answer came that is not what was asked for: status, type, encoding, size.
    Answer,
    /// The text could not be read.
    Decode,
    /// A series cannot be kept, or there are too many.
    Relabel,
    /// The store did not take the rows.
    Write,
}

impl Stage {
    /// All stages.
    pub(crate) const ALL: [Stage; 5] = [Stage::Request, Stage::Answer, Stage::Decode, Stage::Relabel, Stage::Write];

    /// The word in metrics and logs.
    pub(crate) fn as_str(self) -> &'static str {
        ["request", "answer", "decode", "relabel", "write"][self as usize]
    }
}

/// A failed attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// Where it failed.
    pub(crate) stage: Stage,
    /// Why, and how to mend it where that is known.
    pub(crate) message: String,
    /// Whether it may be for want of time or room, so that asking for less may help.
    pub(crate) is_too_much: bool,
}

impl Failure {
    pub(crate) fn new(stage: Stage, message: impl Into<String>) -> Self {
        Failure { stage, message: message.into(), is_too_much: false }
    }

    /// The same, possibly for want of time or room.
    pub(crate) fn too_much(self) -> Self {
        Failure { is_too_much: true, ..self }
    }

    pub(crate) fn request(message: impl Into<String>) -> Self {
        Self::new(Stage::Request, message)
    }

    pub(crate) fn answer(message: impl Into<String>) -> Self {
        Self::new(Stage::Answer, message)
    }

    /// The failure of a request, with the whole chain of causes: the outermost one alone says nothing.
    pub(crate) fn of_client(error: reqwest::Error) -> Self {
        Self::request(whole(&error.without_url()))
    }
}

/// An error with the whole chain of its causes.
pub(super) fn whole(error: &dyn StdError) -> String {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let text = inner.to_string();
        if !message.contains(&text) {
            message.push_str(": ");
            message.push_str(&text);
        }
        cause = inner.source();
    }
    message
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
