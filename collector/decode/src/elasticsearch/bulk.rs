//! Bulk requests: lines of JSON, an action and its document by turns.
//!
//! ```text
//! {"create": {"_index": "logs-app"}}
//! {"@timestamp": "2026-01-01T00:00:00Z", "message": "…"}
//! ```
//!
//! Source: <https://www.elastic.co/guide/en/elasticsearch/reference/current/docs-bulk.html>

use std::borrow::Cow;
use std::sync::Arc;

use model::Logs;

use super::document::{Documents, Wrong};
use crate::error::{Fault, Position, quoted};
use crate::json::{Kind, Reader, Text};
use crate::log_rows::{LogRows, lossy};
use crate::refused::{Bad, Reason, Refused};
use crate::{Arrival, Error, Limits};

/// A request that was read.
#[derive(Debug)]
pub struct Decoded {
    /// The documents that are good, in the order of the body.
    pub logs: Logs,
    /// What is not among them.
    pub refused: Refused,
    /// What has become of each action, in the order of the body.
    pub items: Vec<Item>,
}

/// What is to be done with a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Add it.
    Create,
    /// Add it, or replace the one with its id: here the same, since rows of logs have no id.
    Index,
    /// Change it: refused.
    Update,
    /// Remove it: refused.
    Delete,
}

impl Action {
    /// The word in requests and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Action::Create => "create",
            Action::Index => "index",
            Action::Update => "update",
            Action::Delete => "delete",
        }
    }

    fn of(word: &str) -> Option<Self> {
        [Action::Create, Action::Index, Action::Update, Action::Delete].into_iter().find(|own| own.as_str() == word)
    }
}

/// What has become of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What was to be done.
    pub action: Action,
    /// `_index`: that of the action, else that of the request; empty if neither has one.
    pub index: Arc<str>,
    /// `_id`; empty if the sender leaves it to the server.
    pub id: Box<str>,
    /// Why the document is not among the rows; `None` if it is. Shared, since many may be refused for one reason.
    pub error: Option<Arc<ItemError>>,
}

impl Item {
    /// The status in the answer: 201 or 400.
    pub fn status(&self) -> u16 {
        if self.error.is_none() { 201 } else { 400 }
    }
}

/// Why a document was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemError {
    /// `error.type` in the answer, one of the words of Elasticsearch.
    pub kind: &'static str,
    /// `error.reason` in the answer.
    pub reason: Cow<'static, str>,
}

/// So many items are told of each reason what is wrong with their own document; those behind them share one text. A body can
/// hold hundreds of thousands of bad documents, and an answer must not grow with all that could be said of them.
const TOLD_ITEMS: usize = 1000;

/// Reads a whole request, already decompressed. What is no UTF-8 in it becomes U+FFFD. The last line may lack its end, and
/// empty lines before an action are stepped over.
///
/// `index` is the one that the URL names, empty if it names none. A document that is wrong by itself is refused, whatever is
/// wrong with it, and so are updates and removals.
///
/// # Errors
/// `Invalid` with line and column if an action is none, since it cannot be told any more which lines are documents;
/// `TooLarge` if there are too many bytes or actions. Then nothing is taken.
pub fn decode(body: &[u8], index: &str, arrival: Arrival, limits: &Limits) -> Result<Decoded, Error> {
    let rows = LogRows::new(body.len(), arrival, limits)?;
    let text = lossy(body);
    let mut lines = Lines { text: &text, at: 0, line: 0 };
    let mut documents = Documents::new(rows);
    let mut items = Vec::new();
    let mut errors = Errors::default();
    let mut before = Before::new(index);
    while let Some(line) = lines.next() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        documents.rows.count(1)?;
        let (action, index, id) = before.action(line).map_err(|fault| lines.error(*fault))?;
        let taken = match action {
            Action::Delete => Err(Refusal::Action(action)),
            Action::Update => {
                lines.next();
                Err(Refusal::Action(action))
            }
            Action::Create | Action::Index => match lines.next() {
                Some(line) => documents.take(line, &index).map_err(|wrong| Refusal::Bad(lines.bad(wrong))),
                None => {
                    let what = "the action has no document: the body ends behind it";
                    Err(Refusal::Bad(*Bad::new(Reason::InvalidRow, what)))
                }
            },
        };
        let error = taken.err().map(|refusal| refusal.noted(&mut documents.rows, &mut errors));
        items.push(Item { action, index, id, error });
    }
    let decoded = documents.rows.finish();
    Ok(Decoded { logs: decoded.logs, refused: decoded.refused, items })
}

/// Why a document is not taken.
#[derive(Debug)]
enum Refusal {
    /// Its action is one that no log is for.
    Action(Action),
    Bad(Bad),
}

impl Refusal {
    /// Notes it; gives what its sender is told.
    #[cold]
    fn noted(self, rows: &mut LogRows<'_>, errors: &mut Errors) -> Arc<ItemError> {
        match self {
            Refusal::Action(action) => {
                let reason = match action {
                    Action::Delete => "logs are only added to: nothing is deleted, send \"create\" or \"index\"",
                    _ => "logs are only added to: nothing is updated, send \"create\" or \"index\"",
                };
                rows.refuse(Bad { reason: Reason::InvalidRow, what: reason.to_owned() });
                errors.shared("illegal_argument_exception", reason)
            }
            Refusal::Bad(bad) => {
                let error = errors.of(&bad);
                rows.refuse(bad);
                error
            }
        }
    }
}

/// What the refused items are told.
#[derive(Default)]
struct Errors {
    /// How many items of each reason were told what is wrong with their own document.
    told: [usize; Reason::ALL.len()],
    /// Those that more than one item may have: a few.
    shared: Vec<Arc<ItemError>>,
}

impl Errors {
    fn of(&mut self, bad: &Bad) -> Arc<ItemError> {
        let (kind, alike) = match bad.reason {
            Reason::RowLimit => {
                ("illegal_argument_exception", "over a limit, as items before it, which name the limit")
            }
            Reason::OutOfRange => {
                ("document_parsing_exception", "its time is too far in the future, as of items before it")
            }
            _ => ("document_parsing_exception", "no document of a log, as items before it, which say why"),
        };
        let told = &mut self.told[bad.reason as usize];
        if *told == TOLD_ITEMS {
            return self.shared(kind, alike);
        }
        *told += 1;
        Arc::new(ItemError { kind, reason: Cow::Owned(bad.what.clone()) })
    }

    fn shared(&mut self, kind: &'static str, reason: &'static str) -> Arc<ItemError> {
        if let Some(known) = self.shared.iter().find(|known| known.kind == kind && known.reason == reason) {
            return known.clone();
        }
        let error = Arc::new(ItemError { kind, reason: Cow::Borrowed(reason) });
        self.shared.push(error.clone());
        error
    }
}

/// The lines of a body.
struct Lines<'a> {
    text: &'a str,
    /// Where the next line begins.
    at: usize,
    /// The number of the last line, from 1.
    line: usize,
}

impl<'a> Lines<'a> {
    #[inline]
    fn next(&mut self) -> Option<&'a str> {
        let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
        let end = memchr::memchr(b'\n', rest.as_bytes()).unwrap_or(rest.len());
        self.at += end + 1;
        self.line += 1;
        Some(&rest[..end])
    }

    fn position(&self, fault: &Fault) -> Position {
        Position { line: self.line, column: fault.at + 1 }
    }

    #[cold]
    fn error(&self, fault: Fault) -> Error {
        let position = self.position(&fault);
        Error::new(fault.kind, fault.what).at(position)
    }

    /// What is wrong with the document of the last line, with its place.
    #[cold]
    fn bad(&self, wrong: Wrong) -> Bad {
        match wrong {
            Wrong::Fault(fault) => {
                let what = format!("{}: {}", self.position(&fault), fault.what);
                Bad { reason: Reason::InvalidRow, what }
            }
            Wrong::Bad(bad) => Bad { reason: bad.reason, what: format!("line {}: {}", self.line, bad.what) },
        }
    }
}

/// The last action: mostly the next one is the same.
struct Before<'a> {
    /// The index of the request.
    default: Arc<str>,
    line: &'a str,
    action: Action,
    index: Arc<str>,
    id: Box<str>,
}

impl<'a> Before<'a> {
    fn new(index: &str) -> Self {
        let default: Arc<str> = index.into();
        Before { index: default.clone(), default, line: "", action: Action::Index, id: Box::default() }
    }

    #[inline]
    fn action(&mut self, line: &'a str) -> Result<(Action, Arc<str>, Box<str>), Box<Fault>> {
        if line != self.line {
            self.read(line)?;
            self.line = line;
        }
        Ok((self.action, self.index.clone(), self.id.clone()))
    }

    fn read(&mut self, line: &str) -> Result<(), Box<Fault>> {
        let mut reader = Reader::new(line);
        let mut is_first = true;
        reader.enter_object()?;
        let at = reader.at();
        let Some(word) = reader.next_key(&mut is_first)? else {
            return Err(Fault::invalid(at, "expected an action, got an empty object"));
        };
        let Some(action) = Action::of(word.raw()) else {
            let word = quoted(word.raw().as_bytes());
            let what = format!("expected an action (create, index, update, delete), got {word}");
            return Err(Fault::invalid(at, what));
        };
        let (index, id) = metadata(&mut reader)?;
        if reader.next_key(&mut is_first)?.is_some() {
            return Err(Fault::invalid(reader.at(), "a line has more than one action"));
        }
        reader.end()?;
        let mut scratch = String::new();
        self.action = action;
        self.index = match index {
            Some(index) => match index.resolved(&mut scratch)? {
                same if *same == *self.index => self.index.clone(),
                other => other.into(),
            },
            None => self.default.clone(),
        };
        self.id = match id {
            Some(id) => id.resolved(&mut scratch)?.into(),
            None => Box::default(),
        };
        Ok(())
    }
}

/// `_index` and `_id` of the object that is next.
fn metadata<'l>(reader: &mut Reader<'l>) -> Result<(Option<Text<'l>>, Option<Text<'l>>), Box<Fault>> {
    let (mut index, mut id) = (None, None);
    let mut is_first = true;
    reader.enter_object()?;
    while let Some(key) = reader.next_key(&mut is_first)? {
        match (key.raw(), reader.kind()?) {
            ("_index", Kind::Text) => index = Some(reader.text()?),
            ("_id", Kind::Text) => id = Some(reader.text()?),
            ("_index", kind) if kind != Kind::Null => return Err(reader.expected("a text as \"_index\"")),
            _ => drop(reader.skip()?),
        }
    }
    Ok((index, id))
}

#[cfg(test)]
mod tests;
