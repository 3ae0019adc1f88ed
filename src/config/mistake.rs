//! A mistake in the configuration and its place.

use std::fmt;
use std::path::{Path, PathBuf};

use serde_saphyr::{Error, Location};

/// Keys that stand elsewhere now: a key, one that it stood beside, and where it is.
const MOVED: [(&str, &str, &str); 1] = [("cluster", "body_timeout", "push.cluster")];

/// What is wrong with a configuration, and where: shown as `file:line:column: message`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    path: PathBuf,
    /// Line and column, both from 1.
    place: Option<(u64, u64)>,
    message: String,
}

impl Mistake {
    /// A mistake at a place of a file, or in the file as a whole.
    pub(super) fn new(path: &Path, place: Option<Location>, message: impl Into<String>) -> Self {
        // A location that the parser does not know has line 0.
        let place = place.filter(|at| at.line() > 0).map(|at| (at.line(), at.column()));
        Mistake { path: path.to_owned(), place, message: message.into() }
    }

    /// A mistake at a place of a file whose name is told later.
    pub(super) fn at(place: Location, message: impl Into<String>) -> Self {
        Self::new(Path::new(""), Some(place), message)
    }

    /// Says which file it is in.
    pub(super) fn in_file(self, path: &Path) -> Self {
        Mistake { path: path.to_owned(), ..self }
    }

    /// Line and column, both from 1, if the mistake has a place.
    pub fn place(&self) -> Option<(u64, u64)> {
        self.place
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if let Some((line, column)) = self.place {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for Mistake {}

impl From<Error> for Mistake {
    fn from(error: Error) -> Self {
        let error = error.without_snippet();
        let message = match error {
            Error::SerdeUnknownField { field, expected, .. } => unknown("key", field, expected),
            Error::SerdeUnknownVariant { variant, expected, .. } => unknown("value", variant, expected),
            Error::SerdeMissingField { field, .. } => format!("the key {field:?} is missing"),
            Error::Message { msg, .. } => msg.clone(),
            Error::DuplicateMappingKey { key, .. } => {
                format!("the key {:?} comes twice", key.as_deref().unwrap_or_default())
            }
            other => without_place(&other.to_string()),
        };
        Self::new(Path::new(""), error.location(), message)
    }
}

/// The parser's own message, which ends with the place that is shown in front already.
fn without_place(message: &str) -> String {
    match message.rfind(" at line ") {
        Some(at) => message[..at].to_owned(),
        None => message.to_owned(),
    }
}

fn unknown(what: &str, found: &str, expected: &[&str]) -> String {
    let moved = MOVED.iter().find(|(key, neighbour, _)| *key == found && expected.contains(neighbour));
    if let Some((_, _, place)) = moved {
        return format!("unknown {what} {found:?}, it is {place} for all receivers");
    }
    match nearest(found, expected) {
        Some(near) => format!("unknown {what} {found:?}, did you mean {near:?}"),
        None => format!("unknown {what} {found:?}, known here: {}", expected.join(", ")),
    }
}

/// The known word that is a typing mistake away, if there is one.
fn nearest<'a>(found: &str, expected: &[&'a str]) -> Option<&'a str> {
    let distance = |known: &&str| strsim::damerau_levenshtein(found, known);
    let near = expected.iter().copied().min_by_key(distance)?;
    let containing = || expected.iter().copied().find(|known| found.len() >= 3 && known.contains(found));
    if distance(&near) <= 1 + near.len() / 4 { Some(near) } else { containing() }
}
