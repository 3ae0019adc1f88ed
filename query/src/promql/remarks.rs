//! The warnings and infos of a query, gathered while it runs.

use parking_lot::Mutex;
use promql::note::{Level, Note, Notes};
use promql::span::Span;

/// What is told beside an answer, in the words of Prometheus.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Annotations {
    /// What is likely to be wrong.
    pub warnings: Vec<String>,
    /// What may be wrong.
    pub infos: Vec<String>,
}

impl Annotations {
    /// Adds those of another expression; each text is there once.
    pub(crate) fn extend(&mut self, other: Annotations) {
        for (all, more) in [(&mut self.warnings, other.warnings), (&mut self.infos, other.infos)] {
            for text in more {
                if !all.contains(&text) {
                    all.push(text);
                }
            }
        }
    }
}

/// Gathers what functions and operators say beside their values. Each is kept once, with one of its places: as in Prometheus
/// the last one, or of what was repaired the first.
#[derive(Debug, Default)]
pub(crate) struct Remarks(Mutex<Vec<(Note, Span)>>);

impl Remarks {
    /// Adds the notes of what stands at a place of the expression.
    pub(crate) fn add(&self, span: Span, notes: &Notes) {
        if notes.is_empty() {
            return;
        }
        let mut all = self.0.lock();
        for note in notes.iter() {
            match all.iter_mut().find(|(known, _)| note.is_about_the_same(known)) {
                Some((known, _)) if known != note => known.absorb(note),
                Some((_, place)) => *place = span,
                None => all.push((note.clone(), span)),
            }
        }
    }

    /// All of them, with their places in the text of the expression.
    pub(crate) fn annotations(&self, expression: &str) -> Annotations {
        Annotations { warnings: self.texts(Level::Warning, expression), infos: self.texts(Level::Info, expression) }
    }

    fn texts(&self, level: Level, expression: &str) -> Vec<String> {
        let all = self.0.lock();
        let text = |(note, span): &(Note, Span)| {
            let (line, column) = span.position(expression);
            format!("{note} ({line}:{column})")
        };
        let mut texts: Vec<String> = all.iter().filter(|(note, _)| note.level() == level).map(text).collect();
        texts.sort();
        texts
    }
}
