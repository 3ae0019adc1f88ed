//! The warnings and infos of a query, gathered while it runs.

use std::collections::BTreeSet;

use parking_lot::Mutex;
use promql::note::{Level, Notes};
use promql::span::Span;

/// Gathers what functions and operators say beside their values. Each is kept once.
#[derive(Debug, Default)]
pub(crate) struct Remarks(Mutex<BTreeSet<(Level, String, Option<Span>)>>);

impl Remarks {
    /// Adds the notes of what stands at a place of the expression.
    pub(crate) fn add(&self, span: Span, notes: &Notes) {
        if notes.is_empty() {
            return;
        }
        let mut all = self.0.lock();
        all.extend(notes.iter().map(|note| (note.level(), note.to_string(), Some(span))));
    }

    /// The texts of one level, with their places in the text of the expression.
    pub(crate) fn texts(&self, level: Level, expression: &str) -> Vec<String> {
        let all = self.0.lock();
        let of_level = all.iter().filter(|(of, _, _)| *of == level);
        let text = |(_, text, span): &(Level, String, Option<Span>)| match span {
            Some(span) => {
                let (line, column) = span.position(expression);
                format!("{text} ({line}:{column})")
            }
            None => text.clone(),
        };
        of_level.map(text).collect()
    }
}
