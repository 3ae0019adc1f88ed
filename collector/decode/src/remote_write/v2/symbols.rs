//! The texts of a request: each is hashed and checked when it is first pointed at, and never again.

use std::ops::Range;

use model::Batch;
use model::labels::NAME_LABEL;

use super::metadata::Said;
use crate::Limits;
use crate::error::quoted;
use crate::refused::{Bad, Reason};

/// What is known of the symbols of a request.
#[derive(Debug, Default)]
pub(super) struct Symbols {
    symbols: Vec<Symbol>,
    /// What the last series of each name said of its family, by the symbol of the name.
    said: Vec<Said>,
}

/// What is known of one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Symbol {
    /// [`Batch::hash`] of the text.
    pub(super) hash: u128,
    pub(super) len: u32,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    Text,
    /// The label whose value is the name of the metric.
    NameLabel,
    NotUtf8,
}

impl Symbol {
    pub(super) fn is_name_label(&self) -> bool {
        self.state == State::NameLabel
    }
}

impl Symbols {
    /// Those at these ranges of the body, of which nothing is known yet.
    pub(super) fn new(ranges: &[Range<u32>]) -> Self {
        let new = |range: &Range<u32>| {
            let len = range.end - range.start;
            Symbol { hash: 0, len, state: State::New }
        };
        Symbols { symbols: ranges.iter().map(new).collect(), said: Vec::new() }
    }

    /// Sees to it that the symbol with a number is text, and known.
    ///
    /// # Errors
    /// What is wrong with a label that points at it.
    #[inline]
    pub(super) fn look_at(&mut self, number: u32, body: &[u8], ranges: &[Range<u32>]) -> Result<(), Box<Bad>> {
        match self.symbols.get(number as usize) {
            Some(Symbol { state: State::Text | State::NameLabel, .. }) => Ok(()),
            _ => self.look_at_new(number, body, ranges),
        }
    }

    #[inline(never)]
    fn look_at_new(&mut self, number: u32, body: &[u8], ranges: &[Range<u32>]) -> Result<(), Box<Bad>> {
        let count = self.symbols.len();
        let Some(symbol) = self.symbols.get_mut(number as usize) else { return Err(missing(number, count)) };
        let text = &body[bytes_of(&ranges[number as usize])];
        if symbol.state == State::New {
            *symbol = look(symbol, text);
        }
        if symbol.state == State::NotUtf8 { Err(not_utf8(text)) } else { Ok(()) }
    }

    /// The symbol with a number that was looked at.
    #[inline]
    pub(super) fn get(&self, number: u32) -> &Symbol {
        &self.symbols[number as usize]
    }

    /// Notes what a series says whose name this symbol is; says whether that is new.
    pub(super) fn say(&mut self, name: u32, said: Said) -> bool {
        if self.said.is_empty() {
            self.said.resize(self.symbols.len(), Said::default());
        }
        self.said.get_mut(name as usize).is_some_and(|known| std::mem::replace(known, said) != said)
    }
}

/// The range of the body that a symbol is.
pub(super) fn bytes_of(range: &Range<u32>) -> Range<usize> {
    range.start as usize..range.end as usize
}

/// What there is to know of a text.
fn look(symbol: &Symbol, text: &[u8]) -> Symbol {
    let state = if text == NAME_LABEL.as_bytes() {
        State::NameLabel
    } else if std::str::from_utf8(text).is_ok() {
        State::Text
    } else {
        State::NotUtf8
    };
    Symbol { hash: Batch::hash(text), state, len: symbol.len }
}

/// What is wrong with a label's name, if anything is.
#[inline]
pub(super) fn check_name(name: &Symbol, shown: impl Fn() -> String, limits: &Limits) -> Result<(), Box<Bad>> {
    if name.len > 0 && name.len as usize <= limits.max_name_bytes {
        Ok(())
    } else {
        Err(bad_name(name, &shown(), limits))
    }
}

#[cold]
fn bad_name(name: &Symbol, shown: &str, limits: &Limits) -> Box<Bad> {
    if name.len == 0 {
        return Bad::new(Reason::InvalidLabels, "a label has an empty name");
    }
    let what = format!("the name of label {shown} has {} bytes, the limit is {}", name.len, limits.max_name_bytes);
    Bad::new(Reason::LabelLimit, what)
}

#[cold]
fn missing(number: u32, count: usize) -> Box<Bad> {
    Bad::new(Reason::InvalidLabels, format!("a label points at symbol {number}, the request has {count}"))
}

#[cold]
fn not_utf8(text: &[u8]) -> Box<Bad> {
    Bad::new(Reason::InvalidLabels, format!("the name or the value of a label is not UTF-8: {}", quoted(text)))
}
