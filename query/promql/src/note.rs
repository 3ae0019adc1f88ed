//! What an answer says beside its values: warnings and infos.

use std::collections::BTreeSet;

/// How much a note matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// A part of the answer is missing or may be wrong.
    Warning,
    /// Something looks unusual.
    Info,
}

/// The notes of one function or operator, each once. Who calls it knows where in the expression it stands.
#[derive(Debug, Clone, Default)]
pub struct Notes(BTreeSet<Note>);

impl Notes {
    /// Adds a note.
    pub fn add(&mut self, note: Note) {
        self.0.insert(note);
    }

    /// The notes, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Note> {
        self.0.iter()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// One warning or info. Its text is that of Prometheus, without the position.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Note {
    /// A quantile is not between 0 and 1.
    InvalidQuantile(String),
}

impl Note {
    /// How much it matters.
    pub fn level(&self) -> Level {
        match self {
            Note::InvalidQuantile(_) => Level::Warning,
        }
    }
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Note::InvalidQuantile(value) => {
                write!(f, "PromQL warning: quantile value should be between 0 and 1, got {value}")
            }
        }
    }
}
